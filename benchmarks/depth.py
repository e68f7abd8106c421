"""Twenty convolutions on digits: plain or residual, normalised or not, two starts, one change at a time.

A round is a seed. Every network has one convolution of 3 × 3 with 8 filters and then twenty more (one arm:
four), on digits of 7 × 7 pixels. It learns from the same 3,500 digits with Adam, at each of two learning
rates, and the rate with the smaller loss on the 500 validation digits counts: no arm shall lose for want of
a good rate. Notebook 34 shows the losses; the speeds, in trainings a second, come with them.

    python benchmarks/depth.py --rounds 3 --output benchmarks/results/depth.json
"""

import os

import compare

DEPTH, EPOCHS, RATES, BATCH = 20, 6, (1e-3, 5e-3), 64
ROUND = int(os.environ.get("BENCHMARK_ROUND", 0))


def train(measure: compare.Measurement, depth: int = DEPTH, **changes) -> dict:
    """Loss of the training digits after each epoch, and the share of validation digits read correctly."""
    import keras

    from mmcourse.data import digits
    from mmcourse.layers import convolutional_networks
    from mmcourse.learning import training
    from mmcourse.mathematics.convolution import average_pool2d

    data, parts = digits.load(), {}
    for name in ("train", "validation"):
        images, labels = data.part(name)
        parts[name] = average_pool2d(images[..., None].astype("float32") / 255, 4), labels
    found = []
    for rate in RATES:
        training.set_seed(ROUND)
        model = convolutional_networks.tower(depth, **changes)
        model.compile(
            keras.optimizers.Adam(rate),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
            steps_per_execution=10,
            jit_compile=False,
        )
        with measure(1):
            history = model.fit(*parts["train"], batch_size=BATCH, epochs=EPOCHS, verbose=0).history
        loss, share = model.evaluate(*parts["validation"], batch_size=500, verbose=0)
        losses = [round(value, 4) for value in history["loss"]]
        found.append({"rate": rate, "loss": losses, "validation_loss": loss, "validation": round(share, 4)})
    best = min(found, key=lambda run: run["validation_loss"])
    return {"rates": found, **best, "stopped_at_epochs": EPOCHS}


ARMS = {
    "plain, He": {},
    "plain, Glorot": {"initializer": "glorot_uniform"},
    "plain, normalised": {"normalise": True},
    "residual, He": {"residual": True},
    "residual, Glorot": {"residual": True, "initializer": "glorot_uniform"},
    "residual, normalised": {"residual": True, "normalise": True},
    "plain, He, 4 deep": {"depth": 4},
}
WAYS = {name: lambda measure, changes=changes: train(measure, **changes) for name, changes in ARMS.items()}

if __name__ == "__main__":
    compare.main(WAYS, "plain, He", "trainings", ("keras", "tensorflow"))
