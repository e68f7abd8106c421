"""Right and wrong answers to the exercises of the notebook on the quality of data."""

import numpy as np

from mmcourse.evaluation.intervals import mean_interval


def next_labels(probabilities, count, *, by="margin", kind="stable"):
    best = np.sort(probabilities, axis=1)
    lead = {
        "margin": best[:, -1] - best[:, -2],
        "confidence": best[:, -1],
        "all": best[:, -1] - best[:, 0],
        "most": best[:, -2] - best[:, -1],
    }[by]
    order = np.argsort(lead, kind=kind)[:count]
    return order if kind == "stable" else np.argsort(lead[::-1], kind="stable")[:count]


def next_by_loop(probabilities, count):
    leads = []
    for row, chances in enumerate(probabilities.tolist()):
        first, second = sorted(chances)[::-1][:2]
        leads.append((first - second, row))
    return [row for _, row in sorted(leads)[:count]]


def balanced(given, *, mean=True, inverse=True, classes=True):
    _, number, counts = np.unique(given, return_inverse=True, return_counts=True)
    weights = 1 / counts[number] if inverse else counts[number] / len(given)
    if not mean:
        return weights
    return weights * len(given) / (len(counts) if classes else 1)


def balanced_by_library(given):
    from sklearn.utils.class_weight import compute_sample_weight

    return compute_sample_weight("balanced", given)


def mistakes(given, table, *, usual=True, turned=False, diagonal=True, everyone=False):
    kinds = table.shape[1]
    least = [table[given == one, one].mean() if usual else 0.0 for one in range(kinds)]
    plausible = np.where(table >= least, table, -1)
    rows = plausible.max(axis=1) >= 0
    believed = plausible.argmax(axis=1)
    if everyone:
        believed, rows = np.where(rows, believed, given), np.ones(len(given), bool)
    counts = np.zeros((kinds, kinds), int)
    np.add.at(counts, (given[rows], believed[rows]), 1)
    if not diagonal:
        np.fill_diagonal(counts, 0)
    return counts.T if turned else counts


NONE = [0.848, 0.830, 0.794, 0.833, 0.829]


def report(doubted, margin, *, start=NONE, pays=None, paired=True):
    scores = {"no look": start, "old, most doubted": doubted, "new, least margin": margin}
    gains = {name: np.subtract(scores[name], start) for name in list(scores)[1:]}
    ends = {name: mean_interval(gain) for name, gain in gains.items()}
    if not paired:
        ends = {name: mean_interval(scores[name]) for name in gains}
    found = [name for name in gains if mean_interval(gains[name])[0] > 0]
    return lambda: scores | {"intervals": ends, "pays": found if pays is None else pays}


DOUBTED = [0.846, 0.838, 0.796, 0.815, 0.833]
MARGIN = [0.850, 0.841, 0.802, 0.855, 0.842]
BOTH = ["old, most doubted", "new, least margin"]

RIGHT = {
    "data-quality-next": {"argsort": next_labels, "loop": next_by_loop},
    "data-quality-weights": {"counts": balanced, "library": balanced_by_library},
    "data-quality-mistakes": {"table": mistakes},
    "data-quality-careless": {
        "measured": report(DOUBTED, MARGIN),
        "as a set": report(DOUBTED, MARGIN, pays={"new, least margin"}),
    },
}
WRONG = {
    "data-quality-next": {
        "least confidence": lambda *given: next_labels(*given, by="confidence"),
        "best less worst": lambda *given: next_labels(*given, by="all"),
        "greatest margin": lambda *given: next_labels(*given, by="most"),
        "ties turned round": lambda table, count: len(table) - 1 - next_labels(table[::-1], count),
        "sorted at random where rows tie": lambda table, count: np.argsort(
            np.diff(np.sort(table, axis=1), axis=1)[:, -1]
        )[:count],
        "not sorted among themselves": lambda table, count: np.argpartition(
            np.diff(np.sort(table, axis=1), axis=1)[:, -1], count
        )[:count],
        "too many": lambda table, count: next_labels(table, count + 1),
    },
    "data-quality-weights": {
        "mean is not 1": lambda given: balanced(given, mean=False),
        "frequent ones weigh more": lambda given: balanced(given, inverse=False),
        "classes not counted": lambda given: balanced(given, classes=False),
        "all alike": lambda given: np.ones(len(given)),
    },
    "data-quality-mistakes": {
        "no threshold": lambda *given: mistakes(*given, usual=False),
        "turned": lambda *given: mistakes(*given, turned=True),
        "no diagonal": lambda *given: mistakes(*given, diagonal=False),
        "the others counted as right": lambda *given: mistakes(*given, everyone=True),
    },
    "data-quality-careless": {
        "one pays that does not": report(DOUBTED, MARGIN, pays=BOTH),
        "intervals of the scores": report(DOUBTED, MARGIN, paired=False),
        "a fifth of the looks wrong": report([s + 0.025 for s in NONE[:4]] + [0.853], MARGIN),
        "careful looks": report([s + 0.06 for s in NONE[:4]] + [0.88], MARGIN),
        "four draws": report(DOUBTED[:4], MARGIN[:4], start=NONE[:4]),
        "one draw five times": report([0.83] * 5, [0.84] * 5, start=[0.82] * 5),
    },
}
