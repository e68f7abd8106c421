"""Right and wrong answers to the exercises of notebook 22, "Tokens"."""

import itertools
from collections import Counter

import numpy as np

from mmcourse.data import chinese_reviews, film_reviews
from mmcourse.text.byte_pair import BytePairEncoding


def count_all(pieces):
    counts = Counter()
    for ids, how_often in pieces.items():
        for pair in itertools.pairwise(ids):
            counts[pair] += how_often
    return counts


def next_pair(pieces, *, weigh=True, largest=False, across=False):
    """The next merge with the faults that the arguments ask for."""
    counts = Counter()
    for ids, how_often in pieces.items():
        pairs = list(itertools.pairwise(ids))
        for pair in set(pairs) if across else pairs:
            counts[pair] += how_often if weigh else 1
    sign = -1 if largest else 1
    return min(counts, key=lambda pair: (-counts[pair], sign * pair[0], sign * pair[1]))


def next_pair_by(pieces, rank):
    """The most frequent pair, with the rule for ties that the argument asks for."""
    counts = count_all(pieces)
    return min(counts, key=lambda pair: (-counts[pair], rank(pair)))


def pack(rows, length, *, keep_end=False, start=True, dtype=np.int32, end=2, from_left=False):
    """Rows as an array with the faults that the arguments ask for."""
    packed = np.zeros((len(rows), length), dtype=dtype)
    for number, row in enumerate(rows):
        whole = [*([1] if start else []), *row, end]
        cut = whole[-length:] if from_left else whole[:length]
        if keep_end and len(whole) > length:
            cut[-1] = end
        packed[number, : len(cut)] = cut
    return packed


def costs(*, merges=500, last=slice(-300, None), per_byte=False, swapped=False, mean_of_texts=False):
    """The four costs with the faults that the arguments ask for."""
    languages = film_reviews.load().texts, chinese_reviews.load().texts
    found = []
    for read in languages:
        encoding = BytePairEncoding.train(read[:1000], merges)
        for texts in languages:
            tokens = [len(encoding.ids_of(text)) for text in texts[last]]
            lengths = [len(text.encode() if per_byte else text) for text in texts[last]]
            ratio = np.mean(np.divide(tokens, lengths)) if mean_of_texts else sum(tokens) / sum(lengths)
            found.append(float(ratio))
    return [found[i] for i in (0, 2, 1, 3)] if swapped else found


RIGHT = {
    "tokens-pair": {
        "counted": next_pair,
        "sorted": lambda pieces: sorted((-count, pair) for pair, count in count_all(pieces).items())[0][1],
        "a list": lambda pieces: list(next_pair(pieces)),
    },
    "tokens-pack": {
        "a loop": pack,
        "from a list": lambda rows, length: np.array(
            [([1, *row, 2] + [0] * length)[:length] for row in rows], dtype=np.int32
        ).reshape(len(rows), length),
    },
    "tokens-costs": {
        "measured": costs,
        "an array": lambda: np.array(costs()),
    },
}
WRONG = {
    "tokens-pair": {
        "pieces not weighed": lambda pieces: next_pair(pieces, weigh=False),
        "the largest of equals": lambda pieces: next_pair(pieces, largest=True),
        "once in each piece": lambda pieces: next_pair(pieces, across=True),
        "the first that is found": lambda pieces: count_all(pieces).most_common(1)[0][0],
        "with its count": lambda pieces: count_all(pieces).most_common(1)[0],
        "ties by the first id only": lambda pieces: next_pair_by(pieces, lambda pair: pair[0]),
        "ties by the second id first": lambda pieces: next_pair_by(pieces, lambda pair: pair[::-1]),
        "ties by the sum": lambda pieces: next_pair_by(pieces, lambda pair: (sum(pair), pair)),
        "ties by the larger id": lambda pieces: next_pair_by(pieces, lambda pair: (max(pair), pair)),
    },
    "tokens-pack": {
        "an end after the cut": lambda rows, length: pack(rows, length, keep_end=True),
        "no start": lambda rows, length: pack(rows, length, start=False),
        "64 bits": lambda rows, length: pack(rows, length, dtype=np.int64),
        "floats": lambda rows, length: pack(rows, length, dtype=np.float32),
        "no end": lambda rows, length: pack(rows, length, end=0),
        "cut at the front": lambda rows, length: pack(rows, length, from_left=True),
        "lists": lambda rows, length: pack(rows, length).tolist(),
        "as long as the longest": lambda rows, length: pack(rows, max(map(len, rows), default=0) + 2),
    },
    "tokens-costs": {
        "a guess": lambda: [0.4, 3.0, 1.0, 1.0],
        "the first texts": lambda: costs(last=slice(300)),
        "more merges": lambda: costs(merges=600),
        "in another order": lambda: costs(swapped=True),
        "per byte": lambda: costs(per_byte=True),
        "the mean of the texts": lambda: costs(mean_of_texts=True),
        "one number": lambda: costs()[0],
    },
}
