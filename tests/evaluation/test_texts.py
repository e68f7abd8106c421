"""Scores against cases that were worked out by hand or published."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcourse.evaluation import intervals, texts

COUNTS = st.integers(1, 2000).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials)))
TEXTS = st.lists(st.sampled_from(["red", "blue", "heart", "man", "红", "心"]), min_size=1, max_size=6).map(
    " ".join
)


@pytest.mark.parametrize(
    ("generated", "true", "expected"),
    [
        ("red heart", "red heart", True),
        ("  red   heart ", "red heart", True),
        ("红 心", "红心", True),
        ("e\u0301tude", "\u00e9tude", True),
        ("heart red", "red heart", False),
        ("red", "red heart", False),
        ("red heart heart", "red heart", False),
        ("Red heart", "red heart", False),
        ("redheart", "red heart", False),
        ("", "red heart", False),
        ("", "", True),
    ],
)
def test_exact_match(generated, true, expected):
    found = texts.exact_match([generated], [true])
    assert found.dtype == bool
    assert found.tolist() == [expected]


def test_exact_match_goes_text_by_text():
    found = texts.exact_match(["a", "b", "c", "c"], ["a", "c", "c", "b"])
    assert found.tolist() == [True, False, True, False]
    assert texts.exact_match([], []).shape == (0,)
    assert texts.exact_match([], []).dtype == bool


@pytest.mark.parametrize(
    ("generated", "true", "expected"),
    [
        ("red heart", "red heart", 1),
        ("heart red", "red heart", 1),
        ("big red heart", "red heart", 1),
        ("red", "red heart", 1 / 2),
        ("red red", "red heart", 1 / 2),
        ("", "red heart", 0),
        ("blue", "red heart", 0),
        ("kiss man", "kiss man man", 2 / 3),
        ("kiss man man", "kiss man man", 1),
        ("man man man", "kiss man", 1 / 2),
        ("woman", "man", 0),
        ("红色的心", "红心", 1),
        ("红", "红心", 1 / 2),
        ("心心", "红心", 1 / 2),
    ],
)
def test_token_recall(generated, true, expected):
    found = texts.token_recall([generated], [true])
    assert found.dtype == np.float64
    assert found.tolist() == [pytest.approx(expected, abs=1e-12)]


def test_token_recall_of_an_empty_true_text_is_not_defined():
    with pytest.raises(ValueError, match="a true text is empty"):
        texts.token_recall(["red", "red"], ["red", "  "])


@given(TEXTS, TEXTS)
@settings(deadline=None)
def test_recall_lies_between_0_and_1_and_is_1_where_the_match_is_exact(generated, true):
    recall = texts.token_recall([generated], [true])[0]
    assert 0 <= recall <= 1
    assert texts.token_recall([true], [true])[0] == 1
    if texts.exact_match([generated], [true])[0]:
        assert recall == 1


@pytest.mark.parametrize("function", [texts.exact_match, texts.token_recall, texts.score])
def test_different_numbers_of_texts_are_refused(function):
    with pytest.raises(ValueError, match="got 1 generated texts for 2 true ones"):
        function(["red"], ["red", "blue"])


# Wilson's interval for 81 of 263, 15 of 148, 0 of 20 and 1 of 29 stands in table I of Newcombe, "Two-sided
# confidence intervals for the single proportion" (Statistics in Medicine 17, 1998), method 3.
@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (0, 10, 0.0000, 0.2775),
        (10, 10, 0.7225, 1.0000),
        (5, 10, 0.2366, 0.7634),
        (1, 1, 0.2065, 1.0000),
    ],
)
def test_wilson_interval_has_the_published_values(successes, trials, low, high):
    assert intervals.wilson_interval(successes, trials) == (
        pytest.approx(low, abs=5e-5),
        pytest.approx(high, abs=5e-5),
    )


@given(COUNTS)
@settings(deadline=None)
def test_ends_of_the_interval_solve_wilsons_equation(counts):
    """The ends p are where the observed share lies 1.96 standard errors of p away from p."""
    successes, trials = counts
    share, z = successes / trials, 1.959963984540054
    for end in intervals.wilson_interval(successes, trials):
        assert abs(share - end) == pytest.approx(z * math.sqrt(end * (1 - end) / trials), abs=1e-7)


@given(COUNTS)
@settings(deadline=None)
def test_interval_holds_the_share_and_lies_between_0_and_1(counts):
    successes, trials = counts
    low, high = intervals.wilson_interval(successes, trials)
    assert 0 <= low < high <= 1
    # The exact ends at 0 and 1 may miss by the rounding of the last digit.
    assert low - 1e-12 <= successes / trials <= high + 1e-12


@given(COUNTS)
@settings(deadline=None)
def test_interval_of_failures_mirrors_that_of_successes(counts):
    successes, trials = counts
    low, high = intervals.wilson_interval(successes, trials)
    mirrored = intervals.wilson_interval(trials - successes, trials)
    assert mirrored == (pytest.approx(1 - high, abs=1e-12), pytest.approx(1 - low, abs=1e-12))


def test_more_trials_give_a_narrower_interval():
    widths = [
        np.subtract(*intervals.wilson_interval(trials // 4, trials)[::-1]) for trials in (4, 40, 400, 4000)
    ]
    assert widths == sorted(widths, reverse=True)


@pytest.mark.parametrize(("successes", "trials"), [(0, 0), (11, 10), (-1, 10), (1, 0), (0, -1), (-2, -1)])
def test_impossible_counts_are_refused(successes, trials):
    with pytest.raises(ValueError, match=rf"0 <= successes <= trials .*got {successes} of {trials}"):
        intervals.wilson_interval(successes, trials)


def test_score():
    generated = ["red heart", "red", "kiss man", "红心"]
    true = ["red heart", "red heart", "kiss man man", "红心"]
    assert texts.score(generated, true) == {
        "exact": 0.5,
        "exact_interval": [0.15, 0.85],
        "token_recall": 0.7917,  # (1 + 1/2 + 2/3 + 1) / 4
        "pictures": 4,
    }


def test_score_holds_plain_numbers():
    """So that it can be written as JSON."""
    found = texts.score(["a"], ["a"])
    assert {key: type(value) for key, value in found.items()} == {
        "exact": float,
        "exact_interval": list,
        "token_recall": float,
        "pictures": int,
    }
    assert [type(end) for end in found["exact_interval"]] == [float, float]


def test_score_of_nothing_is_refused():
    with pytest.raises(ValueError, match="no texts to score"):
        texts.score([], [])
