"""Tests of word vectors: ranks, analogies, associations."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import assume, given
from hypothesis import strategies as st

from mmcourse.mathematics import similarity
from mmcourse.mathematics.embeddings import WordVectors


def normal(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape)


def test_cosines():
    vectors = WordVectors(list("abc"), np.array([[1, 0], [3, 3], [0, 2]]))
    found = similarity.cosines(vectors, [("a", "b"), ("a", "c"), ("c", "c")])
    np.testing.assert_allclose(found, [np.sqrt(0.5), 0, 1], atol=1e-6)
    with pytest.raises(ValueError, match="'z' is not in the vocabulary"):
        similarity.cosines(vectors, [("a", "z")])


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=3, max_size=20))
def test_spearman_is_that_of_scipy(pairs):
    first, second = np.array(pairs, dtype=float).T
    assume(len(set(first)) > 1 and len(set(second)) > 1)
    expected = scipy.stats.spearmanr(first, second).statistic
    assert similarity.spearman(first, second) == pytest.approx(expected)


def test_spearman_of_equal_ranks():
    assert np.isnan(similarity.spearman(np.ones(4), np.arange(4)))


def test_bootstrap():
    ratings = normal(200)
    noisy = ratings + np.random.default_rng(1).normal(size=(2, 200)) * [[1], [1.2]]
    samples = similarity.bootstrap_spearman(noisy, ratings)
    assert samples.shape == (2, 2000)
    low, high = np.quantile(samples[0], [0.025, 0.975])
    assert 0.5 < low < similarity.spearman(noisy[0], ratings) < high < 0.85
    np.testing.assert_array_equal(similarity.bootstrap_spearman(noisy[1], ratings), samples[1])
    gap = similarity.bootstrap_spearman(np.stack([ratings, ratings]), ratings)
    assert (gap[0] == gap[1]).all(), "the same pairs are drawn for both"
    for scores, wrong in (([1, 2], [1, 2]), (ratings, ratings[:-1])):
        with pytest.raises(ValueError, match="as many scores as ratings, 3 at least"):
            similarity.bootstrap_spearman(scores, wrong)


def test_analogies_are_answered_as_the_vectors_answer_them():
    vectors = WordVectors([f"{i}" for i in range(40)], normal(40, 3))
    random = np.random.default_rng(1)
    questions = [tuple(map(str, random.choice(40, 4, replace=False))) for _ in range(300)]
    asked, answers = similarity.analogy_answers(vectors, [*questions, ("1", "2", "3", "unknown")])
    assert asked.tolist() == [[int(word) for word in question] for question in questions]
    assert answers.tolist() == [int(vectors.analogy(a, b, c)[0][0]) for a, b, c, _ in questions]
    _, with_all = similarity.analogy_answers(vectors, questions, leave_out=False)
    a, b, c, _ = vectors.directions[asked].transpose(1, 0, 2)
    assert with_all.tolist() == ((b - a + c) @ vectors.directions.T).argmax(axis=1).tolist()
    _, of_ten = similarity.analogy_answers(vectors, [("1", "2", "3", "4")], most_frequent=10)
    assert of_ten[0] < 10
    with pytest.raises(ValueError, match="none of the 1 questions"):
        similarity.analogy_answers(vectors, [("1", "2", "3", "unknown")])


def association() -> tuple[list[str], WordVectors]:
    words = ["x1", "x2", "x3", "y1", "y2", "y3", "a", "b"]
    table = [[1, 0.1], [1, 0], [1, 0.2], [0, 1], [0.1, 1], [0.2, 1], [1, 0], [0, 1]]
    return words, WordVectors(words, np.array(table))


def test_leans():
    _, vectors = association()
    np.testing.assert_allclose(similarity.leans(vectors, ["x2", "y1"], (["a"], ["b"])), [1, -1], atol=1e-6)
    with pytest.raises(ValueError, match="none of them empty"):
        similarity.leans(vectors, ["x2"], (["a"], []))


def test_association_test():
    words, vectors = association()
    found = similarity.association_test(vectors, (words[:3], words[3:6]), (["a"], ["b"]))
    low, high = found["interval"]
    assert 1.5 < low < found["effect"] + 1e-9 and found["effect"] <= high < 2.1
    assert found["p"] == pytest.approx(1 / 20, abs=0.01), "one of the 20 divisions"
    turned = similarity.association_test(vectors, (words[3:6], words[:3]), (["a"], ["b"]))
    assert turned["effect"] == pytest.approx(-found["effect"]) and turned["p"] == 1
    with pytest.raises(ValueError, match="two targets of equal size"):
        similarity.association_test(vectors, (words[:2], words[3:6]), (["a"], ["b"]))
    with pytest.raises(ValueError, match="'z' is not in the vocabulary"):
        similarity.association_test(vectors, (["z"], ["x1"]), (["a"], ["b"]))
