"""Leaks (notebook 28): what tells that rows outside the training part had a say."""

import hashlib
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence

import numpy as np

from mmcourse.pipeline.splits import check_splits
from mmcourse.text.cleaning import first_of_each


class LeakError(AssertionError):
    """Something that was fitted depends on rows outside the training part; the message says what."""


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
    is called again. What was fitted on the training rows must not notice. Such a test cannot prove that
    there is no leak. It sees only what happens inside ``prepare`` and shows in the result: features chosen
    before it is called, or a setting chosen by the score on the test part, pass.

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
