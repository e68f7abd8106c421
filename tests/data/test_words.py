"""The headwords: which they are, how they are split, and that they are kept."""

import itertools
import re

import numpy as np
import pytest

from mmcourse import store
from mmcourse.data import archives, words


def test_families_are_held_out_as_a_whole():
    data = words.load()
    parts = {name: data.of(name) for name in ("train", "validation", "test")}
    assert len(data.words) == 48_233 and sum(map(len, parts.values())) == len(data.words)
    for one, other in itertools.combinations(parts.values(), 2):
        assert not set(map(words.family, one)) & set(map(words.family, other))
    for name in ("validation", "test"):
        assert 0.04 < len(parts[name]) / len(data.words) < 0.06
    assert list(data.words) == sorted(set(data.words))
    assert all(re.fullmatch("[a-z]{4,8}", word) for word in data.words)
    assert {"enlist", "listen", "silent", "tinsel"} <= set(data.words)
    assert data.tier == "course" and data.datasheet.endswith("words")


@pytest.mark.parametrize(("shortest", "longest"), [(1, 3), (6, 6)])
def test_lengths(shortest, longest):
    lengths = {len(word) for word in words.load(shortest, longest).words}
    assert lengths == set(range(shortest, longest + 1))


def test_splits_are_the_same_each_time():
    first, second = words.load(3, 5), words.load(3, 5)
    for split in ("train", "validation", "test"):
        np.testing.assert_array_equal(first.splits[split], second.splits[split])


@pytest.mark.parametrize(("shortest", "longest"), [(0, 3), (5, 4)])
def test_impossible_lengths_are_refused(shortest, longest):
    with pytest.raises(ValueError, match=f"got shortest {shortest} and longest {longest}"):
        words.load(shortest, longest)


def test_unknown_split_is_refused():
    with pytest.raises(ValueError, match="unknown split 'dev'; expected one of: train, validation, test"):
        words.load(3, 3).of("dev")


def test_the_archive_is_read_once(tmp_path, monkeypatch):
    folder = tmp_path / "archives"
    folder.mkdir()
    name = archives.load_sources()["dictionary"].filename
    (folder / name).symlink_to(store.cache_folder() / "archives" / name)
    monkeypatch.setenv("MMCOURSE_DATA", str(tmp_path))
    first = words.load(3, 4)
    (folder / name).unlink()
    monkeypatch.setattr(archives, "read_members", lambda name: pytest.fail("read again"))
    assert words.load(3, 4).words == first.words


def test_statistics_are_those_of_the_words():
    figures, data = words.statistics(), words.load()
    assert figures["words of four to eight letters"] == len(data.words)
    assert figures["families of words with the same letters"] == len(set(map(words.family, data.words)))
    assert figures["words in the split 'test'"] == len(data.of("test"))
    assert figures["words that share their letters with another"] > 10_000
