"""Right and wrong answers to the exercises of "The article's program, repaired"."""

import numpy as np

FAULTS = {20: "E", 31: "B", 47: "G", 59: "A", 63: "I", 68: "D", 74: "J", 82: "F"}


def words(ids, index, offset=3, silent=(0, 1), unknown="?"):
    word_of = {number + offset: word for word, number in index.items()}
    return " ".join(word_of.get(int(i), unknown) for i in ids if int(i) not in silent)


def words_by_list(ids, index):
    table = ["", "", "?", "?", *sorted(index, key=index.get)]
    return " ".join(table[i] if i < len(table) else "?" for i in map(int, ids) if i > 1)


def moved(predict, images, texts):
    return np.abs(predict(images, texts) - predict(np.roll(images, 1, axis=0), texts)).max()


def shuffled(predict, images, texts):
    order = np.random.default_rng(0).permutation(len(images))
    return bool(np.abs(predict(images[order], texts) - predict(images, texts)).max() > 1e-6)


RIGHT = {
    "repair-faults": {
        "as listed": lambda: dict(FAULTS),
        "small letters": lambda: {line: letter.lower() for line, letter in FAULTS.items()},
    },
    "repair-words": {"dictionary": words, "list": words_by_list},
    "repair-divisor": {
        "unique": lambda images, divisor: np.unique((images / divisor).astype(int)).size,
        "set": lambda images, divisor: len(set((images / divisor).astype("int32").ravel().tolist())),
        "whole division": lambda images, divisor: len(np.unique(images // divisor)),
        "floor": lambda images, divisor: float(len(np.unique(images.astype(float) // divisor))),
    },
    "repair-looks": {
        "rolled": lambda *arguments: bool(moved(*arguments) > 1e-6),
        "NumPy's bool": lambda *arguments: moved(*arguments) > 1e-6,
        "shuffled": shuffled,
        "reversed": lambda predict, images, texts: (
            not np.allclose(predict(images[::-1], texts), predict(images, texts), atol=1e-6, rtol=0)
        ),
    },
}

WRONG = {
    "repair-faults": {
        "one wrong": lambda: {**FAULTS, 74: "D"},
        "two exchanged": lambda: {**FAULTS, 59: "I", 63: "A"},
        "one missing": lambda: {line: letter for line, letter in FAULTS.items() if line != 47},
        "one too many": lambda: {**FAULTS, 5: "E"},
        "in the order of the list": lambda: dict(zip(FAULTS, "ABCDEFGH", strict=True)),
        "a list": lambda: list(FAULTS.values()),
        "lines as texts": lambda: {str(line): letter for line, letter in FAULTS.items()},
    },
    "repair-words": {
        "no offset": lambda ids, index: words(ids, index, offset=0),
        "offset 2": lambda ids, index: words(ids, index, offset=2),
        "start and padding shown": lambda ids, index: words(ids, index, silent=()),
        "unknown left out": lambda ids, index: words(ids, index, silent=(0, 1, 2)),
        "KeyError": lambda ids, index: " ".join(
            {n + 3: w for w, n in index.items()}[i] for i in ids if i > 2
        ),
        "a list": lambda ids, index: words(ids, index).split(),
    },
    "repair-divisor": {
        "not cut": lambda images, divisor: np.unique(images / divisor).size,
        "rounded": lambda images, divisor: np.unique((images / divisor).round()).size,
        "always one": lambda images, divisor: 1,
        "largest": lambda images, divisor: int(images.max() / divisor) + 2,
        "the ids": lambda images, divisor: np.unique((images / divisor).astype(int)),
    },
    "repair-looks": {
        "always": lambda predict, images, texts: True,
        "never": lambda predict, images, texts: False,
        "a number": lambda *arguments: float(moved(*arguments)),
        "blank": lambda predict, images, texts: bool(
            np.abs(predict(images * 0, texts) - predict(images, texts)).max() > 1e-6
        ),
        "best word": lambda predict, images, texts: bool(
            (predict(images[::-1], texts).argmax(1) != predict(images, texts).argmax(1)).any()
        ),
        "too coarse": lambda *arguments: bool(moved(*arguments) > 0.01),
        "texts move too": lambda predict, images, texts: bool(
            np.abs(predict(images[::-1], texts[::-1]) - predict(images, texts)).max() > 1e-6
        ),
    },
}
