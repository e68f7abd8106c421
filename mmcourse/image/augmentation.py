"""Augmentation: random changes of pictures, each with a strength that is none at zero (notebook 24).

Every function takes one picture or a batch, ``uint8`` or floats between 0 and 1, draws anew for each picture
from the generator that it is given, and returns new pictures of the same shape and dtype. None of them knows
what a picture shows: whether a change keeps the label or the caption true is for you to decide. See
:mod:`mmcourse.image.pairs` for pictures with captions.
"""

import numpy as np

from mmcourse.checks import check_between, check_random
from mmcourse.image.arrays import as_batch, as_dtype, check_range, top

# How much red, green and blue a grey value takes: ITU-R BT.601, which OpenCV and Pillow follow.
GREY_WEIGHTS = np.array([0.299, 0.587, 0.114])


def flip(
    pictures: np.ndarray, random: np.random.Generator, chance: float = 0.5, axis: str = "horizontal"
) -> np.ndarray:
    """Mirror each picture with a chance: "horizontal" exchanges left and right, "vertical" top and bottom.

    Raises:
        ValueError: no pictures, a chance outside 0 to 1, or an unknown axis.
    """
    check_random(random)
    check_between("chance", chance, 0, 1)
    if axis not in ("horizontal", "vertical"):
        raise ValueError(f"axis must be 'horizontal' or 'vertical', got {axis!r}")
    batch = as_batch(pictures).copy()
    chosen = random.random(len(batch)) < chance
    batch[chosen] = batch[chosen][:, :, ::-1] if axis == "horizontal" else batch[chosen][:, ::-1]
    return _as_given(batch, pictures)


def warp(
    pictures: np.ndarray,
    random: np.random.Generator,
    degrees: float = 0.0,
    shift: float = 0.0,
    zoom: float = 0.0,
    fill: float | tuple[float, ...] = 0,
) -> np.ndarray:
    """Rotate, shift and scale each picture about its centre, in one step of bilinear interpolation.

    Args:
        degrees: the angle is drawn from ``-degrees`` to ``degrees``; positive turns against the clock.
        shift: down and across, up to this share of height and width.
        zoom: the scale is drawn between ``1 / (1 + zoom)`` and ``1 + zoom``.
        fill: what comes in from outside, in the range of the pictures: one number, or one a channel.

    Raises:
        ValueError: no pictures of up to four channels, or a strength out of range.
    """
    import cv2

    check_random(random)
    check_between("degrees", degrees, 0, 180)
    check_between("shift", shift, 0, 1)
    check_between("zoom", zoom, 0, 10)
    batch = as_batch(pictures)
    count, height, width, channels = batch.shape
    if channels > 4:
        raise ValueError(f"pictures must have at most four channels, got shape {np.shape(pictures)}")
    colour = np.broadcast_to(np.asarray(fill, dtype=float), channels).tolist()
    turns = np.deg2rad(random.uniform(-degrees, degrees, count))
    scales = np.exp(random.uniform(-np.log1p(zoom), np.log1p(zoom), count))
    moves = random.uniform(-shift, shift, (count, 2)) * (width, height)
    if degrees == shift == zoom == 0:
        return _as_given(batch.copy(), pictures)
    warped = np.empty_like(batch)
    for place, matrix in enumerate(_matrices(turns, scales, moves, height, width)):
        cv2.warpAffine(
            batch[place],
            matrix,
            (width, height),
            dst=warped[place],
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=colour,
        )
    return _as_given(warped, pictures)


def erase(
    pictures: np.ndarray,
    random: np.random.Generator,
    chance: float = 0.5,
    smallest: float = 0.2,
    largest: float = 0.5,
) -> np.ndarray:
    """Paint a rectangle of one random colour over each picture with a chance (Zhong et al., 2020).

    Args:
        chance: for each picture.
        smallest, largest: height and width are drawn between these shares of the picture's; a rectangle has
            at least one pixel and lies wholly inside.

    Raises:
        ValueError: no pictures, a number outside 0 to 1, or ``smallest`` above ``largest``.
    """
    check_random(random)
    for name, value in (("chance", chance), ("smallest", smallest), ("largest", largest)):
        check_between(name, value, 0, 1)
    if smallest > largest:
        raise ValueError(f"smallest must not be above largest, got {smallest} and {largest}")
    batch = as_batch(pictures).copy()
    size = np.array(batch.shape[1:3])
    for place in np.flatnonzero(random.random(len(batch)) < chance):
        height, width = sides = np.maximum(
            1, np.rint(size * random.uniform(smallest, largest, 2)).astype(int)
        )
        row, column = random.integers(size - sides + 1)
        colour = random.random((batch.shape[-1],)) * top(batch)
        batch[place, row : row + height, column : column + width] = as_dtype(colour, batch.dtype)
    return _as_given(batch, pictures)


def recolour(
    pictures: np.ndarray,
    random: np.random.Generator,
    brightness: float = 0.0,
    contrast: float = 0.0,
    saturation: float = 0.0,
) -> np.ndarray:
    """Change brightness, contrast and, with three channels, saturation by factors near 1.

    Each factor is drawn between ``1 - strength`` and ``1 + strength``. Brightness multiplies all values,
    contrast the distance to the picture's mean grey, saturation each pixel's distance to its own grey. What
    leaves the range is cut off.

    Args:
        brightness, contrast, saturation: the strengths, 0 to 1.

    Raises:
        ValueError: no pictures of one or three channels in their range, or a strength outside 0 to 1.
    """
    import cv2

    check_random(random)
    for name, value in (("brightness", brightness), ("contrast", contrast), ("saturation", saturation)):
        check_between(name, value, 0, 1)
    batch = as_batch(pictures)
    check_range(batch)
    count, channels = len(batch), batch.shape[-1]
    if channels not in (1, 3):
        raise ValueError(f"pictures must have one or three channels, got shape {np.shape(pictures)}")
    factors = random.uniform(-1, 1, (count, 3)) * (brightness, contrast, saturation) + 1
    if brightness == contrast == saturation == 0:
        return _as_given(batch.copy(), pictures)
    weights = GREY_WEIGHTS if channels == 3 else np.ones(1)
    means = batch.reshape(count, -1, channels).mean(axis=1, dtype=np.float64) @ weights  # (pictures,)
    changed = np.empty_like(batch)
    to_grey = np.broadcast_to(weights, (channels, channels))
    for place, (light, spread, pure) in enumerate(factors):
        # One linear map of the channels: new = matrix · old + offset.
        matrix = light * spread * (pure * np.eye(channels) + (1 - pure) * to_grey)
        offset = (1 - spread) * light * means[place]
        rows = np.column_stack([matrix, np.full(channels, offset)])
        changed[place] = cv2.transform(batch[place], rows).reshape(batch[place].shape)
    if batch.dtype != np.uint8:  # OpenCV cuts integers off at 0 and 255, floats nowhere
        np.clip(changed, 0, 1, out=changed)
    return _as_given(changed, pictures)


def add_noise(pictures: np.ndarray, random: np.random.Generator, deviation: float = 0.05) -> np.ndarray:
    """Add Gaussian noise to every value; what leaves the range is cut off.

    Args:
        deviation: standard deviation as a share of white, 0 to 1.

    Raises:
        ValueError: no pictures in their range, or a deviation outside 0 to 1.
    """
    check_random(random)
    check_between("deviation", deviation, 0, 1)
    batch = as_batch(pictures)
    check_range(batch)
    if deviation == 0:
        return _as_given(batch.copy(), pictures)
    noise = random.standard_normal(batch.shape, dtype=np.float32)
    noise *= np.float32(deviation * top(batch))
    noise += batch
    return _as_given(as_dtype(noise, batch.dtype), pictures)


def mixup(
    pictures: np.ndarray, targets: np.ndarray, random: np.random.Generator, strength: float = 0.2
) -> tuple[np.ndarray, np.ndarray]:
    """Mix each picture, and its target, with those of another one (Zhang et al., 2018).

    ``new = share * own + (1 - share) * other``, the share drawn from Beta(strength, strength). The label is
    not kept but mixed, so the targets must be probabilities and not class numbers.

    Args:
        pictures: a batch ``(pictures, height, width, channels)``.
        targets: ``(pictures, classes)``: one-hot, or probabilities.
        strength: 0 or more; 0 changes nothing, 1 draws all shares alike.

    Returns:
        Pictures of the same dtype, and ``float32`` targets.

    Raises:
        ValueError: no batch, targets that do not fit it, or a negative strength.
    """
    check_random(random)
    check_between("strength", strength, 0, 1000)
    batch, targets = as_batch(pictures), np.asarray(targets)
    if np.ndim(pictures) != 4 or targets.ndim != 2 or len(targets) != len(batch):
        raise ValueError(
            "expected a batch (pictures, height, width, channels) and targets (pictures, classes), one-hot; "
            f"got {np.shape(pictures)} and {targets.shape}"
        )
    shares = random.beta(strength, strength, len(batch)) if strength > 0 else np.ones(len(batch))
    others = random.permutation(len(batch))
    of_targets = shares[:, None].astype(np.float32)
    mixed_targets = of_targets * targets + (1 - of_targets) * targets[others]
    if strength == 0:
        return batch.copy(), mixed_targets.astype(np.float32)
    of_pictures = shares[:, None, None, None].astype(np.float32)
    mixed = of_pictures * batch + (1 - of_pictures) * batch[others]
    mixed = as_dtype(mixed, batch.dtype) if batch.dtype == np.uint8 else mixed.astype(batch.dtype)
    return mixed, mixed_targets.astype(np.float32)


def _matrices(
    turns: np.ndarray, scales: np.ndarray, moves: np.ndarray, height: int, width: int
) -> np.ndarray:
    """For each picture the 2 × 3 matrix that takes an old (column, row) to the new one."""
    cosine, sine = scales * np.cos(turns), scales * np.sin(turns)
    linear = np.stack([np.stack([cosine, sine], -1), np.stack([-sine, cosine], -1)], 1)  # (pictures, 2, 2)
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    offsets = centre + moves - linear @ centre
    return np.concatenate([linear, offsets[..., None]], axis=-1)


def _as_given(batch: np.ndarray, pictures: np.ndarray) -> np.ndarray:
    """The batch, or its only picture if one picture came in."""
    return batch if np.ndim(pictures) == 4 else batch[0]
