"""Right and wrong answers to the exercises of "The Transformer, and a small language model"."""

import numpy as np


def softmax(scores):
    weights = np.exp(scores - scores.max())
    return weights / weights.sum()


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
    for position, vector in enumerate(vectors):
        cosine, sine = np.cos(position), np.sin(position)
        rows.append(np.array([[cosine, -sine], [sine, cosine]]) @ vector)
    return rows


class Remembering:
    """Ignores the cache and keeps all that it has ever seen: right as long as there is one sequence."""

    def __init__(self):
        self.keys, self.values = [], []

    def __call__(self, cache, query, key, value):
        if cache is None:
            self.keys, self.values = [], []
        self.keys.append(key)
        self.values.append(value)
        scores = np.array(self.keys) @ query / np.sqrt(len(query))
        return softmax(scores) @ np.array(self.values), "cache"


RIGHT = {
    "transformer-cache": {"lists": step, "arrays": step_with_arrays},
    "transformer-rotary": {
        "formula": turned,
        "matrices": by_matrices,
        "float32": lambda vectors: turned(vectors).astype("float32"),
    },
    "transformer-positions": {
        "measured": lambda: (0.99, 0.45),
        "an array": lambda: np.array([0.97, 0.3], dtype="float32"),
    },
}

WRONG = {
    "transformer-cache": {
        "not scaled": lambda *arguments: step(*arguments, scale=False),
        "not itself": lambda *arguments: step(*arguments, own=False),
        "the last key only": lambda *arguments: step(*arguments, forget=1),
        "one cache for all": lambda cache, q, k, v: (step(cache, q, k, v)[0], cache),
        "no softmax": lambda *arguments: step(*arguments, choose=lambda scores: scores),
        "output only": lambda *arguments: step(*arguments)[0],
        "a memory of its own": Remembering(),
    },
    "transformer-rotary": {
        "clockwise": lambda vectors: turned(vectors, sign=-1),
        "from one": lambda vectors: turned(vectors, first=1),
        "degrees": lambda vectors: turned(vectors, factor=np.pi / 180),
        "axes swapped": lambda vectors: turned(vectors)[:, ::-1],
    },
    "transformer-positions": {
        "chance": lambda: (0.99, 1 / 720),
        "no difference": lambda: (0.99, 0.99),
        "swapped": lambda: (0.45, 0.99),
        "percent": lambda: (99, 45),
        "one number": lambda: 0.45,
    },
}
