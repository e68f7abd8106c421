"""Attacks, private training, its accountant, federated averaging, and the words of the audit."""

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from mmcourse.data import background, emoji, laws
from mmcourse.outlook import bias, privacy

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def toy():
    random = np.random.default_rng(0)
    images = random.integers(0, 256, size=(60, 28, 28)).astype(np.uint8)
    return privacy.features(images), random.integers(0, 10, size=60)


def test_features_have_length_one_and_keep_the_picture(toy):
    rows, _ = toy
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, rtol=1e-6)
    image = np.zeros((1, 4, 4), np.uint8)
    image[0, :2, 2:] = 200
    np.testing.assert_allclose(privacy.features(image) * np.sqrt(2), [[0, 1, 0, 0, 1]], atol=1e-6)


@pytest.mark.parametrize("images", [np.zeros((1, 4, 4)), np.ones((4, 4)), np.ones((1, 3, 4))])
def test_features_refuse_what_they_cannot_scale(images):
    with pytest.raises(ValueError, match="picture"):
        privacy.features(images)


@pytest.mark.parametrize(
    ("sample", "noise", "steps", "delta", "expected"),
    [  # computed by dp-accounting 0.6.0: RdpAccountant(orders=range(2, 257)), Poisson sampling
        (0.01, 4, 10000, 1e-5, 1.0354900660362436),
        (256 / 60000, 1.1, 14062, 1e-5, 2.5969811785948815),
        (0.1, 1.0, 100, 1e-4, 6.821628963883517),
        (0.1, 2.0, 300, 1e-4, 3.9981726105100623),
        (1.0, 5.0, 10, 1e-5, 2.814109167845533),
        (0.05, 0.7, 200, 1e-3, 8.842184596963229),
        (0.02, 8.0, 1000, 1e-5, 0.2947753073672523),
    ],
)
def test_epsilon_is_that_of_a_trusted_accountant(sample, noise, steps, delta, expected):
    assert privacy.epsilon(sample, noise, steps, delta) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("sample", "noise", "order"), [(0.2, 1.5, 2), (0.2, 1.5, 7), (0.05, 0.8, 3), (0.9, 3, 12)]
)
def test_renyi_is_the_integral_that_defines_it(sample, noise, order):
    """E over z ~ N(0, s²) of ((1 - q) + q N(z; 1, s²) / N(z; 0, s²))^order, integrated numerically."""

    def integrand(z):
        ratio = 1 - sample + sample * np.exp((2 * z - 1) / (2 * noise**2))
        return stats.norm.pdf(z, 0, noise) * ratio**order

    moment, _ = integrate.quad(integrand, -12 * noise, order + 12 * noise, limit=400)
    assert privacy.renyi(sample, noise, order) == pytest.approx(np.log(moment) / (order - 1), rel=1e-6)


def test_epsilon_holds_against_the_exact_curve_of_one_gaussian_step():
    """Of one step without sampling δ(ε) is known in closed form (Balle and Wang, 2018)."""
    for noise in (0.8, 2.0, 6.0):
        stated = privacy.epsilon(1.0, noise, 1, 1e-3)
        true_delta = stats.norm.cdf(1 / (2 * noise) - stated * noise) - np.exp(stated) * stats.norm.cdf(
            -1 / (2 * noise) - stated * noise
        )
        assert 1e-5 < true_delta <= 1e-3


@settings(max_examples=10, deadline=None)
@given(st.floats(0.01, 1), st.floats(0.6, 10), st.integers(1, 500))
def test_more_noise_less_sampling_and_fewer_steps_cost_less(sample, noise, steps):
    sample, noise = round(sample, 2), round(noise, 1)
    here = privacy.epsilon(sample, noise, steps, 1e-4)
    assert privacy.epsilon(sample, noise + 0.5, steps, 1e-4) <= here
    assert privacy.epsilon(sample / 2, noise, steps, 1e-4) <= here + 1e-12
    assert privacy.epsilon(sample, noise, steps + 1, 1e-4) >= here
    assert privacy.epsilon(sample, noise, steps, 1e-3) <= here


def test_noise_for_is_the_smallest_that_keeps_the_promise():
    found = privacy.noise_for(2.0, 0.2, 60, 1e-3)
    assert privacy.epsilon(0.2, found, 60, 1e-3) <= 2.0 < privacy.epsilon(0.2, found - 0.001, 60, 1e-3)
    with pytest.raises(ValueError, match="no noise"):
        privacy.noise_for(1e-6, 1.0, 10_000, 1e-5)


def test_models_side_by_side_are_the_models_alone(toy):
    rows, labels = toy
    inside = np.arange(60) < np.array([[30], [30]])
    inside[1] = ~inside[1]
    both = privacy.train(rows, labels, inside, 20, 3.0, decay=0.01, clip=0.3)
    for number in range(2):
        alone = privacy.train(rows, labels, inside[number : number + 1], 20, 3.0, decay=0.01, clip=0.3)
        np.testing.assert_allclose(alone[0], both[number], atol=1e-5)
        own = inside[number]
        cut = privacy.train(rows[own], labels[own], np.ones((1, 30), bool), 20, 3.0, decay=0.01, clip=0.3)
        np.testing.assert_allclose(cut[0], both[number], atol=1e-5)


def test_one_example_moves_a_clipped_step_by_no_more_than_the_clip(toy):
    rows, labels = toy
    inside = np.ones((1, 60), bool)
    changed = labels.copy()
    changed[7] = (changed[7] + 1) % 10
    options = {"steps": 1, "rate": 60.0, "momentum": 0.0}  # rate / expected number = 1: the sum itself
    free = [privacy.train(rows, one, inside, **options) for one in (labels, changed)]
    tied = [privacy.train(rows, one, inside, clip=0.1, **options) for one in (labels, changed)]
    assert np.linalg.norm(free[0] - free[1]) > 1.0
    assert np.linalg.norm(tied[0] - tied[1]) <= 2 * 0.1 + 1e-5  # one goes, another comes


def test_noise_has_the_size_that_the_accountant_counts_with(toy):
    rows, labels = toy
    inside = np.ones((1, 60), bool)
    options = {"steps": 1, "rate": 60.0, "momentum": 0.0, "clip": 0.1}
    still = privacy.train(rows, labels, inside, **options)
    loud = privacy.train(rows, labels, inside, noise=5.0, **options)
    assert (loud - still).std() == pytest.approx(0.5, rel=0.05)
    sampled = [privacy.train(rows, labels, inside, sample=0.5, seed=seed, **options) for seed in range(200)]
    np.testing.assert_allclose(
        np.mean(sampled, axis=0), still, atol=0.06
    )  # unbiased: divided by what is expected


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"noise": 1.0}, "noise without a clip"),
        ({"sample": 0.0}, "sample must be"),
        ({"clip": -1.0}, "clip must be"),
        ({"steps": 0}, "steps must be"),
        ({"inside": np.zeros((1, 60), bool)}, "equally many"),
        ({"inside": np.ones((1, 59), bool)}, "expected rows"),
    ],
)
def test_training_that_promises_nothing_is_refused(toy, change, message):
    options = {"inside": np.ones((1, 60), bool), "steps": 1, "rate": 1.0} | change
    with pytest.raises(ValueError, match=message):
        privacy.train(*toy, **options)


def test_attacks_find_members_that_were_learnt_by_heart_and_only_those(toy):
    rows, labels = toy  # noise with random labels: nothing can be learnt but the examples
    random = np.random.default_rng(1)
    halves = [random.permutation(60) < 30 for _ in range(8)]
    inside = np.array([one for half in halves for one in (half, ~half)])
    fitted = privacy.train(rows, labels, inside, 300, 30.0)
    untrained = privacy.train(rows, labels, inside, 1, 1e-6)
    for weights, low, high in ((fitted, 0.9, 1.0), (untrained, 0.0, 0.3)):
        scores = privacy.likelihood_ratio(weights, rows, labels, inside)
        found = np.mean(
            [privacy.true_positive_rate(*pair, 0.05) for pair in zip(inside, scores, strict=True)]
        )
        assert low <= found <= high
    with pytest.raises(ValueError, match="inside two models"):
        privacy.likelihood_ratio(fitted[:2], rows, labels, inside[:2])


def test_true_positive_rate_by_hand():
    inside = np.array([1, 1, 1, 0, 0, 0, 0], bool)
    scores = np.array([9, 5, 1, 6, 4, 3, 2])
    assert privacy.true_positive_rate(inside, scores, 0.0) == pytest.approx(1 / 3)
    assert privacy.true_positive_rate(inside, scores, 0.25) == pytest.approx(2 / 3)
    assert privacy.true_positive_rate(inside, scores, 1.0) == 1.0
    with pytest.raises(ValueError, match="one score"):
        privacy.true_positive_rate(inside, scores[:3])


def test_one_local_step_of_all_clients_is_one_step_on_all_data(toy):
    rows, labels = toy[0].astype(float), toy[1]
    clients = [(rows[:10], labels[:10]), (rows[10:], labels[10:])]
    for one, other in zip(
        privacy.federated(clients, 5, 1, 2.0), privacy.federated([(rows, labels)], 5, 1, 2.0), strict=True
    ):
        np.testing.assert_allclose(one, other, atol=1e-12)
    with pytest.raises(ValueError, match="each client"):
        privacy.federated([(rows, labels), (rows[:0], labels[:0])], 1, 1, 1.0)


@pytest.mark.parametrize(
    ("name", "tone", "gender"),
    [
        ("woman surfing medium-light skin tone", "medium-light", "woman"),
        ("person with veil dark skin tone", "dark", "neutral"),
        ("kiss woman man light skin tone dark skin tone", "", "neutral"),
        ("prince medium skin tone", "medium", "man"),
        ("mango", "", "neutral"),
    ],
)
def test_words_of_the_audit(name, tone, gender):
    assert (bias.tone_of(name), bias.gender_of(name)) == (tone, gender)


def test_counterfactuals_differ_in_the_tone_alone():
    pictures = emoji.load(8)
    rows = bias.counterfactuals(pictures, "unseen_artist")
    assert len(rows) > 50 and rows.shape[1] == 5
    for places in rows:
        entries = [pictures.entries[place] for place in places]
        assert len({entry.base for entry in entries}) == 1
        assert tuple(entry.skin_tones[0] for entry in entries) == bias.TONE_WORDS
        assert {pictures.artists[place] for place in places} == {"openmoji"}


def test_typical_colours_are_found_and_repainted():
    palette = np.array(
        [[250, 220, 190], [222, 187, 144], [193, 154, 101], [165, 121, 57], [106, 70, 47]], np.uint8
    )
    images = np.full((5, 6, 6, 3), 255, np.uint8)
    images[:, :2] = palette[:, None, None]
    np.testing.assert_array_equal(bias.skin_colours(images, bias.TONE_WORDS), palette)
    new = palette[::-1].copy()
    painted = bias.repaint(images, palette, new)
    np.testing.assert_array_equal(painted[:, 0, 0], new)
    assert (painted[:, 2:] == 255).all()
    with pytest.raises(ValueError, match="all of"):
        bias.skin_colours(images[:4], bias.TONE_WORDS[:4])
    with pytest.raises(ValueError, match="one shape"):
        bias.repaint(images, palette, new[:2])


def test_no_law_lacks_a_date_a_source_or_its_place_in_the_order():
    text = (ROOT / "book" / "references.bib").read_text(encoding="utf-8")
    keys = set(re.findall(r"^@\w+\{([^,\s]+),", text, re.MULTILINE))
    rows = laws.load()
    assert len(rows) > 9 and [row.date for row in rows] == sorted(row.date for row in rows)
    for row in rows:
        assert 2016 < background.year(row.date) < 2027 and row.source in keys, row
        assert row.what[0].isupper() and row.what.endswith(".") and len(row.what) < 180, row
    assert {row.kind for row in rows} == set(laws.KINDS) and {row.place for row in rows} == set(laws.PLACES)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"place": "Mars"}, "place must be"),
        ({"source": " "}, "source must not be"),
        ({"date": "soon"}, "date"),
    ],
)
def test_a_law_with_a_gap_is_refused(change, message):
    row = {"date": "2024", "place": "EU", "kind": "law", "name": "a", "what": "B.", "source": "c"}
    with pytest.raises(ValueError, match=message):
        laws.Law(**{**row, **change})
