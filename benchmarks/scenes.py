"""What each part of the scenes' recipe is worth: one is taken away, the rest stays.

A round is a seed: of the weights, the scenes and the questions. Every way is trained for the same number of
steps, fewer than the model of notebook 53 gets, and answers the same exams in both languages. "four tokens"
leaves out the last convolution but one, so that a cell is four tokens in place of one.

    python benchmarks/scenes.py --rounds 3 --output benchmarks/results/scenes.json
"""

import functools
import os

import compare

EPOCHS = int(os.environ.get("BENCHMARK_EPOCHS", 10))
SPLITS = ("seen", "unseen_pairs")
CHANGES = {
    "whole": {},
    "no alignment": {"alignment": 0.0},
    "no matching": {"matching": 0.0},
    "no search first": {"searching": 0.0},
    "four tokens": {"channels": (24, 48, 96)},
}


def fitted(one, measure: compare.Measurement):
    """The generator that a configuration of :mod:`mmcourse.generator.scenes` trains."""
    from mmcourse.generator import scenes

    model, batches = scenes.build(one), scenes.Batches(one)
    with measure(one.epochs * one.steps):
        for epoch in range(one.epochs):
            batches.start_epoch(epoch)
            model.fit(batches, verbose=0, shuffle=False)
    return model.generator


def trained(name: str, measure: compare.Measurement) -> dict:
    """Train with one change, and the scores."""
    from dataclasses import asdict, replace

    import numpy as np

    from mmcourse.data import questions
    from mmcourse.generator import scenes

    seed = int(os.environ.get("BENCHMARK_ROUND", 0))
    one = replace(scenes.CONFIGURATIONS["cpu"], epochs=EPOCHS, seed=seed, **CHANGES[name])
    generator, exact = fitted(one, measure), {}
    for split in SPLITS:
        exam = scenes.Exam.draw(split, 160)
        right, tasks = exam.right(generator), np.array([question.task for question in exam.asked])
        exact[split] = {
            task: round(float(right[tasks == task].mean()), 4)
            for task in questions.TASKS
            if (tasks == task).any()
        }
    return {"configuration": asdict(one), "parameters": generator.count_params(), "exact": exact}


WAYS = {name: functools.partial(trained, name) for name in CHANGES}

if __name__ == "__main__":
    compare.main(WAYS, peer="whole", unit="steps", packages=("keras", "tensorflow"))
