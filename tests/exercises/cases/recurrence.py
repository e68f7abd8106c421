"""Right and wrong answers to the exercises of "Recurrence"."""

import numpy as np


def loop(inputs, w, u, b, *, squash=np.tanh, start=0.0, reset=False, keep_start=False, last=False):
    """The simple cell with the faults that the arguments ask for."""
    state = np.full(len(b), start)
    states = [state] if keep_start else []
    for x in inputs:
        state = squash(x @ w + (0 * state if reset else state) @ u + b)
        states.append(state)
    return state if last else np.array(states)


def backward(inputs, w, u, b, *, before=0, only_last=False, slope=lambda h: 1 - h**2, through=None):
    """Backpropagation through time with the faults that the arguments ask for."""
    states = [0.0]
    for x in inputs:
        states.append(np.tanh(w * x + u * states[-1] + b))
    total, arriving = 0.0, 1.0
    for t in reversed(range(len(inputs))):
        delta = arriving * slope(states[t + 1])
        total += delta * states[t + before]
        if only_last:
            break
        arriving = delta * (u if through is None else through)
    return total


def clip(gradients, longest, *, each=False, always=False, values=False, power=2):
    """Clipping with the faults that the arguments ask for."""
    if values:
        return [np.clip(gradient, -longest, longest) for gradient in gradients]

    def factor(arrays):
        length = sum((np.abs(array) ** power).sum() for array in arrays) ** (1 / power)
        return longest / length if length and (always or length > longest) else 1.0

    return [(factor([g]) if each else factor(gradients)) * g for g in gradients]


def gate(steps):
    return 0.5 ** (1 / steps)


def sigmoid(values):
    return 1 / (1 + np.exp(-values))


def last_by_loop(outputs, mask):
    rows = []
    for row, real in zip(outputs, mask, strict=True):
        rows.append(row[real][-1])
    return rows


RIGHT = {
    "recurrence-parameters": {
        "one formula": lambda features, units: 4 * units * (features + units + 1),
        "summed": lambda features, units: 4 * features * units + 4 * units**2 + 4 * units,
        "a float": lambda features, units: 4.0 * units * (features + units + 1),
    },
    "recurrence-loop": {
        "an array": loop,
        "a list": lambda *arguments: list(loop(*arguments)),
    },
    "recurrence-half-life": {
        "by the gate": lambda steps: np.log(gate(steps) / (1 - gate(steps))),
        "in one line": lambda steps: -np.log(2 ** (1 / steps) - 1),
    },
    "recurrence-last": {
        "by index": lambda outputs, mask: outputs[np.arange(len(outputs)), mask.sum(axis=1) - 1],
        "by a loop": last_by_loop,
    },
    "recurrence-backward": {
        "backwards": backward,
        "an array": lambda *arguments: np.float64(backward(*arguments)),
    },
    "recurrence-clip": {
        "one factor": clip,
        "as a tuple": lambda *arguments: tuple(clip(*arguments)),
    },
}

WRONG = {
    "recurrence-parameters": {
        "without biases": lambda features, units: 4 * units * (features + units),
        "one block": lambda features, units: units * (features + units + 1),
        "three blocks": lambda features, units: 3 * units * (features + units + 1),
        "two biases": lambda features, units: 4 * units * (features + units + 2),
        "without the state": lambda features, units: 4 * units * (features + 1),
        "exchanged": lambda features, units: 4 * features * (features + units + 1),
    },
    "recurrence-loop": {
        "sigmoid": lambda *arguments: loop(*arguments, squash=sigmoid),
        "no activation": lambda *arguments: loop(*arguments, squash=lambda values: values),
        "starts with ones": lambda *arguments: loop(*arguments, start=1.0),
        "forgets its state": lambda *arguments: loop(*arguments, reset=True),
        "with the first state": lambda *arguments: loop(*arguments, keep_start=True),
        "only the last": lambda *arguments: loop(*arguments, last=True),
        "weights of the state transposed": lambda inputs, w, u, b: loop(inputs, w, u.T, b),
        "without bias": lambda inputs, w, u, b: loop(inputs, w, u, 0 * b),
    },
    "recurrence-half-life": {
        "the gate": gate,
        "the logarithm of the gate": lambda steps: np.log(gate(steps)),
        "the bias that keeps a third": lambda steps: np.log(steps),
        "sign": lambda steps: -np.log(gate(steps) / (1 - gate(steps))),
        "one bias for all": lambda steps: 1.0,
    },
    "recurrence-last": {
        "the last column": lambda outputs, mask: outputs[:, -1],
        "one too far": lambda outputs, mask: outputs[
            np.arange(len(outputs)), np.minimum(mask.sum(axis=1), outputs.shape[1] - 1)
        ],
        "the first": lambda outputs, mask: outputs[:, 0],
        "the mean": lambda outputs, mask: (outputs * mask[..., None]).sum(1) / mask.sum(1, keepdims=True),
        "all at the same place": lambda outputs, mask: outputs[:, mask.sum(axis=1).max() - 1],
        "everything real": lambda outputs, mask: outputs[mask],
        "masked": lambda outputs, mask: outputs * mask[..., None],
    },
    "recurrence-backward": {
        "the state after": lambda *arguments: backward(*arguments, before=1),
        "only the last step": lambda *arguments: backward(*arguments, only_last=True),
        "slope of the sigmoid": lambda *arguments: backward(*arguments, slope=lambda h: h * (1 - h)),
        "no slope": lambda *arguments: backward(*arguments, slope=lambda h: 1.0),
        "state weight forgotten": lambda *arguments: backward(*arguments, through=1.0),
        "input weight on the way": lambda inputs, w, u, b: backward(inputs, w, u, b, through=w),
        "the last state": lambda inputs, w, u, b: float(
            loop(np.array(inputs)[:, None], np.array([[w]]), np.array([[u]]), np.array([b]), last=True)[0]
        ),
    },
    "recurrence-clip": {
        "each by itself": lambda *arguments: clip(*arguments, each=True),
        "always scaled": lambda *arguments: clip(*arguments, always=True),
        "entries cut": lambda *arguments: clip(*arguments, values=True),
        "sum of magnitudes": lambda *arguments: clip(*arguments, power=1),
        "nothing": lambda gradients, longest: gradients,
        "zeros": lambda gradients, longest: [0 * gradient for gradient in gradients],
    },
}
