"""Diagnosis: Bayes by counting, thresholds that keep their word, and effects where they are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcourse.applications import medicine, patches
from mmcourse.data.synthetic_patients import simulate_hearts, simulate_patients

FEW = settings(max_examples=30, deadline=None)
SHARES = st.floats(0.01, 0.99)
SEEDS = st.integers(0, 2**32 - 1)


@given(st.integers(1, 200), st.integers(0, 200), st.integers(1, 200), st.integers(0, 200))
@FEW
def test_predictive_values_are_shares_of_a_table(hits, misses, clears, alarms):
    ill, healthy = hits + misses, clears + alarms
    found = medicine.predictive_values(hits / ill, clears / healthy, ill / (ill + healthy))
    np.testing.assert_allclose(found, (hits / (hits + alarms), clears / (clears + misses)))


def test_where_no_result_can_occur_there_is_no_value():
    assert np.isnan(medicine.predictive_values(0, 1, 0.5)[0])
    assert np.isnan(medicine.predictive_values(1, 0, 0.5)[1])


@given(SHARES, SHARES, SHARES, SHARES, SHARES)
@FEW
def test_moving_the_prevalence_is_bayes_rule(sensitivity, specificity, old, middle, new):
    before = medicine.predictive_values(sensitivity, specificity, old)[0]
    after = medicine.predictive_values(sensitivity, specificity, new)[0]
    np.testing.assert_allclose(medicine.move_prevalence(before, old, new), after, rtol=1e-6)
    there = medicine.move_prevalence(before, old, middle)
    np.testing.assert_allclose(medicine.move_prevalence(there, middle, old), before, rtol=1e-6)


def test_certainty_stays_certain():
    np.testing.assert_array_equal(medicine.move_prevalence([0.0, 1.0], 0.3, 0.01), [0.0, 1.0])


@given(SEEDS, st.integers(2, 60), st.floats(0, 1), st.booleans())
@FEW
def test_a_threshold_keeps_its_specificity_and_is_the_lowest_that_does(seed, rows, specificity, ties):
    random = np.random.default_rng(seed)
    truths = random.integers(2, size=rows)
    truths[0] = 0
    scores = random.normal(size=rows)
    scores = np.round(scores) if ties else scores
    place = medicine.threshold_at(truths, scores, specificity)
    healthy = scores[truths == 0]
    assert (healthy < place).mean() >= specificity - 1e-9
    lower = scores[scores < place]
    if len(lower):
        assert (healthy < lower.max()).mean() < specificity


def test_rates_are_counted():
    truths, called = np.array([1, 1, 1, 0, 0]), np.array([1, 1, 0, 0, 1])
    assert medicine.rates(truths, called) == (2 / 3, 1 / 2)


def test_what_is_missing_is_nan_and_then_zero_with_a_flag():
    patients = simulate_patients("validation", 60, seed=3)
    found = medicine.evidence(patients)
    assert found.shape == (60, 3)
    np.testing.assert_array_equal(np.isnan(found[:, 0]), ~patients.pictured)
    np.testing.assert_array_equal(np.isnan(found[:, 2]), [not note for note in patients.notes])
    assert not np.isnan(found[:, 1]).any()
    columns = medicine.fusion_columns(found)
    assert columns.shape == (60, 6) and np.isfinite(columns).all()
    np.testing.assert_array_equal(columns[:, 3], patients.pictured)
    assert not columns[~patients.pictured, 0].any()
    assert medicine.table_columns(patients, measured=False).shape == (60, 2)


def test_the_note_is_read_with_its_no():
    _, note = medicine.record_readers()
    lump, none = note.decision_function(["a lump was felt", "no lump was felt"])
    assert lump > none + 1


def test_the_picture_reader_finds_masses():
    patients = simulate_patients("test", 400, missing=False)
    scores = patches.read_pictures(patches.picture_reader(), patients.pictures)
    assert scores.shape == (400,) and scores.dtype == float
    assert scores[patients.cancer == 1].mean() > scores[patients.cancer == 0].mean() + 1


def test_the_level_of_a_curve_follows_the_illness():
    hearts = simulate_hearts(200, seed=1)
    levels = medicine.st_level(hearts.curves)
    log_odds = np.log(hearts.risks[:, 0] / (1 - hearts.risks[:, 0])) - 0.05 * (hearts.age - 65)
    assert np.corrcoef(levels, log_odds)[0, 1] < -0.95
    assert np.isnan(medicine.st_level(np.zeros((1, 375)))).all()
    moved = medicine.st_level(hearts.curves + np.float32(0.2))
    np.testing.assert_allclose(moved, levels, atol=0.02)


def test_an_effect_is_found_when_its_confounder_is_known():
    random = np.random.default_rng(0)
    severe = random.random(20_000) < 0.5
    treated = (random.random(20_000) < np.where(severe, 0.8, 0.2)).astype(int)
    died = (random.random(20_000) < 0.1 + 0.4 * severe - 0.05 * treated).astype(int)
    assert medicine.treatment_effect(treated, died) > 0.1
    known = medicine.treatment_effect(treated, died, severe[:, None].astype(float))
    assert known == pytest.approx(-0.05, abs=0.02)


def test_targets_that_were_never_met_are_harder():
    random, cold = (
        np.mean([medicine.binding_scores(seed, cold) for seed in range(5)], axis=0) for cold in (False, True)
    )
    assert random[0] > 0.9 and (cold < random - 0.1).all() and cold[0] > cold[1] + 0.2


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: medicine.predictive_values(1.2, 0.5, 0.5), "sensitivity"),
        (lambda: medicine.move_prevalence([1.2], 0.3, 0.1), "log-odds"),
        (lambda: medicine.move_prevalence([0.2], 0.3, 1.0), "new must be a share"),
        (lambda: medicine.threshold_at([1, 1], [0.1, 0.2], 0.9), "nobody is healthy"),
        (lambda: medicine.threshold_at([1, 0], [0.1], 0.9), "one score for each"),
        (lambda: medicine.rates([1, 1], [1, 0]), "somebody ill and somebody healthy"),
        (lambda: medicine.rates([1, 0], [1]), "one call for each"),
        (lambda: patches.read_pictures(None, np.zeros((2, 28, 28))), "24, 24"),
        (lambda: medicine.st_level(np.zeros(10)), "patients, samples"),
        (lambda: medicine.treatment_effect(np.ones(3), np.ones(3)), "treated and untreated"),
        (lambda: medicine.treatment_effect(np.ones(3), np.ones(2)), "one row for each"),
    ],
)
def test_errors_say_what_was_expected(call, words):
    with pytest.raises(ValueError, match=words):
        call()
