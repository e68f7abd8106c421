"""An English dictionary as running text (notebook 31): GCIDE. See ``book/datasheets/word-vectors.md``.

Of the 4.6 million words in the files, the definitions, examples, fixed phrases and synonyms are read. The
etymologies are not: half of their words belong to other languages, and many stand at the wrong entry.
"""

import functools
import json
import re
from dataclasses import dataclass

import numpy as np

from mmcourse import store
from mmcourse.data import archives
from mmcourse.text.corpus import Corpus

WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
# The dictionary names the source of an entry in brackets, such as [1913 Webster]; that is no English.
SOURCE = re.compile(r"\[[^\]\[]*\]")


@dataclass(frozen=True)
class Dictionary(Corpus):
    """The dictionary's definitions and examples; there is no split, since word vectors are scored elsewhere.

    Attributes:
        words, token_ids, starts: see :class:`mmcourse.text.corpus.Corpus`. A sentence is a headword followed
            by one of its definitions or by its synonyms, or one example, or one fixed phrase with its
            explanation. Words are in lower case, without digits and punctuation.
        tier: always "course": the data that travels in pinned archives.
        datasheet: the page of the book that describes the set.
    """

    tier: str = "course"
    datasheet: str = "book/datasheets/word-vectors"


def split_words(text: str) -> list[str]:
    """The words of a text in lower case; letters and inner apostrophes only.

    >>> split_words("A dog's life, 1913 [Webster]!")
    ['a', "dog's", 'life']
    """
    return WORD.findall(SOURCE.sub(" ", text).lower())


@functools.cache
def load() -> Dictionary:
    """Read the dictionary, in alphabetical order. The first call parses it and keeps the result.

    Raises:
        mmcourse.data.archives.FetchError: the archive is missing and cannot be fetched.
    """
    stored = store.arrays("dictionary", [__name__], _parse)
    words = tuple(stored["words"].tobytes().decode().split("\n"))
    return Dictionary(words, stored["token_ids"], stored["starts"])


def _parse() -> dict[str, np.ndarray]:
    sentences = []
    for _, content in archives.read_members("dictionary"):
        for entry in json.loads(content).values():
            headword = split_words(entry["entry"])
            for part in entry["pos"]:
                for definition in part["definitions"]:
                    sentences.append(headword + split_words(definition["text"]))
                    sentences += [split_words(example) for example in definition["examples"]]
                sentences += [split_words(phrase) for phrase in part.get("cs", "").split(" -- ")]
                if "syn" in part:
                    sentences.append(headword + split_words(part["syn"]))
    corpus = Corpus.of(filter(None, sentences))
    words = np.frombuffer("\n".join(corpus.words).encode(), dtype=np.uint8)
    return {"words": words, "token_ids": corpus.token_ids, "starts": corpus.starts}


def statistics() -> dict[str, int | float]:
    """Figures of the set for its datasheet: label -> number, computed from the archive."""
    text = load()
    counts = np.bincount(text.token_ids)
    return {
        "dictionary: words read": len(text.token_ids),
        "dictionary: sentences": len(text),
        "dictionary: different words": len(text.words),
        "dictionary: different words that occur five times or more": int((counts >= 5).sum()),
        "dictionary: mean words a sentence": float(np.diff(text.starts).mean()),
    }
