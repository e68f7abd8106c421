"""Words by thirteen synthetic voices, as features of the speech encoder and of its rivals (notebook 46).

No person speaks here; the voices are those of the program espeak-ng, see :mod:`mmcourse.audio.synthesis` and
``book/datasheets/synthetic-speech.md``. What is computed once is kept in the cache folder.
"""

import itertools
import sys
from collections.abc import Sequence

import numpy as np

from mmcourse import store
from mmcourse.audio import (
    ENGLISH_VOICES,
    MANDARIN_VOICES,
    SAMPLE_RATE,
    SYNTHETIC_RATE,
    Phrase,
    cleaning,
    log_mel,
    resample,
    spectrogram,
    synthesise_many,
)
from mmcourse.audio.reading import check_waveform
from mmcourse.encoders import speech

ANIMALS = (
    *("dog", "cat", "horse", "mouse", "cow", "sheep", "bird", "fish", "lion", "tiger"),
    *("rabbit", "monkey", "bear", "wolf", "duck", "frog", "snake", "goat", "camel", "whale"),
)
MANDARIN_ANIMALS = tuple("狗 猫 马 鼠 牛 羊 鸟 鱼 狮子 老虎 兔子 猴子 熊 狼 鸭 蛙 蛇 猪 骆驼 鲸".split())
TONES = tuple("妈 麻 马 骂 衣 姨 椅 意 汤 糖 躺 烫".split())  # ma, yi and tang in each of the four tones
SETS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {  # name -> words and the voices that say them
    "English animals": (ANIMALS, ENGLISH_VOICES),
    "Mandarin animals": (MANDARIN_ANIMALS, MANDARIN_VOICES),
    "Mandarin tones": (TONES, MANDARIN_VOICES),
}
SPEEDS, PITCHES = (150, 200), (40, 60)
SECONDS = 0.8  # of the frames that a network reads; the longest word has 0.72
TAIL_SECONDS = 0.4  # of silence after a word, so that it moves through the encoder's window
PITCH_LOWEST, PITCH_HIGHEST, PITCH_PARTS = 60.0, 400.0, 5
OCTAVE_COST = 0.1


def pitch_contour(waveform: np.ndarray) -> np.ndarray:
    """How the pitch of a word moves: five numbers, in semitones from the word's own middle.

    The pitch of a frame of 40 ms is the delay, between those of 400 and 60 Hz, at which the frame resembles
    itself most: the peak of its autocorrelation, divided by that of its window (Boersma, 1993). Frames that
    are quiet or have no such peak do not count, and whole octaves are taken off; of the others each fifth of
    the word gives its median.

    Args:
        waveform: ``(samples,)``, 16,000 a second.

    Returns:
        ``float32`` ``(5,)``; a part without pitch has 0, the middle.

    Raises:
        AudioError: no waveform, or shorter than a frame.
    """
    length, hop = SAMPLE_RATE // 25, SAMPLE_RATE // 100
    cut = spectrogram.frames(check_waveform(waveform), length, hop)  # (frames, 640)
    window = spectrogram.hann(length)
    both = np.concatenate([(cut - cut.mean(axis=1, keepdims=True)) * window, window[None]])
    likeness = np.fft.irfft(np.abs(np.fft.rfft(both, 2 * length)) ** 2)  # (frames + 1, delays)
    power = likeness[:-1, 0]
    delays = np.arange(int(SAMPLE_RATE / PITCH_HIGHEST), int(SAMPLE_RATE / PITCH_LOWEST) + 1)
    likeness = likeness[:, delays] / np.maximum(likeness[:, :1], 1e-12)
    likeness = likeness[:-1] / likeness[-1]  # (frames, delays)
    voiced = (likeness.max(axis=1) > 0.5) & (power > 0.01 * power.max())
    # Two or three periods fit as well as one: a longer delay has to be better.
    best = (likeness - OCTAVE_COST * np.log2(delays / delays[0])).argmax(axis=1)
    semitones = 12 * np.log2(SAMPLE_RATE / delays[best])
    contour = np.zeros(PITCH_PARTS, np.float32)
    if voiced.any():
        semitones = semitones - np.median(semitones[voiced])
        semitones -= 12 * np.round(semitones / 12)  # an octave off is the commonest mistake
        for place, rows in enumerate(np.array_split(np.arange(len(cut)), PITCH_PARTS)):
            if voiced[rows].any():
                contour[place] = np.median(semitones[rows][voiced[rows]])
    return contour


def speak(words: Sequence[str], voices: Sequence[str]) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """Every word by every voice, at two speeds and two pitches, without silent ends. Synthetic.

    Returns:
        The waveforms, ``float32``, 16,000 samples a second; the number of the word and of the voice of each,
        ``int64`` ``(recordings,)``.

    Raises:
        RuntimeError: espeak-ng is missing or fails.
    """
    phrases = [Phrase(*choice) for choice in itertools.product(words, voices, SPEEDS, PITCHES)]
    sounds = [
        cleaning.trim_silence(resample(sound, SYNTHETIC_RATE, SAMPLE_RATE))
        for sound in synthesise_many(phrases)
    ]
    each = len(SPEEDS) * len(PITCHES)
    words_of = np.repeat(np.arange(len(words)), len(voices) * each)
    return sounds, words_of, np.tile(np.repeat(np.arange(len(voices)), each), len(words))


def features(name: str) -> dict[str, np.ndarray]:
    """Features of the recordings of one set of :data:`SETS`, computed once.

    Returns:
        "speech": the mean of the speech encoder's tokens, ``float32`` ``(recordings, 96)``; "log-mel": mean
        and standard deviation of the 40 bands over the word, ``(recordings, 80)``; "pitch":
        :func:`pitch_contour`, ``(recordings, 5)``; "frames": log-mel frames of 0.8 s, ``float16``
        ``(recordings, 78, 40)``, silence after the word; "words" and "voices": numbers of both.

    Raises:
        ValueError: there is no such set.
    """
    if name not in SETS:
        raise ValueError(f"unknown set {name!r}; expected one of: {', '.join(SETS)}")
    return store.arrays("features-spoken", [__name__], lambda: _features(name), {"set": name})


def _features(name: str) -> dict[str, np.ndarray]:
    print(f"features of the spoken words {name!r}: computed once, then kept", file=sys.stderr, flush=True)
    sounds, words, voices = speak(*SETS[name])
    encoder = speech.SpeechEncoder()
    tail, whole = round(TAIL_SECONDS * SAMPLE_RATE), round(SECONDS * SAMPLE_RATE)
    rows = [log_mel(sound) for sound in sounds]
    return {
        "speech": encoder.encode([np.pad(sound, (0, tail)) for sound in sounds]),
        "log-mel": np.stack([np.concatenate([row.mean(axis=0), row.std(axis=0)]) for row in rows]),
        "pitch": np.stack([pitch_contour(sound) for sound in sounds]),
        "frames": np.stack(
            [log_mel(np.pad(sound, (0, whole))[:whole]).astype(np.float16) for sound in sounds]
        ),
        "words": words,
        "voices": voices,
    }
