"""Right and wrong answers to the exercises of "Pipelines"."""

import warnings

import numpy as np
from sklearn.impute import SimpleImputer


def standardise(training, test, *, fit=None, safe=True, own=False, axis=0, centre=True, square=False):
    """Standardising with the faults that the arguments ask for."""
    fit = training if fit is None else fit
    mean, deviation = fit.mean(axis=axis), fit.std(axis=axis)
    if square:
        deviation = deviation**2
    if safe:
        deviation = np.where(deviation == 0, 1.0, deviation)
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


RIGHT = {
    "pipeline-standardise": {
        "a tuple": standardise,
        "a list": lambda training, test: list(standardise(training, test)),
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
    "pipeline-buffer": {
        "one line": lambda place, size: max(0, place - size + 1),
        "an array": lambda place, size: np.maximum(0, place - (size - 1)),
    },
    "pipeline-fill": {
        "by a choice": fill,
        "by scikit-learn": fill_by_sklearn,
        "lists": lambda *arguments: [rows.tolist() for rows in fill(*arguments)],
        "in float32": lambda *arguments: tuple(rows.astype(np.float32) for rows in fill(*arguments)),
    },
}

WRONG = {
    "pipeline-standardise": {
        "fitted on everything": lambda training, test: standardise(
            training, test, fit=np.concatenate([training, test])
        ),
        "each by its own": lambda training, test: standardise(training, test, own=True),
        "one mean for all": lambda training, test: standardise(training, test, axis=None),
        "divided by zero": lambda training, test: standardise(training, test, safe=False),
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
    "pipeline-buffer": {
        "one off": lambda place, size: max(0, place - size),
        "negative": lambda place, size: place - size + 1,
        "anywhere": lambda place, size: 0,
        "where it was": lambda place, size: place,
        "the latest": lambda place, size: place + size - 1,
        "one off at the edge": lambda place, size: place - size + 1 if place > size else 0,
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
}
