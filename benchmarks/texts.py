"""BLEU and chrF of a corpus: the course's way and sacreBLEU's, the same score.

The corpus is film reviews, cut to sentences' length; each candidate is its reference with some words changed.
"""

import random

import compare

from mmcourse.data import film_reviews
from mmcourse.evaluation import texts

TEXTS, WORDS, REPEATS = 2000, 25, 3


def corpus() -> tuple[list[str], list[str]]:
    """Candidates and references, as strings of words between spaces."""
    draw = random.Random(0)
    words = [text.split()[:WORDS] for text in film_reviews.load().texts[:TEXTS]]
    every = sorted({word for text in words for word in text})
    changed = [[word if draw.random() < 0.8 else draw.choice(every) for word in text] for text in words]
    return [" ".join(text) for text in changed], [" ".join(text) for text in words]


def with_ours(measure: compare.Measurement, score: str) -> dict:
    """The course's own: dictionaries of runs in plain Python."""
    candidates, references = corpus()
    with measure(REPEATS * TEXTS):
        for _ in range(REPEATS):
            if score == "bleu":
                found = texts.bleu(candidates, references, tokenise=str.split)
            else:
                found = texts.chrf(candidates, references)
    return {"score": found}


def with_sacrebleu(measure: compare.Measurement, score: str) -> dict:
    """sacreBLEU without a tokeniser."""
    import sacrebleu

    candidates, references = corpus()
    metric = sacrebleu.BLEU(tokenize="none", force=True) if score == "bleu" else sacrebleu.CHRF()
    metric.corpus_score(candidates[:10], [references[:10]])
    with measure(REPEATS * TEXTS):
        for _ in range(REPEATS):
            found = metric.corpus_score(candidates, [references]).score
    return {"score": found}


def both(work):
    """BLEU and chrF one after the other, in one run."""

    def run(measure: compare.Measurement) -> dict:
        figures = {}
        for score in ("bleu", "chrf"):
            part = compare.Measurement()
            figures[score] = work(part, score)["score"]
            figures[f"{score}_texts_per_cpu_second"] = part.units / part.cpu_seconds
            for name in ("units", "cpu_seconds", "wall_seconds"):
                setattr(measure, name, getattr(measure, name) + getattr(part, name))
        return figures

    return run


if __name__ == "__main__":
    compare.main(
        {"mmcourse": both(with_ours), "sacrebleu": both(with_sacrebleu)},
        peer="sacrebleu",
        unit="texts",
        packages=("sacrebleu", "numpy"),
    )
