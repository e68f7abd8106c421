"""Checks of arguments that many modules need; each message names the argument and what was expected."""

import math

import numpy as np


def check_count(name: str, value, least: int = 1) -> int:
    """A whole number of at least ``least``, or a ValueError."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ValueError(f"{name} must be a whole number of at least {least}, got {value!r}")
    return int(value)


def check_positive(name: str, value) -> None:
    """Raise ValueError unless a value is a finite number above 0."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise ValueError(f"{name} must be a number above 0, got {value!r}")


def check_between(name: str, value: float, low: float, high: float = math.inf) -> None:
    """Raise ValueError unless ``low <= value <= high`` and finite."""
    try:
        right = bool(np.isfinite(value)) and low <= value <= high
    except (TypeError, ValueError):
        right = False
    if not right:
        limits = f"from {low:g} to {high:g}" if np.isfinite(high) else f"{low:g} or more"
        raise ValueError(f"{name} must be a number {limits}, got {value!r}")


def check_random(random: np.random.Generator) -> None:
    """Raise ValueError unless ``random`` is a NumPy generator."""
    if not isinstance(random, np.random.Generator):
        raise ValueError(
            f"random must be a generator such as np.random.default_rng(0), got {type(random).__name__}"
        )
