"""Convolution and pooling in NumPy, forward and backward, and what a stack sees (notebooks 33 and 34).

Source: LeCun et al. (1998), "Gradient-Based Learning Applied to Document Recognition", section II.

What deep learning calls a convolution is a cross-correlation: the kernel is not flipped. All functions here,
like Keras, follow that use. Arrays are channels-last: ``(batch, height, width, channels)``.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mmcourse.checks import check_count

PADDINGS = ("valid", "same", "full")


# Checks


def _check_image(image: np.ndarray) -> None:
    if image.ndim not in (2, 3, 4) or 0 in image.shape:
        raise ValueError(
            "image must be (height, width), (height, width, channels) or (batch, height, width, channels) "
            f"and not empty, got shape {image.shape}"
        )


def _with_all_axes(image, kernel) -> tuple[np.ndarray, np.ndarray]:
    """Image and kernel with four axes; small whole numbers become ``int64``, which cannot overflow here."""
    image, kernel = np.asarray(image), np.asarray(kernel)
    _check_image(image)
    axes = 2 if image.ndim == 2 else 4
    if kernel.ndim != axes or 0 in kernel.shape:
        form = "(height, width)" if axes == 2 else "(height, width, channels, filters)"
        raise ValueError(f"kernel must be {form} for an image {image.shape}, got shape {kernel.shape}")
    if axes == 4 and kernel.shape[2] != image.shape[-1]:
        raise ValueError(
            f"kernel must have the image's {image.shape[-1]} channels on its third axis "
            f"(image {image.shape}), got {kernel.shape[2]} (kernel {kernel.shape})"
        )
    if axes == 2:
        image, kernel = image[None, :, :, None], kernel[:, :, None, None]
    elif image.ndim == 3:
        image = image[None]
    kind = np.result_type(image, kernel)
    if not np.issubdtype(kind, np.inexact):
        image, kernel = image.astype(np.int64), kernel.astype(np.int64)
    return image, kernel


def _without_added_axes(output: np.ndarray, image) -> np.ndarray:
    """The output ``(batch, rows, columns, filters)`` with the axes that the image had."""
    return {2: output[0, :, :, 0], 3: output[0], 4: output}[np.ndim(image)]


# Where the windows lie


def window_size(kernel_size: int, dilation: int = 1) -> int:
    """Pixels from the first to the last that a kernel touches: ``dilation · (kernel_size - 1) + 1``.

    Raises:
        ValueError: an argument is no whole number above 0.
    """
    check_count("kernel_size", kernel_size)
    check_count("dilation", dilation)
    return dilation * (kernel_size - 1) + 1


def padding_amounts(
    size: int, kernel_size: int, stride: int = 1, padding: str | int = "valid", dilation: int = 1
) -> tuple[int, int]:
    """How many zeros are put before and after one axis of ``size`` pixels.

    - ``"valid"``: none.
    - ``"same"``: as many as make the output ``ceil(size / stride)`` long. An odd number of zeros is split so
      that the larger half comes after, as in Keras; with a stride above 1 that is common.
    - ``"full"``: so many that every window that touches a pixel counts.
    - a whole number: that many on either side.

    Raises:
        ValueError: an argument is out of range, or ``"same"`` meets an even kernel, which has no centre.
    """
    check_count("size", size)
    window = window_size(kernel_size, dilation)
    check_count("stride", stride)
    if isinstance(padding, int | np.integer) and not isinstance(padding, bool):
        if padding < 0:
            raise ValueError(f"padding must not be negative, got {padding}")
        return int(padding), int(padding)
    if padding not in PADDINGS:
        raise ValueError(f"padding must be one of {PADDINGS} or a whole number, got {padding!r}")
    if padding == "valid":
        return 0, 0
    if padding == "full":
        return window - 1, window - 1
    if kernel_size % 2 == 0:
        raise ValueError(
            "kernel must have an odd size for padding 'same', which puts its centre on a pixel; "
            f"got {kernel_size}"
        )
    total = max((math.ceil(size / stride) - 1) * stride + window - size, 0)
    return total // 2, total - total // 2


def output_size(
    size: int, kernel_size: int, stride: int = 1, padding: str | int = "valid", dilation: int = 1
) -> int:
    """How many windows fit on one axis: ``⌊(size + zeros - window) / stride⌋ + 1``.

    ``zeros`` are those of :func:`padding_amounts`, ``window`` is that of :func:`window_size`.

    Raises:
        ValueError: an argument is out of range, or not one window fits.
    """
    padded = size + sum(padding_amounts(size, kernel_size, stride, padding, dilation))
    window = window_size(kernel_size, dilation)
    if window > padded:
        raise ValueError(
            f"kernel does not fit: its window is {window} wide (size {kernel_size}, dilation {dilation}), "
            f"the image with its padding {padded}"
        )
    return (padded - window) // stride + 1


@dataclass(frozen=True)
class _Layout:
    """Where the windows lie on both axes; made by :func:`_layout`."""

    kernel_size: tuple[int, int]
    output: tuple[int, ...]
    zeros: tuple[tuple[int, int], ...]
    stride: int
    dilation: int

    def shifts(self) -> Iterator[tuple[int, int, slice, slice]]:
        """For each place of the kernel, the pixels of the padded image that meet it, one a window."""
        rows, columns = (
            [
                slice(
                    place * self.dilation, place * self.dilation + (count - 1) * self.stride + 1, self.stride
                )
                for place in range(size)
            ]
            for size, count in zip(self.kernel_size, self.output, strict=True)
        )
        for m, row in enumerate(rows):
            for n, column in enumerate(columns):
                yield m, n, row, column

    def pad(self, images: np.ndarray) -> np.ndarray:
        """``(batch, height, width, channels)`` with the zeros around it."""
        return np.pad(images, ((0, 0), *self.zeros, (0, 0)))


def _layout(shape, kernel_size, stride, padding, dilation) -> _Layout:
    axes = list(zip(shape, kernel_size, strict=True))
    return _Layout(
        kernel_size=tuple(kernel_size),
        output=tuple(output_size(size, kernel, stride, padding, dilation) for size, kernel in axes),
        zeros=tuple(padding_amounts(size, kernel, stride, padding, dilation) for size, kernel in axes),
        stride=stride,
        dilation=dilation,
    )


# The layer, forward and backward


def conv2d(
    image: np.ndarray,
    kernel: np.ndarray,
    bias: float | np.ndarray = 0,
    stride: int = 1,
    padding: str | int = "valid",
    dilation: int = 1,
) -> np.ndarray:
    """Cross-correlate an image with a kernel, and add a bias.

    Args:
        image: ``(height, width)``, ``(height, width, channels)`` or ``(batch, height, width, channels)``.
        kernel: ``(kernel height, kernel width)`` for an image of two axes, else
            ``(kernel height, kernel width, channels, filters)``.
        bias: one number, or ``(filters,)``.
        stride: steps from one window to the next, both ways.
        padding: ``"valid"``, ``"same"`` (as Keras pads), ``"full"`` or a number of zeros; see
            :func:`padding_amounts`.
        dilation: steps from one place of the kernel to the next, both ways.

    Returns:
        ``(rows, columns)``, ``(rows, columns, filters)`` or ``(batch, rows, columns, filters)``; whole
        numbers stay whole (``int64``).

    Raises:
        ValueError: shapes that do not fit, a stride or dilation below 1, an unknown padding, an even kernel
            with padding ``"same"``, or a kernel larger than the padded image.
    """
    images, kernels = _with_all_axes(image, kernel)
    filters = kernels.shape[3]
    if np.ndim(bias) > 1 or np.size(bias) not in (1, filters):
        raise ValueError(f"bias must be one number or {filters} (a filter each), got shape {np.shape(bias)}")
    layout = _layout(images.shape[1:3], kernels.shape[:2], stride, padding, dilation)
    padded = layout.pad(images)
    output = np.zeros((len(images), *layout.output, filters), np.result_type(images, kernels, bias))
    for m, n, rows, columns in layout.shifts():
        output += padded[:, rows, columns] @ kernels[m, n]  # each pixel's channels become filters
    return _without_added_axes(output + bias, image)


class ConvolutionGradients(NamedTuple):
    """What a loss changes by for each number that went into a convolution; shapes as of those numbers."""

    image: np.ndarray
    kernel: np.ndarray
    bias: np.ndarray


def conv2d_backward(
    output_gradient: np.ndarray,
    image: np.ndarray,
    kernel: np.ndarray,
    stride: int = 1,
    padding: str | int = "valid",
    dilation: int = 1,
) -> ConvolutionGradients:
    """Backpropagation through :func:`conv2d`, by the same walk over the places of the kernel.

    Args:
        output_gradient: derivative of the loss by each number of the output, in the output's shape.
        image, kernel, stride, padding, dilation: as they were given to :func:`conv2d`.

    Returns:
        The derivatives of the loss by image, kernel and bias. The bias is ``(filters,)``, or one number for a
        kernel of two axes.

    Raises:
        ValueError: ``output_gradient`` has not the shape of the output; else as :func:`conv2d`.
    """
    images, kernels = _with_all_axes(image, kernel)
    layout = _layout(images.shape[1:3], kernels.shape[:2], stride, padding, dilation)
    gradient = np.asarray(output_gradient)
    expected = (len(images), *layout.output, kernels.shape[3])
    shape = _without_added_axes(np.empty(expected), image).shape
    if gradient.shape != shape:
        raise ValueError(f"output_gradient must have the output's shape {shape}, got {gradient.shape}")
    gradient = gradient.reshape(expected).astype(np.result_type(gradient, np.float32), copy=False)
    padded = layout.pad(images)
    kind = np.result_type(gradient, images, kernels)
    padded_gradient = np.zeros(padded.shape, kind)
    kernel_gradient = np.zeros(kernels.shape, kind)
    for m, n, rows, columns in layout.shifts():
        kernel_gradient[m, n] = np.tensordot(padded[:, rows, columns], gradient, axes=((0, 1, 2), (0, 1, 2)))
        padded_gradient[:, rows, columns] += gradient @ kernels[m, n].T  # what each pixel was multiplied by
    (top, _), (left, _) = layout.zeros
    height, width = images.shape[1:3]
    image_gradient = padded_gradient[:, top : top + height, left : left + width]
    return ConvolutionGradients(
        image=image_gradient.reshape(np.shape(image)),
        kernel=kernel_gradient.reshape(np.shape(kernel)),
        bias=gradient.sum(axis=(0, 1, 2)).reshape(np.shape(kernel)[3:]),
    )


def unfold(
    image: np.ndarray,
    kernel_size: int | tuple[int, int],
    stride: int = 1,
    padding: str | int = "valid",
    dilation: int = 1,
) -> np.ndarray:
    """Write each window as one row ("im2col"), so that a convolution becomes a matrix product.

    ``unfold(image, size) @ kernel.reshape(-1, filters)`` holds the numbers of ``conv2d(image, kernel)``.

    Args:
        image: ``(height, width)`` or ``(height, width, channels)``.
        kernel_size: rows and columns of a window; one number for a square.

    Returns:
        ``(windows, kernel height · kernel width · channels)``, windows row by row.

    Raises:
        ValueError: as :func:`conv2d`.
    """
    image = np.asarray(image)
    if image.ndim not in (2, 3):
        raise ValueError(
            f"image must be (height, width) or (height, width, channels), got shape {image.shape}"
        )
    pixels = image[None] if image.ndim == 3 else image[None, :, :, None]
    sizes = (kernel_size, kernel_size) if np.ndim(kernel_size) == 0 else kernel_size
    layout = _layout(pixels.shape[1:3], sizes, stride, padding, dilation)
    padded = layout.pad(pixels)
    places = [padded[0, rows, columns] for _, _, rows, columns in layout.shifts()]
    return np.stack(places, axis=2).reshape(math.prod(layout.output), -1)


# Pooling


def average_pool2d(image: np.ndarray, size: int) -> np.ndarray:
    """The mean of each window of ``size`` × ``size``, each channel for itself; windows do not overlap.

    Args:
        image: ``(height, width)``, ``(height, width, channels)`` or ``(batch, height, width, channels)``;
            rows and columns that do not fill a window are left out.

    Returns:
        As ``image``, with fewer rows and columns.

    Raises:
        ValueError: ``size`` is no whole number above 0, or larger than the image.
    """
    image = np.asarray(image)
    _check_image(image)
    check_count("size", size)
    axis = 1 if image.ndim == 4 else 0
    before, (height, width), after = image.shape[:axis], image.shape[axis : axis + 2], image.shape[axis + 2 :]
    if size > min(height, width):
        raise ValueError(f"size must be at most {min(height, width)} (image {image.shape}), got {size}")
    rows, columns = height // size, width // size
    kept = image[(slice(None),) * axis + (slice(rows * size), slice(columns * size))]
    windows = kept.reshape(*before, rows, size, columns, size, *after)
    return windows.mean(axis=(axis + 1, axis + 3))


# What a network sees


class ReceptiveField(NamedTuple):
    """What one output of a stack of layers sees.

    Attributes:
        size: how many pixels of the input, along one axis.
        stride: how many pixels of the input lie between two neighbouring outputs.
    """

    size: int
    stride: int


def receptive_field(layers: Iterable[tuple[int, ...]]) -> ReceptiveField:
    """Follow a stack of convolutions and poolings and return what one output sees.

    A kernel place further away lies ``dilation`` steps away in the layer's input, and a step there is as many
    pixels of the picture as the strides before it multiply to.

    Args:
        layers: ``(kernel size,)``, ``(kernel size, stride)`` or ``(kernel size, stride, dilation)`` of each
            layer, the first layer first.

    Raises:
        ValueError: a layer is none of these, or a number in it is below 1.
    """
    size = step = 1
    for number, layer in enumerate(layers):
        if not isinstance(layer, tuple | list) or not 1 <= len(layer) <= 3:
            raise ValueError(
                f"layers[{number}] must be (kernel size, stride, dilation), the last two optional, "
                f"got {layer!r}"
            )
        kernel_size, stride, dilation = (*layer, 1, 1)[:3]
        check_count(f"stride of layers[{number}]", stride)
        size += (window_size(kernel_size, dilation) - 1) * step
        step *= stride
    return ReceptiveField(size, step)
