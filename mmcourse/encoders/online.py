"""VGG16 and ResNet50 from keras.applications and BERT from KerasHub, for readers who are online.

Their weights come from the network. Without it each function says what failed and what serves instead. With
``weights=None`` (for BERT: with parts of one's own) everything else can be tried and tested offline.
"""

from collections.abc import Sequence
from typing import NamedTuple

import keras
import numpy as np
from keras import ops

# Network of keras.applications -> its module, which holds its preprocessing, and the layer that gives tokens.
NETWORKS = {
    "VGG16": ("vgg16", "block5_conv3"),
    "ResNet50": ("resnet50", "conv5_block3_out"),
}


class OnlineError(RuntimeError):
    """Weights could not be had from the network; the message says what to use without one."""


def image_network(name: str, weights: str | None = "imagenet", size: int = 224) -> keras.Model:
    """A network of keras.applications as a frozen extractor, its own preprocessing included.

    Args:
        name: "VGG16" or "ResNet50".
        weights: "imagenet", a file, or None for random ones.
        size: side of the pictures in pixels, at least 32.

    Returns:
        A model from pictures ``(batch, size, size, 3)``, numbers from 0 to 255, to tokens
        ``(batch, places, width)`` and their mean ``(batch, width)``. At 224 pixels VGG16 gives 14 · 14 tokens
        of 512 numbers, ResNet50 7 · 7 of 2,048.

    Raises:
        ValueError: an unknown network, or ``size`` below 32.
        OnlineError: the weights could not be downloaded.
    """
    if name not in NETWORKS:
        raise ValueError(f"unknown network {name!r}; expected one of: {', '.join(NETWORKS)}")
    if size < 32:
        raise ValueError(f"size must be at least 32 pixels, got {size}")
    module_name, layer = NETWORKS[name]
    module = getattr(keras.applications, module_name)
    try:
        network = getattr(module, name)(weights=weights, include_top=False, input_shape=(size, size, 3))
    except ValueError:
        raise
    except Exception as error:  # a failed download ends in a bare Exception
        raise OnlineError(
            f"the weights of {name} could not be downloaded ({_first_line(error)}). Without a network, use "
            "mmcourse.encoders.efficientnet.load(), whose weights travel with the course's data"
        ) from error
    images = keras.Input((size, size, 3), name="images")
    # Both networks want blue, green, red, and the mean of the training pictures taken off.
    feature_maps = keras.Model(network.input, network.get_layer(layer).output)(
        module.preprocess_input(images)
    )
    tokens = keras.layers.Reshape((-1, feature_maps.shape[-1]), name="tokens")(feature_maps)
    pooled = keras.layers.GlobalAveragePooling1D(name="pooled")(tokens)
    model = keras.Model(images, [tokens, pooled], name=module_name)
    model.trainable = False
    return model


class Bert(NamedTuple):
    """BERT's two parts: texts to token ids, and token ids to vectors."""

    preprocessor: keras.layers.Layer
    backbone: keras.Model


def bert(preset: str = "bert_base_en_uncased", length: int = 128) -> Bert:
    """BERT as KerasHub gives it. Needs the package keras-hub, which the course's own code does not.

    Args:
        preset: the name of a set of weights and a vocabulary, or a folder that holds them.
        length: tokens that each text is cut or filled to.

    Raises:
        ImportError: keras-hub is not installed; says how to install it.
        OnlineError: the preset could not be downloaded.
    """
    try:
        import keras_hub
    except ImportError as error:
        raise ImportError("BERT needs KerasHub: python -m pip install keras-hub") from error
    try:
        preprocessor = keras_hub.models.BertTextClassifierPreprocessor.from_preset(
            preset, sequence_length=length
        )
        backbone = keras_hub.models.BertBackbone.from_preset(preset)
    except Exception as error:  # KerasHub's downloaders raise errors of many kinds
        raise OnlineError(
            f"BERT's preset {preset!r} could not be had ({_first_line(error)}). Without a network, use "
            "mmcourse.encoders.sentences.SentenceEncoder, whose weights travel with the course's data"
        ) from error
    backbone.trainable = False
    return Bert(preprocessor, backbone)


def bert_features(model: Bert, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vectors of the tokens of texts, which of them are real, and their mean.

    Returns:
        Tokens ``(texts, length, width)``, the mask ``(texts, length)`` and the mean over the real tokens
        ``(texts, width)``. (BERT also has a "pooled output", made of its first token for another task; as a
        feature of a sentence the mean is the better choice, Reimers and Gurevych, 2019.)

    Raises:
        ValueError: there is no text.
    """
    if isinstance(texts, str) or len(texts) == 0:
        raise ValueError(f"texts must be a sequence of at least one text, got {texts!r}")
    inputs = model.preprocessor(list(texts))
    tokens = ops.convert_to_numpy(model.backbone(inputs)["sequence_output"])
    mask = ops.convert_to_numpy(inputs["padding_mask"]).astype(bool)
    means = np.where(mask[..., None], tokens, 0).sum(axis=1) / mask.sum(axis=1, keepdims=True)
    return tokens, mask, means


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:200]
