"""Scaling laws: the fit finds a law that it is shown, the optimum is one, operations are counted right."""

import dataclasses

import hypothesis.strategies as st
import keras
import numpy as np
import pytest
from hypothesis import given, settings

from mmcourse.outlook import scaling

SIZES, AMOUNTS = (2e3, 8e3, 2e4, 6e4), (5e4, 2e5, 8e5)
N, D = (grid.ravel() for grid in np.meshgrid(SIZES, AMOUNTS))
TRUE = scaling.Law(E=1.3, A=20, alpha=0.4, B=90, beta=0.45)


def test_a_law_by_hand():
    law = scaling.Law(E=1, A=10, alpha=0.5, B=100, beta=1)
    assert float(law.loss(100, 50)) == pytest.approx(1 + 1 + 2)
    assert law.loss(np.array([[100], [400]]), [50, 100]).shape == (2, 2)


def test_the_fit_finds_the_law_that_made_the_losses():
    found = scaling.fit(N, D, TRUE.loss(N, D))
    for name, value in dataclasses.asdict(TRUE).items():
        assert getattr(found, name) == pytest.approx(value, rel=1e-3), name


def test_one_training_that_went_wrong_moves_the_fit_less_than_it_moves_a_mean():
    losses = TRUE.loss(N, D)
    losses[5] *= 1.5
    found = scaling.fit(N, D, losses)
    others = np.arange(len(N)) != 5
    assert np.abs(found.loss(N, D) / losses - 1)[others].max() < 0.01


@settings(max_examples=30, deadline=None)
@given(st.floats(0.1, 1.0), st.floats(0.1, 1.0), st.floats(1, 1e3), st.floats(1, 1e3), st.floats(1e8, 1e25))
def test_no_other_size_is_better_for_the_budget(alpha, beta, a, b, budget):
    law = scaling.Law(1.0, a, alpha, b, beta)
    size, data = law.optimal(budget)
    assert 6 * size * data == pytest.approx(budget)
    best = law.loss(size, data)
    for factor in (0.5, 0.9, 1.1, 2):
        assert law.loss(size * factor, data / factor) >= best


def test_the_published_laws_say_what_their_papers_say():
    size, data = scaling.PUBLISHED["Besiroglu 2024"].optimal(5.76e23)
    assert 15 < data / size < 25  # "consistent with the 20 tokens-per-parameter rule"
    size, data = scaling.PUBLISHED["Hoffmann 2022"].optimal(5.76e23)
    assert 3.9e10 < size < 4.2e10  # table 3 of Besiroglu et al.: 40 billion parameters at this budget


def test_the_bootstrap_covers_the_truth_and_is_the_same_each_time():
    noise = np.random.default_rng(1).normal(0, 0.002, (3, len(N)))
    losses = TRUE.loss(N, D) * np.exp(noise)
    laws = scaling.bootstrap(N, D, losses, repeats=60, seed=2)
    assert laws == scaling.bootstrap(N, D, losses, repeats=60, seed=2) and len(set(laws)) > 50
    low, high = scaling.interval(laws, lambda law: float(law.loss(1e5, 2e6)))
    assert low < TRUE.loss(1e5, 2e6) < high and high - low < 0.1


def test_energy_is_power_times_time():
    assert scaling.kilowatt_hours(3600, 1000) == pytest.approx(1)
    assert scaling.kilowatt_hours([7200], 5)[0] == pytest.approx(0.01)


def test_operations_are_counted_and_the_layers_are_left_as_they_were():
    dense, convolution = keras.layers.Dense(5), keras.layers.Conv2D(7, 3, padding="same")
    before = keras.layers.Dense.call
    with scaling.counted() as found:
        dense(np.ones((2, 4, 3), np.float32))
        convolution(np.ones((1, 6, 8, 2), np.float32))
    assert found == [(dense.name, 2 * 8 * 15), (convolution.name, 2 * 48 * 7 * 9 * 2)]
    assert keras.layers.Dense.call is before
    with pytest.raises(ZeroDivisionError), scaling.counted():
        1 / 0  # noqa: B018
    assert keras.layers.Dense.call is before


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: scaling.fit(N[:4], D[:4], N[:4]), "five trainings"),
        (lambda: scaling.fit(N, D, N[:-1]), "five trainings"),
        (lambda: scaling.fit(N, D, np.zeros(len(N))), "positive"),
        (lambda: scaling.bootstrap(N, D, N), r"losses \(seeds, cells\)"),
        (lambda: TRUE.optimal(0), "operations"),
        (lambda: scaling.kilowatt_hours(1, 0), "watts"),
    ],
)
def test_what_cannot_be_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_the_published_numbers_are_those_of_the_papers():
    """Hoffmann et al., section D.3, round E, A and B to 1.69, 406.4 and 410.7; Besiroglu et al., table 1."""
    first, second = (scaling.PUBLISHED[name] for name in ("Hoffmann 2022", "Besiroglu 2024"))
    assert (round(first.E, 2), first.A, first.B) == (1.69, 406.4, 410.7)
    assert (round(first.alpha, 2), round(first.beta, 2)) == (0.34, 0.28)
    assert (round(second.E, 2), round(second.A), round(second.B)) == (1.82, 482, 2085)
    assert (round(second.alpha, 2), round(second.beta, 2)) == (0.35, 0.37)
    for size, tokens in ((7e10, 1.4e12), (2.8e11, 3e11)):  # Chinchilla, Gopher: fitted to the same trainings
        assert abs(first.loss(size, tokens) - second.loss(size, tokens)) < 0.06
