"""Right and wrong answers to the exercises of "Attention"."""

import numpy as np


def softmax(scores):
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def overflowing(scores, mask):
    weights = np.exp(scores) * mask
    return weights / weights.sum(axis=-1, keepdims=True)


def masked_row_by_row(scores, mask):
    weights = np.zeros(scores.shape)
    for row, seen, out in zip(scores, mask, weights, strict=True):
        out[seen] = softmax(row[seen])
    return weights


def shifted_by_a_hidden_score(scores, mask):
    """Takes the maximum over hidden scores too, so that the seen ones may underflow."""
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True)) * mask
    return weights / weights.sum(axis=-1, keepdims=True)


def distance(tokens):
    return np.arange(tokens)[:, None] - np.arange(tokens)


def twice(query, keys, which, copies=2, scale=True):
    scores = keys @ query / (np.sqrt(len(query)) if scale else 1)
    repeated = np.append(scores, [scores[which]] * (copies - 1))
    return softmax(scores)[which], softmax(repeated)[which] * copies


RIGHT = {
    "attention-parameters": {
        "formula": lambda width, heads: 4 * width * width + 4 * width,
        "head by head": lambda width, heads: (
            4 * sum(width * (width // heads) + width // heads for _ in range(heads))
        ),
    },
    "attention-softmax": {
        "minus infinity": lambda scores, mask: softmax(np.where(mask, scores, -np.inf)),
        "row by row": masked_row_by_row,
        "float32": lambda scores, mask: softmax(np.where(mask, scores, -np.inf).astype("float32")),
    },
    "attention-window": {
        "distance": lambda tokens, window: (distance(tokens) >= 0) & (distance(tokens) < window),
        "triangles": lambda tokens, window: (
            np.tril(np.ones((tokens, tokens), bool)) & ~np.tril(np.ones((tokens, tokens), bool), -window)
        ),
    },
    "attention-twice": {
        "formula": lambda query, keys, which: (
            (before := softmax(keys @ query / np.sqrt(len(query)))[which]),
            2 * before / (1 + before),
        ),
        "one key more": lambda *arguments: np.array(twice(*arguments)),
        "float32": lambda *arguments: np.float32(twice(*arguments)),
    },
}

WRONG = {
    "attention-parameters": {
        "no biases": lambda width, heads: 4 * width * width,
        "times heads": lambda width, heads: heads * (4 * width * width + 4 * width),
        "no output": lambda width, heads: 3 * (width * width + width),
        "a head only": lambda width, heads: 4 * (width * (width // heads) + width // heads),
    },
    "attention-softmax": {
        "overflow": overflowing,
        "mask afterwards": lambda scores, mask: softmax(scores) * mask,
        "scores of zero": lambda scores, mask: softmax(np.where(mask, scores, 0.0)),
        "large negative": lambda scores, mask: softmax(np.where(mask, scores, -10.0)),
        "maximum of all": shifted_by_a_hidden_score,
        "columns": lambda scores, mask: softmax(np.where(mask, scores, -np.inf).T).T,
        "no mask": lambda scores, mask: softmax(scores),
    },
    "attention-window": {
        "one too many": lambda tokens, window: (distance(tokens) >= 0) & (distance(tokens) <= window),
        "both sides": lambda tokens, window: abs(distance(tokens)) < window,
        "without itself": lambda tokens, window: (distance(tokens) > 0) & (distance(tokens) < window),
        "causal only": lambda tokens, window: distance(tokens) >= 0,
        "numbers": lambda tokens, window: ((distance(tokens) >= 0) & (distance(tokens) < window)).astype(int),
        "columns look": lambda tokens, window: (distance(tokens) <= 0) & (distance(tokens) > -window),
    },
    "attention-twice": {
        "doubled": lambda query, keys, which: (
            (before := softmax(keys @ query / np.sqrt(len(query)))[which]),
            2 * before,
        ),
        "unchanged": lambda *arguments: (twice(*arguments)[0],) * 2,
        "each copy": lambda *arguments: (twice(*arguments)[0], twice(*arguments)[1] / 2),
        "three copies": lambda *arguments: twice(*arguments, copies=3),
        "not scaled": lambda *arguments: twice(*arguments, scale=False),
    },
}
