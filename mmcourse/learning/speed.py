"""How long ways of training or calculating take, in turn and more than once (notebooks 42 and 82)."""

import functools
import time
from collections.abc import Callable, Mapping

import keras
import numpy as np

from mmcourse.checks import check_count


def in_turn(
    models: Mapping[str, keras.Model], *arrays: np.ndarray, repetitions: int = 7, batch_size: int = 100
) -> dict[str, np.ndarray]:
    """Train each model for an epoch, one after the other, again and again; see :func:`calls_in_turn`.

    The first epoch, in which TensorFlow compiles, does not count.

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
    check_count("batch_size", batch_size)
    ways = {
        name: functools.partial(model.fit, *arrays, batch_size=batch_size, verbose=0)
        for name, model in models.items()
    }
    return calls_in_turn(ways, repetitions)


def calls_in_turn(
    ways: Mapping[str, Callable[[], object]], repetitions: int = 7, calls: int = 1
) -> dict[str, np.ndarray]:
    """Call each of several functions, one after the other, again and again.

    What disturbs the machine for a while then disturbs all of them. The first turn does not count.

    Args:
        ways: name -> function.
        repetitions: turns that count.
        calls: of each function in its turn, for what takes too little time to be measured alone.

    Returns:
        Name -> seconds of one call, ``float64`` ``(repetitions,)``. Look at medians.

    Raises:
        ValueError: there is nothing to time, or a count is less than 1.
    """
    check_count("repetitions", repetitions)
    check_count("calls", calls)
    if not ways:
        raise ValueError("expected at least one model or function to time, got none")
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(1 + repetitions):
        for name, call in ways.items():
            start = time.perf_counter()
            for _ in range(calls):
                call()
            taken[name].append((time.perf_counter() - start) / calls)
    return {name: np.array(seconds[1:]) for name, seconds in taken.items()}
