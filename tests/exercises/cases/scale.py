"""Right and wrong answers to the exercises of the notebook on scale."""

import numpy as np

from mmcourse.generator import cost
from mmcourse.generator.model import Settings


def width(budget, depth, *, hidden=4, step=32, over=False, words=2000):
    found = 32
    while True:
        size = Settings(width=found, heads=found // 32, depth=depth, hidden=hidden * found)
        if cost.training_operations(size, words, 16) > budget:
            return found if over else found - step
        found += step


def bill(parameters, tokens, peak, utilisation, cards, price, *, six=6, share=True, all_cards=True):
    seconds = six * parameters * tokens / (peak * (utilisation if share else 1) * cards)
    return seconds / 86400, seconds / 3600 * price * (cards if all_cards else 1)


RIGHT = {
    "scale-combine": {
        "sums": lambda sums, counts: sums.sum() / counts.sum(),
        "weights": lambda sums, counts: sum(
            one / count * (count / counts.sum()) for one, count in zip(sums, counts, strict=True) if count
        ),
    },
    "scale-exponent": {
        "polyfit": lambda sizes, costs: np.polyfit(np.log(sizes), np.log(costs), 1)[0],
        "log 2": lambda sizes, costs: np.polyfit(np.log2(sizes), np.log2(costs), 1)[0],
    },
    "scale-bill": {"by hand": bill, "list": lambda *given: list(bill(*given))},
    "scale-width": {"loop": width},
}
WRONG = {
    "scale-combine": {
        "mean of means": lambda sums, counts: np.mean(sums / np.maximum(counts, 1)),
        "mean of sums": lambda sums, counts: sums.mean(),
    },
    "scale-exponent": {
        "linear": lambda sizes, costs: np.polyfit(sizes, costs, 1)[0],
        "the other way": lambda sizes, costs: np.polyfit(np.log(costs), np.log(sizes), 1)[0],
        "two points": lambda sizes, costs: np.log(costs[-1] / costs[0]) / np.log(sizes[-1] / sizes[0]),
    },
    "scale-bill": {
        "forwards only": lambda *given: bill(*given, six=2),
        "at the peak": lambda *given: bill(*given, share=False),
        "one card is paid": lambda *given: bill(*given, all_cards=False),
    },
    "scale-width": {
        "too wide": lambda *given: width(*given, over=True),
        "network as wide as tokens": lambda *given: width(*given, hidden=1),
        "not a multiple": lambda *given: width(*given) + 1,
        "one smaller": lambda *given: max(32, width(*given) - 32),
    },
}
