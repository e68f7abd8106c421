"""Right and wrong answers to the exercises of "Convolution"."""

import numpy as np
from scipy import signal


def slide(image, kernel):
    rows, columns = (n - k + 1 for n, k in zip(image.shape, kernel.shape, strict=True))
    return sum(
        kernel[m, n] * image[m : m + rows, n : n + columns] for m, n in np.ndindex(kernel.shape)
    ) * np.ones((rows, columns))


def parameters(kernel, channels):
    return kernel**2 * channels**2, (kernel - 1) // 2 * 9 * channels**2


def field(layers):
    size = step = 1
    for kernel, stride in layers:
        size += (kernel - 1) * step
        step *= stride
    return size


def field_from_the_top(layers):
    size = 1
    for kernel, stride in layers[::-1]:
        size = (size - 1) * stride + kernel
    return size


def field_with_the_stride_too_early(layers):
    size = step = 1
    for kernel, stride in layers:
        step *= stride
        size += (kernel - 1) * step
    return size


def winners(gradient, image):
    """Where the largest number of each window lies, as 0 and 1."""
    windows = image.reshape(gradient.shape[0], 2, gradient.shape[1], 2)
    return (windows == windows.max(axis=(1, 3), keepdims=True)).reshape(image.shape).astype(float)


def spread(gradient):
    return np.repeat(np.repeat(gradient, 2, axis=0), 2, axis=1)


def pool_backward(gradient, image):
    return winners(gradient, image) * spread(gradient)


def fold(kernel, scale, shift, mean, variance, epsilon):
    factor = scale / np.sqrt(variance + epsilon)
    return kernel * factor, shift - mean * factor


def fold_in_place(kernel, scale, shift, mean, variance, epsilon):
    kernel *= scale / np.sqrt(variance + epsilon)
    return [kernel, shift - scale * mean / np.sqrt(variance + epsilon)]


RIGHT = {
    "convolution-size": {
        "the formula": lambda n, k, s, p, d: (n + 2 * p - d * (k - 1) - 1) // s + 1,
        "counted": lambda n, k, s, p, d: len(range(0, n + 2 * p - d * (k - 1), s)),
        "rounded down": lambda n, k, s, p, d: np.floor((n + 2 * p - d * (k - 1) - 1) / s) + 1,
    },
    "convolution-flip": {
        "moved copies": lambda image, kernel: slide(image, kernel[::-1, ::-1]),
        "scipy": lambda image, kernel: signal.convolve2d(image, kernel, "valid"),
        "np.flip, as lists": lambda image, kernel: slide(image, np.flip(kernel)).tolist(),
        "the image turned": lambda image, kernel: slide(image[::-1, ::-1], kernel)[::-1, ::-1],
    },
    "convolution-parameters": {
        "a pair": parameters,
        "a list": lambda kernel, channels: list(parameters(kernel, channels)),
        "an array": lambda kernel, channels: np.array(parameters(kernel, channels)),
    },
    "convolution-field": {
        "upwards": field,
        "downwards": field_from_the_top,
    },
    "convolution-pooling": {
        "winners": pool_backward,
        "lists": lambda gradient, image: pool_backward(gradient, image).tolist(),
    },
    "convolution-folding": {
        "a factor": fold,
        "in place": fold_in_place,
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
        "not flipped": slide,
        "flipped once": lambda image, kernel: slide(image, kernel[::-1]),
        "transposed": lambda image, kernel: (
            slide(image, kernel.T) if kernel.shape[0] == 3 else slide(image, kernel)
        ),
        "same": lambda image, kernel: signal.convolve2d(image, kernel, "same"),
        "full": signal.convolve2d,
        "whole numbers only": lambda image, kernel: slide(image, kernel[::-1, ::-1]).astype(int),
        "matrix product": lambda image, kernel: kernel @ image[: kernel.shape[1]],
    },
    "convolution-parameters": {
        "one number": lambda kernel, channels: parameters(kernel, channels)[0],
        "exchanged": lambda kernel, channels: parameters(kernel, channels)[::-1],
        "one filter": lambda kernel, channels: (kernel**2 * channels, (kernel - 1) // 2 * 9 * channels),
        "with biases": lambda kernel, channels: (
            kernel**2 * channels**2 + channels,
            (kernel - 1) // 2 * (9 * channels**2 + channels),
        ),
        "a layer too many": lambda kernel, channels: (
            kernel**2 * channels**2,
            (kernel + 1) // 2 * 9 * channels**2,
        ),
        "kernel / 3 layers": lambda kernel, channels: (
            kernel**2 * channels**2,
            kernel // 3 * 9 * channels**2,
        ),
        "one layer of 3 × 3": lambda kernel, channels: (kernel**2 * channels**2, 9 * channels**2),
    },
    "convolution-field": {
        "without strides": lambda layers: 1 + sum(kernel - 1 for kernel, _ in layers),
        "kernels added": lambda layers: sum(kernel for kernel, _ in layers),
        "kernels multiplied": lambda layers: np.prod([kernel for kernel, _ in layers]),
        "stride of the layer itself": field_with_the_stride_too_early,
        "read from the wrong end": lambda layers: field(layers[::-1]),
        "last layer only": lambda layers: layers[-1][0],
        "pixels": lambda layers: field(layers) ** 2,
    },
    "convolution-pooling": {
        "spread over all": lambda gradient, image: spread(gradient),
        "spread evenly": lambda gradient, image: spread(gradient) / 4,
        "winners only marked": winners,
        "the largest size wins": lambda gradient, image: pool_backward(gradient, np.abs(image)),
        "the smallest wins": lambda gradient, image: pool_backward(gradient, -image),
        "times the pixel": lambda gradient, image: pool_backward(gradient, image) * image,
        "the gradient's shape": lambda gradient, image: gradient,
        "one winner of all": lambda gradient, image: (image == image.max()) * spread(gradient),
    },
    "convolution-folding": {
        "variance for deviation": lambda kernel, scale, shift, mean, variance, epsilon: (
            kernel * scale / (variance + epsilon),
            shift - mean * scale / (variance + epsilon),
        ),
        "without epsilon": lambda kernel, scale, shift, mean, variance, epsilon: fold(
            kernel, scale, shift, mean, variance, 0
        ),
        "the mean left out": lambda kernel, scale, shift, mean, variance, epsilon: (
            kernel * scale / np.sqrt(variance + epsilon),
            shift,
        ),
        "the mean not scaled": lambda kernel, scale, shift, mean, variance, epsilon: (
            kernel * scale / np.sqrt(variance + epsilon),
            shift - mean,
        ),
        "shift scaled too": lambda kernel, scale, shift, mean, variance, epsilon: (
            kernel * scale / np.sqrt(variance + epsilon),
            (shift - mean) * scale / np.sqrt(variance + epsilon),
        ),
        "kernel only": lambda *arguments: fold(*arguments)[0],
        "bias of one number": lambda *arguments: (fold(*arguments)[0], fold(*arguments)[1].sum()),
        "exchanged": lambda *arguments: fold(*arguments)[::-1],
    },
}
