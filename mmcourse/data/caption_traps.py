"""Captions in other words, and captions with one error: what scores of texts make of them (notebook 45).

Everything was written for this course; see ``book/datasheets/caption-traps.md``.
"""

import functools
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

import numpy as np

from mmcourse import pipeline
from mmcourse.text import join, tokenise

LANGUAGES = ("en", "zh")
ERRORS = ("count", "colour", "not")  # meaning: one place in the text says something else
DAMAGES = ("shuffled", "repeated", "cut")  # form: what a generator does that has lost its thread
_PLACE = re.compile(r"\{(\w+):([^|{}]*)\|([^|{}]*)\}")


@dataclass(frozen=True)
class CaptionTraps(pipeline.HasSplits):
    """Right captions of imagined pictures, in two languages, that can be spoiled.

    Attributes:
        languages: "en" or "zh" for each picture.
        references: a right caption of each picture.
        rewordings: another right caption, near the reference in its words.
        paraphrases: a right caption that shares few words with the reference.
        second_references: one more right caption, as near as the rewording.
        templates: reference and paraphrase with the places of errors.
        splits: "test" -> all: nothing is trained on these.
        tier: always "course".
        datasheet: the page of the book that describes the set.
    """

    languages: tuple[str, ...]
    references: tuple[str, ...]
    rewordings: tuple[str, ...]
    paraphrases: tuple[str, ...]
    second_references: tuple[str, ...]
    templates: tuple[tuple[str, str], ...]
    splits: dict[str, np.ndarray]
    tier: str = "course"
    datasheet: str = "book/datasheets/caption-traps"

    def __len__(self) -> int:
        return len(self.references)

    def of_language(self, language: str) -> np.ndarray:
        """The numbers of the pictures whose captions are in a language: ``int64`` ``(pictures,)``.

        Raises:
            ValueError: the set has no such language.
        """
        if language not in LANGUAGES:
            raise ValueError(f"unknown language {language!r}; expected one of: {', '.join(LANGUAGES)}")
        return np.array([i for i, name in enumerate(self.languages) if name == language], dtype=np.int64)

    def spoiled(self, trap: str, seed: int = 0, which: str = "reference") -> tuple[str, ...]:
        """Each picture's reference, or its paraphrase, with one thing wrong.

        Args:
            trap: one of :data:`ERRORS` and :data:`DAMAGES`, or "another picture": the caption of the next
                picture in the same language.
            seed: decides how tokens are shuffled.
            which: "reference" or "paraphrase".

        Raises:
            ValueError: an unknown trap, or another ``which``.
        """
        if which not in ("reference", "paraphrase"):
            raise ValueError(f"expected 'reference' or 'paraphrase', got {which!r}")
        texts = self.references if which == "reference" else self.paraphrases
        if trap in ERRORS:
            column = ("reference", "paraphrase").index(which)
            return tuple(_written(template[column], trap) for template in self.templates)
        if trap == "another picture":
            following = {}
            for language in LANGUAGES:
                rows = self.of_language(language)
                following |= dict(zip(rows.tolist(), np.roll(rows, -1).tolist(), strict=True))
            return tuple(texts[following[i]] for i in range(len(texts)))
        random = np.random.default_rng(seed)
        return tuple(join(damaged(tokenise(text), trap, random)) for text in texts)


def damaged(tokens: Sequence[str], damage: str, random: np.random.Generator) -> list[str]:
    """A text whose form is spoiled.

    Args:
        tokens: at least four.
        damage: "shuffled" (another order), "repeated" (the last two tokens three times more) or "cut" (the
            first half).
        random: decides the order.

    Raises:
        ValueError: an unknown damage, or too few different tokens.
    """
    tokens = list(tokens)
    if len(tokens) < 4 or len(set(tokens)) < 2:
        raise ValueError(f"need at least four tokens, and two different ones, got {tokens}")
    if damage == "shuffled":
        shuffled = tokens
        while shuffled == tokens:
            shuffled = [tokens[i] for i in random.permutation(len(tokens))]
        return shuffled
    if damage == "repeated":
        return tokens + tokens[-2:] * 3
    if damage == "cut":
        return tokens[: len(tokens) // 2]
    raise ValueError(
        f"unknown trap {damage!r}; expected one of: {', '.join((*ERRORS, *DAMAGES, 'another picture'))}"
    )


@functools.cache
def load() -> CaptionTraps:
    """All captions: 20 pictures in English and 12 in Chinese."""
    text = (resources.files("mmcourse.data") / "caption_traps.toml").read_text(encoding="utf-8")
    rows = tomllib.loads(text)["caption"]
    templates = tuple((row["reference"], row["paraphrase"]) for row in rows)
    return CaptionTraps(
        languages=tuple(row["language"] for row in rows),
        references=tuple(_written(reference) for reference, _ in templates),
        rewordings=tuple(row["rewording"] for row in rows),
        paraphrases=tuple(_written(paraphrase) for _, paraphrase in templates),
        second_references=tuple(row["second"] for row in rows),
        templates=templates,
        splits={"test": np.arange(len(rows), dtype=np.int64)},
    )


def statistics() -> dict[str, int | float]:
    """The figures of the datasheet."""
    traps = load()
    figures: dict[str, int | float] = {"pictures": len(traps), "captions of a picture": 4}
    for language, name in zip(LANGUAGES, ("English", "Chinese"), strict=True):
        rows = traps.of_language(language)
        lengths = [len(tokenise(traps.references[i])) for i in rows]
        figures[f"pictures with {name} captions"] = len(rows)
        figures[f"mean tokens of a reference, {name}"] = round(float(np.mean(lengths)), 1)
        for kind in ("rewordings", "paraphrases"):
            texts = getattr(traps, kind)
            shares = [_shared(texts[i], traps.references[i]) for i in rows]
            figures[f"share of the tokens of {kind} that the reference has, {name}"] = round(
                float(np.mean(shares)), 2
            )
    return figures


def _written(template: str, error: str = "") -> str:
    """The text of a template, with the wrong words at the place of one error."""
    return _PLACE.sub(lambda place: place[3] if place[1] == error else place[2], template)


def _shared(text: str, other: str) -> float:
    tokens = set(tokenise(text))
    return len(tokens & set(tokenise(other))) / len(tokens)
