"""Pruning, whole numbers, low rank, distillation, and the exact answers they are judged by."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcourse.encoders.grid import GridEncoder
from mmcourse.generator.model import MultimodalGenerator, Settings
from mmcourse.outlook import compression
from mmcourse.outlook.weights import replaced
from mmcourse.text import END_ID

SEEDS = st.integers(0, 2**32 - 1)
SHAPES = st.tuples(st.integers(1, 9), st.integers(1, 9))


def drawn(seed: int, shape: tuple[int, ...]) -> np.ndarray:
    """Weights of very different sizes, some of them 0."""
    random = np.random.default_rng(seed)
    weights = random.normal(size=shape) * 10.0 ** random.integers(-3, 3, size=shape)
    return np.where(random.random(shape) < 0.2, 0, weights).astype(np.float32)


# Whole numbers


def test_the_pencils_example():
    found = compression.quantise(np.array([0.9, -0.3, 0.1]), bits=3, axis=None)
    np.testing.assert_allclose(found.scale, [0.3], rtol=1e-6)
    assert found.codes.tolist() == [3, -1, 0]
    np.testing.assert_allclose(found.weights(), [0.9, -0.3, 0], rtol=1e-6)


@given(SEEDS, SHAPES, st.integers(2, 8), st.sampled_from([None, 0, 1]))
def test_no_weight_moves_by_more_than_half_a_step(seed, shape, bits, axis):
    weights = drawn(seed, shape)
    found = compression.quantise(weights, bits, axis)
    assert (np.abs(weights - found.weights()) <= found.scale * (0.5 + 1e-5)).all()
    assert np.abs(found.codes).max() <= 2 ** (bits - 1) - 1
    assert (found.weights()[weights == 0] == 0).all(), "zero stays zero"
    again = compression.quantise(found.weights(), bits, axis)
    np.testing.assert_array_equal(again.codes, found.codes)


@given(SEEDS, st.integers(2, 8))
def test_a_step_for_each_output_is_never_coarser(seed, bits):
    weights = drawn(seed, (7, 5))
    one, each = (compression.quantise(weights, bits, axis).scale for axis in (None, 0))
    used = np.abs(weights).max(axis=0, keepdims=True) > 0
    assert each.shape == (1, 5) and (each[used] <= one.item() * (1 + 1e-6)).all()


@given(SEEDS, SHAPES, st.integers(2, 8))
def test_packed_bits_come_back_and_leave_no_gap(seed, shape, bits):
    codes = np.random.default_rng(seed).integers(-(2 ** (bits - 1)), 2 ** (bits - 1), shape).astype(np.int8)
    packed = compression.pack_bits(codes, bits)
    assert packed.nbytes == -(-codes.size * bits // 8)
    found = compression.unpack_bits(packed, bits, shape)
    assert found.dtype == np.int8
    np.testing.assert_array_equal(found, codes)


def test_codes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="codes of 4 bits are from -8 to 7, got 0 to 8"):
        compression.pack_bits(np.array([0, 8], np.int8), 4)


@pytest.mark.parametrize("bits", [1, 9, 4.0, True])
def test_other_bits_are_refused(bits):
    with pytest.raises(ValueError, match="bits must be"):
        compression.quantise(np.ones(3), bits)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_broken_model_is_refused(bad):
    with pytest.raises(ValueError, match="NaN or infinity"):
        compression.quantise(np.array([1, bad]))
    with pytest.raises(ValueError, match="NaN or infinity"):
        compression.kept_by_size({"one": np.array([1, bad])}, 0.5)


def test_keras_rounds_alike():
    layer = keras.layers.Dense(24, use_bias=False)
    layer.build((None, 40))
    kernel = layer.kernel.numpy()
    layer.quantize("int8")
    found = compression.quantise(kernel, 8)
    assert np.abs(layer._kernel.numpy().astype(int) - found.codes).max() <= 1, (
        "half steps may fall either way"
    )
    assert (layer._kernel.numpy() == found.codes).mean() > 0.99
    np.testing.assert_allclose(layer.kernel_scale.numpy(), 1 / found.scale[0], rtol=1e-4)


# Fewer weights


@given(SEEDS, st.floats(0, 1))
def test_the_smallest_weights_of_all_matrices_go(seed, share):
    matrices = {"one": drawn(seed, (4, 6)), "other": drawn(seed + 1, (5, 3))}
    kept = compression.kept_by_size(matrices, share)
    assert {name: mask.shape for name, mask in kept.items()} == {"one": (4, 6), "other": (5, 3)}
    sizes = np.concatenate([np.abs(matrix).ravel() for matrix in matrices.values()])
    mask = np.concatenate([one.ravel() for one in kept.values()])
    assert (~mask).sum() == round(share * 39)
    assert sizes[~mask].max(initial=0) <= sizes[mask].min(initial=np.inf)
    by_lot = compression.kept_by_chance(matrices, share, seed)
    assert sum((~one).sum() for one in by_lot.values()) == (~mask).sum()


def test_the_lot_depends_on_the_seed_alone():
    matrices = {"one": np.ones((20, 20))}
    first, same, other = (compression.kept_by_chance(matrices, 0.5, seed)["one"] for seed in (1, 1, 2))
    assert (first == same).all() and (first != other).any()


@pytest.mark.parametrize("share", [-0.1, 1.1, np.nan])
def test_other_shares_are_refused(share):
    for choose in (compression.kept_by_size, compression.kept_by_chance):
        with pytest.raises(ValueError, match="share must be"):
            choose({"one": np.ones(3)}, share)
    with pytest.raises(ValueError, match="share must be"):
        compression.kept_units(np.ones((2, 3)), np.ones((3, 2)), share)


def test_no_matrix_is_refused():
    with pytest.raises(ValueError, match="at least one matrix"):
        compression.kept_by_size({}, 0.5)


@given(SEEDS, st.floats(0, 1))
def test_a_unit_left_out_is_a_unit_that_says_nothing(seed, share):
    into, out = drawn(seed, (5, 8)), drawn(seed + 1, (8, 3))
    kept = compression.kept_units(into, out, share)
    assert kept.sum() == max(1, 8 - round(share * 8))
    silent = np.where(kept[:, None], out, 0)
    hidden = np.maximum(np.ones((2, 5)) @ into, 0)
    narrow = np.maximum(np.ones((2, 5)) @ into[:, kept], 0) @ out[kept]
    np.testing.assert_allclose(hidden @ silent, narrow, rtol=1e-4, atol=1e-4)


def test_a_unit_counts_by_what_comes_in_and_what_goes_out():
    into = np.array([[3.0, 1.0, 2.0, 4.0]])
    out = np.array([[1.0], [4.0], [0.5], [0.1]])  # products 3, 4, 1, 0.4
    assert compression.kept_units(into, out, 0.25).tolist() == [True, True, True, False]
    assert compression.kept_units(into, out, 0.5).tolist() == [True, True, False, False]
    assert compression.kept_units(into, out, 0.75).tolist() == [False, True, False, False]


def test_units_of_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"\(inputs, hidden\) and \(hidden, outputs\)"):
        compression.kept_units(np.ones((5, 8)), np.ones((7, 3)), 0.5)


def test_a_pruned_matrix_is_stored_by_its_places():
    weights = np.array([[0, 2, 0, 0, 0], [0, 0, 0, 3, 4]], np.float32)
    places, values = compression.sparse_arrays(weights)
    assert places.nbytes == 2 and values.tolist() == [2, 3, 4]
    rebuilt = np.zeros(10, np.float32)
    rebuilt[np.unpackbits(places, count=10).astype(bool)] = values
    np.testing.assert_array_equal(rebuilt.reshape(2, 5), weights)


# Lower rank


def test_the_pencils_matrix():
    down, up = compression.low_rank(np.array([[3.0, 1.0], [1.0, 3.0]]), 1)
    np.testing.assert_allclose(down @ up, [[2, 2], [2, 2]])


@given(SEEDS, st.integers(1, 5))
@settings(max_examples=30)
def test_what_is_left_out_is_as_large_as_the_next_singular_value(seed, rank):
    weights = np.random.default_rng(seed).normal(size=(7, 5))
    down, up = compression.low_rank(weights, rank)
    assert down.shape == (7, rank) and up.shape == (rank, 5)
    values = np.append(np.linalg.svd(weights, compute_uv=False), 0)
    assert np.linalg.norm(weights - down @ up, 2) == pytest.approx(values[rank], abs=1e-9)


@pytest.mark.parametrize(("weights", "rank"), [(np.ones((3, 4)), 0), (np.ones((3, 4)), 4), (np.ones(3), 1)])
def test_other_ranks_are_refused(weights, rank):
    with pytest.raises(ValueError, match=r"rank must be|weights must be"):
        compression.low_rank(weights, rank)


def test_an_adapted_layer_answers_as_before_and_only_the_pair_learns():
    layer = keras.layers.Dense(4)
    layer.build((None, 6))
    rows = np.random.default_rng(0).normal(size=(3, 6)).astype(np.float32)
    before = layer(rows).numpy()
    assert compression.adapt([layer], rank=2) == 2 * (6 + 4)
    np.testing.assert_array_equal(layer(rows).numpy(), before)
    assert {weight.name for weight in layer.trainable_weights} == {"lora_kernel_a", "lora_kernel_b"}
    layer.lora_kernel_b.assign(np.ones((2, 4)))
    change = rows @ layer.lora_kernel_a.numpy() @ np.ones((2, 4))
    np.testing.assert_allclose(layer(rows).numpy(), before + change, rtol=1e-4, atol=1e-5)


def test_no_rank_is_refused():
    with pytest.raises(ValueError, match="rank must be a whole number"):
        compression.adapt([], 0)


# Teaching


def test_a_high_temperature_makes_alike():
    logits = np.array([[2.0, 0.0]])
    np.testing.assert_allclose(compression.soften(logits, 1), [[0.880797, 0.119203]], atol=1e-6)
    np.testing.assert_allclose(compression.soften(logits, 2), [[0.731059, 0.268941]], atol=1e-6)
    np.testing.assert_allclose(compression.soften(logits + 1e4, 1e9), [[0.5, 0.5]], atol=1e-6)


@pytest.mark.parametrize("temperature", [0, -1, float("nan")])
def test_other_temperatures_are_refused(temperature):
    with pytest.raises(ValueError, match="temperature must be above 0"):
        compression.soften([1.0, 2.0], temperature)


# Models


@pytest.fixture(scope="module")
def generator():
    keras.utils.set_random_seed(3)
    encoder = GridEncoder(16, (4,), 16, name="image_encoder")
    settings = Settings(16, 2, 1, 24, prompt_length=3, answer_length=4, matching=1.5, tied=True)
    model = MultimodalGenerator({"image": encoder}, ["cat", "dog", "name", "it", "red"], settings)
    model.build()
    return model


def test_only_matrices_are_taken_and_they_come_back(generator):
    matrices = compression.matrices_of(generator)
    assert len(matrices) >= 5 and all(matrix.ndim == 2 for matrix in matrices.values())
    assert not any("position" in path or "bias" in path for path in matrices)
    path = next(iter(matrices))
    weight = next(weight for weight in generator.weights if weight.path == path)
    with pytest.raises(KeyError), replaced(generator, {path: 0 * matrices[path]}):
        assert not weight.numpy().any()
        raise KeyError
    np.testing.assert_array_equal(weight.numpy(), matrices[path])
    with (
        pytest.raises(ValueError, match="has no weight 'nothing'"),
        replaced(generator, {"nothing": np.ones(1)}),
    ):
        pass


def test_an_answer_is_right_if_and_only_if_it_would_be_written(generator):
    bias = generator.word_bias.numpy()
    generator.word_bias.assign(bias + 12 * np.eye(len(bias))[END_ID])
    images = np.random.default_rng(0).integers(0, 256, size=(12, 16, 16, 3)).astype(np.uint8)
    written = generator.generate({"image": images}, "name it")
    whole = np.array([len(generator.vocabulary.ids_of(text)) < 4 for text in written])
    others = [f"{text} dog cat".strip() for text in written]
    ask = compression.ExactAnswers(generator, "name it")
    found = ask.right(np.concatenate([images, images]), [*written, *others])
    assert whole.any() and found[:12][whole].all() and not found[12:][whole].any()
    generator.word_bias.assign(bias)


def test_a_trial_leaves_the_model_as_it_was(generator):
    weight = generator.blocks[0].network_in.kernel
    path = weight.path
    seen = []
    trial = compression.Trial(generator, lambda: seen.append(weight.numpy()) or np.array([True, False]))
    before = weight.numpy()
    trial.measure("none", trial.matrices.values(), {})
    trial.measure("zeros", [], {path: 0 * before})
    assert (seen[0] == before).all() and not seen[1].any()
    np.testing.assert_array_equal(weight.numpy(), before)
    (large, right), (small, _) = trial.results.values()
    assert right.tolist() == [True, False]
    assert large - small >= sum(matrix.nbytes for matrix in trial.matrices.values())
    trial.round(8)
    trial.prune(compression.kept_by_size(trial.matrices, 0.5), "half")
    trial.thin(0.5, "thin", least=100)
    sizes = [size for size, _ in list(trial.results.values())[2:]]
    assert small < sizes[0] < sizes[1] < large and small < sizes[2] < large
    assert all((used != before).any() for used in seen[2:])
    counted = sum(one.size for one in [*trial.matrices.values(), *trial.rest])
    assert counted == generator.count_params(), "every weight is stored"


def test_the_product_of_onnx_is_the_product():
    random = np.random.default_rng(0)
    weights, rows = (random.normal(size=shape).astype(np.float32) for shape in ((32, 20), (5, 32)))
    expected = rows @ weights
    np.testing.assert_allclose(compression.onnx_product(weights)(rows), expected, atol=1e-4)
    whole = compression.onnx_product(weights, whole_numbers=True)(rows)
    assert 1e-4 < np.abs(whole - expected).max() < 0.05 * np.abs(expected).max()


def test_a_file_grows_with_its_arrays_and_zeros_shrink_when_zipped():
    noise = np.random.default_rng(0).normal(size=(100, 100)).astype(np.float32)
    sparse = np.where(np.abs(noise) > 1.6, noise, 0)
    assert 40_000 < compression.file_bytes([noise]) == compression.file_bytes([sparse]) < 40_600
    assert compression.file_bytes([sparse], zipped=True) < 0.35 * compression.file_bytes([noise], zipped=True)
