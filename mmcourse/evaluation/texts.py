"""Scores of generated texts (notebook 45): shares of exact answers, and all of
:mod:`mmcourse.evaluation.overlap`.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from mmcourse.evaluation.intervals import wilson_interval
from mmcourse.evaluation.overlap import (
    bleu,
    bleu_counts,
    bleu_of_counts,
    chrf,
    cider,
    f_score,
    longest_common_subsequence,
    meteor_like,
    rouge_l,
)
from mmcourse.text import tokenise

__all__ = [
    "Hallucination",
    "bits_per_character",
    "bleu",
    "bleu_counts",
    "bleu_of_counts",
    "chair",
    "chrf",
    "cider",
    "distinct_n",
    "exact_match",
    "f_score",
    "longest_common_subsequence",
    "meteor_like",
    "perplexity",
    "rouge_l",
    "score",
    "token_recall",
    "vqa_accuracy",
]

ENOUGH_PEOPLE = 3  # an answer that three people give is right


def exact_match(generated: Sequence[str], true: Sequence[str]) -> np.ndarray:
    """For each text, whether it equals the true one token by token: boolean ``(texts,)``.

    Raises:
        ValueError: the two have different lengths.
    """
    _check(generated, true)
    return np.array([tokenise(g) == tokenise(t) for g, t in zip(generated, true, strict=True)], dtype=bool)


def token_recall(generated: Sequence[str], true: Sequence[str]) -> np.ndarray:
    """For each text, the share of the true one's tokens that it holds: ``float64`` ``(texts,)``.

    A token that the true text holds twice must be there twice to count twice.

    Raises:
        ValueError: the two have different lengths, or a true text is empty.
    """
    _check(generated, true)
    shares = []
    for text, reference in zip(generated, true, strict=True):
        wanted = Counter(tokenise(reference))
        if not wanted:
            raise ValueError("a true text is empty: the share of its tokens is not defined")
        found = wanted & Counter(tokenise(text))
        shares.append(found.total() / wanted.total())
    return np.array(shares, dtype=np.float64)


def score(generated: Sequence[str], true: Sequence[str]) -> dict[str, float | int | list[float]]:
    """Exact match with its interval, token recall and the number of texts, rounded to four decimals.

    Raises:
        ValueError: no texts, or different numbers of them.
    """
    exact = exact_match(generated, true)
    if not len(exact):
        raise ValueError("there are no texts to score")
    low, high = wilson_interval(int(exact.sum()), len(exact))
    return {
        "exact": round(float(exact.mean()), 4),
        "exact_interval": [round(low, 4), round(high, 4)],
        "token_recall": round(float(token_recall(generated, true).mean()), 4),
        "pictures": len(exact),
    }


def perplexity(
    log_probabilities: np.ndarray, token_ids: np.ndarray | None = None, mask: np.ndarray | None = None
) -> float:
    """The perplexity of a language model: the exponential of its mean surprise by a true token, in nats.

    In the terms of the other scores, the candidates are what the model predicts, and the references are the
    tokens that really came. It depends on how the text is cut into tokens; compare models of different
    tokenisers by :func:`bits_per_character`.

    Args:
        log_probabilities: natural logarithms. With ``token_ids``: of every token of the vocabulary,
            ``(..., vocabulary)``. Without: of the true tokens alone, of any shape.
        token_ids: the true tokens, integers ``(...)``.
        mask: true at the tokens that count, ``(...)``; by default all do. Leave out padding.

    Returns:
        At least 1; infinite if a true token was given the probability 0.

    Raises:
        ValueError: shapes do not fit, no token counts, a token is outside the vocabulary, or these are no
            logarithms of probabilities.
    """
    return float(np.exp(-_of_true_tokens(log_probabilities, token_ids, mask).mean()))


def bits_per_character(log_probabilities: np.ndarray, texts: Iterable[str]) -> float:
    """The information of texts under a language model, in bits, divided by their number of characters.

    Unlike perplexity it can be compared between tokenisers, since every model has to pay for the same texts.

    Args:
        log_probabilities: natural logarithms for all tokens of the texts, of any shape.
        texts: what the tokens spell.

    Raises:
        ValueError: there is no character or no token, or these are no logarithms of probabilities.
    """
    characters = sum(map(len, texts))
    if characters == 0:
        raise ValueError("the texts have no characters")
    return float(-_of_true_tokens(log_probabilities, None, None).sum() / np.log(2) / characters)


def distinct_n(
    candidates: Sequence, n: int = 2, *, tokenise: Callable[[str], list[str]] | None = None
) -> float:
    """The share of different runs among all runs of n tokens: low where a model repeats itself.

    Li et al. (2016). It falls with the amount of text, so compare equal amounts only.

    Args:
        candidates: lists of tokens, or strings with ``tokenise=``.
        n: the length of a run.
        tokenise: splits a string into tokens.

    Raises:
        ValueError: a text is not split, or none is long enough.
    """
    runs: Counter = Counter()
    for text in candidates:
        if (tokenise is None) == isinstance(text, str):
            raise ValueError(f"expected lists of tokens, or strings with tokenise=, got {text!r:.60}")
        tokens = text if tokenise is None else tokenise(text)
        runs.update(zip(*(tokens[start:] for start in range(n)), strict=False))
    if not runs:
        raise ValueError(f"no text has {n} tokens")
    return len(runs) / runs.total()


def vqa_accuracy(
    answers: Sequence[str],
    human_answers: Sequence[Sequence[str]],
    *,
    leave_one_out: bool = True,
    normalise: Callable[[str], str] = str.strip,
) -> float:
    """The accuracy of answers to questions about pictures, from 0 to 1: right as far as three people say it.

    Antol et al. (2015): an answer that n people gave counts min(n / 3, 1). The official score takes the mean
    of this over all choices of the people but one (nine of ten), which makes it comparable with a human's.

    Args:
        answers: one for each question.
        human_answers: for each question what people answered, ten as a rule.
        leave_one_out: whether to take that mean.
        normalise: applied to every answer before they are compared.

    Raises:
        ValueError: different numbers of questions, none, or a question with fewer than two people.
    """
    if len(answers) != len(human_answers) or not len(answers):
        raise ValueError(f"got {len(answers)} answers to {len(human_answers)} questions")
    shares = []
    for number, (answer, people) in enumerate(zip(answers, human_answers, strict=True)):
        if isinstance(people, str) or len(people) < 2:
            raise ValueError(f"question {number} needs the answers of at least two people, got {people!r}")
        same = [normalise(person) == normalise(answer) for person in people]
        others = [sum(same) - one for one in same] if leave_one_out else [sum(same)]
        shares.append(sum(min(count / ENOUGH_PEOPLE, 1) for count in others) / len(others))
    return sum(shares) / len(shares)


class Hallucination(NamedTuple):
    """What :func:`chair` finds.

    Attributes:
        of_objects: the share of mentioned objects that are not in the picture (CHAIR_i).
        of_texts: the share of texts that mention at least one such object (CHAIR_s).
        objects: for each text the objects that are not in the picture, sorted.
    """

    of_objects: float
    of_texts: float
    objects: list[list[str]]


def chair(
    candidates: Sequence,
    present: Sequence[Iterable[str]],
    names: Mapping[str, str],
    *,
    tokenise: Callable[[str], list[str]] | None = None,
) -> Hallucination:
    """How much captions invent: objects that they mention and the picture does not show.

    After CHAIR of Rohrbach et al. (2018). An object counts once in a text, however often it is mentioned. Of
    names that overlap the longest counts: a "hot dog" is no dog.

    Args:
        candidates: captions: lists of tokens, or strings with ``tokenise=``.
        present: for each the objects in its picture.
        names: a name of an object, tokens joined by single spaces -> the object. Synonyms and plurals are
            names of the same object.
        tokenise: splits a string into tokens; applied to the names too.

    Returns:
        See :class:`Hallucination`; a share is 0 where nothing is mentioned at all.

    Raises:
        ValueError: different numbers of captions and pictures, or none; a caption is not split; an object in
            a picture has no name, so that no caption could ever mention it.
    """
    if len(candidates) != len(present) or not len(candidates):
        raise ValueError(f"got {len(candidates)} captions of {len(present)} pictures")
    of_tokens = {
        tuple(name.split() if tokenise is None else tokenise(name)): what for name, what in names.items()
    }
    longest = max(map(len, of_tokens), default=0)
    nameless = sorted(set(itertools.chain.from_iterable(present)) - set(names.values()))
    if nameless:
        raise ValueError(f"no name is given for: {', '.join(nameless)}")
    invented, mentioned = [], 0
    for text, there in zip(candidates, present, strict=True):
        if (tokenise is None) == isinstance(text, str):
            raise ValueError(f"expected lists of tokens, or strings with tokenise=, got {text!r:.60}")
        tokens = tuple(text if tokenise is None else tokenise(text))
        found, start = set(), 0
        while start < len(tokens):
            lengths = range(min(longest, len(tokens) - start), 0, -1)
            length = next((n for n in lengths if tokens[start : start + n] in of_tokens), 0)
            if length:
                found.add(of_tokens[tokens[start : start + length]])
            start += max(1, length)
        mentioned += len(found)
        invented.append(sorted(found - set(there)))
    wrong = sum(map(len, invented))
    share_of_texts = sum(map(bool, invented)) / len(invented)
    return Hallucination(wrong / mentioned if mentioned else 0.0, share_of_texts, invented)


def _of_true_tokens(
    log_probabilities: np.ndarray, token_ids: np.ndarray | None, mask: np.ndarray | None
) -> np.ndarray:
    """The logarithms of the probabilities of the true tokens that count: ``float64`` ``(tokens,)``."""
    logarithms = np.asarray(log_probabilities, dtype=np.float64)
    if np.isnan(logarithms).any() or (logarithms > 1e-3).any():
        raise ValueError(
            "logarithms of probabilities are at most 0: take the log-softmax of the logits first"
        )
    if token_ids is not None:
        token_ids = np.asarray(token_ids)
        if token_ids.dtype.kind not in "iu" or logarithms.shape[:-1] != token_ids.shape:
            raise ValueError(
                f"expected log_probabilities (..., vocabulary) and integer token_ids (...), got "
                f"{logarithms.shape} and {token_ids.shape} of {token_ids.dtype}"
            )
        if token_ids.size and not 0 <= token_ids.min() <= token_ids.max() < logarithms.shape[-1]:
            raise ValueError(f"a token id is outside the vocabulary of {logarithms.shape[-1]} tokens")
        sums = np.exp(logarithms).sum(axis=-1)
        if not np.allclose(sums, 1, atol=1e-2):
            raise ValueError(
                f"the probabilities of a token sum to {sums.flat[np.abs(sums - 1).argmax()]:.4g}, not to 1: "
                "take the log-softmax of the logits first"
            )
        logarithms = np.take_along_axis(logarithms, token_ids[..., None], axis=-1)[..., 0]
    if mask is not None:
        mask = np.asarray(mask, dtype=bool)
        if mask.shape != logarithms.shape:
            raise ValueError(f"the mask has the shape {mask.shape}, the tokens {logarithms.shape}")
        logarithms = logarithms[mask]
    if logarithms.size == 0:
        raise ValueError("there is no token to score")
    return logarithms.ravel()


def _check(generated: Sequence[str], true: Sequence[str]) -> None:
    if len(generated) != len(true):
        raise ValueError(f"got {len(generated)} generated texts for {len(true)} true ones")
