"""Checkers of the notebook "Judging classes"."""

from collections.abc import Callable

import numpy as np

from mmcourse.evaluation import classes
from mmcourse.exercises.verdict import call, require


def _number(given, what: str) -> float:
    """The answer as one finite number."""
    given = np.asarray(given, dtype=np.float64)
    require(given.shape == (), f"{what}: expected one number, got the shape {given.shape}")
    require(bool(np.isfinite(given)), f"{what}: expected a finite number, got {given}")
    return float(given)


def _macro_f1(answer) -> None:
    for matrix, what in (
        ([[900, 90], [0, 10]], "the two classes of the text"),
        ([[5, 0, 0], [0, 7, 0], [0, 0, 2]], "three classes, all right"),
        ([[8, 2, 0], [3, 7, 0], [4, 1, 0]], "a class that is never said"),
        ([[8, 2, 0], [3, 7, 0], [0, 0, 0]], "a class that does not occur at all"),
        ([[6, 1, 3], [2, 9, 1], [0, 4, 5]], "three classes"),
    ):
        counts = np.array(matrix)
        lower = counts.sum(axis=0) + counts.sum(axis=1)
        single = np.where(lower > 0, 2 * np.diag(counts) / np.maximum(lower, 1), 0.0)
        with np.errstate(all="ignore"):
            given = np.asarray(call(answer, counts.copy()), dtype=np.float64)
        require(given.shape == (), f"{what}: expected one number, got the shape {given.shape}")
        require(
            bool(np.isfinite(given)),
            f"{what}: you divide by zero, which gives {given}. A class with nothing true and nothing said "
            "has the F1 0.",
        )
        require(
            abs(float(given) - single.mean()) < 1e-6,
            f"{what}: the classes' F1 are {single.round(4).tolist()} and their mean is {single.mean():.4f}; "
            f"you give {float(given):.4f}. Take each class's 2 TP / (2 TP + FP + FN), then the mean.",
        )


def _auc(answer) -> None:
    random = np.random.default_rng(44)
    truths = np.array([1, 0, 1, 0, 0])
    cases = [
        (truths, np.array([0.9, 0.8, 0.6, 0.3, 0.1]), "the five rows of the text"),
        (truths, np.full(5, 0.5), "five equal scores"),
        (truths, np.array([0.1, 0.8, 0.1, 0.8, 0.3]), "a ranking that is upside down"),
        (np.array([0, 1]), np.array([-3.0, 2.0]), "scores that are no probabilities"),
    ]
    many = (random.random(200) < 0.2).astype(int)
    cases.append((many, (random.normal(size=200) + many).round(1), "200 rows with ties"))
    for rows, scores, what in cases:
        expected = classes.roc_auc(rows, scores)
        given = _number(call(answer, rows.copy(), scores.copy()), what)
        require(
            abs(given - expected) < 1e-6,
            f"{what}: of the pairs of a positive and a negative row a share of {expected:.4f} stands in the "
            f"right order, ties counting half; you give {given:.4f}",
        )


def _threshold(answer) -> None:
    random = np.random.default_rng(7)
    truths = (random.random(120) < 0.15).astype(int)
    scores = (1 / (1 + np.exp(-(random.normal(size=120) * 1.5 + 2 * truths - 2)))).round(3)
    few = np.array([0, 1, 0, 0]), np.array([0.9, 0.5, 0.4, 0.4])
    cases = [(truths, scores, miss, 1.0) for miss in (0.5, 1, 10, 1000)]
    cases += [(truths, 10 * scores - 40, 3, 2), (*few, 1, 3), (*few, 10, 1)]
    for rows, values, miss, alarm in cases:

        def cost(place: float, rows=rows, values=values, miss=miss, alarm=alarm) -> float:
            called = values >= place
            return miss * (~called & (rows == 1)).sum() + alarm * (called & (rows == 0)).sum()

        given = np.asarray(call(answer, rows.copy(), values.copy(), miss, alarm), dtype=np.float64)
        require(given.shape == (), f"expected one threshold, got the shape {given.shape}")
        require(not np.isnan(given), "the threshold is NaN")
        least = min(cost(place) for place in np.append(np.unique(values), np.inf))
        require(
            cost(float(given)) <= least + 1e-9,
            f"with {len(rows)} rows, a miss at {miss:g} and a false alarm at {alarm:g}, your threshold "
            f"{float(given):.4g} costs {cost(float(given)):g}, and one costs {least:g}. Try every score that "
            "occurs, with >=, and a threshold above them all.",
        )


def _weights(answer) -> None:
    from sklearn.linear_model import LogisticRegression

    random = np.random.default_rng(3)
    truths = (random.random(500) < 0.1).astype(int)
    rows = random.normal(size=(500, 3)) + 0.9 * truths[:, None]
    parts = rows[:300], truths[:300], rows[300:], truths[300:]
    for weight in (None, "balanced", {0: 1, 1: 3}):
        given = np.asarray(call(answer, *(part.copy() for part in parts), weight), dtype=np.float64)
        require(given.shape == (3,), f"expected AUC, recall and the mean probability, got {given!r}")
        model = LogisticRegression(class_weight=weight).fit(*parts[:2])
        probabilities = model.predict_proba(parts[2])[:, 1]
        expected = (
            classes.roc_auc(parts[3], probabilities),
            classes.recall(parts[3], (probabilities >= 0.5).astype(int)),
            float(probabilities.mean()),
        )
        for value, right, name in zip(given, expected, ("AUC", "recall", "mean probability"), strict=True):
            require(
                abs(value - right) < 0.005,
                f"with class_weight={weight!r} the {name} is {right:.4f}, you give {value:.4f}. Train on the "
                "first two arguments, judge the next two, and use the probability of class 1, the second "
                "column.",
            )


CHECKERS: dict[str, Callable] = {
    "classes-f1": _macro_f1,
    "classes-auc": _auc,
    "classes-threshold": _threshold,
    "classes-weights": _weights,
}
