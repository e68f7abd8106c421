"""Word vectors: counts of neighbours, PMI, its SVD, and what can be asked of vectors."""

import itertools

import numpy as np
import pytest
import scipy.sparse
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mmcourse.mathematics import activations, embeddings
from mmcourse.mathematics.embeddings import WordVectors
from mmcourse.text.corpus import Corpus


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


@given(st.floats(-1e4, 1e4))
def test_activations_do_not_overflow(score):
    with np.errstate(over="raise", invalid="raise"):
        assert 0 <= activations.sigmoid(score) <= 1
        assert activations.softplus(score) >= max(score, 0)


# Counting


def slow_counts(sentences, window, by_distance):
    counts = {}
    for sentence in sentences:
        for (i, a), (j, b) in itertools.permutations(enumerate(sentence), 2):
            if abs(i - j) <= window:
                counts[a, b] = counts.get((a, b), 0) + (1 / abs(i - j) if by_distance else 1)
    return counts


texts = st.lists(st.lists(st.sampled_from("abcde"), min_size=1, max_size=9), min_size=1, max_size=5)


@given(texts, st.integers(1, 12), st.booleans())
@settings(deadline=None)
def test_counts_are_those_of_three_loops(sentences, window, by_distance):
    corpus = Corpus.of(sentences)
    found = embeddings.cooccurrences(corpus, window, by_distance).toarray()
    expected = np.zeros_like(found)
    for (a, b), count in slow_counts(sentences, window, by_distance).items():
        expected[corpus.words.index(a), corpus.words.index(b)] = count
    np.testing.assert_allclose(found, expected)
    np.testing.assert_allclose(found, found.T)


@pytest.mark.parametrize("window", [0, 1.5, True, "2"])
def test_wrong_window(window):
    with pytest.raises(ValueError, match="window must be a whole number of at least 1, got"):
        embeddings.cooccurrences(Corpus.of(["a", "b"]), window)


@given(texts, st.sampled_from([1.0, 0.75]))
@settings(deadline=None)
def test_pmi(sentences, power):
    counts = embeddings.cooccurrences(Corpus.of(sentences), 2)
    assume(counts.nnz)
    dense, total = counts.toarray(), counts.sum()
    share = dense.sum(axis=1) / total
    context = dense.sum(axis=1) ** power / (dense.sum(axis=1) ** power).sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = np.maximum(np.log(dense / total / np.outer(share, context)), 0)
    found = embeddings.positive_pmi(counts, power).toarray()
    np.testing.assert_allclose(found, np.where(dense > 0, expected, 0), atol=1e-12)


def test_pmi_of_no_pair():
    with pytest.raises(ValueError, match="counts holds no pair"):
        embeddings.positive_pmi(scipy.sparse.csr_array((3, 3)))


def test_reduced_rows_keep_what_the_best_approximation_keeps():
    table = np.abs(normal(12, 12)) * (np.arange(12) < 6)
    table = table + table.T
    left, strengths, _ = np.linalg.svd(table)
    found = embeddings.reduced(scipy.sparse.csr_array(table), 4)
    expected = (left * np.sqrt(strengths))[:, :4]
    np.testing.assert_allclose(found @ found.T, expected @ expected.T, atol=1e-4)
    np.testing.assert_allclose((found**2).sum(axis=0), strengths[:4], rtol=1e-4)  # the strongest first
    for size in (0, 12):
        with pytest.raises(ValueError, match="size must be"):
            embeddings.reduced(scipy.sparse.csr_array(table), size)


def test_vectors_from_counting():
    kinds = ["cat dog mouse bird".split(), "car train plane ship".split()]
    random = np.random.default_rng(0)
    vectors = embeddings.train(
        [[*random.choice(kinds[i % 2], 5), "the"] for i in range(300)], size=2, window=3, min_count=1
    )
    assert vectors.words[0] == "the" and vectors.counts[0] == 300
    assert {other for other, _ in vectors.most_similar("cat", 3)} == {"dog", "mouse", "bird"}


@given(st.lists(st.integers(0, 5), min_size=1, max_size=20), st.integers(1, 3))
def test_rows_are_summed(rows, size):
    values = normal(len(rows), size)
    expected = np.zeros((6, size))
    np.add.at(expected, rows, values)
    unique, sums = embeddings.sum_rows(np.array(rows), values)
    assert unique.tolist() == sorted(set(rows))
    np.testing.assert_allclose(sums, expected[unique])


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
    with pytest.raises(ValueError, match="n must be a whole number of at least 1, got 0"):
        vectors.most_similar("up", 0)


def test_wrong_vectors():
    with pytest.raises(ValueError, match="'a' stands twice"):
        WordVectors(["a", "b", "a"], np.ones((3, 2)))
    with pytest.raises(
        ValueError, match=r"vectors must be \(words, size\) = \(2, size\), got the shape \(3, 2\)"
    ):
        WordVectors(["a", "b"], np.ones((3, 2)))
