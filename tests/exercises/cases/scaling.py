"""Right and wrong answers to the exercises of the notebook on scaling."""

import numpy as np
from scipy.optimize import minimize_scalar

from mmcourse.outlook.scaling import fit


def slope(sizes, losses, floor):
    return -np.polyfit(np.log(sizes), np.log(losses - floor), 1)[0]


def by_trying(loss, budget, *, six=6, places=2000):
    sizes = np.geomspace(10, budget / 60, places)
    best = sizes[np.argmin(loss(sizes, budget / six / sizes))]
    return best, budget / six / best


def by_search(loss, budget):
    found = minimize_scalar(
        lambda x: float(loss(np.exp(x), budget / 6 / np.exp(x))),
        bounds=(np.log(10), np.log(budget / 60)),
        method="bounded",
        options={"xatol": 1e-6},
    )
    return [np.exp(found.x), budget / 6 / np.exp(found.x)]


def twenty(loss, budget):
    size = np.sqrt(budget / 120)
    return size, 20 * size


def evenly(loss, budget):
    sizes = np.linspace(10, budget / 60, 1000)
    best = sizes[np.argmin(loss(sizes, budget / 6 / sizes))]
    return best, budget / 6 / best


def counts(widths, parameters, tokens, losses, blocks=24):
    return fit(parameters, tokens, losses).alpha, fit(blocks * widths**2, tokens, losses).alpha


def energy(operations, rates, watts):
    return operations / rates[1] * watts[0] / 3.6e6, operations / rates[0] * watts[1] / 3.6e6


RIGHT = {
    "scaling-slope": {
        "polyfit": slope,
        "two points": lambda sizes, losses, floor: (
            np.log((losses[0] - floor) / (losses[-1] - floor)) / np.log(sizes[-1] / sizes[0])
        ),
    },
    "scaling-budget": {"trying": by_trying, "search": by_search},
    "scaling-count": {"fit twice": counts, "as a list": lambda *given: list(counts(*given))},
    "scaling-energy": {"by hand": energy, "array": lambda *given: np.array(energy(*given))},
}
WRONG = {
    "scaling-slope": {
        "floor forgotten": lambda sizes, losses, floor: slope(sizes, losses, 0),
        "sign": lambda *given: -slope(*given),
        "not logarithms": lambda sizes, losses, floor: -np.polyfit(sizes, losses - floor, 1)[0],
    },
    "scaling-budget": {
        "two for six": lambda *given: by_trying(*given, six=2),
        "twenty tokens each": twenty,
        "too few sizes": lambda *given: by_trying(*given, places=6),
        "evenly spaced": evenly,
        "size alone": lambda loss, budget: by_trying(loss, budget)[0],
    },
    "scaling-count": {
        "the other way round": lambda *given: counts(*given)[::-1],
        "the same twice": lambda *given: (counts(*given)[0],) * 2,
        "beta": lambda widths, parameters, tokens, losses: (
            fit(parameters, tokens, losses).beta,
            fit(24 * widths**2, tokens, losses).beta,
        ),
    },
    "scaling-energy": {
        "the other way round": lambda *given: energy(*given)[::-1],
        "watt-hours": lambda *given: tuple(1000 * one for one in energy(*given)),
        "fast and hungry": lambda operations, rates, watts: (
            operations / rates[1] * watts[1] / 3.6e6,
            operations / rates[0] * watts[0] / 3.6e6,
        ),
        "seconds": lambda operations, rates, watts: (operations / rates[1], operations / rates[0]),
    },
}
