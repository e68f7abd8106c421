"""Spoken names in the space of pictures and written names (notebook 48).

No person speaks here: the voices are those of the program espeak-ng, see :mod:`mmcourse.audio.synthesis`. The
tower of pictures is locked, and a tower of sound learns to meet it (Zhai et al., 2022, lock the tower of
pictures in the same way; Girdhar et al., 2023, bind further modalities to pictures). Some voices and some
words are held out.
"""

import re
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import keras
import numpy as np

from mmcourse import store
from mmcourse.audio import (
    ENGLISH_VOICES,
    SAMPLE_RATE,
    SYNTHETIC_RATE,
    Phrase,
    cleaning,
    resample,
    spectrogram,
    synthesise_many,
)
from mmcourse.data import emoji
from mmcourse.encoders import picture_names
from mmcourse.learning import alignment, training

WORDS, UNHEARD_WORDS = 120, 20  # of these; the last ones are never trained with
HELD_OUT_VOICES = ("en-us+f2", "en-us+f5", "en-us+m3", "en-us+m6")
SPEEDS, PITCHES = (140, 210), (30, 70)
FRAMES, MELS = 96, 40
GROUPS = ("Animals & Nature", "Food & Drink", "Objects", "Travel & Places", "Activities")
WORD_SEED = 48


@dataclass(frozen=True)
class SpokenNames:
    """Recordings of a program that says what pictures show.

    Attributes:
        entries: numbers of the words in :func:`mmcourse.data.emoji.load_entries`, ``int64`` ``(words,)``.
        words: their English names; the last :data:`UNHEARD_WORDS` are held out.
        frames: ``float32`` ``(recordings, FRAMES, MELS)``, standardised; zeros after the end.
        labels: number of the word, ``int64`` ``(recordings,)``.
        phrases: what is said, by which voice, how fast and how high.
        splits: "train", "unheard_voices" (words of the training, other voices) and "unheard_words" (words
            that are not in the training, its voices) -> indices.
    """

    entries: np.ndarray
    words: tuple[str, ...]
    frames: np.ndarray
    labels: np.ndarray
    phrases: tuple[Phrase, ...]
    splits: dict[str, np.ndarray]
    tier: str = "synthetic"


@dataclass(frozen=True)
class Configuration:
    """What decides the training; see :class:`mmcourse.encoders.picture_names.Configuration`."""

    profile: str = "cpu"
    width: int = 96
    heads: int = 4
    depth: int = 2
    hidden: int = 192
    epochs: int = 30
    batch_size: int = 90
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    temperature: float = 0.1
    shuffled: bool = False
    seed: int = 0


CONFIGURATIONS = {
    "cpu": Configuration(),
    "gpu": Configuration(profile="gpu", width=256, depth=4, hidden=1024),
}


def load() -> SpokenNames:
    """The recordings, made on the first call (a minute) and kept in the cache folder.

    Raises:
        RuntimeError: espeak-ng is missing or fails.
    """
    entries, words = _words()
    phrases = _phrases(words)
    frames = store.arrays("spoken-names", [__name__], lambda: {"frames": _speak(phrases)})["frames"]
    labels = np.array([words.index(phrase.text) for phrase in phrases])
    unheard_voice = np.array([phrase.voice in HELD_OUT_VOICES for phrase in phrases])
    unheard_word = labels >= WORDS - UNHEARD_WORDS
    return SpokenNames(
        entries=entries,
        words=words,
        frames=frames.astype(np.float32),
        labels=labels,
        phrases=phrases,
        splits={
            "train": np.flatnonzero(~unheard_voice & ~unheard_word),
            "unheard_voices": np.flatnonzero(unheard_voice & ~unheard_word),
            "unheard_words": np.flatnonzero(~unheard_voice & unheard_word),
        },
    )


def pictures_of(spoken: SpokenNames, side: int) -> np.ndarray:
    """The pictures that the words name, ``uint8`` ``(words, side, side, 3)``, by Twemoji."""
    pictures = emoji.load(side, ("twemoji",))
    places = {entry.text: place for place, entry in enumerate(pictures.entries)}
    every = emoji.load_entries()
    return pictures.images[[places[every[number].text] for number in spoken.entries]]


def _words() -> tuple[np.ndarray, tuple[str, ...]]:
    entries, parts = emoji.load_entries(), emoji.split_cells()
    usable = [
        number
        for number, entry in enumerate(entries)
        if parts[entry.text][0] == "train"
        and entry.group in GROUPS
        and not entry.person
        and re.fullmatch("[a-z]{3,}", entry.names["en"])
    ]
    chosen = np.random.default_rng(WORD_SEED).permutation(usable)[:WORDS]
    return chosen, tuple(entries[number].names["en"] for number in chosen)


def _phrases(words: tuple[str, ...]) -> tuple[Phrase, ...]:
    """Each word by each voice, twice, each time at a speed and a height of its own."""
    random = np.random.default_rng(WORD_SEED)
    return tuple(
        Phrase(word, voice, int(random.integers(*SPEEDS)), int(random.integers(*PITCHES)))
        for word in words
        for voice in ENGLISH_VOICES
        for _ in range(2)
    )


def _speak(phrases: tuple[Phrase, ...]) -> np.ndarray:
    frames = np.zeros((len(phrases), FRAMES, MELS), dtype=np.float16)
    for start in range(0, len(phrases), 400):  # one process for so many: waveforms are large
        sounds = synthesise_many(phrases[start : start + 400])
        for place, sound in enumerate(sounds, start):
            frames[place] = standardised_frames(resample(sound, SYNTHETIC_RATE, SAMPLE_RATE))
    return frames


def standardised_frames(waveform: np.ndarray) -> np.ndarray:
    """Log-mel frames of one word with mean 0 and deviation 1, zeros after its end: ``(FRAMES, MELS)``.

    Args:
        waveform: ``(samples,)``, 16,000 a second; what is longer than FRAMES frames is cut off.

    Raises:
        AudioError: see :func:`mmcourse.audio.spectrogram.log_mel`.
    """
    mels = spectrogram.log_mel(cleaning.trim_silence(waveform), mels=MELS)[:FRAMES].clip(min=-80)
    frames = np.zeros((FRAMES, MELS), dtype=np.float32)
    frames[: len(mels)] = (mels - mels.mean()) / mels.std()
    return frames


def _batches(spoken: SpokenNames, vectors: np.ndarray, configuration: Configuration) -> training.Batches:
    rows = spoken.splits["train"]
    partner = np.arange(len(vectors))
    if configuration.shuffled:  # each word gets the picture of another word that is trained
        heard = WORDS - UNHEARD_WORDS
        order = np.random.default_rng(configuration.seed).permutation(heard)
        partner[order] = np.roll(order, 1)  # along a cycle, so that none keeps its own

    def make(chosen: np.ndarray, random: np.random.Generator):
        recordings = rows[chosen]
        frames = np.zeros((len(chosen), FRAMES, MELS), dtype=np.float32)
        for place, wait in enumerate(random.integers(5, size=len(chosen))):  # a little later each time
            frames[place, wait:] = spoken.frames[recordings[place], : FRAMES - wait]
        labels = spoken.labels[recordings]
        return {"first": vectors[partner[labels]], "second": frames[:, None]}, labels.astype(np.int32)

    return training.Batches(len(rows), configuration.batch_size, make, configuration.seed)


def train(configuration: Configuration, folder: Path):
    """Train with checkpoints in ``folder``, from the last one if there is one; see :func:`training.fit`."""
    spoken = load()
    locked = picture_names.load_trained(configuration.profile)
    vectors = locked.encode("first", pictures_of(spoken, locked.first.size["side"]))
    batches = _batches(spoken, vectors, configuration)

    def build() -> alignment.DualEncoder:
        training.set_seed(configuration.seed)
        tower = alignment.SoundTower(
            FRAMES,
            MELS,
            width=configuration.width,
            heads=configuration.heads,
            depth=configuration.depth,
            hidden=configuration.hidden,
            output=vectors.shape[1],
        )
        model = alignment.DualEncoder(keras.layers.Identity(), tower, configuration.temperature)
        model.build()
        steps = configuration.epochs * len(batches)
        optimizer = picture_names.optimizer(configuration.learning_rate, configuration.weight_decay, steps)
        model.compile(optimizer, loss=alignment.contrastive_loss, jit_compile=True)
        return model

    return training.fit(build, batches, configuration.epochs, folder)


def trained_folder(configuration: Configuration) -> Path:
    """The folder of the trained tower of sound, which is trained now unless it is in the cache."""
    name = f"spoken-names-{configuration.profile}{'-shuffled' if configuration.shuffled else ''}"
    return training.train_once(
        name, asdict(configuration), [__name__], lambda folder: train(configuration, folder)
    )


def load_trained(profile: str | None = None, shuffled: bool = False) -> alignment.DualEncoder:
    """The tower of sound beside locked vectors of pictures; trains it first if it is not in the cache.

    Args:
        profile: "cpu" or "gpu".
        shuffled: the control, which was trained with each word at the picture of another one.
    """
    configuration = CONFIGURATIONS[training.choose_profile(profile).name]
    return training.read_model(trained_folder(replace(configuration, shuffled=shuffled)))
