"""Attention: the NumPy reference and the Keras layers of the course.

Source: Vaswani et al. (2017), "Attention Is All You Need", equation 1 and section 3.2.2. The blocks put
normalisation before each sublayer (Xiong et al., 2020), which trains without a long warm-up.
"""

import keras
import numpy as np
from keras import ops


def scaled_dot_product_attention(
    queries: np.ndarray, keys: np.ndarray, values: np.ndarray, mask: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Attention in NumPy: ``softmax(queries · keysᵀ / √d_k) · values``.

    Args:
        queries: ``(..., query_tokens, d_k)``.
        keys: ``(..., key_tokens, d_k)``.
        values: ``(..., key_tokens, d_v)``.
        mask: boolean, broadcast to ``(..., query_tokens, key_tokens)``; True where a query may look.

    Returns:
        ``(output, weights)`` of shapes ``(..., query_tokens, d_v)`` and ``(..., query_tokens, key_tokens)``.

    Raises:
        ValueError: the shapes do not fit, or a query may look at nothing.
    """
    if queries.shape[-1] != keys.shape[-1]:
        raise ValueError(
            f"queries and keys need one width, got {queries.shape[-1]} (queries {queries.shape}) "
            f"and {keys.shape[-1]} (keys {keys.shape})"
        )
    if keys.shape[-2] != values.shape[-2]:
        raise ValueError(
            f"every key needs a value, got {keys.shape[-2]} keys {keys.shape} "
            f"and {values.shape[-2]} values {values.shape}"
        )
    scores = queries @ np.swapaxes(keys, -1, -2) / np.sqrt(keys.shape[-1])
    if mask is not None:
        mask = np.broadcast_to(mask, scores.shape)
        if not mask.any(axis=-1).all():
            raise ValueError("mask leaves a query with nothing to look at: a row is all False")
        scores = np.where(mask, scores, -np.inf)
    scores = scores - scores.max(axis=-1, keepdims=True)  # the softmax is the same, exp cannot overflow
    weights = np.exp(scores)
    weights = weights / weights.sum(axis=-1, keepdims=True)
    return weights @ values, weights


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
        if width % heads:
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
class TransformerBlock(keras.layers.Layer):
    """Self-attention and a two-layer network, each added to its input, each behind a normalisation.

    Args:
        heads, width: as in :class:`MultiHeadSelfAttention`.
        hidden: width of the network's hidden layer.
        dropout: share of each sublayer's output set to zero in training.
    """

    def __init__(self, heads: int, width: int, hidden: int, dropout: float = 0.0, **kwargs):
        super().__init__(**kwargs)
        self.heads, self.width, self.hidden, self.rate = heads, width, hidden, dropout
        self.attention = MultiHeadSelfAttention(heads, width, dtype=self.dtype_policy, name="attention")
        self.attention_norm = keras.layers.LayerNormalization(
            epsilon=1e-6, dtype=self.dtype_policy, name="attention_norm"
        )
        self.network_norm = keras.layers.LayerNormalization(
            epsilon=1e-6, dtype=self.dtype_policy, name="network_norm"
        )
        self.network_in = keras.layers.Dense(hidden, dtype=self.dtype_policy, name="network_in")
        self.network_out = keras.layers.Dense(width, dtype=self.dtype_policy, name="network_out")
        self.dropout = keras.layers.Dropout(dropout, dtype=self.dtype_policy)

    def build(self, shape):
        for layer in (self.attention, self.attention_norm, self.network_norm, self.network_in):
            layer.build(shape)
        self.network_out.build((*shape[:-1], self.hidden))

    def get_config(self):
        return {
            **super().get_config(),
            "heads": self.heads,
            "width": self.width,
            "hidden": self.hidden,
            "dropout": self.rate,
        }

    def _network(self, tokens, training=False):
        # The tanh form of gelu: the exact one cannot be exported to ONNX.
        hidden = ops.gelu(self.network_in(self.network_norm(tokens)), approximate=True)
        return tokens + self.dropout(self.network_out(hidden), training=training)

    def call(self, tokens, attention_mask=None, training=False):
        """``(batch, tokens, width)`` to the same shape."""
        attended = self.attention(self.attention_norm(tokens), attention_mask=attention_mask)
        return self._network(tokens + self.dropout(attended, training=training), training)

    def fill(self, tokens, mask, total: int):
        """As :meth:`call` without dropout, and the block's cache; see :meth:`MultiHeadSelfAttention.fill`."""
        attended, cache = self.attention.fill(self.attention_norm(tokens), mask, total)
        return self._network(tokens + attended), cache

    def step(self, token, mask, cache, place):
        """Continue by one token; see :meth:`MultiHeadSelfAttention.step`."""
        attended, cache = self.attention.step(self.attention_norm(token), mask, cache, place)
        return self._network(token + attended), cache
