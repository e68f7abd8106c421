"""Checkers of the notebook "Words as vectors"."""

from collections.abc import Callable

import numpy as np

from mmcourse.exercises.verdict import call, require


def _pairs(answer) -> None:
    cases = (
        (["a", "b", "c"], 1),
        (["a", "b", "c", "d", "e"], 2),
        (["the", "cat", "saw", "the", "dog"], 2),
        (["a", "a", "b"], 1),
        (["alone"], 3),
        (["a", "b"], 5),
    )
    for tokens, window in cases:
        expected = [
            (word, tokens[j])
            for i, word in enumerate(tokens)
            for j in range(max(0, i - window), min(len(tokens), i + window + 1))
            if j != i
        ]
        given = [tuple(pair) for pair in call(answer, list(tokens), window)]
        require(
            sorted(given) == sorted(expected),
            f"for {tokens} and a window of {window} you give {len(given)} pairs, {sorted(given)}; expected "
            f"{len(expected)}, {sorted(expected)}. A word is not its own context, but an equal word at "
            "another position is; both directions count.",
        )


def _cbow(answer) -> None:
    random = np.random.default_rng(0)
    for neighbours, negatives, size in ((1, 1, 2), (4, 2, 3), (3, 5, 4)):
        around, word, noise = (random.normal(size=(n, size)) for n in (neighbours, 1, negatives))
        outputs = np.vstack([word, noise])
        errors = 1 / (1 + np.exp(-outputs @ around.mean(axis=0)))
        errors[0] -= 1
        expected = errors @ outputs / neighbours
        given = np.asarray(call(answer, around.copy(), word[0].copy(), noise.copy()), dtype=float)
        require(given.shape == (size,), f"expected the shape {(size,)}, got {given.shape}")
        require(
            neighbours == 1 or not np.allclose(given, expected * neighbours, atol=1e-6),
            "that is the gradient with respect to the mean; one neighbour makes up only a part of the mean.",
        )
        require(
            np.allclose(given, expected, atol=1e-6),
            f"for {neighbours} neighbours and {negatives} noise words you give {given.round(4).tolist()}, "
            f"not {expected.round(4).tolist()}. Each output adds (what the model says - what is true) times "
            "its vector; the chain rule then asks how far the mean follows one neighbour.",
        )


def cosines_by_counting(sentences: list[list[str]], window: int, word: str) -> dict[str, float]:
    """The cosine of every other word's row of positive PMI with a word's, by loops instead of the package."""
    words = list(dict.fromkeys(word for sentence in sentences for word in sentence))
    counts = np.zeros((len(words), len(words)))
    for sentence in sentences:
        rows = [words.index(word) for word in sentence]
        for i, row in enumerate(rows):
            for other in rows[i + 1 : i + 1 + window]:
                counts[row, other] += 1
                counts[other, row] += 1
    share = counts.sum(axis=1) / counts.sum()
    table = np.log(np.maximum(counts / counts.sum() / np.outer(share, share), 1))
    table /= np.maximum(np.linalg.norm(table, axis=1, keepdims=True), 1e-12)
    cosines = dict(zip(words, (table @ table[words.index(word)]).tolist(), strict=True))
    del cosines[word]
    return cosines


def _window(answer) -> None:
    toy = "the cat drinks milk/the dog drinks milk/the car needs petrol/the bus needs petrol"
    colours = "a blue sky over the sea/a red rose in the garden/a grey sky over the sea/a red apple on a tree"
    for text in (toy, colours):
        sentences = [line.split() for line in text.split("/")]
        for window, number, n in ((1, 0, 3), (2, 1, 1), (2, 13, 4), (5, 0, 3)):
            word = text.replace("/", " ").split()[number]
            cosines = cosines_by_counting(sentences, window, word)
            expected = sorted(cosines, key=cosines.get, reverse=True)[:n]
            given = list(call(answer, [list(sentence) for sentence in sentences], window, word, n))
            require(word not in given, f"{word!r} is among its own neighbours: leave it out")
            require(
                len(given) == len(set(given)) == n and set(given) <= set(cosines),
                f"expected {n} different words of the text, nearest first; you give {given}",
            )
            found, best = ([cosines[other] for other in some] for some in (given, expected))
            require(
                np.allclose(found, best, atol=1e-6),
                f"for the sentences {text!r}, a window of {window} and {word!r} you give {given}, with the "
                f"cosines {np.round(found, 3).tolist()}; nearer are {expected}, with "
                f"{np.round(best, 3).tolist()}. Count in both directions, and within sentences only.",
            )


CHECKERS: dict[str, Callable] = {
    "embeddings-pairs": _pairs,
    "embeddings-cbow": _cbow,
    "embeddings-window": _window,
}
