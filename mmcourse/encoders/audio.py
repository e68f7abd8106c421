"""The generator's own encoder of sound: log-mel frames to tokens (groundwork for the scenes of part 5)."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("mmcourse")
class AudioEncoder(keras.layers.Layer):
    """Turn log-mel frames into tokens with two strided convolutions, and tell each token when it is.

    Takes ``(batch, frames, features)``, standardised, and gives ``(batch, frames / 4, width)``. A frame of
    nothing but zeros is padding at the end of a shorter recording; tokens made of padding alone are masked.
    (Two convolutions over the frames as in Radford et al., 2023, section 2.2, there one has a stride of 2.)

    Args:
        frames: of the longest recording, a multiple of 4.
        features: mel bands of a frame.
        width: of the tokens.

    Raises:
        ValueError: ``frames`` is no multiple of 4.
    """

    def __init__(self, frames: int, features: int, width: int, **kwargs):
        super().__init__(**kwargs)
        if frames < 4 or frames % 4:
            raise ValueError(f"frames must be a multiple of 4, got {frames}")
        self.frames, self.features, self.width = frames, features, width
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

    def build(self, shape):
        for convolution in self.convolutions:
            convolution.build(shape)
            shape = convolution.compute_output_shape(shape)
        self.position = self.add_weight(
            shape=(self.tokens, self.width),
            initializer=keras.initializers.RandomNormal(stddev=0.02),
            name="position",
        )

    def get_config(self):
        own = {"frames": self.frames, "features": self.features, "width": self.width}
        return {**super().get_config(), **own}

    def compute_mask(self, frames, previous_mask=None):
        """Which tokens hold sound: boolean ``(batch, frames / 4)``."""
        real = ops.any(ops.not_equal(frames, 0), axis=-1)  # (batch, frames)
        return ops.any(ops.reshape(real, (-1, self.tokens, 4)), axis=-1)

    def call(self, frames, training=False):
        tokens = ops.cast(frames, self.compute_dtype)
        for convolution in self.convolutions:
            tokens = ops.gelu(convolution(tokens), approximate=True)  # (batch, frames / 2, width), …
        return tokens + ops.cast(self.position, self.compute_dtype)
