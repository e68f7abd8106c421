"""Checkers of the notebook "Convolutional networks"."""

from collections.abc import Callable

import numpy as np

from mmcourse.exercises.verdict import call, require


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


def _upside_down(answer) -> None:
    random = np.random.default_rng(3)
    for rows in (60, 200):
        labels = np.concatenate([np.arange(10), random.integers(0, 10, rows - 10)])
        images = random.random((rows, 28, 28, 1))
        corner = np.where(random.random(rows) < 0.7, labels, 9 - labels) / 10
        images[:, -1, -1, 0] = corner  # after half a turn the predictor finds this pixel in front

        def predict(pictures):
            return np.rint(np.asarray(pictures)[:, 0, 0, 0] * 10).astype(int)

        answers = predict(images[:, ::-1, ::-1])
        expected = [np.mean(answers[labels == digit] == digit) for digit in range(10)]
        given = np.asarray(call(answer, predict, images.copy(), labels.copy()), dtype=float)
        require(given.shape == (10,), f"expected ten shares, one for each digit, got the shape {given.shape}")
        require(
            np.allclose(given, expected),
            f"expected the shares {np.round(expected, 2).tolist()}, got {given.round(2).tolist()}. "
            "Reverse rows and columns of every image, not the list of images; keep the labels; "
            "divide by how many images each digit has.",
        )


CHECKERS: dict[str, Callable] = {
    "convolutional-networks-field": _field,
    "convolutional-networks-pooling": _pooling,
    "convolutional-networks-folding": _folding,
    "convolutional-networks-upside-down": _upside_down,
}
