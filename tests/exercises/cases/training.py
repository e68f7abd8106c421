"""Right and wrong answers to the exercises of "A training you can trust"."""

from dataclasses import replace

import numpy as np


def first_losses(shares):
    shares = np.array(shares)
    known = shares[shares > 0]
    return np.log(len(shares)), -(known * np.log(known)).sum()


def first_losses_of_known_classes_only(shares):
    known = [share for share in shares if share]
    return np.log(len(known)), -np.sum(known * np.log(known))


def first_losses_with_nan(shares):
    shares = np.array(shares)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(len(shares)), -(shares * np.log(shares)).sum()


def stop(losses, patience):
    best = 1
    for epoch in range(1, len(losses) + 1):
        if losses[epoch - 1] < losses[best - 1]:
            best = epoch
        if epoch - best >= patience:
            return epoch, best
    return len(losses), best


def stop_that_looks_ahead(losses, patience):
    epochs, _ = stop(losses, patience)
    return epochs, 1 + int(np.argmin(losses))


def stop_where_equal_is_better(losses, patience):
    best = 1
    for epoch in range(1, len(losses) + 1):
        if losses[epoch - 1] <= losses[best - 1]:
            best = epoch
        if epoch - best >= patience:
            return epoch, best
    return len(losses), best


def stop_from_zero(losses, patience):
    epochs, best = stop(losses, patience)
    return epochs - 1, best - 1


def stop_that_compares_with_the_last(losses, patience):
    since = 0
    for epoch in range(2, len(losses) + 1):
        since = 0 if losses[epoch - 1] < losses[epoch - 2] else since + 1
        if since >= patience:
            return epoch, epoch - since
    return len(losses), len(losses)


def accumulate(gradients, sizes):
    return sum(size * gradient for size, gradient in zip(sizes, gradients, strict=True)) / sum(sizes)


NAMES = {
    "A": "input not scaled",
    "B": "too few digits",
    "C": "weights all zero",
    "D": "sound",
    "E": "one batch for ever",
    "F": "validation leaked",
}


def breaks(**change):
    """A recipe with its numbers as a training gives them."""

    def answer(sound):
        from mmcourse.learning import faults

        recipe = replace(sound, **change)
        losses = faults.train(recipe, 0).curves["validation_loss"]
        return recipe, losses.min(), losses[-1]

    return answer


RIGHT = {
    "training-first-loss": {"with NumPy": first_losses, "as a list": lambda shares: [*first_losses(shares)]},
    "training-stop": {"a loop": stop, "as a list": lambda *given: [*stop(*given)]},
    "training-accumulate": {
        "a weighted mean": accumulate,
        "np.average": lambda gradients, sizes: np.average(gradients, axis=0, weights=sizes),
    },
    "training-faults": {"all six": lambda: dict(NAMES)},
    "training-break": {"frozen": breaks(frozen=True), "smoothing": breaks(smoothing=0.9)},
}
WRONG = {
    "training-first-loss": {
        "classes that never occur are not counted": first_losses_of_known_classes_only,
        "nan": first_losses_with_nan,
        "base 2": lambda shares: [value / np.log(2) for value in first_losses(shares)],
        "one number": lambda shares: np.log(len(shares)),
    },
    "training-stop": {
        "looks ahead": stop_that_looks_ahead,
        "equal is better": stop_where_equal_is_better,
        "from zero": stop_from_zero,
        "compares with the last": stop_that_compares_with_the_last,
        "one too late": lambda losses, patience: stop(losses, patience + 1),
    },
    "training-accumulate": {
        "mean of means": lambda gradients, sizes: np.mean(gradients, axis=0),
        "sum": lambda gradients, sizes: np.sum(gradients, axis=0),
        "weighted sum": lambda gradients, sizes: accumulate(gradients, sizes) * sum(sizes),
    },
    "training-faults": {
        "twins exchanged": lambda: NAMES | {"B": NAMES["E"], "E": NAMES["B"]},
        "the leak is believed": lambda: NAMES | {"F": "sound"},
        "the sound one is called slow": lambda: NAMES | {"D": "not shuffled"},
        "a letter missing": lambda: {letter: name for letter, name in NAMES.items() if letter != "D"},
        "a name of one's own": lambda: NAMES | {"A": "too hot"},
    },
    "training-break": {
        "of the gallery": lambda sound: (replace(sound, rate=0.5), 2.0, 2.3),
        "two changes": lambda sound: (replace(sound, frozen=True, dropout=0.0), 1.9, 1.9),
        "no recipe": lambda sound: ("frozen", 1.9, 1.9),
        "harmless": breaks(hidden=32),
        "numbers made up": lambda sound: (replace(sound, frozen=True), 0.4, 0.4),
    },
}
