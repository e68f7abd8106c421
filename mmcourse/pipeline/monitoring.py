"""What is watched and collected while a model is in use: drift of the inputs, and feedback (notebook 12)."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats


class Drift(NamedTuple):
    """The largest gap between two cumulative shares, and how often chance alone makes one as large."""

    gap: float
    p_value: float


def largest_gap(reference: ArrayLike, current: ArrayLike) -> float:
    """Smirnov's distance of two samples: the largest difference between their cumulative shares.

    The cumulative share of a sample at ``x`` is the share of its values that are at most ``x``. The distance
    is 0 for equal samples and 1 for samples that do not overlap.

    Args:
        reference, current: finite numbers ``(values,)``, one or more; the numbers of values may differ.

    Raises:
        ValueError: no values, NaN or infinity, or another shape.
    """
    first, second = _sorted("reference", reference), _sorted("current", current)
    places = np.concatenate([first, second])
    shares = [np.searchsorted(one, places, side="right") / len(one) for one in (first, second)]
    return float(np.abs(shares[0] - shares[1]).max())


def drift(reference: ArrayLike, current: ArrayLike) -> Drift:
    """Smirnov's test of whether two samples may come from one distribution.

    The p-value is that of the gap in a sample of ``n m / (n + m)`` values, rounded, which is close from some
    dozens of values on, and too large, so on the safe side, where values are tied. It equals
    ``scipy.stats.ks_2samp(reference, current, method="asymp")``. Source: Hodges (1958), The significance
    probability of the Smirnov two-sample test.

    Args:
        reference, current: see :func:`largest_gap`, which raises the same errors.
    """
    gap = largest_gap(reference, current)
    first, second = np.size(reference), np.size(current)
    values = max(1.0, np.round(first * second / (first + second)))
    return Drift(gap, float(np.clip(stats.kstwo.sf(gap, values), 0, 1)))


def _sorted(name: str, values: ArrayLike) -> np.ndarray:
    array = np.asarray(values, dtype=float)
    if array.ndim != 1 or not len(array) or not np.isfinite(array).all():
        raise ValueError(
            f"{name} must be finite numbers of the shape (values,), one or more; got the shape {array.shape}"
        )
    return np.sort(array)


@dataclass(frozen=True)
class Feedback:
    """What a user says about one answer. There is no field for who the user is.

    Attributes:
        version: of the model that answered.
        example: the fingerprint of the input, 32 hexadecimal digits (:func:`mmcourse.pipeline.fingerprint`).
            The input itself lies elsewhere under this name, so that it can be erased.
        shown: the answers that were shown, the best first, each once.
        chosen: the answer that the user says is right, among those shown or another; None if the user does
            not know.
        week: when, no finer than a week: "2026-W14".
        consent: whether the example may be used to train.
    """

    version: str
    example: str
    shown: tuple[int, ...]
    chosen: int | None
    week: str
    consent: bool = False

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[0-9a-f]{32}", self.example):
            raise ValueError(f"example must be a fingerprint of 32 hexadecimal digits, got {self.example!r}")
        if not self.shown or len(set(self.shown)) != len(self.shown):
            raise ValueError(f"shown must hold one answer or more, each once; got {self.shown!r}")
        if not re.fullmatch(r"\d{4}-W(0[1-9]|[1-4]\d|5[0-3])", self.week):
            raise ValueError(f"week must be a year and a week such as '2026-W14', got {self.week!r}")
        if not isinstance(self.consent, bool):
            raise ValueError(f"consent must be True or False, got {self.consent!r}")

    @property
    def is_error(self) -> bool:
        """Whether the user says that the first answer shown was wrong."""
        return self.chosen is not None and self.chosen != self.shown[0]

    @property
    def preference(self) -> tuple[int, int] | None:
        """``(chosen, rejected)`` if the user chose among the answers shown; None otherwise.

        The rejected one is the first answer shown that was not chosen.
        """
        others = [answer for answer in self.shown if answer != self.chosen]
        return (self.chosen, others[0]) if self.chosen in self.shown and others else None


def read_feedback(record: Mapping) -> Feedback:
    """A record as it comes from outside, such as from JSON. What the schema does not know is refused.

    Raises:
        ValueError: a field is missing or not known, such as a name or an address: it must not be stored.
    """
    known = {field.name for field in fields(Feedback)}
    unknown, missing = set(record) - known, known - {"consent"} - set(record)
    if unknown or missing:
        raise ValueError(
            f"the fields are {sorted(known)}; not known: {sorted(unknown)}, missing: {sorted(missing)}"
        )
    return Feedback(**{**record, "shown": tuple(record["shown"])})


def usable(records: Iterable[Feedback], withdrawn: Collection[str] = ()) -> dict[str, int]:
    """The labels that feedback gives: fingerprint of the example -> what it shows.

    Left out are records without consent or without a choice, examples whose consent was withdrawn, and
    examples on which two records with consent contradict each other.

    Args:
        withdrawn: fingerprints of examples that must not be used any more.
    """
    said: dict[str, set[int]] = {}
    for record in records:
        if record.consent and record.chosen is not None and record.example not in withdrawn:
            said.setdefault(record.example, set()).add(record.chosen)
    return {example: next(iter(labels)) for example, labels in said.items() if len(labels) == 1}


def simulate_reports(
    ranked: np.ndarray,
    truths: np.ndarray,
    examples: Sequence[str],
    draw: np.random.Generator,
    version: str = "1.0",
    week: str = "2026-W14",
    rates: tuple[float, float, float] = (0.5, 0.9, 0.8),
) -> list[Feedback]:
    """Records of customers who see an error and report it; no right answer is reported.

    Args:
        ranked: the answers shown to each customer, the best first, ``(customers, answers)``.
        truths: what is right, ``(customers,)``.
        examples: the fingerprint of each customer's input.
        rates: of those who see an error, how many report it; of these, how many know what is right, and how
            many agree that their example is used. What they know is right.
        version, week: see :class:`Feedback`.

    Raises:
        ValueError: the numbers of customers differ, or a rate is no share.
    """
    if not len(ranked) == len(truths) == len(examples):
        raise ValueError(f"expected as many, got {len(ranked)}, {len(truths)} and {len(examples)} customers")
    if not all(0 <= rate <= 1 for rate in rates):
        raise ValueError(f"rates must be between 0 and 1, got {rates}")
    records = []
    for row in np.flatnonzero(np.asarray(ranked)[:, 0] != truths).tolist():
        reports, knows, agrees = draw.random(3) < rates
        if reports:
            shown = tuple(int(answer) for answer in ranked[row])
            chosen = int(truths[row]) if knows else None
            records.append(Feedback(version, examples[row], shown, chosen, week, bool(agrees)))
    return records


def preference_loss(scores: ArrayLike, preferences: Sequence[tuple[int, int]]) -> float:
    """The mean of ``-log σ(score of the chosen - score of the rejected)``: log 2 if all scores are equal.

    Source: the loss of the reward model in L. Ouyang et al. (2022), equation 1. With a generator's
    log-probabilities, less those from before its training, as scores it is the loss of DPO.

    Args:
        scores: of each answer, ``(records, answers)``.
        preferences: ``(chosen, rejected)`` for each record (:attr:`Feedback.preference`).

    Raises:
        ValueError: no records, or another number of preferences than of scores.
    """
    table = np.asarray(scores, dtype=float)
    pairs = np.asarray(preferences)
    if table.ndim != 2 or pairs.shape != (len(table), 2) or not len(table):
        raise ValueError(
            "expected scores (records, answers) and as many preferences, one or more; got the shapes "
            f"{table.shape} and {pairs.shape}"
        )
    rows = np.arange(len(table))
    return float(np.logaddexp(0, table[rows, pairs[:, 1]] - table[rows, pairs[:, 0]]).mean())
