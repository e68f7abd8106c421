"""Checkers of the notebook "The article's program, repaired"."""

from collections.abc import Callable

import numpy as np

from mmcourse.exercises.verdict import call, require

# Line of the program -> letter of its fault in the notebook's list, and a hint.
FAULTS = {
    20: ("E", "what did these four names stand for after line 11?"),
    31: ("B", "the features have the shape (batch, 1, 1, 512): which axis is 0?"),
    47: ("G", "what does a table of rows make of 0.7?"),
    59: ("A", "what shape does the LSTM in front of it return?"),
    63: ("I", "what shape has the target, and what shape has the output?"),
    68: ("D", "compare the target with what the model is given"),
    74: ("J", "what does it return the next time it is called?"),
    82: ("F", "what shape has one picture, and what shape does predict expect?"),
}


def _faults(answer) -> None:
    given = call(answer)
    require(isinstance(given, dict), f"expected a dict from line to letter, got {type(given).__name__}")
    missing = sorted(set(FAULTS) - set(given))
    require(
        not missing, f"there is no letter for line {', '.join(map(str, missing))}; keys are whole numbers"
    )
    extra = [key for key in given if key not in FAULTS]
    require(not extra, f"{extra[0] if extra else ''} is none of the eight lines")
    wrong = [line for line, (letter, _) in FAULTS.items() if str(given[line]).strip().upper() != letter]
    require(
        not wrong,
        f"{len(FAULTS) - len(wrong)} of {len(FAULTS)} are right. "
        + (f"Look at line {wrong[0]} again: {FAULTS[wrong[0]][1]}" if wrong else ""),
    )


def _words(answer) -> None:
    index = {"the": 1, "film": 2, "is": 3, "good": 4, "bad": 5}
    for ids, expected in (
        ([1, 4, 5, 6, 7], "the film is good"),
        ([0, 0, 1, 4, 5], "the film"),
        ([1, 4, 2, 6, 8], "the ? is bad"),
        ([1, 4, 5, 9_000], "the film ?"),
        ([0, 1], ""),
        ([4, 0, 5, 1, 6], "the film is"),
    ):
        for form in (list(ids), np.array(ids, dtype=np.int32)):
            given = call(answer, form, dict(index))
            require(isinstance(given, str), f"expected a text, got {type(given).__name__}")
            require(
                given == expected,
                f"for the ids {list(ids)} you give {given!r}, not {expected!r}. An id is the number of the "
                "word in the index plus 3; 0 and 1 are left out; what has no word becomes a question mark.",
            )


def _divisor(answer) -> None:
    random = np.random.default_rng(1)
    levels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    for images in (levels, random.integers(0, 200, (2, 28, 28)).astype(np.uint8)):
        for divisor in (255.0, 256.0, 128.0, 25.5, 1.0):
            expected = len({int(pixel / divisor) for pixel in images.ravel().tolist()})
            given = call(answer, images.copy(), divisor)
            require(
                np.ndim(given) == 0,
                f"expected one number, got {type(given).__name__} of the shape {np.shape(given)}",
            )
            require(
                float(given) == expected,
                f"pixels from {images.min()} to {images.max()}, divided by {divisor:g}, ask for {expected} "
                f"different rows of the table; you give {given}. Divide, cut to whole numbers, then count "
                "different ones.",
            )


def _looks(answer) -> None:
    random = np.random.default_rng(2)
    images = (random.integers(0, 255, (8, 32, 32, 3)) / 255).astype(np.float32)
    texts = random.integers(1, 100, (8, 80))
    eye, ear = random.normal(size=(images[0].size, 5)) / 50, random.normal(size=(80, 5)) / 50
    table = random.normal(size=(2, 5))

    def softmax(logits):
        raised = np.exp(logits - logits.max(axis=1, keepdims=True))
        return raised / raised.sum(axis=1, keepdims=True)

    def read(texts):
        return texts @ ear

    models = {
        "reads the text alone": (False, lambda x, t: softmax(read(t))),
        "looks pixels up in a table of rows": (
            False,
            lambda x, t: softmax(read(t) + table[np.asarray(x).astype(int)].mean(axis=(1, 2, 3))),
        ),
        "averages the images of the batch": (
            False,
            lambda x, t: softmax(read(t) + (np.asarray(x).reshape(len(x), -1) @ eye).mean(axis=0)),
        ),
        "looks": (True, lambda x, t: softmax(read(t) + np.asarray(x).reshape(len(x), -1) @ eye)),
        "looks, but so little that the best word stays the same": (
            True,
            lambda x, t: softmax(read(t) + 1e-3 * (np.asarray(x).reshape(len(x), -1) @ eye)),
        ),
        "looks and does not read": (True, lambda x, t: softmax(np.asarray(x).reshape(len(x), -1) @ eye)),
    }
    for name, (expected, predict) in models.items():
        given = call(answer, predict, images.copy(), texts.copy())
        require(isinstance(given, bool | np.bool_), f"expected True or False, got {type(given).__name__}")
        require(
            bool(given) == expected,
            f"a model that {name}: your test says {bool(given)}. Give each text the image of another, leave "
            "the texts as they are, and see whether a probability moves by more than 1e-6.",
        )


CHECKERS: dict[str, Callable] = {
    "repair-faults": _faults,
    "repair-words": _words,
    "repair-divisor": _divisor,
    "repair-looks": _looks,
}
