"""Recall a digit by its letter from a list of pairs: attention, a recurrent network, one head and more.

A round is a seed. A list has 4, 8 or 16 pairs of a letter and a digit, all letters different; then a letter
is asked, or two at once. Every list is new, so that none can be learned by heart. What notebook 37 shows are
the shares of 2,000 test lists that are answered right, at ten moments of the training. The recurrent network
gets twice the width and ten times the steps.

    python benchmarks/recall.py --rounds 5 --output benchmarks/results/recall.json
"""

import os

import compare
import numpy as np

ROUND = int(os.environ.get("BENCHMARK_ROUND", 0))
WIDTH, BATCH, RATE, PAIRS, TEST = 32, 128, 5e-3, (4, 8, 16), 2000
STEPS = {"attention": 600, "recurrence": int(os.environ.get("BENCHMARK_STEPS", 6000))}


def lists(random: np.random.Generator, count: int, pairs: int, asked: int = 1) -> tuple[dict, np.ndarray]:
    """``letters``, ``digits`` ``(count, pairs)`` and ``asked`` ``(count, asked)``; the digits of these."""
    letters = random.permuted(np.tile(np.arange(26), (count, 1)), axis=1)[:, :pairs].astype("int32")
    digits = random.integers(10, size=(count, pairs)).astype("int32")
    chosen = random.permuted(np.tile(np.arange(pairs), (count, 1)), axis=1)[:, :asked]
    inputs = {"letters": letters, "digits": digits, "asked": np.take_along_axis(letters, chosen, axis=1)}
    return inputs, np.take_along_axis(digits, chosen, axis=1)


def player(kind: str, pairs: int, asked: int = 1, heads: int = 1):
    """A model that reads the pairs, one token each, and gives ten scores for each asked letter."""
    import keras
    from keras import ops

    def vectors(count: int):
        start = keras.initializers.RandomNormal(stddev=0.5)
        return keras.layers.Embedding(count, WIDTH, embeddings_initializer=start)

    sizes = {"letters": pairs, "digits": pairs, "asked": asked}
    read = {name: keras.Input((size,), dtype="int32", name=name) for name, size in sizes.items()}
    letter = vectors(26)
    tokens = letter(read["letters"]) + vectors(10)(read["digits"])  # (batch, pairs, width)
    wanted = letter(read["asked"])  # (batch, asked, width)
    if kind == "attention":
        query = keras.layers.Dense(WIDTH)(ops.reshape(wanted, (-1, 1, asked * WIDTH)))
        hidden = keras.layers.MultiHeadAttention(heads, WIDTH // heads)(query, tokens)[:, 0]
    else:
        hidden = keras.layers.GRU(2 * WIDTH)(ops.concatenate([tokens, wanted], axis=1))
    scores = keras.layers.Dense(10 * asked)(hidden)
    return keras.Model(read, ops.reshape(scores, (-1, asked, 10)))


def learn(measure: compare.Measurement, kind: str, pairs: int, asked: int = 1, heads: int = 1) -> dict:
    """The share of test lists answered right, after each tenth of the steps."""
    import keras

    from mmcourse.learning import training

    training.set_seed(ROUND)
    model, random, right = player(kind, pairs, asked, heads), np.random.default_rng(ROUND), []
    model.compile(keras.optimizers.Adam(RATE), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    test, answers = lists(np.random.default_rng([2026, ROUND]), TEST, pairs, asked)
    for _ in range(10):
        count = BATCH * STEPS[kind] // 10
        inputs, target = lists(random, count, pairs, asked)
        with measure(count):
            model.fit(inputs, target, batch_size=BATCH, shuffle=False, verbose=0)
        given = model.predict(test, batch_size=TEST, verbose=0).argmax(axis=-1)
        right.append(round(float((given == answers).all(axis=-1).mean()), 4))
    return {"right": right, "weights": model.count_params()}


def each_length(kind: str):
    """One letter is asked, from lists of each length."""

    def way(measure: compare.Measurement) -> dict:
        return {"pairs": {str(pairs): learn(measure, kind, pairs) for pairs in PAIRS}}

    return way


def two_letters(heads: int):
    """Two letters are asked at once, from lists of eight pairs."""
    return lambda measure: learn(measure, "attention", 8, asked=2, heads=heads)


WAYS = {
    "attention": each_length("attention"),
    "recurrence": each_length("recurrence"),
    "one head": two_letters(1),
    "two heads": two_letters(2),
    "four heads": two_letters(4),
}

if __name__ == "__main__":
    compare.main(WAYS, "recurrence", "lists", ("keras", "tensorflow"))
