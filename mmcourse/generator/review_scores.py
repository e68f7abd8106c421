"""Does a written review follow the digit? A judge, a simpler rival, and what is copied (notebook 52)."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from mmcourse import store
from mmcourse.data import digits
from mmcourse.evaluation import controls
from mmcourse.generator import reviews
from mmcourse.learning import training
from mmcourse.text import END_ID, PAD_ID

NEUTRAL = 3
WEIGHTS = (0, 1, 2, 3, 4)  # of guidance, that are compared


class Judge:
    """Praise or blame? Words and pairs of words, weighted by TF-IDF, and logistic regression.

    It is fitted on reviews that the generator never saw, whole and without their opening words.

    Args:
        rated: the reviews, of which those of the split "judge" are used, except for level 3.
    """

    def __init__(self, rated: reviews.RatedReviews):
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline

        rows = rated.splits["judge"]
        rows = rows[rated.levels[rows] != NEUTRAL]
        rests = [row for row in rated.testable("judge") if rated.levels[row] != NEUTRAL]
        texts = [rated.texts[row] for row in rows] + [reviews.cut(rated.texts[row])[1] for row in rests]
        labels = rated.levels[np.concatenate([rows, rests])] > NEUTRAL
        words = r"[a-z0-9]+(?:'[a-z]+)*|[^\sa-z0-9]"
        self.model = make_pipeline(
            TfidfVectorizer(token_pattern=words, ngram_range=(1, 2), min_df=3, sublinear_tf=True),
            LogisticRegression(C=3.0, class_weight="balanced", max_iter=1000),
        ).fit(texts, labels)

    def praise(self, texts: Sequence[str]) -> np.ndarray:
        """How sure the judge is that each text praises, from 0 to 1: ``float64`` ``(texts,)``."""
        return self.model.predict_proba(list(texts))[:, 1]

    def agrees(self, texts: Sequence[str], levels: np.ndarray) -> np.ndarray:
        """Whether the judge finds praise for levels 4 and 5 and blame for 1 and 2: boolean ``(texts,)``.

        Raises:
            ValueError: a level is 3, which is neither.
        """
        levels = np.asarray(levels)
        if not np.isin(levels, (1, 2, 4, 5)).all():
            raise ValueError("only levels 1, 2, 4 and 5 say praise or blame")
        return (self.praise(texts) > 0.5) == (levels > NEUTRAL)


@dataclass(frozen=True)
class Examination:
    """Held-out reviews to examine with: as many of praise as of blame, cut after their opening words.

    Attributes:
        rows: of the reviews.
        openings, rests: the two parts of each.
        levels, ratings: of each, ``(reviews,)``.
    """

    rows: np.ndarray
    openings: list[str]
    rests: list[str]
    levels: np.ndarray
    ratings: np.ndarray


def examination(rated: reviews.RatedReviews, split: str = "test", seed: int = 0) -> Examination:
    """Draw the larger side down to the size of the smaller; level 3 is left out."""
    rows = rated.testable(split)
    sides = [rows[rated.levels[rows] < NEUTRAL], rows[rated.levels[rows] > NEUTRAL]]
    fewer = min(map(len, sides))
    random = np.random.default_rng(seed)
    rows = np.sort(np.concatenate([random.choice(side, fewer, replace=False) for side in sides]))
    parts = [reviews.cut(rated.texts[row]) for row in rows]
    openings, rests = [opening for opening, _ in parts], [rest for _, rest in parts]
    return Examination(rows, openings, rests, rated.levels[rows], rated.ratings[rows])


class LevelNgrams:
    """The simplest rival: which piece follows the last few, counted for all reviews and for each level.

    Interpolated Kneser-Ney smoothing (Chen and Goodman, 1999, section 2.7), once on all reviews and once on
    those of the level; their probabilities are mixed.

    Args:
        rows: token ids of whole reviews.
        levels: of each.
        vocabulary: number of tokens.
        order: tokens of the longest run that is counted.
        discount: what is taken from each count.
        mix: share of the level's own model.
    """

    def __init__(self, rows, levels, vocabulary: int, order=3, discount=0.75, mix=0.2):
        self.vocabulary, self.order, self.discount, self.mix = vocabulary, order, discount, mix
        ended = [(*(int(i) for i in row), END_ID) for row in rows]
        self.counts = {0: self._count(ended)}
        for level in reviews.LEVELS:
            self.counts[level] = self._count(
                [row for row, its in zip(ended, levels, strict=True) if its == level]
            )
        self._known: dict = {}

    def _count(self, rows) -> dict[tuple, tuple[np.ndarray, np.ndarray]]:
        """Context -> the tokens that follow it, and how often (in shorter runs: after how many others)."""
        runs: Counter = Counter()
        for row in rows:
            row = (PAD_ID,) * (self.order - 1) + row
            runs.update(row[place : place + self.order] for place in range(len(row) - self.order + 1))
        found: defaultdict = defaultdict(dict)
        for _ in range(self.order):
            for run, count in runs.items():
                found[run[:-1]][run[-1]] = count
            runs = Counter(run[1:] for run in runs)  # different predecessors
        return {
            context: (np.fromiter(following, int), np.fromiter(following.values(), float))
            for context, following in found.items()
        }

    def _chances(self, context: tuple, level: int) -> np.ndarray:
        key = (context, level)
        if key not in self._known:
            if context:
                lower = self._chances(context[1:], level)
            else:
                lower = np.full(self.vocabulary, 1 / self.vocabulary)
            if context in self.counts[level]:
                tokens, counts = self.counts[level][context]
                chances = lower * (self.discount * len(tokens) / counts.sum())
                chances[tokens] += np.maximum(counts - self.discount, 0) / counts.sum()
            else:
                chances = lower
            if len(context) == self.order - 1 and len(self._known) > 20_000:
                return chances
            self._known[key] = chances
        return self._known[key]

    def chances(self, before: Sequence[int], level: int) -> np.ndarray:
        """Probabilities of the next token, ``float64`` ``(vocabulary,)``; level 0 for no digit."""
        context = tuple(((PAD_ID,) * self.order + tuple(map(int, before)))[-(self.order - 1) :])
        of_all = self._chances(context, 0)
        return of_all if not level else (1 - self.mix) * of_all + self.mix * self._chances(context, level)

    def surprise(self, before: Sequence[int], answer: Sequence[int], level: int) -> float:
        """Negative log-probability of an answer's tokens, padding left out, in nats."""
        before, total = list(before), 0.0
        for token in answer:
            if token == PAD_ID:
                break
            total -= np.log(self.chances(before, level)[token])
            before.append(token)
        return float(total)

    def write(
        self, before: Sequence[int], level: int, length: int, random: np.random.Generator, weight: float,
        temperature: float = reviews.TEMPERATURE, nucleus: float = reviews.NUCLEUS,
    ) -> list[int]:  # fmt: skip
        """Token ids of a rest, drawn as :class:`mmcourse.generator.reviews.Guided` draws them."""
        before, written = list(before), []
        while len(written) < length:
            seeing, blind = np.log(self.chances(before, level)), np.log(self.chances(before, 0))
            logits = (seeing + weight * (seeing - blind)) / temperature
            chances = np.exp(logits - logits.max())
            order = np.argsort(-chances)
            reached = np.cumsum(chances[order]) / chances.sum()
            kept = order[: int(np.searchsorted(reached, nucleus)) + 1]
            token = int(random.choice(kept, p=chances[kept] / chances[kept].sum()))
            if token == END_ID:
                break
            written.append(token)
            before.append(token)
        return written


def longest_copies(texts: Sequence[str], sources: Sequence[str]) -> np.ndarray:
    """For each text, the words of its longest run that a source holds too: ``int64`` ``(texts,)``."""
    everything = "\n".join(f" {source} " for source in sources)
    found = []
    for text in texts:
        words, best, start = text.split(), 0, 0
        while start + best < len(words):
            if f" {' '.join(words[start : start + best + 1])} " in everything:
                best += 1
            else:
                start += 1
        found.append(best)
    return np.array(found, dtype=np.int64)


@dataclass(frozen=True)
class Samples:
    """Rests that were written for an examination, none selected; ``store`` keeps them.

    Attributes:
        of: for each arm the rests, in the order of the examination. "own 4" has seen the digit of the
            review, under guidance of weight 4; "shuffled" that of another review, with the usual guidance;
            "empty" an empty sheet; "rival 4" is by :class:`LevelNgrams`, which is told the level.
        shown: the levels that "shuffled" has seen, ``(reviews,)``.
    """

    of: dict[str, list[str]]
    shown: np.ndarray


def sheets(levels: np.ndarray, seed: int = 0) -> np.ndarray:
    """Test digits in handwriting, one for each level; always the same for the same levels."""
    return reviews.Handwriting(digits.load(), "test").draw(levels, np.random.default_rng(seed))


def write_samples(
    reviewer: reviews.Reviewer, rival: LevelNgrams, exam: Examination, weights=WEIGHTS, seed: int = 0
) -> Samples:
    """Let model and rival write for every review of an examination."""
    random = np.random.default_rng(seed)
    images = sheets(exam.levels, seed)
    order = controls.permute({"row": np.arange(len(images))}, "row", seed)["row"]
    of = {"empty": reviewer.write(np.zeros_like(images), exam.openings, reviews.Guided(weight=0.0))}
    of["shuffled"] = reviewer.write(images[order], exam.openings, reviews.Guided())
    vocabulary, length = reviewer.model.vocabulary, reviewer.model.settings.answer_length
    prompts = [vocabulary.ids_of(reviewer.pieces.write(opening)) for opening in exam.openings]
    for weight in weights:
        choose = reviews.Guided(weight=float(weight))
        of[f"own {weight}"] = reviewer.write(images, exam.openings, choose)
        of[f"rival {weight}"] = [
            reviewer.pieces.read(vocabulary.text_of(rival.write(prompt, level, length, random, weight)))
            for prompt, level in zip(prompts, exam.levels, strict=True)
        ]
    return Samples(of, exam.levels[order])


def rival_of(rated: reviews.RatedReviews, configuration: reviews.Configuration) -> LevelNgrams:
    """The rival, counted on the reviews that the model is trained with, in the same pieces."""
    task = reviews.Task.of(rated, configuration)
    return LevelNgrams([row for row, _ in task.rows], task.levels, len(task.vocabulary))


def load_samples(profile: str | None = None) -> Samples:
    """The samples of the trained model on the test reviews; written once, then kept."""
    configuration = reviews.CONFIGURATIONS[training.choose_profile(profile).name]

    def build() -> dict[str, np.ndarray]:
        rated = reviews.load()
        written = write_samples(
            reviews.load_trained(profile), rival_of(rated, configuration), examination(rated)
        )
        return {name: np.array(texts) for name, texts in written.of.items()} | {"shown": written.shown}

    kept = store.arrays("reviews-samples", [__name__], build, asdict(configuration))
    return Samples({name: kept[name].tolist() for name in kept if name != "shown"}, kept["shown"])
