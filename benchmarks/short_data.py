"""Learn five kinds of pictures from a few of each: features of a frozen network, fine-tuning, from nothing.

A round is a draw: 15 pictures of each kind for the test, and 2, 5, 10 or 30 of each to learn from. What the
chapter "Features" shows are the scores; the speeds, in trainings a second, come with them.

    python benchmarks/short_data.py --output benchmarks/results/short_data.json
"""

import os

import compare
import numpy as np

EACH, TEST_EACH, BATCH = (2, 5, 10, 30), 15, 16
# How often the training pictures are seen: more often where they are few.
EPOCHS = {"fine-tuning": (15, 12, 8, 6), "from nothing": (60, 50, 30, 20)}
ROUND = int(os.environ.get("BENCHMARK_ROUND", 0))


def draws(kinds):
    """The draws of this round: pictures a kind, and the indices of each part."""
    return [(each, kinds.draw(each, TEST_EACH, [2025, ROUND])) for each in EACH]


def shares(predict, inputs, kinds, parts) -> dict[str, float]:
    """Share of right answers on the test, and on the same things by the other artist."""
    return {
        name: round(float(np.mean(predict(inputs[parts[name]]) == kinds.labels[parts[name]])), 4)
        for name in ("test", "other_artist")
    }


def probe(measure: compare.Measurement) -> dict:
    """A linear probe: logistic regression on the frozen network's features, scaled to length 1."""
    from sklearn.linear_model import LogisticRegression

    from mmcourse.data import picture_kinds
    from mmcourse.encoders import prepared

    kinds, pooled, scores = picture_kinds.load(), prepared.kinds_features()["pooled"], {}
    inputs = pooled / np.linalg.norm(pooled, axis=1, keepdims=True)
    for each, parts in draws(kinds):
        train = parts["train"]
        with measure(1):
            model = LogisticRegression(C=100, max_iter=1000).fit(inputs[train], kinds.labels[train])
        scores[str(each)] = shares(model.predict, inputs, kinds, parts)
    return {"scores": scores}


def by_training(name: str, network, inputs, rate: float, measure: compare.Measurement) -> dict:
    """Scores of a network that is trained anew, from the same weights, for each number of pictures."""
    import keras

    from mmcourse.data import picture_kinds

    kinds, scores = picture_kinds.load(), {}
    network.compile(
        keras.optimizers.Adam(rate),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,
    )
    network.optimizer.build(network.trainable_variables)
    start = [variable.numpy() for variable in network.optimizer.variables], network.get_weights()
    for (each, parts), epochs in zip(draws(kinds), EPOCHS[name], strict=True):
        for variable, value in zip(network.optimizer.variables, start[0], strict=True):
            variable.assign(value)
        network.set_weights(start[1])
        train = parts["train"]
        if each == EACH[0]:  # builds the graph, warms up
            network.fit(inputs[train], kinds.labels[train], batch_size=BATCH, verbose=0)
            network.set_weights(start[1])
        with measure(1):
            network.fit(inputs[train], kinds.labels[train], batch_size=BATCH, epochs=epochs, verbose=0)
        scores[str(each)] = shares(
            lambda rows: network.predict(rows, verbose=0).argmax(axis=1), inputs, kinds, parts
        )
    return {"scores": scores}


def fine_tuning(measure: compare.Measurement) -> dict:
    """The last block of the network, its head and a new classifier are trained; the rest is frozen."""
    import keras

    from mmcourse.data import picture_kinds
    from mmcourse.encoders import efficientnet, prepared
    from mmcourse.learning import training

    training.set_seed(ROUND)
    tail = efficientnet.last_block(efficientnet.load())
    logits = keras.layers.Dense(len(picture_kinds.KINDS))(keras.layers.Dropout(0.2)(tail.output))
    inputs = prepared.kinds_features()["before_last"].astype("float32")
    return by_training("fine-tuning", keras.Model(tail.input, logits), inputs, 3e-4, measure)


def from_nothing(measure: compare.Measurement) -> dict:
    """A small convolutional network on 32 × 32 pixels, trained from random weights."""
    import keras
    from keras import layers

    from mmcourse.data import picture_kinds
    from mmcourse.encoders import prepared
    from mmcourse.learning import training

    training.set_seed(ROUND)
    network = keras.Sequential([keras.Input((32, 32, 3))])
    for filters in (16, 32, 48):
        network.add(layers.Conv2D(filters, 3, activation="relu", padding="same"))
        network.add(layers.MaxPooling2D())
    network.add(layers.GlobalAveragePooling2D())
    network.add(layers.Dropout(0.2))
    network.add(layers.Dense(len(picture_kinds.KINDS)))
    inputs = prepared.enlarge(picture_kinds.load().images, 32).astype("float32") / 255
    return by_training("from nothing", network, inputs, 2e-3, measure)


WAYS = {"probe": probe, "fine-tuning": fine_tuning, "from nothing": from_nothing}

if __name__ == "__main__":
    compare.main(WAYS, "from nothing", "trainings", ("keras", "tensorflow", "scikit-learn"))
