"""The emoji set: its entries, and splits that keep from training what they say they keep."""

import functools
import hashlib
import os
import re
import subprocess
import sys
import unicodedata
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcourse import store
from mmcourse.data import emoji
from mmcourse.text import tokenise

TONE_NAMES = ("light", "medium-light", "medium", "medium-dark", "dark")
HELD_OUT = ("validation", "unseen_composition", "unseen_concept")


@pytest.fixture(scope="module")
def entries() -> tuple[emoji.Entry, ...]:
    return emoji.load_entries()


@pytest.fixture(scope="module")
def by_text(entries) -> dict[str, emoji.Entry]:
    return {entry.text: entry for entry in entries}


@pytest.fixture(scope="module")
def pictures() -> emoji.EmojiPictures:
    return emoji.load(64)


def entries_of(pictures: emoji.EmojiPictures, split: str) -> list[emoji.Entry]:
    return [pictures.entries[i] for i in pictures.splits[split]]


# Entries


def test_every_emoji_has_a_name_in_fourteen_languages(entries):
    assert len(entries) == 3944
    assert len(emoji.LANGUAGES) == 14
    for entry in entries:
        assert list(entry.names) == list(emoji.LANGUAGES)
        for name in entry.names.values():
            assert name and name == " ".join(name.split())
            assert not set(name) & set("_:\ufe0f\u200d")
            assert tokenise(name)


@pytest.mark.parametrize("language", emoji.LANGUAGES)
def test_a_name_belongs_to_one_emoji(entries, language):
    assert len({unicodedata.normalize("NFC", entry.names[language]) for entry in entries}) == len(entries)


@pytest.mark.parametrize("language", ["zh", "ja"])
def test_names_that_write_no_spaces_have_none_from_underscores(entries, language):
    assert not [entry.names[language] for entry in entries if " " in entry.names[language]]


def test_entries_are_different_and_in_order(entries):
    texts = [entry.text for entry in entries]
    assert texts == sorted(set(texts))


@pytest.mark.parametrize(
    ("text", "names", "group", "tones", "gender", "hair", "person"),
    [
        ("❤️", {"en": "red heart", "zh": "红心", "de": "rotes herz"}, "Smileys & Emotion", (), "", "", False),
        ("👍🏽", {"en": "thumbs up medium skin tone"}, "People & Body", ("medium",), "", "", True),
        ("👩🏿‍🚀", {"en": "woman astronaut dark skin tone"}, "People & Body", ("dark",), "woman", "", True),
        ("🏃🏻‍♂️", {"en": "man running light skin tone"}, "People & Body", ("light",), "man", "", True),
        ("🧑‍🚀", {"en": "astronaut"}, "People & Body", (), "", "", True),
        ("👨🏾‍🦱", {"zh": "男人中等深肤色卷发"}, "People & Body", ("medium-dark",), "man", "curly", True),
        ("👩🏻‍❤️‍👨🏿", {}, "People & Body", ("light", "dark"), "", "", True),
        ("🇫🇷", {"en": "France", "ja": "旗フランス"}, "Flags", (), "", "", False),
        ("🍎", {"en": "red apple", "fr": "pomme rouge"}, "Food & Drink", (), "", "", False),
    ],
)
def test_entries_that_everyone_knows(by_text, text, names, group, tones, gender, hair, person):
    entry = by_text[text]
    assert {code: entry.names[code] for code in names} == names
    found = (entry.group, entry.skin_tones, entry.gender, entry.hair, entry.person)
    assert found == (group, tones, gender, hair, person)


def test_skin_tones_agree_with_the_code_points(entries):
    for entry in entries:
        points = [ord(character) - 0x1F3FB for character in entry.text]
        assert entry.skin_tones == tuple(TONE_NAMES[point] for point in points if 0 <= point < 5)
        assert len(entry.skin_tones) <= 2
    assert Counter(tone for entry in entries for tone in entry.skin_tones).keys() == set(TONE_NAMES)


def test_skin_tones_agree_with_the_english_names(entries):
    tone = re.compile(r"\b((?:medium-)?(?:light|dark)|medium) skin tone\b")
    for entry in entries:
        if len(entry.skin_tones) < 2:
            assert tone.findall(entry.names["en"]) == list(entry.skin_tones)


def test_groups_are_those_of_unicode(entries):
    groups = Counter(entry.group for entry in entries)
    assert groups.keys() == {
        "Smileys & Emotion",
        "People & Body",
        "Animals & Nature",
        "Food & Drink",
        "Travel & Places",
        "Activities",
        "Objects",
        "Symbols",
        "Flags",
        emoji.UNGROUPED,
    }
    assert groups[emoji.UNGROUPED] < 200


def test_who_is_a_person(entries):
    for entry in entries:
        if entry.group == "People & Body" or entry.skin_tones:
            assert entry.person
        elif entry.group not in ("People & Body", emoji.UNGROUPED):
            assert not entry.person


def test_all_tones_of_one_emoji_agree_on_being_a_person(entries):
    found: dict[str, set[bool]] = {}
    for entry in entries:
        found.setdefault(entry.base, set()).add(entry.person)
    assert [base for base, persons in found.items() if len(persons) > 1] == []


def test_gender_and_hair_agree_with_the_english_names(entries):
    for entry in entries:
        words = entry.names["en"].split()
        if entry.person and entry.gender and len(entry.skin_tones) < 2 and entry.role:
            opposite = {"man": "woman", "woman": "man"}[entry.gender]
            assert opposite not in words
        if entry.hair:
            assert {"red": "red", "curly": "curly", "white": "white", "bald": "bald"}[entry.hair] in words


def test_base_and_role(by_text):
    assert by_text["👩🏿‍🚀"].base == by_text["👩‍🚀"].base == "👩‍🚀"
    assert by_text["👩🏿‍🚀"].role == by_text["👨🏻‍🚀"].role == by_text["🧑‍🚀"].role
    assert by_text["🏃🏻‍♂️"].base == "🏃‍♂" and by_text["🏃🏻‍♂️"].role == by_text["🏃🏿"].role == "🏃"
    assert by_text["👩🏻‍❤️‍👨🏿"].role == ""
    assert by_text["👩🏿‍🚀"].role != by_text["👩🏿‍🚒"].role


# Splits


def test_splits_are_disjoint_and_not_empty(pictures):
    assert tuple(pictures.splits) == emoji.SPLITS
    rows = np.concatenate(list(pictures.splits.values()))
    assert len(set(rows.tolist())) == len(rows)
    assert 0 <= rows.min() and rows.max() < len(pictures.images)
    for split in pictures.splits.values():
        assert split.dtype == np.int64
        assert (np.diff(split) > 0).all()
    sizes = {name: len(rows) for name, rows in pictures.splits.items()}
    assert sizes["train"] > 3000 and sizes["unseen_artist"] > 3000
    assert sizes["unseen_composition"] >= 250 and sizes["validation"] >= 80 and sizes["unseen_concept"] >= 90


def test_arrays_of_one_length(pictures):
    count = len(pictures.images)
    assert pictures.images.shape == (count, 64, 64, 3) and pictures.images.dtype == np.uint8
    assert len(pictures.entries) == len(pictures.artists) == len(pictures.kinds) == count
    assert set(pictures.artists) == set(emoji.ARTISTS)
    assert (pictures.size, pictures.tier) == (64, "course")
    assert (Path(emoji.__file__).parents[2] / f"{pictures.datasheet}.md").is_file()


def test_all_but_one_split_are_by_one_artist(pictures):
    for split, rows in pictures.splits.items():
        expected = {"openmoji"} if split == "unseen_artist" else {"twemoji"}
        assert {pictures.artists[i] for i in rows} == expected


@pytest.mark.parametrize("language", emoji.LANGUAGES)
@pytest.mark.parametrize("split", HELD_OUT)
def test_held_out_names_are_never_trained_on(pictures, language, split):
    def plain(name: str) -> str:
        return " ".join(tokenise(unicodedata.normalize("NFKC", name).casefold()))

    known = {plain(name) for name in pictures.names(language, pictures.splits["train"])}
    assert [name for name in pictures.names(language, pictures.splits[split]) if plain(name) in known] == []


def test_held_out_emoji_are_no_other_spelling_of_a_trained_one(pictures):
    def bare(entry):
        return entry.text.replace("\ufe0f", "")

    known = {bare(entry) for entry in entries_of(pictures, "train")}
    for split in HELD_OUT:
        assert not {bare(entry) for entry in entries_of(pictures, split)} & known


@pytest.mark.parametrize("size", [64, 72])
def test_no_held_out_picture_looks_exactly_like_a_trained_one(size):
    pictures = emoji.load(size)
    known = {pictures.images[i].tobytes() for i in pictures.splits["train"]}
    for split in emoji.SPLITS[1:]:
        same = [i for i in pictures.splits[split] if pictures.images[i].tobytes() in known]
        assert [pictures.entries[i].names["en"] for i in same] == []


def test_no_two_pictures_of_a_test_split_look_exactly_alike():
    pictures = emoji.load(72)
    for split in emoji.SPLITS[1:]:
        found = Counter(pictures.images[i].tobytes() for i in pictures.splits[split])
        assert found.most_common(1)[0][1] == 1, split


@pytest.mark.parametrize("split", emoji.SPLITS[1:])
def test_a_picture_that_looks_like_another_is_in_no_test_split(split, pictures, monkeypatch):
    alike = pictures.entries[pictures.splits[split][0]].text
    monkeypatch.setattr(emoji, "_duplicates", lambda artist: frozenset({alike}))
    found = emoji.load(64)
    assert alike in {pictures.entries[i].text for i in pictures.splits[split]}
    assert alike not in {found.entries[i].text for i in found.splits[split]}


def test_parts_of_every_held_out_composition_occur_in_training(pictures):
    train = entries_of(pictures, "train")
    opposite = {"man": "woman", "woman": "man"}
    toned_bases = {e.base for e in train if e.skin_tones}
    tones = {e.skin_tones for e in train}
    tones_of_gender = {(e.gender, e.skin_tones) for e in train}
    tones_of_role = {(e.role, e.gender, e.skin_tones) for e in train}
    roles = {(e.role, e.gender) for e in train}
    hairs = {(e.gender, e.hair) for e in train if e.hair}
    for split in ("validation", "unseen_composition"):
        for i in pictures.splits[split]:
            entry, name = pictures.entries[i], pictures.entries[i].names["en"]
            if pictures.kinds[i] == "skin tone":
                assert entry.skin_tones, name
                assert entry.base in toned_bases, name
                assert entry.skin_tones in tones, name
            elif pictures.kinds[i] == "gender":
                other = opposite[entry.gender]
                assert (entry.role, other) in roles, name
                found = {(entry.role, gender, entry.skin_tones) for gender in (other, "")}
                assert found & tones_of_role, name
                assert (entry.gender, entry.skin_tones) in tones_of_gender, name
            else:
                assert pictures.kinds[i] == "hair", name
                assert (opposite[entry.gender], entry.hair) in hairs, name
                assert any(gender == entry.gender for gender, _ in hairs), name


def test_held_out_compositions_never_occur_in_training(pictures):
    train = entries_of(pictures, "train")
    tones = {(e.base, e.skin_tones) for e in train}
    genders = {(e.role, e.gender) for e in train if e.role}
    hairs = {(e.gender, e.hair) for e in train if e.hair}
    for split in ("validation", "unseen_composition"):
        for i in pictures.splits[split]:
            entry = pictures.entries[i]
            found = {
                "skin tone": (entry.base, entry.skin_tones) in tones,
                "gender": (entry.role, entry.gender) in genders,
                "hair": (entry.gender, entry.hair) in hairs,
            }
            assert not found[pictures.kinds[i]], entry.names["en"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_tokens_of_held_out_compositions_are_all_trained_on(pictures, language):
    known = {token for name in pictures.names(language, pictures.splits["train"]) for token in tokenise(name)}
    for split in ("validation", "unseen_composition"):
        names = pictures.names(language, pictures.splits[split])
        assert [name for name in names if not known >= set(tokenise(name))] == []


def test_kinds_are_given_to_compositions_only(pictures):
    compositions = {*pictures.splits["validation"], *pictures.splits["unseen_composition"]}
    for i, kind in enumerate(pictures.kinds):
        assert bool(kind) == (i in compositions)
    for split, expected in (
        ("unseen_composition", {"skin tone", "gender", "hair"}),
        ("validation", {"skin tone", "gender"}),
    ):
        assert {pictures.kinds[i] for i in pictures.splits[split]} == expected


def test_each_base_keeps_tones_in_training(pictures):
    """At most two tones of one base are held out."""
    found = Counter(
        pictures.entries[i].base
        for split in ("validation", "unseen_composition")
        for i in pictures.splits[split]
        if pictures.kinds[i] == "skin tone"
    )
    assert max(found.values()) <= 2


def test_unseen_artist_shows_what_was_trained_on_as_drawn_by_the_other(pictures):
    trained = {entry.text for entry in entries_of(pictures, "train")}
    shown = [entry.text for entry in entries_of(pictures, "unseen_artist")]
    assert set(shown) <= trained
    assert len(set(shown)) == len(shown)
    assert len(shown) > 0.85 * len(trained)


def test_unseen_concepts_are_things_that_nothing_in_training_shows(pictures):
    trained = {entry.base for entry in entries_of(pictures, "train")}
    for entry in entries_of(pictures, "unseen_concept"):
        assert not entry.person and entry.group not in ("Flags", emoji.UNGROUPED)
        assert entry.base not in trained


def texts_of_splits(pictures: emoji.EmojiPictures) -> dict[str, list[str]]:
    return {split: sorted(pictures.entries[i].text for i in rows) for split, rows in pictures.splits.items()}


def test_splits_depend_on_neither_size_nor_artists(pictures):
    expected = texts_of_splits(pictures)
    assert texts_of_splits(emoji.load(72)) == expected
    assert texts_of_splits(emoji.load(64, ("openmoji", "twemoji"))) == expected
    assert texts_of_splits(emoji.load(64, ("twemoji",))) == expected | {"unseen_artist": []}
    only = texts_of_splits(emoji.load(64, ("openmoji",)))
    assert only == {split: [] for split in emoji.SPLITS} | {"unseen_artist": expected["unseen_artist"]}


FINGERPRINT = """
import hashlib
from mmcourse.data import emoji
cells = sorted((text, *cell) for text, cell in emoji.split_cells().items())
print(hashlib.sha256(repr(cells).encode()).hexdigest())
"""


@pytest.mark.parametrize("seed", ["0", "1"])
def test_a_fresh_process_draws_the_same_splits(seed):
    cells = sorted((text, *cell) for text, cell in emoji.split_cells().items())
    expected = hashlib.sha256(repr(cells).encode()).hexdigest()
    environment = os.environ | {"PYTHONHASHSEED": seed}
    found = subprocess.run(
        [sys.executable, "-c", FINGERPRINT], capture_output=True, text=True, env=environment, timeout=60
    )
    assert found.stdout.strip() == expected, found.stderr


def test_drawing_the_splits_does_not_touch_the_global_random_state(monkeypatch):
    np.random.seed(3)
    expected = np.random.random()
    np.random.seed(3)
    assert emoji.split_cells.__wrapped__() == emoji.split_cells()
    assert np.random.random() == expected


def test_names(pictures):
    rows = pictures.splits["validation"][:3]
    assert pictures.names("en", rows) == [pictures.entries[i].names["en"] for i in rows]
    assert len(pictures.names("zh")) == len(pictures.entries)
    assert pictures.names("zh", []) == []
    with pytest.raises(ValueError, match=r"unknown language 'xx'; .*en \(English\).*ar \(Arabic\)"):
        pictures.names("xx")
    with pytest.raises(ValueError, match="unknown language 'EN'"):
        emoji.check_language("EN")
    assert all(emoji.check_language(code) is None for code in emoji.LANGUAGES)


@pytest.mark.parametrize("size", [-64, 0, 7, 513, 10_000])
def test_size_out_of_range(size):
    with pytest.raises(ValueError, match=f"size must be between 8 and 512 pixels, got {size}"):
        emoji.load(size)


@pytest.mark.parametrize(
    "artists", [(), ("picasso",), ("twemoji", "picasso"), "twemoji", ("twemoji", "twemoji")]
)
def test_unknown_artists(artists):
    with pytest.raises(ValueError, match=r"artists must be .*'twemoji', 'openmoji'"):
        emoji.load(64, artists)


# Single pictures


@pytest.mark.parametrize("artist", emoji.ARTISTS)
def test_picture_of_is_the_picture_of_the_set(pictures, artist):
    rows = [i for i, by in enumerate(pictures.artists) if by == artist][::400]
    for i in rows:
        drawn = emoji.picture_of(pictures.entries[i].text, 64, artist)
        assert drawn.dtype == np.uint8
        np.testing.assert_array_equal(drawn, pictures.images[i])


@pytest.mark.parametrize("artist", emoji.ARTISTS)
@pytest.mark.parametrize("size", [1, 20, 100])
def test_a_red_heart_is_red_on_white(artist, size):
    drawn = emoji.picture_of("❤️", size, artist).astype(int)
    assert drawn.shape == (size, size, 3)
    middle = drawn[size // 2, size // 2]
    assert middle[0] > 180 and middle[0] > 1.2 * middle[1:].max()
    if size > 1:
        np.testing.assert_array_equal(drawn[-1, [0, -1]], np.full((2, 3), 255))


@pytest.mark.parametrize("artist", emoji.ARTISTS)
def test_picture_style_makes_no_difference(artist):
    with_style, without = "❤\ufe0f", "❤"
    drawn = emoji.picture_of(with_style, 24, artist)
    np.testing.assert_array_equal(emoji.picture_of(without, 24, artist), drawn)


@pytest.mark.parametrize(
    "text", ["", "\ufe0f", "\u200d", " ", "a", "red heart", "❤️❤️", "😀😃", " 😀", "\U0010ffff", "\0"]
)
@pytest.mark.parametrize("artist", emoji.ARTISTS)
def test_what_is_not_one_emoji(text, artist):
    with pytest.raises(ValueError, match=f"is not an emoji that {artist} has drawn"):
        emoji.picture_of(text, 16, artist)


@given(st.text(max_size=5))
@settings(deadline=None, max_examples=50)
def test_any_text_is_drawn_or_refused(text):
    try:
        assert emoji.picture_of(text, 8).shape == (8, 8, 3)
    except ValueError as error:
        assert "is not an emoji" in str(error)


@pytest.mark.parametrize("artist", emoji.ARTISTS)
@pytest.mark.parametrize("size", [0, -1])
def test_size_of_a_single_picture_must_be_positive(artist, size):
    with pytest.raises(ValueError, match=f"size must be at least 1, got {size}"):
        emoji.picture_of("❤️", size, artist)


@pytest.mark.parametrize("artist", ["picasso", "emoji-names"])
def test_picture_by_an_unknown_artist(artist):
    with pytest.raises(ValueError):
        emoji.picture_of("❤️", 16, artist)


# Statistics


def test_statistics_are_those_of_the_entries_and_pictures(entries, pictures):
    figures = emoji.statistics()
    english = [entry.names["en"] for entry in entries]
    words = [word for name in english for word in name.split()]
    expected = {
        "emoji with a Twemoji picture": 3944,
        "of these with an OpenMoji picture too": pictures.artists.count("openmoji"),
        "different English names": 3944,
        "languages": 14,
        "emoji that show a person or a part of one": len([1 for entry in entries if entry.person]),
        "emoji with a skin tone": len([1 for entry in entries if set(entry.text) & set("🏻🏼🏽🏾🏿")]),
        "emoji with two skin tones": len([1 for entry in entries if len(entry.skin_tones) == 2]),
        "emoji newer than the group table": [entry.group for entry in entries].count(emoji.UNGROUPED),
        "different English words": len(set(words)),
        "words in the longest English name": max(name.count(" ") + 1 for name in english),
        "different characters in Chinese names": len(set("".join(entry.names["zh"] for entry in entries))),
    }
    at_72 = emoji.load(72)
    for artist, label in (("twemoji", "Twemoji"), ("openmoji", "OpenMoji")):
        found = Counter(at_72.images[i].tobytes() for i, by in enumerate(at_72.artists) if by == artist)
        alike = sum(count for count in found.values() if count > 1)
        expected[f"{label} pictures that look exactly like another"] = alike
    for split, rows in pictures.splits.items():
        expected[f"pictures in the split '{split}'"] = len(rows)
    assert figures == expected
    assert all(isinstance(value, int) and value > 0 for value in figures.values())


# The folder of derived pictures


@pytest.fixture
def drawing(tmp_path, monkeypatch):
    """An empty folder for derived pictures, and a fast drawing that counts how often it is asked."""
    emoji.load(64)  # everything else is read from the reader's own folder first
    for artist in emoji.ARTISTS:
        emoji._duplicates(artist)
    monkeypatch.setattr(store, "cache_folder", lambda: tmp_path / "cache")
    drawn = []

    def draw(art, size):
        drawn.append(art[0])
        return np.full((size, size, 3), len(art[1]) % 256, dtype=np.uint8)

    monkeypatch.setattr(emoji, "_draw", draw)
    original = emoji._render.__wrapped__

    def forget():
        monkeypatch.setattr(emoji, "_render", functools.cache(original))

    forget()
    return tmp_path / "cache" / "derived", drawn, forget


def test_pictures_are_drawn_once_and_kept(drawing):
    folder, drawn, forget = drawing
    first = emoji.load(8, ("twemoji",))
    assert len(drawn) == len(first.images) == 3944
    assert len(list(folder.glob("*.npz"))) == 1
    forget()
    second = emoji.load(8, ("twemoji",))
    assert len(drawn) == 3944
    np.testing.assert_array_equal(first.images, second.images)
    forget()
    emoji.load(9, ("twemoji",))
    assert len(drawn) == 2 * 3944
    assert len(list(folder.glob("*.npz"))) == 2


def test_damaged_pictures_are_drawn_again(drawing, capsys):
    folder, drawn, forget = drawing
    first = emoji.load(8, ("twemoji",))
    (path,) = folder.glob("*.npz")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    forget()
    second = emoji.load(8, ("twemoji",))
    assert len(drawn) == 2 * 3944
    np.testing.assert_array_equal(first.images, second.images)
    assert f"{path.name} is damaged and is made again" in capsys.readouterr().err
    assert path.stat().st_size == len(whole)


def test_pictures_are_loaded_where_the_folder_cannot_be_written(drawing, capsys):
    folder, _, _ = drawing
    folder.parent.mkdir()
    folder.write_text("a file where the folder should be")
    pictures = emoji.load(8, ("twemoji",))
    assert pictures.images.shape == (3944, 8, 8, 3)
    assert "could not be kept" in capsys.readouterr().err
