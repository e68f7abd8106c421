"""Checkers of the notebook "Keep a belief, and weigh each witness by its errors"."""

import functools
from collections.abc import Callable

import numpy as np

from mmcourse.exercises.verdict import call, require


def _correct(answer) -> None:
    random = np.random.default_rng(66)
    nan = float("nan")
    cases = [
        (52.0, 4.0, [49.0], [1.0], "the camera and the radar of the text"),
        (10.0, 1.0, [], [], "no witness at all"),
        (10.0, 100.0, [12.0, nan, 11.0], [1.0, 0.1, 2.0], "a witness that is missing"),
        (0.0, 2.0, random.normal(size=6).tolist(), random.uniform(0.5, 3, 6).tolist(), "six witnesses"),
    ]
    for mean, variance, measured, errors, what in cases:
        given = np.asarray(call(answer, mean, variance, list(measured), list(errors)), dtype=float)
        require(given.shape == (2,), f"{what}: return a mean and a variance, got the shape {given.shape}")
        heard = [(value, error) for value, error in zip(measured, errors, strict=True) if value == value]
        weights = np.array([1 / variance] + [1 / error**2 for _, error in heard])
        values = np.array([mean] + [value for value, _ in heard])
        expected = float(weights @ values / weights.sum()), float(1 / weights.sum())
        for one, right, name in zip(given, expected, ("mean", "variance"), strict=True):
            require(
                abs(one - right) < 1e-6,
                f"{what}: the {name} is {right:.4f}, you give {one:.4f}. The belief and the witnesses each "
                "weigh one over their variance, the square of the standard deviation.",
            )


def _forget(answer) -> None:
    for belief, right, slip, guess, learn, forget in (
        (0.25, True, 0.1, 0.15, 0.12, 0.0),
        (0.25, False, 0.1, 0.15, 0.12, 0.0),
        (0.9, True, 0.2, 0.3, 0.1, 0.25),
        (0.6, False, 0.05, 0.5, 0.3, 0.1),
    ):
        given = np.asarray(call(answer, belief, right, slip, guess, learn, forget), dtype=float)
        require(given.shape == (), f"return one number, got the shape {given.shape}")
        knows = belief * (1 - slip if right else slip)
        after = knows / (knows + (1 - belief) * (guess if right else 1 - guess))
        expected = after * (1 - forget) + (1 - after) * learn
        require(
            abs(float(given) - expected) < 1e-6,
            f"belief {belief}, a {'right' if right else 'wrong'} answer, slip {slip}, guess {guess}, learn "
            f"{learn}, forget {forget}: after the answer the belief is {after:.4f}, before the next one "
            f"{expected:.4f}; you give {float(given):.4f}.",
        )


def _repeats(answer) -> None:
    random = np.random.default_rng(1)
    noisy = random.normal(50, 2, (3, 40))
    frozen = noisy.copy()
    frozen[:, 10:20] = frozen[:, 9:10]
    # One drive ends as the next begins, and one begins as it ends: these are no repetitions.
    twice = np.array([[1.0, 1.0, 2.0, 1.0, 1.0, 1.0, 3.0], [3.0, 2.0, 2.0, 4.0, 1.0, 1.0, 3.0]])
    for values, what in (
        (noisy, "healthy sensors"),
        (frozen, "frozen sensors"),
        (twice, "two short drives"),
    ):
        before = values.copy()
        given = np.asarray(call(answer, values), dtype=float)
        require(np.array_equal(values, before), f"{what}: the array that you were given has changed; copy it")
        require(given.shape == values.shape, f"{what}: expected the shape {values.shape}, got {given.shape}")
        same = np.zeros(values.shape, dtype=bool)
        same[:, 1:] = values[:, 1:] == values[:, :-1]
        expected = np.where(same, np.nan, values)
        require(
            np.array_equal(given, expected, equal_nan=True),
            f"{what}: {int(same.sum())} measurements equal the one before them, in the same drive, and "
            f"become NaN; you give {int(np.isnan(given).sum())} NaN. The first of equal ones "
            "stays, and so do all others.",
        )


@functools.cache
def _assumed_error(camera: float) -> float:
    """What the exercise asks for, computed once for each error."""
    from mmcourse.applications import tracking
    from mmcourse.data.synthetic_witnesses import simulate_drives

    drives = simulate_drives(100, seed=1, failure="fog")
    believed, _ = tracking.kalman(drives.measured, {"camera": camera, "radar": 1.0})
    off = (believed - drives.distance)[:, 20:]
    return float(np.sqrt((off**2).mean(axis=1)).mean())


def _assumed(answer) -> None:
    for camera in (2, 16):
        given = np.asarray(call(answer, camera), dtype=float)
        require(given.shape == (), f"return one number, got the shape {given.shape}")
        expected = _assumed_error(camera)
        require(
            abs(float(given) - expected) < 0.005,
            f"with {camera} metres assumed the mean error is {expected:.3f}, you give {float(given):.3f}. "
            "Take each drive's root of the mean square from step 20 on, then the mean over the drives.",
        )


CHECKERS: dict[str, Callable] = {
    "tracking-correct": _correct,
    "tracking-forget": _forget,
    "tracking-repeats": _repeats,
    "tracking-assumed": _assumed,
}
