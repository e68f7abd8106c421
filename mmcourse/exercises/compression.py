"""Checkers of the notebook "What can go before an answer changes"."""

from collections.abc import Callable

import numpy as np

from mmcourse.evaluation.intervals import mcnemar
from mmcourse.exercises.verdict import call, require


def rounded_blocks(weights: np.ndarray, bits: int, block: int) -> np.ndarray:
    """What the checker expects: a step for each ``block`` weights of a column, counted from the top."""
    top = 2 ** (bits - 1) - 1
    blocks = weights.reshape(-1, block, weights.shape[1])
    step = np.abs(blocks).max(axis=1, keepdims=True) / top
    return (np.round(blocks / np.where(step > 0, step, 1)) * step).reshape(weights.shape)


def _blocks(answer) -> None:
    random = np.random.default_rng(82)
    large = random.normal(size=(8, 3))
    large[5, 1] = 40.0
    quiet = random.normal(size=(6, 2))
    quiet[:3, 1] = 0
    cases = [
        (np.array([[0.9], [-0.3], [0.1], [9.0], [-3.0], [1.0]]), 3, 3, "two blocks in one column"),
        (large, 4, 4, "one large weight"),
        (large, 8, 8, "a block as long as the column"),
        (quiet, 4, 3, "a block of zeros"),
        (random.normal(size=(64, 5)), 2, 32, "two bits, blocks of 32"),
    ]
    for weights, bits, block, what in cases:
        with np.errstate(all="ignore"):
            given = np.asarray(call(answer, weights.copy(), bits, block), dtype=float)
        require(
            given.shape == weights.shape,
            f"{what}: expected the shape of the weights, {weights.shape}, got {given.shape}",
        )
        require(
            bool(np.isfinite(given).all()),
            f"{what}: some weights are no longer finite. Where all weights of a block are 0, so is their "
            "step, and 0 / 0 is no number.",
        )
        expected = rounded_blocks(weights, bits, block)
        place = np.unravel_index(np.abs(given - expected).argmax(), expected.shape)
        require(
            bool(np.allclose(given, expected, atol=1e-6)),
            f"{what}, {bits} bits, blocks of {block}: the weight {weights[place]:.3f} in row {place[0]}, "
            f"column {place[1]} becomes {expected[place]:.3f}; yours becomes {given[place]:.3f}. The largest "
            f"weight of its own block has the code {2 ** (bits - 1) - 1}.",
        )


def _break_even(answer) -> None:
    for value_bits, code_bits, expected in (
        (32, 8, 25 / 32),
        (16, 8, 9 / 16),
        (32, 4, 29 / 32),
        (8, 8, 1 / 8),
        (8, 16, 0.0),
        (8, 1, 1.0),
        (8, 9, 0.0),
        (32, 32, 1 / 32),
    ):
        given = call(answer, value_bits, code_bits)
        require(np.ndim(given) == 0, f"expected one number, got {given!r}")
        require(
            abs(float(given) - expected) < 1e-9,
            f"values of {value_bits} bits against codes of {code_bits}: expected {expected:.5f}, got "
            f"{float(given):.5f}. With a share s of zeros a weight takes 1 + (1 - s) times {value_bits} bits "
            "on average; the answer lies between 0 and 1.",
        )


def _rank(answer) -> None:
    for shapes, budget, expected, what in (
        ([(128, 384)], 1024, 2, "one layer"),
        ([(128, 384), (384, 128)], 1024, 1, "two layers share the budget"),
        ([(128, 384), (384, 128)], 1023, 0, "a number too few for rank 1"),
        ([(196, 300), (300, 100), (100, 10)], 1006, 1, "the digit network, exactly rank 1"),
        ([(196, 300), (300, 100), (100, 10)], 10**6, 10, "a budget larger than the layers"),
        ([(3, 5)], 23, 2, "a rank is a whole number"),
    ):
        given = call(answer, list(shapes), budget)
        require(
            isinstance(given, int | np.integer) and not isinstance(given, bool),
            f"{what}: expected a whole number, got {given!r}",
        )
        require(
            int(given) == expected,
            f"{what}: {shapes} with {budget:,} numbers allow rank {expected}, you give {given}. A pair of "
            "rank r has r times (inputs + outputs) numbers, and no rank exceeds the smallest side.",
        )


def _part(answer) -> None:
    found = call(answer)
    require(isinstance(found, dict), f"return a dictionary, got {type(found).__name__}")
    counts = ("table at 4", "others at 4", "pictures", "only first", "only second")
    require(set(found) == {*counts, "p"}, f"expected the keys {[*counts, 'p']}, got {sorted(found, key=str)}")
    for name in counts:
        value = found[name]
        require(
            isinstance(value, int | np.integer) and not isinstance(value, bool) and int(value) >= 0,
            f'"{name}" is a count, a whole number; got {value!r}',
        )
    first, second, pictures, only_first, only_second = (int(found[name]) for name in counts)
    require(pictures >= 300, f"300 pictures at least, got {pictures}")
    require(max(first, second) <= pictures, f"more right answers ({max(first, second)}) than pictures")
    require(
        min(first, second) > 0.2 * pictures,
        f"only {min(first, second)} of {pictures} answers right: four bits with a step for each output keep "
        "far more. Is the axis right, and is the other part stored with eight bits?",
    )
    require(
        first - second == only_first - only_second,
        f"the first way has {first - second} more right answers than the second, so the answers that only "
        f"one of them had right must differ by as many, not by {only_first - only_second}",
    )
    require(
        only_first <= min(first, pictures - second) and only_second <= min(second, pictures - first),
        "more answers are right in one way alone than the counts of right answers allow",
    )
    hits = np.repeat([True, False], [only_first, only_second])
    expected = mcnemar(np.ones(len(hits), bool), hits, ~hits).p_value if len(hits) else 1.0
    given = found["p"]
    require(
        isinstance(given, int | float | np.floating) and bool(abs(float(given) - expected) < 1e-3),
        f"McNemar's exact p for {only_first} against {only_second} is {expected:.4f}, got {given!r}",
    )


CHECKERS: dict[str, Callable] = {
    "compression-blocks": _blocks,
    "compression-break-even": _break_even,
    "compression-rank": _rank,
    "compression-part": _part,
}
