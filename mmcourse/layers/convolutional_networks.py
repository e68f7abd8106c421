"""Convolutional networks as plain Keras models, and what can be read off one (notebook 34).

Sources: LeCun et al. (1998) for LeNet; He et al. (2016), figure 2, for the residual block; Ioffe and Szegedy
(2015) for the normalisation.
"""

import keras
from keras import layers


def lenet(classes: int = 10) -> keras.Model:
    """LeNet's sizes with ReLU and max pooling: ``(batch, 28, 28, 1)`` to logits ``(batch, classes)``."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(6, 5, padding="same", activation="relu", name="conv1"),
            layers.MaxPooling2D(2, name="pool1"),
            layers.Conv2D(16, 5, activation="relu", name="conv2"),
            layers.MaxPooling2D(2, name="pool2"),
            layers.Flatten(name="flatten"),
            layers.Dense(120, activation="relu", name="dense1"),
            layers.Dense(84, activation="relu", name="dense2"),
            layers.Dense(classes, dtype="float32", name="logits"),
        ],
        name="lenet",
    )


def tower(
    depth: int,
    residual: bool = False,
    normalise: bool = False,
    initializer: str = "he_normal",
    filters: int = 8,
    input_shape: tuple[int, int, int] = (7, 7, 1),
    classes: int = 10,
) -> keras.Model:
    """A stack of 3 × 3 convolutions at one size, then the mean of each feature map and a dense layer.

    The arguments are what notebook 34 compares; each changes one thing and leaves the others alone.

    Args:
        depth: convolutions after the first one, which makes the channels; even, since a residual block has
            two.
        residual: whether the input of each pair of convolutions is added before the pair's last ReLU.
        normalise: batch normalisation after each convolution, before its ReLU.
        initializer: of all convolutions, by Keras's name.

    Returns:
        ``(batch, *input_shape)`` to logits ``(batch, classes)``.

    Raises:
        ValueError: ``depth`` is odd or negative.
    """
    if depth < 0 or depth % 2:
        raise ValueError(f"depth must be even and not negative, got {depth}")

    def convolve(hidden_state, name):
        convolution = layers.Conv2D(
            filters, 3, padding="same", use_bias=not normalise, kernel_initializer=initializer, name=name
        )
        hidden_state = convolution(hidden_state)
        return layers.BatchNormalization(name=f"{name}_norm")(hidden_state) if normalise else hidden_state

    inputs = keras.Input(input_shape)
    hidden_state = layers.ReLU()(convolve(inputs, "conv0"))
    for first in range(1, depth, 2):
        entered = hidden_state
        hidden_state = layers.ReLU()(convolve(hidden_state, f"conv{first}"))
        hidden_state = convolve(hidden_state, f"conv{first + 1}")
        if residual:
            hidden_state = layers.Add()([entered, hidden_state])
        hidden_state = layers.ReLU()(hidden_state)
    hidden_state = layers.GlobalAveragePooling2D()(hidden_state)
    return keras.Model(inputs, layers.Dense(classes, dtype="float32", name="logits")(hidden_state))


def layer_rows(model: keras.Model) -> list[tuple[str, tuple[int, ...], int]]:
    """Name, shape of the output without the batch, and number of parameters of each layer, in order."""
    return [(layer.name, tuple(layer.output.shape[1:]), layer.count_params()) for layer in model.layers]


def windows(model: keras.Model) -> list[tuple[int, int]]:
    """``(kernel size, stride)`` of each convolution and max pooling of a chain of layers, first layer first.

    For :func:`mmcourse.mathematics.convolution.receptive_field`. The 1 × 1 convolutions on the shortcuts of a
    residual network, which Keras names ``…_0_conv``, lie beside the chain and are left out.
    """
    found = []
    for layer in model.layers:
        if isinstance(layer, layers.MaxPooling2D):
            found.append((layer.pool_size[0], layer.strides[0]))
        elif isinstance(layer, layers.Conv2D | layers.DepthwiseConv2D) and not layer.name.endswith("_0_conv"):
            found.append((layer.kernel_size[0], layer.strides[0]))
    return found
