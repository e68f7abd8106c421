"""Right and wrong answers to the exercises of the notebook on tracking."""

import functools

import numpy as np

from mmcourse.applications import tracking
from mmcourse.data.synthetic_witnesses import simulate_drives


def correct(mean, variance, measured, errors, square=True, skip=True, shrink=True):
    for value, error in zip(measured, errors, strict=True):
        if skip and np.isnan(value):
            continue
        gain = variance / (variance + (error**2 if square else error))
        mean = mean + gain * (value - mean)
        variance = (1 - gain) * variance if shrink else variance
    return mean, variance


def by_weights(mean, variance, measured, errors):
    values, spread = np.append(measured, mean), np.append(np.square(errors), variance)
    heard = ~np.isnan(values)
    total = (1 / spread[heard]).sum()
    return (values[heard] / spread[heard]).sum() / total, 1 / total


def forget_step(belief, right, slip, guess, learn, forget, swap=False, only_learn=False, predict=True):
    if swap:
        slip, guess = guess, slip
    knows = belief * (1 - slip if right else slip)
    after = knows / (knows + (1 - belief) * (guess if right else 1 - guess))
    if not predict:
        return after
    return after * (1 if only_learn else 1 - forget) + (1 - after) * learn


def repeats(values):
    kept = values.copy()
    kept[:, 1:][np.diff(values, axis=1) == 0] = np.nan
    return kept


def in_place(values):
    values[:, 1:][values[:, 1:] == values[:, :-1]] = np.nan
    return values


def across_drives(values):
    kept = values.copy().ravel()
    kept[1:][values.ravel()[1:] == values.ravel()[:-1]] = np.nan
    return kept.reshape(values.shape)


def rolled(values):
    return np.where(np.roll(values, 1, axis=1) == values, np.nan, values)


def both_of_a_pair(values):
    kept = repeats(values)
    kept[:, :-1][np.isnan(kept[:, 1:])] = np.nan
    return kept


@functools.cache
def assumed(camera, start=20, radar=1.0, failure="fog", pooled=False):
    drives = simulate_drives(100, seed=1, failure=failure)
    off = tracking.kalman(drives.measured, {"camera": camera, "radar": radar})[0] - drives.distance
    squares = (off[:, start:] ** 2).mean(axis=1)
    return np.sqrt(squares.mean()) if pooled else np.sqrt(squares).mean()


RIGHT = {
    "tracking-correct": {"in turn": correct, "at once": by_weights},
    "tracking-forget": {"formula": forget_step},
    "tracking-repeats": {"differences": repeats},
    "tracking-assumed": {"filter": assumed},
}

WRONG = {
    "tracking-correct": {
        "not squared": lambda *a: correct(*a, square=False),
        "NaN kept": lambda *a: correct(*a, skip=False),
        "as sure as before": lambda *a: correct(*a, shrink=False),
        "plain mean": lambda mean, variance, measured, errors: (np.nanmean([mean, *measured]), variance),
        "the mean alone": lambda *a: correct(*a)[0],
    },
    "tracking-forget": {
        "never forgets": lambda *a: forget_step(*a, only_learn=True),
        "slip and guess exchanged": lambda *a: forget_step(*a, swap=True),
        "no prediction": lambda *a: forget_step(*a, predict=False),
    },
    "tracking-repeats": {
        "in place": in_place,
        "both of a pair": both_of_a_pair,
        "across drives": across_drives,
        "the last before the first": rolled,
        "nothing": lambda values: values.copy(),
        "zeros": lambda values: np.nan_to_num(repeats(values)),
    },
    "tracking-assumed": {
        "from the first step": lambda camera: assumed(camera, start=0),
        "both sensors": lambda camera: assumed(camera, radar=float(camera)),
        "clear day": lambda camera: assumed(camera, failure="none"),
        "pooled": lambda camera: assumed(camera, pooled=True),
    },
}
