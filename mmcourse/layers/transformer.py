"""The Transformer block (notebook 38), one for all uses: reading, writing with a cache, looking at a context.

Sources: Vaswani et al. (2017), figure 1. Normalisation comes before each sublayer (Xiong et al., 2020),
which trains without a long warm-up.
"""

import keras
from keras import ops

from mmcourse.layers.attention import CrossAttention, SelfAttention


@keras.saving.register_keras_serializable("mmcourse")
class TransformerBlock(keras.layers.Layer):
    """Self-attention and a two-layer network, each normalises its input and adds to it.

    Args:
        heads, width: as in :class:`mmcourse.layers.attention.SelfAttention`.
        hidden: width of the network's hidden layer.
        dropout: share of each sublayer's output set to zero in training.
        cross_attention: whether a third sublayer, between the two, looks at a context.

    Raises:
        ValueError: ``heads`` does not divide ``width``; when built, the tokens have another width.
    """

    def __init__(
        self,
        heads: int,
        width: int,
        hidden: int,
        dropout: float = 0.0,
        cross_attention: bool = False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.settings = {"heads": heads, "width": width, "hidden": hidden, "dropout": dropout}
        self.settings["cross_attention"] = cross_attention
        kept = {"dtype": self.dtype_policy}
        self.attention = SelfAttention(heads, width, name="attention", **kept)
        self.attention_norm = keras.layers.LayerNormalization(epsilon=1e-6, name="attention_norm", **kept)
        self.cross_attention = self.cross_attention_norm = None
        if cross_attention:
            self.cross_attention = CrossAttention(heads, width, name="cross_attention", **kept)
            self.cross_attention_norm = keras.layers.LayerNormalization(
                epsilon=1e-6, name="cross_attention_norm", **kept
            )
        self.network_norm = keras.layers.LayerNormalization(epsilon=1e-6, name="network_norm", **kept)
        self.network_in = keras.layers.Dense(hidden, name="network_in", **kept)
        self.network_out = keras.layers.Dense(width, name="network_out", **kept)
        self.dropout = keras.layers.Dropout(dropout, **kept)

    def build(self, tokens_shape, context_shape=None):
        width, hidden = self.settings["width"], self.settings["hidden"]
        if tokens_shape[-1] != width:
            raise ValueError(f"tokens must be (batch, tokens, {width}), got the shape {tuple(tokens_shape)}")
        for layer in (self.attention, self.attention_norm, self.network_norm, self.network_in):
            layer.build(tokens_shape)
        if self.cross_attention is not None:
            self.cross_attention.build(tokens_shape, context_shape)
            self.cross_attention_norm.build(tokens_shape)
        self.network_out.build((*tokens_shape[:-1], hidden))

    def get_config(self):
        return {**super().get_config(), **self.settings}

    def empty_cache(self, batch, total: int):
        """See :meth:`mmcourse.layers.attention.SelfAttention.empty_cache`."""
        return self.attention.empty_cache(batch, total)

    def call(
        self,
        tokens,
        attention_mask=None,
        context=None,
        context_mask=None,
        cache=None,
        position=None,
        training=False,
    ):
        """``(batch, tokens, width)`` to the same shape; with a cache ``(output, cache)``.

        ``attention_mask``, ``cache`` and ``position`` are those of the self-attention, ``context`` and
        ``context_mask`` those of the cross-attention.
        """
        attended = self.attention(self.attention_norm(tokens), attention_mask, cache=cache, position=position)
        if cache is not None:
            attended, cache = attended
        tokens = tokens + self.dropout(attended, training=training)
        if self.cross_attention is not None:
            seen = self.cross_attention(self.cross_attention_norm(tokens), context, context_mask)
            tokens = tokens + self.dropout(seen, training=training)
        # The tanh form of gelu: the exact one cannot be exported to ONNX.
        hidden = ops.gelu(self.network_in(self.network_norm(tokens)), approximate=True)
        tokens = tokens + self.dropout(self.network_out(hidden), training=training)
        return tokens if cache is None else (tokens, cache)
