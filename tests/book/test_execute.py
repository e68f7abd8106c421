"""What is done again: a notebook whose cells, code, results, drawings or lock have changed, and no other."""

import shutil
from pathlib import Path

import cells
import execute
import pytest

from mmcourse import closure


@pytest.fixture
def notebook(tmp_path) -> Path:
    path = tmp_path / "11-thing.ipynb"
    write(path, "from mmcourse import exercises\nopen('thing.json')\nexercises.check('thing-one', None)")
    return path


def write(path: Path, code: str, text: str = "# Thing") -> None:
    markdown = execute.cells.nbformat.v4.new_markdown_cell(text, id="text")
    content = [markdown, cells.new_code(code, "code")]
    cells.write(execute.cells.nbformat.v4.new_notebook(cells=content), path)


@pytest.fixture
def results(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "results"
    folder.mkdir()
    for name in ("thing.json", "other.json", "thing.svg", "thing-two.svg"):
        (folder / name).write_text("{}")
    monkeypatch.setattr(execute, "RESULTS", folder)
    monkeypatch.setattr(execute, "DRAWINGS", folder)
    return folder


def test_cells_count_and_the_text_around_them_does_not(notebook, results):
    before = execute.fingerprint(notebook, {})
    code = cells.read(notebook).cells[1].source
    write(notebook, code, "# Thing, better explained")
    assert execute.fingerprint(notebook, {}) == before
    write(notebook, code + "\nprint(1)")
    assert execute.fingerprint(notebook, {}) != before
    assert execute.fingerprint(notebook, {"profile": "gpu"}) != before


@pytest.mark.parametrize(
    ("code", "its", "other"),
    [
        ("open('thing.json')", "thing.json", "other.json"),
        ('for study in ("thing",):\n    open(f"results/{study}.json")', "thing.json", "other.json"),
        ('from mmcourse import show\nshow.diagram("thing-two")', "thing-two.svg", "thing.svg"),
    ],
    ids=["a result", "a result whose file name a cell puts together", "a drawing"],
)
def test_files_that_it_names_count_and_others_do_not(notebook, results, code, its, other):
    write(notebook, code)
    before = execute.fingerprint(notebook, {})
    (results / other).write_text("[1]")
    assert execute.fingerprint(notebook, {}) == before
    (results / its).write_text("[1]")
    assert execute.fingerprint(notebook, {}) != before


def test_a_changed_checker_reruns_nothing_and_changed_code_does(notebook, results, monkeypatch, tmp_path):
    package = tmp_path / closure.PACKAGE.name
    shutil.copytree(closure.PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(closure, "PACKAGE", package)
    write(notebook, "from mmcourse import exercises, text\ntext.tokenise('a')")

    def fingerprint():
        for cached in (closure._structure_of_module, closure._imports_of_module, closure._names_of_package):
            cached.cache_clear()
        return execute.fingerprint(notebook, {})

    before = fingerprint()
    (package / "exercises" / "text.py").write_text("CHECKERS = {}")
    assert fingerprint() == before
    (package / "text" / "cleaning.py").write_text("changed = 1")
    assert fingerprint() == before, "a module that the notebook does not reach"
    path = package / "text" / "vocabulary.py"
    path.write_text(path.read_text(encoding="utf-8") + "\n# a remark\n")
    assert fingerprint() == before
    path.write_text(path.read_text(encoding="utf-8") + "\nchanged = 1\n")
    assert fingerprint() != before
    monkeypatch.undo()
    fingerprint()


def test_new_text_reaches_the_page_though_nothing_runs_again(notebook, tmp_path):
    executed = tmp_path / "executed.ipynb"
    content = cells.read(notebook)
    content.cells[1].outputs = [execute.cells.nbformat.v4.new_output("stream", text="out")]
    content.cells[1].execution_count = 1
    cells.write(content, executed)
    write(notebook, content.cells[1].source, "# Better explained")
    execute.keep_text(notebook, executed)
    after = cells.read(executed)
    assert after.cells[0].source == "# Better explained"
    assert after.cells[1].outputs[0].text == "out" and after.cells[1].execution_count == 1


def test_tidy_removes_what_is_left_of_notebooks_that_are_gone(tmp_path, capsys):
    there = next((execute.ROOT / "notebooks").glob("*.ipynb")).name
    for name in (there, "99-gone.ipynb"):
        (tmp_path / "notebooks" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "notebooks" / name).write_bytes(bytes(100_000))
    execute.tidy(tmp_path)
    assert [path.name for path in (tmp_path / "notebooks").iterdir()] == [there]
    assert "removed 99-gone.ipynb\n1 removed, 0.1 MB freed" in capsys.readouterr().out
