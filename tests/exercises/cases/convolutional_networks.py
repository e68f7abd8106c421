"""Right and wrong answers to the exercises of "Convolutional networks"."""

import numpy as np


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


def upside_down(predict, images, labels, turn=(slice(None), slice(None, None, -1), slice(None, None, -1))):
    answers = predict(images[turn])
    return np.array([np.mean(answers[labels == digit] == digit) for digit in range(10)])


def confusion(predict, images, labels):
    """Of all images that are read as the digit, how many are: the other way round."""
    answers = predict(images[:, ::-1, ::-1])
    return [
        np.mean(labels[answers == digit] == digit) if (answers == digit).any() else 0 for digit in range(10)
    ]


RIGHT = {
    "convolutional-networks-field": {
        "upwards": field,
        "downwards": field_from_the_top,
    },
    "convolutional-networks-pooling": {
        "winners": pool_backward,
        "lists": lambda gradient, image: pool_backward(gradient, image).tolist(),
    },
    "convolutional-networks-folding": {
        "a factor": fold,
        "in place": fold_in_place,
    },
    "convolutional-networks-upside-down": {
        "sliced": upside_down,
        "by np.rot90, as a list": lambda predict, images, labels: upside_down(
            predict, np.rot90(images, 2, axes=(1, 2)), labels, ...
        ).tolist(),
    },
}


WRONG = {
    "convolutional-networks-field": {
        "without strides": lambda layers: 1 + sum(kernel - 1 for kernel, _ in layers),
        "kernels added": lambda layers: sum(kernel for kernel, _ in layers),
        "kernels multiplied": lambda layers: np.prod([kernel for kernel, _ in layers]),
        "stride of the layer itself": field_with_the_stride_too_early,
        "read from the wrong end": lambda layers: field(layers[::-1]),
        "last layer only": lambda layers: layers[-1][0],
        "pixels": lambda layers: field(layers) ** 2,
    },
    "convolutional-networks-pooling": {
        "spread over all": lambda gradient, image: spread(gradient),
        "spread evenly": lambda gradient, image: spread(gradient) / 4,
        "winners only marked": winners,
        "the largest size wins": lambda gradient, image: pool_backward(gradient, np.abs(image)),
        "the smallest wins": lambda gradient, image: pool_backward(gradient, -image),
        "times the pixel": lambda gradient, image: pool_backward(gradient, image) * image,
        "the gradient's shape": lambda gradient, image: gradient,
        "one winner of all": lambda gradient, image: (image == image.max()) * spread(gradient),
    },
    "convolutional-networks-folding": {
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
    "convolutional-networks-upside-down": {
        "not turned": lambda *arguments: upside_down(*arguments, ...),
        "upside down only": lambda *arguments: upside_down(*arguments, np.s_[:, ::-1]),
        "the list reversed": lambda *arguments: upside_down(*arguments, np.s_[::-1]),
        "one share": lambda *arguments: upside_down(*arguments).mean(),
        "counts": lambda predict, images, labels: (
            upside_down(predict, images, labels) * np.bincount(labels, minlength=10)
        ),
        "the other way round": confusion,
    },
}
