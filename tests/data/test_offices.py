"""The two offices: parts that do not overlap, pairs inside a part, and tests that use nothing twice."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcourse import pipeline
from mmcourse.data import offices

DATA = offices.load()
FIRST = ("train", "validation", "test", "later", "next")
PARTS = (*FIRST, "second later", "second next", "second test")


def test_shapes_and_ranges():
    assert DATA.pictures.shape == (6797, 14, 14) and DATA.pictures.dtype == np.float64
    assert DATA.pictures.min() == 0 and DATA.pictures.max() <= 1
    assert DATA.written.shape == (6797,) and len(DATA.recordings) == len(DATA.said) == 3000
    assert (DATA.pictures[5000:, :2] == 0).all() and (DATA.pictures[5000:, 2:12, 2:12] > 0.9).any()


def test_parts_are_disjoint_and_whole_and_the_offices_apart():
    pipeline.check_splits(DATA.picture_parts, 6797)
    pipeline.check_splits(DATA.recording_parts, 3000)
    assert set(DATA.picture_parts) == set(PARTS) and set(DATA.recording_parts) == set(FIRST)
    for name, rows in DATA.picture_parts.items():
        assert (rows >= 5000).all() if name.startswith("second") else (rows < 5000).all()


@given(st.sampled_from(PARTS), st.integers(0, 60), st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_a_pair_is_one_digit_inside_a_part(part, count, seed):
    pairs = DATA.pairs(part, count, np.random.default_rng(seed))
    assert all(len(rows) == count for rows in pairs)
    np.testing.assert_array_equal(DATA.written[pairs.pictures], pairs.digits)
    np.testing.assert_array_equal(DATA.said[pairs.recordings], pairs.digits)
    assert np.isin(pairs.pictures, DATA.picture_parts[part]).all()
    assert np.isin(pairs.recordings, DATA.recording_parts[part.removeprefix("second ")]).all()
    again = DATA.pairs(part, count, np.random.default_rng(seed))
    assert all((one == other).all() for one, other in zip(pairs, again, strict=True))


@pytest.mark.parametrize("share", [0, 0.25, 1])
def test_a_week_has_its_share_of_the_second_office(share):
    week = DATA.week(share, 80, np.random.default_rng(0))
    assert (week.pictures >= 5000).sum() == 80 * share
    np.testing.assert_array_equal(DATA.written[week.pictures], DATA.said[week.recordings])


@pytest.mark.parametrize("office", ["first", "second"])
def test_tests_use_nothing_twice_and_are_always_the_same(office):
    tests = DATA.tests(office)
    assert len(set(tests.pictures)) == len(set(tests.recordings)) == 300
    np.testing.assert_array_equal(DATA.written[tests.pictures], tests.digits)
    np.testing.assert_array_equal(DATA.said[tests.recordings], tests.digits)
    assert (np.bincount(tests.digits) == 30).all()
    np.testing.assert_array_equal(tests.pictures, DATA.tests(office).pictures)


def test_what_is_not_there_is_refused():
    random = np.random.default_rng(0)
    with pytest.raises(ValueError, match="unknown split 'monday'"):
        DATA.pairs("monday", 3, random)
    with pytest.raises(ValueError, match="must not be negative"):
        DATA.pairs("train", -1, random)
    with pytest.raises(ValueError, match="between 0 and 1"):
        DATA.week(1.5, 10, random)
    with pytest.raises(ValueError, match="one of first, second"):
        DATA.tests("third")
