"""Checkers of the notebook "What was the second modality worth?"."""

import functools
from collections.abc import Callable

import numpy as np

from mmcourse.exercises.verdict import call, require


def _falls(answer) -> None:
    from mmcourse.applications import gain

    # In the order of gain.ARMS; losses and skills, falls and gains name different cases.
    tables = {
        "prices, text": (2.0, 2.1, 2.0, 2.02, 2.02),
        "question, page": (1.0, 0.9, 0.9, 0.1, 1.0),
        "radar, camera": (40.0, 1.0, 2.0, 0.9, 20.0),
        "sum, handwriting": (0.5, 0.5, 0.4, 0.2, 1.5),
        "text, picture": (1.0, 0.02, 0.9, 0.02, 0.015),
    }
    cases = [gain.Case.of(name, *(np.full(2, loss) for loss in losses)) for name, losses in tables.items()]
    for some in (cases, cases[::-1], cases[:3]):
        given = call(answer, list(some))
        require(
            isinstance(given, list | tuple)
            and len(given) == 2
            and all(isinstance(one, str) for one in given),
            f"return the names of two cases, got {given!r}",
        )
        lost = [case.skill("both") - case.skill("shuffled") for case in some]
        right = [some[int(np.argmax(lost))].name, some[int(np.argmin(lost))].name]
        falls = ", ".join(f"{case.name!r} by {fall:.3f}" for case, fall in zip(some, lost, strict=True))
        require(
            list(given) == right,
            f"from both to shuffled the skill falls in {falls}. Expected {right}, got {list(given)}. "
            'A fall is case.skill("both") - case.skill("shuffled"); below 0 it is a rise.',
        )


def _correlation(answer) -> None:
    for eye, hand, correlation in (
        (1.0, 2.0, 0.0),
        (1.0, 2.0, 0.5),
        (1.0, 2.0, 0.9),
        (3.0, 0.5, 0.3),
        (1.5, 1.5, -0.4),
    ):
        given = call(answer, eye, hand, correlation)
        require(
            np.shape(given) == (2,),
            f"return two variances, got {given!r}: with the best weights, and careless",
        )
        errors = np.array([[eye**2, correlation * eye * hand], [correlation * eye * hand, hand**2]])
        raw = 1 / np.diag(errors)
        weights = raw / raw.sum()
        right = 1 / np.linalg.inv(errors).sum(), weights @ errors @ weights
        for value, expected, name in zip(given, right, ("best weights", "inverse variances"), strict=True):
            require(
                abs(value - expected) < 1e-6,
                f"eye {eye}, hand {hand}, correlation {correlation}, {name}: expected the variance "
                f"{expected:.4f}, got {float(value):.4f}. The variance of a·eye + b·hand is "
                "a²·eye² + b²·hand² + 2·a·b·correlation·eye·hand, with standard deviations eye and hand.",
            )


def _lost(seed: int) -> np.ndarray:
    """What each late payment of the exercise loses if all are let through."""
    from mmcourse.data.synthetic_money import simulate_payments

    every = simulate_payments(seed=seed)
    return (every.amounts * every.fraud)[every.month >= 3]


@functools.cache
def _skills(seed: int) -> dict[str, float]:
    """What the exercise asks for, computed once for each seed: the skill of each arm."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from mmcourse.data.synthetic_money import simulate_payments

    every = simulate_payments(seed=seed)
    fit, test = every.month < 3, every.month >= 3
    both = np.hstack([every.transaction, every.environment])
    mixed = np.hstack([every.transaction[test], np.roll(every.environment[test], 1, axis=0)])
    fraud, amounts = every.fraud[test] == 1, every.amounts[test]
    whole = (amounts * fraud).sum()
    arms = {"first": (slice(0, 3), both[test]), "second": (slice(3, 6), both[test])}
    arms |= {"both": (slice(0, 6), both[test]), "shuffled": (slice(0, 6), mixed)}
    found = {"neither": 0.0}
    for arm, (columns, given) in arms.items():
        model = make_pipeline(StandardScaler(), LogisticRegression())
        chance = model.fit(both[fit][:, columns], every.fraud[fit]).predict_proba(given[:, columns])[:, 1]
        held = chance * amounts > 8
        found[arm] = float(1 - np.where(fraud, amounts * ~held, 8.0 * held).sum() / whole)
    return found


def _row(answer) -> None:
    from mmcourse.applications import gain

    for seed in (0, 4):
        case = call(answer, seed)
        require(isinstance(case, gain.Case), f"return a gain.Case, got {type(case).__name__}")
        lost = _lost(seed)
        neither = case.losses["neither"]
        require(
            neither.shape == lost.shape and np.allclose(neither, lost),
            f"seed {seed}: 'neither' has a loss for each of the {len(lost)} payments from month 3 on: "
            "the amount of a fraud, 0 for an honest one",
        )
        for arm, right in _skills(seed).items():
            given = case.skill(arm)
            require(
                abs(given - right) < 0.01,
                f"seed {seed}: the skill of {arm!r} is {right:.3f}, your case has {given:.3f}. Fit on the "
                "months before 3, judge on the others, hold a payment if chance times amount is above 8.",
            )
        require(case.groups is None, "payments are independent: give no groups")


def _claim(answer) -> None:
    given = call(answer)
    require(isinstance(given, set | frozenset), f"return a set of letters, got {type(given).__name__}")
    letters = set("abcdefg")
    require(bool(given) and given <= letters, f"return a set of letters from a to g, got {given!r}")
    hints = {
        "a": "a: the rival of the claim was not tuned; against this one 3 points are left.",
        "b": "b: a network that has never met a blank text does not show what pictures alone can do.",
        "c": "c: in use nobody who knows the answer will write the text.",
        "d": "d: that the network uses the text is not in doubt; the question is what joining brings.",
        "e": "e: an interval says how exact a difference is, not whether it is the right one.",
        "f": "f: joining both must be compared with the better of the two alone.",
        "g": "g: that is what the text costs, not what it brings.",
    }
    right = set("abcf")
    wrong = sorted(given ^ right)
    require(not wrong, f"think again about {' '.join(hints[one] for one in wrong[:1])}")


CHECKERS: dict[str, Callable] = {
    "gain-falls": _falls,
    "gain-correlation": _correlation,
    "gain-row": _row,
    "gain-claim": _claim,
}
