"""Changed copies of texts for training (notebook 21): words taken out, exchanged or replaced, and typos.

The first four are the "easy data augmentation" of Wei and Zou (2019). Each takes a sequence of words, a
strength from 0 to 1 and a random generator, and returns new words; at strength 0 it returns the same ones,
and equally seeded generators give equal results. None of them looks at the label: that it still holds is
yours to check.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

Words = Sequence[str]


def delete(words: Words, strength: float, random: np.random.Generator) -> list[str]:
    """Take out each word with the probability ``strength``; one is always kept.

    Raises:
        ValueError: ``strength`` is not 0 to 1.
    """
    _check(strength)
    kept = [word for word, drawn in zip(words, random.random(len(words)), strict=True) if drawn >= strength]
    if not kept and len(words):
        kept = [words[random.integers(len(words))]]  # type: ignore[call-overload]
    return kept


def swap(words: Words, strength: float, random: np.random.Generator) -> list[str]:
    """Exchange two words, as often as ``strength`` times the number of words, rounded.

    Raises:
        ValueError: ``strength`` is not 0 to 1.
    """
    _check(strength)
    changed = list(words)
    if len(changed) >= 2:
        for _ in range(round(strength * len(changed))):
            first, second = random.choice(len(changed), size=2, replace=False)
            changed[first], changed[second] = changed[second], changed[first]
    return changed


def replace(
    words: Words, strength: float, random: np.random.Generator, alike: Mapping[str, Sequence[str]]
) -> list[str]:
    """Replace each word that has some ``alike`` by one of them, with the probability ``strength``.

    Args:
        alike: word -> words that may replace it, such as its synonyms.

    Raises:
        ValueError: ``strength`` is not 0 to 1.
    """
    _check(strength)
    changed = []
    for word, drawn in zip(words, random.random(len(words)), strict=True):
        choices = alike.get(word, ())
        use = len(choices) > 0 and drawn < strength
        chosen = choices[int(random.integers(len(choices)))] if use else word
        changed.append(chosen)
    return changed


def insert(
    words: Words, strength: float, random: np.random.Generator, alike: Mapping[str, Sequence[str]]
) -> list[str]:
    """For each word that has some ``alike``, put one at any position, with the probability ``strength``.

    Args:
        alike: word -> words that mean much the same.

    Raises:
        ValueError: ``strength`` is not 0 to 1.
    """
    _check(strength)
    changed = list(words)
    for word, drawn in zip(words, random.random(len(words)), strict=True):
        choices = alike.get(word, ())
        if len(choices) > 0 and drawn < strength:
            place = int(random.integers(len(changed) + 1))
            changed.insert(place, choices[int(random.integers(len(choices)))])
    return changed


def misspell(words: Words, strength: float, random: np.random.Generator) -> list[str]:
    """Make a typo in each word of four letters or more, with the probability ``strength``.

    Two letters inside the word are exchanged, or one of them is left out or doubled. The first and the last
    letter stay.

    Raises:
        ValueError: ``strength`` is not 0 to 1.
    """
    _check(strength)
    changed = []
    for word, drawn in zip(words, random.random(len(words)), strict=True):
        if len(word) >= 4 and drawn < strength:
            at, kind = int(random.integers(1, len(word) - 2)), random.integers(3)
            pair = word[at : at + 2]
            word = word[:at] + (pair[::-1], pair[1], pair[0] + pair)[kind] + word[at + 2 :]
        changed.append(word)
    return changed


def with_copies(
    texts: Sequence[Words],
    labels: Sequence,
    change: Callable[[Words, np.random.Generator], list[str]],
    copies: int,
    random: np.random.Generator,
) -> tuple[list[list[str]], np.ndarray, np.ndarray]:
    """The texts, and after them changed copies of each with the label of its original.

    Change training texts only, and only after the split: a copy in the test set would be a leak.

    Args:
        change: for instance ``lambda words, random: delete(words, 0.1, random)``.
        copies: changed copies of each text.

    Returns:
        the texts; their labels; the number of the original of each text, ``int64``.

    Raises:
        ValueError: another number of labels than of texts, or ``copies`` is negative.
    """
    if len(texts) != len(labels):
        raise ValueError(f"every text needs a label; got {len(texts)} texts and {len(labels)} labels")
    if copies < 0:
        raise ValueError(f"copies must be 0 or more, got {copies}")
    origins = np.tile(np.arange(len(texts)), copies + 1)
    every = [list(text) for text in texts]
    every += [change(texts[origin], random) for origin in origins[len(texts) :]]
    return every, np.asarray(labels)[origins], origins


def _check(strength: float) -> None:
    if not 0 <= strength <= 1:
        raise ValueError(f"strength must be 0 to 1, got {strength}")
