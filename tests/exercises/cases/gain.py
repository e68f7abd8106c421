"""Right and wrong answers to the exercises of the notebook on gain."""

import functools

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mmcourse.applications import gain, gain_fields
from mmcourse.data.synthetic_money import simulate_payments


def falls(cases, of=lambda case: case.skill("both") - case.skill("shuffled")):
    lost = [of(case) for case in cases]
    return [cases[int(np.argmax(lost))].name, cases[int(np.argmin(lost))].name]


def by_sorting(cases):
    ordered = sorted(cases, key=lambda case: case.skill("shuffled") - case.skill("both"))
    return ordered[0].name, ordered[-1].name


def by_losses(cases):
    """The fall of skill from the losses themselves."""

    def fall(case):
        return (case.losses["shuffled"].sum() - case.losses["both"].sum()) / case.losses["neither"].sum()

    return [max(cases, key=fall).name, min(cases, key=fall).name]


def variances(eye, hand, correlation, power=2, shared=True, product=True):
    both = correlation * eye * hand if product else correlation
    errors = np.array([[eye**2, both], [both, hand**2]])
    raw = np.array([eye, hand], dtype=float) ** -power
    weights = raw / raw.sum()
    spread = errors if shared else np.diag(np.diag(errors))
    return gain.best_weights(errors)[1], weights @ spread @ weights


def by_search(eye, hand, correlation):
    """The best weight as the smallest of a parabola through three of its points."""
    both = correlation * eye * hand

    def variance(a):
        return a**2 * eye**2 + (1 - a) ** 2 * hand**2 + 2 * a * (1 - a) * both

    bend, slope, _ = np.polyfit([0, 0.5, 1], [variance(a) for a in (0, 0.5, 1)], 2)
    return variance(-slope / 2 / bend), variance(hand**2 / (eye**2 + hand**2))


@functools.cache
def payments(seed, start=3, whole_test=False, by_amount=True, own_only=True, swap=False, call_frauds=False):
    every = simulate_payments(seed=seed)
    fit, test = every.month < start, every.month >= (0 if whole_test else start)
    one, other = every.transaction, every.environment
    fraud, amounts = every.fraud[test] == 1, every.amounts[test]

    def euros(known, given):
        model = make_pipeline(StandardScaler(), LogisticRegression())
        chance = model.fit(known[fit], every.fraud[fit]).predict_proba(given)[:, 1]
        held = chance * amounts > 8 if by_amount else chance > 0.5
        return np.where(fraud, np.where(held, 8.0 * call_frauds, amounts), np.where(held, 8.0, 0.0))

    both = np.hstack([one, other])
    mixed = np.hstack([one[test], np.roll(other[test], 1, axis=0)])
    first, second = (other, one) if swap else (one, other)
    losses = {
        "neither": np.where(fraud, amounts, 0.0),
        "first": euros(first, first[test]),
        "second": euros(second, second[test]),
        "both": euros(both, both[test]),
        "shuffled": euros(both, mixed if own_only else both[test]),
    }
    return gain.Case("payment", losses)


def one_by_one(seed):
    """With a plain loop for the losses, and columns of one table."""
    every = simulate_payments(seed=seed)
    table = np.column_stack([every.transaction, every.environment])
    known, asked = table[every.month < 3], table[every.month >= 3]
    lent = asked.copy()
    lent[:, 3:] = np.roll(asked[:, 3:], 1, axis=0)
    arms = {"first": (range(3), asked), "second": (range(3, 6), asked)}
    arms |= {"both": (range(6), asked), "shuffled": (range(6), lent)}
    pairs = list(zip(every.fraud[every.month >= 3], every.amounts[every.month >= 3], strict=True))
    losses = {"neither": np.array([amount if fraud else 0 for fraud, amount in pairs])}
    for arm, (columns, given) in arms.items():
        model = make_pipeline(StandardScaler(), LogisticRegression())
        model.fit(known[:, columns], every.fraud[every.month < 3])
        chances = model.predict_proba(given[:, columns])[:, 1]
        found = []
        for (fraud, amount), chance in zip(pairs, chances, strict=True):
            held = chance * amount > 8
            found.append((0 if held else amount) if fraud else (8 if held else 0))
        losses[arm] = np.array(found, dtype=float)
    return gain.Case("my row", losses)


def spread_out(seed):
    losses = dict(payments(seed).losses)
    losses["neither"] = np.full_like(losses["both"], losses["neither"].mean())
    return gain.Case("payment", losses)


def by_dictionary(cases):
    fall = {case.name: case.skill("both") - case.skill("shuffled") for case in cases}
    return [max(fall, key=fall.get), min(fall, key=fall.get)]


def with_the_package(seed):
    every, lost = simulate_payments(seed=seed), gain_fields.payment_losses
    late, table = every.month >= 3, np.hstack([every.transaction, every.environment])
    lent = table[late]
    lent[:, 3:] = np.roll(lent[:, 3:], 1, axis=0)
    views = [(table[:, some], table[late][:, some]) for some in (slice(3), slice(3, 6), slice(6))]
    losses = [lost(every, *view) for view in [*views, (table, lent)]]
    return gain.Case.of("payments", np.where(every.fraud[late] == 1, every.amounts[late], 0), *losses)


RIGHT = {
    "gain-falls": {
        "argmax": falls,
        "sorted": by_sorting,
        "from the losses": by_losses,
        "dictionary": by_dictionary,
    },
    "gain-correlation": {"matrix": variances, "parabola": by_search},
    "gain-row": {"as asked": payments, "one by one": one_by_one, "package": with_the_package},
    "gain-claim": {"four": lambda: {"a", "b", "c", "f"}, "frozen": lambda: frozenset("abcf")},
}

WRONG = {
    "gain-falls": {
        "losses, not skills": lambda cases: falls(
            cases, lambda case: case.losses["shuffled"].mean() - case.losses["both"].mean()
        ),
        "the gain": lambda cases: falls(cases, lambda case: case.gain(repeats=2).skill),
        "from the better one": lambda cases: falls(
            cases, lambda case: max(case.skill("first"), case.skill("second")) - case.skill("shuffled")
        ),
        "shuffled alone": lambda cases: falls(cases, lambda case: -case.skill("shuffled")),
        "turned round": lambda cases: falls(cases)[::-1],
        "the size of the change": lambda cases: falls(
            cases, lambda case: abs(case.skill("both") - case.skill("shuffled"))
        ),
        "one name": lambda cases: falls(cases)[0],
    },
    "gain-correlation": {
        "weights by deviations": lambda a, b, c: variances(a, b, c, power=1),
        "correlation as covariance": lambda a, b, c: variances(a, b, c, product=False),
        "believes in independence": lambda a, b, c: variances(a, b, c, shared=False),
        "the plain mean": lambda a, b, c: variances(a, b, c, power=0),
        "the other way round": lambda a, b, c: variances(a, b, c)[::-1],
        "the best twice": lambda a, b, c: (variances(a, b, c)[0],) * 2,
        "standard deviations": lambda a, b, c: tuple(np.sqrt(variances(a, b, c))),
    },
    "gain-row": {
        "tested on all months": lambda seed: payments(seed, whole_test=True),
        "one half": lambda seed: payments(seed, by_amount=False),
        "nothing shuffled": lambda seed: payments(seed, own_only=False),
        "views swapped": lambda seed: payments(seed, swap=True),
        "frauds cost a call": lambda seed: payments(seed, call_frauds=True),
        "another split": lambda seed: payments(seed, start=4),
        "no case": lambda seed: payments(seed).losses,
        "losses of frauds spread over all": spread_out,
    },
    "gain-claim": {
        "all": lambda: set("abcdefg"),
        "the shuffle counts": lambda: set("abcdf"),
        "the interval counts": lambda: set("abcef"),
        "without the better of two": lambda: set("abc"),
        "only the rival": lambda: {"a"},
        "a string": lambda: "abcf",
        "a list": lambda: list("abcf"),
        "nothing": lambda: set(),
    },
}
