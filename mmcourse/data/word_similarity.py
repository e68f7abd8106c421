"""What people say about pairs of words: WordSim-353, SimLex-999 and analogy questions (notebook 32).

See ``book/datasheets/word-vectors.md``.
"""

import functools
from dataclasses import dataclass

import numpy as np

from mmcourse.data import archives

FILES = {"WordSim-353": "*/wordsim353.tsv", "SimLex-999": "*/simlex999.txt"}


@dataclass(frozen=True)
class Pairs:
    """Pairs of words with the mean of what several people answered. All of it is for testing.

    Attributes:
        name: "WordSim-353" (how *related* are they?) or "SimLex-999" (how *similar*?).
        words: for each pair its two words, in lower case.
        ratings: ``float64`` ``(pairs,)``, from 0 to 10.
        tier: always "course": the data that travels in pinned archives.
        datasheet: the page of the book that describes the set.
    """

    name: str
    words: tuple[tuple[str, str], ...]
    ratings: np.ndarray
    tier: str = "course"
    datasheet: str = "book/datasheets/word-vectors"


@functools.cache
def load(name: str) -> Pairs:
    """Read one of the two sets of pairs.

    Raises:
        ValueError: there is no set of that name.
        mmcourse.data.archives.FetchError: the archive is missing and cannot be fetched.
    """
    if name not in FILES:
        raise ValueError(f"unknown set {name!r}; expected one of: {', '.join(FILES)}")
    rows = [line.split("\t") for line in _lines(FILES[name]) if not line.startswith("#")]
    return Pairs(
        name,
        tuple((first.lower(), second.lower()) for first, second, _ in rows),
        np.array([float(rating) for _, _, rating in rows]),
    )


@functools.cache
def load_analogies() -> dict[str, tuple[tuple[str, str, str, str], ...]]:
    """Read the analogy questions: kind of question -> (a, b, c, d), "a is to b as c is to d".

    Raises:
        mmcourse.data.archives.FetchError: the archive is missing and cannot be fetched.
    """
    questions: dict[str, list] = {}
    for line in _lines("*/questions-words.txt"):
        if line.startswith(":"):
            kind = line[1:].strip()
            questions[kind] = []
        else:
            questions[kind].append(tuple(line.lower().split()))
    return {kind: tuple(rows) for kind, rows in questions.items()}


def statistics() -> dict[str, int | float]:
    """Figures of the sets for their datasheet: label -> number, computed from the archive."""
    figures: dict[str, int | float] = {f"{name}: pairs": len(load(name).words) for name in FILES}
    figures["analogy questions"] = sum(map(len, load_analogies().values()))
    figures["kinds of analogy questions"] = len(load_analogies())
    return figures


def _lines(pattern: str) -> list[str]:
    ((_, content),) = archives.read_members("word-similarity", pattern)
    return [line.strip() for line in content.decode().splitlines() if line.strip()]
