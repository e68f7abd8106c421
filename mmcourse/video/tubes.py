"""Tubes, the patches of a clip (notebook 27), in NumPy.

Source: Arnab et al. (2021), "ViViT: A Video Vision Transformer", section 3.2 ("tubelets").
"""

import numpy as np

from mmcourse.checks import check_count


def tube_grid(shape: tuple[int, ...], tube: tuple[int, int, int]) -> tuple[int, int, int]:
    """How many tubes fit along time, height and width.

    Args:
        shape: of the clip; its first three numbers are frames, height and width.
        tube: frames, height and width of a tube.

    Raises:
        ValueError: a number is not a whole one above 0, or a side of the clip is no multiple of the tube's.
    """
    names = ("frames", "height", "width")
    if len(shape) < 3 or len(tube) != 3:
        raise ValueError(f"expected a shape of at least 3 and a tube of 3 numbers, got {shape} and {tube}")
    for name, whole, part in zip(names, shape, tube, strict=False):
        check_count(f"{name} of the tube", part)
        if check_count(name, whole) % part:
            raise ValueError(
                f"a clip of {whole} {name} cannot be cut into tubes of {part}; sample or resize it to a "
                f"multiple of {part}"
            )
    return tuple(w // p for w, p in zip(shape, tube, strict=False))  # type: ignore[return-value]


def cut_tubes(clips: np.ndarray, tube: tuple[int, int, int]) -> np.ndarray:
    """Cut clips into tubes that do not overlap.

    Args:
        clips: ``(..., frames, height, width, channels)``.
        tube: frames, height and width of a tube.

    Returns:
        ``(..., tokens, values)``: the tubes in the order of time, then rows, then columns; the values of each
        in the same order, channels last. ``values`` is the product of the tube's sides and the channels.

    Raises:
        ValueError: the sides of the clip are no multiples of the tube's.
    """
    clips = np.asarray(clips)
    if clips.ndim < 4:
        raise ValueError(f"clips must be (..., frames, height, width, channels), got {clips.shape}")
    grid = tube_grid(clips.shape[-4:-1], tube)
    leading, channels = clips.shape[:-4], clips.shape[-1]
    split = [side for pair in zip(grid, tube, strict=True) for side in pair]
    pieces = clips.reshape(-1, *split, channels)  # (clips, T, t, H, h, W, w, channels)
    pieces = pieces.transpose(0, 1, 3, 5, 2, 4, 6, 7)  # (clips, T, H, W, t, h, w, channels)
    return pieces.reshape(*leading, np.prod(grid), np.prod(tube) * channels)
