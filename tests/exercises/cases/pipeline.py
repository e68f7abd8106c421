"""Right and wrong answers to the exercises of "Pipelines"."""

import functools
import warnings

import numpy as np
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from mmcourse import pipeline


def standardise(
    training, test, *, fit=None, safe="constant", own=False, axis=0, centre=True, square=False, ddof=0
):
    """Standardising with the faults that the arguments ask for."""
    fit = training if fit is None else fit
    mean, deviation = fit.mean(axis=axis), fit.std(axis=axis, ddof=ddof)
    if square:
        deviation = deviation**2
    if safe:
        constant = np.ptp(fit, axis=axis) == 0 if safe == "constant" else deviation == 0
        deviation = np.where(constant, 1.0, deviation)
    if own:
        of_test = np.where(test.std(axis=0) == 0, 1.0, test.std(axis=0))
        return (training - mean) / deviation, (test - test.mean(axis=0)) / of_test
    mean = mean if centre else 0 * mean
    with np.errstate(all="ignore"):
        return (training - mean) / deviation, (test - mean) / deviation


def crossing(groups, training, test):
    return sorted({groups[row] for row in training} & {groups[row] for row in test})


def fill(training, test, *, fit=None, middle=np.nanmean, axis=0, late=False, known=False):
    """Filling and marking with the faults that the arguments ask for."""
    value = middle(training if fit is None else fit, axis=axis)
    found = []
    for rows in (training, test):
        filled = np.where(np.isnan(rows), value, rows)
        marks = np.isnan(filled if late else rows)
        found.append(np.hstack([filled, ~marks if known else marks]))
    return tuple(found)


def fill_each_by_its_own(training, test):
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a column of the test may hold nothing but nan
        return fill(training, test)[0], fill(test, test)[1]


def fill_by_sklearn(training, test):
    step = SimpleImputer().fit(training)
    return [np.hstack([step.transform(rows), np.isnan(rows)]) for rows in (training, test)]


@functools.cache
def coins(features, first=0):
    """Mean scores on coins: features selected on all rows, and on the training rows alone."""
    scores = []
    for number in range(first, first + 20):
        random = np.random.default_rng(number)
        rows, tossed = random.normal(size=(100, features)), random.permutation(100) % 2
        train, test = pipeline.split_random(100, {"train": 0.8, "test": 0.2}, number).values()
        for seen in (np.arange(100), train):
            chosen = SelectKBest(k=20).fit(rows[seen], tossed[seen]).transform(rows)
            model = LogisticRegression().fit(chosen[train], tossed[train])
            scores.append(model.score(chosen[test], tossed[test]))
    return tuple(np.reshape(scores, (20, 2)).mean(axis=0))


RIGHT = {
    "pipeline-standardise": {
        "a tuple": standardise,
        "a list": lambda training, test: list(standardise(training, test)),
        "by scikit-learn": lambda training, test: [
            StandardScaler().fit(training).transform(rows) for rows in (training, test)
        ],
    },
    "pipeline-crossing": {
        "a sorted list": crossing,
        "a set": lambda *arguments: set(crossing(*arguments)),
        "a frozen set": lambda *arguments: frozenset(crossing(*arguments)),
        "keys": lambda *arguments: dict.fromkeys(crossing(*arguments)).keys(),
        "an array": lambda groups, training, test: np.intersect1d(
            np.array(groups)[training], np.array(groups)[test]
        ),
    },
    "pipeline-fill": {
        "by a choice": fill,
        "by scikit-learn": fill_by_sklearn,
        "lists": lambda *arguments: [rows.tolist() for rows in fill(*arguments)],
        "in float32": lambda *arguments: tuple(rows.astype(np.float32) for rows in fill(*arguments)),
    },
    "pipeline-coins": {
        "a tuple": coins,
        "an array": lambda features: np.array(coins(features)),
    },
}

WRONG = {
    "pipeline-standardise": {
        "fitted on everything": lambda training, test: standardise(
            training, test, fit=np.concatenate([training, test])
        ),
        "each by its own": lambda training, test: standardise(training, test, own=True),
        "one mean for all": lambda training, test: standardise(training, test, axis=None),
        "divided by zero": lambda training, test: standardise(training, test, safe=""),
        "only an exact zero is mended": lambda training, test: standardise(training, test, safe="zero"),
        "another deviation": lambda training, test: standardise(training, test, ddof=1),
        "not centred": lambda training, test: standardise(training, test, centre=False),
        "variance": lambda training, test: standardise(training, test, square=True),
        "only the test rows": lambda training, test: standardise(training, test)[1],
        "exchanged": lambda training, test: standardise(training, test)[::-1],
    },
    "pipeline-crossing": {
        "all groups": lambda groups, training, test: sorted(set(groups)),
        "none": lambda groups, training, test: [],
        "side by side": lambda groups, training, test: sorted(
            {groups[row] for row, other in zip(training, test, strict=False) if groups[row] == groups[other]}
        ),
        "training first": lambda groups, training, test: sorted(
            set(groups[: len(training)]) & set(groups[len(training) :])
        ),
        "repeated in training": lambda groups, training, test: [
            groups[row] for row in training if groups[row] in [groups[other] for other in test]
        ],
        "with repetitions": lambda groups, training, test: [
            groups[row] for row in test if groups[row] in [groups[other] for other in training]
        ],
        "the rows": lambda groups, training, test: [
            row for row in test if groups[row] in [groups[other] for other in training]
        ],
        "how many": lambda *arguments: len(crossing(*arguments)),
        "shared rows": lambda groups, training, test: sorted(set(training) & set(test)),
    },
    "pipeline-fill": {
        "fitted on everything": lambda training, test: fill(
            training, test, fit=np.concatenate([training, test])
        ),
        "each by its own": fill_each_by_its_own,
        "median": lambda *arguments: fill(*arguments, middle=np.nanmedian),
        "one mean for all": lambda *arguments: fill(*arguments, axis=None),
        "zeros": lambda *arguments: fill(*arguments, middle=lambda rows, axis: 0.0),
        "missing counted as 0": lambda *arguments: fill(
            *arguments, middle=lambda rows, axis: np.nan_to_num(rows).mean(axis=axis)
        ),
        "marked after filling": lambda *arguments: fill(*arguments, late=True),
        "known ones marked": lambda *arguments: fill(*arguments, known=True),
        "not marked": lambda *arguments: tuple(rows[:, : rows.shape[1] // 2] for rows in fill(*arguments)),
        "marks on the left": lambda *arguments: tuple(
            np.roll(rows, rows.shape[1] // 2, axis=1) for rows in fill(*arguments)
        ),
        "one mark a row": lambda *arguments: tuple(
            np.hstack(
                [rows[:, : rows.shape[1] // 2], rows[:, rows.shape[1] // 2 :].max(axis=1, keepdims=True)]
            )
            for rows in fill(*arguments)
        ),
        "not filled": lambda training, test: tuple(
            np.hstack([rows, np.isnan(rows)]) for rows in (training, test)
        ),
        "only the test rows": lambda *arguments: fill(*arguments)[1],
        "exchanged": lambda *arguments: fill(*arguments)[::-1],
    },
    "pipeline-coins": {
        "exchanged": lambda features: coins(features)[::-1],
        "always a thousand features": lambda features: coins(1000),
        "twice the first program": lambda features: (coins(features)[0],) * 2,
        "twice the second program": lambda features: (coins(features)[1],) * 2,
        "other seeds for the second": lambda features: (coins(features)[0], coins(features, first=100)[1]),
        "a guess": lambda features: (0.8, 0.5),
        "sums": lambda features: [20 * score for score in coins(features)],
        "one number": lambda features: coins(features)[0],
    },
}
