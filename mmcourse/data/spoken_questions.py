"""Questions about scenes, said by synthetic voices (notebook 54).

Nobody speaks here: the voices are those of the program espeak-ng (:mod:`mmcourse.audio.synthesis`). Some of
them are never heard in training. See ``book/datasheets/synthetic-speech.md``.
"""

import functools
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
    resample,
    spectrogram,
    synthesise_many,
)
from mmcourse.data import emoji, questions, scenes
from mmcourse.data.things import THINGS

FRAMES, MELS = 176, 40  # 3.5 seconds in steps of 20 ms
FRAME_SECONDS, HOP_SECONDS = 0.032, 0.02
HELD_OUT = ("f2", "f5", "m3", "m6")  # of the speakers, in both languages
SPEEDS = {"en": (150, 210), "zh": (180, 230)}
PITCHES = (30, 70)


@functools.cache
def every_prompt() -> tuple[tuple[str, str], ...]:
    """All questions that training asks: ``(language, text)``."""
    found = []  # type: list
    for language in questions.LANGUAGES:
        names = emoji.LANGUAGES if language == "en" else questions.CHINESE_LANGUAGES
        for task in questions.TASKS:
            for number in range(questions.KNOWN[task]):
                ask = functools.partial(questions.wording, task, language, number)
                if task in ("describe", "name"):
                    found.append(ask())
                elif task == "name_in":
                    found += [ask(into=name) for name in names.values()]
                elif task == "at":
                    found += [ask(place=place) for place in scenes.PLACE_NAMES[language]]
                else:
                    found += [ask(thing) for thing in range(len(THINGS))]
        found = [(language, text) if isinstance(text, str) else text for text in found]
    return tuple(found)


def voices(language: str, heard: bool = True) -> tuple[str, ...]:
    """The voices of a language that training hears, or those that it never hears."""
    every = ENGLISH_VOICES if language == "en" else MANDARIN_VOICES
    return tuple(voice for voice in every if voice.endswith(HELD_OUT) != heard)


def speak(texts: Sequence[tuple[str, str]], random: np.random.Generator, heard: bool = True) -> np.ndarray:
    """Say questions, each with a voice, a speed and a height drawn at random.

    Args:
        texts: ``(language, text)`` of each.
        heard: whether with voices that training hears.

    Returns:
        Frames as of :func:`frames_of`, ``float32`` ``(texts, FRAMES, MELS)``.

    Raises:
        RuntimeError: espeak-ng is missing or fails.
    """
    phrases = []
    for language, text in texts:
        several = voices(language, heard)
        voice = several[int(random.integers(len(several)))]
        speed, pitch = int(random.integers(*SPEEDS[language])), int(random.integers(*PITCHES))
        phrases.append(Phrase(text, voice, speed, pitch))
    found = np.zeros((len(phrases), FRAMES, MELS), dtype=np.float32)
    for start in range(0, len(phrases), 400):  # one process for so many: waveforms are large
        for place, sound in enumerate(synthesise_many(phrases[start : start + 400]), start):
            found[place] = frames_of(resample(sound, SYNTHETIC_RATE, SAMPLE_RATE))
    return found


def frames_of(waveform: np.ndarray) -> np.ndarray:
    """Log-mel frames of a question with mean 0 and deviation 1, zeros after its end: ``(FRAMES, MELS)``.

    Args:
        waveform: ``(samples,)``, 16,000 a second; what is longer than 3.5 seconds is cut off.

    Raises:
        AudioError: see :func:`mmcourse.audio.spectrogram.log_mel`.
    """
    mels = spectrogram.log_mel(
        cleaning.trim_silence(waveform), mels=MELS, frame_seconds=FRAME_SECONDS, hop_seconds=HOP_SECONDS
    )
    mels = mels[:FRAMES].clip(min=-80)
    frames = np.zeros((FRAMES, MELS), dtype=np.float32)
    frames[: len(mels)] = (mels - mels.mean()) / (mels.std() + 1e-6)
    return frames


def recordings(number: int) -> np.ndarray:
    """Every prompt, said ``number`` times: ``float16`` ``(number, prompts, FRAMES, MELS)``.

    Made on the first call (minutes) and kept in the cache folder.
    """

    def build() -> dict[str, np.ndarray]:
        texts, random = every_prompt(), np.random.default_rng(53)
        return {"frames": np.stack([speak(texts, random).astype(np.float16) for _ in range(number)])}

    return store.arrays("spoken-questions", [__name__], build, {"number": number})["frames"]
