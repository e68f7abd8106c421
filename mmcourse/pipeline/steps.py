"""From collected examples to batches: what is done to data, and in which order.

Repetitions are taken out, the rest is split, whatever has to be estimated is estimated on the training part,
and only then is it applied to all parts and cut into batches. The functions here are small on purpose. What
they guard is the order: :func:`assert_no_leak`, :func:`find_shared` and
:func:`find_crossing_groups` tell when it is broken.

A step that is fitted is a frozen object that only ``fit`` makes, so that nothing can be applied before it is
fitted: ``Standardise.fit(rows[splits["train"]]).apply(rows)``.
"""

import dataclasses
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmcourse.text.cleaning import first_of_each
from mmcourse.text.vocabulary import SPECIAL_TOKENS, Vocabulary, tokenise

SHARES = {"train": 0.8, "validation": 0.1, "test": 0.1}
FORMAT = 1


class LeakError(AssertionError):
    """Something that was fitted depends on rows outside the training part; the message says what."""


class StatisticsError(ValueError):
    """A file of fitted steps is damaged, was changed by hand, or is none; the message says which."""


# Splits: name of the part -> row numbers, int64, sorted, disjoint, covering all rows.


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
    return _deal(np.random.default_rng(seed).permutation(count), _part_sizes(count, shares))


def split_stratified(
    labels: Sequence, shares: Mapping[str, float] = SHARES, seed: int = 0
) -> dict[str, np.ndarray]:
    """Draw rows into parts so that every class has nearly the same share in each.

    The rows are laid out class after class, mixed within each class, and each part takes rows at equal
    distances. A part of the share s then holds s times the rows of a class, give or take two. A class of only
    a few rows may miss a small part: look at :func:`report`.

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
    return _deal_groups(numbers, np.random.default_rng(seed).permutation(len(names)), shares)


def split_by_time(times: Sequence[float], shares: Mapping[str, float] = SHARES) -> dict[str, np.ndarray]:
    """The earliest rows into the first part, the latest into the last; rows of one time stay together.

    Args:
        times: a number or ``datetime64`` for each row, ``(rows,)``.
        shares: in the order of time; see :func:`split_random`, whose errors are raised too.

    Raises:
        ValueError: a time is missing.
    """
    times = np.asarray(times)
    if times.ndim != 1:
        raise ValueError(f"times must be one a row, (rows,); got the shape {times.shape}")
    missing = np.isnat(times) if times.dtype.kind in "mM" else np.isnan(times.astype(float))
    if missing.any():
        raise ValueError(f"row {int(np.flatnonzero(missing)[0])} has no time; leave such rows out first")
    moments, numbers = np.unique(times, return_inverse=True)
    return _deal_groups(numbers, np.arange(len(moments)), shares)


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


def report(splits: Mapping[str, np.ndarray], labels: Sequence | None = None) -> str:
    """Sizes of the parts and, if there are labels, the share of each class: one line a part, for printing."""
    total = sum(len(rows) for rows in splits.values())
    classes = [] if labels is None else np.unique(np.asarray(labels)).tolist()
    lines = []
    for name, rows in splits.items():
        line = f"{name:12}{len(rows):7,} rows {len(rows) / max(total, 1):6.3f}"
        for label in classes:
            line += f"  {label}: {np.mean(np.asarray(labels)[rows] == label) if len(rows) else 0:.3f}"
        lines.append(line)
    return "\n".join(lines)


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


def _deal(order: np.ndarray, sizes: Mapping[str, int]) -> dict[str, np.ndarray]:
    parts = np.split(order, np.cumsum(list(sizes.values()))[:-1])
    return {name: np.sort(part).astype(np.int64) for name, part in zip(sizes, parts, strict=True)}


def _deal_groups(
    numbers: np.ndarray, order: np.ndarray, shares: Mapping[str, float]
) -> dict[str, np.ndarray]:
    """Lay the groups out in an order; a group belongs to the part in which its middle lies."""
    sizes = np.bincount(numbers, minlength=len(order))[order]
    bounds = np.cumsum(_checked_shares(shares)) * len(numbers)
    middles = np.cumsum(sizes) - sizes / 2
    part_of_group = np.empty(len(order), dtype=int)
    part_of_group[order] = np.minimum(np.searchsorted(bounds, middles, side="right"), len(bounds) - 1)
    parts = {name: np.flatnonzero(part_of_group[numbers] == number) for number, name in enumerate(shares)}
    empty = [name for name, rows in parts.items() if not len(rows)]
    if empty:
        raise ValueError(
            f"{len(order)} groups, the largest with {max(sizes, default=0)} of {len(numbers)} rows, leave "
            f"the part {empty[0]!r} empty; ask for fewer or larger parts, or try another seed"
        )
    return parts


# Leaks


def fingerprint(example) -> str:
    """A hash that two examples share only if they are the same: 32 hexadecimal digits.

    Args:
        example: a text, bytes, an array (its dtype and shape count), a number, None, or a list of such.

    Raises:
        TypeError: anything else.
    """
    digest = hashlib.sha256()
    for piece in _pieces(example):
        digest.update(len(piece).to_bytes(8) + piece)
    return digest.hexdigest()[:32]


def _pieces(example) -> Iterator[bytes]:
    if isinstance(example, str):
        yield b"text"
        yield example.encode("utf-8", "surrogatepass")
    elif isinstance(example, bytes):
        yield b"bytes"
        yield example
    elif isinstance(example, np.ndarray) and example.dtype != object:
        yield f"array {example.dtype} {example.shape}".encode()
        yield example.tobytes()
    elif isinstance(example, list | tuple):
        yield f"sequence of {len(example)}".encode()
        for part in example:
            yield from _pieces(part)
    elif example is None or isinstance(example, bool | int | float | np.generic):
        yield b"number"
        yield repr(getattr(example, "item", lambda: example)()).encode()
    else:
        raise TypeError(
            f"cannot take the fingerprint of {type(example).__name__}; give a text, bytes, an array, a "
            "number or a list of such"
        )


def find_crossing_groups(
    splits: Mapping[str, np.ndarray], groups: Sequence[Hashable]
) -> dict[Hashable, dict[str, list[int]]]:
    """The groups with rows in more than one part: group -> part -> rows. Empty if no group crosses."""
    groups = groups.tolist() if isinstance(groups, np.ndarray) else groups
    found: dict[Hashable, dict[str, list[int]]] = {}
    for name, rows in splits.items():
        for row in np.asarray(rows).tolist():
            found.setdefault(groups[row], {}).setdefault(name, []).append(row)
    return {group: parts for group, parts in found.items() if len(parts) > 1}


def find_shared(
    splits: Mapping[str, np.ndarray], examples: Sequence, key: Callable = fingerprint
) -> dict[Hashable, dict[str, list[int]]]:
    """Examples that stand in more than one part: key -> part -> rows. Empty if none does.

    Args:
        key: two examples with the same key count as one. The default finds exact copies; to find near copies
            give a function that forgets what may differ, such as spaces and marks.
    """
    return find_crossing_groups(splits, [key(example) for example in examples])


def keep_first(examples: Sequence, labels: Sequence | None = None, key: Callable = fingerprint) -> np.ndarray:
    """Rows that are left when repetitions are taken out: ``int64``, sorted.

    Args:
        labels: if given, examples that occur with two different labels are left out altogether.
        key: see :func:`find_shared`.
    """
    names = [key(example) for example in examples]
    rows = first_of_each(names, key=lambda name: name)
    if labels is not None:
        said: dict[Hashable, set] = {}
        for name, label in zip(names, labels, strict=True):
            said.setdefault(name, set()).add(label)
        rows = [row for row in rows if len(said[names[row]]) == 1]
    return np.array(rows, dtype=np.int64)


def assert_no_leak(
    prepare: Callable, data, splits: Mapping[str, np.ndarray], training: str = "train", seed: int = 0
) -> None:
    """Raise if what ``prepare`` fits on the training part depends on any other row.

    All rows outside the training part are replaced by others, three times in different ways, and ``prepare``
    is called again. What was fitted on the training rows must not notice. (Such a test cannot prove that
    there is no leak; it finds one that shows in the numbers.)

    Args:
        prepare: called as ``prepare(data, splits)``. It returns what was fitted, or the training rows made
            ready, or both: arrays, texts, numbers, dataclasses, fitted scikit-learn objects, and mappings and
            lists of such. It returns no other rows than the training ones, and does the same each time.
        data: an array ``(rows, ...)``, a list of texts or of arrays, or a mapping of such.
        splits: name -> row numbers.
        training: name of the training part.

    Raises:
        LeakError: the result changes; the message says where in it, and by how much.
        ValueError: ``prepare`` returns None, or something else for the same data; or there is nothing outside
            the training part; or the parts overlap (see :func:`check_splits`).
        TypeError: ``data`` is of another kind.
    """
    if training not in splits:
        raise ValueError(f"there is no part {training!r}; the splits are: {', '.join(splits)}")
    count = _count(data)
    check_splits(splits, count)
    outside = np.setdiff1d(np.arange(count), splits[training])
    if not outside.size:
        raise ValueError(f"all {count} rows are in {training!r}: there is nothing that could leak")
    expected = prepare(_replaced(data, outside[:0], "raised", None), splits)
    if expected is None:
        raise ValueError("prepare returned None; it must return what it fitted or the training rows")
    again = _difference(expected, prepare(_replaced(data, outside[:0], "raised", None), splits))
    if again:
        raise ValueError(f"prepare gives another result for the same data ({again}); give it a fixed seed")
    for how in ("raised", "lowered", "mixed"):
        random = np.random.default_rng(seed)
        found = _difference(expected, prepare(_replaced(data, outside, how, random), splits))
        if found:
            raise LeakError(
                f"{found} when only rows outside {training!r} were {how}. Split first, then fit on the "
                f"rows of {training!r} alone."
            )


def _count(data) -> int:
    """The number of rows, which all modalities must share."""
    if isinstance(data, Mapping):
        counts = {name: _count(values) for name, values in data.items()}
        if len(set(counts.values())) != 1:
            raise ValueError(f"all modalities must have the same number of rows, got {counts}")
        return next(iter(counts.values()))
    if isinstance(data, np.ndarray | list | tuple):
        return len(data)
    raise TypeError(f"data must be an array, a list, or a mapping of such, got {type(data).__name__}")


def _replaced(data, rows: np.ndarray, how: str, random):
    """A copy of the data in which the given rows are others: higher, lower, or exchanged and disturbed."""
    if isinstance(data, Mapping):
        return {name: _replaced(values, rows, how, random) for name, values in data.items()}
    if isinstance(data, np.ndarray):
        copy = data.copy()
        if len(rows):
            copy[rows] = _others(data, data[rows], how, random)
        return copy
    copy = [part.copy() if isinstance(part, np.ndarray) else part for part in data]
    for row in rows.tolist():
        part = copy[row]
        if isinstance(part, np.ndarray):
            copy[row] = _others(part, part, how, random)
        elif isinstance(part, str):
            copy[row] = {"raised": f"{part} word{row}", "lowered": "word", "mixed": part[::-1]}[how]
        else:
            copy[row] = data[random.integers(len(data))]
    return type(data)(copy) if type(data) in (list, tuple) else copy


def _others(values: np.ndarray, chosen: np.ndarray, how: str, random) -> np.ndarray:
    """Values of the same dtype and shape in place of the chosen; whole numbers and texts are known ones."""
    if values.dtype.kind == "f":
        finite = chosen[np.isfinite(chosen)]
        step = 1 + 10 * float(np.abs(finite).max(initial=0))
        if how == "mixed":
            return (random.permutation(chosen) * -1.5 + random.normal(size=chosen.shape)).astype(values.dtype)
        return (chosen + (step if how == "raised" else -step)).astype(values.dtype)
    known = np.unique(values)
    if values.dtype == np.uint8 and values.ndim > 1:  # pictures: any pixel is possible
        known = np.arange(256, dtype=np.uint8)
    if how == "mixed":
        return random.choice(known, size=chosen.shape)
    return np.full(chosen.shape, known[-1 if how == "raised" else 0], dtype=values.dtype)


def _difference(first, second, place: str = "the result") -> str:
    """What differs between two results, in words; "" if nothing does."""
    if hasattr(first, "toarray") and hasattr(second, "toarray"):
        first, second = first.toarray(), second.toarray()
    if type(first) is not type(second):
        return f"{place} is now of another type"
    if isinstance(first, Mapping):
        if first.keys() != second.keys():
            return f"the entries of {place} changed"
        parts = [(f"{place}[{name!r}]", first[name], second[name]) for name in first]
    elif isinstance(first, list | tuple):
        if len(first) != len(second):
            return f"the length of {place} changed from {len(first)} to {len(second)}"
        parts = [
            (f"{place}[{i}]", one, other) for i, (one, other) in enumerate(zip(first, second, strict=True))
        ]
    elif isinstance(first, np.ndarray | np.generic | int | float):
        return _difference_of_numbers(np.asarray(first), np.asarray(second), place)
    elif hasattr(first, "__dict__") and not callable(first):
        parts = [(f"{place}.{name}", one, vars(second).get(name)) for name, one in vars(first).items()]
    else:
        return "" if callable(first) or first == second else f"{place} changed"
    return next(filter(None, (_difference(one, other, name) for name, one, other in parts)), "")


def _difference_of_numbers(first: np.ndarray, second: np.ndarray, place: str) -> str:
    if first.shape != second.shape:
        return f"the shape of {place} changed from {first.shape} to {second.shape}"
    if first.dtype.kind not in "fc":
        changed = int((first != second).sum())
        return f"{changed} of {first.size} values of {place} changed" if changed else ""
    if np.allclose(first, second, rtol=1e-6, atol=1e-9, equal_nan=True):
        return ""
    return f"{place} changed by up to {np.nanmax(np.abs(first - second)):.3g}"


# Steps that are fitted


@dataclass(frozen=True, eq=False)
class Standardise:
    """Subtract the training rows' mean of each feature and divide by their deviation.

    Attributes:
        mean, deviation: ``float64`` ``(features,)``; the deviation of a feature that never changed is 1.
    """

    mean: np.ndarray
    deviation: np.ndarray

    @classmethod
    def fit(cls, rows: np.ndarray) -> "Standardise":
        """Estimate mean and deviation (the square root of the mean squared distance) of training rows.

        Args:
            rows: ``(..., features)``. All axes but the last are averaged over: ``(pictures, height, width,
                channels)`` gives one mean a channel. Padding must not be among them: give ``frames[mask]``.

        Raises:
            ValueError: no rows, no axis of features, or a value that is not finite (fill it first).
        """
        rows = _rows(rows, "finite")
        flat = rows.reshape(-1, rows.shape[-1])
        mean = flat.mean(axis=0, dtype=np.float64)
        deviation = flat.std(axis=0, dtype=np.float64, mean=mean[None])
        # A constant feature may deviate by rounding alone; dividing by that would blow the rounding up.
        constant = deviation <= 10 * np.finfo(flat.dtype if flat.dtype.kind == "f" else float).eps * np.abs(
            mean
        )
        return cls(mean, np.where(constant, 1.0, deviation))

    def apply(self, rows: np.ndarray) -> np.ndarray:
        """Standardised rows of any part, the same shape; ``float64`` stays, all else becomes ``float32``.

        Raises:
            ValueError: another number of features than was fitted, or a value that is not finite.
        """
        rows = _rows(rows, "finite", len(self.mean))
        return ((rows - self.mean) / self.deviation).astype(_float_of(rows), copy=False)


@dataclass(frozen=True, eq=False)
class Fill:
    """Put a typical value of the training rows where a value is missing (NaN).

    Attributes:
        values: what is put in, ``float64`` ``(features,)``.
        indicator: whether features are added that say what was missing.
    """

    values: np.ndarray
    indicator: bool

    @classmethod
    def fit(cls, rows: np.ndarray, by: str = "mean", indicator: bool = False) -> "Fill":
        """Take the mean or the median of what is known of each feature.

        Args:
            rows: ``(..., features)`` with NaN where a value is missing.
            by: "mean" or "median".
            indicator: whether :meth:`apply` adds a feature for each: 1 where it was missing, else 0.

        Raises:
            ValueError: no rows; an infinite value; a feature of which nothing is known; another ``by``.
        """
        if by not in ("mean", "median"):
            raise ValueError(f"by must be 'mean' or 'median', got {by!r}")
        rows = _rows(rows, "missing")
        flat = rows.reshape(-1, rows.shape[-1]).astype(np.float64)
        unknown = np.flatnonzero(np.isnan(flat).all(axis=0))
        if unknown.size:
            raise ValueError(f"feature {int(unknown[0])} is missing in every training row; leave it out")
        return cls(np.nanmean(flat, axis=0) if by == "mean" else np.nanmedian(flat, axis=0), indicator)

    def apply(self, rows: np.ndarray) -> np.ndarray:
        """Rows without NaN: ``(..., features)``, or ``(..., 2 * features)`` with the indicator.

        Raises:
            ValueError: another number of features than was fitted, or an infinite value.
        """
        rows = _rows(rows, "missing", len(self.values))
        missing = np.isnan(rows)
        filled = np.where(missing, self.values, rows)
        if self.indicator:
            filled = np.concatenate([filled, missing], axis=-1)
        return filled.astype(_float_of(rows), copy=False)


@dataclass(frozen=True, eq=False)
class TokenIds:
    """Texts as token ids of a vocabulary that was collected from the training texts.

    Attributes:
        tokens: the tokens in the order of their ids, from 4 on: 0 to 3 are padding, start, end and unknown.
        length: tokens a text is cut or padded to.
    """

    tokens: tuple[str, ...]
    length: int

    @classmethod
    def fit(cls, texts: Sequence[str], length: int | None = None, least: int = 1) -> "TokenIds":
        """Collect the tokens (see :func:`mmcourse.text.tokenise`) of training texts.

        Args:
            length: tokens a text; that of the longest training text by default.
            least: how often a token must occur to be kept.

        Raises:
            ValueError: there is no text, not one token, or ``length`` is not positive.
        """
        found = [tokenise(text) for text in texts]
        counts = Counter(token for tokens in found for token in tokens)
        if not counts:
            raise ValueError(f"expected texts with at least one token, got {len(found)} texts without any")
        length = max(map(len, found)) if length is None else length
        if length < 1:
            raise ValueError(f"length must be at least 1 token, got {length}")
        often = (token for token, count in counts.items() if count >= least)
        return cls(tuple(sorted(token for token in often if token not in SPECIAL_TOKENS)), length)

    def apply(self, texts: Sequence[str]) -> np.ndarray:
        """``int32`` ``(texts, length)``: longer texts are cut, shorter ones padded with 0 at the end."""
        vocabulary = Vocabulary(self.tokens)
        cut = [" ".join(tokenise(text)[: self.length]) for text in texts]
        return vocabulary.encode(cut, self.length)


STEPS = {step.__name__: step for step in (Standardise, Fill, TokenIds)}


@dataclass(frozen=True, eq=False)
class Pipeline:
    """Fitted steps for each modality.

    Attributes:
        steps: modality -> its fitted steps, in the order in which they are applied.
    """

    steps: Mapping[str, tuple]

    @classmethod
    def fit(
        cls, recipe: Mapping[str, Sequence[Callable]], data: Mapping[str, Sequence], rows: np.ndarray
    ) -> "Pipeline":
        """Fit all steps on some rows; each step is fitted on what the steps before it give.

        Args:
            recipe: modality -> functions that fit a step, such as ``[Fill.fit, Standardise.fit]``.
            data: modality -> array ``(rows, ...)`` or list of texts; all rows.
            rows: numbers of the *training* rows. It has no default, so that it cannot be forgotten.

        Raises:
            ValueError: no rows, an unknown modality, or whatever a step finds wrong (its modality is named).
        """
        rows = np.asarray(rows)
        if rows.ndim != 1 or not rows.size or rows.dtype.kind not in "iu":
            raise ValueError(f"rows must be numbers of training rows (rows,), at least one, got {rows!r}")
        fitted = {}
        for modality, functions in recipe.items():
            values = take(_part(data, modality), rows)
            steps = []
            for fit_step in functions:
                step = _named(modality, fit_step, values)
                values = step.apply(values)
                steps.append(step)
            fitted[modality] = tuple(steps)
        return cls(fitted)

    def apply(self, data: Mapping[str, Sequence]) -> dict[str, Sequence]:
        """Apply the steps to data of any part; what has no steps (labels, masks) is passed on as it is.

        Raises:
            ValueError: a modality is missing or does not fit what was fitted; it is named.
        """
        ready = dict(data)
        for modality, steps in self.steps.items():
            values = _part(data, modality)
            for step in steps:
                values = _named(modality, step.apply, values)
            ready[modality] = values
        return ready

    def save(self, path: str | Path) -> None:
        """Write all that was fitted to a JSON file, with a checksum. Numbers come back to the last bit."""
        steps = {
            modality: [{"step": type(step).__name__, **_as_json(step)} for step in steps]
            for modality, steps in self.steps.items()
        }
        content = {"format": FORMAT, "sha256": _checksum(steps), "steps": steps}
        Path(path).write_text(json.dumps(content, indent=1), encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path) -> "Pipeline":
        """Read what :meth:`save` wrote. Nothing in the file is run.

        Raises:
            FileNotFoundError: there is no such file.
            StatisticsError: it is damaged, was changed, or is of another kind or format.
        """
        try:
            content = json.loads(Path(path).read_text(encoding="utf-8"))
            form, steps, checksum = content["format"], content["steps"], content["sha256"]
        except (ValueError, KeyError, TypeError) as error:
            raise StatisticsError(
                f"{path} holds no fitted steps: {error}. Fit and save them again."
            ) from error
        if form != FORMAT:
            raise StatisticsError(f"{path} has the format {form}, expected {FORMAT}. Fit and save again.")
        if _checksum(steps) != checksum:
            raise StatisticsError(
                f"{path} was changed after it was written: its checksum differs. Fit again."
            )
        try:
            return cls({name: tuple(_from_json(dict(s)) for s in of_one) for name, of_one in steps.items()})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise StatisticsError(f"{path} holds steps that are not known: {error}") from error


def take(values, rows: np.ndarray):
    """Some rows of an array, a list, or of each modality of a mapping, masks included."""
    if isinstance(values, Mapping):
        return {name: take(one, rows) for name, one in values.items()}
    return (
        values[rows] if isinstance(values, np.ndarray) else [values[row] for row in np.asarray(rows).tolist()]
    )


def _rows(rows, kind: str, features: int | None = None) -> np.ndarray:
    """Check an array of rows; ``kind`` is "finite", or "missing" if NaN may stand for what is not known."""
    rows = np.asarray(rows)
    if rows.dtype.kind not in "fiub":
        raise ValueError(f"rows must be numbers, got an array of the type {rows.dtype}")
    if rows.ndim < 2:
        raise ValueError(
            f"rows must have the shape (..., features), got {rows.shape}; write rows[:, None] for one feature"
        )
    if features is not None and rows.shape[-1] != features:
        raise ValueError(f"{features} features were fitted, got rows with {rows.shape[-1]}")
    if features is None and not rows.size:
        raise ValueError(
            f"there is nothing to fit on: rows has the shape {rows.shape}. Is the training part empty?"
        )
    wrong = np.isinf(rows) if kind == "missing" else ~np.isfinite(rows)
    if wrong.any():
        place = tuple(int(axis) for axis in np.argwhere(wrong)[0])
        advice = (
            "fill missing values first, with Fill" if np.isnan(rows[place]) else "no such value can be used"
        )
        raise ValueError(f"the value at {place} is {rows[place]}; {advice}")
    return rows


def _float_of(rows: np.ndarray) -> np.dtype:
    return np.dtype(np.float64 if rows.dtype == np.float64 else np.float32)


def _part(data: Mapping, modality: str):
    if modality not in data:
        raise ValueError(
            f"the data have no {modality!r}; they have: {', '.join(map(repr, data)) or 'nothing'}"
        )
    return data[modality]


def _named(modality: str, function: Callable, values):
    """Call a step; an error says of which modality it speaks."""
    try:
        return function(values)
    except ValueError as error:
        raise ValueError(f"{modality}: {error}") from error


def _as_json(step) -> dict:
    fields = {field.name: getattr(step, field.name) for field in dataclasses.fields(step)}
    return {
        name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in fields.items()
    }


def _from_json(stored: dict):
    step = STEPS[stored.pop("step")]
    arrays = {"mean", "deviation", "values"}
    for name, value in stored.items():
        stored[name] = np.array(value, dtype=np.float64) if name in arrays else value
    return step(**{name: tuple(value) if name == "tokens" else value for name, value in stored.items()})


def _checksum(steps) -> str:
    return hashlib.sha256(json.dumps(steps, sort_keys=True).encode()).hexdigest()


# Batches


def pad_batch(sequences: Sequence[np.ndarray], length: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Sequences of different lengths as one array, filled up with 0 at the end.

    Args:
        sequences: each ``(steps, ...)``; the axes after the first agree.
        length: steps of the array, to which longer sequences are cut; the longest *of this batch* by default.

    Returns:
        ``(padded, mask)``: ``(sequences, length, ...)`` in their dtype; boolean ``(sequences, length)``, True
        where a step is real.

    Raises:
        ValueError: there is no sequence, their other axes differ, or ``length`` is not positive.
    """
    if length is not None and length < 1:
        raise ValueError(f"length must be at least 1 step, got {length}")
    sequences = [np.asarray(sequence) for sequence in sequences]
    if not sequences or any(not sequence.ndim for sequence in sequences):
        raise ValueError("expected at least one sequence, each of the shape (steps, ...)")
    shapes = {sequence.shape[1:] for sequence in sequences}
    if len(shapes) > 1:
        raise ValueError(f"all steps of a batch must have one shape, got {sorted(shapes)}")
    lengths = np.array([len(sequence) for sequence in sequences])
    steps = lengths.max() if length is None else length
    mask = np.arange(steps) < lengths[:, None]
    padded = np.zeros(mask.shape + shapes.pop(), dtype=np.result_type(*sequences))
    padded[mask] = np.concatenate([sequence[:steps] for sequence in sequences])
    return padded, mask


def tf_batches(
    data: Mapping[str, np.ndarray], batch_size: int, seed: int, epochs: int = 1, drop_last: bool = True
):
    """The batches of :class:`mmcourse.training.Batches` as a ``tf.data.Dataset``: the same rows in order.

    Row *numbers* are shuffled and batched, and each batch is then gathered at once: shuffling moves eight
    bytes an example however large it is, and no operation runs once an example.

    Args:
        data: modality -> array ``(rows, ...)``; masks are modalities too.
        epochs: how many; each has an order of its own, and no batch holds rows of two epochs.
        drop_last: leave out a last incomplete batch, as :class:`~mmcourse.training.Batches` does.

    Raises:
        ValueError: not one batch can be made, or the modalities differ in their rows.
    """
    import tensorflow as tf

    count = _count(data)
    if not 1 <= batch_size <= count:
        raise ValueError(f"batch_size must be 1 to {count} (the rows), got {batch_size}")
    orders = [np.random.default_rng([seed, epoch]).permutation(count) for epoch in range(epochs)]
    tensors = {name: tf.constant(values) for name, values in data.items()}

    def batches_of(order):
        return tf.data.Dataset.from_tensor_slices(order).batch(batch_size, drop_remainder=drop_last)

    def gather(rows):
        return {name: tf.gather(tensor, rows) for name, tensor in tensors.items()}

    rows = tf.data.Dataset.from_tensor_slices(np.stack(orders)).flat_map(batches_of)
    return rows.map(gather).prefetch(tf.data.AUTOTUNE)


def shuffle_buffer(items: Iterable, size: int, seed: int) -> Iterator:
    """Mix a stream through a buffer, as ``tf.data.Dataset.shuffle(size)`` does.

    The buffer is filled; then an item is drawn from it at random, given out, and replaced by the next of the
    stream. An item can therefore come at most ``size - 1`` places too early, and any number too late.

    Raises:
        ValueError: ``size`` is not positive.
    """
    if size < 1:
        raise ValueError(f"size must be at least 1, got {size}")
    random, buffer = np.random.default_rng(seed), []
    for item in items:
        buffer.append(item)
        if len(buffer) == size:
            yield buffer.pop(random.integers(size))
    while buffer:
        yield buffer.pop(random.integers(len(buffer)))


# Pairs


@dataclass(frozen=True)
class Provenance:
    """Where an example comes from and what may be done with it. No field may be empty.

    Attributes:
        source: who published it, and where.
        licence: under which licence.
        consent: how the people in it agreed, or that no person is in it.
        collected: when, or with which release.
    """

    source: str
    licence: str
    consent: str
    collected: str

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, str) or not value.strip():
                raise ValueError(
                    f"{field.name} must say something, got {value!r}; what is not known is no permission"
                )


@dataclass(frozen=True, eq=False)
class Pair:
    """Contents of two modalities or more that belong together.

    Attributes:
        key: identifies the pair for ever; no two pairs have the same.
        parts: modality -> content; None where it is missing.
        group: what must not cross a split: the speaker, the patient, the film that both parts come from.
        provenance: modality -> where this part comes from. The parts of a pair may have different licences.
    """

    key: str
    parts: Mapping[str, object]
    group: str
    provenance: Mapping[str, Provenance]

    def __post_init__(self) -> None:
        if not self.key or not self.group:
            raise ValueError(f"a pair needs a key and a group, got {self.key!r} and {self.group!r}")
        known = {modality for modality, content in self.parts.items() if content is not None}
        if len(self.parts) < 2 or not known:
            raise ValueError(
                f"pair {self.key!r} needs two modalities or more, one of them known, got {known or 'none'}"
            )
        without = sorted(known - set(self.provenance))
        if without:
            raise ValueError(f"pair {self.key!r} does not say where its {without[0]!r} comes from")

    @property
    def missing(self) -> tuple[str, ...]:
        """The modalities whose content is missing."""
        return tuple(modality for modality, content in self.parts.items() if content is None)


def nearest_frame(times: np.ndarray, frame_times: np.ndarray, farthest: float = np.inf) -> np.ndarray:
    """For each moment, the frame that is nearest in time; of two equally near ones the earlier.

    Args:
        times: seconds, ``(moments,)``.
        frame_times: seconds at which the frames were taken, ``(frames,)``, increasing.
        farthest: seconds; a moment without a frame that near gets -1.

    Returns:
        Frame numbers, ``int64`` ``(moments,)``.

    Raises:
        ValueError: no frames, or their times do not increase.
    """
    times, frame_times = np.asarray(times, dtype=float), np.asarray(frame_times, dtype=float)
    if frame_times.ndim != 1 or not frame_times.size or not (np.diff(frame_times) > 0).all():
        raise ValueError("frame_times must be at least one time (frames,), and they must increase")
    after = np.clip(np.searchsorted(frame_times, times), 1, max(1, len(frame_times) - 1))
    after = np.minimum(after, len(frame_times) - 1)
    before = np.maximum(after - 1, 0)
    nearer = np.where(times - frame_times[before] <= frame_times[after] - times, before, after)
    distance = np.abs(frame_times[nearer] - times)
    return np.where(distance <= farthest, nearer, -1).astype(np.int64)
