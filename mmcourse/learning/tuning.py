"""Choosing hyper-parameters: four searches behind one interface (notebook 43).

A space names the settings and their ranges. An objective is a function of ``(settings, budget, seed)`` that
trains from the start with these settings for this budget, and returns the score on the *validation* part;
higher is better. Each search returns its trials in the order in which they ran, so that what was tried, what
it cost and what was chosen can all be read off later. The number that comes with the chosen trial is the best
of many noisy ones: it is too high, and only data that no trial has seen can say by how much.
"""

import itertools
import math
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import stats

from mmcourse.checks import check_between, check_count, check_positive

Settings = dict[str, Any]
Objective = Callable[[Settings, int, int], float]


@dataclass(frozen=True)
class Uniform:
    """A number from ``low`` to ``high``, each as likely as any other.

    Raises:
        ValueError: the ends are no finite numbers, or in the wrong order.
    """

    low: float
    high: float

    def __post_init__(self):
        check_between("low", self.low, -math.inf if math.isinf(self.low) else self.low)
        check_between("high", self.high, self.low)
        if self.high == self.low:
            raise ValueError(f"high must be above low, got {self.low!r} and {self.high!r}")

    def at(self, share: float) -> float:
        """The value that lies at this share of the range: 0 is the low end, 1 the high end."""
        return self.low + share * (self.high - self.low)

    def share(self, value: float) -> float:
        """Where in the range a value lies; the inverse of :meth:`at`."""
        return (value - self.low) / (self.high - self.low)


@dataclass(frozen=True)
class LogUniform:
    """A positive number whose *logarithm* is uniform: from 0.001 to 0.01 is as likely as from 0.01 to 0.1.

    Raises:
        ValueError: the ends are not finite and above 0, or in the wrong order.
    """

    low: float
    high: float

    def __post_init__(self):
        check_positive("low", self.low)
        check_between("high", self.high, self.low)
        if self.high == self.low:
            raise ValueError(f"high must be above low, got {self.low!r} and {self.high!r}")

    def at(self, share: float) -> float:
        """The value that lies at this share of the range: 0 is the low end, 1 the high end."""
        return float(self.low * (self.high / self.low) ** share)

    def share(self, value: float) -> float:
        """Where in the range a value lies; the inverse of :meth:`at`."""
        return math.log(value / self.low) / math.log(self.high / self.low)


@dataclass(frozen=True)
class Choice:
    """One of several values. Their order counts: neighbours are taken to be alike.

    Raises:
        ValueError: there are fewer than two values, or one stands twice.
    """

    values: tuple

    def __post_init__(self):
        object.__setattr__(self, "values", tuple(self.values))
        if len(set(self.values)) < max(2, len(self.values)):
            raise ValueError(f"values must be two or more, all different, got {self.values!r}")

    def at(self, share: float) -> Any:
        """The value at this share of the list."""
        return self.values[min(int(share * len(self.values)), len(self.values) - 1)]

    def share(self, value: Any) -> float:
        """The middle of the part of the range that gives this value."""
        return (self.values.index(value) + 0.5) / len(self.values)


Space = Mapping[str, Uniform | LogUniform | Choice]


@dataclass(frozen=True)
class Trial:
    """One training of a search.

    Attributes:
        settings: name -> value.
        budget: what the training cost, in the objective's unit, such as epochs.
        score: on the validation part; higher is better. NaN and infinity count as minus infinity.
        seed: that the objective was given.
    """

    settings: Settings = field(hash=False)
    budget: int
    score: float
    seed: int


def settings_at(space: Space, shares: Iterable[float]) -> Settings:
    """The settings at a point of the unit cube: one share for each name, in the space's order."""
    return {name: scale.at(float(share)) for (name, scale), share in zip(space.items(), shares, strict=True)}


def shares_of(space: Space, settings: Settings) -> np.ndarray:
    """Where in the unit cube settings lie: ``float64`` ``(names,)``; the inverse of :func:`settings_at`."""
    return np.array([scale.share(settings[name]) for name, scale in space.items()])


def run(objective: Objective, settings: Settings, budget: int, seed: int) -> Trial:
    """Train once and write it down."""
    score = float(objective(settings, budget, seed))
    return Trial(settings, budget, score if math.isfinite(score) else -math.inf, seed)


def best(trials: Sequence[Trial]) -> Trial:
    """The trial with the highest score among those with the largest budget; of equals the first.

    Raises:
        ValueError: there is no trial.
    """
    if not trials:
        raise ValueError("there must be at least one trial to choose from, got none")
    largest = max(trial.budget for trial in trials)
    return max((trial for trial in trials if trial.budget == largest), key=lambda trial: trial.score)


def best_so_far(trials: Sequence[Trial], budget: int) -> tuple[np.ndarray, list[Trial | None]]:
    """What a search would have chosen, had it been stopped after each trial.

    Args:
        budget: of a full training; shorter ones cost, but are not chosen.

    Returns:
        The budget spent until then, ``int64`` ``(trials,)``, and the choice, None before the first full
        training.
    """
    spent = np.cumsum([trial.budget for trial in trials], dtype=np.int64)
    choices, chosen = [], None
    for trial in trials:
        if trial.budget >= budget and (chosen is None or trial.score > chosen.score):
            chosen = trial
        choices.append(chosen)
    return spent, choices


def grid(
    space: Space, values: Mapping[str, int], offsets: Mapping[str, float] | None = None
) -> list[Settings]:
    """All combinations of evenly spaced values.

    Args:
        values: name -> how many values; the range is cut into as many equal parts.
        offsets: name -> where in its part each value lies, 0 to 1; the middle, 0.5, by default.

    Raises:
        ValueError: a name is missing or unknown, or a number is out of range.
    """
    if set(values) != set(space):
        raise ValueError(f"values must name {sorted(space)}, got {sorted(values)}")
    axes = []
    for name in space:
        count = check_count(f"values[{name!r}]", values[name])
        offset = (offsets or {}).get(name, 0.5)
        check_between(f"offsets[{name!r}]", offset, 0, 1)
        axes.append((np.arange(count) + offset) / count)
    return [settings_at(space, shares) for shares in itertools.product(*axes)]


def grid_search(
    objective: Objective,
    space: Space,
    values: Mapping[str, int],
    budget: int,
    seed: int,
    offsets: Mapping[str, float] | None = None,
) -> list[Trial]:
    """Train with every combination of :func:`grid`, in random order, so that it can be stopped early."""
    random = np.random.default_rng(seed)
    points = grid(space, values, offsets)
    return [run(objective, points[i], budget, _seed(random)) for i in random.permutation(len(points))]


def random_search(objective: Objective, space: Space, trials: int, budget: int, seed: int) -> list[Trial]:
    """Train with settings drawn at random, each apart from the others (Bergstra and Bengio 2012)."""
    random = np.random.default_rng(seed)
    drawn = random.random((check_count("trials", trials), len(space)))
    return [run(objective, settings_at(space, shares), budget, _seed(random)) for shares in drawn]


def rungs(configurations: int, budget: int, factor: int = 3) -> list[tuple[int, int]]:
    """How successive halving spends: ``(configurations, budget of each)``, rung by rung.

    The last rung trains in full. Each rung costs about the same.

    Raises:
        ValueError: a number is too small.
    """
    check_count("configurations", configurations)
    check_count("budget", budget)
    check_count("factor", factor, 2)
    steps = 0
    while configurations // factor ** (steps + 1) >= 1 and budget // factor ** (steps + 1) >= 1:
        steps += 1
    return [(configurations // factor**rung, budget // factor ** (steps - rung)) for rung in range(steps + 1)]


def successive_halving(
    objective: Objective, space: Space, configurations: int, budget: int, seed: int, factor: int = 3
) -> list[Trial]:
    """Train many settings briefly, keep the best, train these ``factor`` times as long, and so on.

    Jamieson and Talwalkar (2016). Settings that stay are trained again from the start, with the same seed:
    the objective knows no other way. See :func:`rungs` for what it costs.
    """
    random = np.random.default_rng(seed)
    plan = rungs(configurations, budget, factor)
    drawn = random.random((configurations, len(space)))
    left = [(settings_at(space, shares), _seed(random)) for shares in drawn]
    trials = []
    for count, length in plan:
        trained = [run(objective, settings, length, number) for settings, number in left[:count]]
        trials += trained
        trained.sort(key=lambda trial: -trial.score)  # stable: of equals the first
        left = [(trial.settings, trial.seed) for trial in trained]
    return trials


def expected_improvement(mean: np.ndarray, deviation: np.ndarray, best: float) -> np.ndarray:
    """How much better than ``best`` a normal number will be on average, where being worse counts as zero.

    Jones, Schonlau and Welch (1998), equation 15, for a maximum: with z = (mean - best) / deviation,
    ``(mean - best) * Phi(z) + deviation * phi(z)``.

    Args:
        mean, deviation: of the predictions, of the same shape; a deviation may be 0.

    Raises:
        ValueError: a deviation is negative.
    """
    mean, deviation = np.broadcast_arrays(np.asarray(mean, float), np.asarray(deviation, float))
    if (deviation < 0).any():
        raise ValueError(f"deviation must not be negative, got {deviation.min():g}")
    gain = mean - best
    sure = deviation == 0
    z = gain / np.where(sure, 1, deviation)
    unsure = gain * stats.norm.cdf(z) + deviation * stats.norm.pdf(z)
    return np.where(sure, np.maximum(gain, 0), np.maximum(unsure, 0))


def gaussian_process(points: np.ndarray, scores: np.ndarray):
    """A Gaussian process through noisy scores: a Matérn kernel with one length for each setting, and noise.

    Args:
        points: ``(trials, names)`` in the unit cube.
        scores: ``(trials,)``.

    Returns:
        A fitted ``sklearn.gaussian_process.GaussianProcessRegressor`` (Rasmussen and Williams 2006, algorithm
        2.1).
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.gaussian_process import GaussianProcessRegressor, kernels

    smooth = kernels.Matern([0.5] * points.shape[1], (0.1, 10), nu=2.5)
    kernel = kernels.ConstantKernel(1, (0.01, 100)) * smooth + kernels.WhiteKernel(0.1, (1e-4, 1))
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", ConvergenceWarning
        )  # a length at the end of its range: it does not matter
        return GaussianProcessRegressor(kernel, normalize_y=True).fit(points, scores)


def propose(points: np.ndarray, scores: np.ndarray, candidates: np.ndarray) -> tuple[int, np.ndarray]:
    """Which candidate promises the largest improvement, and the promise of each ``(candidates,)``.

    The best so far is the largest *mean* of the process at the points that were tried: the largest score
    itself may be luck.
    """
    process = gaussian_process(points, scores)
    mean, deviation = process.predict(candidates, return_std=True)
    promise = expected_improvement(mean, deviation, process.predict(points).max())
    return int(promise.argmax()), promise


def bayesian_search(
    objective: Objective, space: Space, trials: int, budget: int, seed: int, first: int = 8
) -> list[Trial]:
    """Let a Gaussian process say after each trial where the next one promises most.

    Each step draws 1,000 candidates from the whole space and 200 near the best point, and trains the one with
    the largest expected improvement.

    Args:
        first: trials at random before the process is asked; 2 or more.
    """
    check_count("first", first, 2)
    random = np.random.default_rng([seed, 1])
    done = random_search(objective, space, min(first, check_count("trials", trials)), budget, seed)
    while len(done) < trials:
        points = np.array([shares_of(space, trial.settings) for trial in done])
        scores = np.array([trial.score for trial in done])
        scores[np.isneginf(scores)] = scores[np.isfinite(scores)].min(initial=0.0)
        near = points[scores.argmax()] + 0.1 * random.normal(size=(200, len(space)))
        candidates = np.concatenate([random.random((1000, len(space))), near.clip(0, 1)])
        chosen, _ = propose(points, scores, candidates)
        done.append(run(objective, settings_at(space, candidates[chosen]), budget, _seed(random)))
    return done


def suggest(trial, space: Space) -> Settings:
    """The settings that an Optuna trial proposes for a space.

    A :class:`Choice` is asked for by its position, since its order counts.

    Args:
        trial: an ``optuna.trial.Trial``.
    """
    settings = {}
    for name, scale in space.items():
        if isinstance(scale, Choice):
            settings[name] = scale.values[trial.suggest_int(name, 0, len(scale.values) - 1)]
        else:
            logarithmic = isinstance(scale, LogUniform)
            settings[name] = trial.suggest_float(name, scale.low, scale.high, log=logarithmic)
    return settings


def _seed(random: np.random.Generator) -> int:
    """A seed for one training."""
    return int(random.integers(2**31))
