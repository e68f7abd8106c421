"""Checks of arguments that many modules need; each message names the argument and what was expected."""

import math

import numpy as np


def check_count(name: str, value, least: int = 1) -> None:
    """Raise ValueError unless a value is a whole number of at least ``least``."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ValueError(f"{name} must be a whole number, {least} or more; got {value!r}")


def check_positive(name: str, value) -> None:
    """Raise ValueError unless a value is a finite number above 0."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise ValueError(f"{name} must be a number above 0, got {value!r}")
