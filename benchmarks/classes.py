"""ROC-AUC of many rows with ties: NumPy against scikit-learn, the same numbers."""

import os
import time
from collections.abc import Callable

import compare
import numpy as np
from sklearn import metrics

from mmcourse.evaluation import classes

ROWS, REPEATS = 100_000, 30
FEW = 1_000  # as in a bootstrap: many calls with few rows


def _rows(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Truths and scores; other ones in each round."""
    random = np.random.default_rng(int(os.environ.get("BENCHMARK_ROUND", 0)))
    truths = (random.random(count) < 0.1).astype(np.int64)
    return truths, (random.normal(size=count) + truths).round(4)


def _seconds(function: Callable, columns: tuple[np.ndarray, np.ndarray], calls: int) -> float:
    """CPU seconds of so many calls."""
    begin = time.process_time()
    for _ in range(calls):
        function(*columns)
    return round(time.process_time() - begin, 4)


def _measured(measure: compare.Measurement, auc: Callable, average_precision: Callable) -> dict:
    many, few = _rows(ROWS), _rows(FEW)
    auc(*many)  # warm
    with measure(REPEATS * ROWS):
        for _ in range(REPEATS):
            value = auc(*many)
    return {
        "auc": round(float(value), 12),
        "average_precision": round(float(average_precision(*many)), 12),
        "average_precision_seconds": _seconds(average_precision, many, REPEATS),
        "few_rows_auc_seconds": _seconds(auc, few, 300),
    }


def with_numpy(measure: compare.Measurement) -> dict:
    """The course's functions."""
    return _measured(measure, classes.roc_auc, classes.average_precision)


def with_scikit_learn(measure: compare.Measurement) -> dict:
    """scikit-learn's, and then a check that both give the same numbers."""
    figures = _measured(measure, metrics.roc_auc_score, metrics.average_precision_score)
    many = _rows(ROWS)
    np.testing.assert_allclose(figures["auc"], classes.roc_auc(*many), rtol=1e-9)
    np.testing.assert_allclose(figures["average_precision"], classes.average_precision(*many), rtol=1e-9)
    return figures


if __name__ == "__main__":
    compare.main(
        {"mmcourse": with_numpy, "scikit-learn": with_scikit_learn},
        peer="scikit-learn",
        unit="rows",
        packages=("numpy", "scikit-learn"),
    )
