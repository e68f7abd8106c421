"""The page of notation: every symbol of its tables stands in the notebook that its row links to."""

import functools
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "book" / "notation.md").read_text(encoding="utf-8")


@functools.cache
def notebooks() -> dict[str, str]:
    """The label of every notebook's title, and the notebook's Markdown."""
    found = {}
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        markdown = "\n\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
        found[re.search(r"^\(([\w-]+)\)=", markdown, flags=re.MULTILINE)[1]] = markdown
    return found


def markdown_of(label: str) -> str:
    """The notebook in which a label stands."""
    holders = [text for text in notebooks().values() if f"({label})=" in text]
    assert len(holders) == 1, f"the label {label} stands in {len(holders)} notebooks"
    return holders[0]


def formulas(text: str) -> str:
    """All that stands between dollar signs, every space a single one."""
    return "\n".join(" ".join(part.split()) for part in re.findall(r"\$\$?(.+?)\$\$?", text, re.DOTALL))


def table_rows(page: str) -> list[list[str]]:
    """The rows of every table, without the heads."""
    rows = [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("| \n"))] for line in page.splitlines()
        if line.startswith("|")
    ]  # fmt: skip
    heads = [number - 1 for number, row in enumerate(rows) if set("".join(row)) <= set(":- ")]
    return [row for number, row in enumerate(rows) if not {number, number - 1} & set(heads)]


def symbols_and_labels() -> list[tuple[str, str]]:
    """Each symbol with the label of the section that introduces it."""
    found = []
    for row in table_rows(PAGE):
        label = re.search(r"\{ref\}`([\w-]+)`", row[-1])
        if label:
            found += [(symbol, label[1]) for symbol in re.findall(r"\$(.+?)\$", row[0])]
    return found


def occurs(symbol: str, text: str) -> bool:
    """Whether a symbol stands in the formulas of a text, not as a part of another word or command."""
    before = r"(?<![\\A-Za-z])" if symbol[0].isalpha() else ""
    after = r"(?![A-Za-z])" if symbol[-1].isalpha() else ""
    return re.search(before + re.escape(symbol) + after, formulas(text)) is not None


PAIRS = symbols_and_labels()


def test_the_tables_are_read():
    assert len(table_rows(PAGE)) > 80 and len(PAIRS) > 100
    assert ("d_k", "attention-look-up") in PAIRS and ("\\tau", "alignment-loss") in PAIRS


@pytest.mark.parametrize(("symbol", "label"), PAIRS)
def test_the_notebook_uses_the_symbol(symbol, label):
    assert occurs(symbol, markdown_of(label)), f"${symbol}$ does not stand in the notebook of {label}"


def test_rows_without_a_symbol_lead_to_a_section_too():
    for row in table_rows(PAGE):
        for label in re.findall(r"\{ref\}`([\w-]+)`", row[-1]):
            assert markdown_of(label)


def test_every_letter_with_several_meanings_stands_in_the_tables():
    described = {symbol[0] if symbol[0].isalpha() else symbol for symbol, _ in PAIRS}
    section = PAGE.split("(notation-letters)=")[1]
    letters = {letter for row in table_rows(section) for letter in re.findall(r"\$(.+?)\$", row[0])}
    assert len(letters) >= 10
    assert letters - {r"\sigma"} <= described, letters - described


def test_formulas_on_the_page_fit_a_phone():
    longest = max(re.findall(r"\$([^$]+)\$", PAGE), key=len)
    assert len(longest) < 50, longest


def test_a_symbol_that_is_not_used_is_noticed():
    assert occurs("d_k", "so $\\sqrt{d_k}$ it is") and not occurs("d_k", "d_k outside, $d_v$ inside")
    assert not occurs(r"\zeta", markdown_of("attention-look-up"))
