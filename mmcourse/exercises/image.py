"""Checkers of the chapter "Images"."""

import re

import numpy as np

from mmcourse.exercises.verdict import call, require


def _random_picture(random, *shape) -> np.ndarray:
    return random.integers(0, 256, shape, dtype=np.uint8)


def _array(given, shape, name="the result") -> np.ndarray:
    """The answer as numbers of the expected shape."""
    given = np.asarray(given, dtype=float)
    require(given.shape == shape, f"{name} must have the shape {shape}, got {given.shape}")
    return given


def _tolerance(given: np.ndarray) -> float:
    """A whole step for values that were rounded to bytes; hardly anything for others."""
    return 1.0 if (given == np.rint(given)).all() else 0.01


def _over(answer) -> None:
    random = np.random.default_rng(22)
    by_hand = np.array([[[200, 100, 0, 255], [200, 100, 0, 0], [200, 100, 0, 51]]], dtype=np.uint8)
    for rgba, background in (
        (by_hand, (255, 255, 255)),
        (by_hand, (0, 0, 0)),
        (_random_picture(random, 5, 4, 4), (10, 250, 90)),
    ):
        alpha = rgba[..., 3:] / 255
        expected = alpha * rgba[..., :3] + (1 - alpha) * np.array(background)
        given = _array(call(answer, rgba.copy(), background), expected.shape)
        require(
            np.abs(given - expected).max() <= _tolerance(given),
            f"over {background} the pixel {rgba[0, -1].tolist()} becomes {given[0, -1].round().tolist()}, "
            f"not {expected[0, -1].round().tolist()}. The share alpha / 255 of the pixel shows, and the rest "
            "of the background; beware of uint8, which starts again at 0 after 255.",
        )


def _shrink(answer) -> None:
    random = np.random.default_rng(7)
    for height, width, channels, factor in ((4, 4, 1, 2), (6, 9, 3, 3), (8, 4, 3, 4), (5, 3, 3, 1)):
        picture = _random_picture(random, height, width, channels)
        boxes = picture.reshape(height // factor, factor, width // factor, factor, channels)
        expected = boxes.mean(axis=(1, 3))
        given = _array(call(answer, picture.copy(), factor), expected.shape)
        require(
            np.abs(given - expected).max() <= _tolerance(given),
            f"a picture of {height} x {width} pixels made smaller by {factor}: the new pixel at the top left "
            f"has {given[0, 0].round(1).tolist()}, but the mean of its box is "
            f"{expected[0, 0].round(1).tolist()}.",
        )


def _standardise(answer) -> None:
    random = np.random.default_rng(3)
    for channels, shift in ((3, 0), (1, 40), (3, 90)):
        train = random.normal(80, 20, (6, 5, 4, channels)) * np.arange(1, channels + 1)
        other = random.normal(80 + shift, 35, (3, 5, 4, channels))
        mean, deviation = train.mean(axis=(0, 1, 2)), train.std(axis=(0, 1, 2))
        expected = (other - mean) / deviation
        given = _array(call(answer, train.copy(), other.copy()), expected.shape)
        own = (other - other.mean(axis=(0, 1, 2))) / other.std(axis=(0, 1, 2))
        require(
            not np.allclose(given, own, atol=1e-6),
            "you use the mean and deviation of the other pictures; they must be the training pictures'",
        )
        require(
            np.allclose(given, expected, atol=1e-6),
            f"with {channels} channels the first pixel becomes {given[0, 0, 0].round(3).tolist()}, not "
            f"{expected[0, 0, 0].round(3).tolist()}. One mean and one standard deviation for each channel, "
            "over all training pictures and all places.",
        )


def _median(answer) -> None:
    random = np.random.default_rng(9)
    for height, width in ((3, 3), (1, 5), (6, 4)):
        picture = _random_picture(random, height, width)
        padded = np.pad(picture, 1, mode="edge")
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3))
        expected = np.median(windows, axis=(2, 3))
        given = _array(call(answer, picture.copy()), picture.shape)
        wrong = np.argwhere(given != expected)
        row, column = wrong[0] if len(wrong) else (0, 0)
        require(
            not len(wrong),
            f"in a picture of {height} x {width} the pixel in row {row}, column {column} becomes "
            f"{given[row, column]:g}, not {expected[row, column]:g}. The median is the fifth of nine values "
            "in order; beyond the edge, the edge's own pixels are repeated.",
        )


def _mixup(answer) -> None:
    random = np.random.default_rng(5)
    for count, classes in ((2, 3), (5, 4)):
        pictures = random.uniform(size=(count, 3, 2, 1))
        targets = np.eye(classes)[random.integers(classes, size=count)]
        shares, others = random.uniform(size=count), random.permutation(count)
        result = call(answer, pictures.copy(), targets.copy(), shares.copy(), others.copy())
        require(
            isinstance(result, tuple | list) and len(result) == 2, "return two things: pictures and targets"
        )
        for name, given, array in (("pictures", result[0], pictures), ("targets", result[1], targets)):
            share = shares.reshape(-1, *[1] * (array.ndim - 1))
            expected = share * array + (1 - share) * array[others]
            require(
                np.allclose(_array(given, array.shape, name), expected, atol=1e-6),
                f"the {name} are wrong for {count} pictures. Picture i keeps shares[i] of itself and gets "
                "the rest from picture others[i]; its target likewise.",
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
        picture = _random_picture(random, 4, 5, 3)
        expected = re.sub(r"\b(left|right)\b", lambda match: swap[match[0]], caption)
        result = call(answer, picture.copy(), caption)
        require(
            isinstance(result, tuple | list) and len(result) == 2, "return two things: picture and caption"
        )
        given = _array(result[0], picture.shape, "the picture")
        require(
            (given == picture[:, ::-1]).all(),
            "the picture is not mirrored: its first column must become its last. Rows stay where they are.",
        )
        require(
            result[1] == expected,
            f"{caption!r} becomes {result[1]!r}, not {expected!r}. Both words change places at once, and "
            "only whole words: 'bright' holds 'right'.",
        )


CHECKERS = {
    "image-over": _over,
    "image-shrink": _shrink,
    "image-median": _median,
    "image-standardise": _standardise,
    "image-mixup": _mixup,
    "image-mirror": _mirror,
}
