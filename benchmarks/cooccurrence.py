"""Counting which words stand near which: sparse matrices against a Python dictionary, the same counts."""

import itertools

import compare
import numpy as np

from mmcourse.data import dictionary
from mmcourse.mathematics import embeddings

TOKENS, WINDOW = 500_000, 5


def _text():
    return dictionary.load().first(TOKENS)


def count_with_python(corpus, window: int) -> dict[tuple[int, int], float]:
    """The plain loop: each pair of positions within the window, weighted by 1 / distance, both ways."""
    counts: dict[tuple[int, int], float] = {}
    token_ids, starts = corpus.token_ids.tolist(), corpus.starts.tolist()
    for begin, end in itertools.pairwise(starts):
        for place in range(begin, end):
            word = token_ids[place]
            for distance in range(1, min(window, end - 1 - place) + 1):
                other = token_ids[place + distance]
                counts[word, other] = counts.get((word, other), 0.0) + 1.0 / distance
                counts[other, word] = counts.get((other, word), 0.0) + 1.0 / distance
    return counts


def with_scipy(measure: compare.Measurement) -> dict:
    """The course's way."""
    corpus = _text()
    with measure(len(corpus.token_ids)):
        counts = embeddings.cooccurrences(corpus, WINDOW, by_distance=True)
    return {"pairs": int(counts.nnz), "sum": round(float(counts.sum()), 3)}


def with_python(measure: compare.Measurement) -> dict:
    """A dictionary and three loops, and then a check that both ways count the same."""
    corpus = _text()
    with measure(len(corpus.token_ids)):
        counts = count_with_python(corpus, WINDOW)
    expected = embeddings.cooccurrences(corpus, WINDOW, by_distance=True)
    rows, columns = np.array(list(counts)).T
    assert len(counts) == expected.nnz
    np.testing.assert_allclose(np.ravel(expected[rows, columns]), list(counts.values()), rtol=1e-9)
    return {"pairs": len(counts), "sum": round(sum(counts.values()), 3)}


if __name__ == "__main__":
    compare.main(
        {"scipy": with_scipy, "python": with_python},
        peer="python",
        unit="words",
        packages=("numpy", "scipy"),
    )
