"""Right and wrong answers to the exercises of the notebook on decoding."""

import numpy as np


def nucleus(chances, share, *, inclusive=True, divide=True, together=False):
    kept = np.zeros_like(chances)
    for row, values in enumerate(chances):
        total = 0.0
        for token in np.argsort(-values):
            if not inclusive and total and total + values[token] > share:
                break
            kept[row, token] = values[token]
            total += values[token]
            if total >= share:
                break
    if together:
        return kept / kept.sum()
    return kept / kept.sum(axis=-1, keepdims=True) if divide else kept


def nucleus_by_sorting(chances, share):
    order = np.argsort(-chances, axis=-1)
    ranked = np.take_along_axis(chances, order, axis=-1)
    ranked = np.where(np.cumsum(ranked, axis=-1) - ranked < share, ranked, 0.0)
    ranked = ranked / ranked.sum(axis=-1, keepdims=True)
    return np.take_along_axis(ranked, np.argsort(order, axis=-1), axis=-1)


def sorted_nucleus(chances, share):
    """Forgets to put the tokens back into their places."""
    return -np.sort(-nucleus(chances, share), axis=-1)


def beam(following, width, most, *, stays=True, greedy=False, one=False):
    kept = [([], 1.0)]
    for _ in range(most):
        longer = []
        for tokens, probability in kept:
            if 0 in tokens:
                if stays:
                    longer.append((tokens, probability))
                continue
            longer += [([*tokens, i], probability * p) for i, p in enumerate(following(tokens))]
        if not longer:
            break
        kept = sorted(longer, key=lambda one: -one[1])[: 1 if greedy else width]
    return kept[0][0] if one else kept[0]


def beam_in_logarithms(following, width, most):
    kept = [(0.0, [])]
    for _ in range(most):
        longer = [one for one in kept if 0 in one[1]]
        for total, tokens in kept:
            if 0 not in tokens:
                logs = np.log(following(tokens))
                longer.extend((total + log, [*tokens, token]) for token, log in enumerate(logs))
        kept = sorted(longer, key=lambda one: one[0], reverse=True)[:width]
    return kept[0][1], float(np.exp(kept[0][0]))


def without(scored, images, true, names, *, remove=True, key=None, above=0.5):
    rest = [name for name in names if name not in true] if remove else list(names)
    found = scored(images, rest)[1]
    result = {
        "with": scored(images, names)[1].mean(),
        "without": found.mean(),
        "sure": (found > above).mean(),
    }
    return {name: value for name, value in result.items() if name != key}


def without_by_sets(scored, images, true, names):
    """The same with sets, which have no order, and a loop."""
    with_all, wrong = scored(images, set(names))[1], scored(images, set(names) - set(true))[1]
    sure = sum(1 for probability in wrong if probability > 0.5) / len(wrong)
    return {"sure": sure, "with": sum(with_all) / len(with_all), "without": np.mean(wrong)}


def preference(preferred, rejected, first, second, beta, *, sign=1, scale=True, mean=np.mean):
    gained, lost = preferred - first, rejected - second
    margin = sign * (gained - lost) * (beta if scale else 1)
    return mean(np.logaddexp(0, -margin))


RIGHT = {
    "decoding-nucleus": {"loop": nucleus, "sorting": nucleus_by_sorting},
    "decoding-beam": {
        "probabilities": beam,
        "logarithms": beam_in_logarithms,
        "a list": lambda *given: list(beam(*given)),
    },
    "decoding-without": {"once": without, "sets": without_by_sets},
    "decoding-preference": {
        "logaddexp": preference,
        "by sign": lambda preferred, rejected, first, second, beta: np.mean(
            [
                np.log1p(np.exp(-abs(margin))) + max(-margin, 0.0)
                for margin in beta * (preferred - first - rejected + second)
            ]
        ),
    },
}
WRONG = {
    "decoding-nucleus": {
        "without the token that reaches it": lambda *given: nucleus(*given, inclusive=False),
        "not divided": lambda *given: nucleus(*given, divide=False),
        "divided by the sum of all rows": lambda *given: nucleus(*given, together=True),
        "sorted": sorted_nucleus,
        "one nucleus for all rows": lambda chances, share: np.where(
            np.isin(np.arange(chances.shape[1]), np.flatnonzero(nucleus(chances[:1], share)[0])), chances, 0
        ),
        "a threshold": lambda chances, share: (
            np.where(chances >= 1 - share, chances, 0)
            / np.where(chances >= 1 - share, chances, 0).sum(axis=-1, keepdims=True)
        ),
    },
    "decoding-beam": {
        "greedy": lambda *given: beam(*given, greedy=True),
        "finished answers are dropped": lambda *given: beam(*given, stays=False),
        "nothing but a number": lambda *given: beam(*given)[1],
        "tokens alone": lambda *given: beam(*given, one=True),
    },
    "decoding-without": {
        "the whole list twice": lambda *given: without(*given, remove=False),
        "one number is missing": lambda *given: without(*given, key="sure"),
        "any probability": lambda *given: without(*given, above=0.0),
        "not the mean": lambda scored, images, true, names: {
            "with": scored(images, names)[1],
            "without": scored(images, names[:2])[1],
            "sure": 0.5,
        },
    },
    "decoding-preference": {
        "the wrong way round": lambda *given: preference(*given, sign=-1),
        "no beta": lambda *given: preference(*given, scale=False),
        "a sum": lambda *given: preference(*given, mean=np.sum),
        "overflows": lambda preferred, rejected, first, second, beta: np.mean(
            np.log(1 + np.exp(-beta * (preferred - first - rejected + second)))
        ),
        "no reference": lambda preferred, rejected, first, second, beta: np.mean(
            np.logaddexp(0, -beta * (preferred - rejected))
        ),
    },
}
