"""A learning rate for each layer."""

import keras
import numpy as np
import pytest

from mmcourse.encoders.fine_tuning import LayerwiseAdam

pytestmark = pytest.mark.usefixtures("float32")


def steps_of(optimizer, gradient=2.0):
    """How far the first step moves the kernels of two layers."""
    model = keras.Sequential([keras.Input((1,))])
    for name in ("early", "late"):
        model.add(keras.layers.Dense(1, use_bias=False, name=name))
    before = [w.numpy() for w in model.trainable_variables]
    optimizer.apply([keras.ops.full((1, 1), gradient)] * 2, model.trainable_variables)
    return [
        float((old - new.numpy())[0, 0]) for old, new in zip(before, model.trainable_variables, strict=True)
    ]


def test_the_factor_scales_the_step_of_its_layer_only():
    np.testing.assert_allclose(steps_of(LayerwiseAdam(0.01, {"early": 0.1})), [0.001, 0.01], rtol=1e-3)


def test_a_smaller_gradient_would_change_nothing():
    np.testing.assert_allclose(steps_of(LayerwiseAdam(0.01, {}), 0.2), [0.01, 0.01], rtol=1e-3)


def test_it_trains_in_a_graph_and_can_be_saved():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, name="only")])
    model.compile(LayerwiseAdam(0.1, {"only": 0.5}), "mse", jit_compile=False)
    inputs = np.ones((8, 2))
    losses = model.fit(inputs, np.zeros((8, 1)), epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert model.optimizer.get_config()["factors"] == {"only": 0.5}
