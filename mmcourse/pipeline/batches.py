"""Batches (notebook 28): rows and sequences put together for a model."""

from collections.abc import Mapping, Sequence

import numpy as np


def take(values, rows: np.ndarray):
    """Some rows of an array, a list, or of each modality of a mapping, masks included."""
    if isinstance(values, Mapping):
        return {name: take(one, rows) for name, one in values.items()}
    return (
        values[rows] if isinstance(values, np.ndarray) else [values[row] for row in np.asarray(rows).tolist()]
    )


def pad_batch(sequences: Sequence[np.ndarray], length: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Sequences of different lengths as one array, filled up with 0 at the end.

    Args:
        sequences: each ``(steps, ...)``; the axes after the first agree.
        length: steps of the array, to which longer sequences are cut; the longest *of this batch* by default.

    Returns:
        ``(padded, mask)``: ``(sequences, length, ...)`` in their dtype; boolean ``(sequences, length)``, True
        where a step is real.

    Raises:
        ValueError: there is no sequence, their other axes differ, or ``length`` is not positive.
    """
    if length is not None and length < 1:
        raise ValueError(f"length must be at least 1 step, got {length}")
    sequences = [np.asarray(sequence) for sequence in sequences]
    if not sequences or any(not sequence.ndim for sequence in sequences):
        raise ValueError("expected at least one sequence, each of the shape (steps, ...)")
    shapes = {sequence.shape[1:] for sequence in sequences}
    if len(shapes) > 1:
        raise ValueError(f"all steps of a batch must have one shape, got {sorted(shapes)}")
    lengths = np.array([len(sequence) for sequence in sequences])
    steps = lengths.max() if length is None else length
    mask = np.arange(steps) < lengths[:, None]
    padded = np.zeros(mask.shape + shapes.pop(), dtype=np.result_type(*sequences))
    padded[mask] = np.concatenate([sequence[:steps] for sequence in sequences])
    return padded, mask
