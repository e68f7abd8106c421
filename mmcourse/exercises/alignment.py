"""Checkers of the notebook "One space for pictures, names and speech"."""

import math
import numbers
from collections.abc import Callable, Mapping

import numpy as np

from mmcourse.evaluation.intervals import wilson_interval
from mmcourse.exercises.verdict import call, require


def symmetric_loss(similarities: np.ndarray, temperature: float) -> float:
    """What the first checker expects."""
    logits = similarities / temperature
    losses = []
    for table in (logits, logits.T):
        highest = table.max(axis=1)
        sums = np.log(np.exp(table - highest[:, None]).sum(axis=1)) + highest
        losses.append(np.mean(sums - np.diag(table)))
    return float(np.mean(losses))


def _loss(answer) -> None:
    random = np.random.default_rng(48)
    hand = np.array([[0.9, 0.1, 0.0], [0.2, 0.6, 0.4], [0.1, 0.3, 0.8]])
    for similarities, temperature, what in (
        (hand, 0.5, "a table of three pairs"),
        (hand, 1.0, "the same at a temperature of 1"),
        (random.uniform(-1, 1, size=(5, 5)), 0.1, "a random table of five pairs"),
        (random.uniform(-1, 1, size=(4, 4)), 0.001, "a temperature of 0.001"),
    ):
        with np.errstate(all="ignore"):
            given = np.asarray(call(answer, similarities.copy(), temperature), dtype=np.float64)
        require(given.shape == (), f"{what}: expected one number, got the shape {given.shape}")
        require(
            bool(np.isfinite(given)),
            f"{what}: your loss is {given}. Subtract the largest logit before you take the exponential.",
        )
        expected = symmetric_loss(similarities, temperature)
        require(
            bool(abs(given - expected) <= 1e-4 * max(1, abs(expected))),
            f"{what}: the loss is {expected:.4f}, you give {given:.4f}. It is the mean of the "
            "cross-entropies of all rows and of all columns.",
        )


def _recall(answer) -> None:
    hand = np.array([[0.9, 0.1, 0.0], [0.2, 0.6, 0.4], [0.85, 0.3, 0.8]])
    random = np.random.default_rng(1)
    for similarities, k, what in (
        (hand, 1, "three pairs, k = 1"),
        (hand, 2, "three pairs, k = 2"),
        (np.zeros((4, 4)), 1, "a table of zeros, where everything ties"),
        (np.zeros((4, 4)), 4, "a table of zeros with k = 4"),
        (random.integers(5, size=(12, 12)) / 4, 3, "a table with many ties"),
        (random.normal(size=(12, 12)), 2, "a random table"),
    ):
        right = np.diag(similarities)
        expected = [
            np.mean((similarities >= right[:, None]).sum(axis=1) <= k),
            np.mean((similarities >= right[None, :]).sum(axis=0) <= k),
        ]
        given = np.asarray(call(answer, similarities.copy(), k), dtype=np.float64)
        require(given.shape == (2,), f"expected two shares, got the shape {given.shape}")
        for value, wanted, way in zip(given, expected, ("rows", "columns"), strict=True):
            require(
                abs(value - wanted) < 1e-6,
                f"{what}: Recall@{k} of the {way} is {wanted:.4f}, you give {value:.4f}. A candidate that is "
                "as near as the match stands before it.",
            )


def _same(answer) -> None:
    for names in (
        ["cat", "dog", "cat", "sun", "cat"],
        ["a", "b", "c"],
        ["sun", "sun"],
    ):
        expected = np.array([[a == b and i != j for j, b in enumerate(names)] for i, a in enumerate(names)])
        given = np.asarray(call(answer, list(names)))
        require(given.shape == expected.shape, f"expected the shape {expected.shape}, got {given.shape}")
        require(given.dtype == bool, f"the mask must be of dtype bool, got {given.dtype}")
        require(
            not given.diagonal().any(), "the diagonal holds the true pairs: they must stay, so False there"
        )
        wrong = np.argwhere(given != expected)
        require(
            len(wrong) == 0,
            f"for the names {names} the cell {tuple(map(int, wrong[0])) if len(wrong) else ''} is wrong",
        )


def _report(answer) -> None:
    answer = call(answer)
    require(isinstance(answer, Mapping), f"expected a dictionary, got {type(answer).__name__}")
    wanted = ("queries", "hits", "low", "high")
    require(
        set(answer) == set(wanted),
        f"expected the entries {', '.join(wanted)}; got {', '.join(map(str, answer)) or 'none'}",
    )
    for name in wanted:
        value = answer[name]
        require(
            isinstance(value, numbers.Real) and not isinstance(value, bool) and math.isfinite(value),
            f"{name} must be a finite number, got {value!r}",
        )
    queries, hits = answer["queries"], answer["hits"]
    require(
        queries == int(queries) and hits == int(hits) and 0 <= hits <= queries,
        f"hits and queries count things, and there cannot be more hits than queries: {hits} of {queries}",
    )
    require(queries >= 10, f"{int(queries)} queries say too little: put at least 10")
    low, high = wilson_interval(int(hits), int(queries))
    require(
        abs(answer["low"] - low) < 6e-3 and abs(answer["high"] - high) < 6e-3,
        f"Wilson's interval of {int(hits)} of {int(queries)} is {low:.3f} to {high:.3f}, you give "
        f"{answer['low']} to {answer['high']}. wilson_interval(hits, queries) computes it.",
    )


CHECKERS: dict[str, Callable] = {
    "alignment-loss": _loss,
    "alignment-recall": _recall,
    "alignment-same": _same,
    "alignment-own-words": _report,
}
