"""Checkers of notebook 50, "A picture and a prompt in, a name out"."""

from collections.abc import Callable

import numpy as np

from mmcourse.exercises.verdict import call, require


def _prefix_mask(answer) -> None:
    for prefix, text in ((2, 3), (1, 1), (5, 4), (3, 1)):
        mask = np.asarray(call(answer, prefix, text))
        total = prefix + text
        require(mask.shape == (total, total), f"expected the shape {(total, total)}, got {mask.shape}")
        require(mask.dtype == bool, f"expected a boolean array, got the dtype {mask.dtype}: use dtype=bool")
        for row in range(total):
            for column in range(total):
                expected = column < prefix or column <= row
                require(
                    bool(mask[row, column]) == expected,
                    f"with {prefix} prefix and {text} answer tokens, token {row} "
                    f"{'must see' if expected else 'must not see'} token {column}",
                )


def _greedy(answer) -> None:
    table = np.array(
        [
            [0.0, 0.1, 0.2, 0.9, 0.3],
            [0.0, 0.1, 0.2, 0.3, 0.9],
            [9.0, 9.0, 9.0, 9.0, 9.0],  # after the end: must not be asked
            [0.0, 0.7, 0.2, 0.1, 0.6],
            [0.0, 0.1, 0.8, 0.2, 0.5],
        ]
    )
    asked: list[list[int]] = []

    def next_logits(tokens):
        asked.append(list(tokens))
        require(len(asked) < 100, "your loop does not end: it must stop at the end token or after `most`")
        return table[tokens[-1]]

    # 0 → 3 → 1 → 4 → 2 (the end)
    given = list(call(answer, next_logits, 0, 2, 10))
    require(given == [3, 1, 4], f"expected the tokens [3, 1, 4] (2 is the end), got {given}")
    require(asked[-1] == [0, 3, 1, 4], "each step must see all tokens so far, the start token included")
    given = list(call(answer, next_logits, 0, 2, 2))
    require(given == [3, 1], f"with at most 2 tokens expected [3, 1], got {given}")
    given = list(call(answer, lambda tokens: table[4], 0, 2, 10))
    require(given == [], f"a model that ends at once writes nothing: expected [], got {given}")
    # Close calls, many times over: whoever draws at random misses one of them.
    close = np.random.default_rng(0).permuted(np.tile(np.linspace(0, 0.01, 5), (60, 1)), axis=1)
    close[:, 2] = -1.0  # never the end
    given = list(call(answer, lambda tokens: close[len(tokens) - 1], 0, 2, 60))
    require(
        given == close.argmax(axis=1).tolist(),
        "the most probable token is taken each time, however close the second is: no drawing at random",
    )


def _survival(answer) -> None:
    random = np.random.default_rng(0)
    images = random.integers(0, 256, size=(12, 64, 64, 3)).astype(np.uint8)
    truth = [f"name {number}" for number in range(12)]
    turns = {picture.tobytes(): name for picture, name in zip(images, truth, strict=True)}
    known = dict(turns)
    for number in range(9):  # three in four survive a mirror
        known[np.ascontiguousarray(images[number, :, ::-1]).tobytes()] = truth[number]
    for number in range(3):  # one in four survives a quarter turn, either way
        for times in (1, 3):
            known[np.ascontiguousarray(np.rot90(images[number], times)).tobytes()] = truth[number]

    def name(pictures):
        pictures = np.asarray(pictures)
        require(
            pictures.shape == images.shape,
            f"`name` wants all pictures at once, {images.shape}; it got {pictures.shape}",
        )
        return [known.get(np.ascontiguousarray(picture).tobytes(), "nothing") for picture in pictures]

    before = images.copy()
    given = call(answer, name, images, truth)
    require(isinstance(given, dict), f"expected a dictionary, got {type(given).__name__}")
    for label, expected in (("as it is", 1.0), ("mirrored", 0.75), ("turned", 0.25)):
        require(label in given, f"the dictionary has no {label!r}; it has: {', '.join(map(str, given))}")
        require(
            abs(float(given[label]) - expected) < 1e-9,
            f"for a model that keeps {expected:.0%} of its answers when the picture is {label}, you give "
            f"{given[label]}. Mirrored: the columns in reverse. Turned: rows and columns exchanged.",
        )
    require(bool((images == before).all()), "your function changed the pictures that it was given")


CHECKERS: dict[str, Callable] = {
    "naming-mask": _prefix_mask,
    "naming-greedy": _greedy,
    "naming-survival": _survival,
}
