"""The invented tour is what its datasheet says."""

import numpy as np
import pytest

from mmcourse.data import synthetic_tour as tour


def test_visits_have_their_shapes_and_come_from_their_seed():
    one, same, other = (tour.simulate_visits(3, 4, seed) for seed in (1, 1, 2))
    assert one.exhibit.shape == one.yaw.shape == one.pitch.shape == (3, 4)
    assert one.views.shape == (3, 4, 48, 48, 3) and one.views.dtype == np.uint8
    for name in ("exhibit", "yaw", "pitch", "views"):
        np.testing.assert_array_equal(getattr(one, name), getattr(same, name))
    assert (one.views != other.views).any()


def test_the_yaw_drifts_and_the_pitch_does_not():
    visits = tour.simulate_visits(60, 15, seed=3, noise=0)
    yaw, pitch = tour.place_of(visits.exhibit)
    off = (visits.yaw - yaw).std(axis=0)
    assert off[0] < 12 and off[-1] > 1.6 * off[0]
    assert (visits.pitch - pitch)[:, -5:].std() < 12
    expected = np.hypot(tour.AIM, tour.BIAS * tour.PAUSE * 14)
    assert off[-1] == pytest.approx(expected, rel=0.35)


def test_twins_look_alike_and_stand_elsewhere():
    kinds = np.bincount(tour.PLAN)
    assert kinds.tolist() == [2] * 4 + [1] * 4 and len(tour.PLAN) == 12
    yaw, pitch = tour.place_of(np.arange(12))
    assert len(set(zip(yaw.tolist(), pitch.tolist(), strict=True))) == 12
    for kind in range(4):
        first, second = np.flatnonzero(np.array(tour.PLAN) == kind)
        assert yaw[first] != yaw[second]


def test_each_passage_is_told_once():
    texts = tour.passages()
    assert len(texts) == len(set(texts)) == 48
    assert all(len(wordings) == 3 for wordings in tour.QUESTIONS.values())


def test_noise_makes_a_view_worse():
    clear, noisy = (tour.view("owl", np.random.default_rng(0), noise) for noise in (0, 60))
    assert np.abs(clear.astype(int) - noisy).mean() > 20
    with pytest.raises(ValueError, match="noise"):
        tour.simulate_visits(noise=-1)


def test_statistics_for_the_datasheet():
    figures = tour.statistics()
    assert figures["tour: exhibits"] == 12 and figures["tour: kinds of exhibits"] == 8
