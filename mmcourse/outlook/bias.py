"""An audit of the naming model by skin tone and gender (notebook 84): words, pairs, and where they differ.

Emoji are drawn in five skin tones, with everything else alike: what changes in the answer is due to the tone.
"""

import re
from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from mmcourse.data.emoji import TONES, EmojiPictures

TONE_WORDS = tuple(TONES.values())
GENDER_WORDS = {
    "man": frozenset({"man", "men", "boy", "prince", "father"}),
    "woman": frozenset({"woman", "women", "girl", "princess", "mother"}),
}
_TONE = re.compile(rf"\b({'|'.join(sorted(TONE_WORDS, key=len, reverse=True))}) skin tone")


def tone_of(name: str) -> str:
    """The skin tone that an English name states, one of :data:`TONE_WORDS`; "" for none or several."""
    found = _TONE.findall(name)
    return found[0] if len(found) == 1 else ""


def gender_of(name: str) -> str:
    """The gender that an English name states: "man", "woman", or "neutral" for neither or both."""
    words = set(name.split())
    stated = [gender for gender, known in GENDER_WORDS.items() if words & known]
    return stated[0] if len(stated) == 1 else "neutral"


def counterfactuals(pictures: EmojiPictures, split: str) -> np.ndarray:
    """Pictures of one split that show the same and differ in the tone of skin, and with it often of hair.

    Returns:
        Places of pictures ``(drawings, 5)``: the same emoji of one artist in the five tones, light to dark,
        as in :data:`TONE_WORDS`. Drawings of which the split lacks a tone are left out.

    Raises:
        ValueError: there is no such split.
    """
    found: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for place in pictures.split(split):
        entry = pictures.entries[place]
        if len(entry.skin_tones) == 1:
            found[pictures.artists[place], entry.base][entry.skin_tones[0]] = int(place)
    whole = [tones for tones in found.values() if len(tones) == len(TONE_WORDS)]
    rows = [[tones[tone] for tone in TONE_WORDS] for tones in whole]
    return np.array(rows, dtype=np.int64).reshape(-1, len(TONE_WORDS))


def skin_colours(images: np.ndarray, tones: Sequence[str]) -> np.ndarray:
    """The colour that is most typical of each tone: in more pixels of it than of all other tones together.

    Args:
        images: ``uint8`` ``(pictures, height, width, 3)``.
        tones: the tone of each picture, of :data:`TONE_WORDS`, each at least once.

    Returns:
        ``uint8`` ``(5, 3)``: red, green, blue for each tone.

    Raises:
        ValueError: a tone is missing, or unequal lengths.
    """
    tones = np.asarray(tones)
    if len(tones) != len(images) or set(tones.tolist()) != set(TONE_WORDS):
        raise ValueError(f"expected one tone for each picture, and all of {TONE_WORDS}")
    codes = images.astype(np.int64) @ np.array([1 << 16, 1 << 8, 1])
    colours, where = np.unique(codes, return_inverse=True)
    where = where.reshape(len(images), -1)
    counts = np.array(
        [np.bincount(where[tones == tone].ravel(), minlength=len(colours)) for tone in TONE_WORDS]
    )
    typical = colours[(2 * counts - counts.sum(axis=0)).argmax(axis=1)]
    return np.stack([typical >> 16, typical >> 8 & 255, typical & 255], axis=1).astype(np.uint8)


def repaint(images: np.ndarray, old: np.ndarray, new: np.ndarray, reach: int = 14) -> np.ndarray:
    """Pictures with every pixel near a colour of ``old`` in the colour of ``new`` at the same place.

    Args:
        images: ``uint8`` ``(pictures, height, width, 3)``.
        old, new: ``uint8`` ``(colours, 3)``.
        reach: how far red, green and blue may each be away.

    Raises:
        ValueError: the palettes differ in shape.
    """
    if old.shape != new.shape:
        raise ValueError(f"the palettes must have one shape, got {old.shape} and {new.shape}")
    away = np.stack([np.abs(images.astype(np.int16) - colour).max(axis=-1) for colour in old], axis=-1)
    near = away.min(axis=-1) <= reach
    return np.where(near[..., None], new[away.argmin(axis=-1)], images).astype(np.uint8)
