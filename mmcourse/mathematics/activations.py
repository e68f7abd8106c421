"""Activation functions in NumPy that several notebooks share (notebooks 31 and 35)."""

import numpy as np


def sigmoid(scores: np.ndarray) -> np.ndarray:
    """``1 / (1 + exp(-score))``, written with tanh so that nothing overflows."""
    return 0.5 * np.tanh(0.5 * scores) + 0.5


def softplus(scores: np.ndarray) -> np.ndarray:
    """``log(1 + exp(score))``, which is ``-log(sigmoid(-score))``, without overflow."""
    return np.logaddexp(0.0, scores)
