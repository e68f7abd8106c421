"""Headlines in English, Chinese and German, with a drawing of their object (notebook 62).

A small parallel corpus that the course makes from tables: who, does what, when, and to what. Some English
objects have two or three meanings, which Chinese or German tells apart; each meaning has its own emoji. The
drawings are those of :mod:`mmcourse.data.emoji`, by two artists. See ``book/datasheets/headlines.md``.
"""

import functools
from dataclasses import dataclass

import numpy as np

LANGUAGES = ("Chinese", "German")
COMMON = 3  # a word's first meaning is so many times as frequent in training as each other one
TONES = ("", "\U0001f3fb", "\U0001f3fd", "\U0001f3ff")

# English word, its Chinese and German word for one meaning, and the emoji that show it. The meanings of one
# word stand in neighbouring rows, the common one first. German words are in the accusative.
_AMBIGUOUS = """
mouse 鼠标 Maus 🖱️
mouse 老鼠 Maus 🐁 🐭
bat 蝙蝠 Fledermaus 🦇
bat 球拍 Schläger 🏓 🏏
bow 弓 Bogen 🏹
bow 蝴蝶结 Schleife 🎀
palm 棕榈树 Palme 🌴
palm 手掌 Handfläche ✋ 🤚
glasses 眼镜 Brille 👓
glasses 酒杯 Gläser 🥂
key 钥匙 Schlüssel 🔑 🗝️
key 按键 Taste 3️⃣ 5️⃣ 8️⃣
diamond 钻石 Diamanten 💎
diamond 方块 Karo ♦️
plant 植物 Pflanze 🪴 🌿
plant 工厂 Fabrik 🏭
nut 坚果 Nuss 🌰
nut 螺母 Schraubenmutter 🔩
bolt 闪电 Blitz ⚡
bolt 螺栓 Schraube 🔩
letter 信 Brief ✉️ 💌
letter 字母 Buchstaben 🅰️ 🅱️
note 音符 Note 🎵
note 便条 Notiz 📝
note 钞票 Geldschein 💵 💶
mask 口罩 Maske 😷
mask 面具 Maske 🎭
football 足球 Fußball ⚽
football 橄榄球 Football 🏈
camera 照相机 Kamera 📷 📸
camera 摄影机 Kamera 🎥
rice 米饭 Reis 🍚
rice 稻子 Reis 🌾
scooter 滑板车 Roller 🛴
scooter 踏板摩托车 Roller 🛵
bike 自行车 Fahrrad 🚲
bike 摩托车 Motorrad 🏍️
skates 冰鞋 Schlittschuhe ⛸️
skates 旱冰鞋 Rollschuhe 🛼
phone 手机 Handy 📱
phone 电话 Telefon ☎️
pepper 甜椒 Paprika 🫑
pepper 辣椒 Chilischote 🌶️
brush 画笔 Pinsel 🖌️
brush 牙刷 Zahnbürste 🪥
pin 图钉 Reißzwecke 📌
pin 别针 Sicherheitsnadel 🧷
dish 盘子 Teller 🍽️
dish 卫星天线 Satellitenschüssel 📡
card 信用卡 Karte 💳
card 纸牌 Karte 🃏
"""
# English word, Chinese word, German words for a man and for a woman, and the emoji of both.
_PEOPLE = """
teacher 老师 Lehrer Lehrerin 👨‍🏫 👩‍🏫
singer 歌手 Sänger Sängerin 👨‍🎤 👩‍🎤
judge 法官 Richter Richterin 👨‍⚖️ 👩‍⚖️
cook 厨师 Koch Köchin 👨‍🍳 👩‍🍳
artist 艺术家 Künstler Künstlerin 👨‍🎨 👩‍🎨
mechanic 技工 Mechaniker Mechanikerin 👨‍🔧 👩‍🔧
scientist 科学家 Wissenschaftler Wissenschaftlerin 👨‍🔬 👩‍🔬
doctor 医生 Arzt Ärztin 👨‍⚕️ 👩‍⚕️
worker 工人 Arbeiter Arbeiterin 👨‍🏭 👩‍🏭
firefighter 消防员 Feuerwehrmann Feuerwehrfrau 👨‍🚒 👩‍🚒
"""
_PLAIN = """
dog 狗 Hund 🐕
cat 猫 Katze 🐈
horse 马 Pferd 🐎
pig 猪 Schwein 🐖
camel 骆驼 Kamel 🐪
rabbit 兔子 Kaninchen 🐇
squirrel 松鼠 Eichhörnchen 🐿️
owl 猫头鹰 Eule 🦉
snake 蛇 Schlange 🐍
butterfly 蝴蝶 Schmetterling 🦋
apple 苹果 Apfel 🍎
pear 梨 Birne 🍐
lemon 柠檬 Zitrone 🍋
banana 香蕉 Banane 🍌
carrot 胡萝卜 Karotte 🥕
egg 鸡蛋 Ei 🥚
cake 蛋糕 Torte 🎂
car 汽车 Auto 🚗
tractor 拖拉机 Traktor 🚜
rocket 火箭 Rakete 🚀
ship 轮船 Schiff 🚢
guitar 吉他 Gitarre 🎸
trumpet 小号 Trompete 🎺
piano 钢琴 Klavier 🎹
umbrella 雨伞 Regenschirm 🌂
chair 椅子 Stuhl 🪑
tent 帐篷 Zelt ⛺
rose 玫瑰 Rose 🌹
sunflower 向日葵 Sonnenblume 🌻
cactus 仙人掌 Kaktus 🌵
hammer 锤子 Hammer 🔨
candle 蜡烛 Kerze 🕯️
crown 王冠 Krone 👑
hat 帽子 Hut 🎩
"""
AGENTS = (
    ("Museum", "博物馆", "Museum"),
    ("School", "学校", "Schule"),
    ("Hotel", "酒店", "Hotel"),
    ("University", "大学", "Universität"),
    ("Hospital", "医院", "Krankenhaus"),
    ("Theatre", "剧院", "Theater"),
    ("Family", "一家人", "Familie"),
    ("Orchestra", "乐团", "Orchester"),
)
VERBS = (
    ("seeks", "寻找", "sucht"),
    ("finds", "找到", "findet"),
    ("shows", "展示", "zeigt"),
    ("photographs", "拍摄", "fotografiert"),
    ("awaits", "等待", "erwartet"),
    ("praises", "称赞", "lobt"),
    ("protects", "保护", "schützt"),
    ("mentions", "提到", "erwähnt"),
)
# Verbs that fit one meaning only, with the Chinese words that they may stand before.
TELLING = {
    ("feeds", "喂养", "füttert"): "老鼠 蝙蝠 狗 猫 马 猪 兔子",
    ("waters", "浇灌", "gießt"): "植物 棕榈树 玫瑰 向日葵 仙人掌",
    ("builds", "建造", "baut"): "工厂 火箭 轮船",
    ("eats", "吃", "isst"): "坚果 米饭 苹果 香蕉 蛋糕",
    ("harvests", "收获", "erntet"): "稻子 梨 胡萝卜",
    ("oils", "润滑", "ölt"): "螺母 螺栓 拖拉机",
    ("plays", "演奏", "spielt"): "音符 吉他 小号 钢琴",
    ("reads", "读", "liest"): "便条 信",
    ("wears", "戴", "trägt"): "眼镜 蝴蝶结 帽子 王冠",
}
TIMES = (
    ("", "", ""),
    ("today", "今天", "heute"),
    ("again", "再次", "wieder"),
    ("at last", "终于", "endlich"),
)


@dataclass(frozen=True)
class Meaning:
    """What an English word may mean.

    Attributes:
        english: the word.
        words: language (of :data:`LANGUAGES`) -> the word there.
        emoji: those that show it.
        weight: how often it is drawn for training, relative to others.
    """

    english: str
    words: dict[str, str]
    emoji: tuple[str, ...]
    weight: int = 1


@dataclass(frozen=True)
class Frame:
    """A headline without its object: who, does what, when; each in English, Chinese and German."""

    agent: tuple[str, str, str]
    verb: tuple[str, str, str]
    time: tuple[str, str, str]

    @property
    def telling(self) -> bool:
        """Whether the verb fits one meaning of a word only."""
        return self.verb in TELLING


@dataclass(frozen=True)
class Headline:
    """One headline: a frame, and the meaning of its object."""

    frame: Frame
    meaning: Meaning

    @property
    def english(self) -> str:
        """What is to be translated: "Museum shows bat today"."""
        agent, verb, time = (part[0] for part in (self.frame.agent, self.frame.verb, self.frame.time))
        return " ".join(filter(None, (agent, verb, self.meaning.english, time)))

    def translation(self, language: str, meaning: Meaning | None = None) -> str:
        """The headline in Chinese or German.

        Args:
            language: of :data:`LANGUAGES`.
            meaning: of the object; by default the true one.

        Raises:
            ValueError: an unknown language.
        """
        check_language(language)
        agent, verb, time = (
            part[1 + LANGUAGES.index(language)]
            for part in (self.frame.agent, self.frame.verb, self.frame.time)
        )
        what = (meaning or self.meaning).words[language]
        if language == "Chinese":
            return agent + time + verb + what
        return " ".join(filter(None, (agent, verb, time, what)))

    @property
    def possible(self) -> tuple[Meaning, ...]:
        """The meanings that the English headline allows: all of the word, or those that the verb fits."""
        same = meanings_of(self.meaning.english)
        return tuple(one for one in same if fits(one, self.frame)) if self.frame.telling else same

    def is_open(self, language: str) -> bool:
        """Whether the English headline leaves the translation open: two meanings, two different words.

        Raises:
            ValueError: an unknown language.
        """
        check_language(language)
        return len({meaning.words[language] for meaning in self.possible}) > 1


def check_language(language: str) -> None:
    """Raise ValueError unless the headlines exist in that language."""
    if language not in LANGUAGES:
        raise ValueError(f"unknown language {language!r}; expected one of: {', '.join(LANGUAGES)}")


def fits(meaning: Meaning, frame: Frame) -> bool:
    """Whether the verb may have this object."""
    return not frame.telling or meaning.words["Chinese"] in TELLING[frame.verb].split()


@functools.cache
def meanings() -> tuple[Meaning, ...]:
    """All meanings: of ambiguous words, of people (a man or a woman), and of words that have only one."""
    found, known = [], set()
    for line in _AMBIGUOUS.strip().splitlines():
        english, chinese, german, *shown = line.split()
        weight = 1 if english in known else COMMON
        known.add(english)
        found.append(
            Meaning(english, dict(zip(LANGUAGES, (chinese, german), strict=True)), tuple(shown), weight)
        )
    for line in _PEOPLE.strip().splitlines():
        english, chinese, *pairs = line.split()
        for german, shown, weight in zip(pairs[:2], pairs[2:], (2 * COMMON, 2), strict=True):
            toned = tuple(shown[0] + tone + shown[1:] for tone in TONES)
            words = dict(zip(LANGUAGES, (chinese, german), strict=True))
            found.append(Meaning(english, words, toned, weight))
    for line in _PLAIN.strip().splitlines():
        english, chinese, german, *shown = line.split()
        found.append(Meaning(english, dict(zip(LANGUAGES, (chinese, german), strict=True)), tuple(shown)))
    return tuple(found)


@functools.cache
def meanings_of(english: str) -> tuple[Meaning, ...]:
    """The meanings of an English word, the common one first; none if the corpus does not have it."""
    return tuple(meaning for meaning in meanings() if meaning.english == english)


@functools.cache
def frames(split: str) -> tuple[Frame, ...]:
    """The frames of a split. "test" holds pairs of agent and verb that never stand together in "train".

    One general pair in eight is held out, and of the telling verbs one in four; each agent and each verb
    occurs in training.

    Raises:
        ValueError: an unknown split.
    """
    if split not in ("train", "test"):
        raise ValueError(f"split must be 'train' or 'test', got {split!r}")
    found = []
    for verbs, every in ((VERBS, 8), (tuple(TELLING), 4)):
        for row, agent in enumerate(AGENTS):
            for column, verb in enumerate(verbs):
                if ((row + column) % every == 3) == (split == "test"):
                    found += [Frame(agent, verb, time) for time in TIMES]
    return tuple(found)


@functools.cache
def test_headlines(each: int = 4) -> tuple[Headline, ...]:
    """Headlines in frames that no training headline has: ``each`` for each meaning with general verbs, and as
    many for each meaning and telling verb that fits it.

    Raises:
        ValueError: ``each`` is not from 1 to 32.
    """
    if not 1 <= each <= 32:
        raise ValueError(f"each must be 1 to 32, got {each}")
    random = np.random.default_rng(62)
    by_verb: dict[tuple, list[Frame]] = {}
    for frame in frames("test"):
        by_verb.setdefault(frame.verb if frame.telling else (), []).append(frame)
    found = []
    for meaning in meanings():
        for choices in by_verb.values():
            if fits(meaning, choices[0]):
                rows = random.choice(len(choices), size=min(each, len(choices)), replace=False)
                found += [Headline(choices[row], meaning) for row in rows]
    return tuple(found)


def drawings() -> tuple[str, ...]:
    """The emoji of all meanings, each once, in the order of :func:`meanings`."""
    return tuple(dict.fromkeys(one for meaning in meanings() for one in meaning.emoji))


def statistics() -> dict[str, int]:
    """Figures of the set for its datasheet: label -> number."""
    by_word: dict[str, list[Meaning]] = {}
    for meaning in meanings():
        by_word.setdefault(meaning.english, []).append(meaning)
    several = [same for same in by_word.values() if len(same) > 1]
    figures = {
        "English words": len(by_word),
        "meanings": len(meanings()),
        "words with several meanings": len(several),
    }
    for language in LANGUAGES:
        open_words = sum(len({one.words[language] for one in same}) > 1 for same in several)
        figures[f"of these, told apart in {language}"] = open_words
    figures["emoji"] = len(drawings())
    for split in ("train", "test"):
        figures[f"frames in the split '{split}'"] = len(frames(split))
    return figures
