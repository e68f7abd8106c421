"""EfficientNet-lite0: a convolutional network for pictures, rebuilt in Keras, with weights from ImageNet.

Source: Tan and Le (2019), "EfficientNet", table 1, with the simplifications of its "lite" variant: ReLU6 in
place of swish, and no squeeze-and-excitation. Each block widens its input by a convolution of one pixel,
looks at neighbours channel by channel, and narrows again (an inverted bottleneck, Sandler et al., 2018).

The batch normalisations are folded into the convolutions before them. A frozen network computes the same
with a third of its layers less, and a network that is fine-tuned keeps the averages of its first training.
"""

from collections.abc import Mapping
from typing import NamedTuple

import keras
import numpy as np

EPSILON = 1e-3  # of the batch normalisations
STEM, HEAD, CLASSES = 32, 1280, 1000
SMALLEST = 32  # pixels: the strides multiply to 32
BEFORE_LAST = "block14_add"  # the layer that the last block reads
PRECISION = "float32"  # whatever the profile: features that are kept must not depend on it


class BlockGroup(NamedTuple):
    """One row of the paper's table: equal blocks, of which the first may halve the picture."""

    expansion: int
    kernel_size: int
    stride: int
    filters: int
    blocks: int


GROUPS = (
    BlockGroup(1, 3, 1, 16, 1),
    BlockGroup(6, 3, 2, 24, 2),
    BlockGroup(6, 5, 2, 40, 2),
    BlockGroup(6, 3, 2, 80, 3),
    BlockGroup(6, 5, 1, 112, 3),
    BlockGroup(6, 5, 2, 192, 4),
    BlockGroup(6, 3, 1, 320, 1),
)


class Block(NamedTuple):
    """One inverted bottleneck: its number, and channels in, between and out."""

    number: int
    channels: int
    widened: int
    filters: int
    kernel_size: int
    stride: int


def blocks() -> list[Block]:
    """The sixteen blocks in order."""
    rows, channels = [], STEM
    for group in GROUPS:
        for place in range(group.blocks):
            stride = group.stride if place == 0 else 1
            widened = channels * group.expansion
            rows.append(Block(len(rows), channels, widened, group.filters, group.kernel_size, stride))
            channels = group.filters
    return rows


def build(size: int = 224) -> keras.Model:
    """The network without its weights.

    It takes pictures ``(batch, size, size, 3)`` with numbers from 0 to 255 and gives logits
    ``(batch, 1000)``. The scaling that the weights were trained with, ``(x - 127) / 128``, is its first
    layer, so that nobody can forget it. The layer "tokens" gives ``(batch, (size / 32)², 1280)``, rounded
    up, and "pooled" their mean, ``(batch, 1280)``.

    Raises:
        ValueError: ``size`` is below 32.
    """
    if size < SMALLEST:
        raise ValueError(f"size must be at least {SMALLEST} pixels, got {size}")
    inputs = keras.Input((size, size, 3), name="images")
    hidden_state = keras.layers.Rescaling(1 / 128, -127 / 128, dtype=PRECISION, name="scale")(inputs)
    hidden_state = _convolution(hidden_state, STEM, 3, 2, "stem")
    for block in blocks():
        hidden_state = _inverted_bottleneck(hidden_state, block)
    hidden_state = _convolution(hidden_state, HEAD, 1, 1, "head")
    tokens = keras.layers.Reshape((-1, HEAD), dtype=PRECISION, name="tokens")(hidden_state)
    pooled = keras.layers.GlobalAveragePooling1D(dtype=PRECISION, name="pooled")(tokens)
    logits = keras.layers.Dense(CLASSES, dtype=PRECISION, name="logits")(pooled)
    return keras.Model(inputs, logits, name="efficientnet_lite0")


def _convolution(tensor, filters: int, size: int, stride: int, name: str, active: bool = True):
    layer = keras.layers.Conv2D(filters, size, stride, "same", dtype=PRECISION, name=f"{name}_conv")
    return _cut_at_six(layer(tensor), name) if active else layer(tensor)


def _cut_at_six(tensor, name: str):
    return keras.layers.ReLU(6.0, dtype=PRECISION, name=f"{name}_relu")(tensor)


def _inverted_bottleneck(tensor, block: Block):
    name, entered = f"block{block.number}", tensor
    if block.widened != block.channels:
        tensor = _convolution(tensor, block.widened, 1, 1, f"{name}_expand")
    depthwise = keras.layers.DepthwiseConv2D(
        block.kernel_size, block.stride, "same", dtype=PRECISION, name=f"{name}_depthwise_conv"
    )
    tensor = _cut_at_six(depthwise(tensor), f"{name}_depthwise")
    tensor = _convolution(tensor, block.filters, 1, 1, f"{name}_project", active=False)
    if block.stride == 1 and block.channels == block.filters:
        tensor = keras.layers.Add(dtype=PRECISION, name=f"{name}_add")([tensor, entered])
    return tensor


def convolution_names() -> dict[str, tuple[str, str]]:
    """Our layer -> the file's name of its kernel, and of the batch normalisation that is folded into it."""
    names = {"stem_conv": ("_conv_stem", "_bn0"), "head_conv": ("_conv_head", "_bn1")}
    for block in blocks():
        ours, theirs = f"block{block.number}", f"_blocks.{block.number}"
        if block.widened != block.channels:
            names[f"{ours}_expand_conv"] = (f"{theirs}._expand_conv", f"{theirs}._bn0")
        names[f"{ours}_depthwise_conv"] = (f"{theirs}._depthwise_conv", f"{theirs}._bn1")
        names[f"{ours}_project_conv"] = (f"{theirs}._project_conv", f"{theirs}._bn2")
    return names


def set_weights(model: keras.Model, weights: Mapping[str, np.ndarray]) -> None:
    """Put the weights of the file into a network made by :func:`build`; each array is used once.

    The file's kernels are ``(filters, channels, height, width)``, Keras's ``(height, width, channels,
    filters)``, and of a depthwise convolution ``(height, width, channels, 1)``.

    Raises:
        ValueError: an array is missing, is left over, or has another shape than the layer; names it.
    """
    left = {name: array for name, array in weights.items() if not name.endswith("num_batches_tracked")}

    def take(name: str) -> np.ndarray:
        if name not in left:
            raise ValueError(f"the weights lack {name!r}")
        return left.pop(name)

    def put(layer_name: str, *arrays: np.ndarray) -> None:
        layer = model.get_layer(layer_name)
        expected = [tuple(variable.shape) for variable in layer.weights]
        found = [array.shape for array in arrays]
        if found != expected:
            raise ValueError(f"the weights of {layer_name!r} have the shapes {found}, expected {expected}")
        layer.set_weights(arrays)

    for name, (convolution, norm) in convolution_names().items():
        kernel = take(f"{convolution}.weight")
        scale, shift, mean, variance = (
            take(f"{norm}.{part}") for part in ("weight", "bias", "running_mean", "running_var")
        )
        factor = scale / np.sqrt(variance + EPSILON)  # (filters,)
        axes = (2, 3, 0, 1) if "depthwise" in name else (2, 3, 1, 0)
        put(name, np.transpose(kernel * factor[:, None, None, None], axes), shift - mean * factor)
    put("logits", take("_fc.weight").T, take("_fc.bias"))
    if left:
        raise ValueError(f"these weights belong to no layer: {', '.join(sorted(left)[:5])}")


def load(size: int = 224) -> keras.Model:
    """:func:`build` with the weights that were trained on ImageNet. Nothing in it is trainable.

    Raises:
        mmcourse.data.archives.FetchError: the archive is missing and cannot be fetched.
    """
    from mmcourse.data import pretrained

    model = build(size)
    set_weights(model, pretrained.efficientnet_lite0())
    model.trainable = False
    return model


def extractor(model: keras.Model) -> keras.Model:
    """The part of the network that gives features: pictures to (tokens, pooled)."""
    outputs = [model.get_layer(name).output for name in ("tokens", "pooled")]
    return keras.Model(model.input, outputs, name="features")


def last_block(model: keras.Model) -> keras.Model:
    """The last block, the head and the mean as a trainable model of their own, for fine-tuning.

    It reads what the layer :data:`BEFORE_LAST` gives, ``(batch, rows, columns, 192)``, and gives pooled
    features ``(batch, 1280)``. Its layers are those of ``model``: training one trains the other.
    """
    tail = keras.Model(
        model.get_layer(BEFORE_LAST).output, model.get_layer("pooled").output, name="last_block"
    )
    for layer in tail.layers:
        layer.trainable = True
    return tail
