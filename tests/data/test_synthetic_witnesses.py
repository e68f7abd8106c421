"""The invented drives and pupils are what their datasheet says."""

import numpy as np
import pytest

from mmcourse.data import digits, synthetic_witnesses
from mmcourse.data.synthetic_witnesses import (
    ERRORS,
    FOG,
    GUESS,
    LEARN,
    PRIOR,
    SLIP,
    simulate_drives,
    simulate_pupils,
)


def test_sensors_err_as_stated():
    drives = simulate_drives(200, seed=1)
    for name, error in ERRORS.items():
        off = drives.measured[name] - drives.distance
        assert off.std() == pytest.approx(error, rel=0.03) and abs(off.mean()) < 0.05
    assert not drives.fog.any()
    speed = np.diff(drives.distance, axis=1)
    assert np.abs(speed).max() < 3, "no car jumps"


def test_failures_concern_the_camera_in_the_middle_third_alone():
    clear = simulate_drives(50, 90, seed=2)
    for failure in ("fog", "frozen", "creeping"):
        drives = simulate_drives(50, 90, seed=2, failure=failure)
        np.testing.assert_array_equal(drives.distance, clear.distance)
        np.testing.assert_array_equal(drives.measured["radar"], clear.measured["radar"])
        changed = (drives.measured["camera"] != clear.measured["camera"]).any(axis=0)
        np.testing.assert_array_equal(np.flatnonzero(changed), np.arange(30, 60))
    fog = simulate_drives(50, 90, seed=2, failure="fog")
    off = fog.measured["camera"] - fog.distance
    assert off[fog.fog].std() == pytest.approx(FOG, rel=0.05) and fog.fog.sum() == 50 * 30
    frozen = simulate_drives(50, 90, seed=2, failure="frozen").measured["camera"]
    assert (frozen[:, 30:60] == frozen[:, 29:30]).all()
    creeping = simulate_drives(50, 90, seed=2, failure="creeping").measured["camera"]
    np.testing.assert_allclose((creeping - clear.measured["camera"])[:, 59], 0.05 * 30)


def test_pupils_follow_the_model_of_knowledge_tracing():
    pupils = simulate_pupils(4000, 6, seed=3)
    assert pupils.known[:, 0].mean() == pytest.approx(PRIOR, abs=0.03)
    assert (pupils.known[:, 1:] >= pupils.known[:, :-1]).all(), "nobody forgets"
    learned = pupils.known[:, 1:][~pupils.known[:, :-1]]
    assert learned.mean() == pytest.approx(LEARN, abs=0.01)
    assert pupils.right[pupils.known].mean() == pytest.approx(1 - SLIP, abs=0.01)
    assert pupils.right[~pupils.known].mean() == pytest.approx(GUESS, abs=0.015)
    total = pupils.sums.sum(axis=2)
    assert total.min() == 0 and total.max() == 9 and set(np.unique(pupils.written)) == set(range(10))


def test_pictures_show_what_was_written_and_are_of_the_test_split():
    pupils = simulate_pupils(30, 4, seed=5)
    images, labels = digits.load().part("test")
    known = {image.tobytes(): label for image, label in zip(images, labels, strict=True)}
    for picture, digit in zip(pupils.answers.reshape(-1, 28, 28), pupils.written.ravel(), strict=True):
        assert known[picture.tobytes()] == digit
    blurred = simulate_pupils(30, 4, seed=5, blur=2)
    np.testing.assert_array_equal(blurred.written, pupils.written)
    assert blurred.answers.max(axis=(2, 3)).mean() < pupils.answers.max(axis=(2, 3)).mean()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: simulate_drives(failure="rain"), "failure must be none, fog, frozen or creeping"),
        (lambda: simulate_drives(0), "drives"),
        (lambda: simulate_drives(steps=10), "steps"),
        (lambda: simulate_pupils(0), "pupils"),
        (lambda: simulate_pupils(exercises=0), "exercises"),
        (lambda: simulate_pupils(blur=-1), "blur"),
    ],
)
def test_errors_name_the_argument(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_statistics_are_numbers():
    found = synthetic_witnesses.statistics()
    assert len(found) > 8 and all(isinstance(value, int | float) for value in found.values())
