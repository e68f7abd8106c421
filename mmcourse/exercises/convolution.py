"""Checkers of the notebook "Convolution"."""

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
    cases = [
        (dot, np.arange(1.0, 10).reshape(3, 3)),
        (random.integers(-3, 4, (4, 5)).astype(float), random.integers(-3, 4, (2, 3)).astype(float)),
        (random.integers(0, 4, (6, 4)), random.integers(-3, 4, (3, 1))),
        (random.normal(size=(3, 3)), random.normal(size=(3, 3))),
        (random.integers(0, 9, (4, 4)), np.array([[0.25, 0.5], [0.125, 0.125]])),  # fractions of integers
        (random.integers(150, 256, (3, 4)).astype(np.uint8), np.array([[3, 1], [2, 2]], np.uint8)),
    ]
    for image, kernel in cases:
        rows, columns = (n - k + 1 for n, k in zip(image.shape, kernel.shape, strict=True))
        windows = np.lib.stride_tricks.sliding_window_view(image.astype(float), kernel.shape)
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
        hint = ""
        if image.dtype.kind in "iu":
            hint = ". Integers here: does your result have room for fractions and for sums above 255?"
        require(
            np.allclose(given, expected, rtol=1e-9),
            f"for the image {image.dtype} {image.round(2).tolist()} and the kernel "
            f"{kernel.round(2).tolist()} expected {expected.round(2).tolist()}, got {given.tolist()}{hint}",
        )


def _text(answer) -> None:
    for text, pattern in (
        ("banana bandana", "ana"),
        ("the cat sat on the mat", "at"),
        ("aaaa", "aa"),
        ("abc", "abc"),
        ("abcabd", "abd"),
        ("no such thing here", "zebra"),
        ("a b a b", " b"),
    ):
        expected = [i for i in range(len(text) - len(pattern) + 1) if text[i:].startswith(pattern)]
        given = list(call(answer, text, pattern))
        require(
            given == expected,
            f"{pattern!r} begins in {text!r} at {expected}, you give {given}. All letters of the window must "
            "agree: the sum of the products is then the length of the pattern.",
        )


def _learn(answer) -> None:
    random = np.random.default_rng(4)
    stripes = np.tile(random.random((6, 1, 20)), (1, 20, 1))
    for name, images in (("random images", random.random((6, 20, 20))), ("stripes", stripes)):
        for kernel in (np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 4, random.normal(size=(3, 3))):
            windows = np.lib.stride_tricks.sliding_window_view(images, (3, 3), axis=(1, 2))
            targets = (windows * kernel).sum(axis=(3, 4))
            # From zeros, descent on stripes finds the column sums, each spread evenly over three weights.
            expected = kernel if name == "random images" else np.tile(kernel.mean(axis=0), (3, 1))
            given = np.asarray(call(answer, images.copy(), targets.copy()), dtype=float)
            require(given.shape == (3, 3), f"expected a kernel of shape (3, 3), got {given.shape}")
            off = np.abs(given - expected).max()
            require(
                off < 0.01,
                f"{name}: your kernel is {given.round(2).tolist()}, expected {expected.round(2).tolist()}. "
                "Begin with nine zeros, use whole windows only, and go on until the error no longer falls.",
            )


CHECKERS: dict[str, Callable] = {
    "convolution-size": _size,
    "convolution-flip": _flip,
    "convolution-text": _text,
    "convolution-learn": _learn,
}
