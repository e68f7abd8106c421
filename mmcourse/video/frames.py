"""Which frames to take, what changes between them, and how to vary a clip.

Source: Wang et al. (2016), "Temporal Segment Networks", section 3.1, for one frame a segment.
"""

import numpy as np


def check_clip(clip) -> np.ndarray:
    """The clip as an array, or a ValueError that says what is wrong.

    Raises:
        ValueError: it is not ``uint8`` ``(frames, height, width, 3)`` or is empty.
    """
    clip = np.asarray(clip)
    if clip.ndim != 4 or clip.shape[-1] != 3 or 0 in clip.shape or clip.dtype != np.uint8:
        raise ValueError(
            f"a clip must be uint8 (frames, height, width, 3) and not empty, got {clip.dtype} {clip.shape}"
        )
    return clip


def check_count(name: str, value, least: int = 1) -> int:
    """A whole number of at least ``least``, or a ValueError that names the argument."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ValueError(f"{name} must be a whole number of at least {least}, got {value!r}")
    return int(value)


def _check_strength(strength) -> float:
    if not 0 <= strength <= 1:
        raise ValueError(f"strength must be between 0 (nothing changes) and 1, got {strength!r}")
    return float(strength)


# Sampling


def spread(frames: int, count: int) -> np.ndarray:
    """Indices of ``count`` frames, spread evenly: the middle of each of ``count`` equal segments.

    If there are fewer frames than segments, some are taken more than once.

    Returns:
        ``int64`` ``(count,)``, not falling, each at least 0 and below ``frames``.

    Raises:
        ValueError: an argument is no whole number above 0.
    """
    frames, count = check_count("frames", frames), check_count("count", count)
    return (2 * np.arange(count) + 1) * frames // (2 * count)


def draw_segments(frames: int, count: int, random: np.random.Generator) -> np.ndarray:
    """Like :func:`spread`, with a frame drawn at random from each segment (Wang et al., 2016).

    Every frame of the clip is seen sooner or later, and the order is kept.

    Raises:
        ValueError: an argument is no whole number above 0.
    """
    frames, count = check_count("frames", frames), check_count("count", count)
    bounds = np.arange(count + 1) * frames / count
    drawn = bounds[:-1] + random.random(count) * (frames / count)
    return np.minimum(drawn.astype(np.int64), frames - 1)


def draw_window(frames: int, count: int, step: int, random: np.random.Generator) -> np.ndarray:
    """Indices of ``count`` frames, ``step`` apart, beginning at a random one.

    Raises:
        ValueError: an argument is no whole number above 0, or the clip is too short.
    """
    frames, count = check_count("frames", frames), check_count("count", count)
    step = check_count("step", step)
    length = (count - 1) * step + 1
    if length > frames:
        raise ValueError(
            f"{count} frames, {step} apart, need a clip of {length} frames, and it has {frames}; "
            "take fewer frames or a smaller step"
        )
    return random.integers(frames - length + 1) + step * np.arange(count)


def apparent_step(step: float, period: float) -> float:
    """The step that is seen when a pattern that repeats after ``period`` moves by ``step`` a frame.

    It is the shortest step that leads to the same frame: at least ``-period / 2``, below ``period / 2``.

    Raises:
        ValueError: ``period`` is not positive, or an argument is not finite.
    """
    if not (np.isfinite(step) and np.isfinite(period) and period > 0):
        raise ValueError(f"expected finite numbers and a positive period, got step {step}, period {period}")
    return float((step + period / 2) % period - period / 2)


def differences(clip: np.ndarray) -> np.ndarray:
    """Each frame minus the one before it: ``int16`` ``(frames - 1, height, width, 3)``, -255 to 255.

    Raises:
        ValueError: no clip (see :func:`check_clip`), or a single frame.
    """
    clip = check_clip(clip)
    if len(clip) < 2:
        raise ValueError("a difference needs two frames, and the clip has one")
    # uint8 would wrap around: 3 - 5 = 254.
    return np.diff(clip.astype(np.int16), axis=0)


# Augmentation: one draw for all frames of a clip


def mirror(clip: np.ndarray) -> np.ndarray:
    """Left and right exchanged in every frame. A label that names a direction changes with it.

    Raises:
        ValueError: no clip (see :func:`check_clip`).
    """
    return check_clip(clip)[:, :, ::-1].copy()


def reverse(clip: np.ndarray) -> np.ndarray:
    """The last frame first. A label that names a motion changes with it.

    Raises:
        ValueError: no clip (see :func:`check_clip`).
    """
    return check_clip(clip)[::-1].copy()


def shift(clip: np.ndarray, strength: float, random: np.random.Generator) -> np.ndarray:
    """All frames moved by one random number of pixels, the border repeated where nothing was.

    Args:
        strength: largest shift as a share of the side, 0 to 1.

    Raises:
        ValueError: no clip (see :func:`check_clip`), or ``strength`` is out of range.
    """
    clip, strength = check_clip(clip), _check_strength(strength)
    places = []
    for side in clip.shape[1:3]:
        most = int(strength * side)
        places.append(np.clip(np.arange(side) + random.integers(-most, most + 1), 0, side - 1))
    return clip[:, places[0][:, None], places[1]]


def jitter(clip: np.ndarray, strength: float, random: np.random.Generator) -> np.ndarray:
    """Contrast and brightness changed by one random amount in all frames.

    A draw for each frame would make the clip flicker, which no motion does.

    Args:
        strength: at 1, contrast by up to half and brightness by up to 128 levels either way.

    Raises:
        ValueError: no clip (see :func:`check_clip`), or ``strength`` is out of range.
    """
    clip, strength = check_clip(clip), _check_strength(strength)
    contrast, brightness = strength * random.uniform(-0.5, 0.5), strength * random.uniform(-128, 128)
    changed = (clip - 127.5) * (1 + contrast) + 127.5 + brightness
    return np.clip(changed.round(), 0, 255).astype(np.uint8)
