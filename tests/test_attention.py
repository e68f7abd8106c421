"""Attention: the reference agrees with Keras, masks mean what they say, step by step equals all at once."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from mmcourse.attention import (
    MultiHeadSelfAttention,
    TransformerBlock,
    prefix_mask,
    scaled_dot_product_attention,
)

BATCH, TOKENS, HEADS, WIDTH = 3, 7, 4, 16


@pytest.fixture(autouse=True)
def float32():
    """Whatever ran before, these layers compute in float32."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    keras.utils.set_random_seed(0)
    yield
    keras.config.set_dtype_policy(before)


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def computed(layer, tokens: np.ndarray, **options) -> np.ndarray:
    return ops.convert_to_numpy(layer(tokens, **options))


def causal_mask(tokens: int) -> np.ndarray:
    return np.tril(np.ones((tokens, tokens), dtype=bool))


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


def test_reference_refuses_a_query_that_may_look_at_nothing():
    mask = causal_mask(3)
    mask[0] = False
    with pytest.raises(ValueError, match="mask"):
        scaled_dot_product_attention(np.ones((3, 2)), np.ones((3, 2)), np.ones((3, 2)), mask)


def test_reference_refuses_a_mask_of_another_shape():
    with pytest.raises(ValueError):
        scaled_dot_product_attention(np.ones((3, 2)), np.ones((3, 2)), np.ones((3, 2)), causal_mask(4))


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


def test_heads_must_divide_the_width():
    with pytest.raises(ValueError, match=r"3 heads and width 16"):
        MultiHeadSelfAttention(3, 16)


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
