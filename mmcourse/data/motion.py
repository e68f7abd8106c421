"""Clips of one motion each, made from the pictures of the emoji set: no camera filmed anything.

A picture moves, turns or grows over a background that stands still; see :mod:`mmcourse.video.making` for what
makes a single frame say nothing about the motion. See ``book/datasheets/motion.md``.
"""

from dataclasses import dataclass

import numpy as np

from mmcourse import pipeline, store, video
from mmcourse.data import emoji

SPLITS = {"train": 250, "validation": 25, "test": 50}  # clips of each motion
SIZE, FRAMES = 32, 9
PICTURE_SIZE = 64
SEED = 20_240_229
TURN, LEAST_CHANGE = 12.0, 6.0  # degrees, mean levels a pixel


@dataclass(frozen=True)
class MotionClips(pipeline.HasSplits):
    """Made clips, what happens in them, and splits in which no picture stands twice.

    Attributes:
        clips: ``uint8`` ``(clips, 9, 32, 32, 3)``.
        labels: index into :data:`mmcourse.video.MOTIONS`: ``int64`` ``(clips,)``.
        names: English name of the picture in each clip.
        splits: "train", "validation", "test" -> indices, ``int64``, sorted, disjoint; every motion is
            equally frequent in each. The pictures of "test" are whole concepts that the emoji set holds out.
        tier: always "course".
        datasheet: the page of the book that describes the set.
    """

    clips: np.ndarray
    labels: np.ndarray
    names: tuple[str, ...]
    splits: dict[str, np.ndarray]
    tier: str = "course"
    datasheet: str = "book/datasheets/motion"

    def part(self, split: str) -> tuple[np.ndarray, np.ndarray]:
        """Clips and labels of a split.

        Raises:
            ValueError: there is no such split.
        """
        chosen = self.split(split)
        return self.clips[chosen], self.labels[chosen]


def load() -> MotionClips:
    """The clips, made on the first call (some seconds) and kept in the cache folder.

    They are the same each time (on the same version of OpenCV, to the last level).

    Raises:
        mmcourse.data.archives.FetchError: the pictures are missing and cannot be fetched.
    """
    arrays = store.arrays("motion", [__name__], _make)
    splits, first = {}, 0
    for split, count in SPLITS.items():
        last = first + count * len(video.MOTIONS)
        splits[split] = np.arange(first, last, dtype=np.int64)
        first = last
    return MotionClips(arrays["clips"], arrays["labels"], tuple(arrays["names"].tolist()), splits)


def _make() -> dict[str, np.ndarray]:
    drawings = pictures()
    clips, labels, names = [], [], []
    for place, (split, count) in enumerate(SPLITS.items()):
        random = np.random.default_rng([SEED, place])
        for number in range(count * len(video.MOTIONS)):
            name, drawing = drawings[split][random.integers(len(drawings[split]))]
            label = number % len(video.MOTIONS)
            behind = video.background(SIZE, random)
            clips.append(video.make_clip(drawing, video.MOTIONS[label], behind, random, FRAMES))
            labels.append(label)
            names.append(name)
    return {"clips": np.stack(clips), "labels": np.array(labels, dtype=np.int64), "names": np.array(names)}


def pictures() -> dict[str, list[tuple[str, np.ndarray]]]:
    """The pictures that move: split -> (English name, ``uint8`` ``(64, 64, 4)``).

    Left out are people, flags, and what looks nearly the same when it is turned, such as a ball, since
    nobody could tell whether it turns.
    """
    drawn = emoji.load(PICTURE_SIZE, artists=("twemoji",))
    found: dict[str, list] = {name: [] for name in SPLITS}
    for split in ("train", "unseen_concept"):
        for i in drawn.splits[split]:
            entry = drawn.entries[i]
            if entry.person or entry.group in ("Flags", emoji.UNGROUPED):
                continue
            picture = video.cut_out(drawn.images[i])
            if _shows_turning(picture):
                name = "test" if split == "unseen_concept" else "train"
                found[name].append((entry.names["en"], picture))
    order = np.random.default_rng(SEED).permutation(len(found["train"]))
    shuffled = [found["train"][i] for i in order]
    cut = len(shuffled) // 10
    found["validation"], found["train"] = shuffled[:cut], shuffled[cut:]
    return found


def statistics() -> dict[str, int | float]:
    """Figures of the set for its datasheet: label -> number, computed from the pictures."""
    drawings, made = pictures(), load()
    figures: dict[str, int | float] = {
        "motions": len(video.MOTIONS),
        "frames of a clip": FRAMES,
        "pixels along a side": SIZE,
        "bytes of a clip": made.clips[0].nbytes,
    }
    for name, rows in made.splits.items():
        figures[f"pictures that may move in the split '{name}'"] = len(drawings[name])
        figures[f"clips in the split '{name}'"] = len(rows)
    return figures


def _shows_turning(picture: np.ndarray) -> bool:
    """Whether a small turn changes the picture by enough to be seen."""
    import cv2

    middle = (len(picture) - 1) / 2
    matrix = cv2.getRotationMatrix2D((middle, middle), TURN, 1)
    layer = picture.astype(np.float32)
    layer[..., :3] *= layer[..., 3:] / 255
    turned = cv2.warpAffine(layer, matrix, picture.shape[:2], flags=cv2.INTER_LINEAR)
    return float(np.abs(turned - layer)[..., :3].mean()) >= LEAST_CHANGE
