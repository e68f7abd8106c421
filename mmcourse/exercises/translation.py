"""Checkers of the notebook "Let a picture decide what a sentence leaves open"."""

import functools
from collections.abc import Callable

import numpy as np

from mmcourse.exercises.verdict import call, require

PEOPLE = "teacher singer judge cook artist mechanic scientist doctor worker firefighter".split()


def _bits(answer) -> None:
    cases: list[tuple[list[float], str]] = [
        ([3, 1], "two meanings, three to one"),
        ([1, 1], "two equal meanings"),
        ([2], "one meaning"),
        ([3, 1, 1], "three meanings"),
        ([5, 0], "a meaning that never occurs"),
        ([30, 10], "counts instead of weights"),
    ]
    for weights, what in cases:
        given = np.asarray(call(answer, list(weights)))
        require(
            given.shape == () and given.dtype.kind in "iuf",
            f"{what}: return one number, got {given.dtype} of the shape {given.shape}",
        )
        chances = np.array([weight for weight in weights if weight]) / sum(weights)
        expected = float(-(chances * np.log2(chances)).sum())
        require(
            abs(float(given) - expected) < 1e-6,
            f"{what}, weights {weights}: {expected:.4f} bits are left open, you give {float(given):.4f}. "
            "Divide by the sum first, take logarithms to base 2, and let a weight of 0 add nothing.",
        )


def _incongruent(answer) -> None:
    random = np.random.default_rng(62)
    cases = [
        ["bat", "bat", "dog", "dog"],
        ["bat", "bat", "bat", "dog", "cat", "owl"],
        random.permutation(np.repeat(list("abcdef"), 5)).tolist(),
        list("abcdefgh"),
    ]
    for labels in cases:
        before = list(labels)
        given = np.asarray(call(answer, labels))
        require(labels == before, "the list that you were given has changed; copy it")
        require(
            given.shape == (len(labels),) and given.dtype.kind in "iu",
            f"return one row number (an integer) for each of {len(labels)} headlines, got {given.dtype} "
            f"{given.shape}",
        )
        require(
            sorted(given.tolist()) == list(range(len(labels))),
            f"labels {labels[:8]}: each picture is used exactly once, you give {given[:8].tolist()}",
        )
        same = [row for row in range(len(labels)) if labels[row] == labels[given[row]]]
        require(
            not same,
            f"labels {labels[:8]}: {len(same)} headlines got a picture of what they speak about, the first "
            f"in row {same[:1]}. A shuffle alone does not prevent that.",
        )


SHARES = (0.0, 0.5, 1.0)


@functools.cache
def _model():
    from mmcourse.applications import translation

    return translation.load_trained("with picture")


@functools.cache
def feminine_share(share: float) -> float:
    """What the exercise on pictures in between asks for, computed once for each share."""
    from mmcourse.applications import translation
    from mmcourse.data import headlines

    seen, frame = translation.features(), headlines.frames("test")[0]
    pairs = [headlines.meanings_of(word) for word in PEOPLE]
    chosen = [headlines.Headline(frame, woman) for _, woman in pairs]
    images = [(1 - share) * seen[man.emoji[0]] + share * seen[woman.emoji[0]] for man, woman in pairs]
    prompts = [translation.prompt(headline, "German") for headline in chosen]
    texts = _model().generate({"image": np.stack(images)}, prompts)
    return float(np.mean([t == one.translation("German") for t, one in zip(texts, chosen, strict=True)]))


def _between(answer) -> None:
    for share in SHARES:
        given = np.asarray(call(answer, _model(), list(PEOPLE), share), dtype=float)
        require(given.shape == (), f"return one number, got the shape {given.shape}")
        expected = feminine_share(share)
        require(
            abs(float(given) - expected) < 0.051,
            f"with the share {share} of the woman's features, {expected:.2f} of the translations equal the "
            f"feminine one; you give {float(given):.2f}. Take the first test frame, the first emoji of each "
            "meaning, and German.",
        )


CHECKERS: dict[str, Callable] = {
    "translation-bits": _bits,
    "translation-incongruent": _incongruent,
    "translation-between": _between,
}
