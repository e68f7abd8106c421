"""Recurrence (notebook 35): the simple cell, LSTM and GRU in NumPy, with Keras's weights, gates and masks.

Sources: Elman (1990) for the simple cell; Hochreiter and Schmidhuber (1997) for the LSTM, with the forget
gate of Gers, Schmidhuber and Cummins (2000); Cho et al. (2014) for the GRU, in the variant that Keras calls
``reset_after``.

All functions take sequences ``(batch, steps, features)`` and the arrays that ``layer.get_weights()`` of the
Keras layer returns, in its order. A mask ``(batch, steps)`` is True where a step is real. On a step that is
masked the state stays as it is and the output repeats the one before it (zero if there is none).
"""

from collections.abc import Callable

import numpy as np

from mmcourse.mathematics.activations import sigmoid

Sequences = tuple[np.ndarray, np.ndarray]


def simple_rnn(
    inputs: np.ndarray,
    input_weights: np.ndarray,
    recurrent_weights: np.ndarray,
    bias: np.ndarray,
    initial_state: np.ndarray | None = None,
    activation: Callable[[np.ndarray], np.ndarray] = np.tanh,
    mask: np.ndarray | None = None,
) -> Sequences:
    """The simple recurrent cell, ``h_t = activation(x_t · W + h_{t-1} · U + b)``, over a sequence.

    Args:
        inputs: ``(batch, steps, features)``.
        input_weights: W, ``(features, units)``.
        recurrent_weights: U, ``(units, units)``.
        bias: b, ``(units,)``.
        initial_state: h_0, ``(batch, units)``; zeros by default.
        activation: the function that squashes the sum.
        mask: boolean ``(batch, steps)``, False where a step is padding.

    Returns:
        ``(outputs, final_state)`` of shapes ``(batch, steps, units)`` and ``(batch, units)``.

    Raises:
        ValueError: a shape does not fit; the message names the argument.
    """
    units = _check_weights(inputs, input_weights, recurrent_weights, gates=1)
    _check_shape("bias", bias, (units,))
    state = _start("initial_state", initial_state, inputs, units)

    def step(x, states):
        return (activation(x @ input_weights + states[0] @ recurrent_weights + bias),)

    outputs, (state,) = _run(step, inputs, (state,), mask)
    return outputs, state


def lstm(
    inputs: np.ndarray,
    input_weights: np.ndarray,
    recurrent_weights: np.ndarray,
    bias: np.ndarray,
    initial_state: Sequences | None = None,
    mask: np.ndarray | None = None,
) -> tuple[np.ndarray, Sequences]:
    """Long short-term memory over a sequence.

    With the four blocks of ``z = x_t · W + h_{t-1} · U + b`` in the order i, f, c, o::

        c_t = sigmoid(z_f) * c_{t-1} + sigmoid(z_i) * tanh(z_c)
        h_t = sigmoid(z_o) * tanh(c_t)

    Args:
        inputs: ``(batch, steps, features)``.
        input_weights: W, ``(features, 4 * units)``.
        recurrent_weights: U, ``(units, 4 * units)``.
        bias: b, ``(4 * units,)``. Keras sets the block f to 1 at the start.
        initial_state: the pair (h_0, c_0), each ``(batch, units)``; zeros by default.
        mask: boolean ``(batch, steps)``, False where a step is padding.

    Returns:
        ``(outputs, (hidden_state, cell_state))`` of shapes ``(batch, steps, units)`` and twice
        ``(batch, units)``.

    Raises:
        ValueError: a shape does not fit; the message names the argument.
    """
    units = _check_weights(inputs, input_weights, recurrent_weights, gates=4)
    _check_shape("bias", bias, (4 * units,))
    hidden, cell = (None, None) if initial_state is None else _pair(initial_state)
    hidden = _start("initial_state[0]", hidden, inputs, units)
    cell = _start("initial_state[1]", cell, inputs, units)

    def step(x, states):
        hidden, cell = states
        sums = x @ input_weights + hidden @ recurrent_weights + bias  # (batch, 4 * units)
        write, keep, candidate, show = np.split(sums, 4, axis=-1)
        cell = sigmoid(keep) * cell + sigmoid(write) * np.tanh(candidate)
        return sigmoid(show) * np.tanh(cell), cell

    return _run(step, inputs, (hidden, cell), mask)


def gru(
    inputs: np.ndarray,
    input_weights: np.ndarray,
    recurrent_weights: np.ndarray,
    bias: np.ndarray,
    initial_state: np.ndarray | None = None,
    mask: np.ndarray | None = None,
) -> Sequences:
    """Gated recurrent unit over a sequence, as Keras computes it by default (``reset_after=True``).

    With the three blocks of ``a = x_t · W + b[0]`` and ``r = h_{t-1} · U + b[1]`` in the order z, r, h::

        update, reset = sigmoid(a_z + r_z), sigmoid(a_r + r_r)
        h_t = update * h_{t-1} + (1 - update) * tanh(a_h + reset * r_h)

    Args:
        inputs: ``(batch, steps, features)``.
        input_weights: W, ``(features, 3 * units)``.
        recurrent_weights: U, ``(units, 3 * units)``.
        bias: b, ``(2, 3 * units)``: one for the input's part, one for the state's.
        initial_state: h_0, ``(batch, units)``; zeros by default.
        mask: boolean ``(batch, steps)``, False where a step is padding.

    Returns:
        ``(outputs, final_state)`` of shapes ``(batch, steps, units)`` and ``(batch, units)``.

    Raises:
        ValueError: a shape does not fit; the message names the argument.
    """
    units = _check_weights(inputs, input_weights, recurrent_weights, gates=3)
    _check_shape("bias", bias, (2, 3 * units))
    state = _start("initial_state", initial_state, inputs, units)

    def step(x, states):
        of_input = np.split(x @ input_weights + bias[0], 3, axis=-1)
        of_state = np.split(states[0] @ recurrent_weights + bias[1], 3, axis=-1)
        update = sigmoid(of_input[0] + of_state[0])
        reset = sigmoid(of_input[1] + of_state[1])
        candidate = np.tanh(of_input[2] + reset * of_state[2])
        return (update * states[0] + (1 - update) * candidate,)

    outputs, (state,) = _run(step, inputs, (state,), mask)
    return outputs, state


def input_influence(run: Callable[[np.ndarray], np.ndarray], inputs: np.ndarray) -> np.ndarray:
    """How much the last output of a network changes with its input at each step.

    For each step t the Frobenius norm of the matrix of derivatives of the last output with respect to x_t.
    The derivatives are exact to rounding, however small: the input gets an imaginary part of 1e-100 and the
    output's imaginary part is divided by it (Squire and Trapp, 1998). No difference is taken, so nothing
    cancels.

    Args:
        run: maps ``(batch, steps, features)`` to outputs ``(batch, steps, units)``; must be analytic and
            take complex numbers, as all cells of this module do.
        inputs: one sequence, ``(steps, features)``.

    Returns:
        ``(steps,)``, the first step first.

    Raises:
        ValueError: ``inputs`` is not one sequence.
    """
    if np.ndim(inputs) != 2:
        raise ValueError(f"inputs must be one sequence (steps, features), got the shape {np.shape(inputs)}")
    steps, features = inputs.shape
    tiny = 1e-100
    copies = np.repeat(inputs[None].astype(complex), steps * features, axis=0)
    numbers = np.arange(steps * features)
    copies[numbers, numbers // features, numbers % features] += 1j * tiny
    derivatives = run(copies)[:, -1].imag / tiny  # (steps * features, units)
    return np.sqrt((derivatives.reshape(steps, -1) ** 2).sum(axis=1))


def _run(step, inputs, states, mask):
    """Apply ``step`` to the inputs in turn; the first state is the output."""
    batch, steps, _ = inputs.shape
    if mask is not None:
        mask = np.asarray(mask)
        _check_shape("mask", mask, (batch, steps))
        if mask.dtype != bool:
            raise ValueError(f"mask must be boolean, True where a step is real; got {mask.dtype}")
    output = np.zeros_like(states[0])
    outputs = []
    for t in range(steps):
        after = step(inputs[:, t], states)
        if mask is None:
            states, output = after, after[0]
        else:
            is_real = mask[:, t, None]  # (batch, 1)
            states = tuple(np.where(is_real, new, old) for new, old in zip(after, states, strict=True))
            output = np.where(is_real, after[0], output)
        outputs.append(output)
    return np.stack(outputs, axis=1), states  # (batch, steps, units)


def _check_weights(inputs, input_weights, recurrent_weights, gates: int) -> int:
    """The number of units, once the shapes are known to fit."""
    if np.ndim(inputs) != 3 or 0 in np.shape(inputs):
        raise ValueError(
            f"inputs must be (batch, steps, features), none of them 0; got the shape {np.shape(inputs)}"
        )
    features = inputs.shape[2]
    shape = np.shape(recurrent_weights)
    if len(shape) != 2 or shape[1] != gates * shape[0] or not shape[0]:
        columns = "units" if gates == 1 else f"{gates} * units"
        raise ValueError(f"recurrent_weights must be (units, {columns}), got the shape {shape}")
    _check_shape("input_weights", input_weights, (features, shape[1]))
    return shape[0]


def _check_shape(name: str, array, expected: tuple[int, ...]) -> None:
    if np.shape(array) != expected:
        raise ValueError(f"{name} must have the shape {expected}, got {np.shape(array)}")


def _pair(initial_state):
    if not isinstance(initial_state, tuple | list) or len(initial_state) != 2:
        found = type(initial_state).__name__
        if isinstance(initial_state, tuple | list):
            found += f" of {len(initial_state)}"
        raise ValueError(f"initial_state must be the pair (hidden state, cell state), got {found}")
    return initial_state


def _start(name: str, state, inputs, units: int) -> np.ndarray:
    """The state to begin with, zeros if none is given, in the inputs' kind of number."""
    kind = np.result_type(inputs, np.float32)
    if state is None:
        return np.zeros((inputs.shape[0], units), dtype=kind)
    _check_shape(name, state, (inputs.shape[0], units))
    return np.asarray(state)
