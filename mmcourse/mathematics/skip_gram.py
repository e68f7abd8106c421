"""Skip-gram with negative sampling in NumPy (notebook 31).

Source: Mikolov et al. (2013), "Distributed Representations of Words and Phrases and their Compositionality",
equation 4 (the objective), sections 2.2 (the noise) and 2.3 (subsampling).
"""

from collections.abc import Callable, Iterable

import numpy as np

from mmcourse.checks import check_count, check_positive
from mmcourse.mathematics.activations import sigmoid
from mmcourse.mathematics.embeddings import WordVectors, sum_rows
from mmcourse.text.corpus import Corpus

NOISE_POWER = 0.75
LEAST_LEARNING_RATE = 1e-4
# The text is cut into blocks of so many tokens, which share so many noise words; a step takes so many blocks.
# With few different words a step must be short, since it adds up what all tokens of a word ask for.
BLOCK_TOKENS, BLOCK_NOISE, STEP_BLOCKS, WORDS_PER_BLOCK = 32, 32, 16, 128


def noise_distribution(counts: np.ndarray, power: float = NOISE_POWER) -> np.ndarray:
    """The probability with which each word is drawn as noise: its count to the power of 3/4, normalised."""
    weights = np.asarray(counts, dtype=float) ** power
    return weights / weights.sum()


def keep_probability(counts: np.ndarray, threshold: float) -> np.ndarray:
    """The probability with which a token of each word is kept when frequent words are thinned out.

    This is the form of the word2vec program: ``√(t / f) + t / f``, at most 1, for a word's share f of the
    text; the paper prints ``√(t / f)``.

    Args:
        counts: how often each word occurs, above 0.
        threshold: t; 0 keeps everything.
    """
    if threshold == 0:
        return np.ones(len(counts))
    ratio = threshold * np.sum(counts) / np.asarray(counts)
    return np.minimum(1.0, np.sqrt(ratio) + ratio)


def train(
    text: Corpus | Iterable,
    size: int = 100,
    window: int = 5,
    negatives: int = 5,
    min_count: int = 5,
    subsample: float = 1e-3,
    epochs: int = 5,
    learning_rate: float = 0.025,
    seed: int = 0,
    report: Callable[[int, float], None] | None = None,
) -> WordVectors:
    """Learn vectors that tell a word's neighbours from words drawn at random.

    Args:
        text: a :class:`~mmcourse.text.corpus.Corpus`, sentences (lists of words), or one list of words.
        size: length of a vector.
        window: how far apart a word and its context may be; each word draws its reach from 1 to this.
        negatives: noise words for each pair.
        min_count: rarer words are left out.
        subsample: threshold of :func:`keep_probability`; 0 keeps every token.
        epochs: passes over the text.
        learning_rate: of the first step; it falls linearly to nearly 0.
        seed: of everything random.
        report: called after each epoch with its number, from 1, and its loss.

    Returns:
        The vectors v, with the vectors v′ as ``contexts``, and the mean loss of a pair in each epoch as
        ``history``.

    Raises:
        ValueError: a setting is out of its range, or the text holds too few words that are frequent enough.
    """
    for name, value in (("size", size), ("window", window), ("negatives", negatives), ("epochs", epochs)):
        check_count(name, value)
    check_positive("learning_rate", learning_rate)
    if not (isinstance(subsample, int | float) and 0 <= subsample < 1):
        raise ValueError(f"subsample must be 0 (keep every token) to 1, got {subsample!r}")
    corpus = Corpus.of(text).frequent(min_count)
    counts, sentence_ids = corpus.counts(), corpus.sentence_ids()
    random = np.random.default_rng(seed)
    vectors = (random.random((len(counts), size), dtype=np.float32) - 0.5) / size
    contexts = np.zeros_like(vectors)
    noise = np.cumsum(noise_distribution(counts))[:-1]
    keep = keep_probability(counts, subsample)
    step_blocks = max(1, min(STEP_BLOCKS, len(counts) // WORDS_PER_BLOCK))
    history = []
    for epoch in range(epochs):
        kept = random.random(len(corpus.token_ids)) < keep[corpus.token_ids]
        blocks = cut(corpus.token_ids[kept], sentence_ids[kept], random)
        loss = pairs = 0.0
        for first in range(0, len(blocks), step_blocks):
            token_ids, sentences = np.moveaxis(blocks[first : first + step_blocks], 1, 0)
            near = neighbours(sentences, random.integers(1, window + 1, sentences.shape))
            noise_ids = np.searchsorted(noise, random.random((len(near), BLOCK_NOISE)))
            done = (epoch + first / len(blocks)) / epochs
            rate = max(learning_rate * (1 - done), LEAST_LEARNING_RATE)
            loss += step(vectors, contexts, token_ids, near, noise_ids, negatives, rate)
            pairs += near.sum()
        history.append(loss / max(pairs, 1))
        if not np.isfinite(vectors).all():
            raise ValueError(
                f"learning_rate {learning_rate} is too high for this text: the vectors have grown beyond all "
                "bounds. Try a tenth of it"
            )
        if report:
            report(epoch + 1, history[-1])
    return WordVectors(corpus.words, vectors, counts, contexts, history)


def cut(token_ids: np.ndarray, sentence_ids: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Cut a text into blocks in random order: ``(blocks, 2, tokens)``, the tokens and their sentences.

    The cuts fall elsewhere each time. What does not fill a block, at both ends of the text, is filled up with
    tokens that each have a sentence of their own, and so have no neighbours.
    """
    before = random.integers(BLOCK_TOKENS)
    after = -(before + len(token_ids)) % BLOCK_TOKENS
    alone = -1 - np.arange(before + after)
    sentence_ids = np.concatenate([alone[:before], sentence_ids, alone[before:]])
    rows = np.stack([np.pad(token_ids, (before, after)), sentence_ids])
    return random.permutation(rows.reshape(2, -1, BLOCK_TOKENS).swapaxes(0, 1))


def neighbours(sentence_ids: np.ndarray, reach: np.ndarray) -> np.ndarray:
    """Which tokens of a block are contexts of which: boolean ``(blocks, tokens, tokens)``.

    Args:
        sentence_ids: ``(blocks, tokens)``.
        reach: ``(blocks, tokens)``: how far from each token its contexts may be.
    """
    position = np.arange(sentence_ids.shape[1])
    distance = np.abs(position[:, None] - position)
    same = sentence_ids[:, :, None] == sentence_ids[:, None, :]
    return same & (distance > 0) & (distance <= reach[:, :, None])


def step(
    vectors: np.ndarray,
    contexts: np.ndarray,
    token_ids: np.ndarray,
    near: np.ndarray,
    noise_ids: np.ndarray,
    negatives: float,
    rate: float,
) -> float:
    """One step of gradient descent for all pairs of some blocks; changes ``vectors`` and ``contexts``.

    Args:
        vectors, contexts: v and v′, ``(V, size)``.
        token_ids: ``(blocks, tokens)``.
        near: see :func:`neighbours`.
        noise_ids: ``(blocks, noise)``: words that all pairs of a block share as noise. Each counts for
            ``negatives / noise`` of a word.
        negatives: noise words for each pair.
        rate: the learning rate.

    Returns:
        The sum of the losses of all pairs, before the step.
    """
    output_ids = np.concatenate([token_ids, noise_ids], axis=1)  # (blocks, tokens + noise)
    v, v_prime = vectors[token_ids], contexts[output_ids]
    scores = v @ v_prime.swapaxes(1, 2)  # (blocks, tokens, tokens + noise)
    pairs = near.sum(axis=2, keepdims=True)
    noise = noise_ids.shape[1]
    noise_weights = np.repeat(pairs * (negatives / noise), noise, axis=2)
    weights = np.concatenate([near, noise_weights], axis=2, dtype=np.float32)
    real = np.arange(output_ids.shape[1]) < token_ids.shape[1]  # which columns are contexts, not noise
    says = sigmoid(scores)
    errors = weights * (says - real)  # what the model says, minus what is true
    for table, ids, gradients in (
        (vectors, token_ids, errors @ v_prime),
        (contexts, output_ids, errors.swapaxes(1, 2) @ v),
    ):
        rows, sums = sum_rows(ids.ravel(), gradients.reshape(-1, table.shape[1]))
        table[rows] -= rate * sums
    return -float((weights * np.log(np.maximum(np.where(real, says, 1 - says), 1e-7))).sum())
