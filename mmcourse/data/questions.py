"""Questions about scenes and their answers, in English and Chinese (notebook 53).

Eight tasks, each with several wordings in each language. A wording that stands behind the first
:data:`KNOWN` of its list is never trained with. Its words are all known from other wordings.
"""

import functools
from dataclasses import dataclass

import numpy as np

from mmcourse.data import emoji
from mmcourse.data.scenes import GRID, PLACE_NAMES, Scene
from mmcourse.data.things import THINGS

LANGUAGES = ("en", "zh")
TASKS = ("describe", "name", "name_in", "count", "exist", "at", "left_of", "where")
NUMBERS = {
    "en": ("none", "one", "two", "three", "four"),
    "zh": ("没有", "一", "两", "三", "四"),
}
YES_NO = {"en": ("yes", "no"), "zh": ("有", "没有")}
_IN_CHINESE = "英语 中文 西班牙语 日语 韩语 葡萄牙语 意大利语 法语 德语 波斯语 印尼语 俄语 土耳其语 阿拉伯语"
CHINESE_LANGUAGES = dict(zip(emoji.LANGUAGES, _IN_CHINESE.split(), strict=True))
# {thing}: its name; {things}: the plural; {measure}: the measure word; {place}, {language}: their names.
WORDINGS = {
    "en": {
        "describe": (
            "describe the picture",
            "what do you see",
            "what is in the picture",
            "tell me what you see",
            "what can you see in the picture",
            "describe what is there",
            "tell me what is there",
            "what is there",
            "what is in this picture",
            "describe what you can see",
            "describe this picture",
            "describe what is in the picture",
            "tell me what you see in the picture",
            "tell me what you can see",
            # held out
            "describe what you see",
            "tell me what is in the picture",
        ),
        "name": (
            "what is this",
            "name this thing",
            "what do you call this",
            "tell me the name of this",
            # held out
            "what is the name of this thing",
        ),
        "name_in": (
            "name this in {language}",
            "what is this in {language}",
            "how do you say this in {language}",
            # held out
            "what do you call this in {language}",
        ),
        "count": (
            "how many {things}",
            "how many {things} are there",
            "how many {things} do you see",
            "count the {things}",
            "tell me how many {things} there are",
            "count the {things} in the picture",
            "how many {things} can you see",
            # held out
            "how many {things} are in the picture",
        ),
        "exist": (
            "is there {a_thing}",
            "is there {a_thing} in the picture",
            "do you see {a_thing}",
            "can you see {a_thing}",
            "is {a_thing} there",
            # held out
            "can you see {a_thing} in the picture",
        ),
        "at": (
            "what is at the {place}",
            "what do you see at the {place}",
            "name the thing at the {place}",
            "which thing is at the {place}",
            "tell me what you see at the {place}",
            # held out
            "tell me what is at the {place}",
        ),
        "left_of": (
            "what is left of the {thing}",
            "what is to the left of the {thing}",
            "which thing is left of the {thing}",
            "name the thing to the left of the {thing}",
            # held out
            "tell me what is left of the {thing}",
        ),
        "where": (
            "{thing}",
            "where is the {thing}",
            "where do you see the {thing}",
            "tell me where the {thing} is",
            "at which place is the {thing}",
            # held out
            "where can you see the {thing}",
        ),
    },
    "zh": {
        "describe": (
            "描述这张图",
            "你看到了什么",
            "图里有什么",
            "说说你看到了什么",
            "这张图里有什么",
            "请描述图里的东西",
            "请说说你看到了什么",
            "说说图里的东西",
            "请描述这张图里的东西",
            "描述图里有什么",
            "请描述这张图",
            "说说这张图",
            "描述你看到了什么",
            "说说你看到的东西",
            # held out
            "描述你看到的东西",
            "请说说这张图里有什么",
        ),
        "name": (
            "这是什么",
            "说出它的名字",
            "这个东西叫什么",
            "请说说这是什么",
            # held out
            "它叫什么名字",
        ),
        "name_in": (
            "用{language}说出它的名字",
            "用{language}怎么说",
            "这个东西用{language}叫什么",
            # held out
            "这用{language}怎么说",
        ),
        "count": (
            "有几{measure}{thing}",
            "图里有几{measure}{thing}",
            "你看到了几{measure}{thing}",
            "数一数有几{measure}{thing}",
            "请说说有几{measure}{thing}",
            "这里有几{measure}{thing}",
            "数一数图里有几{measure}{thing}",
            # held out
            "这张图里有几{measure}{thing}",
        ),
        "exist": (
            "有{thing}吗",
            "图里有{thing}吗",
            "你看到{thing}了吗",
            "这里有没有{thing}",
            "有没有{thing}",
            # held out
            "图里有没有{thing}",
        ),
        "at": (
            "{place}是什么",
            "{place}有什么",
            "你看到{place}有什么",
            "说出{place}的东西",
            "请说说{place}有什么",
            # held out
            "请说说{place}是什么",
        ),
        "left_of": (
            "{thing}的左边是什么",
            "{thing}的左边有什么",
            "什么东西在{thing}的左边",
            "说出{thing}左边的东西",
            # held out
            "请说说{thing}的左边是什么",
        ),
        "where": (
            "{thing}",
            "{thing}在哪里",
            "你看到{thing}在哪里",
            "请说说{thing}在哪里",
            "{thing}在什么地方",
            # held out
            "请说说{thing}在什么地方",
        ),
    },
}
KNOWN = {
    "describe": 14,
    "name": 4,
    "name_in": 3,
    "count": 7,
    "exist": 5,
    "at": 5,
    "left_of": 4,
    "where": 5,
}


@dataclass(frozen=True)
class Question:
    """A prompt, its true answer, and what is needed to judge a guess.

    Attributes:
        task: one of :data:`TASKS`.
        language: that of the prompt, "en" or "zh".
        prompt, answer: texts.
        guesses: the answers that fit a random thing or place of the scene: what somebody who sees the scene
            and does not understand the question would say.
        thing, place, into: what is asked about: number of a thing, of a place, code of a language.
    """

    task: str
    language: str
    prompt: str
    answer: str
    guesses: tuple[str, ...] = ()
    thing: int | None = None
    place: int | None = None
    into: str = ""

    def about(self, scene: Scene) -> str:
        """The answer if the scene were this one; "" where it has none."""
        return answer_of(scene, self.task, self.language, self.thing, self.place, self.into)


def answer_of(
    scene: Scene,
    task: str,
    language: str,
    thing: int | None = None,
    place: int | None = None,
    into: str = "",
) -> str:
    """The true answer to a question about a scene, or "" where it has none.

    Args:
        thing, place, into: as in :class:`Question`, for the tasks that need them.
    """
    if task in ("name", "name_in"):
        return name_of(scene.things[0], into or language)
    if task == "describe":
        return description(scene, language)
    if task == "at":
        found = scene.at(place)
        return "" if found is None else number_of(found, 1, language)
    count = scene.counts.get(thing, 0)
    if task == "exist":
        return YES_NO[language][not count]
    if task == "count":
        return count_answer(thing, count, language) if count < len(NUMBERS[language]) else ""
    if task == "where":
        return PLACE_NAMES[language][scene.places[scene.things.index(thing)]] if count else ""
    neighbour = left_neighbours(scene).get(thing)
    return "" if neighbour is None else number_of(neighbour, 1, language)


def number_of(thing: int, count: int, language: str) -> str:
    """ "a cat", "two cats"; "一只猫", "两只猫"."""
    own = THINGS[thing]
    if language == "zh":
        return f"{NUMBERS['zh'][count]}{own.measure}{own.chinese}"
    return own.article if count == 1 else f"{NUMBERS['en'][count]} {own.plural}"


def name_of(thing: int, language: str) -> str:
    """The thing's name in one of fourteen languages."""
    if language == "en":
        return THINGS[thing].english
    if language == "zh":
        return THINGS[thing].chinese
    return _cldr_names(language)[thing]


@functools.cache
def _cldr_names(language: str) -> tuple[str, ...]:
    by_text = {
        entry.text.replace(emoji.PICTURE_STYLE, ""): entry.names[language] for entry in emoji.load_entries()
    }
    return tuple(by_text[thing.text] for thing in THINGS)


def description(scene: Scene, language: str) -> str:
    """All things of a scene, row by row from the top left, each named once with its number."""
    order = sorted(zip(scene.places, scene.things, strict=True))
    counts: dict[int, int] = {}
    for _, thing in order:
        counts[thing] = counts.get(thing, 0) + 1
    parts = [number_of(thing, count, language) for thing, count in counts.items()]
    if len(parts) == 1:
        return parts[0]
    if language == "zh":
        return "、".join(parts[:-1]) + "和" + parts[-1]
    return " , ".join(parts[:-1]) + " and " + parts[-1]


def wording(
    task: str, language: str, number: int, thing: int | None = None, place: str = "", into: str = ""
) -> str:
    """A prompt: the wording of that number, with names in place of its fields; ``into`` is a language's."""
    fields = {"place": place, "language": into}
    if thing is not None:
        own = THINGS[thing]
        fields |= (
            {"thing": own.english, "things": own.plural, "a_thing": own.article}
            if language == "en"
            else {"thing": own.chinese, "measure": own.measure}
        )
    return WORDINGS[language][task][number].format(**fields)


def count_answer(thing: int, count: int, language: str) -> str:
    """ "two"; "两只"; "none"; "没有"."""
    number = NUMBERS[language][count]
    return number + THINGS[thing].measure if language == "zh" and count else number


def left_neighbours(scene: Scene) -> dict[int, int]:
    """Thing -> the thing right beside it on its left, for things that stand alone and have one."""
    found = {}
    for thing, count in scene.counts.items():
        place = scene.places[scene.things.index(thing)]
        if count == 1 and place % GRID:
            neighbour = scene.at(place - 1)
            if neighbour is not None and neighbour != thing:
                found[thing] = neighbour
    return found


def ask(
    scene: Scene,
    task: str,
    language: str,
    random: np.random.Generator,
    unseen_wording: bool = False,
    number: int | None = None,
) -> Question | None:
    """A question of a task about a scene, or None where the scene does not fit the task.

    Tasks that name a thing or a place are asked only of scenes in which a random thing or place of the scene
    is a good answer in at most half of the cases.

    Args:
        unseen_wording: whether to ask with a wording that is held out.
        number: of the wording; drawn by default.
    """
    known, all_of = KNOWN[task], len(WORDINGS[language][task])
    if number is None:
        number = int(random.integers(known, all_of) if unseen_wording else random.integers(known))
    kinds = list(scene.counts)
    thing: int | None = None
    place: int | None = None
    into, guesses = "", ()
    if scene.portrait != (task in ("name", "name_in")):
        return None
    if task == "name_in":
        into = list(emoji.LANGUAGES)[int(random.integers(len(emoji.LANGUAGES)))]
    elif task not in ("name", "describe"):
        asked = _ask_about(scene, task, language, random, kinds)
        if asked is None:
            return None
        thing, place, guesses = asked
    said = (emoji.LANGUAGES if language == "en" else CHINESE_LANGUAGES).get(into, "")
    where = "" if place is None else PLACE_NAMES[language][place]
    prompt = wording(task, language, number, thing, where, said)
    answer = answer_of(scene, task, language, thing, place, into)
    return Question(task, language, prompt, answer, guesses, thing, place, into)


def _ask_about(
    scene: Scene, task: str, language: str, random: np.random.Generator, kinds: list[int]
) -> tuple[int | None, int | None, tuple[str, ...]] | None:
    """A thing or a place to ask about, and what a guesser would say; None where the scene does not fit."""
    counts = scene.counts
    if len(kinds) < 2:
        return None
    if task == "at":
        place = scene.places[int(random.integers(len(scene.places)))]
        return None, place, tuple(number_of(thing, 1, language) for thing in kinds)
    if task == "left_of":
        pairs = list(left_neighbours(scene))
        if not pairs or len(kinds) < 3:
            return None
        thing = pairs[int(random.integers(len(pairs)))]
        return thing, None, tuple(number_of(other, 1, language) for other in kinds if other != thing)
    if task == "where":
        single = [thing for thing in kinds if counts[thing] == 1]
        if not single:
            return None
        thing = single[int(random.integers(len(single)))]
        return thing, None, tuple(PLACE_NAMES[language][place] for place in scene.places)
    if task == "count" and len(set(counts.values())) < 2:
        return None
    absent = random.random() < (0.5 if task == "exist" else 0.25)
    if absent:
        thing = int(random.integers(len(THINGS)))
        while thing in counts:
            thing = int(random.integers(len(THINGS)))
    else:
        thing = kinds[int(random.integers(len(kinds)))]
    if task == "exist":
        return thing, None, YES_NO[language]
    # The numbers of the scene's things and none, each once.
    numbers = sorted({*counts.values(), 0})
    return thing, None, tuple(count_answer(thing, count, language) for count in numbers)


def every_text() -> list[str]:
    """All words that questions and answers may hold, as texts to make a vocabulary from."""
    texts = [*PLACE_NAMES["en"], *PLACE_NAMES["zh"], *NUMBERS["en"], *NUMBERS["zh"], "、和", ", and"]
    texts += [text for pair in YES_NO.values() for text in pair]
    texts += [*emoji.LANGUAGES.values(), *CHINESE_LANGUAGES.values()]
    for thing, own in enumerate(THINGS):
        texts += [own.article, own.plural, own.measure]
        texts += [name_of(thing, language) for language in emoji.LANGUAGES]
    for language in LANGUAGES:
        for wordings in WORDINGS[language].values():
            for template in wordings:
                texts.append(
                    template.format(thing="", things="", a_thing="", measure="", place="", language="")
                )
    return texts
