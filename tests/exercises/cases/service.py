"""Right and wrong answers to the exercises of the notebook on service."""

import functools

import numpy as np

from mmcourse.applications import service
from mmcourse.data import product_pages


def threshold(confidence, right, wanted, sure=True):
    """Go down from the surest; ``sure`` answers those that are equally sure together."""
    best = float("inf")
    for one in sorted(set(confidence), reverse=True) if sure else np.sort(confidence)[::-1]:
        if right[confidence >= one].mean() >= wanted:
            best = one
    return best


def first_failure(confidence, right, wanted):
    best = float("inf")
    for one in sorted(set(confidence), reverse=True):
        if right[confidence >= one].mean() < wanted:
            break
        best = one
    return best


def by_rank(confidence, right, wanted):
    order = np.argsort(-confidence, kind="stable")
    share = np.cumsum(right[order]) / np.arange(1, len(right) + 1)
    enough = np.flatnonzero(share >= wanted)
    return confidence[order][enough[-1]] if len(enough) else float("inf")


def action(chances, wrong, human, effort, helps, order=(0, 1, 2)):
    costs = (1 - chances) * wrong, effort + (1 - helps) * human + 0 * chances, human + 0 * chances
    return np.array(order)[np.stack(costs).round(9)[list(order)].argmin(axis=0)]


def unrounded(chances, wrong, human, effort, helps):
    costs = (1 - chances) * wrong, effort + (1 - helps) * human + 0 * chances, human + 0 * chances
    return np.stack(costs).argmin(axis=0)


def by_hand(chances, wrong, human, effort, helps):
    """A list of Python's integers, one decision after the other."""
    found = []
    for one in chances:
        costs = [round(cost, 9) for cost in ((1 - one) * wrong, effort + (1 - helps) * human, human)]
        found.append(costs.index(min(costs)))
    return found


@functools.cache
def dimmed(factor, limit=1, templates=False, answered=False):
    exam = product_pages.Exam.draw("known", 140, seed=2)
    images = exam.images if templates else np.round(exam.images * factor).astype(np.uint8)
    said, away = service.TemplateReader(product_pages.known_layouts()).answer(images, exam.tasks)
    right = np.array(said) == np.array(exam.answers)
    if answered:
        right = right & (away <= limit)
    return right.mean(), (away > limit).mean()


RIGHT = {
    "service-threshold": {"loop": threshold, "package": service.choose_threshold},
    "service-action": {"argmin": action, "loop": by_hand},
    "service-dimmed": {"dimmed": dimmed},
}

WRONG = {
    "service-threshold": {
        "stops at the first failure": first_failure,
        "splits ties": by_rank,
        "the highest": lambda confidence, right, wanted: max(
            (one for one in confidence if right[confidence >= one].mean() >= wanted), default=float("inf")
        ),
        "strictly above": lambda confidence, right, wanted: min(
            (
                one
                for one in confidence
                if (confidence > one).any() and right[confidence > one].mean() >= wanted
            ),
            default=float("inf"),
        ),
        "the wanted share itself": lambda confidence, right, wanted: wanted,
        "zero for nothing": lambda *a: 0.0 if np.isinf(threshold(*a)) else threshold(*a),
    },
    "service-action": {
        "last of equals": lambda *a: action(*a, order=(2, 1, 0)),
        "never asks again": lambda p, wrong, human, effort, helps: np.where((1 - p) * wrong <= human, 0, 2),
        "does not round": unrounded,
        "a free human": lambda p, wrong, human, effort, helps: action(p, wrong, human, effort, 1.0),
        "one half": lambda p, *rest: np.where(p >= 0.5, 0, 1),
        "booleans": lambda *a: action(*a) == 0,
    },
    "service-dimmed": {
        "never dimmed": lambda factor: dimmed(1),
        "only what is answered": lambda factor: dimmed(factor, answered=True),
        "another limit": lambda factor: dimmed(factor, limit=50),
        "swapped": lambda factor: dimmed(factor)[::-1],
        "share answered": lambda factor: (dimmed(factor)[0], 1 - dimmed(factor)[1]),
    },
}
