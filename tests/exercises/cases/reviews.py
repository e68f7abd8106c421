"""Right and wrong answers to the exercises of the notebook on reviews."""

import numpy as np


def push(with_digit, without, weight, temperature, *, stable=True, divide=None, sign=1):
    moved = sign * weight * (with_digit - without)
    logits = (with_digit + moved) / temperature
    if divide == "first":
        logits = with_digit / temperature + moved
    if stable:
        logits = logits - logits.max(axis=-1, keepdims=True)
    chances = np.exp(logits)
    return chances / chances.sum(axis=-1, keepdims=True)


def push_by_ratio(with_digit, without, weight, temperature):
    """The formula with probabilities, in logarithms."""

    def log_softmax(logits):
        logits = logits - logits.max(axis=-1, keepdims=True)
        return logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))

    seeing, blind = log_softmax(with_digit), log_softmax(without)
    return np.exp(log_softmax((seeing + weight * (seeing - blind)) / temperature))


def fair(praise, levels):
    sides = levels < 3, levels > 3
    return ((praise[sides[0]] <= 0.5).mean() + (praise[sides[1]] > 0.5).mean()) / 2


def copy(text, source, separator=None):
    words, known, best = text.split(separator), source.split(separator), 0
    for start in range(len(words)):
        for other in range(len(known)):
            length = 0
            while (
                words[start + length : start + length + 1] == known[other + length : other + length + 1] != []
            ):
                length += 1
            best = max(best, length)
    return best


def letters(text, source):
    """Parts of words count."""
    words = text.split()
    runs = (" ".join(words[i:j]) for i in range(len(words)) for j in range(i + 1, len(words) + 1))
    return max((len(run.split()) for run in runs if run in source), default=0)


def beyond(sheets, write, praise, openings, *, digits=(1, 5, 7, 9), mean=np.mean, count=None, whole=False):
    found = {}
    for digit in digits:
        shown = openings[:count]
        rests = write(sheets([digit] * len(shown)), shown)
        if whole:
            rests = [opening + rest for opening, rest in zip(shown, rests, strict=True)]
        found[digit] = mean(praise(rests))
    return found


def one_by_one(sheets, write, praise, openings):
    return {
        digit: np.mean([praise(write(sheets([digit]), [opening]))[0] for opening in openings])
        for digit in (9, 7, 5, 1)
    }


RIGHT = {
    "reviews-push": {"logits": push, "ratio": push_by_ratio},
    "reviews-fair": {
        "mean of sides": fair,
        "loop": lambda praise, levels: float(
            np.mean(
                [
                    np.mean([one > 0.5 for one, level in zip(praise, levels, strict=True) if level > 3]),
                    np.mean([one <= 0.5 for one, level in zip(praise, levels, strict=True) if level < 3]),
                ]
            )
        ),
    },
    "reviews-copy": {"all places": copy},
    "reviews-beyond": {"all at once": beyond, "one by one": one_by_one},
}
WRONG = {
    "reviews-push": {
        "overflows": lambda *given: push(*given, stable=False),
        "temperature first": lambda *given: push(*given, divide="first"),
        "away from the digit": lambda *given: push(*given, sign=-1),
        "logits": lambda seeing, blind, weight, temperature: seeing + weight * (seeing - blind),
        "no temperature": lambda seeing, blind, weight, temperature: push(seeing, blind, weight, 1.0),
    },
    "reviews-fair": {
        "share of all": lambda praise, levels: ((praise > 0.5) == (levels > 3))[levels != 3].mean(),
        "three is blame": lambda praise, levels: fair(praise, np.where(levels == 3, 2, levels)),
        "at least one half": lambda praise, levels: (
            ((praise[levels < 3] < 0.5).mean() + (praise[levels > 3] >= 0.5).mean()) / 2
        ),
        "two numbers": lambda praise, levels: ((praise[levels < 3] <= 0.5).mean(), 1.0),
    },
    "reviews-copy": {
        "parts of words": letters,
        "spaces are words": lambda text, source: copy(text, source, " "),
        "common words": lambda text, source: len(set(text.split()) & set(source.split())),
        "from the beginning": lambda text, source: sum(
            np.cumprod([a == b for a, b in zip(text.split(), source.split(), strict=False)])
        ),
    },
    "reviews-beyond": {
        "not the nine": lambda *given: beyond(*given, digits=(1, 5, 7)),
        "a sum": lambda *given: beyond(*given, mean=np.sum),
        "a median": lambda *given: beyond(*given, mean=np.median),
        "no mean": lambda *given: beyond(*given, mean=np.asarray),
        "one opening": lambda *given: beyond(*given, count=1),
        "openings judged too": lambda *given: beyond(*given, whole=True),
        "one sheet": lambda sheets, write, praise, openings: {
            digit: np.mean(praise(write(sheets([digit]), openings))) for digit in (1, 5, 7, 9)
        },
        "a list": lambda *given: list(beyond(*given).values()),
    },
}
