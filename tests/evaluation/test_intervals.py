"""Intervals and paired tests: equal to SciPy's, and holding what they say they hold."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from mmcourse.evaluation import classes, intervals

FEW = settings(max_examples=60, deadline=None)
SEEDS = st.integers(0, 2**32)


def share(truths, predictions):
    """A quick statistic of two columns."""
    return (truths == predictions).mean()


@given(st.integers(2, 12), SEEDS, st.sampled_from([0.5, 0.9, 0.95, 0.99]))
@FEW
def test_interval_of_a_mean_equals_scipys(count, seed, level):
    values = np.random.default_rng(seed).normal(3, 2, size=count)
    expected = stats.ttest_1samp(values, 0).confidence_interval(level)
    np.testing.assert_allclose(intervals.mean_interval(values, level), expected, rtol=1e-9)


def test_interval_of_a_mean_holds_it_as_often_as_it_says():
    random = np.random.default_rng(0)
    held = 0
    for _ in range(2000):
        low, high = intervals.mean_interval(random.normal(7, 3, size=5))
        held += low <= 7 <= high
    assert 0.935 < held / 2000 < 0.965


@pytest.mark.parametrize("rows", [15, 200])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_bootstrap_equals_scipys(rows, level):
    """Both draw at random: the ends agree within what so many draws leave open."""
    values = np.random.default_rng(rows).exponential(size=rows)
    ours = intervals.bootstrap_interval(np.mean, values, level=level, repeats=8000)
    options = {"method": "percentile", "confidence_level": level, "n_resamples": 8000, "rng": 1}
    theirs = stats.bootstrap((values,), np.mean, **options).confidence_interval
    np.testing.assert_allclose(ours, theirs, atol=0.06 * values.std() / math.sqrt(rows) * 2)


def test_paired_bootstrap_equals_scipys():
    random = np.random.default_rng(3)
    truths = random.integers(2, size=300)
    first, second = (np.where(random.random(300) < right, truths, 1 - truths) for right in (0.85, 0.75))

    def difference(truths, first, second):
        return share(truths, first) - share(truths, second)

    ours = intervals.paired_bootstrap(share, truths, first, second, repeats=4000)
    theirs = stats.bootstrap(
        (truths, first, second),
        difference,
        paired=True,
        vectorized=False,
        method="percentile",
        n_resamples=4000,
        rng=1,
    ).confidence_interval
    assert ours.difference == pytest.approx(difference(truths, first, second))
    np.testing.assert_allclose(ours[1:], theirs, atol=0.006)


def test_permutation_test_equals_scipys():
    random = np.random.default_rng(5)
    truths = random.integers(2, size=120)
    first, second = (np.where(random.random(120) < right, truths, 1 - truths) for right in (0.8, 0.72))
    ours = intervals.paired_permutation(share, truths, first, second, repeats=4000)
    theirs = stats.permutation_test(
        (first == truths, second == truths),
        lambda one, other: np.mean(one) - np.mean(other),
        permutation_type="samples",
        n_resamples=4000,
        rng=1,
    ).pvalue
    assert 0.02 < theirs < 0.9 and ours == pytest.approx(theirs, abs=0.03)


def test_permutation_test_of_few_rows_comes_near_to_all_orders():
    truths, first = np.ones(8, int), np.array([1, 1, 1, 1, 1, 1, 0, 1])
    second = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    # Five rows differ, four for the first and one for the second: as far apart by chance in 12 of 32.
    found = intervals.paired_permutation(share, truths, first, second, repeats=6000)
    assert found == pytest.approx(12 / 32, abs=0.025)


@given(st.integers(0, 40), st.integers(0, 40), st.integers(1, 60))
@FEW
def test_mcnemar_equals_scipys_binomial_test(first_only, second_only, both):
    truths = np.ones(first_only + second_only + both, int)
    first, second = truths.copy(), truths.copy()
    second[:first_only] = 0
    first[first_only : first_only + second_only] = 0
    found = intervals.mcnemar(truths, first, second)
    deciding = first_only + second_only
    expected = stats.binomtest(first_only, deciding).pvalue if deciding else 1
    assert found[:2] == (first_only, second_only)
    assert found.p_value == pytest.approx(expected, abs=1e-12)


def test_mcnemar_by_hand():
    """Four rows decide, all for the first model: twice (1/2)^4."""
    found = intervals.mcnemar(["a"] * 6, ["a"] * 5 + ["b"], ["b"] * 4 + ["a", "b"])
    assert found == (4, 0, 0.125)


def test_equal_models_differ_by_chance_only():
    """Where nothing is to be found, the three methods say so in about nineteen of twenty cases."""
    random = np.random.default_rng(0)
    alarms = np.zeros(3)
    for seed in range(200):
        truths = random.integers(2, size=150)
        first, second = (np.where(random.random(150) < 0.8, truths, 1 - truths) for _ in range(2))
        _, low, high = intervals.paired_bootstrap(share, truths, first, second, repeats=200, seed=seed)
        chance = intervals.paired_permutation(share, truths, first, second, repeats=100, seed=seed)
        tested = intervals.mcnemar(truths, first, second).p_value
        alarms += np.array([not low <= 0 <= high, chance < 0.05, tested < 0.05])
    assert (alarms <= 22).all() and alarms[0] >= 2


def test_groups_are_drawn_whole():
    """Ten rows of each speaker say the same: they count like one, and the interval is wider."""
    random = np.random.default_rng(0)
    groups = np.repeat(np.arange(30), 10)
    values = np.repeat(random.normal(size=30), 10)
    low, high = intervals.bootstrap_interval(np.mean, values)
    wide_low, wide_high = intervals.bootstrap_interval(np.mean, values, groups=groups)
    assert 2.5 < (wide_high - wide_low) / (high - low) < 4  # the square root of ten is 3.16
    one_each = intervals.bootstrap_interval(np.mean, values[::10], repeats=4000)
    np.testing.assert_allclose((wide_low, wide_high), one_each, atol=0.05)


def test_groups_of_unequal_size_and_names():
    seen = []

    def look(values, groups):
        sizes = dict(zip(*np.unique(groups, return_counts=True), strict=True))
        seen.append(all(sizes[name] % {"a": 1, "b": 2, "c": 4}[name] == 0 for name in sizes))
        return 0.0

    groups = np.array(["a", "b", "b", "c", "c", "c", "c"])
    intervals.bootstrap_interval(look, np.arange(7), groups, groups=groups, repeats=50)
    assert len(seen) == 50 and all(seen)


def test_strata_keep_their_numbers_and_a_rare_class():
    truths = np.array([1] * 2 + [0] * 98)
    scores = np.random.default_rng(0).normal(size=100) + truths
    counts = []

    def look(truths, scores):
        counts.append(int(truths.sum()))
        return classes.roc_auc(truths, scores)

    with pytest.raises(ValueError, match=r"no row is positive.*give strata=truths"):
        intervals.bootstrap_interval(look, truths, scores, repeats=200)
    counts.clear()
    low, high = intervals.bootstrap_interval(look, truths, scores, strata=truths, repeats=200)
    assert set(counts) == {2} and 0 <= low < high <= 1


@given(st.integers(2, 40), SEEDS)
@FEW
def test_a_constant_has_no_width_and_rows_stay_together(rows, seed):
    numbers = np.arange(rows)

    def together(first, second):
        np.testing.assert_array_equal(first, second)
        return 4.0

    assert intervals.bootstrap_interval(together, numbers, numbers, repeats=20, seed=seed) == (4.0, 4.0)
    same = intervals.paired_bootstrap(share, numbers, numbers, numbers, repeats=20, seed=seed)
    assert same == (0, 0, 0)
    assert intervals.paired_permutation(share, numbers, numbers, numbers, repeats=20, seed=seed) == 1


def test_the_seed_decides_and_nothing_else():
    values = np.random.default_rng(0).normal(size=50)
    first = intervals.bootstrap_interval(np.mean, values, repeats=100)
    np.random.seed(3)
    assert intervals.bootstrap_interval(np.mean, values, repeats=100) == first
    assert intervals.bootstrap_interval(np.mean, values, repeats=100, seed=1) != first
    low, high = intervals.bootstrap_interval(np.mean, values, repeats=100, level=0.5)
    assert first[0] < low < high < first[1]


def test_tables_of_probabilities_may_be_compared():
    random = np.random.default_rng(0)
    truths = random.integers(3, size=90)
    good, bad = (random.dirichlet(np.ones(3), 90) + sure * np.eye(3)[truths] for sure in (1.0, 0.2))
    good, bad = (table / table.sum(axis=1, keepdims=True) for table in (good, bad))
    found = intervals.paired_bootstrap(classes.log_loss, truths, bad, good, repeats=100)
    assert 0 < found.low < found.difference < found.high
    assert intervals.paired_permutation(classes.log_loss, truths, bad, good, repeats=99) == 0.01


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: intervals.mean_interval([1.0]), "at least 2 values, got 1"),
        (lambda: intervals.mean_interval([1.0, math.nan]), "NaN"),
        (lambda: intervals.mean_interval([[1.0, 2.0]]), r"shape \(1, 2\)"),
        (lambda: intervals.mean_interval([1.0, 2.0], level=1), "level"),
        (lambda: intervals.mean_interval([1.0, 2.0], level=95), "level"),
        (lambda: intervals.bootstrap_interval(np.mean), "at least one array"),
        (lambda: intervals.bootstrap_interval(np.mean, [1.0]), "at least 2 rows, got 1"),
        (lambda: intervals.bootstrap_interval(np.mean, 3.0), "rows first"),
        (lambda: intervals.bootstrap_interval(share, [1, 2], [1, 2, 3]), r"equally many rows, got \[2, 3\]"),
        (lambda: intervals.bootstrap_interval(np.mean, [1, 2], repeats=0), "repeats"),
        (lambda: intervals.bootstrap_interval(np.mean, [1, 2], level=0), "level"),
        (lambda: intervals.bootstrap_interval(np.mean, [1, 2], groups=[1]), r"groups must be one for each"),
        (lambda: intervals.bootstrap_interval(np.mean, [1, 2], groups=[1, 1]), "of one group"),
        (lambda: intervals.bootstrap_interval(np.mean, [1, 2], groups=[1, 2], strata=[1, 2]), "not both"),
        (lambda: intervals.bootstrap_interval(lambda rows: math.nan, [1, 2]), "finite number, got nan"),
        (lambda: intervals.paired_bootstrap(share, [1, 2], [1, 2], [1]), "equally many rows"),
        (lambda: intervals.paired_permutation(share, [1, 2], [1, 2], [[1], [2]]), "must have one shape"),
        (lambda: intervals.mcnemar([], [], []), "at least 1 row, got 0"),
        (lambda: intervals.mcnemar([1, 2], [1, 2], [1]), "equally many rows"),
        (lambda: intervals.mcnemar([[1]], [[1]], [[1]]), "expected labels"),
    ],
)
def test_what_cannot_be_computed_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
