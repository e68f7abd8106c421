"""Checkers of the notebook "Pipelines"."""

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
        (np.full((20, 1), 0.1), np.array([[0.1], [0.4]])),  # its deviation comes out as 1.4e-17
    ]
    for training, test in cases:
        mean, deviation = training.mean(axis=0), training.std(axis=0)
        scale = np.where(training.max(axis=0) == training.min(axis=0), 1.0, deviation)
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
                f"the {name} rows hold values that are not finite. A feature that never changes in training "
                "has the deviation 0: divide it by 1 instead.",
            )
            require(
                bool(np.allclose(found, (rows - mean) / scale, atol=1e-6)),
                f"with the training rows {training[:2].tolist()} … the {name} rows are wrong. Mean and "
                "deviation (ddof=0) of each column come from the training rows alone, for both. A column "
                "that never changes there is divided by 1, even if rounding makes its deviation 1.4e-17.",
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


def _coins(answer) -> None:
    found = {}
    for features in (20, 200, 5000):
        given = np.asarray(call(answer, features), dtype=float)
        require(given.shape == (2,), f"expected two numbers for {features} features, got {given!r}")
        require(bool(((given >= 0) & (given <= 1)).all()), f"expected shares of right answers, got {given}")
        found[features] = given
    leaks, honest = np.transpose(list(found.values()))
    require(
        bool((np.abs(honest - 0.5) < 0.12).all()),
        f"split first, and coins cannot be foretold, however many features; you give {honest.round(2)} "
        "for 20, 200 and 5,000. Return the score of 'select first' first, and the mean over 20 seeds.",
    )
    require(
        abs(leaks[0] - honest[0]) < 1e-9,
        "of 20 features all 20 are chosen, whoever chooses: both programs must give the same number there, "
        f"and you give {found[20].round(3)}. Use the same seeds, 0 to 19, for both.",
    )
    require(
        bool(0.65 < leaks[1] < 0.85 and 0.86 < leaks[2] <= 0.97),
        f"select first, and the score rises with the number of features to choose from; you give "
        f"{leaks.round(2)} for 20, 200 and 5,000. Hand the number of features on to coin_score.",
    )


CHECKERS: dict[str, Callable] = {
    "pipeline-standardise": _standardise,
    "pipeline-crossing": _crossing,
    "pipeline-fill": _fill,
    "pipeline-coins": _coins,
}
