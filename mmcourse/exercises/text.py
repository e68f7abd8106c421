"""Checkers of notebook 21, "Text"."""

import functools
from collections.abc import Callable, Iterator

import numpy as np

from mmcourse.exercises.verdict import call, require


def _names(code) -> Iterator[str]:
    """All names that a code object and the functions inside it use."""
    yield from code.co_names
    for constant in code.co_consts:
        if hasattr(constant, "co_names"):
            yield from _names(constant)


def _bytes(answer) -> None:
    for text in (
        "",
        "a",
        "film",
        "\x7f",
        "\x80",
        "é",
        "e\u0301",
        "߿",
        "ࠀ",
        "猫",
        "\uffff",
        "\U00010000",
        "🐈",
        "\U0010ffff",
        "我有一只猫 and 2 🐈\u200d⬛",
    ):
        expected = len(text.encode("utf-8"))
        given = call(answer, text)
        require(
            not isinstance(given, str | bytes) and given == expected,
            f"for {text!r} you give {given!r}, not {expected}. A character takes 1 byte below 128, 2 below "
            "2048, 3 below 65536, and 4 from there on; ord gives its number.",
        )
    if hasattr(answer, "__code__"):
        used = {"encode", "bytes", "bytearray"}.intersection(_names(answer.__code__))
        require(
            not used,
            f"the numbers are right, but {min(used, default='')} did the work. Use ord(character) and the "
            "table: 128, 2048 and 65536 are where a further byte begins.",
        )


def _negation(answer) -> None:
    cases = {
        "a good film": "a good film",
        "not a good film": "not not_a not_good not_film",
        "this isn't good , but short": "this isn't not_good , but short",
        "never dull ! not bad .": "never not_dull ! not not_bad .",
        "no , not that no one never cared ; fine": "no , not not_that no not_one never not_cared ; fine",
        "nothing is wrong here": "nothing is wrong here",
        "i want it without nor nobody here": "i want it without nor nobody here",
        "'t was fine": "'t was fine",
        "it won't do : good ? can't say . see": "it won't not_do : good ? can't not_say . see",
        "why not ? the n'th time": "why not ? the n'th time",
        "not ' quite ' good": "not not_' not_quite not_' not_good",
        "": "",
    }
    for text, expected in cases.items():
        given = call(answer, text.split())
        require(
            isinstance(given, list | tuple) and list(given) == expected.split(),
            f"{text.split()} gives {expected.split()}, not {given!r}. From a negation on, every token gets "
            "'not_' in front, until one of . , ; : ! ? ends it; negations and these marks stay as they are.",
        )


@functools.cache
def _accuracies() -> tuple[float, float, float]:
    """Plain words, no stop words, half of the training snippets: accuracy on the validation snippets."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    from mmcourse.data import film_reviews

    films = film_reviews.load()
    (train, labels), (judge, judge_labels) = films.clear("train"), films.clear("validation")

    def accuracy(step: int, unwanted=frozenset()) -> float:
        def words(rows):
            return [[w for w in film_reviews.words(films.texts[i]) if w not in unwanted] for i in rows]

        model = make_pipeline(TfidfVectorizer(analyzer=list), LogisticRegression(C=10, solver="liblinear"))
        model.fit(words(train[::step]), labels[::step])
        return model.score(words(judge), judge_labels)

    return accuracy(1), accuracy(1, ENGLISH_STOP_WORDS), accuracy(2)


def _half(answer) -> None:
    given = call(answer)
    require(
        isinstance(given, tuple | list | np.ndarray) and len(given) == 3,
        f"expected three accuracies, got {str(given)[:60]}",
    )
    numbers = [float(value) for value in given]
    require(all(0 <= value <= 1 for value in numbers), f"an accuracy lies between 0 and 1, got {numbers}")
    names = ("with plain words", "without stop words", "with half of the training snippets")
    for name, value, expected in zip(names, numbers, _accuracies(), strict=True):
        require(
            abs(value - expected) < 0.006,
            f"{name} you give {value:.3f}; that is not what the validation snippets say. Train on "
            "films.clear('train') only, judge on films.clear('validation'), prepare both in the same way, "
            "and take every second row, plain words, for the third number: the file is sorted, so that the "
            "first half of the rows holds little but praise.",
        )


CHECKERS: dict[str, Callable] = {
    "text-bytes": _bytes,
    "text-half": _half,
    "text-negation": _negation,
}
