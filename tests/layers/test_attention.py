"""The attention layers agree with Keras and with the NumPy reference; masks; a cache continues a sequence."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from mmcourse.layers.attention import CrossAttention, SelfAttention, prefix_mask
from mmcourse.mathematics.attention import causal_mask, multi_head_attention, scaled_dot_product_attention

BATCH, TOKENS, CONTEXT, HEADS, WIDTH, CONTEXT_WIDTH = 2, 7, 8, 4, 16, 12

pytestmark = pytest.mark.usefixtures("float32")


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def computed(layer, *inputs, **options) -> np.ndarray:
    return ops.convert_to_numpy(layer(*inputs, **options))


def randomise(layer) -> None:
    random = np.random.default_rng(1)
    layer.set_weights([random.normal(scale=0.4, size=weight.shape) for weight in layer.get_weights()])


def as_multi_head(layer: CrossAttention) -> list[np.ndarray]:
    """Its weights in the order of ``keras.layers.MultiHeadAttention.get_weights()``."""
    queries, queries_bias, joint, joint_bias, out, out_bias = layer.get_weights()
    heads, depth = layer.heads, layer.width // layer.heads
    keys, values = np.split(joint, 2, axis=1)
    keys_bias, values_bias = np.split(joint_bias, 2)
    pairs = ((queries, queries_bias), (keys, keys_bias), (values, values_bias))
    read = [array for kernel, bias in pairs for array in (kernel.reshape(-1, heads, depth), bias)]
    read[1::2] = [bias.reshape(heads, depth) for bias in read[1::2]]
    return [*read, out.reshape(heads, depth, -1), out_bias]


@pytest.mark.parametrize("masked", [False, True])
def test_self_attention_agrees_with_the_keras_layer(masked):
    tokens = normal(BATCH, TOKENS, WIDTH)
    mask = np.broadcast_to(causal_mask(TOKENS), (BATCH, TOKENS, TOKENS)) if masked else None
    theirs = keras.layers.MultiHeadAttention(HEADS, WIDTH // HEADS)
    theirs(tokens, tokens)
    random = np.random.default_rng(3)
    theirs.set_weights([random.normal(scale=0.5, size=weight.shape) for weight in theirs.get_weights()])
    names = {variable.path.split("/", 1)[1]: variable.numpy() for variable in theirs.variables}

    ours = SelfAttention(HEADS, WIDTH)
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
    layer = SelfAttention(1, WIDTH)
    layer.build(tokens.shape)
    fused, bias, out, out_bias = layer.get_weights()
    queries, keys, values = np.split(tokens @ fused + bias, 3, axis=-1)
    expected, _ = scaled_dot_product_attention(queries, keys, values, causal_mask(TOKENS))
    output = computed(layer, tokens, attention_mask=causal_mask(TOKENS)[None, None])
    np.testing.assert_allclose(output, expected @ out + out_bias, atol=1e-5)


@pytest.mark.parametrize("heads", [3, 0, -2])
def test_heads_must_divide_the_width(heads):
    with pytest.raises(ValueError, match=rf"heads must divide width, got {heads} heads and width 16"):
        SelfAttention(heads, 16)


@pytest.mark.parametrize("masked", [False, True])
def test_cross_attention_shares_weights_with_keras_and_with_the_reference(masked):
    tokens, context = normal(BATCH, TOKENS, WIDTH), normal(BATCH, CONTEXT, CONTEXT_WIDTH, seed=1)
    mask = np.broadcast_to(causal_mask(TOKENS, CONTEXT), (BATCH, TOKENS, CONTEXT)) if masked else None
    ours = CrossAttention(HEADS, WIDTH)
    ours.build(tokens.shape, context.shape)
    randomise(ours)
    theirs = keras.layers.MultiHeadAttention(HEADS, WIDTH // HEADS)
    theirs(tokens, context)
    theirs.set_weights(as_multi_head(ours))
    output = ops.convert_to_numpy(ours(tokens, context, None if mask is None else mask[:, None]))
    expected = ops.convert_to_numpy(theirs(tokens, context, attention_mask=mask))
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(output, expected, atol=1e-5)
    reference, _ = multi_head_attention(tokens, context, as_multi_head(ours), mask)
    np.testing.assert_allclose(output, reference, atol=1e-5)


@pytest.mark.parametrize("chunks", [[7], [1] * 7, [4, 3], [5, 1, 1]])
def test_a_cache_filled_in_chunks_equals_the_whole_sequence(chunks):
    layer = SelfAttention(HEADS, WIDTH)
    tokens = normal(BATCH, TOKENS, WIDTH)
    expected = computed(layer, tokens, causal_mask(TOKENS)[None, None])
    cache, outputs, position = layer.empty_cache(BATCH, TOKENS + 2), [], 0
    for chunk in chunks:
        mask = np.zeros((chunk, TOKENS + 2), dtype=bool)
        mask[:, : position + chunk] = causal_mask(chunk, position + chunk)
        output, cache = layer(
            tokens[:, position : position + chunk], mask[None, None], cache=cache, position=position
        )
        outputs.append(ops.convert_to_numpy(output))
        position += chunk
    for kept in cache:
        assert kept.shape == (BATCH, HEADS, TOKENS + 2, WIDTH // HEADS)
        assert not ops.convert_to_numpy(kept)[:, :, TOKENS:].any(), "room that nothing was written to"
    np.testing.assert_allclose(np.concatenate(outputs, axis=1), expected, atol=1e-5)


def test_sequences_with_caches_of_their_own_do_not_mix():
    """Two sequences continued in turn: whatever a layer remembers must lie in the cache."""
    layer, causal = SelfAttention(HEADS, WIDTH), causal_mask(TOKENS)[None, None]
    both = [normal(1, TOKENS, WIDTH, seed=seed) for seed in (1, 2)]
    caches, outputs = [layer.empty_cache(1, TOKENS) for _ in both], [[], []]
    for position in range(TOKENS):
        for which, tokens in enumerate(both):
            output, caches[which] = layer(
                tokens[:, position : position + 1],
                causal[:, :, position : position + 1],
                cache=caches[which],
                position=position,
            )
            outputs[which].append(ops.convert_to_numpy(output))
    for tokens, parts in zip(both, outputs, strict=True):
        np.testing.assert_allclose(np.concatenate(parts, axis=1), computed(layer, tokens, causal), atol=1e-5)


@pytest.mark.parametrize(
    ("layer", "shapes"),
    [
        (SelfAttention(HEADS, WIDTH, name="one"), [(2, 3, WIDTH)]),
        (CrossAttention(HEADS, WIDTH, name="two"), [(2, 3, WIDTH), (2, 4, CONTEXT_WIDTH)]),
    ],
    ids=["self", "cross"],
)
def test_configuration_round_trip(layer, shapes):
    twin = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(twin) is type(layer) and twin.get_config() == layer.get_config()
    inputs = [normal(*shape) for shape in shapes]
    expected = computed(layer, *inputs)
    twin.build(*shapes)
    twin.set_weights(layer.get_weights())
    np.testing.assert_allclose(computed(twin, *inputs), expected, atol=1e-6)


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
