"""Augmentation of pictures with captions: a picture may change only if its caption stays true (notebook 24).

A mirrored picture of a "left arrow" is no left arrow. Either the caption is mirrored too, or the picture is
left as it is. The word lists below hold what the course's captions need, in English and Chinese; no list
can tell everything that has a left and a right.
"""

import re

import numpy as np

from mmcourse.checks import check_between, check_random
from mmcourse.image.arrays import as_batch
from mmcourse.image.augmentation import add_noise, warp

# Words that change places when a picture is mirrored.
MIRRORED = {"left": "right", "clockwise": "counterclockwise", "左": "右", "顺时针": "逆时针"}
# Things whose mirror image is another thing or none: writing, clocks, flags, maps, moons, turns of a page.
UNMIRRORABLE = (
    "letter", "text", "word", "alphabet", "number", "digit", "keycap", "input", "sign", "button", "logo",
    "poster", "newspaper", "page", "book", "calendar", "map", "globe", "flag", "clock", "watch", "o’clock",
    "o'clock", "thirty", "moon", "currency", "dollar", "euro", "yen", "pound", "anticlockwise",
    "字", "文", "数", "键", "按钮", "旗", "钟", "表盘", "点半", "月", "地图",
    "日历", "书", "报纸", "标志", "标识",
)  # fmt: skip
# Phrases in which a word of direction is none.
IDIOMS = ("left luggage", "all right", "copyright", "left over")

_SWAPS = {**MIRRORED, **{new: old for old, new in MIRRORED.items()}}
_DIRECTION = re.compile(
    r"[左右]+|顺时针|逆时针"
    r"|(?<![a-z])(?:counterclockwise|clockwise)(?![a-z])"
    r"|(?<![a-z])(?:left|right)(?:-(?:left|right))*(?=(?:wards?|most|hand|handed|side)?(?![a-z]))",
    re.IGNORECASE,
)


def mirror_caption(caption: str) -> str | None:
    """The caption of the mirrored picture, or None where words cannot say what a mirror makes of it.

    Words of direction change places: left and right, clockwise and counterclockwise, 左 and 右, 顺时针 and
    逆时针.
    "left-right" and 左右 mean both sides and stay. Mirroring twice gives the caption back.

    None is the answer for captions of writing, flags, clocks and other things of :data:`UNMIRRORABLE`, for
    quotation marks and digits, and for spellings that are not told apart safely, such as "lEFT".

    Raises:
        ValueError: the caption is no text.
    """
    if not isinstance(caption, str):
        raise ValueError(f"caption must be a text, got {type(caption).__name__}")
    lower = caption.lower()
    if re.search(r"[0-9\"“”「」『』«»]", caption) or any(idiom in lower for idiom in IDIOMS):
        return None
    words = set(re.findall(r"[a-z’']+", lower))
    for thing in UNMIRRORABLE:
        # English by words and their plurals; Chinese has no spaces between words.
        if (thing in words or thing + "s" in words) if thing.isascii() or "’" in thing else thing in lower:
            return None
    found = _DIRECTION.findall(caption)
    if any(word not in (word.lower(), word.capitalize(), word.upper()) for word in found):
        return None
    return _DIRECTION.sub(lambda match: _swap(match[0]), caption)


def mirror_pair(picture: np.ndarray, caption: str) -> tuple[np.ndarray, str] | None:
    """Mirror a picture and its caption together; None if the caption cannot be mirrored.

    Twice gives both back.

    Args:
        picture: ``(height, width, channels)``.

    Raises:
        ValueError: no picture, or no text.
    """
    if np.ndim(picture) != 3:
        raise ValueError(f"picture must be (height, width, channels), got shape {np.shape(picture)}")
    as_batch(picture, "picture")
    mirrored = mirror_caption(caption)
    return None if mirrored is None else (np.asarray(picture)[:, ::-1].copy(), mirrored)


def augment_pair(
    picture: np.ndarray,
    caption: str,
    random: np.random.Generator,
    flip: float = 0.5,
    strength: float = 0.3,
    may_flip: bool = True,
    fill: float | tuple[float, ...] = 0,
) -> tuple[np.ndarray, str]:
    """Change a picture such that its caption stays true, mirroring the caption along with it.

    The picture is mirrored with a chance, if its caption can be; rotated, shifted and scaled a little, so
    that nothing leaves it and no arrow points elsewhere; and given noise. Colours stay: captions name them.

    Args:
        picture: ``(height, width, channels)``, ``uint8`` or floats between 0 and 1.
        flip: the chance to mirror.
        strength: 0 to 1; at 1 up to 10 degrees, a tenth of the side, a tenth of the size, noise of 0.05.
        may_flip: False if something other than the caption says that the picture must not be mirrored, such
            as its group "Flags".
        fill: what comes in at the edges, in the range of the picture.

    Raises:
        ValueError: no picture, no text, or a number out of range.
    """
    check_random(random)
    check_between("flip", flip, 0, 1)
    check_between("strength", strength, 0, 1)
    mirrored = mirror_pair(picture, caption)
    if random.random() < flip and may_flip and mirrored is not None:
        picture, caption = mirrored
    small = 0.1 * strength
    picture = warp(picture, random, degrees=10 * strength, shift=small, zoom=small, fill=fill)
    return add_noise(picture, random, 0.05 * strength), caption


def _swap(word: str) -> str:
    """The mirrored word in the same case; "left-right" and 左右, which mean both sides, as they are."""
    parts = list(word.lower()) if word[0] in "左右" else word.lower().split("-")
    if len(parts) == 2 and parts[0] != parts[1] and {*parts} in ({"left", "right"}, {"左", "右"}):
        return word
    swapped = ("" if word[0] in "左右" else "-").join(_SWAPS[part] for part in parts)
    if word == word.lower():
        return swapped
    return swapped.upper() if word == word.upper() else swapped.capitalize()
