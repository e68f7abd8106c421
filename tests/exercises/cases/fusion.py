"""Right and wrong answers to the exercises of the notebook on fusion."""

import numpy as np
from sklearn.linear_model import LogisticRegression


def product(seen, heard, prior):
    joint = seen * heard / prior
    return joint / joint.sum(axis=1, keepdims=True)


def product_of_logs(seen, heard, prior):
    logits = np.log(seen) + np.log(heard) - np.log(prior)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def without_prior(seen, heard, prior):
    return product(seen, heard, np.ones_like(prior))


def geometric(seen, heard, prior):
    joint = np.sqrt(seen * heard)
    return joint / joint.sum(axis=1, keepdims=True)


def within(inputs, modality, labels, seed, step=1, mix=True):
    draw, moved = np.random.default_rng(seed), inputs[modality].copy()
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        rows = draw.permutation(rows) if mix else rows
        moved[rows] = inputs[modality][np.roll(rows, step)]
    return {**inputs, modality: moved}


def across(inputs, modality, labels, seed):
    return {**inputs, modality: np.roll(inputs[modality], 1, axis=0)}


def shuffled_within(inputs, modality, labels, seed):
    """A plain shuffle: some rows keep their own."""
    draw, moved = np.random.default_rng(seed), inputs[modality].copy()
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        moved[rows] = inputs[modality][draw.permutation(rows)]
    return {**inputs, modality: moved}


def in_place(inputs, modality, labels, seed):
    inputs[modality][:] = within(inputs, modality, labels, seed)[modality]
    return inputs


def class_means(inputs, modality, labels, seed):
    moved = inputs[modality].copy()
    for label in np.unique(labels):
        moved[labels == label] = moved[labels == label].mean(axis=0)
    return {**inputs, modality: moved}


def questions(seen, heard, labels, additive=True, products=True):
    first, second = np.eye(10)[seen], np.eye(10)[heard]
    together = np.hstack([first, second])
    crossed = (first[:, :, None] * second[:, None, :]).reshape(len(seen), -1)
    rows = [together if additive else crossed, crossed if products else together]
    models = [LogisticRegression(C=100, max_iter=5000).fit(one, labels) for one in rows]
    return [model.score(one, labels) for model, one in zip(models, rows, strict=True)]


RIGHT = {
    "fusion-product": {"formula": product, "logits": product_of_logs},
    "fusion-weights": {
        "formula": lambda image, sound, classes, rank: (
            (image + 1) * (sound + 1) * classes,
            rank * (image + sound + 2 + classes),
        ),
        "counted": lambda image, sound, classes, rank: [
            np.ones((image + 1, sound + 1, classes)).size,
            sum(np.ones((rows, rank)).size for rows in (image + 1, sound + 1, classes)),
        ],
    },
    "fusion-within": {
        "a random cycle": within,
        "in order": lambda *arguments: within(*arguments, mix=False),
        "backwards": lambda *arguments: within(*arguments, step=-1),
    },
    "fusion-questions": {"regression": questions},
}

WRONG = {
    "fusion-product": {
        "no prior": without_prior,
        "mean": lambda seen, heard, prior: (seen + heard) / 2,
        "not normalised": lambda seen, heard, prior: seen * heard / prior,
        "times prior": lambda seen, heard, prior: product(seen, heard, 1 / prior),
        "geometric mean": geometric,
    },
    "fusion-weights": {
        "no ones": lambda image, sound, classes, rank: (
            image * sound * classes,
            rank * (image + sound + classes),
        ),
        "a single number": lambda image, sound, classes, rank: (image + 1) * (sound + 1) * classes,
        "one common one": lambda image, sound, classes, rank: (
            (image + 1) * (sound + 1) * classes,
            rank * (image + sound + 1 + classes),
        ),
        "no answers": lambda image, sound, classes, rank: (
            (image + 1) * (sound + 1) * classes,
            rank * (image + sound + 2),
        ),
    },
    "fusion-within": {
        "across classes": across,
        "nothing": lambda inputs, modality, labels, seed: dict(inputs),
        "some stay": shuffled_within,
        "in place": in_place,
        "means": class_means,
        "only one": lambda inputs, modality, labels, seed: {
            modality: within(inputs, modality, labels, seed)[modality]
        },
    },
    "fusion-questions": {
        "products twice": lambda *arguments: questions(*arguments, additive=False),
        "no products": lambda *arguments: questions(*arguments, products=False),
        "swapped": lambda *arguments: questions(*arguments)[::-1],
        "one number": lambda *arguments: questions(*arguments)[1],
    },
}
