"""Checkers of the notebook "A diagnosis at its threshold and its prevalence"."""

import functools
from collections.abc import Callable

import numpy as np

from mmcourse.exercises.verdict import call, require


def _positive(answer) -> None:
    for sensitivity, specificity, prevalence, count in (
        (0.9, 0.9, 0.01, 1),
        (0.9, 0.9, 0.01, 2),
        (0.8, 0.95, 0.001, 3),
        (0.6, 0.7, 0.4, 2),
        (0.9, 0.9, 0.2, 0),
    ):
        given = float(call(answer, sensitivity, specificity, prevalence, count))
        odds = prevalence / (1 - prevalence) * (sensitivity / (1 - specificity)) ** count
        right = odds / (1 + odds)
        require(
            abs(given - right) < 1e-6,
            f"sensitivity {sensitivity}, specificity {specificity}, prevalence {prevalence}, {count} "
            f"positive results: expected {right:.4f}, got {given:.4f}. Each positive result multiplies the "
            "odds, p / (1 - p), by sensitivity / (1 - specificity).",
        )


def _threshold(answer) -> None:
    random = np.random.default_rng(63)
    many = (random.random(400) < 0.3).astype(int)
    cases = [
        (np.array([1, 0, 1, 0, 1, 1]), np.array([0.9, 0.8, 0.7, 0.4, 0.3, 0.2])),
        (np.array([1, 1, 1, 0, 0, 0]), np.array([0.5, 0.5, 0.2, 0.5, 0.2, 0.1])),
        (many, np.round(many + random.normal(0, 1, 400), 1)),
    ]
    for truths, scores in cases:
        for sensitivity in (0.5, 0.75, 0.9, 1.0):
            given = float(call(answer, truths.copy(), scores.copy(), sensitivity))
            ill = scores[truths == 1]
            right = max(place for place in ill if (ill >= place).mean() >= sensitivity - 1e-9)
            require(
                given == right,
                f"{len(truths)} patients, sensitivity at least {sensitivity}: expected the threshold "
                f"{right:g}, which finds {(ill >= right).mean():.3f} of the ill, got {given:g}, which finds "
                f"{(ill >= given).mean():.3f}. It is the score of an ill patient, and as high as possible.",
            )


def _cold(answer) -> None:
    random = np.random.default_rng(7)
    full = np.divmod(np.arange(24), 4)
    thin = random.integers(12, size=60), random.integers(7, size=60)
    for drugs, targets, new_drugs, new_targets in (
        (*full, [1, 4], [0]),
        (*thin, [0, 3, 5], [2, 6]),
        (*thin, [11], [0, 1, 2]),
    ):
        given = call(answer, drugs.copy(), targets.copy(), list(new_drugs), list(new_targets))
        require(
            isinstance(given, list | tuple) and len(given) == 2,
            "return two arrays of row numbers: the training rows and the test rows",
        )
        train, test = (np.asarray(part) for part in given)
        require(
            train.dtype != bool and test.dtype != bool,
            "return row numbers, not masks of True and False: np.flatnonzero turns one into the other",
        )
        train, test = train.tolist(), test.tolist()
        is_new = np.isin(drugs, new_drugs), np.isin(targets, new_targets)
        what = f"{len(drugs)} pairs, new drugs {new_drugs}, new targets {new_targets}"
        right = np.flatnonzero(is_new[0] & is_new[1]).tolist()
        require(
            test == right,
            f"{what}: the test holds the rows {right}, whose drug and target are both new, got {test}",
        )
        right = np.flatnonzero(~is_new[0] & ~is_new[1]).tolist()
        require(
            train == right,
            f"{what}: expected {len(right)} training rows, ascending, got {len(train)}. A row with one new "
            "half tells of that half: it belongs to neither part.",
        )


@functools.cache
def _area(mark: tuple[float, float]) -> float:
    """What the exercise asks for, computed once for each hospital."""
    from mmcourse.applications import patches
    from mmcourse.data.synthetic_patients import simulate_patients
    from mmcourse.evaluation import classes

    patients = simulate_patients("test", mark=mark, missing=False)
    scores = patches.read_pictures(patches.picture_reader(0, patches.MARKED), patients.pictures)
    return classes.roc_auc(patients.cancer, scores)


def _mark(answer) -> None:
    for mark in ((0.1, 0.9), (0.5, 0.5), (0.9, 0.1)):
        given = float(call(answer, mark))
        right = _area(mark)
        require(
            abs(given - right) < 0.005,
            f"where {mark[0]:.0%} of the healthy and {mark[1]:.0%} of the ill carry the mark, the AUC is "
            f"{right:.3f}, you give {given:.3f}. Take the reader that was trained with the mark, "
            'picture_reader(0, patches.MARKED), and the patients simulate_patients("test", mark=mark, '
            "missing=False).",
        )


CHECKERS: dict[str, Callable] = {
    "medicine-positive": _positive,
    "medicine-threshold": _threshold,
    "medicine-cold": _cold,
    "medicine-mark": _mark,
}
