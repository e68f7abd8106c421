"""Filters: equal to batch least squares and to a sum over all histories; calibrated when told the truth."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcourse.applications import handwriting, tracking
from mmcourse.data import digits
from mmcourse.data.synthetic_witnesses import (
    ERRORS,
    FOG,
    GUESS,
    JERK,
    LEARN,
    PRIOR,
    SLIP,
    STEP,
    simulate_drives,
    simulate_pupils,
)

FEW = settings(max_examples=25, deadline=None)
SEEDS = st.integers(0, 2**32 - 1)


def by_batch(camera, radar):
    """The last distance by one Gaussian over all states and measurements of one drive."""
    steps = len(camera)
    move = np.array([[1.0, STEP], [0.0, 1.0]])
    push = JERK * np.array([STEP**2 / 2, STEP])
    # The state at each step is linear in the first state and in all pushes.
    states = np.zeros((steps, 2, 2 + steps - 1))
    states[0, :, :2] = np.eye(2)
    for step in range(1, steps):
        states[step] = move @ states[step - 1]
        states[step, :, 2 + step - 1] += push
    cover = np.eye(2 + steps - 1)
    cover[:2, :2] = tracking.START
    mean = np.zeros(2 + steps - 1)
    mean[0] = (camera[0] + radar[0]) / 2
    seen = np.concatenate([states[:, 0], states[:, 0]])
    errors = np.repeat([ERRORS["camera"] ** 2, ERRORS["radar"] ** 2], steps)
    gain = cover @ seen.T @ np.linalg.inv(seen @ cover @ seen.T + np.diag(errors))
    mean = mean + gain @ (np.concatenate([camera, radar]) - seen @ mean)
    cover = cover - gain @ seen @ cover
    last = states[-1, 0]
    return last @ mean, np.sqrt(last @ cover @ last)


@given(SEEDS, st.integers(1, 12))
@FEW
def test_the_filter_equals_one_large_gaussian(seed, steps):
    camera, radar = np.random.default_rng(seed).normal(40, 3, (2, steps))
    found, spread = tracking.kalman({"camera": camera[None], "radar": radar[None]}, ERRORS)
    expected = by_batch(camera, radar)
    np.testing.assert_allclose((found[0, -1], spread[0, -1]), expected, rtol=1e-6)


def test_the_order_of_the_sensors_does_not_matter_and_a_missing_one_is_as_if_absent():
    drives = simulate_drives(4, 40, seed=3)
    forward = tracking.kalman(drives.measured, ERRORS)
    backward = tracking.kalman(dict(reversed(drives.measured.items())), ERRORS)
    np.testing.assert_allclose(forward, backward, rtol=1e-9)
    missing = drives.measured | {"camera": np.full((4, 40), np.nan)}
    alone = tracking.kalman({"radar": drives.measured["radar"]}, ERRORS)
    np.testing.assert_allclose(tracking.kalman(missing, ERRORS), alone, rtol=1e-9)


def test_it_knows_how_wrong_it_is_when_it_is_told_the_errors():
    for failure, errors in (("none", ERRORS), ("fog", None)):
        drives = simulate_drives(200, seed=9, failure=failure)
        if errors is None:
            errors = ERRORS | {"camera": np.where(drives.fog, FOG, ERRORS["camera"])}
        found, spread = tracking.kalman(drives.measured, errors)
        off = ((found - drives.distance) / spread)[:, 20:]
        assert 0.9 < off.std() < 1.1 and abs(off.mean()) < 0.1


def test_a_gate_leaves_out_what_surprises():
    steady = np.full((1, 60), 50.0)
    jumped = steady.copy()
    jumped[0, 40] = 90.0
    open_, _ = tracking.kalman({"radar": jumped}, {"radar": 1.0})
    gated, _ = tracking.kalman({"radar": jumped}, {"radar": 1.0}, gate=9.0)
    assert open_[0, 40] > 52 and abs(gated[0, 40] - 50) < 1e-6


def over_histories(marks):
    """P(known at the last answer | all marks), by summing over the moment of learning."""
    weights = {True: 0.0, False: 0.0}
    for learned in range(len(marks) + 1):  # known from answer `learned` on; len(marks): never
        chance = PRIOR if learned == 0 else (1 - PRIOR) * (1 - LEARN) ** (learned - 1) * LEARN
        if learned == len(marks):
            chance = (1 - PRIOR) * (1 - LEARN) ** (learned - 1)
        for answer, mark in enumerate(marks):
            right = 1 - SLIP if answer >= learned else GUESS
            chance *= right if mark else 1 - right
        weights[learned < len(marks)] += chance
    return weights[True] / (weights[True] + weights[False])


@pytest.mark.parametrize("count", [1, 2, 5])
def test_tracing_equals_the_sum_over_all_histories(count):
    for marks in itertools.product([0, 1], repeat=count):
        found = tracking.trace(np.array([marks]))
        np.testing.assert_allclose(found[0, -1], over_histories(marks), rtol=1e-9)


def test_a_reader_without_doubt_gives_marks_and_one_that_knows_nothing_gives_no_evidence():
    marks = np.random.default_rng(0).integers(2, size=(20, 8))
    np.testing.assert_allclose(tracking.trace(marks, soft=True), tracking.trace(marks), rtol=1e-9)
    nothing = tracking.trace(np.full((1, 3), tracking.CHANCE), soft=True)
    np.testing.assert_allclose(nothing[0], [PRIOR, *by_learning(2)], rtol=1e-9)
    np.testing.assert_allclose(tracking.trace(marks[:1, :3], misread=(0.5, 0.5)), nothing, rtol=1e-9)


def test_marks_are_weighed_by_what_is_known_of_each_kind_of_error():
    missed, passed = 0.3, 0.05
    found = tracking.trace(np.array([[1], [0]]), misread=(missed, passed))
    for mark, belief in zip((1, 0), found[:, 0], strict=True):
        if_right, if_wrong = (1 - missed, passed) if mark else (missed, 1 - passed)
        knows = PRIOR * ((1 - SLIP) * if_right + SLIP * if_wrong)
        does_not = (1 - PRIOR) * (GUESS * if_right + (1 - GUESS) * if_wrong)
        assert belief == pytest.approx(knows / (knows + does_not))
    assert (1 - found[1]) < (1 - tracking.trace(np.array([[0]])))[0]  # a doubtful "wrong" says less


def by_learning(steps):
    belief = PRIOR
    for _ in range(steps):
        belief += (1 - belief) * LEARN
        yield belief


@given(SEEDS)
@FEW
def test_a_higher_probability_of_a_right_answer_never_lowers_the_belief(seed):
    random = np.random.default_rng(seed)
    chance = random.random((1, 6))
    more = chance.copy()
    answer = random.integers(6)
    more[0, answer] = random.uniform(chance[0, answer], 1)
    before, after = tracking.trace(chance, soft=True), tracking.trace(more, soft=True)
    assert (after >= before - 1e-12).all() and (after <= 1).all() and (before >= 0).all()


def test_answers_are_read_with_probabilities_that_fit():
    pupils = simulate_pupils(60, 6, seed=4)
    chance = tracking.read_answers(pupils)
    assert chance.shape == (60, 6)
    assert chance[pupils.right].mean() > 0.75 and chance[~pupils.right].mean() < 0.05


def test_the_reader_of_digits():
    images, labels = digits.load().part("test")
    found = handwriting.read_digits(images[::10])
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-6)
    assert 0.85 < (found.argmax(axis=1) == labels[::10]).mean() < 0.99
    scaled = handwriting.read_digits(images[::10] / np.float32(255))
    np.testing.assert_allclose(found, scaled, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: tracking.kalman({}, {}), "each sensor needs an error"),
        (lambda: tracking.kalman({"radar": np.zeros((1, 3))}, {"camera": 1.0}), "each sensor needs an error"),
        (lambda: tracking.kalman({"radar": np.zeros(3)}, {"radar": 1.0}), "drives, steps"),
        (lambda: tracking.kalman({"radar": np.zeros((1, 3))}, {"radar": 0.0}), "above 0"),
        (lambda: tracking.kalman({"radar": np.zeros((1, 3))}, {"radar": 1.0}, gate=0), "above 0"),
        (lambda: tracking.trace(np.zeros(3)), "pupils, exercises"),
        (lambda: tracking.trace(np.full((1, 2), 1.5)), "from 0 to 1"),
        (lambda: tracking.trace(np.ones((1, 2)), misread=(0.1, 0.6)), "misread"),
        (lambda: tracking.trace(np.ones((1, 2)), misread=0.1), "misread must be two shares"),
        (lambda: handwriting.read_digits(np.zeros((28, 28))), "pictures, 28, 28"),
    ],
)
def test_errors_say_what_was_expected(call, words):
    with pytest.raises(ValueError, match=words):
        call()
