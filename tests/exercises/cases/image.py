"""Right and wrong answers to the exercises of "Images"."""

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


def place(height, width, size, *, whole=round, least=1, side=max, half=0):
    scale = size / side(height, width)
    rows, columns = max(least, whole(scale * height)), max(least, whole(scale * width))
    return (size - rows + half) // 2, (size - columns + half) // 2, rows, columns


def standardise(train, other, *, axes=(0, 1, 2), mean_of=None, power=1.0, ddof=0):
    source = train if mean_of is None else mean_of
    return (other - source.mean(axis=axes)) / source.std(axis=axes, ddof=ddof) ** power


def found(queries, memory):
    difference = queries[:, None].astype(float) - memory[None]
    distance = (difference**2).reshape(len(queries), len(memory), -1).sum(axis=-1)
    return (distance.argmin(axis=1) == np.arange(len(queries))).mean()


def mistakes(memory, copies, *, columns=2, grey_memory=True, blue_first=True, share=found):
    both = np.flip(copies, (columns, 3) if blue_first else columns)
    kept, grey = memory.mean(axis=-1), copies.mean(axis=-1)
    if not grey_memory:
        kept, grey = memory, np.repeat(grey[..., None], 3, axis=-1)
    return share(both, memory), share(grey, kept), share(np.flip(grey, columns), kept)


def found_in_bytes(queries, memory):
    queries, memory = queries.astype(np.uint8), memory.astype(np.uint8)
    distance = ((queries[:, None] - memory[None]) ** 2).reshape(len(queries), len(memory), -1).sum(axis=-1)
    return (distance.argmin(axis=1) == np.arange(len(queries))).mean()


RIGHT = {
    "image-over": {
        "floats": over,
        "bytes": lambda rgba, background: np.uint8(np.rint(over(rgba, background))),
        "bytes that are cut off": lambda rgba, background: np.uint8(over(rgba, background)),
    },
    "image-pad": {"whole numbers": place, "an array": lambda *sides: np.array(place(*sides))},
    "image-standardise": {
        "at once": standardise,
        "as a list": lambda *arrays: standardise(*arrays).tolist(),
        "float32": lambda *arrays: standardise(*arrays).astype("float32"),
    },
    "image-mistakes": {"by differences": mistakes, "a list": lambda *arrays: list(mistakes(*arrays))},
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
        "one colour for all": lambda rgba, background: over(rgba, background[0, 0]),
        "four channels": lambda rgba, background: rgba,
    },
    "image-pad": {
        "cut off": lambda *sides: place(*sides, whole=int),
        "nothing left of a line": lambda *sides: place(*sides, least=0),
        "cropped": lambda *sides: place(*sides, side=min),
        "the larger half first": lambda *sides: place(*sides, half=1),
        "columns first": lambda *sides: tuple(place(*sides)[i] for i in (1, 0, 3, 2)),
        "two numbers": lambda *sides: place(*sides)[:2],
    },
    "image-standardise": {
        "its own statistics": lambda train, other: standardise(train, other, mean_of=other),
        "of both": lambda train, other: standardise(train, other, mean_of=np.concatenate([train, other])),
        "ddof of 1": lambda train, other: standardise(train, other, ddof=1),
        "one mean for all channels": lambda train, other: standardise(train, other, axes=(0, 1, 2, 3))
        if train.shape[-1] > 1 else (other - train.mean()) / 255,
        "divided by the variance": lambda train, other: standardise(train, other, power=2.0),
        "the training images": lambda train, other: standardise(train, train),
        "to 0 to 1": lambda train, other: other / 255,
    },
    "image-mistakes": {
        "rows reversed": lambda *arrays: mistakes(*arrays, columns=1),
        "the memory in colour": lambda *arrays: mistakes(*arrays, grey_memory=False),
        "only mirrored": lambda *arrays: mistakes(*arrays, blue_first=False),
        "squares in uint8": lambda *arrays: mistakes(*arrays, share=found_in_bytes),
        "two shares": lambda *arrays: mistakes(*arrays)[:2],
        "in percent": lambda *arrays: [100 * share for share in mistakes(*arrays)],
    },
}  # fmt: skip
