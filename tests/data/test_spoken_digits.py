"""The spoken digits: all there, split evenly, by six speakers without their names."""

import numpy as np
import pytest
from sklearn.cluster import KMeans

from mmcourse.data import archives, spoken_digits


@pytest.fixture(scope="module")
def digits():
    return spoken_digits.load()


def test_all_are_there(digits):
    assert len(digits.recordings) == 3000
    np.testing.assert_array_equal(np.bincount(digits.digits), [300] * 10)
    lengths = np.array([len(recording) for recording in digits.recordings])
    assert (np.median(lengths), lengths.min(), lengths.max(), lengths.sum()) == (17, 6, 92, 53_999)
    assert {recording.shape[1] for recording in digits.recordings} == {13}


def test_every_digit_is_split_in_the_same_shares(digits):
    joined = np.concatenate(list(digits.splits.values()))
    np.testing.assert_array_equal(np.sort(joined), np.arange(3000))
    for name, count in (("train", 240), ("validation", 30), ("test", 30)):
        np.testing.assert_array_equal(np.bincount(digits.digits[digits.splits[name]]), [count] * 10)


def test_statistics_come_from_the_training_part(digits):
    frames = np.concatenate([digits.standardised(index) for index in digits.splits["train"]])
    np.testing.assert_allclose(frames.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(frames.std(axis=0), 1, atol=1e-3)


def test_padding(digits):
    frames, mask = digits.padded(digits.splits["test"][:4], 20)
    assert frames.shape == (4, 20, 13) and frames.dtype == np.float32 and mask.dtype == bool
    for row, index in enumerate(digits.splits["test"][:4]):
        length = min(20, len(digits.recordings[index]))
        assert mask[row].sum() == length and mask[row, :length].all()
        np.testing.assert_array_equal(frames[row, :length], digits.standardised(index)[:length])
        assert not frames[row, length:].any()
    for sequences, length, message in (
        ([], 3, "at least one sequence"),
        ([np.zeros((2, 3))], 0, "length must be at least 1"),
    ):
        with pytest.raises(ValueError, match=message):
            spoken_digits.pad(sequences, length)


def test_clustering_finds_six_speakers_with_fifty_recordings_of_each_digit(digits):
    means = np.array([recording.mean(axis=0) for recording in digits.recordings])
    means -= np.array([means[digits.digits == digit].mean(axis=0) for digit in range(10)])[digits.digits]
    group = KMeans(6, n_init=10, random_state=0).fit_predict(means / means.std(axis=0))
    table = np.array([np.bincount(digits.digits[group == one], minlength=10) for one in range(6)])
    assert np.abs(table - 50).mean() < 8  # a set without speakers gives about 20


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"X": np.zeros((5, 12))}, r"X must be finite frames \(frames, 13\)"),
        ({"X": np.full((5, 13), np.nan)}, "X must be finite"),
        ({"lengths": np.array([2, 2])}, "lengths must give each .* sum 4"),
        ({"lengths": np.array([5, 0])}, "lengths must give"),
        ({"lengths": np.array([5])}, "lengths must give"),
        ({"y": np.array([1, 10])}, "digits from 0 to 9"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(changed, message):
    good = {"X": np.zeros((5, 13)), "y": np.array([1, 2]), "lengths": np.array([2, 3])}
    spoken_digits._checked(good)
    with pytest.raises(archives.ArchiveError, match=message):
        spoken_digits._checked({**good, **changed})


def test_statistics_for_the_datasheet():
    found = spoken_digits.statistics()
    assert {"recordings": 3000, "frames": 53_999, "recordings of each digit": 300}.items() <= found.items()
    assert all(type(number) in (int, float) for number in found.values())
