"""GloVe in NumPy (notebook 31).

Source: Pennington et al. (2014), "GloVe: Global Vectors for Word Representation", equations 8 and 9. Trained
by AdaGrad (Duchi et al., 2011) on batches of counts; the paper takes one count at a time.
"""

from collections.abc import Callable, Iterable

import numpy as np
import scipy.sparse

from mmcourse.checks import check_count, check_positive
from mmcourse.mathematics.embeddings import WordVectors, cooccurrences, sum_rows
from mmcourse.text.corpus import Corpus

BATCH = 65_536


def weight(counts: np.ndarray, maximum: float = 100.0, power: float = 0.75) -> np.ndarray:
    """GloVe's weight of a co-occurrence count: ``(count / maximum) ** power``, at most 1 (its equation 9)."""
    return np.minimum(1.0, (np.asarray(counts, dtype=float) / maximum) ** power)


def train(
    text: Corpus | Iterable,
    size: int = 50,
    window: int = 10,
    min_count: int = 5,
    maximum: float = 100.0,
    epochs: int = 15,
    learning_rate: float = 0.5,
    seed: int = 0,
    report: Callable[[int, float], None] | None = None,
) -> WordVectors:
    """Count neighbours, and learn vectors whose dot products fit the logarithms of the counts.

    Args:
        text: a :class:`~mmcourse.text.corpus.Corpus`, sentences (lists of words), or one list of words.
        size: length of a vector.
        window: how far apart two words may be to be counted; a pair at distance d counts as 1/d.
        min_count: rarer words are left out before anything is counted.
        maximum: count from which on the weight is 1.
        epochs: passes over the counts.
        learning_rate: of AdaGrad; a batch sums the gradients of many counts, so it exceeds the paper's.
        seed: of everything random.
        report: called after each epoch with its number, from 1, and its loss.

    Returns:
        The sums w + w̃ of word and context vectors, as in the paper, with w̃ as ``contexts``, and the mean
        weighted squared error of a count in each epoch as ``history``.

    Raises:
        ValueError: a setting is out of its range, the text holds too few words that are frequent enough, or
            no two of them are near each other.
    """
    corpus = Corpus.of(text).frequent(min_count)
    counts = cooccurrences(corpus, window, by_distance=True)
    if not counts.nnz:
        raise ValueError("tokens holds no two words of the vocabulary in one sentence, within the window")
    (words, contexts, *_), history = fit(counts, size, maximum, epochs, learning_rate, seed, report)
    return WordVectors(corpus.words, words + contexts, corpus.counts(), contexts, history)


def fit(
    counts: scipy.sparse.sparray,
    size: int,
    maximum: float = 100.0,
    epochs: int = 15,
    learning_rate: float = 0.5,
    seed: int = 0,
    report: Callable[[int, float], None] | None = None,
) -> tuple[list[np.ndarray], list[float]]:
    """Fit vectors and biases to co-occurrences ``(V, V)``; arguments as for :func:`train`.

    Returns:
        The tables w and w̃, ``(V, size)``, and the biases b and b̃, ``(V, 1)``, ``float32``; and the history.
    """
    for name, value in (("size", size), ("epochs", epochs)):
        check_count(name, value)
    for name, value in (("maximum", maximum), ("learning_rate", learning_rate)):
        check_positive(name, value)
    found = scipy.sparse.coo_array(scipy.sparse.csr_array(counts))  # sorted by row
    rows, columns = found.coords
    weights = weight(found.data, maximum).astype(np.float32)
    logarithms = np.log(found.data).astype(np.float32)
    random = np.random.default_rng(seed)
    shapes = [(found.shape[0], width) for width in (size, size, 1, 1)]
    tables = [(random.random(shape, dtype=np.float32) - 0.5) / size for shape in shapes]
    squares = [np.ones_like(table) for table in tables]
    history = []
    for epoch in range(epochs):
        order, total = random.permutation(found.nnz), 0.0
        for first in range(0, found.nnz, BATCH):
            some = np.sort(order[first : first + BATCH])  # neighbours in memory: twice as fast
            batch = (array[some] for array in (rows, columns, weights, logarithms))
            total += step(tables, squares, *batch, learning_rate)  # type: ignore[call-arg]  # four arrays
        history.append(total / found.nnz)
        if report:
            report(epoch + 1, history[-1])
    return tables, history


def step(tables, squares, i, j, weights, logarithms, learning_rate: float) -> float:
    """One step of AdaGrad for some counts; changes the tables and the sums of their squared gradients.

    Args:
        tables: w, w̃, b and b̃; see :func:`fit`.
        squares: for each number of the tables the sum of its squared gradients so far.
        i, j: the words and the contexts of the counts, ``(batch,)``.
        weights, logarithms: f(X) and log X, ``(batch,)``.
        learning_rate: a number steps by this, divided by the root of its sum.

    Returns:
        The sum of the weighted squared errors, before the step.
    """
    w, w_context, b, b_context = tables
    word, context = w[i], w_context[j]  # (batch, size)
    errors = np.einsum("ns,ns->n", word, context) + b[i, 0] + b_context[j, 0] - logarithms
    slopes = (weights * errors)[:, None]  # (batch, 1)
    gradients = (slopes * context, slopes * word, slopes, slopes)
    for table, square, ids, gradient in zip(tables, squares, (i, j, i, j), gradients, strict=True):
        rows, sums = sum_rows(ids, gradient)
        square[rows] += sums**2
        table[rows] -= learning_rate * sums / np.sqrt(square[rows])
    return float(slopes[:, 0] @ errors)
