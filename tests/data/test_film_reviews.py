"""The film reviews: all there, split by groups of like texts, and refused when damaged."""

import io
import tarfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcourse.data import archives, film_reviews


@pytest.fixture(scope="module")
def films():
    return film_reviews.load()


def test_film_reviews_are_all_there(films):
    assert len(films.texts) == len(films.ratings) == len(films.deviations) == len(films.groups) == 10_605
    assert films.texts[0].startswith("The Rock is destined")
    assert films.ratings.min() >= -4 and films.ratings.max() <= 4
    assert all(films.texts) and not any("\t" in text or "\r" in text for text in films.texts)
    assert films.tier == "course"


def test_film_reviews_are_split_by_group(films):
    assert tuple(films.splits) == ("train", "validation", "test")
    joined = np.concatenate(list(films.splits.values()))
    np.testing.assert_array_equal(np.sort(joined), np.arange(10_605))
    groups = [set(films.groups[rows]) for rows in films.splits.values()]
    assert not groups[0] & groups[1] and not groups[0] & groups[2] and not groups[1] & groups[2]
    assert abs(len(films.splits["test"]) - 1060) < 20
    assert all((np.diff(rows) > 0).all() for rows in films.splits.values())


def test_labels_of_film_reviews(films):
    indices, labels = films.clear("test")
    assert set(indices) <= set(films.splits["test"])
    assert (np.abs(films.ratings[indices]) >= 0.5).all()
    np.testing.assert_array_equal(labels, films.ratings[indices] > 0)
    assert 0.45 < labels.mean() < 0.55
    assert len(films.clear("test", 1)[0]) < len(indices)
    with pytest.raises(ValueError, match="unknown split 'dev'"):
        films.clear("dev")
    with pytest.raises(ValueError, match=r"least must be positive.*got 0"):
        films.clear("test", 0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It's a film.", ["it's", "a", "film"]),
        ("Don’t ''go''", ["don't", "go"]),
        ("A 3-hour\tfilm", ["a", "3", "hour", "film"]),
        ("...", []),
    ],
)
def test_words(text, expected):
    assert film_reviews.words(text) == expected


def test_texts_that_are_nearly_the_same_get_one_number():
    texts = ["a warm funny film", "A warm, FUNNY film!", "a warm and funny film", "a film", "nothing alike"]
    groups = film_reviews.group_alike(texts)
    assert groups[0] == groups[1] == groups[2]
    assert len(set(groups.tolist())) == 3


@given(st.lists(st.text("abcd ", max_size=9), min_size=1, max_size=12))
@settings(deadline=None, max_examples=60)
def test_grouping_finds_every_pair(texts):
    groups = film_reviews.group_alike(texts)
    sets = [set(film_reviews.words(text)) for text in texts]
    for i, one in enumerate(sets):
        for j, other in enumerate(sets):
            if one and len(one & other) >= film_reviews.ALIKE * len(one | other):
                assert groups[i] == groups[j]


def inner_archive(entries: list[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    stored = io.BytesIO()
    with tarfile.open(fileobj=stored, mode="w:gz") as archive:
        for info, content in entries:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return stored.getvalue()


def link(name: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
    return info


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no archive", "is damaged"),
        (inner_archive([(tarfile.TarInfo("a"), b"x")])[:60], "is damaged"),
        (inner_archive([(tarfile.TarInfo("b"), b"x")]), "lacks a"),
        (inner_archive([(link("a"), b"")]), "a: expected one plain file"),
        (inner_archive([(tarfile.TarInfo("a"), b"x")] * 2), "a: expected one plain file"),
        (inner_archive([(tarfile.TarInfo("a"), b"x" * 3_000_001)]), "3000001 bytes, expected at most"),
    ],
)
def test_a_bad_inner_archive_is_refused(content, message):
    with pytest.raises(archives.ArchiveError, match=message):
        film_reviews._inner_members(content, ("a",))


def test_rows_without_tabs_are_refused():
    with pytest.raises(archives.ArchiveError, match="at least three cells"):
        film_reviews._rows(b"1\t2\n", "a.txt")


def test_statistics_for_the_datasheet():
    found = film_reviews.statistics()
    assert {"snippets": 10_605, "snippets in between": 533}.items() <= found.items()
    assert all(type(number) in (int, float) for number in found.values())
    assert sum(number for label, number in found.items() if "split" in label) == 10_605
