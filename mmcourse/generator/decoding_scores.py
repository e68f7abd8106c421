"""What each way of choosing tokens buys and what it costs, measured on reviews (notebook 55)."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
from keras import ops

from mmcourse import store
from mmcourse.data import digits, film_reviews
from mmcourse.evaluation.texts import distinct_n
from mmcourse.generator import decoding, preference, review_scores, reviews
from mmcourse.learning import training
from mmcourse.text import PAD_ID

EVERY = 3  # one test review of so many is written for: a wide beam is slow
BEAMS = (2, 4, 8, 16)
TEMPERATURES = (0.4, 0.7, 1.0, 1.3)
WAYS = (
    {"greedy": decoding.greedy}
    | {f"beam {width}": decoding.Beam(width) for width in BEAMS}
    | {"beam 4, longer": decoding.Beam(4, length_penalty=2.0)}
    | {f"temperature {one}": decoding.Sampling(one) for one in TEMPERATURES}
    | {"top-k 10": decoding.Sampling(top_k=10), "nucleus 0.9": decoding.Sampling(nucleus=0.9)}
)
# Preference tuning, chosen on the validation reviews.
OPENINGS, GAP, BETA, RATE, EPOCHS = 700, 0.1, 0.1, 3e-4, 2


def some(exam: review_scores.Examination, every: int = EVERY) -> review_scores.Examination:
    """Every so-manieth review of an examination, from its first on."""
    rows = slice(None, None, every)
    return review_scores.Examination(
        exam.rows[rows], exam.openings[rows], exam.rests[rows], exam.levels[rows], exam.ratings[rows]
    )


def load_samples(profile: str | None = None) -> dict[str, list[str]]:
    """What the trained model writes for :func:`some` test reviews in each of :data:`WAYS`, with the review's
    own digit and without guidance; written once, then kept.

    Returns:
        Name of a way -> the rests, none selected.
    """
    configuration = reviews.CONFIGURATIONS[training.choose_profile(profile).name]

    def build() -> dict[str, np.ndarray]:
        reviewer = reviews.load_trained(profile)
        exam = some(review_scores.examination(reviews.load()))
        images = review_scores.sheets(exam.levels)
        return {
            name: np.array(reviewer.write(images, exam.openings, choose)) for name, choose in WAYS.items()
        }

    kept = store.arrays("decoding-samples", [__name__], build, asdict(configuration))
    return {name: kept[name].tolist() for name in WAYS}


def repeats(text: str, run: int = 3) -> bool:
    """Whether a run of so many words stands in a text twice.

    >>> repeats("a man and a dog and a man and a cat"), repeats("a man and a dog")
    (True, False)
    """
    words = text.split()
    runs = [tuple(words[start : start + run]) for start in range(len(words) - run + 1)]
    return len(set(runs)) < len(runs)


def two_judges(rated: reviews.RatedReviews, seed: int = 0) -> list[review_scores.Judge]:
    """Two judges, each fitted on one half of the judge's reviews; no film is in both halves.

    One is for choosing, the other for measuring: it has never been asked what it likes.
    """
    rows = rated.splits["judge"]
    groups = film_reviews.load().groups[rows]
    known = np.unique(groups)
    chosen = np.random.default_rng(seed).choice(known, len(known) // 2, replace=False)
    first = np.isin(groups, chosen)
    halves = (rows[first], rows[~first])
    return [review_scores.Judge(replace(rated, splits={**rated.splits, "judge": half})) for half in halves]


def fit_of(judge: review_scores.Judge, rests: Sequence[str], levels: np.ndarray) -> np.ndarray:
    """How sure a judge is that rests say what their levels ask for: ``float64`` ``(rests,)``."""
    praise = judge.praise(rests)
    return np.where(np.asarray(levels) > review_scores.NEUTRAL, praise, 1 - praise)


@dataclass(frozen=True)
class Pairs:
    """Two rests for each of some openings, the better one first.

    Attributes:
        images: the sheets, ``uint8`` ``(pairs, 32, 32, 3)``.
        prompts, preferred, rejected: in pieces, as :func:`mmcourse.generator.preference.tune` takes them.
    """

    images: np.ndarray
    prompts: list[str]
    preferred: list[str]
    rejected: list[str]


def make_pairs(
    reviewer: reviews.Reviewer,
    rated: reviews.RatedReviews,
    judge: review_scores.Judge,
    seed: int = 0,
    openings: int = OPENINGS,
) -> Pairs:
    """Let a model write twice for openings of training reviews, and let a judge prefer one.

    Pairs in which the judge sees less than :data:`GAP` of difference are left out, and those with a rest that
    the model did not end.
    """
    draw = np.random.default_rng(seed)
    rows = rated.testable("train")
    rows = rows[rated.levels[rows] != review_scores.NEUTRAL]
    rows = draw.choice(rows, min(openings, len(rows)), replace=False)
    levels = rated.levels[rows]
    images = reviews.Handwriting(digits.load(), "train").draw(levels, draw)
    beginnings = [reviews.cut(rated.texts[row])[0] for row in rows]
    drawn = [write(reviewer, images, beginnings, 2 * seed + number) for number in (1, 2)]
    pieces = [reviewer.model.vocabulary.decode(ids) for ids in drawn]
    fits = np.stack([fit_of(judge, list(map(reviewer.pieces.read, one)), levels) for one in pieces])
    ended = [ids[:, -1] == PAD_ID for ids in drawn]
    kept = np.flatnonzero((abs(fits[0] - fits[1]) > GAP) & ended[0] & ended[1])
    better = fits.argmax(axis=0)
    return Pairs(
        images[kept],
        [reviewer.pieces.write(reviews.plain(beginnings[row])) for row in kept],
        [pieces[better[row]][row] for row in kept],
        [pieces[1 - better[row]][row] for row in kept],
    )


def by_coin(pairs: Pairs, seed: int = 0) -> Pairs:
    """The same pairs, of which a coin prefers one: a control."""
    heads = np.random.default_rng(seed).random(len(pairs.prompts)) < 0.5
    both = [
        (a, b) if head else (b, a) for a, b, head in zip(pairs.preferred, pairs.rejected, heads, strict=True)
    ]
    return replace(pairs, preferred=[a for a, _ in both], rejected=[b for _, b in both])


def write(reviewer: reviews.Reviewer, images: np.ndarray, openings: Sequence[str], seed: int) -> np.ndarray:
    """Token ids of rests, drawn as :data:`mmcourse.generator.reviews.SAMPLING` says, without guidance:
    ``int32`` ``(reviews, answer_length)``."""
    choose = replace(reviews.SAMPLING, seed=seed)
    writer = decoding.Writer(reviewer.model, choose)
    writer.compile(jit_compile=False)
    prompts = reviewer.encode_openings(openings)
    example = np.arange(len(prompts), dtype=np.int32)
    return writer.predict({"image": images, "prompt": prompts, "example": example}, batch_size=128, verbose=0)


def tune(reviewer: reviews.Reviewer, pairs: Pairs, seed: int = 0, epochs: int = EPOCHS) -> list[dict]:
    """One small step of preference tuning; the reviewer's model changes in place."""
    return preference.tune(
        reviewer.model, {"image": pairs.images}, pairs.prompts, pairs.preferred, pairs.rejected,
        beta=BETA, learning_rate=RATE, epochs=epochs, seed=seed,
    )  # fmt: skip


def drift(policy, reference, inputs: Mapping[str, np.ndarray], answers: np.ndarray, size: int = 64) -> float:
    """How far a model has moved from another along the answers that it writes.

    The Kullback-Leibler divergence of the two distributions of the next token, summed over the tokens of an
    answer; the mean over the answers, in nats. 0 where the two are the same.

    Args:
        policy, reference: :class:`mmcourse.generator.model.MultimodalGenerator`.
        inputs: as they are called with, without "answer".
        answers: token ids of the policy, ``(answers, answer_length)``.
        size: how many at a time.
    """
    total = 0.0
    for first in range(0, len(answers), size):
        rows = slice(first, first + size)
        part = {name: array[rows] for name, array in inputs.items()} | {"answer": answers[rows]}
        ours, theirs = (ops.log_softmax(ops.cast(m(part), "float32")) for m in (policy, reference))
        each = ops.sum(ops.exp(ours) * (ours - theirs), axis=-1)  # (answers, answer_length)
        total += float(ops.sum(ops.where(ops.equal(answers[rows], PAD_ID), 0.0, each)))
    return total / len(answers)


def pick(judge: review_scores.Judge, several: Sequence[Sequence[str]], levels: np.ndarray) -> list[str]:
    """Of several rests for each review, the one that fits its level best, as a judge sees it.

    Args:
        several: lists of rests, one rest for each review in each.
    """
    best = np.stack([fit_of(judge, rests, levels) for rests in several]).argmax(axis=0)
    return [several[number][row] for row, number in enumerate(best)]


def score(
    rests: Sequence[str], exam: review_scores.Examination, judges: Sequence[review_scores.Judge]
) -> dict[str, float]:
    """Scores of written rests.

    Args:
        judges: the one who was asked, and a fresh one.

    Returns:
        ``asked`` and ``fresh``: how often each judge agrees; ``distinct-2``; the mean of ``words``; and
        the share that ``repeats`` itself.
    """
    words = [rest.split() for rest in rests]
    return {
        "asked": float(judges[0].agrees(rests, exam.levels).mean()),
        "fresh": float(judges[1].agrees(rests, exam.levels).mean()),
        "distinct-2": distinct_n(words, 2),
        "words": float(np.mean(list(map(len, words)))),
        "repeats": float(np.mean(list(map(repeats, rests)))),
    }
