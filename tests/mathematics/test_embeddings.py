"""Word embeddings: gradients, counts, training and scores; the texts they are trained on."""

import itertools
import os
import re
import subprocess
import sys
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import scipy.sparse
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from mmcourse import store
from mmcourse.data import archives, chinese_reviews, dictionary, glove, word_similarity
from mmcourse.encoders import word_vectors
from mmcourse.mathematics import activations, embeddings, similarity
from mmcourse.mathematics.embeddings import GloVe, SkipGram, WordVectors
from mmcourse.text.corpus import Corpus

SMALL = {"size": 8, "min_count": 1, "epochs": 2}
sizes = st.integers(1, 5)


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def topics(sentences: int = 300, seed: int = 0) -> list[list[str]]:
    """Two kinds of sentences that share no word but one."""
    random = np.random.default_rng(seed)
    kinds = (["cat", "dog", "mouse", "bird"], ["car", "train", "plane", "ship"])
    return [[*random.choice(kinds[i % 2], 5), "the"] for i in range(sentences)]


def numeric_gradient(function, array: np.ndarray, step: float = 1e-5) -> np.ndarray:
    gradient = np.zeros_like(array)
    for place in np.ndindex(array.shape):
        moved = [array.copy(), array.copy()]
        moved[0][place] += step
        moved[1][place] -= step
        gradient[place] = (function(moved[0]) - function(moved[1])) / (2 * step)
    return gradient


# The pieces


@given(sizes, sizes, st.integers(0, 99))
@settings(deadline=None, max_examples=30)
def test_gradients_of_a_pair_are_those_found_numerically(size, negatives, seed):
    arrays = [normal(size, seed=seed), normal(size, seed=seed + 1), normal(negatives, size, seed=seed + 2)]
    _, gradients = embeddings.negative_sampling(*arrays)
    for i, gradient in enumerate(gradients):

        def loss(changed, i=i):
            return embeddings.negative_sampling(*arrays[:i], changed, *arrays[i + 1 :])[0]

        np.testing.assert_allclose(gradient, numeric_gradient(loss, arrays[i]), atol=1e-7)


@given(sizes, sizes, st.integers(0, 99))
@settings(deadline=None, max_examples=20)
def test_loss_of_a_pair_is_that_of_keras(size, negatives, seed):
    centre, context, noise = normal(size, seed=seed), normal(size, seed=9), normal(negatives, size, seed=seed)
    scores = np.concatenate([[context @ centre], noise @ centre])
    labels = np.eye(1 + negatives)[0]
    expected = ops.sum(ops.binary_crossentropy(labels, scores, from_logits=True))
    found, _ = embeddings.negative_sampling(centre, context, noise)
    np.testing.assert_allclose(found, float(expected), rtol=1e-5)


def test_by_hand():
    loss, (by_centre, by_context, by_noise) = embeddings.negative_sampling(
        np.array([1.0, 0.0]), np.array([0.0, 1.0]), np.array([[1.0, 1.0]])
    )
    assert loss == pytest.approx(np.log(2) + np.log(1 + np.e))
    sigmoid = 1 / (1 + np.exp(-1))
    np.testing.assert_allclose(by_centre, [sigmoid, sigmoid - 0.5])
    np.testing.assert_allclose(by_context, [-0.5, 0])
    np.testing.assert_allclose(by_noise, [[sigmoid, 0]])


@given(st.floats(-1e4, 1e4))
def test_nothing_overflows(score):
    with np.errstate(over="raise", invalid="raise"):
        assert 0 <= activations.sigmoid(score) <= 1
        assert activations.softplus(score) >= max(score, 0)


def test_pair_of_wrong_shapes():
    with pytest.raises(ValueError, match=r"expected centre \(size,\).*got \(3,\), \(2,\) and \(4, 3\)"):
        embeddings.negative_sampling(np.ones(3), np.ones(2), np.ones((4, 3)))


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=20), st.floats(0, 2))
def test_noise_distribution(counts, power):
    shares = embeddings.noise_distribution(np.array(counts), power)
    assert shares.sum() == pytest.approx(1)
    assert (np.diff(shares[np.argsort(counts)]) >= -1e-12).all()
    even, odd = embeddings.noise_distribution(np.array([1, 16])), np.array([1, 8]) / 9
    np.testing.assert_allclose(even, odd)


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=20), st.floats(1e-6, 0.5))
def test_keep_probability(counts, threshold):
    kept = embeddings.keep_probability(np.array(counts), threshold)
    assert ((0 < kept) & (kept <= 1)).all()
    assert (np.diff(kept[np.argsort(counts)]) <= 1e-12).all(), "the more frequent the rarer it is kept"
    assert (embeddings.keep_probability(np.array(counts), 0) == 1).all()


def test_keep_probability_is_that_of_gensim():
    from gensim.models import Word2Vec

    sentences = [["a"] * 50 + ["b"] * 20 + ["c"] * 3]
    model = Word2Vec(sentences, min_count=1, sample=0.01, epochs=1, vector_size=2)
    expected = [model.wv.get_vecattr(word, "sample_int") / 2**32 for word in "abc"]
    found = embeddings.keep_probability(np.array([50, 20, 3]), 0.01)
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("counts", [[], [-1, 3], [0, 0], [[1, 2]]])
def test_wrong_counts(counts):
    with pytest.raises(ValueError, match="counts must be"):
        embeddings.noise_distribution(np.array(counts))


def test_wrong_thinning():
    with pytest.raises(ValueError, match="counts must be above 0"):
        embeddings.keep_probability(np.array([0, 1]), 0.1)
    with pytest.raises(ValueError, match="threshold must be 0"):
        embeddings.keep_probability(np.array([1]), -0.1)


# Counting


def slow_counts(sentences, window, by_distance):
    counts = {}
    for sentence in sentences:
        for (i, a), (j, b) in itertools.permutations(enumerate(sentence), 2):
            if abs(i - j) <= window:
                counts[a, b] = counts.get((a, b), 0) + (1 / abs(i - j) if by_distance else 1)
    return counts


texts = st.lists(st.lists(st.integers(0, 4), min_size=1, max_size=9), min_size=1, max_size=5)


@given(texts, st.integers(1, 12), st.booleans())
@settings(deadline=None)
def test_counts_are_those_of_three_loops(sentences, window, by_distance):
    starts = np.cumsum([0, *map(len, sentences)])
    found = embeddings.cooccurrences(np.concatenate(sentences), starts, 5, window, by_distance)
    expected = np.zeros((5, 5))
    for (a, b), count in slow_counts(sentences, window, by_distance).items():
        expected[a, b] = count
    np.testing.assert_allclose(found.toarray(), expected)
    np.testing.assert_allclose(expected, expected.T)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0, 5], [0, 2], 5, 1), "token_ids must be 0 to 4"),
        (([0, -1], [0, 2], 5, 1), "token_ids must be 0 to 4"),
        (([], [0], 5, 1), "token_ids must be .tokens,., at least one"),
        (([0, 1], [0, 3], 5, 1), "starts must rise from 0 to 2"),
        (([0, 1], [1, 2], 5, 1), "starts must rise"),
        (([0, 1], [0, 2], 0, 1), "vocabulary must be a whole number, 1 or more; got 0"),
        (([0, 1], [0, 2], 5, 1.5), "window must be a whole number, 1 or more; got 1.5"),
    ],
)
def test_wrong_counting(arguments, message):
    with pytest.raises(ValueError, match=message):
        embeddings.cooccurrences(*arguments)


def test_weight_of_the_article():
    np.testing.assert_allclose(embeddings.glove_weight([10, 100, 200]), [0.1778, 1, 1], atol=5e-5)


@given(texts)
@settings(deadline=None)
def test_pmi(sentences):
    starts = np.cumsum([0, *map(len, sentences)])
    counts = embeddings.cooccurrences(np.concatenate(sentences), starts, 5, 2)
    if not counts.nnz:
        with pytest.raises(ValueError, match="counts holds no pair"):
            embeddings.positive_pmi(counts)
        return
    dense, total = counts.toarray(), counts.sum()
    share = dense.sum(axis=1) / total
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = np.maximum(np.log(dense / total / np.outer(share, share)), 0)
    found = embeddings.positive_pmi(counts).toarray()
    np.testing.assert_allclose(found, np.where(dense > 0, expected, 0), atol=1e-12)


def test_embeddings_need_no_framework():
    script = "import sys, mmcourse.mathematics.embeddings; print({'keras', 'tensorflow'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert found.stdout.strip() == "set()", found.stderr


# Skip-gram


def test_a_block_is_the_sum_of_its_pairs():
    """The one matrix product of a block gives what the loop over pairs gives."""
    random = np.random.default_rng(0)
    tokens, sentence = random.integers(0, 9, 100), np.repeat([0, 1, 2], [40, 3, 57])
    blocks = embeddings._Blocks(tokens, sentence, 3, random)
    vectors, contexts = normal(9, 4, seed=1), normal(9, 4, seed=2)
    pairs = 0
    for block in range(len(blocks)):
        centres, outputs, mask, count = blocks.gather(np.array([block]))
        noise = random.integers(0, 9, (1, 6))
        outputs = np.concatenate([outputs, noise], axis=1)
        weights = count * (2 / 6)
        by_centre, by_output, scores = embeddings.block_gradients(
            vectors[centres], contexts[outputs], mask, weights
        )
        expected_centre, expected_output, loss = np.zeros_like(by_centre), np.zeros_like(by_output), 0.0
        for t, c in np.argwhere(mask[0]):
            pairs += 1
            # All noise words, each counted for 2 / 6 of a word.
            one, (v, u, _) = embeddings.negative_sampling(
                vectors[centres[0, t]], contexts[outputs[0, c]], np.zeros((0, 4))
            )
            expected_centre[0, t] += v
            expected_output[0, c] += u
            loss += one
            for n in range(6):
                zero = np.zeros(4)
                part, (v, _, w) = embeddings.negative_sampling(
                    vectors[centres[0, t]], zero, contexts[noise[0, n]][None]
                )
                expected_centre[0, t] += v / 3  # the pair with a context of zeros adds nothing
                expected_output[0, mask.shape[-1] + n] += w[0] / 3
                loss += (part - np.log(2)) / 3
        np.testing.assert_allclose(by_centre, expected_centre, atol=1e-6)
        np.testing.assert_allclose(by_output, expected_output, atol=1e-6)
        assert embeddings.block_loss(scores, mask, weights) == pytest.approx(loss)
    assert pairs > 100


@given(st.lists(st.integers(1, 30), min_size=1, max_size=8), st.integers(1, 6), st.integers(0, 9))
@settings(deadline=None, max_examples=40)
def test_blocks_hold_each_pair_within_reach_once(lengths, window, seed):
    random = np.random.default_rng(seed)
    tokens = np.arange(sum(lengths), dtype=np.int32)  # each token tells its place
    sentence = np.repeat(np.arange(len(lengths)), lengths)
    blocks = embeddings._Blocks(tokens, sentence, window, random)
    found = []
    for some in blocks.shuffled(random, 3):
        centres, outputs, mask, pairs = blocks.gather(some)
        np.testing.assert_array_equal(mask.sum(axis=-1), pairs)
        for b, t, c in np.argwhere(mask):
            found.append((centres[b, t], outputs[b, c]))
    assert len(set(found)) == len(found)
    reach = {}
    for a, b in found:
        assert a != b and sentence[a] == sentence[b]
        reach[a] = max(reach.get(a, 0), abs(a - b))
    for a, far in reach.items():
        assert far <= window
        expected = {b for b in range(a - far, a + far + 1) if b != a and 0 <= b < len(tokens)}
        assert {b for c, b in found if c == a} == {b for b in expected if sentence[b] == sentence[a]}


@pytest.mark.parametrize("kind", [SkipGram, GloVe])
def test_training_brings_a_topic_together(kind):
    if kind is SkipGram:
        options = {"epochs": 40, "learning_rate": 0.05, "subsample": 0}
    else:
        options = {"epochs": 60, "learning_rate": 0.2, "maximum": 10.0}
    model = kind(size=8, min_count=1, window=3, **options).fit(topics())
    assert model.words[0] == "the"
    for word, others in (("cat", {"dog", "mouse", "bird"}), ("car", {"train", "plane", "ship"})):
        assert {other for other, _ in model.most_similar(word, 3)} == others
    assert model.history[-1] < model.history[0]
    assert model.vectors.dtype == np.float32 and model.vectors.shape == (9, 8)
    assert np.isfinite(model.vectors).all()


@pytest.mark.parametrize("kind", [SkipGram, GloVe])
def test_same_seed_same_vectors(kind):
    first, again = (kind(**SMALL, seed=3).fit(topics()) for _ in range(2))
    other = kind(**SMALL, seed=4).fit(topics())
    np.testing.assert_array_equal(first.vectors, again.vectors)
    assert not np.allclose(first.vectors, other.vectors)


@pytest.mark.parametrize("kind", [SkipGram, GloVe])
def test_sentences_a_corpus_and_one_list_are_the_same(kind):
    sentences = [["a", "b", "c", "a", "b"]]
    models = [kind(**SMALL).fit(text) for text in (sentences, Corpus.of(sentences), sentences[0])]
    for model in models[1:]:
        np.testing.assert_array_equal(model.vectors, models[0].vectors)
    assert models[0].words == ("a", "b", "c")
    np.testing.assert_array_equal(models[0].counts, [2, 2, 1])


def test_too_high_a_learning_rate():
    with pytest.raises(ValueError, match="learning_rate 10000 is too high for this text"):
        SkipGram(size=8, min_count=1, epochs=30, subsample=0, learning_rate=10_000).fit(topics())


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=3, max_size=20))
def test_spearman_is_that_of_scipy(pairs):
    first, second = np.array(pairs, dtype=float).T
    if len(set(first)) > 1 and len(set(second)) > 1:
        expected = scipy.stats.spearmanr(first, second).statistic
        assert similarity.spearman(first, second) == pytest.approx(expected)
    else:
        assert np.isnan(similarity.spearman(first, second))


def test_reports():
    seen = []
    model = SkipGram(**SMALL).fit(topics(), lambda epoch, loss: seen.append((epoch, loss)))
    assert [epoch for epoch, _ in seen] == [1, 2]
    assert [loss for _, loss in seen] == model.history


@pytest.mark.parametrize("kind", [SkipGram, GloVe])
@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        ([], "tokens holds no word"),
        ([[]], "tokens holds no word"),
        ("a text", "split it first"),
        ([["a"], "b"], "list of words or a list of sentences"),
        ([["a", 3]], "tokens must be words .str., got 3 of type int"),
        ([3], "got 3 in a list of sentences"),
        (["a", "a"], "1 word.s. that occur min_count = 1 times; expected 2"),
    ],
)
def test_wrong_texts(kind, tokens, message):
    with pytest.raises(ValueError, match=message):
        kind(min_count=1).fit(tokens)


def test_too_rare_words():
    with pytest.raises(ValueError, match=r"0 word\(s\) that occur min_count = 5 times"):
        SkipGram().fit(["a", "b", "c"])


def test_words_that_never_meet():
    with pytest.raises(ValueError, match="no two words of the vocabulary in one sentence"):
        GloVe(min_count=1).fit([["a"], ["b"]])
    model = SkipGram(min_count=1, epochs=1).fit([["a"], ["b"]])  # nothing to learn, and no error
    assert np.isnan(model.history[0])


@pytest.mark.parametrize(
    ("kind", "setting", "value"),
    [
        *itertools.product([SkipGram, GloVe], ["size", "window", "min_count", "epochs"], [0, -1, 2.5, True]),
        *itertools.product([SkipGram, GloVe], ["learning_rate"], [0, -0.1, float("nan"), "high"]),
        *itertools.product([SkipGram], ["negatives"], [0, "5"]),
        *itertools.product([SkipGram], ["subsample"], [-1e-3, 1, 2]),
        *itertools.product([GloVe], ["maximum", "power"], [0, -1.0]),
    ],
)
def test_wrong_settings(kind, setting, value):
    with pytest.raises(ValueError, match=f"{setting} must be .*{re.escape(repr(value))}"):
        kind(**{setting: value})


def test_glove_finds_the_counts_again():
    """With one vector a word of enough numbers, w · w̃ + b + b̃ comes close to log X."""
    text = topics(60)
    corpus = Corpus.of(text)
    model = GloVe(size=9, min_count=1, window=3, maximum=1.0, epochs=800, learning_rate=0.1).fit(corpus)
    order = [corpus.words.index(word) for word in model.words]
    new = np.argsort(order)
    counts = embeddings.cooccurrences(new[corpus.token_ids], corpus.starts, len(order), 3).toarray()
    fitted = model.word_vectors @ model.contexts.T + model.word_biases[:, None] + model.context_biases
    seen = counts > 0
    assert np.abs(fitted - np.log(np.where(seen, counts, 1)))[seen].max() < 0.2


def test_glove_errors_are_those_of_keras():
    word, context, logarithms = normal(6, 4), normal(6, 4, seed=1), normal(6, seed=2)
    expected = ops.sum(word[:, :3] * context[:, :3], axis=1) + word[:, 3] + context[:, 3] - logarithms
    found = embeddings.glove_errors(word, context, logarithms)
    np.testing.assert_allclose(found, np.asarray(expected), rtol=1e-5)


def test_glove_counts_of_the_wrong_shape():
    with pytest.raises(ValueError, match=r"found must be \(2, 2\), got the shape \(3, 3\)"):
        GloVe().fit_counts(("a", "b"), np.ones(2), scipy.sparse.eye_array(3))


def test_one_hot_times_matrix_is_a_look_up_in_keras_too():
    layer = keras.layers.Embedding(7, 3)
    table = layer.embeddings.numpy() if layer.built else (layer.build(), np.asarray(layer.embeddings))[1]
    ids = np.array([2, 0, 6])
    np.testing.assert_allclose(np.eye(7)[ids] @ table, np.asarray(layer(ids)), rtol=1e-6)
    np.testing.assert_allclose(table[ids], np.asarray(layer(ids)))


# Vectors


def compass() -> WordVectors:
    return WordVectors(["east", "north", "west", "up"], np.array([[2, 0], [0, 3], [-1, 0], [0, 0.5]]))


def test_neighbours():
    vectors = compass()
    assert vectors.most_similar("north", 2) == [("up", 1.0), ("east", 0.0)]
    assert [word for word, _ in vectors.most_similar("north", 99)] == ["up", "east", "west"]
    assert vectors.similarity("east", "west") == pytest.approx(-1)
    np.testing.assert_array_equal(vectors.vector("east"), [2, 0])
    assert "up" in vectors and "down" not in vectors and len(vectors) == 4


def test_analogy():
    vectors = WordVectors(
        ["man", "king", "woman", "queen", "tree"],
        np.array([[1, 0, 0], [1, 0, 1], [0, 1, 0], [0, 1, 1], [-1, -1, 0]]),
    )
    assert vectors.analogy("man", "king", "woman")[0][0] == "queen"
    assert [word for word, _ in vectors.analogy("man", "king", "woman", 9)] == ["queen", "tree"]


def test_a_vector_of_zeros_has_no_direction_and_does_no_harm():
    vectors = WordVectors(["a", "b"], np.array([[0.0, 0.0], [1.0, 0.0]]))
    assert vectors.most_similar("a") == [("b", 0.0)]


def test_neighbours_agree_with_gensim():
    from gensim.models import KeyedVectors

    words = [f"word{i}" for i in range(50)]
    ours, theirs = WordVectors(words, normal(50, 6)), KeyedVectors(6)
    theirs.add_vectors(words, normal(50, 6).astype(np.float32))
    for found, expected in (
        (ours.most_similar("word3", 5), theirs.most_similar("word3", topn=5)),
        (
            ours.analogy("word1", "word2", "word3", 5),
            theirs.most_similar(positive=["word2", "word3"], negative=["word1"], topn=5),
        ),
    ):
        assert [word for word, _ in found] == [word for word, _ in expected]
        np.testing.assert_allclose([c for _, c in found], [c for _, c in expected], atol=1e-5)


def test_unknown_words():
    vectors = compass()
    for ask in (
        lambda: vectors.vector("down"),
        lambda: vectors.most_similar("down"),
        lambda: vectors.similarity("up", "down"),
        lambda: vectors.analogy("up", "north", "down"),
    ):
        with pytest.raises(ValueError, match="the word 'down' is not in the vocabulary of 4 words"):
            ask()
    with pytest.raises(ValueError, match="'north' in lower case is"):
        vectors.vector("North")
    with pytest.raises(ValueError, match="call fit"):
        SkipGram().most_similar("up")
    with pytest.raises(ValueError, match="n must be a whole number, 1 or more; got 0"):
        vectors.most_similar("up", 0)


def test_wrong_vectors():
    with pytest.raises(ValueError, match="'a' stands twice"):
        WordVectors(["a", "b", "a"], np.ones((3, 2)))
    with pytest.raises(
        ValueError, match=r"vectors must be \(words, size\) = \(2, size\), got the shape \(3, 2\)"
    ):
        WordVectors(["a", "b"], np.ones((3, 2)))


# Scores


def test_similarity_score():
    vectors = WordVectors(list("abcd"), np.array([[1, 0], [0.9, 0.1], [0, 1], [-1, 0]]))
    pairs, ratings = [("a", "b"), ("a", "c"), ("a", "d"), ("a", "x")], np.array([9, 5, 1, 3])
    score = similarity.similarity_score(vectors, pairs, ratings)
    assert score["rho"] == pytest.approx(1) and (score["scored"], score["left_out"]) == (3, 1)
    assert similarity.similarity_score(vectors, pairs, -ratings)["rho"] == pytest.approx(-1)
    with pytest.raises(ValueError, match="2 of 2 pairs are in the vocabulary; expected 3"):
        similarity.similarity_score(vectors, pairs[:2], ratings[:2])
    with pytest.raises(ValueError, match="4 pairs and 3 ratings"):
        similarity.similarity_score(vectors, pairs, ratings[:3])


def test_rank_score():
    random = np.random.default_rng(0)
    ratings = random.normal(size=200)
    score = similarity.rank_score(ratings + random.normal(size=200), ratings)
    low, high = score["interval"]
    assert 0.5 < low < score["rho"] < high < 0.85
    assert similarity.rank_score(ratings, ratings, resamples=0) == {"rho": 1.0, "interval": []}
    with pytest.raises(ValueError, match=r"got \(2,\) and \(2,\)"):
        similarity.rank_score([1, 2], [1, 2])


def test_frequent_words():
    found = embeddings.frequent_words([["b", "a", "b"], ["c"], ["a", "b", "d"]], 2)
    words, counts, token_ids, starts = found
    assert words == ("b", "a")
    assert counts.tolist() == [3, 2]
    assert token_ids.tolist() == [0, 1, 0, 1, 0]
    assert starts.tolist() == [0, 3, 3, 5]
    with pytest.raises(ValueError, match="min_count must be a whole number"):
        embeddings.frequent_words(["a", "b"], 0)


def test_analogy_score_asks_what_analogy_asks():
    vectors = WordVectors([f"{i}" for i in range(40)], normal(40, 3))
    random = np.random.default_rng(1)
    questions = [tuple(map(str, random.choice(40, 4, replace=False))) for _ in range(300)]
    questions += [(a, b, c, vectors.analogy(a, b, c)[0][0]) for a, b, c, _ in questions[:40]]
    right = sum(vectors.analogy(a, b, c)[0][0] == d for a, b, c, d in questions)
    score = similarity.analogy_score(vectors, [*questions, ("1", "2", "3", "unknown")])
    assert score == {"right": pytest.approx(right / 340), "scored": 340, "left_out": 1}
    with pytest.raises(ValueError, match="none of the 1 questions"):
        similarity.analogy_score(vectors, [("1", "2", "3", "unknown")])


def test_association_test():
    words = ["x1", "x2", "x3", "y1", "y2", "y3", "a", "b"]
    table = [[1, 0.1], [1, 0], [1, 0.2], [0, 1], [0.1, 1], [0.2, 1], [1, 0], [0, 1]]
    vectors = WordVectors(words, np.array(table))
    found = similarity.association_test(vectors, (words[:3], words[3:6]), (["a"], ["b"]), 2000)
    assert found["effect"] > 1.5
    assert found["p"] == pytest.approx(1 / 20, abs=0.03), "one of the 20 divisions"
    assert found["leans"]["x2"] == pytest.approx(1) and found["leans"]["y1"] == pytest.approx(-1)
    turned = similarity.association_test(vectors, (words[3:6], words[:3]), (["a"], ["b"]), 100)
    assert turned["effect"] == pytest.approx(-found["effect"]) and turned["p"] == 1
    with pytest.raises(ValueError, match="two targets of equal size"):
        similarity.association_test(vectors, (words[:2], words[3:6]), (["a"], ["b"]))
    with pytest.raises(ValueError, match="'z' is not in the vocabulary"):
        similarity.association_test(vectors, (["z"], ["x1"]), (["a"], ["b"]))


# Data


@given(texts)
def test_corpus_gives_its_sentences_back(sentences):
    sentences = [[f"word{i}" for i in sentence] for sentence in sentences]
    corpus = Corpus.of(sentences)
    assert list(corpus.sentences()) == sentences
    assert len(corpus) == len(sentences)
    assert list(corpus.first(len(corpus.token_ids)).sentences()) == sentences
    assert list(corpus.first(0).sentences()) == sentences[:1]


def test_no_such_sentence():
    with pytest.raises(ValueError, match="number must be 0 to 0"):
        Corpus.of(["a"]).sentence(1)


def test_dictionary():
    text = dictionary.load()
    assert len(text.token_ids) == text.starts[-1] == 3_304_552
    assert (len(text), len(text.words), text.tier) == (239_602, 146_027, "course")
    assert len(set(text.words)) == len(text.words)
    assert not any(re.search(r"[\d\s\[\]]", word) or word != word.lower() for word in text.words)
    assert ["algae", "plural", "of", "alga"] in list(text.first(100_000).sentences())
    assert "webster" not in text.sentence(0)


def test_dictionary_is_kept(monkeypatch):
    before = dictionary.load()
    dictionary.load.cache_clear()
    monkeypatch.setattr(archives, "read_members", lambda *_: pytest.fail("parsed again"))
    again = dictionary.load()
    np.testing.assert_array_equal(again.token_ids, before.token_ids)
    assert again.words == before.words


def test_words_of_a_definition():
    assert dictionary.split_words("A dog's life, 1913 [1913 Webster]; déjà-vu!") == [
        "a",
        "dog's",
        "life",
        "déjà",
        "vu",
    ]


@pytest.mark.parametrize(("name", "count"), [("WordSim-353", 353), ("SimLex-999", 999)])
def test_pairs(name, count):
    pairs = word_similarity.load(name)
    assert (pairs.name, len(pairs.words), pairs.ratings.shape) == (name, count, (count,))
    assert pairs.ratings.min() >= 0 and pairs.ratings.max() <= 10
    assert all(word == word.lower() for pair in pairs.words for word in pair)


def test_no_such_pairs():
    with pytest.raises(ValueError, match="unknown set 'MEN'; expected one of: WordSim-353, SimLex-999"):
        word_similarity.load("MEN")


def test_analogies():
    questions = word_similarity.load_analogies()
    assert sum(map(len, questions.values())) == 19_544
    assert len(questions) == 14
    assert questions["family"][0] == ("boy", "girl", "brother", "sister")
    assert all(len(row) == 4 for rows in questions.values() for row in rows)


def test_pretrained():
    few = glove.load(1000)
    assert (len(few.words), few.vectors.shape, few.vectors.dtype) == (1000, (1000, 50), np.float32)
    assert few.words[:3] == ("the", ",", ".")
    vectors = WordVectors(few.words, few.vectors)
    assert vectors.similarity("he", "she") > 0.8
    with pytest.raises(ValueError, match="most_frequent must be 1 or more"):
        glove.load(0)


def test_chinese_reviews():
    reviews = chinese_reviews.load()
    assert len(set(reviews.texts)) == len(reviews.texts) == len(reviews.positive)
    assert 17_000 < len(reviews.texts) < 17_500
    assert 0.4 < np.mean(reviews.positive) < 0.6
    assert chinese_reviews.split_characters("我的 iPad 坏了!2次") == ["我", "的", "ipad", "坏", "了", "次"]
    corpus = reviews.corpus()
    assert corpus.token_ids.tolist().count(corpus.words.index("猫")) == 64


@pytest.mark.parametrize("loader", [dictionary, word_similarity, glove, chinese_reviews])
def test_statistics_are_numbers(loader):
    figures = loader.statistics()
    assert figures and all(isinstance(number, int | float) and number > 0 for number in figures.values())


# What is trained once


@pytest.fixture
def small_text(tmp_path, monkeypatch):
    """Word vectors of a small text in a cache folder of their own."""
    folder = tmp_path / "cache"
    monkeypatch.setattr(store, "cache_folder", lambda: folder)
    text = SimpleNamespace(load=lambda: Corpus.of(topics()))
    monkeypatch.setattr(word_vectors, "TEXTS", {"topics": ("dictionary", word_vectors.dictionary, text.load)})
    monkeypatch.setattr(
        word_vectors,
        "CONFIGURATIONS",
        {"skip-gram": (SkipGram, "topics", SMALL | {"subsample": 0}), "glove": (GloVe, "topics", SMALL)},
    )
    return folder


def test_trained_once_and_found_again(small_text, capsys):
    first = word_vectors.load_trained(("skip-gram", "glove"))
    told = capsys.readouterr().err
    assert "training the word vectors 'glove'" in told and "epoch  2/2" in told
    again = word_vectors.load_trained(("skip-gram", "glove"))
    assert capsys.readouterr().err == ""
    for name, model in first.items():
        assert type(again[name]) is type(model)
        assert again[name].words == model.words and again[name].history == model.history
        for array in ("vectors", "contexts", "counts"):
            np.testing.assert_array_equal(getattr(again[name], array), getattr(model, array))
    assert first["skip-gram"].most_similar("cat") == again["skip-gram"].most_similar("cat")
    assert not list(small_text.rglob("*.part"))


def test_a_damaged_file_is_trained_again(small_text, capsys):
    word_vectors.load_trained(("skip-gram",))
    (path,) = (small_text / "models").glob("*.npz")
    path.write_bytes(b"damaged")
    word_vectors.load_trained(("skip-gram",))
    assert "is damaged" in capsys.readouterr().err
    assert path.stat().st_size > 1000


@pytest.mark.skipif(os.name != "posix" or not hasattr(os, "geteuid"), reason="permissions of POSIX")
def test_where_nothing_can_be_written_it_is_trained_all_the_same(small_text, monkeypatch):
    def refuse(*_, **__):
        raise OSError("read-only")

    monkeypatch.setattr(word_vectors.filelock.FileLock, "acquire", refuse)
    monkeypatch.setattr("pathlib.Path.mkdir", refuse)
    assert "cat" in word_vectors.load_trained(("skip-gram",))["skip-gram"]


def test_no_such_vectors():
    with pytest.raises(ValueError, match="unknown word vectors 'bert'; expected some of: skip-gram"):
        word_vectors.load_trained(("bert",))


def test_skip_gram_draws_its_noise_by_the_power_of_the_counts(monkeypatch):
    """The last columns of the contexts that a step changes are the noise words of its blocks."""
    drawn = []

    def record(table, rows, values, scale):
        if rows.shape[1] > embeddings.BLOCK_TOKENS:  # contexts and noise, not centres
            drawn.append(rows[:, -embeddings.BLOCK_NOISE :].ravel())

    monkeypatch.setattr(embeddings, "_add_rows", record)
    words = ["a"] * 81 + ["b"] * 16 + ["c"]
    tokens = np.random.default_rng(0).permutation(words * 60).tolist()
    model = embeddings.SkipGram(size=2, min_count=1, epochs=4, subsample=0).fit(tokens)
    shares = np.bincount(np.concatenate(drawn), minlength=3) / sum(map(len, drawn))
    expected = np.array([27, 8, 1]) / 36  # 81, 16 and 1 to the power of 3/4
    assert model.words == ("a", "b", "c")
    np.testing.assert_allclose(shares, expected, atol=0.02)


def test_skip_gram_thins_frequent_words_and_lowers_its_learning_rate(monkeypatch):
    centres, rates = [], []

    def record(table, rows, values, scale):
        rates.append(-scale)
        if rows.shape[1] == embeddings.BLOCK_TOKENS:
            centres.append(np.bincount(rows.ravel(), minlength=2))

    monkeypatch.setattr(embeddings, "_add_rows", record)
    tokens = np.random.default_rng(0).permutation((["often"] * 99 + ["rare"]) * 200).tolist()
    for subsample, expected in ((0, 1.0), (0.01, embeddings.keep_probability([99, 1], 0.01)[0])):
        centres.clear()
        rates.clear()
        SkipGram(size=2, epochs=2, subsample=subsample, learning_rate=0.1).fit(tokens)
        often, rare = sum(centres)
        assert rare >= 400  # 200 in each of two epochs; the filling of the last block is word 0
        assert often / (2 * 99 * 200) == pytest.approx(expected, abs=0.02)
        assert rates[0] == pytest.approx(0.1) and rates[-1] < 0.01
        np.testing.assert_allclose(np.diff(rates[::2], 2), 0, atol=1e-3)  # along a straight line


def test_glove_weighs_its_errors_by_the_counts():
    tokens = [["a", "b"]] * 10 + [["b", "c"]] * 10
    errors = [GloVe(size=2, min_count=1, epochs=1, maximum=m).fit(tokens).history[0] for m in (1.0, 160.0)]
    assert errors[1] == pytest.approx(errors[0] * (10 / 160) ** 0.75, rel=1e-4)
