"""Checkers of the notebook "A thousand times more"."""

from collections.abc import Callable

import numpy as np

from mmcourse.exercises.verdict import call, require


def _combine(answer) -> None:
    for sums, counts in (([6.0, 8.0], [6, 2]), ([3.0, 0.0, 5.0], [1, 0, 4]), ([2.0], [8])):
        given = call(answer, np.array(sums), np.array(counts))
        require(np.ndim(given) == 0, f"return one number, got {given!r:.60}")
        expected = sum(sums) / sum(counts)
        require(
            bool(np.isfinite(given)) and abs(float(given) - expected) < 1e-9,
            f"sums {sums}, counts {counts}: you give {float(given):.4f}, expected {expected:.4f}. Add the "
            "sums, add the counts, divide once. A process without a token must do no harm.",
        )


def _exponent(answer) -> None:
    random = np.random.default_rng(0)
    for power, factor in ((1.0, 3.0), (2.0, 0.01), (0.5, 40.0), (0.0, 7.0)):
        sizes = np.array([64, 128, 256, 512])
        costs = factor * sizes**power
        if power == 2.0:
            costs = costs * np.exp(0.1 * random.normal(size=4))
        given = call(answer, sizes.copy(), costs.copy())
        require(np.ndim(given) == 0, f"return one number, got {given!r:.60}")
        log_sizes, log_costs = np.log(sizes), np.log(costs)
        centred = log_sizes - log_sizes.mean()
        expected = centred @ (log_costs - log_costs.mean()) / (centred @ centred)
        require(
            abs(float(given) - expected) < 1e-6,
            f"costs that grow as size to the power {power:g}: you give {float(given):.3f}, expected "
            f"{expected:.3f}. Fit a line through all points, logarithm of the cost over that of the size.",
        )


def _bill(answer) -> None:
    for parameters, tokens, peak, utilisation, cards, price in (
        (70e9, 1.4e12, 312e12, 0.5, 1000, 2.0),
        (1e6, 2e7, 1e12, 1.0, 1, 1.0),
        (7e9, 2e12, 989e12, 0.4, 64, 3.0),
    ):
        given = call(answer, parameters, tokens, peak, utilisation, cards, price)
        require(
            isinstance(given, tuple | list | np.ndarray) and len(given) == 2,
            f"return two numbers, days and money, got {given!r:.60}",
        )
        days = 6 * parameters * tokens / (peak * utilisation * cards) / 86400
        money = days * 24 * cards * price
        require(
            bool(np.isclose(float(given[0]), days, rtol=1e-6)),
            f"{parameters:.0e} parameters, {tokens:.0e} tokens: you give {float(given[0]):.4g} days, "
            f"expected {days:.4g}. Six operations for each parameter and token; a day has 86,400 seconds.",
        )
        require(
            bool(np.isclose(float(given[1]), money, rtol=1e-6)),
            f"you give a price of {float(given[1]):.4g}, expected {money:.4g}: hours times "
            "cards times price.",
        )


def _width(answer) -> None:
    from mmcourse.generator import cost
    from mmcourse.generator.model import Settings

    for budget, depth in ((2e9, 2), (2e9, 8), (5e10, 4), (1e8, 1)):
        given = call(answer, budget, depth)
        require(
            np.ndim(given) == 0 and int(given) == given and given > 0 and given % 32 == 0,
            f"return a multiple of 32, got {given!r:.60}",
        )

        def operations(width: int, depth: int = depth) -> int:
            size = Settings(width=width, heads=width // 32, depth=depth, hidden=4 * width)
            return cost.training_operations(size, 2000, 16)

        require(
            operations(int(given)) <= budget,
            f"depth {depth}: a width of {given} takes {operations(int(given)):.2e} operations, and the "
            f"budget is {budget:.0e}. Remember hidden = 4 * width.",
        )
        require(
            operations(int(given) + 32) > budget,
            f"depth {depth}: {int(given) + 32} would still fit into {budget:.0e} operations.",
        )


CHECKERS: dict[str, Callable] = {
    "scale-combine": _combine,
    "scale-exponent": _exponent,
    "scale-bill": _bill,
    "scale-width": _width,
}
