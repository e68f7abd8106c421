"""Pairs without a leak; fusions that do what their formulas say; the way of a missing modality."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcourse.data import digits, spoken_digits
from mmcourse.learning import fusion


def vectors(seed: int, rows: int = 5, width: int = 6) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    return tuple(random.normal(size=(rows, width)).astype(np.float32) for _ in range(2))


def built(layer, *shapes, seed: int = 0):
    """The layer with random weights, biases included."""
    layer.build(*shapes)
    random = np.random.default_rng(seed)
    layer.set_weights([random.normal(size=weight.shape) for weight in layer.get_weights()])
    return layer


@pytest.fixture(scope="module")
def pairs():
    return {name: fusion.make_pairs(name, 100) for name in fusion.EXAMPLES}


@pytest.fixture(scope="module")
def models():
    found = {name: fusion.FusionModel(name) for name in fusion.FUSIONS}
    for model in found.values():
        model.build()
    return found


def test_halves_show_the_same_digit_and_stay_in_their_split(pairs):
    pictures, speech = digits.load(), spoken_digits.load()
    for name, part in pairs.items():
        np.testing.assert_array_equal(pictures.labels[part.rows["image"]], part.labels)
        np.testing.assert_array_equal(speech.digits[part.rows["sound"]], part.labels)
        assert set(part.rows["image"]) <= set(pictures.split(name))
        assert set(part.rows["sound"]) <= set(speech.split(name))
        assert (np.bincount(part.labels) == len(part) // 10).all()
        for modality, shape in fusion.SHAPES.items():
            assert part.inputs[modality].shape == (len(part), *shape)
            assert part.inputs[modality].dtype == np.float32
    for modality in fusion.MODALITIES:
        train, test = (set(pairs[name].rows[modality]) for name in ("train", "test"))
        assert not train & test


@pytest.mark.parametrize(
    ("task", "expected"),
    [("sum above nine", lambda a, b: a + b > 9), ("sum even", lambda a, b: (a + b) % 2 == 0)],
)
def test_digits_of_a_sum_are_drawn_apart(task, expected):
    part = fusion.make_pairs("train", 1000, task)
    seen, heard = part.digits["image"], part.digits["sound"]
    np.testing.assert_array_equal(part.labels, expected(seen, heard))
    assert 0.05 < (seen == heard).mean() < 0.15
    assert (digits.load().labels[part.rows["image"]] == seen).all()


def test_a_contradiction_never_agrees():
    part = fusion.make_pairs("test", 300, contradict=True)
    assert (part.digits["image"] != part.digits["sound"]).all()
    np.testing.assert_array_equal(part.labels, part.digits["image"])


def test_noise_is_as_large_as_it_says_and_never_in_the_padding():
    clean = fusion.make_pairs("test", 300, noise={"image": 0.0, "sound": 0.0})
    noisy = fusion.make_pairs("test", 300, noise={"image": (0.5, 0.5), "sound": (0.0, 3.0)})
    np.testing.assert_array_equal(clean.rows["image"], noisy.rows["image"])
    difference = noisy.inputs["image"] - clean.inputs["image"]
    assert abs(difference.std() - 0.5) < 0.01
    assert clean.inputs["image"].min() >= 0 and clean.inputs["image"].max() <= 1
    real = clean.inputs["sound"][..., -1]
    np.testing.assert_array_equal(noisy.inputs["sound"][..., -1], real)
    assert (noisy.inputs["sound"][real == 0] == 0).all()
    spread = (noisy.inputs["sound"] - clean.inputs["sound"])[..., :-1].std(
        axis=(1, 2), where=real[..., None] == 1
    )
    assert np.corrcoef(spread, noisy.noise["sound"])[0, 1] > 0.95
    assert 0 < noisy.noise["sound"].min() and noisy.noise["sound"].max() < 3


def test_the_seed_decides():
    first, again, other = (fusion.make_pairs("train", 50, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.inputs["sound"], again.inputs["sound"])
    assert (first.rows["image"] != other.rows["image"]).any()


def test_no_row_comes_twice_before_all_of_its_digit_have_come():
    part = fusion.make_pairs("test", 900)
    assert len(set(part.rows["image"])) == 900
    assert (np.unique(part.rows["sound"], return_counts=True)[1] == 3).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"split": "dev"}, "split must be one of"),
        ({"task": "product"}, "task one of"),
        ({"count": 15}, "multiple of 10"),
        ({"count": 0}, "count must be a whole number"),
        ({"noise": {"video": 1.0}}, "noise is given for image, sound"),
        ({"noise": {"image": -1.0}}, "the noise of 'image'"),
    ],
)
def test_wrong_pairs_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        fusion.make_pairs(**{"split": "train"} | arguments)


def test_all_fusions_have_about_the_same_number_of_weights(models):
    counts = {name: model.count_params() for name, model in models.items()}
    assert max(counts.values()) < 1.05 * min(counts.values()), counts


@given(st.integers(0, 1000))
@settings(deadline=None, max_examples=20)
def test_the_bilinear_layer_is_the_full_tensor_of_low_rank(seed):
    image, sound = vectors(seed)
    layer = built(fusion.Bilinear(3, 4), (None, 6), (None, 6), seed=seed)
    first, first_bias, second, second_bias, last, last_bias = layer.get_weights()
    left, right = np.vstack([first, first_bias]), np.vstack([second, second_bias])  # (7, rank)
    tensor = np.einsum("ir,jr,rc->ijc", left, right, last)  # (7, 7, classes)
    one = np.ones((len(image), 1))
    expected = (
        np.einsum("bi,bj,ijc->bc", np.hstack([image, one]), np.hstack([sound, one]), tensor) + last_bias
    )
    np.testing.assert_allclose(np.asarray(layer(image, sound)), expected, rtol=1e-3, atol=1e-3)


@given(st.integers(0, 1000))
@settings(deadline=None, max_examples=20)
def test_the_gate_is_its_formula(seed):
    image, sound = vectors(seed)
    layer = built(fusion.Gated(3, 4), (None, 6), (None, 6), seed=seed)
    u, u_bias, v, v_bias, w, w_bias, a, a_bias = layer.get_weights()
    gate = 1 / (1 + np.exp(-(np.hstack([image, sound]) @ w + w_bias)))
    hidden = gate * np.tanh(image @ u + u_bias) + (1 - gate) * np.tanh(sound @ v + v_bias)
    np.testing.assert_allclose(np.asarray(layer(image, sound)), hidden @ a + a_bias, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(np.asarray(layer.opening(image, sound)), gate, atol=1e-5)


def test_late_logits_have_no_interaction():
    """f(x, y) - f(x, y') - f(x', y) + f(x', y') = 0 for a sum of two functions, and not for the others."""
    (x, y), (x2, y2) = vectors(0), vectors(1)
    sizes = ((None, 6), (None, 6))

    def interaction(layer):
        cross = layer(x, y) - layer(x, y2) - layer(x2, y) + layer(x2, y2)
        return float(np.abs(np.asarray(cross)).max())

    assert interaction(built(fusion.Late(5, 3), *sizes)) < 1e-4
    for layer in (fusion.Concatenation(5, 3), fusion.Gated(5, 3), fusion.Bilinear(5, 3)):
        assert interaction(built(layer, *sizes)) > 0.1, layer


def test_messages_are_means_over_the_neighbours():
    graph = np.array([[0, 1, 1], [1, 0, 0], [1, 0, 0]])
    nodes = np.random.default_rng(0).normal(size=(2, 3, 4)).astype(np.float32)
    layer = built(fusion.Messages(graph), (None, 3, 4))
    own, bias, message = layer.get_weights()
    mean = np.stack([nodes[:, 1:].mean(axis=1), nodes[:, 0], nodes[:, 0]], axis=1)
    inner = nodes @ own + bias + mean @ message
    expected = nodes + np.asarray(keras.ops.gelu(inner))
    np.testing.assert_allclose(np.asarray(layer(nodes)), expected, rtol=1e-4, atol=1e-4)


def test_the_graph_has_the_edges_that_it_says():
    graph = fusion.neighbours()
    assert graph.shape == (24, 24) and (graph == graph.T).all() and not graph.diagonal().any()
    assert graph[:16, :16].sum() == 2 * 24 and graph[16:, 16:].sum() == 2 * 7 and graph[:16, 16:].all()


@pytest.mark.parametrize("name", fusion.FUSIONS)
def test_a_fusion_uses_what_it_says_and_misses_what_is_not_there(name, models, pairs):
    model, inputs = models[name], {one: array[:6] for one, array in pairs["test"].inputs.items()}
    given = fusion.logits(model, inputs)
    assert given.shape == (6, 10) and np.isfinite(given).all()
    for modality in fusion.MODALITIES:
        other = dict(inputs)
        other[modality] = inputs[modality][::-1].copy()
        changed = np.abs(fusion.logits(model, other) - given).max() > 1e-6
        assert changed == (modality in model.uses)
        (left,) = set(fusion.MODALITIES) - {modality}
        if left in model.uses:
            assert np.isfinite(fusion.logits(model, {left: inputs[left]})).all()


def test_a_missing_modality_is_the_learned_absence(models, pairs):
    model = fusion.FusionModel("concatenation", modality_dropout=0.5)
    model.build()
    absent = np.random.default_rng(0).normal(size=model.absent["image"].shape)
    model.absent["image"].assign(absent)
    tokens = model.tokens({"sound": pairs["test"].inputs["sound"][:3]})
    np.testing.assert_allclose(np.asarray(tokens["image"]), np.tile(absent, (3, 1, 1)), rtol=1e-6)
    assert [variable.trainable for variable in model.absent.values()] == [True, True]
    assert [variable.trainable for variable in models["concatenation"].absent.values()] == [False, False]


def test_modality_dropout_takes_one_or_none_and_only_in_training(pairs):
    model = fusion.FusionModel("concatenation", modality_dropout=0.3)
    model.build()
    inputs = {name: np.repeat(array, 10, axis=0) for name, array in pairs["test"].inputs.items()}
    whole = model.tokens(inputs)
    dropped = model.tokens(inputs, training=True)
    gone = np.array([(np.asarray(dropped[name]) == 0).all(axis=(1, 2)) for name in fusion.MODALITIES])
    assert not gone.all(axis=0).any()
    assert (abs(gone.mean(axis=1) - 0.3) < 0.06).all()
    for place, name in enumerate(fusion.MODALITIES):
        assert not (np.asarray(whole[name]) == 0).all(axis=(1, 2)).any()
        stays = ~gone[place]
        np.testing.assert_allclose(
            np.asarray(dropped[name])[stays], np.asarray(whole[name])[stays], atol=1e-5
        )


def test_training_learns_and_can_be_repeated(pairs):
    def trained():
        keras.utils.set_random_seed(1)
        return fusion.best("early", pairs["train"], pairs["validation"], rates=(1e-9, 1e-2), epochs=30)

    (model, rate), (again, _) = trained(), trained()
    assert rate == 1e-2
    assert fusion.score(model, pairs["train"]) > 0.8
    for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)


def test_a_model_can_be_saved(tmp_path, pairs, models):
    inputs = {name: array[:4] for name, array in pairs["test"].inputs.items()}
    models["graph"].save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(
        fusion.logits(loaded, inputs), fusion.logits(models["graph"], inputs), atol=1e-5
    )


@given(st.integers(0, 1000), st.integers(1, 4))
@settings(deadline=None)
def test_ensembles_are_distributions(seed, count):
    members = np.random.default_rng(seed).dirichlet(np.ones(5), size=(count, 7))
    for rule in ("mean", "product"):
        joined = fusion.ensemble(list(members), rule)
        np.testing.assert_allclose(joined.sum(axis=1), 1)
        if count == 1:
            np.testing.assert_allclose(joined, members[0], atol=1e-9)
    product = members.prod(axis=0)
    np.testing.assert_allclose(joined, product / product.sum(axis=1, keepdims=True), atol=1e-9)


def test_what_makes_no_sense_is_refused(models):
    with pytest.raises(ValueError, match="fusion must be one of image, sound, early"):
        fusion.FusionModel("average")
    with pytest.raises(ValueError, match="modality_dropout must be a number from 0 to"):
        fusion.FusionModel("late", modality_dropout=0.6)
    with pytest.raises(ValueError, match=r"inputs hold image or sound, or both, got \['video'\]"):
        models["late"].tokens({"video": np.zeros((1, 2))})
    with pytest.raises(ValueError, match="or both, got"):
        models["late"].tokens({})
    with pytest.raises(ValueError, match="modality must be one of image, sound"):
        fusion.Encoder("video", 8)
    with pytest.raises(ValueError, match="at least one learning rate"):
        fusion.best("late", None, None, rates=())
    with pytest.raises(ValueError, match='"mean" or "product"'):
        fusion.ensemble([np.ones((1, 2))], "median")
    with pytest.raises(ValueError, match="must have one shape"):
        fusion.ensemble([np.ones((1, 2)), np.ones((1, 3))])
