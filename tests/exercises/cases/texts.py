"""Right and wrong answers to the exercises of "Judging texts"."""

import math
from collections import Counter

import numpy as np

from mmcourse.evaluation import texts


def runs(tokens, n):
    return [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]


def clipped(candidate, reference, n):
    mine = Counter(runs(candidate, n))
    return (mine & Counter(runs(reference, n))).total() / max(1, mine.total())


def crossing_out(candidate, reference, n):
    left, matches = runs(reference, n), 0
    for run in runs(candidate, n):
        if run in left:
            left.remove(run)
            matches += 1
    return (
        np.float32(matches / max(1, len(runs(candidate, n)))).item()
        if matches == 0
        else matches / len(runs(candidate, n))
    )


def unclipped(candidate, reference, n):
    mine = runs(candidate, n)
    return sum(run in runs(reference, n) for run in mine) / max(1, len(mine))


def recall(candidate, reference, n):
    other = Counter(runs(reference, n))
    return (other & Counter(runs(candidate, n))).total() / max(1, other.total())


def different_runs(candidate, reference, n):
    mine = set(runs(candidate, n))
    return len(mine & set(runs(reference, n))) / max(1, len(mine))


def order_ignored(candidate, reference, n):
    mine, allowed = (
        Counter(tuple(sorted(run)) for run in runs(words, n)) for words in (candidate, reference)
    )
    return (mine & allowed).total() / max(1, mine.total())


def leave_one_out(answer, people):
    same = people.count(answer)
    others = len(people) - same
    return (same * min((same - 1) / 3, 1) + others * min(same / 3, 1)) / len(people)


def one_by_one(answer, people):
    scores = [people[:i] + people[i + 1 :] for i in range(len(people))]
    return np.mean([min(rest.count(answer) / 3, 1) for rest in scores])


def price(tokens, wrong="?", **options):
    return [
        100 - texts.bleu([[*tokens[:i], wrong, *tokens[i + 1 :]]], [tokens], **options)
        for i in range(len(tokens))
    ]


RIGHT = {
    "texts-precision": {"counters": clipped, "crossing out": crossing_out},
    "texts-vqa": {
        "two kinds of people": leave_one_out,
        "one by one": one_by_one,
        "package": lambda answer, people: texts.vqa_accuracy([answer], [people]),
    },
    "texts-bits": {
        "log2": lambda perplexity, tokens, characters: tokens * math.log2(perplexity) / characters,
        "nats": lambda perplexity, tokens, characters: tokens * np.log(perplexity) / np.log(2) / characters,
    },
    "texts-price": {
        "loop": price,
        "array": lambda tokens: np.array(price(tokens, "something else")),
        "together": lambda tokens: (
            100
            - texts.bleu(
                [[*tokens[:i], "?", *tokens[i + 1 :]] for i in range(len(tokens))],
                [tokens] * len(tokens),
                each=True,
            )
        ),
    },
}

WRONG = {
    "texts-precision": {
        "unclipped": unclipped,
        "recall": recall,
        "different runs": different_runs,
        "order ignored": order_ignored,
        "always single words": lambda candidate, reference, n: clipped(candidate, reference, 1),
        "percent": lambda *arguments: 100 * clipped(*arguments),
        "one too few": lambda candidate, reference, n: clipped(candidate[:-1], reference[:-1], n),
    },
    "texts-vqa": {
        "nobody left out": lambda answer, people: min(people.count(answer) / 3, 1),
        "share": lambda answer, people: people.count(answer) / len(people),
        "counts yes": lambda answer, people: leave_one_out("yes", people),
        "majority": lambda answer, people: float(people.count(answer) > len(people) / 2),
        "not capped": lambda answer, people: (
            leave_one_out(answer, people) if people.count(answer) < 4 else 2.0
        ),
    },
    "texts-bits": {
        "a token": lambda perplexity, tokens, characters: math.log2(perplexity),
        "nats": lambda perplexity, tokens, characters: tokens * math.log(perplexity) / characters,
        "rounded": lambda perplexity, tokens, characters: round(
            tokens * math.log2(perplexity) / characters, 2
        ),
        "upside down": lambda perplexity, tokens, characters: characters * math.log2(perplexity) / tokens,
        "no logarithm": lambda perplexity, tokens, characters: perplexity * tokens / characters,
    },
    "texts-price": {
        "left out": lambda tokens: [
            100 - texts.bleu([tokens[:i] + tokens[i + 1 :]], [tokens]) for i in range(len(tokens))
        ],
        "the score itself": lambda tokens: [100 - cost for cost in price(tokens)],
        "not smoothed": lambda tokens: price(tokens, smoothing="none"),
        "single words": lambda tokens: price(tokens, order=1),
        "all the same": lambda tokens: [price(tokens)[0]] * len(tokens),
    },
}
