"""What the second modality was worth, counted alike in every field (notebook 67).

A case holds a loss of each test row under five conditions. Whatever the loss counts, wrong answers, metres
or money, :meth:`Case.skill` is the share that a condition takes away from the loss of somebody who knows
neither modality; the gain is what both together add to the better of the two alone.

Sources: Bates and Granger (1969) for weights when errors are correlated; Efron (1979) for the bootstrap.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from mmcourse.evaluation import intervals

ARMS = ("neither", "first", "second", "both", "shuffled")


class Gain(NamedTuple):
    """What a condition adds to the skill of the better single modality, and the interval of that."""

    skill: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Case:
    """One task under five conditions, on the same test rows.

    Attributes:
        name: of the task.
        losses: for each of :data:`ARMS` a loss of each row, ``(rows,)``, where 0 is perfect. "neither"
            guesses, "first" and "second" know one modality, "both" knows both, and "shuffled" has another
            row's second.
        groups: what must be resampled as a whole, ``(rows,)``: a scene with its questions, a drive with its
            moments. None if rows are independent.

    Raises:
        ValueError: other arms; losses of different lengths, negative or not finite; a guess that is never
            wrong; or a wrong number of groups.
    """

    name: str
    losses: Mapping[str, np.ndarray]
    groups: np.ndarray | None = None

    def __post_init__(self) -> None:
        if sorted(self.losses) != sorted(ARMS):
            raise ValueError(f"{self.name}: expected losses of {', '.join(ARMS)}, got {list(self.losses)}")
        losses = {arm: np.asarray(self.losses[arm], dtype=float) for arm in ARMS}
        shapes = {arm: losses[arm].shape for arm in ARMS}
        rows = shapes["both"]
        if len(rows) != 1 or set(shapes.values()) != {rows}:
            raise ValueError(f"{self.name}: every arm needs a loss of each row, (rows,); got {shapes}")
        if self.groups is not None and np.shape(self.groups) != rows:
            raise ValueError(f"{self.name}: {rows[0]} rows need as many groups, got {np.shape(self.groups)}")
        if not all(np.isfinite(one).all() and (one >= 0).all() for one in losses.values()):
            raise ValueError(f"{self.name}: a loss is finite, 0 for a perfect row and above 0 for others")
        if not losses["neither"].any():
            raise ValueError(
                f"{self.name}: without either modality nothing is wrong; there is nothing to gain"
            )
        object.__setattr__(self, "losses", losses)

    @classmethod
    def of(cls, name: str, *losses: ArrayLike, groups: np.ndarray | None = None) -> "Case":
        """A case from losses in the order of :data:`ARMS`; a number stands for the same loss in every row.

        Raises:
            ValueError: another number of arms, or as the class.
        """
        if len(losses) != len(ARMS):
            raise ValueError(f"{name}: expected losses of {', '.join(ARMS)}, got {len(losses)}")
        rows = np.shape(losses[ARMS.index("both")])
        spread = [np.full(rows, loss, dtype=float) if np.ndim(loss) == 0 else loss for loss in losses]
        return cls(name, dict(zip(ARMS, map(np.asarray, spread), strict=True)), groups)

    def skill(self, arm: str) -> float:
        """The share of the loss of "neither" that a condition of :data:`ARMS` takes away: at most 1."""
        return float(1 - self.losses[arm].sum() / self.losses["neither"].sum())

    def gain(self, arm: str = "both", repeats: int = 1000, seed: int = 0) -> Gain:
        """What a condition adds to the skill of the better single modality, with a 95 % interval.

        Rows, or whole groups, are resampled in all conditions alike (a paired bootstrap), and each resample
        chooses its better modality anew.

        Args:
            arm: of :data:`ARMS`.
            repeats, seed: of :func:`mmcourse.evaluation.intervals.bootstrap_interval`.

        Raises:
            ValueError: an unknown arm, or fewer than two rows or groups.
        """
        if arm not in ARMS:
            raise ValueError(f"arm must be one of {', '.join(ARMS)}, got {arm!r}")
        chosen = [self.losses[name] for name in ("neither", "first", "second", arm)]
        if self.groups is not None:  # a group counts with the sum of its rows
            _, numbers = np.unique(self.groups, return_inverse=True)
            chosen = [np.bincount(numbers, one) for one in chosen]
        interval = intervals.bootstrap_interval(_added, *chosen, repeats=repeats, seed=seed)
        return Gain(_added(*chosen), *interval)


def _added(neither: np.ndarray, first: np.ndarray, second: np.ndarray, arm: np.ndarray) -> float:
    return float((min(first.sum(), second.sum()) - arm.sum()) / neither.sum())


def best_weights(covariance: ArrayLike) -> tuple[np.ndarray, float]:
    """Weights with which a weighted mean of cues errs least (Bates and Granger 1969), and its variance.

    The cues are unbiased. With :math:`C` for the covariance of their errors the weights are
    :math:`C^{-1} 1`, divided by their sum. Without correlation these are the inverse variances; a weight can
    be negative if a worse cue shares most of its error with a better one.

    Args:
        covariance: of the errors, ``(cues, cues)``, symmetric and positive definite.

    Returns:
        The weights, ``float64`` ``(cues,)``, which sum to 1, and the variance of the weighted mean.

    Raises:
        ValueError: no such matrix, for instance two cues with a correlation of exactly 1.
    """
    table = np.asarray(covariance, dtype=float)
    if table.ndim != 2 or table.shape[0] != table.shape[1] or not np.allclose(table, table.T):
        raise ValueError(f"covariance must be a symmetric square table, got the shape {table.shape}")
    smallest = np.linalg.eigvalsh(table)[0]
    if not smallest > 1e-12 * np.abs(table).max():
        raise ValueError(
            "covariance must be positive definite: variances above 0, correlations above -1 and below 1"
        )
    solved = np.linalg.solve(table, np.ones(len(table)))
    return solved / solved.sum(), float(1 / solved.sum())
