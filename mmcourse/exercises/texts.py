"""Checkers of the notebook "Judging texts"."""

import math
from collections import Counter
from collections.abc import Callable

import numpy as np

from mmcourse.evaluation import texts
from mmcourse.exercises.verdict import call, require


def _number(given, what: str) -> float:
    given = np.asarray(given, dtype=np.float64)
    require(given.shape == (), f"{what}: expected one number, got an array of the shape {given.shape}")
    return float(given)


def _precision(answer) -> None:
    for text, reference, n in (
        ("the the the the the the the", "the cat is on the mat", 1),
        ("the cat sat on the mat", "the cat is on the mat", 2),
        ("a b a b a b", "a b c a b", 2),
        ("on the mat the cat is", "the cat is on the mat", 1),
        ("mat the on the cat", "the cat is on the mat", 2),
        ("a dog", "a cat runs", 1),
        ("a dog", "a dog", 3),
        ("", "a dog", 1),
        ("a b c d e", "a b c", 1),
    ):
        tokens, other = text.split(), reference.split()
        runs, allowed = (
            Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1)) for words in (tokens, other)
        )
        matches = (runs & allowed).total()
        expected = matches / runs.total() if runs else 0.0
        given = _number(call(answer, list(tokens), list(other), n), f"{text!r}")
        require(
            abs(given - expected) < 1e-9,
            f"for {text!r} against {reference!r} and n = {n} you give {given:.4f}, not {expected:.4f}. A run "
            "of the candidate may be matched at most as often as it stands in the reference. Without any "
            "run the precision is 0.",
        )


def _vqa(answer) -> None:
    for same, people in ((0, 10), (1, 10), (2, 10), (3, 10), (4, 10), (10, 10), (2, 5), (3, 4)):
        humans = ["yes"] * same + ["no"] * (people - same)
        expected = texts.vqa_accuracy(["yes"], [humans])
        given = _number(call(answer, "yes", list(humans)), f"{same} of {people} people")
        require(
            abs(given - expected) < 1e-9,
            f"where {same} of {people} people say the same you give {given:.4f}, not {expected:.4f}. Leave "
            "out each person in turn, take min(n / 3, 1) for the others, and the mean of it all.",
        )
    humans = ["two"] * 2 + ["three"] * 5 + ["yes", "a pair", "many"]
    for said in ("two", "a pair", "seven"):
        expected = texts.vqa_accuracy([said], [humans])
        given = _number(call(answer, said, list(humans)), repr(said))
        require(
            abs(given - expected) < 1e-9,
            f"where {humans.count(said)} of 10 people say {said!r} and the others differ among themselves "
            f"you give {given:.4f}, not {expected:.4f}. Count the people whose answer equals this one.",
        )


def _bits(answer) -> None:
    for perplexity, tokens, characters in ((4.0, 3, 6), (1.0, 5, 20), (50.0, 200, 1000), (12.0, 1000, 1000)):
        expected = tokens * math.log2(perplexity) / characters
        given = _number(call(answer, perplexity, tokens, characters), f"perplexity {perplexity}")
        require(
            abs(given - expected) < 1e-9,
            f"for a perplexity of {perplexity} over {tokens} tokens and {characters} characters you give "
            f"{given:.8g}, not {expected:.8g}. The perplexity is the exponential of the mean over tokens, in "
            "nats; first go back to the sum, then to bits.",
        )


def _price(answer) -> None:
    for length in (9, 5, 12, 7):
        tokens = [f"w{i}" for i in range(length)]
        candidates = [[*tokens[:i], "?", *tokens[i + 1 :]] for i in range(length)]
        expected = 100 - np.asarray(texts.bleu(candidates, [tokens] * length, each=True))
        given = np.asarray(call(answer, list(tokens)), dtype=np.float64)
        require(
            given.shape == (length,),
            f"for {length} tokens expected {length} numbers, got the shape {given.shape}",
        )
        worst = int(np.abs(given - expected).argmax())
        require(
            bool(np.allclose(given, expected, atol=1e-6)),
            f"in a text of {length} tokens a wrong token at position {worst} costs {expected[worst]:.2f} "
            f"BLEU; you give {given[worst]:.2f}. Replace one token, leave the others, and take 100 minus "
            "texts.bleu of that one candidate with its default smoothing.",
        )


CHECKERS: dict[str, Callable] = {
    "texts-precision": _precision,
    "texts-vqa": _vqa,
    "texts-bits": _bits,
    "texts-price": _price,
}
