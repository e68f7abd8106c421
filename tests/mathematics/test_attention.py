"""Attention: the reference agrees with Keras, masks mean what they say, step by step equals all at once."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from mmcourse.layers.attention import MultiHeadSelfAttention, prefix_mask
from mmcourse.layers.transformer import TransformerBlock
from mmcourse.mathematics.attention import (
    attention_gradients,
    causal_mask,
    layer_normalisation,
    multi_head_attention,
    padding_mask,
    rotary,
    scaled_dot_product_attention,
    sinusoidal_positions,
    softmax,
)

BATCH, TOKENS, HEADS, WIDTH = 3, 7, 4, 16


pytestmark = pytest.mark.usefixtures("float32")


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def computed(layer, tokens: np.ndarray, **options) -> np.ndarray:
    return ops.convert_to_numpy(layer(tokens, **options))


def make_block(dropout: float = 0.0) -> TransformerBlock:
    """A block whose weights all differ from their initial zeros and ones."""
    block = TransformerBlock(HEADS, WIDTH, 24, dropout)
    block.build((None, None, WIDTH))
    random = np.random.default_rng(1)
    block.set_weights([random.normal(scale=0.4, size=weight.shape) for weight in block.get_weights()])
    return block


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
        (without_first_row(), "mask leaves a query with nothing to look at: a row is all False; expected"),
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
    expected = computed(layer, tokens)
    np.testing.assert_allclose(layer_normalisation(tokens, *layer.get_weights()), expected, atol=1e-5)
    plain = layer_normalisation(tokens)
    np.testing.assert_allclose(plain.mean(axis=-1), 0, atol=1e-6)
    np.testing.assert_allclose(plain.std(axis=-1), 1, atol=1e-5)


def test_sinusoidal_positions_by_definition():
    positions = sinusoidal_positions(5, 6)
    for place in range(5):
        for pair in range(3):
            angle = place / 10000 ** (2 * pair / 6)
            np.testing.assert_allclose(
                positions[place, 2 * pair : 2 * pair + 2], [np.sin(angle), np.cos(angle)]
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
        (lambda: rotary(np.ones((3, 4)), np.arange(2)), r"positions must be one a token, \(3,\), got \(2,\)"),
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


# The mask


@settings(max_examples=60, deadline=None)
@given(
    prefix_is_token=st.integers(1, 6).flatmap(
        lambda length: st.lists(
            st.lists(st.booleans(), min_size=length, max_size=length), min_size=1, max_size=3
        )
    ),
    answer_length=st.integers(0, 5),
)
def test_prefix_mask_by_definition(prefix_is_token, answer_length):
    batch, prefix = len(prefix_is_token), len(prefix_is_token[0])
    total = prefix + answer_length
    expected = np.zeros((batch, 1, total, total), dtype=bool)
    for b in range(batch):
        for row in range(total):
            for column in range(total):
                if column < prefix:
                    expected[b, 0, row, column] = prefix_is_token[b][column]
                else:
                    expected[b, 0, row, column] = column <= row
    mask = ops.convert_to_numpy(prefix_mask(np.array(prefix_is_token), answer_length))
    assert mask.dtype == bool
    np.testing.assert_array_equal(mask, expected)


# The layers


@pytest.mark.parametrize("masked", [False, True])
def test_self_attention_agrees_with_the_keras_layer(masked):
    tokens = normal(BATCH, TOKENS, WIDTH)
    mask = np.broadcast_to(causal_mask(TOKENS), (BATCH, TOKENS, TOKENS)) if masked else None
    theirs = keras.layers.MultiHeadAttention(HEADS, WIDTH // HEADS)
    theirs(tokens, tokens)
    random = np.random.default_rng(3)
    theirs.set_weights([random.normal(scale=0.5, size=weight.shape) for weight in theirs.get_weights()])
    names = {variable.path.split("/", 1)[1]: variable.numpy() for variable in theirs.variables}

    ours = MultiHeadSelfAttention(HEADS, WIDTH)
    ours.build(tokens.shape)
    parts = ("query", "key", "value")
    ours.set_weights(
        [
            np.concatenate([names[f"{part}/kernel"].reshape(WIDTH, WIDTH) for part in parts], axis=1),
            np.concatenate([names[f"{part}/bias"].reshape(WIDTH) for part in parts]),
            names["attention_output/kernel"].reshape(WIDTH, WIDTH),
            names["attention_output/bias"],
        ]
    )
    expected = computed(theirs, tokens, value=tokens, attention_mask=mask)
    output = computed(ours, tokens, attention_mask=None if mask is None else mask[:, None])
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(output, expected, atol=1e-5)


def test_self_attention_agrees_with_the_reference():
    tokens = normal(BATCH, TOKENS, WIDTH)
    layer = MultiHeadSelfAttention(1, WIDTH)
    layer.build(tokens.shape)
    fused, bias, out, out_bias = layer.get_weights()
    queries, keys, values = np.split(tokens @ fused + bias, 3, axis=-1)
    expected, _ = scaled_dot_product_attention(queries, keys, values, causal_mask(TOKENS))
    output = computed(layer, tokens, attention_mask=causal_mask(TOKENS)[None, None])
    np.testing.assert_allclose(output, expected @ out + out_bias, atol=1e-5)


@pytest.mark.parametrize("heads", [3, 0, -2])
def test_heads_must_divide_the_width(heads):
    with pytest.raises(ValueError, match=rf"heads must divide width, got {heads} heads and width 16"):
        MultiHeadSelfAttention(heads, 16)


def test_block_refuses_tokens_of_another_width():
    with pytest.raises(ValueError, match=r"tokens must be \(batch, tokens, 16\), got the shape \(2, 7, 12\)"):
        TransformerBlock(HEADS, WIDTH, 24)(normal(2, 7, 12))


def test_block_agrees_with_the_references():
    block, tokens = make_block(), normal(BATCH, TOKENS, WIDTH)
    weights = {variable.path.split("/", 1)[1]: variable.numpy() for variable in block.variables}

    def norm(name, x):
        return layer_normalisation(x, weights[f"{name}/gamma"], weights[f"{name}/beta"])

    def dense(name, x):
        return x @ weights[f"{name}/kernel"] + weights[f"{name}/bias"]

    joint = dense("attention/queries_keys_values", norm("attention_norm", tokens))
    joint = joint.reshape(BATCH, TOKENS, 3, HEADS, WIDTH // HEADS).transpose(2, 0, 3, 1, 4)
    output = scaled_dot_product_attention(*joint)[0].transpose(0, 2, 1, 3).reshape(BATCH, TOKENS, WIDTH)
    tokens = tokens + dense("attention/output", output)
    hidden = dense("network_in", norm("network_norm", tokens))
    gelu = hidden / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (hidden + 0.044715 * hidden**3)))
    expected = tokens + dense("network_out", gelu)
    np.testing.assert_allclose(computed(block, normal(BATCH, TOKENS, WIDTH)), expected, atol=2e-5)


@pytest.mark.parametrize("padding", [0, 2])
def test_fill_and_step_equal_the_whole_sequence(padding):
    block, prefix, answer = make_block(), 5, 4
    total = prefix + answer
    tokens = normal(BATCH, total, WIDTH)
    real = np.ones((BATCH, prefix), dtype=bool)
    real[1:, prefix - padding :] = padding == 0
    expected = computed(block, tokens, attention_mask=prefix_mask(real, answer))

    hidden, cache = block.fill(tokens[:, :prefix], real[:, None, None, :], total)
    outputs = [hidden]
    for place in range(prefix, total):
        written = np.broadcast_to(np.arange(answer) <= place - prefix, (BATCH, answer))
        mask = np.concatenate([real, written], axis=1)[:, None, None, :]
        hidden, cache = block.step(tokens[:, place : place + 1], mask, cache, place)
        outputs.append(hidden)
    assert cache.shape == (BATCH, 2, total, HEADS, WIDTH // HEADS)
    output = np.concatenate([ops.convert_to_numpy(hidden) for hidden in outputs], axis=1)
    np.testing.assert_allclose(output, expected, atol=1e-5)


def test_block_is_causal_in_the_answer_and_open_in_the_prefix():
    block, prefix, answer = make_block(), 3, 4
    tokens = normal(1, prefix + answer, WIDTH)
    mask = prefix_mask(np.ones((1, prefix), dtype=bool), answer)
    before = computed(block, tokens, attention_mask=mask)
    for place in range(prefix + answer):
        changed = tokens.copy()
        changed[:, place] = normal(WIDTH, seed=9)
        after = computed(block, changed, attention_mask=mask)
        differs = np.abs(after - before).max(axis=(0, 2)) > 1e-4
        if place < prefix:
            assert differs.all()
        else:
            np.testing.assert_array_equal(differs, np.arange(prefix + answer) >= place)


def test_padding_in_the_prefix_is_seen_by_nobody():
    block, prefix, answer = make_block(), 4, 3
    tokens = normal(2, prefix + answer, WIDTH)
    real = np.array([[True, True, False, True], [True, False, False, True]])
    mask = prefix_mask(real, answer)
    changed = tokens.copy()
    changed[:, :prefix][~real] = 9 * normal(3, WIDTH, seed=9)
    visible = np.concatenate([real, np.ones((2, answer), dtype=bool)], axis=1)
    before, after = (computed(block, x, attention_mask=mask) for x in (tokens, changed))
    np.testing.assert_allclose(after[visible], before[visible], atol=1e-5)
    assert np.abs(after - before).max() > 0.1  # the padding's own places, which are not read


def test_dropout_acts_in_training_only():
    block, tokens = make_block(dropout=0.5), normal(2, TOKENS, WIDTH)
    still = computed(block, tokens)
    np.testing.assert_array_equal(computed(block, tokens, training=False), still)
    assert np.abs(computed(block, tokens, training=True) - still).max() > 0.01
    np.testing.assert_allclose(computed(make_block(dropout=0.0), tokens, training=True), still, atol=1e-6)


@pytest.mark.parametrize(
    "layer",
    [MultiHeadSelfAttention(HEADS, WIDTH, name="one"), TransformerBlock(HEADS, WIDTH, 24, 0.25, name="two")],
    ids=["attention", "block"],
)
def test_configuration_round_trip(layer):
    twin = type(layer).from_config(layer.get_config())
    assert twin.get_config() == layer.get_config()
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(again) is type(layer) and again.get_config() == layer.get_config()
    for one in (layer, twin):
        one.build((None, None, WIDTH))
    twin.set_weights(layer.get_weights())
    tokens = normal(2, TOKENS, WIDTH)
    np.testing.assert_allclose(computed(twin, tokens), computed(layer, tokens), atol=1e-6)
