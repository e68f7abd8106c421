"""What the functions on pictures accept: one picture or a batch of them, ``uint8`` or ``float``.

A picture is ``(height, width, channels)``, a batch ``(pictures, height, width, channels)``; a grey picture
has one channel. ``uint8`` values are 0 to 255, ``float32`` and ``float64`` values 0 to 1.
"""

import numpy as np

DTYPES = ("uint8", "float32", "float64")


def as_batch(pictures: np.ndarray, name: str = "pictures") -> np.ndarray:
    """The same pictures as a batch ``(pictures, height, width, channels)``, without a copy.

    Raises:
        ValueError: no picture or batch, no pixels, or a dtype other than :data:`DTYPES`.
    """
    pictures = np.asarray(pictures)
    if pictures.ndim not in (3, 4):
        raise ValueError(
            f"{name} must be (height, width, channels) or (pictures, height, width, channels), got shape "
            f"{pictures.shape}; give a grey picture its channel with [..., None]"
        )
    if pictures.dtype.name not in DTYPES:
        raise ValueError(
            f"{name} must be uint8 (0 to 255), float32 or float64 (0 to 1), got {pictures.dtype}"
        )
    if 0 in pictures.shape[-3:]:
        raise ValueError(f"{name} must have at least one pixel and one channel, got shape {pictures.shape}")
    return pictures if pictures.ndim == 4 else pictures[None]


def top(pictures: np.ndarray) -> int:
    """The value of white: 255 for ``uint8``, 1 for floats."""
    return 255 if pictures.dtype == np.uint8 else 1


def check_range(pictures: np.ndarray, name: str = "pictures") -> None:
    """Raise ValueError unless float pictures hold numbers from 0 to 1: what clips would ruin others."""
    if pictures.dtype != np.uint8 and pictures.size:
        low, high = pictures.min(), pictures.max()
        if not (low >= 0 and high <= 1):
            raise ValueError(
                f"{name} of floats must be between 0 and 1, got {low} to {high}; do this before you "
                "standardise, and fill what is missing first"
            )


def as_dtype(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Numbers as pictures of ``dtype``: rounded to 0 … 255 for ``uint8``, cut to 0 … 1 for floats."""
    if dtype == np.uint8:
        return np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return np.clip(values, 0, 1).astype(dtype, copy=False)
