"""Right and wrong answers to the exercises of "Recurrence"."""

import numpy as np

from mmcourse.mathematics import recurrence


def gates(by_mark=(40, -40, 0, 0), at_rest=(-20, 20, 0, 0), of_value=(0, 0, 1, 0), of_state=(0, 0, 0, 0)):
    """Weights of an LSTM with one unit that reads a value and a mark; blocks i, f, c, o."""
    return np.array([of_value, by_mark], float), np.array([of_state], float), np.array(at_rest, float)


def kept(inputs, W, U, b, bias, *, row=0, block=0, turned=False, add=False, copy=True, cut=slice(None)):
    """The exercise on the GRU with the faults that the arguments ask for."""
    units = len(U)
    changed = b.copy() if copy else b
    block = slice(block * units, (block + 1) * units)
    changed[row, block] = bias + (changed[row, block] if add else 0)
    curve = recurrence.input_influence(lambda x: recurrence.gru(x, W, U, changed)[0], inputs)[cut]
    return curve[-1] / curve[0] if turned else curve[0] / curve[-1]


RIGHT = {
    "recurrence-parameters": {
        "one formula": lambda features, units: 4 * units * (features + units + 1),
        "summed": lambda features, units: 4 * features * units + 4 * units**2 + 4 * units,
        "a float": lambda features, units: 4.0 * units * (features + units + 1),
    },
    "recurrence-gates": {
        "symmetric": gates,
        "steeper": lambda: gates((80, -60, 0, 0), (-30, 30, 0, 0)),
        "lists": lambda: [array.tolist() for array in gates()],
        "output gate shut": lambda: gates(at_rest=(-20, 20, 0, -20)),
    },
    "recurrence-gru": {"a copy": kept, "an array": lambda *arguments: np.array(kept(*arguments))},
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
    "recurrence-gates": {
        "always open": lambda: gates((0, 0, 0, 0), (20, 20, 0, 0)),
        "never forgets": lambda: gates((40, 0, 0, 0), (-20, 20, 0, 0)),
        "forgets always": lambda: gates((40, 0, 0, 0), (-20, -20, 0, 0)),
        "gates exchanged": lambda: gates((-40, 40, 0, 0), (20, -20, 0, 0)),
        "too soft": lambda: gates((4, -4, 0, 0), (-2, 2, 0, 0)),
        "reads the mark": lambda: gates((40, -40, 1, 0), of_value=(0, 0, 0, 0)),
        "order i, f, o, c": lambda: gates(of_value=(0, 0, 0, 1)),
        "the default": lambda: gates((0, 0, 0, 0), (0, 1, 0, 0)),
        "Keras's other layout": lambda: tuple(array.T for array in gates()),
    },
    "recurrence-gru": {
        "the reset gate": lambda *arguments: kept(*arguments, block=1),
        "the other row": lambda *arguments: kept(*arguments, row=1),
        "the candidate's block": lambda *arguments: kept(*arguments, block=2),
        "added": lambda *arguments: kept(*arguments, add=True),
        "turned round": lambda *arguments: kept(*arguments, turned=True),
        "in place": lambda *arguments: kept(*arguments, copy=False),
        "the second step": lambda *arguments: kept(*arguments, cut=slice(1, None)),
        "bias ignored": lambda inputs, W, U, b, bias: kept(inputs, W, U, b, b[0, : len(U)]),
    },
}
