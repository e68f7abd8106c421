"""Fitted steps (notebook 28): what is estimated on the training part and applied to all parts."""

import dataclasses
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmcourse.pipeline.batches import take
from mmcourse.text.vocabulary import SPECIAL_TOKENS, Vocabulary, tokenise

FORMAT = 1


class StatisticsError(ValueError):
    """A file of fitted steps is damaged, was changed by hand, or is none; the message says which."""


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
