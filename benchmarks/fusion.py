"""Fuse a seen and a heard digit in nine ways, and ask three questions about them.

A round is a seed: of the training pairs, their noise, and the starting weights. The test pairs are the same
in all rounds. All models have about the same number of weights and take the same number of steps; for each,
the learning rate is chosen on the validation pairs. "digit" asks which digit both show, under noise; "sums"
asks, without noise, whether the two digits sum to more than nine, and whether their sum is even. Scores are
shares of right answers; "right" has one character for each test pair, 1 where the answer is right. The
notebook on fusion shows them; the speeds, in trainings a second, come with them.

    python benchmarks/fusion.py --output benchmarks/results/fusion.json
"""

import os

import compare
import numpy as np

ROUND = int(os.environ.get("BENCHMARK_ROUND", 0))
LEVELS = {"image": (0.0, 0.3, 0.6, 0.9, 1.2), "sound": (0.0, 1.0, 2.0, 3.0, 4.0)}
DROPOUT = 0.3
WITH_DROPOUT = ("late", "concatenation", "gated", "bilinear", "attention", "graph")
SUMS = {"sum above nine": 10, "sum even": 20}  # epochs
SUM_PAIRS, SUM_RATES = 2400, (5e-3, 1e-2)
CLEAN = {"image": 0.0, "sound": 0.0}


def digit(measure: compare.Measurement) -> dict:
    """Which digit is it? Scores, controls, noise on one side, contradiction, imbalance."""
    from mmcourse.evaluation import controls
    from mmcourse.learning import fusion, training

    training.set_seed(ROUND)
    pairs = {name: fusion.make_pairs(name, seed=ROUND if name == "train" else 0) for name in fusion.EXAMPLES}
    test = pairs["test"]
    contradiction = fusion.make_pairs("test", noise=CLEAN, contradict=True)
    swept = {
        name: [fusion.make_pairs("test", noise={name: (level, level)}) for level in levels]
        for name, levels in LEVELS.items()
    }

    def figures(answer) -> dict:
        """Everything that is measured, from a function of inputs to probabilities."""

        def share(inputs, labels):
            return round(float((answer(inputs).argmax(axis=1) == labels).mean()), 4)

        right = answer(test.inputs).argmax(axis=1) == test.labels
        found = {"test": round(float(right.mean()), 4), "right": "".join("01"[int(one)] for one in right)}
        found["swept"] = {
            name: [share(one.inputs, one.labels) for one in series] for name, series in swept.items()
        }
        found["controls"] = {
            f"{way.__name__} {name}": share(way(test.inputs, name), test.labels)
            for way in (controls.permute, controls.blank, controls.drop)
            for name in fusion.MODALITIES
        }
        said = answer(contradiction.inputs).argmax(axis=1)
        found["contradiction"] = {
            name: round(float((said == contradiction.digits[name]).mean()), 4) for name in fusion.MODALITIES
        }
        return found

    def answers(model):
        return lambda inputs: fusion.probabilities(fusion.logits(model, inputs))

    def together(members: dict, rule: str):
        """The ensemble; of a modality that is missing the member is silent."""
        return lambda inputs: fusion.ensemble(
            [answers(members[name])({name: array}) for name, array in inputs.items()], rule
        )

    scores, models = {}, {}
    for name in fusion.FUSIONS:
        with measure(len(fusion.RATES)):
            models[name], rate = fusion.best(name, pairs["train"], pairs["validation"])
        scores[name] = {"rate": rate, "weights": models[name].count_params()} | figures(answers(models[name]))
    for rule in ("mean", "product"):
        scores[f"ensemble, {rule}"] = figures(together(models, rule))
    for name in fusion.MODALITIES:
        with measure(1):
            again = fusion.train(name, pairs["train"], scores[name]["rate"])
        given = [answers(one)(test.inputs) for one in (models[name], again)]
        right = fusion.ensemble(given).argmax(axis=1) == test.labels
        scores[f"two of {name}"] = {"test": round(float(right.mean()), 4)}
    for name in WITH_DROPOUT:
        with measure(1):
            model = fusion.train(name, pairs["train"], scores[name]["rate"], modality_dropout=DROPOUT)
        scores[f"{name}, dropout"] = figures(answers(model))
    return {"scores": scores, "imbalance": imbalance(measure, scores)}


def imbalance(measure: compare.Measurement, scores: dict) -> dict:
    """With a clear picture beside it, what does the sound's encoder learn? Probes of its features alone."""
    from sklearn.linear_model import LogisticRegression

    from mmcourse.learning import fusion

    pairs = {
        name: fusion.make_pairs(name, seed=ROUND if name == "train" else 0, noise={"image": 0.0})
        for name in fusion.EXAMPLES
    }
    untrained = fusion.FusionModel("concatenation")
    untrained.build()
    models = {"untrained": untrained}
    for label, name, dropout in (
        ("sound alone", "sound", 0.0),
        ("concatenation", "concatenation", 0.0),
        ("concatenation, dropout", "concatenation", DROPOUT),
        ("late", "late", 0.0),
        ("late, dropout", "late", DROPOUT),
    ):
        with measure(1):
            models[label] = fusion.train(name, pairs["train"], scores[name]["rate"], modality_dropout=dropout)
    found = {}
    for label, model in models.items():
        features = {
            name: np.asarray(model.features({"sound": one.inputs["sound"]})["sound"])
            for name, one in pairs.items()
        }
        middle, spread = features["train"].mean(axis=0), features["train"].std(axis=0) + 1e-6
        scaled = {name: (one - middle) / spread for name, one in features.items()}
        probes = [
            LogisticRegression(C=strength, max_iter=3000).fit(scaled["train"], pairs["train"].labels)
            for strength in (0.003, 0.01, 0.03, 0.1, 0.3)
        ]
        probe = max(probes, key=lambda one: one.score(scaled["validation"], pairs["validation"].labels))
        found[label] = {
            "test": round(fusion.score(model, pairs["test"]), 4),
            "probe of the sound": round(probe.score(scaled["test"], pairs["test"].labels), 4),
        }
    return found


def sums(measure: compare.Measurement) -> dict:
    """Questions about two digits that are drawn apart."""
    from mmcourse.learning import fusion, training

    training.set_seed(ROUND)
    found: dict = {}
    for task, epochs in SUMS.items():
        pairs = {
            name: fusion.make_pairs(
                name, SUM_PAIRS if name == "train" else None, task, ROUND if name == "train" else 0, CLEAN
            )
            for name in fusion.EXAMPLES
        }
        scores: dict[str, dict] = {}
        given = {}
        for name in fusion.FUSIONS:
            with measure(len(SUM_RATES)):
                model, rate = fusion.best(
                    name, pairs["train"], pairs["validation"], SUM_RATES, fusion.TASKS[task], epochs=epochs
                )
            given[name] = fusion.probabilities(fusion.logits(model, pairs["test"].inputs))
            scores[name] = {"rate": rate, "train": round(fusion.score(model, pairs["train"]), 4)}
        for rule in ("mean", "product"):
            scores[f"ensemble, {rule}"] = {}
            given[f"ensemble, {rule}"] = fusion.ensemble([given["image"], given["sound"]], rule)
        for name, chances in given.items():
            right = chances.argmax(axis=1) == pairs["test"].labels
            scores[name] |= {
                "test": round(float(right.mean()), 4),
                "right": "".join("01"[int(one)] for one in right),
            }
        found[task] = {"share of the more frequent answer": round(_majority(pairs["test"].labels), 4)}
        found[task]["scores"] = scores
    return {"tasks": found}


def _majority(labels: np.ndarray) -> float:
    return float(np.bincount(labels).max() / len(labels))


WAYS = {"digit": digit, "sums": sums}

if __name__ == "__main__":
    compare.main(WAYS, "digit", "trainings", ("keras", "tensorflow", "scikit-learn", "numpy"))
