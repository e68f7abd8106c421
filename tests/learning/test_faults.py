"""The gallery of faults: each is one change, each leaves the trace that notebook 42 speaks of."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from mmcourse.data import digits
from mmcourse.learning import faults
from mmcourse.learning.faults import EVERY, FAULTS, NUMBERS, SOUND, Recipe, cross_entropy, network, train

SHORT = replace(SOUND, steps=2 * EVERY)


def test_ten_faults_of_one_change_each_and_no_change_twice():
    changes = [tuple(fault.changes(SOUND)) for fault in FAULTS.values()]
    assert len(FAULTS) == 10 and {len(change) for change in changes} == {1}
    assert len(set(changes)) == 9, "only the learning rate can be wrong in two ways"
    assert {name for name, _ in faults.CASES.values()} <= {"sound", *FAULTS}
    assert {number for _, number in faults.CASES.values()} <= set(NUMBERS)


def test_a_run_has_its_curves_and_numbers_and_can_be_repeated():
    run, again, other = train(SHORT, 1), train(SHORT, 1), train(SHORT, 2)
    assert set(run.numbers) == set(NUMBERS) and tuple(run.curves) == faults.CURVES
    assert all(curve.shape == (2,) and np.isfinite(curve).all() for curve in run.curves.values())
    for name in faults.CURVES:
        np.testing.assert_allclose(run.curves[name], again.curves[name], rtol=1e-4)
        assert not np.allclose(run.curves[name], other.curves[name], rtol=1e-4)
    assert abs(run.numbers["first loss"] - np.log(10)) < 0.5
    assert run.curves["validation_accuracy"][-1] > 0.5
    assert run.curves["validation_accuracy"][-1] == pytest.approx(run.numbers["validation"], abs=1e-6)


def test_what_a_dead_start_leaves_behind():
    run = train(replace(SHORT, zeros=True))
    assert run.numbers["gradient"] == run.numbers["step"] == 0 and run.numbers["one answer"] == 1
    assert np.allclose(run.curves["loss"], np.log(10), atol=0.02)


def test_a_second_softmax_has_a_floor():
    best = float(cross_entropy(ops.convert_to_tensor([[1.0, *[0.0] * 9]]), ops.convert_to_tensor([0])))
    assert best == pytest.approx(np.log((np.e + 9) / np.e), rel=1e-5)
    model = network(replace(SOUND, probabilities=True))
    outputs = model(np.random.default_rng(0).random((4, 784), dtype="float32"))
    np.testing.assert_allclose(ops.sum(outputs, axis=1), 1, rtol=1e-5)


def test_the_scale_of_the_input_shows_in_the_first_loss():
    assert train(replace(SHORT, scaled=False)).numbers["first loss"] > 20


def test_fifty_digits_and_one_batch_give_the_same_batches():
    parts = {
        "train": (np.arange(3500.0).reshape(-1, 1).repeat(784, 1), np.arange(3500) % 10),
        "validation": (np.zeros((5, 784)), np.zeros(5, int)),
    }
    seen = {}
    for name in ("too few digits", "one batch for ever"):
        batches = faults._batches(FAULTS[name], parts, np.random.default_rng(4))
        images, _ = next(batches)
        seen[name] = [sorted(next(batches)[0][:, 0]) for _ in range(3)], len(images)
    assert seen["too few digits"][0] == seen["one batch for ever"][0]
    assert [size for _, size in seen.values()] == [50, 1000]


@pytest.mark.parametrize("field", ["shuffled", "paired", "leak"])
def test_what_the_batches_hold(field):
    parts = {name: faults._pixels(name, True) for name in digits.SPLITS}
    recipe = replace(SOUND, **{field: not getattr(SOUND, field)})
    batches = faults._batches(recipe, parts, np.random.default_rng(0))
    images, labels = next(batches)
    first = np.concatenate([next(batches)[1] for _ in range(len(images) // 50)])
    truth = {image.tobytes(): label for image, label in zip(*parts["train"], strict=True)}
    truth |= {image.tobytes(): label for image, label in zip(*parts["validation"], strict=True)}
    right = np.mean([truth[image.tobytes()] == label for image, label in zip(images, labels, strict=True)])
    assert (right == 1) == (field != "paired")
    assert (np.diff(first) >= 0).all() == (field == "shuffled")
    assert len(images) == (1500 if field == "leak" else 1000)


@given(st.integers(0, 4), st.integers(1, 5), st.integers(0, 2**31))
@settings(max_examples=30, deadline=None)
def test_moved_images_keep_their_ink(most, count, seed):
    pixels = np.random.default_rng(seed).random((count, 784)).astype("float32")
    moved = faults._moved(pixels, most, np.random.default_rng(seed))
    assert moved.shape == pixels.shape
    np.testing.assert_array_equal(np.sort(moved, axis=1), np.sort(pixels, axis=1))
    if not most:
        assert moved is pixels


def test_a_residual_layer_adds_its_input():
    model = network(Recipe(depth=3, residual=True, dropout=0.0, hidden=8))
    pixels = np.random.default_rng(0).random((2, 784)).astype("float32")
    first, second, third, last = [w.numpy() for w in model.weights[::2]]
    flow = np.maximum(pixels @ first, 0)  # the biases begin at 0
    for kernel in (second, third):
        flow = flow + np.maximum(flow @ kernel, 0)
    np.testing.assert_allclose(model(pixels), flow @ last, rtol=1e-4, atol=1e-5)
    assert len(network(Recipe(depth=5)).weights) == 12


@given(st.floats(0, 2), st.booleans(), st.integers(0, 2**31))
@settings(max_examples=20, deadline=None)
def test_noise_has_the_deviation_it_says(deviation, scaled, seed):
    pixels = np.full((60, 784), 0.5 if scaled else 127.5, "float32")
    noisy = faults._noisy(pixels, Recipe(scaled=scaled), deviation, np.random.default_rng(seed))
    found = (noisy - pixels).std() / (1 if scaled else 255)
    assert noisy.dtype == np.float32 and found == pytest.approx(deviation, rel=0.05, abs=1e-6)


def test_frozen_layers_stay_and_the_best_weights_come_back():
    frozen = train(replace(SHORT, frozen=True)).numbers
    assert frozen["gradient"] == frozen["step"] == 0
    wild = replace(SOUND, digits=50, steps=10 * EVERY, dropout=0.0, rate=0.01)
    last, best = train(wild), train(replace(wild, restored=True))
    np.testing.assert_allclose(last.curves["validation_loss"], best.curves["validation_loss"], rtol=1e-3)
    at = int(best.curves["validation_loss"].argmin())
    assert at < 9 and best.numbers["validation"] == pytest.approx(
        best.curves["validation_accuracy"][at], abs=0.01
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"digits": 3501}, "at most 3500"),
        ({"digits": 40}, "digits must be a whole number of at least 50"),
        ({"steps": 30}, "a multiple of 20"),
        ({"steps": 0}, "steps must be"),
        ({"rate": 0.0}, "rate must be a number above 0"),
        ({"dropout": 1.0}, "dropout must be a number from 0 to 0.9"),
        ({"smoothing": -0.1}, "smoothing must be"),
        ({"momentum": 1.0}, "momentum must be"),
        ({"weight_decay": -1.0}, "weight_decay must be"),
        ({"moved": -1}, "moved must be"),
        ({"depth": 0}, "depth must be"),
        ({"noise": -0.1}, "noise must be"),
        ({"hidden": 0}, "hidden must be"),
        ({"batch": 1.5}, "batch must be"),
    ],
)
def test_a_recipe_that_cannot_be_followed_says_why(change, message):
    with pytest.raises(ValueError, match=message):
        Recipe(**change)


def test_runs_are_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("MMCOURSE_DATA", str(tmp_path))
    calls = []

    def once(recipe, seed):
        calls.append(seed)
        curves = {name: np.arange(2.0) + seed for name in faults.CURVES}
        return faults.Run(curves, {name: float(seed) for name in NUMBERS})

    monkeypatch.setattr(faults, "train", once)
    first = faults.gallery(["sound", "softmax twice"], [0, 1])
    second = faults.gallery(["sound", "softmax twice"], [0, 1])
    assert calls == [0, 1, 0, 1] and list(first) == ["sound", "softmax twice"]
    for name, runs in first.items():
        for ours, theirs in zip(runs, second[name], strict=True):
            assert ours.numbers == theirs.numbers and ours.curves.keys() == theirs.curves.keys()
    with pytest.raises(ValueError, match="unknown fault 'softmax thrice'; expected some of: sound, rate"):
        faults.gallery(["softmax thrice"])


def test_what_no_case_needs_is_not_made_by_prepare(monkeypatch):
    made = []
    monkeypatch.setattr(faults, "_kept", lambda recipe, seed: made.append((recipe, seed)))
    faults.prepare()
    assert len(made) == len(set(made)) == 33 + 6 + 20
