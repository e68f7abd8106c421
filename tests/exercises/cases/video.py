"""Right and wrong answers to the exercises of "Video"."""

import math
import re

import numpy as np

OTHER = {"left": "right", "right": "left", "clockwise": "counter-clockwise", "counter-clockwise": "clockwise"}


def wheel(spokes, turns, rate, *, half=True, back=True, whole=False):
    """The turns that are seen, with the faults that the arguments ask for."""
    period = 1.0 if whole else 1 / spokes
    step = turns / rate
    seen = (step + period / 2) % period - period / 2 if half else step % period
    return seen * rate if back else seen


def count(clip, tube, step, *, one=1, tail=0):
    """How many tubes fit, with the faults that the arguments ask for."""
    return math.prod(
        (whole - part + tail) // jump + one for whole, part, jump in zip(clip, tube, step, strict=True)
    )


def kernel(*places):
    weights = np.zeros((2, 1, 2, 1, 1))
    for time, column, value in places:
        weights[time, 0, column] = value
    return weights


def mirrored(clip, caption, *, words=OTHER, axis=2):
    text = " ".join(words.get(word, word) for word in caption.split(" "))
    return np.flip(clip, axis), text


RIGHT = {
    "video-bytes": {
        "a product": lambda height, width, rate: height * width * 3 * rate,
        "a float": lambda height, width, rate: 3.0 * height * width * rate,
    },
    "video-wheel": {
        "by the remainder": wheel,
        "by the nearest": lambda spokes, turns, rate: (
            (turns / rate - math.floor(turns / rate * spokes + 0.5) / spokes) * rate
        ),
    },
    "video-tubes": {"a product": count, "an array": lambda *arguments: np.int64(count(*arguments))},
    "video-kernel": {
        "plus and minus": lambda: kernel((0, 0, 1), (1, 1, -1)),
        "minus and plus, larger": lambda: kernel((0, 0, -3), (1, 1, 3)),
    },
    "video-across": {
        "an array": lambda x, y, t: -t * np.array([x, y]) / (x * x + y * y),
        "a pair": lambda x, y, t: (-t * x / (x * x + y * y), -t * y / (x * x + y * y)),
        "the pseudo-inverse": lambda x, y, t: np.linalg.pinv(np.array([[x, y]])) @ np.array([-t]),
    },
    "video-mirror": {"words": mirrored, "a list": lambda *arguments: list(mirrored(*arguments))},
}

WRONG = {
    "video-bytes": {
        "one channel": lambda height, width, rate: height * width * rate,
        "bits": lambda height, width, rate: 8 * height * width * 3 * rate,
        "one frame": lambda height, width, rate: height * width * 3,
        "a text": lambda height, width, rate: str(height * width * 3 * rate),
    },
    "video-wheel": {
        "never backwards": lambda *arguments: wheel(*arguments, half=False),
        "a frame, not a second": lambda *arguments: wheel(*arguments, back=False),
        "all spokes differ": lambda *arguments: wheel(*arguments, whole=True),
        "the truth": lambda spokes, turns, rate: turns,
        "a text": lambda *arguments: str(wheel(*arguments)),
        "in a list": lambda *arguments: [wheel(*arguments)],
        "rounded": lambda *arguments: round(wheel(*arguments)),
        "positive at the half": lambda *arguments: -wheel(arguments[0], -arguments[1], arguments[2]),
    },
    "video-tubes": {
        "without overlap": lambda clip, tube, step: math.prod(
            c // t for c, t in zip(clip, tube, strict=True)
        ),
        "one less": lambda *arguments: count(*arguments, one=0),
        "by the step": lambda clip, tube, step: math.prod(c // s for c, s in zip(clip, step, strict=True)),
        "a list": lambda clip, tube, step: [
            (c - t) // s + 1 for c, t, s in zip(clip, tube, step, strict=True)
        ],
    },
    "video-kernel": {
        "nothing": lambda: kernel(),
        "to the left": lambda: kernel((0, 1, 1), (1, 0, -1)),
        "standing still": lambda: kernel((0, 0, 1), (1, 0, -1)),
        "an edge": lambda: kernel((0, 0, 1), (0, 1, -1)),
        "a sum": lambda: kernel((0, 0, 1), (1, 1, 1)),
        "another shape": lambda: np.array([[1.0, 0.0], [0.0, -1.0]]),
        "not finite": lambda: kernel((0, 0, np.nan), (1, 1, 1)),
    },
    "video-across": {
        "sign": lambda x, y, t: t * np.array([x, y]) / (x * x + y * y),
        "only along x": lambda x, y, t: (-t / x if x else 0.0, 0.0 if x else -t / y),
        "not divided by the square": lambda x, y, t: -t * np.array([x, y]) / np.hypot(x, y),
        "each slope alone": lambda x, y, t: (-t / x if x else 0.0, -t / y if y else 0.0),
        "a number": lambda x, y, t: -t / np.hypot(x, y),
    },
    "video-mirror": {
        "caption kept": lambda clip, caption: (clip[:, :, ::-1], caption),
        "upside down": lambda *arguments: mirrored(*arguments, axis=1),
        "backwards": lambda *arguments: mirrored(*arguments, axis=0),
        "colours": lambda *arguments: mirrored(*arguments, axis=3),
        "clip kept": lambda clip, caption: (clip, mirrored(clip, caption)[1]),
        "only left": lambda *arguments: mirrored(*arguments, words={"left": "right"}),
        "one after the other": lambda clip, caption: (
            clip[:, :, ::-1],
            caption.replace("left", "right").replace("right", "left"),
        ),
        "the first of each": lambda clip, caption: (
            clip[:, :, ::-1],
            " ".join(
                word if word in caption.split(" ")[:place] else OTHER.get(word, word)
                for place, word in enumerate(caption.split(" "))
            ),
        ),
        "up and down too": lambda *arguments: mirrored(*arguments, words=OTHER | {"down": "up"}),
        "sizes too": lambda *arguments: mirrored(*arguments, words=OTHER | {"shrinking": "growing"}),
        "parts of words": lambda clip, caption: (
            clip[:, :, ::-1],
            re.sub(r"\b(left|right|clockwise|counter-clockwise)\b", lambda found: OTHER[found[0]], caption),
        ),
        "only the clip": lambda clip, caption: clip[:, :, ::-1],
    },
}
