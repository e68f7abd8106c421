"""Digits read by a Vision Transformer, by the same without positions, and by its rivals.

A round is a seed. Every network reads the same 3,500 digits for 40 epochs, shifted at random by up to
two pixels. The rivals are a convolutional network and logistic regression, which reads the digits as
they are; its penalty is chosen on the validation set.
What notebook 39 shows are the accuracies on the validation set (by epoch) and the test set and, for the
Vision Transformer, what is left of them when patches are taken away in the order of its attention, of its
roll-out, of ink, or at random.

    python benchmarks/vision_transformer.py --rounds 5 --output benchmarks/results/vision_transformer.json
"""

import os

import compare
import numpy as np

ROUND = int(os.environ.get("BENCHMARK_ROUND", 0))
PATCH, WIDTH, HEADS, BLOCKS, BATCH, RATE = 7, 64, 4, 2, 128, 3e-3
EPOCHS, SHIFT, REMOVED = int(os.environ.get("BENCHMARK_EPOCHS", 40)), 2, 8


def part(split: str) -> tuple[np.ndarray, np.ndarray]:
    """Images ``(count, 28, 28, 1)`` with mean about 0 and deviation about 1, and their digits."""
    from mmcourse.data import digits

    images, labels = digits.load().part(split)
    return ((images[..., None] / 255 - 0.13) / 0.31).astype("float32"), labels.astype("int32")


def shifted(images: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Each image moved by up to ``SHIFT`` pixels, paper filling the gap."""
    edges = [(0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT), (0, 0)]
    wide = np.pad(images, edges, constant_values=images.min())
    corners = random.integers(2 * SHIFT + 1, size=(len(images), 2))
    return np.stack([image[y : y + 28, x : x + 28] for image, (y, x) in zip(wide, corners, strict=True)])


def transformer(positions: bool = True):
    """The model, and the same model with a mask ``(batch, 1, 1, 17)`` that hides patches."""
    import keras

    from mmcourse import layers

    images, seen = keras.Input((28, 28, 1)), keras.Input((1, 1, 17), dtype="bool")
    embedding = layers.PatchEmbedding(PATCH, WIDTH, positions)
    blocks = [layers.TransformerBlock(HEADS, WIDTH, 2 * WIDTH) for _ in range(BLOCKS)]
    norm, to_digit = keras.layers.LayerNormalization(epsilon=1e-6), keras.layers.Dense(10)
    tokens = embedding(images)
    hidden, hidden_masked = tokens, tokens
    for block in blocks:
        hidden, hidden_masked = block(hidden), block(hidden_masked, seen)
    for variable in embedding.trainable_variables:
        if "class_token" in variable.path or "position" in variable.path:
            variable.assign(variable * 15)  # larger, so that few steps suffice
    model = keras.Model(images, to_digit(norm(hidden[:, 0])))
    masked = keras.Model([images, seen], to_digit(norm(hidden_masked[:, 0])))
    return model, masked, keras.Model(images, tokens), blocks


def convolutional_network():
    """A small network of half the size."""
    import keras

    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(16, 3, 2, "same", activation="relu"),
            keras.layers.Conv2D(32, 3, 2, "same", activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(10),
        ]
    )


def logits_of(model, *inputs) -> np.ndarray:
    return model.predict(list(inputs) if len(inputs) > 1 else inputs[0], batch_size=500, verbose=0)


def share_right(model, images: np.ndarray, labels: np.ndarray) -> float:
    return round(float((logits_of(model, images).argmax(axis=-1) == labels).mean()), 4)


def trained(model, measure: compare.Measurement) -> dict:
    """Train; the accuracy on the validation set after each epoch, and on the test set at the end."""
    import keras

    images, labels = part("train")
    validation, test = part("validation"), part("test")
    steps = EPOCHS * (len(images) // BATCH)
    schedule = keras.optimizers.schedules.CosineDecay(
        RATE / 10, steps - steps // 10, warmup_target=RATE, warmup_steps=steps // 10
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.AdamW(schedule, weight_decay=0.05), loss, jit_compile=False)
    random, curve = np.random.default_rng(ROUND), []
    for _ in range(EPOCHS):
        order = random.permutation(len(images))[: len(images) // BATCH * BATCH]
        moved = shifted(images[order], random)
        with measure(len(order)):
            model.fit(moved, labels[order], BATCH, shuffle=False, verbose=0)
        curve.append(share_right(model, *validation))
    return {"validation": curve, "test": share_right(model, *test), "weights": model.count_params()}


def rankings(tokens: np.ndarray, images: np.ndarray, blocks: list) -> dict[str, np.ndarray]:
    """Four ways to say which patches matter: each ``(images, 16)``, large where it matters."""
    from mmcourse import layers
    from mmcourse.mathematics import attention

    hidden, total = tokens, np.eye(tokens.shape[1])
    for block in blocks:
        hidden, weights = attention.transformer_block(hidden, block.get_weights(), HEADS)
        mean = weights.mean(axis=1)  # over the heads: (images, 17, 17)
        total = (mean + np.eye(mean.shape[1])) / 2 @ total
    ink = layers.cut_patches(images, PATCH).mean(axis=-1)
    chance = np.random.default_rng(ROUND).random(ink.shape)
    return {
        "attention": mean[:, 0, 1:],
        "roll-out": total[:, 0, 1:],
        "ink": ink,
        "random": chance,
        "random with ink": chance + 10 * (ink > np.quantile(ink, 0.3)),
    }


def deletion(masked, rank: np.ndarray, images: np.ndarray, labels: np.ndarray) -> dict:
    """Hide the first 0, 1, 2, … patches from all tokens: accuracy, and how the answer's probability falls."""
    from mmcourse.mathematics import attention

    order, seen = np.argsort(-rank, axis=1), np.ones((len(images), 1, 1, 17), dtype=bool)
    accuracy, sure, answers = [], [], None
    for count in range(REMOVED + 1):
        if count:
            seen[np.arange(len(images)), 0, 0, 1 + order[:, count - 1]] = False
        logits = logits_of(masked, images, seen)
        answers = logits.argmax(axis=-1) if answers is None else answers
        accuracy.append(round(float((logits.argmax(axis=-1) == labels).mean()), 4))
        sure.append(attention.softmax(logits)[np.arange(len(images)), answers])
    fall = sure[0] - sure[1]
    return {
        "accuracy": accuracy,
        "first patch": round(float(fall.mean()), 4),
        "half-width": round(float(1.96 * fall.std() / np.sqrt(len(fall))), 4),
    }


def shuffled(images: np.ndarray) -> np.ndarray:
    """The patches of each image in an order of its own."""
    from mmcourse import layers

    random = np.random.default_rng(ROUND)
    patches = layers.cut_patches(images, PATCH)  # (count, 16, 49)
    order = random.permuted(np.tile(np.arange(16), (len(images), 1)), axis=1)
    patches = np.take_along_axis(patches, order[..., None], axis=1).reshape(-1, 4, 4, PATCH, PATCH)
    return patches.transpose(0, 1, 3, 2, 4).reshape(images.shape)


def by_transformer(measure: compare.Measurement) -> dict:
    """The Vision Transformer, and what its attention is worth."""
    from mmcourse.learning import training

    training.set_seed(ROUND)
    model, masked, embed, blocks = transformer()
    figures = trained(model, measure)
    images, labels = part("test")
    figures["test, patches shuffled"] = share_right(model, shuffled(images), labels)
    ranks = rankings(logits_of(embed, images), images, blocks)
    figures["deletion"] = {name: deletion(masked, rank, images, labels) for name, rank in ranks.items()}
    return figures


def by_training(build):
    """Another network, trained in the same way."""

    def way(measure: compare.Measurement) -> dict:
        from mmcourse.learning import training

        training.set_seed(ROUND)
        return trained(build(), measure)

    return way


def by_logistic_regression(measure: compare.Measurement) -> dict:
    """The simplest rival. It is the same in every round."""
    from sklearn.linear_model import LogisticRegression

    (images, labels), validation, test = part("train"), part("validation"), part("test")
    models = []
    for penalty in (0.001, 0.003, 0.01, 0.03):
        with measure(len(images)):
            model = LogisticRegression(C=penalty, max_iter=300).fit(images.reshape(len(images), -1), labels)
        models.append(
            (model.score(validation[0].reshape(len(validation[0]), -1), validation[1]), penalty, model)
        )
    best, penalty, model = max(models, key=lambda entry: entry[0])
    return {
        "C": penalty,
        "validation": [round(best, 4)],
        "test": round(model.score(test[0].reshape(len(test[0]), -1), test[1]), 4),
    }


WAYS = {
    "transformer": by_transformer,
    "without positions": by_training(lambda: transformer(positions=False)[0]),
    "convolutional network": by_training(convolutional_network),
    "logistic regression": by_logistic_regression,
}

if __name__ == "__main__":
    compare.main(WAYS, "logistic regression", "images", ("keras", "tensorflow", "scikit-learn"))
