"""Words as vectors (notebook 31): counts of neighbours, their PMI, its SVD, and what can be asked of vectors.

The two methods that train vectors have modules of their own: :mod:`mmcourse.mathematics.skip_gram` and
:mod:`mmcourse.mathematics.glove`.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import scipy.sparse

from mmcourse.checks import check_count
from mmcourse.text.corpus import Corpus


def cooccurrences(corpus: Corpus, window: int, by_distance: bool = False) -> scipy.sparse.csr_array:
    """Count which words stand near which, within a sentence.

    Args:
        corpus: the text, V different words.
        window: how many positions apart two words may be.
        by_distance: count a pair at distance d as 1/d, as GloVe does, not as 1.

    Returns:
        Symmetric ``float64`` counts ``(V, V)``.

    Raises:
        ValueError: the window is not a whole number, 1 or more.
    """
    check_count("window", window)
    token_ids, sentence_ids = corpus.token_ids, corpus.sentence_ids()
    shape = (len(corpus.words), len(corpus.words))
    counts = scipy.sparse.csr_array(shape, dtype=np.float64)
    for distance in range(1, min(window, len(token_ids) - 1) + 1):
        together = sentence_ids[:-distance] == sentence_ids[distance:]
        pairs = (token_ids[:-distance][together], token_ids[distance:][together])
        weights = np.full(len(pairs[0]), 1 / distance if by_distance else 1.0)
        counts = counts + scipy.sparse.coo_array((weights, pairs), shape=shape).tocsr()
    return (counts + counts.T).tocsr()


def positive_pmi(counts: scipy.sparse.sparray, power: float = 1.0) -> scipy.sparse.csr_array:
    """Positive pointwise mutual information, ``max(0, log(P(i, j) / (P(i) P(j))))``, of each pair counted.

    Args:
        counts: co-occurrences ``(V, V)``.
        power: to which the second word's count is raised before it is normalised; 3/4 lowers the PMI of pairs
            with a rare word, as the noise of skip-gram does.

    Raises:
        ValueError: nothing was counted.
    """
    pmi = scipy.sparse.coo_array(counts, dtype=float, copy=True)
    if not pmi.nnz:
        raise ValueError("counts holds no pair; expected at least one")
    rows, columns = pmi.coords
    word_share = counts.sum(axis=1) / counts.sum()
    context_share = counts.sum(axis=0) ** power
    context_share /= context_share.sum()
    pmi.data = np.log(pmi.data / counts.sum() / (word_share[rows] * context_share[columns]))
    pmi.data = np.maximum(pmi.data, 0.0)
    return pmi.tocsr()


def reduced(table: scipy.sparse.sparray, size: int) -> np.ndarray:
    """A short vector for each row of a table: its truncated SVD.

    Args:
        table: ``(V, V)``, such as that of :func:`positive_pmi`.
        size: numbers to keep for each row, below V.

    Returns:
        ``float32`` ``(V, size)``: the left singular vectors, each times the root of its singular value, the
        largest first.

    Raises:
        ValueError: the size is not a whole number from 1 to V - 1.
    """
    check_count("size", size)
    if size >= min(table.shape):
        raise ValueError(f"size must be below {min(table.shape)}, the number of words; got {size}")
    start = np.ones(min(table.shape), dtype=np.float32)  # ARPACK's, so that the result is the same each time
    left, strengths, _ = scipy.sparse.linalg.svds(table.astype(np.float32), size, v0=start)
    return (left * np.sqrt(strengths))[:, ::-1].astype(np.float32)


def train(text: Corpus | Iterable, size: int = 100, window: int = 5, min_count: int = 5) -> "WordVectors":
    """Vectors from counting: the positive PMI of the neighbours, reduced to ``size`` numbers for each word.

    Args:
        text: a :class:`~mmcourse.text.corpus.Corpus`, sentences (lists of words), or one list of words.
        size: length of a vector.
        window: how many positions apart two words may be.
        min_count: rarer words are left out before anything is counted.

    Raises:
        ValueError: a setting is out of its range, or the text holds too few words that are frequent enough.
    """
    corpus = Corpus.of(text).frequent(min_count)
    table = positive_pmi(cooccurrences(corpus, window))
    return WordVectors(corpus.words, reduced(table, size), corpus.counts())


class WordVectors:
    """Words and their vectors.

    Args:
        words: the vocabulary, without repetition.
        vectors: ``(V, size)``, in the same order.
        counts: how often each word occurred in the text, most frequent first, if known.
        contexts: ``(V, size)``: the second vector that a word has as a context, where a method learns one.
        history: the loss of each epoch of training.

    Attributes:
        index: word -> its row.
        vectors, contexts: ``float32``.
        directions: the vectors divided by their lengths, so that their dot products are cosines.

    Raises:
        ValueError: a word stands twice, or there is not one vector for each word.
    """

    def __init__(
        self,
        words: Sequence[str],
        vectors: np.ndarray,
        counts: np.ndarray | None = None,
        contexts: np.ndarray | None = None,
        history: Iterable[float] = (),
    ):
        self.words = tuple(words)
        self.index = {word: row for row, word in enumerate(self.words)}
        if len(self.index) != len(self.words):
            twice = next(word for row, word in enumerate(self.words) if self.index[word] != row)
            raise ValueError(f"words must differ, but {twice!r} stands twice")
        self.vectors = np.asarray(vectors, dtype=np.float32)
        if self.vectors.ndim != 2 or len(self.vectors) != len(self.words):
            raise ValueError(
                f"vectors must be (words, size) = ({len(self.words)}, size), "
                f"got the shape {self.vectors.shape}"
            )
        self.counts, self.contexts, self.history = counts, contexts, list(history)
        lengths = np.linalg.norm(self.vectors, axis=1, keepdims=True)
        self.directions = self.vectors / np.maximum(lengths, 1e-12)

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: str) -> bool:
        return word in self.index

    def row(self, word: str) -> int:
        """The word's row.

        Raises:
            ValueError: the word is not in the vocabulary.
        """
        if word not in self.index:
            hint = ""
            if isinstance(word, str) and word.lower() in self.index:
                hint = f"; {word.lower()!r} in lower case is"
            raise ValueError(
                f"the word {word!r} is not in the vocabulary of {len(self.words):,} words{hint}. "
                "A word that the text holds too rarely, or not at all, has no vector"
            )
        return self.index[word]

    def rows(self, words: Iterable[str]) -> np.ndarray:
        """The rows of several words.

        Raises:
            ValueError: see :meth:`row`.
        """
        return np.array([self.row(word) for word in words], dtype=int)

    def vector(self, word: str) -> np.ndarray:
        """The word's vector ``(size,)``.

        Raises:
            ValueError: see :meth:`row`.
        """
        return self.vectors[self.row(word)]

    def similarity(self, first: str, second: str) -> float:
        """The cosine of the angle between two words' vectors.

        Raises:
            ValueError: see :meth:`row`.
        """
        return float(self.directions[self.row(first)] @ self.directions[self.row(second)])

    def most_similar(self, word: str, n: int = 10) -> list[tuple[str, float]]:
        """The n other words whose vectors point most nearly the same way, with the cosines.

        Raises:
            ValueError: see :meth:`row`; also when n is below 1.
        """
        row = self.row(word)
        return self._nearest(self.directions[row], n, [row])

    def analogy(self, a: str, b: str, c: str, n: int = 1) -> list[tuple[str, float]]:
        """What is to c as b is to a: the words nearest to ``b - a + c``, none of the three among them.

        ``analogy("man", "king", "woman")`` asks: man is to king as woman is to what? The three vectors are
        brought to length 1 first.

        Raises:
            ValueError: see :meth:`row`; also when n is below 1.
        """
        rows = self.rows((a, b, c))
        a_direction, b_direction, c_direction = self.directions[rows]
        wanted = b_direction - a_direction + c_direction
        return self._nearest(wanted / max(np.linalg.norm(wanted), 1e-12), n, rows)

    def _nearest(
        self, direction: np.ndarray, n: int, without: Sequence[int] | np.ndarray
    ) -> list[tuple[str, float]]:
        check_count("n", n)
        cosines = self.directions @ direction
        cosines[without] = -np.inf
        nearest = np.argsort(-cosines, kind="stable")[: min(n, len(cosines) - len(set(without)))]
        return [(self.words[row], float(cosines[row])) for row in nearest]


def sum_rows(rows: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The different rows, and for each the sum of the values that belong to it.

    A product with a sparse matrix of ones, many times faster than ``np.add.at``.

    Args:
        rows: whole numbers ``(n,)``.
        values: ``(n, size)``.
    """
    unique, places = np.unique(rows, return_inverse=True)
    ones, ends = np.ones(len(rows), dtype=values.dtype), np.arange(len(rows) + 1)
    selection = scipy.sparse.csc_array((ones, places, ends), shape=(len(unique), len(rows)))
    return unique, selection @ values
