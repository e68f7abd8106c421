"""Drift against SciPy's test, and feedback that keeps no person and no example without consent."""

import json
from dataclasses import asdict, fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from mmcourse.pipeline import fingerprint, monitoring

FINITE = st.floats(-1e6, 1e6).map(lambda value: round(value, 3))
SAMPLES = st.lists(FINITE | st.integers(0, 3).map(float), min_size=1, max_size=40)  # with ties
ANSWERS = st.integers(0, 9)
EXAMPLES = st.sampled_from([fingerprint(number) for number in range(4)])
RECORDS = st.builds(
    monitoring.Feedback,
    version=st.just("1.0"),
    example=EXAMPLES,
    shown=st.lists(ANSWERS, min_size=1, max_size=3, unique=True).map(tuple),
    chosen=ANSWERS | st.none(),
    week=st.just("2026-W14"),
    consent=st.booleans(),
)


@given(SAMPLES, SAMPLES)
@settings(max_examples=250)
def test_gap_and_p_value_are_scipys(first, second):
    found = monitoring.drift(first, second)
    expected = stats.ks_2samp(first, second, method="asymp")
    np.testing.assert_allclose(found.gap, expected.statistic, atol=1e-12)
    if round(len(first) * len(second) / (len(first) + len(second))) >= 1:  # else SciPy gives NaN
        np.testing.assert_allclose(found.p_value, expected.pvalue, atol=1e-12)
    assert 0 <= found.p_value <= 1


@given(SAMPLES, SAMPLES)
def test_the_gap_is_a_distance_that_order_and_growing_functions_leave_alone(first, second):
    gap = monitoring.largest_gap(first, second)
    assert 0 <= gap <= 1 and monitoring.largest_gap(first, first[::-1]) == 0
    assert gap == monitoring.largest_gap(second, first)
    assert gap == monitoring.largest_gap(np.array(first) * 2, np.array(second) * 2)


def test_by_hand():
    assert monitoring.largest_gap([1, 2, 3, 4], [3, 4, 5, 6]) == 0.5
    assert monitoring.largest_gap([1, 1], [2]) == 1


def test_false_alarms_are_as_rare_as_they_should_be_and_a_shift_is_found():
    random = np.random.default_rng(0)
    quiet = [monitoring.drift(*random.normal(size=(2, 150))).p_value < 0.05 for _ in range(400)]
    assert 0.02 < np.mean(quiet) < 0.08
    pairs = [(random.normal(size=150), random.normal(0.6, size=150)) for _ in range(50)]
    moved = [monitoring.drift(*pair).p_value < 0.05 for pair in pairs]
    assert np.mean(moved) > 0.9


@pytest.mark.parametrize("values", [[], [[1, 2]], [np.nan], [np.inf], 3])
def test_what_is_no_sample_is_refused(values):
    with pytest.raises(ValueError, match="current must be finite numbers"):
        monitoring.drift([1, 2], values)


def record(**changes) -> monitoring.Feedback:
    given = {"version": "1.0", "example": fingerprint("x"), "shown": (3, 8), "chosen": 8, "week": "2026-W14"}
    return monitoring.Feedback(**given | changes)


def test_there_is_no_consent_unless_it_was_given():
    assert not record().consent and monitoring.usable([record()]) == {}
    assert monitoring.usable([record(consent=True)]) == {fingerprint("x"): 8}


@pytest.mark.parametrize(
    ("changes", "error", "preference"),
    [
        ({}, True, (8, 3)),
        ({"chosen": 3}, False, (3, 8)),
        ({"chosen": 5}, True, None),
        ({"chosen": None}, False, None),
        ({"shown": (8,)}, False, None),
    ],
)
def test_errors_and_preferences(changes, error, preference):
    assert record(**changes).is_error is error and record(**changes).preference == preference


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"example": "Ada Lovelace"}, "fingerprint"),
        ({"shown": ()}, "one answer or more"),
        ({"shown": (3, 3)}, "each once"),
        ({"week": "2026-04-02"}, "a year and a week"),
        ({"week": "2026-W54"}, "a year and a week"),
        ({"consent": "yes"}, "True or False"),
    ],
)
def test_a_record_that_does_not_fit_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        record(**changes)


def test_no_field_holds_a_person():
    assert {field.name for field in fields(monitoring.Feedback)} == {
        *("version", "example", "shown", "chosen", "week", "consent")
    }


@given(RECORDS)
def test_a_record_survives_json(written):
    assert monitoring.read_feedback(json.loads(json.dumps(asdict(written)))) == written


@pytest.mark.parametrize("change", [{"email": "a@b.c"}, {"name": "Ada"}])
def test_personal_fields_are_refused_by_name(change):
    with pytest.raises(ValueError, match=rf"not known: \['{next(iter(change))}'\]"):
        monitoring.read_feedback(asdict(record()) | change)
    with pytest.raises(ValueError, match=r"missing: \['week'\]"):
        monitoring.read_feedback({k: v for k, v in asdict(record()).items() if k != "week"})


@given(st.lists(RECORDS, max_size=12), st.sets(EXAMPLES))
def test_labels_come_only_with_consent_without_contradiction_and_not_after_withdrawal(records, withdrawn):
    labels = monitoring.usable(records, withdrawn)
    agreed = [r for r in records if r.consent and r.chosen is not None]
    for example in {r.example for r in records}:
        said = {r.chosen for r in agreed if r.example == example}
        assert (example in labels) == (len(said) == 1 and example not in withdrawn)
        if example in labels:
            assert {labels[example]} == said
    assert monitoring.usable(records[::-1], withdrawn) == labels


def simulated(seed=0, **changes):
    random = np.random.default_rng(seed)
    truths = random.integers(0, 5, 400)
    ranked = np.array([random.permutation(5)[:2] for _ in truths])
    examples = [fingerprint(number) for number in range(400)]
    return ranked, truths, monitoring.simulate_reports(ranked, truths, examples, random, **changes)


def test_only_errors_are_reported_and_what_is_known_is_right():
    ranked, truths, records = simulated(rates=(1, 1, 1))
    wrong = np.flatnonzero(ranked[:, 0] != truths)
    assert [r.example for r in records] == [fingerprint(int(row)) for row in wrong]
    assert [r.chosen for r in records] == truths[wrong].tolist()
    assert all(r.is_error and r.consent for r in records)
    assert simulated(rates=(0, 1, 1))[2] == []


def test_rates_of_reports():
    ranked, truths, records = simulated()
    assert 0.4 < len(records) / (ranked[:, 0] != truths).sum() < 0.6
    assert 0.8 < np.mean([r.chosen is not None for r in records]) < 0.98
    assert 0.7 < np.mean([r.consent for r in records]) < 0.9


def test_a_simulation_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="expected as many"):
        monitoring.simulate_reports(np.zeros((2, 1)), np.zeros(2), ["x"], np.random.default_rng(0))
    with pytest.raises(ValueError, match="rates must be"):
        simulated(rates=(0.5, 2, 0.1))


def test_preference_loss_by_hand_and_where_scores_are_huge():
    assert monitoring.preference_loss([[1, 3]], [(0, 1)]) == pytest.approx(-np.log(1 / (1 + np.exp(2))))
    assert monitoring.preference_loss(np.zeros((3, 4)), [(0, 1), (2, 3), (3, 0)]) == pytest.approx(np.log(2))
    assert monitoring.preference_loss([[1000.0, 0.0]], [(1, 0)]) == 1000


@given(st.lists(st.floats(-5, 5), min_size=3, max_size=3), st.permutations(range(3)), st.floats(-9, 9))
def test_preference_loss_forgets_what_is_added_to_all_and_falls_with_the_chosen_score(scores, order, added):
    pair = [tuple(order[:2])]
    table = np.array([scores])
    loss = monitoring.preference_loss(table, pair)
    assert monitoring.preference_loss(table + added, pair) == pytest.approx(loss)
    table[0, order[0]] += 0.5
    assert monitoring.preference_loss(table, pair) < loss


@pytest.mark.parametrize(("scores", "pairs"), [([], []), ([[1, 2]], [(0, 1), (1, 0)]), ([1, 2], [(0, 1)])])
def test_preferences_that_do_not_fit_are_refused(scores, pairs):
    with pytest.raises(ValueError, match="as many preferences"):
        monitoring.preference_loss(scores, pairs)
