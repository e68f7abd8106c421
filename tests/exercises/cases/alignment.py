"""Right and wrong answers to the exercises of "One space for pictures, names and speech"."""

import keras
import numpy as np

from mmcourse.learning import alignment


def row_losses(logits):
    highest = logits.max(axis=1, keepdims=True)
    return np.log(np.exp(logits - highest).sum(axis=1)) + highest[:, 0] - np.diag(logits)


def loss(similarities, temperature):
    logits = similarities / temperature
    return (row_losses(logits).mean() + row_losses(logits.T).mean()) / 2


def keras_loss(logits):
    entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return entropy(np.arange(len(logits)), logits)


def overflowing(similarities, temperature):
    weights = np.exp(similarities / temperature)
    right = np.diag(weights)
    return -(np.log(right / weights.sum(axis=1)) + np.log(right / weights.sum(axis=0))).mean() / 2


def recall(similarities, k, ties=np.greater_equal):
    right = np.diag(similarities)
    rows = ties(similarities, right[:, None]).sum(axis=1) + (ties is np.greater)
    columns = ties(similarities, right[None, :]).sum(axis=0) + (ties is np.greater)
    return np.mean(rows <= k), np.mean(columns <= k)


def same(names):
    names = np.array(names)
    return names[:, None] == names[None, :]


RIGHT = {
    "alignment-loss": {
        "two ways": loss,
        "float32": lambda *arguments: np.float32(loss(*arguments)),
        "Keras": lambda s, t: (keras_loss(s / t) + keras_loss((s / t).T)) / 2,
        "logaddexp": lambda similarities, temperature: np.mean(
            [
                (np.logaddexp.reduce(table, axis=1) - np.diag(table)).mean()
                for table in (similarities / temperature, similarities.T / temperature)
            ]
        ),
    },
    "alignment-recall": {
        "ranks": recall,
        "of the package": lambda s, k: (alignment.recall_at(k)(s), alignment.recall_at(k)(s.T)),
        "a list": lambda similarities, k: [float(share) for share in recall(similarities, k)],
    },
    "alignment-same": {
        "without the diagonal": lambda names: same(names) & ~np.eye(len(names), dtype=bool),
        "cell by cell": lambda names: np.array(
            [[a == b and i != j for j, b in enumerate(names)] for i, a in enumerate(names)]
        ),
    },
    "alignment-own-words": {
        "seven of ten": lambda: {"queries": 10, "hits": 7, "low": 0.397, "high": 0.892},
        "rounded": lambda: {"queries": 20, "hits": 20, "low": 0.84, "high": 1.0},
    },
}

WRONG = {
    "alignment-loss": {
        "rows only": lambda s, t: row_losses(s / t).mean(),
        "columns only": lambda s, t: row_losses((s / t).T).mean(),
        "times temperature": lambda s, t: loss(s, 1 / t),
        "sum": lambda s, t: 2 * loss(s, t),
        "over all cells": lambda s, t: (
            np.log(np.exp((s / t) - (s / t).max()).sum()) + (s / t).max() - np.diag(s / t).mean()
        ),
        "overflow": overflowing,
        "each pair": lambda s, t: row_losses(s / t),
    },
    "alignment-recall": {
        "ties for the model": lambda s, k: recall(s, k, np.greater),
        "one way": lambda s, k: recall(s, k)[0],
        "swapped": lambda s, k: recall(s, k)[::-1],
        "one place more": lambda s, k: recall(s, k + 1),
        "argmax": lambda s, k: (
            np.mean(s.argmax(axis=1) == np.arange(len(s))),
            np.mean(s.argmax(axis=0) == np.arange(len(s))),
        ),
    },
    "alignment-same": {
        "with the diagonal": same,
        "inverted": lambda names: ~same(names),
        "numbers": lambda names: (same(names) & ~np.eye(len(names), dtype=bool)).astype(int),
        "nothing": lambda names: np.zeros((len(names), len(names)), dtype=bool),
        "among neighbours": lambda names: (
            same(names) & (np.eye(len(names), k=1) + np.eye(len(names), k=-1) > 0)
        ),
        "one half": lambda names: np.triu(same(names), 1),
    },
    "alignment-own-words": {
        "too few": lambda: {"queries": 5, "hits": 4, "low": 0.376, "high": 0.964},
        "more hits than queries": lambda: {"queries": 10, "hits": 11, "low": 0.7, "high": 1.0},
        "normal interval": lambda: {"queries": 10, "hits": 7, "low": 0.416, "high": 0.984},
        "no interval": lambda: {"queries": 10, "hits": 7},
        "texts": lambda: {"queries": "10", "hits": "7", "low": "0.4", "high": "0.9"},
        "percent": lambda: {"queries": 10, "hits": 7, "low": 39.7, "high": 89.2},
        "not a number": lambda: {"queries": 10, "hits": float("nan"), "low": 0.397, "high": 0.892},
        "a number": lambda: 0.7,
    },
}
