"""Execute notebooks with papermill, and record how long each took and how much memory.

    python book/tools/execute.py                    every notebook, into _build/executed
    python book/tools/execute.py --profile gpu --output _build/gpu notebooks/50-naming.ipynb

With two notebooks or more, two run at a time with one thread each. A notebook is not run again unless its
cells, what they import from the package (mmcourse.closure), the results that they read from
benchmarks/results, the drawings that they show or the lock have changed since its last run.
FOLDER/measured.json holds the figures; the page's "Before you start" shows them. --tidy removes what is
left of notebooks that are no longer there.
"""

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import cells
import psutil

from mmcourse import closure

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results"
DRAWINGS = closure.PACKAGE / "drawings"
CELL_TIMEOUT = 1800  # seconds
SAMPLE_EVERY = 0.2  # seconds
# What two processes that share two cores are best told: TensorFlow's threads, and NumPy's.
ONE_THREAD = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")


def fingerprint(notebook: Path, parameters: dict) -> str:
    """A hash of all that decides a notebook's outputs; the outputs themselves are left out."""
    content = cells.read(notebook).cells
    code = "\n".join(cell.source for cell in content if cell.cell_type == "code")
    digest = hashlib.sha256()
    for part in (
        [(cell.cell_type, cell.source, cells.tags(cell)) for cell in content if cell.cell_type == "code"],
        sorted(parameters.items()),
        os.environ.get("MMCOURSE_PROFILE", ""),
        closure.digest(code),
    ):
        digest.update(json.dumps(part).encode())
    # By its file name, or by its bare name in quotes where a cell puts the two together.
    read = [p for p in sorted(RESULTS.glob("*.json")) if p.name in code or f'"{p.stem}"' in code]
    drawn = [p for p in sorted(DRAWINGS.glob("*.svg")) if f'diagram("{p.stem}")' in code]
    for path in (ROOT / "requirements.txt", *read, *drawn):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def keep_text(notebook: Path, executed: Path) -> None:
    """Bring the text around the cells of an executed notebook up to date, where only that has changed."""
    source, result = cells.read(notebook), cells.read(executed)
    outputs = {cell.source: cell for cell in result.cells if cell.cell_type == "code"}
    for cell in source.cells:
        if cell.cell_type == "code":
            cell.outputs = outputs[cell.source].outputs
            cell.execution_count = outputs[cell.source].execution_count
    cells.write(source, executed)


def tidy(folder: Path) -> None:
    """Remove executed notebooks whose source is gone, and say what that frees."""
    there = {path.name for path in (ROOT / "notebooks").glob("*.ipynb")}
    old = [path for path in (folder / "notebooks").glob("*.ipynb") if path.name not in there]
    freed = sum(path.stat().st_size for path in old)
    for path in old:
        path.unlink()
        print(f"removed {path.name}")
    print(f"{len(old)} removed, {freed / 1e6:.1f} MB freed in {folder}")


def memory_of_children(process: psutil.Process) -> int:
    """Resident bytes of a process's descendants: of papermill's, the kernel and what it started."""
    total = 0
    try:
        for child in process.children(recursive=True):
            total += child.memory_info().rss
    except psutil.Error:
        pass
    return total


def run_papermill(notebook: Path, output: Path, parameters: dict, one_thread: bool) -> dict:
    """Run one notebook in a process of its own; returns seconds, gigabytes and the exit status."""
    command = [sys.executable, "-m", "papermill", str(notebook), str(output)]
    command += ["--kernel", "python3", "--cwd", str(notebook.parent), "--no-progress-bar"]
    command += ["--log-level", "ERROR", "--execution-timeout", str(CELL_TIMEOUT)]
    for name, value in parameters.items():
        command += ["--parameters", name, str(value)]
    # The environment's own kernel description comes before any other on this machine.
    environment = os.environ | {"JUPYTER_PATH": str(Path(sys.prefix) / "share" / "jupyter")}
    if one_thread:
        environment |= dict.fromkeys(ONE_THREAD, "1")
    start, peak = time.perf_counter(), 0
    papermill = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    watched = psutil.Process(papermill.pid)
    # communicate() drains the pipe while it waits, so that a long message cannot block papermill.
    while True:
        peak = max(peak, memory_of_children(watched))
        try:
            message, _ = papermill.communicate(timeout=SAMPLE_EVERY)
            break
        except subprocess.TimeoutExpired:
            pass
    return {
        "seconds": round(time.perf_counter() - start, 1),
        "gigabytes": round(peak / 1e9, 2),
        "status": papermill.returncode,
        "message": message,
    }


def failure(notebook: Path, output: Path, message: str) -> str:
    """What went wrong: notebook, cell and traceback, or papermill's own message."""
    heading = f"\n{'=' * 80}\n{notebook.name} failed"
    if output.exists():
        # papermill adds cells of its own, so the number is looked up in the notebook itself.
        numbers = {cell.id: n for n, cell in enumerate(cells.read(notebook).cells, start=1)}
        for cell in cells.read(output).cells:
            for item in cell.get("outputs", []):
                if item.output_type == "error":
                    place = f"in cell {numbers.get(cell.id, '?')}"
                    traceback = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(item.traceback))
                    return f"{heading} {place}:\n\n{cell.source}\n\n{traceback}\n"
    return f"{heading}:\n\n{message}\n"


def keep_outputs(source: Path, executed: Path) -> None:
    """Make the executed file the source with its new outputs, and nothing else changed.

    papermill's own notes and standard error (log lines of libraries) are left out. A notebook run
    with other parameters has one cell more and stays as papermill wrote it.
    """
    notebook, result = cells.read(source), cells.read(executed)
    if len(notebook.cells) != len(result.cells):
        return
    for cell, done in zip(notebook.cells, result.cells, strict=True):
        if cell.cell_type == "code":
            cell.execution_count = done.execution_count
            cell.outputs = [item for item in done.outputs if item.get("name") != "stderr"]
            for item in cell.outputs:
                item.get("metadata", {}).pop("papermill", None)
    cells.write(notebook, executed)


def execute(notebook: Path, folder: Path, parameters: dict, one_thread: bool) -> dict:
    """Execute one notebook into FOLDER/notebooks; an entry "error" says what went wrong."""
    output = folder / "notebooks" / notebook.name
    output.unlink(missing_ok=True)
    measured = run_papermill(notebook, output, parameters, one_thread)
    status, message = measured.pop("status"), measured.pop("message")
    if status:
        measured["error"] = failure(notebook, output, message)
        output.unlink(missing_ok=True)
    else:
        keep_outputs(notebook, output)
    return measured


def main() -> int:
    """Execute the notebooks named on the command line, by default all of them."""
    parser = argparse.ArgumentParser(description="Execute notebooks with papermill.")
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: all in notebooks/")
    parser.add_argument("--output", type=Path, default=ROOT / "_build" / "executed")
    parser.add_argument(
        "--profile",
        default=os.environ.get("MMCOURSE_PROFILE"),
        help="value for the parameter `profile` of each notebook; default: $MMCOURSE_PROFILE",
    )
    parser.add_argument(
        "--tidy", action="store_true", help="only remove what is left of notebooks that are gone"
    )
    arguments = parser.parse_args()
    if arguments.tidy:
        tidy(arguments.output.resolve())
        return 0

    notebooks = arguments.notebooks or sorted((ROOT / "notebooks").glob("*.ipynb"))
    parameters = {"profile": arguments.profile} if arguments.profile else {}
    folder = arguments.output.resolve()
    (folder / "notebooks").mkdir(parents=True, exist_ok=True)
    record = folder / "measured.json"
    measured = json.loads(record.read_text()) if record.exists() else {}

    prints = {path: fingerprint(path, parameters) for path in notebooks}
    waiting = []
    for path in notebooks:
        done = (folder / "notebooks" / path.name).exists()
        if done and measured.get(path.stem, {}).get("fingerprint") == prints[path]:
            keep_text(path, folder / "notebooks" / path.name)
            print(f"  {path.stem}: unchanged since its last run")
        else:
            waiting.append(path)

    # The longest first, so that the last one does not run alone for long.
    waiting.sort(key=lambda path: -measured.get(path.stem, {}).get("seconds", CELL_TIMEOUT))
    errors = []
    at_a_time = min(2, len(waiting)) or 1
    with ThreadPoolExecutor(at_a_time) as pool:
        runs = {
            pool.submit(execute, path.resolve(), folder, parameters, at_a_time > 1): path for path in waiting
        }
        for number, run in enumerate(as_completed(runs), start=1):
            path, result = runs[run], run.result()
            figures = f"{result['seconds']:.0f} s, {result['gigabytes']:.1f} GB at its peak"
            if "error" in result:
                errors.append(result["error"])
                figures = f"FAILED after {figures}"
            else:
                measured[path.stem] = result | {"fingerprint": prints[path]}
                record.write_text(json.dumps(measured, indent=1, sort_keys=True) + "\n")
            print(f"  [{number}/{len(waiting)}] {path.stem}: {figures}", flush=True)
    for error in errors:
        print(error, file=sys.stderr)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
