"""Checkers of the chapter "Words as vectors"."""

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
            "another place is; both directions count.",
        )


def _noise(answer) -> None:
    for counts in ([1, 16], [81, 16, 1], [5, 5, 5], [1000, 10, 1, 1]):
        weights = np.array(counts) ** 0.75
        given = np.asarray(call(answer, np.array(counts)), dtype=float)
        require(given.shape == weights.shape, f"expected one number a word, got the shape {given.shape}")
        require(
            np.allclose(given, weights / weights.sum(), atol=1e-6),
            f"for the counts {counts} you give {given.round(4).tolist()}, not "
            f"{(weights / weights.sum()).round(4).tolist()}: raise each count to the power of 3/4, then "
            "divide by the sum of what you get.",
        )


def _gradient(answer) -> None:
    random = np.random.default_rng(0)
    cases = [(np.array([1.0, 0.0]), np.array([0.0, 1.0]), np.array([[1.0, 1.0]]))]
    cases += [
        (random.normal(size=n), random.normal(size=n), random.normal(size=(k, n)))
        for n, k in ((3, 2), (4, 5))
    ]
    for centre, context, noise in cases:
        sigmoid = lambda score: 1 / (1 + np.exp(-score))  # noqa: E731
        expected = (sigmoid(context @ centre) - 1) * context + sigmoid(noise @ centre) @ noise
        given = np.asarray(call(answer, centre.copy(), context.copy(), noise.copy()), dtype=float)
        require(given.shape == expected.shape, f"expected the shape {expected.shape}, got {given.shape}")
        require(
            not np.allclose(given, -expected, atol=1e-6),
            "that is the gradient of the objective that is made large; the loss is its negative",
        )
        require(
            np.allclose(given, expected, atol=1e-6),
            f"for the vector {centre.round(2).tolist()}, the context {context.round(2).tolist()} and "
            f"{len(noise)} noise vectors you give {given.round(4).tolist()}, "
            f"not {expected.round(4).tolist()}. "
            "Each context adds (what the model says - what is true) times its vector.",
        )


def _neighbours(answer) -> None:
    random = np.random.default_rng(1)
    tables = [np.array([[2.0, 0.1], [100.0, 80.0], [1.0, 0.0], [0.0, 5.0]]), random.normal(size=(12, 3))]
    tables[1] *= random.uniform(0.1, 10, (12, 1))
    for table in tables:
        directions = table / np.linalg.norm(table, axis=1, keepdims=True)
        for row, n in ((0, 1), (2, 3), (1, 2)):
            order = [int(i) for i in np.argsort(-(directions @ directions[row])) if i != row][:n]
            given = [int(i) for i in np.ravel(call(answer, table.copy(), row, n))]
            require(row not in given, f"row {row} is among its own neighbours: leave it out")
            require(
                given == order,
                f"for row {row} of a table of {len(table)} vectors and n = {n} you give the rows {given}, "
                f"not {order}. A cosine is the scalar product of two vectors divided by their lengths; "
                "the nearest comes first.",
            )


def _glove(answer) -> None:
    random = np.random.default_rng(2)
    for words, size in ((3, 2), (5, 4)):
        counts = np.array(random.choice([0.0, 0.5, 3.0, 10.0, 100.0, 250.0], (words, words)))
        counts[0, :2] = 250.0, 0.0
        w, other = random.normal(size=(2, words, size))
        b, other_b = random.normal(size=(2, words))
        seen = counts > 0
        errors = w @ other.T + b[:, None] + other_b - np.log(np.where(seen, counts, 1.0))
        expected = (np.minimum(1.0, (counts / 100) ** 0.75) * errors**2)[seen].sum()
        given = float(call(answer, counts, w, other, b, other_b))
        require(
            np.isfinite(given),
            f"you give {given}: the logarithm of a count of 0 is not finite; leave zeros out",
        )
        require(
            abs(given - expected) < 1e-6 * max(1.0, abs(expected)),
            f"for {words} words with vectors of {size} numbers you give {given:.4f}, not {expected:.4f}. The "
            "weight is (X / 100) to the power of 3/4, never above 1; b goes with the row, b̃ with the column.",
        )


def _pmi(answer) -> None:
    for counts in ([[0, 4, 1], [4, 0, 1], [1, 1, 2]], [[2, 1], [1, 4]], [[1, 1], [1, 1]]):
        counts = np.array(counts, dtype=float)
        share = counts.sum(axis=1) / counts.sum()
        with np.errstate(divide="ignore"):
            expected = np.maximum(np.log(counts / counts.sum() / np.outer(share, share)), 0.0)
        given = np.asarray(call(answer, counts.copy()), dtype=float)
        require(given.shape == counts.shape, f"expected the shape {counts.shape}, got {given.shape}")
        require(
            np.isfinite(given).all(), "your table holds an infinite number or NaN: a pair never seen gets 0"
        )
        require(
            np.allclose(given, expected, atol=1e-6),
            f"for the counts {counts.astype(int).tolist()} you give {given.round(3).tolist()}, not "
            f"{expected.round(3).tolist()}. Compare the pair's share of all counts with the product of the "
            "two words' shares, take the natural logarithm, and replace what is below 0 by 0.",
        )


CHECKERS: dict[str, Callable] = {
    "embeddings-pairs": _pairs,
    "embeddings-pmi": _pmi,
    "embeddings-noise": _noise,
    "embeddings-gradient": _gradient,
    "embeddings-neighbours": _neighbours,
    "embeddings-glove": _glove,
}
