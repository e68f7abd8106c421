"""Cleaning: borders that are no part of a picture, pixels that are missing, and noise."""

from typing import NamedTuple

import numpy as np

from mmcourse.image.arrays import as_batch, as_dtype, check_between, top
from mmcourse.image.reading import PictureError


class Box(NamedTuple):
    """A part of a picture: rows ``upper`` to ``lower`` and columns ``left`` to ``right``, ends left out."""

    upper: int
    lower: int
    left: int
    right: int


def find_content(picture: np.ndarray, colour: float | tuple[float, ...] = 0, tolerance: float = 8) -> Box:
    """Find what a border of one colour surrounds: the smallest box with every pixel of another colour.

    Args:
        picture: ``(height, width, channels)``.
        colour: of the border, in the range of the picture: one number for all channels, or one a channel.
        tolerance: how far a channel may be from the colour and still count as border, in steps of 1/255;
            JPEG files need some.

    Raises:
        PictureError: the picture is border throughout, so nothing would be left of it.
        ValueError: no picture, or a colour that does not fit it.
    """
    picture = _one(picture)
    try:
        colour = np.broadcast_to(np.asarray(colour, dtype=float), picture.shape[-1:])
    except (TypeError, ValueError):
        raise ValueError(
            f"colour must be one number or {picture.shape[-1]} (one a channel), got {colour!r}"
        ) from None
    check_between("tolerance", tolerance, 0, 255)
    distance = np.abs(picture - colour).max(axis=-1)  # (height, width)
    content = distance > tolerance * top(picture) / 255
    rows, columns = np.flatnonzero(content.any(axis=1)), np.flatnonzero(content.any(axis=0))
    if not len(rows):
        raise PictureError(
            f"the whole picture is within {tolerance:g} steps of the colour {colour.tolist()}: there is "
            "nothing inside the border. Leave such pictures out, or lower the tolerance"
        )
    return Box(int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1)


def crop_border(
    picture: np.ndarray, colour: float | tuple[float, ...] = 0, tolerance: float = 8
) -> np.ndarray:
    """Cut a border of one colour off; a copy, unchanged where there is none. See :func:`find_content`.

    Raises:
        PictureError: the picture is border throughout.
        ValueError: no picture, or a colour that does not fit it.
    """
    box = find_content(picture, colour, tolerance)
    return np.asarray(picture)[box.upper : box.lower, box.left : box.right].copy()


def fill_missing(
    picture: np.ndarray, missing: np.ndarray, tolerance: float = 1e-4, most: int = 20_000
) -> np.ndarray:
    """Fill missing pixels so that each is the mean of its neighbours above, below, left and right.

    The known pixels flow in like heat (the discrete Laplace equation, solved by repeated averaging). At the
    picture's edge the mean is taken over the neighbours that exist.

    Args:
        picture: ``(height, width, channels)``; what stands in missing pixels plays no part, it may be NaN.
        missing: ``bool`` ``(height, width)``.
        tolerance: stop when no pixel changes by more than this share of white in a round.
        most: rounds at most.

    Returns:
        A new picture of the same dtype; the known pixels are unchanged.

    Raises:
        ValueError: no picture, a mask that does not fit it, or no known pixel.
    """
    picture = _one(picture)
    missing = np.asarray(missing)
    if missing.dtype != bool or missing.shape != picture.shape[:2]:
        raise ValueError(
            f"missing must be bool with shape {picture.shape[:2]}, got {missing.dtype} with {missing.shape}"
        )
    if missing.all():
        raise ValueError("every pixel is missing: there is nothing to fill from; leave the picture out")
    filled = picture.copy()
    if not missing.any():
        return filled
    # Averaging happens in a box around the holes; one more row and column on each side holds known pixels.
    rows, columns = np.flatnonzero(missing.any(axis=1)), np.flatnonzero(missing.any(axis=0))
    part = np.s_[max(rows[0] - 1, 0) : rows[-1] + 2, max(columns[0] - 1, 0) : columns[-1] + 2]
    hole = missing[part]
    values = np.where(hole[..., None], 0, picture[part]).astype(float)  # 0 · NaN would be NaN
    start = picture[~missing].mean(axis=0, dtype=float)
    values[hole] = start
    inside = np.pad(np.ones(hole.shape), 1)[..., None]
    neighbours = _four(inside)  # how many of the four exist
    for _ in range(most):
        means = _four(np.pad(values, ((1, 1), (1, 1), (0, 0)))) / neighbours
        change = np.abs(means[hole] - values[hole]).max()
        values[hole] = means[hole]
        if change <= tolerance * top(picture):
            break
    filled[missing] = as_dtype(values[hole], picture.dtype) if picture.dtype == np.uint8 else values[hole]
    return filled


def median_filter(picture: np.ndarray, size: int = 3) -> np.ndarray:
    """Replace each value by the median of the ``size * size`` values around it, in each channel by itself.

    Beyond the edge the edge's pixels are repeated. Shape and dtype stay; size 1 changes nothing.

    Raises:
        ValueError: no picture, or a size that is even or below 1.
    """
    picture = _one(picture)
    if not isinstance(size, int | np.integer) or size < 1 or size % 2 == 0:
        raise ValueError(f"size must be an odd whole number, got {size!r}")
    half = size // 2
    padded = np.pad(picture, ((half, half), (half, half), (0, 0)), mode="edge")
    height, width = picture.shape[:2]
    moved = np.stack(
        [padded[row : row + height, column : column + width] for row in range(size) for column in range(size)]
    )  # (size · size, height, width, channels)
    middle = size * size // 2
    return np.partition(moved, middle, axis=0)[middle]


def gaussian_filter(picture: np.ndarray, sigma: float) -> np.ndarray:
    """Blur with a Gaussian bell of standard deviation ``sigma`` pixels, cut off at four of them.

    The bell is applied down and then across, since it is a product of the two. Beyond the edge the edge's
    pixels are repeated. Shape and dtype stay; sigma 0 changes nothing.

    Raises:
        ValueError: no picture, or a negative sigma.
    """
    picture = _one(picture)
    check_between("sigma", sigma, 0, 1000)
    if sigma == 0:
        return picture.copy()
    reach = int(4 * sigma + 0.5)
    places = np.arange(-reach, reach + 1)
    bell = np.exp(-0.5 * (places / sigma) ** 2)
    bell /= bell.sum()
    values = picture.astype(float)
    for axis in (0, 1):
        pads = [(0, 0)] * 3
        pads[axis] = (reach, reach)
        padded = np.pad(values, pads, mode="edge")
        length = picture.shape[axis]
        values = sum(
            weight * np.take(padded, range(first, first + length), axis=axis)
            for first, weight in enumerate(bell)
        )
    return as_dtype(values, picture.dtype) if picture.dtype == np.uint8 else values.astype(picture.dtype)


def signal_to_noise(picture: np.ndarray, reference: np.ndarray) -> float:
    """Peak signal-to-noise ratio in decibels: ``10 log10(white² / mean squared difference)``.

    Infinite for equal pictures. White is 255 for ``uint8`` and 1 for floats.

    Raises:
        ValueError: the two are no pictures of one shape and dtype.
    """
    picture, reference = _one(picture), _one(reference, "reference")
    if picture.shape != reference.shape or picture.dtype != reference.dtype:
        raise ValueError(
            f"both must have one shape and dtype, got {picture.dtype} {picture.shape} and "
            f"{reference.dtype} {reference.shape}"
        )
    error = np.mean((picture.astype(float) - reference) ** 2)
    return float(10 * np.log10(top(picture) ** 2 / error)) if error > 0 else float("inf")


def _four(padded: np.ndarray) -> np.ndarray:
    """Sums of the four neighbours of each pixel of a picture with a ring of padding."""
    return padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]


def _one(picture: np.ndarray, name: str = "picture") -> np.ndarray:
    picture = np.asarray(picture)
    if picture.ndim != 3:
        raise ValueError(f"{name} must be one picture (height, width, channels), got shape {picture.shape}")
    return as_batch(picture, name)[0]
