"""The network that notebook 43 tunes: its gradient, its parts, its failures."""

import numpy as np
import pytest

from mmcourse.data import digits
from mmcourse.learning import tuning, tuning_digits

GOOD = {"learning_rate": 0.05, "weight_decay": 1e-4, "dropout": 0.0, "width": 16}


def test_no_image_is_in_two_parts():
    parts, data = tuning_digits.parts(), digits.load()
    sizes = {name: len(images) for name, images in parts.images.items()}
    assert sizes == {"train": 300, "validation": 500, "test": 1000, "fresh": 3200}
    rows = [row.tobytes() for images in parts.images.values() for row in images]
    assert len(rows) == len(data.images) == len(set(rows))
    for name, images in parts.images.items():
        assert images.shape == (sizes[name], 196) and images.dtype == np.float32
        assert images.min() >= 0 and images.max() <= 1
        assert (np.bincount(parts.labels[name]) == sizes[name] // 10).all()


def test_a_step_goes_down_the_gradient():
    """One step without momentum yet: the change of the weights is the rate times the numerical gradient."""
    chosen = GOOD | {"learning_rate": 0.1, "weight_decay": 0.3, "width": 5}
    network = tuning_digits.Network(chosen, seed=1)
    before = [weight.astype(np.float64) for weight in network.weights]
    parts = tuning_digits.parts()
    images, labels = parts.images["train"][::30].astype(np.float64), parts.labels["train"][::30]

    def loss(weights):
        hidden, bias, output, last = weights
        logits = np.maximum(images @ hidden + bias, 0) @ output + last
        logits -= logits.max(axis=1, keepdims=True)
        likely = logits[np.arange(len(labels)), labels] - np.log(np.exp(logits).sum(axis=1))
        return -likely.mean() + 0.15 * ((hidden**2).sum() + (output**2).sum())

    network._step(images.astype(np.float32), labels)
    random = np.random.default_rng(0)
    for place, weight in enumerate(before):
        direction = random.normal(size=weight.shape)
        moved = [
            loss([w + sign * 1e-5 * direction if i == place else w for i, w in enumerate(before)])
            for sign in (1, -1)
        ]
        slope = (moved[0] - moved[1]) / 2e-5
        change = ((network.weights[place] - weight) * direction).sum()
        assert change == pytest.approx(-0.1 * slope, rel=2e-3, abs=1e-5)


def test_it_learns_and_the_same_seed_learns_the_same():
    network = tuning_digits.train(GOOD, 6, seed=0)
    assert network.score("validation") > 0.6
    assert network.score("validation") == tuning_digits.objective(GOOD, 6, 0)
    again = tuning_digits.Network(GOOD, seed=0)
    for _ in range(6):
        again.epoch()
    np.testing.assert_array_equal(again.right("fresh"), network.right("fresh"))
    assert (tuning_digits.train(GOOD, 6, seed=1).right("fresh") != network.right("fresh")).any()


def test_a_training_that_diverges_has_the_score_of_a_guess():
    wild = GOOD | {"learning_rate": 1e6}
    assert tuning_digits.objective(wild, 2, 0) == pytest.approx(0.1)


def test_dropout_is_drawn_in_training_only():
    network = tuning_digits.train(GOOD | {"dropout": 0.5}, 2, 0)
    np.testing.assert_array_equal(network.right("fresh"), network.right("fresh"))
    plain = tuning_digits.train(GOOD, 2, 0)
    assert (plain.weights[0] != network.weights[0]).any()


def test_the_table_holds_what_a_training_gives(monkeypatch):
    monkeypatch.setattr(tuning_digits, "TABLE_SETTINGS", 2)
    monkeypatch.setattr(tuning_digits, "TABLE_SEEDS", 2)
    monkeypatch.setattr(tuning_digits, "EPOCHS", 3)
    table = tuning_digits._make_table()
    assert table["validation"].shape == (2, 2, 3) and table["fresh_right"].shape == (2, 3200)
    chosen = tuning.settings_at(tuning_digits.SPACE, table["shares"][1])
    assert table["validation"][1, 1, 2] == np.float32(tuning_digits.objective(chosen, 3, 3))
    np.testing.assert_allclose(table["fresh_right"].mean(axis=1), table["fresh"][:, 0], rtol=1e-6)


def test_the_searches_for_a_narrow_network_have_a_choice_after_each_training(monkeypatch):
    monkeypatch.setattr(tuning_digits, "NARROW_TRAININGS", 9)
    monkeypatch.setattr(tuning_digits, "NARROW_SEEDS", 1)
    monkeypatch.setattr(tuning_digits, "EPOCHS", 3)
    found = tuning_digits._make_narrow_searches()
    searches = ["random", "halving", "bayesian"]
    assert list(found) == [*searches, *(f"{name}_again" for name in searches)]
    for name in searches:
        scores, again = found[name], found[f"{name}_again"]
        assert again.shape == (1,) and 0.05 <= again[0] <= 1
        assert scores.shape == (1, 9)
        # A bracket of 3 settings costs two full trainings: before them nothing is chosen.
        assert np.isnan(scores).sum() == (1 if name == "halving" else 0)
        assert np.nanmin(scores) >= 0.05 and np.nanmax(scores) <= 1


@pytest.mark.parametrize("change", [{"width": 0}, {"width": 2.5}])
def test_a_width_is_a_number_of_units(change):
    with pytest.raises(ValueError, match="width must be a whole number"):
        tuning_digits.Network(GOOD | change, 0)
    with pytest.raises(ValueError, match="budget must be"):
        tuning_digits.train(GOOD, 0)
