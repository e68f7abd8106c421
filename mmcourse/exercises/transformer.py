"""Checkers of the notebook "The Transformer, and a small language model"."""

from collections.abc import Callable

import numpy as np

from mmcourse.exercises.attention import numbers, softmax
from mmcourse.exercises.verdict import call, require

WITH_POSITIONS, WITHOUT_POSITIONS = (0.9, 1.0), (0.1, 0.85)


def _cached_step(answer) -> None:
    random = np.random.default_rng(1)
    for width in (4, 3):
        # Two sequences are written in turn, so that what is kept outside the cache is found out.
        sequences = random.normal(size=(2, 3, 5, width)) * 2  # (sequences, q k v, steps, width)
        caches = [None, None]
        for step in range(5):
            for which, (queries, keys, values) in enumerate(sequences):
                new = (queries[step].copy(), keys[step].copy(), values[step].copy())
                result = call(answer, caches[which], *new)
                require(
                    isinstance(result, tuple | list) and len(result) == 2,
                    "return two things: the output and the new cache",
                )
                output, caches[which] = result
                output = numbers(output, (width,), f"the output of step {step + 1}")
                scores = keys[: step + 1] @ queries[step] / np.sqrt(width)
                expected = softmax(scores) @ values[: step + 1]
                require(
                    bool(np.allclose(output, expected, atol=1e-5)),
                    f"step {step + 1} of sequence {which + 1}, width {width}: expected {expected.round(4)}, "
                    f"got {output.round(4)}. The query looks at all keys of its own sequence so far, the new "
                    "one among them. Two sequences are written in turn: all that is remembered must be in "
                    "the cache that you are given.",
                )


def _turned(answer) -> None:
    vectors = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 2.0], [-1.0, 3.0]])
    positions = np.arange(4)
    expected = (vectors[:, 0] + 1j * vectors[:, 1]) * np.exp(1j * positions)
    given = numbers(call(answer, vectors.copy()), (4, 2), "four vectors")
    for position in positions:
        wanted = np.array([expected[position].real, expected[position].imag])
        require(
            bool(np.allclose(given[position], wanted, atol=1e-5)),
            f"at position {position} the vector {vectors[position]} becomes {wanted.round(4)}, you give "
            f"{given[position].round(4)}. Position 0 is not turned; angles are in radians.",
        )
    other = np.random.default_rng(2).normal(size=(2, 2))
    given = numbers(call(answer, other.copy()), (2, 2), "two vectors")
    require(
        bool(np.allclose(given[0], other[0], atol=1e-5)), "with two vectors, the first must stay as it is"
    )


def _positions(answer) -> None:
    told, not_told = numbers(call(answer), (2,), "the two shares")
    low, high = WITH_POSITIONS
    require(
        low <= told <= high,
        f"with positions the model gets {low} to {high:.0f} of the words right, you give {told:.3f}. "
        "A share lies between 0 and 1; the share with positions comes first.",
    )
    low, high = WITHOUT_POSITIONS
    require(
        low <= not_told <= high,
        f"without positions you give {not_told:.3f}; trained as in the notebook the share lies between {low} "
        f"and {high}. Is the causal mask still in place, and are the position vectors gone from `call`?",
    )


CHECKERS: dict[str, Callable] = {
    "transformer-cache": _cached_step,
    "transformer-rotary": _turned,
    "transformer-positions": _positions,
}
