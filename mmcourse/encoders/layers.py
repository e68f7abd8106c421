"""Encoders to be trained from nothing, one a modality, each to ``(batch, tokens, width)`` (notebook 46).

Each begins with an embedding that fits its modality, and goes on with Transformer blocks, which are the same
for all: once something is a row of tokens, the rest of a model need not know what it was.

Sources: Dosovitskiy et al. (2021) for patches, Arnab et al. (2021) for tubes, Radford et al. (2023), section
2.2, for two convolutions over log-mel frames (there with one stride of 2; here both have it).
"""

import keras
from keras import ops

from mmcourse.layers.patches import PatchEmbedding
from mmcourse.layers.transformer import TransformerBlock
from mmcourse.layers.tubes import TubeEmbedding

PADDING = 0  # the token id of what is no token


@keras.saving.register_keras_serializable("mmcourse")
class TextEmbedding(keras.layers.Layer):
    """Token ids ``(batch, tokens)`` to ``(batch, tokens, width)``: a row of a table, plus one for the place.

    Args:
        vocabulary_size: rows of the table, that of padding (id 0) included.
        longest: the most tokens that a text may have.
        width: numbers a token.

    Raises:
        ValueError: when called: a text has more than ``longest`` tokens.
    """

    def __init__(self, vocabulary_size: int, longest: int, width: int, **kwargs):
        super().__init__(**kwargs)
        self.vocabulary_size, self.longest, self.width = vocabulary_size, longest, width

    def build(self, shape):
        near_zero = keras.initializers.RandomNormal(stddev=0.02)
        self.table = self.add_weight(
            shape=(self.vocabulary_size, self.width), initializer=near_zero, name="table"
        )
        self.position = self.add_weight(
            shape=(self.longest, self.width), initializer=near_zero, name="position"
        )

    def get_config(self):
        own = {"vocabulary_size": self.vocabulary_size, "longest": self.longest, "width": self.width}
        return {**super().get_config(), **own}

    def call(self, token_ids):
        length = token_ids.shape[1]
        if length is None or length > self.longest:
            raise ValueError(f"expected at most {self.longest} tokens (longest), got {length}")
        tokens = ops.take(self.table, token_ids, axis=0)  # (batch, tokens, width)
        return ops.cast(tokens + self.position[:length], self.compute_dtype)


@keras.saving.register_keras_serializable("mmcourse")
class AudioEmbedding(keras.layers.Layer):
    """Frames of a spectrogram to tokens: two convolutions along time, each of which halves their number.

    Takes ``(batch, frames, features)`` and a mask ``(batch, frames)``, true for real frames, and gives
    ``(batch, frames / 4, width)``, rounded up. What stands behind the end of a recording does not reach its
    tokens: it is set to zero before each convolution, as if the recording had been alone. Each convolution
    begins one place before the first frame, whatever the length, so that padding moves no window.

    Args:
        width: numbers a token.
        kernel_size: odd; frames that a window sees.

    Raises:
        ValueError: ``kernel_size`` is even.
    """

    def __init__(self, width: int, kernel_size: int = 3, **kwargs):
        super().__init__(**kwargs)
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise ValueError(f"kernel_size must be odd, got {kernel_size}")
        self.width, self.kernel_size = width, kernel_size
        self.convolutions = [
            keras.layers.Conv1D(width, kernel_size, 2, dtype=self.dtype_policy, name=f"convolution{place}")
            for place in (1, 2)
        ]

    def build(self, frames_shape, real_shape):
        # Of any length: before it is padded, a short recording may be shorter than the kernel.
        self.convolutions[0].build((None, None, frames_shape[-1]))
        self.convolutions[1].build((None, None, self.width))

    def get_config(self):
        return {**super().get_config(), "width": self.width, "kernel_size": self.kernel_size}

    def call(self, frames, real):
        tokens, side = frames, self.kernel_size // 2
        for convolution in self.convolutions:
            # Not by multiplication: what is not a number times zero is not a number.
            tokens = ops.where(ops.expand_dims(real, -1), tokens, ops.zeros_like(tokens))
            tokens = ops.gelu(convolution(ops.pad(tokens, [(0, 0), (side, side), (0, 0)])), approximate=True)
            real = real[:, ::2]  # a token belongs to the frame in the middle of its window
        return tokens


def audio_token_mask(mask):
    """Which tokens of :class:`AudioEmbedding` are real: ``(batch, frames)`` to ``(batch, frames / 4)``."""
    return mask[:, ::2][:, ::2]


def _blocks(tokens, mask, blocks: int, heads: int):
    """Transformer blocks; padding is looked at by nobody, and comes out as zeros."""
    width = tokens.shape[-1]
    seen = None if mask is None else ops.expand_dims(ops.expand_dims(mask, 1), 1)  # (batch, 1, 1, tokens)
    for number in range(blocks):
        block = TransformerBlock(heads, width, 4 * width, name=f"block{number + 1}")
        tokens = block(tokens, attention_mask=seen)
    tokens = keras.layers.LayerNormalization(epsilon=1e-6, name="norm")(tokens)
    if mask is not None:
        tokens = ops.where(ops.expand_dims(mask, -1), tokens, ops.zeros_like(tokens))
    return tokens


def text_encoder(
    vocabulary_size: int, longest: int, width: int = 64, blocks: int = 1, heads: int = 4
) -> keras.Model:
    """Token ids ``(batch, longest)``, 0 for padding, to tokens ``(batch, longest, width)``."""
    token_ids = keras.Input((longest,), dtype="int32", name="token_ids")
    tokens = TextEmbedding(vocabulary_size, longest, width, name="embedding")(token_ids)
    tokens = _blocks(tokens, ops.not_equal(token_ids, PADDING), blocks, heads)
    return keras.Model(token_ids, tokens, name="text_encoder")


def image_encoder(
    size: int, patch: int, width: int = 64, blocks: int = 1, heads: int = 4, channels: int = 3
) -> keras.Model:
    """Pictures ``(batch, size, size, channels)`` to tokens ``(batch, 1 + (size / patch)², width)``.

    The first token belongs to no patch; it is there to gather what is in all of them.
    """
    images = keras.Input((size, size, channels), name="images")
    tokens = PatchEmbedding(patch, width, name="embedding")(images)
    return keras.Model(images, _blocks(tokens, None, blocks, heads), name="image_encoder")


def audio_encoder(
    frames: int, features: int, width: int = 64, blocks: int = 1, heads: int = 4
) -> keras.Model:
    """Frames and their mask to tokens ``(batch, frames / 4, width)``, rounded up.

    The inputs are ``(batch, frames, features)``, standardised, and ``(batch, frames)``, true for real frames.
    """
    inputs = keras.Input((frames, features), name="frames")
    mask = keras.Input((frames,), dtype="bool", name="mask")
    tokens = AudioEmbedding(width, name="embedding")(inputs, mask)
    tokens = _blocks(tokens, audio_token_mask(mask), blocks, heads)
    return keras.Model([inputs, mask], tokens, name="audio_encoder")


def video_encoder(
    shape: tuple[int, int, int],
    tube: tuple[int, int, int],
    width: int = 64,
    blocks: int = 1,
    heads: int = 4,
    channels: int = 3,
) -> keras.Model:
    """Clips ``(batch, *shape, channels)`` to tokens ``(batch, tubes, width)``.

    ``shape`` and ``tube`` are frames, height and width of a clip and of a tube, which divides it.
    """
    clips = keras.Input((*shape, channels), name="clips")
    tokens = TubeEmbedding(width, tube, name="embedding")(clips)
    return keras.Model(clips, _blocks(tokens, None, blocks, heads), name="video_encoder")
