"""The networks: shapes, parameters, what a residual block adds, what can be read off a model."""

import keras
import numpy as np
import pytest

from mmcourse.layers.convolutional_networks import layer_rows, lenet, tower, windows
from mmcourse.mathematics.convolution import receptive_field


def test_lenet_has_its_parameters_and_sees_sixteen_pixels():
    model = lenet()
    assert model.count_params() == 61_706
    assert model(np.zeros((2, 28, 28, 1))).shape == (2, 10)
    assert layer_rows(model)[0] == ("conv1", (28, 28, 6), 156)
    assert layer_rows(model)[3] == ("pool2", (5, 5, 16), 0)
    assert sum(count for _, _, count in layer_rows(model)) == model.count_params()
    assert windows(model) == [(5, 1), (2, 2), (5, 1), (2, 2)]


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("normalise", [False, True])
def test_a_tower_has_the_same_kernels_in_every_arm(residual, normalise):
    model = tower(4, residual, normalise, filters=3, input_shape=(5, 5, 2), classes=4)
    shapes = [tuple(w.shape) for w in model.weights if len(w.shape) == 4]
    assert shapes == [(3, 3, 2, 3)] + 4 * [(3, 3, 3, 3)]
    logits = model(np.random.default_rng(0).uniform(size=(2, 5, 5, 2)))
    assert logits.shape == (2, 4) and logits.dtype == "float32"
    assert any(isinstance(layer, keras.layers.Add) for layer in model.layers) == residual
    assert sum(isinstance(layer, keras.layers.BatchNormalization) for layer in model.layers) == 5 * normalise


@pytest.mark.parametrize("depth", [-2, 3])
def test_an_odd_or_negative_depth_is_refused(depth):
    with pytest.raises(ValueError, match=f"depth must be even and not negative, got {depth}"):
        tower(depth)


def test_a_residual_block_adds_its_input():
    """With kernels of zero a block passes on what it gets, which a plain one cannot."""
    image = np.random.default_rng(0).uniform(size=(1, 4, 4, 1))
    for residual in (True, False):
        model = tower(2, residual, filters=1, input_shape=(4, 4, 1))
        part = keras.Model(model.input, model.get_layer(index=-3).output)
        weights = [np.zeros(w.shape) for w in part.weights]
        weights[0][1, 1] = 1  # the first convolution copies
        part.set_weights(weights)
        np.testing.assert_allclose(part(image), image * residual, atol=1e-6)


def test_two_steps_of_training_lower_the_loss_in_both_profiles():
    images = np.random.default_rng(0).uniform(size=(16, 7, 7, 1))
    labels = np.arange(16) % 10
    before = keras.config.dtype_policy()
    try:
        for policy in ("float32", "mixed_bfloat16"):
            keras.config.set_dtype_policy(policy)
            keras.utils.set_random_seed(0)
            model = tower(4, residual=True, normalise=True)
            loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
            model.compile(keras.optimizers.SGD(0.1), loss)
            losses = model.fit(images, labels, epochs=4, batch_size=16, verbose=0).history["loss"]
            assert losses[-1] < losses[0]
    finally:
        keras.config.set_dtype_policy(before)


def test_what_one_number_of_the_well_known_networks_sees():
    """The figures of VGG16 and ResNet-50 that are computed elsewhere (Araujo et al., 2019)."""
    settings = {"weights": None, "include_top": False, "input_shape": (32, 32, 3)}
    assert receptive_field(windows(keras.applications.VGG16(**settings))) == (212, 32)
    assert receptive_field(windows(keras.applications.ResNet50(**settings))) == (483, 32)
