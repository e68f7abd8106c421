"""Right and wrong answers to the exercises of "Choosing hyper-parameters without fooling yourself"."""

import math

import numpy as np

GOOD = {"learning_rate": 0.06, "weight_decay": 1e-4, "dropout": 0.05, "width": 16, "accuracy": 0.82}


def halving(curves, total=False, last=False, keep=3):
    left, length, spent = list(range(len(curves))), 1, len(curves)
    while len(left) > 1:
        seen = len(curves) if last else length
        left = sorted(left, key=lambda row: (-curves[row, seen - 1], row))[: max(1, len(left) // keep)]
        spent += len(left) * (3 * length if total else 2 * length)
        length *= 3
    return left[0], spent


def best_by_maximum(curves):
    """Judges a setting by its best epoch so far, not by its last."""
    left, length, spent = list(range(len(curves))), 1, len(curves)
    while len(left) > 1:
        left = sorted(left, key=lambda row: -curves[row, :length].max())[: len(left) // 3]
        spent += len(left) * 2 * length
        length *= 3
    return left[0], spent


def later_of_equals(curves):
    """Turns a rising order round, so that of equals the later row stays."""
    left, length, spent = np.arange(len(curves)), 1, len(curves)
    while len(left) > 1:
        left = left[np.argsort(curves[left, length - 1], kind="stable")[::-1][: len(left) // 3]]
        spent += len(left) * 2 * length
        length *= 3
    return int(left[0]), spent


RIGHT = {
    "tuning-scale": {
        "power": lambda low, high, shares: low * (high / low) ** shares,
        "logarithm": lambda low, high, shares: (
            10 ** (np.log10(low) + shares * (np.log10(high) - np.log10(low)))
        ),
        "geometric": lambda low, high, shares: low ** (1 - shares) * high**shares,
    },
    "tuning-trials": {
        "logarithm": lambda top, sure: math.ceil(round(math.log(1 - sure) / math.log(1 - top), 9)),
        "counting": lambda top, sure: next(n for n in range(1, 10**6) if (1 - top) ** n <= 1 - sure + 1e-12),
    },
    "tuning-halving": {
        "plain": halving,
        "a list": lambda curves: list(halving(curves)),
        "an array": lambda curves: np.array(halving(curves)),
    },
    "tuning-narrow": {
        "good": lambda: dict(GOOD),
        "a little modest": lambda: GOOD | {"accuracy": 0.81},
    },
}

WRONG = {
    "tuning-scale": {
        "evenly": lambda low, high, shares: low + shares * (high - low),
        "only ten": lambda low, high, shares: 10 ** (np.log10(high) * shares) * low,
        "backwards": lambda low, high, shares: high * (low / high) ** shares,
        "the logarithm": lambda low, high, shares: np.log(low) + shares * np.log(high / low),
    },
    "tuning-trials": {
        "rounded down": lambda top, sure: int(math.log(1 - sure) / math.log(1 - top)),
        "one expected": lambda top, sure: math.ceil(1 / top),
        "swapped": lambda top, sure: math.ceil(math.log(1 - top) / math.log(1 - sure)),
        "added": lambda top, sure: math.ceil(sure / top),
    },
    "tuning-halving": {
        "from the start": lambda curves: halving(curves, total=True),
        "knows the end": lambda curves: halving(curves, last=True),
        "best epoch": best_by_maximum,
        "keeps half": lambda curves: halving(curves, keep=2),
        "later of equals": later_of_equals,
        "row only": lambda curves: halving(curves)[0],
    },
    "tuning-narrow": {
        "empty": lambda: dict.fromkeys(GOOD),
        "wide": lambda: GOOD | {"width": 64},
        "slow": lambda: GOOD | {"learning_rate": 0.001},
        "one lucky seed": lambda: GOOD | {"learning_rate": 0.0753, "weight_decay": 1.2e-6, "dropout": 0.606},
        "promised too much": lambda: GOOD | {"accuracy": 0.86},
        "a name missing": lambda: {name: value for name, value in GOOD.items() if name != "accuracy"},
    },
}
