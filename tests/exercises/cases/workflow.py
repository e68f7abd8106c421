"""Right and wrong answers to the exercises of the notebook on the way from data to a score."""

from collections import Counter

import numpy as np


def widest(weights, memory, widths=(32, 16, 8, 4), scale=1e9):
    return next((bits for bits in widths if weights * bits / 8 <= memory * scale), 0)


def reached(edges, start):
    found, waiting = {start}, [start]
    while waiting:
        node = waiting.pop()
        for first, second in edges:
            if first == node and second not in found:
                found.add(second)
                waiting.append(second)
    return found


def necessary(edges, start, end):
    nodes = {node for edge in edges for node in edge} - {start, end}
    return {n for n in nodes if end not in reached({e for e in edges if n not in e}, start)}


def ways(edges, start, end, seen=()):
    """All ways without a repeated node."""
    if start == end:
        return [set(seen)]
    return [
        way
        for first, second in edges
        if first == start and second not in seen
        for way in ways(edges, second, end, (*seen, start))
    ]


def necessary_by_ways(edges, start, end):
    return set.intersection(*ways(edges, start, end)) - {start, end}


def agreed(records, consent=True, least=0.5, strict=True, choice=True):
    said = {}
    for record in records:
        if (record.consent or not consent) and (record.chosen is not None or not choice):
            said.setdefault(record.example, Counter())[record.chosen] += 1
    found = {}
    for example, votes in said.items():
        label, count = votes.most_common(1)[0]
        if count > least * sum(votes.values()) or (not strict and count == least * sum(votes.values())):
            found[example] = label
    return found


def truthy(records):
    """A chosen 0 taken for no choice."""
    return agreed([record for record in records if record.chosen])


def last(records):
    return {r.example: r.chosen for r in records if r.consent and r.chosen is not None}


RIGHT = {
    "workflow-bits": {
        "first that fits": widest,
        "largest": lambda weights, memory: max(
            [b for b in (4, 8, 16, 32) if weights * b <= 8e9 * memory], default=0
        ),
    },
    "workflow-necessary": {"taking out": necessary, "all ways": necessary_by_ways},
    "workflow-agreed": {"votes": agreed},
    "workflow-blind": {
        "half a turn": lambda pictures: pictures[:, ::-1, ::-1],
        "transposed": lambda pictures: pictures.transpose(0, 2, 1),
        "rolled": lambda pictures: np.roll(pictures, 3, axis=2),
    },
}

WRONG = {
    "workflow-bits": {
        "bits for bytes": lambda weights, memory: widest(weights, memory * 8),
        "smallest": lambda weights, memory: widest(weights, memory, (4, 8, 16, 32)),
        "2^30": lambda weights, memory: widest(weights, memory, scale=2**30),
        "not when full": lambda weights, memory: widest(weights, memory * 0.999),
        "4 if none": lambda weights, memory: widest(weights, memory) or 4,
    },
    "workflow-necessary": {
        "all between": lambda edges, start, end: reached(edges, start) - {start, end},
        "with the ends": lambda edges, start, end: necessary(edges, start, end) | {start, end},
        "skippable": lambda edges, start, end: reached(edges, start) - necessary(edges, start, end),
        "only edges into it": lambda edges, start, end: {
            n
            for n in {n for e in edges for n in e} - {start}
            if end not in reached({e for e in edges if n != e[1]}, start)
        },
        "a list": lambda *arguments: sorted(necessary(*arguments)),
    },
    "workflow-agreed": {
        "without consent": lambda records: agreed(records, consent=False),
        "half is enough": lambda records: agreed(records, strict=False),
        "most votes": lambda records: agreed(records, least=0.0),
        "none is a choice": lambda records: agreed(records, choice=False),
        "zero is none": truthy,
        "the last": last,
    },
    "workflow-blind": {
        "nothing": lambda pictures: pictures,
        "inverted": lambda pictures: 16 - pictures,
        "white": np.zeros_like,
        "flat": lambda pictures: pictures[:, ::2],
        "exchanged": lambda pictures: np.roll(pictures, 1, axis=0),
        "too dark": lambda pictures: pictures[:, ::-1] * 2,
        "one pixel": lambda pictures: np.roll(pictures, 1, axis=1) * 0 + pictures,
    },
}
