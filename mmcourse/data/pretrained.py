"""Weights that others have trained: a network for pictures and one for sentences.

Both travel in pinned archives and are read without running any code of theirs. See
``book/datasheets/pretrained.md``.
"""

import functools
import json
from dataclasses import dataclass

import numpy as np

from mmcourse.data import archives, torch_file


@dataclass(frozen=True)
class SentenceModel:
    """The files of MiniLM, the sentence encoder.

    Attributes:
        onnx: the network as an ONNX file.
        tokenizer: its word-piece tokeniser, as JSON.
        tier: always "course": the data that travels in pinned archives.
        datasheet: the page of the book that describes the weights.
    """

    onnx: bytes
    tokenizer: str
    tier: str = "course"
    datasheet: str = "book/datasheets/pretrained"


def efficientnet_lite0() -> dict[str, np.ndarray]:
    """The weights of EfficientNet-lite0, trained on ImageNet: name of the file -> array.

    Raises:
        mmcourse.data.archives.FetchError: the archive is missing and cannot be fetched.
        mmcourse.data.torch_file.WeightFileError: the file in it is damaged.
    """
    ((_, content),) = archives.read_members("efficientnet-lite0")
    return torch_file.read(content)


@functools.cache
def imagenet_names() -> tuple[str, ...]:
    """The names of ImageNet's 1,000 classes, in the order of a classifier's outputs."""
    ((_, content),) = archives.read_members("imagenet-names")
    return tuple(json.loads(content))


def minilm() -> SentenceModel:
    """The sentence encoder all-MiniLM-L6-v2, its weights rounded to eight bits.

    Raises:
        mmcourse.data.archives.FetchError: an archive is missing and cannot be fetched.
    """
    ((_, onnx),) = archives.read_members("minilm")
    ((_, tokenizer),) = archives.read_members("minilm-tokenizer")
    return SentenceModel(onnx, tokenizer.decode("utf-8"))


def statistics() -> dict[str, int | float]:
    """Figures of the weights for their datasheet: label -> number, computed from the archives."""
    weights = efficientnet_lite0()
    sentences = minilm()
    trained = [array.size for name, array in weights.items() if "running" not in name and "num_" not in name]
    return {
        "EfficientNet-lite0: arrays in the file": len(weights),
        "EfficientNet-lite0: trained numbers": sum(trained),
        "EfficientNet-lite0: classes": len(weights["_fc.bias"]),
        "names of classes": len(imagenet_names()),
        "MiniLM: tokens in the vocabulary": len(json.loads(sentences.tokenizer)["model"]["vocab"]),
        "MiniLM: megabytes of the network": round(len(sentences.onnx) / 1e6, 1),
    }
