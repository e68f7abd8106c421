"""The generator's own encoder of pictures (notebook 50): a small convolutional stem."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("mmcourse")
class ImageEncoder(keras.layers.Layer):
    """Turn a picture into tokens with strided convolutions, and tell each token where it lies.

    Every convolution halves the side, so that with four of them each token stands for a field of 16 x 16
    pixels (a convolutional stem in place of the patches of Dosovitskiy et al., 2021; Xiao et al., 2021).

    Takes ``uint8`` or float pictures ``(batch, size, size, 3)`` with values 0–255 and gives
    ``(batch, (size / 2^convolutions)², width)``.

    Args:
        size: side of a picture in pixels, a multiple of ``2 ** convolutions``.
        channels: of each convolution but the last, whose channels are the width.
        width: of the tokens.
    """

    def __init__(self, size: int, channels, width: int, **kwargs):
        super().__init__(**kwargs)
        stride = 2 ** (len(channels) + 1)
        if size % stride:
            raise ValueError(f"size must be a multiple of {stride}, got {size}")
        self.size, self.channels, self.width = size, tuple(channels), width
        self.tokens, self.shape = (size // stride) ** 2, (size, size, 3)
        self.convolutions = [
            keras.layers.Conv2D(
                filters,
                3,
                strides=2,
                padding="same",
                data_format="channels_last",  # whatever a reader's ~/.keras/keras.json says
                use_bias=False,
                dtype=self.dtype_policy,
                name=f"convolution_{i}",
            )
            for i, filters in enumerate(self.channels)
        ]
        self.norms = [
            keras.layers.BatchNormalization(momentum=0.9, dtype=self.dtype_policy, name=f"norm_{i}")
            for i in range(len(self.channels))
        ]
        self.to_tokens = keras.layers.Conv2D(
            width,
            3,
            strides=2,
            padding="same",
            data_format="channels_last",
            dtype=self.dtype_policy,
            name="to_tokens",
        )

    def build(self, shape):
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            convolution.build(shape)
            shape = convolution.compute_output_shape(shape)
            norm.build(shape)
        self.to_tokens.build(shape)
        self.position = self.add_weight(
            shape=(self.tokens, self.width),
            initializer=keras.initializers.RandomNormal(stddev=0.02),
            name="position",
        )

    def get_config(self):
        return {**super().get_config(), "size": self.size, "channels": self.channels, "width": self.width}

    def call(self, images, training=False):
        hidden = ops.cast(images, self.compute_dtype) / 127.5 - 1.0
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            # (batch, side / 2, side / 2, channels)
            hidden = ops.relu(norm(convolution(hidden), training=training))
        tokens = ops.reshape(self.to_tokens(hidden), (-1, self.tokens, self.width))
        return tokens + ops.cast(self.position, self.compute_dtype)
