"""Checkers of the notebook "Judging word vectors"."""

import itertools
from collections.abc import Callable

import numpy as np

from mmcourse.exercises.verdict import call, require


def _neighbours(answer) -> None:
    random = np.random.default_rng(1)
    tables = [
        np.array([[2.0, 0.1], [100.0, 80.0], [1.0, 0.0], [0.0, 5.0]]),
        np.array(
            [[0.5, 2.0], [3.0, 4.0], [0.6, 0.8], [-1.0, 0.0], [6.0, 8.0]]
        ),  # three rows point the same way
        random.normal(size=(12, 3)) * random.uniform(0.1, 10, (12, 1)),
    ]
    for table in tables:
        directions = table / np.linalg.norm(table, axis=1, keepdims=True)
        for row, n in ((0, 1), (2, 3), (1, 2), (3, 1)):
            cosines = directions @ directions[row]
            best = np.sort(np.delete(cosines, row))[::-1][:n]
            given = [int(i) for i in np.ravel(call(answer, table.copy(), row, n))]
            require(
                row not in given,
                f"row {row} is among its own neighbours. It need not come first in the order, since "
                f"another row may "
                "point the same way",
            )
            require(len(given) == len(set(given)) == n, f"expected {n} different rows, got {given}")
            require(
                all(0 <= i < len(table) for i in given) and np.allclose(cosines[given], best, atol=1e-9),
                f"for row {row} of a table of {len(table)} vectors and n = {n} you give the rows "
                f"{given}; the largest "
                f"cosines are {best.round(3).tolist()}. A cosine is the dot product of two vectors "
                f"divided by their "
                "lengths; the nearest comes first.",
            )


def _permutation(answer) -> None:
    cases = (
        ([1.0, 2.0], [0.0, 0.5]),
        ([3.0, 1.0, 4.0], [1.0, 5.0, 9.0]),
        ([0.5, 0.5, 0.5], [0.5, 0.5, 0.5]),
        ([0.9, 0.7, 0.8, 0.3], [0.1, 0.4, 0.2, 0.35]),
        ([0.1, 0.3, -0.2, 0.4, 0.0], [0.2, -0.1, -0.3, 0.1, 0.0]),
    )
    for first, second in cases:
        every, half = np.array(first + second), len(first)
        deals = [every[list(chosen)].sum() for chosen in itertools.combinations(range(2 * half), half)]
        expected = np.mean(np.array(deals) >= np.sum(first) - 1e-9)
        given = float(call(answer, np.array(first), np.array(second)))
        require(
            abs(given - expected) < 1e-6,
            f"for {first} and {second} you give {given:.4f}, not {expected:.4f} "
            f"({round(expected * len(deals))} of "
            f"{len(deals)} deals). Count every way to choose the first half once, those with an "
            f"equal difference and "
            "the deal as given too; look at one side only.",
        )


def _common(answer) -> None:
    random = np.random.default_rng(3)
    for words, size in ((20, 4), (50, 6)):
        table = random.normal(size=(words, size)) * np.arange(1, size + 1) + random.normal(size=size)
        for k in (0, 1, 3):
            centred = table - table.mean(axis=0)
            directions = np.linalg.svd(centred, full_matrices=False)[2][:k]
            expected = centred - centred @ directions.T @ directions
            given = np.asarray(call(answer, table.copy(), k), dtype=float)
            require(given.shape == table.shape, f"expected the shape {table.shape}, got {given.shape}")
            require(
                np.allclose(given.mean(axis=0), 0, atol=1e-6),
                "the mean of the rows is not 0: take it away first",
            )
            require(
                np.allclose(given, expected, atol=1e-6),
                f"for {words} vectors of {size} numbers and k = {k} the rows are not as expected. "
                f"The k strongest "
                "directions are right singular vectors of the centred table; from each row take away "
                "its part along "
                "each of them, (row · direction) times the direction.",
            )


CHECKERS: dict[str, Callable] = {
    "similarity-neighbours": _neighbours,
    "similarity-permutation": _permutation,
    "similarity-common": _common,
}
