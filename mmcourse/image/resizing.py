"""Other sizes, by hand: the mean of boxes, and bilinear interpolation."""

import numpy as np

from mmcourse.image.arrays import as_batch, as_dtype


def shrink(pictures: np.ndarray, factor: int) -> np.ndarray:
    """Make pictures smaller by a whole factor: each new pixel is the mean of ``factor * factor`` old ones.

    Rows and columns that do not fill a box at the lower and right edge are left out.

    Args:
        pictures: one picture or a batch; the dtype stays.
        factor: 1 or more.

    Raises:
        ValueError: no pictures, or a factor below 1 or larger than a side.
    """
    batch = as_batch(pictures)
    count, height, width, channels = batch.shape
    if not isinstance(factor, int | np.integer) or not 1 <= factor <= min(height, width):
        raise ValueError(
            f"factor must be a whole number from 1 to {min(height, width)} (the smaller side), got {factor!r}"
        )
    rows, columns = height // factor, width // factor
    boxes = batch[:, : rows * factor, : columns * factor].reshape(
        count, rows, factor, columns, factor, channels
    )
    return _restore(boxes.mean(axis=(2, 4)), batch, pictures)


def bilinear(pictures: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resize by bilinear interpolation, without a filter against aliasing; the dtype stays.

    Pixel ``i`` of ``n`` covers the interval from ``i`` to ``i + 1``, so its centre lies at ``i + 0.5``: a new
    centre is looked up between the four old centres around it, and outside them the edge is repeated. This is
    the convention of OpenCV, TensorFlow 2 and PyTorch (``align_corners=False``).

    Raises:
        ValueError: no pictures, or a side below 1.
    """
    batch = as_batch(pictures)
    _check_sides(height, width)
    upper, lower, down = _neighbours(batch.shape[1], height)
    left, right, across = _neighbours(batch.shape[2], width)
    down, across = down[:, None, None], across[:, None]
    columns = (1 - across) * batch[:, :, left] + across * batch[
        :, :, right
    ]  # (pictures, rows, width, channels)
    resized = (1 - down) * columns[:, upper] + down * columns[:, lower]
    return _restore(resized, batch, pictures)


def _neighbours(old: int, new: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each new place the old places before and after it, and how far it is on the way between them."""
    places = np.clip((np.arange(new) + 0.5) * old / new - 0.5, 0, old - 1)
    before = np.minimum(places.astype(int), max(old - 2, 0))
    return before, np.minimum(before + 1, old - 1), places - before


def _restore(values: np.ndarray, batch: np.ndarray, pictures: np.ndarray) -> np.ndarray:
    """Means as pictures of the dtype and number of axes that came in; floats may hold any numbers."""
    values = as_dtype(values, batch.dtype) if batch.dtype == np.uint8 else values.astype(batch.dtype)
    return values if np.ndim(pictures) == 4 else values[0]


def _check_sides(height: int, width: int) -> None:
    for name, side in (("height", height), ("width", width)):
        if not isinstance(side, int | np.integer) or side < 1:
            raise ValueError(f"{name} must be a whole number above 0, got {side!r}")
