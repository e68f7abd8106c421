"""Checkers of the notebook "Recurrence"."""

from collections.abc import Callable

import numpy as np

from mmcourse.exercises.verdict import call, require
from mmcourse.mathematics import recurrence


def _parameters(answer) -> None:
    for features, units in ((1, 1), (13, 64), (5, 2), (2, 5)):
        expected = 4 * units * (features + units + 1)
        given = call(answer, features, units)
        require(
            np.shape(given) == () and float(given) == expected,
            f"with {features} features and {units} units you give {given}, not {expected}. There are four "
            "blocks; in each, every unit weighs all features and all units, and has a bias.",
        )


def _gates(answer) -> None:
    given = call(answer)
    require(
        isinstance(given, tuple | list) and len(given) == 3,
        "expected the three arrays (W, U, b), each an array of numbers",
    )
    weights = [np.asarray(array, dtype=float) for array in given]
    shapes = [array.shape for array in weights]
    require(
        shapes == [(2, 4), (1, 4), (4,)],
        f"expected the shapes (2, 4), (1, 4) and (4,), got {shapes}",
    )
    random = np.random.default_rng(35)
    for steps, marked in ((1, [0]), (40, [0]), (40, [39]), (12, [3, 7]), (30, [0, 1, 20])):
        for value in (-1.0, -0.3, 0.0, 0.6, 1.0):
            inputs = np.stack([random.uniform(-1, 1, steps), np.zeros(steps)], axis=-1)[None]
            inputs[0, marked, 1] = 1
            inputs[0, marked[-1], 0] = value
            _, (_, cell) = recurrence.lstm(inputs, *weights)  # type: ignore[arg-type]
            require(
                abs(cell.item() - np.tanh(value)) <= 0.02,
                f"{steps} steps, marked at {[one + 1 for one in marked]}: the value at the last mark is "
                f"{value}, its tanh {np.tanh(value):.3f}, but the cell state ends at {cell.item():.3f}. At "
                "a mark the forget gate has to be shut and the input gate open, elsewhere the reverse.",
            )


def _gru(answer) -> None:
    random = np.random.default_rng(39)
    for steps, features, units in ((5, 2, 3), (40, 2, 6), (12, 1, 1)):
        shapes = (steps, features), (features, 3 * units), (units, 3 * units), (2, 3 * units)
        inputs, W, U, b = (random.normal(size=shape) / 2 for shape in shapes)
        for bias in (0.0, 1.0, float(np.log(39))):
            changed = b.copy()
            changed[0, :units] = bias
            curve = recurrence.input_influence(
                lambda x, W=W, U=U, b=changed: recurrence.gru(x, W, U, b)[0],  # type: ignore[misc]
                inputs,
            )
            before = b.copy()
            given = float(call(answer, inputs, W, U, b, bias))
            require(np.array_equal(b, before), "your function changes the array b that it is given: copy it")
            expected = curve[0] / curve[-1]
            require(
                np.isclose(given, expected, rtol=1e-3),
                f"{steps} steps, {units} units, update bias {bias:.2f}: expected {expected:.3e}, got "
                f"{given:.3e}. b_z is the first block, b[0, :units]; the first step is first in the curve.",
            )


CHECKERS: dict[str, Callable] = {
    "recurrence-parameters": _parameters,
    "recurrence-gates": _gates,
    "recurrence-gru": _gru,
}
