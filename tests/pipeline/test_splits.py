"""Splits: what each promises, on random rows, and agreement with scikit-learn."""

import importlib
from functools import partial

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedShuffleSplit

from mmcourse import pipeline

SEEDS = st.integers(0, 1000)
SHARES = st.sampled_from(
    [
        pipeline.SHARES,
        {"train": 0.7, "test": 0.3},
        {"train": 0.25, "validation": 0.25, "test": 0.5},
    ]
)


@given(st.integers(20, 300), SHARES, SEEDS)
@settings(deadline=None)
def test_a_random_split_covers_all_rows_once_in_the_asked_shares(count, shares, seed):
    splits = pipeline.split_random(count, shares, seed)
    assert list(splits) == list(shares)
    pipeline.check_splits(splits, count)
    for name, rows in splits.items():
        assert rows.dtype == np.int64 and (np.diff(rows) > 0).all()
        assert abs(len(rows) - shares[name] * count) < 1
    again = pipeline.split_random(count, shares, seed)
    for name in shares:
        np.testing.assert_array_equal(again[name], splits[name])


def test_another_seed_gives_another_split():
    first, second = (pipeline.split_random(100, seed=seed)["test"] for seed in (0, 1))
    assert first.tolist() != second.tolist()


@given(st.lists(st.sampled_from("abcd"), min_size=30, max_size=200), SHARES, SEEDS)
@settings(deadline=None)
def test_a_stratified_split_keeps_the_shares_of_the_classes(labels, shares, seed):
    splits = pipeline.split_stratified(labels, shares, seed)
    pipeline.check_splits(splits, len(labels))
    labels = np.array(labels)
    for name, rows in splits.items():
        assert abs(len(rows) - shares[name] * len(labels)) < 1
        for label in np.unique(labels):
            expected = shares[name] * (labels == label).sum()
            assert abs((labels[rows] == label).sum() - expected) <= 2


@given(st.integers(0, 50))
@settings(deadline=None, max_examples=20)
def test_stratified_parts_have_the_class_sizes_of_scikit_learn(seed):
    labels = np.repeat([0, 1, 2], [90, 60, 50])
    theirs, _ = next(StratifiedShuffleSplit(1, test_size=0.2, random_state=seed).split(labels, labels))
    ours = pipeline.split_stratified(labels, {"train": 0.8, "test": 0.2}, seed)["train"]
    assert np.abs(np.bincount(labels[ours]) - np.bincount(labels[theirs])).max() <= 1


def test_no_group_crosses():
    """A split may refuse, but seldom: of the draws with groups that can be divided nearly all are split."""
    done = []

    @given(st.lists(st.integers(0, 15), min_size=60, max_size=200), SEEDS)
    @settings(deadline=None, database=None)
    def check(groups, seed):
        sizes = np.bincount(groups)
        assume(sizes.max() <= 0.15 * len(groups))  # then neither part can be empty
        splits = pipeline.split_by_group(groups, {"train": 0.7, "test": 0.3}, seed)
        pipeline.check_splits(splits, len(groups))
        assert pipeline.find_crossing_groups(splits, groups) == {}
        assert abs(len(splits["test"]) - 0.3 * len(groups)) <= sizes.max()
        done.append(seed)

    check()
    assert len(done) >= 100


@given(st.lists(st.text(max_size=8), min_size=1, max_size=60), SEEDS)
@settings(deadline=None)
def test_a_split_by_key_does_not_change_when_rows_are_added(keys, seed):
    few = pipeline.split_by_key(keys[: len(keys) // 2], seed=seed)
    many = pipeline.split_by_key(keys, seed=seed)
    for name, rows in few.items():
        assert set(rows.tolist()) <= set(many[name].tolist())
    assert pipeline.find_shared(many, keys) == {}
    assert sorted(np.concatenate(list(many.values())).tolist()) == list(range(len(keys)))


def test_a_split_by_key_meets_the_shares():
    splits = pipeline.split_by_key([f"picture-{number}" for number in range(20_000)])
    for name, share in pipeline.SHARES.items():
        assert abs(len(splits[name]) / 20_000 - share) < 0.01


@pytest.mark.parametrize(
    "shares", [{}, {"train": 1.0}, {"train": 0.5, "test": 0.4}, {"a": 1.5, "b": -0.5}, {"a": 1.0, "b": 0.0}]
)
def test_impossible_shares(shares):
    for split in (
        partial(pipeline.split_random, 50),
        partial(pipeline.split_stratified, [0] * 50),
        partial(pipeline.split_by_group, range(50)),
        partial(pipeline.split_by_key, ["a"] * 50),
    ):
        with pytest.raises(ValueError, match="shares must be two positive numbers or more with the sum 1"):
            split(shares)


def test_too_few_rows_or_groups():
    with pytest.raises(ValueError, match=r"3 rows are too few .* 'test' would be empty"):
        pipeline.split_random(3)
    with pytest.raises(ValueError, match="leave the part 'validation' empty"):
        pipeline.split_by_group([0] * 5 + [1] * 5)
    for split in (pipeline.split_stratified, pipeline.split_by_group):
        with pytest.raises(ValueError, match=r"\(rows,\).* got .*\(4, 2\)"):
            split(np.zeros((4, 2)))


@pytest.mark.parametrize(
    ("splits", "match"),
    [
        ({"train": [0, 1], "test": [1, 2]}, "row 1 stands in the parts 2 times"),
        ({"train": [0, 1], "test": [3]}, "row 2 stands in the parts 0 times"),
        ({"train": [0, 1, 2], "test": []}, "'test' must be row numbers"),
        ({"train": [0, 1], "test": [2, 4]}, "'test' has row numbers outside 0 to 3"),
        ({"train": [0, 1], "test": [2.0, 3.0]}, "'test' must be row numbers"),
    ],
)
def test_faults_of_splits_are_named(splits, match):
    with pytest.raises(ValueError, match=match):
        pipeline.check_splits(splits, 4)


def test_the_rows_of_a_part():
    splits = {"train": np.arange(3), "test": np.arange(3, 5)}
    assert pipeline.rows_of(splits, "test").tolist() == [3, 4]
    with pytest.raises(ValueError, match="unknown split 'dev'; expected one of: train, test"):
        pipeline.rows_of(splits, "dev")


@pytest.mark.parametrize(
    "name", ["digits", "film_reviews", "motion", "spoken_digits", "synthetic_words", "words"]
)
def test_every_loader_has_the_same_way_to_its_rows(name):
    data = importlib.import_module(f"mmcourse.data.{name}").load()
    for part, rows in data.splits.items():
        np.testing.assert_array_equal(data.split(part), rows)
    pipeline.check_splits(data.splits, sum(map(len, data.splits.values())))
    with pytest.raises(ValueError, match="unknown split 'nothing'; expected one of: train, "):
        data.split("nothing")
