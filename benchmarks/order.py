"""Do film reviews and spoken digits need their order? Readers that know it against readers that do not.

A round is a seed: of the starting weights, of the order of the batches and of the shuffling. Every network is
trained until the loss on the validation set has not fallen for three epochs, and its best weights are kept;
logistic regression gets the strength of its regularisation from the validation set too. Scores are shares of
right answers on the test set. The notebook "Does order matter?" shows them; the speeds, in networks a second,
come with them.

"in order" is an LSTM (films) or a GRU (digits); "average" differs from it in one layer, and takes the mean of
the vectors that the other reads in order. "shuffled" is trained and validated with the steps of every example
in random order. "which way" answers another question about the same data: is this example turned round?

    python benchmarks/order.py --output benchmarks/results/order.json
"""

import os
from collections import Counter

import compare
import numpy as np

ROUND = int(os.environ.get("BENCHMARK_ROUND", 0))
WORDS, FRAMES = 36, 36
STRENGTHS = (0.3, 1, 3, 10, 30)
PROBES = (
    "not bad at all it is good",
    "not good at all it is bad",
    "a good film",
    "not a good film",
    "a bad film",
    "a film that is not bad",
)
Example = tuple[np.ndarray, np.ndarray]  # inputs and mask


def shuffled(inputs: np.ndarray, mask: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The real steps of every example in random order."""
    inputs = inputs.copy()
    for row, real in enumerate(mask.sum(axis=1)):
        inputs[row, :real] = random.permutation(inputs[row, :real])
    return inputs


def both_ways(inputs: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Every example as it is, and then every one turned round."""
    turned = inputs.copy()
    for row, real in enumerate(mask.sum(axis=1)):
        turned[row, :real] = turned[row, :real][::-1]
    return np.concatenate([inputs, turned])


def best_regression(data: dict, labels: dict) -> dict:
    """The logistic regression whose strength does best on the validation set."""
    from sklearn.linear_model import LogisticRegression

    fitted = [LogisticRegression(C=c, max_iter=3000).fit(data["train"], labels["train"]) for c in STRENGTHS]
    model = max(fitted, key=lambda model: model.score(data["validation"], labels["validation"]))
    return {"strength": model.C} | score(model.predict(data["test"]) == labels["test"])


def score(right: np.ndarray) -> dict:
    """Share of right answers, and one character for each: 1 where it is right."""
    return {"test": round(float(right.mean()), 4), "right": "".join("01"[int(one)] for one in right)}


def train(build, data: dict, labels: dict, rate: float, measure: compare.Measurement):
    """Train until the validation loss no longer falls; the network, and the epoch that is kept."""
    import keras

    network = build()
    one = network.output_shape[-1] == 1
    loss = keras.losses.BinaryCrossentropy if one else keras.losses.SparseCategoricalCrossentropy
    network.compile(
        keras.optimizers.Adam(rate), loss(from_logits=True), steps_per_execution=10, jit_compile=False
    )
    with measure(1):
        history = network.fit(
            data["train"],
            labels["train"],
            validation_data=(data["validation"], labels["validation"]),
            batch_size=128,
            epochs=30,
            callbacks=[keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True)],
            verbose=0,
        )
    return network, int(np.argmin(history.history["val_loss"])) + 1


def right(network, inputs, labels: np.ndarray) -> np.ndarray:
    """Which of a network's answers are right."""
    logits = network.predict(inputs, batch_size=1024, verbose=0)
    return (logits[:, 0] > 0 if logits.shape[1] == 1 else logits.argmax(axis=1)) == labels


def arms(
    build, data: dict[str, Example], labels: dict, rate: float, as_input, measure
) -> tuple[dict, object]:
    """The four networks of a data set; their scores, and the one that reads in order."""
    random = np.random.default_rng(ROUND)
    mixed = {name: (shuffled(*one, random), one[1]) for name, one in data.items()}
    turned = {name: (both_ways(*one), np.tile(one[1], (2, 1))) for name, one in data.items()}
    way = {name: np.repeat([0, 1], len(one)) for name, one in labels.items()}
    plans = {
        "in order": (data, labels, "reader"),
        "average": (data, labels, "average"),
        "shuffled": (mixed, labels, "reader"),
        "which way": (turned, way, "reader"),
    }
    found, kept = {}, None
    for name, (examples, answers, kind) in plans.items():
        given = {part: as_input(*one) for part, one in examples.items()}
        outputs = 1 if name == "which way" else None
        network, epochs = train(lambda k=kind, o=outputs: build(k, o), given, answers, rate, measure)
        found[name] = score(right(network, given["test"], answers["test"])) | {"epochs": epochs}
        if name == "in order":
            kept = network
            found[name]["test, shuffled"] = round(
                float(right(network, as_input(*mixed["test"]), labels["test"]).mean()), 4
            )
    return found, kept


def films(measure: compare.Measurement) -> dict:
    """Praise or blame, from words."""
    import keras
    from keras import layers
    from sklearn.feature_extraction.text import TfidfVectorizer

    from mmcourse.data import film_reviews
    from mmcourse.learning import training

    training.set_seed(ROUND)
    reviews = film_reviews.load()
    rows = {name: reviews.clear(name) for name in reviews.splits}
    labels = {name: found[1] for name, found in rows.items()}
    words = {name: [film_reviews.words(reviews.texts[i]) for i in found[0]] for name, found in rows.items()}
    scores = {}
    for name, longest in (("TF-IDF", 1), ("TF-IDF with pairs", 2)):
        counter = TfidfVectorizer(token_pattern=r"\S+", ngram_range=(1, longest))
        texts = {part: [" ".join(text) for text in found] for part, found in words.items()}
        counter.fit(texts["train"])
        scores[name] = best_regression({part: counter.transform(one) for part, one in texts.items()}, labels)
    counts = Counter(word for text in words["train"] for word in text)
    number_of = {word: n for n, word in enumerate((w for w, c in counts.items() if c > 1), start=2)}

    def encode(texts) -> Example:
        ids = np.zeros((len(texts), WORDS), dtype="int32")
        for row, text in enumerate(texts):
            ids[row, : len(text)] = [number_of.get(word, 1) for word in text[:WORDS]]
        return ids, ids > 0

    def build(kind: str, outputs: int | None):
        token_ids = keras.Input((WORDS,), dtype="int32")
        vectors = layers.Embedding(len(number_of) + 2, 32, mask_zero=True)(token_ids)
        reader = layers.LSTM(32) if kind == "reader" else layers.GlobalAveragePooling1D()
        state = layers.Dropout(0.3)(reader(layers.Dropout(0.3)(vectors)))
        return keras.Model(token_ids, layers.Dense(1)(state))

    data = {name: encode(texts) for name, texts in words.items()}
    found, network = arms(build, data, labels, 3e-3, lambda ids, mask: ids, measure)
    logits = network.predict(encode([film_reviews.words(text) for text in PROBES])[0], verbose=0)[:, 0]
    found["in order"]["probes"] = [round(float(1 / (1 + np.exp(-one))), 3) for one in logits]
    return {"scores": scores | found}


def digits(measure: compare.Measurement) -> dict:
    """Which of ten digits, from frames."""
    import keras
    from keras import layers

    from mmcourse.data import spoken_digits
    from mmcourse.learning import training

    training.set_seed(ROUND)
    speech = spoken_digits.load()
    labels = {name: speech.digits[rows] for name, rows in speech.splits.items()}
    frames = {name: [speech.standardised(i) for i in rows] for name, rows in speech.splits.items()}
    features = {
        name: np.array([np.r_[f.mean(axis=0), f.std(axis=0)] for f in found])
        for name, found in frames.items()
    }
    scores = {"mean and spread": best_regression(features, labels)}

    def build(kind: str, outputs: int | None):
        inputs, mask = keras.Input((FRAMES, 13)), keras.Input((FRAMES,), dtype="bool")
        reader = layers.GRU(48) if kind == "reader" else layers.GlobalAveragePooling1D()
        state = reader(layers.Dense(64, activation="relu")(inputs), mask=mask)
        return keras.Model([inputs, mask], layers.Dense(outputs or 10)(state))

    data = {name: speech.padded(rows, FRAMES) for name, rows in speech.splits.items()}
    found, network = arms(build, data, labels, 5e-3, lambda frames, mask: [frames, mask], measure)
    test, mask = data["test"]
    no_mask = right(network, [test, np.ones_like(mask)], labels["test"])
    found["in order"]["test, mask ignored"] = round(float(no_mask.mean()), 4)
    return {"scores": scores | found}


WAYS = {"films": films, "digits": digits}

if __name__ == "__main__":
    compare.main(WAYS, "films", "networks", ("keras", "tensorflow", "scikit-learn", "numpy"))
