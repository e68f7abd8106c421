"""Checkers of the notebook "From data to a score, and back"."""

from collections.abc import Callable
from functools import cache

import numpy as np

from mmcourse.exercises.verdict import call, require
from mmcourse.pipeline import fingerprint, monitoring, workflow


def _bits(answer) -> None:
    for weights, memory, expected, what in (
        (2_000_000_000, 4, 16, "2 billion weights in 4 GB, exactly full at 16 bits"),
        (2_100_000_000, 4, 8, "2.1 billion weights in 4 GB"),
        (8_000_000_000, 6, 4, "8 billion weights in 6 GB"),
        (8_000_000_000, 100, 32, "8 billion weights in 100 GB"),
        (175_000_000_000, 16, 0, "GPT-3 in 16 GB"),
        (1_000_000, 0.001, 8, "a million weights in one megabyte, exactly full at 8 bits"),
    ):
        given = call(answer, weights, memory)
        require(
            isinstance(given, int | float | np.number) and given == expected,
            f"{what}: you give {given!r}, not {expected}. Weights × bits ÷ 8 are bytes; 10^9 of them are a "
            "gigabyte; of the widths that fit take the largest, and 0 if none fits.",
        )


GRAPHS = {
    "a chain": ("AB BC CE", {"B", "C"}),
    "a fork": ("AB AC BE CE", set()),
    "a bypass": ("AB BC CE BE", {"B"}),
    "a dead end": ("AB BE BX", {"B"}),
    "a loop afterwards": ("AB BE EJ JA", {"B"}),
    "a loop on the way": ("AB BC CB CE", {"B", "C"}),
    "no node between": ("AE", set()),
}


def _necessary(answer) -> None:
    graphs = {name: ({(e[0], e[1]) for e in text.split()}, nodes) for name, (text, nodes) in GRAPHS.items()}
    graphs["the article's chart"] = (workflow.read_chart(workflow.ARTICLE).pairs(), set("BCD"))
    graphs["the corrected chart"] = (workflow.read_chart(workflow.CORRECTED).pairs(), set("SFBGCHDI"))
    for name, (edges, expected) in graphs.items():
        given = call(answer, set(edges), "A", "E")
        require(isinstance(given, set | frozenset), f"return a set of nodes, got {type(given).__name__}")
        require(
            given == expected,
            f"{name}, from A to E: you give {sorted(map(str, given))}, not {sorted(expected)}. A node is "
            "necessary if the end cannot be reached once all of its edges are taken out.",
        )


def _record(example: str, chosen: int | None, consent: bool) -> monitoring.Feedback:
    return monitoring.Feedback("1.0", fingerprint(example), (3, 8), chosen, "2026-W14", consent)


def _agreed(answer) -> None:
    for what, votes, expected in (
        ("one record", [(8, True)], 8),
        ("without consent", [(8, False)], None),
        ("without a choice", [(None, True)], None),
        ("two that agree", [(5, True), (5, True)], 5),
        ("two that disagree", [(5, True), (8, True)], None),
        ("two of three", [(5, True), (8, True), (5, True)], 5),
        ("two of four, with two others", [(5, True), (8, True), (5, True), (1, True)], None),
        ("a digit 0", [(0, True)], 0),
        ("outvoted only without consent", [(5, True), (8, False), (8, False)], 5),
        ("some without a choice", [(5, True), (None, True), (None, True)], 5),
    ):
        records = [_record("this", *vote) for vote in votes] + [_record("other", 1, True)]
        given = call(answer, list(records))
        require(isinstance(given, dict), f"return a dictionary, got {type(given).__name__}")
        wanted = {fingerprint("other"): 1} | ({} if expected is None else {fingerprint("this"): expected})
        require(
            given == wanted,
            f"{what}: the choices are {[vote[0] for vote in votes]}, with consent "
            f"{[vote[1] for vote in votes]}; expected {'no label' if expected is None else expected}, got "
            f"{given.get(fingerprint('this'), 'no label')}, and one label for the example beside it. Count "
            "only records with consent and with a choice; a label needs more than half of them.",
        )


@cache
def _classifier():
    """A logistic regression on half of the digits; the other half; its share of right answers."""
    from sklearn.datasets import load_digits
    from sklearn.linear_model import LogisticRegression

    data = load_digits()
    model = LogisticRegression(C=0.01, max_iter=300).fit(data.data[::2], data.target[::2])
    return model, data.images[1::2], data.target[1::2], model.score(data.data[1::2], data.target[1::2])


def _blind(answer) -> None:
    model, pictures, digits, before = _classifier()
    changed = np.empty_like(pictures)
    for digit in range(10):  # one digit at a time, so that pictures cannot be exchanged
        rows = digits == digit
        given = np.asarray(call(answer, pictures[rows].copy()), dtype=float)
        require(
            given.shape == pictures[rows].shape,
            f"expected the shape {pictures[rows].shape}, as the pictures had it; got {given.shape}",
        )
        require(
            bool(np.isfinite(given).all() and given.min() >= 0 and given.max() <= 16),
            "the pixels must stay between 0 and 16",
        )
        changed[rows] = given
    after = float(model.score(changed.reshape(len(changed), -1), digits))
    found = monitoring.drift(pictures.mean(axis=(1, 2)), changed.mean(axis=(1, 2)))
    measured = (
        f"share right {before:.2f} before and {after:.2f} after, p-value of the ink {found.p_value:.2g}"
    )
    require(
        found.p_value > 0.5, f"the ink raises an alarm, or nearly: {measured}. Move ink: add none, lose none."
    )
    require(before - after >= 0.3, f"the classifier bears it: {measured}. It must lose 0.3 or more.")


CHECKERS: dict[str, Callable] = {
    "workflow-bits": _bits,
    "workflow-necessary": _necessary,
    "workflow-agreed": _agreed,
    "workflow-blind": _blind,
}
