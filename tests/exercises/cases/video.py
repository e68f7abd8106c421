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


def kernel(*places):
    weights = np.zeros((2, 1, 2, 1, 1))
    for time, column, value in places:
        weights[time, 0, column] = value
    return weights


def mirrored(clip, caption, *, words=OTHER, axis=2):
    text = " ".join(words.get(word, word) for word in caption.split(" "))
    return np.flip(clip, axis), text


def slower(network, clips, labels, fast=(0, 2, 4, 6, 8), slow=(2, 3, 4, 5, 6), frozen=(4,) * 5):
    """Shares of right answers for three choices of frames."""
    return [
        float(np.mean(network(clips[:, list(frames)], training=False).argmax(axis=-1) == labels))
        for frames in (fast, slow, frozen)
    ]


RIGHT = {
    "video-wheel": {
        "by the remainder": wheel,
        "by the nearest": lambda spokes, turns, rate: (
            (turns / rate - math.floor(turns / rate * spokes + 0.5) / spokes) * rate
        ),
    },
    "video-kernel": {
        "plus and minus": lambda: kernel((0, 0, 1), (1, 1, -1)),
        "minus and plus, larger": lambda: kernel((0, 0, -3), (1, 1, 3)),
    },
    "video-mirror": {"words": mirrored, "a list": lambda *arguments: list(mirrored(*arguments))},
    "video-slower": {
        "by a loop": slower,
        "an array": lambda *arguments: np.array(slower(*arguments)),
        "by predict": lambda network, clips, labels: slower(
            lambda given, **_: network.predict(given, verbose=0), clips, labels
        ),
    },
}

WRONG = {
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
    "video-kernel": {
        "nothing": lambda: kernel(),
        "to the left": lambda: kernel((0, 1, 1), (1, 0, -1)),
        "standing still": lambda: kernel((0, 0, 1), (1, 0, -1)),
        "an edge": lambda: kernel((0, 0, 1), (0, 1, -1)),
        "a sum": lambda: kernel((0, 0, 1), (1, 1, 1)),
        "another shape": lambda: np.array([[1.0, 0.0], [0.0, -1.0]]),
        "not finite": lambda: kernel((0, 0, np.nan), (1, 1, 1)),
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
    "video-slower": {
        "the first five frames": lambda *arguments: slower(*arguments, slow=(0, 1, 2, 3, 4)),
        "the first frame frozen": lambda *arguments: slower(*arguments, frozen=(0,) * 5),
        "three frames": lambda *arguments: slower(*arguments, slow=(2, 4, 6)),
        "backwards": lambda *arguments: slower(*arguments, fast=(8, 6, 4, 2, 0)),
        "exchanged": lambda *arguments: slower(*arguments)[::-1],
        "only two": lambda *arguments: slower(*arguments)[:2],
        "errors": lambda *arguments: [1 - score for score in slower(*arguments)],
        "how many": lambda *arguments: [len(arguments[2]) * score for score in slower(*arguments)],
        "a guess": lambda *arguments: [0.85, 0.6, 0.12],
    },
}
