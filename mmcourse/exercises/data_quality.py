"""Checkers of the notebook "Which labels to mend, and which to ask for"."""

from collections.abc import Callable

import numpy as np

from mmcourse.evaluation.intervals import mean_interval
from mmcourse.exercises.verdict import call, require

# Means over five draws of the gain over no look, after 120 looks of which three fifths are wrong, with room
# for another seed and another machine; after looks of which a fifth is wrong they are 0.025 and 0.037.
GAINS = {"old, most doubted": (-0.03, 0.02), "new, least margin": (-0.015, 0.03)}


def _next(answer) -> None:
    random = np.random.default_rng(0)
    sure = np.array(
        [[0.98, 0.01, 0.01], [0.5, 0.5, 0.0], [0.4, 0.3, 0.3], [0.55, 0.44, 0.01], [0.5, 0.0, 0.5]]
    )
    drawn = random.dirichlet(np.ones(5), size=40)
    tied = random.multinomial(8, [0.4, 0.3, 0.3], size=60) / 8  # eighths, so that ties are exact
    for table, count, what in (
        (sure, 4, "five rows"),
        (drawn, 12, "forty rows"),
        (drawn[:, :2] / drawn[:, :2].sum(axis=1, keepdims=True), 3, "two classes"),
        (tied, 30, "sixty rows with ties"),
    ):
        given = np.asarray(call(answer, table.copy(), count))
        require(given.shape == (count,), f"{what}: expected {count} row numbers, got the shape {given.shape}")
        ordered = np.sort(table, axis=1)
        lead = ordered[:, -1] - ordered[:, -2]
        expected = np.argsort(lead, kind="stable")[:count]
        require(
            given.tolist() == expected.tolist(),
            f"{what}: the leads begin with {lead[:4].round(2).tolist()}, so the rows are "
            f"{expected[:4].tolist()} …; you give {given[:4].tolist()} …. Take the best class less the "
            'second, least first; rows that tie keep their order (np.argsort(…, kind="stable")).',
        )


def _weights(answer) -> None:
    cases = (
        (np.array([0] * 9 + [1]), "nine and one"),
        (np.array(["cat", "dog", "cat", "cat", "bird", "dog"]), "texts"),
        (np.array([7, 7, 3, 3, 3, 9]), "labels that do not begin at 0"),
    )
    for given, what in cases:
        weights = np.asarray(call(answer, given.copy()), dtype=float)
        require(
            weights.shape == given.shape,
            f"{what}: expected {len(given)} weights, got the shape {weights.shape}",
        )
        names, number, counts = np.unique(given, return_inverse=True, return_counts=True)
        expected = len(given) / (len(names) * counts[number])
        sums = {str(name): float(weights[given == name].sum()) for name in names}
        require(
            bool(np.allclose(weights, expected)),
            f"{what}: your weights add up to {sums} for the classes, and their mean is {weights.mean():.2f}. "
            f"Each class should have the sum {len(given) / len(names):.2f}.",
        )


def _mistakes(answer) -> None:
    random = np.random.default_rng(3)
    four = np.array([0.90, 0.75, 0.45, 0.10, 0.05, 0.20, 0.30, 0.85])
    small = np.stack([four, 1 - four], axis=1)
    labels = np.arange(60) % 3
    drawn = random.dirichlet(np.ones(3), size=60) * 0.6 + 0.4 * np.eye(3)[random.integers(0, 3, 60)]
    for given, table, what in (
        (np.array([0, 0, 0, 0, 1, 1, 1, 1]), small, "the eight digits"),
        (labels, drawn, "three classes"),
    ):
        counts = np.asarray(call(answer, given.copy(), table.copy()))
        kinds = table.shape[1]
        require(
            counts.shape == (kinds, kinds), f"{what}: expected a table {(kinds, kinds)}, got {counts.shape}"
        )
        usual = np.array([table[given == one, one].mean() for one in range(kinds)])
        expected = np.zeros((kinds, kinds), dtype=int)
        for label, row in zip(given, table, strict=True):
            fits = np.flatnonzero(row >= usual)
            if fits.size:
                expected[label, fits[row[fits].argmax()]] += 1
        require(
            bool((counts == expected).all()),
            f"{what}: expected {expected.tolist()}, got {counts.tolist()}. A class counts only where it has "
            "at least its usual probability, the label stands in the row, and rows without one are left out.",
        )


def _careless(answer) -> None:
    given = call(answer)
    keys = {"no look", *GAINS, "intervals", "pays"}
    require(
        isinstance(given, dict) and set(given) == keys,
        f"return a dictionary with the keys {', '.join(map(repr, sorted(keys)))}; got {given!r:.80}",
    )
    scores = {}
    for name in ("no look", *GAINS):
        scores[name] = np.asarray(given[name], dtype=float)
        require(
            scores[name].shape == (5,) and bool(((scores[name] > 0) & (scores[name] < 1)).all()),
            f"{name}: give five accuracies between 0 and 1, one for each draw",
        )
    require(
        0.72 < scores["no look"].mean() < 0.9,
        f"no look: the mean is {scores['no look'].mean():.2f}, and the notebook's models have about 0.82",
    )
    for name in ("no look", *GAINS):
        require(scores[name].std() > 1e-6, f"{name}: five equal numbers; take another draw each time")
    require(
        isinstance(given["intervals"], dict) and set(given["intervals"]) == set(GAINS),
        f"intervals: give one for each of {', '.join(GAINS)}",
    )
    pays = []
    for name, (low, high) in GAINS.items():
        gain = scores[name] - scores["no look"]
        require(
            low < gain.mean() < high,
            f"{name}: the mean gain is {gain.mean():+.3f}. With careless=0.6 and 120 looks it lies between "
            f"{low:+.3f} and {high:+.3f}.",
        )
        expected = mean_interval(gain)
        ends = np.asarray(given["intervals"][name], dtype=float)
        require(
            ends.shape == (2,) and bool(np.allclose(ends, expected, atol=2e-3)),
            f"{name}: the interval of the five gains, draw by draw, is [{expected[0]:+.3f}, "
            f"{expected[1]:+.3f}]; you give {ends.round(3).tolist()}. Subtract first, then take it.",
        )
        if expected[0] > 0:
            pays.append(name)
    require(
        isinstance(given["pays"], list | set | tuple) and set(given["pays"]) == set(pays),
        f"pays: the intervals that lie wholly above zero are those of {pays or 'none'}, "
        f"you say {given['pays']}.",
    )


CHECKERS: dict[str, Callable] = {
    "data-quality-next": _next,
    "data-quality-weights": _weights,
    "data-quality-mistakes": _mistakes,
    "data-quality-careless": _careless,
}
