"""Scores of answers, of what is invented, and of language models: by hand, by brute force, by property."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcourse.evaluation import texts

# Accuracy of answers


@pytest.mark.parametrize(
    ("same", "plain", "official"),
    [(0, 0, 0), (1, 1 / 3, 0.3), (2, 2 / 3, 0.6), (3, 1, 0.9), (4, 1, 1), (10, 1, 1)],
)
def test_vqa_accuracy_by_hand(same, plain, official):
    people = ["red"] * same + ["blue"] * (10 - same)
    assert texts.vqa_accuracy(["red"], [people], leave_one_out=False) == pytest.approx(plain)
    assert texts.vqa_accuracy(["red"], [people]) == pytest.approx(official)


def test_vqa_accuracy_equals_the_mean_over_all_choices_of_nine():
    random = np.random.default_rng(0)
    for _ in range(200):
        people = random.choice(["a", "b", "c", "d"], size=int(random.integers(2, 12))).tolist()
        answer = str(random.choice(["a", "b", "e"]))
        subsets = list(itertools.combinations(people, len(people) - 1))
        expected = np.mean([min(subset.count(answer) / 3, 1) for subset in subsets])
        assert texts.vqa_accuracy([answer], [people]) == pytest.approx(expected)


def test_vqa_accuracy_is_a_mean_and_normalises():
    assert texts.vqa_accuracy(["a", "b"], [["a"] * 10, ["c"] * 10]) == 0.5
    assert texts.vqa_accuracy([" Two"], [["two"] * 10]) == 0
    assert texts.vqa_accuracy([" Two"], [["two"] * 10], normalise=lambda text: text.strip().lower()) == 1


def test_vqa_accuracy_refuses():
    with pytest.raises(ValueError, match="got 1 answers to 2 questions"):
        texts.vqa_accuracy(["a"], [["a", "b"], ["c", "d"]])
    with pytest.raises(ValueError, match="got 0 answers"):
        texts.vqa_accuracy([], [])
    with pytest.raises(ValueError, match="question 0 needs the answers of at least two people, got 'red'"):
        texts.vqa_accuracy(["red"], ["red"])


# Objects that are not there

NAMES = {
    "dog": "dog",
    "dogs": "dog",
    "hot dog": "food",
    "cat": "cat",
    "dining table": "table",
    "table": "table",
}


def test_chair_by_hand():
    captions = ["a dog and dogs by a dining table", "a hot dog", "a cat and a dog", "nothing"]
    present = [{"dog"}, {"food"}, {"cat"}, set()]
    found = texts.chair(captions, present, NAMES, tokenise=str.split)
    assert found.objects == [["table"], [], ["dog"], []]
    assert found.of_objects == 2 / 5  # dog, table; food; cat, dog
    assert found.of_texts == 2 / 4


def test_chair_of_tokens_and_of_captions_that_name_nothing():
    assert texts.chair([["a", "hot", "dog"]], [["food"]], NAMES).of_objects == 0
    assert texts.chair([["hot"], []], [set(), {"dog"}], NAMES) == (0, 0, [[], []])
    chinese = texts.chair(["一只狗"], [{"cat"}], {"狗": "dog", "猫": "cat"}, tokenise=list)
    assert chinese == (1, 1, [["dog"]])


@given(
    st.lists(
        st.lists(st.sampled_from(["a", "dog", "cat", "hot", "table"]), max_size=7), min_size=1, max_size=5
    )
)
@settings(deadline=None)
def test_chair_keeps_to_its_scale(captions):
    everything = set(NAMES.values())
    found = texts.chair(captions, [everything] * len(captions), NAMES)
    assert found.of_objects == found.of_texts == 0
    found = texts.chair(captions, [set()] * len(captions), NAMES)
    mentions = any(map(bool, found.objects))
    assert found.of_objects == mentions and found.of_texts == np.mean([bool(row) for row in found.objects])


def test_chair_refuses():
    with pytest.raises(ValueError, match="got 1 captions of 2 pictures"):
        texts.chair([["a"]], [set(), set()], NAMES)
    with pytest.raises(ValueError, match="no name is given for: horse"):
        texts.chair([["a"]], [{"horse", "dog"}], NAMES)
    with pytest.raises(ValueError, match="expected lists of tokens, or strings with tokenise="):
        texts.chair(["a dog"], [{"dog"}], NAMES)


# Repetition


def test_distinct_n():
    assert texts.distinct_n([list("aaaa")], 1) == 1 / 4
    assert texts.distinct_n([list("abab"), ["a"]], 2) == 2 / 3
    assert texts.distinct_n(["a b", "a b"], 2, tokenise=str.split) == 1 / 2
    with pytest.raises(ValueError, match="no text has 3 tokens"):
        texts.distinct_n([list("ab")], 3)
    with pytest.raises(ValueError, match="expected lists of tokens"):
        texts.distinct_n(["abab"])


# Language models


def test_perplexity_by_hand():
    assert texts.perplexity(np.log([1 / 2, 1 / 4, 1 / 8])) == pytest.approx(4)
    assert texts.perplexity(np.log(np.full((3, 5), 1 / 7))) == pytest.approx(7)
    assert texts.perplexity(np.array([0.0])) == 1
    assert texts.perplexity(np.array([-np.inf, 0.0])) == math.inf


def test_perplexity_of_predictions_and_true_tokens():
    random = np.random.default_rng(0)
    for _ in range(200):
        shape = tuple(random.integers(1, 5, size=2))
        logits = random.normal(size=(*shape, 6)) * 3
        logarithms = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
        token_ids = random.integers(6, size=shape)
        mask = random.random(shape) < 0.7
        mask.flat[0] = True
        chosen = [logarithms[i][token_ids[i]] for i in np.ndindex(*shape) if mask[i]]
        expected = np.exp(-np.mean(chosen))
        assert texts.perplexity(logarithms, token_ids, mask) == pytest.approx(expected)
        assert texts.perplexity(logarithms.astype(np.float32), token_ids, mask) == pytest.approx(expected)


def test_bits_per_character():
    assert texts.bits_per_character(np.log([1 / 2, 1 / 8]), ["ab", "cd"]) == pytest.approx(1)
    # Cutting a token in two changes the perplexity, not the bits.
    whole, halves = np.log([1 / 16]), np.log([1 / 4, 1 / 4])
    assert texts.bits_per_character(whole, ["ab"]) == texts.bits_per_character(halves, ["ab"]) == 2
    assert texts.perplexity(whole) == pytest.approx(16) and texts.perplexity(halves) == pytest.approx(4)


def test_perplexity_refuses_what_are_no_logarithms_of_probabilities():
    with pytest.raises(ValueError, match="at most 0: take the log-softmax"):
        texts.perplexity(np.array([0.5, -1.0]))
    with pytest.raises(ValueError, match="sum to 2, not to 1"):
        texts.perplexity(np.zeros((3, 2)), np.zeros(3, int))
    with pytest.raises(ValueError, match=r"\(3, 2\) and \(4,\) of int"):
        texts.perplexity(np.log(np.full((3, 2), 0.5)), np.zeros(4, int))
    with pytest.raises(ValueError, match="outside the vocabulary of 2 tokens"):
        texts.perplexity(np.log(np.full((1, 2), 0.5)), np.array([2]))
    with pytest.raises(ValueError, match=r"mask has the shape \(2,\), the tokens \(3,\)"):
        texts.perplexity(np.zeros(3), mask=np.ones(2, bool))
    with pytest.raises(ValueError, match="no token to score"):
        texts.perplexity(np.zeros(3), mask=np.zeros(3, bool))
    with pytest.raises(ValueError, match="no characters"):
        texts.bits_per_character(np.zeros(3), ["", ""])
