"""Decisions about money: nothing from the future, costs as stated, rates by counting."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcourse.applications import finance
from mmcourse.data.synthetic_money import TABLE, simulate_applicants, simulate_market

FEW = settings(max_examples=12, deadline=None)
SEEDS = st.integers(0, 2**32 - 1)


def market_like(seed, days=160):
    random = np.random.default_rng(seed)
    return random.normal(size=(days, 2)), random.normal(size=days)


@given(SEEDS, st.integers(40, 120), st.integers(10, 60), st.integers(0, 159))
@FEW
def test_a_forecast_does_not_notice_what_comes_later(seed, first, every, changed):
    features, returns = market_like(seed)
    before = finance.walk_forward(features, returns, first, every)
    other_features, other_returns = features.copy(), returns.copy()
    other_features[changed:] += 7
    other_returns[changed:] -= 7
    after = finance.walk_forward(other_features, other_returns, first, every)
    assert before.shape == after.shape == (160 - first,)
    # Day t is forecast from the features of day t - 1, so all forecasts up to day `changed` stay.
    kept = max(0, changed + 1 - first)
    np.testing.assert_array_equal(before[:kept], after[:kept])


def test_a_walk_forward_finds_what_is_there():
    features, noise = market_like(3, 600)
    returns = 0.5 * noise
    returns[1:] += features[:-1, 0]
    said = finance.walk_forward(features, returns, 200, 50)
    assert finance.out_of_sample_r2(returns[200:], said) > 0.6
    shuffled = np.random.default_rng(0).permutation(features)
    assert finance.out_of_sample_r2(returns[200:], finance.walk_forward(shuffled, returns, 200, 50)) < 0.05


def test_r2_of_the_naive_forecast_is_zero_and_of_the_truth_one():
    returns = np.random.default_rng(1).normal(size=50)
    assert finance.out_of_sample_r2(returns, np.zeros(50)) == 0
    assert finance.out_of_sample_r2(returns, returns) == 1
    assert finance.out_of_sample_r2(returns, 2 * returns) == pytest.approx(0)


def test_the_reader_of_reviews_has_not_seen_those_of_the_market():
    market = simulate_market(300, seed=2)
    read = finance.read_sentiment(market)
    assert read.shape == (300,) and len(set(market.reviews)) == 300
    films = finance.film_reviews.load()
    assert not set(market.reviews) & set(films.split("train"))
    assert np.corrcoef(read, films.ratings[market.reviews])[0, 1] > 0.5


@given(SEEDS, st.integers(1, 60))
@FEW
def test_gain_and_costs_equal_a_count(seed, rows):
    random = np.random.default_rng(seed)
    repaid, lent = random.integers(2, size=(2, rows))
    expected = sum((1 if good else -5) for good, given in zip(repaid, lent, strict=True) if given)
    assert finance.loan_gain(repaid, lent) == pytest.approx(100 * expected / rows)
    amounts = random.uniform(1, 500, rows)
    cost = sum(8 if held else amount * bad for bad, held, amount in zip(repaid, lent, amounts, strict=True))
    assert finance.fraud_cost(repaid, lent, amounts) == pytest.approx(1000 * cost / rows)


def test_rates_of_groups():
    repaid = np.array([1, 1, 0, 0, 1, 1])
    lent = np.array([1, 0, 1, 0, 0, 0])
    rates = finance.group_rates(repaid, lent, np.array([0, 0, 0, 0, 1, 1]))
    assert rates[0] == {"approved": 0.5, "good payers approved": 0.5, "approved who repaid": 0.5}
    assert rates[1]["approved"] == rates[1]["good payers approved"] == 0
    assert np.isnan(rates[1]["approved who repaid"])


def test_the_document_is_read_and_the_gap_is_what_was_overstated():
    people = simulate_applicants(200, 1, "test")
    read, sure = finance.read_documents(people.documents)
    assert (read == people.income).mean() > 0.7 and read.dtype == np.int64
    assert ((sure > 0.1) & (sure <= 1)).all()
    right = read == people.income
    assert sure[right].mean() > sure[~right].mean()
    columns = finance.applicant_features(people)
    assert columns.shape == (200, len(TABLE) + len(finance.DOCUMENT))
    gap = np.clip(people.table["declared"] - read, -20, 30)
    np.testing.assert_array_equal(columns[:, -1], gap)
    np.testing.assert_array_equal(
        columns[:, : len(TABLE)], finance.applicant_features(people, document=False)
    )
    swapped = finance.applicant_features(people, documents=people.documents[::-1])
    np.testing.assert_array_equal(swapped[:, 5], read[::-1])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: finance.walk_forward(np.zeros(50), np.zeros(50)), "features \\(days, features\\)"),
        (lambda: finance.walk_forward(np.zeros((50, 1)), np.zeros(50), first=50), "no day is left"),
        (lambda: finance.walk_forward(np.zeros((50, 1)), np.zeros(50), first=5), "at least 30"),
        (lambda: finance.out_of_sample_r2(np.zeros(3), np.zeros(4)), "as many forecasts"),
        (lambda: finance.loan_gain(np.zeros(3), np.zeros(2)), "one decision"),
        (lambda: finance.group_rates(np.zeros(3), np.zeros(3), np.zeros(2)), "one entry for each person"),
        (lambda: finance.fraud_cost(np.zeros(3), np.zeros(3), np.zeros(2)), "one entry for each payment"),
        (lambda: finance.read_documents(np.zeros((2, 28, 28))), "28, 56"),
    ],
)
def test_errors_say_what_was_expected(call, words):
    with pytest.raises(ValueError, match=words):
        call()
