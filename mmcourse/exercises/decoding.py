"""Checkers of the notebook "A model gives chances; you choose"."""

from collections.abc import Callable

import numpy as np

from mmcourse.exercises.verdict import call, require


def _nucleus(answer) -> None:
    random = np.random.default_rng(0)
    by_hand = np.array([[0.50, 0.30, 0.15, 0.05], [0.06, 0.01, 0.03, 0.90]])
    for chances, share, what in (
        (by_hand, 0.75, "the two rows of the drawing"),
        (by_hand[:, ::-1].copy(), 0.85, "the same rows, reversed"),
        (random.dirichlet(np.full(9, 0.5), size=6), 0.6, "six rows of nine tokens"),
        (random.dirichlet(np.ones(5), size=3), 1e-6, "a tiny share"),
    ):
        order = np.argsort(-chances, axis=-1)
        ranked = np.take_along_axis(chances, order, axis=-1)
        kept = ranked.cumsum(axis=-1) - ranked < share
        expected = np.zeros_like(chances)
        np.put_along_axis(expected, order, np.where(kept, ranked, 0), axis=-1)
        expected /= expected.sum(axis=-1, keepdims=True)
        given = np.asarray(call(answer, chances.copy(), share), dtype=float)
        require(
            given.shape == chances.shape, f"{what}: expected the shape {chances.shape}, got {given.shape}"
        )
        require(
            bool(np.allclose(given.sum(axis=-1), 1, atol=1e-6)),
            f"{what}: your rows sum to {given.sum(axis=-1).round(3)}, not to 1. Divide by what is kept.",
        )
        row = int(np.abs(given - expected).max(axis=-1).argmax())
        require(
            bool(np.allclose(given, expected, atol=1e-6)),
            f"{what}, share {share}: for {chances[row].round(2)} you give {given[row].round(2)}, and "
            f"{expected[row].round(2)} was expected. Keep the likeliest tokens until they have the share, "
            "the one that reaches it included, each row by itself and each token in its own place.",
        )


def _beam(answer) -> None:
    random = np.random.default_rng(1)
    by_hand = np.array(
        [[0.05, 0.5, 0.3, 0.15], [0.05, 0.2, 0.4, 0.35], [0.9, 0.06, 0.01, 0.03], [0.9, 0.06, 0.03, 0.01]]
    )
    tables = [by_hand, *(random.dirichlet(np.full(5, 0.6), size=5) for _ in range(4))]
    for table in tables:
        for width, most in ((1, 4), (2, 4), (3, 5), (2, 1)):

            def following(tokens, table=table):
                return table[tokens[-1] if len(tokens) else 0].copy()

            given = call(answer, following, width, most)
            require(
                isinstance(given, tuple | list)
                and len(given) == 2
                and isinstance(given[0], tuple | list | np.ndarray),
                f"return the tokens and their probability, got {given!r:.60}",
            )
            tokens, probability = _search(following, width, most)
            found = [int(token) for token in given[0]]
            require(
                found == tokens and abs(float(given[1]) - probability) < 1e-9,
                f"width {width}, at most {most} tokens: you find {found} with {float(given[1]):.4f}, and the "
                f"search finds {tokens} with {probability:.4f}. An answer that holds the end token 0 stays "
                "in the beam as it is and competes with the others.",
            )


def _search(following, width: int, most: int) -> tuple[list[int], float]:
    kept: list[tuple[list[int], float]] = [([], 1.0)]
    for _ in range(most):
        longer = []
        for tokens, probability in kept:
            if 0 in tokens:
                longer.append((tokens, probability))
            else:
                longer += [([*tokens, i], probability * p) for i, p in enumerate(following(tokens))]
        kept = sorted(longer, key=lambda one: -one[1])[:width]
    return kept[0][0], float(kept[0][1])


def _without(answer) -> None:
    names = ["red apple", "green apple", "pear", "plum", "fig", "kiwi"]
    true = ["pear", "plum", "pear", "fig"]
    images = np.arange(4)[:, None] * np.ones((1, 3))

    def scored(given, listed):
        require(len(given) == len(images), f"scored got {len(given)} images: give it all {len(images)}.")
        listed = list(listed)  # a set, too
        require(len(listed) > 0, "scored got an empty list of names.")
        answers, chances = [], []
        for image, name in zip(given, true, strict=True):
            there = name in listed
            answers.append(name if there else listed[int(image[0]) % len(listed)])
            chances.append(0.9 if there else 0.4 + 0.1 * image[0])
        return answers, np.array(chances)

    result = call(answer, scored, images.copy(), list(true), list(names))
    require(
        isinstance(result, dict) and set(result) == {"with", "without", "sure"},
        f"return a dictionary with the keys with, without and sure, got {result!r:.80}",
    )
    expected = {"with": 0.9, "without": 0.55, "sure": 0.5}
    for key, hint in (
        ("with", "the mean probability with all names"),
        ("without", "the mean probability with the names that are true of none of these pictures"),
        ("sure", "of the same answers, the share with a probability above one half"),
    ):
        value = result[key]
        require(np.ndim(value) == 0, f"{key}: expected one number, got {value!r:.60}")
        require(
            abs(float(value) - expected[key]) < 1e-9,
            f"{key}: you give {float(value):.3f}, and {expected[key]:.3f} was expected: {hint}.",
        )


def _preference(answer) -> None:
    random = np.random.default_rng(2)
    cases = [
        (np.array([-19.0]), np.array([-24.0]), np.array([-20.0]), np.array([-22.0]), 0.1, "the example"),
        (*random.normal(-60, 10, size=(4, 6)), 0.5, "six pairs"),
        (*random.normal(-60, 10, size=(2, 3)), *random.normal(-9000, 10, size=(2, 3)), 5.0, "a strong beta"),
        (np.array([-9e3]), np.array([-1e3]), np.array([-1e3]), np.array([-9e3]), 1.0, "a margin of −16,000"),
    ]
    for preferred, rejected, first, second, beta, what in cases:
        margin = beta * ((preferred - first) - (rejected - second))
        expected = float(np.logaddexp(0, -margin).mean())
        with np.errstate(all="ignore"):
            given = call(answer, preferred.copy(), rejected.copy(), first.copy(), second.copy(), beta)
        require(np.ndim(given) == 0, f"{what}: return one number, the mean over the pairs; got {given!r:.60}")
        require(
            bool(np.isfinite(given)),
            f"{what}: your loss is {float(given)}. log(1 + exp(x)) overflows for a large x: "
            "np.logaddexp(0, x) does not.",
        )
        require(
            abs(float(given) - expected) < 1e-6 * max(1, expected),
            f"{what}: you give {float(given):.4f}, and it is {expected:.4f}. The margin is beta times (how "
            "much the preferred answer has gained on the reference, less how much the rejected one has).",
        )


CHECKERS: dict[str, Callable] = {
    "decoding-nucleus": _nucleus,
    "decoding-beam": _beam,
    "decoding-without": _without,
    "decoding-preference": _preference,
}
