"""Pretrained word vectors (notebook 32): GloVe 6B, 400,000 words, 50 numbers each.

See ``book/datasheets/word-vectors.md``.
"""

import functools
import io
from dataclasses import dataclass

import numpy as np

from mmcourse.data import archives


@dataclass(frozen=True)
class PretrainedVectors:
    """Words and their vectors, the most frequent word first.

    Attributes:
        words: 400,000 words and punctuation marks in lower case.
        vectors: ``float32`` ``(400000, 50)``.
        tier: always "course": the data that travels in pinned archives.
        datasheet: the page of the book that describes the set.
    """

    words: tuple[str, ...]
    vectors: np.ndarray
    tier: str = "course"
    datasheet: str = "book/datasheets/word-vectors"


@functools.cache
def load(most_frequent: int | None = None) -> PretrainedVectors:
    """Read the vectors, all or those of the most frequent words.

    Raises:
        ValueError: ``most_frequent`` is below 1.
        mmcourse.data.archives.FetchError: the archive is missing and cannot be fetched.
    """
    import pyarrow.parquet

    if most_frequent is not None and most_frequent < 1:
        raise ValueError(f"most_frequent must be 1 or more, or None for all; got {most_frequent}")
    members = {name.rsplit(".", 1)[1]: content for name, content in archives.read_members("glove")}
    table = pyarrow.parquet.read_table(io.BytesIO(members["parquet"]), columns=["index"])
    words = table.column("index").slice(0, most_frequent).to_pylist()
    vectors = np.load(io.BytesIO(members["npy"]), allow_pickle=False)
    return PretrainedVectors(tuple(words), np.ascontiguousarray(vectors[: len(words)], dtype=np.float32))


def statistics() -> dict[str, int | float]:
    """Figures of the set for its datasheet: label -> number, computed from the archive."""
    every = load()
    return {"GloVe: words": len(every.words), "GloVe: numbers a word": every.vectors.shape[1]}
