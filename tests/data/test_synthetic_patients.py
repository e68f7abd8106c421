"""The invented patients are what their datasheet says."""

import numpy as np
import pytest
from scipy.stats import ks_2samp

from mmcourse.data import synthetic_patients
from mmcourse.data.synthetic_patients import EFFECT, simulate_hearts, simulate_patients


def test_patients_have_the_parts_that_are_promised():
    patients = simulate_patients("test")
    assert len(patients) == 2000 and patients.pictures.shape == (2000, 24, 24)
    assert patients.pictures.dtype == np.float32 and patients.pictures.min() >= 0
    assert patients.pictures.max() <= 1 and not patients.pictures[~patients.pictured].any()
    assert patients.cancer.dtype == np.int64 and patients.cancer.mean() == pytest.approx(0.3, abs=0.04)
    ill = patients.cancer == 1
    measured = ~np.isnan(patients.table["marker"])
    assert measured[ill].mean() == pytest.approx(0.6, abs=0.06)
    assert measured[~ill].mean() == pytest.approx(0.2, abs=0.04)
    assert patients.dense[ill].mean() == pytest.approx(0.4, abs=0.06)
    assert np.mean([not note for note in patients.notes]) == pytest.approx(0.25, abs=0.04)


def test_nothing_is_missing_when_asked():
    patients = simulate_patients("validation", 200, missing=False)
    assert patients.pictured.all() and all(patients.notes)
    assert np.isfinite(patients.table["marker"]).all()


def test_another_share_changes_how_many_are_ill_and_not_what_they_look_like():
    few, many = simulate_patients("test", 4000, 1, 0.05), simulate_patients("test", 4000, 2, 0.5)
    assert few.cancer.mean() < 0.08 < 0.45 < many.cancer.mean()
    for value in (0, 1):
        ages = [who.table["age"][who.cancer == value] for who in (few, many)]
        bright = [who.pictures[(who.cancer == value) & who.pictured].mean(axis=(1, 2)) for who in (few, many)]
        assert ks_2samp(*ages).pvalue > 0.001 and ks_2samp(*bright).pvalue > 0.001


def test_splits_and_seeds_differ_and_repeat():
    pictures = [
        simulate_patients(split, 50, seed).pictures
        for split, seed in (("train", 0), ("test", 0), ("train", 1), ("train", 0))
    ]
    np.testing.assert_array_equal(pictures[0], pictures[3])
    assert not np.array_equal(pictures[0], pictures[1]) and not np.array_equal(pictures[0], pictures[2])


def test_the_mark_is_in_the_corner_and_nowhere_else():
    plain, marked = (simulate_patients("test", 100, mark=mark, missing=False) for mark in ((0, 0), (1, 1)))
    changed = (plain.pictures != marked.pictures).any(axis=0)
    assert changed[1, 1:5].all() and changed[1:5, 1].all() and changed.sum() == 7
    one_sided = simulate_patients("test", 400, mark=(0, 1), missing=False)
    shown = one_sided.pictures[:, 1, 1:5].min(axis=1) == 1
    np.testing.assert_array_equal(shown, one_sided.cancer == 1)


def test_hearts_are_treated_because_they_are_ill_and_the_treatment_helps():
    hearts, trial = simulate_hearts(6000), simulate_hearts(6000, trial=True)
    assert hearts.curves.shape == (6000, 375) and hearts.curves.dtype == np.float32
    log_odds = np.log(hearts.risks / (1 - hearts.risks))
    np.testing.assert_allclose(np.diff(log_odds, axis=1), EFFECT)
    for who, least, most in ((hearts, 0.02, 0.12), (trial, -0.17, -0.08)):
        assert least < who.died[who.treated == 1].mean() - who.died[who.treated == 0].mean() < most
    assert trial.treated.mean() == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: simulate_patients("exam"), "split must be one of train"),
        (lambda: simulate_patients("test", 5), "count"),
        (lambda: simulate_patients("test", 50, share=2), "share"),
        (lambda: simulate_patients("test", 50, mark=(0, 3)), "mark"),
        (lambda: simulate_hearts(1), "count"),
    ],
)
def test_errors_say_what_was_expected(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_statistics_are_counted():
    found = synthetic_patients.statistics()
    treated = found["hearts: share that died, of the treated"]
    assert treated > found["hearts: share that died, of the untreated"]
    assert found["hearts: true effect of the treatment on the risk"] < -0.1
