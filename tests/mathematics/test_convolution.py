"""Convolution against Keras and scipy, gradients against differences."""

import keras
import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from mmcourse.mathematics.convolution import (
    average_pool2d,
    conv2d,
    conv2d_backward,
    output_size,
    padding_amounts,
    receptive_field,
    unfold,
    window_size,
)

ONES = np.ones((3, 3), dtype=int)
RING = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]])
FEW = settings(max_examples=25, deadline=None)


def random_case(seed, height, width, kernel, channels, filters, batch=2):
    random = np.random.default_rng(seed)
    image = random.normal(size=(batch, height, width, channels))
    return image, random.normal(size=(*kernel, channels, filters)), random.normal(size=filters)


def by_loops(image, kernel, stride, dilation):
    """The formula, number by number, for an image and a kernel of two axes that are padded already."""
    rows = (image.shape[0] - dilation * (kernel.shape[0] - 1) - 1) // stride + 1
    columns = (image.shape[1] - dilation * (kernel.shape[1] - 1) - 1) // stride + 1
    output = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            for m in range(kernel.shape[0]):
                for n in range(kernel.shape[1]):
                    output[i, j] += kernel[m, n] * image[i * stride + m * dilation, j * stride + n * dilation]
    return output


def numerical_gradient(function, array, step=1e-5):
    gradient = np.zeros(array.shape)
    for place in np.ndindex(array.shape):
        higher, lower = array.copy(), array.copy()
        higher[place] += step
        lower[place] -= step
        gradient[place] = (function(higher) - function(lower)) / (2 * step)
    return gradient


# The example of the article


@pytest.mark.parametrize(
    ("padding", "expected"),
    [
        ("valid", [[8]]),
        ("same", [[3, 5, 3], [5, 8, 5], [3, 5, 3]]),
        (1, [[3, 5, 3], [5, 8, 5], [3, 5, 3]]),
        (
            "full",
            [[1, 2, 3, 2, 1], [2, 3, 5, 3, 2], [3, 5, 8, 5, 3], [2, 3, 5, 3, 2], [1, 2, 3, 2, 1]],
        ),
    ],
)
def test_example_of_the_article(padding, expected):
    output = conv2d(RING, ONES, padding=padding)
    assert output.tolist() == expected
    assert np.issubdtype(output.dtype, np.integer)


# Against the formula, scipy and Keras


@given(
    st.integers(0, 1000), st.integers(1, 9), st.integers(1, 9), st.integers(1, 4), st.integers(1, 4),
    st.integers(1, 4), st.integers(1, 3), st.integers(0, 3),
)  # fmt: skip
@settings(deadline=None)
def test_conv2d_is_the_formula(seed, height, width, rows, columns, stride, dilation, padding):
    random = np.random.default_rng(seed)
    image, kernel = random.normal(size=(height, width)), random.normal(size=(rows, columns))
    fits = all(dilation * (k - 1) + 1 <= n + 2 * padding for k, n in ((rows, height), (columns, width)))
    if not fits:
        with pytest.raises(ValueError, match="kernel does not fit"):
            conv2d(image, kernel, stride=stride, padding=padding, dilation=dilation)
        return
    output = conv2d(image, kernel, 0.5, stride, padding, dilation)
    expected = by_loops(np.pad(image, padding), kernel, stride, dilation) + 0.5
    np.testing.assert_allclose(output, expected, atol=1e-12)
    assert output.shape == tuple(
        output_size(n, k, stride, padding, dilation) for n, k in ((height, rows), (width, columns))
    )


@pytest.mark.parametrize("padding", ["valid", "same", "full"])
def test_conv2d_is_scipys_correlation_and_its_convolution_with_a_flipped_kernel(padding):
    random = np.random.default_rng(0)
    image, kernel = random.normal(size=(7, 6)), random.normal(size=(3, 5))
    np.testing.assert_allclose(
        conv2d(image, kernel, padding=padding), scipy.signal.correlate2d(image, kernel, padding)
    )
    np.testing.assert_allclose(
        conv2d(image, kernel[::-1, ::-1], padding=padding), scipy.signal.convolve2d(image, kernel, padding)
    )


@given(
    st.integers(0, 1000), st.integers(5, 12), st.integers(5, 12), st.sampled_from([1, 3, 5]),
    st.sampled_from([1, 3, 5]), st.integers(1, 3), st.integers(1, 4),
    st.sampled_from([(1, 1), (2, 1), (3, 1), (1, 2)]), st.sampled_from(["valid", "same"]),
)  # fmt: skip
@FEW
def test_conv2d_is_keras(seed, height, width, rows, columns, channels, filters, steps, padding):
    stride, dilation = steps
    image, kernel, bias = random_case(seed, height, width, (rows, columns), channels, filters)
    if padding == "valid" and dilation * (max(rows, columns) - 1) + 1 > min(height, width):
        return
    expected = ops.conv(image, kernel, stride, padding, "channels_last", dilation) + bias
    output = conv2d(image, kernel, bias, stride, padding, dilation)
    np.testing.assert_allclose(output, expected, atol=1e-5)


@pytest.mark.parametrize("size", range(4, 12))
@pytest.mark.parametrize("stride", [2, 3])
def test_same_with_a_stride_pads_as_keras_does(size, stride):
    image, kernel, _ = random_case(size, size, size, (3, 3), 1, 1)
    expected = ops.conv(image, kernel, stride, "same", "channels_last")
    np.testing.assert_allclose(conv2d(image, kernel, stride=stride, padding="same"), expected, atol=1e-5)
    before, after = padding_amounts(size, 3, stride, "same")
    assert after - before in (0, 1)


def test_an_even_kernel_is_what_keras_computes_where_nothing_needs_a_centre():
    image, kernel, _ = random_case(0, 7, 7, (2, 4), 2, 3)
    expected = ops.conv(image, kernel, 2, "valid", "channels_last")
    np.testing.assert_allclose(conv2d(image, kernel, stride=2), expected, atol=1e-5)


def test_shapes_with_and_without_channels_and_batch():
    image, kernel, bias = random_case(0, 6, 5, (3, 3), 2, 4)
    whole = conv2d(image, kernel, bias)
    assert whole.shape == (2, 4, 3, 4)
    np.testing.assert_allclose(conv2d(image[1], kernel, bias), whole[1])
    each = sum(conv2d(image[1, :, :, c], kernel[:, :, c, 2]) for c in range(2)) + bias[2]
    np.testing.assert_allclose(each, whole[1, :, :, 2])


@pytest.mark.parametrize(
    ("image", "kernel", "expected"),
    [
        (np.uint8, np.uint8, np.int64),
        (bool, int, np.int64),
        (np.uint8, np.float32, np.float32),
        (np.float32, np.float32, np.float32),
        (np.float64, np.float32, np.float64),
    ],
)
def test_dtypes(image, kernel, expected):
    output = conv2d(np.full((4, 4), 255).astype(image), np.full((3, 3), 255).astype(kernel))
    assert output.dtype == expected
    if image is np.uint8:
        assert (output == 9 * 255 * 255).all(), "no overflow"


def test_arguments_stay_as_they_were():
    image, kernel, bias = random_case(0, 5, 5, (3, 3), 1, 1)
    copies = [array.copy() for array in (image, kernel, bias)]
    gradient = np.ones((2, 5, 5, 1))
    conv2d(image, kernel, bias, padding="same")
    conv2d_backward(gradient, image, kernel, padding="same")
    for array, copy in zip((image, kernel, bias), copies, strict=True):
        np.testing.assert_array_equal(array, copy)
    assert (gradient == 1).all()


@given(st.integers(0, 100), st.integers(1, 3), st.sampled_from([(1, 1), (2, 1), (1, 2), (3, 2)]))
@settings(deadline=None, max_examples=30)
def test_unfolded_windows_times_kernel_is_the_convolution(seed, channels, steps):
    image, kernel, _ = random_case(seed, 9, 8, (3, 3), channels, 4, batch=1)
    stride, dilation = steps
    for padding in ("valid", "same", "full", 2):
        expected = conv2d(image[0], kernel, 0, stride, padding, dilation)
        product = unfold(image[0], 3, stride, padding, dilation) @ kernel.reshape(-1, 4)
        np.testing.assert_allclose(product.reshape(expected.shape), expected, atol=1e-12)


def test_unfold_by_hand():
    image = np.arange(9).reshape(3, 3)
    assert unfold(image, 2).tolist() == [[0, 1, 3, 4], [1, 2, 4, 5], [3, 4, 6, 7], [4, 5, 7, 8]]
    assert unfold(image, (1, 3)).tolist() == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    with pytest.raises(ValueError, match=r"image must be .* got shape \(2, 3, 3, 1\)"):
        unfold(np.zeros((2, 3, 3, 1)), 2)


def test_a_shifted_image_gives_a_shifted_output():
    random = np.random.default_rng(0)
    image = np.pad(random.normal(size=(6, 6)), 4)
    kernel = random.normal(size=(3, 3))
    output = conv2d(image, kernel)
    np.testing.assert_allclose(conv2d(np.roll(image, 2, axis=1), kernel), np.roll(output, 2, axis=1))


# Gradients


@given(
    st.integers(0, 100), st.sampled_from([(1, 1), (2, 1), (3, 1), (1, 2), (2, 2)]),
    st.sampled_from(["valid", "same", "full", 1]), st.integers(1, 2), st.integers(1, 2),
)  # fmt: skip
@settings(deadline=None, max_examples=25)
def test_gradients_are_those_of_small_changes(seed, steps, padding, channels, filters):
    stride, dilation = steps
    image, kernel, bias = random_case(seed, 6, 5, (3, 1), channels, filters, batch=1)
    output = conv2d(image, kernel, bias, stride, padding, dilation)
    weights = np.random.default_rng(seed + 1).normal(size=output.shape)  # loss: a weighted sum
    gradients = conv2d_backward(weights, image, kernel, stride, padding, dilation)
    for name, array in (("image", image), ("kernel", kernel), ("bias", bias)):

        def loss(changed, name=name):
            given_arrays = {"image": image, "kernel": kernel, "bias": bias} | {name: changed}
            return (conv2d(**given_arrays, stride=stride, padding=padding, dilation=dilation) * weights).sum()

        np.testing.assert_allclose(
            getattr(gradients, name), numerical_gradient(loss, array), atol=1e-7, err_msg=name
        )


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="asks TensorFlow for the gradients")
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_gradients_are_those_of_tensorflow(padding, stride):
    import tensorflow as tf

    arrays = random_case(0, 8, 7, (3, 3), 2, 4)
    image, kernel, bias = (tf.constant(array) for array in arrays)
    with tf.GradientTape() as tape:
        tape.watch([image, kernel, bias])
        output = ops.conv(image, kernel, stride, padding, "channels_last") + bias
        loss = ops.sum(output**2)
    expected = tape.gradient(loss, [image, kernel, bias])
    gradients = conv2d_backward(2 * output.numpy(), *arrays[:2], stride, padding)
    for ours, theirs in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-8)


def test_gradients_of_two_axes():
    random = np.random.default_rng(0)
    image, kernel = random.normal(size=(5, 6)), random.normal(size=(3, 2))
    gradient = random.normal(size=(3, 5))
    found = conv2d_backward(gradient, image, kernel)
    assert found.image.shape == (5, 6) and found.kernel.shape == (3, 2) and found.bias.shape == ()
    np.testing.assert_allclose(found.kernel, conv2d(image, gradient))
    np.testing.assert_allclose(found.image, conv2d(gradient, kernel[::-1, ::-1], padding="full"))
    np.testing.assert_allclose(found.bias, gradient.sum())


def test_gradients_of_whole_numbers_are_not_cut():
    found = conv2d_backward(np.full((2, 2), 0.5), np.ones((3, 3), int), np.ones((2, 2), int))
    assert found.kernel.tolist() == [[2.0, 2.0], [2.0, 2.0]]
    assert conv2d_backward(np.ones((2, 2), int), np.ones((3, 3), int), np.ones((2, 2), int)).kernel[0, 0] == 4


# Pooling


@given(st.integers(0, 100), st.integers(1, 4), st.integers(4, 9), st.integers(4, 9))
@settings(deadline=None, max_examples=20)
def test_pooling_is_keras(seed, size, height, width):
    image = np.random.default_rng(seed).normal(size=(2, height, width, 3)).astype("float32")
    expected = np.array(ops.average_pool(image, size, size, "valid", "channels_last"))
    np.testing.assert_allclose(average_pool2d(image, size), expected, atol=1e-6)
    np.testing.assert_allclose(average_pool2d(image[1], size), expected[1], atol=1e-6)
    np.testing.assert_allclose(average_pool2d(image[1, :, :, 2], size), expected[1, :, :, 2], atol=1e-6)


def test_pooling_by_hand():
    assert average_pool2d(np.array([[1, 2], [3, 4]]), 2).tolist() == [[2.5]]
    assert average_pool2d(np.arange(25).reshape(5, 5), 2).tolist() == [[3, 5], [13, 15]], (
        "the rest is left out"
    )


# What a network sees


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ([], (1, 1)),
        ([(3,)], (3, 1)),
        ([(3,), (3,)], (5, 1)),
        ([(3, 2), (3,)], (7, 2)),
        ([(5,), (2, 2), (5,), (2, 2)], (16, 4)),
        ([(3, 1, 1), (3, 1, 2), (3, 1, 4)], (15, 1)),
        ([[7, 2], [3, 2]], (11, 4)),
    ],
)
def test_receptive_field(layers, expected):
    assert receptive_field(layers) == expected


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(1, 2)), min_size=1, max_size=3))
@settings(deadline=None, max_examples=40)
def test_receptive_field_is_what_a_gradient_reaches(layers):
    """The gradient of one output by the input is not zero exactly where the layers look, without gaps."""
    size, stride = receptive_field(layers)
    shape = (size + stride, 1)  # room for two outputs
    forward = [np.ones(shape)]
    for kernel, step, dilation in layers:
        forward.append(conv2d(forward[-1], np.ones((kernel, 1)), 0, step, "valid", dilation))
    assert len(forward[-1]) == 2
    reached = []
    for place in range(2):
        gradient = np.zeros(forward[-1].shape)
        gradient[place] = 1
        for (kernel, step, dilation), inputs in zip(layers[::-1], forward[-2::-1], strict=True):
            gradient = conv2d_backward(gradient, inputs, np.ones((kernel, 1)), step, "valid", dilation).image
        reached.append(np.flatnonzero(gradient))
    assert reached[0][0] == 0 and reached[0][-1] == size - 1
    assert reached[1][0] == stride and reached[1][-1] == size - 1 + stride


# Errors name the argument, what came and what was expected


IMAGE, KERNEL = np.zeros((5, 5)), np.zeros((3, 3))
COLOUR, FILTERS = np.zeros((5, 5, 3)), np.zeros((3, 3, 3, 4))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: conv2d(np.zeros(5), KERNEL), r"image must be \(height, width\).*got shape \(5,\)"),
        (lambda: conv2d(np.zeros((0, 5)), KERNEL), r"image must be .* not empty, got shape \(0, 5\)"),
        (lambda: conv2d(IMAGE, FILTERS), r"kernel must be \(height, width\) .*got shape \(3, 3, 3, 4\)"),
        (lambda: conv2d(COLOUR, KERNEL), r"kernel must be \(height, width, channels, filters\).*\(3, 3\)"),
        (lambda: conv2d(COLOUR, np.zeros((3, 3, 2, 4))), r"kernel must have the image's 3 channels.*got 2"),
        (lambda: conv2d(IMAGE, np.zeros((0, 3))), r"kernel must be .*got shape \(0, 3\)"),
        (lambda: conv2d(COLOUR, FILTERS, np.zeros(3)), r"bias must be one number or 4 .*got shape \(3,\)"),
        (lambda: conv2d(COLOUR, FILTERS, np.zeros((1, 4))), r"bias must be one number or 4.*\(1, 4\)"),
        (lambda: conv2d(IMAGE, KERNEL, stride=0), "stride must be a whole number of at least 1, got 0"),
        (lambda: conv2d(IMAGE, KERNEL, stride=-1), "stride must be a whole number of at least 1, got -1"),
        (lambda: conv2d(IMAGE, KERNEL, stride=1.5), "stride must be a whole number of at least 1, got 1.5"),
        (lambda: conv2d(IMAGE, KERNEL, dilation=0), "dilation must be a whole number of at least 1, got 0"),
        (lambda: conv2d(IMAGE, KERNEL, padding="some"), "padding must be one of .*'full'.* got 'some'"),
        (lambda: conv2d(IMAGE, KERNEL, padding=-1), "padding must not be negative, got -1"),
        (lambda: conv2d(IMAGE, KERNEL, padding=None), "padding must be one of .* got None"),
        (lambda: conv2d(IMAGE, np.zeros((2, 2)), padding="same"), "kernel must have an odd size.*got 2"),
        (lambda: conv2d(IMAGE, np.zeros((6, 6))), "kernel does not fit: its window is 6 wide.*padding 5"),
        (lambda: conv2d(IMAGE, KERNEL, dilation=3), r"window is 7 wide \(size 3, dilation 3\)"),
        (lambda: conv2d_backward(IMAGE, IMAGE, KERNEL), r"output_gradient must .*\(3, 3\), got \(5, 5\)"),
        (lambda: average_pool2d(np.zeros(4), 2), r"image must be .*got shape \(4,\)"),
        (lambda: average_pool2d(IMAGE, 0), "size must be a whole number of at least 1, got 0"),
        (lambda: average_pool2d(IMAGE, 6), r"size must be at most 5 \(image \(5, 5\)\), got 6"),
        (lambda: output_size(0, 3), "size must be a whole number of at least 1, got 0"),
        (lambda: output_size(3, True), "kernel_size must be a whole number of at least 1, got True"),
        (lambda: window_size("3"), "kernel_size must be a whole number of at least 1, got '3'"),
        (lambda: receptive_field([(3,), 3]), r"layers\[1\] must be \(kernel size, stride, dilation\).*got 3"),
        (lambda: receptive_field([(3, 1, 1, 1)]), r"layers\[0\] must be"),
        (lambda: receptive_field([(3, 0)]), r"stride of layers\[0\] must be .* got 0"),
        (lambda: receptive_field([(0,)]), "kernel_size must be .* got 0"),
    ],
)  # fmt: skip
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()
