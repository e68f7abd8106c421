"""Attention: the reference agrees with Keras, masks mean what they say, step by step equals all at once."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from mmcourse.layers import TransformerBlock
from mmcourse.mathematics.attention import (
    attention_gradients,
    causal_mask,
    gelu,
    layer_normalisation,
    multi_head_attention,
    padding_mask,
    rotary,
    scaled_dot_product_attention,
    sinusoidal_positions,
    softmax,
    transformer_block,
)

BATCH, TOKENS, HEADS, WIDTH = 3, 7, 4, 16

pytestmark = pytest.mark.usefixtures("float32")


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


# The reference


@pytest.mark.parametrize("masked", [False, True])
def test_reference_agrees_with_keras_dot_product_attention(masked):
    queries, keys, values = (normal(BATCH, TOKENS, HEADS, 8, seed=seed) for seed in range(3))
    mask = causal_mask(TOKENS)[None, None] if masked else None
    expected = ops.convert_to_numpy(ops.dot_product_attention(queries, keys, values, mask=mask))
    # Keras has the heads after the tokens, the reference before them.
    output, weights = scaled_dot_product_attention(
        *(np.swapaxes(x, 1, 2) for x in (queries, keys, values)), mask
    )
    np.testing.assert_allclose(np.swapaxes(output, 1, 2), expected, atol=1e-5)
    np.testing.assert_allclose(weights.sum(axis=-1), 1.0, atol=1e-6)
    if masked:
        assert (weights[..., ~causal_mask(TOKENS)] == 0).all()


def test_reference_by_hand():
    queries = np.array([[2.0]])
    keys, values = np.array([[0.0], [np.log(3.0) / 2]]), np.array([[1.0, 0.0], [0.0, 1.0]])
    output, weights = scaled_dot_product_attention(queries, keys, values)
    np.testing.assert_allclose(weights, [[0.25, 0.75]])
    np.testing.assert_allclose(output, [[0.25, 0.75]])


@given(
    queries=st.integers(1, 5),
    keys=st.integers(1, 5),
    width=st.integers(1, 6),
    value_width=st.integers(1, 4),
    seed=st.integers(0, 1000),
)
def test_reference_averages_the_values(queries, keys, width, value_width, seed):
    random = np.random.default_rng(seed)
    values = random.normal(size=(2, keys, value_width))
    output, weights = scaled_dot_product_attention(
        random.normal(size=(2, queries, width)) * 30, random.normal(size=(2, keys, width)) * 30, values
    )
    assert output.shape == (2, queries, value_width) and weights.shape == (2, queries, keys)
    assert (weights >= 0).all()
    assert (output <= values.max(axis=1, keepdims=True) + 1e-9).all()
    assert (output >= values.min(axis=1, keepdims=True) - 1e-9).all()


def test_reference_survives_large_scores():
    tokens = np.array([[1e4, 0.0], [0.0, 1e4]])
    output, weights = scaled_dot_product_attention(tokens, tokens, np.eye(2))
    np.testing.assert_allclose(output, np.eye(2))
    assert np.isfinite(weights).all()


@pytest.mark.parametrize(
    ("queries", "keys", "values", "words"),
    [
        ((2, 8), (3, 4), (3, 4), ["width", "8", "4"]),
        ((2, 8), (3, 8), (5, 8), ["value", "3", "5"]),
    ],
)
def test_reference_refuses_shapes_that_do_not_fit(queries, keys, values, words):
    with pytest.raises(ValueError) as caught:
        scaled_dot_product_attention(np.ones(queries), np.ones(keys), np.ones(values))
    assert all(word in str(caught.value) for word in words)


@pytest.mark.parametrize("name", ["queries", "keys", "values"])
def test_reference_refuses_what_has_no_token_axis(name):
    arguments = {"queries": np.ones((3, 2)), "keys": np.ones((3, 2)), "values": np.ones((3, 2))}
    arguments[name] = np.ones(3)
    with pytest.raises(ValueError, match=rf"{name} must be \(\.\.\., tokens, width\), got the shape \(3,\)"):
        scaled_dot_product_attention(**arguments)


def without_first_row() -> np.ndarray:
    mask = causal_mask(3)
    mask[0] = False
    return mask


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (without_first_row(), "mask leaves a query without a key: a row is all False; expected"),
        (causal_mask(4), r"mask must fit the scores .* = \(3, 3\), got the shape \(4, 4\)"),
        (np.where(causal_mask(3), 0.0, -np.inf), "mask must be boolean, .* got the dtype float64"),
        (causal_mask(3).astype(int), "mask must be boolean, .* got the dtype int64"),
    ],
)
def test_reference_refuses_a_mask(mask, message):
    with pytest.raises(ValueError, match=message):
        scaled_dot_product_attention(np.ones((3, 2)), np.ones((3, 2)), np.ones((3, 2)), mask)


@st.composite
def attentions(draw):
    """Queries, keys, values and a mask without an empty row."""
    heads, queries, keys = draw(st.integers(1, 3)), draw(st.integers(1, 4)), draw(st.integers(1, 4))
    width, value_width = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    random = np.random.default_rng(draw(st.integers(0, 1000)))
    mask = random.random((heads, queries, keys)) < 0.6
    mask[..., 0] |= ~mask.any(axis=-1)
    shapes = ((heads, queries, width), (heads, keys, width), (heads, keys, value_width))
    return *(random.normal(size=shape) for shape in shapes), mask


@given(attentions())
def test_hidden_places_get_exactly_nothing_and_rows_sum_to_one(case):
    queries, keys, values, mask = case
    _, weights = scaled_dot_product_attention(queries, keys, values, mask)
    assert (weights[~mask] == 0).all()
    assert (weights[mask] > 0).all()
    np.testing.assert_allclose(weights.sum(axis=-1), 1.0)
    hidden = np.broadcast_to(~mask.any(axis=-2)[..., None], values.shape)  # seen by no query
    changed = np.where(hidden, 1e6, values)
    before, after = (scaled_dot_product_attention(queries, keys, v, mask)[0] for v in (values, changed))
    np.testing.assert_array_equal(before, after)


@given(attentions(), st.randoms(use_true_random=False))
def test_order_of_keys_does_not_matter_and_order_of_queries_carries_over(case, random):
    queries, keys, values, mask = case
    output, weights = scaled_dot_product_attention(queries, keys, values, mask)
    columns = random.sample(range(keys.shape[1]), keys.shape[1])
    rows = random.sample(range(queries.shape[1]), queries.shape[1])
    again, shares = scaled_dot_product_attention(
        queries[:, rows], keys[:, columns], values[:, columns], mask[:, rows][:, :, columns]
    )
    np.testing.assert_allclose(again, output[:, rows], atol=1e-12)
    np.testing.assert_allclose(shares, weights[:, rows][:, :, columns], atol=1e-12)


@given(attentions(), st.floats(-50, 50))
def test_softmax_ignores_what_all_scores_share(case, constant):
    scores = case[0]
    np.testing.assert_allclose(softmax(scores + constant), softmax(scores), atol=1e-9)


# Gradients


def numerical(function, array: np.ndarray, step: float = 1e-6) -> np.ndarray:
    """The gradient of a number by an array, by central differences."""
    gradient = np.zeros_like(array)
    for place in np.ndindex(array.shape):
        changed = [array.copy(), array.copy()]
        changed[0][place] += step
        changed[1][place] -= step
        gradient[place] = (function(changed[0]) - function(changed[1])) / (2 * step)
    return gradient


@settings(max_examples=30, deadline=None)
@given(attentions(), st.booleans())
def test_gradients_are_those_of_small_changes(case, masked):
    arrays, mask = list(case[:3]), case[3] if masked else None
    target = np.random.default_rng(0).normal(size=(*case[0].shape[:-1], case[2].shape[-1]))

    def loss(*changed):
        return (scaled_dot_product_attention(*changed, mask)[0] * target).sum()

    gradients = attention_gradients(*arrays, target, mask)
    for place, gradient in enumerate(gradients):
        expected = numerical(lambda x, p=place: loss(*arrays[:p], x, *arrays[p + 1 :]), arrays[place])
        np.testing.assert_allclose(gradient, expected, atol=1e-7)


def test_gradients_refuse_another_shape():
    with pytest.raises(ValueError, match=r"output_gradient must be \(3, 2\), got \(2, 3\)"):
        attention_gradients(np.ones((3, 2)), np.ones((3, 2)), np.ones((3, 2)), np.ones((2, 3)))


# Several heads


@settings(max_examples=15, deadline=None)
@given(
    queries=st.integers(1, 4),
    keys=st.integers(2, 4),  # Keras warns of a softmax over one key
    heads=st.integers(1, 3),
    # Not 1: keras.ops.add on TensorFlow adds a bias (heads, 1) along the tokens if there are as many.
    key_width=st.integers(2, 4),
    value_width=st.integers(2, 3),
    width=st.integers(1, 5),
    context_width=st.integers(1, 5),
    masked=st.booleans(),
)
def test_multi_head_reference_agrees_with_the_keras_layer(
    queries, keys, heads, key_width, value_width, width, context_width, masked
):
    tokens, context = normal(2, queries, width), normal(2, keys, context_width, seed=1)
    layer = keras.layers.MultiHeadAttention(heads, key_width, value_width)
    layer(tokens, context)
    random = np.random.default_rng(2)
    layer.set_weights([random.normal(scale=0.7, size=w.shape).astype("float32") for w in layer.get_weights()])
    mask = random.random((2, queries, keys)) < 0.5
    mask[..., -1] |= ~mask.any(axis=-1)
    mask = mask if masked else None
    expected, expected_weights = layer(tokens, context, attention_mask=mask, return_attention_scores=True)
    output, weights = multi_head_attention(tokens, context, layer.get_weights(), mask)
    np.testing.assert_allclose(output, ops.convert_to_numpy(expected), atol=1e-5)
    np.testing.assert_allclose(weights, ops.convert_to_numpy(expected_weights), atol=1e-5)


def multi_head_weights(width: int = 4, heads: int = 2) -> list[np.ndarray]:
    read = [normal(width, heads, width // heads), normal(heads, width // heads)]
    return read * 3 + [normal(heads, width // heads, width), normal(width)]


@pytest.mark.parametrize(
    ("tokens", "context", "weights", "message"),
    [
        ((1, 3, 5), (1, 3, 4), 8, r"tokens must be \(batch, tokens, 4\), got the shape \(1, 3, 5\)"),
        ((1, 3, 4), (3, 4), 8, r"context must be \(batch, tokens, 4\), got the shape \(3, 4\)"),
        ((1, 3, 4), (1, 3, 4), 6, "weights must be four kernels and biases .* got 6"),
    ],
)
def test_multi_head_reference_refuses(tokens, context, weights, message):
    with pytest.raises(ValueError, match=message):
        multi_head_attention(np.ones(tokens), np.ones(context), multi_head_weights()[:weights])


# Normalisation and positions


def test_layer_normalisation_agrees_with_keras():
    tokens = normal(2, 3, 6) * 5 + 2
    layer = keras.layers.LayerNormalization(epsilon=1e-6)
    layer.build(tokens.shape)
    layer.set_weights([normal(6, seed=1), normal(6, seed=2)])
    expected = ops.convert_to_numpy(layer(tokens))
    np.testing.assert_allclose(layer_normalisation(tokens, *layer.get_weights()), expected, atol=1e-5)
    plain = layer_normalisation(tokens)
    np.testing.assert_allclose(plain.mean(axis=-1), 0, atol=1e-6)
    np.testing.assert_allclose(plain.std(axis=-1), 1, atol=1e-5)


def test_gelu_agrees_with_keras():
    scores = np.linspace(-6, 6, 49).astype("float32")
    np.testing.assert_allclose(gelu(scores), ops.gelu(scores, approximate=True), atol=1e-6)


@pytest.mark.parametrize("masked", [False, True])
def test_block_agrees_with_the_keras_layer(masked):
    tokens, mask = normal(BATCH, TOKENS, WIDTH), causal_mask(TOKENS)[None, None] if masked else None
    layer = TransformerBlock(HEADS, WIDTH, 24)
    layer.build(tokens.shape)
    random = np.random.default_rng(1)
    layer.set_weights([random.normal(scale=0.4, size=weight.shape) for weight in layer.get_weights()])
    output, weights = transformer_block(tokens, layer.get_weights(), HEADS, mask)
    np.testing.assert_allclose(output, ops.convert_to_numpy(layer(tokens, mask)), atol=2e-5)
    assert weights.shape == (BATCH, HEADS, TOKENS, TOKENS)
    np.testing.assert_allclose(weights.sum(axis=-1), 1, atol=1e-5)
    assert not masked or (weights[..., ~causal_mask(TOKENS)] == 0).all()


def test_block_refuses_other_weights():
    with pytest.raises(ValueError, match="weights must be the twelve arrays of a block, got 3"):
        transformer_block(np.ones((1, 2, 4)), [np.ones(4)] * 3, 2)


def test_sinusoidal_positions_by_definition():
    positions = sinusoidal_positions(5, 6)
    for position in range(5):
        for pair in range(3):
            angle = position / 10000 ** (2 * pair / 6)
            np.testing.assert_allclose(
                positions[position, 2 * pair : 2 * pair + 2], [np.sin(angle), np.cos(angle)]
            )


@given(st.integers(1, 20), st.integers(1, 8), st.integers(0, 10))
def test_sinusoids_tell_the_distance(length, half, shift):
    """The scalar product of two places' vectors depends on their distance only."""
    positions = sinusoidal_positions(length + shift, 2 * half)
    products = (positions[:length] * positions[shift:]).sum(axis=-1)
    np.testing.assert_allclose(products, products[0], atol=1e-9)


@given(
    half=st.integers(1, 4),
    first=st.integers(0, 50),
    distance=st.integers(-20, 20),
    shift=st.integers(0, 100),
    seed=st.integers(0, 1000),
)
def test_rotary_scores_depend_on_the_distance_only(half, first, distance, shift, seed):
    query, key = np.random.default_rng(seed).normal(size=(2, 1, 2 * half))
    scores = [
        (rotary(query, np.array([p + distance])) @ rotary(key, np.array([p])).T).item()
        for p in (first, first + shift)
    ]
    np.testing.assert_allclose(scores[0], scores[1], atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(rotary(query, np.array([first]))), np.linalg.norm(query))
    np.testing.assert_array_equal(rotary(query, np.array([0])), query)


def test_rotary_turns_each_pair():
    turned = rotary(np.array([[1.0, 0.0, 1.0, 0.0]]), np.array([3]))
    np.testing.assert_allclose(turned, [[np.cos(3), np.sin(3), np.cos(0.03), np.sin(0.03)]])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sinusoidal_positions(4, 5), "width must be even and positive.* got 5"),
        (lambda: sinusoidal_positions(0, 4), "length must be 1 or more, got 0"),
        (lambda: rotary(np.ones((3, 5)), np.arange(3)), "width must be even and positive.* got 5"),
        (
            lambda: rotary(np.ones((3, 4)), np.arange(2)),
            r"positions must be one for each token, \(3,\), got \(2,\)",
        ),
        (lambda: causal_mask(3, 2), r"queries must be 1 to 2 \(the keys\), got 3"),
        (lambda: causal_mask(0), "queries must be 1"),
        (lambda: padding_mask([1, 5], 4), r"lengths must be numbers from 1 to 4 \(total\), got \[1, 5\]"),
        (lambda: padding_mask([0], 4), "lengths must be numbers from 1 to 4"),
        (lambda: padding_mask(3, 4), "lengths must be numbers from 1 to 4"),
    ],
)
def test_positions_and_masks_refuse(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@given(st.integers(1, 6), st.integers(0, 6))
def test_causal_mask_by_definition(queries, earlier):
    mask = causal_mask(queries, queries + earlier)
    for row in range(queries):
        for column in range(queries + earlier):
            assert mask[row, column] == (column <= row + earlier)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=4))
def test_padding_mask_by_definition(lengths):
    mask = padding_mask(lengths, 5)
    assert mask.shape == (len(lengths), 1, 5) and mask.dtype == bool
    assert mask[:, 0].sum(axis=-1).tolist() == lengths
    assert (np.diff(mask[:, 0].astype(int), axis=-1) <= 0).all()  # the real tokens come first
    weights = scaled_dot_product_attention(*(np.ones((len(lengths), 5, 2)),) * 3, causal_mask(5) & mask)[1]
    assert (weights[np.broadcast_to(~mask, weights.shape)] == 0).all()
