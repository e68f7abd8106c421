"""Sound: from a file, or a phrase to be spoken, to frames that a model takes (notebooks 25, 26).

A waveform is ``float32`` ``(samples,)`` in [-1, 1]. Importing the package is cheap: SciPy and soundfile are
imported by the functions that need them.
"""

from mmcourse.audio.reading import SAMPLE_RATE, AudioError, decode, details, encode, read, resample
from mmcourse.audio.spectrogram import log_mel, mfcc, stft
from mmcourse.audio.synthesis import (
    ENGLISH_VOICES,
    MANDARIN_VOICES,
    SYNTHETIC_RATE,
    VOICES,
    Phrase,
    synthesise,
    synthesise_many,
)

__all__ = [
    "ENGLISH_VOICES",
    "MANDARIN_VOICES",
    "SAMPLE_RATE",
    "SYNTHETIC_RATE",
    "VOICES",
    "AudioError",
    "Phrase",
    "decode",
    "details",
    "encode",
    "log_mel",
    "mfcc",
    "read",
    "resample",
    "stft",
    "synthesise",
    "synthesise_many",
]
