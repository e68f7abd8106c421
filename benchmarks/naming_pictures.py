"""What the naming model gains when its training pictures are changed more.

"moved" is the model of notebook 50 as it is, at full length: each picture is moved by a few pixels. "changed"
is the same with pictures that are also turned, scaled and, every second one, partly painted over. A round is
a seed: of the weights, the order, the changes and the hidden words. The scores are those on unseen
compositions, by kind and language.

    python benchmarks/naming_pictures.py --rounds 3 --output benchmarks/results/naming_pictures.json
"""

import functools
import os

import compare
from naming import fitted

# Chosen on combinations held out of the training part.
CHANGES = {"degrees": 6.0, "zoom": 0.08, "erased": 0.5}


def trained(changes: dict, measure: compare.Measurement) -> dict:
    """Train with one seed, and the scores."""
    from dataclasses import replace

    from mmcourse.data import emoji
    from mmcourse.generator import naming

    pictures = emoji.load(emoji.PICTURE_SIZE)
    task, whole = naming.Task.of(pictures), naming.CONFIGURATIONS["cpu"]
    epochs = int(os.environ.get("BENCHMARK_EPOCHS", whole.epochs))
    one = replace(whole, epochs=epochs, seed=int(os.environ.get("BENCHMARK_ROUND", 0)))
    model, batches = naming.build(one, task), task.batches(one)
    if changes:
        batches.make = changed(batches.make, **changes)
    return {**fitted(model, batches, one, pictures, measure), "changes": changes}


def changed(make, degrees: float, zoom: float, erased: float):
    """What makes the same batches, their pictures turned and scaled and some partly painted over."""
    from mmcourse import image

    def made(chosen, random):
        inputs, targets = make(chosen, random)
        warped = image.warp(inputs["image"], random, degrees=degrees, zoom=zoom, fill=255)
        return {**inputs, "image": image.erase(warped, random, erased)}, targets

    return made


WAYS = {"moved": functools.partial(trained, {}), "changed": functools.partial(trained, CHANGES)}

if __name__ == "__main__":
    compare.main(WAYS, peer="moved", unit="steps", packages=("keras", "tensorflow"))
