"""One small step of preference tuning of the review generator, with its rival and its control.

A round is a seed: of the pairs' openings and samples, of the order of training, and of the rests that are
written for the test. A judge prefers one of two rests for each of some training openings ("asked"), and the
model is tuned to its choices by direct preference optimisation ("tuned"). "best of two" leaves the model as
it is and lets the same judge pick one of two rests at each use. "coin" is the control: the same pairs, of
which a coin prefers one. All are scored on the same test reviews, by the judge that was asked and by one
that was not ("fresh"); further by the nats of a true rest ("surprise"), by how far the model has moved from
the untuned one along its own rests ("drift", in nats), and by variety, length and repetition of what it
writes. The speed is that of writing.

    python benchmarks/decoding.py --output benchmarks/results/decoding.json
"""

import os

import compare

ROUND = int(os.environ.get("BENCHMARK_ROUND", 0))


class Study:
    """The model, the test reviews and the two judges."""

    def __init__(self):
        from mmcourse.generator import decoding_scores, review_scores, reviews

        self.scores, self.rated = decoding_scores, reviews.load()
        self.exam = decoding_scores.some(review_scores.examination(self.rated))
        self.judges = decoding_scores.two_judges(self.rated)
        self.images = review_scores.sheets(self.exam.levels, ROUND)
        self.reviewer = reviews.load_trained("cpu")

    def write(self, measure, number: int = 0):
        """Token ids of rests for the test reviews, and the rests."""
        with measure(len(self.exam.rows)):
            seed = 1000 * (ROUND + 1) + number
            ids = self.scores.write(self.reviewer, self.images, self.exam.openings, seed)
        return ids, list(map(self.reviewer.pieces.read, self.reviewer.model.vocabulary.decode(ids)))

    def examine(self, rests, drift: float = 0.0) -> dict:
        """All scores, rounded."""
        surprise, _ = self.reviewer.surprises(self.images, self.exam.openings, self.exam.rests)
        found = self.scores.score(rests, self.exam, self.judges)
        found |= {"surprise": float(surprise.mean()), "drift": drift}
        return {name: round(value, 4) for name, value in found.items()}


def untuned(measure: compare.Measurement) -> dict:
    """The model as it is; and the better of two rests."""
    study = Study()
    two = [study.write(measure, number)[1] for number in range(2)]
    best = study.scores.pick(study.judges[0], two, study.exam.levels)
    return study.examine(two[0]) | {"best of two": study.examine(best)}


def tuned(measure: compare.Measurement) -> dict:
    """The model after a step towards the judge's choices; "coin" after one towards a coin's."""
    from mmcourse.generator import reviews

    study, reference = Study(), reviews.load_trained("cpu")
    pairs = study.scores.make_pairs(study.reviewer, study.rated, study.judges[0], ROUND)
    inputs = {"image": study.images, "prompt": study.reviewer.encode_openings(study.exam.openings)}
    found = []
    for chosen in (pairs, study.scores.by_coin(pairs, ROUND)):
        study.reviewer.model.set_weights(reference.model.get_weights())
        history = study.scores.tune(study.reviewer, chosen, ROUND)
        ids, rests = study.write(compare.Measurement() if found else measure)
        drift = study.scores.drift(study.reviewer.model, reference.model, inputs, ids)
        found.append(study.examine(rests, drift))
        found[-1]["history"] = [{key: round(value, 4) for key, value in one.items()} for one in history]
    return found[0] | {"pairs": len(pairs.prompts), "coin": found[1]}


WAYS = {"untuned": untuned, "tuned": tuned}

if __name__ == "__main__":
    compare.main(WAYS, "untuned", "reviews", ("keras", "tensorflow", "scikit-learn", "numpy"))
