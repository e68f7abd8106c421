"""Colour: the light that sRGB values stand for, grey, and transparency laid over a background."""

import numpy as np

from mmcourse.image.arrays import as_batch, as_dtype, top

# How much red, green and blue a grey value takes: ITU-R BT.601, which OpenCV and Pillow follow.
GREY_WEIGHTS = np.array([0.299, 0.587, 0.114])


def to_light(values: np.ndarray) -> np.ndarray:
    """The share of the brightest light that sRGB values stand for (IEC 61966-2-1).

    Args:
        values: sRGB between 0 and 1, any shape; ``uint8`` counts as 0 to 255.

    Raises:
        ValueError: values outside 0 to 1.
    """
    values = _unit(values, "values")
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def to_srgb(light: np.ndarray) -> np.ndarray:
    """The sRGB values, 0 to 1, of shares of light; the inverse of :func:`to_light`.

    Raises:
        ValueError: values outside 0 to 1.
    """
    light = _unit(light, "light")
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


def to_grey(pictures: np.ndarray) -> np.ndarray:
    """Grey pictures ``(..., height, width, 1)`` of pictures with three channels; the dtype stays.

    Raises:
        ValueError: no picture or batch with three channels.
    """
    batch = as_batch(pictures)
    if batch.shape[-1] != 3:
        raise ValueError(f"pictures must have three channels (RGB), got shape {np.shape(pictures)}")
    grey = as_dtype(batch @ GREY_WEIGHTS, batch.dtype)[..., None]
    return grey if np.ndim(pictures) == 4 else grey[0]


def lay_over(pictures: np.ndarray, background: tuple[float, float, float] | None = None) -> np.ndarray:
    """Lay pictures with transparency over one colour: RGBA to RGB, dtype kept.

    Each value is ``alpha * colour + (1 - alpha) * background``, the "over" of Porter and Duff (1984).

    Args:
        pictures: ``(..., height, width, 4)``; the fourth channel is the opacity.
        background: colour in the range of the pictures; white by default.

    Raises:
        ValueError: no pictures with four channels, or a background that is no colour in their range.
    """
    batch = as_batch(pictures)
    if batch.shape[-1] != 4:
        raise ValueError(f"pictures must have four channels (RGBA), got shape {np.shape(pictures)}")
    white = top(batch)
    colour = np.asarray((white,) * 3 if background is None else background, dtype=float)
    if colour.shape != (3,) or not ((colour >= 0) & (colour <= white)).all():
        raise ValueError(f"background must be three numbers from 0 to {white}, got {background!r}")
    alpha = batch[..., 3:] / white  # (pictures, height, width, 1)
    laid = as_dtype(alpha * batch[..., :3] + (1 - alpha) * colour, batch.dtype)
    return laid if np.ndim(pictures) == 4 else laid[0]


def _unit(values: np.ndarray, name: str) -> np.ndarray:
    values = np.asarray(values)
    values = values / 255 if values.dtype == np.uint8 else values.astype(float)
    if not ((values >= 0) & (values <= 1)).all():
        raise ValueError(f"{name} must lie between 0 and 1, got {values.min()} to {values.max()}")
    return values
