"""Checkers of the section "Pipelines that do not leak"."""

from collections.abc import Callable

import numpy as np

from mmcourse.exercises.verdict import call, require


def _standardise(answer) -> None:
    random = np.random.default_rng(25)
    cases = [
        (np.array([[1.0], [3.0]]), np.array([[2.0], [10.0]])),
        (np.array([[1.0, 5.0], [3.0, 5.0]]), np.array([[2.0, 5.0], [2.0, 6.0]])),
        (random.normal(3, 2, size=(20, 4)), random.normal(50, 9, size=(5, 4))),
        (random.normal(size=(4, 3)), random.normal(size=(1, 3))),
    ]
    for training, test in cases:
        mean, deviation = training.mean(axis=0), training.std(axis=0)
        scale = np.where(deviation == 0, 1.0, deviation)
        given = call(answer, training.copy(), test.copy())
        require(
            isinstance(given, tuple | list) and len(given) == 2,
            "expected two arrays, the training rows and the test rows, both standardised",
        )
        for name, rows, found in (("training", training, given[0]), ("test", test, given[1])):
            found = np.asarray(found, dtype=float)
            require(
                found.shape == rows.shape,
                f"the {name} rows have the shape {rows.shape}; yours have {found.shape}",
            )
            require(
                bool(np.isfinite(found).all()),
                f"the {name} rows hold values that are not finite. A feature that never changes has the "
                "deviation 0: divide it by 1 instead.",
            )
            require(
                bool(np.allclose(found, (rows - mean) / scale, atol=1e-6)),
                f"with the training rows {training[:2].tolist()} … the {name} rows are wrong. Mean and "
                "deviation of each column come from the training rows alone, for both.",
            )


def _crossing(answer) -> None:
    cases = [
        (["ann", "ben", "ann", "cleo"], [0, 1], [2, 3], ["ann"]),
        (["ann", "ann", "ben", "ben"], [0, 1], [2, 3], []),
        (["a", "b", "c", "a", "b", "d", "b"], [0, 1, 2], [3, 4, 5, 6], ["a", "b"]),
        (["z", "y", "x", "z", "y", "x"], [5, 4, 3], [2, 1, 0], ["x", "y", "z"]),
    ]
    for groups, training, test, expected in cases:
        given = call(answer, list(groups), np.array(training), np.array(test))
        require(
            isinstance(given, list | tuple | set | np.ndarray) and sorted(map(str, given)) == expected,
            f"the rows belong to {groups}; training has the rows {training} and test {test}. On both sides "
            f"stand {expected}, each to be named once; you give {given}.",
        )


def _earliest(answer) -> None:
    for place, size in ((0, 1), (7, 1), (7, 3), (7, 8), (7, 100), (999, 100), (2, 3)):
        given = call(answer, place, size)
        expected = max(0, place - size + 1)
        require(
            bool(np.ndim(given) == 0 and given == expected),
            f"with a buffer of {size} the item at place {place} (counted from 0) can come out at place "
            f"{expected} at the earliest; you give {given}. It must be in the buffer, and every item before "
            "it that no longer fits has been given out.",
        )


CHECKERS: dict[str, Callable] = {
    "pipelines-standardise": _standardise,
    "pipelines-crossing": _crossing,
    "pipelines-buffer": _earliest,
}
