"""Does augmentation help to read handwritten digits from few examples, and which kind?

A round is a seed: of the digits that are drawn, of the starting weights, of the order of the batches and of
the changes. All ways of a round share the first three, so that the change of the pictures is the only
difference. Every network is trained until its loss on the validation set has not fallen for 250 steps, and
its best weights are kept; logistic regression gets the strength of its regularisation from the validation
set too. The notebook "Images changed" shows the scores; the speeds, in trainings a second, come with them.
The lowest loss comes before the highest share of right answers: arms that reach it within a hundred steps
would gain one to three digits in a hundred by going on, in a trial of three rounds.

    python benchmarks/images.py --rounds 5 --output benchmarks/results/images.json
"""

import os

import compare
import numpy as np

ROUND = int(os.environ.get("BENCHMARK_ROUND", 0))
EACH = 10  # digits of each class to learn from
SIZES = (3, 10, 30, 100)  # the same, for the ways of SWEPT
BATCH, STEPS, PATIENCE, MOST = 25, 25, 10, 60  # steps between two looks at the validation set; looks
COPIES = 20  # augmented copies of each digit for logistic regression
STRENGTHS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1)


def half_turn(pictures, random):
    """Turn half of the pictures upside down."""
    chosen = random.random(len(pictures)) < 0.5
    return np.where(chosen[:, None, None, None], pictures[:, ::-1, ::-1], pictures)


def changes() -> dict:
    """What is done to a batch (pictures, height, width, 1), way by way."""
    from mmcourse import image

    return {
        "none": lambda pictures, random: pictures,
        "dropout": lambda pictures, random: pictures,
        "small warps": lambda pictures, random: image.warp(pictures, random, 15, 0.08, 0.1),
        "large warps": lambda pictures, random: image.warp(pictures, random, 60, 0.25, 0.5),
        "noise": lambda pictures, random: image.add_noise(pictures, random, 0.1),
        "mirror": image.flip,
        "half turns": half_turn,
        "mixup": lambda pictures, random: pictures,  # changes the targets too: see batches
    }


SWEPT = ("none", "small warps")


def parts(each: int):
    """Pictures (count, 28, 28, 1) and labels to learn from, to choose with and to test on."""
    from mmcourse.data import digits

    data = digits.load()
    images, labels = data.part("train")
    random = np.random.default_rng([20, ROUND])
    orders = [random.permutation(np.flatnonzero(labels == digit)) for digit in range(10)]
    rows = np.concatenate([order[:each] for order in orders])
    rest = [(part[..., None], named) for part, named in (data.part("validation"), data.part("test"))]
    return (images[rows][..., None], labels[rows]), *rest


def batches(way: str, pictures, labels, count: int):
    """As many examples as asked for, pass after pass, each changed anew: floats from 0 to 1, and targets."""
    from mmcourse import image

    order, random = np.random.default_rng([21, ROUND]), np.random.default_rng([22, ROUND])
    waiting = np.zeros(0, int)
    change, one_hot = changes()[way], np.eye(10, dtype="float32")
    while True:
        while len(waiting) < count:
            waiting = np.concatenate([waiting, order.permutation(len(pictures))])
        rows, waiting = waiting[:count], waiting[count:]
        inputs, targets = change(pictures[rows], random), one_hot[labels[rows]]
        if way == "mixup":
            inputs, targets = image.mixup(inputs, targets, random, 0.4)
        yield inputs.astype("float32") / 255, targets


def network(way: str):
    """Two convolutions and two dense layers, with dropout before the last if the way is called so."""
    import keras
    from keras import layers

    model = keras.Sequential([keras.Input((28, 28, 1))])
    for filters in (16, 32):
        model.add(layers.Conv2D(filters, 3, activation="relu"))
        model.add(layers.MaxPooling2D())
    model.add(layers.Flatten())
    model.add(layers.Dense(64, activation="relu"))
    model.add(layers.Dropout(0.5 if way == "dropout" else 0))
    model.add(layers.Dense(10))
    model.compile("adam", keras.losses.CategoricalCrossentropy(from_logits=True), jit_compile=False)
    return model


def scores(predicted: dict, labels: dict) -> dict:
    """Shares of right answers, and the answers to the test digits."""
    return {
        **{name: round(float(np.mean(given == labels[name])), 4) for name, given in predicted.items()},
        "answers": "".join(map(str, predicted["test"])),
    }


def by_network(way: str, measure: compare.Measurement) -> dict:
    """Train a network the way's way, for each number of digits."""
    from mmcourse.learning import training

    found = {}
    for each in SIZES if way in SWEPT else (EACH,):
        train, validation, test = parts(each)
        training.set_seed(ROUND)
        model, source = network(way), batches(way, *train, BATCH * STEPS)
        inputs = {"validation": validation[0] / 255, "test": test[0] / 255}
        targets = np.eye(10, dtype="float32")[validation[1]]
        best, waited, looks = np.inf, 0, 0
        with measure(1):
            while waited < PATIENCE and looks < MOST:
                model.fit(*next(source), batch_size=BATCH, shuffle=False, verbose=0)
                loss = model.evaluate(inputs["validation"], targets, batch_size=500, verbose=0)
                waited, looks = (0 if loss < best else waited + 1), looks + 1
                if loss < best:
                    best, weights = loss, model.get_weights()
        model.set_weights(weights)
        answers = {
            name: model.predict(one, batch_size=500, verbose=0).argmax(axis=1) for name, one in inputs.items()
        }
        labels = {"validation": validation[1], "test": test[1]}
        found[str(each)] = scores(answers, labels) | {"steps": (looks - waited) * STEPS}
    return {"scores": found}


def by_regression(way: str, measure: compare.Measurement) -> dict:
    """Logistic regression on the pixels: of the digits, or of changed copies of them beside."""
    from sklearn.linear_model import LogisticRegression

    (pictures, labels), validation, test = parts(EACH)
    if way != "none":
        random, change = np.random.default_rng([22, ROUND]), changes()[way]
        copies = [pictures, *(change(pictures, random) for _ in range(COPIES))]
        pictures, labels = np.concatenate(copies), np.tile(labels, COPIES + 1)
    flat = [one.reshape(len(one), -1) / 255 for one in (pictures, validation[0], test[0])]
    with measure(1):
        fitted = [LogisticRegression(C=c, max_iter=500).fit(flat[0], labels) for c in STRENGTHS]
    best = max(fitted, key=lambda model: model.score(flat[1], validation[1]))
    answers = {"validation": best.predict(flat[1]), "test": best.predict(flat[2])}
    return {"scores": {str(EACH): scores(answers, {"validation": validation[1], "test": test[1]})}}


NETWORKS = ("none", "dropout", "small warps", "large warps", "noise", "mirror", "half turns", "mixup")
WAYS = {way: lambda measure, way=way: by_network(way, measure) for way in NETWORKS}
WAYS |= {
    "regression": lambda measure: by_regression("none", measure),
    "regression, small warps": lambda measure: by_regression("small warps", measure),
}

if __name__ == "__main__":
    compare.main(
        WAYS, "none", "trainings", ("keras", "numpy", "opencv-python-headless", "scikit-learn", "tensorflow")
    )
