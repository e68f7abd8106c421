"""Checkers of the notebook "What an answer rests on"."""

from collections.abc import Callable

import numpy as np

from mmcourse.evaluation.intervals import wilson_interval
from mmcourse.exercises.verdict import call, require


def _grad_cam(answer) -> None:
    random = np.random.default_rng(83)
    features = np.array([[[4.0, 0.0], [0.0, 2.0]], [[0.0, 2.0], [0.0, 4.0]]])
    gradients = np.array([[[1.0, -1.0], [0.0, -1.0]], [[1.0, 0.0], [2.0, 0.0]]])
    cases = [
        (features, gradients, "two channels of 2 x 2"),
        (features, -gradients, "the same with the signs turned"),
        (random.normal(size=(3, 5, 7)), random.normal(size=(3, 5, 7)), "seven channels of 3 x 5"),
    ]
    for one, other, what in cases:
        given = np.asarray(call(answer, one.copy(), other.copy()), dtype=float)
        require(
            given.shape == one.shape[:2],
            f"{what}: expected a map of the shape {one.shape[:2]}, got {given.shape}",
        )
        weights = other.mean(axis=(0, 1))
        expected = np.maximum(one @ weights, 0)
        require(
            np.allclose(given, expected, atol=1e-9),
            f"{what}: the weights of the channels are {weights[:2].round(3).tolist()}…, so the map begins "
            f"with {expected.ravel()[:4].round(3).tolist()}; yours with "
            f"{given.ravel()[:4].round(3).tolist()}. The weight of a channel is the mean of "
            "its gradient; what is below 0 becomes 0.",
        )


def _integrated(answer) -> None:
    cases = [
        (lambda x: np.array([x[1], x[0]]), np.array([2.0, 3.0]), np.zeros(2), 4, "the product of two inputs"),
        (
            lambda x: np.array([x[1], x[0]]),
            np.array([2.0, 3.0]),
            np.array([1.0, -1.0]),
            4,
            "another baseline",
        ),
        (lambda x: 3 * x**2, np.array([2.0, -1.0, 0.5]), np.zeros(3), 2, "a sum of cubes, two steps"),
        (lambda x: (x < 1).astype(float), np.array([2.0]), np.zeros(1), 10, "a score that no longer rises"),
    ]
    for gradient, inputs, baseline, steps, what in cases:
        given = np.asarray(call(answer, gradient, inputs.copy(), baseline.copy(), steps), dtype=float)
        require(given.shape == inputs.shape, f"{what}: expected {inputs.shape} shares, got {given.shape}")
        way = inputs - baseline
        places = (np.arange(steps) + 0.5) / steps
        expected = way * np.mean([gradient(baseline + place * way) for place in places], axis=0)
        require(
            np.allclose(given, expected, atol=1e-9),
            f"{what}: expected {expected.round(3).tolist()}, got {given.round(3).tolist()}. The points are "
            f"the middles of {steps} equal pieces of the way from the baseline to the input; the mean of the "
            "gradients is multiplied by that way.",
        )


def _epsilon(answer) -> None:
    random = np.random.default_rng(3)
    cases = [
        (np.array([[1.0, -1.0], [-1.0, 1.0]]), np.zeros(2), np.array([2.0, 1.0]), "two classes"),
        (np.array([[1.0, -1.0], [-1.0, 1.0]]), np.array([0.0, 5.0]), np.array([2.0, 1.0]), "with a bias"),
        (
            np.array([[3.0, 0.0], [2.5, 0.0], [0.0, 9.0]]),
            np.array([0.0, 0.2, -7.5]),
            np.ones(2),
            "three classes, of which the second is not the easiest to reach",
        ),
    ]
    cases += [
        (random.normal(size=(10, 64)), random.normal(size=10), random.random(64), f"ten classes, case {n}")
        for n in range(5)
    ]
    for weights, bias, picture, what in cases:
        given = call(answer, weights.copy(), bias.copy(), picture.copy())
        require(np.ndim(given) == 0 and given is not None, f"{what}: expected one number, got {given!r}")
        scores = weights @ picture + bias
        best = int(scores.argmax())
        others = [k for k in range(len(bias)) if k != best]
        needed = [(scores[best] - scores[k]) / np.abs(weights[best] - weights[k]).sum() for k in others]
        require(
            abs(float(given) - min(needed)) < 1e-9,
            f"{what}: class {best} wins, and class {others[int(np.argmin(needed))]} catches up at epsilon "
            f"{min(needed):.4f}; you give {float(given):.4f}. Each value moves by epsilon at most, which "
            "brings two scores nearer by epsilon times the sum of the absolute differences of their weights.",
        )


def _artist(answer) -> None:
    found = call(answer)
    require(isinstance(found, dict), f"return a dictionary, got {type(found).__name__}")
    names = {"answer right", "answer wrong", "intervals", "warns"}
    require(set(found) == names, f"expected the keys {sorted(names)}, got {sorted(found, key=str)}")
    shares = []
    for name in ("answer right", "answer wrong"):
        pair = np.asarray(found[name])
        require(
            pair.shape == (2,) and np.issubdtype(pair.dtype, np.integer) and bool((pair >= 0).all()),
            f'"{name}" holds two counts: maps that point at the cell asked for, and the other maps; got '
            f"{found[name]!r}",
        )
        shares.append((int(pair[0]), int(pair.sum())))
    total = sum(count for _, count in shares)
    require(total >= 32, f"32 questions at least, got {total}")
    require(
        all(count for _, count in shares),
        "the other artist's pictures give right and wrong answers; you have one kind only. Are the pictures "
        'those of split="unseen_artist", and the maps those of the answers that the model writes?',
    )
    expected = [wilson_interval(*pair) for pair in shares]
    require(
        not isinstance(found["intervals"], dict),
        '"intervals" is a list of two intervals, right answers first; got a dictionary',
    )
    given = np.asarray(found["intervals"], dtype=float)
    require(
        given.shape == (2, 2) and np.allclose(given, expected, atol=0.006),
        f'"intervals": expected {np.round(expected, 2).tolist()} for the shares of maps that point at the '
        f"cell, right answers first, got {np.round(given, 2).tolist()}",
    )
    apart = expected[0][0] > expected[1][1]
    warns = found["warns"]
    require(isinstance(warns, bool | np.bool_), f'"warns" is True or False, got {warns!r}')
    require(
        bool(warns) == apart,
        f'"warns" is True if the interval for right answers lies above that for wrong ones, which is {apart} '
        "here.",
    )


CHECKERS: dict[str, Callable] = {
    "interpretation-grad-cam": _grad_cam,
    "interpretation-integrated": _integrated,
    "interpretation-epsilon": _epsilon,
    "interpretation-artist": _artist,
}
