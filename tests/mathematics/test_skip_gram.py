"""Skip-gram: the step, the blocks, the noise, and training."""

import itertools
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcourse.mathematics import skip_gram
from mmcourse.text.corpus import Corpus

SMALL = {"size": 8, "min_count": 1, "epochs": 2}


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def topics(sentences: int = 300, seed: int = 0) -> list[list[str]]:
    """Two kinds of sentences that share no word but one."""
    random = np.random.default_rng(seed)
    kinds = (["cat", "dog", "mouse", "bird"], ["car", "train", "plane", "ship"])
    return [[*random.choice(kinds[i % 2], 5), "the"] for i in range(sentences)]


def pair_loss(vectors, contexts, token_ids, near, noise_ids, negatives):
    """The loss of Mikolov et al. (2013), equation 4, pair by pair; noise words count in part."""
    loss, part = 0.0, negatives / noise_ids.shape[1]
    for block, word, context in np.argwhere(near):
        v = vectors[token_ids[block, word]]
        loss += np.log1p(np.exp(-contexts[token_ids[block, context]] @ v))
        loss += part * np.log1p(np.exp(contexts[noise_ids[block]] @ v)).sum()
    return loss


@pytest.mark.parametrize("seed", range(4))
def test_a_step_goes_against_the_numerical_gradient_of_the_loop_over_pairs(seed):
    random = np.random.default_rng(seed)
    token_ids, noise_ids = random.integers(0, 6, (2, 5)), random.integers(0, 6, (2, 3))
    near = skip_gram.neighbours(np.array([[0, 0, 0, 1, 1]] * 2), random.integers(1, 4, (2, 5)))
    tables = [normal(6, 3, seed=seed), normal(6, 3, seed=seed + 9)]
    inputs = (token_ids, near, noise_ids, 2)
    stepped = [table.copy() for table in tables]
    loss = skip_gram.step(*stepped, *inputs, rate=1.0)
    assert loss == pytest.approx(pair_loss(*tables, *inputs), rel=1e-6)
    for number, table in enumerate(tables):
        for place in np.ndindex(table.shape):
            losses = []
            for sign in (1, -1):
                moved = [each.copy() for each in tables]
                moved[number][place] += sign * 1e-5
                losses.append(pair_loss(*moved, *inputs))
            slope = (losses[0] - losses[1]) / 2e-5
            assert table[place] - stepped[number][place] == pytest.approx(slope, abs=1e-6)


@given(st.lists(st.integers(1, 50), min_size=1, max_size=8), st.integers(0, 9))
@settings(deadline=None, max_examples=40)
def test_blocks_hold_each_token_once_in_its_order(lengths, seed):
    tokens = np.arange(1, sum(lengths) + 1)  # each token tells its place
    sentences = np.repeat(np.arange(len(lengths)), lengths)
    blocks = skip_gram.cut(tokens, sentences, np.random.default_rng(seed))
    assert blocks.shape[1:] == (2, skip_gram.BLOCK_TOKENS)
    real = blocks[:, 1] >= 0
    assert sorted(blocks[:, 0][real]) == tokens.tolist()
    np.testing.assert_array_equal(sentences[blocks[:, 0][real] - 1], blocks[:, 1][real])
    assert all((np.diff(block[keep]) == 1).all() for block, keep in zip(blocks[:, 0], real, strict=True))
    assert not skip_gram.neighbours(blocks[:, 1], np.full(real.shape, 9))[~real].any()


def test_neighbours_are_within_reach_and_in_the_sentence():
    near = skip_gram.neighbours(np.array([[0, 0, 0, 0, 1]]), np.array([[1, 2, 1, 3, 4]]))[0]
    expected = [[1], [0, 2, 3], [1, 3], [0, 1, 2], []]
    assert [np.flatnonzero(row).tolist() for row in near] == expected


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=20), st.floats(0, 2))
def test_noise_distribution(counts, power):
    shares = skip_gram.noise_distribution(counts, power)
    assert shares.sum() == pytest.approx(1)
    assert (np.diff(shares[np.argsort(counts)]) >= -1e-12).all()
    np.testing.assert_allclose(skip_gram.noise_distribution([1, 16]), [1 / 9, 8 / 9])


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=20), st.floats(1e-6, 0.5))
def test_keep_probability(counts, threshold):
    kept = skip_gram.keep_probability(counts, threshold)
    assert ((0 < kept) & (kept <= 1)).all()
    assert (np.diff(kept[np.argsort(counts)]) <= 1e-12).all(), "the more frequent the rarer it is kept"
    assert (skip_gram.keep_probability(counts, 0) == 1).all()


def test_keep_probability_is_that_of_gensim():
    from gensim.models import Word2Vec

    sentences = [["a"] * 50 + ["b"] * 20 + ["c"] * 3]
    model = Word2Vec(sentences, min_count=1, sample=0.01, epochs=1, vector_size=2)
    expected = [model.wv.get_vecattr(word, "sample_int") / 2**32 for word in "abc"]
    found = skip_gram.keep_probability(np.array([50, 20, 3]), 0.01)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_training_brings_a_topic_together():
    options = {"size": 8, "min_count": 1, "window": 3, "epochs": 40, "learning_rate": 0.05, "subsample": 0}
    model = skip_gram.train(topics(), **options)
    assert model.words[0] == "the"
    for word, others in (("cat", {"dog", "mouse", "bird"}), ("car", {"train", "plane", "ship"})):
        assert {other for other, _ in model.most_similar(word, 3)} == others
    assert model.history[-1] < model.history[0] < 6 * np.log(2) + 1e-3
    assert model.vectors.dtype == np.float32 and model.vectors.shape == model.contexts.shape == (9, 8)


def test_same_seed_same_vectors():
    first, again = (skip_gram.train(topics(), **SMALL, seed=3) for _ in range(2))
    other = skip_gram.train(topics(), **SMALL, seed=4)
    np.testing.assert_array_equal(first.vectors, again.vectors)
    assert not np.allclose(first.vectors, other.vectors)


def test_sentences_a_corpus_and_one_list_are_the_same():
    sentences = [["a", "b", "c", "a", "b"]]
    models = [skip_gram.train(text, **SMALL) for text in (sentences, Corpus.of(sentences), sentences[0])]
    for model in models[1:]:
        np.testing.assert_array_equal(model.vectors, models[0].vectors)
    assert models[0].words == ("a", "b", "c")
    np.testing.assert_array_equal(models[0].counts, [2, 2, 1])


def test_reports():
    seen = []
    model = skip_gram.train(topics(), **SMALL, report=lambda epoch, loss: seen.append((epoch, loss)))
    assert [epoch for epoch, _ in seen] == [1, 2]
    assert [loss for _, loss in seen] == model.history


def test_words_that_never_meet_leave_nothing_to_learn():
    assert skip_gram.train([["a"], ["b"]], min_count=1, epochs=1).history == [0.0]


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        *itertools.product(["size", "window", "negatives", "min_count", "epochs"], [0, -1, 2.5, True]),
        *itertools.product(["learning_rate"], [0, -0.1, float("nan"), "high"]),
        *itertools.product(["subsample"], [-1e-3, 1, 2]),
    ],
)
def test_wrong_settings(setting, value):
    with pytest.raises(ValueError, match=f"{setting} must be .*{re.escape(repr(value))}"):
        skip_gram.train(topics(), **{setting: value})


def test_too_high_a_learning_rate():
    with (
        pytest.raises(ValueError, match="learning_rate 10000 is too high for this text"),
        np.errstate(over="ignore", invalid="ignore"),
    ):
        skip_gram.train(topics(), size=8, min_count=1, epochs=30, subsample=0, learning_rate=10_000)


def test_noise_is_drawn_by_the_power_of_the_counts_and_the_rate_falls(monkeypatch):
    drawn, rates = [], []

    def record(vectors, contexts, token_ids, near, noise_ids, negatives, rate):
        drawn.append(noise_ids.ravel())
        rates.append(rate)
        return 0.0

    monkeypatch.setattr(skip_gram, "step", record)
    tokens = np.random.default_rng(0).permutation((["a"] * 81 + ["b"] * 16 + ["c"]) * 60).tolist()
    skip_gram.train(tokens, size=2, min_count=1, epochs=4, subsample=0, learning_rate=0.1)
    shares = np.bincount(np.concatenate(drawn), minlength=3) / sum(map(len, drawn))
    np.testing.assert_allclose(shares, np.array([27, 8, 1]) / 36, atol=0.02)  # 81, 16, 1 to the power of 3/4
    assert rates[0] == pytest.approx(0.1) and rates[-1] < 0.01
    np.testing.assert_allclose(np.diff(rates, 2), 0, atol=1e-3)  # along a straight line


def test_frequent_words_are_thinned_out(monkeypatch):
    seen = []

    def record(vectors, contexts, token_ids, near, noise_ids, negatives, rate):
        seen.append(np.bincount(token_ids[near.any(axis=2)], minlength=2))
        return 0.0

    monkeypatch.setattr(skip_gram, "step", record)
    tokens = np.random.default_rng(0).permutation((["often"] * 99 + ["rare"]) * 200).tolist()
    for subsample, expected in ((0, 1.0), (0.01, skip_gram.keep_probability([99, 1], 0.01)[0])):
        seen.clear()
        skip_gram.train(tokens, size=2, epochs=2, subsample=subsample)
        often, _ = sum(seen)
        assert often / (2 * 99 * 200) == pytest.approx(expected, abs=0.02)
