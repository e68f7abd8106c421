"""Right and wrong answers to the exercises of "Transformers that see and hear"."""

import numpy as np


def tokens(height, width, channels, patch, class_token=1):
    count = class_token + (height // patch) * (width // patch)
    return count, patch * patch * channels, count**2


def join(patches, rows, columns, channels, axes=(0, 2, 1, 3, 4)):
    size = round((patches.shape[1] / channels) ** 0.5)
    grid = patches.reshape(rows, columns, size, size, channels).transpose(axes)
    return grid.reshape(rows * size, columns * size, channels)


def one_by_one(patches, rows, columns, channels):
    size = round((patches.shape[1] / channels) ** 0.5)
    image = np.zeros((rows * size, columns * size, channels))
    for number, patch in enumerate(patches):
        row, column = divmod(number, columns)
        at = (slice(row * size, (row + 1) * size), slice(column * size, (column + 1) * size))
        image[at] = patch.reshape(size, size, channels)
    return image


def rollout(layers, share, left=True, normalised=True, swapped=False, only_last=False):
    total = np.eye(layers[0].shape[-1])
    for weights in layers[-1:] if only_last else layers:
        part = 1 - share if swapped else share
        mixed = part * weights.mean(axis=0) + (1 - part) * np.eye(len(total))
        total = mixed @ total if left else total @ mixed
    patches = total[0, 1:]
    return patches / patches.sum() if normalised else patches


RIGHT = {
    "vision-transformer-tokens": {
        "formula": tokens,
        "a list": lambda *arguments: list(tokens(*arguments)),
    },
    "vision-transformer-join": {"transposed": join, "one by one": one_by_one},
    "vision-transformer-rollout": {
        "product": rollout,
        "float32": lambda layers, share: rollout(layers, share).astype("float32"),
    },
    "vision-transformer-size": {
        "measured": lambda: (0.93, 0.956),
        "an array": lambda: np.array([0.908, 0.95]),
    },
}

WRONG = {
    "vision-transformer-tokens": {
        "no class token": lambda *arguments: tokens(*arguments, class_token=0),
        "no channels": lambda height, width, channels, patch: tokens(height, width, 1, patch),
        "scores of patches": lambda *arguments: (*tokens(*arguments)[:2], (tokens(*arguments)[0] - 1) ** 2),
    },
    "vision-transformer-join": {
        "only reshaped": lambda *arguments: join(*arguments, axes=(0, 1, 2, 3, 4)),
        "patches turned": lambda *arguments: join(*arguments, axes=(0, 3, 1, 2, 4)),
    },
    "vision-transformer-rollout": {
        "wrong side": lambda layers, share: rollout(layers, share, left=False),
        "not normalised": lambda layers, share: rollout(layers, share, normalised=False),
        "always half": lambda layers, share: rollout(layers, 0.5),
        "the last block": lambda layers, share: rollout(layers, share, only_last=True),
        "shares swapped": lambda layers, share: rollout(layers, share, swapped=True),
    },
    "vision-transformer-size": {
        "guessed": lambda: (0.93, 0.7),
        "exchanged": lambda: (0.95, 0.92),
        "percent": lambda: (93, 95.6),
        "one number": lambda: 0.95,
    },
}
