"""Right and wrong answers to the exercises of "Learning downhill: from a loss to AdamW"."""

import numpy as np


def step(weight, bias, inputs, targets, rate, factor=2, mean=True, sign=-1):
    slopes = factor * (weight * inputs + bias - targets)
    total = np.mean if mean else np.sum
    return weight + sign * rate * total(slopes * inputs), bias + sign * rate * total(slopes)


def step_in_turn(weight, bias, inputs, targets, rate):
    """Uses the new weight for the bias."""
    weight, _ = step(weight, bias, inputs, targets, rate)
    _, bias = step(weight, bias, inputs, targets, rate)
    return weight, bias


def costs(logits, targets):
    shifted = logits - logits.max(axis=-1, keepdims=True)
    log_sum = np.log(np.exp(shifted).sum(axis=-1))
    return log_sum - np.take_along_axis(shifted, targets[..., None], axis=-1)[..., 0]


def overflowing(logits, targets, real):
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    return -np.log(np.take_along_axis(probabilities, targets[..., None], axis=-1)[..., 0])[real].mean()


def caption_by_caption(logits, targets, real):
    found = costs(logits, targets)
    return np.mean([row[seen].mean() for row, seen in zip(found, real, strict=True)])


def tune(score, batch_sizes, rates, seeds, average=np.mean, order=1):
    best = {}
    for size in batch_sizes:
        means = [average([score(size, rate, seed) for seed in seeds]) for rate in rates][::order]
        best[size] = rates[::order][int(np.argmax(means))], max(means)
    return best


def tune_for_all(score, batch_sizes, rates, seeds):
    """One rate for all sizes."""
    means = {
        rate: [np.mean([score(size, rate, seed) for seed in seeds]) for size in batch_sizes] for rate in rates
    }
    rate = max(means, key=lambda rate: sum(means[rate]))
    return {size: (rate, mean) for size, mean in zip(batch_sizes, means[rate], strict=True)}


def tune_with_sorting(score, batch_sizes, rates, seeds):
    best = {}
    for size in batch_sizes:
        found = [(-sum(score(size, rate, seed) for seed in seeds) / len(seeds), rate) for rate in rates]
        mean, rate = min(found)
        best[size] = [rate, -mean]
    return best


RIGHT = {
    "optimisers-step": {
        "means": step,
        "array": lambda *arguments: list(np.float32(step(*arguments))),
        "one array": lambda *arguments: np.array(step(*arguments)),
        "loop": lambda weight, bias, inputs, targets, rate: (
            weight
            - rate
            * sum(2 * (weight * x + bias - y) * x for x, y in zip(inputs, targets, strict=True))
            / len(inputs),
            bias
            - rate
            * sum(2 * (weight * x + bias - y) for x, y in zip(inputs, targets, strict=True))
            / len(inputs),
        ),
    },
    "optimisers-caption": {
        "indexed": lambda logits, targets, real: costs(logits, targets)[real].mean(),
        "weighted": lambda logits, targets, real: (costs(logits, targets) * real).sum() / real.sum(),
        "float32": lambda logits, targets, real: costs(logits.astype("float32"), targets)[real].mean(),
    },
    "optimisers-tune": {
        "means": tune,
        "sorted": tune_with_sorting,
        "arrays": lambda *arguments: {size: np.array(pair) for size, pair in tune(*arguments).items()},
        "NumPy": lambda *arguments: {
            size: tuple(np.float64(pair)) for size, pair in tune(*arguments).items()
        },
    },
}

WRONG = {
    "optimisers-step": {
        "sum": lambda *arguments: step(*arguments, mean=False),
        "no two": lambda *arguments: step(*arguments, factor=1),
        "uphill": lambda *arguments: step(*arguments, sign=1),
        "in turn": step_in_turn,
        "a number for each": lambda weight, bias, inputs, targets, rate: (
            weight - rate * 2 * (weight * inputs + bias - targets) * inputs,
            bias,
        ),
        "weight only": lambda *arguments: step(*arguments)[0],
        "swapped": lambda *arguments: step(*arguments)[::-1],
    },
    "optimisers-caption": {
        "all positions": lambda logits, targets, real: costs(logits, targets).mean(),
        "divided by all": lambda logits, targets, real: (costs(logits, targets) * real).mean(),
        "caption by caption": caption_by_caption,
        "overflow": overflowing,
        "sum": lambda logits, targets, real: costs(logits, targets)[real].sum(),
        "each": lambda logits, targets, real: costs(logits, targets)[real],
        "padding": lambda logits, targets, real: costs(logits, targets)[~real].mean(),
        "bits": lambda logits, targets, real: costs(logits, targets)[real].mean() / np.log(2),
    },
    "optimisers-tune": {
        "nothing": lambda *arguments: {},
        "first seed": lambda score, sizes, rates, seeds: tune(score, sizes, rates, seeds[:1]),
        "best seed": lambda *arguments: tune(*arguments, average=max),
        "worst seed": lambda *arguments: tune(*arguments, average=min),
        "last of equal": lambda *arguments: tune(*arguments, order=-1),
        "one rate": tune_for_all,
        "rates only": lambda *arguments: {size: pair[0] for size, pair in tune(*arguments).items()},
        "swapped": lambda *arguments: {size: pair[::-1] for size, pair in tune(*arguments).items()},
        "one size": lambda score, sizes, rates, seeds: tune(score, sizes[:1], rates, seeds),
        "list": lambda *arguments: list(tune(*arguments).values()),
    },
}
