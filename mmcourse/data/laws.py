"""Laws and standards with their dates (notebook 84): facts, each with a day and a source.

The rows are ``laws.toml`` beside this module. A source is the key of an entry of ``book/references.bib``.
"""

import tomllib
from dataclasses import dataclass, fields
from importlib import resources

from mmcourse.data.background import year

KINDS = ("law", "change", "standard")
PLACES = ("EU", "China", "any")


@dataclass(frozen=True)
class Law:
    """A row of the table.

    Attributes:
        date: the day from which it counts, as exactly as the source gives it: "2023-12", "2025-02-02".
        place: one of :data:`PLACES`.
        kind: one of :data:`KINDS`.
        name: two or three words.
        what: one plain sentence.
        source: key of the bibliography.
    """

    date: str
    place: str
    kind: str
    name: str
    what: str
    source: str

    def __post_init__(self):
        year(self.date)
        for name, choices in (("place", PLACES), ("kind", KINDS)):
            if getattr(self, name) not in choices:
                raise ValueError(f"{name} must be one of {', '.join(choices)}, got {getattr(self, name)!r}")
        for name in ("name", "what", "source"):
            if not getattr(self, name).strip():
                raise ValueError(f"{name} must not be empty in {self}")


def load() -> list[Law]:
    """All rows, in the order of their dates.

    Raises:
        ValueError: a row lacks a field, or has one that nobody knows.
    """
    text = (resources.files("mmcourse.data") / "laws.toml").read_text(encoding="utf-8")
    known, rows = {field.name for field in fields(Law)}, tomllib.loads(text)["law"]
    for row in rows:
        if set(row) != known:
            odd = ", ".join(sorted(set(row) ^ known))
            raise ValueError(f"laws.toml, {row.get('name', row)!r}: missing or unknown fields {odd}")
    return [Law(**row) for row in rows]
