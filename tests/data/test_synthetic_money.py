"""The invented markets, loans and payments are what their datasheet says."""

import numpy as np
import pytest

from mmcourse.data import film_reviews, synthetic_money
from mmcourse.data.synthetic_money import simulate_applicants, simulate_market, simulate_payments


def test_without_a_signal_the_past_says_nothing_and_with_one_it_says_as_much_as_stated():
    ratings = film_reviews.load().ratings
    for signal in (0.0, 0.15, 0.6):
        markets = [simulate_market(2000, signal, seed) for seed in range(8)]
        heard = np.mean([np.corrcoef(ratings[m.reviews[:-1]], m.returns[1:])[0, 1] for m in markets])
        lagged = np.mean([np.corrcoef(m.returns[:-1], m.returns[1:])[0, 1] for m in markets])
        assert abs(heard - signal) < 0.025 and abs(lagged) < 0.025
        assert np.mean([m.returns.std() for m in markets]) == pytest.approx(1.5, abs=0.05)


def test_prices_follow_from_returns():
    market = simulate_market(50, seed=1)
    np.testing.assert_allclose(np.diff(np.log(market.prices)) * 100, market.returns[1:])


def test_applicants():
    people = simulate_applicants(4000, 3)
    assert set(people.table) == set(synthetic_money.TABLE) and len(people) == 4000
    assert people.documents.shape == (4000, 28, 56) and people.documents.dtype == np.float32
    assert ((people.income >= 10) & (people.income <= 99)).all()
    assert people.income[people.group == 1].mean() < people.income[people.group == 0].mean() - 3
    more = people.table["declared"] - people.income
    assert (more >= 0).all() and 0.2 < (more > 0).mean() < 0.3
    assert people.repaid[more > 0].mean() < people.repaid[more == 0].mean() - 0.15
    assert 0.75 < (people.table["district"] == people.group).mean() < 0.85


def test_only_the_documents_of_group_1_are_blurred():
    clear, blurred = (simulate_applicants(300, 2, "test", blur) for blur in (0, 2))
    np.testing.assert_array_equal(clear.repaid, blurred.repaid)
    same = (clear.documents == blurred.documents).all(axis=(1, 2))
    np.testing.assert_array_equal(same, clear.group == 0)


def test_training_and_test_documents_share_no_picture():
    halves = []
    for split in ("train", "test"):
        documents = simulate_applicants(500, 0, split).documents
        halves.append({half.tobytes() for one in documents for half in (one[:, :28], one[:, 28:])})
    assert not halves[0] & halves[1]


def test_fraud_is_rare_and_shows_in_both_views_at_once():
    payments = simulate_payments(60_000, seed=4)
    assert 0.008 < payments.fraud.mean() < 0.012 and (np.diff(payments.month) >= 0).all()
    large, far = payments.amounts > 100, payments.environment[:, 1] > 4
    honest, fraud = payments.fraud == 0, payments.fraud == 1
    assert (large & far)[fraud].mean() > 0.3 > 0.05 > (large & far)[honest].mean()
    assert large[honest].sum() > large[fraud].sum() and far[honest].sum() > far[fraud].sum()


def test_drift_lowers_the_amounts_of_late_fraud_alone():
    before, after = (simulate_payments(5000, 1, 0.05, drift) for drift in (0.0, 1.0))
    late = (before.fraud == 1) & (before.month >= 4)
    np.testing.assert_allclose(after.amounts[late], before.amounts[late] / np.e)
    np.testing.assert_array_equal(after.amounts[~late], before.amounts[~late])


def test_a_seed_makes_the_same_and_another_seed_another():
    assert np.array_equal(simulate_market(40, seed=1).returns, simulate_market(40, seed=1).returns)
    assert not np.array_equal(simulate_market(40, seed=1).returns, simulate_market(40, seed=2).returns)
    one, other = simulate_payments(1000, seed=1), simulate_payments(1000, seed=2)
    assert not np.array_equal(one.transaction, other.transaction)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: simulate_market(1), "days"),
        (lambda: simulate_market(signal=1.0), "signal"),
        (lambda: simulate_applicants(split="validation"), 'must be "train" or "test"'),
        (lambda: simulate_applicants(5), "people"),
        (lambda: simulate_applicants(blur=-1), "blur"),
        (lambda: simulate_payments(10), "payments"),
        (lambda: simulate_payments(share=0), "share"),
        (lambda: simulate_payments(drift=-1), "drift"),
    ],
)
def test_errors_name_the_argument(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_statistics_are_numbers():
    found = synthetic_money.statistics()
    assert len(found) > 8 and all(isinstance(value, int | float) for value in found.values())
