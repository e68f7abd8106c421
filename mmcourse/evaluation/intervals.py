"""Intervals around a score, and tests of a difference between two (notebook 44).

One score comes from the rows that happened to be in the test set. An interval says how far it would move with
other rows of the same kind. Two models that answer the *same* rows are compared row by row: most of what
makes a test set easy or hard is easy or hard for both, and falls out of the difference.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from mmcourse.checks import check_between, check_count


class Difference(NamedTuple):
    """A difference between two models on the same rows, and its interval."""

    difference: float
    low: float
    high: float


class McNemar(NamedTuple):
    """Rows on which one of two models alone is right, and the two-sided p-value of their difference."""

    first_only: int
    second_only: int
    p_value: float


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """95 % interval of a share by Wilson's (1927) formula, which holds near 0 and 1 too.

    Raises:
        ValueError: no trials, or more successes than trials.
    """
    if not 0 <= successes <= trials or trials == 0:
        raise ValueError(f"need 0 <= successes <= trials and a trial, got {successes} of {trials}")
    z = 1.959963984540054
    share = successes / trials
    centre = share + z * z / (2 * trials)
    half = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)


def mean_interval(values: ArrayLike, level: float = 0.95) -> tuple[float, float]:
    """Interval of a mean of few values, such as one score for each of five seeds, by Student's t.

    It assumes values that are independent and not far from normal. Scores of one model on one test set from
    several seeds say how much the *training* moves the score, not how much the test set does.

    Args:
        values: finite numbers ``(values,)``, two or more.
        level: how often the interval is to hold the true mean, above 0 and below 1.

    Raises:
        ValueError: fewer than two values, NaN, another shape or level.
    """
    column = _column("values", values)
    _check_level(level)
    if len(column) < 2:
        raise ValueError(f"an interval of a mean needs at least 2 values, got {len(column)}")
    mean = float(column.mean())
    error = float(column.std(ddof=1)) / math.sqrt(len(column))
    half = float(special.stdtrit(len(column) - 1, (1 + level) / 2)) * error
    return mean - half, mean + half


def bootstrap_interval(
    statistic: Callable[..., float],
    *arrays: ArrayLike,
    level: float = 0.95,
    repeats: int = 2000,
    seed: int = 0,
    groups: ArrayLike | None = None,
    strata: ArrayLike | None = None,
) -> tuple[float, float]:
    """Percentile interval of any statistic by resampling rows with replacement (Efron, 1979).

    Args:
        statistic: takes the arrays, rows resampled alike in all of them, and returns a number. Give a mean of
            rows as ``np.mean``, or a score such as :func:`mmcourse.evaluation.classes.f1`.
        arrays: truths and scores, for instance; equal lengths, rows first.
        level: how often the interval is to hold the true value, above 0 and below 1.
        repeats: how many times to resample.
        seed: the same seed gives the same interval.
        groups: a speaker, patient or document for each row, ``(rows,)``. Whole groups are drawn: their rows
            are not independent.
        strata: a class for each row, ``(rows,)``. Each class keeps its number of rows; for statistics that
            have no value when a rare class is missing from a resample. Not together with groups.

    Returns:
        ``(low, high)``. With few rows, or near the end of a scale, it holds the truth less often than
        ``level`` says; notebook 44 measures how often.

    Raises:
        ValueError: fewer than two rows or groups, unequal lengths, a statistic that is no finite number on a
            resample, or wrong options.
    """
    _check_level(level)
    tables = _tables(arrays)
    found = [
        _value(statistic, [table[rows] for table in tables])
        for rows in _resamples(len(tables[0]), repeats, seed, groups, strata)
    ]
    return _percentiles(found, level)


def paired_bootstrap(
    statistic: Callable[..., float],
    truths: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    level: float = 0.95,
    repeats: int = 2000,
    seed: int = 0,
    groups: ArrayLike | None = None,
    strata: ArrayLike | None = None,
) -> Difference:
    """Difference of a statistic between two models, with its percentile interval.

    Each resample draws rows once and asks both models about the same ones.

    Args:
        statistic: takes truths and one model's predictions or scores, and returns a number.
        truths, first, second: rows first, equal lengths.
        level, repeats, seed, groups, strata: as for :func:`bootstrap_interval`.

    Returns:
        ``(difference, low, high)``; the difference is the first model's value less the second's.

    Raises:
        ValueError: as :func:`bootstrap_interval`.
    """
    _check_level(level)
    tables = _tables((truths, first, second))

    def difference(truths: np.ndarray, first: np.ndarray, second: np.ndarray) -> float:
        return _value(statistic, [truths, first]) - _value(statistic, [truths, second])

    found = [
        difference(*(table[rows] for table in tables))
        for rows in _resamples(len(tables[0]), repeats, seed, groups, strata)
    ]
    return Difference(difference(*tables), *_percentiles(found, level))


def paired_permutation(
    statistic: Callable[..., float],
    truths: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    repeats: int = 2000,
    seed: int = 0,
) -> float:
    """How often would chance alone make two models differ as much? A two-sided p-value.

    If the models were equally good, it would not matter which answer to a row came from which: the two
    answers are swapped at random, row by row, and the difference is computed anew. The observed order counts
    as one of the repeats, so that the p-value is never 0.

    Args:
        statistic: takes truths and predictions or scores, and returns a number.
        truths, first, second: rows first, equal lengths.
        repeats, seed: how many times to swap, and the seed.

    Raises:
        ValueError: as :func:`bootstrap_interval`.
    """
    check_count("repeats", repeats)
    truths, first, second = _tables((truths, first, second))
    if first.shape != second.shape:
        raise ValueError(f"first and second must have one shape, got {first.shape} and {second.shape}")
    random = np.random.default_rng(seed)
    observed = abs(_value(statistic, [truths, first]) - _value(statistic, [truths, second]))
    as_large = 1
    for _ in range(repeats):
        swapped = random.random(len(truths)) < 0.5
        swapped = swapped.reshape(-1, *[1] * (first.ndim - 1))
        one, other = np.where(swapped, second, first), np.where(swapped, first, second)
        difference = abs(_value(statistic, [truths, one]) - _value(statistic, [truths, other]))
        as_large += difference >= observed - 1e-12
    return as_large / (repeats + 1)


def mcnemar(truths: ArrayLike, first: ArrayLike, second: ArrayLike) -> McNemar:
    """McNemar's (1947) test of two models' accuracies on the same rows, in its exact form.

    Rows that both get right or both get wrong say nothing about the difference. On the others, were the
    models equally good, each would be the one that is right like heads or tails of a coin: the p-value is
    that of a two-sided binomial test.

    Args:
        truths, first, second: labels ``(rows,)``, equal lengths.

    Raises:
        ValueError: no rows, or unequal lengths.
    """
    truths, first, second = _tables((truths, first, second), least=1)
    if not truths.ndim == first.ndim == second.ndim == 1:
        raise ValueError(f"expected labels (rows,); got {truths.shape}, {first.shape} and {second.shape}")
    first_right, second_right = first == truths, second == truths
    first_only = int((first_right & ~second_right).sum())
    second_only = int((second_right & ~first_right).sum())
    deciding = first_only + second_only
    # P(at most the smaller number of heads in so many throws), twice, and 1 where both halves meet.
    below = float(special.bdtr(min(first_only, second_only), deciding, 0.5)) if deciding else 1.0
    return McNemar(first_only, second_only, min(1.0, 2 * below))


def _check_level(level: float) -> None:
    check_between("level", level, 0, 1)
    if level in (0, 1):
        raise ValueError(f"level must be above 0 and below 1, got {level!r}")


def _column(name: str, values: ArrayLike) -> np.ndarray:
    column = np.asarray(values, dtype=np.float64)
    if column.ndim != 1:
        raise ValueError(f"{name} must be numbers (values,), got the shape {column.shape}")
    if not np.isfinite(column).all():
        raise ValueError(f"{name} hold NaN or infinity; leave them out, or mend them first")
    return column


def _tables(arrays: Sequence[ArrayLike], least: int = 2) -> list[np.ndarray]:
    """The arrays, checked to have the same number of rows."""
    tables = [np.asarray(array) for array in arrays]
    if not tables or not all(table.ndim for table in tables):
        raise ValueError("expected at least one array, with its rows first")
    lengths = [len(table) for table in tables]
    if len(set(lengths)) > 1:
        raise ValueError(f"the arrays must have equally many rows, got {lengths}")
    if lengths[0] < least:
        raise ValueError(f"expected at least {least} row{'s' * (least > 1)}, got {lengths[0]}")
    return tables


def _value(statistic: Callable[..., float], tables: Sequence[np.ndarray]) -> float:
    try:
        value = float(statistic(*tables))
    except ValueError as error:
        raise ValueError(
            f"the statistic has no value on some rows: {error} (With a rare class, give strata=truths.)"
        ) from error
    if not math.isfinite(value):
        raise ValueError(
            f"the statistic must be a finite number, got {value}; with a rare class, give strata"
        )
    return value


def _resamples(
    rows: int, repeats: int, seed: int, groups: ArrayLike | None, strata: ArrayLike | None
) -> Iterator[np.ndarray]:
    """Row numbers drawn with replacement: single rows, whole groups, or rows within each class."""
    check_count("repeats", repeats)
    random = np.random.default_rng(seed)
    if groups is not None and strata is not None:
        raise ValueError("give groups or strata, not both")
    if groups is None and strata is None:
        for _ in range(repeats):
            yield random.integers(rows, size=rows)
        return
    name, column = ("groups", groups) if strata is None else ("strata", strata)
    labels = np.asarray(column)
    if labels.shape != (rows,):
        raise ValueError(f"{name} must be one for each row, ({rows},); got the shape {labels.shape}")
    _, numbers = np.unique(labels, return_inverse=True)
    members = np.split(np.argsort(numbers, kind="stable"), np.cumsum(np.bincount(numbers))[:-1])
    if groups is not None and len(members) < 2:
        raise ValueError("all rows are of one group; resampling groups needs at least 2")
    for _ in range(repeats):
        if groups is not None:
            drawn = random.integers(len(members), size=len(members))
            yield np.concatenate([members[number] for number in drawn])
        else:
            draws = [random.integers(len(of_class), size=len(of_class)) for of_class in members]
            yield np.concatenate([of_class[draw] for of_class, draw in zip(members, draws, strict=True)])


def _percentiles(found: Sequence[float], level: float) -> tuple[float, float]:
    low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
