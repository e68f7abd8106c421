"""The scenes' encoder: nine slices and a product are a convolution, and where is a row plus a column."""

import keras
import numpy as np
import pytest
from keras import ops

from mmcourse.encoders.grid import GridEncoder

pytestmark = pytest.mark.usefixtures("float32")
SIZE = 24


def make_images(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, size=(count, SIZE, SIZE, 3)).astype("uint8")


@pytest.fixture
def encoder() -> GridEncoder:
    keras.utils.set_random_seed(0)
    encoder = GridEncoder(SIZE, (4, 6), 8)
    encoder.build((None, *encoder.shape))
    return encoder


def test_shapes(encoder):
    assert encoder(make_images(2)).shape == (2, 9, 8)
    assert encoder.look(make_images(2)).shape == (2, 3, 3, 8)
    assert encoder.tokens == 9 and encoder.shape == (SIZE, SIZE, 3)


def test_equals_convolutions_of_keras(encoder):
    images = make_images(3)
    hidden, channels = images.astype("float32") / 127.5 - 1, 3
    for dense, norm in zip([*encoder.convolutions, encoder.to_tokens], [*encoder.norms, None], strict=True):
        convolution = keras.layers.Conv2D(dense.units, 3, strides=2, padding="same", use_bias=norm is None)
        convolution.build(hidden.shape)
        convolution.kernel.assign(dense.kernel.numpy().reshape(3, 3, channels, dense.units))
        hidden, channels = convolution(hidden), dense.units
        if norm is not None:
            centred = hidden - ops.mean(hidden, axis=-1, keepdims=True)
            hidden = centred / ops.sqrt(ops.mean(centred**2, axis=-1, keepdims=True) + 1e-5)
            hidden = ops.relu(hidden * norm.gamma + norm.beta)
    expected = ops.convert_to_numpy(hidden)
    expected = (expected - expected.mean(-1, keepdims=True)) / expected.std(-1, keepdims=True)
    seen = ops.convert_to_numpy(encoder.look(images))
    np.testing.assert_allclose(seen, expected, atol=1e-3)


def test_where_is_a_row_plus_a_column(encoder):
    images = make_images(1)
    where = (
        ops.convert_to_numpy(encoder(images)).reshape(3, 3, 8) - ops.convert_to_numpy(encoder.look(images))[0]
    )
    rows, columns = encoder.position.numpy()
    np.testing.assert_allclose(where, rows[:, None] + columns[None], atol=1e-5)
    assert abs(encoder.position.numpy().std() - encoder.spread) < 0.3


def test_keeps_its_configuration_and_refuses_other_sizes(encoder):
    assert GridEncoder.from_config(encoder.get_config()).get_config() == encoder.get_config()
    with pytest.raises(ValueError, match="multiple of 8, got 20"):
        GridEncoder(20, (4, 6), 8)


def test_each_weight_gets_a_gradient(encoder):
    import tensorflow as tf

    with tf.GradientTape() as tape:
        loss = ops.mean(ops.abs(encoder(make_images(4)) - 0.1) ** 3)
    for variable, gradient in zip(
        encoder.trainable_variables, tape.gradient(loss, encoder.trainable_variables), strict=True
    ):
        assert np.abs(gradient).max() > 0, variable.path
