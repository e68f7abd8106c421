"""Which search finds the best settings for the same budget? Six searches on digits, from 25 seeds.

A round is five seeds: of what a search draws, and of every training. Each search may spend 864 epochs, 32
trainings of 27 epochs. After each 27 epochs it is asked what it would choose now; the figures hold the score
of this network on the validation part, which the search sees, and on the fresh images, which it does not.
Shares are written in ten-thousandths. The notebook "Choosing hyper-parameters without fooling yourself" shows
them; the speeds, in epochs a second, come with them.

The grid lies elsewhere in each seed, as if others had drawn it. "random" goes on to twice the budget.
"halving" is ours and trains again from the start; Hyperband, in Optuna, goes on with a training that it has
not stopped. "of 16" is another question: 16 trainings, spread over one, two or all four settings, the others
held fixed.

    python benchmarks/tuning.py --output benchmarks/results/tuning.json
"""

import os

import compare
import numpy as np

ROUND = int(os.environ.get("BENCHMARK_ROUND", 0))
SEEDS, TRAININGS = 5, 32
GRID = {"learning_rate": 4, "weight_decay": 2, "dropout": 2, "width": 2}
FIRST = 8  # at random, before the Gaussian process or TPE has a say
FIXED = {"learning_rate": 0.03, "weight_decay": 1e-4, "dropout": 0.4, "width": 64}
# settings that are searched -> values of each in a grid of 16
OF_16 = (
    {"learning_rate": 16},
    {"learning_rate": 4, "weight_decay": 4},
    {"learning_rate": 2, "weight_decay": 2, "dropout": 2, "width": 2},
)


class Judge:
    """The objective, which also writes down how each network does on the fresh images."""

    def __init__(self):
        self.fresh = {}

    def __call__(self, settings, budget: int, seed: int) -> float:
        from mmcourse.learning import tuning_digits

        network = tuning_digits.train(FIXED | settings, budget, seed)
        self.fresh[seed] = network.score("fresh")  # of equal seeds the longest training comes last
        return network.score("validation")


def shares(values) -> str:
    """Shares in ten-thousandths, in one line."""
    return " ".join(f"{10_000 * value:.0f}" for value in values)


def curves(trials, fresh, trainings: int = TRAININGS) -> dict:
    """What would be chosen after each 27 epochs: its score, and its score on the fresh images."""
    from mmcourse.learning import tuning
    from mmcourse.learning.tuning_digits import EPOCHS

    spent, choices = tuning.best_so_far(trials, EPOCHS)
    found = {"validation": [], "fresh": []}
    for limit in EPOCHS * np.arange(1, trainings + 1):
        place = int(np.searchsorted(spent, limit, side="right")) - 1
        chosen = choices[place] if place >= 0 else None
        found["validation"].append(chosen.score if chosen else 0)
        found["fresh"].append(fresh[chosen.seed] if chosen else 0)
    settings = {name: float(f"{value:.3g}") for name, value in choices[-1].settings.items()}
    return {name: shares(values) for name, values in found.items()} | {"settings": settings}


def ours(measure: compare.Measurement, search, trainings: int = TRAININGS) -> list[dict]:
    """The curves of one of our searches, ``search(judge, seed)``, from each seed."""
    found = []
    for seed in range(SEEDS * ROUND, SEEDS * (ROUND + 1)):
        judge = Judge()
        with measure(0):
            trials = search(judge, seed)
        measure.units += sum(trial.budget for trial in trials)
        found.append(curves(trials, judge.fresh, trainings))
    return found


def of_16(search) -> dict[str, str]:
    """The fresh score of the choice, by the number of settings that are searched."""
    from mmcourse.learning import tuning, tuning_digits

    found = {}
    for values in OF_16:
        space = {name: tuning_digits.SPACE[name] for name in values}
        final = []
        for seed in range(SEEDS * ROUND, SEEDS * (ROUND + 1)):
            judge = Judge()
            final.append(judge.fresh[tuning.best(search(judge, space, values, seed)).seed])
        found[str(len(values))] = shares(final)
    return found


def grid_somewhere(judge, space, values, seed: int):
    """A grid that lies elsewhere in each seed."""
    from mmcourse.learning import tuning, tuning_digits

    offsets = dict(zip(space, np.random.default_rng([16, seed]).random(len(space)), strict=True))
    return tuning.grid_search(judge, space, values, tuning_digits.EPOCHS, seed, offsets)


def grid(measure: compare.Measurement) -> dict:
    from mmcourse.learning.tuning_digits import SPACE

    found = ours(measure, lambda judge, seed: grid_somewhere(judge, SPACE, GRID, seed))
    return {"searches": found, "of 16": of_16(grid_somewhere)}


def random(measure: compare.Measurement) -> dict:
    from mmcourse.learning import tuning
    from mmcourse.learning.tuning_digits import EPOCHS, SPACE

    found = ours(
        measure,
        lambda judge, seed: tuning.random_search(judge, SPACE, 2 * TRAININGS, EPOCHS, seed),
        2 * TRAININGS,
    )
    return {
        "searches": found,
        "of 16": of_16(lambda judge, space, _, seed: tuning.random_search(judge, space, 16, EPOCHS, seed)),
    }


def halving(measure: compare.Measurement) -> dict:
    """Eight brackets of 27 settings: 108 epochs each."""
    from mmcourse.learning import tuning
    from mmcourse.learning.tuning_digits import EPOCHS, SPACE

    def search(judge, seed):
        brackets = [
            tuning.successive_halving(judge, SPACE, EPOCHS, EPOCHS, 1000 * seed + bracket)
            for bracket in range(8)
        ]
        return [trial for bracket in brackets for trial in bracket]

    return {"searches": ours(measure, search)}


def bayesian(measure: compare.Measurement) -> dict:
    from mmcourse.learning import tuning
    from mmcourse.learning.tuning_digits import EPOCHS, SPACE

    return {
        "searches": ours(
            measure, lambda judge, seed: tuning.bayesian_search(judge, SPACE, TRAININGS, EPOCHS, seed, FIRST)
        )
    }


def by_optuna(measure: compare.Measurement, pruner) -> dict:
    """Optuna's TPE; with a pruner that may stop a training after any epoch."""
    import optuna

    from mmcourse.learning import tuning
    from mmcourse.learning.tuning_digits import EPOCHS, SPACE, Network

    optuna.logging.set_verbosity(optuna.logging.ERROR)

    def search(judge, seed):
        trials, random = [], np.random.default_rng(seed)

        def objective(trial):
            settings, number = tuning.suggest(trial, SPACE), int(random.integers(2**31))
            network = Network(settings, number)
            for epoch in range(1, EPOCHS + 1):
                network.epoch()
                if pruner is None and epoch < EPOCHS:
                    continue
                score = network.score("validation")
                trial.report(score, epoch)
                if epoch == EPOCHS or trial.should_prune():
                    break
            judge.fresh[number] = network.score("fresh")
            trials.append(tuning.Trial(settings, epoch, score, number))
            if epoch < EPOCHS:
                raise optuna.TrialPruned
            return score

        sampler = optuna.samplers.TPESampler(n_startup_trials=FIRST, seed=seed)
        study = optuna.create_study(direction="maximize", sampler=sampler, pruner=pruner)
        while sum(trial.budget for trial in trials) < TRAININGS * EPOCHS:
            study.optimize(objective, n_trials=1)
        return trials

    return {"searches": ours(measure, search)}


def hyperband(measure: compare.Measurement) -> dict:
    import optuna

    return by_optuna(measure, optuna.pruners.HyperbandPruner(1, 27, 3))


WAYS = {
    "grid": grid,
    "random": random,
    "halving": halving,
    "Gaussian process": bayesian,
    "TPE": lambda measure: by_optuna(measure, None),
    "TPE with Hyperband": hyperband,
}

if __name__ == "__main__":
    compare.main(WAYS, "random", "epochs", ("numpy", "scikit-learn", "optuna"))
