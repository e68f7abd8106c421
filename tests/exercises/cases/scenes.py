"""Right and wrong answers to the exercises of the notebook on scenes."""

import numpy as np

from mmcourse.generator.packing import pack, packed_mask


def look_up(seen, where, name, strength, scale=True, shift=True):
    scores = strength**2 * (seen @ name)
    if scale:
        scores = scores / np.sqrt(len(name))
    weights = np.exp(scores - scores.max() * shift)
    return weights @ where / weights.sum()


def packed(image, rows):
    total = image + sum(map(sum, rows))
    mask = np.zeros((total, total), bool)
    owner, prompt, column = [0] * image, [True] * image, image
    for number, (asked, answered) in enumerate(rows, start=1):
        owner += [number] * (asked + answered)
        prompt += [True] * asked + [False] * answered
        column += asked + answered
    for one in range(total):
        for other in range(total):
            if owner[other] == 0:
                mask[one, other] = True
            elif owner[one] == owner[other] and one != other:
                mask[one, other] = prompt[other] or other < one
    return mask


def packed_by_package(image, rows):
    """A row of ``pack`` holds a start token for each answer, as its first."""
    inputs, _ = pack([[([1] * p, [1] * (a - 1)) for p, a in rows]], max(1, sum(map(sum, rows))), 99, 99)
    is_prompt, question = inputs["position"] < 99, inputs["question"]
    mask = packed_mask(np.ones((1, image), bool), is_prompt, question, itself=False)
    total = image + sum(map(sum, rows))
    return np.asarray(mask)[0, 0, :total, :total]


FIVE = {"top left": "cat", "top right": "dog", "middle": "apple", "middle left": "owl", "bottom left": "bus"}
FOUR = {place: thing for place, thing in FIVE.items() if place != "middle"}
TOO_MANY = {
    "scene": FIVE,
    "prompt": "what do you see",
    "answer": "a cat , a dog , an owl and a bus",
    "cause": "too many",
    "scene then": FOUR,
    "prompt then": "what do you see",
    "answer then": "a cat , a dog , an owl and a bus",
}
ALIKE = {
    "scene": {"top left": "tomato", "middle": "cat"},
    "prompt": "What is at the top left?",
    "answer": "an apple",
    "cause": "look-alike",
    "scene then": {"top left": "bus", "middle": "cat"},
    "prompt then": "what is at the top left",
    "answer then": "a bus",
}
WORDING = {
    "scene": {"top left": "cat", "middle": "dog"},
    "prompt": "请说说猫在什么地方？",
    "answer": "正中",
    "cause": "wording",
    "scene then": {"top left": "cat", "middle": "dog"},
    "prompt then": "猫在哪里",
    "answer then": "左上",
}
COUNT = {
    "scene": {"top left": "LACKS", "middle": "LACKS", "top right": "cat"},
    "prompt": "",
    "answer": "three",
    "cause": "count never seen",
    "scene then": {"top left": "LACKS", "top right": "cat"},
    "prompt then": "",
    "answer then": "one",
}


def count_never_seen():
    from mmcourse.data import scenes
    from mmcourse.data.things import THINGS

    lacking = scenes.held_out()[1]
    thing = next(THINGS[i] for i in np.flatnonzero(lacking == 2) if THINGS[i].english != "cat")
    prompt = f"how many {thing.plural} are there"
    found = {**COUNT, "prompt": prompt, "prompt then": prompt}
    for name in ("scene", "scene then"):
        found[name] = {p: thing.english if t == "LACKS" else t for p, t in COUNT[name].items()}
    return found


def pair_never_seen():
    from mmcourse.data import scenes
    from mmcourse.data.things import THINGS

    pairs = scenes.held_out()[0]
    one, other = map(int, np.argwhere(pairs)[0])
    third = next(i for i in range(len(THINGS)) if not pairs[one, i] and i not in (one, other))
    first, second, instead = (THINGS[i] for i in (one, other, third))
    return {
        "scene": {"top left": first.english, "bottom right": second.english},
        "prompt": "describe the picture",
        "answer": first.article,
        "cause": "pair never seen",
        "scene then": {"top left": first.english, "bottom right": instead.english},
        "prompt then": "describe the picture",
        "answer then": f"{first.article} and {instead.article}",
    }


PAINT = {
    "scene": {"top left": "cat", "top right": "cat", "middle": "apple"},
    "painted": "top left",
    "prompts": ["how many cats", "where is the apple", "is there a cat", "图里有什么"],
    "predicted": ["one", "middle", "yes", "一只猫和一个苹果"],
    "answered": ["one", "middle", "yes", "两只猫和一个苹果"],
    "hits": 3,
}


def paint(**changed):
    return lambda: PAINT | changed


def wrong(base, **changed):
    return lambda: base | {name.replace("_", " "): value for name, value in changed.items()}


RIGHT = {
    "scenes-look-up": {
        "softmax": look_up,
        "a list": lambda *arguments: look_up(*arguments).tolist(),
        "strength on both": lambda seen, where, name, strength: look_up(
            strength * seen, where, strength * name, 1.0
        ),
    },
    "scenes-packed": {"pair by pair": packed, "of the package": packed_by_package},
    "scenes-wrong": {
        "too many": lambda: TOO_MANY,
        "look-alike": lambda: ALIKE,
        "wording": lambda: WORDING,
        "count": count_never_seen,
        "pair": pair_never_seen,
    },
    "scenes-paint": {
        "three of four": paint(),
        "capitals and a full stop": paint(predicted=["One.", "Middle", "Yes", "一只猫和一个苹果。"]),
        "commas": paint(
            scene={"top left": "cat", "top right": "dog", "middle": "apple", "bottom left": "bus"},
            prompts=["what do you see", "is there a cat", "is there a dog", "where is the dog"],
            predicted=["a dog, an apple and a bus", "no", "yes", "top right"],
            answered=["a dog , an apple and a bus", "no", "yes", "top left"],
        ),
    },
}

WRONG = {
    "scenes-look-up": {
        "not scaled": lambda *arguments: look_up(*arguments, scale=False),
        "overflow": lambda *arguments: look_up(*arguments, shift=False),
        "strength once": lambda s, w, n, strength: look_up(s, w, n, np.sqrt(strength)),
        "nearest only": lambda seen, where, name, strength: where[(seen @ name).argmax()],
        "weights": lambda seen, where, name, strength: look_up(seen, np.eye(len(seen)), name, strength),
    },
    "scenes-packed": {
        "with themselves": lambda image, rows: (
            packed(image, rows) | np.eye(len(packed(image, rows)), dtype=bool)
        ),
        "the image without itself": lambda image, rows: (
            packed(image, rows) & ~np.eye(len(packed(image, rows)), dtype=bool)
        ),
        "transposed": lambda image, rows: packed(image, rows).T,
        "numbers": lambda image, rows: packed(image, rows).astype(int),
        "one question": lambda image, rows: (
            packed(image, [tuple(map(sum, zip(*rows, strict=True)))]) if rows else packed(image, rows)
        ),
        "causal": lambda image, rows: np.tril(packed(image, rows)),
    },
    "scenes-wrong": {
        "right answer": wrong(TOO_MANY, answer="a cat, a dog, an owl, an apple and a bus"),
        "no such cause": wrong(TOO_MANY, cause="bad luck"),
        "not too many": wrong(TOO_MANY, scene=FOUR, answer="a cat"),
        "still too many": wrong(TOO_MANY, scene_then=FIVE),
        "still wrong": wrong(TOO_MANY, answer_then="a cat and a dog"),
        "other things": wrong(TOO_MANY, scene_then={"top left": "bus"}, answer_then="a bus"),
        "another thing counted": wrong(
            TOO_MANY, prompt="how many cats", answer="three", prompt_then="how many owls", answer_then="one"
        ),
        "another place": wrong(
            TOO_MANY,
            prompt="what is at the top right",
            answer="a cat",
            prompt_then="what is at the top left",
            answer_then="a cat",
        ),
        "not alike": wrong(ALIKE, answer="a cat"),
        "another cause": wrong(ALIKE, cause="wording"),
        "two things replaced": wrong(ALIKE, scene_then={"top left": "bus", "middle": "dog"}),
        "another task": wrong(ALIKE, prompt_then="where is the bus", answer_then="top left"),
        "another scene": wrong(WORDING, scene_then={"top left": "cat"}),
        "no known prompt": wrong(WORDING, prompt="Would you mind telling me where the cat is?"),
        "no answer": wrong(WORDING, prompt="请说说公交车在什么地方"),
        "unknown thing": wrong(ALIKE, scene={"top left": "unicorn"}),
        "count was seen": wrong(COUNT, scene={"top left": "cat"}, prompt="how many cats", answer="two"),
        "no dictionary": lambda: "it gets everything wrong",
        "entries": lambda: {"scene": FIVE, "prompt": "what do you see"},
    },
    "scenes-paint": {
        "before the painting": paint(predicted=["two", "middle", "yes", "两只猫和一个苹果"]),
        "wrong hits": paint(hits=4),
        "too few": paint(prompts=["how many cats"], predicted=["one"], answered=["one"], hits=1),
        "nothing changes": paint(
            prompts=["where is the apple", "is there a cat", "is there an apple", "苹果在哪里"],
            predicted=["middle", "yes", "yes", "正中"],
            answered=["middle", "yes", "yes", "正中"],
            hits=4,
        ),
        "everything changes": paint(
            prompts=["how many cats"] * 4, predicted=["one"] * 4, answered=["one"] * 4, hits=4
        ),
        "an empty place": paint(painted="bottom left"),
        "nobody there": paint(prompts=["what is at the top left", *PAINT["prompts"][1:]]),
        "lists of two lengths": paint(answered=["one"]),
        "a number": lambda: 3,
    },
}
