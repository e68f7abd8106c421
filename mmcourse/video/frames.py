"""Which frames to take (notebook 27), and what sampling does to a motion.

Source: Wang et al. (2016), "Temporal Segment Networks", section 3.1, for one frame a segment.
"""

import numpy as np

from mmcourse.checks import check_count


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


def apparent_step(step: float, period: float) -> float:
    """The step that is seen when a pattern that repeats after ``period`` moves by ``step`` a frame.

    It is the shortest step that leads to the same frame: at least ``-period / 2``, below ``period / 2``.

    Raises:
        ValueError: ``period`` is not positive, or an argument is not finite.
    """
    if not (np.isfinite(step) and np.isfinite(period) and period > 0):
        raise ValueError(f"expected finite numbers and a positive period, got step {step}, period {period}")
    return float((step + period / 2) % period - period / 2)
