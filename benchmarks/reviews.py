"""Train the review generator as it is, and with one thing taken away.

A round is a seed: of weights, order, cuts, handwriting and samples. "full" is what the course uses; "without
word vectors" begins with random embeddings; "without practice" has an image encoder that never learned to
tell digits apart; "blind" sees empty sheets only. All are scored on the same test reviews: the loss on the
true rests with the right digit, a wrong one and none, for each review and for each piece; and the share of
rests that the judge finds in agreement with the review's level, for each weight of guidance, when its own
digit is shown and when another one's is. "history" has the losses of each epoch.

    python benchmarks/reviews.py --output benchmarks/results/reviews.json
"""

import os
import tempfile
from dataclasses import replace
from pathlib import Path

import compare
import numpy as np

ROUND = int(os.environ.get("BENCHMARK_ROUND", 0))
WEIGHTS = (0, 3)


def study(**changes):
    """A way that trains with these changes to the configuration and scores the model."""

    def way(measure: compare.Measurement) -> dict:
        from mmcourse.evaluation import controls
        from mmcourse.evaluation.texts import distinct_n
        from mmcourse.generator import review_scores, reviews

        configuration = replace(reviews.CONFIGURATIONS["cpu"], seed=ROUND, **changes)
        rated = reviews.load()
        with tempfile.TemporaryDirectory() as folder, measure(1):
            model, history = reviews.train(configuration, Path(folder), rated)
        known = [rated.texts[row] for row in rated.splits["train"]]
        reviewer = reviews.Reviewer(model, reviews.Pieces.train(known, configuration.merges))
        exam, judge = review_scores.examination(rated), review_scores.Judge(rated)
        images = review_scores.sheets(exam.levels, ROUND)
        shown = {
            "right": images,
            "wrong": review_scores.sheets(6 - exam.levels, ROUND),
            "none": np.zeros_like(images),
        }
        losses = {name: reviewer.surprises(one, exam.openings, exam.rests) for name, one in shown.items()}
        shuffled = controls.permute({"image": images}, "image", ROUND)["image"]
        agreed: dict = {"own": {}, "shuffled": {}}
        variety = {}
        for weight in WEIGHTS:
            choose = reviews.Guided(replace(reviews.SAMPLING, seed=ROUND), float(weight))
            for name, one in (("own", images), ("shuffled", shuffled)):
                rests = reviewer.write(one, exam.openings, choose)
                agreed[name][str(weight)] = round(float(judge.agrees(rests, exam.levels).mean()), 4)
                if name == "own":
                    variety[str(weight)] = round(distinct_n([rest.split() for rest in rests], 2), 4)
        return {
            "history": [{key: round(value, 4) for key, value in epoch.items()} for epoch in history],
            "nats a review": {name: round(float(loss.mean()), 3) for name, (loss, _) in losses.items()},
            "nats a piece": {
                name: round(float(loss.sum() / count.sum()), 4) for name, (loss, count) in losses.items()
            },
            "agreed": agreed,
            "distinct-2": variety,
            "real": round(float(judge.agrees(exam.rests, exam.levels).mean()), 4),
        }

    return way


WAYS = {
    "full": study(),
    "without word vectors": study(word_vectors=False),
    "without practice": study(digit_epochs=0),
    "blind": study(empty=1.0),
}

if __name__ == "__main__":
    compare.main(WAYS, "full", "trainings", ("keras", "tensorflow", "scikit-learn", "numpy"))
