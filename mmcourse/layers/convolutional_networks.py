"""Convolutional networks as lists of stages, counted without building them, and built in Keras (notebook 34)."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import keras

from mmcourse.mathematics.convolution import _check_count, output_size, parameter_count

BLOCKS = ("plain", "residual", "bottleneck")


# Networks as lists of stages


@dataclass(frozen=True)
class Stage:
    """Blocks that work at one size of picture.

    Attributes:
        filters: of each convolution; a bottleneck's last one has four times as many.
        blocks: how many.
        block: "plain": one convolution and ReLU. "residual": two convolutions, their input added before the
            last ReLU. "bottleneck": as residual, of three convolutions, 1×1, then the kernel, then 1×1.
        kernel_size: odd, except in a plain block with padding "valid".
        stride: of the first convolution of the stage.
        padding: "same" or "valid"; only a plain block may be "valid".
        pool: ``(window, stride)`` of the max pooling that ends the stage, or None.

    Raises:
        ValueError: a number out of range, an unknown kind of block or of padding, or an even kernel where an
            odd one is needed.
    """

    filters: int
    blocks: int = 1
    block: str = "plain"
    kernel_size: int = 3
    stride: int = 1
    padding: str = "same"
    pool: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        for name in ("filters", "blocks", "kernel_size", "stride"):
            _check_count(name, getattr(self, name))
        if self.block not in BLOCKS:
            raise ValueError(f"block must be one of {BLOCKS}, got {self.block!r}")
        if self.padding not in ("same", "valid"):
            raise ValueError(f"padding must be 'same' or 'valid', got {self.padding!r}")
        if self.padding == "valid" and self.block != "plain":
            raise ValueError(
                f"padding must be 'same' in a {self.block} block, whose output is added to its input"
            )
        if self.padding == "same" and self.kernel_size % 2 == 0:
            raise ValueError(f"kernel_size must be odd for padding 'same', got {self.kernel_size}")
        if self.pool is not None:
            if not isinstance(self.pool, tuple | list) or len(self.pool) != 2:
                raise ValueError(f"pool must be (window, stride) or None, got {self.pool!r}")
            _check_count("pool's window", self.pool[0])
            _check_count("pool's stride", self.pool[1])


@dataclass(frozen=True)
class Architecture:
    """A convolutional classifier, as a configuration.

    Attributes:
        name: what it is called; a Python identifier.
        input_shape: ``(height, width, channels)`` of the pictures.
        stages: the convolutions.
        hidden: widths of the dense layers between the last stage and the output.
        classes: numbers in the output, which are logits.
        normalise: batch normalisation after each convolution, which then has no bias of its own.
        average: whether each feature map is averaged before the dense layers; else all are laid out in a row.
        initializer: of all convolutions and dense layers but the last, by Keras's name.
    """

    name: str
    input_shape: tuple[int, int, int]
    stages: tuple[Stage, ...]
    hidden: tuple[int, ...] = ()
    classes: int = 10
    normalise: bool = False
    average: bool = False
    initializer: str = "glorot_uniform"


LENET = Architecture(
    "lenet",
    (28, 28, 1),
    (Stage(6, kernel_size=5, pool=(2, 2)), Stage(16, kernel_size=5, padding="valid", pool=(2, 2))),
    hidden=(120, 84),
)


VGG16 = Architecture(
    "vgg16",
    (224, 224, 3),
    tuple(
        Stage(filters, blocks, pool=(2, 2))
        for filters, blocks in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
    ),
    hidden=(4096, 4096),
    classes=1000,
)


def _resnet(name: str, block: str, blocks: tuple[int, ...]) -> Architecture:
    stem = Stage(64, kernel_size=7, stride=2, pool=(3, 2))
    stages = [
        Stage(64 * 2**number, count, block, stride=1 if number == 0 else 2)
        for number, count in enumerate(blocks)
    ]
    return Architecture(
        name,
        (224, 224, 3),
        (stem, *stages),
        classes=1000,
        normalise=True,
        average=True,
        initializer="he_normal",
    )


RESNET18 = _resnet("resnet18", "residual", (2, 2, 2, 2))


RESNET34 = _resnet("resnet34", "residual", (3, 4, 6, 3))


RESNET50 = _resnet("resnet50", "bottleneck", (3, 4, 6, 3))


class Layer(NamedTuple):
    """One row of :func:`layer_table`: name, shape of the output without the batch, numbers to learn."""

    name: str
    shape: tuple[int, ...]
    parameters: int


def layer_table(architecture: Architecture) -> list[Layer]:
    """What a network consists of, by arithmetic: nothing is built, so it costs no memory.

    A convolution's row counts its batch normalisation too (two numbers a filter).

    Raises:
        ValueError: a window does not fit.
    """
    height, width, channels = architecture.input_shape
    rows = []

    def convolve(name, channels, filters, size, stride, padding, shape):
        shape = tuple(output_size(side, size, stride, padding) for side in shape)
        learned = parameter_count(size, channels, filters, bias=not architecture.normalise)
        learned += 2 * filters if architecture.normalise else 0
        rows.append(Layer(name, (*shape, filters), learned))
        return shape

    shape = (height, width)
    for number, stage in enumerate(architecture.stages, start=1):
        for block in range(stage.blocks):
            stride = stage.stride if block == 0 else 1
            name = f"stage{number}_block{block + 1}"
            entered, before = channels, shape
            for place, (filters, size) in enumerate(_convolutions(stage), start=1):
                step = stride if place == 1 else 1
                shape = convolve(f"{name}_conv{place}", channels, filters, size, step, stage.padding, shape)
                channels = filters
            if stage.block != "plain" and (stride > 1 or entered != channels):
                convolve(f"{name}_shortcut", entered, channels, 1, stride, "same", before)
        if stage.pool:
            shape = tuple(math.ceil(side / stage.pool[1]) for side in shape)
            rows.append(Layer(f"stage{number}_pool", (*shape, channels), 0))
    width = channels if architecture.average else channels * math.prod(shape)
    rows.append(Layer("average" if architecture.average else "flatten", (width,), 0))
    for number, units in enumerate((*architecture.hidden, architecture.classes), start=1):
        name = "logits" if number > len(architecture.hidden) else f"dense{number}"
        rows.append(Layer(name, (units,), (width + 1) * units))
        width = units
    return rows


def build(architecture: Architecture) -> keras.Model:
    """The network as a Keras model: ``(batch, height, width, channels)`` to logits ``(batch, classes)``.

    The last layer computes in float32 whatever the dtype policy, so that the loss is exact.

    Raises:
        ValueError: a window does not fit.
    """
    layer_table(architecture)  # says what does not fit
    inputs = keras.Input(architecture.input_shape, name="images")
    hidden_state = inputs
    for number, stage in enumerate(architecture.stages, start=1):
        for block in range(stage.blocks):
            stride = stage.stride if block == 0 else 1
            hidden_state = _block(
                hidden_state, stage, stride, architecture, f"stage{number}_block{block + 1}"
            )
        if stage.pool:
            window, step = stage.pool
            hidden_state = keras.layers.MaxPooling2D(window, step, "same", name=f"stage{number}_pool")(
                hidden_state
            )
    if architecture.average:
        hidden_state = keras.layers.GlobalAveragePooling2D(name="average")(hidden_state)
    else:
        hidden_state = keras.layers.Flatten(name="flatten")(hidden_state)
    for number, units in enumerate(architecture.hidden, start=1):
        hidden_state = keras.layers.Dense(
            units, "relu", kernel_initializer=architecture.initializer, name=f"dense{number}"
        )(hidden_state)
    logits = keras.layers.Dense(architecture.classes, dtype="float32", name="logits")(hidden_state)
    return keras.Model(inputs, logits, name=architecture.name)


def _convolutions(stage: Stage) -> list[tuple[int, int]]:
    """Filters and kernel size of a block's convolutions."""
    if stage.block == "plain":
        return [(stage.filters, stage.kernel_size)]
    if stage.block == "residual":
        return [(stage.filters, stage.kernel_size)] * 2
    return [(stage.filters, 1), (stage.filters, stage.kernel_size), (4 * stage.filters, 1)]


def _block(hidden_state, stage: Stage, stride: int, architecture: Architecture, name: str):
    """Apply one block; the stride belongs to its first convolution."""

    def convolve(tensor, filters, size, step, part):
        tensor = keras.layers.Conv2D(
            filters,
            size,
            step,
            stage.padding,
            use_bias=not architecture.normalise,
            kernel_initializer=architecture.initializer,
            name=f"{name}_{part}",
        )(tensor)
        if architecture.normalise:
            tensor = keras.layers.BatchNormalization(name=f"{name}_{part}_norm")(tensor)
        return tensor

    entered = hidden_state
    convolutions = _convolutions(stage)
    for place, (filters, size) in enumerate(convolutions, start=1):
        hidden_state = convolve(hidden_state, filters, size, stride if place == 1 else 1, f"conv{place}")
        if place < len(convolutions):
            hidden_state = keras.layers.ReLU(name=f"{name}_relu{place}")(hidden_state)
    if stage.block != "plain":
        if stride > 1 or entered.shape[-1] != filters:
            entered = convolve(entered, filters, 1, stride, "shortcut")  # to the same shape
        hidden_state = keras.layers.Add(name=f"{name}_add")([hidden_state, entered])
    return keras.layers.ReLU(name=f"{name}_relu{len(convolutions)}")(hidden_state)
