"""The recurrent cells in NumPy against Keras: outputs, states, masks, and how much each input matters."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcourse.mathematics import recurrence
from mmcourse.mathematics.activations import sigmoid

CELLS = {
    "simple_rnn": (recurrence.simple_rnn, keras.layers.SimpleRNN),
    "lstm": (recurrence.lstm, keras.layers.LSTM),
    "gru": (recurrence.gru, keras.layers.GRU),
}
SIZES = st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(1, 4), st.integers(1, 4))


def keras_layer(name: str, units: int, features: int, random, **arguments):
    """A Keras layer with random weights, its biases too."""
    layer = CELLS[name][1](units, return_sequences=True, return_state=True, **arguments)
    layer.build((None, None, features))
    layer.set_weights([random.normal(size=weights.shape) for weights in layer.get_weights()])
    return layer


def flat(states) -> list[np.ndarray]:
    return list(states) if isinstance(states, tuple) else [states]


# Against Keras


@pytest.mark.parametrize("name", CELLS)
@given(sizes=SIZES, seed=st.integers(0, 1000), masked=st.booleans(), started=st.booleans())
@settings(deadline=None, max_examples=12)
def test_equals_keras(name, sizes, seed, masked, started):
    batch, steps, features, units = sizes
    random = np.random.default_rng(seed)
    layer = keras_layer(name, units, features, random)
    inputs = random.normal(size=(batch, steps, features)).astype(np.float32)
    mask = random.random((batch, steps)) < 0.6 if masked else None
    count = 2 if name == "lstm" else 1
    start = [random.normal(size=(batch, units)).astype(np.float32) for _ in range(count)]
    given_start = (tuple(start) if count == 2 else start[0]) if started else None

    expected = layer(inputs, mask=mask, initial_state=start if started else None)
    outputs, states = CELLS[name][0](inputs, *layer.get_weights(), initial_state=given_start, mask=mask)
    assert outputs.shape == (batch, steps, units)
    for ours, theirs in zip([outputs, *flat(states)], expected, strict=True):
        np.testing.assert_allclose(ours, np.asarray(theirs), atol=1e-5)


def test_sigmoid_activation_and_no_overflow():
    random = np.random.default_rng(0)
    layer = keras_layer("simple_rnn", 3, 2, random, activation="sigmoid")
    inputs = random.normal(size=(2, 4, 2)).astype(np.float32)
    ours, _ = recurrence.simple_rnn(inputs, *layer.get_weights(), activation=sigmoid)
    np.testing.assert_allclose(ours, np.asarray(layer(inputs)[0]), atol=1e-5)
    with np.errstate(all="raise"):
        extremes = sigmoid(np.array([-1e4, -1.0, 0.0, 1.0, 1e4]))
    np.testing.assert_allclose(extremes, [0, 0.26894142, 0.5, 0.73105858, 1], atol=1e-8)


# Properties


@pytest.mark.parametrize("name", CELLS)
@given(sizes=SIZES, seed=st.integers(0, 1000), padding=st.integers(0, 4))
@settings(deadline=None, max_examples=30)
def test_padding_behind_a_mask_changes_nothing(name, sizes, seed, padding):
    batch, steps, features, units = sizes
    random = np.random.default_rng(seed)
    cell, weights = CELLS[name][0], random_weights(name, features, units, random)
    inputs = random.normal(size=(batch, steps, features))
    outputs, states = cell(inputs, *weights)
    longer = np.concatenate([inputs, random.normal(size=(batch, padding, features))], axis=1)
    mask = np.broadcast_to(np.arange(steps + padding) < steps, (batch, steps + padding))
    more_outputs, more_states = cell(longer, *weights, mask=mask)
    np.testing.assert_allclose(more_outputs[:, :steps], outputs)
    for one, other in zip(flat(states), flat(more_states), strict=True):
        np.testing.assert_allclose(one, other)
    assert (more_outputs[:, steps:] == outputs[:, -1:]).all()


@pytest.mark.parametrize("name", CELLS)
@given(sizes=SIZES, seed=st.integers(0, 1000), cut=st.integers(0, 6))
@settings(deadline=None, max_examples=30)
def test_a_sequence_can_be_read_in_two_parts(name, sizes, seed, cut):
    batch, steps, features, units = sizes
    cut = 1 + cut % steps
    random = np.random.default_rng(seed)
    cell, weights = CELLS[name][0], random_weights(name, features, units, random)
    inputs = random.normal(size=(batch, steps, features))
    outputs, states = cell(inputs, *weights)
    first, between = cell(inputs[:, :cut], *weights)
    np.testing.assert_allclose(first, outputs[:, :cut])
    if cut < steps:
        second, last = cell(inputs[:, cut:], *weights, initial_state=between)
        np.testing.assert_allclose(second, outputs[:, cut:])
        for one, other in zip(flat(last), flat(states), strict=True):
            np.testing.assert_allclose(one, other)


@pytest.mark.parametrize("name", CELLS)
def test_an_all_masked_sequence_keeps_its_state(name):
    random = np.random.default_rng(0)
    weights = random_weights(name, 2, 3, random)
    start = random.normal(size=(1, 3))
    given_start = (start, 2 * start) if name == "lstm" else start
    outputs, states = CELLS[name][0](
        np.ones((1, 4, 2)), *weights, initial_state=given_start, mask=np.zeros((1, 4), bool)
    )
    assert not outputs.any()
    np.testing.assert_array_equal(flat(states)[0], start)


def random_weights(name: str, features: int, units: int, random) -> list[np.ndarray]:
    gates = {"simple_rnn": 1, "lstm": 4, "gru": 3}[name]
    bias = (2, 3 * units) if name == "gru" else (gates * units,)
    shapes = [(features, gates * units), (units, gates * units), bias]
    return [random.normal(size=shape) for shape in shapes]


# How much an input matters


@pytest.mark.parametrize("name", CELLS)
def test_influence_equals_keras_gradients(name):
    random = np.random.default_rng(2)
    layer = keras_layer(name, 4, 3, random)
    inputs = random.normal(size=(1, 6, 3)).astype(np.float32)
    variable = tf.Variable(inputs)
    with tf.GradientTape() as tape:
        last = layer(variable)[0][0, -1]  # (units,)
    slopes = tape.jacobian(last, variable).numpy()[:, 0]  # (units, steps, features)
    found = recurrence.input_influence(lambda x: CELLS[name][0](x, *layer.get_weights())[0], inputs[0])
    np.testing.assert_allclose(found, np.sqrt((slopes**2).sum(axis=(0, 2))), rtol=1e-3)


@pytest.mark.parametrize("name", CELLS)
def test_influence_of_long_sequences_does_not_drown_in_rounding(name):
    random = np.random.default_rng(2)
    weights = [0.1 * array for array in random_weights(name, 2, 3, random)]
    found = recurrence.input_influence(lambda x: CELLS[name][0](x, *weights)[0], random.normal(size=(40, 2)))
    assert found.shape == (40,)
    assert (found > 0).all() and np.isfinite(found).all()
    if name == "simple_rnn":
        assert found[0] < 1e-16  # no difference quotient could see this


# The article's example


def test_the_articles_example():
    weights = np.ones((1, 2)), np.ones((2, 2)), np.zeros(2)
    sequence = np.array([1.0, 0.0, 1.0]).reshape(1, 3, 1)
    hidden, state = recurrence.simple_rnn(sequence, *weights, activation=sigmoid)
    np.testing.assert_allclose(hidden[0, :, 0], [0.7311, 0.8119, 0.9324], atol=5e-5)
    np.testing.assert_array_equal(state, hidden[:, -1])
    outputs = sigmoid(hidden @ np.ones((2, 1)))
    np.testing.assert_allclose(outputs.ravel(), [0.8119, 0.8353, 0.8658], atol=5e-5)


# Bad input

GOOD = {
    "inputs": np.zeros((2, 5, 3)),
    "input_weights": np.zeros((3, 4)),
    "recurrent_weights": np.zeros((4, 4)),
    "bias": np.zeros(4),
}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"inputs": np.zeros((5, 3))}, r"inputs must be \(batch, steps, features\).*\(5, 3\)"),
        ({"inputs": np.zeros((2, 0, 3))}, r"inputs must be .* none of them 0.*\(2, 0, 3\)"),
        ({"input_weights": np.zeros((2, 4))}, r"input_weights must have the shape \(3, 4\), got \(2, 4\)"),
        (
            {"recurrent_weights": np.zeros((4, 5))},
            r"recurrent_weights must be \(units, units\), got.*\(4, 5\)",
        ),
        ({"recurrent_weights": np.zeros((0, 0))}, r"recurrent_weights must be \(units, units\)"),
        ({"recurrent_weights": np.zeros(4)}, r"recurrent_weights must be \(units, units\), got.*\(4,\)"),
        ({"bias": np.zeros(3)}, r"bias must have the shape \(4,\), got \(3,\)"),
        ({"initial_state": np.zeros((1, 4))}, r"initial_state must have the shape \(2, 4\), got \(1, 4\)"),
        ({"mask": np.ones((5, 2), bool)}, r"mask must have the shape \(2, 5\), got \(5, 2\)"),
        ({"mask": np.ones((2, 5))}, r"mask must be boolean.*float64"),
    ],
)
def test_simple_rnn_names_what_is_wrong(changed, message):
    with pytest.raises(ValueError, match=message):
        recurrence.simple_rnn(**{**GOOD, **changed})


@pytest.mark.parametrize(
    ("name", "changed", "message"),
    [
        ("lstm", {1: np.zeros((4, 12))}, r"recurrent_weights must be \(units, 4 \* units\), got.*\(4, 12\)"),
        ("lstm", {2: np.zeros(4)}, r"bias must have the shape \(16,\), got \(4,\)"),
        ("gru", {1: np.zeros((4, 16))}, r"recurrent_weights must be \(units, 3 \* units\), got.*\(4, 16\)"),
        ("gru", {2: np.zeros(12)}, r"bias must have the shape \(2, 12\), got \(12,\)"),
    ],
)
def test_gates_name_what_is_wrong(name, changed, message):
    weights = random_weights(name, 3, 4, np.random.default_rng(0))
    weights = [changed.get(place, array) for place, array in enumerate(weights)]
    with pytest.raises(ValueError, match=message):
        CELLS[name][0](np.zeros((2, 5, 3)), *weights)


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (np.zeros((2, 4)), r"initial_state must be the pair \(hidden state, cell state\), got ndarray"),
        ((np.zeros((2, 4)),), "the pair .* got tuple of 1"),
        ((np.zeros((2, 4)), np.zeros((2, 3))), r"initial_state\[1\] must have the shape \(2, 4\)"),
        ((np.zeros((2, 3)), np.zeros((2, 4))), r"initial_state\[0\] must have the shape \(2, 4\)"),
    ],
)
def test_lstm_names_a_wrong_initial_state(start, message):
    weights = random_weights("lstm", 3, 4, np.random.default_rng(0))
    with pytest.raises(ValueError, match=message):
        recurrence.lstm(np.zeros((2, 5, 3)), *weights, initial_state=start)


def test_influence_wants_one_sequence():
    with pytest.raises(ValueError, match=r"inputs must be one sequence.*\(1, 5, 3\)"):
        recurrence.input_influence(lambda x: x, np.zeros((1, 5, 3)))
