"""Right and wrong answers to the exercises of the notebook on interpretation and attacks."""

import numpy as np

from mmcourse.evaluation.intervals import wilson_interval
from mmcourse.outlook import attribution


def integrated(gradient, inputs, baseline, steps, shift=0.5, way=None):
    way = inputs - baseline if way is None else way
    points = [baseline + (step + shift) / steps * (inputs - baseline) for step in range(steps)]
    return way * np.mean([gradient(point) for point in points], axis=0)


def epsilon(weights, bias, picture, norm=1, choose=min):
    scores = weights @ picture + bias
    best = scores.argmax()
    others = [k for k in range(len(bias)) if k != best]
    return choose(
        (scores[best] - scores[k]) / np.linalg.norm(weights[best] - weights[k], norm) for k in others
    )


def runner_up(weights, bias, picture):
    scores = weights @ picture + bias
    second, best = np.argsort(scores)[-2:]
    return (scores[best] - scores[second]) / np.abs(weights[best] - weights[second]).sum()


def report(right=(20, 4), wrong=(9, 15), **changes):
    intervals = [wilson_interval(pair[0], max(sum(pair), 1)) for pair in (right, wrong)]
    found = {"answer right": right, "answer wrong": wrong, "intervals": intervals}
    found["warns"] = intervals[0][0] > intervals[1][1]
    return lambda: found | changes


RIGHT = {
    "interpretation-grad-cam": {
        "package": attribution.grad_cam,
        "einsum": lambda f, g: np.clip(np.einsum("rck,k->rc", f, g.mean((0, 1))), 0, None),
    },
    "interpretation-integrated": {
        "package": attribution.integrated_gradients,
        "list": integrated,
    },
    "interpretation-epsilon": {"smallest": epsilon},
    "interpretation-artist": {
        "warns": report(),
        "does not warn": report((12, 6), (10, 8)),
        "lists": report([30, 2], [10, 20]),
        "arrays": report(np.array([30, 2]), np.array([10, 20])),
    },
}

WRONG = {
    "interpretation-grad-cam": {
        "no ReLU": lambda f, g: f @ g.mean((0, 1)),
        "each position": lambda f, g: np.maximum((f * g).sum(-1), 0),
        "sum in place of mean": lambda f, g: np.maximum(f @ g.sum((0, 1)), 0),
        "ReLU before": lambda f, g: np.maximum(f, 0) @ np.maximum(g.mean((0, 1)), 0),
        "absolute value": lambda f, g: np.abs(f @ g.mean((0, 1))),
        "channels kept": lambda f, g: np.maximum(f * g.mean((0, 1)), 0),
    },
    "interpretation-integrated": {
        "left ends": lambda *a: integrated(*a, shift=0),
        "right ends": lambda *a: integrated(*a, shift=1),
        "times the input": lambda gradient, inputs, *rest: integrated(gradient, inputs, *rest, way=inputs),
        "no mean": lambda gradient, inputs, baseline, steps: (
            steps * integrated(gradient, inputs, baseline, steps)
        ),
        "gradient alone": lambda gradient, inputs, baseline, steps: gradient(inputs),
        "gradient times input": lambda gradient, inputs, baseline, steps: gradient(inputs) * inputs,
    },
    "interpretation-epsilon": {
        "length of the weights": lambda *a: epsilon(*a, norm=2),
        "hardest": lambda *a: epsilon(*a, choose=max),
        "nearest score": runner_up,
        "an array": lambda *a: np.array([epsilon(*a)]),
        "the bias left out": lambda weights, bias, picture: epsilon(weights, 0 * bias, picture),
    },
    "interpretation-artist": {
        "no dictionary": lambda: [20, 4],
        "key missing": lambda: {"answer right": (20, 4)},
        "shares": report(**{"answer right": (0.8, 0.2)}),
        "too few": report((5, 1), (2, 4)),
        "the known artist": report((48, 0), (0, 0), intervals=[(0.9, 1), (0, 1)]),
        "plus or minus": report(intervals=[(0.68, 0.98), (0.18, 0.57)]),
        "overlap": report((12, 6), (10, 8), warns=True),
        "a word": report(warns="yes"),
        "intervals by name": report(intervals={"answer right": (0.6, 0.9), "answer wrong": (0.2, 0.6)}),
        "wrong answers first": report(intervals=[wilson_interval(9, 24), wilson_interval(20, 24)]),
    },
}
