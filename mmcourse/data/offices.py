"""Slips of two offices, and voices: digits that are written and said (notebook 12).

The first office's slips are the digits of :mod:`mmcourse.data.digits`, the second's those that come with
scikit-learn (E. Alpaydin and C. Kaynak 1998, written by 13 people); the voices are the recordings of
:mod:`mmcourse.data.spoken_digits`. See ``book/datasheets/digits.md`` and ``spoken-digits.md`` beside it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from PIL import Image

from mmcourse import pipeline
from mmcourse.data import digits, spoken_digits

SIDE = 14  # pixels
CLASSES = 10
KEPT = {"train": 0.6, "later": 0.3, "next": 0.1}  # of what the loaders call "train"
NOISE = 1.0  # of the hall: standard deviation in units of a coefficient's own
NOISE_SEED = 20_261_128
SECOND = {"second later": 0.5, "second next": 0.2, "second test": 0.3}


class Pairs(NamedTuple):
    """Rows that make pairs, ``int64`` ``(pairs,)`` each: pictures, recordings, and the digit of both."""

    pictures: np.ndarray
    recordings: np.ndarray
    digits: np.ndarray


@dataclass(frozen=True)
class Offices:
    """Pictures of both offices, recordings, and the parts of each.

    Attributes:
        pictures: ``float64`` ``(6797, 14, 14)``, 0 is paper and 1 ink; first office, then second.
        written: the digit on each, ``int64`` ``(6797,)``.
        recordings: 3,000 times frames ``float32`` ``(frames, 13)``, with the noise of a hall: each number has
            Gaussian noise as large as the coefficient's own standard deviation. Always the same.
        said: the digit in each, ``int64`` ``(3000,)``.
        picture_parts: "train", "validation", "test", "later" (what comes in while a model is in use) and
            "next" (what comes after a new version) of the first office, "second later", "second next" and
            "second test" of the second -> rows; disjoint, covering all.
        recording_parts: "train", "validation", "test", "later", "next" -> rows; disjoint, covering all.
    """

    pictures: np.ndarray
    written: np.ndarray
    recordings: tuple[np.ndarray, ...]
    said: np.ndarray
    picture_parts: Mapping[str, np.ndarray]
    recording_parts: Mapping[str, np.ndarray]

    def pairs(self, part: str, count: int, draw: np.random.Generator) -> Pairs:
        """Draw pairs of one digit inside a part; a picture or a recording may come in several of them.

        Args:
            part: of the pictures; the recordings are of the part with the same name, less the word "second".
            count: how many; 0 gives none.

        Raises:
            ValueError: there is no such part, or ``count`` is negative.
        """
        if count < 0:
            raise ValueError(f"count must not be negative, got {count}")
        pictures = pipeline.rows_of(self.picture_parts, part)
        recordings = pipeline.rows_of(self.recording_parts, part.removeprefix("second "))
        wanted = draw.integers(0, CLASSES, count)
        chosen = Pairs(np.empty(count, np.int64), np.empty(count, np.int64), wanted)
        for digit in range(CLASSES):
            places = np.flatnonzero(wanted == digit)
            chosen.pictures[places] = draw.choice(pictures[self.written[pictures] == digit], len(places))
            chosen.recordings[places] = draw.choice(recordings[self.said[recordings] == digit], len(places))
        return chosen

    def week(self, share: float, count: int, draw: np.random.Generator) -> Pairs:
        """A week of customers, of whom ``share`` (rounded to a whole number) come from the second office.

        Raises:
            ValueError: ``share`` is not between 0 and 1, or ``count`` is negative.
        """
        if not 0 <= share <= 1:
            raise ValueError(f"share must be between 0 and 1, got {share}")
        new = round(share * count)
        halves = self.pairs("later", count - new, draw), self.pairs("second later", new, draw)
        return Pairs(*(np.concatenate(both) for both in zip(*halves, strict=True)))

    def tests(self, office: str) -> Pairs:
        """The 300 test recordings, each once and with a test picture of its own; always the same.

        Args:
            office: "first" or "second".

        Raises:
            ValueError: there is no such office.
        """
        parts = {"first": "test", "second": "second test"}
        if office not in parts:
            raise ValueError(f"office must be one of {', '.join(parts)}, got {office!r}")
        pictures, recordings = self.picture_parts[parts[office]], self.recording_parts["test"]
        found: list[tuple[np.ndarray, np.ndarray]] = []
        for digit in range(CLASSES):
            mine = recordings[self.said[recordings] == digit]
            found.append((pictures[self.written[pictures] == digit][: len(mine)], mine))
        chosen = [np.concatenate(side) for side in zip(*found, strict=True)]
        return Pairs(chosen[0], chosen[1], self.said[chosen[1]])


def load() -> Offices:
    """Load all of it; the same each time.

    Raises:
        mmcourse.data.archives.FetchError: an archive is missing and cannot be fetched.
    """
    from sklearn.datasets import load_digits

    first, voices, second = digits.load(), spoken_digits.load(), load_digits()
    pictures = np.concatenate([_halved(first.images), np.array([_framed(one) for one in second.images])])
    parts = _parts(first, first.labels)
    start = len(first.images)
    random = np.random.default_rng(NOISE_SEED)
    noisy = [one + NOISE * voices.deviation * random.normal(size=one.shape) for one in voices.recordings]
    parts |= {name: rows + start for name, rows in pipeline.split_stratified(second.target, SECOND).items()}
    return Offices(
        pictures=pictures,
        written=np.concatenate([first.labels, second.target]).astype(np.int64),
        recordings=tuple(one.astype(np.float32) for one in noisy),
        said=voices.digits,
        picture_parts=parts,
        recording_parts=_parts(voices, voices.digits),
    )


def _parts(data: pipeline.HasSplits, labels: np.ndarray) -> dict[str, np.ndarray]:
    """The parts of the loader, with two fifths of "train" kept for later, and for after that."""
    rows = data.split("train")
    cut = pipeline.split_stratified(labels[rows], KEPT)
    parts = {name: rows[chosen] for name, chosen in cut.items()}
    return parts | {name: data.split(name) for name in ("validation", "test")}


def _halved(images: np.ndarray) -> np.ndarray:
    """``uint8`` ``(rows, 28, 28)`` at half the resolution, from 0 to 1."""
    return images.reshape(-1, SIDE, 2, SIDE, 2).mean(axis=(2, 4)) / 255


def _framed(picture: np.ndarray) -> np.ndarray:
    """``(8, 8)`` from 0 to 16, scaled to 10 × 10 inside a frame of paper, from 0 to 1."""
    image = Image.fromarray((picture / 16).astype(np.float32))
    return np.pad(np.array(image.resize((10, 10), Image.Resampling.BILINEAR), dtype=float), 2)
