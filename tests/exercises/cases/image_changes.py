"""Right and wrong answers to the exercises of "Images changed"."""

import re

import numpy as np


def mixup(pictures, targets, shares, others, *, swap=False, keep_targets=False, hard=False):
    shares = 1 - shares if swap else shares
    of_pictures, of_targets = shares[:, None, None, None], shares[:, None]
    mixed = of_pictures * pictures + (1 - of_pictures) * pictures[others]
    if keep_targets:
        return mixed, targets
    new = of_targets * targets + (1 - of_targets) * targets[others]
    return mixed, np.round(new) if hard else new


SWAP = {"left": "right", "right": "left"}


def mirror(picture, caption, *, pattern=r"\b(left|right)\b", axis=1):
    return np.flip(picture, axis), re.sub(pattern, lambda match: SWAP[match[0]], caption)


def kept(change, groups, *, dtype=float, by_group=False):
    found = []
    for group in groups:
        marks = []
        for number, picture in enumerate(group):
            difference = np.abs(change(picture).astype(dtype) - group.astype(dtype))
            distance = (difference**2).sum(axis=(1, 2, 3))
            marks.append(distance.argmin() == number)
        found += [np.mean(marks)] if by_group else marks
    return np.mean(found)


RIGHT = {
    "image-changes-mixup": {
        "a tuple": mixup,
        "a list": lambda *arrays: list(mixup(*arrays)),
        "float32": lambda *arrays: tuple(one.astype("float32") for one in mixup(*arrays)),
    },
    "image-changes-mirror": {
        "by a pattern": mirror,
        "by words": lambda picture, caption: [
            picture[:, ::-1],
            " ".join(SWAP.get(word, word) for word in caption.split()),
        ],
    },
    "image-changes-kept": {
        "floats": kept,
        "whole numbers": lambda *arguments: kept(*arguments, dtype=np.int64),
        "a Python number": lambda *arguments: float(kept(*arguments)),
    },
}

WRONG = {
    "image-changes-mixup": {
        "shares exchanged": lambda *arrays: mixup(*arrays, swap=True),
        "targets kept": lambda *arrays: mixup(*arrays, keep_targets=True),
        "targets rounded": lambda *arrays: mixup(*arrays, hard=True),
        "only the images": lambda *arrays: mixup(*arrays)[0],
        "unmixed": lambda pictures, targets, shares, others: (pictures, targets),
    },
    "image-changes-mirror": {
        "caption forgotten": lambda picture, caption: (picture[:, ::-1], caption),
        "image forgotten": lambda picture, caption: (picture, mirror(picture, caption)[1]),
        "upside down": lambda *arguments: mirror(*arguments, axis=0),
        "parts of words": lambda *arguments: mirror(*arguments, pattern="left|right"),
        "beginnings of words": lambda *arguments: mirror(*arguments, pattern=r"\b(left|right)"),
        "one after the other": lambda picture, caption: (
            picture[:, ::-1], caption.replace("left", "right").replace("right", "left"),
        ),
        "channels": lambda *arguments: mirror(*arguments, axis=2),
    },
    "image-changes-kept": {
        "in uint8": lambda *arguments: kept(*arguments, dtype=np.uint8),
        "the mean of the groups": lambda *arguments: kept(*arguments, by_group=True),
        "unchanged": lambda change, groups: kept(lambda picture: picture, groups),
        "a count": lambda change, groups: kept(change, groups) * sum(map(len, groups)),
        "only the first of each group": lambda change, groups: kept(change, [group[:1] for group in groups]),
    },
}  # fmt: skip
