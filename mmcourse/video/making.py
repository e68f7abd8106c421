"""Clips that are made, not filmed (notebook 27): a picture that moves, turns or grows over a background.

The motion is symmetric around the middle frame, where the picture's place, angle and size are drawn in the
same way whatever the motion. So the middle frame says nothing about the motion; and the frames of a clip
backwards are just what the opposite motion could have made.
"""

import math

import numpy as np

from mmcourse.checks import check_count

MOTIONS = ("left", "right", "up", "down", "clockwise", "counter-clockwise", "growing", "shrinking")
_SAME = {motion: motion for motion in MOTIONS}
_TURNS = {"clockwise": "counter-clockwise", "counter-clockwise": "clockwise"}
# What a motion becomes when left and right are exchanged, and when the clip runs backwards.
MIRRORED = _SAME | _TURNS | {"left": "right", "right": "left"}
REVERSED = MIRRORED | {"up": "down", "down": "up", "growing": "shrinking", "shrinking": "growing"}

SPEEDS = {"move": (0.5, 1.2), "turn": (5.0, 12.0), "grow": (0.03, 0.08)}  # a frame: 1/32 side, degrees, log


def background(size: int, random: np.random.Generator) -> np.ndarray:
    """A smooth random background in light colours: ``uint8`` ``(size, size, 3)``.

    Raises:
        ValueError: ``size`` is no whole number above 0.
    """
    import cv2

    size = check_count("size", size)
    coarse = random.uniform(130, 230, 3) + random.uniform(-25, 25, (4, 4, 3))
    smooth = cv2.resize(coarse.astype(np.float32), (size, size), interpolation=cv2.INTER_CUBIC)
    return np.clip(smooth, 0, 255).astype(np.uint8)


def cut_out(picture: np.ndarray, white: int = 250) -> np.ndarray:
    """Give a picture on white paper an alpha channel: ``uint8`` ``(height, width, 4)``.

    Transparent is what is white and joined to the border; white inside the drawing stays.

    Args:
        picture: ``uint8`` ``(height, width, 3)``.
        white: level from which all three channels count as white.

    Raises:
        ValueError: the picture is of another form.
    """
    from scipy import ndimage

    picture = np.asarray(picture)
    if picture.ndim != 3 or picture.shape[-1] != 3 or 0 in picture.shape or picture.dtype != np.uint8:
        raise ValueError(
            f"a picture must be uint8 (height, width, 3) and not empty, got {picture.dtype} {picture.shape}"
        )
    paper = np.pad((picture >= white).all(axis=-1), 1, constant_values=True)
    regions, _ = ndimage.label(paper)
    outside = (regions == regions[0, 0])[1:-1, 1:-1]
    return np.dstack([picture, np.where(outside, 0, 255).astype(np.uint8)])


def make_clip(
    picture: np.ndarray,
    motion: str,
    behind: np.ndarray,
    random: np.random.Generator,
    frames: int = 9,
) -> np.ndarray:
    """A clip of one motion: ``uint8`` ``(frames, size, size, 3)``.

    Args:
        picture: what moves, with alpha, ``uint8`` ``(side, side, 4)``, as of :func:`cut_out`.
        motion: one of :data:`MOTIONS`; "clockwise" as the viewer sees it.
        behind: the background, ``uint8`` ``(size, size, 3)``; it stands still.
        random: draws place, angle, size and speed.
        frames: an odd number, so that there is a middle one.

    Raises:
        ValueError: an unknown motion, an even number of frames, or arrays of another form.
    """
    import cv2

    if motion not in MOTIONS:
        raise ValueError(f"motion must be one of {', '.join(MOTIONS)}; got {motion!r}")
    if check_count("frames", frames) % 2 == 0:
        raise ValueError(f"frames must be odd, so that there is a middle one; got {frames}")
    for name, array, channels in (("picture", picture, 4), ("behind", behind, 3)):
        form = array.shape
        if len(form) != 3 or form[0] != form[1] or form[2] != channels or array.dtype != np.uint8:
            raise ValueError(f"{name} must be uint8 (side, side, {channels}), got {array.dtype} {form}")
    size = len(behind)
    # The middle frame: drawn before the motion is looked at.
    place = size * random.uniform(0.38, 0.62, 2)  # column and row of the picture's centre
    angle = random.uniform(-180, 180)
    scale = random.uniform(0.38, 0.5)  # side of the picture as a share of the frame's
    speed = {name: random.uniform(*bounds) for name, bounds in SPEEDS.items()}
    fine = 2 * size  # drawn at twice the size and averaged, so that edges move smoothly
    alpha = picture[..., 3:] / np.float32(255)
    layer = np.dstack([picture[..., :3] / np.float32(255) * alpha, alpha])
    layer = cv2.resize(layer, (fine // 2, fine // 2), interpolation=cv2.INTER_AREA)
    middle = (len(layer) - 1) / 2
    under = behind / np.float32(255)
    clip = np.empty((frames, size, size, 3), np.uint8)
    for number in range(frames):
        time = number - frames // 2
        (column, row), turned, scaled = place, angle, scale
        if motion in ("left", "right"):
            column += time * speed["move"] * size / 32 * (1 if motion == "right" else -1)
        elif motion in ("up", "down"):
            row += time * speed["move"] * size / 32 * (1 if motion == "down" else -1)
        elif motion in ("clockwise", "counter-clockwise"):
            turned += time * speed["turn"] * (1 if motion == "clockwise" else -1)
        else:
            scaled *= math.exp(time * speed["grow"] * (1 if motion == "growing" else -1))
        # OpenCV's positive angle turns against the clock.
        matrix = cv2.getRotationMatrix2D((middle, middle), -turned, scaled * fine / len(layer))
        matrix[:, 2] += (2 * column - 0.5 - middle, 2 * row - 0.5 - middle)
        drawn = cv2.warpAffine(layer, matrix, (fine, fine), flags=cv2.INTER_LINEAR)
        drawn = cv2.resize(drawn, (size, size), interpolation=cv2.INTER_AREA)
        clip[number] = np.uint8(255 * (drawn[..., :3] + under * (1 - drawn[..., 3:])) + 0.5)
    return clip
