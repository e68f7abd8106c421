"""The data files behind the pages, the references between pages, and the repository's documents."""

import functools
import importlib.util
import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
BOOK = ROOT / "book"
STATISTICS = {"pictures": 3944, "mean length of a name": 4.25}


def load_pages():
    """Import book/tools/pages.py, which is no part of the package."""
    spec = importlib.util.spec_from_file_location("pages", BOOK / "tools" / "pages.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


pages = load_pages()


@functools.cache
def rows(name: str) -> dict:
    with (BOOK / "data" / f"{name}.toml").open("rb") as file:
        return tomllib.load(file)


@functools.cache
def texts() -> dict[str, str]:
    """Every place that may hold references: page, notebook or data file → its text."""
    found = {}
    for path in sorted(BOOK.rglob("*.md")):
        found[str(path.relative_to(ROOT))] = path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        markdown = ["".join(c["source"]) for c in cells if c["cell_type"] == "markdown"]
        found[str(path.relative_to(ROOT))] = "\n\n".join(markdown)
    return found


def generated(tmp_path: Path) -> dict[str, str]:
    written = pages.write_pages(BOOK, tmp_path, lambda name: STATISTICS)
    return {str(path.relative_to(tmp_path)): path.read_text(encoding="utf-8") for path in written}


def prose(text: str) -> str:
    """The text without its code: what stands in code refers to nothing.

    A fence with a directive, such as ```{note}, holds text and is kept.
    """
    kept, fence = [], ""
    for line in text.splitlines():
        mark = re.match(r"`{3,}", line)
        if fence:
            if mark and line.strip() == fence:
                fence = ""
        elif mark and line[mark.end() :].strip() and line[mark.end()] != "{":
            fence = mark[0]
        else:
            kept.append(line)
    return re.sub(r"``[^`\n].*?``", "", "\n".join(kept))


def targets(text: str, role: str) -> set[str]:
    """What a role refers to: {term}`shown <target>` → target; {cite}`a,b` → a and b."""
    found = set()
    for content in re.findall(r"\{" + role + r"\}`([^`]+)`", prose(text)):
        content = re.sub(r".*<(.+)>\s*$", r"\1", content, flags=re.DOTALL)
        parts = content.split(",") if role.startswith("cite") else [content]
        found |= {" ".join(part.split()) for part in parts}
    return found


def labels() -> set[str]:
    found = set()
    for text in texts().values():
        found |= set(re.findall(r"^\(([^()\s]+)\)=\s*$", prose(text), flags=re.MULTILINE))
    return found


def bibliography_keys() -> list[str]:
    text = (BOOK / "references.bib").read_text(encoding="utf-8")
    return re.findall(r"^@\w+\{([^,\s]+),", text, flags=re.MULTILINE)


def everything_written() -> str:
    """Prose and data together: definitions and corrections may cite and link too."""
    data = [path.read_text(encoding="utf-8") for path in sorted((BOOK / "data").glob("*.toml"))]
    return "\n\n".join([*texts().values(), *data])


# Data files


def test_errata_rows_are_complete_and_unique():
    data = rows("errata")
    known_sections = {section["id"] for section in data["section"]}
    ids = [row["id"] for row in data["erratum"]]
    assert len(ids) == len(set(ids)), "an erratum stands twice"
    for row in data["erratum"]:
        where = f"erratum {row.get('id')}"
        assert set(row) == {
            "id", "severity", "section", "kind", "quote", "wrong", "correct", "where",
        }, where  # fmt: skip
        assert re.fullmatch(r"\d{1,2}(\.\d)?-\d{2}", row["id"]), where
        assert row["severity"] in {"A", "B", "C"}, where
        assert pages.errata_section(row["id"]) in known_sections, where
        assert all(row[key].strip() for key in ("section", "kind", "quote", "wrong", "correct"))
        assert row["where"], f"{where} is answered nowhere"


def test_errata_sections_add_up():
    data = rows("errata")
    assert sum(section["total"] for section in data["section"]) == 170
    for section in data["section"]:
        answered = sum(pages.errata_section(r["id"]) == section["id"] for r in data["erratum"])
        assert answered == section["total"], section["title"]


def test_coverage_rows_are_complete_and_unique():
    data = rows("coverage")
    numbers = [row["number"] for row in data["item"]]
    assert len(numbers) == len(set(numbers)), "an item stands twice"
    for row in data["item"]:
        where = f"item {row.get('number')}"
        assert set(row) == {"number", "section", "quote", "shown", "where"}, where
        assert 1 <= row["number"] <= 360, where
        assert row["quote"].strip(), where
        assert row["shown"].strip(), where
        assert row["where"], f"{where} is shown nowhere"
    assert sorted(numbers) == list(range(1, 361)), "every item of the article is shown"


def test_coverage_sections_partition_the_360_items():
    covered = [
        number
        for section in rows("coverage")["section"]
        for number in range(section["first"], section["last"] + 1)
    ]
    assert covered == list(range(1, 361))


def test_glossary_terms_are_unique_and_bilingual():
    forms = [form for row in rows("glossary")["term"] for form in (row["en"], *row.get("also", []))]
    lowered = [form.casefold() for form in forms]
    assert len(lowered) == len(set(lowered)), "a term stands twice"
    for row in rows("glossary")["term"]:
        assert re.search(r"[\u4e00-\u9fff]", row["zh"]), f"{row['en']}: zh holds no Chinese"
        assert row["definition"].endswith("."), row["en"]
        assert row["en"] not in row.get("see", []), f"{row['en']} refers to itself"
        assert set(row.get("see", [])) <= set(forms), f"{row['en']} refers to an unknown term"


def test_quotations_are_the_only_chinese_in_errata_and_coverage():
    """The edition is English: its own words must not slip into the language of the quotations."""
    own = [row[key] for row in rows("errata")["erratum"] for key in ("wrong", "correct", "kind")]
    own += [row["shown"] for row in rows("coverage")["item"]]
    assert not [text for text in own if re.search(r"[\u4e00-\u9fff]", text)]


# References between pages


def test_bibliography_keys_are_unique_and_entries_have_what_a_reader_needs():
    keys = bibliography_keys()
    assert len(keys) > 20
    assert len(keys) == len(set(keys)), "a key stands twice"
    text = (BOOK / "references.bib").read_text(encoding="utf-8")
    for entry in re.split(r"^@", text, flags=re.MULTILINE)[1:]:
        for field in ("author", "title"):
            assert re.search(rf"^  {field} = \{{.+\}},$", entry, flags=re.MULTILINE), entry
        assert entry.count("{") == entry.count("}"), entry


def test_every_citation_is_in_the_bibliography():
    cited = targets(everything_written(), r"cite(?::\w+)?")
    assert cited, "no citation was found: the pattern is wrong"
    assert cited <= set(bibliography_keys()), sorted(cited - set(bibliography_keys()))


def test_every_term_is_in_the_glossary():
    known = {
        form.casefold() for row in rows("glossary")["term"] for form in (row["en"], *row.get("also", []))
    }
    used = {term.casefold() for term in targets(everything_written(), "term")}
    assert used, "no term was found: the pattern is wrong"
    assert used <= known, sorted(used - known)


def test_every_label_is_defined_once():
    found = [
        label
        for text in texts().values()
        for label in re.findall(r"^\(([^()\s]+)\)=\s*$", prose(text), flags=re.MULTILINE)
    ]
    assert len(found) == len(set(found)), sorted({x for x in found if found.count(x) > 1})


def test_every_reference_and_every_where_leads_to_a_label(tmp_path):
    rows_labels = {f"erratum-{row['id']}" for row in rows("errata")["erratum"]}
    rows_labels |= {f"coverage-{row['number']}" for row in rows("coverage")["item"]}
    wanted = targets(everything_written(), "(?:ref|numref)")
    for row in (*rows("errata")["erratum"], *rows("coverage")["item"]):
        wanted |= set(row["where"])
    missing = wanted - labels() - rows_labels
    assert not missing, f"no page or notebook defines {sorted(missing)}"


@pytest.mark.parametrize(
    ("text", "role", "expected"),
    [
        ("{term}`token`", "term", {"token"}),
        ("{term}`tokens <token>`", "term", {"token"}),
        ("{cite}`a2020b, c2021d`", r"cite(?::\w+)?", {"a2020b", "c2021d"}),
        ("{cite:t}`a2020b`", r"cite(?::\w+)?", {"a2020b"}),
        ("```bash\n{term}`nothing`\n```\n", "term", set()),
        ("```{note}\n{term}`token`\n```\n", "term", {"token"}),
        ("```{bibliography}\n```\n{term}`token`\n```bash\n```\n", "term", {"token"}),
        ("write `` {term}`nothing` `` and {term}`token`", "term", {"token"}),
    ],
)
def test_references_are_found(text, role, expected):
    assert targets(text, role) == expected


# Generated pages


def test_pages_are_the_same_each_time(tmp_path):
    assert generated(tmp_path / "first") == generated(tmp_path / "second")


def test_pages_hold_every_row(tmp_path):
    made = generated(tmp_path)
    for row in rows("glossary")["term"]:
        assert f"\n{row['en']}\n" in made["glossary.md"]
        assert row["zh"] in made["glossary.md"]
    for row in rows("errata")["erratum"]:
        assert f"(erratum-{row['id']})=" in made["errata.md"]
        assert row["correct"] in made["errata.md"]
    for row in rows("coverage")["item"]:
        assert f"(coverage-{row['number']})=" in made["coverage.md"]
        assert row["shown"] in made["coverage.md"]
    assert "**170** of 170" in made["errata.md"]
    assert "**360** of 360" in made["coverage.md"]
    assert "| pictures | 3,944 |" in made["datasheets/emoji.md"]
    assert "| mean length of a name | 4.25 |" in made["datasheets/emoji.md"]
    assert not [name for name, text in made.items() if "<!-- rows:" in text]


def test_rows_are_in_order(tmp_path):
    made = generated(tmp_path)
    numbers = [int(n) for n in re.findall(r"\(coverage-(\d+)\)=", made["coverage.md"])]
    assert numbers == sorted(numbers)
    order = [{"id": "5-01"}, {"id": "5.1-01"}, {"id": "5.2-02"}, {"id": "5.2-16"}, {"id": "10-01"}]
    reordered = [order[i] for i in (3, 0, 4, 2, 1)]
    assert sorted(reordered, key=pages.erratum_order) == order


def test_a_page_without_its_marker_is_refused(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# A page without a marker\n", encoding="utf-8")
    with pytest.raises(ValueError, match="exactly once"):
        pages.fill(page, {"glossary": "rows"})


def test_quotations_cannot_break_the_page():
    assert pages.quotation("a < b") == "<blockquote><p><code>a &lt; b</code></p></blockquote>"
    assert pages.quotation("词元") == '<blockquote lang="zh"><p>词元</p></blockquote>'


def test_every_archive_of_data_is_named_in_a_datasheet_with_its_version():
    with (ROOT / "mmcourse" / "data" / "sources.toml").open("rb") as file:
        sources = tomllib.load(file)
    sheets = "".join(path.read_text(encoding="utf-8") for path in (BOOK / "datasheets").glob("*.md"))
    for name in set(sources) - {"mathjax"}:  # used by the site, not by the models
        assert f"`{sources[name]['package']}` {sources[name]['version']}" in sheets, name


def test_every_datasheet_counts_its_data_and_is_listed():
    listed = (BOOK / "datasheets" / "index.md").read_text(encoding="utf-8")
    contents = (ROOT / "_toc.yml").read_text(encoding="utf-8")
    for path in sorted((BOOK / "datasheets").glob("*.md")):
        if path.stem != "index":
            text = path.read_text(encoding="utf-8")
            assert re.search(r"<!-- rows: \w+ statistics -->", text), path
            label = re.search(r"^\((datasheet-[\w-]+)\)=", text, re.MULTILINE).group(1)
            assert f"{{ref}}`{label}`" in listed and f"book/datasheets/{path.stem}" in contents, path


# Documents of the repository


def test_licences_are_there():
    code = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in code
    assert "END OF TERMS AND CONDITIONS" in code
    content = (ROOT / "LICENSE-CONTENT").read_text(encoding="utf-8")
    for needed in ("https://creativecommons.org/licenses/by/4.0/legalcode", "Twemoji", "OpenMoji"):
        assert needed in content


def test_citation_file_is_complete():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["cff-version"] == "1.2.0"
    assert citation["message"]
    assert citation["title"]
    assert citation["authors"] == [{"name": "The mmcourse authors"}]
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    assert citation["version"] == project["version"]
    assert citation["license"] == project["license"]


def test_changelog_names_the_version_of_the_package():
    with (ROOT / "pyproject.toml").open("rb") as file:
        version = tomllib.load(file)["project"]["version"]
    assert version in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


# The patterns are written so that they do not match this file.
REGISTRIES = r"py[p]i\.org|python[h]osted\.org|registry\.np[m]js|an[a]conda\.org"
MACHINE_PATHS = r"(?<![\w.~-])/(?:wo[r]k|ro[o]t|ho[m]e/\w+|Use[r]s/\w+|tm[p]/\w+)/"


def repository_files() -> list[Path]:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    found = [ROOT / name for name in listed.decode().split("\0") if name]
    return [path for path in found if path.is_file()]


def test_no_file_names_a_package_registry_or_a_path_of_one_machine():
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    files = repository_files()
    assert ROOT / "book" / "index.md" in files
    found = []
    for path in files:
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for match in re.finditer(f"{REGISTRIES}|{MACHINE_PATHS}", text):
            line = text.count("\n", 0, match.start()) + 1
            found.append(f"{path.relative_to(ROOT)}:{line}: {match[0]}")
    assert not found, "\n".join(found)


@pytest.mark.parametrize("text", ["https://py" + "pi.org/simple", "/ho" + "me/someone/x", "/ro" + "ot/x"])
def test_registries_and_machine_paths_are_recognised(text):
    assert re.search(f"{REGISTRIES}|{MACHINE_PATHS}", text)


def test_pages_load_nothing_from_outside():
    """A link is followed by the reader; a picture or a script would be loaded by the page."""
    loaded = re.compile(
        r"!\[[^\]]*\]\(https?:|<(?:img|script|link|iframe)[^>]+https?:|^:?image: http", re.MULTILINE
    )
    assert not [name for name, text in texts().items() if loaded.search(text)]
    assert loaded.search("![a picture](https://example.org/a.png)")
