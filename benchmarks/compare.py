"""Do the same work in several ways, in turn, and print the speeds as ratios.

Each run is a process of its own, so that one library's threads do not disturb the other's; only what stands
inside ``with measure(...)`` counts, so imports, compilation and warming up do not. Every round runs each way
once. CPU seconds are those of all threads, which other work on the machine disturbs least.
"""

import argparse
import contextlib
import importlib.metadata
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path


class Measurement:
    """What one run did: call it as ``with measure(units):`` around the work, once or more often."""

    def __init__(self):
        self.units = self.cpu_seconds = self.wall_seconds = 0.0

    @contextlib.contextmanager
    def __call__(self, units: float) -> Iterator[None]:
        """Count ``units`` of work and the time that the block takes."""
        cpu, wall = time.process_time(), time.perf_counter()
        yield
        self.cpu_seconds += time.process_time() - cpu
        self.wall_seconds += time.perf_counter() - wall
        self.units += units


def peak_bytes() -> int:
    """The most bytes that this process has held."""
    unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def main(
    ways: Mapping[str, Callable[[Measurement], Mapping | None]],
    peer: str,
    unit: str,
    packages: tuple[str, ...] = (),
) -> None:
    """Run a benchmark from the command line.

    Args:
        ways: name -> function that does the work inside ``with measure(units):`` and may return further
            figures, such as a score. Its round, 0, 1, …, is in the variable ``BENCHMARK_ROUND``: a seed.
        peer: the way that the others are compared with.
        unit: what is counted, in the plural.
        packages: distributions whose versions are recorded.
    """
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    parser.add_argument(
        "--rounds", type=int, default=5, help="how often each way runs (default: %(default)s)"
    )
    parser.add_argument("--output", type=Path, help="write all figures to this JSON file")
    parser.add_argument("--way", choices=ways, help="run one way once, in this process")
    options = parser.parse_args()
    if options.way:
        measure = Measurement()
        figures = ways[options.way](measure) or {}
        print(json.dumps({**vars(measure), **figures}))
        return
    runs = {name: [] for name in ways}
    for number in range(options.rounds):
        for name in ways:
            runs[name].append(_run(name, number))
            print(f"round {number + 1}/{options.rounds}, {name}: {runs[name][-1]}", file=sys.stderr)
    result = {
        "unit": unit,
        "peer": peer,
        "processors": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "versions": {name: importlib.metadata.version(name) for name in packages},
        "ratios": {name: ratios(runs[name], runs[peer]) for name in ways if name != peer},
        "runs": runs,
    }
    for name, values in result["ratios"].items():
        for time_name, ratio in values.items():
            print(
                f"{name} / {peer}, {unit} per {time_name} second: {ratio['median']:.2f} "
                f"({ratio['least']:.2f} to {ratio['most']:.2f})"
            )
    if options.output:
        options.output.write_text(json.dumps(result, indent=1) + "\n")


def _run(name: str, number: int) -> dict:
    command = [sys.executable, sys.argv[0], "--way", name]
    environment = os.environ | {"BENCHMARK_ROUND": str(number), "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def ratios(runs: list[Mapping], peer_runs: list[Mapping]) -> dict[str, dict[str, float]]:
    """Speed against the peer's, round by round: median, least and most, for CPU and for wall seconds."""
    found = {}
    for name in ("cpu", "wall"):
        key = f"{name}_seconds"
        values = [
            (run["units"] / run[key]) / (other["units"] / other[key])
            for run, other in zip(runs, peer_runs, strict=True)
        ]
        found[name] = {
            "median": statistics.median(values),
            "least": min(values),
            "most": max(values),
        }
    return found
