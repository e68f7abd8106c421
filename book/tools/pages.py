"""Write the pages whose rows are kept as data.

The glossary, the errata, the coverage table and the numbers of a datasheet are rows, and rows are
easier to add, check and translate in a data file than in Markdown. Each of these pages is a
Markdown file with prose and a marker; this module replaces the marker by the rows.

    book/glossary.md          <!-- rows: glossary -->           book/data/glossary.toml
    book/errata.md            <!-- rows: errata counts -->      book/data/errata.toml
                              <!-- rows: errata -->
    book/coverage.md          <!-- rows: coverage counts -->    book/data/coverage.toml
                              <!-- rows: coverage -->
    book/timeline.md          <!-- rows: timeline -->           mmcourse/data/timeline.toml
                              <!-- rows: models -->             mmcourse/data/models.toml
    book/datasheets/*.md      <!-- rows: emoji statistics -->   mmcourse.data.emoji.statistics()
                              and likewise for every other loader
"""

import html
import importlib
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

from mmcourse.data import background

SEVERITIES = {"A": "false", "B": "misleading or incomplete", "C": "imprecise"}


def read_rows(path: Path) -> dict:
    """Read one data file."""
    with path.open("rb") as file:
        return tomllib.load(file)


def quotation(text: str) -> str:
    """A verbatim quotation of the article: Chinese is declared as such, code stays code."""
    quoted = html.escape(text, quote=False)
    if re.search(r"[\u4e00-\u9fff]", text):
        return f'<blockquote lang="zh"><p>{quoted}</p></blockquote>'
    return f"<blockquote><p><code>{quoted}</code></p></blockquote>"


def links(labels: list[str]) -> str:
    """References to the labels, each shown as the title of the place it names."""
    return ", ".join(f"{{ref}}`{label}`" for label in labels)


def count_table(head: tuple[str, ...], rows: list[tuple]) -> str:
    """A Markdown table: the first column is text, the others are numbers."""
    lines = [
        "| " + " | ".join(head) + " |",
        "|" + "|".join([":---", *["---:"] * (len(head) - 1)]) + "|",
    ]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def glossary_rows(data: dict) -> str:
    """The glossary directive with all terms in alphabetical order."""
    lines = ["```{glossary}"]
    for row in sorted(data["term"], key=lambda row: row["en"].casefold()):
        lines += [row["en"], *row.get("also", [])]
        definition = f'<span lang="zh">{html.escape(row["zh"])}</span>. {row["definition"]}'
        if row.get("see"):
            see = ", ".join(f"{{term}}`{term}`" for term in row["see"])
            definition += f" See also {see}."
        lines += [f"  {definition}", ""]
    return "\n".join([*lines, "```"])


def errata_section(erratum_id: str) -> str:
    """The chapter of the article that an erratum belongs to: '5.2-16' → '5'."""
    return erratum_id.split("-")[0].split(".")[0]


def erratum_order(row: dict) -> tuple:
    """Sort key that puts '5-01' before '5.1-01' and '5.2-02' before '5.2-16'."""
    section, number = row["id"].split("-")
    chapter, _, subsection = section.partition(".")
    return int(chapter), int(subsection or 0), int(number)


def errata_counts(data: dict) -> str:
    """How many entries are answered, by chapter of the article."""
    rows, answered_in_all, total_in_all = [], 0, 0
    for section in data["section"]:
        answered = sum(errata_section(row["id"]) == section["id"] for row in data["erratum"])
        rows.append((section["title"], answered, section["total"]))
        answered_in_all += answered
        total_in_all += section["total"]
    rows.append(("**All**", f"**{answered_in_all}**", f"**{total_in_all}**"))
    table = count_table(("Chapter of the article", "Answered", "Entries"), rows)
    return f"Answered: **{answered_in_all}** of {total_in_all} entries.\n\n{table}"


def errata_rows(data: dict) -> str:
    """Every answered entry, under the chapter of the article that it belongs to."""
    lines = []
    for section in data["section"]:
        rows = [row for row in data["erratum"] if errata_section(row["id"]) == section["id"]]
        if rows:
            lines += [f"## {section['title']}", ""]
        for row in sorted(rows, key=erratum_order):
            verdict = f"{row['severity']}: {SEVERITIES[row['severity']]}"
            lines += [
                f"(erratum-{row['id']})=",
                f"**{row['id']}** ({verdict}; section {row['section']}, {row['kind']})",
                "",
                quotation(row["quote"]),
                "",
                f"- **Wrong:** {row['wrong']}",
                f"- **Right:** {row['correct']}",
                f"- **Answered in:** {links(row['where'])}",
                "",
            ]
    return "\n".join(lines)


def coverage_counts(data: dict) -> str:
    """How many items of the article are shown, by chapter."""
    rows, sums = [], [0, 0]
    for section in data["section"]:
        numbers = range(section["first"], section["last"] + 1)
        counts = [sum(row["number"] in numbers for row in data["item"]), len(numbers)]
        rows.append((section["title"], *counts))
        sums = [a + b for a, b in zip(sums, counts, strict=True)]
    rows.append(("**All**", *(f"**{number}**" for number in sums)))
    table = count_table(("Chapter of the article", "Shown", "Items"), rows)
    return f"Shown: **{sums[0]}** of {sums[1]} items.\n\n{table}"


def coverage_rows(data: dict) -> str:
    """Every item, under the chapter of the article that it belongs to."""
    lines = []
    for section in data["section"]:
        numbers = range(section["first"], section["last"] + 1)
        rows = [row for row in data["item"] if row["number"] in numbers]
        if rows:
            lines += [f"## {section['title']}", ""]
        for row in sorted(rows, key=lambda row: row["number"]):
            lines += [
                f"(coverage-{row['number']})=",
                f"**{row['number']}** (section {row['section']})",
                "",
                quotation(row["quote"]),
                "",
                f"- **Shown:** {row['shown']}",
                f"- **Where:** {links(row['where'])}",
                "",
            ]
    return "\n".join(lines)


def text_table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A Markdown table of texts."""
    lines = [head, tuple(":---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def timeline_rows() -> str:
    """Every event with its date and its source."""
    rows = [(event.date, f"{event.what} {{cite}}`{event.source}`") for event in background.timeline()]
    return text_table(("Date", "What happened"), rows)


def model_rows() -> str:
    """Every model: what goes in and comes out, its size, what is open, what training took."""
    rows = []
    for model in background.models():
        answers = {name: getattr(model, name) for name in background.ARTEFACTS}
        open_ones = [
            name if answer == "yes" else f"({name})" for name, answer in answers.items() if answer != "no"
        ]
        rows.append(
            (
                f"{model.name} {{cite}}`{','.join(model.source)}`",
                model.date,
                f"{', '.join(model.inputs)} → {', '.join(model.outputs) or 'a score'}",
                model.size,
                ", ".join(open_ones),
                model.training,
            )
        )
    return text_table(("Model", "Date", "In → out", "Size", "Open", "What training took"), rows)


def statistics_table(statistics: dict[str, int | float]) -> str:
    """The numbers of a data set, counted by the code that loads it."""

    rows = [
        (label, f"{number:,}" if isinstance(number, int) else f"{number:,.2f}")
        for label, number in statistics.items()
    ]
    return count_table(("What is counted", "Number"), rows)


def fill(page: Path, rows: dict[str, str]) -> str:
    """The text of a page with each marker replaced by its rows."""
    text = page.read_text(encoding="utf-8")
    for name, replacement in rows.items():
        marker = f"<!-- rows: {name} -->"
        if text.count(marker) != 1:
            raise ValueError(
                f"{page} must hold the marker {marker!r} exactly once, "
                f"and holds it {text.count(marker)} times: put it where the rows belong"
            )
        text = text.replace(marker, replacement)
    return text


def count_statistics(name: str) -> dict[str, int | float]:
    """The numbers of a data set, from its loader in ``mmcourse.data``; the data must have been fetched."""
    return importlib.import_module(f"mmcourse.data.{name}").statistics()


def write_pages(
    source_folder: Path,
    output_folder: Path,
    count: Callable[[str], dict[str, int | float]] = count_statistics,
) -> list[Path]:
    """Write the generated pages into ``output_folder`` and return their paths.

    ``source_folder`` is ``book/``. ``count`` gives the numbers of a data set by the name of its loader.
    """
    glossary = read_rows(source_folder / "data" / "glossary.toml")
    errata = read_rows(source_folder / "data" / "errata.toml")
    coverage = read_rows(source_folder / "data" / "coverage.toml")
    pages = {
        "glossary.md": {"glossary": glossary_rows(glossary)},
        "errata.md": {"errata counts": errata_counts(errata), "errata": errata_rows(errata)},
        "coverage.md": {
            "coverage counts": coverage_counts(coverage),
            "coverage": coverage_rows(coverage),
        },
        "timeline.md": {"timeline": timeline_rows(), "models": model_rows()},
    }
    for path in sorted((source_folder / "datasheets").glob("*.md")):
        names = re.findall(r"<!-- rows: (\w+) statistics -->", path.read_text(encoding="utf-8"))
        if names:
            pages[f"datasheets/{path.name}"] = {
                f"{name} statistics": statistics_table(count(name)) for name in names
            }
    written = []
    for name, rows in pages.items():
        text = fill(source_folder / name, rows)
        path = output_folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written
