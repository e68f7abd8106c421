"""Cleaning texts (notebook 21): one spelling, nothing invisible, no remains of web pages, no copies.

Every step is a function from text to text, so that a pipeline is a list of steps, and :func:`apply` counts
what each of them did.
"""

import html
import re
import unicodedata
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

FORMS = ("NFC", "NFD", "NFKC", "NFKD")

# The elements that people write in reviews and that editors leave behind. A list, because <...> alone is no
# sign of a web page: Chinese writers put the titles of books into the same marks.
_TAG = re.compile(
    r"</?(?:a|b|blockquote|br|div|em|font|h[1-6]|hr|i|img|li|ol|p|pre|small|span|strong|sub|sup|table|tbody|td|th|"
    r"tr|u|ul)(?:\s[^<>]*)?/?>",
    re.IGNORECASE | re.ASCII,
)
# Control, format and private-use characters show nothing or, on each machine, something else. Kept are tabs
# and ends of lines, the joiners that emoji and some scripts are written with, and the tags inside flags.
# Characters that are not assigned are kept too: a newer version of Unicode may know them.
_DROPPED_CATEGORIES = ("Cc", "Cf", "Co")
_KEPT = {"\t", "\n", "\r", "\u200c", "\u200d", *map(chr, range(0xE0020, 0xE0080))}


def normalise(text: str, form: str = "NFC", fold: bool = False) -> str:
    """Bring a text to a Unicode normal form, so that equal texts are equal strings.

    Args:
        form: "NFC" joins letters and accents, "NFD" takes them apart, and a few characters, such as the ohm
            sign, become another for good; "NFKC" and "NFKD" also replace characters that only look
            different, such as full-width letters, and lose what the look meant (2³ becomes 23).
        fold: whether to fold case as well, which is lower case made for comparing (ß becomes ss).

    Raises:
        ValueError: an unknown form.
    """
    if form not in FORMS:
        raise ValueError(f"form must be one of {', '.join(FORMS)}; got {form!r}")
    text = unicodedata.normalize(form, text)  # type: ignore[arg-type]
    # Folding can undo the form (and the form of a folded text is stable), so the form is made again.
    return unicodedata.normalize(form, text.casefold()) if fold else text  # type: ignore[arg-type]


def unescape(text: str) -> str:
    """Replace HTML entities by their characters: ``&amp;`` by ``&``, ``&#183;`` by ``·``."""
    return html.unescape(text)


def drop_tags(text: str) -> str:
    """Replace HTML tags of a short list of elements by a space; other things between < and > stay."""
    return _TAG.sub(" ", text)


def drop_invisible(text: str) -> str:
    """Take out control, format and private-use characters, except those that writing needs."""
    return "".join(
        character
        for character in text
        if character in _KEPT or unicodedata.category(character) not in _DROPPED_CATEGORIES
    )


def join_spaces(text: str) -> str:
    """Replace each run of white space by one space, and take it away at both ends."""
    return " ".join(text.split())


def shorten_runs(text: str, longest: int = 3) -> str:
    """Shorten what is repeated more than ``longest`` times in a row: punctuation or letters, not digits.

    Raises:
        ValueError: ``longest`` is below 1.
    """
    if longest < 1:
        raise ValueError(f"longest must be 1 or more, got {longest}")
    return re.sub(rf"([^\d\s])\1{{{longest},}}", lambda match: match.group(1) * longest, text)


@dataclass(frozen=True)
class StepCount:
    """What a step did: to how many texts, and by how many characters it made them shorter altogether."""

    name: str
    texts: int
    characters: int


def apply(
    texts: Iterable[str], steps: Mapping[str, Callable[[str], str]]
) -> tuple[list[str], list[StepCount]]:
    """Apply steps one after the other, and count.

    Args:
        steps: name -> function from text to text, in order.

    Returns:
        the cleaned texts, as many and in the same order; a count for each step.
    """
    texts, counts = list(texts), []
    for name, step in steps.items():
        after = [step(text) for text in texts]
        changed = sum(one != other for one, other in zip(texts, after, strict=True))
        shorter = sum(map(len, texts)) - sum(map(len, after))
        counts.append(StepCount(name, changed, shorter))
        texts = after
    return texts, counts


def first_of_each(texts: Sequence[Hashable], key: Callable[[Hashable], Hashable] = str) -> list[int]:
    """Indices of the texts without later copies; texts with the same ``key`` are copies of one another."""
    first: dict[Hashable, int] = {}
    for number, text in enumerate(texts):
        first.setdefault(key(text), number)
    return list(first.values())


def letters_only(text: str) -> str:
    """A key for :func:`first_of_each`: letters and digits in NFKC, case folded, and not the rest."""
    return "".join(filter(str.isalnum, normalise(text, "NFKC", fold=True)))
