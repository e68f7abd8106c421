"""The things of the scenes (notebook 53): emoji with short names in English and Chinese.

The names are the course's own, since a sentence needs more than a dictionary entry: the plural in English,
and in Chinese the measure word that stands between a number and a thing (两只猫, two cats). Names in the
other languages are those of Unicode CLDR, see :mod:`mmcourse.data.emoji`.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Thing:
    """One thing that a scene may show.

    Attributes:
        text: the emoji, without U+FE0F.
        english, plural: its English name, for one and for several.
        chinese: its Chinese name.
        measure: its Chinese measure word.
    """

    text: str
    english: str
    plural: str
    chinese: str
    measure: str

    @property
    def article(self) -> str:
        """The English name with its article: "a cat", "an owl"."""
        return f"{'an' if self.english[0] in 'aeiou' else 'a'} {self.english}"


# Emoji, English name and plural, Chinese name, measure word; an underscore stands for a space.
_TABLE = """
🐕 dog dogs 狗 只
🐈 cat cats 猫 只
🐎 horse horses 马 匹
🐄 cow cows 奶牛 头
🐖 pig pigs 猪 头
🐑 sheep sheep 绵羊 只
🐐 goat goats 山羊 只
🐪 camel camels 骆驼 头
🐘 elephant elephants 大象 头
🦏 rhino rhinos 犀牛 头
🐁 mouse mice 老鼠 只
🐇 rabbit rabbits 兔子 只
🐿 squirrel squirrels 松鼠 只
🦔 hedgehog hedgehogs 刺猬 只
🦇 bat bats 蝙蝠 只
🐻 bear bears 熊 头
🐼 panda pandas 熊猫 只
🦘 kangaroo kangaroos 袋鼠 只
🐒 monkey monkeys 猴子 只
🦁 lion lions 狮子 头
🐅 tiger tigers 老虎 只
🦓 zebra zebras 斑马 匹
🦒 giraffe giraffes 长颈鹿 只
🦊 fox foxes 狐狸 只
🐓 rooster roosters 公鸡 只
🐧 penguin penguins 企鹅 只
🦆 duck ducks 鸭子 只
🦅 eagle eagles 老鹰 只
🦉 owl owls 猫头鹰 只
🐢 turtle turtles 乌龟 只
🐍 snake snakes 蛇 条
🐊 crocodile crocodiles 鳄鱼 条
🐋 whale whales 鲸鱼 头
🐬 dolphin dolphins 海豚 只
🐟 fish fish 鱼 条
🐙 octopus octopuses 章鱼 只
🦀 crab crabs 螃蟹 只
🐌 snail snails 蜗牛 只
🦋 butterfly butterflies 蝴蝶 只
🐝 bee bees 蜜蜂 只
🐞 ladybug ladybugs 瓢虫 只
🐜 ant ants 蚂蚁 只
🦂 scorpion scorpions 蝎子 只
🍎 apple apples 苹果 个
🍐 pear pears 梨 个
🍊 orange oranges 橙子 个
🍋 lemon lemons 柠檬 个
🍌 banana bananas 香蕉 根
🍉 watermelon watermelons 西瓜 块
🍓 strawberry strawberries 草莓 颗
🍍 pineapple pineapples 菠萝 个
🥥 coconut coconuts 椰子 个
🍅 tomato tomatoes 西红柿 个
🍆 eggplant eggplants 茄子 个
🥕 carrot carrots 胡萝卜 根
🍄 mushroom mushrooms 蘑菇 个
🥜 peanut peanuts 花生 颗
🥐 croissant croissants 牛角包 个
🍔 hamburger hamburgers 汉堡 个
🍕 pizza pizzas 披萨 块
🌭 hot_dog hot_dogs 热狗 个
🥚 egg eggs 鸡蛋 个
🍩 doughnut doughnuts 甜甜圈 个
🍪 cookie cookies 饼干 块
🎂 cake cakes 蛋糕 个
🍭 lollipop lollipops 棒棒糖 根
🥑 avocado avocados 牛油果 个
🚗 car cars 汽车 辆
🚕 taxi taxis 出租车 辆
🚌 bus buses 公交车 辆
🚑 ambulance ambulances 救护车 辆
🚒 fire_engine fire_engines 消防车 辆
🚓 police_car police_cars 警车 辆
🚜 tractor tractors 拖拉机 辆
🚲 bicycle bicycles 自行车 辆
🏍 motorcycle motorcycles 摩托车 辆
🚂 locomotive locomotives 火车头 辆
✈ airplane airplanes 飞机 架
🚁 helicopter helicopters 直升机 架
🚀 rocket rockets 火箭 枚
⛵ sailboat sailboats 帆船 艘
🚢 ship ships 轮船 艘
⚓ anchor anchors 船锚 个
⌚ watch watches 手表 块
📱 phone phones 手机 部
💻 laptop laptops 电脑 台
📷 camera cameras 相机 台
📺 television televisions 电视 台
📻 radio radios 收音机 台
⏰ alarm_clock alarm_clocks 闹钟 个
🔋 battery batteries 电池 节
💡 light_bulb light_bulbs 灯泡 个
🕯 candle candles 蜡烛 根
📕 book books 书 本
✏ pencil pencils 铅笔 支
🔑 key keys 钥匙 把
🔨 hammer hammers 锤子 把
🔧 wrench wrenches 扳手 把
🧲 magnet magnets 磁铁 块
🔔 bell bells 铃铛 个
🥁 drum drums 鼓 个
🎸 guitar guitars 吉他 把
🎺 trumpet trumpets 小号 支
🎹 piano pianos 钢琴 架
⚽ football footballs 足球 个
🏀 basketball basketballs 篮球 个
🎈 balloon balloons 气球 个
🎁 gift gifts 礼物 份
👑 crown crowns 王冠 顶
💍 ring rings 戒指 枚
👔 necktie neckties 领带 条
👗 dress dresses 裙子 条
🎩 hat hats 帽子 顶
🌂 umbrella umbrellas 雨伞 把
🎒 backpack backpacks 书包 个
🪑 chair chairs 椅子 把
🚪 door doors 门 扇
🏠 house houses 房子 座
⛺ tent tents 帐篷 顶
🌵 cactus cactuses 仙人掌 棵
🌲 tree trees 树 棵
🌹 rose roses 玫瑰 朵
🌻 sunflower sunflowers 向日葵 朵
⭐ star stars 星星 颗
🌙 moon moons 月亮 个
⛄ snowman snowmen 雪人 个
💎 gem gems 宝石 颗
🤖 robot robots 机器人 个
🔴 red_circle red_circles 红色圆形 个
🟠 orange_circle orange_circles 橙色圆形 个
🟡 yellow_circle yellow_circles 黄色圆形 个
🟢 green_circle green_circles 绿色圆形 个
🔵 blue_circle blue_circles 蓝色圆形 个
🟣 purple_circle purple_circles 紫色圆形 个
🟤 brown_circle brown_circles 棕色圆形 个
⚫ black_circle black_circles 黑色圆形 个
🟥 red_square red_squares 红色方块 个
🟧 orange_square orange_squares 橙色方块 个
🟨 yellow_square yellow_squares 黄色方块 个
🟩 green_square green_squares 绿色方块 个
🟦 blue_square blue_squares 蓝色方块 个
🟪 purple_square purple_squares 紫色方块 个
🟫 brown_square brown_squares 棕色方块 个
⬛ black_square black_squares 黑色方块 个
❤ red_heart red_hearts 红色爱心 颗
🧡 orange_heart orange_hearts 橙色爱心 颗
💛 yellow_heart yellow_hearts 黄色爱心 颗
💚 green_heart green_hearts 绿色爱心 颗
💙 blue_heart blue_hearts 蓝色爱心 颗
💜 purple_heart purple_hearts 紫色爱心 颗
🤎 brown_heart brown_hearts 棕色爱心 颗
🖤 black_heart black_hearts 黑色爱心 颗
"""


def _things() -> tuple[Thing, ...]:
    rows = (line.split() for line in _TABLE.strip().splitlines())
    return tuple(Thing(*(cell.replace("_", " ") for cell in row)) for row in rows)


THINGS = _things()
