"""Tubes as tokens (notebook 27): the Keras layer.

Source: Arnab et al. (2021), "ViViT: A Video Vision Transformer", section 3.2.
"""

import keras
from keras import ops

from mmcourse.video.tubes import tube_grid


@keras.saving.register_keras_serializable("mmcourse")
class TubeEmbedding(keras.layers.Layer):
    """Clips ``(batch, frames, height, width, channels)`` to tokens ``(batch, tokens, width)``.

    Each tube becomes one vector by a dense layer, and a learned vector for its place and time is added. The
    order of the tokens is that of :func:`mmcourse.video.cut_tubes`. The same sums as a ``Conv3D`` whose
    stride is its kernel's size.

    Args:
        width: of a token.
        tube: frames, height and width of a tube.
        positions: the standard deviation with which the vectors for place and time begin; None for no such
            vectors, so that nothing after the layer can tell when or where a token was.

    Raises:
        ValueError: when built: a side of the clip is no multiple of the tube's.
    """

    def __init__(self, width: int, tube: tuple[int, int, int], positions: float | None = 0.02, **settings):
        super().__init__(**settings)
        self.width, self.tube, self.positions = width, tuple(tube), positions
        self.to_tokens = keras.layers.Dense(width, dtype=self.dtype_policy, name="to_tokens")

    def build(self, shape):
        self.grid = tube_grid(shape[1:4], self.tube)  # type: ignore[arg-type]
        values = self.tube[0] * self.tube[1] * self.tube[2] * shape[4]
        self.tokens = self.grid[0] * self.grid[1] * self.grid[2]
        self.to_tokens.build((None, self.tokens, values))
        if self.positions is not None:
            self.position = self.add_weight(
                shape=(self.tokens, self.width),
                initializer=keras.initializers.RandomNormal(stddev=self.positions),
                name="position",
            )

    def call(self, clips):
        (times, rows, columns), (length, height, width) = self.grid, self.tube
        channels = clips.shape[-1]
        pieces = ops.reshape(clips, (-1, times, length, rows, height, columns, width, channels))
        pieces = ops.transpose(pieces, (0, 1, 3, 5, 2, 4, 6, 7))
        tubes = ops.reshape(pieces, (-1, self.tokens, length * height * width * channels))
        tokens = self.to_tokens(tubes)  # (batch, tokens, width)
        return tokens if self.positions is None else tokens + ops.cast(self.position, tokens.dtype)

    def get_config(self):
        settings = {"width": self.width, "tube": self.tube, "positions": self.positions}
        return {**super().get_config(), **settings}
