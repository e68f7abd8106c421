"""Checkers of the notebook "A straight line, and where it stops"."""

import functools
from collections.abc import Callable

import numpy as np

from mmcourse.exercises.verdict import call, require
from mmcourse.outlook.scaling import Law, fit

WIDTHS = np.repeat([8, 16, 24, 32, 48], 4)
PARAMETERS = 24 * WIDTHS**2 + 118 * WIDTHS + 29  # of the notebook's models
TOKENS = np.tile([102_400, 204_800, 409_600, 819_200], 5)


def _slope(answer) -> None:
    sizes = np.array([1e3, 4e3, 1.6e4, 6.4e4])
    for exponent, floor in ((0.5, 1.0), (0.25, 1.8), (1.0, 0.0)):
        losses = floor + 30 * sizes**-exponent
        given = call(answer, sizes.copy(), losses.copy(), floor)
        require(np.ndim(given) == 0, f"return one number, got {given!r:.60}")
        require(
            bool(np.isclose(float(given), exponent, atol=1e-6)),
            f"loss = {floor} + 30 / size^{exponent}: you give {float(given):.3f}. Take the floor from the "
            "losses before the logarithm, and mind the sign: the exponent of a loss that falls is positive.",
        )


def _two_numbers(given) -> tuple[float, float]:
    require(
        isinstance(given, tuple | list | np.ndarray) and len(given) == 2,
        f"return two numbers, got {given!r:.60}",
    )
    return float(given[0]), float(given[1])


def _budget(answer) -> None:
    def waves(parameters, tokens):
        return 2 + 30 / np.sqrt(parameters) + 200 / np.sqrt(tokens) + 0.02 * np.log10(parameters)

    laws = {
        "a law of three terms": Law(1.0, 12, 0.4, 60, 0.35).loss,
        "a law that wants more text": Law(1.7, 5, 0.3, 2000, 0.4).loss,
        "a loss of another form": waves,
    }
    for name, loss in laws.items():
        for budget in (1e11, 1e14):
            parameters, tokens = _two_numbers(call(answer, loss, budget))
            require(
                bool(parameters > 0 and np.isclose(6 * parameters * tokens, budget, rtol=1e-3)),
                f"{name}: {parameters:.3g} parameters and {tokens:.3g} tokens cost "
                f"{6 * parameters * tokens:.3g} operations by 6 N D; the budget is {budget:.0e}.",
            )
            sizes = np.geomspace(10, budget / 60, 20_001)
            best = float(np.min(loss(sizes, budget / 6 / sizes)))
            reached = float(loss(parameters, tokens))
            require(
                reached <= best + 1e-4,
                f"{name}, budget {budget:.0e}: your choice reaches {reached:.4f}, and {best:.4f} is "
                "possible. Try many sizes, evenly spaced in their logarithm, each with all the tokens that "
                "it can afford.",
            )


@functools.cache
def _trainings(alpha: float) -> tuple[np.ndarray, tuple[float, float]]:
    """Losses by a law of that exponent, and the exponents that two ways of counting find in them."""
    losses = Law(1.2, 10, alpha, 50, 0.35).loss(PARAMETERS, TOKENS)
    losses = losses * np.exp(0.002 * np.random.default_rng(81).normal(size=len(losses)))
    return losses, (fit(PARAMETERS, TOKENS, losses).alpha, fit(24 * WIDTHS**2, TOKENS, losses).alpha)


def _count(answer) -> None:
    for alpha in (0.35, 0.55):
        losses, expected = _trainings(alpha)
        both = _two_numbers(call(answer, WIDTHS.copy(), PARAMETERS.copy(), TOKENS.copy(), losses.copy()))
        for given, right, what in zip(
            both, expected, ("all parameters", "the matrices of the blocks, 24 w²"), strict=True
        ):
            require(
                abs(given - right) < 0.01,
                f"with {what} as N you give alpha = {given:.3f}, expected {right:.3f}. Fit the law twice "
                "with scaling.fit, first with all parameters, then with 24 * width**2.",
            )


def _energy(answer) -> None:
    for operations, rates, watts in (
        (1e13, (5e9, 2e10), (5.0, 15.0)),
        (3e15, (1e10, 1e10), (10.0, 10.0)),
        (1e12, (2e9, 4e10), (2.0, 30.0)),
    ):
        low, high = _two_numbers(call(answer, operations, rates, watts))
        expected = operations / rates[1] * watts[0] / 3.6e6, operations / rates[0] * watts[1] / 3.6e6
        require(
            low <= high,
            f"the first number is the lower end; you give {low:.3g} and {high:.3g}. The least energy comes "
            "from the fastest core at the lowest power.",
        )
        require(
            bool(np.allclose((low, high), expected, rtol=1e-6)),
            f"{operations:.0e} operations: you give {low:.3g} to {high:.3g} kWh, expected "
            f"{expected[0]:.3g} to {expected[1]:.3g}. Seconds are operations divided by the rate; a "
            "kilowatt-hour is 3.6 million joules; a joule is a watt for a second.",
        )


CHECKERS: dict[str, Callable] = {
    "scaling-slope": _slope,
    "scaling-budget": _budget,
    "scaling-count": _count,
    "scaling-energy": _energy,
}
