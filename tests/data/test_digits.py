"""The handwritten digits: what the datasheet says, the splits, the kept table."""

import dataclasses
import os

import numpy as np
import pytest

from mmcourse import store
from mmcourse.data import digits


def test_digits_are_what_the_datasheet_says():
    data = digits.load()
    assert data.images.shape == (5000, 28, 28) and data.images.dtype == np.uint8
    assert data.labels.shape == (5000,) and data.labels.dtype == np.uint8
    assert np.bincount(data.labels).tolist() == [500] * 10
    assert (data.images.min(), data.images.max()) == (0, 255)
    assert data.images[:, :2].mean() < 1 and data.images[:, 10:18, 10:18].mean() > 60, "ink on paper"
    assert len({image.tobytes() for image in data.images}) == 5000, "no picture stands twice"
    assert data.tier == "course"


def test_splits_are_disjoint_complete_and_balanced():
    data = digits.load()
    assert {name: len(rows) for name, rows in data.splits.items()} == {
        "train": 3500, "validation": 500, "test": 1000,
    }  # fmt: skip
    everything = np.concatenate(list(data.splits.values()))
    assert np.array_equal(np.sort(everything), np.arange(5000))
    for name, rows in data.splits.items():
        assert np.array_equal(rows, np.sort(rows)) and rows.dtype == np.int64
        images, labels = data.part(name)
        assert set(np.bincount(labels)) == {len(rows) // 10}
        assert len(images) == len(labels) == len(rows)


def test_splits_are_the_same_each_time():
    first, second = digits.load(), digits.load()
    for name in digits.SPLITS:
        np.testing.assert_array_equal(first.splits[name], second.splits[name])
    assert first.splits["test"][:5].tolist() == [4, 6, 9, 13, 19]


def test_statistics_of_the_datasheet():
    figures = digits.statistics()
    assert figures["pictures"] == figures["different pictures"] == 5000
    assert figures["pictures of each digit"] == 500
    assert figures["pictures in the split 'test'"] == 1000
    assert 0.7 < figures["share of pixels without any ink"] < 0.9
    assert figures["pixels from the centre of the ink to the middle, mean"] < 1


def test_an_unknown_split_is_refused():
    with pytest.raises(ValueError, match="unknown split 'dev'; expected one of: train, validation, test"):
        digits.load().part("dev")


def test_digits_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        digits.load().labels = None


def test_a_kept_table_is_found_again_and_a_damaged_one_made_again(tmp_path, monkeypatch, capsys):
    os.symlink(store.cache_folder() / "archives", tmp_path / "archives")
    (tmp_path / "locks").mkdir()
    monkeypatch.setenv("MMCOURSE_DATA", str(tmp_path))
    expected = digits.load()
    (kept,) = (tmp_path / "derived").glob("*.npz")
    monkeypatch.setattr(digits, "_read", lambda: pytest.fail("it is read again"))
    np.testing.assert_array_equal(digits.load().images, expected.images)
    monkeypatch.undo()
    monkeypatch.setenv("MMCOURSE_DATA", str(tmp_path))
    kept.write_bytes(b"damaged")
    np.testing.assert_array_equal(digits.load().images, expected.images)
    assert "is damaged and is made again" in capsys.readouterr().err
