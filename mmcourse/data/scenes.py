"""Scenes of several things, drawn on the fly, and splits that say what a model has not seen (notebook 53).

A scene is a picture of 96 x 96 pixels on a white or pastel ground. Its nine places are the cells of a grid; a
thing stands in one of them, moved a little and in one of three sizes. A portrait shows a single large thing.
The pictures are emoji by two artists, see :mod:`mmcourse.data.emoji` and ``book/datasheets/scenes.md``.
"""

import functools
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mmcourse import store
from mmcourse.data import emoji
from mmcourse.data.things import THINGS

SIDE, GRID = 96, 3
CELL, PLACES = SIDE // GRID, GRID * GRID
# A word for the row and a word for the column, so that each name is made of parts that others share.
PLACE_NAMES = {
    "en": (
        "top left",
        "top middle",
        "top right",
        "middle left",
        "middle",
        "middle right",
        "bottom left",
        "bottom middle",
        "bottom right",
    ),
    "zh": ("左上", "中上", "右上", "左中", "正中", "右中", "左下", "中下", "右下"),
}
SIZES, PORTRAIT = (22, 26, 30), 64  # sides of a thing in pixels
GROUNDS = np.array(
    [(255, 255, 255), (255, 244, 214), (226, 240, 255), (228, 247, 228), (255, 229, 236), (240, 232, 250)],
    dtype=np.uint8,
)
SPLITS = ("train", "seen", "unseen_pairs", "unseen_counts", "more_things", "unseen_artist")
SPLIT_SEED = 53
HELD_OUT_PAIRS = 0.12  # share of the pairs of things that never stand in one training scene
# How many of each thing a scene shows, and how often such a scene is drawn.
PATTERNS = {
    (1,): 0.02,
    (2,): 0.02,
    (3,): 0.02,
    (1, 1): 0.12,
    (2, 1): 0.16,
    (1, 1, 1): 0.2,
    (3, 1): 0.12,
    (2, 2): 0.02,
    (2, 1, 1): 0.18,
    (1, 1, 1, 1): 0.14,
}
MORE_PATTERNS = {(2, 2, 1): 0.25, (3, 1, 1): 0.25, (2, 1, 1, 1): 0.25, (3, 2, 1): 0.25}
COUNTED = (2, 3)  # counts of which half of the things lack one in training


@dataclass(frozen=True)
class Scene:
    """What stands where.

    Attributes:
        things: for each item the number of its thing in :data:`mmcourse.data.things.THINGS`.
        places: for each item its cell, 0 (top left) to 8 (bottom right), row by row; -1 in a portrait.
        sizes: for each item its side in pixels.
        corners: for each item the row and column of its upper left pixel.
        ground: number of the colour behind, in :data:`GROUNDS`.
    """

    things: tuple[int, ...]
    places: tuple[int, ...]
    sizes: tuple[int, ...]
    corners: tuple[tuple[int, int], ...]
    ground: int = 0

    @property
    def counts(self) -> dict[int, int]:
        """How many there are of each thing, in the order in which they were placed."""
        return dict(Counter(self.things))

    @property
    def portrait(self) -> bool:
        """Whether it shows one large thing."""
        return self.places == (-1,)

    def at(self, place: int) -> int | None:
        """The thing at a place, or None."""
        return self.things[self.places.index(place)] if place in self.places else None


@functools.cache
def held_out() -> tuple[np.ndarray, np.ndarray]:
    """What training scenes never show.

    Returns:
        ``(pairs, counts)``: boolean ``(things, things)``, symmetric, True for two things that never stand
        together; and ``int64`` ``(things,)``: the count of :data:`COUNTED` in which a thing never occurs,
        or 0.
    """
    random = np.random.default_rng(SPLIT_SEED)
    number = len(THINGS)
    upper = np.triu(random.random((number, number)) < HELD_OUT_PAIRS, 1)
    lacking = np.zeros(number, dtype=np.int64)
    half = random.permutation(number)[: number // 2]
    lacking[half] = random.choice(COUNTED, size=len(half))
    return upper | upper.T, lacking


@functools.cache
def _pattern_table(more: bool) -> tuple[list[tuple[int, ...]], np.ndarray]:
    patterns = MORE_PATTERNS if more else PATTERNS
    shares = np.cumsum(list(patterns.values()))
    return list(patterns), shares / shares[-1]


def draw_scene(split: str, random: np.random.Generator, least_kinds: int = 1) -> Scene:
    """Draw a scene of a split.

    - *train* and *seen*: no pair of things and no count of a thing that is held out. The two differ in the
      random generator alone: scenes are new each time.
    - *unseen_pairs*: at least two of its things never stand together in training.
    - *unseen_counts*: a thing in a number in which training never shows it.
    - *more_things*: five or six items, one to four in training.
    - *unseen_artist*: as *seen*; it is the pictures that differ, see :func:`draw`.

    Args:
        least_kinds: smallest number of different things.

    Raises:
        ValueError: an unknown split.
    """
    if split not in SPLITS:
        raise ValueError(f"unknown split {split!r}; expected one of: {', '.join(SPLITS)}")
    pairs, lacking = held_out()
    patterns, shares = _pattern_table(split == "more_things")
    while True:
        pattern = patterns[int(np.searchsorted(shares, random.random()))]
        if len(pattern) < least_kinds:
            continue
        things = random.integers(len(THINGS), size=len(pattern)).tolist()
        if len(set(things)) < len(things):
            continue
        apart = any(pairs[a, b] for i, a in enumerate(things) for b in things[:i])
        uncounted = any(lacking[thing] == count for thing, count in zip(things, pattern, strict=True))
        if apart == (split == "unseen_pairs") and uncounted == (split == "unseen_counts"):
            break
    items = [thing for thing, count in zip(things, pattern, strict=True) for _ in range(count)]
    return place(items, random.permutation(PLACES)[: len(items)].tolist(), random)


def draw_portrait(random: np.random.Generator) -> Scene:
    """A scene of one large thing."""
    corner = tuple(random.integers(SIDE - PORTRAIT + 1, size=2).tolist())
    thing = int(random.integers(len(THINGS)))
    return Scene((thing,), (-1,), (PORTRAIT,), (corner,), int(random.integers(len(GROUNDS))))


def place(things: list[int], places: list[int], random: np.random.Generator) -> Scene:
    """A scene of things at places, with sizes, small shifts and a ground drawn at random."""
    drawn = random.random((len(things), 3))
    sizes = [SIZES[int(share * len(SIZES))] for share in drawn[:, 0]]
    corners = []
    for cell, size, (_, down, right) in zip(places, sizes, drawn, strict=True):
        room = CELL - size + 1
        corners.append((cell // GRID * CELL + int(down * room), cell % GRID * CELL + int(right * room)))
    ground = int(random.integers(len(GROUNDS)))
    return Scene(tuple(things), tuple(places), tuple(sizes), tuple(corners), ground)


def compose(content: Mapping[str, str], seed: int = 0) -> Scene:
    """A scene of your own: name of a place -> English name of a thing, or its emoji.

    >>> compose({"top left": "cat", "middle right": "🍎"}).places
    (0, 5)

    Raises:
        ValueError: an unknown place or thing, or an empty scene.
    """
    if not content:
        raise ValueError("a scene needs at least one thing, for example {'top left': 'cat'}")
    names = {thing.english: number for number, thing in enumerate(THINGS)}
    names |= {thing.text: number for number, thing in enumerate(THINGS)}
    places, things = [], []
    for where, what in content.items():
        if where not in PLACE_NAMES["en"]:
            raise ValueError(f"unknown place {where!r}; expected one of: {', '.join(PLACE_NAMES['en'])}")
        bare = what.replace(emoji.PICTURE_STYLE, "")
        if bare not in names:
            known = ", ".join(thing.english for thing in THINGS)
            raise ValueError(f"unknown thing {what!r}; the scenes know: {known}")
        places.append(PLACE_NAMES["en"].index(where))
        things.append(names[bare])
    return place(things, places, np.random.default_rng(seed))


@functools.cache
def sprites(artist: str = "twemoji") -> dict[int, np.ndarray]:
    """The things as one artist has drawn them: size -> ``uint8`` ``(things, size, size, 4)``.

    The four are red, green, blue and opacity.

    Raises:
        ValueError: an unknown artist.
        mmcourse.data.archives.FetchError: an archive is missing and cannot be fetched.
    """

    def build() -> dict[str, np.ndarray]:
        return {
            str(size): np.stack([emoji.cutout_of(thing.text, size, artist) for thing in THINGS])
            for size in (*SIZES, PORTRAIT)
        }

    kept = store.arrays(f"sprites-{artist}", [__name__], build, {"artist": artist})
    return {int(size): array for size, array in kept.items()}


def draw(scenes: list[Scene], artist: str = "twemoji") -> np.ndarray:
    """The pictures of scenes: ``uint8`` ``(scenes, 96, 96, 3)``.

    Args:
        artist: "twemoji", whose pictures are trained on, or "openmoji".
    """
    shapes = _premultiplied(artist)
    pictures = np.empty((len(scenes), SIDE, SIDE, 3), dtype=np.uint8)
    pictures[:] = GROUNDS[[scene.ground for scene in scenes]][:, None, None]
    for picture, scene in zip(pictures, scenes, strict=True):
        for thing, size, (row, column) in zip(scene.things, scene.sizes, scene.corners, strict=True):
            colour, clear = shapes[size]
            field = picture[row : row + size, column : column + size]
            field[:] = colour[thing] + ((field * clear[thing]) >> 8).astype(np.uint8)
    return pictures


@functools.cache
def _premultiplied(artist: str) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Size -> colours times opacity, and how much of the ground shines through (0 to 256)."""
    found = {}
    for size, array in sprites(artist).items():
        opacity = array[..., 3:].astype(np.uint16)
        colour = (array[..., :3].astype(np.uint16) * opacity // 255).astype(np.uint8)
        found[size] = (colour, (255 - opacity) * 256 // 255)
    return found
