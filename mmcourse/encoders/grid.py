"""The scenes' encoder of pictures (notebook 53): what stands in each field of a grid, and where that is.

What it sees is kept apart from where it sees it: :meth:`GridEncoder.look` gives the first alone, which
training can hold against the names of things. Where is a vector of the row plus a vector of the column, so
that "top" and "left" are the same wherever they meet.
"""

import keras
from keras import ops

KERNEL, STRIDE = 3, 2


@keras.saving.register_keras_serializable("mmcourse")
class GridEncoder(keras.layers.Layer):
    """Turn a picture into a grid of tokens with strided convolutions.

    Takes ``uint8`` or float pictures ``(batch, size, size, 3)`` with values 0-255 and gives
    ``(batch, (size / 2^convolutions)^2, width)``. Each convolution of 3 x 3 with stride 2 is written as one
    product with nine slices of the picture side by side: the same numbers, and faster under XLA on a
    processor. After it each pixel is normalised over its channels, so that no picture depends on its batch.

    Args:
        size: side of a picture in pixels, a multiple of ``2 ** convolutions``.
        channels: of each convolution but the last, whose channels are the width.
        width: of the tokens.
        spread: standard deviation of the vectors of rows and columns at the start. What is seen has mean 0
            and variance 1; with 1, what and where weigh about the same, and a search for either finds it.

    Raises:
        ValueError: ``size`` is no such multiple.
    """

    def __init__(self, size: int, channels, width: int, spread: float = 1.0, **kwargs):
        super().__init__(**kwargs)
        stride = STRIDE ** (len(channels) + 1)
        if size % stride:
            raise ValueError(f"size must be a multiple of {stride}, got {size}")
        self.size, self.channels, self.width, self.spread = size, tuple(channels), width, spread
        self.side, self.shape = size // stride, (size, size, 3)
        self.tokens = self.side**2
        kept = {"dtype": self.dtype_policy}
        self.convolutions = [
            keras.layers.Dense(filters, use_bias=False, name=f"convolution_{i}", **kept)
            for i, filters in enumerate(self.channels)
        ]
        self.norms = [
            keras.layers.LayerNormalization(epsilon=1e-5, name=f"norm_{i}", **kept)
            for i in range(len(self.channels))
        ]
        self.to_tokens = keras.layers.Dense(width, name="to_tokens", **kept)
        self.seen_norm = keras.layers.LayerNormalization(
            epsilon=1e-6, center=False, scale=False, name="seen_norm", **kept
        )

    def build(self, shape):
        filters = 3
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            convolution.build((None, None, None, KERNEL**2 * filters))
            filters = convolution.units
            norm.build((None, None, None, filters))
        self.to_tokens.build((None, None, None, KERNEL**2 * filters))
        self.seen_norm.build((None, None, None, self.width))
        self.position = self.add_weight(
            shape=(2, self.side, self.width),
            initializer=keras.initializers.RandomNormal(stddev=self.spread),
            name="position",
        )

    def get_config(self):
        own = {"size": self.size, "channels": self.channels, "width": self.width, "spread": self.spread}
        return {**super().get_config(), **own}

    def look(self, images):
        """What stands in each field, without where: ``(batch, side, side, width)``."""
        hidden = ops.cast(images, self.compute_dtype) / 127.5 - 1.0
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            hidden = ops.relu(norm(convolution(_windows(hidden))))
        return self.seen_norm(self.to_tokens(_windows(hidden)))

    def place(self, seen):
        """Add to what stands in each field where it lies: ``(batch, tokens, width)``."""
        rows, columns = self.position[0][:, None], self.position[1][None]
        return ops.reshape(seen + ops.cast(rows + columns, self.compute_dtype), (-1, self.tokens, self.width))

    def call(self, images):
        return self.place(self.look(images))


def _windows(images):
    """The window of 3 x 3 pixels of each second pixel: ``(batch, side / 2, side / 2, 9 * channels)``."""
    side = images.shape[1]
    padded = ops.pad(images, ((0, 0), (0, 1), (0, 1), (0, 0)))  # as "same" does with an even side
    slices = [
        padded[:, row : row + side : STRIDE, column : column + side : STRIDE]
        for row in range(KERNEL)
        for column in range(KERNEL)
    ]
    return ops.concatenate(slices, axis=-1)
