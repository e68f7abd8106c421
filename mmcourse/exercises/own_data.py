"""Checkers of the notebook "Your own pictures"."""

import itertools
from collections.abc import Callable

import numpy as np

from mmcourse.exercises.verdict import call, require


def _split(answer) -> None:
    random = np.random.default_rng(0)
    chosen = set()
    for pictures, share in ((20, 0.25), (41, 0.1), (5, 0.4)):
        each = random.integers(1, 6, size=pictures)
        owner = random.permutation(np.repeat(np.arange(pictures) + 100, each))
        for seed in (0, 1, 2):
            given = np.asarray(call(answer, owner.copy(), share, seed))
            require(
                given.shape == owner.shape and given.dtype == bool,
                f"expected a boolean for each of the {len(owner)} captions, got {given.dtype} {given.shape}.",
            )
            test, train = set(owner[given].tolist()), set(owner[~given].tolist())
            require(
                not test & train,
                f"picture {min(test & train, default=0)} has captions on both sides. Draw pictures, then "
                "take all captions of each.",
            )
            wanted = round(share * pictures)
            require(
                len(test) == wanted,
                f"{pictures} pictures, a share of {share}: {wanted} pictures belong in the test, yours are "
                f"{len(test)}. Count pictures, not captions.",
            )
            again = np.asarray(call(answer, owner.copy(), share, seed))
            require(bool((given == again).all()), "the same seed must give the same split.")
            if pictures == 20:
                chosen.add(frozenset(test))
    require(len(chosen) > 1, "three seeds give the same split: the seed must matter.")


def _borrow(answer) -> None:
    random = np.random.default_rng(1)
    features = random.normal(size=(6, 2, 3))
    captions = [f"caption {number}" for number in range(6)]
    for scale, what in ((1.0, "queries as they are"), (0.05, "queries a twentieth as long")):
        queries = scale * (features[[4, 0, 5]] + 0.05 * random.normal(size=(3, 2, 3)))
        # A long vector has the largest product with much, a short one the least distance to short queries.
        crowd = features * np.array([1.0, 3.0, 40.0, 0.1, 2.0, 5.0])[:, None, None]
        given = call(answer, crowd, list(captions), queries.copy())
        require(
            isinstance(given, list) and len(given) == 3,
            f"return a list of one caption for each of the 3 queries, got {given!r:.80}",
        )
        expected = [captions[4], captions[0], captions[5]]
        require(
            given == expected,
            f"{what}: you borrow {given}, and the nearest by cosine are {expected}. Flatten each picture's "
            "features and divide by their length before you multiply.",
        )
    for query, others, what in (
        ([[10, 0], [0, 0.1]], [[[8, 6], [0, 0.1]], [[10, 0], [0, -0.1]]], "a strong and a weak place"),
        ([[10, 0], [0, 1]], [[[0, 1], [10, 0]], [[10, 0.5], [0, 1]]], "a picture with its places exchanged"),
    ):
        given = call(answer, np.array(others, dtype=float), captions[:2], np.array([query], dtype=float))
        require(
            given == captions[1:2],
            f"{what}: you borrow {given!r:.60}, and the nearest is {captions[1]!r}. Take one cosine over all "
            "places and channels together, not a mean over the places.",
        )


def _missed(answer) -> None:
    written = ["a cat above a dog", "a cat", "dogs on pink", "a tree", "a cat and a tree"]
    true = [
        ["a cat above a dog", "a dog below a cat"],
        ["a dog and a cat", "a dog beside the cat"],
        ["a dog on pink", "one dog"],
        ["a tree on blue", "the tree"],
        ["a pig on pink", "the pig"],
    ]
    words = ["cat", "dog", "pink", "tree", "bus"]
    given = call(answer, list(written), [list(both) for both in true], list(words))
    require(isinstance(given, dict), f"return a dictionary of words, got {type(given).__name__}")
    require("bus" not in given, "'bus' stands in no reference, so its recall is not defined: leave it out.")
    require(
        "pink" not in given,
        "'pink' is said by one person of two. Count a word only where all references of a picture hold it.",
    )
    for word, expected in {"cat": 1.0, "dog": 1 / 3, "tree": 1.0}.items():
        require(word in given, f"{word!r} is missing.")
        require(
            abs(float(given[word]) - expected) < 1e-9,
            f"{word!r}: you give {float(given[word]):.3f}, expected {expected:.3f}. Compare whole words, and "
            "look only at the pictures whose references all hold the word.",
        )


def _curve(answer) -> None:
    rows = np.arange(50, 130)
    asked: list[frozenset] = []

    def borrow(some):
        some = np.asarray(some)
        require(some.ndim == 1 and len(set(some.tolist())) == len(some), "a picture was drawn twice.")
        require(set(some.tolist()) <= set(rows.tolist()), "borrow got pictures that are not in rows.")
        asked.append(frozenset(some.tolist()))
        return [f"{len(some)} {min(some)}"]

    def score(texts):
        require(texts and " " in texts[0], "score got something else than what borrow returned.")
        count, least = map(int, texts[0].split())
        return count + least / 1000

    sizes = (10, 20, 40, 80)
    given = call(answer, borrow, score, rows.copy(), sizes)
    require(
        isinstance(given, dict) and tuple(sorted(given)) == sizes,
        f"return a dictionary with the keys {sizes}, got {given!r:.80}",
    )
    drawn = {len(some): some for some in asked}
    for size in sizes:
        require(size in drawn, f"borrow was never called with {size} pictures.")
        expected = score(borrow(sorted(drawn[size])))
        require(
            abs(float(given[size]) - expected) < 1e-9,
            f"{size}: you give {float(given[size]):.3f}, and score said {expected:.3f}.",
        )
    for small, large in itertools.pairwise(sizes):
        require(
            drawn[small] <= drawn[large],
            f"the {small} pictures are not among the {large}. Draw one order and take its beginning, or luck "
            "changes along with the size.",
        )
    require(
        drawn[10] not in (frozenset(rows[:10].tolist()), frozenset(rows[-10:].tolist())),
        "you take the first or the last pictures of the file. They may be of one day or one place: "
        "draw the order.",
    )


CHECKERS: dict[str, Callable] = {
    "own-data-split": _split,
    "own-data-borrow": _borrow,
    "own-data-missed": _missed,
    "own-data-curve": _curve,
}
