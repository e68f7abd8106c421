"""Intervals around a score."""

import math


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """95 % interval of a share by Wilson's (1927) formula, which holds near 0 and 1 too.

    Raises:
        ValueError: no trials, or more successes than trials.
    """
    if not 0 <= successes <= trials or trials == 0:
        raise ValueError(f"need 0 <= successes <= trials and a trial, got {successes} of {trials}")
    z = 1.959963984540054
    share = successes / trials
    centre = share + z * z / (2 * trials)
    half = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)
