"""Checkers of the chapter "Convolution"."""

from collections.abc import Callable

import numpy as np

from mmcourse.exercises.verdict import call, require


def _size(answer) -> None:
    for size, kernel, stride, padding, dilation in (
        (5, 3, 1, 0, 1),
        (5, 3, 1, 1, 1),
        (28, 5, 1, 0, 1),
        (28, 3, 2, 1, 1),
        (7, 2, 3, 0, 1),
        (12, 3, 1, 0, 4),
        (11, 4, 2, 3, 3),
        (3, 3, 2, 0, 1),
    ):
        places = range(0, size + 2 * padding - dilation * (kernel - 1), stride)
        given = call(answer, size, kernel, stride, padding, dilation)
        require(
            given == len(places),
            f"{size} pixels, kernel {kernel}, stride {stride}, {padding} zeros on each side, dilation "
            f"{dilation}: you give {given}, not {len(places)}. The windows begin at the pixels "
            f"{list(places)} of the padded row.",
        )


def _flip(answer) -> None:
    random = np.random.default_rng(0)
    dot = np.zeros((5, 5))
    dot[2, 2] = 1
    stamp = np.arange(1.0, 10).reshape(3, 3)
    cases = [
        (dot, stamp),
        (random.integers(-3, 4, (4, 5)).astype(float), random.integers(-3, 4, (2, 3)).astype(float)),
        (random.integers(0, 4, (6, 4)), random.integers(-3, 4, (3, 1))),
        (random.normal(size=(3, 3)), random.normal(size=(3, 3))),
    ]
    for image, kernel in cases:
        rows, columns = (n - k + 1 for n, k in zip(image.shape, kernel.shape, strict=True))
        windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
        correlated = (windows * kernel).sum(axis=(2, 3))
        expected = (windows * kernel[::-1, ::-1]).sum(axis=(2, 3))
        given = np.asarray(call(answer, image.copy(), kernel.copy()))
        require(
            given.shape == (rows, columns),
            f"for an image {image.shape} and a kernel {kernel.shape} expected the shape {(rows, columns)}, "
            f"got {given.shape}: only windows that lie wholly inside count",
        )
        if not np.allclose(correlated, expected):
            require(
                not np.allclose(given, correlated),
                "this is the cross-correlation: the kernel must be flipped, upside down and left to right",
            )
        require(
            np.allclose(given, expected),
            f"for the image {image.round(2).tolist()} and the kernel {kernel.round(2).tolist()} expected "
            f"{expected.round(2).tolist()}, got {given.tolist()}",
        )


def _parameters(answer) -> None:
    for kernel, channels in ((3, 4), (5, 16), (7, 64), (11, 3)):
        layers = (kernel - 1) // 2
        expected = (kernel**2 * channels**2, layers * 9 * channels**2)
        given = tuple(call(answer, kernel, channels))
        require(len(given) == 2, f"expected two numbers (one layer, stack of 3 × 3 layers), got {len(given)}")
        require(
            given[0] == expected[0],
            f"one layer of {kernel} × {kernel} from {channels} to {channels} channels: you give {given[0]}, "
            f"not {expected[0]}. Every filter has a weight for each place and each channel it reads.",
        )
        require(
            given[1] == expected[1],
            f"the stack that sees {kernel} × {kernel}, {channels} channels: you give {given[1]}, not "
            f"{expected[1]}. A layer of 3 × 3 sees 2 pixels more than the one below it, so {layers} are "
            "needed.",
        )


def _field(answer) -> None:
    for layers in (
        [(3, 1)],
        [(3, 1), (3, 1)],
        [(3, 2), (3, 1)],
        [(3, 1), (3, 2)],
        [(5, 1), (2, 2), (5, 1), (2, 2)],
        [(7, 2), (3, 2), (3, 1), (3, 1)],
        [(1, 1), (1, 3), (2, 1)],
    ):
        step = np.cumprod([1, *(stride for _, stride in layers[:-1])])
        expected = 1 + int(sum((kernel - 1) * j for (kernel, _), j in zip(layers, step, strict=True)))
        given = call(answer, list(layers))
        require(
            given == expected,
            f"the layers {layers} see {expected} pixels, you give {given}. A layer adds kernel - 1 steps, "
            "and a step is as wide as the strides of the layers before it, multiplied.",
        )


def _pooling(answer) -> None:
    random = np.random.default_rng(0)
    for shape in ((2, 2), (4, 6), (8, 2)):
        image = random.permutation(shape[0] * shape[1]).reshape(shape) - 5.0
        gradient = random.integers(1, 9, (shape[0] // 2, shape[1] // 2)) * random.choice([-1.0, 1.0])
        expected = np.zeros(shape)
        for i, j in np.ndindex(gradient.shape):
            window = image[2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
            expected[2 * i : 2 * i + 2, 2 * j : 2 * j + 2] = (window == window.max()) * gradient[i, j]
        given = np.asarray(call(answer, gradient.copy(), image.copy()))
        require(given.shape == shape, f"expected the shape of the image, {shape}, got {given.shape}")
        require(
            np.allclose(given, expected),
            f"for the image {image.tolist()} and the gradient {gradient.tolist()} expected "
            f"{expected.tolist()}, got {given.tolist()}. Only the largest number of a window can change the "
            "output.",
        )


def _folding(answer) -> None:
    random = np.random.default_rng(0)
    for kernel_shape, epsilon in (((1, 1, 1, 1), 1e-3), ((3, 3, 2, 4), 1e-3), ((2, 1, 3, 3), 0.5)):
        kernel = random.normal(size=kernel_shape)
        scale, shift, mean = random.normal(size=(3, kernel_shape[3]))
        variance = random.uniform(0.5, 2, size=kernel_shape[3])
        given = call(answer, kernel.copy(), scale, shift, mean, variance, epsilon)
        require(
            isinstance(given, tuple | list) and len(given) == 2,
            "expected a new kernel and a new bias: two arrays",
        )
        new_kernel, new_bias = (np.asarray(part) for part in given)
        require(
            new_kernel.shape == kernel.shape and new_bias.shape == mean.shape,
            f"expected the shapes {kernel.shape} and {mean.shape}, got {new_kernel.shape} and "
            f"{new_bias.shape}",
        )
        pixels = random.normal(size=(5, *kernel_shape[:3]))  # five windows
        before = np.tensordot(pixels, kernel, axes=3)
        expected = scale * (before - mean) / np.sqrt(variance + epsilon) + shift
        folded = np.tensordot(pixels, new_kernel, axes=3) + new_bias
        require(
            np.allclose(folded, expected),
            f"for one window convolution and normalisation give {expected[0].round(3).tolist()}, your folded "
            f"layer {folded[0].round(3).tolist()}. Multiply out scale · (x - mean) / √(variance + epsilon) + "
            "shift: what stands before x, and what is left?",
        )


CHECKERS: dict[str, Callable] = {
    "convolution-size": _size,
    "convolution-flip": _flip,
    "convolution-parameters": _parameters,
    "convolution-field": _field,
    "convolution-pooling": _pooling,
    "convolution-folding": _folding,
}
