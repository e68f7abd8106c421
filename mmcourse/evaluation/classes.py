"""Scores of class predictions (notebook 44): counts, rankings and probabilities, in NumPy alone.

Three kinds of function. Those of *predictions* compare two columns of labels: whole numbers, booleans or
strings. Those of *scores* compare labels with numbers of which higher means "more likely positive": only the
order counts. Those of *probabilities* take the numbers at their word.

Each equals scikit-learn's function of nearly the same name, with three differences. What is not defined is
refused with a ``ValueError`` where scikit-learn warns and returns a number: a ROC curve without a positive or
without a negative row, an average precision without a positive one. An empty input is refused everywhere.
And NaN, infinities, mixed kinds of labels and columns of unequal length are refused by name.

**Zero divisions.** Precision has no value where nothing was predicted positive, recall none where nothing is
positive, F1 none where both are so. Then ``zero_division`` stands in, 0 unless you ask for 1, as in
scikit-learn but without its warning.

**Which class is positive.** With labels among 0, 1 or -1, 1 (or booleans) it is 1. Otherwise ``positive``
names it.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from mmcourse.checks import check_count

AVERAGES = ("binary", "macro", "micro", "weighted")


class Reliability(NamedTuple):
    """What :func:`reliability` returns: one entry for each bin that is not empty.

    Attributes:
        predicted: mean probability that was predicted, ``float64`` ``(bins,)``.
        observed: share of rows in which it came true, ``float64`` ``(bins,)``.
        counts: rows in the bin, ``int64`` ``(bins,)``.
    """

    predicted: np.ndarray
    observed: np.ndarray
    counts: np.ndarray


def accuracy(truths: ArrayLike, predictions: ArrayLike) -> float:
    """Share of rows whose prediction is right.

    Args:
        truths, predictions: labels ``(rows,)``: whole numbers, booleans or strings.

    Raises:
        ValueError: no rows, unequal lengths, NaN, or labels of two kinds.
    """
    truths, predictions = _two_columns(truths, predictions)
    return float((truths == predictions).mean())


def confusion(truths: ArrayLike, predictions: ArrayLike, labels: ArrayLike | None = None) -> np.ndarray:
    """Count how often each class is taken for each.

    Args:
        truths, predictions: labels ``(rows,)``.
        labels: the classes in the order wanted; by default those that occur, sorted.

    Returns:
        ``int64`` ``(classes, classes)``: row = true class, column = predicted class. The diagonal is right.

    Raises:
        ValueError: as :func:`accuracy`; also a label that is not among ``labels``, or is there twice.
    """
    truths, predictions = _two_columns(truths, predictions)
    names, rows, columns = _numbered(truths, predictions)
    if labels is not None:
        wanted = _labels("labels", labels)
        _same_kind("truths", truths, "labels", wanted)
        order = np.argsort(wanted, kind="stable")
        if len(np.unique(wanted)) < len(wanted):
            raise ValueError(f"labels must name each class once, got {wanted.tolist()}")
        places = np.minimum(np.searchsorted(wanted[order], names), len(wanted) - 1)
        unknown = names[wanted[order][places] != names]
        if len(unknown):
            raise ValueError(f"the label {unknown[0].item()!r} occurs, but is not among labels")
        rows, columns, names = order[places][rows], order[places][columns], wanted
    counts = np.bincount(rows * len(names) + columns, minlength=len(names) ** 2)
    return counts.reshape(len(names), len(names))


def precision(
    truths: ArrayLike,
    predictions: ArrayLike,
    average: str | None = "binary",
    positive: Any = None,
    zero_division: float = 0.0,
) -> Any:
    """Of what was predicted positive, the share that is: TP / (TP + FP).

    Args:
        truths, predictions: labels ``(rows,)``.
        average: "binary", the positive class alone; "macro", the mean over the classes that occur in either
            column, each class counting the same; "weighted", that mean weighted by how often each class is
            true; "micro", all classes' counts added first, which gives the accuracy; None, an array with one
            number for each class that occurs, sorted.
        positive: the positive class, for "binary"; see the module. With more than two classes it must be
            given, and stands against all others.
        zero_division: what stands where nothing was predicted positive: 0 or 1.

    Raises:
        ValueError: as :func:`accuracy`; also an unknown average, a positive class that is not to be had, or
            another ``zero_division``.
    """
    return _averaged("precision", truths, predictions, average, positive, zero_division)


def recall(
    truths: ArrayLike,
    predictions: ArrayLike,
    average: str | None = "binary",
    positive: Any = None,
    zero_division: float = 0.0,
) -> Any:
    """Of what is positive, the share that was predicted so: TP / (TP + FN).

    Also called sensitivity or true positive rate. Arguments and errors as for :func:`precision`.
    """
    return _averaged("recall", truths, predictions, average, positive, zero_division)


def f1(
    truths: ArrayLike,
    predictions: ArrayLike,
    average: str | None = "binary",
    positive: Any = None,
    zero_division: float = 0.0,
) -> Any:
    """The harmonic mean of precision and recall: 2 TP / (2 TP + FP + FN).

    Arguments and errors as for :func:`precision`. "macro" averages the classes' F1, as scikit-learn does; it
    is not the F1 of the averaged precision and recall.
    """
    return _averaged("f1", truths, predictions, average, positive, zero_division)


def roc_curve(
    truths: ArrayLike, scores: ArrayLike, positive: Any = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The rates of false and of true alarms at every threshold.

    Args:
        truths: labels ``(rows,)``.
        scores: finite numbers ``(rows,)``; a row is called positive if its score is at least the threshold.
        positive: the positive class, against all others; see the module.

    Returns:
        ``(false_positive_rates, true_positive_rates, thresholds)``, each ``float64`` ``(distinct scores +
        1,)``: from (0, 0) at the threshold infinity to (1, 1) at the lowest score. Rows of equal scores pass
        a threshold together. scikit-learn's with ``drop_intermediate=False``.

    Raises:
        ValueError: as :func:`accuracy`; also scores that are no finite numbers, or no row or every row is
            positive, so that one of the rates has no value.
    """
    true_positives, false_positives, thresholds = _sweep(truths, scores, positive, "ROC curve")
    return (
        np.concatenate([[0.0], false_positives / false_positives[-1]]),
        np.concatenate([[0.0], true_positives / true_positives[-1]]),
        np.concatenate([[np.inf], thresholds]),
    )


def roc_auc(truths: ArrayLike, scores: ArrayLike, positive: Any = None) -> float:
    """The area under :func:`roc_curve`.

    It is the probability that a positive row scores higher than a negative one, ties counting half (Hanley
    and McNeil, 1982). Arguments and errors as for :func:`roc_curve`.
    """
    true_positives, false_positives, _ = _sweep(truths, scores, positive, "ROC curve")
    # Trapezia in whole numbers, without rounding: each step right by some negatives, at the mean height.
    steps = np.diff(false_positives, prepend=0)
    twice = int(steps @ (2 * true_positives - np.diff(true_positives, prepend=0)))
    return twice / (2 * int(true_positives[-1]) * int(false_positives[-1]))


def precision_recall_curve(
    truths: ArrayLike, scores: ArrayLike, positive: Any = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Precision and recall at every threshold, from the lowest to the highest.

    Args:
        truths, scores, positive: as for :func:`roc_curve`.

    Returns:
        ``(precisions, recalls, thresholds)``, ``float64``: the first two ``(distinct scores + 1,)``, with
        precision 1 and recall 0 as their last entry, which belongs to no threshold.

    Raises:
        ValueError: as :func:`roc_curve`; rows that are all positive are allowed here.
    """
    true_positives, false_positives, thresholds = _sweep(truths, scores, positive, "precision-recall curve")
    precisions = true_positives / (true_positives + false_positives)
    recalls = true_positives / true_positives[-1]
    return np.append(precisions[::-1], 1.0), np.append(recalls[::-1], 0.0), thresholds[::-1]


def average_precision(truths: ArrayLike, scores: ArrayLike, positive: Any = None) -> float:
    """The mean of the precisions at each threshold, weighted by the recall that the threshold adds.

    A ranking by chance reaches about the share of positives. Arguments and errors as for
    :func:`precision_recall_curve`.
    """
    precisions, recalls, _ = precision_recall_curve(truths, scores, positive)
    return float(-np.diff(recalls) @ precisions[:-1])


def log_loss(truths: ArrayLike, probabilities: ArrayLike, positive: Any = None) -> float:
    """Mean of -ln of the probability that was given to what came true, in nats.

    Arguments and errors as for :func:`reliability`. A probability of 0 for what came true would cost
    infinity; it is taken for the smallest step of its ``float64`` or ``float32``, as in scikit-learn.
    """
    table = np.asarray(probabilities)
    if table.ndim == 2:
        chosen = _check_table(truths, table)
        given = table[np.arange(len(table)), chosen]
    else:
        came_true, table = _probable(truths, probabilities, positive)
        given = np.where(came_true, table, 1 - table)
    step = np.finfo(table.dtype if table.dtype.kind == "f" else np.float64).eps
    return float(-np.log(np.clip(given.astype(np.float64), step, 1 - step)).mean())


def reliability(
    truths: ArrayLike, probabilities: ArrayLike, bins: int = 10, positive: Any = None
) -> Reliability:
    """What a reliability diagram shows: rows gathered by their probability, and how often it came true.

    Args:
        truths: labels ``(rows,)``; with two-dimensional probabilities the number of the true column.
        probabilities: of the positive class, ``(rows,)``; or of every class, ``(rows, classes)``, with rows
            that sum to 1. In the second case the largest one is judged: the confidence, and whether its
            class is right (Guo et al., 2017).
        bins: how many bins of equal width divide 0 to 1. A bin holds its upper end, the first one 0 as well.
        positive: the positive class, for one-dimensional probabilities; see the module.

    Raises:
        ValueError: as :func:`accuracy`; also probabilities outside 0 to 1, rows that do not sum to 1, or no
            bins.
    """
    bins = check_count("bins", bins)
    table = np.asarray(probabilities)
    if table.ndim == 2:
        chosen = _check_table(truths, table)
        confidence, came_true = table.max(axis=1), table.argmax(axis=1) == chosen
    else:
        came_true, confidence = _probable(truths, probabilities, positive)
    edges = np.linspace(0, 1, bins + 1)[1:-1]
    numbers = np.searchsorted(edges, confidence, side="left")
    counts = np.bincount(numbers, minlength=bins)
    full = counts > 0
    sums = [np.bincount(numbers, weights=values, minlength=bins)[full] for values in (confidence, came_true)]
    return Reliability(sums[0] / counts[full], sums[1] / counts[full], counts[full])


def calibration_error(
    truths: ArrayLike, probabilities: ArrayLike, bins: int = 10, positive: Any = None
) -> float:
    """The expected calibration error: how far probabilities and shares differ, over the bins' rows.

    The mean of |observed - predicted| of :func:`reliability`'s bins, weighted by their counts. It is never
    negative, and above 0 even for perfect probabilities: a share of few rows differs from its probability by
    chance. Arguments and errors as for :func:`reliability`.
    """
    found = reliability(truths, probabilities, bins, positive)
    return float(found.counts @ np.abs(found.observed - found.predicted) / found.counts.sum())


def _labels(name: str, values: Any) -> np.ndarray:
    """A column of labels, ``(rows,)``, of one kind; floating-point numbers must be whole."""
    column = values if isinstance(values, np.ndarray) else np.asarray(values)
    if not isinstance(values, np.ndarray) and column.dtype.kind == "U":
        strange = [value for value in values if not isinstance(value, str)]
        if strange:  # NumPy would have turned it into a string in silence
            raise ValueError(f"{name} hold strings and {strange[0]!r}; expected labels of one kind")
    if column.dtype.kind == "O" and column.ndim == 1 and all(isinstance(value, str) for value in column):
        column = column.astype(str)
    if column.ndim != 1:
        raise ValueError(f"{name} must be one label for each row, (rows,); got the shape {column.shape}")
    if not len(column):
        raise ValueError(f"{name} are empty; expected at least one row")
    if column.dtype.kind == "f":
        if not np.isfinite(column).all():
            raise ValueError(f"{name} hold NaN or infinity; leave those rows out, or mend them first")
        if (column != np.floor(column)).any():
            first = float(column[column != np.floor(column)][0])
            raise ValueError(f"{name} hold {first:g}, which is no label; choose classes by a threshold first")
    elif column.dtype.kind not in "biuU":
        raise ValueError(
            f"{name} must be whole numbers, booleans or strings, got the dtype {column.dtype}"
            + (" (a missing value?)" if column.dtype.kind == "O" else "")
        )
    return column


def _same_kind(first_name: str, first: np.ndarray, second_name: str, second: np.ndarray) -> None:
    if (first.dtype.kind == "U") != (second.dtype.kind == "U"):
        kinds = ["strings" if column.dtype.kind == "U" else "numbers" for column in (first, second)]
        raise ValueError(f"{first_name} are {kinds[0]} and {second_name} are {kinds[1]}; expected one kind")


def _two_columns(truths: Any, predictions: Any) -> tuple[np.ndarray, np.ndarray]:
    truths, predictions = _labels("truths", truths), _labels("predictions", predictions)
    if len(truths) != len(predictions):
        raise ValueError(f"got {len(predictions)} predictions for {len(truths)} truths")
    _same_kind("truths", truths, "predictions", predictions)
    return truths, predictions


def _numbered(truths: np.ndarray, predictions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The classes that occur, sorted, and for both columns each label's place among them."""
    names, numbers = np.unique(np.concatenate([truths, predictions]), return_inverse=True)
    return names, numbers[: len(truths)], numbers[len(truths) :]


def _positive_class(names: np.ndarray, positive: Any) -> Any:
    """The positive class, given or by the rule of the module; ``names`` are the classes that occur."""
    if positive is None:
        known = names.dtype.kind != "U" and any(set(names.tolist()) <= {low, 1} for low in (0, -1))
        if not known:
            shown = ", ".join(map(repr, names[:4].tolist())) + (", …" if len(names) > 4 else "")
            raise ValueError(
                f"which class is positive? The labels are {shown}: name one with positive=…"
                ", or, for all classes of predictions, choose another average, such as 'macro'"
            )
        return 1
    if isinstance(positive, str) != (names.dtype.kind == "U") or (len(names) > 1 and positive not in names):
        raise ValueError(f"positive={positive!r} is not among the labels {names[:10].tolist()}")
    return positive


def _averaged(
    what: str, truths: Any, predictions: Any, average: str | None, positive: Any, zero_division: float
) -> Any:
    if average is not None and average not in AVERAGES:
        raise ValueError(f"unknown average {average!r}; expected one of: {', '.join(AVERAGES)}, or None")
    if zero_division not in (0, 1):
        raise ValueError(f"zero_division must be 0 or 1, got {zero_division!r}")
    if positive is not None and average != "binary":
        raise ValueError(f"positive is for average='binary', got average={average!r}; leave it out")
    truths, predictions = _two_columns(truths, predictions)
    if average == "binary":
        positive = _positive_class(np.union1d(truths, predictions), positive)
        is_true, is_called = truths == positive, predictions == positive
        hits = np.array([np.count_nonzero(is_true & is_called)])
        of_class, called = np.array([np.count_nonzero(is_true)]), np.array([np.count_nonzero(is_called)])
    else:
        names, rows, columns = _numbered(truths, predictions)
        hits = np.bincount(rows[rows == columns], minlength=len(names))
        of_class = np.bincount(rows, minlength=len(names))
        called = np.bincount(columns, minlength=len(names))
    weights = of_class
    if average == "micro":
        hits, of_class, called = (
            hits.sum(keepdims=True),
            of_class.sum(keepdims=True),
            called.sum(keepdims=True),
        )
    upper, lower = {
        "precision": (hits, called),
        "recall": (hits, of_class),
        "f1": (2 * hits, of_class + called),
    }[what]
    values = np.where(lower > 0, upper / np.maximum(lower, 1), float(zero_division))
    if average is None:
        return values
    if average == "weighted":
        return float(values @ weights / weights.sum())
    return float(values.mean())


def _numbers(name: str, values: Any) -> np.ndarray:
    """A column of finite numbers, in its own dtype, so that none are made equal by rounding."""
    column = np.asarray(values)
    if column.ndim != 1:
        raise ValueError(f"{name} must be one number for each row, (rows,); got the shape {column.shape}")
    if not len(column):
        raise ValueError(f"{name} are empty; expected at least one row")
    if column.dtype.kind not in "biuf":
        raise ValueError(f"{name} must be numbers, got the dtype {column.dtype}")
    if column.dtype.kind == "f" and not np.isfinite(column).all():
        raise ValueError(f"{name} hold NaN or infinity; leave those rows out, or mend them first")
    return column


def _came_true(truths: Any, column: np.ndarray, name: str, positive: Any) -> np.ndarray:
    """Which rows are positive, boolean ``(rows,)``."""
    truths = _labels("truths", truths)
    if len(truths) != len(column):
        raise ValueError(f"got {len(column)} {name} for {len(truths)} truths")
    if positive is None and truths.dtype.kind == "b":
        return truths
    return truths == _positive_class(np.unique(truths), positive)


def _sweep(truths: Any, scores: Any, positive: Any, what: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lower the threshold over all distinct scores: true and false positives so far, and the scores."""
    scores = _numbers("scores", scores)
    came_true = _came_true(truths, scores, "scores", positive)
    order = np.argsort(scores)[::-1]
    ranked = scores[order]
    # The last row of each run of equal scores: what ties passes the threshold together.
    last = np.append(np.flatnonzero(ranked[1:] != ranked[:-1]), len(ranked) - 1)
    true_positives = np.cumsum(came_true[order])[last]
    false_positives = last + 1 - true_positives
    if not true_positives[-1]:
        raise ValueError(f"no row is positive: the {what} is not defined without one")
    if what == "ROC curve" and not false_positives[-1]:
        raise ValueError(f"every row is positive: the {what} is not defined without a negative one")
    return true_positives, false_positives, ranked[last]


def _probable(truths: Any, probabilities: Any, positive: Any) -> tuple[np.ndarray, np.ndarray]:
    probabilities = _numbers("probabilities", probabilities)
    _check_range(probabilities)
    return _came_true(truths, probabilities, "probabilities", positive), probabilities


def _check_range(probabilities: np.ndarray) -> None:
    outside = probabilities[(probabilities < 0) | (probabilities > 1)]
    if len(outside):
        raise ValueError(
            f"probabilities must lie from 0 to 1, got {float(outside[0]):.4g}; are these scores or logits?"
        )


def _check_table(truths: Any, table: np.ndarray) -> np.ndarray:
    """Check probabilities ``(rows, classes)``; the true columns' numbers."""
    flat = _numbers("probabilities", table.ravel())
    _check_range(flat)
    sums = table.sum(axis=1)
    if np.abs(sums - 1).max() > 1e-3:
        row = int(np.abs(sums - 1).argmax())
        raise ValueError(f"each row's probabilities must sum to 1; those of row {row} sum to {sums[row]:.4g}")
    truths = _labels("truths", truths)
    if len(truths) != len(table):
        raise ValueError(f"got {len(table)} rows of probabilities for {len(truths)} truths")
    if truths.dtype.kind == "U" or truths.min() < 0 or truths.max() >= table.shape[1]:
        raise ValueError(f"truths must be the numbers of columns, 0 to {table.shape[1] - 1}")
    return truths.astype(np.int64)
