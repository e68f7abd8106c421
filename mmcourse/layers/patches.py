"""Pictures and spectrograms as patches (notebook 39)."""

import keras
import numpy as np
from keras import ops


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
