"""Right and wrong answers to the exercises of "Words as vectors"."""

import numpy as np

from mmcourse.exercises import embeddings as checker
from mmcourse.mathematics import embeddings
from mmcourse.text.corpus import Corpus


def pairs(tokens, window, *, right=True, itself=False, reach=0):
    return [
        (word, tokens[j])
        for i, word in enumerate(tokens)
        for j in range(max(0, i - window - reach), min(len(tokens), i + (window + reach) * right + 1))
        if itself or j != i
    ]


def sigmoid(scores):
    return 1 / (1 + np.exp(-scores))


def cbow(around, word, noise, *, truth=1.0, share=None, middle=np.mean):
    mean = middle(around, axis=0)
    by_mean = (sigmoid(word @ mean) - truth) * word + sigmoid(noise @ mean) @ noise
    return by_mean / (share or len(around))


def ranked(sentences, window, word):
    cosines = checker.cosines_by_counting(sentences, window, word)
    return sorted(cosines, key=cosines.get, reverse=True)


def by_counting(sentences, window, word, n, *, pmi=True, by_distance=False, across=False):
    corpus = Corpus.of([[w for s in sentences for w in s]] if across else sentences)
    table = embeddings.cooccurrences(corpus, window, by_distance)
    table = embeddings.positive_pmi(table) if pmi else table
    found = embeddings.WordVectors(corpus.words, table.toarray()).most_similar(word, n)
    return [other for other, _ in found]


RIGHT = {
    "embeddings-pairs": {
        "one list": pairs,
        "a set of places": lambda tokens, window: [
            (tokens[i], tokens[j])
            for i in range(len(tokens))
            for j in range(len(tokens))
            if 0 < abs(i - j) <= window
        ],
        "lists": lambda tokens, window: [list(pair) for pair in pairs(tokens, window)],
    },
    "embeddings-cbow": {
        "arrays": cbow,
        "float32": lambda *arrays: cbow(*(array.astype(np.float32) for array in arrays)),
        "a list": lambda *arrays: cbow(*arrays).tolist(),
    },
    "embeddings-window": {
        "the package": by_counting,
        "loops": lambda sentences, window, word, n: ranked(sentences, window, word)[:n],
        "a tuple": lambda *arguments: tuple(by_counting(*arguments)),
    },
}


WRONG = {
    "embeddings-pairs": {
        "only to the right": lambda tokens, window: [
            (tokens[i], tokens[j])
            for i in range(len(tokens))
            for j in range(i + 1, min(len(tokens), i + window + 1))
        ],
        "with itself": lambda tokens, window: pairs(tokens, window, itself=True),
        "one too far": lambda tokens, window: pairs(tokens, window, reach=1),
        "equal words left out": lambda tokens, window: [p for p in pairs(tokens, window) if p[0] != p[1]],
        "each once": lambda tokens, window: list(set(pairs(tokens, window))),
        "around the end": lambda tokens, window: [
            (word, tokens[i - d]) for i, word in enumerate(tokens) for d in range(1, window + 1)
        ],
    },
    "embeddings-cbow": {
        "by the mean": lambda *arrays: cbow(*arrays, share=1),
        "the wrong sign": lambda *arrays: -cbow(*arrays),
        "no truth": lambda *arrays: cbow(*arrays, truth=0.0),
        "the sum": lambda *arrays: cbow(*arrays, middle=np.sum),
        "without noise": lambda around, word, noise: cbow(around, word, 0 * noise),
        "for all neighbours": lambda around, word, noise: np.tile(cbow(around, word, noise), (2, 1)),
    },
    "embeddings-window": {
        "raw counts": lambda *arguments: by_counting(*arguments, pmi=False),
        "across sentences": lambda *arguments: by_counting(*arguments, across=True),
        "a window of 2 always": lambda sentences, window, word, n: by_counting(sentences, 2, word, n),
        "one too few": lambda sentences, window, word, n: by_counting(sentences, window, word, n)[: n - 1],
        "with itself": lambda text, window, word, n: [word, *by_counting(text, window, word, n)][:n],
        "the farthest": lambda sentences, window, word, n: ranked(sentences, window, word)[::-1][:n],
    },
}
