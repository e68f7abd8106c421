"""Checkers of the notebook "Video"."""

from collections.abc import Callable

import numpy as np

from mmcourse.exercises.verdict import call, require

OTHER = {"left": "right", "right": "left", "clockwise": "counter-clockwise", "counter-clockwise": "clockwise"}


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


class _Watcher:
    """Stands in for the network: answers by where a bright spot is in the first, middle and last frame."""

    def __call__(self, clips, training=False):
        clips = np.asarray(clips)
        require(
            clips.ndim == 5 and clips.shape[1:] == (5, 32, 32, 1),
            f"the network reads clips (clips, 5, 32, 32, 1); you gave it {clips.shape}",
        )
        columns = clips[..., 0].max(axis=2).argmax(axis=2)  # (clips, 5)
        return np.eye(8)[(columns @ [1, 0, 2, 0, 4]) % 8]

    def predict(self, clips, **_):
        return self(clips)


def _slower(answer) -> None:
    random = np.random.default_rng(27)
    network = _Watcher()
    for count in (40, 60):
        clips = random.integers(0, 50, (count, 9, 32, 32, 1), dtype=np.uint8)
        columns = random.integers(0, 32, (count, 9))
        clips[np.arange(count)[:, None], np.arange(9), 10, columns] = 255
        choices = ([0, 2, 4, 6, 8], [2, 3, 4, 5, 6], [4] * 5)
        answers = np.stack([network(clips[:, frames]).argmax(axis=-1) for frames in choices])
        labels = answers[random.choice(3, count, p=[0.6, 0.3, 0.1]), np.arange(count)]
        expected = (answers == labels).mean(axis=1)
        given = np.asarray(call(answer, network, clips.copy(), labels.copy()), dtype=float)
        require(given.shape == (3,), f"expected three numbers, got {given!r}")
        require(
            bool(np.allclose(given, expected, atol=1e-6)),
            f"for a network of mine the three shares are {expected.round(3)}, and you give "
            f"{given.round(3)}. The frames are 0, 2, 4, 6, 8; then 2 to 6; then frame 4 five times.",
        )


CHECKERS: dict[str, Callable] = {
    "video-wheel": _wheel,
    "video-kernel": _kernel,
    "video-mirror": _mirror,
    "video-slower": _slower,
}
