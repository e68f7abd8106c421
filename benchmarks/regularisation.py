"""Reading digits after training on 300 of them: what each means against overfitting is worth, one at a time.

A round is a seed: of the 300 digits, the initial weights and the order. Every arm may try three settings of
its own, or three learning rates where it has no setting, and keeps the one that reads most of the 500
validation digits; notebook 42 shows the shares of the 1,000 test digits. The last arm changes the data
instead: it has three times as many digits. The speeds, in trainings a second, come with them.

    python benchmarks/regularisation.py --rounds 5 --output benchmarks/results/regularisation.json
"""

import os
from dataclasses import replace

import compare

ROUND = int(os.environ.get("BENCHMARK_ROUND", 0))
RATES = (5e-4, 1e-3, 2e-3)


def arms() -> dict[str, list]:
    """Three recipes for each arm."""
    from mmcourse.learning import faults

    base = replace(faults.SOUND, digits=300, steps=1000, rate=1e-3, dropout=0.0)
    small, middle, large = (
        {"weight_decay": w, "dropout": d, "smoothing": s, "moved": m, "restored": True}
        for w, d, s, m in ((0.1, 0.2, 0.05, 1), (0.5, 0.4, 0.1, 2), (2.0, 0.6, 0.2, 3))
    )
    found = {"nothing": [replace(base, rate=rate) for rate in RATES]}
    for arm, name in ONE_FIELD.items():
        found[arm] = [replace(base, **{name: level[name]}) for level in (small, middle, large)]
    found["early stopping"] = [replace(base, rate=rate, restored=True) for rate in RATES]
    found["all of them"] = [replace(base, **level) for level in (small, middle, large)]
    found["three times the digits"] = [replace(base, digits=900, rate=rate) for rate in RATES]
    return found


def best_of_three(measure: compare.Measurement, arm: str) -> dict:
    """Train three times, and score the test with the run that reads most validation digits."""
    from mmcourse.learning import faults

    recipes = arms()[arm]
    with measure(len(recipes)):
        runs = [faults.train(recipe, ROUND) for recipe in recipes]
    validation = [run.numbers["validation"] for run in runs]
    chosen = max(range(len(runs)), key=validation.__getitem__)
    return {
        "test": round(runs[chosen].numbers["test"], 4),
        "chosen": chosen,
        "validation": [round(share, 4) for share in validation],
        "tests": [round(run.numbers["test"], 4) for run in runs],
        "training": round(runs[chosen].numbers["training"], 4),
    }


ONE_FIELD = {
    "weight decay": "weight_decay",
    "dropout": "dropout",
    "label smoothing": "smoothing",
    "moved images": "moved",
}
NAMES = ("nothing", *ONE_FIELD, "early stopping", "all of them", "three times the digits")
WAYS = {arm: lambda measure, arm=arm: best_of_three(measure, arm) for arm in NAMES}

if __name__ == "__main__":
    compare.main(WAYS, "nothing", "trainings", ("keras", "tensorflow"))
