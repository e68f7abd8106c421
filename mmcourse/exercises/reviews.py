"""Checkers of the notebook "Write a digit, and the review follows it"."""

from collections.abc import Callable

import numpy as np

from mmcourse.exercises.verdict import call, require


def _push(answer) -> None:
    random = np.random.default_rng(0)
    for scale, what in ((1.0, "small logits"), (1000.0, "logits of up to a few thousand")):
        for weight, temperature in ((0.0, 1.0), (2.0, 1.0), (1.5, 0.5)):
            seeing, blind = scale * random.normal(size=(2, 3, 7))
            before = seeing.copy(), blind.copy()
            with np.errstate(all="ignore"):
                given = np.asarray(call(answer, seeing, blind, weight, temperature), dtype=float)
            require(given.shape == seeing.shape, f"expected the shape {seeing.shape}, got {given.shape}")
            require(
                bool(np.isfinite(given).all()),
                f"{what}: not all are finite. Subtract the largest logit of each row before you take exp.",
            )
            require(
                bool(np.allclose(given.sum(axis=-1), 1, atol=1e-5)),
                f"{what}: your rows sum to {given.sum(axis=-1).round(3)}, not to 1.",
            )
            logits = (before[0] + weight * (before[0] - before[1])) / temperature
            expected = np.exp(logits - logits.max(axis=-1, keepdims=True))
            expected /= expected.sum(axis=-1, keepdims=True)
            require(
                bool(np.allclose(given, expected, atol=1e-5)),
                f"{what}, weight {weight}, temperature {temperature}: a probability differs by "
                f"{np.abs(given - expected).max():.3f}. Add weight times (with − without) to the logits with "
                "the digit, then divide all of it by the temperature.",
            )


def _fair(answer) -> None:
    random = np.random.default_rng(1)
    for count, share in ((50, 0.5), (400, 0.9), (60, 0.2)):
        levels = np.where(
            random.random(count) < share, random.integers(4, 6, count), random.integers(1, 3, count)
        )
        levels[:6] = (1, 2, 3, 3, 4, 5)
        praise = np.clip(random.normal(0.5 + 0.1 * (levels - 3), 0.3), 0, 1)
        praise[0] = 0.5
        for judged, what in (
            (praise, "a judge of some skill"),
            (np.ones(count), "a judge who always praises"),
        ):
            given = call(answer, judged.copy(), levels.copy())
            require(np.ndim(given) == 0 and given is not None, f"return one number, got {given!r}")
            low, high = judged[levels < 3], judged[levels > 3]
            expected = ((low <= 0.5).mean() + (high > 0.5).mean()) / 2
            require(
                abs(float(given) - expected) < 1e-6,
                f"{what}, {100 * share:.0f} % praise: you give {float(given):.3f}, and it is {expected:.3f}. "
                "Take the mean of the two sides' shares, not the share of all; leave out level 3.",
            )


def _copy(answer) -> None:
    for text, source, expected in (
        ("a film of rare charm", "it is a film of rare power", 4),
        ("est film", "the best film", 1),
        ("one two three", "three two one", 1),
        ("nothing here", "other words", 0),
        ("all of it", "all of it", 3),
        ("so so so good", "so so good", 3),
        ("film", "films", 0),
        ("", "a film", 0),
        (" the cat  and the dog", "and the dog barks", 3),
        (" a joke", " a film", 1),
        ("a b c a b d", "a b d a b c x", 3),
    ):
        given = call(answer, text, source)
        require(
            given is not None and given == expected,
            f"{text!r} and {source!r}: you give {given!r}, and the longest common run has {expected} words. "
            "Compare whole words in a row, at every place of both texts.",
        )


def _beyond(answer) -> None:
    openings = ["this film is", "one of the", "a story about", "its director never quite"]

    def sheets(levels):
        return np.array([[int(level)] * 3 for level in levels])

    def write(images, given):
        require(
            len(images) == len(given),
            f"write got {len(images)} images and {len(given)} openings: show a sheet to each opening.",
        )
        return [f" {image[0]} {len(opening)}" for image, opening in zip(images, given, strict=True)]

    def praise(rests):
        require(
            all(len(rest.split()) == 2 and rest.startswith(" ") for rest in rests),
            "praise got something else than the rests as they were written: judge the rests alone.",
        )
        return np.array([int(rest.split()[0]) / 10 + int(rest.split()[1]) / 1000 for rest in rests])

    given = call(answer, sheets, write, praise, list(openings))
    require(
        isinstance(given, dict) and set(given) == {1, 5, 7, 9},
        f"return a dictionary with the keys 1, 5, 7 and 9, got {given!r:.80}",
    )
    for digit, value in given.items():
        require(
            np.ndim(value) == 0,
            f"{digit}: expected one number, the mean over all openings; got {value!r:.60}",
        )
        expected = float(praise(write(sheets([digit] * len(openings)), openings)).mean())
        require(
            abs(float(value) - expected) < 1e-6,
            f"{digit}: your mean praise is {float(value):.4f}, and {expected:.4f} was expected. Show the "
            "digit to all openings, and take the mean of what praise returns.",
        )


CHECKERS: dict[str, Callable] = {
    "reviews-push": _push,
    "reviews-fair": _fair,
    "reviews-copy": _copy,
    "reviews-beyond": _beyond,
}
