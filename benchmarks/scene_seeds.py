"""The scenes' model of notebook 53, trained to the end from five beginnings, and all its exams.

A round is a seed: of the weights, the scenes and the questions of training. The exams are the same for all.

    python benchmarks/scene_seeds.py --rounds 5 --output benchmarks/results/scene_seeds.json
"""

import os

import compare
from scenes import fitted


def trained(measure: compare.Measurement) -> dict:
    """Train, and the share of right answers: split -> task -> language."""
    from dataclasses import asdict, replace

    from mmcourse.generator import scene_scores, scenes

    seed = int(os.environ.get("BENCHMARK_ROUND", 0))
    whole = scenes.CONFIGURATIONS["cpu"]
    epochs = int(os.environ.get("BENCHMARK_EPOCHS", whole.epochs))
    one = replace(whole, epochs=epochs, seed=seed)
    generator, exact = fitted(one, measure), {}
    for split in scene_scores.SPLITS:
        exam = scenes.Exam.draw(split, scene_scores.NUMBER)
        scores = scene_scores.by_task(exam, exam.right(generator))
        exact[split] = {
            task: {language: round(score["exact"], 4) for language, score in both.items()}
            for task, both in scores.items()
        }
    return {"configuration": asdict(one), "parameters": generator.count_params(), "exact": exact}


WAYS = {"whole": trained}

if __name__ == "__main__":
    compare.main(WAYS, peer="whole", unit="steps", packages=("keras", "tensorflow"))
