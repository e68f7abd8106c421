"""Ten English words that differ in their vowel, spoken by thirteen synthetic voices (notebooks 25, 26).

No person speaks here: the voices are those of the program espeak-ng, see :mod:`mmcourse.audio.synthesis`. The
words are nearly those of Peterson and Barney (1952), who measured the vowels of 76 people; "hoed" stands for
their "hawed". See ``book/datasheets/synthetic-speech.md``.
"""

import itertools
from dataclasses import dataclass

import numpy as np

from mmcourse import pipeline, store
from mmcourse.audio import (
    ENGLISH_VOICES,
    SAMPLE_RATE,
    SYNTHETIC_RATE,
    Phrase,
    cleaning,
    resample,
    synthesise_many,
)

WORDS = ("heed", "hid", "head", "had", "hod", "hood", "hud", "herd", "hoed", "who'd")
SPEEDS, PITCHES = (150, 200), (40, 60)
HELD_OUT_VOICES = ("en-us+f1", "en-us+f2", "en-us+f3", "en-us+f4", "en-us+f5")


@dataclass(frozen=True)
class SyntheticWords(pipeline.HasSplits):
    """The recordings of a program that speaks, and a split that keeps voices apart.

    Attributes:
        waveforms: for each recording ``float32`` ``(samples,)``, 16,000 a second, without silent ends.
        phrases: what is said in each, by which voice, how fast and how high.
        labels: number of the word in :data:`WORDS`, ``int64`` ``(recordings,)``.
        voices: number of the voice in ``ENGLISH_VOICES``, ``int64`` ``(recordings,)``.
        splits: "train", "test" -> indices, ``int64``; the test has f1 to f5, whose formants lie higher.
        sample_rate: samples a second, 16,000.
        tier: always "synthetic": made here, by a program.
        datasheet: the page of the book that describes the set.
    """

    waveforms: tuple[np.ndarray, ...]
    phrases: tuple[Phrase, ...]
    labels: np.ndarray
    voices: np.ndarray
    splits: dict[str, np.ndarray]
    sample_rate: int = SAMPLE_RATE
    tier: str = "synthetic"
    datasheet: str = "book/datasheets/synthetic-speech"


def load() -> SyntheticWords:
    """The 520 recordings, made on the first call (some seconds) and kept in the cache folder.

    Raises:
        RuntimeError: espeak-ng is missing or fails.
    """
    arrays = store.arrays("synthetic-words", [__name__], _speak)
    samples = arrays["samples"].astype(np.float32) / 32_768
    phrases = _phrases()
    held_out = np.array([phrase.voice in HELD_OUT_VOICES for phrase in phrases])
    return SyntheticWords(
        waveforms=tuple(np.split(samples, np.cumsum(arrays["lengths"])[:-1])),
        phrases=tuple(phrases),
        labels=np.array([WORDS.index(phrase.text) for phrase in phrases]),
        voices=np.array([ENGLISH_VOICES.index(phrase.voice) for phrase in phrases]),
        splits={"train": np.flatnonzero(~held_out), "test": np.flatnonzero(held_out)},
    )


def statistics() -> dict[str, int | float]:
    """Figures of the set for its datasheet: label -> number, computed from the recordings."""
    words = load()
    seconds = np.array([len(waveform) for waveform in words.waveforms]) / SAMPLE_RATE
    return {
        "recordings, all synthetic": len(seconds),
        "different words": len(WORDS),
        "synthetic voices": len(np.unique(words.voices)),
        "synthetic voices that are held out": len(HELD_OUT_VOICES),
        "recordings of each word by each voice": len(SPEEDS) * len(PITCHES),
        "recordings in the split 'train'": len(words.splits["train"]),
        "recordings in the split 'test'": len(words.splits["test"]),
        "samples a second": SAMPLE_RATE,
        "seconds of sound": round(float(seconds.sum()), 1),
        "seconds of the shortest recording": round(float(seconds.min()), 2),
        "seconds of the longest": round(float(seconds.max()), 2),
    }


def _phrases() -> list[Phrase]:
    return [Phrase(*choice) for choice in itertools.product(WORDS, ENGLISH_VOICES, SPEEDS, PITCHES)]


def _speak() -> dict[str, np.ndarray]:
    sounds = [
        cleaning.trim_silence(resample(sound, SYNTHETIC_RATE, SAMPLE_RATE))
        for sound in synthesise_many(_phrases())
    ]
    samples = np.clip(np.round(np.concatenate(sounds) * 32_768), -32_768, 32_767)
    return {"samples": samples.astype(np.int16), "lengths": np.array([len(sound) for sound in sounds])}
