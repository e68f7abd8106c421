"""Checkers of the chapter "Pipelines"."""

from collections.abc import Callable, Set

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
        (["a", "b", "a", "b", "a"], [0, 2], [1, 3, 4], ["a"]),
        (["a", "b", "c", "c", "b", "d"], [3, 1, 0], [5, 4], ["b"]),
    ]
    for groups, training, test, expected in cases:
        given = call(answer, list(groups), np.array(training), np.array(test))
        require(
            isinstance(given, list | tuple | Set | np.ndarray) and sorted(map(str, given)) == expected,
            f"the rows belong to {groups}; training has the rows {training} and test {test}. On both sides "
            f"stand {expected}, each to be named once; you give {given}.",
        )


def _earliest(answer) -> None:
    for place, size in ((0, 1), (7, 1), (7, 3), (7, 8), (7, 100), (999, 100), (2, 3), (3, 3), (8, 8)):
        given = call(answer, place, size)
        expected = max(0, place - size + 1)
        require(
            bool(np.ndim(given) == 0 and given == expected),
            f"with a buffer of {size} the item at place {place} (counted from 0) can come out at place "
            f"{expected} at the earliest; you give {given}. It must be in the buffer, and every item before "
            "it that no longer fits has been given out.",
        )


def _fill(answer) -> None:
    random = np.random.default_rng(26)
    cases = [
        (np.array([[1.0], [np.nan], [3.0]]), np.array([[np.nan], [10.0]])),
        (np.array([[0.0, 4.0], [np.nan, 8.0], [6.0, np.nan]]), np.array([[np.nan, 0.0], [np.nan, 2.0]])),
        (np.array([[1.0, 2.0], [3.0, 7.0]]), np.array([[np.nan, np.nan]])),
    ]
    for rows, others, features in ((12, 5, 3), (30, 8, 4)):
        both = np.exp(random.normal(size=(rows + others, features))) * random.uniform(1, 9, features)
        both[rows:] += 20
        lost = random.random(both.shape) < 0.3
        lost[0] = False  # a known value in each column of the training part
        both[lost] = np.nan
        cases.append((both[:rows], both[rows:]))
    for training, test in cases:
        mean = np.nanmean(training, axis=0)
        given = call(answer, training.copy(), test.copy())
        require(
            isinstance(given, tuple | list) and len(given) == 2,
            "expected two arrays, the training rows and the test rows, both filled and marked",
        )
        for name, rows, found in (("training", training, given[0]), ("test", test, given[1])):
            found, features = np.asarray(found, dtype=float), rows.shape[1]
            require(
                found.shape == (len(rows), 2 * features),
                f"the {name} rows have the shape {rows.shape}; with a mark for each value they have "
                f"{(len(rows), 2 * features)}, and yours have {found.shape}",
            )
            require(
                bool((found[:, features:] == np.isnan(rows)).all()),
                f"the marks of the {name} rows are wrong: 1 where a value was missing, 0 where it was known, "
                "to the right of the values and in their order. Look for nan before you fill it.",
            )
            require(
                bool(np.allclose(found[:, :features], np.where(np.isnan(rows), mean, rows), atol=1e-5)),
                f"with the training rows {training[:3].tolist()} … the values of the {name} rows are wrong. "
                "What is known stays; what is missing becomes the mean of the known values of its column "
                "in the training rows, for both parts.",
            )


CHECKERS: dict[str, Callable] = {
    "pipeline-standardise": _standardise,
    "pipeline-crossing": _crossing,
    "pipeline-buffer": _earliest,
    "pipeline-fill": _fill,
}
