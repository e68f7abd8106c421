"""Splits (notebook 28): name of the part -> row numbers, int64, sorted, disjoint, covering all rows."""

import hashlib
from collections.abc import Hashable, Mapping, Sequence

import numpy as np

SHARES = {"train": 0.8, "validation": 0.1, "test": 0.1}


class HasSplits:
    """A data set whose ``splits`` map the name of a part to row numbers: all of them have :meth:`split`."""

    splits: Mapping[str, np.ndarray]

    def split(self, name: str) -> np.ndarray:
        """The row numbers of one part, ``int64``, sorted.

        Raises:
            ValueError: there is no such part; names those that there are.
        """
        return rows_of(self.splits, name)


def split_random(count: int, shares: Mapping[str, float] = SHARES, seed: int = 0) -> dict[str, np.ndarray]:
    """Draw ``count`` rows into parts at random.

    Args:
        shares: name of the part -> its share of the rows; they add up to 1.
        seed: the same seed gives the same parts.

    Returns:
        Name of the part -> row numbers, ``int64``, sorted; disjoint, and together all of them.

    Raises:
        ValueError: the shares are no shares, or so few rows that a part would be empty.
    """
    sizes = _part_sizes(count, shares)
    parts = np.split(np.random.default_rng(seed).permutation(count), np.cumsum(list(sizes.values()))[:-1])
    return {name: np.sort(part).astype(np.int64) for name, part in zip(sizes, parts, strict=True)}


def split_stratified(
    labels: Sequence, shares: Mapping[str, float] = SHARES, seed: int = 0
) -> dict[str, np.ndarray]:
    """Draw rows into parts so that every class has nearly the same share in each.

    The rows are laid out class after class, mixed within each class, and each part takes rows at equal
    distances. A part of the share s then holds s times the rows of a class, give or take two. A class of only
    a few rows may miss a small part.

    Args:
        labels: the class of each row, ``(rows,)``.
        shares, seed: see :func:`split_random`; the same value is returned, and the same errors are raised.
    """
    labels = np.asarray(labels)
    if labels.ndim != 1:
        raise ValueError(f"labels must have the shape (rows,), got {labels.shape}")
    random = np.random.default_rng(seed)
    sizes = _part_sizes(len(labels), shares)
    order = random.permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    first, *others = sizes
    parts = {}
    for name in others:
        chosen = np.floor((np.arange(sizes[name]) + random.random()) * len(order) / sizes[name]).astype(int)
        parts[name] = order[chosen]
        order = np.delete(order, chosen)
    parts[first] = order
    return {name: np.sort(parts[name]).astype(np.int64) for name in sizes}


def split_by_group(
    groups: Sequence[Hashable], shares: Mapping[str, float] = SHARES, seed: int = 0
) -> dict[str, np.ndarray]:
    """Draw whole groups into parts: no speaker, patient or document is on both sides.

    Args:
        groups: the group of each row, ``(rows,)``. Groups of unequal size make the shares approximate.
        shares, seed: see :func:`split_random`; the same value is returned.

    Raises:
        ValueError: as :func:`split_random`; also if the groups are so few or so large that a part gets none.
    """
    groups = np.asarray(groups)
    if groups.ndim != 1:
        raise ValueError(f"groups must be one name or number a row, (rows,); got the shape {groups.shape}")
    names, numbers = np.unique(groups, return_inverse=True)
    # The groups are laid out in a random order; each belongs to the part in which its middle lies.
    order = np.random.default_rng(seed).permutation(len(names))
    sizes = np.bincount(numbers, minlength=len(names))[order]
    bounds = np.cumsum(_checked_shares(shares)) * len(numbers)
    middles = np.cumsum(sizes) - sizes / 2
    part_of_group = np.empty(len(names), dtype=int)
    part_of_group[order] = np.minimum(np.searchsorted(bounds, middles, side="right"), len(bounds) - 1)
    parts = {name: np.flatnonzero(part_of_group[numbers] == number) for number, name in enumerate(shares)}
    empty = [name for name, rows in parts.items() if not len(rows)]
    if empty:
        raise ValueError(
            f"{len(names)} groups, the largest with {max(sizes, default=0)} of {len(numbers)} rows, leave "
            f"the part {empty[0]!r} empty; ask for fewer or larger parts, or try another seed"
        )
    return parts


def split_by_key(
    keys: Sequence[str], shares: Mapping[str, float] = SHARES, seed: int = 0
) -> dict[str, np.ndarray]:
    """Let a hash of its own key decide where a row goes, whatever other rows there are.

    A row never changes sides when the collection grows or is sorted anew, and equal keys stay together. The
    shares are met only approximately, and a part of a small collection may be empty.

    Args:
        keys: what identifies a row for ever: a file name, the id of a speaker.
        shares, seed: see :func:`split_random`; the same value is returned.

    Raises:
        ValueError: the shares are no shares.
    """
    bounds = np.cumsum(_checked_shares(shares))
    digests = (hashlib.sha256(f"{seed}:{key}".encode()).digest()[:8] for key in keys)
    places = np.array([int.from_bytes(digest) / 2**64 for digest in digests])
    numbers = np.minimum(np.searchsorted(bounds, places, side="right"), len(bounds) - 1)
    return {name: np.flatnonzero(numbers == number) for number, name in enumerate(shares)}


def check_splits(splits: Mapping[str, np.ndarray], count: int) -> None:
    """Raise unless the parts are disjoint, not empty, and cover ``count`` rows.

    Raises:
        ValueError: names the part, or the first row that is in two parts or in none.
    """
    for name, rows in splits.items():
        rows = np.asarray(rows)
        if rows.size == 0 or rows.ndim != 1 or rows.dtype.kind not in "iu":
            raise ValueError(f"the part {name!r} must be row numbers (rows,), at least one, got {rows!r}")
        if rows.min() < 0 or rows.max() >= count:
            raise ValueError(f"the part {name!r} has row numbers outside 0 to {count - 1}")
    times = np.bincount(np.concatenate(list(splits.values())), minlength=count)
    if (times != 1).any():
        row = int(np.flatnonzero(times != 1)[0])
        raise ValueError(f"row {row} stands in the parts {int(times[row])} times, expected once")


def rows_of(splits: Mapping[str, np.ndarray], part: str) -> np.ndarray:
    """The row numbers of one part.

    Raises:
        ValueError: there is no such part; names those that there are.
    """
    if part not in splits:
        raise ValueError(f"unknown split {part!r}; expected one of: {', '.join(splits)}")
    return splits[part]


def _checked_shares(shares: Mapping[str, float]) -> np.ndarray:
    values = np.array(list(shares.values()), dtype=float)
    if len(values) < 2 or not (values > 0).all() or abs(values.sum() - 1) > 1e-9:
        raise ValueError(f"shares must be two positive numbers or more with the sum 1, got {dict(shares)}")
    return values


def _part_sizes(count: int, shares: Mapping[str, float]) -> dict[str, int]:
    """Rows of each part: bounds rounded, so that the sizes add up and none is off by one or more."""
    bounds = np.round(np.cumsum(_checked_shares(shares)) * count).astype(int)
    sizes = dict(zip(shares, np.diff(bounds, prepend=0).tolist(), strict=True))
    empty = [name for name, size in sizes.items() if size < 1]
    if empty:
        raise ValueError(
            f"{count} rows are too few for the shares {dict(shares)}: {empty[0]!r} would be empty"
        )
    return sizes
