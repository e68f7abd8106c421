"""Contrastive losses, recall and towers."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcourse.learning import alignment

HAND = np.array([[0.9, 0.1, 0.0], [0.2, 0.6, 0.4], [0.1, 0.3, 0.8]])


def value(tensor) -> float:
    return float(keras.ops.convert_to_numpy(tensor))


def by_hand(first, second, temperature, same=None):
    first, second = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (first, second))
    logits = first @ second.T / temperature
    if same is not None:
        logits = np.where(same & ~np.eye(len(logits), dtype=bool), -np.inf, logits)
    right = np.diag(logits)
    rows, columns = np.logaddexp.reduce(logits, axis=1), np.logaddexp.reduce(logits, axis=0)
    return ((rows - right).mean() + (columns - right).mean()) / 2


def pairs(seed, count=6, width=5):
    return np.random.default_rng(seed).normal(size=(2, count, width)).astype("float32")


@given(st.integers(0, 10**6), st.integers(1, 9), st.floats(0.02, 5))
@settings(max_examples=12, deadline=None)
def test_info_nce_is_the_mean_of_two_cross_entropies(seed, count, temperature):
    first, second = pairs(seed, count)
    found = value(alignment.info_nce(first, second, temperature))
    assert found == pytest.approx(by_hand(first, second, temperature), rel=1e-4, abs=1e-4)
    swapped = value(alignment.info_nce(second, first, temperature))
    longer = value(alignment.info_nce(3 * first, second, temperature))
    assert found == pytest.approx(swapped, rel=1e-4, abs=1e-5)
    assert found == pytest.approx(longer, rel=1e-4, abs=1e-5)


def test_info_nce_of_equal_vectors_is_the_logarithm_of_the_pairs():
    ones = np.ones((7, 3), dtype="float32")
    assert value(alignment.info_nce(ones, ones, 0.1)) == pytest.approx(np.log(7), abs=1e-5)


def test_info_nce_leaves_out_what_fits_too():
    first, second = pairs(1)
    same = np.zeros((6, 6), dtype=bool)
    same[[0, 3], [3, 0]] = same[2, 2] = True  # the diagonal counts whatever the mask says
    found = value(alignment.info_nce(first, second, 0.3, same))
    assert found == pytest.approx(by_hand(first, second, 0.3, same), abs=1e-5)
    assert found < value(alignment.info_nce(first, second, 0.3))


def test_sigmoid_loss_is_the_sum_over_all_cells():
    first, second = pairs(2)
    unit = [v / np.linalg.norm(v, axis=1, keepdims=True) for v in (first, second)]
    logits = unit[0] @ unit[1].T / 0.2 - 1.5
    sign = 2 * np.eye(6) - 1
    cells = np.log1p(np.exp(-sign * logits))
    assert value(alignment.sigmoid_loss(first, second, 0.2, -1.5)) == pytest.approx(cells.sum() / 6, rel=1e-5)
    same = np.zeros((6, 6), dtype=bool)
    same[1, 4] = same[5, 5] = True
    without = value(alignment.sigmoid_loss(first, second, 0.2, -1.5, same))
    assert without == pytest.approx((cells.sum() - cells[1, 4]) / 6, rel=1e-5)


@pytest.mark.parametrize("loss", [alignment.info_nce, alignment.sigmoid_loss])
def test_losses_refuse_what_does_not_fit(loss):
    first, second = pairs(0)
    with pytest.raises(ValueError, match="must both be"):
        loss(first, second[:4], 0.1)
    with pytest.raises(ValueError, match="must both be"):
        loss(first[0], second[0], 0.1)
    for temperature in (0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="temperature must be above 0"):
            loss(first, second, temperature)


def test_recall_counts_both_ways_and_ties_against_the_model():
    table = HAND.copy()
    table[2, 0] = 0.95
    assert alignment.recall_at(1)(table) == pytest.approx(2 / 3)
    assert alignment.recall_at(2)(table) == 1
    assert alignment.recall_at(1)(table.T) == pytest.approx(2 / 3)
    assert alignment.recall_at(3)(np.zeros((4, 4))) == 0 and alignment.recall_at(4)(np.zeros((4, 4))) == 1


def test_recall_with_a_truth():
    table = np.array([[0.1, 0.9, 0.5], [0.8, 0.2, 0.7]])
    assert alignment.ranks(table, np.array([1, 2])).tolist() == [1, 2]
    several = np.array([[True, False, True], [True, True, False]])
    assert alignment.ranks(table, several).tolist() == [2, 1]
    assert alignment.recall_at(1)(table, several) == 0.5


@given(st.integers(0, 10**6), st.integers(1, 8), st.integers(1, 9))
@settings(max_examples=50, deadline=None)
def test_ranks_equal_a_sort_that_puts_the_match_last(seed, queries, candidates):
    random = np.random.default_rng(seed)
    table = random.integers(4, size=(queries, candidates)) / 3
    truth = random.integers(candidates, size=queries)
    for row, match, rank in zip(table, truth, alignment.ranks(table, truth), strict=True):
        order = sorted(range(candidates), key=lambda c: (-row[c], c == match))
        assert order.index(match) + 1 == rank
    shares = [alignment.recall_at(k)(table, truth) for k in range(1, candidates + 1)]
    assert shares == sorted(shares) and shares[-1] == 1


def test_recall_refuses_what_does_not_fit():
    for k in (0, -1, 1.5, "1"):
        with pytest.raises(ValueError, match="k must be"):
            alignment.recall_at(k)
    recall = alignment.recall_at(1)
    with pytest.raises(ValueError, match="do not pair off"):
        recall(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="not numbers"):
        recall(np.full((2, 2), np.nan))
    with pytest.raises(ValueError, match=r"\(queries, candidates\)"):
        recall(np.zeros(3))
    with pytest.raises(ValueError, match="truth must hold"):
        recall(np.zeros((2, 3)), np.array([0, 3]))
    with pytest.raises(ValueError, match="a match in each row"):
        recall(np.zeros((2, 2)), np.array([[True, False], [False, False]]))


def towers():
    size = {"hidden": 16, "output": 8}
    return (
        alignment.PictureTower(16, 4, width=8, **size),
        alignment.TextTower(("blue", "red", "sun"), 4, width=8, **size),
    )


def test_a_dual_encoder_learns_and_can_be_saved(tmp_path):
    keras.utils.set_random_seed(0)
    model = alignment.DualEncoder(*towers(), temperature=0.2)
    model.build()
    assert model.temperature == pytest.approx(0.2, rel=1e-5)
    pictures = np.zeros((2, 16, 16, 3), dtype="uint8")
    pictures[0, ..., 2] = pictures[1, ..., 0] = 255
    names = ["blue sun", "red sun"]
    inputs = {"first": pictures, "second": model.second.token_ids(names)[:, None]}
    groups = np.arange(2, dtype="int32")
    logits = model(inputs)
    assert logits.shape == (2, 1, 2)
    table = model.encode("first", pictures) @ model.encode("second", names).T
    np.testing.assert_allclose(logits[:, 0], table / model.temperature, rtol=1e-4)
    expected = alignment.cross_entropies(keras.ops.convert_to_tensor(table / model.temperature))
    np.testing.assert_allclose(alignment.contrastive_loss(groups, logits), expected, rtol=1e-4, atol=1e-5)
    model.compile(keras.optimizers.Adam(0.02), alignment.contrastive_loss, jit_compile=False)
    model.fit(inputs, groups, batch_size=2, epochs=30, verbose=0)
    vectors = model.encode("first", pictures), model.encode("second", names)
    assert alignment.recall_at(1)(vectors[0] @ vectors[1].T) == 1
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again.encode("second", names), vectors[1], atol=1e-6)
    np.testing.assert_allclose(again.encode("first", pictures), vectors[0], atol=1e-6)


def test_the_loss_knows_no_negatives_within_a_group():
    logits = np.random.default_rng(3).normal(size=(4, 2, 4)).astype("float32")
    groups = np.array([5, 1, 5, 2], dtype="int32")
    same = groups[:, None] == groups[None, :]
    expected = np.mean([alignment.cross_entropies(logits[:, p], same) for p in range(2)], axis=0)
    np.testing.assert_allclose(alignment.contrastive_loss(groups, logits), expected, rtol=1e-5)


def test_padding_order_and_unknown_words():
    keras.utils.set_random_seed(0)
    tower = towers()[1]
    tower.build()
    before = keras.ops.convert_to_numpy(tower(tower.token_ids(["sun"])))
    words = keras.ops.convert_to_numpy(tower.words.embeddings)
    words[0] = 9.0  # the vector of the padding is not read
    tower.words.embeddings.assign(words)
    np.testing.assert_allclose(tower(tower.token_ids(["sun"])), before)
    swapped = tower(tower.token_ids(["red sun"])), tower(tower.token_ids(["sun red"]))
    np.testing.assert_allclose(*swapped, atol=1e-6)  # a bag of words
    with_unknown = tower(tower.token_ids(["green red moon sun"]))
    np.testing.assert_allclose(with_unknown, swapped[0], atol=1e-6)
    for text in ("", "  "):
        with pytest.raises(ValueError, match="a text is empty"):
            tower.token_ids(["sun", text])
    with pytest.raises(ValueError, match="at most 4"):
        tower.token_ids(["red red red red red"])


def test_a_sound_tower_ignores_padding():
    keras.utils.set_random_seed(0)
    sounds = np.random.default_rng(0).normal(size=(2, 16, 5)).astype("float32")
    sounds[:, 8:] = 0
    tower = alignment.SoundTower(16, 5, width=8, heads=2, depth=1, hidden=16, output=4)
    tower.build()
    before = keras.ops.convert_to_numpy(tower(sounds))
    tower.position.assign(keras.ops.where(keras.ops.arange(4)[:, None] < 2, tower.position, 9.0))
    np.testing.assert_allclose(tower(sounds), before, atol=1e-5)
    with pytest.raises(ValueError, match="multiple of 4"):
        alignment.SoundTower(10, 5, width=8, heads=2, depth=1, hidden=16, output=4)
    with pytest.raises(ValueError, match="patch must divide side"):
        alignment.PictureTower(10, 4, width=8, hidden=16, output=4)


def test_the_gap_between_two_clouds():
    first = np.array([[2.0, 0.0], [1.0, 0.0]])
    assert alignment.modality_gap(first, -first) == 2
    assert alignment.modality_gap(first, 5 * first) == 0
    assert alignment.modality_gap(first, np.array([[0.0, 3.0]])) == pytest.approx(np.sqrt(2))
    with pytest.raises(ValueError, match="of one width"):
        alignment.modality_gap(first, np.zeros((2, 3)))
