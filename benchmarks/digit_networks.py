"""Reading 5,000 handwritten digits: LeNet, what it loses without neighbours, and its rivals.

A round is a seed. Each network learns from the same 3,500 digits until its loss on the 500 for validation
has not fallen for three epochs, twelve at most, and goes back to its best epoch; the strength of the
regression is chosen on the same 500. Notebook 34 shows the shares of the 1,000 test digits that are read
correctly; the speeds, in trainings a second, come with them.

    python benchmarks/digit_networks.py --rounds 3 --output benchmarks/results/digit_networks.json
"""

import os

import compare
import numpy as np

ROUND = int(os.environ.get("BENCHMARK_ROUND", 0))
SHIFTS, STRENGTHS, EPOCHS, PATIENCE = range(9), (0.01, 0.03, 0.1), 12, 3


def parts() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Pictures ``(digits, 28, 28, 1)`` from 0 to 1 and labels of each split."""
    from mmcourse.data import digits

    data, found = digits.load(), {}
    for name in data.splits:
        images, labels = data.part(name)
        found[name] = images[..., None].astype("float32") / 255, labels
    return found


def reordered(pictures: np.ndarray) -> np.ndarray:
    """All pixels in one other order, the same for every picture."""
    order = np.random.default_rng(ROUND).permutation(28 * 28)
    return pictures.reshape(len(pictures), -1)[:, order].reshape(pictures.shape)


def dense():
    """A network without convolutions that has as many parameters as LeNet."""
    import keras
    from keras import layers

    pixels, hidden = keras.Input((28, 28, 1)), layers.Dense(77, "relu")
    return keras.Model(pixels, layers.Dense(10)(hidden(layers.Flatten()(pixels))))


def jitter(pictures: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Each picture moved by its own number of pixels, -4 to 4 in both directions."""
    steps = random.integers(-4, 5, size=(len(pictures), 2))
    moved = [np.roll(p, step, axis=(0, 1)) for p, step in zip(pictures, steps, strict=True)]
    return np.stack(moved)


def train(measure: compare.Measurement, network: str = "lenet", change=None, moved: bool = False) -> dict:
    """Train until the validation loss stops falling, and score the test as it is and moved to the right."""
    import keras

    from mmcourse.layers import convolutional_networks
    from mmcourse.learning import training

    splits = parts()
    if change:
        splits = {name: (change(pictures), labels) for name, (pictures, labels) in splits.items()}
    training.set_seed(ROUND)
    model = convolutional_networks.lenet() if network == "lenet" else dense()
    model.compile(
        keras.optimizers.Adam(1e-3),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        steps_per_execution=10,
        jit_compile=False,
    )
    random = np.random.default_rng(ROUND)
    best, weights, since, curve = np.inf, None, 0, []
    with measure(1):
        while since < PATIENCE and len(curve) < EPOCHS:
            pictures, labels = splits["train"]
            pictures = jitter(pictures, random) if moved else pictures
            model.fit(pictures, labels, batch_size=64, verbose=0)
            curve.append(model.evaluate(*splits["validation"], batch_size=500, verbose=0))
            since += 1
            if curve[-1] < best:
                best, weights, since = curve[-1], model.get_weights(), 0
    model.set_weights(weights)
    pictures, labels = splits["test"]
    shares = []
    for shift in SHIFTS:
        answers = model.predict(np.roll(pictures, shift, axis=2), batch_size=500, verbose=0).argmax(axis=1)
        shares.append(float(np.mean(answers == labels)))
    return {
        "test": shares[0],
        "shifted": shares,
        "validation_loss": [round(v, 4) for v in curve],
        "stopped_at_cap": since < PATIENCE,
    }


def regression(measure: compare.Measurement) -> dict:
    """Logistic regression on the pixels; the round draws nothing, since nothing in it is random."""
    from sklearn.linear_model import LogisticRegression

    flat = {
        name: (pictures.reshape(len(pictures), -1), labels) for name, (pictures, labels) in parts().items()
    }
    with measure(1):
        models = [LogisticRegression(C=c, max_iter=300).fit(*flat["train"]) for c in STRENGTHS]
    scores = [model.score(*flat["validation"]) for model in models]
    chosen = int(np.argmax(scores))
    return {"test": models[chosen].score(*flat["test"]), "strength": STRENGTHS[chosen]}


WAYS = {
    "LeNet": train,
    "LeNet, pixels reordered": lambda measure: train(measure, change=reordered),
    "dense network": lambda measure: train(measure, "dense"),
    "logistic regression": regression,
    "LeNet, digits moved": lambda measure: train(measure, moved=True),
}

if __name__ == "__main__":
    compare.main(WAYS, "dense network", "trainings", ("keras", "tensorflow", "scikit-learn"))
