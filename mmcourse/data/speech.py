"""Five sentences read aloud by a person, with what is said and when (notebooks 25, 26).

From a LibriVox reading of Jane Austen's "Sense and Sensibility" (public domain), in the form that the tests
of pocketsphinx distribute. See ``book/datasheets/speech.md``.
"""

import json
import re
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from mmcourse.audio import SAMPLE_RATE, decode
from mmcourse.data import archives


@dataclass(frozen=True)
class Word:
    """A word of a sentence and when it is spoken, in seconds; the times were found by a program."""

    text: str
    begin: float
    end: float


@dataclass(frozen=True)
class Sentence:
    """A sentence that a person reads aloud.

    Attributes:
        name: the number that the sentence has in the reading, such as "0870".
        text: what is said, in lower case without punctuation.
        waveform: ``float32`` ``(samples,)``, 16,000 a second.
        words: its words in order, without the silences.
    """

    name: str
    text: str
    waveform: np.ndarray
    words: tuple[Word, ...]

    @property
    def seconds(self) -> float:
        """How long the recording is."""
        return len(self.waveform) / SAMPLE_RATE

    def cut(self, begin: float, end: float) -> np.ndarray:
        """The samples between two times in seconds.

        Raises:
            ValueError: the times do not lie in the recording, in this order.
        """
        if not 0 <= begin < end <= self.seconds:
            raise ValueError(f"expected 0 <= begin < end <= {self.seconds}, got {begin} and {end}")
        return self.waveform[round(begin * SAMPLE_RATE) : round(end * SAMPLE_RATE)]


@dataclass(frozen=True)
class Speech:
    """The sentences. They are five, by one reader: an example, with no split.

    Attributes:
        sentences: in the order of the book.
        sample_rate: samples a second, 16,000.
        tier: always "course": the data that travels in pinned archives.
        datasheet: the page of the book that describes the set.
    """

    sentences: tuple[Sentence, ...]
    sample_rate: int = SAMPLE_RATE
    tier: str = "course"
    datasheet: str = "book/datasheets/speech"


def load() -> Speech:
    """The five sentences.

    Raises:
        archives.FetchError: the archive cannot be had.
        archives.ArchiveError: the archive is damaged, or its files do not fit together.
    """
    files: dict[str, dict[str, bytes]] = {}
    for member, content in archives.read_members("speech"):
        path = PurePosixPath(member)
        files.setdefault(path.stem.rpartition("-")[2], {})[path.suffix] = content
    return Speech(tuple(_sentence(name, parts) for name, parts in sorted(files.items())))


def statistics() -> dict[str, int | float]:
    """Figures of the set for its datasheet: label -> number, computed from the archive."""
    speech = load()
    seconds = [sentence.seconds for sentence in speech.sentences]
    words = [word.text for sentence in speech.sentences for word in sentence.words]
    return {
        "sentences": len(speech.sentences),
        "readers": 1,
        "samples a second": speech.sample_rate,
        "seconds of sound": round(sum(seconds), 2),
        "seconds of the shortest sentence": round(min(seconds), 2),
        "seconds of the longest": round(max(seconds), 2),
        "words": len(words),
        "different words": len(set(words)),
    }


def _sentence(name: str, parts: dict[str, bytes]) -> Sentence:
    if set(parts) != {".wav", ".txt", ".json"}:
        raise archives.ArchiveError(
            f"sentence {name} has the files {sorted(parts)}, expected .json .txt .wav"
        )
    text = " ".join(parts[".txt"].decode("utf-8").split())
    waveform = decode(parts[".wav"], SAMPLE_RATE, name=f"sentence {name}")
    words = []
    for entry in json.loads(parts[".json"])["w"]:
        if not entry["t"].startswith("<"):  # "<sil>": silence
            spelled = re.sub(r"\(\d+\)$", "", entry["t"])  # "and(2)": the second way to pronounce it
            words.append(Word(spelled, entry["b"], round(entry["b"] + entry["d"], 3)))
    if [word.text for word in words] != text.split():
        raise archives.ArchiveError(f"sentence {name}: its words and its text differ")
    return Sentence(name, text, waveform, tuple(words))
