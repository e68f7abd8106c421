"""What is taken away is gone, and nothing else changes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcourse.evaluation import controls


@given(st.integers(2, 400), st.integers(0, 2**32))
@settings(deadline=None)
def test_no_picture_stays_and_none_is_lost(count, seed):
    pictures = np.arange(count)
    shuffled = controls.shuffled_images(pictures, seed)
    assert not (shuffled == pictures).any()
    assert sorted(shuffled.tolist()) == list(range(count))
    np.testing.assert_array_equal(pictures, np.arange(count))


@given(st.integers(2, 20), st.integers(0, 100))
@settings(deadline=None)
def test_whole_pictures_are_moved(count, seed):
    pictures = np.random.default_rng(seed).integers(0, 256, (count, 4, 5, 3), dtype=np.uint8)
    shuffled = controls.shuffled_images(pictures, seed)
    assert (shuffled.shape, shuffled.dtype) == (pictures.shape, pictures.dtype)
    order = controls.shuffled_images(np.arange(count), seed)
    np.testing.assert_array_equal(shuffled, pictures[order])


def test_seed_decides_the_order():
    pictures = np.arange(100)
    first = controls.shuffled_images(pictures)
    np.testing.assert_array_equal(first, controls.shuffled_images(pictures, seed=0))
    assert (first != controls.shuffled_images(pictures, seed=1)).any()


def test_shuffling_does_not_touch_the_global_random_state():
    np.random.seed(3)
    expected = np.random.random()
    np.random.seed(3)
    controls.shuffled_images(np.arange(10))
    assert np.random.random() == expected


@pytest.mark.parametrize("count", [0, 1])
def test_one_picture_cannot_be_shuffled(count):
    with pytest.raises(ValueError, match=f"at least 2 pictures, got {count}"):
        controls.shuffled_images(np.zeros((count, 4, 4, 3)))


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_blank_pictures(dtype):
    pictures = np.random.default_rng(0).integers(0, 200, (3, 4, 5, 3)).astype(dtype)
    before = pictures.copy()
    for options, value in (({}, 255), ({"value": 0}, 0), ({"value": 128}, 128)):
        blank = controls.blank_images(pictures, **options)
        assert (blank.shape, blank.dtype) == (pictures.shape, pictures.dtype)
        assert (blank == value).all()
    np.testing.assert_array_equal(pictures, before)


def test_swapped_prompts_stand_in_the_same_order():
    swap = {"in English": "用中文说", "用中文说": "in English", "unused": "unused"}
    prompts = ["in English", "用中文说", "in English"]
    assert controls.swapped_prompts(prompts, swap) == ["用中文说", "in English", "用中文说"]
    assert prompts == ["in English", "用中文说", "in English"]
    assert controls.swapped_prompts([], swap) == []


@pytest.mark.parametrize(
    "swap", [{}, {"in English": "用中文说"}, {"in English": "用中文说", "auf Deutsch": "auf Deutsch"}]
)
def test_prompt_without_another_is_refused_and_named(swap):
    with pytest.raises(ValueError, match="no other prompt for 'auf Deutsch'"):
        controls.swapped_prompts(["in English", "auf Deutsch"] if swap else ["auf Deutsch"], swap)
