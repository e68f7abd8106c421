"""Other weights for a while: what pruned, rounded or shuffled models answer (notebooks 82 and 83)."""

import contextlib
from collections.abc import Iterator, Mapping

import keras
import numpy as np


@contextlib.contextmanager
def replaced(model: keras.Model, arrays: Mapping[str, np.ndarray]) -> Iterator[None]:
    """A model with other weights inside the block, and its own again after it.

    Args:
        arrays: path -> weights of the same shape.

    Raises:
        ValueError: there is no weight of that path.
    """
    weights = {weight.path: weight for weight in model.weights}
    unknown = [path for path in arrays if path not in weights]
    if unknown:
        raise ValueError(
            f"the model has no weight {unknown[0]!r}; it has {', '.join(sorted(weights)[:3])}, …"
        )
    before = {path: keras.ops.convert_to_numpy(weights[path]) for path in arrays}
    try:
        for path, array in arrays.items():
            weights[path].assign(array)
        yield
    finally:
        for path, array in before.items():
            weights[path].assign(array)
