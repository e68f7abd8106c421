"""Optimisers (notebook 41): gradient descent to AdamW in NumPy, with Keras's arithmetic; schedules; Muon.

An optimiser is a frozen set of settings with one method, ``step``, which returns new parameters and what it
remembers for the next step; nothing is changed in place::

    optimiser, state = adam(learning_rate=0.001), None
    for batch in batches:
        parameters, state = optimiser.step(parameters, gradients(parameters, batch), state)

Sources: Robbins and Monro (1951) for stochastic steps; Polyak (1964) for momentum, Sutskever et al. (2013)
for Nesterov's variant; Kingma and Ba (2015) for Adam, Loshchilov and Hutter (2019) for AdamW; Jordan et al.
(2024) for Muon, with the scale of Liu et al. (2025).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from mmcourse.checks import check_between, check_count, check_positive

Parameters = np.ndarray | Mapping[str, np.ndarray]
Schedule = Callable[[int], float]
Memory = tuple[np.ndarray, ...]

# The quintic polynomial of Muon, chosen for its steep rise at zero (Jordan et al., 2024).
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)


@dataclass(frozen=True)
class State:
    """What an optimiser remembers from one step to the next.

    Attributes:
        steps: how many steps it has taken.
        memories: name of a parameter -> arrays of its shape; which they are is told by the optimiser.
    """

    steps: int = 0
    memories: Mapping[str, Memory] = field(default_factory=dict)


@dataclass(frozen=True)
class gradient_descent:
    """The plain rule, ``parameter - learning_rate * gradient``; it remembers nothing.

    It is gradient descent if the gradient is that of all examples, and stochastic if it is that of a batch.

    Args:
        learning_rate: a number of at least 0, or a schedule: a function from the number of the step, counted
            from 0, to such a number.

    Raises:
        ValueError: a setting is out of its range; the message names it.
    """

    learning_rate: float | Schedule = 0.01

    memories = 0  # arrays for each parameter

    def __post_init__(self):
        if not callable(self.learning_rate):
            check_between("learning_rate", self.learning_rate, 0)

    def step(
        self, parameters: Parameters, gradients: Parameters, state: State | None = None
    ) -> tuple[Parameters, State]:
        """One step.

        Args:
            parameters: an array of floating-point numbers of any shape, or a mapping from names to such.
            gradients: of the loss with respect to the parameters, in the same form and shapes.
            state: what the step before returned; None before the first.

        Returns:
            New parameters, in the form and the dtypes of the old, and the new state.

        Raises:
            ValueError: names, shapes or dtypes do not fit, or the state belongs to other parameters.
        """
        alone = not isinstance(parameters, Mapping)
        named = parameters if isinstance(parameters, Mapping) else {"": parameters}
        slopes = gradients if isinstance(gradients, Mapping) else {"": gradients}
        if alone == isinstance(gradients, Mapping):
            raise ValueError("parameters and gradients must both be arrays, or both be mappings from names")
        state = state or State(0, {name: self._start(value) for name, value in named.items()})
        if not set(named) == set(slopes) == set(state.memories):
            raise ValueError(
                f"parameters, gradients and state must have the same names, got {sorted(named)}, "
                f"{sorted(slopes)} and {sorted(state.memories)}"
            )
        rate = rate_at(self.learning_rate, state.steps)
        moved, memories = {}, {}
        for name, parameter in named.items():
            parameter, memory = np.asarray(parameter), state.memories[name]
            gradient = _fitting(name, parameter, np.asarray(slopes[name]))
            if [part.shape for part in memory] != [parameter.shape] * self.memories:
                raise ValueError(
                    f"the state of {_called(name)} is of another shape or optimiser: begin with state=None"
                )
            value, memories[name] = self._move(name, parameter, gradient, memory, rate, state.steps + 1)
            moved[name] = value.astype(parameter.dtype, copy=False)  # a setting of NumPy's type may widen it
        return moved[""] if alone else moved, State(state.steps + 1, memories)

    def _start(self, parameter: np.ndarray) -> Memory:
        return (np.zeros_like(parameter),) * self.memories

    def _move(self, name, parameter, gradient, memory, rate, number) -> tuple[np.ndarray, Memory]:
        """The new value and memory of one parameter in step ``number``, counted from 1."""
        return parameter - rate * gradient, memory


@dataclass(frozen=True)
class sgd(gradient_descent):
    """Stochastic gradient descent: the rule of :class:`gradient_descent`, for gradients of batches.

    Source: Robbins and Monro (1951). It is ``keras.optimizers.SGD(learning_rate)``.
    """


@dataclass(frozen=True)
class momentum(gradient_descent):
    """Steps that keep a part of the step before::

        velocity = momentum * velocity - learning_rate * gradient
        parameter = parameter + velocity

    With ``nesterov`` the parameter moves by ``momentum * velocity - learning_rate * gradient`` instead, with
    the new velocity. It is ``keras.optimizers.SGD(learning_rate, momentum, nesterov)``.

    Args:
        learning_rate: as for :class:`gradient_descent`.
        momentum: from 0 to below 1, the part that is kept.
        nesterov: look ahead as Nesterov does, in the form of Sutskever et al. (2013).

    Raises:
        ValueError: a setting is out of its range; the message names it.
    """

    learning_rate: float | Schedule = 0.01
    momentum: float = 0.9
    nesterov: bool = False

    memories = 1  # the velocity

    def __post_init__(self):
        super().__post_init__()
        _check_decay("momentum", self.momentum)

    def _move(self, name, parameter, gradient, memory, rate, number):
        velocity = self.momentum * memory[0] - rate * gradient
        ahead = self.momentum * velocity - rate * gradient if self.nesterov else velocity
        return parameter + ahead, (velocity,)


@dataclass(frozen=True)
class adam(gradient_descent):
    """A step of one learning rate along each coordinate, more or less: the mean gradient over its own size.

    With m and v the running means of the gradient and of its square, both from zero, in step t from 1::

        m = beta_1 * m + (1 - beta_1) * gradient
        v = beta_2 * v + (1 - beta_2) * gradient²
        rate = learning_rate * sqrt(1 - beta_2^t) / (1 - beta_1^t)
        parameter = parameter - rate * m / (sqrt(v) + epsilon)

    Source: Kingma and Ba (2015), in the form at the end of their section 2 with "epsilon hat", as
    ``keras.optimizers.Adam`` computes it.

    Args:
        learning_rate: as for :class:`gradient_descent`.
        beta_1, beta_2: from 0 to below 1, how much of the running means is kept.
        epsilon: above 0; keeps the quotient finite.

    Raises:
        ValueError: a setting is out of its range; the message names it.
    """

    learning_rate: float | Schedule = 0.001
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7

    memories = 2  # the running means of the gradient and of its square

    def __post_init__(self):
        super().__post_init__()
        _check_decay("beta_1", self.beta_1)
        _check_decay("beta_2", self.beta_2)
        check_positive("epsilon", self.epsilon)

    def _move(self, name, parameter, gradient, memory, rate, number):
        mean, square = memory
        mean = mean + (1 - self.beta_1) * (gradient - mean)
        square = square + (1 - self.beta_2) * (gradient * gradient - square)
        corrected = rate * math.sqrt(1 - self.beta_2**number) / (1 - self.beta_1**number)
        return parameter - corrected * mean / (np.sqrt(square) + self.epsilon), (mean, square)


@dataclass(frozen=True)
class adamw(adam):
    """Adam whose weights also shrink by ``learning_rate * weight_decay`` of themselves in each step.

    The decay does not pass through Adam's division, as the gradient of an L2 penalty would. Source:
    Loshchilov and Hutter (2019), algorithm 2, as ``keras.optimizers.AdamW`` computes it: the decay is
    multiplied by the learning rate.

    Args:
        learning_rate, beta_1, beta_2, epsilon: as for :class:`adam`.
        weight_decay: a number of at least 0.
        undecayed: names of parameters that do not shrink, such as biases.

    Raises:
        ValueError: a setting is out of its range; the message names it.
    """

    weight_decay: float = 0.004
    undecayed: tuple[str, ...] = ()

    def __post_init__(self):
        super().__post_init__()
        check_between("weight_decay", self.weight_decay, 0)

    def _move(self, name, parameter, gradient, memory, rate, number):
        if name not in self.undecayed:
            parameter = parameter - rate * self.weight_decay * parameter
        return super()._move(name, parameter, gradient, memory, rate, number)


@dataclass(frozen=True)
class muon(gradient_descent):
    """Momentum whose step for a matrix is made orthogonal; all that is no matrix moves by AdamW.

    For a matrix ``(rows, columns)``, with Nesterov's look ahead::

        sum = momentum * sum + gradient
        step = newton_schulz(gradient + momentum * sum)
        matrix = (1 - learning_rate * weight_decay) * matrix
                 - learning_rate * rms_rate * sqrt(max(rows, columns)) * step

    Source: Jordan et al. (2024); the factor before the step is that of Liu et al. (2025), with which learning
    rates are about those of Adam. It is ``keras.optimizers.Muon`` with ``adam_weight_decay=weight_decay``.

    Args:
        learning_rate: as for :class:`gradient_descent`; of matrices and of the rest.
        momentum: from 0 to below 1.
        weight_decay: a number of at least 0; of matrices and of the rest.
        rms_rate: above 0: a step changes the entries of a matrix by about ``rms_rate * learning_rate``.
        others: names of matrices that move by AdamW too: embeddings, and the last layer.

    Raises:
        ValueError: a setting is out of its range; the message names it.
    """

    learning_rate: float | Schedule = 0.001
    momentum: float = 0.95
    weight_decay: float = 0.004
    rms_rate: float = 0.2
    others: tuple[str, ...] = ()

    memories = 2  # the running sum and nothing; for what is no matrix, the two means of AdamW

    def __post_init__(self):
        super().__post_init__()
        _check_decay("momentum", self.momentum)
        check_between("weight_decay", self.weight_decay, 0)
        check_positive("rms_rate", self.rms_rate)

    def _move(self, name, parameter, gradient, memory, rate, number):
        if parameter.ndim != 2 or name in self.others:
            rest = adamw(self.learning_rate, weight_decay=self.weight_decay)
            return rest._move(name, parameter, gradient, memory, rate, number)
        total = self.momentum * memory[0] + gradient
        direction = newton_schulz(gradient + self.momentum * total)
        scale = rate * self.rms_rate * math.sqrt(max(parameter.shape))
        return parameter - rate * self.weight_decay * parameter - scale * direction, (total, memory[1])


def newton_schulz(matrix: np.ndarray, steps: int = 5) -> np.ndarray:
    """A matrix with the same singular vectors whose singular values are all near 1 (about 0.7 to 1.2).

    Of the singular value decomposition ``U S Vᵀ`` it is nearly ``U Vᵀ``, computed by matrix products alone:
    each step maps the singular values by ``a s + b s³ + c s⁵`` (:data:`NEWTON_SCHULZ`).

    Args:
        matrix: ``(rows, columns)`` of floating-point numbers.
        steps: of the iteration. Singular values that are tiny beside the largest need more of them.

    Returns:
        The same shape and dtype.

    Raises:
        ValueError: it is no matrix, or ``steps`` is negative.
    """
    matrix = np.asarray(matrix)
    if matrix.ndim != 2 or not np.issubdtype(matrix.dtype, np.floating):
        raise ValueError(
            f"matrix must be (rows, columns) of floating-point numbers, got {matrix.dtype} {matrix.shape}"
        )
    check_count("steps", steps, least=0)
    a, b, c = NEWTON_SCHULZ
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix  # the smaller products
    x = x / (np.linalg.norm(x) + 1e-7)  # now no singular value exceeds 1
    for _ in range(steps):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return x.T if tall else x


# Learning rates that change: functions from the number of a step, counted from 0, to a learning rate


def rate_at(learning_rate: float | Schedule, step: int) -> float:
    """The learning rate of a step, counted from 0; a plain number is the same in every step.

    Raises:
        ValueError: the schedule gives what is no learning rate.
    """
    if not callable(learning_rate):
        return float(learning_rate)
    rate = float(learning_rate(step))
    if not 0 <= rate < math.inf:
        raise ValueError(f"the schedule gives {rate} in step {step}; expected a number of at least 0")
    return rate


def constant(learning_rate: float) -> Schedule:
    """The same learning rate in every step.

    Raises:
        ValueError: the learning rate is negative or not finite.
    """
    check_between("learning_rate", learning_rate, 0)
    return lambda step: learning_rate


def step_decay(learning_rate: float, every: int, factor: float = 0.1) -> Schedule:
    """A learning rate that is multiplied by ``factor`` after each ``every`` steps.

    Args:
        learning_rate: of the first step.
        every: a whole number of at least 1.
        factor: from 0 to 1.

    Raises:
        ValueError: an argument is out of its range.
    """
    check_between("learning_rate", learning_rate, 0)
    check_count("every", every)
    check_between("factor", factor, 0, 1)
    return lambda step: learning_rate * factor ** (step // every)


def warm_up_cosine(learning_rate: float, steps: int, warm_up: int = 0, last: float = 0.0) -> Schedule:
    """A line from 0 up to ``learning_rate``, then half a period of the cosine down to ``last``.

    The rise takes ``warm_up`` steps: the first has ``learning_rate / warm_up``, the last all of it. From
    ``steps`` on the rate is ``last``. The cosine is that of Loshchilov and Hutter (2017), equation 5, without
    restarts.

    Args:
        learning_rate: the largest.
        steps: of the whole training, a whole number of at least 1.
        warm_up: steps of the rise, 0 to below ``steps``.
        last: 0 to ``learning_rate``.

    Raises:
        ValueError: an argument is out of its range.
    """
    check_between("learning_rate", learning_rate, 0)
    check_count("steps", steps)
    check_count("warm_up", warm_up, least=0)
    check_between("last", last, 0, learning_rate)
    if warm_up >= steps:
        raise ValueError(f"warm_up must be below steps, {steps}, got {warm_up}")

    def rate(step: int) -> float:
        if step < warm_up:
            return learning_rate * (step + 1) / warm_up
        done = min(1.0, (step - warm_up) / (steps - warm_up))
        return last + (learning_rate - last) * 0.5 * (1 + math.cos(math.pi * done))

    return rate


def _check_decay(name: str, value: float) -> None:
    """Raise ValueError unless ``0 <= value < 1``."""
    check_between(name, value, 0)
    if value >= 1:
        raise ValueError(f"{name} must be below 1, got {value!r}")


def _called(name: str) -> str:
    return f"parameter {name!r}" if name else "the parameter"


def _fitting(name: str, parameter: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """The gradient in the parameter's dtype, or a ValueError."""
    what = _called(name)
    if not np.issubdtype(parameter.dtype, np.floating):
        raise ValueError(f"{what} must hold floating-point numbers, got {parameter.dtype}: use astype(float)")
    if not (np.issubdtype(gradient.dtype, np.floating) or np.issubdtype(gradient.dtype, np.integer)):
        raise ValueError(f"the gradient of {what} must hold real numbers, got {gradient.dtype}")
    if gradient.shape != parameter.shape:
        raise ValueError(
            f"the gradient of {what} must have its shape, {parameter.shape}, got {gradient.shape}"
        )
    return gradient.astype(parameter.dtype, copy=False)
