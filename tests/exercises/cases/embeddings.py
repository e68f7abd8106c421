"""Right and wrong answers to the exercises of "Words as vectors"."""

import numpy as np


def pairs(tokens, window, *, right=True, itself=False, reach=0):
    return [
        (word, tokens[j])
        for i, word in enumerate(tokens)
        for j in range(max(0, i - window - reach), min(len(tokens), i + (window + reach) * right + 1))
        if itself or j != i
    ]


def sigmoid(scores):
    return 1 / (1 + np.exp(-scores))


def gradient(centre, context, noise, *, truth=1.0):
    return (sigmoid(context @ centre) - truth) * context + sigmoid(noise @ centre) @ noise


def cosines(table, row):
    directions = table / np.linalg.norm(table, axis=1, keepdims=True)
    return directions @ directions[row]


def neighbours(table, row, n):
    order = np.argsort(-cosines(table, row))
    return order[order != row][:n]


def glove(counts, w, other, b, other_b, *, maximum=100, power=0.75, clip=True):
    seen = counts > 0
    errors = w @ other.T + b[:, None] + other_b[None, :] - np.log(np.where(seen, counts, 1.0))
    weights = (counts / maximum) ** power
    return ((np.minimum(1, weights) if clip else weights) * errors**2)[seen].sum()


def glove_with_loops(counts, w, other, b, other_b):
    total = 0.0
    for i in range(len(counts)):
        for j in range(len(counts)):
            if counts[i, j]:
                error = w[i] @ other[j] + b[i] + other_b[j] - np.log(counts[i, j])
                total += min(1, counts[i, j] / 100) ** 0.75 * error**2
    return total


def pmi(counts, *, positive=True, logarithm=np.log):
    share = counts.sum(axis=1) / counts.sum()
    with np.errstate(divide="ignore"):
        found = logarithm(counts / counts.sum() / np.outer(share, share))
    return np.maximum(found, 0) if positive else found


RIGHT = {
    "embeddings-pairs": {
        "one list": pairs,
        "a set of places": lambda tokens, window: [
            (tokens[i], tokens[j])
            for i in range(len(tokens))
            for j in range(len(tokens))
            if 0 < abs(i - j) <= window
        ],
        "lists": lambda tokens, window: [list(pair) for pair in pairs(tokens, window)],
    },
    "embeddings-pmi": {
        "arrays": pmi,
        "by the formula": lambda counts: np.log(
            np.maximum(1, counts * counts.sum() / np.outer(counts.sum(1), counts.sum(0)))
        ),
    },
    "embeddings-noise": {
        "an array": lambda counts: counts**0.75 / (counts**0.75).sum(),
        "a list": lambda counts: [c**0.75 / sum(d**0.75 for d in counts) for c in counts],
    },
    "embeddings-gradient": {
        "arrays": gradient,
        "a loop": lambda centre, context, noise: sum(
            (sigmoid(u @ centre) - true) * u for u, true in [(context, 1), *((n, 0) for n in noise)]
        ),
    },
    "embeddings-neighbours": {
        "argsort": neighbours,
        "a list": lambda table, row, n: neighbours(table, row, n).tolist(),
    },
    "embeddings-glove": {"arrays": glove, "loops": glove_with_loops},
}


WRONG = {
    "embeddings-pairs": {
        "only to the right": lambda tokens, window: [
            (tokens[i], tokens[j])
            for i in range(len(tokens))
            for j in range(i + 1, min(len(tokens), i + window + 1))
        ],
        "with itself": lambda tokens, window: pairs(tokens, window, itself=True),
        "one too far": lambda tokens, window: pairs(tokens, window, reach=1),
        "equal words left out": lambda tokens, window: [p for p in pairs(tokens, window) if p[0] != p[1]],
        "each once": lambda tokens, window: list(set(pairs(tokens, window))),
        "around the end": lambda tokens, window: [
            (word, tokens[i - d]) for i, word in enumerate(tokens) for d in range(1, window + 1)
        ],
    },
    "embeddings-pmi": {
        "not positive": lambda counts: pmi(counts, positive=False),
        "base 2": lambda counts: pmi(counts, logarithm=np.log2),
        "no logarithm": lambda counts: pmi(counts, logarithm=lambda x: x),
        "the counts": lambda counts: counts,
        "conditional": lambda counts: counts / counts.sum(axis=1, keepdims=True),
    },
    "embeddings-noise": {
        "by frequency": lambda counts: counts / counts.sum(),
        "all alike": lambda counts: np.ones(len(counts)) / len(counts),
        "normalised first": lambda counts: (counts / counts.sum()) ** 0.75,
        "four thirds": lambda counts: counts ** (4 / 3) / (counts ** (4 / 3)).sum(),
    },
    "embeddings-gradient": {
        "the wrong sign": lambda *arguments: -gradient(*arguments),
        "no truth": lambda *arguments: gradient(*arguments, truth=0.0),
        "only the pair": lambda centre, context, noise: (sigmoid(context @ centre) - 1) * context,
        "by the context": lambda centre, context, noise: (sigmoid(context @ centre) - 1) * centre,
        "scores": lambda centre, context, noise: (context @ centre - 1) * context + (noise @ centre) @ noise,
        "mean of the noise": lambda centre, context, noise: (
            (sigmoid(context @ centre) - 1) * context + (sigmoid(noise @ centre) @ noise) / (2 * len(noise))
        ),
    },
    "embeddings-neighbours": {
        "by scalar product": lambda table, row, n: [
            i for i in np.argsort(-(table @ table[row])).tolist() if i != row
        ][:n],
        "with itself": lambda table, row, n: np.argsort(-cosines(table, row))[:n],
        "the farthest": lambda table, row, n: np.argsort(cosines(table, row))[:n],
        "cosines": lambda table, row, n: np.sort(np.delete(cosines(table, row), row))[::-1][:n],
        "backwards": lambda table, row, n: neighbours(table, row, n)[::-1],
    },
    "embeddings-glove": {
        "not clipped": lambda *arguments: glove(*arguments, clip=False),
        "another maximum": lambda *arguments: glove(*arguments, maximum=10),
        "another power": lambda *arguments: glove(*arguments, power=1.0),
        "biases exchanged": lambda counts, w, other, b, other_b: glove(counts, w, other, other_b, b),
        "the mean": lambda *arguments: glove(*arguments) / (arguments[0] > 0).sum(),
        "log of zero": lambda counts, w, other, b, other_b: float("inf"),
        "not squared": lambda counts, w, other, b, other_b: np.abs(w @ other.T).sum(),
    },
}
