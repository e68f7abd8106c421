"""Checkers of the notebook on scenes: a model that looks, reads and answers."""

import functools
import numbers
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from mmcourse.data import questions, scenes
from mmcourse.data.things import THINGS
from mmcourse.exercises.verdict import WrongAnswer, call, require

CAUSES = ("look-alike", "too many", "pair never seen", "count never seen", "wording")
MOST = max(sum(pattern) for pattern in scenes.PATTERNS)  # items of a training scene
LEAST_PROMPTS = 4


class Asked(NamedTuple):
    """What a prompt asks: task, language, number of the wording, and about which thing or place."""

    task: str
    language: str
    number: int
    thing: int | None = None
    place: int | None = None

    def about(self, scene: scenes.Scene) -> str:
        """The true answer, or "" where the scene has none."""
        return questions.answer_of(scene, self.task, self.language, self.thing, self.place)


@functools.cache
def _prompts() -> dict[str, Asked]:
    """Every prompt about a scene with several things, and what it asks."""
    found = {}
    for language in questions.LANGUAGES:
        for task, wordings in questions.WORDINGS[language].items():
            if task in ("name", "name_in"):
                continue
            for number in range(len(wordings)):
                for thing in range(len(THINGS)) if task not in ("describe", "at") else (None,):
                    for place in range(scenes.PLACES) if task == "at" else (None,):
                        where = "" if place is None else scenes.PLACE_NAMES[language][place]
                        prompt = questions.wording(task, language, number, thing, where)
                        found[prompt] = Asked(task, language, number, thing, place)
    return found


def interpret(prompt: str) -> Asked:
    """What a prompt of the course's wordings asks.

    Raises:
        WrongAnswer: it is none of them.
    """
    require(isinstance(prompt, str), f"a prompt must be a text, got {type(prompt).__name__}")
    bare = " ".join(prompt.rstrip("?.!？。！ ").lower().split())
    require(
        bare in _prompts(),
        f"{prompt[:60]!r} is none of the course's questions about a scene. Take a sentence of "
        "questions.WORDINGS and put the name of a thing or a place into it.",
    )
    return _prompts()[bare]


def composed(content, what: str) -> scenes.Scene:
    """The scene of a dictionary, see :func:`mmcourse.data.scenes.compose`."""
    require(
        isinstance(content, Mapping) and len(content) > 0,
        f"{what} must be a dictionary as scenes.compose takes it, such as {{'top left': 'cat'}}",
    )
    try:
        return scenes.compose(content)
    except ValueError as error:
        raise WrongAnswer(f"{what}: {error}"[:300]) from error


def _plain(text) -> str:
    """An answer without differences in spaces and capitals, and without a closing mark."""
    require(isinstance(text, str), f"an answer must be a text, got {type(text).__name__}")
    return " ".join(text.lower().rstrip(". 。").replace(",", " , ").split())


def _entries(answer, wanted: Sequence[str]) -> Mapping:
    answer = call(answer)
    require(isinstance(answer, Mapping), f"expected a dictionary, got {type(answer).__name__}")
    require(
        set(answer) == set(wanted),
        f"expected the entries {', '.join(wanted)}; got {', '.join(map(str, answer))[:200] or 'none'}",
    )
    return answer


# By hand


def look_up(seen: np.ndarray, where: np.ndarray, name: np.ndarray, strength: float) -> np.ndarray:
    """What the first checker expects."""
    scores = strength**2 * (seen @ name) / np.sqrt(len(name))
    weights = np.exp(scores - scores.max())
    return weights / weights.sum() @ where


def _look_up(answer) -> None:
    random = np.random.default_rng(53)
    hand = np.array([[1.6, 1.2, 0, 0], [0, 2, 0, 0], [0, 0, 2, 0]])
    for seen, where, name, strength, what in (
        (
            hand,
            np.array([[-1.0], [0.0], [1.0]]),
            np.array([2.0, 0, 0, 0]),
            1.5,
            "the cells of the text",
        ),
        (hand, np.array([[-1.0], [0.0], [1.0]]), np.array([2.0, 0, 0, 0]), 1.0, "the same with strength 1"),
        (hand, np.eye(3), np.array([0, 0, 2.0, 0]), 1.5, "the three cells, and their numbers as places"),
        (random.normal(size=(9, 16)), random.normal(size=(9, 5)), random.normal(size=16), 1.5, "nine cells"),
        (
            random.normal(size=(9, 16)),
            random.normal(size=(9, 5)),
            random.normal(size=16),
            40.0,
            "strength 40",
        ),
    ):
        with np.errstate(all="ignore"):
            given = np.asarray(call(answer, seen.copy(), where.copy(), name.copy(), strength), np.float64)
        expected = look_up(seen, where, name, strength)
        require(
            given.shape == expected.shape,
            f"{what}: expected one vector of length {len(expected)}, got the shape {given.shape}",
        )
        require(
            bool(np.isfinite(given).all()),
            f"{what}: your result is not finite. Subtract the largest score before you take the exponential.",
        )
        require(
            bool(np.allclose(given, expected, atol=1e-6)),
            f"{what}: the mixture begins with {expected[0]:.4f}, yours with {given[0]:.4f}. Queries and keys "
            "are both multiplied by the strength, and the scores divided by the root of the name's length.",
        )


def packed(image: int, rows: Sequence[tuple[int, int]]) -> np.ndarray:
    """What the second checker expects: boolean ``(tokens, tokens)``, row looks at column."""
    total = image + sum(prompt + answer for prompt, answer in rows)
    mask = np.zeros((total, total), dtype=bool)
    mask[:, :image] = True
    first = image
    for prompt, answer in rows:
        end = first + prompt + answer
        own = np.tril(np.ones((prompt + answer,) * 2, dtype=bool))
        own[:, :prompt] = True
        np.fill_diagonal(own, False)
        mask[first:end, first:end] = own
        first = end
    return mask


def _packed(answer) -> None:
    for image, rows in ((1, [(2, 2)]), (2, [(1, 1), (2, 3)]), (9, [(5, 3), (1, 2), (4, 1)]), (4, [])):
        what = f"{image} image tokens and the questions {rows}"
        given = np.asarray(call(answer, image, list(rows)))
        expected = packed(image, rows)
        require(given.shape == expected.shape, f"{what}: expected {expected.shape}, got {given.shape}")
        require(given.dtype == bool, f"the mask must be of dtype bool, got {given.dtype}")
        wrong = np.argwhere(given != expected)
        if len(wrong):
            row, column = map(int, wrong[0])
            may = "may" if expected[row, column] else "may not"
            raise WrongAnswer(f"{what}: token {row} {may} look at token {column}, both counted from 0")


# With the model


def _differing(one: scenes.Scene, other: scenes.Scene) -> list[int]:
    """The places at which two scenes differ."""
    return [place for place in range(scenes.PLACES) if one.at(place) != other.at(place)]


def _one_kind_replaced(one: scenes.Scene, other: scenes.Scene) -> bool:
    places = _differing(one, other)
    before, after = ({scene.at(place) for place in places} for scene in (one, other))
    return set(one.places) == set(other.places) and len(before) == len(after) == 1


def _has_pair(scene: scenes.Scene) -> bool:
    pairs, _ = scenes.held_out()
    return any(pairs[one, other] for one in scene.counts for other in scene.counts)


def _has_count(scene: scenes.Scene) -> bool:
    _, lacking = scenes.held_out()
    return any(lacking[thing] == count for thing, count in scene.counts.items())


def _invented(scene: scenes.Scene, text: str, language: str) -> bool:
    """Whether an answer names a thing that the scene does not show."""
    left = f" {text} "
    named = []
    for thing in sorted(range(len(THINGS)), key=lambda one: -len(questions.name_of(one, language))):
        own = THINGS[thing]
        for form in {own.plural, own.english} if language == "en" else {own.chinese}:
            form = f" {form} " if language == "en" else form
            if form in left:
                named.append(thing)
                left = left.replace(form, "  ")
    return any(thing not in scene.counts for thing in named)


def _check_cause(cause, scene, other, asked: Asked, asked_then: Asked, written: str) -> None:
    """Whether the cause is there in the first case, gone in the second, and the only change."""
    if cause == "wording":
        known = questions.KNOWN[asked.task]
        require(asked.number >= known, "this wording is one of training: it cannot be the cause")
        require(asked_then.number < known, "the second prompt is a held-out wording as well")
        require(
            asked[3:] == asked_then[3:] and not _differing(scene, other),
            "change the wording only: the same scene, and a prompt that asks the same",
        )
        return
    gone = asked.thing in scene.counts and asked.thing not in other.counts
    require(
        asked[2::2] == asked_then[2::2] and (asked.thing == asked_then.thing or gone),
        "keep the prompt as it is when you change the scene",
    )
    if cause == "too many":
        require(len(scene.things) > MOST, f"the scene shows {len(scene.things)} things, as training does")
        require(len(other.things) <= MOST, f"the second scene still shows more than {MOST} things")
        require(
            all(other.at(place) in (scene.at(place), None) for place in range(scenes.PLACES)),
            "make the second scene by taking things away, and leave the rest where it is",
        )
    elif cause == "pair never seen":
        require(_has_pair(scene), "all its pairs of things may stand together in training: see held_out()")
        require(not _has_pair(other), "the second scene still has a pair that training never shows")
        require(_one_kind_replaced(scene, other), "replace one kind of thing, and leave the rest as it is")
    elif cause == "count never seen":
        require(_has_count(scene), "training may show each of its things in this number: see held_out()")
        require(not _has_count(other), "the second scene still has a thing in a number never shown")
        changed = {one.at(place) for place in _differing(scene, other) for one in (scene, other)} - {None}
        require(len(changed) == 1, "add or take away things of that one kind only")
    else:
        require(
            _invented(scene, written, asked.language),
            "the wrong answer names nothing that is missing in the scene, so nothing was taken for another",
        )
        require(_one_kind_replaced(scene, other), "replace one kind of thing, and leave the rest as it is")


def _wrong(answer) -> None:
    first, second = ("scene", "prompt", "answer"), ("scene then", "prompt then", "answer then")
    report = _entries(answer, (*first, "cause", *second))
    cause = report["cause"]
    require(
        isinstance(cause, str) and cause in CAUSES,
        f"cause must be one of: {', '.join(CAUSES)}; got {str(cause)[:40]!r}",
    )
    scene, other = (composed(report[name], name) for name in ("scene", "scene then"))
    asked, asked_then = interpret(report["prompt"]), interpret(report["prompt then"])
    require(
        asked[:2] == asked_then[:2],
        "the second prompt must belong to the same task and language as the first",
    )
    true, true_then = asked.about(scene), asked_then.about(other)
    require(bool(true) and bool(true_then), "one of the prompts has no answer in its scene: choose another")
    written, written_then = _plain(report["answer"]), _plain(report["answer then"])
    require(
        written != _plain(true),
        f"the first answer is right, {true!r}: look for a question that the model gets wrong",
    )
    _check_cause(cause, scene, other, asked, asked_then, written)
    require(
        written_then == _plain(true_then),
        f"without the cause the model should be right, and the true answer is {true_then!r}: "
        "if it is still wrong, the cause is another one",
    )


def _paint(answer) -> None:
    names = ("scene", "painted", "prompts", "predicted", "answered", "hits")
    report = _entries(answer, names)
    scene = composed(report["scene"], "scene")
    painted = report["painted"]
    require(
        isinstance(painted, str) and painted in report["scene"],
        f"painted must be a place of your scene, got {str(painted)[:40]!r}",
    )
    require(len(scene.things) > 1, "put at least two things into the scene: one must be left")
    other = composed({place: thing for place, thing in report["scene"].items() if place != painted}, "scene")
    lists = [report[name] for name in ("prompts", "predicted", "answered")]
    require(
        all(isinstance(one, (list, tuple)) for one in lists) and len({len(one) for one in lists}) == 1,
        "prompts, predicted and answered must be three lists of the same length",
    )
    prompts, predicted, answered = lists
    require(len(prompts) >= LEAST_PROMPTS, f"ask at least {LEAST_PROMPTS} questions, not {len(prompts)}")
    asked = [interpret(prompt) for prompt in prompts]
    true = [one.about(other) for one in asked]
    require(
        all(true),
        f"{prompts[true.index('')] if '' in true else ''!r} has no answer once the thing is gone: "
        "ask something else",
    )
    for prompt, expected, given in zip(prompts, true, predicted, strict=True):
        require(
            _plain(given) == _plain(expected),
            f"{prompt!r}: somebody who sees the painted picture says {expected!r}, you predict {given!r}",
        )
    changed = [one.about(scene) != after for one, after in zip(asked, true, strict=True)]
    require(any(changed), "choose at least one question whose answer the painting changes")
    require(not all(changed), "choose at least one question whose answer stays as it was")
    hits = sum(_plain(one) == _plain(two) for one, two in zip(predicted, answered, strict=True))
    given = report["hits"]
    require(
        isinstance(given, numbers.Real) and not isinstance(given, bool) and given == hits,
        f"hits must say how many answers are as predicted: they are {hits}",
    )


CHECKERS: dict[str, Callable] = {
    "scenes-look-up": _look_up,
    "scenes-packed": _packed,
    "scenes-paint": _paint,
    "scenes-wrong": _wrong,
}
