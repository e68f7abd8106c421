"""Right and wrong answers to the exercises of "Images"."""

import re

import numpy as np


def over(rgba, background, *, divide=255, swap=False, premultiplied=False, drop=False):
    """Laying over with the faults that the arguments ask for."""
    colour = rgba[..., :3].astype(float)
    if drop:
        return colour
    alpha = rgba[..., 3:] / divide
    alpha = 1 - alpha if swap else alpha
    return colour * (1 if premultiplied else alpha) + (1 - alpha) * np.array(background)


def over_in_bytes(rgba, background):
    alpha = rgba[..., 3:]
    with np.errstate(over="ignore"):
        mixed = alpha * rgba[..., :3] + (255 - alpha) * np.array(background, dtype=np.uint8)
    return mixed // 255


def shrink(picture, factor):
    height, width, channels = picture.shape
    return picture.reshape(height // factor, factor, width // factor, factor, channels).mean(axis=(1, 3))


def shrink_by_loops(picture, factor):
    rows, columns = picture.shape[0] // factor, picture.shape[1] // factor
    return [
        [
            picture[factor * r : factor * (r + 1), factor * c : factor * (c + 1)].mean(axis=(0, 1))
            for c in range(columns)
        ]
        for r in range(rows)
    ]


def shrink_mixed(picture, factor):
    """The axes in the wrong order: boxes of pixels that do not touch."""
    height, width, channels = picture.shape
    return picture.reshape(factor, height // factor, factor, width // factor, channels).mean(axis=(0, 2))


def median(picture, *, mode="edge", how=np.median):
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(picture, 1, mode=mode), (3, 3))
    return how(windows, axis=(2, 3))


def standardise(train, other, *, axes=(0, 1, 2), mean_of=None, power=1.0):
    source = train if mean_of is None else mean_of
    return (other - source.mean(axis=axes)) / source.std(axis=axes) ** power


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


RIGHT = {
    "image-over": {
        "floats": over,
        "bytes": lambda rgba, background: np.uint8(np.rint(over(rgba, background))),
    },
    "image-shrink": {
        "reshaped": shrink,
        "loops": shrink_by_loops,
        "bytes": lambda picture, factor: shrink(picture, factor).round().astype(np.uint8),
    },
    "image-median": {
        "windows": median,
        "sorted": lambda picture: median(
            picture, how=lambda windows, axis: np.sort(windows.reshape(*picture.shape, 9))[..., 4]
        ),
    },
    "image-standardise": {
        "at once": standardise,
        "as a list": lambda *arrays: standardise(*arrays).tolist(),
    },
    "image-mixup": {"a tuple": mixup, "a list": lambda *arrays: list(mixup(*arrays))},
    "image-mirror": {
        "by a pattern": mirror,
        "by words": lambda picture, caption: [
            picture[:, ::-1],
            " ".join(SWAP.get(word, word) for word in caption.split()),
        ],
    },
}

WRONG = {
    "image-over": {
        "alpha as a number to 255": lambda *arguments: over(*arguments, divide=1),
        "exchanged": lambda *arguments: over(*arguments, swap=True),
        "as if premultiplied": lambda *arguments: over(*arguments, premultiplied=True),
        "alpha dropped": lambda *arguments: over(*arguments, drop=True),
        "bytes that overflow": over_in_bytes,
        "divided by 256": lambda *arguments: over(*arguments, divide=256),
        "always white": lambda rgba, background: over(rgba, (255, 255, 255)),
        "four channels": lambda rgba, background: rgba,
    },
    "image-shrink": {
        "every pixel of the factor": lambda picture, factor: picture[::factor, ::factor],
        "the axes mixed": shrink_mixed,
        "the maximum": lambda picture, factor: shrink_by_loops(picture, factor) if factor == 1 else
        picture.reshape(picture.shape[0] // factor, factor, -1, factor, picture.shape[2]).max(axis=(1, 3)),
        "channels averaged": lambda picture, factor: shrink(picture, factor).mean(axis=-1, keepdims=True)
        * np.ones(picture.shape[2]),
        "unchanged": lambda picture, factor: picture,
        "half a step too bright": lambda picture, factor: shrink(picture, factor) + 0.5,
    },
    "image-median": {
        "zeros beyond the edge": lambda picture: median(picture, mode="constant"),
        "mirrored edge": lambda picture: median(picture, mode="wrap"),
        "the mean": lambda picture: median(picture, how=np.mean),
        "the maximum": lambda picture: median(picture, how=np.max),
        "only inside": lambda picture: median(picture)[1:-1, 1:-1],
    },
    "image-standardise": {
        "its own statistics": lambda train, other: standardise(train, other, mean_of=other),
        "of both": lambda train, other: standardise(train, other, mean_of=np.concatenate([train, other])),
        "one mean for all channels": lambda train, other: standardise(train, other, axes=(0, 1, 2, 3))
        if train.shape[-1] > 1 else (other - train.mean()) / 255,
        "divided by the variance": lambda train, other: standardise(train, other, power=2.0),
        "the training pictures": lambda train, other: standardise(train, train),
        "to 0 to 1": lambda train, other: other / 255,
    },
    "image-mixup": {
        "shares exchanged": lambda *arrays: mixup(*arrays, swap=True),
        "targets kept": lambda *arrays: mixup(*arrays, keep_targets=True),
        "targets rounded": lambda *arrays: mixup(*arrays, hard=True),
        "only the pictures": lambda *arrays: mixup(*arrays)[0],
        "unmixed": lambda pictures, targets, shares, others: (pictures, targets),
    },
    "image-mirror": {
        "caption forgotten": lambda picture, caption: (picture[:, ::-1], caption),
        "picture forgotten": lambda picture, caption: (picture, mirror(picture, caption)[1]),
        "upside down": lambda *arguments: mirror(*arguments, axis=0),
        "parts of words": lambda *arguments: mirror(*arguments, pattern="left|right"),
        "beginnings of words": lambda *arguments: mirror(*arguments, pattern=r"\b(left|right)"),
        "one after the other": lambda picture, caption: (
            picture[:, ::-1], caption.replace("left", "right").replace("right", "left"),
        ),
        "channels": lambda *arguments: mirror(*arguments, axis=2),
    },
}  # fmt: skip
