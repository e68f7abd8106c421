"""Checkers of notebook 22, "Tokens"."""

import functools
import itertools
from collections import Counter
from collections.abc import Callable

import numpy as np

from mmcourse.exercises.verdict import call, require


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
            for pair in itertools.pairwise(ids):
                counts[pair] += how_often
        expected = min(counts, key=lambda pair: (-counts[pair], pair))
        given = call(answer, dict(pieces))
        require(
            isinstance(given, tuple | list) and tuple(given) == expected,
            f"for the pieces {pieces} you give {given!r}, not {expected}. A pair counts once for each "
            "position, times how often its piece occurs; of equally frequent pairs the smallest comes first.",
        )


def _pack(answer) -> None:
    cases = (
        ([[5, 6], [7]], 5),
        ([[5, 6, 7], [8, 9]], 4),
        ([[5, 6, 7, 8, 9, 10]], 4),
        ([[], [9]], 3),
        ([[4, 5, 6]], 1),
        ([], 2),
    )
    for rows, length in cases:
        expected = np.zeros((len(rows), length), dtype=np.int32)
        for number, row in enumerate(rows):
            whole = [1, *row, 2][:length]
            expected[number, : len(whole)] = whole
        given = call(answer, [list(row) for row in rows], length)
        require(isinstance(given, np.ndarray), f"expected an array, got {type(given).__name__}")
        require(given.dtype == np.int32, f"expected the dtype int32, got {given.dtype}")
        require(
            given.shape == expected.shape,
            f"for {rows} and length {length} the shape is {given.shape}, not {expected.shape}",
        )
        require(
            np.array_equal(given, expected),
            f"for {rows} and length {length} you give {given.tolist()}, not {expected.tolist()}. A row "
            "is cut at its end, and a row that was cut has not ended: it has no 2.",
        )


@functools.cache
def _four_costs() -> tuple[float, ...]:
    """Tokens per character: English and Chinese by the English encoding, then by the Chinese one."""
    from mmcourse.data import chinese_reviews, film_reviews
    from mmcourse.text.byte_pair import BytePairEncoding

    languages = film_reviews.load().texts, chinese_reviews.load().texts
    encodings = [BytePairEncoding.train(texts[:1000], 500) for texts in languages]
    return tuple(
        sum(len(encoding.ids_of(text)) for text in texts[-300:]) / sum(map(len, texts[-300:]))
        for encoding in encodings
        for texts in languages
    )


def _costs(answer) -> None:
    given = call(answer)
    require(
        isinstance(given, tuple | list | np.ndarray) and len(given) == 4,
        f"expected four numbers, got {str(given)[:60]}",
    )
    names = (
        "English by the English",
        "Chinese by the English",
        "English by the Chinese",
        "Chinese by the Chinese",
    )
    for name, value, expected in zip(names, map(float, given), _four_costs(), strict=True):
        require(
            abs(value - expected) < 0.01 * expected,
            f"{name} encoding: you give {value:.3f} tokens per character, which is not what the last 300 "
            "texts say. Train with 500 merges on the first 1,000 texts, add up the tokens of the last 300, "
            "and divide by the sum of their characters (not of their bytes).",
        )


CHECKERS: dict[str, Callable] = {
    "tokens-pair": _pair,
    "tokens-pack": _pack,
    "tokens-costs": _costs,
}
