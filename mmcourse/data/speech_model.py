"""Weights for speech that others have trained: Google's speech embedding, as an ONNX file (notebook 46).

It travels in a pinned archive, of which the course reads this one file and no code. See
``book/datasheets/pretrained.md``.
"""

from dataclasses import dataclass

from mmcourse.data import archives


@dataclass(frozen=True)
class SpeechModel:
    """The file of the speech encoder.

    Attributes:
        onnx: the network as an ONNX file: windows of log-mel frames ``(windows, 76, 32, 1)`` in,
            ``(windows, 1, 1, 96)`` out.
        tier: always "course": the data that travels in pinned archives.
        datasheet: the page of the book that describes the weights.
    """

    onnx: bytes
    tier: str = "course"
    datasheet: str = "book/datasheets/pretrained"


def load() -> SpeechModel:
    """The convolutional part of the speech embedding of Lin et al. (2020).

    Raises:
        mmcourse.data.archives.FetchError: the archive is missing and cannot be fetched.
    """
    ((_, onnx),) = archives.read_members("speech-embedding")
    return SpeechModel(onnx)


def statistics() -> dict[str, int | float]:
    """Figures of the weights for their datasheet: label -> number, computed from the archive."""
    return {"speech embedding: megabytes of the network": round(len(load().onnx) / 1e6, 1)}
