"""Right and wrong answers to the exercises of "Convolution: the window that slides"."""

import numpy as np
from scipy import signal


def slide(image, kernel):
    rows, columns = (n - k + 1 for n, k in zip(image.shape, kernel.shape, strict=True))
    return sum(
        kernel[m, n] * image[m : m + rows, n : n + columns] for m, n in np.ndindex(kernel.shape)
    ) * np.ones((rows, columns))


def flip(image, kernel):
    return slide(image.astype(float), kernel[::-1, ::-1].astype(float))


def flip_in_the_type_of_the_image(image, kernel):
    rows, columns = (n - k + 1 for n, k in zip(image.shape, kernel.shape, strict=True))
    output = np.zeros((rows, columns), dtype=image.dtype)
    for i, j in np.ndindex(output.shape):
        window = image[i : i + kernel.shape[0], j : j + kernel.shape[1]]
        output[i, j] = (window.astype(float) * kernel[::-1, ::-1]).sum() % 256
    return output


def flip_without_a_wider_type(image, kernel):
    return slide(image, kernel[::-1, ::-1])


def find(text, pattern):
    return [i for i in range(len(text) - len(pattern) + 1) if text[i : i + len(pattern)] == pattern]


def find_apart(text, pattern):
    """Like str.find in a loop that goes on after each occurrence: misses those that overlap."""
    found, start = [], text.find(pattern)
    while start >= 0:
        found.append(start)
        start = text.find(pattern, start + len(pattern))
    return found


def copies_of(images):
    rows, columns = images.shape[1] - 2, images.shape[2] - 2
    return np.stack([images[:, m : m + rows, n : n + columns] for m, n in np.ndindex(3, 3)])


def learn(images, targets, steps=4000, start=0):
    copies, kernel = copies_of(images), np.zeros(9) + start
    for _ in range(steps):
        rest = np.tensordot(kernel, copies, 1) - targets
        kernel = kernel - np.tensordot(copies, rest, 3) / (copies**2).sum()
    return kernel.reshape(3, 3)


def least_squares(images, targets):
    return np.linalg.lstsq(copies_of(images).reshape(9, -1).T, targets.ravel(), rcond=None)[0].reshape(3, 3)


RIGHT = {
    "convolution-size": {
        "the formula": lambda n, k, s, p, d: (n + 2 * p - d * (k - 1) - 1) // s + 1,
        "counted": lambda n, k, s, p, d: len(range(0, n + 2 * p - d * (k - 1), s)),
        "rounded down": lambda n, k, s, p, d: np.floor((n + 2 * p - d * (k - 1) - 1) / s) + 1,
    },
    "convolution-flip": {
        "moved copies": flip,
        "scipy": lambda image, kernel: signal.convolve2d(image.astype(float), kernel.astype(float), "valid"),
        "np.flip, as lists": lambda image, kernel: slide(image.astype(float), np.flip(kernel)).tolist(),
        "the image turned": lambda image, kernel: slide(image[::-1, ::-1].astype(float), kernel)[::-1, ::-1],
    },
    "convolution-text": {
        "by comparing": find,
        "an array": lambda text, pattern: np.array(find(text, pattern)),
    },
    "convolution-learn": {
        "descent": learn,
        "least squares, the shortest solution": least_squares,
        "as lists": lambda *arguments: least_squares(*arguments).tolist(),
    },
}


WRONG = {
    "convolution-size": {
        "not rounded": lambda n, k, s, p, d: (n + 2 * p - d * (k - 1) - 1) / s + 1,
        "rounded up": lambda n, k, s, p, d: -(-(n + 2 * p - d * (k - 1) - 1) // s) + 1,
        "without dilation": lambda n, k, s, p, d: (n + 2 * p - k) // s + 1,
        "padding once": lambda n, k, s, p, d: (n + p - d * (k - 1) - 1) // s + 1,
        "without the first": lambda n, k, s, p, d: (n + 2 * p - d * (k - 1) - 1) // s,
        "dilation times kernel": lambda n, k, s, p, d: (n + 2 * p - d * k) // s + 1,
        "as if same": lambda n, k, s, p, d: -(-n // s),
    },
    "convolution-flip": {
        "not flipped": lambda image, kernel: slide(image.astype(float), kernel),
        "flipped once": lambda image, kernel: slide(image.astype(float), kernel[::-1]),
        "transposed": lambda image, kernel: (
            slide(image, kernel.T) if kernel.shape[0] == 3 else slide(image, kernel)
        ),
        "same": lambda image, kernel: signal.convolve2d(image, kernel, "same"),
        "full": signal.convolve2d,
        "whole numbers only": lambda image, kernel: flip(image, kernel).astype(int),
        "in the type of the image": flip_in_the_type_of_the_image,
        "without a wider type": flip_without_a_wider_type,
        "matrix product": lambda image, kernel: kernel @ image[: kernel.shape[1]],
    },
    "convolution-text": {
        "the first only": lambda text, pattern: find(text, pattern)[:1],
        "the last letter": lambda text, pattern: [i + len(pattern) - 1 for i in find(text, pattern)],
        "how many": lambda text, pattern: [len(find(text, pattern))],
        "without overlaps": find_apart,
        "near misses too": lambda text, pattern: [
            i
            for i in range(len(text) - len(pattern) + 1)
            if sum(a == b for a, b in zip(text[i:], pattern, strict=False)) >= len(pattern) - 1
        ],
    },
    "convolution-learn": {
        "the secret kernel": lambda *arguments: np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 4,
        "one step": lambda *arguments: learn(*arguments, steps=1),
        "from another start": lambda *arguments: learn(*arguments, start=np.arange(9)),
        "turned": lambda *arguments: least_squares(*arguments)[::-1, ::-1],
        "nine numbers in a row": lambda *arguments: least_squares(*arguments).ravel(),
        "zeros": lambda *arguments: np.zeros((3, 3)),
    },
}
