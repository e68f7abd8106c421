"""Scaling laws and what a training costs (notebook 81): a law fitted, a budget spent, operations counted.

The law is the third approach of Hoffmann et al. (2022), section 3.3: ``loss = E + A / N^alpha + B / D^beta``
for N parameters and D tokens. A training takes about ``6 N D`` operations (Kaplan et al., 2020).
"""

import contextlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from unittest import mock

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize

from mmcourse.checks import check_positive

OPERATIONS = 6  # for each parameter and token: two going forwards, four going back
JOULES = 3.6e6  # in a kilowatt-hour
# Where fits begin: exponents, and the part of the loss that no size and no data removes.
STARTS = tuple(product((0.3, 0.6), (0.3, 0.6), (0.4,)))


@dataclass(frozen=True)
class Law:
    """``loss = E + A / N^alpha + B / D^beta``.

    Attributes:
        E: the loss that is left with endless size and data, in nats for each token.
        A, alpha: of the parameters.
        B, beta: of the tokens.
    """

    E: float
    A: float
    alpha: float
    B: float
    beta: float

    def loss(self, parameters: ArrayLike, tokens: ArrayLike) -> np.ndarray:
        """The loss of models of so many parameters after so many tokens; the two broadcast."""
        size, data = np.asarray(parameters, float), np.asarray(tokens, float)
        return self.E + self.A * size**-self.alpha + self.B * data**-self.beta

    def optimal(self, operations: float) -> tuple[float, float]:
        """Parameters and tokens that make the loss least for a budget of operations.

        With ``D = C / 6N`` the derivative of the loss by N is zero where
        ``alpha A / N^alpha = beta B / D^beta``, that is at ``N = G (C / 6)^(beta / (alpha + beta))`` with
        ``G = (alpha A / (beta B))^(1 / (alpha + beta))`` (Hoffmann et al., 2022, equation 4).

        Raises:
            ValueError: the budget is not positive.
        """
        check_positive("operations", operations)
        both = self.alpha + self.beta
        balance = (self.alpha * self.A / (self.beta * self.B)) ** (1 / both)
        parameters = balance * (operations / OPERATIONS) ** (self.beta / both)
        return parameters, operations / OPERATIONS / parameters


# The law of large language models: as first fitted, with the exponents to four places, and as fitted anew to
# the same trainings by Besiroglu et al. (2024), table 1.
PUBLISHED = {
    "Hoffmann 2022": Law(E=1.6934, A=406.4, alpha=0.3392, B=410.7, beta=0.2849),
    "Besiroglu 2024": Law(E=1.8172, A=482.01, alpha=0.3478, B=2085.43, beta=0.3658),
}


def fit(parameters: ArrayLike, tokens: ArrayLike, losses: ArrayLike, start: Law | None = None) -> Law:
    """The law that fits best: least Huber loss of the differences of logarithms, with a bend at 0.001.

    That is the criterion of Hoffmann et al. (2022), equation 3; a training that went wrong pulls less at it
    than at a sum of squares.

    Args:
        parameters, tokens, losses: of trainings, ``(trainings,)``, five or more, positive.
        start: where to begin; by default in many places, of which the best counts.

    Raises:
        ValueError: other shapes, fewer than five trainings, or values that are not positive.
    """
    size, data, seen = (np.asarray(values, float) for values in (parameters, tokens, losses))
    if size.ndim != 1 or not size.shape == data.shape == seen.shape or len(size) < 5:
        raise ValueError(
            "the law has five numbers, so give parameters, tokens and losses (trainings,) of five trainings "
            f"or more; got {size.shape}, {data.shape}, {seen.shape}"
        )
    if not all(np.isfinite(values).all() and (values > 0).all() for values in (size, data, seen)):
        raise ValueError("parameters, tokens and losses must be positive and finite")
    log_size, log_data, log_seen = np.log(size), np.log(data), np.log(seen)

    def differences(numbers: np.ndarray) -> np.ndarray:
        return _log_loss(numbers, log_size, log_data)[0] - log_seen

    def slopes(numbers: np.ndarray) -> np.ndarray:
        parts = _log_loss(numbers, log_size, log_data)[1]  # share of each part in the loss, (3, trainings)
        return np.stack([parts[0], parts[1], -parts[1] * log_size, parts[2], -parts[2] * log_data], axis=1)

    if start is None:
        starts = [_start(size, data, seen, *exponents) for exponents in STARTS]
    else:
        starts = [(math.log(start.E), math.log(start.A), start.alpha, math.log(start.B), start.beta)]
    limits = ([-20, -20, 0.01, -20, 0.01], [5, 40, 3, 40, 3])
    found = [
        optimize.least_squares(
            differences, np.clip(one, *limits), slopes, limits, loss="huber", f_scale=1e-3, x_scale="jac"
        )
        for one in starts
    ]
    e, a, alpha, b, beta = min(found, key=lambda one: one.cost).x
    return Law(math.exp(e), math.exp(a), float(alpha), math.exp(b), float(beta))


def _log_loss(numbers: np.ndarray, log_size: np.ndarray, log_data: np.ndarray):
    """The logarithm of the loss, and the shares of its three parts."""
    e, a, alpha, b, beta = numbers
    parts = np.stack([np.full_like(log_size, e), a - alpha * log_size, b - beta * log_data])
    whole = np.logaddexp.reduce(parts, axis=0)
    return whole, np.exp(parts - whole)


def _start(size, data, seen, alpha: float, beta: float, left: float) -> tuple[float, ...]:
    """Numbers to begin with: what is left takes a share, the two others halve the rest in the middle."""
    rest = np.median(seen) * (1 - left) / 2
    a, b = np.log(rest) + alpha * np.median(np.log(size)), np.log(rest) + beta * np.median(np.log(data))
    return float(np.log(left * np.median(seen))), float(a), alpha, float(b), beta


def bootstrap(
    parameters: ArrayLike, tokens: ArrayLike, losses: ArrayLike, repeats: int = 200, seed: int = 0
) -> list[Law]:
    """Laws fitted to cells drawn with replacement, and in each cell to one of its seeds.

    Drawing cells anew moves the fit as far as the law's own misfit does, drawing seeds as far as chance does.

    Args:
        parameters, tokens: of the cells, ``(cells,)``.
        losses: ``(seeds, cells)``.
        repeats: number of laws.
        seed: of the draws.

    Raises:
        ValueError: as :func:`fit`.
    """
    size, data, seen = (np.asarray(values, float) for values in (parameters, tokens, losses))
    if seen.ndim != 2 or size.shape != seen.shape[1:]:
        raise ValueError(
            f"expected losses (seeds, cells) and parameters (cells,), got {seen.shape} and {size.shape}"
        )
    best = fit(size, data, seen.mean(axis=0))
    random, found = np.random.default_rng(seed), []
    while len(found) < repeats:
        cells = random.integers(size.size, size=size.size)
        if len(set(size[cells])) < 3 or len(set(data[cells])) < 3:
            continue  # a law in two directions cannot be seen in so few
        drawn = seen[random.integers(len(seen), size=cells.size), cells]
        found.append(fit(size[cells], data[cells], drawn, best))
    return found


def interval(laws: list[Law], what: Callable[[Law], float], level: float = 0.95) -> tuple[float, float]:
    """The middle ``level`` of what a number of laws say."""
    said = [what(law) for law in laws]
    low, high = np.quantile(said, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def kilowatt_hours(cpu_seconds: ArrayLike, watts: float) -> np.ndarray:
    """Energy of so many seconds of a processor core at so many watts for each core.

    Raises:
        ValueError: ``watts`` is not positive.
    """
    check_positive("watts", watts)
    return np.asarray(cpu_seconds, float) * watts / JOULES


@contextlib.contextmanager
def counted() -> Iterator[list[tuple[str, int]]]:
    """Count the operations of dense layers and convolutions that are called inside the block.

    An operation is one addition or one multiplication: a kernel of k numbers that is applied at p places
    takes ``2 k p``. Products between tokens, normalisations and activations are left out. Call models as
    they are, not compiled.

    Yields:
        A list that fills with the name of each layer called and its operations.
    """
    import keras  # costs seconds: only where it is needed

    found: list[tuple[str, int]] = []
    with contextlib.ExitStack() as patches:
        for kind in (keras.layers.Dense, keras.layers.Conv2D):
            original = kind.call

            def call(self, *arguments, _original=original, **named):
                outputs = _original(self, *arguments, **named)
                places = int(np.prod(outputs.shape[:-1]))
                found.append((self.name, 2 * int(np.prod(self.kernel.shape)) * places))
                return outputs

            patches.enter_context(mock.patch.object(kind, "call", call))
        yield found
