"""Attention as Keras layers (notebook 37), with the cache that makes writing quick."""

import keras
from keras import ops


def prefix_mask(prefix_is_token, answer_length: int):
    """Who may look at whom when a prefix is read and an answer is written.

    A prefix token is visible to all; an answer token only to itself and to those after it (the prefix
    language model of Raffel et al., 2020, section 3.2.1). Padding in the prefix is visible to none.

    Args:
        prefix_is_token: boolean tensor ``(batch, prefix)``; False where the prefix is padding.
        answer_length: number of answer tokens.

    Returns:
        Boolean tensor ``(batch, 1, prefix + answer, prefix + answer)``: row looks at column; the axis of
        size 1 is for the heads.
    """
    batch, prefix = ops.shape(prefix_is_token)
    total = prefix + answer_length
    places = ops.arange(total)
    causal = (places[None, :] >= prefix) & (places[None, :] <= places[:, None])  # (total, total)
    visible = ops.concatenate(
        [prefix_is_token, ops.zeros((batch, answer_length), dtype="bool")], axis=1
    )  # (batch, total)
    return (visible[:, None, None, :]) | causal[None, None]


@keras.saving.register_keras_serializable("mmcourse")
class MultiHeadSelfAttention(keras.layers.Layer):
    """Self-attention with one fused projection for queries, keys and values.

    It computes what ``keras.layers.MultiHeadAttention`` computes for one input; the fused projection is
    faster, and the method :meth:`step` continues a sequence from a cache.

    Args:
        heads: number of heads; divides the width.
        width: width of the tokens.
    """

    def __init__(self, heads: int, width: int, **kwargs):
        super().__init__(**kwargs)
        if heads < 1 or width % heads:
            raise ValueError(f"heads must divide width, got {heads} heads and width {width}")
        self.heads, self.width = heads, width
        self.project_in = keras.layers.Dense(3 * width, dtype=self.dtype_policy, name="queries_keys_values")
        self.project_out = keras.layers.Dense(width, dtype=self.dtype_policy, name="output")

    def build(self, shape):
        self.project_in.build(shape)
        self.project_out.build(shape)

    def get_config(self):
        return {**super().get_config(), "heads": self.heads, "width": self.width}

    def _split(self, tokens):
        length = tokens.shape[1]
        joint = ops.reshape(self.project_in(tokens), (-1, length, 3, self.heads, self.width // self.heads))
        return joint[:, :, 0], joint[:, :, 1], joint[:, :, 2]  # (batch, tokens, heads, width / heads)

    def _attend(self, queries, keys, values, mask):
        output = ops.dot_product_attention(queries, keys, values, mask=mask)
        return self.project_out(ops.reshape(output, (-1, queries.shape[1], self.width)))

    def call(self, tokens, attention_mask=None):
        """``(batch, tokens, width)`` to the same shape; ``attention_mask`` as in :func:`prefix_mask`."""
        return self._attend(*self._split(tokens), attention_mask)

    def fill(self, tokens, mask, total: int):
        """As :meth:`call`, and a cache of keys and values: ``(batch, 2, total, heads, width / heads)``."""
        queries, keys, values = self._split(tokens)
        cache = ops.stack([keys, values], axis=1)
        room = total - tokens.shape[1]
        cache = ops.pad(cache, [(0, 0), (0, 0), (0, room), (0, 0), (0, 0)])
        return self._attend(queries, keys, values, mask), cache

    def step(self, token, mask, cache, place):
        """Continue by one token at position ``place``: its output ``(batch, 1, width)`` and the new cache.

        ``mask`` is ``(batch, 1, 1, total)``.
        """
        query, key, value = self._split(token)
        cache = ops.slice_update(cache, (0, 0, place, 0, 0), ops.stack([key, value], axis=1))
        return self._attend(query, cache[:, 0], cache[:, 1], mask), cache


@keras.saving.register_keras_serializable("mmcourse")
class CrossAttention(keras.layers.Layer):
    """Attention whose queries come from one sequence, and whose keys and values come from another.

    It computes what ``keras.layers.MultiHeadAttention`` computes; keys and values share a projection, and
    :meth:`read` makes them once for all steps of a generation.

    Args:
        heads: number of heads; divides the width.
        width: width of the tokens that look.
    """

    def __init__(self, heads: int, width: int, **kwargs):
        super().__init__(**kwargs)
        if heads < 1 or width % heads:
            raise ValueError(f"heads must divide width, got {heads} heads and width {width}")
        self.heads, self.width = heads, width
        self.project_tokens = keras.layers.Dense(width, dtype=self.dtype_policy, name="queries")
        self.project_context = keras.layers.Dense(2 * width, dtype=self.dtype_policy, name="keys_values")
        self.project_out = keras.layers.Dense(width, dtype=self.dtype_policy, name="output")

    def build(self, tokens_shape, context_shape):
        self.project_tokens.build(tokens_shape)
        self.project_context.build(context_shape)
        self.project_out.build(tokens_shape)

    def get_config(self):
        return {**super().get_config(), "heads": self.heads, "width": self.width}

    def read(self, context):
        """Keys and values of ``(batch, context_tokens, …)``: each ``(batch, context_tokens, heads, d)``."""
        shape = (-1, context.shape[1], 2, self.heads, self.width // self.heads)
        joint = ops.reshape(self.project_context(context), shape)
        return joint[:, :, 0], joint[:, :, 1]

    def look(self, tokens, keys, values, attention_mask=None):
        """As :meth:`call`, with keys and values that :meth:`read` has made."""
        shape = (-1, tokens.shape[1], self.heads, self.width // self.heads)
        queries = ops.reshape(self.project_tokens(tokens), shape)
        output = ops.dot_product_attention(queries, keys, values, mask=attention_mask)
        return self.project_out(ops.reshape(output, (-1, tokens.shape[1], self.width)))

    def call(self, tokens, context, attention_mask=None):
        """``(batch, tokens, width)`` to the same shape.

        ``attention_mask`` is ``(batch or 1, 1, tokens or 1, context_tokens)``, True where a token may look.
        """
        return self.look(tokens, *self.read(context), attention_mask)
