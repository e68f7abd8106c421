"""How every notebook is built: tests of the files, not of what they compute."""

import base64
import re
from pathlib import Path

import cells
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PATHS = sorted((ROOT / "notebooks").glob("*.ipynb"))
CHECK = re.compile(r"""exercises\.check\(\s*["']([\w.-]+)["']""")

# "A notebook is one sitting": words of text, cells before the exercises, lines of code, assertions.
LIMITS = {"words": 3000, "cells": 60, "lines": 350, "assertions": 25}
LINES_A_CELL = 15
# Exceptions, each with its reason. "long_cells": how many cells may be longer than LINES_A_CELL.
LONGER: dict[str, dict[str, int]] = {}

pytestmark = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)


def code_cells(path: Path) -> list:
    """The code cells of a notebook with their number in the file, counted from 1."""
    numbered = enumerate(cells.read(path).cells, start=1)
    return [(number, cell) for number, cell in numbered if cell.cell_type == "code"]


def images(path: Path) -> list[tuple[int, dict, str, bytes]]:
    """Every image in the outputs: cell number, cell metadata, type, content."""
    found = []
    for number, cell in code_cells(path):
        for output in cell.outputs:
            for kind, data in output.get("data", {}).items():
                if kind == "image/svg+xml":
                    found.append((number, cell.metadata, kind, data.encode()))
                elif kind.startswith("image/"):
                    found.append((number, cell.metadata, kind, base64.b64decode(data)))
    return found


def test_second_cell_holds_the_parameters(path):
    first, second = cells.read(path).cells[:2]
    assert first.cell_type == "markdown"
    assert first.source.lstrip().startswith(("# ", "(")), "the first cell holds the title"
    assert second.cell_type == "code"
    assert "parameters" in cells.tags(second)
    assert {"profile", "seed"} <= set(re.findall(r"^(\w+) *=", second.source, re.MULTILINE))


def test_kernel_is_the_environments_own(path):
    assert cells.read(path).metadata.kernelspec.name == "python3"


def test_cells_were_executed_in_order(path):
    counts = [cell.execution_count for _, cell in code_cells(path)]
    assert counts == list(range(1, len(counts) + 1)), "run `make outputs` and commit"


def test_outputs_are_committed_and_none_is_an_error(path):
    outputs = [(number, output) for number, cell in code_cells(path) for output in cell.outputs]
    assert outputs, "run `make outputs` and commit"
    assert [number for number, output in outputs if output.output_type == "error"] == []
    assert [number for number, output in outputs if output.get("name") == "stderr"] == []


def test_outputs_name_no_folder_of_the_machine_they_were_made_on(path):
    for number, cell in code_cells(path):
        text = str(cell.outputs)
        assert not re.search(r"/(home|root|tmp|Users|work)/", text), f"cell {number}"


def test_file_is_small(path):
    assert path.stat().st_size < 300_000


def test_pictures_are_small(path):
    sizes = {number: len(content) for number, _, _, content in images(path)}
    assert {number: size for number, size in sizes.items() if size >= 60_000} == {}


def test_pictures_have_alternative_text(path):
    """The cell's metadata hold {"mystnb": {"image": {"alt": "What is to be seen."}}}."""
    without = []
    for number, metadata, _, _ in images(path):
        alternative = metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        if len(alternative) < 20:
            without.append(number)
    assert without == []


def test_it_is_one_sitting(path):
    """A lesson is read in 45 minutes and done with its exercises in 90; LONGER lists the exceptions."""
    notebook = cells.read(path)
    text = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    code = [line for _, cell in code_cells(path) for line in cell.source.splitlines() if line.strip()]
    exercises = [
        n for n, cell in enumerate(notebook.cells) if re.search("^## Exercises", cell.source, re.MULTILINE)
    ]
    assert len(exercises) == 1, "one section '## Exercises'"
    measured = {
        "words": sum(len(source.split()) for source in text),
        "cells": exercises[0],
        "lines": len(code),
        "assertions": sum(cell.source.count("assert") for _, cell in code_cells(path)),
    }
    allowed = LIMITS | LONGER.get(path.stem, {})
    assert {name: value for name, value in measured.items() if value > allowed[name]} == {}


def test_code_cells_are_short(path):
    lines = {n: sum(bool(line.strip()) for line in cell.source.splitlines()) for n, cell in code_cells(path)}
    long = [number for number, count in lines.items() if count > LINES_A_CELL]
    assert len(long) <= LONGER.get(path.stem, {}).get("long_cells", 0), f"cells {long}"


def test_it_holds_a_drawing(path):
    assert any(kind == "image/svg+xml" for _, _, kind, _ in images(path)), "end a cell in show.diagram(NAME)"


def test_no_cell_installs_a_package(path):
    for number, cell in code_cells(path):
        assert not re.search(r"^\s*[!%]", cell.source, re.MULTILINE), f"cell {number}: no magics"
        assert "pip install" not in cell.source, f"cell {number}"


def test_before_you_start_is_marked_for_the_measured_figures(path):
    marked = [cell for cell in cells.read(path).cells if cells.BEFORE_YOU_START in cells.tags(cell)]
    assert [cell.cell_type for cell in marked] == ["markdown"]


def test_every_exercise_has_a_stub_and_then_a_solution(path):
    stubs, solutions = [], []
    for number, cell in code_cells(path):
        names = CHECK.findall(cell.source)
        if cells.SOLUTION in cells.tags(cell):
            assert names, f"cell {number}: a solution ends in exercises.check"
            assert set(names) <= set(stubs), f"cell {number}: a solution follows its stub"
            solutions += names
        else:
            stubs += names
    assert stubs, "a chapter has exercises"
    assert len(set(stubs)) == len(stubs), "an exercise has one stub"
    assert sorted(solutions) == sorted(stubs)


def test_solutions_are_code_cells(path):
    """A Markdown cell could not be folded on the page."""
    kinds = {cell.cell_type for cell in cells.read(path).cells if cells.SOLUTION in cells.tags(cell)}
    assert kinds <= {"code"}


def test_notebook_is_in_the_table_of_contents(path):
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text())
    assert f"notebooks/{path.stem}" in str(contents)
