"""The first part of the scenes' training, watched: sight, search, and answers to names and to sentences.

A round is a seed: of the weights, of the scenes and of what is asked. Every twenty steps the model is looked
at with scenes that it is not trained on; see mmcourse.generator.scene_search. Notebook 53 shows the curves;
the speed, in steps a second with the looks included, comes with them.

    python benchmarks/scene_search.py --rounds 5 --output benchmarks/results/scene_search.json
"""

import os

import compare

EPOCHS = int(os.environ.get("BENCHMARK_EPOCHS", 3))


def watched(measure: compare.Measurement) -> dict:
    """Train with the round as the seed; the curves."""
    from dataclasses import asdict, replace

    from mmcourse.generator import scene_search
    from mmcourse.generator import scenes as task

    seed = int(os.environ.get("BENCHMARK_ROUND", 0))
    configuration = replace(task.CONFIGURATIONS["cpu"], seed=seed)
    with measure(EPOCHS * configuration.steps):
        search = scene_search.watch(configuration, EPOCHS)
    curves = {name: [round(float(value), 4) for value in values] for name, values in asdict(search).items()}
    return {"configuration": asdict(configuration), **curves}


WAYS = {"search": watched}

if __name__ == "__main__":
    compare.main(WAYS, peer="search", unit="steps", packages=("keras", "tensorflow"))
