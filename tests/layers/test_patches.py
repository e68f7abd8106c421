"""Patches are squares in reading order; their embedding is a convolution with a stride."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from mmcourse.layers.patches import PatchEmbedding, cut_patches

BATCH, WIDTH = 2, 8

pytestmark = pytest.mark.usefixtures("float32")


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def randomise(layer) -> None:
    random = np.random.default_rng(1)
    layer.set_weights([random.normal(scale=0.4, size=weight.shape) for weight in layer.get_weights()])


@given(
    batch=st.integers(1, 2),
    rows=st.integers(1, 3),
    columns=st.integers(1, 3),
    size=st.integers(1, 3),
    channels=st.integers(1, 3),
)
@settings(max_examples=30, deadline=None)
def test_patches_by_definition(batch, rows, columns, size, channels):
    images = normal(batch, rows * size, columns * size, channels)
    patches = cut_patches(images, size)
    assert patches.shape == (batch, rows * columns, size * size * channels)
    for row in range(rows):
        for column in range(columns):
            square = images[:, row * size : (row + 1) * size, column * size : (column + 1) * size]
            np.testing.assert_array_equal(patches[:, row * columns + column], square.reshape(batch, -1))
    tensor = ops.convert_to_numpy(cut_patches(ops.convert_to_tensor(images), size))
    np.testing.assert_array_equal(tensor, patches)


def test_patch_embedding_is_a_convolution_with_stride():
    images = normal(BATCH, 8, 12, 3)
    layer = PatchEmbedding(4, WIDTH)
    layer.build(images.shape)
    randomise(layer)
    kernel, bias = layer.project.get_weights()
    convolution = keras.layers.Conv2D(WIDTH, 4, strides=4)
    convolution.build(images.shape)
    convolution.set_weights([kernel.reshape(4, 4, 3, WIDTH), bias])
    patches = ops.convert_to_numpy(convolution(images)).reshape(BATCH, 6, WIDTH)
    first = np.broadcast_to(ops.convert_to_numpy(layer.class_token), (BATCH, 1, WIDTH))
    expected = np.concatenate([first, patches], axis=1) + ops.convert_to_numpy(layer.position)
    np.testing.assert_allclose(ops.convert_to_numpy(layer(images)), expected, atol=1e-5)


def test_without_positions_the_patches_are_a_bag():
    layer = PatchEmbedding(2, WIDTH, positions=False)
    images = normal(1, 2, 6, 1)
    tokens = ops.convert_to_numpy(layer(images))
    swapped = ops.convert_to_numpy(layer(np.concatenate([images[:, :, 4:], images[:, :, :4]], axis=2)))
    np.testing.assert_allclose(swapped, tokens[:, [0, 3, 1, 2]], atol=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: cut_patches(np.ones((1, 8, 8, 1)), 3),
            "size must divide height and width, got patches of 3",
        ),
        (lambda: cut_patches(np.ones((1, 8, 8, 1)), 0), "size must divide"),
        (lambda: cut_patches(np.ones((8, 8, 1)), 4), r"images must be \(batch, .*got the shape \(8, 8, 1\)"),
        (lambda: PatchEmbedding(3, 8)(np.ones((1, 8, 8, 1))), "size must divide"),
    ],
)
def test_bad_arguments_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("positions", [True, False])
def test_configuration_round_trip(positions):
    layer, images = PatchEmbedding(2, WIDTH, positions=positions), normal(2, 4, 4, 1)
    twin = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(twin) is PatchEmbedding and twin.get_config() == layer.get_config()
    expected = ops.convert_to_numpy(layer(images))
    twin.build(images.shape)
    twin.set_weights(layer.get_weights())
    np.testing.assert_allclose(ops.convert_to_numpy(twin(images)), expected, atol=1e-6)
