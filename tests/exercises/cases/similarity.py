"""Right and wrong answers to the exercises of "Judging word vectors"."""

import itertools

import numpy as np


def cosines(table, row):
    directions = table / np.linalg.norm(table, axis=1, keepdims=True)
    return directions @ directions[row]


def neighbours(table, row, n):
    order = np.argsort(-cosines(table, row))
    return order[order != row][:n]


def from_the_end(table, row, n):
    order = len(table) - 1 - np.argsort(-cosines(table, row).round(9)[::-1], kind="stable")
    return order[order != row][:n]


def permutation(first, second, *, equal=True, sides=1, given=0):
    every, half = np.concatenate([first, second]), len(first)
    deals = np.array([every[list(c)].sum() for c in itertools.combinations(range(2 * half), half)])
    middle = every.sum() / 2 * (sides == 2)
    deals, wanted = (np.abs(x - middle) if sides == 2 else x for x in (deals, np.sum(first)))
    return (np.sum(deals >= wanted + (-1e-9 if equal else 1e-9)) + given) / (len(deals) + given)


def without_common(vectors, k, *, centre=True, take=slice(None), keep=False):
    centred = vectors - vectors.mean(axis=0) if centre else vectors
    directions = np.linalg.svd(centred, full_matrices=False)[2][take][:k]
    part = centred @ directions.T @ directions
    return part if keep else centred - part


RIGHT = {
    "similarity-neighbours": {
        "argsort": neighbours,
        "a list": lambda table, row, n: neighbours(table, row, n).tolist(),
        "ties in the other order": from_the_end,
    },
    "similarity-permutation": {
        "sums": permutation,
        "means": lambda first, second: np.mean(
            [
                np.mean([(*first, *second)[i] for i in c])
                - np.mean([(*first, *second)[i] for i in range(2 * len(first)) if i not in c])
                >= np.mean(first) - np.mean(second) - 1e-9
                for c in itertools.combinations(range(2 * len(first)), len(first))
            ]
        ),
    },
    "similarity-common": {
        "the SVD": without_common,
        "eigenvectors": lambda vectors, k: (
            (centred := vectors - vectors.mean(axis=0))
            @ (
                np.eye(vectors.shape[1])
                - (top := np.linalg.eigh(centred.T @ centred)[1][:, vectors.shape[1] - k :]) @ top.T
            )
        ),
        "in float32": lambda vectors, k: without_common(vectors, k).astype(np.float32),
    },
}


WRONG = {
    "similarity-neighbours": {
        "the first of the order left out": lambda table, row, n: np.argsort(-cosines(table, row))[1 : n + 1],
        "the first of a stable order left out": lambda table, row, n: np.argsort(
            -cosines(table, row).round(12), kind="stable"
        )[1 : n + 1],
        "by dot product": lambda table, row, n: [
            i for i in np.argsort(-(table @ table[row])).tolist() if i != row
        ][:n],
        "with itself": lambda table, row, n: np.argsort(-cosines(table, row))[:n],
        "the farthest": lambda table, row, n: np.argsort(cosines(table, row))[:n],
        "cosines": lambda table, row, n: np.sort(np.delete(cosines(table, row), row))[::-1][:n],
        "backwards": lambda table, row, n: neighbours(table, row, n)[::-1],
    },
    "similarity-permutation": {
        "equal ones left out": lambda first, second: permutation(first, second, equal=False),
        "two-sided": lambda first, second: permutation(first, second, sides=2),
        "one added": lambda first, second: permutation(first, second, given=1),
        "the other side": lambda first, second: permutation(second, first),
        "drawn at random": lambda first, second: np.mean(
            [
                np.random.default_rng(i).permutation([*first, *second])[: len(first)].sum()
                >= np.sum(first) - 1e-9
                for i in range(50)
            ]
        ),
    },
    "similarity-common": {
        "only the mean": lambda vectors, k: without_common(vectors, 0),
        "not centred": lambda vectors, k: without_common(vectors, k, centre=False),
        "the weakest": lambda vectors, k: without_common(vectors, k, take=slice(None, None, -1)),
        "what is common": lambda vectors, k: without_common(vectors, k, keep=True),
        "one too many": lambda vectors, k: without_common(vectors, k + 1),
    },
}
