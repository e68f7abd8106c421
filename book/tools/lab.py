"""Copy the notebooks to _build/lab, without solutions and outputs, for a reader to work in.

A copy that is already there is the reader's own work and is kept.
"""

from pathlib import Path

import cells

ROOT = Path(__file__).resolve().parents[2]


def copy_for_reader(source: Path, copy: Path) -> bool:
    """Write the reader's copy of one notebook; False if there is one already."""
    if copy.exists():
        return False
    cells.write(cells.without_outputs(cells.without_solutions(cells.read(source))), copy)
    return True


def main() -> None:
    """Copy every notebook."""
    lab = ROOT / "_build" / "lab"
    for source in sorted((ROOT / "notebooks").glob("*.ipynb")):
        made = copy_for_reader(source, lab / source.name)
        print(f"  {source.name}: {'copied' if made else 'kept yours; delete it for a fresh copy'}")


if __name__ == "__main__":
    main()
