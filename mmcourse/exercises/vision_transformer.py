"""Checkers of the notebook "Transformers that see and hear"."""

from collections.abc import Callable

import numpy as np

from mmcourse.exercises.attention import numbers, softmax
from mmcourse.exercises.verdict import call, require

SMALL_PATCHES, LARGE_PATCHES = (0.86, 0.945), (0.93, 0.98)


def _tokens(answer) -> None:
    for height, width, channels, patch in ((28, 28, 1, 7), (224, 224, 3, 16), (32, 64, 3, 4), (10, 5, 2, 5)):
        tokens = 1 + (height // patch) * (width // patch)
        expected = (tokens, patch * patch * channels, tokens**2)
        given = numbers(call(answer, height, width, channels, patch), (3,), "three numbers")
        for value, wanted, what in zip(
            given, expected, ("tokens", "numbers in a patch", "scores"), strict=True
        ):
            require(
                value == wanted,
                f"an image {height} × {width} × {channels} in patches of {patch} has {wanted} {what}, you "
                f"give {value:g}. The class token is a token like the others, and looks at itself too.",
            )


def _join(answer) -> None:
    random = np.random.default_rng(0)
    for rows, columns, size, channels in ((2, 2, 2, 1), (2, 3, 4, 1), (3, 1, 2, 3)):
        image = random.normal(size=(rows * size, columns * size, channels))
        patches = image.reshape(rows, size, columns, size, channels).transpose(0, 2, 1, 3, 4)
        patches = patches.reshape(rows * columns, size * size * channels)
        given = call(answer, patches.copy(), rows, columns, channels)
        given = numbers(given, image.shape, f"{rows} × {columns} patches of {size} × {size} × {channels}")
        require(
            bool(np.allclose(given, image)),
            f"{rows} × {columns} patches of {size} × {size} × {channels}: the shape is right, but pixels are "
            "in wrong positions. Which axis counts the rows of patches, and which the rows in a patch?",
        )


def _rollout(answer) -> None:
    random = np.random.default_rng(3)
    for count, heads, share in ((1, 1, 0.5), (2, 4, 0.5), (3, 2, 0.25)):
        layers = [softmax(random.normal(size=(heads, 4, 4)) * 2) for _ in range(count)]
        expected = np.eye(4)
        for weights in layers:
            expected = (share * weights.mean(axis=0) + (1 - share) * np.eye(4)) @ expected
        expected = expected[0, 1:] / expected[0, 1:].sum()
        given = call(answer, [weights.copy() for weights in layers], share)
        given = numbers(given, (3,), f"{count} block(s), {heads} head(s)")
        require(
            bool(np.allclose(given, expected, atol=1e-6)),
            f"with {count} block(s), {heads} head(s) and share {share}: expected {expected.round(4)}, you "
            f"give {given.round(4)}. Later blocks are on the left of the product; the shares sum to 1.",
        )


def _size(answer) -> None:
    small, large = numbers(call(answer), (2,), "the two shares")
    for value, (low, high), what in ((small, SMALL_PATCHES, "7 × 7"), (large, LARGE_PATCHES, "14 × 14")):
        require(
            low <= value <= high,
            f"with patches of {what} pixels, trained as in the notebook, the share right on the validation "
            f"set lies between {low} and {high}; you give {value:.3f}. The share with 7 × 7 comes first.",
        )


CHECKERS: dict[str, Callable] = {
    "vision-transformer-tokens": _tokens,
    "vision-transformer-join": _join,
    "vision-transformer-rollout": _rollout,
    "vision-transformer-size": _size,
}
