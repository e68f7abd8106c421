"""Right and wrong answers to the exercises of "Pipelines that do not leak"."""

import numpy as np


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


RIGHT = {
    "pipelines-standardise": {
        "a tuple": standardise,
        "a list": lambda training, test: list(standardise(training, test)),
    },
    "pipelines-crossing": {
        "a sorted list": crossing,
        "a set": lambda *arguments: set(crossing(*arguments)),
        "an array": lambda groups, training, test: np.intersect1d(
            np.array(groups)[training], np.array(groups)[test]
        ),
    },
    "pipelines-buffer": {
        "one line": lambda place, size: max(0, place - size + 1),
        "an array": lambda place, size: np.maximum(0, place - (size - 1)),
    },
}

WRONG = {
    "pipelines-standardise": {
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
    "pipelines-crossing": {
        "all groups": lambda groups, training, test: sorted(set(groups)),
        "none": lambda groups, training, test: [],
        "with repetitions": lambda groups, training, test: [
            groups[row] for row in test if groups[row] in [groups[other] for other in training]
        ],
        "the rows": lambda groups, training, test: [
            row for row in test if groups[row] in [groups[other] for other in training]
        ],
        "how many": lambda *arguments: len(crossing(*arguments)),
        "shared rows": lambda groups, training, test: sorted(set(training) & set(test)),
    },
    "pipelines-buffer": {
        "one off": lambda place, size: max(0, place - size),
        "negative": lambda place, size: place - size + 1,
        "anywhere": lambda place, size: 0,
        "where it was": lambda place, size: place,
        "the latest": lambda place, size: place + size - 1,
    },
}
