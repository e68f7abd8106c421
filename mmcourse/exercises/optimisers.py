"""Checkers of the notebook "Learning downhill: from a loss to AdamW"."""

from collections.abc import Callable, Mapping

import numpy as np

from mmcourse.exercises.verdict import call, require


def _listed(given):
    """An array as a list of its entries; anything else as it is."""
    return list(given) if isinstance(given, np.ndarray) and given.ndim else given


def _several(given, count: int, what: str) -> list[np.ndarray]:
    """The answer as ``count`` arrays of ``float64``."""
    given = _listed(given)
    require(isinstance(given, tuple | list) and len(given) == count, f"return {what}, in this order")
    return [np.asarray(part, dtype=np.float64) for part in given]


def _step(answer) -> None:
    random = np.random.default_rng(0)
    for examples, rate in ((1, 0.05), (4, 0.1), (7, 0.01)):
        inputs, targets = random.normal(size=(2, examples))
        weight, bias = random.normal(size=2)
        slopes = 2 * (weight * inputs + bias - targets)
        expected = weight - rate * (slopes * inputs).mean(), bias - rate * slopes.mean()
        given = call(answer, weight, bias, inputs.copy(), targets.copy(), rate)
        given = _several(given, 2, "the new weight and the new bias")
        for name, value, right in zip(("weight", "bias"), given, expected, strict=True):
            require(value.shape == (), f"the new {name} must be one number, got the shape {value.shape}")
            require(
                bool(np.isclose(value, right, atol=1e-6)),
                f"with {examples} example(s) the new {name} is {right:.4f}, you give {float(value):.4f}. The "
                "slope of the mean is the mean of the slopes 2 · (prediction - target) · input (or · 1); go "
                "against it. Both slopes are those of the old parameters.",
            )


def _caption(answer) -> None:
    random = np.random.default_rng(1)
    for size, what in ((1.0, "logits of ordinary size"), (1000.0, "logits up to 1000")):
        logits = random.uniform(-size, size, size=(3, 4, 6))
        targets = random.integers(6, size=(3, 4))
        real = np.arange(4) < np.array([[4], [2], [1]])
        largest = logits.max(axis=-1)
        log_sum = np.log(np.exp(logits - largest[..., None]).sum(axis=-1)) + largest
        costs = log_sum - np.take_along_axis(logits, targets[..., None], axis=-1)[..., 0]
        expected = costs[real].mean()
        with np.errstate(all="ignore"):
            given = np.asarray(call(answer, logits.copy(), targets.copy(), real.copy()), dtype=np.float64)
        require(given.shape == (), f"expected one number, got an array of the shape {given.shape}")
        require(
            bool(np.isfinite(given)),
            f"{what}: your loss is {float(given)}. Subtract the largest logit of each position first.",
        )
        require(
            bool(np.isclose(given, expected, rtol=1e-4)),
            f"{what}: expected {expected:.4f}, got {float(given):.4f}. Divide the sum over the real tokens "
            "by their number, not by that of all positions, and do not average the captions one by one.",
        )


def _tune(answer) -> None:
    random = np.random.default_rng(3)
    for what, noise in (("scores that differ by the seed", 0.3), ("scores that are equal", 0.0)):
        sizes, rates, seeds = (10, 50, 250), (0.01, 0.1, 1.0, 3.0), range(4)
        table = random.integers(4, 7, size=(3, 1, 1)) / 8 + noise * random.uniform(size=(3, 4, 4))

        def score(size, rate, seed, table=table, sizes=sizes, rates=rates):
            return float(table[sizes.index(size), rates.index(rate), seed])

        given = call(answer, score, sizes, rates, seeds)
        require(isinstance(given, Mapping), f"return a dictionary, not {type(given).__name__}")
        require(set(given) == set(sizes), f"expected the keys {list(sizes)}, got {list(given)}")
        means = table.mean(axis=2)
        for size, row in zip(sizes, means, strict=True):
            pair = _listed(given[size])
            require(
                isinstance(pair, tuple | list) and len(pair) == 2,
                f"give the rate and the mean score of each batch size, got {pair!r} for {size}",
            )
            rate, mean = (float(np.asarray(part, dtype=np.float64)) for part in pair)
            expected = rates[int(row.argmax())]
            require(
                bool(np.isclose(rate, expected)) and bool(np.isclose(mean, row.max(), atol=1e-6)),
                f"{what}: for batches of {size} the mean scores at the rates {list(rates)} are "
                f"{row.round(3).tolist()}, so that ({expected}, {row.max():.3f}) is expected; you give "
                f"({rate:g}, {mean:.3f}). Average over the seeds first, choose a rate for each size, and "
                "take the first of equal ones.",
            )


CHECKERS: dict[str, Callable] = {
    "optimisers-step": _step,
    "optimisers-caption": _caption,
    "optimisers-tune": _tune,
}
