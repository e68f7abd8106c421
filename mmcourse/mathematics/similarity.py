"""Tests of word vectors (notebook 32): similarity, analogies and associations, with their uncertainty."""

from collections.abc import Sequence

import numpy as np
from scipy.stats import rankdata

from mmcourse.mathematics.embeddings import WordVectors


def cosines(vectors: WordVectors, pairs: Sequence[tuple[str, str]]) -> np.ndarray:
    """The cosine of each pair of words, ``(pairs,)``.

    Raises:
        ValueError: a word is not in the vocabulary.
    """
    first, second = (vectors.directions[vectors.rows(words)] for words in zip(*pairs, strict=True))
    return np.einsum("ps,ps->p", first, second)


def spearman(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Spearman's ρ along the last axis: the correlation of the ranks; NaN where all ranks are equal."""
    ranks = [rankdata(values, axis=-1) for values in (first, second)]
    first, second = (each - each.mean(axis=-1, keepdims=True) for each in ranks)
    scale = np.sqrt((first**2).sum(axis=-1) * (second**2).sum(axis=-1))
    return np.divide((first * second).sum(axis=-1), scale, out=np.full_like(scale, np.nan), where=scale > 0)


def bootstrap_spearman(
    scores: np.ndarray, ratings: np.ndarray, resamples: int = 2000, seed: int = 0
) -> np.ndarray:
    """Spearman's ρ with the ratings, on pairs drawn again and again with repetition.

    Args:
        scores: ``(..., pairs)``: of one method or of several, which are then scored on the same draws, so
            that their differences can be looked at.
        ratings: what people said, ``(pairs,)``.
        resamples: how many times to draw.
        seed: of the draws.

    Returns:
        ``(..., resamples)``.

    Raises:
        ValueError: there are fewer than three pairs, or not as many scores as ratings.
    """
    scores, ratings = np.asarray(scores, dtype=float), np.asarray(ratings, dtype=float)
    if ratings.ndim != 1 or len(ratings) < 3 or scores.shape[-1:] != ratings.shape:
        raise ValueError(
            f"expected as many scores as ratings, 3 at least; got {scores.shape} and {ratings.shape}"
        )
    drawn = np.random.default_rng(seed).integers(0, len(ratings), (resamples, len(ratings)))
    return spearman(scores[..., drawn], ratings[drawn])


def analogy_answers(
    vectors: WordVectors,
    questions: Sequence[tuple[str, str, str, str]],
    leave_out: bool = True,
    most_frequent: int = 30_000,
) -> tuple[np.ndarray, np.ndarray]:
    """Answer questions "a is to b as c is to …" by the word nearest to ``b - a + c``.

    Args:
        vectors: the vectors, most frequent word first.
        questions: (a, b, c, d); those with a word that is not among the most frequent are skipped.
        leave_out: never answer with a, b or c, as is usual.
        most_frequent: the words among which the answer is sought.

    Returns:
        The rows of the words of each question that was asked, ``(asked, 4)``, and of the answers.

    Raises:
        ValueError: no question is left.
    """
    rows = [[vectors.index.get(word, most_frequent) for word in question] for question in questions]
    asked = np.array([row for row in rows if max(row) < most_frequent])
    if not len(asked):
        raise ValueError(f"none of the {len(questions)} questions has all its words in the vocabulary")
    candidates = vectors.directions[:most_frequent]
    answers = []
    for some in np.array_split(asked, max(1, len(asked) // 256)):
        a, b, c, _ = some.T
        cosines = (candidates[b] - candidates[a] + candidates[c]) @ candidates.T
        if leave_out:
            np.put_along_axis(cosines, some[:, :3], -np.inf, axis=1)
        answers.append(cosines.argmax(axis=1))
    return asked, np.concatenate(answers)


def leans(
    vectors: WordVectors, words: Sequence[str], attributes: tuple[Sequence[str], Sequence[str]]
) -> np.ndarray:
    """How far each word leans to the first attributes: its mean cosine with them minus that with the second.

    Raises:
        ValueError: a word is not in the vocabulary, or a list is empty.
    """
    if not all(map(len, (words, *attributes))):
        raise ValueError("expected words and two lists of attributes, none of them empty")
    target, first, second = (vectors.directions[vectors.rows(some)] for some in (words, *attributes))
    return (target @ first.T).mean(axis=1) - (target @ second.T).mean(axis=1)


def association_test(
    vectors: WordVectors,
    targets: tuple[Sequence[str], Sequence[str]],
    attributes: tuple[Sequence[str], Sequence[str]],
    draws: int = 20_000,
    seed: int = 0,
) -> dict[str, float | list[float]]:
    """The word-embedding association test of Caliskan et al. (2017), "Semantics derived automatically from
    language corpora contain human-like biases".

    Args:
        vectors: the vectors.
        targets: two sets of words X and Y, such as sciences and arts; of equal size.
        attributes: two sets A and B, such as words for men and for women.
        draws: random divisions of the targets into two halves for p, and resamples for the interval.
        seed: of the draws.

    Returns:
        "effect": the mean lean of X minus that of Y, in standard deviations of all leans; its 95 %
        "interval", from drawing the words of X and of Y again with repetition; "p": the share of
        divisions with at least
        this difference.

    Raises:
        ValueError: a word is unknown, a set is empty, or the targets are not of equal size.
    """
    half = len(targets[0])
    if half != len(targets[1]):
        raise ValueError(f"expected two targets of equal size, got {half} and {len(targets[1])} words")
    lean = leans(vectors, [*targets[0], *targets[1]], attributes)

    def difference(each: np.ndarray) -> np.ndarray:
        return each[..., :half].mean(axis=-1) - each[..., half:].mean(axis=-1)

    random = np.random.default_rng(seed)
    by_chance = difference(random.permuted(np.tile(lean, (draws, 1)), axis=1))
    drawn = random.integers(0, half, (draws, 2 * half)) + half * (np.arange(2 * half) >= half)
    resampled = difference(lean[drawn]) / lean[drawn].std(axis=-1, ddof=1).clip(1e-12)
    return {
        "effect": float(difference(lean) / lean.std(ddof=1)),
        "interval": np.quantile(resampled, [0.025, 0.975]).tolist(),
        "p": float((1 + (by_chance >= difference(lean) - 1e-9).sum()) / (1 + draws)),
    }
