"""A small CLIP of emoji and their names: true pairs, shuffled pairs, batches without siblings.

Recall@1 among the pictures of unseen compositions and their names, both ways. All ways have one architecture,
number of steps and number of pictures in a step; without siblings it takes two epochs to make as many steps.

    python benchmarks/picture_names.py --rounds 5 --output benchmarks/results/picture_names.json
"""

import dataclasses
import os
import tempfile
from pathlib import Path

import compare

EPOCHS = int(os.environ.get("BENCHMARK_EPOCHS", 5))


def learn(measure: compare.Measurement, **changes) -> dict:
    """Train one pair of towers, with the round as its seed; what it finds."""
    from mmcourse.data import emoji
    from mmcourse.encoders import picture_names
    from mmcourse.learning import alignment

    seed = int(os.environ.get("BENCHMARK_ROUND", 0))
    changes = {"epochs": EPOCHS, "seed": seed} | changes
    settings = dataclasses.replace(picture_names.CONFIGURATIONS["cpu"], **changes)
    pictures = emoji.load(settings.side)
    with tempfile.TemporaryDirectory() as folder, measure(settings.epochs):
        model, history = picture_names.train(settings, Path(folder), pictures)
    rows, recall = pictures.splits["unseen_composition"], alignment.recall_at(1)
    vectors = model.encode("first", pictures.images[rows])
    found = {"epochs": settings.epochs, "loss": history[-1]["loss"]}
    for language in picture_names.LANGUAGES:
        similarities = vectors @ model.encode("second", pictures.names(language, rows)).T
        found[language] = [recall(similarities), recall(similarities.T)]
    return found


WAYS = {
    "pairs": learn,
    "shuffled": lambda measure: learn(measure, shuffled=True),
    "no siblings": lambda measure: learn(measure, siblings=False, epochs=EPOCHS * 2),
}

if __name__ == "__main__":
    compare.main(WAYS, peer="shuffled", unit="epochs", packages=("keras", "tensorflow"))
