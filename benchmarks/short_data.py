"""Learn from few images: features of a frozen network, fine-tuning, from nothing, and the simplest rivals.

A round is a draw: 15 images of each of five kinds for the test, and 5, 10 or 20 of each to learn from.
Networks are trained for a fixed number of passes and asked on the way, so that their curves show whether
the cap came too early; the strength of a regression is chosen by cross-validation inside its own training
images. Beside them the digits: 800 to learn from. What notebook 46 shows are the scores; the speeds, in
trainings a second, come with them.

    python benchmarks/short_data.py --rounds 5 --output benchmarks/results/short_data.json
"""

import os

import compare
import numpy as np

EACH, TEST_EACH, BATCH = (5, 10, 20), 15, 32
# passes through the images after which a network is asked; after the last it stops
PASSES = {"fine-tuning": (5, 10, 20), "from nothing": (50, 100, 200, 400, 600), "digits": (10, 20, 30)}
AT_ONCE = 5  # passes that one call of ``fit`` makes, because a call takes longer than a pass
STRENGTHS = (0.01, 0.1, 1.0, 10.0)
ROUND = int(os.environ.get("BENCHMARK_ROUND", 0))
DECAY = 0.3  # by layer: each part nearer to the input learns at this share of the next one's rate


def draws(kinds):
    """The draws of this round: images of each kind, and the indices of each part."""
    return [(each, kinds.draw(each, TEST_EACH, [2025, ROUND])) for each in EACH]


def shares(predict, inputs, kinds, parts) -> dict[str, float]:
    """Share of right answers on the test, and on the same things by the other artist."""
    return {
        name: round(float(np.mean(predict(inputs[parts[name]]) == kinds.labels[parts[name]])), 4)
        for name in ("test", "other_artist")
    }


def colours(images: np.ndarray) -> np.ndarray:
    """Share of each image's pixels in each of 4 · 4 · 4 boxes of colour: ``(images, 64)``."""
    boxes = (images.reshape(len(images), -1, 3) // 64) @ [16, 4, 1]  # (images, pixels)
    return np.stack([np.bincount(row, minlength=64) / len(row) for row in boxes])


def linear(measure: compare.Measurement, features, of_digits: bool = True) -> dict:
    """Logistic regression on what ``features`` makes of the images and, if asked, of the digits."""
    from sklearn.linear_model import LogisticRegressionCV

    from mmcourse.data import digits, picture_kinds
    from mmcourse.encoders import prepared

    kinds, scores = picture_kinds.load(), {}

    def model(folds):
        return LogisticRegressionCV(
            Cs=STRENGTHS,
            cv=folds,
            max_iter=500,
            l1_ratios=(0.0,),
            scoring="accuracy",
            use_legacy_attributes=False,
        )

    def scaled(rows, train):
        """Columns of mean 0, and one scale for all of them, from the training rows."""
        return (rows - train.mean(axis=0)) / train.std()

    inputs = features("kinds", kinds.images)
    for each, parts in draws(kinds):
        train = parts["train"]
        with measure(1):
            of_draw = scaled(inputs, inputs[train])
            fitted = model(5).fit(of_draw[train], kinds.labels[train])
        scores[str(each)] = shares(fitted.predict, of_draw, kinds, parts)
    if not of_digits:
        return {"scores": scores}
    data, rows = digits.load(), prepared.digit_features()
    train, test = (data.labels[rows[f"{name}_rows"]] for name in ("train", "test"))
    pixels = {name: data.images[rows[f"{name}_rows"]] for name in ("train", "test")}
    learn, ask = features("train", pixels["train"]), features("test", pixels["test"])
    fitted = model(3).fit(scaled(learn, learn), train)
    return {"scores": scores, "digits": float(fitted.score(scaled(ask, learn), test))}


def probe(measure: compare.Measurement) -> dict:
    """On the features of the frozen network, scaled to length 1."""
    from mmcourse.encoders import prepared

    def features(name, _):
        found = prepared.kinds_features()["pooled"] if name == "kinds" else prepared.digit_features()[name]
        return found / np.linalg.norm(found, axis=1, keepdims=True)

    return linear(measure, features)


def pixels(measure: compare.Measurement) -> dict:
    """On every sixth pixel of an image, on every pixel of a digit."""
    step = {"kinds": 6, "train": 1, "test": 1}
    return linear(
        measure,
        lambda name, images: images[:, :: step[name], :: step[name]].reshape(len(images), -1) / 255,
    )


def histogram(measure: compare.Measurement) -> dict:
    """On the shares of the colours; the digits have none."""
    return linear(measure, lambda _, images: colours(images), of_digits=False)


def by_training(network, inputs, optimizer, passes, measure: compare.Measurement) -> dict:
    """Scores of a network that is trained anew, from the same weights, for each number of images."""
    import keras

    from mmcourse.data import picture_kinds

    kinds, scores, curves = picture_kinds.load(), {}, {}
    start, random = network.get_weights(), np.random.default_rng(ROUND)
    for each, parts in draws(kinds):
        network.set_weights(start)
        network.compile(
            optimizer(), keras.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=False
        )
        curves[str(each)], done = {}, 0
        for until in passes:
            with measure(1 if until == passes[-1] else 0):
                while done < until:
                    rows = np.concatenate([random.permutation(parts["train"]) for _ in range(AT_ONCE)])
                    history = network.fit(
                        inputs[rows], kinds.labels[rows], batch_size=BATCH, shuffle=False, verbose=0
                    )
                    done += AT_ONCE
            scores[str(each)] = shares(
                lambda rows: network.predict_on_batch(rows).argmax(axis=1), inputs, kinds, parts
            )
            curves[str(each)][str(until)] = [
                scores[str(each)]["test"],
                round(history.history["loss"][0], 4),
            ]
    return {"scores": scores, "curves": curves, "stopped_at_passes": passes[-1]}


def fine_tuning(measure: compare.Measurement, layerwise: bool = False, rate: float = 1e-3) -> dict:
    """The last block of the network, its head and a new classifier are trained; the rest is frozen."""
    import keras

    from mmcourse.data import picture_kinds
    from mmcourse.encoders import efficientnet, prepared
    from mmcourse.encoders.fine_tuning import LayerwiseAdam
    from mmcourse.learning import training

    training.set_seed(ROUND)
    tail = efficientnet.last_block(efficientnet.load())
    classifier = keras.layers.Dense(len(picture_kinds.KINDS), name="classifier")
    network = keras.Model(tail.input, classifier(keras.layers.Dropout(0.2)(tail.output)))
    order = ["expand_conv", "depthwise_conv", "project_conv", "head_conv", "classifier"]
    factors = {}
    for layer in network.layers:
        for place, name in enumerate(order):
            if layerwise and layer.name.endswith(name):
                factors[layer.name] = DECAY ** (len(order) - 1 - place)
    inputs = prepared.kinds_features()["before_last"].astype("float32")
    passes = PASSES["fine-tuning"]
    return by_training(network, inputs, lambda: LayerwiseAdam(rate, factors), passes, measure)


def from_nothing(measure: compare.Measurement) -> dict:
    """A small convolutional network on 32 × 32 pixels from random weights, and LeNet on the digits."""
    import keras
    from keras import layers

    from mmcourse.data import digits, picture_kinds
    from mmcourse.encoders import prepared
    from mmcourse.layers import convolutional_networks
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
    passes = PASSES["from nothing"]
    found = by_training(network, inputs, lambda: keras.optimizers.Adam(2e-3), passes, measure)
    data, rows = digits.load(), prepared.digit_features()
    parts = [(data.images[rows[f"{name}_rows"]][..., None] / 255, data.labels[rows[f"{name}_rows"]])
             for name in ("train", "test")]  # fmt: skip
    lenet = convolutional_networks.lenet()
    lenet.compile(
        keras.optimizers.Adam(1e-3),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=False,
    )
    curve, done = {}, 0
    for until in PASSES["digits"]:
        lenet.fit(*parts[0], batch_size=BATCH, epochs=until, initial_epoch=done, verbose=0)
        done = until
        curve[str(until)] = round(lenet.evaluate(*parts[1], verbose=0)[1], 4)
    return {**found, "digits": curve[str(done)], "digits_curve": curve}


WAYS = {
    "probe": probe,
    "fine-tuning": fine_tuning,
    "fine-tuning, by layer": lambda measure: fine_tuning(measure, layerwise=True),
    "from nothing": from_nothing,
    "pixels": pixels,
    "colours": histogram,
}

if __name__ == "__main__":
    compare.main(WAYS, "from nothing", "trainings", ("keras", "tensorflow", "scikit-learn"))
