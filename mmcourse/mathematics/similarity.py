"""Tests of word vectors (notebook 32): similarity, analogies, associations, each with what chance gives."""

from collections.abc import Sequence

import numpy as np
from scipy.stats import rankdata

from mmcourse.mathematics.embeddings import WordVectors

# Judging vectors


def similarity_score(
    vectors: WordVectors, pairs: Sequence[tuple[str, str]], ratings: np.ndarray, resamples: int = 1000
) -> dict[str, float | int | list[float]]:
    """How well cosines rank pairs of words, compared with people: Spearman's ρ.

    Args:
        vectors: the vectors.
        pairs: pairs of words; those with an unknown word are left out, and counted.
        ratings: what people said, one number a pair.
        resamples: bootstrap samples of the pairs for the interval.

    Returns:
        "rho", its 95 % "interval" (which words happen to be in the set), the pairs "scored" and "left_out".

    Raises:
        ValueError: fewer than three pairs are known, or there is not one rating a pair.
    """
    if len(pairs) != len(ratings):
        raise ValueError(f"expected one rating a pair, got {len(pairs)} pairs and {len(ratings)} ratings")
    known = [i for i, pair in enumerate(pairs) if all(word in vectors for word in pair)]
    if len(known) < 3:
        raise ValueError(f"{len(known)} of {len(pairs)} pairs are in the vocabulary; expected 3 at least")
    first, second = np.array([[vectors.index[word] for word in pairs[i]] for i in known]).T
    cosines = np.einsum("ps,ps->p", vectors.directions[first], vectors.directions[second])
    score = rank_score(cosines, np.asarray(ratings, dtype=float)[known], resamples)
    return {**score, "scored": len(known), "left_out": len(pairs) - len(known)}


def rank_score(
    scores: np.ndarray, ratings: np.ndarray, resamples: int = 1000
) -> dict[str, float | list[float]]:
    """Spearman's ρ of scores and ratings ``(pairs,)``, and its 95 % "interval" by the bootstrap of the pairs.

    Raises:
        ValueError: there are fewer than three pairs, or not as many scores as ratings.
    """
    scores, ratings = np.asarray(scores, dtype=float), np.asarray(ratings, dtype=float)
    if scores.ndim != 1 or scores.shape != ratings.shape or len(scores) < 3:
        raise ValueError(
            f"expected as many scores as ratings, 3 at least; got {scores.shape} and {ratings.shape}"
        )
    drawn = np.random.default_rng(0).integers(0, len(scores), (resamples, len(scores)))
    samples = spearman(scores[drawn], ratings[drawn])
    return {
        "rho": float(spearman(scores, ratings)),
        "interval": np.nanquantile(samples, [0.025, 0.975]).tolist() if resamples else [],
    }


def spearman(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Spearman's ρ along the last axis: the correlation of the ranks; NaN where all ranks are equal."""
    ranks = [rankdata(values, axis=-1) for values in (first, second)]
    first, second = (each - each.mean(axis=-1, keepdims=True) for each in ranks)
    scale = np.sqrt((first**2).sum(axis=-1) * (second**2).sum(axis=-1))
    return np.divide((first * second).sum(axis=-1), scale, out=np.full_like(scale, np.nan), where=scale > 0)


def analogy_score(
    vectors: WordVectors, questions: Sequence[tuple[str, str, str, str]], most_frequent: int = 30_000
) -> dict[str, float | int]:
    """The share of analogy questions "a is to b as c is to d" whose nearest word is d.

    Args:
        vectors: the vectors, most frequent word first.
        questions: (a, b, c, d); those with a word that is not among the most frequent are left out.
        most_frequent: the words among which the answer is sought.

    Returns:
        "right" (a share), the questions "scored" and "left_out".

    Raises:
        ValueError: no question is left.
    """
    places = [[vectors.index.get(word, most_frequent) for word in question] for question in questions]
    known = np.array([row for row in places if max(row) < most_frequent])
    if not len(known):
        raise ValueError(f"none of the {len(questions)} questions has all its words in the vocabulary")
    candidates = vectors.directions[:most_frequent]
    right = 0
    for some in np.array_split(known, max(1, len(known) // 256)):
        a, b, c, d = some.T
        cosines = (candidates[b] - candidates[a] + candidates[c]) @ candidates.T
        for asked in (a, b, c):
            cosines[np.arange(len(some)), asked] = -np.inf
        right += int((cosines.argmax(axis=1) == d).sum())
    return {"right": right / len(known), "scored": len(known), "left_out": len(questions) - len(known)}


def association_test(
    vectors: WordVectors,
    targets: tuple[Sequence[str], Sequence[str]],
    attributes: tuple[Sequence[str], Sequence[str]],
    permutations: int = 10_000,
    seed: int = 0,
) -> dict[str, float | dict[str, float]]:
    """The word-embedding association test (Caliskan et al., 2017).

    A word leans to the first attributes as far as its mean cosine with them exceeds that with the second.

    Args:
        vectors: the vectors.
        targets: two sets of words X and Y, such as sciences and arts; of equal size.
        attributes: two sets A and B, such as words for men and for women.
        permutations: random divisions of the targets into two halves for the p-value.
        seed: of the divisions.

    Returns:
        "effect": the mean lean of X minus that of Y, in standard deviations of all leans; "p": the share of
        divisions with at least this difference; "leans": the lean of each target.

    Raises:
        ValueError: a word is unknown, a set is empty, or the targets are not of equal size.
    """
    if not all(len(words) for words in (*targets, *attributes)) or len(targets[0]) != len(targets[1]):
        raise ValueError(
            "expected two targets of equal size and two attributes, none empty; got "
            f"{[len(words) for words in targets]} and {[len(words) for words in attributes]} words"
        )
    words = [*targets[0], *targets[1]]
    target, first, second = (
        vectors.directions[[vectors.place(word) for word in some]] for some in (words, *attributes)
    )
    leans = (target @ first.T).mean(axis=1) - (target @ second.T).mean(axis=1)
    half = len(targets[0])
    difference = leans[:half].mean() - leans[half:].mean()
    random = np.random.default_rng(seed)
    shuffled = random.permuted(np.tile(leans, (permutations, 1)), axis=1)
    by_chance = shuffled[:, :half].mean(axis=1) - shuffled[:, half:].mean(axis=1)
    return {
        "effect": float(difference / leans.std(ddof=1)),
        "p": float((1 + (by_chance >= difference - 1e-9).sum()) / (1 + permutations)),
        "leans": dict(zip(words, leans.tolist(), strict=True)),
    }
