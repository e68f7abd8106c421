"""Checkers of the notebook "Images" (notebook 23)."""

import numpy as np

from mmcourse.exercises.verdict import call, require


def numbers(given, shape, name="the result") -> np.ndarray:
    """The answer as numbers of the expected shape."""
    try:
        given = np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        require(False, f"{name} must be numbers, got {type(given).__name__}")
    require(given.shape == shape, f"{name} must have the shape {shape}, got {given.shape}")
    require(np.isfinite(given).all(), f"{name} must be finite numbers")
    return given


def _over(answer) -> None:
    random = np.random.default_rng(22)
    by_hand = np.array([[[200, 100, 0, 255], [200, 100, 0, 0], [200, 100, 0, 51]]], dtype=np.uint8)
    for rgba, background in (
        (by_hand, np.full((1, 3, 3), 255, np.uint8)),
        (by_hand, np.array([[[0, 0, 0], [10, 200, 90], [250, 0, 40]]], np.uint8)),
        (random.integers(0, 256, (5, 4, 4), np.uint8), random.integers(0, 256, (5, 4, 3), np.uint8)),
    ):
        alpha = rgba[..., 3:] / 255
        expected = alpha * rgba[..., :3] + (1 - alpha) * background
        given = numbers(call(answer, rgba.copy(), background.copy()), expected.shape)
        whole = (given == np.rint(given)).all()  # rounded, or cut off, to bytes
        off = np.abs(given - expected).max(axis=-1)
        row, column = np.unravel_index(off.argmax(), off.shape)
        require(
            off.max() <= (1.0 if whole else 0.01),
            f"the pixel {rgba[row, column].tolist()} in row {row}, column {column} becomes "
            f"{given[row, column].round(2).tolist()} over {background[row, column].tolist()}, not "
            f"{expected[row, column].round(2).tolist()}. The share alpha / 255 of the pixel shows, and the "
            "rest of the background; beware of uint8, which starts again at 0 after 255.",
        )


def _pad(answer) -> None:
    for height, width, size in (
        (427, 640, 64),
        (640, 427, 64),
        (50, 50, 32),
        (1, 500, 8),
        (3, 4, 9),
        (7, 2, 30),
    ):
        scale = size / max(height, width)
        rows, columns = max(1, round(scale * height)), max(1, round(scale * width))
        expected = [(size - rows) // 2, (size - columns) // 2, rows, columns]
        given = numbers(call(answer, height, width, size), (4,), "what you return")
        require(
            given.tolist() == expected,
            f"{height} × {width} pixels in a square of {size}: you return {given.tolist()}, expected "
            f"{expected}: row, column, height, width. Both sides are multiplied by size / longer side.",
        )


def _standardise(answer) -> None:
    random = np.random.default_rng(3)
    for channels, shift in ((3, 0), (1, 40), (3, 90)):
        train = random.normal(80, 20, (6, 5, 4, channels)) * np.arange(1, channels + 1)
        other = random.normal(80 + shift, 35, (3, 5, 4, channels))
        mean, deviation = train.mean(axis=(0, 1, 2)), train.std(axis=(0, 1, 2))
        expected = (other - mean) / deviation
        given = numbers(call(answer, train.copy(), other.copy()), expected.shape)
        own = (other - other.mean(axis=(0, 1, 2))) / other.std(axis=(0, 1, 2))
        require(
            not np.allclose(given, own, atol=1e-4),
            "you use the mean and deviation of the other images; they must be the training images'",
        )
        require(
            not np.allclose(given, (other - mean) / train.std(axis=(0, 1, 2), ddof=1), atol=1e-6),
            "your standard deviation divides by the number of values less one; the exercise asks for ddof=0",
        )
        require(
            np.allclose(given, expected, atol=1e-4),
            f"with {channels} channels the first pixel becomes {given[0, 0, 0].round(3).tolist()}, not "
            f"{expected[0, 0, 0].round(3).tolist()}. One mean and one standard deviation for each channel, "
            "over all training images and all positions.",
        )


def _found(queries, memory) -> float:
    asked, kept = (pictures.reshape(len(pictures), -1).astype(float) for pictures in (queries, memory))
    distances = (kept**2).sum(axis=1) - 2 * asked @ kept.T
    return (distances.argmin(axis=1) == np.arange(len(asked))).mean()


def _mistakes(answer) -> None:
    random = np.random.default_rng(8)
    memory = random.integers(0, 256, (60, 6, 8, 3))
    memory[:30, :, 4:] = memory[:30, :, 3::-1]  # symmetrical
    memory[15:45, ..., 2] = memory[15:45, ..., 0]  # the same with blue first
    memory[45:] = np.clip(
        memory[:15].mean(axis=-1, keepdims=True) + 25, 0, 255
    )  # grey, and a little brighter
    memory = memory.astype(np.uint8)
    copies = np.clip(memory + random.normal(0, 9, memory.shape), 0, 255).astype(np.uint8)
    grey_memory, grey = memory.mean(axis=-1), copies.mean(axis=-1)
    expected = {
        "mirrored with blue first": _found(copies[:, :, ::-1, ::-1], memory),
        "grey": _found(grey, grey_memory),
        "grey and mirrored": _found(grey[:, :, ::-1], grey_memory),
    }
    given = numbers(call(answer, memory.copy(), copies.copy()), (3,), "what you return")
    for (name, share), one in zip(expected.items(), given, strict=True):
        require(
            abs(one - share) < 0.01,
            f"{name}: you find {one:.2f} of the checker's 60 images, expected {share:.2f}. Axis 2 is the "
            "columns and axis 3 the channels; beware of uint8, in which squares start again at 0.",
        )


CHECKERS = {
    "image-over": _over,
    "image-pad": _pad,
    "image-standardise": _standardise,
    "image-mistakes": _mistakes,
}
