"""Right and wrong answers to the exercises of "Attention and the Transformer"."""

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


def step(cache, query, key, value, *, scale=True, own=True, forget=0, choose=None):
    """One cached step with the faults that the arguments ask for."""
    keys, values = cache or ([], [])
    seen_keys, seen_values = [*keys, key], [*values, value]
    if not own and keys:
        look_keys, look_values = keys, values
    else:
        look_keys, look_values = seen_keys[-forget:], seen_values[-forget:]
    scores = np.array(look_keys) @ query / (np.sqrt(len(query)) if scale else 1)
    weights = choose(scores) if choose else softmax(scores)
    return weights @ np.array(look_values), (seen_keys, seen_values)


def step_with_arrays(cache, query, key, value):
    keys, values = (key[None], value[None]) if cache is None else cache
    if cache is not None:
        keys, values = np.vstack([keys, key]), np.vstack([values, value])
    return softmax(keys @ query / np.sqrt(query.size)) @ values, (keys, values)


def turned(vectors, first=0, sign=1, factor=1.0):
    angle = sign * factor * (np.arange(len(vectors)) + first)
    x, y = vectors.T
    return np.stack([x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle)], axis=1)


def by_matrices(vectors):
    rows = []
    for place, vector in enumerate(vectors):
        cosine, sine = np.cos(place), np.sin(place)
        rows.append(np.array([[cosine, -sine], [sine, cosine]]) @ vector)
    return rows


def rollout(layers, share=0.5, left=True, residual=True):
    total = np.eye(len(layers[0]))
    for weights in layers:
        mixed = share * weights + (1 - share) * np.eye(len(weights)) if residual else weights
        total = mixed @ total if left else total @ mixed
    return total


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
    },
    "attention-window": {
        "distance": lambda tokens, window: (distance(tokens) >= 0) & (distance(tokens) < window),
        "triangles": lambda tokens, window: (
            np.tril(np.ones((tokens, tokens))) - np.tril(np.ones((tokens, tokens)), -window)
        ),
    },
    "attention-cache": {"lists": step, "arrays": step_with_arrays},
    "attention-rotary": {"formula": turned, "matrices": by_matrices},
    "attention-rollout": {
        "product": rollout,
        "from the last": lambda layers: np.linalg.multi_dot(
            [(a + np.eye(len(a))) / 2 for a in layers[::-1]] + [np.eye(len(layers[0]))]
        ),
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
        "columns look": lambda tokens, window: (distance(tokens) <= 0) & (distance(tokens) > -window),
    },
    "attention-cache": {
        "not scaled": lambda *arguments: step(*arguments, scale=False),
        "not itself": lambda *arguments: step(*arguments, own=False),
        "the last key only": lambda *arguments: step(*arguments, forget=1),
        "one cache for all": lambda cache, q, k, v: (step(cache, q, k, v)[0], cache),
        "no softmax": lambda *arguments: step(*arguments, choose=lambda scores: scores),
        "output only": lambda *arguments: step(*arguments)[0],
    },
    "attention-rotary": {
        "clockwise": lambda vectors: turned(vectors, sign=-1),
        "from one": lambda vectors: turned(vectors, first=1),
        "degrees": lambda vectors: turned(vectors, factor=np.pi / 180),
        "axes swapped": lambda vectors: turned(vectors)[:, ::-1],
    },
    "attention-rollout": {
        "no residual": lambda layers: rollout(layers, residual=False),
        "wrong side": lambda layers: rollout(layers, left=False),
        "not halved": lambda layers: rollout([2 * a + np.eye(len(a)) for a in layers]),
        "the last block": lambda layers: (layers[-1] + np.eye(len(layers[-1]))) / 2,
    },
}
