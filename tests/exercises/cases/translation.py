"""Right and wrong answers to the exercises of the notebook on translation."""

import numpy as np

from mmcourse.exercises import translation as checkers


def bits(weights, base=2.0, normalise=True, skip=True):
    chances = np.array(weights, dtype=float)
    chances = chances / chances.sum() if normalise else chances
    chances = chances[chances > 0] if skip else chances
    with np.errstate(all="ignore"):
        return float(-(chances * np.log(chances)).sum() / np.log(base)) + 0.0


def by_sorting(labels):
    """Sorted by label, each takes the picture that stands half a list further on."""
    order = np.argsort(labels, kind="stable")
    found = np.empty(len(labels), dtype=int)
    found[order] = np.roll(order, len(labels) // 2)
    return found


def by_trying(labels):
    random, array = np.random.default_rng(0), np.array(labels)
    while True:
        found = random.permutation(len(array))
        for _ in range(1000):
            bad = np.flatnonzero(array == array[found])
            if not len(bad):
                return found
            one, other = bad[0], random.integers(len(array))
            found[[one, other]] = found[[other, one]]


def in_place(labels):
    found = by_sorting(labels)
    labels.sort()
    return found


def between(model, jobs, share):
    return checkers.feminine_share(share)


RIGHT = {
    "translation-bits": {"logarithms": bits, "an array": lambda weights: np.float64(bits(weights))},
    "translation-incongruent": {"sorted": by_sorting, "tried": by_trying},
    "translation-between": {"model": between},
}

WRONG = {
    "translation-bits": {
        "nats": lambda weights: bits(weights, base=np.e),
        "not divided by the sum": lambda weights: bits(weights, normalise=False),
        "log of zero": lambda weights: bits(weights, skip=False),
        "number of meanings": lambda weights: np.log2(len(weights)),
        "sign": lambda weights: -bits(weights),
        "a text": lambda weights: f"{bits(weights)}",
    },
    "translation-incongruent": {
        "shuffled": lambda labels: np.random.default_rng(1).permutation(len(labels)),
        "moved by one": lambda labels: np.roll(np.arange(len(labels)), 1),
        "one for all": lambda labels: np.zeros(len(labels), dtype=int),
        "the labels": lambda labels: list(labels)[::-1],
        "in place": in_place,
    },
    "translation-between": {
        "the other way round": lambda model, jobs, share: between(model, jobs, 1 - share),
        "the share itself": lambda model, jobs, share: share / 2 + 0.25,
    },
}
