"""The repaired program: what its image branches let through, and questions that need both modalities."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcourse.data import digits
from mmcourse.evaluation import controls
from mmcourse.generator import repair
from mmcourse.learning import training


@given(st.integers(0, 255), st.integers(1, 300))
@settings(deadline=None, max_examples=30)
def test_canvas_has_the_digit_in_its_middle_and_paper_around(level, scale):
    images = np.full((2, 28, 28), level, dtype=np.uint8)
    made = repair.canvas(images, scale)
    assert made.shape == (2, 32, 32, 3) and made.dtype == np.float32
    np.testing.assert_allclose(made[:, 2:30, 2:30], level / scale, rtol=1e-6)
    assert made.sum() == pytest.approx(made[:, 2:30, 2:30].sum())


@pytest.mark.parametrize(
    ("images", "scale", "message"),
    [
        (np.zeros((2, 28, 28)), 255, "must be uint8"),
        (np.zeros((28, 28), np.uint8), 255, "must be uint8"),
        (np.zeros((2, 32, 32), np.uint8), 255, "must be uint8"),
        (np.zeros((2, 28, 28), np.uint8), 0, "scale must be"),
    ],
)
def test_canvas_refuses_what_it_cannot_place(images, scale, message):
    with pytest.raises(ValueError, match=message):
        repair.canvas(images, scale)


def test_as_printed_it_has_the_size_of_the_articles_program():
    assert repair.build("as printed").count_params() == 4_125_104
    with pytest.raises(ValueError, match="branch must be one of: as printed, open"):
        repair.build("closed")


def test_the_two_branches_differ_in_one_layer():
    kinds = {
        branch: [type(layer).__name__ for layer in repair.build(branch).layers] for branch in repair.BRANCHES
    }
    assert [a for a, b in zip(*kinds.values(), strict=True) if a != b] == ["Embedding"]


def test_a_table_does_not_see_what_lies_below_one_and_an_open_branch_does():
    training.set_seed(0)
    grey = np.random.default_rng(0).integers(0, 255, (2, 4, 28, 28)).astype(np.uint8)
    text = repair.questions("validation").text[:4]
    one, other = (repair.canvas(images) for images in grey)
    white = np.minimum(other + (other > 0.99), 1)
    for branch in repair.BRANCHES:
        model = repair.build(branch)
        said = [model.predict([images, text], verbose=0) for images in (one, other, white)]
        assert said[0].shape == (4, repair.VOCABULARY)
        assert (np.abs(said[0] - said[1]).max() > 1e-9) == (branch == "open")
        assert np.abs(said[1] - said[2]).max() > 1e-9, "pure white has a row of its own"


@pytest.mark.parametrize("split", ["train", "test"])
def test_answers_are_the_digit_or_the_next(split):
    asked, labels = repair.questions(split), digits.load().part(split)[1]
    assert len(asked) == 2 * len(labels) == len(asked.images) == len(asked.text)
    for row in np.random.default_rng(0).integers(len(asked), size=50):
        prompt = " ".join(repair.WORDS[i] for i in asked.text[row] if i)
        digit = labels[row % len(labels)]
        assert prompt in repair.PROMPTS
        assert asked.answers[row] - repair.FIRST_ANSWER == (digit + (prompt == repair.PROMPTS[1])) % 10
    assert repair.WORDS[asked.answers.min()] == "zero" and repair.WORDS[asked.answers.max()] == "nine"


def test_each_modality_alone_says_half_or_a_tenth():
    """Both prompts are asked of each digit, and each answer is right for a tenth of a prompt's questions."""
    asked = repair.questions("test")
    assert set(np.bincount(asked.answers)[repair.FIRST_ANSWER :]) == {len(asked) // 10}
    swapped = controls.permute({"text": asked.text}, "text", 1)["text"]
    assert 0.45 < (swapped == asked.text).all(axis=1).mean() < 0.55


def test_without_pairs_the_same_images_stand_elsewhere():
    pairs, shuffled = repair.questions("test"), repair.questions("test", paired=False, seed=3)
    np.testing.assert_array_equal(pairs.text, shuffled.text)
    np.testing.assert_array_equal(pairs.answers, shuffled.answers)
    moved = (pairs.images != shuffled.images).any(axis=(1, 2))
    assert moved.mean() > 0.99
    assert sorted(map(bytes, pairs.images)) == sorted(map(bytes, shuffled.images))
    with pytest.raises(ValueError, match="split"):
        repair.questions("tset")


def test_learning_reports_its_four_shares_and_repeats_itself():
    quick = {"epochs": 1, "limit": 64, "seed": 1}
    first, again = repair.learn("open", **quick), repair.learn("open", **quick)
    assert first == again
    assert set(first) == {"test", "image permuted", "text permuted"}
    assert all(0 <= share <= 1 for share in first.values())
    with pytest.raises(ValueError, match="epochs"):
        repair.learn("open", epochs=0)
