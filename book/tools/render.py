"""Put the site's sources together in _build/source and render them to _build/html.

Nothing is executed here: the notebooks are those that execute.py wrote. The new site replaces the
old one only when it was built without a warning.
"""

import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import cells
import yaml
from pages import write_pages

from mmcourse.data.archives import extract_members

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "_build"
SOURCE = BUILD / "source"
EXECUTED = BUILD / "executed"
HTML = BUILD / "html"

# The first code cell of a downloaded notebook, which may be opened where the package is not.
FIND_PACKAGE = """\
try:
    import mmcourse
except ModuleNotFoundError:
    raise SystemExit(
        "This notebook needs the package mmcourse of the course. Get the folder of the course, run\\n"
        "'make book' there once, and choose its environment .venv as the kernel; or, in that folder:\\n"
        "python -m pip install -r requirements.txt\\n"
        "python -m pip install --no-deps -e ."
    ) from None
"""

REDIRECT = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="0; url={page}">
<title>{title}: opening the first page</title>
</head>
<body><main><h1>{title}</h1><p><a href="{page}">Open the first page</a></p></main></body>
</html>
"""


def measured_sentence(seconds: float, gigabytes: float) -> str:
    """The sentence with the two figures that the build measures, rounded to what they are worth."""
    if seconds < 90:
        duration = f"{max(5, 5 * round(seconds / 5))} s"
    else:
        duration = f"{round(seconds / 60)} min"
    return f"Measured when this page was built: {duration}, {gigabytes:.1f} GB at its peak."


def reading_sentence(notebook) -> str:
    """How long reading takes: 150 words a minute, and two minutes for each figure and each formula."""
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    formulas = len(re.findall(r"\$\$.+?\$\$|```\{math\}", text, re.DOTALL))
    figures = sum(
        any(
            kind.startswith("image/") for output in cell.get("outputs", []) for kind in output.get("data", {})
        )
        for cell in notebook.cells
    )
    minutes = len(text.split()) / 150 + 2 * (formulas + figures)
    return f"About {max(5, 5 * round(minutes / 5))} minutes to read, without the exercises."


def append_inside(source: str, sentence: str) -> str:
    """The Markdown with the sentence at its end, or at the end of the box that it ends with."""
    lines = source.rstrip().split("\n")
    box_ends = set(lines[-1]) in ({":"}, {"`"})
    return "\n".join([*lines[:-1], "", sentence, lines[-1]] if box_ends else [*lines, "", sentence])


def prepare_notebook(path: Path, target: Path, measured: dict) -> None:
    """Write a notebook for the page: the measured figures in their place, solutions folded."""
    notebook = cells.read(path)
    for cell in notebook.cells:
        if cells.BEFORE_YOU_START in cells.tags(cell):
            sentence = measured_sentence(measured["seconds"], measured["gigabytes"])
            cell.source = append_inside(cell.source, f"{reading_sentence(notebook)} {sentence}")
        if cells.SOLUTION in cells.tags(cell):
            if "hide-cell" not in cells.tags(cell):
                cells.tags(cell).append("hide-cell")
            prompts = {"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide it"}
            cell.metadata.setdefault("mystnb", {}).update(prompts)
    cells.write(notebook, target)


def assemble() -> int:
    """Fill _build/source; returns the number of notebooks."""
    shutil.rmtree(SOURCE, ignore_errors=True)
    ignore = shutil.ignore_patterns("tools", "__pycache__", ".*")
    shutil.copytree(ROOT / "book", SOURCE / "book", ignore=ignore)
    shutil.copytree(ROOT / "mmcourse" / "drawings", SOURCE / "book" / "drawings")
    for name in ("_config.yml", "_toc.yml"):
        shutil.copy(ROOT / name, SOURCE / name)
    write_pages(ROOT / "book", SOURCE / "book")

    measured = json.loads((EXECUTED / "measured.json").read_text())
    notebooks = sorted((ROOT / "notebooks").glob("*.ipynb"))
    for path in notebooks:
        executed = EXECUTED / "notebooks" / path.name
        prepare_notebook(executed, SOURCE / "notebooks" / path.name, measured[path.stem])

    mathjax = SOURCE / "site_root" / "lib" / "mathjax"
    extract_members("mathjax", mathjax, strip="mathjax/static/mathjax")
    return len(notebooks)


def build(output: Path) -> None:
    """Run Jupyter Book, any warning being an error; stops this script where it fails."""
    shutil.rmtree(output, ignore_errors=True)
    command = [str(Path(sys.executable).with_name("jupyter-book")), "build", str(SOURCE)]
    command += ["--path-output", str(output), "-W", "-n", "--keep-going", "--quiet"]
    with subprocess.Popen(
        command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as jupyter_book:
        message = jupyter_book.stdout.read()
    if jupyter_book.returncode:
        sys.exit(f"{message}\nThe site was not built: see the warnings above.")


def finish(html: Path) -> None:
    """What Jupyter Book leaves to do: downloads without solutions, and a first page."""
    for path in (html / "_sources").rglob("*.ipynb"):
        notebook = cells.without_solutions(cells.read(path))
        notebook.cells.insert(1, cells.new_code(FIND_PACKAGE, "find-the-package"))
        cells.write(notebook, path)
    title = yaml.safe_load((SOURCE / "_config.yml").read_text())["title"]
    page = yaml.safe_load((SOURCE / "_toc.yml").read_text())["root"] + ".html"
    (html / "index.html").write_text(REDIRECT.format(title=title, page=page))


def main() -> None:
    """Assemble, build, finish, and put the new site in the place of the old one."""
    start = time.perf_counter()
    count = assemble()
    print(f"  {count} notebook(s) and the pages are together in _build/source", flush=True)
    work = BUILD / "jupyter-book"
    build(work)
    html = work / "_build" / "html"
    finish(html)
    shutil.rmtree(HTML, ignore_errors=True)
    html.rename(HTML)
    pages = len(list(HTML.rglob("*.html")))
    size = sum(path.stat().st_size for path in HTML.rglob("*") if path.is_file())
    seconds = time.perf_counter() - start
    print(f"  {pages} pages, {size / 1e6:.1f} MB, in {seconds:.0f} s")


if __name__ == "__main__":
    main()
