"""Checkers of the notebook "What was known, and what a mistake costs"."""

import functools
from collections.abc import Callable

import numpy as np

from mmcourse.exercises.verdict import call, require


def _hold(answer) -> None:
    random = np.random.default_rng(65)
    many = random.random(300) ** 3, np.exp(random.normal(4, 1, 300)), 8.0
    for chances, amounts, price, what in (
        (np.array([0.02, 0.02]), np.array([500.0, 300.0]), 8.0, "the two payments of the text"),
        (np.array([0.5, 0.1]), np.array([16.0, 80.0]), 8.0, "payments where both cost the same"),
        (np.array([0.9, 0.6]), np.array([5.0, 3.0]), 8.0, "small amounts"),
        (*many, "300 payments"),
        (many[0], many[1], 1.5, "300 payments and a cheap call"),
    ):
        given = np.asarray(call(answer, chances.copy(), amounts.copy(), price))
        require(
            given.shape == chances.shape and given.dtype == bool,
            f"{what}: expected a boolean array of the shape {chances.shape}, got {given.dtype} {given.shape}",
        )
        expected = chances * amounts > price
        wrong = np.flatnonzero(given != expected)
        require(
            wrong.size == 0,
            f"{what}, a call at {price:g}: {wrong.size} of {len(expected)} decisions differ. Holding costs "
            "the call, fraud or not; letting pass costs the amount, times the probability that it is fraud.",
        )


def _folds(answer) -> None:
    for days, first, every, horizon in (
        (100, 40, 20, 5),
        (95, 40, 20, 20),
        (60, 30, 30, 1),
        (50, 10, 25, 30),
    ):
        given = call(answer, days, first, every, horizon)
        require(isinstance(given, list | tuple), f"return a list of pairs, got {type(given).__name__}")
        starts = list(range(first, days, every))
        what = f"{days} days, first {first}, every {every}, horizon {horizon}"
        require(len(given) == len(starts), f"{what}: expected {len(starts)} blocks, got {len(given)}")
        for start, pair in zip(starts, given, strict=True):
            require(
                isinstance(pair, list | tuple) and len(pair) == 2,
                f"{what}: each block is a pair (training days, test days)",
            )
            known, test = (np.asarray(part).tolist() for part in pair)
            require(
                test == list(range(start, min(start + every, days))),
                f"{what}: the block from day {start} holds the test days {start} to "
                f"{min(start + every, days) - 1}, got {test}",
            )
            last = start - horizon
            require(
                known == list(range(max(0, last + 1))),
                f"{what}: at the close of day {start} the answers of the days up to {last} are known, since "
                f"the answer of day t comes on day t + {horizon}; you train on {len(known)} days"
                + (f", the last being {known[-1]}" if known else ""),
            )


def _reasons(answer) -> None:
    random = np.random.default_rng(3)
    cases = [
        (
            np.array([3.0, 0.0, 2.0, 5.0]),
            np.zeros(4),
            np.array([1.0, 1.0, 4.0, 1.0]),
            np.array([1, 2, 9, -1.0]),
        ),
        (
            np.array([20.0, 0.5, 3.0]),
            np.array([30.0, 0.3, 1.0]),
            np.array([10.0, 0.2, 1.0]),
            np.array([-1, 0.4, 0.7]),
        ),
        (np.zeros(3), np.ones(3), np.ones(3), np.ones(3)),
    ]
    cases += [
        (random.normal(size=8), random.normal(size=8), random.uniform(0.5, 3, 8), random.normal(size=8))
    ]
    for features, means, deviations, weights in cases:
        for count in (1, 2, 5):
            arrays = (features.copy(), means.copy(), deviations.copy(), weights.copy())
            given = np.asarray(call(answer, *arrays, count)).tolist()
            parts = weights * (features - means) / deviations
            expected = [int(part) for part in np.argsort(-parts, kind="stable")[:count] if parts[part] > 0]
            require(
                given == expected,
                f"the parts are {parts.round(2).tolist()}; of these the {count} greatest above 0 belong to "
                f"the features {expected}, you give {given}. A part is "
                "weight · (feature − mean) / deviation.",
            )


@functools.cache
def _branch(blur: float) -> tuple[float, float]:
    """What the exercise asks for, computed once for each blur."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from mmcourse.applications import finance
    from mmcourse.data.synthetic_money import simulate_applicants

    train = simulate_applicants(2000, 0, "train")
    model = make_pipeline(StandardScaler(), LogisticRegression())
    model.fit(finance.applicant_features(train), 1 - train.repaid)
    people = simulate_applicants(2000, 0, "test", blur)
    lent = model.predict_proba(finance.applicant_features(people))[:, 1] < 1 / 6
    rates = finance.group_rates(people.repaid, lent, people.group)[1]
    return rates["good payers approved"], rates["approved who repaid"]


def _blur(answer) -> None:
    for blur in (0, 3):
        given = np.asarray(call(answer, blur), dtype=float)
        require(given.shape == (2,), f"return two rates of group 1, got the shape {given.shape}")
        names = "good payers approved", "approved who repaid"
        for value, right, name in zip(given, _branch(blur), names, strict=True):
            require(
                abs(value - right) < 0.01,
                f'with a blur of {blur} pixels "{name}" of group 1 is {right:.3f}, you give {value:.3f}. '
                "Train on clear documents (seed 0), blur those of the test people only, and lend below 1/6.",
            )


CHECKERS: dict[str, Callable] = {
    "finance-hold": _hold,
    "finance-folds": _folds,
    "finance-reasons": _reasons,
    "finance-blur": _blur,
}
