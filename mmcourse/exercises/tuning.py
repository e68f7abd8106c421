"""Checkers of the notebook "Choosing hyper-parameters without fooling yourself"."""

import math
from collections.abc import Callable, Mapping

import numpy as np

from mmcourse.exercises.verdict import call, require


def _scale(answer) -> None:
    for low, high in ((1e-4, 1.0), (1e-6, 1e-1), (3.0, 48.0)):
        shares = np.array([0.0, 0.1, 0.5, 0.75, 1.0])
        given = np.asarray(call(answer, low, high, shares.copy()), dtype=np.float64)
        require(given.shape == shares.shape, f"expected the shape {shares.shape}, got {given.shape}")
        expected = np.exp(np.log(low) + shares * (np.log(high) - np.log(low)))
        worst = int(np.abs(given / expected - 1).argmax())
        require(
            bool(np.allclose(given, expected, rtol=1e-5, atol=0)),
            f"from {low:g} to {high:g} the share {shares[worst]} is {expected[worst]:.4g}, you give "
            f"{given[worst]:.4g}. It is the logarithm that is spread evenly.",
        )


def _trials(answer) -> None:
    for top, sure in ((0.05, 0.95), (0.1, 0.5), (0.01, 0.99), (0.5, 0.5), (0.5, 0.75)):
        # A product that should be exact may be off by rounding, as for a half and three quarters.
        expected = math.ceil(math.log(1 - sure) / math.log(1 - top) - 1e-9)
        given = call(answer, top, sure)
        require(
            given == expected,
            f"to hit the best {top:.0%} with a probability of {sure:.0%} takes {expected} trainings, you "
            f"give {given}. All of n trainings miss with the probability (1 - top) ** n.",
        )


def halved(curves: np.ndarray) -> tuple[int, int]:
    """What the checker expects: the row that is left, and the epochs that were trained."""
    left, length, spent = np.arange(len(curves)), 1, len(curves)
    while len(left) > 1:
        order = np.argsort(-curves[left, length - 1], kind="stable")
        left = np.sort(left[order[: len(left) // 3]])
        spent += len(left) * 2 * length
        length *= 3
    return int(left[0]), spent


def _halving(answer) -> None:
    random = np.random.default_rng(43)
    for size in (3, 9, 27):
        # Scores of 0 and 1 are often equal; with one round it cannot matter in which order the rest is kept.
        for digits in (3, 3, 0 if size == 3 else 3):
            curves = random.random((size, size)).round(digits)
            curves[: size // 2] = np.sort(curves[: size // 2], axis=1)  # some learn, and some forget
            given = call(answer, curves.copy())
            require(
                isinstance(given, (tuple, list, np.ndarray)) and len(given) == 2,
                "return two numbers: the row, and the epochs spent",
            )
            expected = halved(curves)
            require(
                given[1] == expected[1],
                f"{size} settings of {size} epochs cost {expected[1]} epochs in all, you give {given[1]}. A "
                "setting that stays goes on, so only its new epochs count.",
            )
            require(
                given[0] == expected[0],
                f"with {size} settings row {expected[0]} is left, you give {given[0]}. After 1, 3, 9, … "
                "epochs the best third stays, by the score of that epoch, and of equals the earlier row.",
            )


SEEDS = range(9000, 9005)
NARROW, ENOUGH, HONEST = 16, 0.805, 0.02


def _narrow(answer) -> None:
    from mmcourse.learning import tuning_digits

    answer = call(answer)
    require(isinstance(answer, Mapping), f"return a dictionary, not {type(answer).__name__}")
    names = {*tuning_digits.SPACE, "accuracy"}
    require(set(answer) == names, f"expected the names {sorted(names)}, got {sorted(answer)}")
    empty = [name for name, value in answer.items() if value is None]
    require(not empty, f"{', '.join(empty)}: fill in your numbers")
    require(answer["width"] <= NARROW, f"the width must be at most {NARROW}, got {answer['width']}")
    settings = {name: answer[name] for name in tuning_digits.SPACE}
    scores = [tuning_digits.train(settings, tuning_digits.EPOCHS, seed).score("fresh") for seed in SEEDS]
    mean = float(np.mean(scores))
    found = f"on the fresh images, from five new seeds, they have {mean:.3f} right"
    require(
        mean >= ENOUGH,
        f"your settings can be better: {found}, and {ENOUGH} is asked for. One lucky seed is not enough: "
        "train each of your favourites from several.",
    )
    require(
        abs(answer["accuracy"] - mean) <= HONEST,
        f"your settings are good, but you promise {answer['accuracy']:.3f}; {found}. Estimate it on images "
        "that had no part in the choice, as a mean over seeds.",
    )


CHECKERS: dict[str, Callable] = {
    "tuning-scale": _scale,
    "tuning-trials": _trials,
    "tuning-halving": _halving,
    "tuning-narrow": _narrow,
}
