"""Checkers of the notebook "A question asked aloud"."""

import itertools
from collections.abc import Callable

import numpy as np

from mmcourse.exercises.verdict import call, require


def read_path(path: list[int]) -> list[int]:
    """A path with repetitions and 0 left out."""
    return [label for label, _ in itertools.groupby(path) if label != 0]


def _read(answer) -> None:
    for path, expected in (
        ([0, 3, 3, 0, 5], [3, 5]),
        ([3, 3, 3], [3]),
        ([3, 0, 3], [3, 3]),
        ([0, 0, 0], []),
        ([], []),
        ([2, 2, 0, 0, 2, 7, 7], [2, 2, 7]),
        ([1, 2, 1, 2], [1, 2, 1, 2]),
    ):
        given = call(answer, list(path))
        require(given is not None, "the function returns None: is its body still the stub?")
        require(
            [int(one) for one in given] == expected,
            f"{path}: you read {list(given)}, and it says {expected}. First join what is repeated without a "
            "gap, then leave out 0: a 0 between two equal words keeps them apart.",
        )


def _chance(answer) -> None:
    random = np.random.default_rng(0)
    shapes: list[tuple[int, int, list[int]]] = [
        (2, 2, [1]),
        (3, 3, [2, 1]),
        (4, 3, [1, 1]),
        (3, 2, []),
        (5, 4, [3, 1, 2]),
    ]
    for tokens, words, target in shapes:
        chances = random.dirichlet(np.ones(words), size=tokens)
        expected = sum(
            float(np.prod(chances[np.arange(tokens), list(path)]))
            for path in itertools.product(range(words), repeat=tokens)
            if read_path(list(path)) == target
        )
        given = call(answer, chances.copy(), list(target))
        require(given is not None, "the function returns None: is its body still the stub?")
        require(
            np.size(given) == 1 and abs(np.asarray(given).item() - expected) < 1e-6,
            f"{tokens} tokens, {words} words, target {target}: you give {given}, and it is {expected:.4f}. "
            "Multiply along each path that reads as the target, and add the products of all these paths.",
        )


LEVELS = (30, 20, 10, 0)  # decibels


def _noise(answer) -> None:
    seconds = np.arange(8_000, dtype=np.float32) / 16_000
    clean = [0.1 * np.sin(2 * np.pi * 100 * (k + 2) * seconds).astype(np.float32) for k in range(8)]
    truths = [f"answer {k}" for k in range(8)]
    borders = (25.0, 25.0, 15.0, 15.0, 15.0, 5.0, -5.0, -5.0)  # decibels that each of them needs
    heard: list[float] = []

    def listen(waveforms):
        given = [np.asarray(one, dtype=np.float64) for one in waveforms]
        require(
            len(given) == 8 and all(one.shape == (8_000,) for one in given),
            "hand all waveforms to listen at once, as long as they were",
        )
        ratios = [
            10 * np.log10(np.mean(one**2) / max(np.mean((noisy - one) ** 2), 1e-12))
            for one, noisy in zip(clean, given, strict=True)
        ]
        heard.extend(ratios)
        return [
            truth if ratio > border else "?"
            for truth, ratio, border in zip(truths, ratios, borders, strict=True)
        ]

    given = call(answer, [one.copy() for one in clean], list(truths), listen)
    require(given is not None, "the function returns None: is its body still the stub?")
    require(isinstance(given, dict), "return a dictionary: level in decibels -> share of right answers")
    require(set(given) == set(LEVELS), f"the levels must be {', '.join(map(str, LEVELS))}")
    require(
        len(heard) == 8 * len(LEVELS) and sorted(np.unique(np.round(heard))) == sorted(LEVELS),
        f"listen was given {sorted(set(map(round, heard)))} decibels of signal to noise; add new "
        "noise to each clean waveform anew, at each of the four levels",
    )
    for level in LEVELS:
        expected = sum(level > border for border in borders) / len(borders)
        require(
            abs(float(given[level]) - expected) < 1e-6,
            f"at {level} decibels you give {given[level]}, and the share of right answers is {expected:.3f}",
        )


CHECKERS: dict[str, Callable] = {
    "listening-read": _read,
    "listening-chance": _chance,
    "listening-noise": _noise,
}
