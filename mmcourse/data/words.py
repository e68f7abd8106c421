"""Words to spell and to invent: the headwords of an English dictionary, letters a to z only."""

import json
import re
from collections import Counter
from dataclasses import dataclass

import numpy as np

from mmcourse import pipeline, store
from mmcourse.data import archives

HELD_OUT = 0.05  # share of the anagram families, for the test and once more for the validation split


@dataclass(frozen=True)
class Words(pipeline.HasSplits):
    """Headwords, and which of them are held out.

    Words that are made of the same letters, such as *listen* and *silent*, are a family, and a family is held
    out as a whole: else the sorted letters of a test word would have been a training answer.

    Attributes:
        words: all words, sorted.
        splits: "train", "validation" and "test" -> indices into ``words``, ``int64``, sorted, disjoint.
        tier: always "course": the data that travel in pinned archives.
        datasheet: the page of the book that describes the set.
    """

    words: tuple[str, ...]
    splits: dict[str, np.ndarray]
    tier: str = "course"
    datasheet: str = "book/datasheets/words"

    def of(self, split: str) -> list[str]:
        """The words of a split.

        Raises:
            ValueError: there is no such split.
        """
        return [self.words[i] for i in self.split(split)]


def family(word: str) -> str:
    """The word's letters in alphabetical order, which all its anagrams share."""
    return "".join(sorted(word))


def load(shortest: int = 4, longest: int = 8) -> Words:
    """The headwords of GCIDE with ``shortest`` to ``longest`` letters, all of them a to z in lower case.

    Raises:
        ValueError: not 1 <= shortest <= longest.
        mmcourse.data.archives.FetchError: the archive is neither in the cache folder nor to be had.
    """
    if not 1 <= shortest <= longest:
        raise ValueError(f"shortest must be 1 to longest, got shortest {shortest} and longest {longest}")
    every = store.arrays("words", [__name__], _headwords)["words"].tolist()
    words = tuple(word for word in every if shortest <= len(word) <= longest)
    families = sorted({family(word) for word in words})
    order = np.random.default_rng(0).permutation(len(families))
    count = round(HELD_OUT * len(families))
    split_of = {families[i]: "test" for i in order[:count]}
    split_of |= {families[i]: "validation" for i in order[count : 2 * count]}
    names = np.array([split_of.get(family(word), "train") for word in words])
    return Words(words, {name: np.flatnonzero(names == name) for name in ("train", "validation", "test")})


def _headwords() -> dict[str, np.ndarray]:
    found = set()
    for _, content in archives.read_members("dictionary"):
        found |= {word for word in json.loads(content) if re.fullmatch("[a-z]+", word)}
    return {"words": np.array(sorted(found))}


def statistics() -> dict[str, int | float]:
    """Figures of the set for its datasheet: label -> number, computed from the archive."""
    data = load()
    sizes = Counter(map(family, data.words))
    figures: dict[str, int | float] = {
        "words of four to eight letters": len(data.words),
        "families of words with the same letters": len(sizes),
        "words that share their letters with another": sum(size for size in sizes.values() if size > 1),
        "words in the largest family": max(sizes.values()),
        "mean length of a word": float(np.mean([len(word) for word in data.words])),
    }
    for name, rows in data.splits.items():
        figures[f"words in the split '{name}'"] = len(rows)
    return figures
