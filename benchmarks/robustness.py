"""Reading clean and noisy digits with networks of one to sixteen hidden layers, plain and residual.

A round is a seed: of the 1,000 training digits, the initial weights, the order and the noise. Every network
has 64 hidden units and learns for 800 steps without dropout; each arm may try three learning rates and keeps
the one that reads most of the 500 validation digits. Notebook 42 shows the shares of the 1,000 test digits
that are read, as they are and under noise; the speeds, in trainings a second, come with them.

    python benchmarks/robustness.py --rounds 5 --output benchmarks/results/robustness.json
"""

import os

import compare

ROUND = int(os.environ.get("BENCHMARK_ROUND", 0))
RATES = (5e-4, 1e-3, 2e-3)
ARMS = {
    "1 layer": {"depth": 1},
    "2 layers": {"depth": 2},
    "4 layers": {"depth": 4},
    "16 layers": {"depth": 16},
    "16 layers, residual": {"depth": 16, "residual": True},
    "2 layers, 256 wide": {"depth": 2, "hidden": 256},
    "2 layers, noise in training": {"depth": 2, "noise": 0.5},
}


def best_of_three(measure: compare.Measurement, arm: str) -> dict:
    """Train with three rates, and score the test with the run that reads most validation digits."""
    from dataclasses import replace

    from mmcourse.learning import faults

    base = replace(faults.SOUND, steps=800, dropout=0.0, **ARMS[arm])
    with measure(len(RATES)):
        runs = [faults.train(replace(base, rate=rate), ROUND) for rate in RATES]
    chosen = max(range(len(runs)), key=lambda number: runs[number].numbers["validation"])
    best = runs[chosen]
    figures = {name: round(best.numbers[name], 4) for name in ("training", "validation", "test", "noisy")}
    return {**figures, "loss": round(float(best.curves["loss"][-1]), 4), "rate": RATES[chosen]}


WAYS = {arm: lambda measure, arm=arm: best_of_three(measure, arm) for arm in ARMS}

if __name__ == "__main__":
    compare.main(WAYS, "2 layers", "trainings", ("keras", "tensorflow"))
