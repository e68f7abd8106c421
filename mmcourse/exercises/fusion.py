"""Checkers of the notebook "Two senses are better than one, if you let them meet"."""

from collections.abc import Callable

import numpy as np

from mmcourse.exercises.verdict import call, require


def _product(answer) -> None:
    random = np.random.default_rng(0)
    for classes, what in ((2, "two classes"), (5, "five classes"), (10, "ten classes")):
        seen, heard = random.dirichlet(np.ones(classes), size=(2, 6))
        for prior, which in (
            (np.full(classes, 1 / classes), "equally frequent classes"),
            (random.dirichlet(np.ones(classes) * 3), "classes of different frequency"),
        ):
            given = np.asarray(call(answer, seen.copy(), heard.copy(), prior.copy()), dtype=float)
            require(given.shape == seen.shape, f"{what}: expected the shape {seen.shape}, got {given.shape}")
            require(
                bool(np.allclose(given.sum(axis=1), 1, atol=1e-5)),
                f"{what}: your rows sum to {given.sum(axis=1).round(3)[:3]} …, not to 1. Divide by the sum.",
            )
            expected = seen * heard / prior
            expected /= expected.sum(axis=1, keepdims=True)
            require(
                bool(np.allclose(given, expected, atol=1e-5)),
                f"{what}, {which}: a probability differs by {np.abs(given - expected).max():.3f}. Each side "
                "has counted the prior once, so the product counts it twice: divide once by it.",
            )


def _weights(answer) -> None:
    for image, sound, classes, rank in ((2, 1, 3, 1), (32, 32, 10, 79), (128, 40, 5, 16), (4, 9, 2, 7)):
        given = call(answer, image, sound, classes, rank)
        require(
            isinstance(given, tuple | list | np.ndarray) and len(given) == 2,
            f"return two numbers: of the full tensor, and of the one of low rank; got {given!r}",
        )
        full = (image + 1) * (sound + 1) * classes
        low = rank * (image + 1 + sound + 1 + classes)
        for value, expected, what in zip(given, (full, low), ("full tensor", "low rank"), strict=True):
            require(
                value == expected,
                f"{what}, for vectors of {image} and {sound}, {classes} classes and the rank {rank}: you "
                f"give {value}, not {expected}. Remember the 1 that is appended to both vectors.",
            )


def _within(answer) -> None:
    random = np.random.default_rng(1)
    for rows, classes in ((40, 4), (9, 3), (200, 10)):
        labels = random.permutation(np.resize(np.arange(classes), rows))
        inputs = {"image": random.normal(size=(rows, 3)), "sound": np.arange(rows) * 1.0}
        for modality in inputs:
            before = {name: array.copy() for name, array in inputs.items()}
            given = call(answer, inputs, modality, labels.copy(), 0)
            require(
                isinstance(given, dict) and set(given) == set(inputs),
                "return a dictionary with the same modalities as the one you were given",
            )
            require(
                all(np.array_equal(inputs[name], before[name]) for name in inputs),
                "the arrays that you were given have changed; make a copy first",
            )
            (other,) = set(inputs) - {modality}
            require(np.array_equal(given[other], inputs[other]), f"{other!r} must stay as it is")
            moved = np.asarray(given[modality])
            require(moved.shape == inputs[modality].shape, f"{modality!r} must keep its shape")
            key = inputs[modality].reshape(rows, -1)[:, 0]
            place = {value: row for row, value in enumerate(key)}
            found = [place.get(value, -1) for value in moved.reshape(rows, -1)[:, 0]]
            require(
                sorted(found) == list(range(rows)),
                "each row must come exactly once: some are lost or come twice",
            )
            require(
                bool((labels[found] == labels).all()),
                "a row has got one of another class. Permute the rows of each class among themselves.",
            )
            kept = int((np.array(found) == np.arange(rows)).sum())
            require(kept == 0, f"{kept} of {rows} rows have kept their own; move each class along a cycle")


QUESTIONS = {
    "is the sum greater than 9": lambda seen, heard: seen + heard > 9,
    "is the sum even": lambda seen, heard: (seen + heard) % 2 == 0,
    "are both the same digit": lambda seen, heard: seen == heard,
    "is the first greater": lambda seen, heard: seen > heard,
}


def _questions(answer) -> None:
    seen, heard = np.divmod(np.arange(100), 10)
    expected = {
        "is the sum greater than 9": (1.0, 1.0),
        "is the sum even": (0.5, 1.0),
        "are both the same digit": (0.9, 1.0),
        "is the first greater": (1.0, 1.0),
    }
    for name, question in QUESTIONS.items():
        labels = question(seen, heard).astype(int)
        given = np.asarray(call(answer, seen.copy(), heard.copy(), labels.copy()), dtype=float)
        require(given.shape == (2,), f"return two shares, got the shape {given.shape}")
        for value, right, what in zip(given, expected[name], ("one-hot vectors", "products"), strict=True):
            require(
                abs(value - right) <= 0.04,
                f"{name}, {what}: your share is {value:.2f}, and about {right:.2f} was expected. Fit on all "
                "100 pairs and score on the same 100, once with 20 columns and once with 100.",
            )


CHECKERS: dict[str, Callable] = {
    "fusion-product": _product,
    "fusion-weights": _weights,
    "fusion-within": _within,
    "fusion-questions": _questions,
}
