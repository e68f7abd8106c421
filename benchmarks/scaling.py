"""A small language model in five widths on four amounts of text: what loss follows from size and data.

A round is a seed. Each way but two trains one width on each amount of the dictionary's letters, every letter
new, and scores it on sentences that no training sees. "held out" is one larger width on more letters, which
the law fitted on the others has to predict. "repeated" trains one width on a small part of the letters, which
it reads again and again. In the first round the narrowest and the widest model also try other learning rates
than the rule's, scored on validation sentences. Notebook 81 shows the figures and fits the law.

    python benchmarks/scaling.py --rounds 3 --output benchmarks/results/scaling.json
"""

import os

import compare

ROUND = int(os.environ.get("BENCHMARK_ROUND", 0))
WIDTHS, TOKENS = (8, 16, 24, 32, 48), (102_400, 204_800, 409_600, 819_200)
RATE_WIDTHS, RATES, RATE_TOKENS = (8, 48), (0.006, 0.012, 0.024, 0.048), 204_800
LARGEST = (64, 1_024_000)  # a width and an amount outside the others
REPEATED, DIFFERENT, PASSES = 24, 51_200, (2, 4, 8, 16)  # as many letters in all as TOKENS
ROWS = {"validation": 2048, "test": 8192}  # rows of 32 letters


def highest_rate(width: int) -> float:
    """The rule: the rate falls with the root of the width."""
    return 0.09 / width**0.5


def one(measure, trainer, data, tokens: int, split: str = "test", rate: float | None = None, **more) -> dict:
    """One training and its loss."""
    rate = rate or highest_rate(trainer.model.width)
    with measure(tokens):
        tokens = trainer.train(data["train"], tokens, rate, seed=ROUND, **more)
    loss = trainer.loss(data[split][: ROWS[split]])
    found = {"width": trainer.model.width, "parameters": trainer.parameters, "tokens": tokens}
    return {**found, **more, "rate": round(rate, 5), "loss": round(loss, 4)}


def grid(measure: compare.Measurement, width: int, amounts: tuple[int, ...] = TOKENS) -> dict:
    """One width on each amount, the least first, which pays for the compilation."""
    from mmcourse.outlook import scaling_model

    trainer, data = scaling_model.Trainer(width), scaling_model.letters()
    found = {"losses": [one(measure, trainer, data, tokens) for tokens in amounts]}
    if ROUND == 0 and width in RATE_WIDTHS:
        other = compare.Measurement()  # these count for no speed
        found["rates"] = [one(other, trainer, data, RATE_TOKENS, "validation", rate) for rate in RATES]
    return found


def repeated(measure: compare.Measurement) -> dict:
    """The same few letters, twice and up to sixteen times."""
    from mmcourse.outlook import scaling_model

    trainer, data = scaling_model.Trainer(REPEATED), scaling_model.letters()
    found = [one(measure, trainer, data, passes * DIFFERENT, different=DIFFERENT) for passes in PASSES]
    return {"losses": found}


WAYS = {
    **{f"width {width}": lambda measure, width=width: grid(measure, width) for width in WIDTHS},
    "held out": lambda measure: grid(measure, LARGEST[0], LARGEST[1:]),
    "repeated": repeated,
}

if __name__ == "__main__":
    compare.main(WAYS, "width 24", "letters", ("keras", "tensorflow", "numpy"))
