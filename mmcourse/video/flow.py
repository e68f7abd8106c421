"""Optical flow (notebook 27): how far each piece of a frame has moved in the next one.

Source: Lucas and Kanade (1981), "An Iterative Image Registration Technique with an Application to Stereo
Vision", here a single step of it, at one resolution.
"""

import numpy as np


def brightness_slopes(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How brightness changes along the columns, along the rows and in time.

    The slopes in space are half the difference of the two neighbours, averaged over both frames; there are
    none at the border.

    Args:
        first, second: brightness of two frames that follow each other, ``(height, width)``.

    Returns:
        ``(by_column, by_row, by_time)``, each ``float64`` ``(height - 2, width - 2)``, in levels a pixel and
        levels a frame.

    Raises:
        ValueError: the frames differ in shape, are not two-dimensional or are smaller than 3 × 3.
    """
    first, second = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if first.shape != second.shape or first.ndim != 2 or min(first.shape) < 3:
        raise ValueError(
            "the two frames must be grey, (height, width), of one shape and at least 3 x 3; "
            f"got {first.shape} and {second.shape}"
        )
    mean = (first + second) / 2
    by_column = (mean[1:-1, 2:] - mean[1:-1, :-2]) / 2
    by_row = (mean[2:, 1:-1] - mean[:-2, 1:-1]) / 2
    return by_column, by_row, (second - first)[1:-1, 1:-1]


def lucas_kanade(
    first: np.ndarray, second: np.ndarray, window: int = 3, least: float = 1e-6
) -> tuple[np.ndarray, np.ndarray]:
    """The motion of every window, by least squares (Lucas and Kanade, 1981).

    Each pixel of a window asks for ``by_column · u + by_row · v = -by_time``. The normal equations are two
    equations with the 2 × 2 matrix of the sums of products of the slopes. Where its smaller eigenvalue,
    divided by the pixels of a window, is below ``least``, the window has no slope in some direction and its
    motion cannot be told (the aperture problem).

    Args:
        first, second: brightness of two frames that follow each other, ``(height, width)``.
        window: side of the window, odd.
        least: smallest mean square slope, in levels² a pixel².

    Returns:
        ``(flow, certainty)``: ``float64`` ``(height - 1 - window, width - 1 - window, 2)`` with ``u``, to the
        right, and ``v``, downwards, in pixels a frame, ``nan`` where it cannot be told; and the smaller
        eigenvalue divided by the pixels of the window. The centre of the first window is the pixel
        ``(window // 2 + 1, window // 2 + 1)``.

    Raises:
        ValueError: the frames or the window are out of range.
    """
    by_column, by_row, by_time = brightness_slopes(first, second)
    if isinstance(window, bool) or window % 2 != 1 or not 1 <= window <= min(by_column.shape):
        raise ValueError(
            f"window must be odd and fit into the {by_column.shape} pixels that have slopes, got {window!r}"
        )

    def mean(values: np.ndarray) -> np.ndarray:
        windows = np.lib.stride_tricks.sliding_window_view(values, (window, window))
        return windows.mean(axis=(-1, -2))

    xx, xy, yy = mean(by_column**2), mean(by_column * by_row), mean(by_row**2)
    xt, yt = mean(by_column * by_time), mean(by_row * by_time)
    certainty = (xx + yy - np.hypot(xx - yy, 2 * xy)) / 2
    told = certainty >= least
    determinant = np.where(told, xx * yy - xy**2, 1.0)
    flow = np.stack([xy * yt - yy * xt, xy * xt - xx * yt], axis=-1) / determinant[..., None]
    return np.where(told[..., None], flow, np.nan), certainty
