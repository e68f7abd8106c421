"""Synonyms out of the English dictionary GCIDE (notebook 21). See ``book/datasheets/word-vectors.md``."""

import functools
import json
import re

from mmcourse.data import archives

_LIST = re.compile(r"^\s*Syn\.?\s*-*\s*", re.IGNORECASE)
_REFERENCE = re.compile(r"\bSee (?:also )?[^.]*\.?")
_NAME = re.compile(r"(?:to |a |an |the )?([a-z]+)", re.IGNORECASE)


@functools.cache
def load() -> dict[str, tuple[str, ...]]:
    """Word -> the words that the dictionary lists as its synonyms, single words in lower case, sorted.

    The lists are read in both directions: where *happy* is listed at *cheerful*, *cheerful* is a synonym of
    *happy* too. Parts of speech and senses are mixed, so not every synonym fits every place.

    Raises:
        mmcourse.data.archives.FetchError: the archive is missing and cannot be fetched.
    """
    found: dict[str, set[str]] = {}
    for _, content in archives.read_members("dictionary"):
        for entry in json.loads(content).values():
            for part in entry["pos"]:
                for word in read_list(part.get("syn", "")):
                    headword = entry["entry"].lower()
                    if word != headword and re.fullmatch("[a-z]+", headword):
                        found.setdefault(headword, set()).add(word)
                        found.setdefault(word, set()).add(headword)
    return {word: tuple(sorted(found[word])) for word in sorted(found)}


def statistics() -> dict[str, int | float]:
    """Figures of the set for its datasheet: label -> number, computed from the archive."""
    alike = load()
    return {
        "synonyms: words that have some": len(alike),
        "synonyms: pairs of words": sum(map(len, alike.values())) // 2,
    }


def read_list(text: str) -> list[str]:
    """The single words of a list of synonyms as the dictionary prints it.

    >>> read_list("Syn. -- To alleviate; set on; calm. See Alleviate.")
    ['alleviate', 'calm']
    """
    text = _REFERENCE.sub("", _LIST.sub("", text))
    names = (_NAME.fullmatch(name.strip()) for name in re.split(r"[;,.]", text))
    return [name.group(1).lower() for name in names if name]
