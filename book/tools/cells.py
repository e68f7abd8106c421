"""What the tools need to know about the cells of a notebook."""

from pathlib import Path

import nbformat

SOLUTION = "solution"
BEFORE_YOU_START = "before-you-start"


def read(path: Path) -> nbformat.NotebookNode:
    """Read a notebook in format 4."""
    return nbformat.read(path, as_version=4)


def write(notebook: nbformat.NotebookNode, path: Path) -> None:
    """Write a notebook, making its folder where needed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)


def tags(cell: nbformat.NotebookNode) -> list[str]:
    """The tags of a cell; a change to the list is a change to the cell."""
    return cell.metadata.setdefault("tags", [])


def without_solutions(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The notebook less its solution cells (changed in place)."""
    notebook.cells = [cell for cell in notebook.cells if SOLUTION not in tags(cell)]
    return notebook


def without_outputs(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The notebook with every output removed (changed in place)."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


def new_code(source: str, identifier: str) -> nbformat.NotebookNode:
    """A code cell without outputs."""
    return nbformat.v4.new_code_cell(source, id=identifier)
