"""Tubes, the patches of a clip, and the convolution in space and time, in NumPy.

Sources: Arnab et al. (2021), "ViViT: A Video Vision Transformer", section 3.2, for tubes ("tubelets"); Tran
et al. (2015), "Learning Spatiotemporal Features with 3D Convolutional Networks", for the convolution.
"""

import numpy as np

from mmcourse.video.frames import check_count


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
    return tuple(whole // part for whole, part in zip(shape, tube, strict=False))


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


def join_tubes(tubes: np.ndarray, shape: tuple[int, int, int, int], tube: tuple[int, int, int]) -> np.ndarray:
    """Put tubes together again; undoes :func:`cut_tubes`.

    Args:
        tubes: ``(..., tokens, values)``.
        shape: frames, height, width and channels of a clip.
        tube: frames, height and width of a tube.

    Raises:
        ValueError: the numbers do not fit together.
    """
    tubes = np.asarray(tubes)
    grid = tube_grid(shape, tube)
    expected = (int(np.prod(grid)), int(np.prod(tube)) * shape[3])
    if tubes.shape[-2:] != expected:
        raise ValueError(
            f"tubes of a clip {shape} must be (..., {expected[0]}, {expected[1]}), got {tubes.shape}"
        )
    pieces = tubes.reshape(-1, *grid, *tube, shape[3])
    return pieces.transpose(0, 1, 4, 2, 5, 3, 6, 7).reshape(*tubes.shape[:-2], *shape)


def convolve(
    clip: np.ndarray,
    kernel: np.ndarray,
    bias: np.ndarray | None = None,
    stride: tuple[int, int, int] = (1, 1, 1),
) -> np.ndarray:
    """A convolution in space and time, without padding; like everywhere, the kernel is not flipped.

    Args:
        clip: ``(frames, height, width, channels)``.
        kernel: ``(frames, height, width, channels, filters)``, as Keras's ``Conv3D`` keeps it.
        bias: ``(filters,)``; none by default.
        stride: steps along time, height and width.

    Returns:
        ``(windows in time, in height, in width, filters)``.

    Raises:
        ValueError: the shapes do not fit.
    """
    clip, kernel = np.asarray(clip), np.asarray(kernel)
    if clip.ndim != 4 or kernel.ndim != 5 or clip.shape[3] != kernel.shape[3]:
        raise ValueError(
            "expected a clip (frames, height, width, channels) and a kernel (frames, height, width, "
            f"channels, filters) with as many channels; got {clip.shape} and {kernel.shape}"
        )
    if any(k > side for k, side in zip(kernel.shape, clip.shape[:3], strict=False)):
        raise ValueError(f"a kernel {kernel.shape[:3]} does not fit into a clip {clip.shape[:3]}")
    steps = tuple(slice(None, None, check_count("stride", step)) for step in stride)
    windows = np.lib.stride_tricks.sliding_window_view(clip, kernel.shape[:3], axis=(0, 1, 2))[steps]
    output = np.einsum("thwcijk,ijkcf->thwf", windows, kernel, optimize=True)
    return output if bias is None else output + np.asarray(bias)
