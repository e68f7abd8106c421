"""What each part of the naming model's recipe is worth, and what a second artist would be.

One part is taken away, or the second artist's drawings of the same emoji are added, and the rest stays. A
round is a seed: of the weights, the order, the shifts and the hidden words. Every way takes about as many
steps (with twice the pictures, half the passes), fewer than the model of notebook 50. The scores are those on
unseen compositions, which no artist's drawings show in training, by kind and language.

    python benchmarks/naming.py --rounds 3 --output benchmarks/results/naming.json
"""

import functools
import os

import compare

EPOCHS = int(os.environ.get("BENCHMARK_EPOCHS", 12))
CHANGES = {
    "whole": {},
    "no alignment": {"alignment": 0.0},
    "no matching": {"matching": 0.0},
    "no hidden words": {"hidden_words": 0.0},
    "two artists": {},
}


def trained(name: str, measure: compare.Measurement) -> dict:
    """Train with one change, and the scores."""
    from dataclasses import replace

    import numpy as np

    from mmcourse.data import emoji
    from mmcourse.generator import naming

    pictures = emoji.load(emoji.PICTURE_SIZE)
    splits = dict(pictures.splits)
    one_artist = len(splits["train"])
    if name == "two artists":
        splits["train"] = np.concatenate([splits["train"], splits["unseen_artist"]])
    task = naming.Task.of(replace(pictures, splits=splits))
    passes = max(1, round(EPOCHS * one_artist / len(task.images)))
    seed = int(os.environ.get("BENCHMARK_ROUND", 0))
    one = replace(naming.CONFIGURATIONS["cpu"], epochs=passes, seed=seed, **CHANGES[name])
    model, batches = naming.build(one, task), task.batches(one)
    return fitted(model, batches, one, pictures, measure)


def fitted(model, batches, one, pictures, measure: compare.Measurement) -> dict:
    """Train as the configuration says; the scores on unseen compositions."""
    from dataclasses import asdict

    import numpy as np

    from mmcourse.generator import naming, naming_scores

    with measure(one.epochs * len(batches)):
        for epoch in range(one.epochs):
            batches.start_epoch(epoch)
            model.fit(batches, verbose=0, shuffle=False)
    held_out = pictures.splits["unseen_composition"]
    kinds = np.array([pictures.kinds[i] for i in held_out])
    exact = {}
    for language in naming.LANGUAGES:
        answers = model.generator.generate({"image": pictures.images[held_out]}, naming.PROMPTS[language][0])
        right = np.array(answers) == np.array(pictures.names(language, held_out))
        exact[language] = {kind: round(float(right[kinds == kind].mean()), 4) for kind in naming_scores.KINDS}
        exact[language]["all"] = round(float(right.mean()), 4)
    return {"configuration": asdict(one), "parameters": model.generator.count_params(), "exact": exact}


WAYS = {name: functools.partial(trained, name) for name in CHANGES}

if __name__ == "__main__":
    compare.main(WAYS, peer="whole", unit="steps", packages=("keras", "tensorflow"))
