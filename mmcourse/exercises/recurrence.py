"""Checkers of the chapter "Recurrence"."""

from collections.abc import Callable

import numpy as np

from mmcourse.exercises.verdict import call, require


def _near(given, expected, tolerance: float = 1e-6) -> bool:
    """Whether two arrays have one shape and nearly equal numbers."""
    given, expected = np.asarray(given, dtype=float), np.asarray(expected, dtype=float)
    return given.shape == expected.shape and bool(
        np.allclose(given, expected, rtol=tolerance, atol=tolerance)
    )


def _parameters(answer) -> None:
    for features, units in ((1, 1), (13, 64), (5, 2), (2, 5)):
        expected = 4 * units * (features + units + 1)
        given = call(answer, features, units)
        require(
            _near(given, expected),
            f"with {features} features and {units} units you give {given}, not {expected}. There are four "
            "blocks; in each, every unit weighs all features and all units, and has a bias.",
        )


def _states(inputs, input_weights, recurrent_weights, bias) -> np.ndarray:
    state, states = np.zeros(len(bias)), []
    for x in inputs:
        state = np.tanh(x @ input_weights + state @ recurrent_weights + bias)
        states.append(state)
    return np.array(states)


def _loop(answer) -> None:
    random = np.random.default_rng(33)
    for steps, features, units in ((1, 2, 3), (4, 2, 3), (5, 3, 1), (6, 1, 2)):
        arguments = [
            random.normal(size=s) for s in ((steps, features), (features, units), (units, units), units)
        ]
        expected = _states(*arguments)
        given = np.asarray(call(answer, *(array.copy() for array in arguments)), dtype=float)
        require(
            given.shape == (steps, units),
            f"with {steps} steps, {features} features and {units} units expected the shape {(steps, units)}, "
            f"got {given.shape}",
        )
        wrong = np.flatnonzero(~np.isclose(given, expected, atol=1e-6).all(axis=1))
        require(
            wrong.size == 0,
            f"with {steps} steps the state after step {int(wrong[0]) + 1 if wrong.size else 0} is wrong. The "
            "first state sees a state of zeros, each later one the state before it; W times x is x @ W here.",
        )


def _half_life(answer) -> None:
    for steps in (1, 2, 10, 40, 365):
        bias = float(call(answer, steps))
        left = (0.5 + 0.5 * np.tanh(0.5 * bias)) ** steps
        require(
            abs(left - 0.5) < 1e-6,
            f"for {steps} steps you give the bias {bias:.4f}; {left:.4f} of the memory is left, not 0.5. "
            "First find the gate whose power is one half, then the bias whose sigmoid is that gate.",
        )


def _last(answer) -> None:
    random = np.random.default_rng(7)
    for lengths, steps, units in (([3, 1, 4], 4, 2), ([2], 5, 3), ([5, 5], 5, 1)):
        outputs = random.normal(size=(len(lengths), steps, units))
        mask = np.arange(steps) < np.array(lengths)[:, None]
        expected = np.array([outputs[row, length - 1] for row, length in enumerate(lengths)])
        given = np.asarray(call(answer, outputs.copy(), mask.copy()), dtype=float)
        require(given.shape == expected.shape, f"expected the shape {expected.shape}, got {given.shape}")
        require(
            _near(given, expected),
            f"sequences of {lengths} real steps out of {steps}: the outputs that you give are not those of "
            "the last real steps. A sequence of 3 real steps has its last one at place 2.",
        )


def _backward(answer) -> None:
    for inputs, w, u, b in (
        ([1.0], 1.0, 1.0, 0.0),
        ([1.0, 0.0, 1.0], 1.0, 1.0, 0.0),
        ([0.5, -1.0, 0.3, 0.2], 0.7, -0.4, 0.1),
        ([0.1] * 9, 1.5, 0.9, -0.2),
    ):
        slope = expected = state = 0.0
        for x in inputs:  # forward mode: the slope of each state with respect to u
            before, state = state, np.tanh(w * x + u * state + b)
            slope = (1 - state**2) * (before + u * slope)
        expected = slope
        given = call(answer, np.array(inputs), w, u, b)
        require(
            _near(given, expected),
            f"for the inputs {inputs}, w = {w}, u = {u}, b = {b} you give {given}, not {expected:.6f}. "
            "Each step adds its delta times the state *before* it; the slope of tanh is 1 - h².",
        )


def _clip(answer) -> None:
    cases = (
        ([[3.0, 4.0]], 1.0),
        ([[3.0, 4.0]], 10.0),
        ([[3.0], [[4.0, 0.0], [0.0, 12.0]]], 6.5),
        ([[0.3], [0.4]], 0.45),
        ([[0.0, 0.0]], 1.0),
    )
    for arrays, longest in cases:
        gradients = [np.array(array) for array in arrays]
        length = np.sqrt(sum((gradient**2).sum() for gradient in gradients))
        factor = 1.0 if length <= longest else longest / length
        given = list(call(answer, [gradient.copy() for gradient in gradients], longest))
        right = len(given) == len(gradients) and all(
            _near(one, factor * other) for one, other in zip(given, gradients, strict=True)
        )
        require(
            right,
            f"the gradients {arrays} have the length {length:.2f} together; with longest = {longest} every "
            f"array must be multiplied by {factor:.4f}. One factor for all of them keeps the direction.",
        )


CHECKERS: dict[str, Callable] = {
    "recurrence-parameters": _parameters,
    "recurrence-loop": _loop,
    "recurrence-half-life": _half_life,
    "recurrence-last": _last,
    "recurrence-backward": _backward,
    "recurrence-clip": _clip,
}
