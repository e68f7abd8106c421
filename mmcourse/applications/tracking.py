"""A belief about what cannot be seen: the car ahead, and what a pupil knows (notebook 66).

Both are filters: predict, then correct by each witness according to its errors. The data are synthetic
(:mod:`mmcourse.data.synthetic_witnesses`).

Sources: Kalman (1960); Corbett and Anderson (1995) for knowledge tracing.
"""

import numpy as np

from mmcourse import checks
from mmcourse.applications.handwriting import read_digits
from mmcourse.data.synthetic_witnesses import GUESS, JERK, LEARN, PRIOR, SLIP, STEP, Pupils

START = np.diag([100.0, 4.0])  # variances of the first belief: metres squared, (metres a second) squared
CHANCE = 0.1  # how probable each digit is before it is read


def kalman(
    measured: dict[str, np.ndarray], errors: dict[str, np.ndarray | float], gate: float = np.inf
) -> tuple[np.ndarray, np.ndarray]:
    """Follow the distance to the car ahead (Kalman 1960), for all drives at once.

    The state is distance and relative speed. In each step the belief moves on by :data:`STEP`, gets less
    sure by :data:`JERK`, and is corrected by each sensor in turn with the weight that its error leaves it.

    Args:
        measured: sensor -> ``(drives, steps)``; NaN where it measured nothing.
        errors: sensor -> standard deviation that is *assumed*, in metres: a number or ``(drives, steps)``.
        gate: a measurement is left out if its squared surprise, divided by its expected square, is greater.

    Returns:
        Estimated distances and their standard deviations, both ``float64`` ``(drives, steps)``.

    Raises:
        ValueError: no sensor, different shapes, a sensor without an error, or an error or a gate not above 0.
    """
    if not measured or set(measured) - set(errors):
        raise ValueError(
            f"each sensor needs an error: got {', '.join(measured) or 'no sensor'}, {list(errors)}"
        )
    shape = np.shape(next(iter(measured.values())))
    assumed = {name: np.broadcast_to(np.asarray(errors[name], dtype=float), shape) for name in measured}
    if len(shape) != 2 or any(np.shape(values) != shape for values in measured.values()):
        raise ValueError("measurements must be arrays (drives, steps) of one shape")
    if not gate > 0 or any((values <= 0).any() for values in assumed.values()):
        raise ValueError("errors and the gate must be above 0")
    move = np.array([[1.0, STEP], [0.0, 1.0]])
    push = JERK**2 * np.outer([STEP**2 / 2, STEP], [STEP**2 / 2, STEP])
    # The belief before the first measurement: anywhere near the first of any sensor.
    first = np.nanmean([values[:, 0] for values in measured.values()], axis=0)
    mean = np.stack([np.nan_to_num(first), np.zeros(shape[0])], axis=1)  # (drives, 2)
    cover = np.broadcast_to(START, (shape[0], 2, 2)).copy()  # (drives, 2, 2)
    found, spread = np.empty(shape), np.empty(shape)
    for step in range(shape[1]):
        if step:
            mean, cover = mean @ move.T, move @ cover @ move.T + push
        for name, values in measured.items():
            surprise = values[:, step] - mean[:, 0]
            expected = cover[:, 0, 0] + assumed[name][:, step] ** 2
            trusted = np.nan_to_num(surprise**2 / expected, nan=np.inf) <= min(gate, np.finfo(float).max)
            gain = cover[:, :, 0] / expected[:, None] * trusted[:, None]  # (drives, 2)
            mean = mean + gain * np.nan_to_num(surprise)[:, None]
            cover = cover - gain[:, :, None] * cover[:, None, 0, :]
        found[:, step], spread[:, step] = mean[:, 0], np.sqrt(cover[:, 0, 0])
    return found, spread


def read_answers(pupils: Pupils) -> np.ndarray:
    """How probable the reader finds it that each picture shows the sum: ``(pupils, exercises)``."""
    shape = pupils.written.shape
    given = read_digits(pupils.answers.reshape(-1, *pupils.answers.shape[2:])).reshape(*shape, 10)
    return np.take_along_axis(given, pupils.sums.sum(axis=2)[..., None], axis=2)[..., 0]


def trace(right: np.ndarray, soft: bool = False, misread: tuple[float, float] = (0.0, 0.0)) -> np.ndarray:
    """Follow how probable it is that each pupil knows, after each answer (Corbett and Anderson 1995).

    Args:
        right: ``(pupils, exercises)``. Marks, 1 or 0; or with ``soft``, the reader's probability that the
            picture shows the right digit, given that each digit was equally likely (:data:`CHANCE`) before.
        soft: take the probability for what it is, evidence, instead of a mark.
        misread: shares of right answers that are marked wrong, and of wrong ones that are marked right, which
            a mark is then weighed by; unused if ``soft``.

    Returns:
        ``float64`` ``(pupils, exercises)``: the belief after the answer, before learning from the exercise.

    Raises:
        ValueError: not two axes, values outside 0 to 1, or ``misread`` is not two shares from 0 to 0.5.
    """
    right = np.asarray(right, dtype=float)
    if right.ndim != 2 or not ((right >= 0) & (right <= 1)).all():
        raise ValueError(
            f"expected marks or probabilities (pupils, exercises) from 0 to 1, got {right.shape}"
        )
    if np.shape(misread) != (2,):
        raise ValueError(f"misread must be two shares, of right and of wrong answers, got {misread!r}")
    for share in misread:
        checks.check_between("misread", share, 0, 0.5)
    if soft:  # how well each fact explains the picture: Bayes' rule without the reader's own prior
        if_right, if_wrong = right / CHANCE, (1 - right) / (1 - CHANCE)
    else:
        missed, passed = misread
        if_right = np.where(right >= 0.5, 1 - missed, missed)
        if_wrong = np.where(right >= 0.5, passed, 1 - passed)
    belief, beliefs = np.full(len(right), PRIOR), []
    for one, other in zip(if_right.T, if_wrong.T, strict=True):
        knows = belief * ((1 - SLIP) * one + SLIP * other)
        does_not = (1 - belief) * (GUESS * one + (1 - GUESS) * other)
        beliefs.append(knows / (knows + does_not))
        belief = beliefs[-1] + (1 - beliefs[-1]) * LEARN
    return np.stack(beliefs, axis=1)
