"""Right and wrong answers to the exercises of "Does order matter?"."""

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression


def last_by_loop(outputs, mask):
    return [row[real][-1] for row, real in zip(outputs, mask, strict=True)]


def shuffle(
    inputs, mask, random, *, copy=True, all_steps=False, one_order=False, features=False, turned=False
):
    """The shuffle with the faults that the arguments ask for."""
    mixed = inputs.copy() if copy else inputs
    shared = random.permutation(inputs.shape[1])
    for row, real in enumerate(mask.sum(axis=1)):
        real = inputs.shape[1] if all_steps else real
        order = random.permutation(real)
        if one_order:
            order = shared[shared < real]
        if turned:
            order = np.arange(real)[::-1]
        mixed[row, :real] = inputs[row, order]
        if features:
            mixed[row, :real] = random.permuted(inputs[row, :real], axis=0)
    return mixed


def by_index(inputs, mask, random):
    keys = np.where(mask, random.random(mask.shape), 2)  # padding is sorted to the end
    return np.take_along_axis(inputs, keys.argsort(axis=1)[..., None], axis=1)


def pairs(*data, counter=TfidfVectorizer, spans=((1, 1), (1, 2)), on_train=False, strength=10):
    """The comparison with the faults that the arguments ask for."""
    train, train_labels, test, test_labels = data
    scores = []
    for span in spans:
        features = counter(token_pattern=r"\S+", ngram_range=span).fit(train)
        model = LogisticRegression(C=strength, max_iter=3000).fit(features.transform(train), train_labels)
        texts, labels = (train, train_labels) if on_train else (test, test_labels)
        scores.append(model.score(features.transform(texts), labels))
    return scores


RIGHT = {
    "order-last": {
        "by index": lambda outputs, mask: outputs[np.arange(len(outputs)), mask.sum(axis=1) - 1],
        "by a loop": last_by_loop,
    },
    "order-shuffle": {"by a loop": shuffle, "by sorting random numbers": by_index},
    "order-pairs": {"a list": pairs, "an array": lambda *arguments: np.array(pairs(*arguments))},
}

WRONG = {
    "order-last": {
        "the last column": lambda outputs, mask: outputs[:, -1],
        "one too far": lambda outputs, mask: outputs[
            np.arange(len(outputs)), np.minimum(mask.sum(axis=1), outputs.shape[1] - 1)
        ],
        "the first": lambda outputs, mask: outputs[:, 0],
        "the mean": lambda outputs, mask: (outputs * mask[..., None]).sum(1) / mask.sum(1, keepdims=True),
        "everything real": lambda outputs, mask: outputs[mask],
        "masked": lambda outputs, mask: outputs * mask[..., None],
    },
    "order-shuffle": {
        "unchanged": lambda inputs, mask, random: inputs.copy(),
        "padding too": lambda *arguments: shuffle(*arguments, all_steps=True),
        "in place": lambda *arguments: shuffle(*arguments, copy=False),
        "one order for all": lambda *arguments: shuffle(*arguments, one_order=True),
        "steps torn apart": lambda *arguments: shuffle(*arguments, features=True),
        "turned round": lambda *arguments: shuffle(*arguments, turned=True),
        "examples shuffled": lambda inputs, mask, random: inputs[random.permutation(len(inputs))],
        "a generator of its own": lambda inputs, mask, random: shuffle(
            inputs, mask, np.random.default_rng(0)
        ),
    },
    "order-pairs": {
        "counts": lambda *arguments: pairs(*arguments, counter=CountVectorizer),
        "pairs only": lambda *arguments: pairs(*arguments, spans=((1, 1), (2, 2))),
        "exchanged": lambda *arguments: pairs(*arguments)[::-1],
        "on the training texts": lambda *arguments: pairs(*arguments, on_train=True),
        "one score": lambda *arguments: pairs(*arguments)[:1],
        "another strength": lambda *arguments: pairs(*arguments, strength=0.01),
    },
}
