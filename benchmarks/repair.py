"""The repaired program of the article: image branch as printed or open, answers that fit the images or not.

Each round trains five models on the course's digits and asks about the test digits, with the round as the
seed; the learning rate of each branch was chosen on the validation digits.

    python benchmarks/repair.py --rounds 5 --output benchmarks/results/repair.json
"""

import os

import compare

EPOCHS = int(os.environ.get("BENCHMARK_EPOCHS", 5))
RATES = {"as printed": 0.002, "open": 0.005}


def learn(measure: compare.Measurement, branch: str, **changes) -> dict:
    """Train one model, with the round as its seed; its shares of right answers."""
    from mmcourse.generator import repair

    seed = int(os.environ.get("BENCHMARK_ROUND", 0))
    with measure(EPOCHS):
        return repair.learn(branch, seed=seed, rate=RATES[branch], epochs=EPOCHS, **changes)


WAYS = {
    "as printed, shuffled": lambda measure: learn(measure, "as printed", paired=False),
    "as printed, pairs": lambda measure: learn(measure, "as printed"),
    "grey levels, pairs": lambda measure: learn(measure, "as printed", scale=1),
    "open, shuffled": lambda measure: learn(measure, "open", paired=False),
    "open, pairs": lambda measure: learn(measure, "open"),
}

if __name__ == "__main__":
    compare.main(WAYS, peer="open, pairs", unit="epochs", packages=("keras", "tensorflow"))
