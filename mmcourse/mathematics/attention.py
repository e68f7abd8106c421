"""Attention: the NumPy reference and the Keras layers of the course.

Sources: Vaswani et al. (2017), "Attention Is All You Need", equation 1 and sections 3.2 to 3.5; for rotary
positions Su et al. (2021), "RoFormer", section 3.2. The block puts normalisation before each sublayer (Xiong
et al., 2020), which trains without a long warm-up. The blocks that the generator does not need are in
:mod:`mmcourse.transformer`.
"""

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops


def softmax(scores: np.ndarray) -> np.ndarray:
    """``exp(score) / Σ exp(score)`` along the last axis; a score of ``-inf`` gets exactly 0."""
    scores = scores - scores.max(axis=-1, keepdims=True)  # the softmax is the same, exp cannot overflow
    weights = np.exp(scores)
    return weights / weights.sum(axis=-1, keepdims=True)


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
        ValueError: the shapes do not fit, the mask is not boolean, or a query may look at nothing.
    """
    for name, array in (("queries", queries), ("keys", keys), ("values", values)):
        if np.ndim(array) < 2:
            raise ValueError(f"{name} must be (..., tokens, width), got the shape {np.shape(array)}")
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
        scores = np.where(_checked_mask(mask, scores.shape), scores, -np.inf)
    weights = softmax(scores)
    return weights @ values, weights


def _checked_mask(mask: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The mask, broadcast to the shape of the scores."""
    mask = np.asarray(mask)
    if mask.dtype != bool:
        raise ValueError(f"mask must be boolean, True where a query may look; got the dtype {mask.dtype}")
    try:
        mask = np.broadcast_to(mask, shape)
    except ValueError:
        raise ValueError(
            f"mask must fit the scores (..., query_tokens, key_tokens) = {shape}, got the shape {mask.shape}"
        ) from None
    if not mask.any(axis=-1).all():
        raise ValueError(
            "mask leaves a query with nothing to look at: a row is all False; expected one True a row or more"
        )
    return mask


def attention_gradients(
    queries: np.ndarray,
    keys: np.ndarray,
    values: np.ndarray,
    output_gradient: np.ndarray,
    mask: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Backpropagation through :func:`scaled_dot_product_attention`.

    Args:
        queries, keys, values, mask: as there, the three arrays with the same leading axes.
        output_gradient: gradient of the loss by the output, ``(..., query_tokens, d_v)``.

    Returns:
        The gradients by queries, keys and values, each of its argument's shape.

    Raises:
        ValueError: as there, or ``output_gradient`` is not of the output's shape.
    """
    output, weights = scaled_dot_product_attention(queries, keys, values, mask)
    if output_gradient.shape != output.shape:
        raise ValueError(f"output_gradient must be {output.shape}, got {output_gradient.shape}")
    by_weights = output_gradient @ np.swapaxes(values, -1, -2)  # (..., query_tokens, key_tokens)
    # The softmax: a score gains by what its place gives above the mean of what the row gives.
    by_scores = weights * (by_weights - (by_weights * weights).sum(axis=-1, keepdims=True))
    by_scores = by_scores / np.sqrt(keys.shape[-1])
    return (
        by_scores @ keys,
        np.swapaxes(by_scores, -1, -2) @ queries,
        np.swapaxes(weights, -1, -2) @ output_gradient,
    )


def multi_head_attention(
    tokens: np.ndarray, context: np.ndarray, weights: Sequence[np.ndarray], mask: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Several attentions side by side, in NumPy (Vaswani et al., 2017, section 3.2.2).

    Args:
        tokens: ``(batch, query_tokens, width)``, what the queries are made of.
        context: ``(batch, key_tokens, context_width)``, what keys and values are made of; the tokens
            themselves for self-attention.
        weights: as ``keras.layers.MultiHeadAttention.get_weights()`` gives them: kernel ``(width, heads, d)``
            and bias ``(heads, d)`` of queries, of keys and of values, then kernel ``(heads, d_v, width)`` and
            bias ``(width,)`` of the output.
        mask: boolean, broadcast to ``(batch, query_tokens, key_tokens)``; True where a query may look.

    Returns:
        ``(output, weights)``: ``(batch, query_tokens, width)`` and ``(batch, heads, query_tokens,
        key_tokens)``.

    Raises:
        ValueError: there are not eight weights, or shapes do not fit.
    """
    if len(weights) != 8:
        raise ValueError(f"weights must be four kernels and biases in turn; got {len(weights)} arrays")
    for name, array, kernel in (("tokens", tokens, weights[0]), ("context", context, weights[2])):
        if array.ndim != 3 or array.shape[-1] != kernel.shape[0]:
            raise ValueError(
                f"{name} must be (batch, tokens, {kernel.shape[0]}), got the shape {array.shape}"
            )
    queries, keys, values = (
        np.einsum("btw,whd->bhtd", array, kernel) + bias[:, None]  # (batch, heads, tokens, d)
        for array, kernel, bias in zip(
            (tokens, context, context), weights[0:6:2], weights[1:6:2], strict=True
        )
    )
    if mask is not None and np.ndim(mask) == 3:
        mask = mask[:, None]  # the same for every head
    output, shares = scaled_dot_product_attention(queries, keys, values, mask)
    return np.einsum("bhtd,hdw->btw", output, weights[6]) + weights[7], shares


def layer_normalisation(
    tokens: np.ndarray,
    scale: np.ndarray | float = 1.0,
    shift: np.ndarray | float = 0.0,
    epsilon: float = 1e-6,
) -> np.ndarray:
    """Bring each token ``(..., width)`` to mean 0 and variance 1, then scale and shift (Ba et al., 2016)."""
    centred = tokens - tokens.mean(axis=-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + epsilon) * scale + shift


def sinusoidal_positions(length: int, width: int) -> np.ndarray:
    """A vector for each place: sines and cosines of ever longer periods (Vaswani et al., 2017, section 3.5).

    Returns:
        ``float64`` ``(length, width)``: column 2i is ``sin(place / 10000^(2i / width))``, column 2i + 1 the
        cosine of the same angle.

    Raises:
        ValueError: the length is below 1, or the width is not even and positive.
    """
    if length < 1:
        raise ValueError(f"length must be 1 or more, got {length}")
    angles = np.arange(length)[:, None] * _angular_speeds(width)
    return np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(length, width)


def rotary(vectors: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Turn each pair of numbers of a query or key by an angle that grows with its place (Su et al., 2021).

    The scalar product of a turned query and a turned key depends on the distance of their places only.

    Args:
        vectors: queries or keys ``(..., tokens, width)``.
        positions: their places ``(tokens,)``.

    Returns:
        The turned vectors, of the same shape: pair (2i, 2i + 1) by ``place / 10000^(2i / width)`` radians.

    Raises:
        ValueError: the width is not even, or there is not one position a token.
    """
    positions = np.asarray(positions)
    if positions.shape != vectors.shape[-2:-1]:
        raise ValueError(f"positions must be one a token, {vectors.shape[-2:-1]}, got {positions.shape}")
    angles = positions[:, None] * _angular_speeds(vectors.shape[-1])  # (tokens, width / 2)
    even, odd = vectors[..., 0::2], vectors[..., 1::2]
    turned = (even * np.cos(angles) - odd * np.sin(angles), even * np.sin(angles) + odd * np.cos(angles))
    return np.stack(turned, axis=-1).reshape(vectors.shape)


def _angular_speeds(width: int) -> np.ndarray:
    if width < 2 or width % 2:
        raise ValueError(f"width must be even and positive, since two numbers make a pair; got {width}")
    return 10000.0 ** (-np.arange(0, width, 2) / width)


def causal_mask(queries: int, keys: int | None = None) -> np.ndarray:
    """Each query sees its own place and those before it.

    Args:
        queries: number of queries.
        keys: number of keys, the same by default. With more keys than queries, as with a cache, the last
            query stands at the last key.

    Returns:
        Boolean ``(queries, keys)``: row looks at column.

    Raises:
        ValueError: no query, or fewer keys than queries.
    """
    keys = queries if keys is None else keys
    if not 1 <= queries <= keys:
        raise ValueError(f"queries must be 1 to {keys} (the keys), got {queries}")
    return np.tril(np.ones((queries, keys), dtype=bool), keys - queries)


def padding_mask(lengths: Sequence[int], total: int) -> np.ndarray:
    """Padding is seen by nobody.

    Args:
        lengths: number of real tokens of each sequence, which come first.
        total: tokens a sequence, padding included.

    Returns:
        Boolean ``(batch, 1, total)``, which broadcasts over the queries; ``&`` joins it with another mask.

    Raises:
        ValueError: a length is not 1 to ``total``.
    """
    lengths = np.asarray(lengths)
    if lengths.ndim != 1 or not ((1 <= lengths) & (lengths <= total)).all():
        raise ValueError(f"lengths must be numbers from 1 to {total} (total), got {lengths.tolist()}")
    return (np.arange(total) < lengths[:, None])[:, None, :]


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
        if shape[-1] != self.width:
            raise ValueError(f"tokens must be (batch, tokens, {self.width}), got the shape {tuple(shape)}")
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
