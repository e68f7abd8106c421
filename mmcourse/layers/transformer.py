"""The rest of the Transformer: what reads a picture, and what writes while it looks at another sequence.

Sources: Vaswani et al. (2017), "Attention Is All You Need", figure 1 (the decoder's block); Dosovitskiy et
al. (2021), "An Image is Worth 16x16 Words", section 3.1 (patches). Self-attention and the encoder's block are
in :mod:`mmcourse.attention`.
"""

import keras
import numpy as np
from keras import ops

from mmcourse.attention import MultiHeadSelfAttention


def cut_patches(images, size: int):
    """Cut pictures into squares, row by row, each laid out as one vector.

    Args:
        images: array or tensor ``(batch, height, width, channels)``.
        size: side of a patch in pixels; divides height and width.

    Returns:
        ``(batch, height / size · width / size, size · size · channels)``, of the same kind and dtype.

    Raises:
        ValueError: ``images`` has not four axes, or ``size`` does not divide its sides.
    """
    if len(images.shape) != 4:
        raise ValueError(
            f"images must be (batch, height, width, channels), got the shape {tuple(images.shape)}"
        )
    _, height, width, channels = images.shape
    if size < 1 or height % size or width % size:
        raise ValueError(
            f"size must divide height and width, got patches of {size} for {height} × {width} pixels"
        )
    rows, columns = height // size, width // size
    library = np if isinstance(images, np.ndarray) else ops
    grid = library.reshape(images, (-1, rows, size, columns, size, channels))
    grid = library.transpose(grid, (0, 1, 3, 2, 4, 5))  # (batch, rows, columns, size, size, channels)
    return library.reshape(grid, (-1, rows * columns, size * size * channels))


@keras.saving.register_keras_serializable("mmcourse")
class PatchEmbedding(keras.layers.Layer):
    """Turn a picture into tokens: a class token, then one token a patch.

    Takes ``(batch, height, width, channels)``, gives ``(batch, 1 + patches, width)``.

    Args:
        patch: side of a patch in pixels.
        width: width of the tokens.
        positions: add a learned vector for each place. Without them the tokens are a bag of patches.
    """

    def __init__(self, patch: int, width: int, positions: bool = True, **kwargs):
        super().__init__(**kwargs)
        self.patch, self.width, self.positions = patch, width, positions
        self.project = keras.layers.Dense(width, dtype=self.dtype_policy, name="project")

    def build(self, shape):
        tokens, pixels = cut_patches(np.zeros((1, *shape[1:]), dtype=bool), self.patch).shape[1:]
        self.project.build((None, tokens, pixels))
        self.class_token = self.add_weight(
            shape=(1, 1, self.width),
            initializer=keras.initializers.RandomNormal(stddev=0.02),
            name="class_token",
        )
        if self.positions:
            self.position = self.add_weight(
                shape=(1 + tokens, self.width),
                initializer=keras.initializers.RandomNormal(stddev=0.02),
                name="position",
            )

    def get_config(self):
        own = {"patch": self.patch, "width": self.width, "positions": self.positions}
        return {**super().get_config(), **own}

    def call(self, images):
        tokens = self.project(cut_patches(images, self.patch))
        first = ops.broadcast_to(self.class_token, (ops.shape(tokens)[0], 1, self.width))
        tokens = ops.concatenate([ops.cast(first, tokens.dtype), tokens], axis=1)
        return tokens + ops.cast(self.position, tokens.dtype) if self.positions else tokens


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
