"""The generator's own encoder of sound: log-mel frames to tokens (notebook 54)."""

import keras
from keras import ops

from mmcourse.layers.transformer import TransformerBlock


@keras.saving.register_keras_serializable("mmcourse")
class AudioEncoder(keras.layers.Layer):
    """Turn log-mel frames into tokens with two strided convolutions, and let them hear each other.

    Takes ``(batch, frames, features)``, standardised, and gives ``(batch, frames / 4, width)``. A frame of
    nothing but zeros is padding at the end of a shorter recording; tokens made of padding alone are masked.
    (Two convolutions over the frames and Transformer blocks after them as in Radford et al., 2023, section
    2.2, where one of the two has a stride of 2.)

    Args:
        frames: of the longest recording, a multiple of 4.
        features: mel bands of a frame.
        width: of the tokens.
        depth, heads, hidden: number and size of the blocks, see
            :class:`mmcourse.layers.transformer.TransformerBlock`.

    Raises:
        ValueError: ``frames`` is no multiple of 4.
    """

    def __init__(
        self,
        frames: int,
        features: int,
        width: int,
        depth: int = 0,
        heads: int = 4,
        hidden: int = 256,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if frames < 4 or frames % 4:
            raise ValueError(f"frames must be a multiple of 4, got {frames}")
        self.frames, self.features, self.width = frames, features, width
        self.size = {"depth": depth, "heads": heads, "hidden": hidden}
        self.tokens, self.shape = frames // 4, (frames, features)
        self.convolutions = [
            keras.layers.Conv1D(
                width,
                3,
                strides=2,
                padding="same",
                data_format="channels_last",
                dtype=self.dtype_policy,
                name=f"convolution_{i}",
            )
            for i in range(2)
        ]
        self.blocks = [
            TransformerBlock(heads, width, hidden, dtype=self.dtype_policy, name=f"block_{i}")
            for i in range(depth)
        ]

    def build(self, shape):
        for convolution in self.convolutions:
            convolution.build(shape)
            shape = convolution.compute_output_shape(shape)
        for block in self.blocks:
            block.build(shape)
        self.position = self.add_weight(
            shape=(self.tokens, self.width),
            initializer=keras.initializers.RandomNormal(stddev=0.02),
            name="position",
        )

    def get_config(self):
        own = {"frames": self.frames, "features": self.features, "width": self.width, **self.size}
        return {**super().get_config(), **own}

    def compute_mask(self, frames, previous_mask=None):
        """Which tokens hold sound: boolean ``(batch, frames / 4)``."""
        real = ops.any(ops.not_equal(frames, 0), axis=-1)  # (batch, frames)
        return ops.any(ops.reshape(real, (-1, self.tokens, 4)), axis=-1)

    def call(self, frames, training=False):
        tokens = ops.cast(frames, self.compute_dtype)
        for convolution in self.convolutions:
            tokens = ops.gelu(convolution(tokens), approximate=True)  # (batch, frames / 2, width), …
        tokens = tokens + ops.cast(self.position, self.compute_dtype)
        mask = self.compute_mask(frames)[:, None, None, :]
        for block in self.blocks:
            tokens = block(tokens, attention_mask=mask, training=training)
        return tokens
