"""The timeline and the table of models (notebook 11): facts, each with a date and a source.

The rows are ``timeline.toml`` and ``models.toml`` beside this module; the page ``book/timeline.md`` shows all
of them. A source is the key of an entry of ``book/references.bib``.
"""

import re
import tomllib
from dataclasses import dataclass, fields
from importlib import resources

KINDS = ("company", "text", "multimodal", "method", "law")
FAMILIES = (
    "language model",
    "dual encoder",
    "encoder-decoder",
    "connector",
    "native decoder",
    "not published",
)
MODALITIES = ("image", "audio", "video", "text")
ANSWERS = ("yes", "part", "no")
ARTEFACTS = ("weights", "code", "data", "paper")


@dataclass(frozen=True)
class Event:
    """A row of the timeline.

    Attributes:
        date: a year, a month or a day, as exactly as the source gives it: "2025", "2020-05", "2020-05-28".
        kind: one of :data:`KINDS`.
        name: two or three words, for a drawing.
        what: one plain sentence.
        source: key of the bibliography.
    """

    date: str
    kind: str
    name: str
    what: str
    source: str

    def __post_init__(self):
        year(self.date)
        _check_choice("kind", self.kind, KINDS)
        _check_texts(self, "name", "what", "source")


@dataclass(frozen=True)
class Model:
    """A row of the table of models.

    Attributes:
        name, maker: as in the source.
        date: as for :class:`Event`.
        family: one of :data:`FAMILIES`.
        inputs, outputs: of :data:`MODALITIES`; a dual encoder has no outputs, only a score.
        weights, code, data, paper: whether the public has them, of :data:`ANSWERS`.
        training: what the training took, as far as a source says.
        source: keys of the bibliography, one or more.
        parameters: their number, or None where no source gives it.
    """

    name: str
    maker: str
    date: str
    family: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    weights: str
    code: str
    data: str
    paper: str
    training: str
    source: tuple[str, ...]
    parameters: int | None = None

    def __post_init__(self):
        year(self.date)
        _check_choice("family", self.family, FAMILIES)
        for name in ARTEFACTS:
            _check_choice(name, getattr(self, name), ANSWERS)
        for modality in (*self.inputs, *self.outputs):
            _check_choice("inputs and outputs", modality, MODALITIES)
        _check_texts(self, "name", "maker", "training")
        if not self.inputs or not self.source or not all(self.source):
            raise ValueError(f"{self.name}: inputs and source must not be empty")
        if self.parameters is not None and self.parameters <= 0:
            raise ValueError(f"{self.name}: parameters must be above 0, got {self.parameters}")

    @property
    def size(self) -> str:
        """The number of parameters in millions (M) or billions (B), or "not published"."""
        if self.parameters is None:
            return "not published"
        millions = self.parameters / 1e6
        return f"{millions:.0f} M" if millions < 1000 else f"{millions / 1000:g} B"


def timeline() -> list[Event]:
    """All events, in the order of their dates.

    Raises:
        ValueError: a row lacks a field, or has one that nobody knows.
    """
    return [Event(**row) for row in _rows("timeline.toml", "event", Event)]


def models() -> list[Model]:
    """All models, in the order of their dates.

    Raises:
        ValueError: a row lacks a field, or has one that nobody knows.
    """
    lists = ("inputs", "outputs", "source")
    rows = _rows("models.toml", "model", Model)
    return [Model(**{**row, **{name: tuple(row[name]) for name in lists}}) for row in rows]


def year(date: str) -> float:
    """A date as a number of years, for a time axis: "2020-07-01" is 2020.5.

    The middle is taken of what is not known more exactly: "2020" is 2020.5, "2020-01" is 2020 + 0.5 / 12.

    Raises:
        ValueError: it is no year, no month and no day.
    """
    found = re.fullmatch(r"(\d{4})(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12]\d|3[01]))?)?", date)
    if not found:
        raise ValueError(f"expected a date such as '2020', '2020-05' or '2020-05-28', got {date!r}")
    number, month, day = found.groups()
    if month is None:
        return int(number) + 0.5
    within = 0.5 if day is None else (int(day) - 1) / 31
    return int(number) + (int(month) - 1 + within) / 12


def _rows(name: str, table: str, kind: type) -> list[dict]:
    """The rows of a file; each has the fields of ``kind``, those with a default may be missing."""
    text = (resources.files("mmcourse.data") / name).read_text(encoding="utf-8")
    rows = tomllib.loads(text)[table]
    known = {field.name for field in fields(kind)}
    needed = known - {"parameters"}
    for row in rows:
        if not needed <= set(row) <= known:
            which = row.get("name", row)
            odd = sorted((needed - set(row)) | (set(row) - known))
            raise ValueError(f"{name}, {which!r}: missing or unknown fields {', '.join(odd)}")
    return rows


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}, got {value!r}")


def _check_texts(row: Event | Model, *names: str) -> None:
    for name in names:
        if not getattr(row, name).strip():
            raise ValueError(f"{name} must not be empty in {row}")
