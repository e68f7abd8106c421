"""Right and wrong answers to the exercises of the notebook on privacy."""

import functools

import numpy as np
from sklearn.metrics import cohen_kappa_score

from mmcourse.data import digits
from mmcourse.exercises.privacy import USES
from mmcourse.outlook import privacy

CLASSES_OF_USES = {letter: right for letter, (right, _) in USES.items()}


def by_largest(kernel, bias):
    largest = np.argmax(np.abs(bias))
    return kernel[:, largest] / bias[largest]


def by_least_squares(kernel, bias):
    return kernel @ bias / (bias @ bias)


def by_peer(first, second):
    return 1.0 if len(set(first) | set(second)) == 1 else cohen_kappa_score(first, second)


def agreement(first, second):
    return np.mean([a == b for a, b in zip(first, second, strict=True)])


def chance_of_equal_labels(first, second):
    chance = 1 / len(set(first) | set(second))
    return 1.0 if chance == 1 else (agreement(first, second) - chance) / (1 - chance)


def not_divided(first, second):
    chance = sum(first.count(k) * second.count(k) for k in set(first)) / len(first) ** 2
    return 1.0 if chance == 1 else agreement(first, second) - chance


@functools.cache
def rare(kept=100, digit=7, epsilon=1.0, delta=1e-4, rate=40.0, models=5, split="test"):
    data = digits.load()
    images, labels = data.part("train")
    others, truth = data.part(split)
    gone = np.flatnonzero(labels == digit)[kept:]
    rows, told = np.delete(privacy.features(images), gone, axis=0), np.delete(labels, gone)
    noise = privacy.noise_for(epsilon, 0.2, 60, delta)
    private = {"clip": 0.3, "sample": 0.2, "noise": noise, "seed": 0}
    found = {}
    for name, options in {"plain": {}, "clipped": {"clip": 0.3}, "private": private}.items():
        weights = privacy.train(rows, told, np.ones((models, len(told)), bool), 60, rate, **options)
        test, known = privacy.features(others), truth == digit
        found[name] = tuple(
            privacy.accuracies(weights, test[some], truth[some]).mean() for some in (known, ~known)
        )
    return found


RIGHT = {
    "privacy-gradient": {"largest": by_largest, "least squares": by_least_squares},
    "privacy-kappa": {"scikit-learn": by_peer},
    "privacy-rare": {"trained": rare},
    "privacy-uses": {"classes": lambda: CLASSES_OF_USES},
    "privacy-review": {"set": lambda: {"b", "e", "f", "g"}, "list": lambda: ["g", "f", "e", "b"]},
}

WRONG = {
    "privacy-gradient": {
        "not divided": lambda kernel, bias: kernel[:, np.argmax(np.abs(bias))],
        "the first class": lambda kernel, bias: kernel[:, 0] / (bias[0] + 1e-12),
        "a row": lambda kernel, bias: kernel[0] / bias[0] if bias[0] else kernel[0],
        "sum over the classes": lambda kernel, bias: kernel.sum(axis=1),
    },
    "privacy-kappa": {
        "raw agreement": agreement,
        "labels equally frequent": chance_of_equal_labels,
        "not divided": not_divided,
        "a pair": lambda first, second: (by_peer(first, second), 1.0),
    },
    "privacy-rare": {
        "all sevens": lambda: rare(kept=350),
        "another digit": lambda: rare(digit=1),
        "training part": lambda: rare(split="train"),
        "one model": lambda: rare(models=1),
        "the rate 10": lambda: rare(rate=10.0),
        "a looser delta": lambda: rare(delta=1e-3),
        "epsilon 2": lambda: rare(epsilon=2.0),
    },
    "privacy-uses": {
        "one class for all": lambda: dict.fromkeys(USES, "high-risk"),
        "one missing": lambda: {letter: right for letter, right in CLASSES_OF_USES.items() if letter != "g"},
        "unknown class": lambda: CLASSES_OF_USES | {"a": "forbidden"},
        "the game is transparency": lambda: CLASSES_OF_USES | {"d": "transparency"},
    },
    "privacy-review": {
        "licence of data forgotten": lambda: {"e", "f", "g"},
        "everything": lambda: set("abcdefg"),
        "baseline accepted": lambda: {"b", "f", "g"},
        "other letters": lambda: {"b", "e", "f", "g", "h"},
    },
}
