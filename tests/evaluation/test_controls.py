"""What is taken away is gone, and nothing else changes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcourse.evaluation import controls


def pair(count: int, seed: int = 0) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    return {
        "image": random.integers(0, 256, (count, 4, 5, 3), dtype=np.uint8),
        "sound": random.normal(size=(count, 7)).astype(np.float32),
    }


@given(st.integers(2, 400), st.integers(0, 2**32))
@settings(deadline=None)
def test_no_row_keeps_its_own_and_none_is_lost(count, seed):
    inputs = {"image": np.arange(count), "sound": -np.arange(count)}
    permuted = controls.permute(inputs, "image", seed)
    assert not (permuted["image"] == inputs["image"]).any()
    assert sorted(permuted["image"].tolist()) == list(range(count))
    np.testing.assert_array_equal(inputs["image"], np.arange(count))


@given(st.integers(2, 20), st.integers(0, 100), st.sampled_from(["image", "sound"]))
@settings(deadline=None)
def test_whole_rows_are_moved_and_the_rest_is_passed_on(count, seed, modality):
    inputs = pair(count, seed)
    permuted = controls.permute(inputs, modality, seed)
    order = controls.permute({modality: np.arange(count)}, modality, seed)[modality]
    np.testing.assert_array_equal(permuted[modality], inputs[modality][order])
    assert permuted[modality].dtype == inputs[modality].dtype
    (other,) = set(inputs) - {modality}
    assert permuted[other] is inputs[other]
    assert list(permuted) == list(inputs)


def test_texts_can_be_permuted_too():
    inputs = {"prompt": ["what", "how many", "where"], "image": np.zeros((3, 2))}
    permuted = controls.permute(inputs, "prompt", 3)["prompt"]
    assert sorted(permuted) == sorted(inputs["prompt"])
    assert all(new != old for new, old in zip(permuted, inputs["prompt"], strict=True))


def test_seed_decides_the_order():
    inputs = {"image": np.arange(100)}
    first = controls.permute(inputs, "image")["image"]
    np.testing.assert_array_equal(first, controls.permute(inputs, "image", seed=0)["image"])
    assert (first != controls.permute(inputs, "image", seed=1)["image"]).any()


def test_permuting_does_not_touch_the_global_random_state():
    np.random.seed(3)
    expected = np.random.random()
    np.random.seed(3)
    controls.permute({"image": np.arange(10)}, "image")
    assert np.random.random() == expected


@pytest.mark.parametrize("count", [0, 1])
def test_one_row_cannot_be_permuted(count):
    with pytest.raises(ValueError, match=f"'image' needs at least 2 examples, got {count}"):
        controls.permute({"image": np.zeros((count, 4, 4, 3))}, "image")


@pytest.mark.parametrize("modality", ["image", "sound"])
def test_a_blank_is_the_same_everywhere(modality):
    inputs = pair(3)
    before = {name: array.copy() for name, array in inputs.items()}
    for options, value in (({}, 0), ({"value": 255}, 255), ({"value": 7}, 7)):
        blank = controls.blank(inputs, modality, **options)
        assert (blank[modality].shape, blank[modality].dtype) == (
            inputs[modality].shape,
            inputs[modality].dtype,
        )
        assert (blank[modality] == value).all()
        (other,) = set(inputs) - {modality}
        assert blank[other] is inputs[other]
    for name, array in inputs.items():
        np.testing.assert_array_equal(array, before[name])


@pytest.mark.parametrize("value", [0.5, 256, -1])
def test_a_value_that_the_dtype_cannot_hold_is_refused(value):
    with pytest.raises(ValueError, match="dtype uint8, which cannot hold"):
        controls.blank(pair(2), "image", value)


def test_what_is_dropped_is_not_there():
    inputs = pair(4)
    assert set(controls.drop(inputs, "image")) == {"sound"}
    assert controls.drop(inputs, "image")["sound"] is inputs["sound"]
    assert set(inputs) == {"image", "sound"}
    with pytest.raises(ValueError, match="'image' is the only modality"):
        controls.drop({"image": inputs["image"]}, "image")


@pytest.mark.parametrize("control", [controls.permute, controls.blank, controls.drop])
def test_an_unknown_modality_is_named_with_those_that_there_are(control):
    with pytest.raises(ValueError, match="one of image, sound, got 'video'"):
        control(pair(3), "video")


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
