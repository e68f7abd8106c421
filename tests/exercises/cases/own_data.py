"""Right and wrong answers to the exercises of the notebook on a reader's own pictures."""

import numpy as np


def split(owner, share, seed, *, by="pictures", count=None, fixed=False):
    random = np.random.default_rng(0 if fixed else seed)
    if by == "captions":
        mask = np.zeros(len(owner), bool)
        mask[random.permutation(len(owner))[: round(share * len(owner))]] = True
        return mask
    pictures = np.unique(owner)
    wanted = round(share * (len(owner) if count == "captions" else len(pictures)))
    return np.isin(owner, random.permutation(pictures)[:wanted])


def split_with_sets(owner, share, seed):
    pictures = sorted(set(owner.tolist()))
    test = set(np.random.default_rng(seed).choice(pictures, round(share * len(pictures)), False).tolist())
    return np.array([one in test for one in owner.tolist()])


def borrow(features, captions, queries, *, length=True, farthest=False):
    flat, asked = (array.reshape(len(array), -1) for array in (features, queries))
    if length:
        flat = flat / np.linalg.norm(flat, axis=1, keepdims=True)
    near = asked @ flat.T
    return [captions[row] for row in (near.argmin(axis=1) if farthest else near.argmax(axis=1))]


def borrow_by_loop(features, captions, queries):
    found = []
    for query in queries:
        cosines = [(query * one).sum() / np.linalg.norm(query) / np.linalg.norm(one) for one in features]
        found.append(captions[int(np.argmax(cosines))])
    return found


def borrow_by_distance(features, captions, queries):
    distances = ((queries[:, None] - features[None]) ** 2).sum(axis=(2, 3))
    return [captions[row] for row in distances.argmin(axis=1)]


def unit(array):
    return array / np.linalg.norm(array, axis=-1, keepdims=True)


def borrow_by_mean_place(features, captions, queries):
    near = unit(queries.mean(axis=1)) @ unit(features.mean(axis=1)).T
    return [captions[row] for row in near.argmax(axis=1)]


def borrow_place_by_place(features, captions, queries):
    near = np.einsum("qpc,fpc->qf", unit(queries), unit(features))
    return [captions[row] for row in near.argmax(axis=1)]


def missed(written, true, words, *, every=all, split=str.split, keep=False):
    found = {}
    for word in words:
        rows = [row for row, texts in enumerate(true) if every(word in split(text) for text in texts)]
        if rows:
            found[word] = sum(word in split(written[row]) for row in rows) / len(rows)
        elif keep:
            found[word] = 0.0
    return found


def said_anywhere(written, true, words):
    found = {}
    for word in words:
        rows = sum(all(word in text.split() for text in texts) for texts in true)
        if rows:
            found[word] = sum(word in text.split() for text in written) / rows
    return found


def curve(borrow, score, rows, sizes, *, seed=0, nested=True, ordered=False):
    found = {}
    random = np.random.default_rng(seed)
    order = rows if ordered else random.permutation(rows)
    for size in sizes:
        chosen = order[:size] if nested else random.permutation(rows)[:size]
        found[size] = score(borrow(chosen))
    return found


RIGHT = {
    "own-data-split": {"isin": split, "sets": split_with_sets},
    "own-data-borrow": {"matrix": borrow, "loop": borrow_by_loop},
    "own-data-missed": {"loop": missed},
    "own-data-curve": {
        "one order": curve,
        "sorted": lambda borrow, score, rows, sizes: {
            size: score(borrow(sorted(np.random.default_rng(3).permutation(rows)[:size].tolist())))
            for size in sizes
        },
    },
}
WRONG = {
    "own-data-split": {
        "by caption": lambda *given: split(*given, by="captions"),
        "share of captions": lambda *given: split(*given, count="captions"),
        "no seed": lambda *given: split(*given, fixed=True),
        "row numbers": lambda *given: np.flatnonzero(split(*given)),
    },
    "own-data-borrow": {
        "products": lambda *given: borrow(*given, length=False),
        "distances": borrow_by_distance,
        "mean of the places": borrow_by_mean_place,
        "place by place": borrow_place_by_place,
        "farthest": lambda *given: borrow(*given, farthest=True),
    },
    "own-data-missed": {
        "said anywhere": said_anywhere,
        "any reference": lambda *given: missed(*given, every=any),
        "parts of words": lambda *given: missed(*given, split=str),
        "words never said": lambda *given: missed(*given, keep=True),
    },
    "own-data-curve": {
        "new draw each time": lambda *given: curve(*given, nested=False),
        "order of the file": lambda *given: curve(*given, ordered=True),
        "end of the file": lambda borrow, score, rows, sizes: curve(
            borrow, score, rows[::-1], sizes, ordered=True
        ),
        "one size": lambda borrow, score, rows, sizes: {sizes[0]: score(borrow(rows[: sizes[0]]))},
    },
}
