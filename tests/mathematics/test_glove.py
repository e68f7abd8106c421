"""GloVe: the weight, the step, and the fit."""

import itertools
import re

import numpy as np
import pytest
from keras import ops

from mmcourse.mathematics import embeddings, glove
from mmcourse.text.corpus import Corpus


def topics(sentences: int = 300) -> list[list[str]]:
    """Two kinds of sentences that share no word but one."""
    random = np.random.default_rng(0)
    kinds = (["cat", "dog", "mouse", "bird"], ["car", "train", "plane", "ship"])
    return [[*random.choice(kinds[i % 2], 5), "the"] for i in range(sentences)]


def test_weight_of_the_paper():
    np.testing.assert_allclose(glove.weight([10, 100, 200]), [0.1778, 1, 1], atol=5e-5)


def tables(seed: int = 0) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    return [random.normal(size=(4, width)) for width in (3, 3, 1, 1)]


def loss(tables, i, j, weights, logarithms) -> float:
    w, w_context, b, b_context = tables
    says = ops.sum(w[i] * w_context[j], axis=1) + b[i, 0] + b_context[j, 0]
    return float(ops.sum(weights * ops.square(says - logarithms)))


def test_a_step_is_adagrads_along_the_numerical_gradient():
    i, j = np.array([0, 0, 2, 3]), np.array([1, 2, 2, 1])
    weights, logarithms = np.array([0.2, 1.0, 0.5, 0.7]), np.array([0.1, 2.0, -0.5, 1.0])
    before, stepped = tables(), tables()
    squares = [np.ones_like(table) for table in stepped]
    found = glove.step(stepped, squares, i, j, weights, logarithms, 0.3)
    assert found == pytest.approx(loss(before, i, j, weights, logarithms), rel=1e-5)
    for number, table in enumerate(before):
        for place in np.ndindex(table.shape):
            losses = []
            for sign in (1, -1):
                moved = [each.copy() for each in before]
                moved[number][place] += sign * 1e-2  # the loss is a square, so that this is exact
                losses.append(loss(moved, i, j, weights, logarithms))
            slope = (losses[0] - losses[1]) / 2e-2 / 2  # the step leaves the 2 of the square out
            expected = table[place] - 0.3 * slope / np.sqrt(1 + slope**2)
            assert stepped[number][place] == pytest.approx(expected, abs=1e-3)
            assert squares[number][place] == pytest.approx(1 + slope**2, rel=1e-2)


def test_the_fit_finds_the_counts_again():
    """With vectors as long as there are words, w · w̃ + b + b̃ comes close to ln X."""
    counts = embeddings.cooccurrences(Corpus.of(topics(60)), 3, by_distance=True)
    (w, w_context, b, b_context), history = glove.fit(counts, 9, 1.0, epochs=800, learning_rate=0.1)
    fitted, dense = w @ w_context.T + b + b_context.T, counts.toarray()
    assert np.abs(fitted - np.log(np.where(dense > 0, dense, 1)))[dense > 0].max() < 0.2
    assert history[-1] < history[0] / 100


def test_training_brings_a_topic_together():
    options = {"size": 8, "min_count": 1, "window": 3, "epochs": 60, "learning_rate": 0.2, "maximum": 10.0}
    model = glove.train(topics(), **options)
    assert model.words[0] == "the" and model.counts[0] == 300
    assert {other for other, _ in model.most_similar("cat", 3)} == {"dog", "mouse", "bird"}
    assert model.vectors.dtype == np.float32 and model.vectors.shape == model.contexts.shape == (9, 8)
    np.testing.assert_array_equal(model.vectors, glove.train(topics(), **options).vectors)
    assert not np.allclose(model.vectors, glove.train(topics(), **options, seed=1).vectors)


def test_errors_are_weighed_by_the_counts():
    tokens = [["a", "b"]] * 10 + [["b", "c"]] * 10
    errors = [glove.train(tokens, 2, min_count=1, epochs=1, maximum=m).history[0] for m in (1.0, 160.0)]
    assert errors[1] == pytest.approx(errors[0] * (10 / 160) ** 0.75, rel=1e-4)


def test_reports():
    seen = []
    model = glove.train(topics(), 4, epochs=2, report=lambda epoch, loss: seen.append((epoch, loss)))
    assert seen == list(enumerate(model.history, start=1)) and len(seen) == 2


def test_words_that_never_meet():
    with pytest.raises(ValueError, match="no two words of the vocabulary in one sentence"):
        glove.train([["a"], ["b"]], min_count=1)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        *itertools.product(["size", "window", "min_count", "epochs"], [0, -1, 2.5, True]),
        *itertools.product(["learning_rate", "maximum"], [0, -0.1, float("nan"), "high"]),
    ],
)
def test_wrong_settings(setting, value):
    with pytest.raises(ValueError, match=f"{setting} must be .*{re.escape(repr(value))}"):
        glove.train(topics(), **{setting: value})
