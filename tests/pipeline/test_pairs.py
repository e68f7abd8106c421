"""Pairs: what one must say of itself, and the frame that is nearest in time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcourse import pipeline
from mmcourse.pipeline import Pair, Provenance

FREE = Provenance("a test", "CC0", "no person is in it", "2024")


def test_a_pair_says_what_is_missing():
    pair = Pair("1", {"picture": np.zeros((2, 2)), "sound": None}, "ann", {"picture": FREE})
    assert pair.missing == ("sound",)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"key": ""}, "needs a key and a group"),
        ({"group": ""}, "needs a key and a group"),
        ({"parts": {"picture": 1}}, "needs two modalities or more"),
        ({"parts": {"picture": None, "text": None}}, "one of them known, got none"),
        ({"provenance": {"picture": FREE}}, "does not say where its 'text' comes from"),
    ],
)
def test_an_incomplete_pair_is_refused(changes, match):
    fields = {
        "key": "1",
        "parts": {"picture": 1, "text": "a"},
        "group": "g",
        "provenance": {"picture": FREE, "text": FREE},
    }
    Pair(**fields)
    with pytest.raises(ValueError, match=match):
        Pair(**(fields | changes))


@pytest.mark.parametrize("field", ["source", "licence", "consent", "collected"])
@pytest.mark.parametrize("value", ["", "  ", None])
def test_no_field_of_the_provenance_may_be_empty(field, value):
    fields = {"source": "a", "licence": "b", "consent": "c", "collected": "d"}
    with pytest.raises(ValueError, match=f"{field} must say something"):
        Provenance(**(fields | {field: value}))


@given(
    st.lists(st.integers(-50, 150), min_size=1, max_size=20),
    st.lists(st.integers(0, 100), min_size=1, max_size=20, unique=True).map(sorted),
    st.integers(0, 30),
)
@settings(deadline=None)
def test_the_nearest_frame_is_that_of_a_plain_search(times, frame_times, farthest):
    distances = np.abs(np.array(times)[:, None] - np.array(frame_times))
    expected = distances.argmin(axis=1)  # the first of equally near ones
    np.testing.assert_array_equal(pipeline.nearest_frame(times, frame_times), expected)
    found = pipeline.nearest_frame(times, frame_times, farthest)
    np.testing.assert_array_equal(found, np.where(distances.min(axis=1) <= farthest, expected, -1))


@pytest.mark.parametrize("frame_times", [[], [0.0, 0.0], [1.0, 0.5], [[0.0]]])
def test_frame_times_must_increase(frame_times):
    with pytest.raises(ValueError, match="they must increase"):
        pipeline.nearest_frame([0.0], frame_times)


def test_a_frame_exactly_as_far_as_allowed_is_near_enough():
    """0.39 - 0.36 is a little more than 0.03 in floating point."""
    film = np.delete(np.arange(50), [10, 11, 12]) * 0.04
    found = pipeline.nearest_frame(np.arange(0, 2, 0.01), film, farthest=0.03)
    assert (found < 0).sum() == 9
