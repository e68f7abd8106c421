"""How long ways of training take, in turn and more than once (notebook 42)."""

import time
from collections.abc import Mapping

import keras
import numpy as np

from mmcourse.checks import check_count


def in_turn(
    models: Mapping[str, keras.Model], *arrays: np.ndarray, repetitions: int = 7, batch_size: int = 100
) -> dict[str, np.ndarray]:
    """Train each model for an epoch, one after the other, again and again.

    What disturbs the machine for a while then disturbs all of them. A first epoch, in which TensorFlow
    compiles, does not count.

    Args:
        models: name -> compiled model.
        arrays: inputs and targets, as ``fit`` takes them.
        repetitions: epochs of each model that count.
        batch_size: examples of a batch.

    Returns:
        Name -> seconds of each epoch, ``float64`` ``(repetitions,)``.

    Raises:
        ValueError: there is no model, or a count is less than 1.
    """
    check_count("repetitions", repetitions)
    check_count("batch_size", batch_size)
    if not models:
        raise ValueError("expected at least one model to time, got none")
    taken: dict[str, list[float]] = {name: [] for name in models}
    for _ in range(1 + repetitions):
        for name, model in models.items():
            start = time.perf_counter()
            model.fit(*arrays, batch_size=batch_size, verbose=0)
            taken[name].append(time.perf_counter() - start)
    return {name: np.array(seconds[1:]) for name, seconds in taken.items()}
