"""Checkers of the notebook "Images changed" (notebook 24)."""

import re

import numpy as np

from mmcourse.exercises.image import numbers
from mmcourse.exercises.verdict import call, require


def _two(result, names: str) -> tuple:
    require(isinstance(result, tuple | list) and len(result) == 2, f"return two things: {names}")
    return tuple(result)


def _mixup(answer) -> None:
    random = np.random.default_rng(5)
    for count, classes in ((2, 3), (5, 4)):
        pictures = random.uniform(size=(count, 3, 2, 1))
        targets = np.eye(classes)[random.integers(classes, size=count)]
        shares, others = random.uniform(size=count), random.permutation(count)
        result = call(answer, pictures.copy(), targets.copy(), shares.copy(), others.copy())
        for name, given, array in zip(
            ("images", "targets"), _two(result, "images and targets"), (pictures, targets), strict=True
        ):
            share = shares.reshape(-1, *[1] * (array.ndim - 1))
            expected = share * array + (1 - share) * array[others]
            require(
                np.allclose(numbers(given, array.shape, f"the {name}"), expected, atol=1e-5),
                f"the {name} are wrong for {count} images. Image i keeps shares[i] of itself and gets "
                "the rest from image others[i]; its target likewise.",
            )


def _mirror(answer) -> None:
    random = np.random.default_rng(1)
    captions = (
        "a man facing right",
        "left arrow",
        "the left shoe is right of the right shoe",
        "a bright light on a cleft rock",
        "leftovers that lie rightly on the left",
        "a red heart",
    )
    swap = {"left": "right", "right": "left"}
    for caption in captions:
        picture = random.integers(0, 256, (4, 5, 3), dtype=np.uint8)
        expected = re.sub(r"\b(left|right)\b", lambda match: swap[match[0]], caption)
        mirrored, words = _two(call(answer, picture.copy(), caption), "image and caption")
        require(
            (numbers(mirrored, picture.shape, "the image") == picture[:, ::-1]).all(),
            "the image is not mirrored: its first column must become its last. Rows stay where they are.",
        )
        require(
            words == expected,
            f"{caption!r} becomes {words!r}, not {expected!r}. Both words change places at once, and "
            "only whole words: 'bright' holds 'right'.",
        )


def _kept(answer) -> None:
    random = np.random.default_rng(4)
    groups = [random.integers(0, 256, (count, 4, 6, 3), dtype=np.uint8) for count in (2, 5, 3)]
    groups[1][1] = groups[1][0][:, ::-1]  # two that a mirror exchanges
    groups[2][2] = groups[2][1]  # two that are equal
    changes = {
        "no change": lambda picture: picture,
        "a mirror": lambda picture: picture[:, ::-1],
        "darkness": lambda picture: picture // 3,
    }
    for name, change in changes.items():
        right = []
        for group in groups:
            for number, picture in enumerate(group):
                distance = ((change(picture).astype(float) - group) ** 2).sum(axis=(1, 2, 3))
                right.append(distance.argmin() == number)
        copies = [group.copy() for group in groups]
        given = float(numbers(call(answer, change, copies), (), "the share"))
        require(
            abs(given - np.mean(right)) < 1e-6,
            f"with {name} you find {given:.2f} of {len(right)} images, expected {np.mean(right):.2f}. Every "
            "image counts once, of whatever group; compute with floats, for uint8 starts again at 0; of two "
            "that are equally near the first counts.",
        )


CHECKERS = {
    "image-changes-mixup": _mixup,
    "image-changes-mirror": _mirror,
    "image-changes-kept": _kept,
}
