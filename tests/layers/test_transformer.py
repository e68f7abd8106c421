"""The Transformer block agrees with the NumPy references; with a cache it writes what it would read at
once."""

import keras
import numpy as np
import pytest
from keras import ops

from mmcourse.layers.attention import prefix_mask
from mmcourse.layers.transformer import TransformerBlock
from mmcourse.mathematics.attention import causal_mask, layer_normalisation, scaled_dot_product_attention

BATCH, TOKENS, CONTEXT, HEADS, WIDTH, CONTEXT_WIDTH = 2, 7, 8, 4, 16, 12

pytestmark = pytest.mark.usefixtures("float32")


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def computed(layer, *inputs, **options) -> np.ndarray:
    return ops.convert_to_numpy(layer(*inputs, **options))


def randomise(layer) -> None:
    random = np.random.default_rng(1)
    layer.set_weights([random.normal(scale=0.4, size=weight.shape) for weight in layer.get_weights()])


def make_block(dropout: float = 0.0) -> TransformerBlock:
    """A block whose weights all differ from their initial zeros and ones."""
    block = TransformerBlock(HEADS, WIDTH, 24, dropout)
    block.build((None, None, WIDTH))
    random = np.random.default_rng(1)
    block.set_weights([random.normal(scale=0.4, size=weight.shape) for weight in block.get_weights()])
    return block


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


@pytest.mark.parametrize("padding", [0, 2])
def test_reading_a_prefix_and_then_one_by_one_equals_the_whole_sequence(padding):
    block, prefix, answer = make_block(), 5, 4
    total = prefix + answer
    tokens = normal(BATCH, total, WIDTH)
    real = np.ones((BATCH, prefix), dtype=bool)
    real[1:, prefix - padding :] = padding == 0
    expected = computed(block, tokens, attention_mask=prefix_mask(real, answer))

    def seen(written):
        answers = np.broadcast_to(np.arange(answer) < written, (BATCH, answer))
        return np.concatenate([real, answers], axis=1)[:, None, None, :]

    hidden, cache = block(tokens[:, :prefix], seen(0), cache=block.empty_cache(BATCH, total), position=0)
    outputs = [hidden]
    for position in range(prefix, total):
        token = tokens[:, position : position + 1]
        hidden, cache = block(token, seen(position - prefix + 1), cache=cache, position=position)
        outputs.append(hidden)
    output = np.concatenate([ops.convert_to_numpy(hidden) for hidden in outputs], axis=1)
    np.testing.assert_allclose(output, expected, atol=1e-5)


def make_looking_block() -> TransformerBlock:
    block = TransformerBlock(HEADS, WIDTH, 20, cross_attention=True)
    block.build((BATCH, TOKENS, WIDTH), (BATCH, CONTEXT, CONTEXT_WIDTH))
    randomise(block)
    return block


def test_block_with_cross_attention_agrees_with_its_parts():
    block = make_looking_block()
    tokens, context = normal(BATCH, TOKENS, WIDTH), normal(BATCH, CONTEXT, CONTEXT_WIDTH, seed=1)
    causal = causal_mask(TOKENS)[None, None]
    seen = (np.arange(CONTEXT) < np.array([CONTEXT, 3])[:, None])[:, None, None, :]
    expected = tokens + computed(block.attention, block.attention_norm(tokens), causal)
    looked = computed(block.cross_attention, block.cross_attention_norm(expected), context, seen)
    expected = expected + looked
    kernel, bias = block.network_in.get_weights()
    hidden = computed(block.network_norm, expected) @ kernel + bias
    gelu = hidden / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (hidden + 0.044715 * hidden**3)))
    kernel, bias = block.network_out.get_weights()
    output = computed(block, tokens, causal, context=context, context_mask=seen)
    np.testing.assert_allclose(output, expected + gelu @ kernel + bias, atol=1e-4)


def test_block_with_cross_attention_sees_no_later_token_and_no_hidden_context():
    block = make_looking_block()
    tokens, context = normal(1, TOKENS, WIDTH), normal(1, CONTEXT, CONTEXT_WIDTH, seed=1)
    causal, seen = causal_mask(TOKENS)[None, None], (np.arange(CONTEXT) < 4)[None, None, None]
    before = computed(block, tokens, causal, context=context, context_mask=seen)
    context[:, 4:] += 9
    tokens[:, 3:] += normal(WIDTH, seed=2)
    after = computed(block, tokens, causal, context=context, context_mask=seen)
    np.testing.assert_allclose(after[:, :3], before[:, :3], atol=1e-5)
    assert np.abs(after - before)[:, 3:].max() > 0.1


@pytest.mark.parametrize("cross_attention", [False, True])
def test_configuration_round_trip(cross_attention):
    block = TransformerBlock(HEADS, WIDTH, 24, 0.25, cross_attention)
    twin = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(block))
    assert type(twin) is TransformerBlock and twin.get_config() == block.get_config()
    context = {"context": normal(2, 4, CONTEXT_WIDTH)} if cross_attention else {}
    expected = computed(block, normal(2, 3, WIDTH), **context)
    twin.build((2, 3, WIDTH), (2, 4, CONTEXT_WIDTH) if cross_attention else None)
    twin.set_weights(block.get_weights())
    np.testing.assert_allclose(computed(twin, normal(2, 3, WIDTH), **context), expected, atol=1e-6)
