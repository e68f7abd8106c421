"""The benchmarks: how speeds are compared, that every script starts, that stored results are whole."""

import json
import subprocess
import sys
import time
from pathlib import Path

import compare
import pytest

ROOT = Path(__file__).resolve().parents[2]
NO_ROUNDS = ("compare.py", "gpu.py")
SCRIPTS = sorted(path for path in (ROOT / "benchmarks").glob("*.py") if path.name not in NO_ROUNDS)
# A round of these trains several networks for minutes; three seeds, and the notebooks say so.
LONG = "depth digit_networks naming naming_pictures recall scaling scenes vision_transformer".split()
RESULTS = sorted((ROOT / "benchmarks" / "results").glob("*.json"))


def test_only_the_block_is_counted():
    measure, start, cpu_start = compare.Measurement(), time.perf_counter(), time.process_time()
    time.sleep(0.05)
    sum(range(1_000_000))
    outside, cpu_outside = time.perf_counter() - start, time.process_time() - cpu_start
    with measure(10):
        time.sleep(0.02)
    with measure(5):
        sum(range(100_000))
    assert measure.units == 15
    assert 0.02 <= measure.wall_seconds <= time.perf_counter() - start - outside
    # Threads that other tests have left in this process count too.
    assert 0 < measure.cpu_seconds <= time.process_time() - cpu_start - cpu_outside


def test_ratios_are_taken_round_by_round():
    ours = [
        {"units": 10, "cpu_seconds": 1, "wall_seconds": 2},
        {"units": 10, "cpu_seconds": 4, "wall_seconds": 2},
    ]
    theirs = [
        {"units": 5, "cpu_seconds": 1, "wall_seconds": 1},
        {"units": 5, "cpu_seconds": 4, "wall_seconds": 4},
    ]
    found = compare.ratios(ours, theirs)
    assert found["cpu"] == {"median": 2, "least": 2, "most": 2}
    assert found["wall"] == {"median": 2.5, "least": 1, "most": 4}


def test_rounds_alternate_and_the_figures_are_written(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import os\n"
        "import compare\n"
        "def work(measure):\n"
        "    with measure(3):\n"
        "        sum(range(100_000))\n"
        "    return {'seed': int(os.environ['BENCHMARK_ROUND'])}\n"
        "compare.main({'one': work, 'other': work}, peer='other', unit='sums', packages=('numpy',))\n"
    )
    output = tmp_path / "figures.json"
    done = subprocess.run(
        [sys.executable, str(script), "--rounds", "2", "--output", str(output)],
        env={"PYTHONPATH": str(ROOT / "benchmarks")},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("one / other, sums per cpu second: ")
    figures = json.loads(output.read_text())
    assert [run["seed"] for run in figures["runs"]["one"]] == [0, 1]
    assert list(figures["ratios"]) == ["one"] and list(figures["versions"]) == ["numpy"]
    told = [line.split(":")[0] for line in done.stderr.splitlines()]
    assert told == ["round 1/2, one", "round 1/2, other", "round 2/2, one", "round 2/2, other"]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_every_script_starts(path):
    done = subprocess.run([sys.executable, str(path), "--help"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "--rounds" in done.stdout


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_stored_results_are_whole(path):
    figures = json.loads(path.read_text())
    assert {"unit", "peer", "processors", "python", "versions", "ratios", "runs"} <= set(figures)
    assert (ROOT / "benchmarks" / f"{path.stem}.py").is_file(), "made by a script of the same name"
    counts = {len(runs) for runs in figures["runs"].values()}
    least = 3 if path.stem in LONG else 5
    assert len(counts) == 1 and counts.pop() >= least, f"{least} rounds or more"
    again = {
        name: compare.ratios(runs, figures["runs"][figures["peer"]])
        for name, runs in figures["runs"].items()
        if name != figures["peer"]
    }
    assert again == figures["ratios"]
