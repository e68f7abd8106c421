"""Gains: skills by counting, intervals that hold the truth, and weights that no other weights beat."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcourse.applications import gain

FEW = settings(max_examples=30, deadline=None)
SEEDS = st.integers(0, 2**32 - 1)


def case_of(*losses, groups=None):
    return gain.Case("a case", dict(zip(gain.ARMS, losses, strict=True)), groups)


def draw(seed, rows=40):
    """Random losses of the five arms, the guess the worst."""
    random = np.random.default_rng(seed)
    return [random.exponential(scale, rows) for scale in (3.0, 1.0, 1.2, 0.5, 2.0)]


def test_skills_are_counted():
    counts = 80, 50, 60, 10, 90
    case = case_of(*(np.arange(100) < count for count in counts))
    assert [case.skill(arm) for arm in gain.ARMS] == [0, 0.375, 0.25, 0.875, -0.125]
    np.testing.assert_allclose(case.gain().skill, 0.5)
    np.testing.assert_allclose(case.gain("shuffled").skill, -0.5)
    assert case.gain("neither").skill == -0.375


@given(SEEDS, st.floats(0.01, 100))
@FEW
def test_the_unit_of_the_loss_does_not_matter(seed, unit):
    losses = draw(seed)
    one, other = case_of(*losses), case_of(*(unit * loss for loss in losses))
    np.testing.assert_allclose(one.gain(repeats=20), other.gain(repeats=20), rtol=1e-9, atol=1e-12)


@given(SEEDS)
@FEW
def test_the_gain_is_over_the_better_one_whichever_comes_first(seed):
    neither, first, second, both, shuffled = draw(seed)
    one = case_of(neither, first, second, both, shuffled).gain(repeats=20)
    assert one == case_of(neither, second, first, both, shuffled).gain(repeats=20)
    assert one.low <= one.high
    assert case_of(neither, first, second, first, shuffled).gain(repeats=20).high <= 1e-12


@given(SEEDS)
@FEW
def test_rows_of_a_group_stay_together(seed):
    """Groups of rows are worth as much as one row with their sum, in whatever order the rows stand."""
    losses, random = draw(seed, 60), np.random.default_rng(seed)
    groups = np.repeat(np.arange(12), 5)
    order = random.permutation(60)
    grouped = case_of(*(loss[order] for loss in losses), groups=groups[order])
    summed = case_of(*(loss.reshape(12, 5).sum(axis=1) for loss in losses))
    np.testing.assert_allclose(grouped.gain(repeats=50), summed.gain(repeats=50), rtol=1e-9)


def test_copies_of_rows_narrow_the_interval_only_if_they_are_called_independent():
    losses = [np.repeat(loss, 20) for loss in draw(3, 30)]
    apart = case_of(*losses).gain(repeats=300)
    together = case_of(*losses, groups=np.repeat(np.arange(30), 20)).gain(repeats=300)
    assert together.high - together.low > 3 * (apart.high - apart.low)


def test_the_interval_holds_the_truth_about_as_often_as_it_says():
    held = 0
    for seed in range(150):
        found = case_of(*draw(seed, 200)).gain(repeats=100)
        held += found.low <= (1.0 - 0.5) / 3.0 <= found.high
    assert 130 <= held <= 149


def test_cases_that_make_no_sense_are_refused():
    losses = dict(zip(gain.ARMS, draw(0), strict=True))
    wrong = [
        ({**losses, "extra": losses["both"]}, None, "expected losses of"),
        ({arm: losses[arm] for arm in gain.ARMS[1:]}, None, "expected losses of"),
        ({**losses, "first": losses["first"][:-1]}, None, "every arm needs a loss of each row"),
        ({arm: one[:, None] for arm, one in losses.items()}, None, "every arm needs a loss of each row"),
        ({**losses, "both": -losses["both"]}, None, "a loss is finite"),
        ({**losses, "both": losses["both"] * np.nan}, None, "a loss is finite"),
        ({**losses, "neither": np.zeros(40)}, None, "nothing to gain"),
        (losses, np.zeros(39), "40 rows need as many groups"),
    ]
    for some, groups, message in wrong:
        with pytest.raises(ValueError, match=message):
            gain.Case("a case", some, groups)
    case = gain.Case("a case", losses)
    with pytest.raises(ValueError, match="arm must be one of"):
        case.gain("third")
    with pytest.raises(ValueError, match="at least 2 rows"):
        case_of(*(loss[:1] for loss in draw(0))).gain()


def test_a_number_stands_for_the_same_loss_in_every_row():
    neither, first, _, both, shuffled = draw(1)
    short = gain.Case.of("a case", 3.0, first, 1.5, both, shuffled)
    whole = case_of(np.full(40, 3.0), first, np.full(40, 1.5), both, shuffled)
    assert {arm: short.skill(arm) for arm in gain.ARMS} == {arm: whole.skill(arm) for arm in gain.ARMS}
    assert short.gain(repeats=20) == whole.gain(repeats=20)
    with pytest.raises(ValueError, match="expected losses of"):
        gain.Case.of("a case", neither, first, both, shuffled)


def test_a_market_is_judged_against_the_price_that_stays():
    from mmcourse.applications import gain_fields  # with its models; the rest of this file needs none
    from mmcourse.data.synthetic_money import simulate_market

    case = gain_fields.market_case("a market", 0.15, markets=2)
    come = np.concatenate([simulate_market(signal=0.15, seed=seed).returns[250:] for seed in (0, 1)])
    np.testing.assert_allclose(case.losses["neither"], come**2)
    assert np.bincount(case.groups).tolist() == [750, 750]
    assert all(abs(case.skill(arm)) < 0.05 for arm in gain.ARMS)
    assert not np.array_equal(case.losses["shuffled"], case.losses["both"])


def test_a_payment_costs_a_call_its_amount_or_nothing():
    from mmcourse.applications import gain_fields
    from mmcourse.data.synthetic_money import simulate_payments

    payments = simulate_payments(3000)
    late, known = payments.month >= 3, payments.transaction
    losses = gain_fields.payment_losses(payments, known, known[late])
    fraud, amounts = payments.fraud[late] == 1, payments.amounts[late]
    assert set(np.unique(losses[~fraud])) == {0.0, 8.0}
    assert ((losses[fraud] == 0) | (losses[fraud] == amounts[fraud])).all()
    for wrong in ((known[late], known[late]), (known, known), (known, known[late][:, :2])):
        with pytest.raises(ValueError, match="expected known rows"):
            gain_fields.payment_losses(payments, *wrong)


def test_who_knows_the_fraud_pays_next_to_nothing():
    from mmcourse.applications import finance, gain_fields
    from mmcourse.data.synthetic_money import simulate_payments

    payments = simulate_payments(3000)
    late, known = payments.month >= 3, payments.fraud[:, None].astype(float)
    losses = gain_fields.payment_losses(payments, known, known[late])
    fraud, amounts = payments.fraud[late] == 1, payments.amounts[late]
    assert not losses[~fraud].any(), "no honest payment is held"
    assert not losses[fraud & (amounts > 2 * finance.CALL)].any(), "no large fraud is let through"
    assert (fraud & (amounts > 2 * finance.CALL)).any()


def test_the_view_of_another_visit_misleads_the_tour(monkeypatch):
    """A reader that knows what is seen is always right with its own pose, and not with another one."""
    from mmcourse.applications import entertainment, gain_fields
    from mmcourse.data import synthetic_tour

    tested = synthetic_tour.simulate_visits(3, gain_fields.LOOKS, seed=1)
    kinds = np.asarray(synthetic_tour.PLAN)[tested.exhibit.ravel()]

    class Reader:
        def predict_log_proba(self, seen):
            return np.log(np.eye(kinds.max() + 1)[kinds[seen]] + 1e-3)

    monkeypatch.setattr(entertainment, "picture_reader", lambda model, visits: Reader())
    monkeypatch.setattr(entertainment, "view_features", lambda model, views: np.arange(len(views)))
    case = gain_fields.tour_case(None, visits=3)
    assert case.skill("both") == 1 > case.skill("first") > case.skill("shuffled")
    assert case.skill("second") < 1, "twins look alike"
    assert np.bincount(case.groups).tolist() == [gain_fields.LOOKS] * 3


def test_weights_of_two_cues_by_hand():
    weights, variance = gain.best_weights([[1.0, 0.0], [0.0, 4.0]])
    np.testing.assert_allclose([*weights, variance], [0.8, 0.2, 0.8])
    weights, variance = gain.best_weights([[1.0, 1.0], [1.0, 4.0]])
    np.testing.assert_allclose([*weights, variance], [1.0, 0.0, 1.0], atol=1e-12)
    assert gain.best_weights([[1.0, 1.8], [1.8, 4.0]])[0][1] < 0


@given(SEEDS, st.integers(1, 5))
@FEW
def test_no_other_weights_err_less(seed, cues):
    random = np.random.default_rng(seed)
    roots = random.normal(size=(cues, cues + 2))
    covariance = roots @ roots.T + 0.1 * np.eye(cues)
    weights, variance = gain.best_weights(covariance)
    np.testing.assert_allclose(weights.sum(), 1)
    np.testing.assert_allclose(weights @ covariance @ weights, variance)
    others = weights + random.normal(size=(20, cues))
    others /= others.sum(axis=1, keepdims=True)
    assert (np.einsum("ni,ij,nj->n", others, covariance, others) >= variance * (1 - 1e-9)).all()


def test_tables_that_are_no_covariance_are_refused():
    with pytest.raises(ValueError, match="symmetric square"):
        gain.best_weights([[1.0, 0.5], [0.0, 1.0]])
    with pytest.raises(ValueError, match="symmetric square"):
        gain.best_weights([1.0, 2.0])
    for covariance in ([[1.0, 2.0], [2.0, 4.0]], [[1.0, 0.0], [0.0, 0.0]], [[1.0, 3.0], [3.0, 1.0]]):
        with pytest.raises(ValueError, match="positive definite"):
            gain.best_weights(covariance)
