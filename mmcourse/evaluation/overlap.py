"""Scores by what a text shares with its references: BLEU, chrF, ROUGE-L, METEOR's idea, CIDEr (notebook 45).

Every function takes ``(candidates, references)``: one text for each input, and for each text its reference or
a list of several. Texts are lists of tokens, or strings with ``tokenise=``; :func:`chrf` takes strings as
they are. Each score has the scale of the implementation that it equals: BLEU and chrF go from 0 to 100
(sacreBLEU), ROUGE-L and METEOR from 0 to 1, CIDEr-D from 0 to 10. A score is one number for the whole corpus;
``each=True`` gives a number for each text.
"""

import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import numpy as np

Tokens = Sequence[str]
Tokenise = Callable[[str], list[str]]

ORDER = 4  # BLEU and CIDEr look at runs of up to four tokens
CHARACTER_ORDER, BETA = 6, 2  # chrF: runs of up to six characters; recall counts twice as much as precision
SMOOTHING = {"none": None, "floor": 0.1, "add-k": 1, "exp": None}
CIDER_WIDTH = 6.0  # standard deviation of the penalty for another length, in tokens
_PUNCTUATION = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")


def bleu(
    candidates: Sequence,
    references: Sequence,
    *,
    tokenise: Tokenise | None = None,
    order: int = ORDER,
    smoothing: str = "exp",
    smoothing_value: float | None = None,
    effective_order: bool = False,
    each: bool = False,
) -> float | np.ndarray:
    """BLEU, from 0 to 100: clipped precision of runs of 1 to 4 tokens, with a penalty for being brief.

    Papineni et al. (2002), section 2; defaults and edge cases as in sacreBLEU (Post, 2018). Counts are
    added up over the corpus before anything is divided: BLEU is no mean over sentences.

    Args:
        candidates, references: see the module.
        tokenise: splits a string into tokens, where the texts are strings.
        order: the longest run that is counted.
        smoothing: what becomes of a precision of 0: "none", "exp" (halved from run to run), "floor" (a small
            count instead), "add-k" (a number added to all counts but those of single tokens).
        smoothing_value: the number of "floor" (0.1) and of "add-k" (1).
        effective_order: leave out runs that are longer than the candidates; for single sentences.
        each: BLEU of each text alone, ``float64`` ``(texts,)``, instead of one number.

    Raises:
        ValueError: texts are missing or are not split; an unknown smoothing.
    """
    counts = bleu_counts(candidates, references, tokenise=tokenise, order=order)
    rows = counts if each else counts.sum(axis=0, keepdims=True)
    scores = [bleu_of_counts(row, smoothing, smoothing_value, effective_order) for row in rows]
    return np.array(scores) if each else scores[0]


def bleu_counts(
    candidates: Sequence, references: Sequence, *, tokenise: Tokenise | None = None, order: int = ORDER
) -> np.ndarray:
    """What BLEU is made of, for each text: ``int64`` ``(texts, 2 + 2 * order)``.

    The columns are the length of the text, the length of the reference that is nearest in length (the shorter
    one of two), the matches of runs of 1, 2, … tokens, and the number of such runs. Added up over any choice
    of texts, with repetitions, they give its BLEU (:func:`bleu_of_counts`): a bootstrap counts only once.

    Raises:
        ValueError: as :func:`bleu`.
    """
    _check_order(order)
    rows = []
    for text, others in _paired(candidates, references, tokenise):
        length = len(text)
        nearest = min((abs(length - len(other)), len(other)) for other in others)[1]
        matches = [_clipped(text, others, n) for n in range(1, order + 1)]
        rows.append([length, nearest, *matches, *(max(0, length - n) for n in range(order))])
    return np.array(rows, dtype=np.int64)


def bleu_of_counts(
    counts: np.ndarray,
    smoothing: str = "exp",
    smoothing_value: float | None = None,
    effective_order: bool = False,
) -> float:
    """BLEU of a corpus from the sum of its :func:`bleu_counts`, ``(2 + 2 * order,)``.

    Raises:
        ValueError: an unknown smoothing, or not one row of counts.
    """
    if smoothing not in SMOOTHING:
        raise ValueError(f"unknown smoothing {smoothing!r}; expected one of: {', '.join(SMOOTHING)}")
    counts = np.asarray(counts)
    if counts.ndim != 1 or len(counts) < 4 or len(counts) % 2:
        raise ValueError(
            f"expected counts of the shape (2 + 2 * order,), got {counts.shape}: add up the rows"
        )
    length, reference_length, *rest = counts.tolist()
    order = len(rest) // 2
    matches, totals = rest[:order], rest[order:]
    if not any(matches):
        return 0.0
    value = SMOOTHING[smoothing] if smoothing_value is None else smoothing_value
    logarithms, halved = [], 1
    for n, (match, total) in enumerate(zip(matches, totals, strict=True)):
        if smoothing == "add-k" and n:
            match, total = match + value, total + value
        if total == 0:  # the corpus has no run of this length
            if effective_order:
                break
            return 0.0
        if match == 0 and smoothing == "exp":
            halved *= 2
            match = 1 / halved
        elif match == 0 and smoothing == "floor":
            match = value
        if match == 0:
            return 0.0
        logarithms.append(math.log(match / total))
    penalty = min(1.0, math.exp(1 - reference_length / length))
    return 100 * penalty * math.exp(sum(logarithms) / len(logarithms))


def chrf(
    candidates: Sequence,
    references: Sequence,
    *,
    tokenise: Tokenise | None = None,
    character_order: int = CHARACTER_ORDER,
    word_order: int = 0,
    beta: float = BETA,
    each: bool = False,
) -> float | np.ndarray:
    """chrF, from 0 to 100: the F-score of runs of 1 to 6 characters, spaces left out; chrF++ with words too.

    Popović (2015, 2017), computed as sacreBLEU does: of several references the one with the best score is
    taken, counts are added up over the corpus, and lengths that do not occur are left out of the means.

    Args:
        candidates, references: see the module; strings need no ``tokenise=``, and of tokens the characters
            are counted.
        tokenise: splits strings into what chrF++ takes for words; by default these stand between spaces.
        character_order: the longest run of characters.
        word_order: the longest run of words; 2 makes it chrF++. A punctuation mark at the end of a word, or
            else at its beginning, is a word of its own.
        beta: how many times as much recall counts as precision.
        each: chrF of each text alone, ``float64`` ``(texts,)``.

    Raises:
        ValueError: texts are missing, or strings and tokens are mixed.
    """
    _check_order(character_order)
    strings = tokenise is None and len(candidates) and isinstance(candidates[0], str)
    rows = []
    for tokens, several in _paired(candidates, references, str.split if strings else tokenise):
        text, *others = (" ".join(found) for found in (tokens, *several))
        runs = _runs_of(text, character_order, word_order)
        choices = [_chrf_counts(runs, _runs_of(other, character_order, word_order)) for other in others]
        rows.append(
            max(choices, key=lambda counts: _f_of_counts(counts, beta)) if choices[1:] else choices[0]
        )
    if each:
        return np.array([100 * _f_of_counts(row, beta) for row in rows])
    return 100 * _f_of_counts([sum(column) for column in zip(*rows, strict=True)], beta)


def rouge_l(
    candidates: Sequence,
    references: Sequence,
    *,
    tokenise: Tokenise | None = None,
    beta: float = 1.0,
    each: bool = False,
) -> float | np.ndarray:
    """ROUGE-L, from 0 to 1: the F-score of the longest common subsequence; the mean over the texts.

    Lin (2004), section 3. Of several references the one with the best score counts. Equal to the ``rougeL``
    of Google's rouge-score on texts that are split already.

    Args:
        candidates, references, tokenise: see the module.
        beta: how many times as much recall counts as precision.
        each: the score of each text, ``float64`` ``(texts,)``.

    Raises:
        ValueError: texts are missing or are not split.
    """
    scores = []
    for text, others in _paired(candidates, references, tokenise):
        of_others = []
        for other in others:
            shared = longest_common_subsequence(text, other)
            of_others.append(
                f_score(shared / len(text), shared / len(other), beta) if text and other else 0.0
            )
        scores.append(max(of_others))
    return np.array(scores) if each else sum(scores) / len(scores)


def longest_common_subsequence(first: Tokens, second: Tokens) -> int:
    """How many tokens two texts have in common in the same order, with gaps allowed."""
    above = [0] * (len(second) + 1)
    for token in first:
        row = [0]
        for column, other in enumerate(second):
            row.append(above[column] + 1 if token == other else max(row[column], above[column + 1]))
        above = row
    return above[-1]


def meteor_like(
    candidates: Sequence,
    references: Sequence,
    *,
    tokenise: Tokenise | None = None,
    alpha: float = 0.9,
    beta: float = 3.0,
    gamma: float = 0.5,
    each: bool = False,
) -> float | np.ndarray:
    """METEOR's idea, from 0 to 1: match tokens one to one, and take off for every break in their order.

    Banerjee and Lavie (2005) with the parameters of Lavie and Agarwal (2007), but for exact matches only: the
    real METEOR also matches stems and synonyms. Equal to NLTK's with those two switched off. Tokens are
    matched from the end, each with the last free one of its kind, which may give more breaks than needed.

    Args:
        candidates, references, tokenise: see the module; of several references the best counts.
        alpha: weight of recall in the mean of precision and recall.
        beta, gamma: form and greatest size of the penalty ``gamma * (chunks / matches) ** beta``.
        each: the score of each text, ``float64`` ``(texts,)``, instead of their mean.

    Raises:
        ValueError: texts are missing or are not split.
    """
    scores = []
    for text, others in _paired(candidates, references, tokenise):
        of_others = []
        for other in others:
            pairs = _aligned(text, other)
            if not pairs:
                of_others.append(0.0)
                continue
            precision, recall = len(pairs) / len(text), len(pairs) / len(other)
            mean = precision * recall / (alpha * precision + (1 - alpha) * recall)
            breaks = sum(
                (after[0] - before[0], after[1] - before[1]) != (1, 1)
                for before, after in itertools.pairwise(pairs)
            )
            penalty = gamma * ((breaks + 1) / len(pairs)) ** beta
            of_others.append((1 - penalty) * mean)
        scores.append(max(of_others))
    return np.array(scores) if each else sum(scores) / len(scores)


def cider(
    candidates: Sequence,
    references: Sequence,
    *,
    tokenise: Tokenise | None = None,
    order: int = ORDER,
    width: float = CIDER_WIDTH,
    each: bool = False,
) -> float | np.ndarray:
    """CIDEr-D, from 0 to 10: the mean cosine of TF-IDF vectors of runs of 1 to 4 tokens.

    Vedantam et al. (2015), in the robust form that the COCO evaluation uses: weights are clipped, and another
    length is punished. A run that stands in the references of every input weighs nothing; so the score of a
    text depends on the whole corpus, and with a single input everything is 0. Equal to pycocoevalcap's, whose
    lengths are numbers of pairs of tokens.

    Args:
        candidates, references, tokenise: see the module; over several references the mean is taken.
        order: the longest run.
        width: standard deviation of the penalty for another length, in tokens.
        each: the score of each text, ``float64`` ``(texts,)``, instead of their mean.

    Raises:
        ValueError: texts are missing or are not split.
    """
    _check_order(order)
    pairs = _paired(candidates, references, tokenise)
    counted = [
        (_counts_to(text, order), [_counts_to(other, order) for other in others]) for text, others in pairs
    ]
    inputs = Counter(itertools.chain.from_iterable(set().union(*others) for _, others in counted))
    rare = {run: math.log(len(counted) / number) for run, number in inputs.items()}
    unseen = math.log(len(counted))
    scores = []
    for text, others in counted:
        vectors, norms, length = _tf_idf(text, rare, unseen, order)
        total = 0.0
        for other in others:
            other_vectors, other_norms, other_length = _tf_idf(other, rare, unseen, order)
            nearness = math.exp(-((length - other_length) ** 2) / (2 * width**2))
            for vector, other_vector, norm, other_norm in zip(
                vectors, other_vectors, norms, other_norms, strict=True
            ):
                if norm and other_norm:
                    shared = math.fsum(  # exact: a tie stays one in whatever order
                        min(weight, other_vector[run]) * other_vector[run]
                        for run, weight in vector.items()
                        if run in other_vector
                    )
                    total += nearness * shared / (norm * other_norm)
        scores.append(10 * total / (order * len(others)))
    return np.array(scores) if each else sum(scores) / len(scores)


def f_score(precision: float, recall: float, beta: float = 1.0) -> float:
    """The F-score: the harmonic mean of precision and recall, where recall weighs ``beta`` times as much."""
    if precision + recall == 0:
        return 0.0
    return (1 + beta**2) * precision * recall / (beta**2 * precision + recall)


def _clipped(text: Tokens, others: Sequence[Tokens], n: int) -> int:
    """How many runs of n tokens a text shares with its references; none counts more often than in one."""
    runs = Counter(_runs(text, n))
    if not runs:
        return 0
    if len(others) == 1:
        allowed = Counter(_runs(others[0], n))
    else:
        allowed = Counter()
        for other in others:
            allowed |= Counter(_runs(other, n))
    return sum(min(count, allowed[run]) for run, count in runs.items() if run in allowed)


def _runs(tokens: Tokens, n: int) -> Iterable[tuple[str, ...]]:
    return zip(*(tokens[start:] for start in range(n)), strict=False)


def _counts_to(tokens: Tokens, order: int) -> Counter:
    return Counter(itertools.chain.from_iterable(_runs(tokens, n) for n in range(1, order + 1)))


def _runs_of(text: str, character_order: int, word_order: int) -> list[Counter]:
    """Counts of runs of 1, 2, … characters, then of words."""
    characters = "".join(text.split())
    counted: list[Counter] = [
        Counter([characters[i : i + n] for i in range(len(characters) - n + 1)])
        for n in range(1, character_order + 1)
    ]
    if word_order:
        words = list(itertools.chain.from_iterable(map(_without_punctuation, text.split())))
        counted += [Counter(_runs(words, n)) for n in range(1, word_order + 1)]
    return counted


def _without_punctuation(word: str) -> tuple[str, ...]:
    if len(word) > 1 and word[-1] in _PUNCTUATION:
        return word[:-1], word[-1]
    if len(word) > 1 and word[0] in _PUNCTUATION:
        return word[0], word[1:]
    return (word,)


def _chrf_counts(runs: list[Counter], others: list[Counter]) -> list[int]:
    """Three numbers for each length: runs of the text, runs of the reference, matches."""
    counts = []
    for mine, other in zip(runs, others, strict=True):
        matches = sum([min(count, other[run]) for run, count in mine.items() if run in other])
        counts += [mine.total() if other else 0, other.total(), matches]
    return counts


def _f_of_counts(counts: Sequence[int], beta: float) -> float:
    precision = recall = 0.0
    lengths = 0
    for mine, other, matches in zip(counts[::3], counts[1::3], counts[2::3], strict=True):
        if mine and other:
            precision += matches / mine
            recall += matches / other
            lengths += 1
    return f_score(precision / lengths, recall / lengths, beta) if lengths else 0.0


def _aligned(text: Tokens, other: Tokens) -> list[tuple[int, int]]:
    """Positions of equal tokens, matched one to one, in the order of the first text."""
    free: dict[str, list[int]] = {}
    for position, token in enumerate(other):
        free.setdefault(token, []).append(position)
    pairs = [
        (position, free[text[position]].pop())
        for position in range(len(text) - 1, -1, -1)
        if free.get(text[position])
    ]
    return pairs[::-1]


def _tf_idf(
    counts: Counter, rare: dict, unseen: float, order: int
) -> tuple[list[dict[tuple[str, ...], float]], list[float], int]:
    """Weights of the runs of each length, the norms of these vectors, and the number of pairs of tokens."""
    vectors: list[dict[tuple[str, ...], float]] = [{} for _ in range(order)]
    pairs = 0
    for run, count in counts.items():
        vectors[len(run) - 1][run] = count * rare.get(run, unseen)
        if len(run) == 2:
            pairs += count
    norms = [math.sqrt(math.fsum(weight * weight for weight in vector.values())) for vector in vectors]
    return vectors, norms, pairs


def _paired(
    candidates: Sequence, references: Sequence, tokenise: Tokenise | None
) -> list[tuple[Tokens, list[Tokens]]]:
    """Each candidate's tokens with those of its references.

    Raises:
        ValueError: what does not fit, with its number.
    """
    _check_numbers(candidates, references)
    pairs: list = []
    for number, (text, given) in enumerate(zip(candidates, references, strict=True)):
        several: list = [given] if _is_one(given, tokenise) else list(given)
        if not several:
            raise ValueError(
                f"text {number} has no reference; an empty one is written [[]], or [''] as string"
            )
        for found in (text, *several):
            if tokenise is None and isinstance(found, str):
                raise ValueError(
                    f"text {number} is the string {found[:40]!r}, expected a list of tokens: split it, or "
                    "give tokenise=, such as mmcourse.text.tokenise or str.split"
                )
            if tokenise is not None and not isinstance(found, str):
                raise ValueError(
                    f"text {number} is a {type(found).__name__}, expected a string: give tokens everywhere "
                    "and no tokenise=, or strings everywhere"
                )
        if tokenise is not None:
            text, several = tokenise(text), [tokenise(other) for other in several]
        pairs.append((text, several))
    return pairs


def _is_one(given, tokenise: Tokenise | None) -> bool:
    """Whether this is one reference, and not a sequence of several."""
    if isinstance(given, str):
        return True
    return tokenise is None and all(isinstance(token, str) for token in given)


def _check_numbers(candidates: Sequence, references: Sequence) -> None:
    for name, texts in (("candidates", candidates), ("references", references)):
        if isinstance(texts, str):
            raise ValueError(f"{name} must be a sequence of texts, got the single string {texts[:40]!r}")
    if len(candidates) != len(references):
        raise ValueError(
            f"got {len(candidates)} candidates and references for {len(references)}: each candidate needs "
            "its own reference, or its own list of references"
        )
    if len(candidates) == 0:
        raise ValueError("there are no texts to score")


def _check_order(order: int) -> None:
    if order < 1:
        raise ValueError(f"the longest run must have at least 1 token, got {order}")
