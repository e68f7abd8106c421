"""Augmentation of texts: what each change may do, nothing at strength 0, the same under the same seed."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmcourse.text import augmentation

ALIKE = {"good": ("fine", "kind"), "film": ("movie",), "bad": ()}
CHANGES = {
    "delete": augmentation.delete,
    "swap": augmentation.swap,
    "replace": lambda words, strength, random: augmentation.replace(words, strength, random, ALIKE),
    "insert": lambda words, strength, random: augmentation.insert(words, strength, random, ALIKE),
    "misspell": augmentation.misspell,
}
WORDS = st.lists(
    st.sampled_from(["a", "good", "film", "bad", "not", "wonderful", "猫", "很好看的"]), max_size=12
)
EVERY = pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)


@EVERY
@given(words=WORDS)
def test_strength_zero_changes_nothing(change, words):
    assert change(words, 0, np.random.default_rng(0)) == words
    assert change(tuple(words), 0.0, np.random.default_rng(0)) == words


@EVERY
@given(words=WORDS, strength=st.floats(0, 1), seed=st.integers(0, 99))
def test_one_seed_gives_one_result_and_the_input_stays(change, words, strength, seed):
    before = list(words)
    results = [change(words, strength, np.random.default_rng(seed)) for _ in range(2)]
    assert results[0] == results[1] and words == before
    assert all(isinstance(word, str) and word for word in results[0])


@EVERY
@pytest.mark.parametrize("strength", [-0.1, 1.1, float("nan")])
def test_strength_is_checked(change, strength):
    with pytest.raises(ValueError, match="strength must be 0 to 1, got"):
        change(["a"], strength, np.random.default_rng(0))


@given(WORDS, st.floats(0, 1), st.integers(0, 99))
def test_delete_keeps_the_order_and_never_everything(words, strength, seed):
    kept = augmentation.delete(words, strength, np.random.default_rng(seed))
    rest = iter(words)
    assert all(word in rest for word in kept), "a subsequence"
    assert bool(kept) == bool(words)


def test_delete_takes_out_the_share_that_is_asked_for():
    kept = augmentation.delete(["a"] * 10_000, 0.3, np.random.default_rng(0))
    assert 6700 < len(kept) < 7300


@given(WORDS, st.floats(0, 1), st.integers(0, 99))
def test_swap_keeps_the_words(words, strength, seed):
    assert Counter(augmentation.swap(words, strength, np.random.default_rng(seed))) == Counter(words)


def test_swap_moves_two_words():
    words = [str(number) for number in range(10)]
    changed = augmentation.swap(words, 0.1, np.random.default_rng(0))
    assert sum(one != other for one, other in zip(words, changed, strict=True)) == 2


@given(WORDS, st.floats(0, 1), st.integers(0, 99))
def test_replace_puts_only_what_is_alike(words, strength, seed):
    changed = augmentation.replace(words, strength, np.random.default_rng(seed), ALIKE)
    assert len(changed) == len(words)
    for before, after in zip(words, changed, strict=True):
        assert after == before or after in ALIKE[before]


def test_replace_at_full_strength_replaces_all_that_can_be():
    changed = augmentation.replace(["a", "good", "bad", "film"], 1, np.random.default_rng(0), ALIKE)
    assert changed[0] == "a" and changed[2:] == ["bad", "movie"] and changed[1] in ALIKE["good"]


@given(WORDS, st.floats(0, 1), st.integers(0, 99))
def test_insert_keeps_the_words_and_their_order(words, strength, seed):
    changed = augmentation.insert(words, strength, np.random.default_rng(seed), ALIKE)
    rest = iter(changed)
    assert all(word in rest for word in words)
    allowed = {other for word in words for other in ALIKE.get(word, ())}
    assert set((Counter(changed) - Counter(words)).elements()) <= allowed


@given(WORDS, st.floats(0, 1), st.integers(0, 99))
def test_misspell_keeps_both_ends_and_changes_little(words, strength, seed):
    changed = augmentation.misspell(words, strength, np.random.default_rng(seed))
    for before, after in zip(words, changed, strict=True):
        assert (before[0], before[-1]) == (after[0], after[-1])
        assert abs(len(before) - len(after)) <= 1
        assert len(before) >= 4 or before == after


def test_misspell_makes_each_kind_of_typo():
    random = np.random.default_rng(0)
    found = {augmentation.misspell(["film"], 1, random)[0] for _ in range(50)}
    assert found == {"flim", "flm", "fiilm"}


def test_copies_keep_their_labels():
    texts, labels = [["not", "good"], ["a", "fine", "film"]], [0, 1]
    every, new_labels, origins = augmentation.with_copies(
        texts,
        labels,
        lambda words, random: augmentation.delete(words, 0.5, random),
        3,
        np.random.default_rng(0),
    )
    assert every[:2] == texts and len(every) == 8
    assert origins.tolist() == [0, 1] * 4 and origins.dtype == np.int64
    assert new_labels.tolist() == [labels[origin] for origin in origins]
    for words, origin in zip(every, origins, strict=True):
        assert set(words) <= set(texts[origin])
    every[0].append("changed")
    assert texts[0] == ["not", "good"], "the originals are copied"


def test_no_copies():
    every, labels, origins = augmentation.with_copies([["a"]], ["x"], None, 0, np.random.default_rng(0))
    assert (every, labels.tolist(), origins.tolist()) == ([["a"]], ["x"], [0])


def test_copies_are_checked():
    with pytest.raises(ValueError, match="got 1 texts and 2 labels"):
        augmentation.with_copies([["a"]], [0, 1], None, 1, np.random.default_rng(0))
    with pytest.raises(ValueError, match="copies must be 0 or more, got -1"):
        augmentation.with_copies([["a"]], [0], None, -1, np.random.default_rng(0))
