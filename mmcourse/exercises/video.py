"""Checkers of the chapter "Video"."""

from collections.abc import Callable

import numpy as np

from mmcourse.exercises.verdict import call, require

OTHER = {"left": "right", "right": "left", "clockwise": "counter-clockwise", "counter-clockwise": "clockwise"}


def _bytes(answer) -> None:
    for height, width, rate in ((1, 1, 1), (1080, 1920, 25), (72, 128, 30)):
        expected = height * width * 3 * rate
        given = call(answer, height, width, rate)
        require(
            np.shape(given) == () and not isinstance(given, str) and float(given) == expected,
            f"{rate} frames of {height} x {width} pixels: you give {given}, not {expected}. Every pixel has "
            "three channels, red, green and blue, of one byte each.",
        )


def _wheel(answer) -> None:
    for spokes, turns, rate, expected in (
        (8, 0.5, 24, 0.5),
        (8, 2.5, 24, -0.5),
        (8, 3.0, 24, 0.0),
        (8, 1.5, 24, -1.5),
        (1, 20.0, 24, -4.0),
        (5, -7.0, 30, -1.0),
        (4, 31.0, 16, -1.0),
    ):
        given = call(answer, spokes, turns, rate)
        require(
            np.shape(given) == () and not isinstance(given, str),
            f"expected one number, turns a second; you give {given!r}",
        )
        given = float(given)
        require(
            abs(given - expected) < 1e-6,
            f"{spokes} spokes, {turns} turns and {rate} frames a second: you give {given:.3f}, "
            f"not {expected} turns a second. First the step in turns a frame; the spokes look the same after "
            "1 / spokes of a turn; at the end, back from a frame to a second.",
        )


def _tubes(answer) -> None:
    for clip, tube, step, expected in (
        ((16, 224, 224), (2, 16, 16), (2, 16, 16), 1568),
        ((16, 224, 224), (2, 16, 16), (1, 8, 8), 15 * 27 * 27),
        ((9, 32, 32), (3, 8, 8), (3, 4, 8), 3 * 7 * 4),
        ((8, 10, 12), (3, 4, 5), (2, 3, 4), 3 * 3 * 2),
        ((2, 2, 2), (2, 2, 2), (1, 1, 1), 1),
    ):
        given = call(answer, clip, tube, step)
        require(
            np.shape(given) == () and not isinstance(given, str) and float(given) == expected,
            f"a clip of {clip} with tubes of {tube}, {step} apart: you give {given}, not {expected}. On each "
            "axis one tube fits at the start, and one more for every step that is left; then multiply.",
        )


def _kernel(answer) -> None:
    kernel = np.asarray(call(answer), dtype=float)
    require(kernel.shape == (2, 1, 2, 1, 1), f"expected the shape (2, 1, 2, 1, 1), got {kernel.shape}")
    require(bool(np.isfinite(kernel).all()), "the kernel holds numbers that are not finite")
    weights = kernel[:, 0, :, 0, 0]
    random = np.random.default_rng(24)
    first = random.uniform(0, 255, (6, 7))
    moved = np.column_stack([random.uniform(0, 255, 6), first[:, :-1]])

    def response(one: np.ndarray, two: np.ndarray) -> float:
        sums = sum(
            weights[time, column] * frame[:, column : column + 6]
            for time, frame in enumerate((one, two))
            for column in (0, 1)
        )
        return float(np.abs(sums).max())

    scale = max(1.0, float(np.abs(weights).max()))
    require(
        response(first, first) > 1e-3 * scale,
        "a clip that stands still gives 0 too; the kernel must not compare a pixel with itself, nor be 0",
    )
    require(
        response(first, moved) < 1e-6 * scale,
        f"a clip that moves right by one pixel gives up to {response(first, moved):.1f}, not 0. What is at "
        "the left pixel of this frame is at the right pixel of the next: subtract these two.",
    )


def _across(answer) -> None:
    for x, y, t in ((2.0, 0.0, -2.0), (0.0, 4.0, 2.0), (1.0, 1.0, -3.0), (3.0, -4.0, 5.0), (1.0, 2.0, 0.0)):
        expected = -t * np.array([x, y]) / (x**2 + y**2)
        given = np.asarray(call(answer, x, y, t), dtype=float)
        require(given.shape == (2,), f"expected the two numbers u and v, got the shape {given.shape}")
        left = x * given[0] + y * given[1] + t
        require(
            bool(abs(left) < 1e-6),
            f"slopes {x} and {y}, change {t}: your motion {given} does not fulfil the equation, "
            f"{x} u + {y} v + {t} is {left:.3f} and not 0",
        )
        require(
            bool(np.allclose(given, expected, atol=1e-6)),
            f"slopes {x} and {y}, change {t}: {given} fulfils the equation, but there is a shorter motion. "
            "The shortest points in the direction of the slope.",
        )


def _mirror(answer) -> None:
    random = np.random.default_rng(5)
    for caption in (
        "a cat moves to the left",
        "right hand side up",
        "it turns clockwise on the left of the right door",
        "counter-clockwise and brightly growing",
        "nothing to change here",
        "leftover",
        "left of the left door and right of the right one",
        "a left-handed cat looks down at a shrinking ball",
    ):
        clip = random.integers(0, 256, (3, 4, 5, 3), dtype=np.uint8)
        given = call(answer, clip.copy(), caption)
        require(
            isinstance(given, tuple | list) and len(given) == 2, "return two things: the clip and the caption"
        )
        mirrored, text = given
        mirrored = np.asarray(mirrored)
        require(mirrored.shape == clip.shape, f"expected a clip {clip.shape}, got the shape {mirrored.shape}")
        require(
            bool((mirrored == clip[:, :, ::-1]).all()),
            "the frames are not mirrored: exchange left and right, the third axis, and nothing else",
        )
        expected = " ".join(OTHER.get(word, word) for word in caption.split(" "))
        require(
            isinstance(text, str) and text == expected,
            f"{caption!r} becomes {expected!r}, and you give {text!r}. Exchange whole words, both "
            "of a pair at once.",
        )


CHECKERS: dict[str, Callable] = {
    "video-bytes": _bytes,
    "video-wheel": _wheel,
    "video-tubes": _tubes,
    "video-kernel": _kernel,
    "video-across": _across,
    "video-mirror": _mirror,
}
