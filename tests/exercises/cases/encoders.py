"""Right and wrong answers to the exercises of "Features and pretrained encoders"."""

import numpy as np


def tokens(frames, size, length, patch):
    return (frames // length) * (size // patch) ** 2, length * patch * patch * 3


def pool(tokens, mask):
    real = np.where(mask[..., None], tokens, 0.0)
    return real.sum(axis=1) / np.maximum(mask.sum(axis=1, keepdims=True), 1)


def pool_the_first(tokens, mask):
    """Takes it that the real tokens stand in front."""
    found = [
        row[: real.sum()].mean(axis=0) if real.any() else 0 * row[0]
        for row, real in zip(tokens, mask, strict=True)
    ]
    return np.nan_to_num(found)


def pool_what_is_not_zero(tokens, mask):
    real = np.where(mask[..., None], tokens, 0)
    return real.sum(axis=1) / np.maximum((real != 0).sum(axis=1), 1)


def pool_by_loop(tokens, mask):
    found = []
    for row, real in zip(tokens, mask, strict=True):
        found.append(row[real].mean(axis=0) if real.any() else np.zeros(tokens.shape[2]))
    return found


RIGHT = {
    "encoders-tokens": {
        "a tuple": tokens,
        "an array": lambda *arguments: np.array(tokens(*arguments)),
    },
    "encoders-pool": {
        "by a choice": pool,
        "by a loop": pool_by_loop,
        "in float32": lambda tokens, mask: pool(tokens.astype(np.float32), mask),
    },
    "encoders-earlier": {
        "as measured": lambda: (0.596, 0.616),
        "a little off, as a list": lambda: [0.6, 0.612],
        "an array": lambda: np.array([0.596, 0.616]),
    },
}

WRONG = {
    "encoders-tokens": {
        "one axis only": lambda frames, size, length, patch: (
            (frames // length) * (size // patch),
            length * patch * patch * 3,
        ),
        "one channel": lambda frames, size, length, patch: (
            (frames // length) * (size // patch) ** 2,
            length * patch * patch,
        ),
        "without time": lambda frames, size, length, patch: (
            (size // patch) ** 2,
            length * patch * patch * 3,
        ),
        "every frame": lambda frames, size, length, patch: (
            frames * (size // patch) ** 2,
            length * patch * patch * 3,
        ),
        "exchanged": lambda *arguments: tokens(*arguments)[::-1],
    },
    "encoders-pool": {
        "all places": lambda tokens, mask: tokens.mean(axis=1),
        "divided by all": lambda tokens, mask: np.where(mask[..., None], tokens, 0).mean(axis=1),
        "by a product": lambda tokens, mask: (
            (tokens * mask[..., None]).sum(axis=1) / np.maximum(mask.sum(axis=1, keepdims=True), 1)
        ),
        "divides by zero": lambda tokens, mask: (
            np.where(mask[..., None], tokens, 0).sum(axis=1) / mask.sum(axis=1, keepdims=True)
        ),
        "the sum": lambda tokens, mask: np.where(mask[..., None], tokens, 0).sum(axis=1),
        "real ones in front": pool_the_first,
        "what is not zero": pool_what_is_not_zero,
        "the first": lambda tokens, mask: tokens[:, 0],
        "wrong axis": lambda tokens, mask: np.where(mask[..., None], tokens, 0).mean(axis=2),
    },
    "encoders-earlier": {
        "exchanged by much": lambda: (0.65, 0.55),
        "one draw": lambda: (0.667, 0.64),
        "scored on the training images": lambda: (1.0, 1.0),
        "one number": lambda: 0.6,
        "rows not scaled": lambda: (0.608, 0.609),
        "exchanged": lambda: (0.616, 0.596),
        "the other artist": lambda: (0.47, 0.45),
    },
}
