"""Patches, cross-attention and the decoder's block agree with their references and with Keras."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from mmcourse.layers.attention import CrossAttention
from mmcourse.layers.patches import PatchEmbedding, cut_patches
from mmcourse.layers.transformer import DecoderBlock
from mmcourse.mathematics.attention import causal_mask, layer_normalisation, multi_head_attention

BATCH, TOKENS, CONTEXT, HEADS, WIDTH, CONTEXT_WIDTH = 2, 5, 6, 4, 8, 12


pytestmark = pytest.mark.usefixtures("float32")


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


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


def test_keys_and_values_are_made_once():
    layer = CrossAttention(HEADS, WIDTH)
    tokens, context = normal(BATCH, TOKENS, WIDTH), normal(BATCH, CONTEXT, CONTEXT_WIDTH)
    expected = ops.convert_to_numpy(layer(tokens, context))
    keys, values = layer.read(context)
    assert tuple(keys.shape) == (BATCH, CONTEXT, HEADS, WIDTH // HEADS)
    steps = [layer.look(tokens[:, place : place + 1], keys, values) for place in range(TOKENS)]
    np.testing.assert_allclose(np.concatenate(steps, axis=1), expected, atol=1e-5)


def test_decoder_block_agrees_with_the_references():
    block = DecoderBlock(HEADS, WIDTH, 20)
    tokens, context = normal(BATCH, TOKENS, WIDTH), normal(BATCH, CONTEXT, CONTEXT_WIDTH, seed=1)
    seen = np.arange(CONTEXT) < np.array([CONTEXT, 3])[:, None]
    block.build(tokens.shape, context.shape)
    randomise(block)
    output = ops.convert_to_numpy(
        block(tokens, context, causal_mask(TOKENS)[None, None], seen[:, None, None, :])
    )

    def norm(place, x):
        return layer_normalisation(x, *block.norms[place].get_weights())

    own = block.attention
    expected = tokens + ops.convert_to_numpy(own(norm(0, tokens), causal_mask(TOKENS)[None, None]))
    weights = as_multi_head(block.cross_attention)
    expected = expected + multi_head_attention(norm(1, expected), context, weights, seen[:, None, :])[0]
    kernel, bias = block.network_in.get_weights()
    hidden = norm(2, expected) @ kernel + bias
    gelu = hidden / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (hidden + 0.044715 * hidden**3)))
    kernel, bias = block.network_out.get_weights()
    np.testing.assert_allclose(output, expected + gelu @ kernel + bias, atol=1e-4)


def test_decoder_block_sees_no_later_token_and_no_hidden_context():
    block = DecoderBlock(HEADS, WIDTH, 20)
    tokens, context = normal(1, TOKENS, WIDTH), normal(1, CONTEXT, CONTEXT_WIDTH, seed=1)
    causal, seen = causal_mask(TOKENS)[None, None], (np.arange(CONTEXT) < 4)[None, None, None]
    before = ops.convert_to_numpy(block(tokens, context, causal, seen))
    context[:, 4:] += 9
    tokens[:, 3:] += normal(WIDTH, seed=2)
    after = ops.convert_to_numpy(block(tokens, context, causal, seen))
    np.testing.assert_allclose(after[:, :3], before[:, :3], atol=1e-5)
    assert np.abs(after - before)[:, 3:].max() > 0.1


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
        (lambda: CrossAttention(3, 8), "heads must divide width, got 3 heads and width 8"),
        (lambda: CrossAttention(0, 8), "heads must divide width"),
        (lambda: DecoderBlock(3, 8, 8), "heads must divide width"),
        (
            lambda: DecoderBlock(2, 8, 8)(np.ones((1, 3, 6)), np.ones((1, 3, 8))),
            r"tokens must be \(batch, tokens, 8\), got the shape \(1, 3, 6\)",
        ),
    ],
)
def test_bad_arguments_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("layer", "inputs"),
    [
        (PatchEmbedding(2, WIDTH, name="one"), (normal(2, 4, 4, 1),)),
        (PatchEmbedding(2, WIDTH, positions=False, name="two"), (normal(2, 4, 4, 1),)),
        (CrossAttention(HEADS, WIDTH, name="three"), (normal(2, 3, WIDTH), normal(2, 4, CONTEXT_WIDTH))),
        (DecoderBlock(HEADS, WIDTH, 16, name="four"), (normal(2, 3, WIDTH), normal(2, 4, CONTEXT_WIDTH))),
    ],
    ids=["patches", "bag", "cross-attention", "decoder"],
)
def test_configuration_round_trip(layer, inputs):
    twin = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(twin) is type(layer) and twin.get_config() == layer.get_config()
    expected = ops.convert_to_numpy(layer(*inputs))
    twin.build(*(array.shape for array in inputs))
    twin.set_weights(layer.get_weights())
    np.testing.assert_allclose(ops.convert_to_numpy(twin(*inputs)), expected, atol=1e-6)
