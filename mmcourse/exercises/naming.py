"""Checkers of the chapter "A picture and a prompt in, a name out"."""

from collections.abc import Callable

import numpy as np

from mmcourse.exercises.verdict import call, require


def _sequence_length(answer) -> None:
    for image_size, stride, prompt, text in (
        (64, 16, 5, 19),
        (48, 8, 5, 19),
        (224, 16, 32, 64),
        (8, 8, 1, 1),
    ):
        expected = (image_size // stride) ** 2 + prompt + text
        given = call(answer, image_size, stride, prompt, text)
        require(
            given == expected,
            f"a picture of {image_size} pixels, one token every {stride} pixels each way, {prompt} prompt "
            f"and {text} answer tokens: you give {given}, not {expected}. Image tokens lie on a square grid.",
        )


def _prefix_mask(answer) -> None:
    for prefix, text in ((2, 3), (1, 1), (5, 4), (3, 1)):
        mask = np.asarray(call(answer, prefix, text))
        total = prefix + text
        require(mask.shape == (total, total), f"expected the shape {(total, total)}, got {mask.shape}")
        for row in range(total):
            for column in range(total):
                expected = column < prefix or column <= row
                require(
                    bool(mask[row, column]) == expected,
                    f"with {prefix} prefix and {text} answer tokens, token {row} "
                    f"{'must see' if expected else 'must not see'} token {column}",
                )


def _token_recall(answer) -> None:
    cases = (
        ("red heart", "red heart", 1.0),
        ("heart red", "red heart", 1.0),
        ("red", "red heart", 0.5),
        ("", "red heart", 0.0),
        ("men with men", "men holding hands", 1 / 3),
        ("kiss man", "kiss man man", 2 / 3),
        ("kiss man man man", "kiss man man", 1.0),
        ("woman running", "man running", 0.5),  # a part of a word is not the word
    )
    for generated, true, expected in cases:
        given = call(answer, generated, true)
        require(
            abs(float(given) - expected) < 1e-9,
            f"for the text {generated!r} and the true name {true!r} you give {given}, not {expected:.4f}. "
            "A token that stands twice in the true name must be found twice.",
        )


def _moved_order(answer) -> None:
    for count in (2, 3, 4, 10, 57):
        for _ in range(5):
            order = np.asarray(call(answer, count))
            require(
                order.shape == (count,) and sorted(order.tolist()) == list(range(count)),
                f"for {count} pictures, expected each of 0 to {count - 1} once, got {order.tolist()}",
            )
            require(
                not (order == np.arange(count)).any(),
                f"for {count} pictures, one stays in its place: {order.tolist()}. A plain shuffle leaves on "
                "average one picture where it was.",
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


CHECKERS: dict[str, Callable] = {
    "naming-length": _sequence_length,
    "naming-mask": _prefix_mask,
    "naming-recall": _token_recall,
    "naming-shuffle": _moved_order,
    "naming-greedy": _greedy,
}
