"""Right and wrong answers to the exercises of the notebook on the background."""

import numpy as np
from sklearn.linear_model import LogisticRegression


def size(layers, width, vocabulary, context, biases=13, last=2):
    block = 12 * width**2 + biases * width
    return layers * block + (vocabulary + context) * width + last * width


def size_by_arrays(layers, width, vocabulary, context):
    shapes = [(vocabulary, width), (context, width), (2, width)]
    for _ in range(layers):
        shapes += [(width, width)] * 4 + [(width, 4 * width), (4 * width, width)]
        shapes += [(width,)] * 4 + [(4 * width,), (width,)] + [(width,)] * 4
    return sum(int(np.prod(shape)) for shape in shapes)


def days(parameters, tokens, chips, rate, share, each=6, seconds=86_400):
    return each * parameters * tokens / (chips * rate * share * seconds)


def open_ones(models, needed=("weights", "code", "data"), enough=("yes",), inputs=("image",)):
    return [
        model.name
        for model in models
        if set(inputs) <= set(model.inputs) and all(getattr(model, name) in enough for name in needed)
    ]


def second(first, other, labels, train=slice(0, None, 2), test=slice(1, None, 2)):
    found = []
    for rows in (first, np.hstack([first, other])):
        model = LogisticRegression(C=1, max_iter=1000).fit(rows[train], labels[train])
        found.append(model.score(rows[test], labels[test]))
    return found


RIGHT = {
    "background-size": {"formula": size, "arrays": size_by_arrays},
    "background-budget": {
        "formula": days,
        "step by step": lambda n, d, chips, rate, share: 6 * n * d / chips / rate / share / 24 / 3600,
    },
    "background-open": {
        "comprehension": open_ones,
        "a tuple": lambda models: tuple(open_ones(models)),
        "loop": lambda models: [
            m.name
            for m in models
            if "image" in m.inputs and (m.weights, m.code, m.data) == ("yes", "yes", "yes")
        ],
    },
    "background-second": {"regression": second, "as an array": lambda *a: np.array(second(*a))},
}

WRONG = {
    "background-size": {
        "large matrices only": lambda *a: size(*a, biases=0, last=0),
        "no last normalisation": lambda *a: size(*a, last=0),
        "no bias of attention": lambda *a: size(*a, biases=9),
        "no normalisations": lambda *a: size(*a, biases=9, last=0),
        "untied": lambda *a: size(*a) + a[1] * a[2],
        "no places": lambda layers, width, vocabulary, context: size(layers, width, vocabulary, 0),
    },
    "background-budget": {
        "forward only": lambda *a: days(*a, each=2),
        "seconds": lambda *a: days(*a, seconds=1),
        "peak": lambda n, d, chips, rate, share: days(n, d, chips, rate, 1),
        "one chip": lambda n, d, chips, rate, share: days(n, d, 1, rate, share),
        "hours": lambda *a: days(*a, seconds=3600),
    },
    "background-open": {
        "part is enough": lambda models: open_ones(models, enough=("yes", "part")),
        "paper too": lambda models: open_ones(models, needed=("weights", "code", "data", "paper")),
        "weights only": lambda models: open_ones(models, needed=("weights",)),
        "any input": lambda models: open_ones(models, inputs=()),
        "image only": lambda models: [name for name in open_ones(models) if "all" not in name],
        "sorted": lambda models: sorted(open_ones(models)),
        "the models": lambda models: [one for one in models if one.name in open_ones(models)],
        "a set": lambda models: set(open_ones(models)),
    },
    "background-second": {
        "training rows": lambda *a: second(*a, test=slice(0, None, 2)),
        "both twice": lambda *a: second(*a)[1:] * 2,
        "swapped": lambda *a: second(*a)[::-1],
        "other way round": lambda *a: second(*a, train=slice(1, None, 2), test=slice(0, None, 2)),
        "one number": lambda *a: second(*a)[1],
    },
}
