"""Checkers of the chapter "Text"."""

from collections import Counter
from collections.abc import Callable

from mmcourse.exercises.verdict import call, require


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


def _backward(answer) -> None:
    words = {
        "研究",
        "研究生",
        "生命",
        "起源",
        "一只",
        "园",
        "动物园",
        "a",
        "abc",
        "cd",
        "人工智能与机器学习导论",
    }
    cases = {
        "研究生命起源": ["研究", "生命", "起源"],
        "我有一只猫": ["我", "有", "一只", "猫"],
        "研究生": ["研究生"],
        "一只动物园": ["一只", "动物园"],
        "abcd": ["a", "b", "cd"],
        "学人工智能与机器学习导论": ["学", "人工智能与机器学习导论"],
        "猫": ["猫"],
        "": [],
    }
    for text, expected in cases.items():
        given = call(answer, text, set(words))
        require(
            isinstance(given, list | tuple) and list(given) == expected,
            f"{text!r} with the words {', '.join(sorted(words))} gives {expected}, not {given!r}. Take the "
            "longest word that the rest *ends* with, and return the words in reading order.",
        )


def _pair(answer) -> None:
    cases = (
        {(1, 2, 3): 1, (2, 3): 1},
        {(5, 5, 5): 2, (1, 2): 3},
        {(7, 8): 10, (1, 2, 1, 2): 4, (9, 1, 2): 1},
        {(3, 1): 2, (1, 3): 2},
        {(2, 10): 1, (10, 2): 1, (4,): 50},
        {(1, 9): 2, (1, 4): 2, (2, 1): 2},
        {(6, 1): 3, (2, 8): 3, (4, 3): 3},
    )
    for pieces in cases:
        counts: Counter = Counter()
        for ids, how_often in pieces.items():
            for place in range(len(ids) - 1):
                counts[ids[place : place + 2]] += how_often
        expected = min(counts, key=lambda pair: (-counts[pair], pair))
        given = call(answer, dict(pieces))
        require(
            isinstance(given, tuple) and given == expected,
            f"for the pieces {pieces} you give {given!r}, not {expected}. A pair counts once for each place, "
            "times how often its piece occurs; of equally frequent pairs the smallest comes first.",
        )


def _tagger(answer) -> None:
    tagged = [
        [("they", "PRON"), ("book", "VERB"), ("a", "DET"), ("room", "NOUN")],
        [("a", "DET"), ("book", "NOUN"), ("they", "PRON"), ("book", "VERB")],
        [("the", "DET"), ("show", "VERB"), ("the", "DET"), ("show", "NOUN")],
        [("we", "PRON"), ("show", "NOUN"), ("show", "VERB"), ("a", "X")],
    ]
    verbs = [
        [("they", "PRON"), ("book", "VERB"), ("and", "CONJ"), ("book", "VERB")],
        [("a", "DET"), ("book", "NOUN"), ("we", "PRON"), ("book", "VERB"), ("the", "DET")],
    ]
    cases = (
        (tagged, ["they", "book", "a", "film"], ["PRON", "VERB", "DET", "DET"]),
        (tagged, ["the", "show", "room"], ["DET", "NOUN", "NOUN"]),
        (tagged, [], []),
        (tagged, ["zebra"], ["DET"]),
        (verbs, ["a", "book", "sings"], ["DET", "VERB", "VERB"]),
    )
    for tagged, words, expected in cases:
        given = call(answer, list(words), [list(sentence) for sentence in tagged])
        require(
            isinstance(given, list | tuple) and list(given) == expected,
            f"for {words} you give {given!r}, not {expected}, when trained on {tagged}. Each word gets "
            "its own most frequent tag, of equals the first in the alphabet; an unknown word gets the tag "
            "that is most frequent of all.",
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


CHECKERS: dict[str, Callable] = {
    "text-bytes": _bytes,
    "text-backward": _backward,
    "text-pair": _pair,
    "text-tagger": _tagger,
    "text-negation": _negation,
}
