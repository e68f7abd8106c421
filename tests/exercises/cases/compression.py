"""Right and wrong answers to the exercises of the notebook on smaller models."""

import numpy as np

from mmcourse.evaluation.intervals import mcnemar
from mmcourse.exercises.compression import rounded_blocks


def loop(weights, bits, block, top=None, floor=False, axis=0):
    top = 2 ** (bits - 1) - 1 if top is None else top
    found = np.zeros_like(weights)
    for start in range(0, len(weights), block):
        for column in range(weights.shape[1]):
            part = weights[start : start + block, column]
            step = np.abs(part).max() / top
            if step:
                codes = np.floor(part / step) if floor else np.round(part / step)
                found[start : start + block, column] = codes * step
    return found


def no_guard(weights, bits, block):
    top = 2 ** (bits - 1) - 1
    blocks = weights.reshape(-1, block, weights.shape[1])
    step = np.abs(blocks).max(axis=1, keepdims=True) / top
    return (np.round(blocks / step) * step).reshape(weights.shape)


def one_step(weights, bits, axis):
    step = np.abs(weights).max(axis=axis, keepdims=True) / (2 ** (bits - 1) - 1)
    step = np.where(step > 0, step, 1)
    return np.round(weights / step) * step


def report(first=249, second=231, only_first=30, only_second=12, pictures=300, **changes):
    hits = np.repeat([True, False], [only_first, only_second])
    p = mcnemar(np.ones(len(hits), bool), hits, ~hits).p_value if len(hits) else 1.0
    found = {
        "table at 4": first,
        "others at 4": second,
        "pictures": pictures,
        "only first": only_first,
        "only second": only_second,
        "p": p,
    }
    return lambda: found | changes


RIGHT = {
    "compression-blocks": {"package": rounded_blocks, "loop": loop},
    "compression-break-even": {
        "clipped": lambda value, code: np.clip(1 - (code - 1) / value, 0, 1),
        "solved": lambda value, code: min(max((value + 1 - code) / value, 0.0), 1.0),
    },
    "compression-rank": {
        "division": lambda shapes, budget: min(
            budget // sum(map(sum, shapes)), min(side for shape in shapes for side in shape)
        ),
        "search": lambda shapes, budget: max(
            rank
            for rank in range(1 + min(map(min, shapes)))
            if rank * sum(a + b for a, b in shapes) <= budget
        ),
    },
    "compression-part": {
        "first": report(),
        "second": report(200, 250, 5, 55),
        "alike": report(240, 240, 9, 9),
        "the same answers": report(240, 240, 0, 0),
        "NumPy's numbers": report(np.int64(249), np.int64(231)),
    },
}

WRONG = {
    "compression-blocks": {
        "no guard": no_guard,
        "one step for a column": lambda weights, bits, block: one_step(weights, bits, 0),
        "one step for all": lambda weights, bits, block: one_step(weights, bits, None),
        "a code too many": lambda weights, bits, block: loop(weights, bits, block, top=2 ** (bits - 1)),
        "unsigned": lambda weights, bits, block: loop(weights, bits, block, top=2**bits - 1),
        "floor": lambda weights, bits, block: loop(weights, bits, block, floor=True),
        "codes": lambda weights, bits, block: np.round(weights),
        "flat": lambda weights, bits, block: loop(weights, bits, block).ravel(),
    },
    "compression-break-even": {
        "no bit for the place": lambda value, code: min(1.0, max(0.0, 1 - code / value)),
        "not clipped": lambda value, code: 1 - (code - 1) / value,
        "the share that is left": lambda value, code: min(1.0, max(0.0, (code - 1) / value)),
        "per cent": lambda value, code: 100 * min(1.0, max(0.0, 1 - (code - 1) / value)),
        "an array": lambda value, code: np.clip([1 - (code - 1) / value], 0, 1),
    },
    "compression-rank": {
        "whole matrices": lambda shapes, budget: budget // sum(a * b for a, b in shapes),
        "each its own budget": lambda shapes, budget: min(budget // (a + b) for a, b in shapes),
        "not whole": lambda shapes, budget: budget / sum(a + b for a, b in shapes),
        "no smallest side": lambda shapes, budget: budget // sum(a + b for a, b in shapes),
        "rounded": lambda shapes, budget: round(budget / sum(a + b for a, b in shapes)),
    },
    "compression-part": {
        "no dictionary": lambda: [249, 231],
        "key missing": lambda: {"table at 4": 249},
        "shares": report(**{"table at 4": 0.83}),
        "too few pictures": report(80, 70, 15, 5, pictures=100),
        "a broken axis": report(3, 231, 1, 229),
        "more right than pictures": report(349, 231, 130, 12),
        "counts that do not fit": report(**{"only first": 25}),
        "more alone than there are": report(290, 289, 41, 40),
        "p of one side": report(p=0.0041),
        "a word": report(p="small"),
    },
}
