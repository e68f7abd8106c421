"""Checkers of the notebook "Does order matter?"."""

from collections.abc import Callable

import numpy as np

from mmcourse.data import film_reviews
from mmcourse.exercises.verdict import call, require


def _last(answer) -> None:
    random = np.random.default_rng(7)
    for lengths, steps, units in (([3, 1, 4], 4, 2), ([2], 5, 3), ([5, 5], 5, 1)):
        outputs = random.normal(size=(len(lengths), steps, units))
        mask = np.arange(steps) < np.array(lengths)[:, None]
        expected = np.array([outputs[row, length - 1] for row, length in enumerate(lengths)])
        given = np.asarray(call(answer, outputs.copy(), mask.copy()), dtype=float)
        require(given.shape == expected.shape, f"expected the shape {expected.shape}, got {given.shape}")
        require(
            np.allclose(given, expected),
            f"sequences of {lengths} real steps out of {steps}: the outputs that you give are not those of "
            "the last real steps. A sequence of 3 real steps has its last one at position 2.",
        )


def _shuffle(answer) -> None:
    lengths, steps = [9, 1, 12, 12, 6], 12
    inputs = 1.0 + np.arange(5 * steps * 3).reshape(5, steps, 3)
    mask = np.arange(steps) < np.array(lengths)[:, None]
    inputs[~mask] = 0
    before = inputs.copy()
    given = np.asarray(call(answer, inputs, mask.copy(), np.random.default_rng(1)), dtype=float)
    require(np.array_equal(inputs, before), "your function changes the array that it is given: copy it first")
    require(given.shape == before.shape, f"expected the shape {before.shape}, got {given.shape}")
    require(not given[~mask].any(), "a real step has moved into the padding: shuffle the first steps only")
    orders = []
    for row, length in enumerate(lengths):
        steps_before = {tuple(step): place for place, step in enumerate(before[row, :length])}
        found = [steps_before.get(tuple(step)) for step in given[row, :length]]
        require(
            sorted(map(str, found)) == sorted(map(str, range(length))),
            f"row {row} does not hold its own {length} real steps, each once and each whole: "
            "the features of a step have to stay together",
        )
        orders.append(found)
    require(orders[2] != sorted(orders[2]), "the steps of a row of 12 are still in order")
    require(orders[2] != orders[3], "two rows of 12 steps have got the same order: draw one for each row")
    again = np.asarray(call(answer, inputs, mask.copy(), np.random.default_rng(2)), dtype=float)
    require(not np.array_equal(given, again), "another generator gives the same order: draw from `random`")


def _texts(mixed: bool) -> tuple[list[str], list[int], list[str], list[int]]:
    """The two strings of the drawing among filler words, for training and for the test."""
    random = np.random.default_rng(36)
    filler = "film story actor scene music plot ending hero city night".split()
    texts, labels = [], []
    for number in range(600):
        core = ("not good but bad", "not bad but good")[number % 2].split()
        words = [*random.choice(filler, 3), *core, *random.choice(filler, 3)]
        texts.append(" ".join(random.permutation(words) if mixed else words))
        labels.append(number % 2)
    return texts[:400], labels[:400], texts[400:], labels[400:]


def _snippets() -> tuple[list[str], list[int], list[str], list[int]]:
    films, found = film_reviews.load(), []
    for name, count in (("train", 600), ("validation", 300)):
        rows, labels = films.clear(name)
        chosen = np.random.default_rng(36).permutation(len(rows))[:count]
        found += [
            [" ".join(film_reviews.words(films.texts[i])) for i in rows[chosen]],
            labels[chosen].tolist(),
        ]
    return tuple(found)


def _scores(train_texts, train_labels, test_texts, test_labels) -> list[float]:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    scores = []
    for longest in (1, 2):
        counter = TfidfVectorizer(token_pattern=r"\S+", ngram_range=(1, longest))
        model = LogisticRegression(C=10, max_iter=3000)
        model.fit(counter.fit_transform(train_texts), train_labels)
        scores.append(model.score(counter.transform(test_texts), test_labels))
    return scores


def _pairs(answer) -> None:
    for what, data in (
        ("the two strings among filler words", _texts(mixed=False)),
        ("the same with all words shuffled", _texts(mixed=True)),
        ("600 real snippets", _snippets()),
    ):
        expected = _scores(*data)
        given = np.asarray(call(answer, *(list(part) for part in data)), dtype=float)
        require(given.shape == (2,), f"expected two scores, got the shape {given.shape}")
        require(
            np.allclose(given, expected, atol=0.004),
            f"{what}: expected {expected[0]:.3f} for single words and {expected[1]:.3f} with pairs, got "
            f"{given[0]:.3f} and {given[1]:.3f}. Fit on the training texts only, and score the test texts.",
        )


CHECKERS: dict[str, Callable] = {
    "order-last": _last,
    "order-shuffle": _shuffle,
    "order-pairs": _pairs,
}
