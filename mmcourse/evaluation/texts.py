"""Scores of generated texts against the true ones, with confidence intervals."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from mmcourse.evaluation.intervals import wilson_interval
from mmcourse.text import tokenise


def exact_match(generated: Sequence[str], true: Sequence[str]) -> np.ndarray:
    """For each text, whether it equals the true one token by token: boolean ``(texts,)``.

    Raises:
        ValueError: the two have different lengths.
    """
    _check(generated, true)
    return np.array([tokenise(g) == tokenise(t) for g, t in zip(generated, true, strict=True)], dtype=bool)


def token_recall(generated: Sequence[str], true: Sequence[str]) -> np.ndarray:
    """For each text, the share of the true one's tokens that it holds: ``float64`` ``(texts,)``.

    A token that the true text holds twice must be there twice to count twice.

    Raises:
        ValueError: the two have different lengths, or a true text is empty.
    """
    _check(generated, true)
    shares = []
    for text, reference in zip(generated, true, strict=True):
        wanted = Counter(tokenise(reference))
        if not wanted:
            raise ValueError("a true text is empty: the share of its tokens is not defined")
        found = wanted & Counter(tokenise(text))
        shares.append(found.total() / wanted.total())
    return np.array(shares, dtype=np.float64)


def score(generated: Sequence[str], true: Sequence[str]) -> dict[str, float | int | list[float]]:
    """Exact match with its interval, token recall and the number of texts, rounded to four decimals.

    Raises:
        ValueError: no texts, or different numbers of them.
    """
    exact = exact_match(generated, true)
    if not len(exact):
        raise ValueError("there are no texts to score")
    low, high = wilson_interval(int(exact.sum()), len(exact))
    return {
        "exact": round(float(exact.mean()), 4),
        "exact_interval": [round(low, 4), round(high, 4)],
        "token_recall": round(float(token_recall(generated, true).mean()), 4),
        "pictures": len(exact),
    }


def _check(generated: Sequence[str], true: Sequence[str]) -> None:
    if len(generated) != len(true):
        raise ValueError(f"got {len(generated)} generated texts for {len(true)} true ones")
