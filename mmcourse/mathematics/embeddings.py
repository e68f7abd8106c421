"""Word embeddings: skip-gram with negative sampling, and GloVe, in NumPy and SciPy.

Sources: Mikolov et al. (2013), "Distributed Representations of Words and Phrases and their Compositionality",
equation 4 (the objective), sections 2.2 (the noise) and 2.3 (subsampling); Pennington et al. (2014), "GloVe:
Global Vectors for Word Representation", equations 8 and 9; Caliskan et al. (2017), "Semantics derived
automatically from language corpora contain human-like biases", for the association test.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import scipy.sparse

from mmcourse.mathematics.activations import sigmoid, softplus
from mmcourse.text.corpus import Corpus

NOISE_POWER = 0.75


LEAST_LEARNING_RATE = 1e-4


# How skip-gram cuts its work: speed depends on it, and how fresh the vectors are that a step sees. With few
# different words a step must be short, since it adds up what all tokens of a word ask for.
BLOCK_TOKENS, BLOCK_NOISE, STEP_BLOCKS, WORDS_A_BLOCK = 32, 32, 16, 128


GLOVE_BATCH = 65_536


def negative_sampling(
    centre: np.ndarray, context: np.ndarray, noise: np.ndarray
) -> tuple[float, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Loss and gradients of one pair of words with its noise words (Mikolov et al., 2013, equation 4).

    ``-log σ(context · centre) - Σ log σ(-noise · centre)``, to be made small.

    Args:
        centre: vector v of the word, ``(size,)``.
        context: vector v′ of a word that stood near it, ``(size,)``.
        noise: vectors v′ of words drawn at random, ``(negatives, size)``.

    Returns:
        The loss, and its gradients by the three arguments, each of its argument's shape.

    Raises:
        ValueError: the shapes do not fit.
    """
    centre, context, noise = (np.asarray(array, dtype=float) for array in (centre, context, noise))
    if centre.ndim != 1 or context.shape != centre.shape or noise.shape[1:] != centre.shape:
        raise ValueError(
            "expected centre (size,), context (size,) and noise (negatives, size); "
            f"got {centre.shape}, {context.shape} and {noise.shape}"
        )
    score, noise_scores = context @ centre, noise @ centre
    loss = softplus(-score) + softplus(noise_scores).sum()
    error = sigmoid(score) - 1.0  # what the model says, minus what is true: 1 for the pair …
    noise_errors = sigmoid(noise_scores)  # … and 0 for the noise
    by_centre = error * context + noise_errors @ noise
    return float(loss), (by_centre, error * centre, np.outer(noise_errors, centre))


def noise_distribution(counts: np.ndarray, power: float = NOISE_POWER) -> np.ndarray:
    """The probability with which each word is drawn as noise: its count to the power of 3/4, normalised.

    Raises:
        ValueError: a count is negative, or there is none above 0.
    """
    counts = np.asarray(counts, dtype=float)
    if counts.ndim != 1 or not counts.size or (counts < 0).any() or not counts.any():
        raise ValueError(f"counts must be 0 or more, one a word, one at least above 0; got {counts!r:.60}")
    weights = counts**power
    return weights / weights.sum()


def keep_probability(counts: np.ndarray, threshold: float) -> np.ndarray:
    """The probability with which a token of each word is kept when frequent words are thinned out.

    This is the form of the word2vec program: ``√(t / f) + t / f``, at most 1, for a word's share f of the
    text; the paper prints ``√(t / f)``.

    Args:
        counts: how often each word occurs, above 0.
        threshold: t; 0 keeps everything.

    Raises:
        ValueError: a count is not above 0, or the threshold is negative.
    """
    counts = np.asarray(counts, dtype=float)
    if counts.ndim != 1 or not counts.size or (counts <= 0).any():
        raise ValueError(f"counts must be above 0, one a word; got {counts!r:.60}")
    if threshold < 0:
        raise ValueError(f"threshold must be 0 (keep everything) or more, got {threshold}")
    if threshold == 0:
        return np.ones_like(counts)
    ratio = threshold * counts.sum() / counts
    return np.minimum(1.0, np.sqrt(ratio) + ratio)


def frequent_words(
    tokens: Corpus | Iterable, min_count: int
) -> tuple[tuple[str, ...], np.ndarray, np.ndarray, np.ndarray]:
    """Leave the rare words out of a text and number the others by frequency.

    Args:
        tokens: a :class:`~mmcourse.text.corpus.Corpus`, sentences (lists of words), or one list of words.
        min_count: how often a word must occur to stay.

    Returns:
        The words, most frequent first; how often each occurs; and what is left of the text: ``token_ids`` and
        ``starts`` as :func:`cooccurrences` takes them.

    Raises:
        ValueError: fewer than two words are frequent enough.
    """
    _check_whole("min_count", min_count)
    corpus = tokens if isinstance(tokens, Corpus) else Corpus.of(tokens)
    counts = np.bincount(corpus.token_ids, minlength=len(corpus.words))
    order = np.argsort(-counts, kind="stable")
    order = order[counts[order] >= min_count]
    if len(order) < 2:
        raise ValueError(
            f"tokens holds {len(order)} word(s) that occur min_count = {min_count} times; expected 2 at least"
        )
    numbers = np.full(len(counts), -1, dtype=np.int32)
    numbers[order] = np.arange(len(order), dtype=np.int32)
    token_ids = numbers[corpus.token_ids]
    kept = token_ids >= 0
    starts = np.concatenate([[0], np.cumsum(kept)])[corpus.starts]
    return tuple(corpus.words[i] for i in order), counts[order], token_ids[kept], starts


def cooccurrences(
    token_ids: np.ndarray,
    starts: np.ndarray,
    vocabulary: int,
    window: int,
    by_distance: bool = True,
) -> scipy.sparse.csr_array:
    """Count which words stand near which.

    Args:
        token_ids: whole numbers ``(tokens,)``, each below ``vocabulary``.
        starts: ``(sentences + 1,)``: sentence s is ``token_ids[starts[s]:starts[s + 1]]``. Pairs do not reach
            across sentences.
        vocabulary: number of words.
        window: how far apart two words may stand.
        by_distance: count a pair at distance d as 1/d, as GloVe does, not as 1.

    Returns:
        Symmetric ``float64`` counts ``(vocabulary, vocabulary)``.

    Raises:
        ValueError: a setting or an array is wrong.
    """
    token_ids, starts = np.asarray(token_ids), np.asarray(starts)
    _check_whole("vocabulary", vocabulary)
    _check_whole("window", window)
    if token_ids.ndim != 1 or not token_ids.size:
        raise ValueError(f"token_ids must be (tokens,), at least one; got the shape {token_ids.shape}")
    if token_ids.max() >= vocabulary or token_ids.min() < 0:
        raise ValueError(
            f"token_ids must be 0 to {vocabulary - 1} (vocabulary is {vocabulary}), "
            f"got {token_ids.min()} to {token_ids.max()}"
        )
    if starts.ndim != 1 or starts[0] != 0 or starts[-1] != len(token_ids) or (np.diff(starts) < 0).any():
        raise ValueError(f"starts must rise from 0 to {len(token_ids)}, the number of tokens")
    sentence = np.repeat(np.arange(len(starts) - 1, dtype=np.int32), np.diff(starts))
    shape = (vocabulary, vocabulary)
    counts = scipy.sparse.csr_array(shape, dtype=np.float64)
    for distance in range(1, min(window, len(token_ids) - 1) + 1):
        before, after = token_ids[:-distance], token_ids[distance:]
        counted = sentence[:-distance] == sentence[distance:]
        weights = np.full(counted.sum(), 1.0 / distance if by_distance else 1.0)
        pairs = (before[counted], after[counted])
        counts = counts + scipy.sparse.coo_array((weights, pairs), shape=shape).tocsr()
    return (counts + counts.T).tocsr()


def glove_weight(counts: np.ndarray, maximum: float = 100.0, power: float = 0.75) -> np.ndarray:
    """GloVe's weight of a co-occurrence count: ``(count / maximum) ** power``, at most 1 (its equation 9)."""
    return np.minimum(1.0, (np.asarray(counts, dtype=float) / maximum) ** power)


def positive_pmi(counts: scipy.sparse.sparray, power: float = 1.0) -> scipy.sparse.csr_array:
    """Positive pointwise mutual information, ``max(0, log(P(i, j) / (P(i) P(j))))``, of each pair counted.

    Args:
        counts: co-occurrences ``(words, words)``.
        power: to which the second word's count is raised before it is normalised; 3/4 makes it the noise of
            skip-gram.

    Raises:
        ValueError: nothing was counted.
    """
    pmi = scipy.sparse.coo_array(counts, dtype=float, copy=True)
    if not pmi.nnz:
        raise ValueError("counts holds no pair; expected at least one")
    rows, columns = pmi.coords
    word_share = counts.sum(axis=1) / counts.sum()
    context_share = noise_distribution(counts.sum(axis=0), power)
    pmi.data = np.log(pmi.data / counts.sum() / (word_share[rows] * context_share[columns]))
    pmi.data = np.maximum(pmi.data, 0.0)
    return pmi.tocsr()


# Vectors that are there already


class WordVectors:
    """Words and their vectors.

    Args:
        words: the vocabulary, without repetition.
        vectors: ``(words, size)``, in the same order.

    Attributes:
        words: tuple of words.
        index: word -> its row.
        vectors: ``float32`` ``(words, size)``.

    Raises:
        ValueError: a word stands twice, or there is not one vector a word.
    """

    def __init__(self, words: Sequence[str], vectors: np.ndarray):
        vectors = np.asarray(vectors, dtype=np.float32)
        if vectors.ndim != 2 or len(vectors) != len(words):
            raise ValueError(
                f"vectors must be (words, size) = ({len(words)}, size), got the shape {vectors.shape}"
            )
        self._set(words, vectors)

    def _set(self, words: Sequence[str], vectors: np.ndarray) -> None:
        self.words = tuple(words)
        self.index = {word: place for place, word in enumerate(self.words)}
        if len(self.index) != len(self.words):
            twice = next(w for place, w in enumerate(self.words) if self.index[w] != place)
            raise ValueError(f"words must differ, but {twice!r} stands twice")
        self.vectors = vectors
        self._directions: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: str) -> bool:
        return word in self.index

    def place(self, word: str) -> int:
        """The word's row.

        Raises:
            ValueError: the word is not in the vocabulary, or nothing has been learnt yet.
        """
        if not self.words:
            raise ValueError("there are no vectors yet: call fit(tokens) first")
        if word not in self.index:
            hint = ""
            if isinstance(word, str) and word.lower() in self.index:
                hint = f"; {word.lower()!r} in lower case is"
            raise ValueError(
                f"the word {word!r} is not in the vocabulary of {len(self.words):,} words{hint}. "
                "A word that the text holds too rarely, or not at all, has no vector"
            )
        return self.index[word]

    def vector(self, word: str) -> np.ndarray:
        """The word's vector ``(size,)``.

        Raises:
            ValueError: see :meth:`place`.
        """
        return self.vectors[self.place(word)]

    @property
    def directions(self) -> np.ndarray:
        """The vectors divided by their lengths: their scalar products are cosines."""
        if self._directions is None:
            lengths = np.linalg.norm(self.vectors, axis=1, keepdims=True)
            self._directions = self.vectors / np.maximum(lengths, 1e-12)
        return self._directions

    def similarity(self, first: str, second: str) -> float:
        """The cosine of the angle between two words' vectors.

        Raises:
            ValueError: see :meth:`place`.
        """
        return float(self.directions[self.place(first)] @ self.directions[self.place(second)])

    def most_similar(self, word: str, n: int = 10) -> list[tuple[str, float]]:
        """The n other words whose vectors point most nearly the same way, with the cosines.

        Raises:
            ValueError: see :meth:`place`; also when n is below 1.
        """
        place = self.place(word)
        return self._nearest(self.directions[place], n, {place})

    def analogy(self, a: str, b: str, c: str, n: int = 1) -> list[tuple[str, float]]:
        """What is to c as b is to a: the words nearest to ``b - a + c``, none of the three among them.

        ``analogy("man", "king", "woman")`` asks: man is to king as woman is to what? The three vectors are
        brought to length 1 first.

        Raises:
            ValueError: see :meth:`place`; also when n is below 1.
        """
        places = [self.place(word) for word in (a, b, c)]
        a_direction, b_direction, c_direction = self.directions[places]
        wanted = b_direction - a_direction + c_direction
        return self._nearest(wanted / max(np.linalg.norm(wanted), 1e-12), n, set(places))

    def _nearest(self, direction: np.ndarray, n: int, without: set[int]) -> list[tuple[str, float]]:
        _check_whole("n", n)
        cosines = self.directions @ direction
        cosines[list(without)] = -np.inf
        n = min(n, len(cosines) - len(without))
        nearest = np.argpartition(-cosines, n - 1)[:n] if n > 0 else np.array([], dtype=int)
        nearest = nearest[np.lexsort((nearest, -cosines[nearest]))]
        return [(self.words[place], float(cosines[place])) for place in nearest]


# Training


class SkipGram(WordVectors):
    """Skip-gram with negative sampling: vectors that tell a word's neighbours from random words.

    The text is cut into blocks of consecutive tokens. A block gathers the vectors of its words once, scores
    all of them against each other and against noise words that the block shares, by one matrix product, and
    a mask picks the pairs within reach. This needs a fraction of the reads and writes of a loop over pairs,
    and the sum of the gradients has the same expectation.

    Args:
        size: numbers a vector.
        window: how far apart a word and its context may stand; each word draws its reach from 1 to this.
        negatives: noise words a pair.
        min_count: rarer words are left out.
        subsample: threshold of :func:`keep_probability`; 0 keeps every token.
        epochs: passes over the text.
        learning_rate: of the first step; it falls linearly to nearly 0.
        seed: of everything random.

    Attributes:
        words: the vocabulary, most frequent first.
        counts: how often each occurs, ``int64``.
        vectors: ``float32`` ``(words, size)``: what is used afterwards.
        contexts: ``float32`` ``(words, size)``: the second vector v′ that each word has as a context.
        history: mean loss a pair of each epoch, estimated on a part of the steps.

    Raises:
        ValueError: a setting is out of its range; names it.
    """

    def __init__(
        self,
        size: int = 100,
        window: int = 5,
        negatives: int = 5,
        min_count: int = 5,
        subsample: float = 1e-3,
        epochs: int = 5,
        learning_rate: float = 0.025,
        seed: int = 0,
    ):
        for name in ("size", "window", "negatives", "min_count", "epochs"):
            _check_whole(name, locals()[name])
        _check_positive("learning_rate", learning_rate)
        if not (isinstance(subsample, int | float) and 0 <= subsample < 1):
            raise ValueError(f"subsample must be 0 (keep every token) to 1, got {subsample!r}")
        self.size, self.window, self.negatives, self.min_count = size, window, negatives, min_count
        self.subsample, self.epochs, self.learning_rate, self.seed = subsample, epochs, learning_rate, seed
        self._set((), np.zeros((0, size), dtype=np.float32))
        self.counts = np.zeros(0, dtype=np.int64)
        self.contexts = self.vectors
        self.history: list[float] = []

    def fit(
        self, tokens: Corpus | Iterable, report: Callable[[int, float], None] | None = None
    ) -> "SkipGram":
        """Learn from a text, from the beginning.

        Args:
            tokens: a :class:`~mmcourse.text.corpus.Corpus`, sentences (lists of words), or one list of words.
            report: called after each epoch with its number, from 1, and its loss.

        Returns:
            The object itself.

        Raises:
            ValueError: the text holds too few words that are frequent enough.
        """
        words, counts, token_ids, starts = frequent_words(tokens, self.min_count)
        sentence = np.repeat(np.arange(len(starts) - 1, dtype=np.int32), np.diff(starts))
        random = np.random.default_rng(self.seed)
        vectors = (random.random((len(words), self.size), dtype=np.float32) - 0.5) / self.size
        contexts = np.zeros_like(vectors)
        noise = np.cumsum(noise_distribution(counts))
        noise[-1] = 1.0  # rounding must not leave a gap above the last word
        keep = keep_probability(counts, self.subsample).astype(np.float32)
        step_blocks = max(1, min(STEP_BLOCKS, len(words) // WORDS_A_BLOCK))
        history = []
        for epoch in range(self.epochs):
            chosen = random.random(len(token_ids), dtype=np.float32) < keep[token_ids]
            blocks = _Blocks(token_ids[chosen], sentence[chosen], self.window, random)
            losses = []
            for step, some in enumerate(blocks.shuffled(random, step_blocks)):
                done = (epoch + step * step_blocks / len(blocks)) / self.epochs
                centres, outputs, mask, pairs = blocks.gather(some)
                drawn = np.searchsorted(noise, random.random((len(some), BLOCK_NOISE)), side="right")
                outputs = np.concatenate([outputs, drawn], axis=1)  # (blocks, contexts + noise)
                weights = pairs * np.float32(self.negatives / BLOCK_NOISE)
                with np.errstate(over="ignore", invalid="ignore"):  # told after the epoch
                    by_centre, by_output, scores = block_gradients(
                        vectors[centres], contexts[outputs], mask, weights
                    )
                    if step % 16 == 0 and pairs.any():
                        losses.append(block_loss(scores, mask, weights) / pairs.sum())
                rate = max(self.learning_rate * (1 - done), LEAST_LEARNING_RATE)
                _add_rows(vectors, centres, by_centre, -rate)
                _add_rows(contexts, outputs, by_output, -rate)
            history.append(float(np.mean(losses)) if losses else float("nan"))
            _check_finite(vectors, self.learning_rate)
            if report:
                report(epoch + 1, history[-1])
        self._set(words, vectors)
        self.counts, self.contexts, self.history = counts, contexts, history
        return self


class _Blocks:
    """A thinned-out text, cut into blocks of tokens that each see ``window`` tokens beyond both ends."""

    def __init__(self, token_ids: np.ndarray, sentence: np.ndarray, window: int, random: np.random.Generator):
        tokens = len(token_ids)
        self.window, self.blocks = window, -(-tokens // BLOCK_TOKENS)
        end = self.blocks * BLOCK_TOKENS
        first = np.flatnonzero(np.diff(sentence, prepend=-1))
        lengths = np.diff(first, append=tokens)
        begin = np.repeat(first, lengths)
        last = np.repeat(first + lengths - 1, lengths)
        reach = random.integers(1, window + 1, tokens)
        place = np.arange(tokens)
        # The tokens that fill up the last block reach from after the end to before the beginning: nothing.
        self.left = np.full(end, end + window, dtype=np.int32)
        self.right = np.full(end, -1, dtype=np.int32)
        self.left[:tokens] = np.maximum(place - reach, begin)
        self.right[:tokens] = np.minimum(place + reach, last)
        self.pairs = np.maximum(self.right - self.left, 0).astype(np.float32)
        self.token_ids = np.zeros(end + 2 * window, dtype=np.int32)
        self.token_ids[window : window + tokens] = token_ids

    def __len__(self) -> int:
        return self.blocks

    def shuffled(self, random: np.random.Generator, count: int) -> Iterator[np.ndarray]:
        """Numbers of blocks in random order, ``count`` at a time."""
        order = random.permutation(self.blocks).astype(np.int32)
        return (order[start : start + count] for start in range(0, self.blocks, count))

    def gather(self, blocks: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Centres ``(b, t)``, contexts ``(b, t + 2 window)``, who is whose context, and how many each has."""
        window = self.window
        centre = blocks[:, None] * BLOCK_TOKENS + np.arange(BLOCK_TOKENS, dtype=np.int32)
        output = blocks[:, None] * BLOCK_TOKENS + np.arange(BLOCK_TOKENS + 2 * window, dtype=np.int32)
        place = output[:, None, :] - window  # (b, 1, t + 2 window), places in the text
        mask = (place >= self.left[centre][..., None]) & (place <= self.right[centre][..., None])
        mask &= place != centre[..., None]
        return self.token_ids[centre + window], self.token_ids[output], mask, self.pairs[centre]


def block_gradients(
    centres: np.ndarray, outputs: np.ndarray, mask: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Summed gradients of :func:`negative_sampling` for all pairs of some blocks of text.

    Args:
        centres: vectors v of the blocks' words, ``(blocks, tokens, size)``.
        outputs: vectors v′ of the words around and then of the noise, ``(blocks, contexts + noise, size)``.
        mask: boolean ``(blocks, tokens, contexts)``: which context belongs to which word.
        weights: ``(blocks, tokens)``: what each noise word counts for each word.

    Returns:
        The gradients by centres and by outputs, of their shapes, and the scores
        ``(blocks, tokens, contexts + noise)``.
    """
    scores = centres @ np.swapaxes(outputs, 1, 2)
    errors = sigmoid(scores)
    contexts = mask.shape[-1]
    errors[..., :contexts] -= 1.0
    errors[..., :contexts] *= mask
    errors[..., contexts:] *= weights[..., None]
    return errors @ outputs, np.swapaxes(errors, 1, 2) @ centres, scores


def block_loss(scores: np.ndarray, mask: np.ndarray, weights: np.ndarray) -> float:
    """The loss whose gradients :func:`block_gradients` gives, from the scores that it returns."""
    contexts = mask.shape[-1]
    noise = softplus(scores[..., contexts:]).sum(axis=-1)
    return float(softplus(-scores[..., :contexts])[mask].sum() + (weights * noise).sum())


class GloVe(WordVectors):
    """GloVe: vectors whose scalar products fit the logarithms of co-occurrence counts.

    Trained by AdaGrad on batches of counts in random order, as in the paper, which takes one count at a time.

    Args:
        size: numbers a vector.
        window: how far apart two words may stand to be counted.
        min_count: rarer words are left out before anything is counted.
        maximum: count from which on the weight is 1; the paper's 100 suits texts of billions of words.
        power: of the weight below the maximum.
        epochs: passes over the counts.
        learning_rate: of AdaGrad.
        seed: of everything random.

    Attributes:
        words, counts: as in :class:`SkipGram`.
        vectors: ``float32`` ``(words, size)``: the sums of ``word_vectors`` and ``contexts``, as the paper's.
        word_vectors, contexts: the w and w̃ of the objective, ``float32`` ``(words, size)``.
        word_biases, context_biases: its b and b̃, ``float32`` ``(words,)``.
        history: mean of the weighted squared error a count, of each epoch.

    Raises:
        ValueError: a setting is out of its range; names it.
    """

    def __init__(
        self,
        size: int = 50,
        window: int = 5,
        min_count: int = 5,
        maximum: float = 100.0,
        power: float = 0.75,
        epochs: int = 20,
        learning_rate: float = 0.05,
        seed: int = 0,
    ):
        for name in ("size", "window", "min_count", "epochs"):
            _check_whole(name, locals()[name])
        for name in ("maximum", "power", "learning_rate"):
            _check_positive(name, locals()[name])
        self.size, self.window, self.min_count, self.maximum = size, window, min_count, maximum
        self.power, self.epochs, self.learning_rate, self.seed = power, epochs, learning_rate, seed
        self._set((), np.zeros((0, size), dtype=np.float32))
        self.counts = np.zeros(0, dtype=np.int64)
        self.word_vectors = self.contexts = self.vectors
        self.word_biases = self.context_biases = np.zeros(0, dtype=np.float32)
        self.history: list[float] = []

    def fit(self, tokens: Corpus | Iterable, report: Callable[[int, float], None] | None = None) -> "GloVe":
        """Count, and learn from the counts, from the beginning. Arguments and errors as :meth:`SkipGram.fit`.

        Raises:
            ValueError: also when no two words of the vocabulary stand near each other.
        """
        words, counts, token_ids, starts = frequent_words(tokens, self.min_count)
        found = cooccurrences(token_ids, starts, len(words), self.window)
        return self.fit_counts(words, counts, found, report)

    def fit_counts(
        self,
        words: Sequence[str],
        counts: np.ndarray,
        found: scipy.sparse.sparray,
        report: Callable[[int, float], None] | None = None,
    ) -> "GloVe":
        """Learn from co-occurrences that have been counted: ``(words, words)``, see :func:`cooccurrences`.

        Raises:
            ValueError: nothing was counted, or there is not one row and one column a word.
        """
        if found.shape != (len(words), len(words)):
            raise ValueError(f"found must be {(len(words), len(words))}, got the shape {found.shape}")
        found = scipy.sparse.coo_array(scipy.sparse.csr_array(found))  # sorted by row
        if not found.nnz:
            raise ValueError("tokens holds no two words of the vocabulary in one sentence, within the window")
        rows, columns = (places.astype(np.int32) for places in found.coords)
        weights = glove_weight(found.data, self.maximum, self.power).astype(np.float32)
        logarithms = np.log(found.data).astype(np.float32)
        random = np.random.default_rng(self.seed)
        # The last column of each table is the bias.
        tables = [
            (random.random((len(words), self.size + 1), dtype=np.float32) - 0.5) / self.size for _ in range(2)
        ]
        squares = [np.ones_like(table) for table in tables]
        history = []
        for epoch in range(self.epochs):
            order, total = random.permutation(found.nnz), 0.0
            for start in range(0, found.nnz, GLOVE_BATCH):
                some = np.sort(order[start : start + GLOVE_BATCH])  # neighbours in memory: twice as fast
                chosen = rows[some], columns[some]
                word, context = (table[places] for table, places in zip(tables, chosen, strict=True))
                errors = glove_errors(word, context, logarithms[some])
                slopes = weights[some] * errors
                total += float(slopes @ errors)
                word[:, -1] = context[:, -1] = 1.0  # by which the other side's bias is multiplied
                for table, square, places, other in zip(
                    tables, squares, chosen, (context, word), strict=True
                ):
                    unique, gradients = _sum_rows(places, other, slopes)
                    square[unique] += gradients**2
                    table[unique] -= self.learning_rate * gradients / np.sqrt(square[unique])
            history.append(total / found.nnz)
            if report:
                report(epoch + 1, history[-1])
        (self.word_vectors, self.word_biases), (self.contexts, self.context_biases) = (
            (np.ascontiguousarray(table[:, :-1]), table[:, -1].copy()) for table in tables
        )
        self._set(words, self.word_vectors + self.contexts)
        self.counts, self.history = np.asarray(counts), history
        return self


def glove_errors(word: np.ndarray, context: np.ndarray, logarithms: np.ndarray) -> np.ndarray:
    """``w · w̃ + b + b̃ - log X`` for pairs ``(pairs, size + 1)`` whose last column is the bias."""
    products = np.einsum("ps,ps->p", word[:, :-1], context[:, :-1])
    return products + word[:, -1] + context[:, -1] - logarithms


def _sum_rows(rows: np.ndarray, values: np.ndarray, weights) -> tuple[np.ndarray, np.ndarray]:
    """The different rows, and for each the weighted sum of the values that belong to it.

    A product with a sparse matrix that holds one weight a column: many times faster than ``np.add.at``.
    """
    unique, places = np.unique(rows, return_inverse=True)
    ends = np.arange(len(rows) + 1, dtype=np.int32)
    weights = np.broadcast_to(np.asarray(weights, dtype=np.float32), len(rows))
    selection = scipy.sparse.csc_array(
        (weights, places.astype(np.int32), ends), shape=(len(unique), len(rows))
    )
    return unique, selection @ values


def _add_rows(table: np.ndarray, rows: np.ndarray, values: np.ndarray, weight: float) -> None:
    unique, sums = _sum_rows(rows.ravel(), values.reshape(-1, values.shape[-1]), weight)
    table[unique] += sums


def _check_finite(vectors: np.ndarray, learning_rate: float) -> None:
    if not np.isfinite(vectors).all():
        raise ValueError(
            f"learning_rate {learning_rate} is too high for this text: the vectors have grown beyond all "
            "bounds. Try a tenth of it"
        )


def _check_whole(name: str, value) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise ValueError(f"{name} must be a whole number, 1 or more; got {value!r}")


def _check_positive(name: str, value) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise ValueError(f"{name} must be a number above 0, got {value!r}")
