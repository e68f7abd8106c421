"""Attention as Keras layers (notebook 37), with the cache that makes writing quick (notebook 38).

Source: Vaswani et al. (2017), section 3.2. A mask is boolean, True where a query may look, and broadcasts to
``(batch, heads, queries, keys)``.
"""

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
class SelfAttention(keras.layers.Layer):
    """Multi-head self-attention with one fused projection for queries, keys and values.

    It computes what ``keras.layers.MultiHeadAttention`` computes for one input; the fused projection is
    faster, and a cache continues a sequence.

    Args:
        heads: number of heads; divides the width.
        width: width of the tokens.

    Raises:
        ValueError: ``heads`` does not divide ``width``.
    """

    def __init__(self, heads: int, width: int, **kwargs):
        super().__init__(**kwargs)
        self.heads, self.width = _checked(heads, width)
        self.project_in = keras.layers.Dense(3 * width, dtype=self.dtype_policy, name="queries_keys_values")
        self.project_out = keras.layers.Dense(width, dtype=self.dtype_policy, name="output")

    def build(self, tokens_shape):
        self.project_in.build(tokens_shape)
        self.project_out.build(tokens_shape)

    def get_config(self):
        return {**super().get_config(), "heads": self.heads, "width": self.width}

    def empty_cache(self, batch, total: int):
        """Room for the keys and for the values of ``total`` tokens: two tensors of zeros ``(batch, heads,
        total, width / heads)``.

        In this order of axes a step's products run over memory as it lies, which is several times as fast.
        """
        shape = (batch, self.heads, total, self.width // self.heads)
        return tuple(ops.zeros(shape, dtype=self.compute_dtype) for _ in range(2))

    def call(self, tokens, attention_mask=None, cache=None, position=None):
        """``(batch, tokens, width)`` to the same shape.

        With a cache, the tokens are those from ``position`` on (a whole number or a scalar tensor). Their
        keys and values are written into it, the queries look at all of it, so that the mask has ``total``
        keys, and the call returns ``(output, cache)``.
        """
        shape = (-1, tokens.shape[1], 3, self.heads, self.width // self.heads)
        joint = ops.reshape(self.project_in(tokens), shape)
        queries, keys, values = joint[:, :, 0], joint[:, :, 1], joint[:, :, 2]  # (batch, tokens, heads, d)
        if cache is None:
            return self.project_out(_attend(queries, keys, values, attention_mask))
        keys, values = (
            ops.slice_update(kept, (0, 0, position, 0), ops.transpose(new, (0, 2, 1, 3)))
            for kept, new in zip(cache, (keys, values), strict=True)
        )
        return self.project_out(_attend_cached(queries, keys, values, attention_mask)), (keys, values)


@keras.saving.register_keras_serializable("mmcourse")
class CrossAttention(keras.layers.Layer):
    """Multi-head attention whose queries come from one sequence, and whose keys and values come from another.

    It computes what ``keras.layers.MultiHeadAttention`` computes; keys and values share a projection.

    Args:
        heads: number of heads; divides the width.
        width: width of the tokens that look.

    Raises:
        ValueError: ``heads`` does not divide ``width``.
    """

    def __init__(self, heads: int, width: int, **kwargs):
        super().__init__(**kwargs)
        self.heads, self.width = _checked(heads, width)
        self.project_tokens = keras.layers.Dense(width, dtype=self.dtype_policy, name="queries")
        self.project_context = keras.layers.Dense(2 * width, dtype=self.dtype_policy, name="keys_values")
        self.project_out = keras.layers.Dense(width, dtype=self.dtype_policy, name="output")

    def build(self, tokens_shape, context_shape):
        self.project_tokens.build(tokens_shape)
        self.project_context.build(context_shape)
        self.project_out.build(tokens_shape)

    def get_config(self):
        return {**super().get_config(), "heads": self.heads, "width": self.width}

    def call(self, tokens, context, attention_mask=None):
        """``(batch, tokens, width)`` and ``(batch, context_tokens, any)`` to ``(batch, tokens, width)``."""
        each = (self.heads, self.width // self.heads)
        queries = ops.reshape(self.project_tokens(tokens), (-1, tokens.shape[1], *each))
        joint = ops.reshape(self.project_context(context), (-1, context.shape[1], 2, *each))
        return self.project_out(_attend(queries, joint[:, :, 0], joint[:, :, 1], attention_mask))


def _checked(heads: int, width: int) -> tuple[int, int]:
    if heads < 1 or width % heads:
        raise ValueError(f"heads must divide width, got {heads} heads and width {width}")
    return heads, width


def _attend(queries, keys, values, mask):
    """``(batch, tokens, heads, d)`` each, to ``(batch, query_tokens, heads * d)``."""
    output = ops.dot_product_attention(queries, keys, values, mask=mask)
    return ops.reshape(output, (-1, queries.shape[1], queries.shape[2] * queries.shape[3]))


def _attend_cached(queries, keys, values, mask):
    """The same for keys and values ``(batch, heads, tokens, d)``; scores and softmax in float32."""
    tokens, heads, size = queries.shape[1:]
    scores = ops.cast(ops.einsum("bqhd,bhkd->bhqk", queries, keys), "float32") / size**0.5
    if mask is not None:
        scores = ops.where(mask, scores, -1e30)
    weights = ops.cast(ops.softmax(scores, axis=-1), values.dtype)
    return ops.reshape(ops.einsum("bhqk,bhkd->bqhd", weights, values), (-1, tokens, heads * size))
