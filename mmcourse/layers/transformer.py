"""The rest of the Transformer: what reads a picture, and what writes while it looks at another sequence.

Sources: Vaswani et al. (2017), "Attention Is All You Need", figure 1 (the decoder's block); Dosovitskiy et
al. (2021), "An Image is Worth 16x16 Words", section 3.1 (patches). Self-attention and the encoder's block are
in :mod:`mmcourse.mathematics.attention`.
"""

import keras
from keras import ops

from mmcourse.layers.attention import CrossAttention, MultiHeadSelfAttention


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


@keras.saving.register_keras_serializable("mmcourse")
class DecoderBlock(keras.layers.Layer):
    """Self-attention over what is written, cross-attention to what is read, and a two-layer network.

    Each of the three is added to its input and stands behind a normalisation.

    Args:
        heads, width: as in :class:`CrossAttention`.
        hidden: width of the network's hidden layer.
    """

    def __init__(self, heads: int, width: int, hidden: int, **kwargs):
        super().__init__(**kwargs)
        self.heads, self.width, self.hidden = heads, width, hidden
        kept = {"dtype": self.dtype_policy}
        self.attention = MultiHeadSelfAttention(heads, width, name="attention", **kept)
        self.cross_attention = CrossAttention(heads, width, name="cross_attention", **kept)
        self.norms = [
            keras.layers.LayerNormalization(epsilon=1e-6, name=f"{name}_norm", **kept)
            for name in ("attention", "cross_attention", "network")
        ]
        self.network_in = keras.layers.Dense(hidden, name="network_in", **kept)
        self.network_out = keras.layers.Dense(width, name="network_out", **kept)

    def build(self, tokens_shape, context_shape):
        if tokens_shape[-1] != self.width:
            raise ValueError(
                f"tokens must be (batch, tokens, {self.width}), got the shape {tuple(tokens_shape)}"
            )
        self.attention.build(tokens_shape)
        self.cross_attention.build(tokens_shape, context_shape)
        for norm in self.norms:
            norm.build(tokens_shape)
        self.network_in.build(tokens_shape)
        self.network_out.build((*tokens_shape[:-1], self.hidden))

    def get_config(self):
        own = {"heads": self.heads, "width": self.width, "hidden": self.hidden}
        return {**super().get_config(), **own}

    def call(self, tokens, context, attention_mask=None, context_mask=None):
        """``(batch, tokens, width)`` to the same shape.

        ``attention_mask`` says which token sees which, ``(batch or 1, 1, tokens, tokens)``; ``context_mask``
        which token sees which place of the context, ``(batch or 1, 1, tokens or 1, context_tokens)``.
        """
        own_norm, cross_norm, network_norm = self.norms
        tokens = tokens + self.attention(own_norm(tokens), attention_mask=attention_mask)
        tokens = tokens + self.cross_attention(cross_norm(tokens), context, attention_mask=context_mask)
        hidden = ops.gelu(self.network_in(network_norm(tokens)), approximate=True)
        return tokens + self.network_out(hidden)
