"""What notebook 43 tunes: a small network in NumPy that learns handwritten digits from 300 images.

It is small so that it can be trained many thousand times, and it has what makes tuning hard: four settings
that depend on one another, trainings that fail, and scores that change with the seed.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from mmcourse import store
from mmcourse.checks import check_count
from mmcourse.data import digits
from mmcourse.learning import tuning

EPOCHS = 27
SPACE: tuning.Space = {
    "learning_rate": tuning.LogUniform(1e-4, 1.0),
    "weight_decay": tuning.LogUniform(1e-6, 1e-1),
    "dropout": tuning.Uniform(0.0, 0.8),
    "width": tuning.Choice((8, 16, 32, 64, 128, 256)),
}
TRAINING = 300
TABLE_SETTINGS, TABLE_SEEDS = 256, 4
NARROW, NARROW_TRAININGS, NARROW_SEEDS = (8, 16), 24, 20
BATCH, MOMENTUM = 20, 0.9


@dataclass(frozen=True)
class Parts:
    """Images and labels by part: "train" (300), "validation" (500), "test" (1,000), and "fresh" (3,200).

    "fresh" are the images of the training split that the network does not learn from. No search sees them:
    they stand for the world, and say how good a choice really was.

    Attributes:
        images: name -> ``float32`` ``(images, 196)``: means of 2 × 2 pixels, 0 to 1.
        labels: name -> ``int64`` ``(images,)``.
    """

    images: dict[str, np.ndarray]
    labels: dict[str, np.ndarray]


@cache
def parts() -> Parts:
    """The parts; the same each time.

    Raises:
        mmcourse.data.archives.FetchError: the archive is missing and cannot be fetched.
    """
    data = digits.load()
    pixels = data.images.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)).reshape(-1, 196) / 255
    split = data.split("train")
    by_digit = [split[data.labels[split] == digit] for digit in range(digits.CLASSES)]
    train = np.concatenate([rows[: TRAINING // digits.CLASSES] for rows in by_digit])
    rows = {"train": train, "fresh": np.setdiff1d(split, train)}
    rows |= {name: data.split(name) for name in ("validation", "test")}
    return Parts(
        {name: pixels[chosen].astype(np.float32) for name, chosen in rows.items()},
        {name: data.labels[chosen].astype(np.int64) for name, chosen in rows.items()},
    )


class Network:
    """One hidden layer of ReLU units, trained by SGD with momentum 0.9 in batches of 20.

    Args:
        settings: "learning_rate", "weight_decay", "dropout", "width", as in :data:`SPACE`.
        seed: of the starting weights, the order of the batches and the dropout.
    """

    def __init__(self, settings: tuning.Settings, seed: int):
        self.settings = dict(settings)
        self.random = np.random.default_rng(seed)
        inputs, width = parts().images["train"].shape[1], check_count("width", settings["width"])
        hidden = self.random.normal(size=(inputs, width)) * np.sqrt(2 / inputs)
        output = self.random.normal(size=(width, digits.CLASSES)) * np.sqrt(1 / width)
        biases = [np.zeros(width, np.float32), np.zeros(digits.CLASSES, np.float32)]
        self.weights = [hidden.astype(np.float32), biases[0], output.astype(np.float32), biases[1]]
        self.velocity = [np.zeros_like(weight) for weight in self.weights]

    def epoch(self) -> None:
        """Go once over the training images. A training that diverges leaves weights that are no numbers."""
        images, labels = parts().images["train"], parts().labels["train"]
        order = self.random.permutation(len(images))
        with np.errstate(all="ignore"):
            for first in range(0, len(order), BATCH):
                rows = order[first : first + BATCH]
                self._step(images[rows], labels[rows])

    def right(self, part: str) -> np.ndarray:
        """Which images of a part get the right answer: boolean ``(images,)``."""
        hidden, bias, output, last_bias = self.weights
        with np.errstate(all="ignore"):
            logits = np.maximum(parts().images[part] @ hidden + bias, 0) @ output + last_bias
        # A network that has diverged answers 0 to everything.
        return np.nan_to_num(logits).argmax(axis=1) == parts().labels[part]

    def score(self, part: str) -> float:
        """Share of right answers on a part."""
        return float(self.right(part).mean())

    def _step(self, images: np.ndarray, labels: np.ndarray) -> None:
        hidden, bias, output, last_bias = self.weights
        before = images @ hidden + bias  # (batch, width)
        keep = np.float32(1 - self.settings["dropout"])
        mask = (self.random.random(before.shape, dtype=np.float32) < keep) / keep
        state = np.maximum(before, 0) * mask
        logits = state @ output + last_bias  # (batch, 10)
        error = np.exp(logits - logits.max(axis=1, keepdims=True))
        error /= error.sum(axis=1, keepdims=True)
        error[np.arange(len(labels)), labels] -= 1
        error /= np.float32(len(labels))  # the gradient of the mean cross-entropy
        back = (error @ output.T) * mask * (before > 0)
        gradients = [images.T @ back, back.sum(axis=0), state.T @ error, error.sum(axis=0)]
        rate, decay = (np.float32(self.settings[name]) for name in ("learning_rate", "weight_decay"))
        for place, gradient in enumerate(gradients):
            if place % 2 == 0:  # kernels decay, biases do not
                gradient = gradient + decay * self.weights[place]
            self.velocity[place] *= np.float32(MOMENTUM)
            self.velocity[place] -= rate * gradient
            self.weights[place] += self.velocity[place]


def train(settings: tuning.Settings, budget: int = EPOCHS, seed: int = 0) -> Network:
    """A network that is trained from the start for ``budget`` epochs."""
    network = Network(settings, seed)
    for _ in range(check_count("budget", budget)):
        network.epoch()
    return network


def objective(settings: tuning.Settings, budget: int, seed: int) -> float:
    """Share of right answers on the validation part: what the searches ask for."""
    return train(settings, budget, seed).score("validation")


def table() -> dict[str, np.ndarray]:
    """Many settings drawn at random, each trained from four seeds; kept in the cache folder.

    It takes about a minute and a half to make.

    Returns:
        "shares": ``float64`` ``(256, 4)``, where in :data:`SPACE` the settings lie; "validation": ``float32``
        ``(256, 4 seeds, 27)``, the score after each epoch; "fresh": ``float32`` ``(256, 4 seeds)``, the score
        at the end on the images that no search sees; "fresh_right": boolean ``(256, 3200)``, which of these
        images the network of the first seed gets right.
    """
    return store.arrays("tuning-digits", [__name__], _make_table)


def narrow_searches() -> dict[str, np.ndarray]:
    """Three searches for a network of at most 16 units, from 20 seeds; kept in the cache folder.

    Each spends 24 full trainings on all four settings. It takes about a minute to make.

    Returns:
        "random", "halving", "bayesian": ``float32`` ``(20 seeds, 24)``, the score on the fresh images of the
        network that would be chosen after each full training or its price; NaN while there is no choice.
        "random_again", …: ``float32`` ``(20 seeds,)``, the mean score of four other networks with the
        settings that are chosen in the end, trained from seeds that the search has not seen.
    """
    return store.arrays("tuning-narrow", [__name__], _make_narrow_searches)


def _make_narrow_searches() -> dict[str, np.ndarray]:
    space = dict(SPACE) | {"width": tuning.Choice(NARROW)}
    fresh: dict[int, float] = {}

    def judged(settings: tuning.Settings, budget: int, seed: int) -> float:
        network = train(settings, budget, seed)
        fresh[seed] = network.score("fresh")  # of halving's settings the longest training comes last
        return network.score("validation")

    def brackets(seed: int) -> list[tuning.Trial]:
        price = sum(count * length for count, length in tuning.rungs(EPOCHS, EPOCHS))
        count = max(1, NARROW_TRAININGS * EPOCHS // price)
        seeds = [1000 * seed + bracket for bracket in range(count)]
        return [t for s in seeds for t in tuning.successive_halving(judged, space, EPOCHS, EPOCHS, s)]

    searches = {
        "random": lambda seed: tuning.random_search(judged, space, NARROW_TRAININGS, EPOCHS, seed),
        "halving": brackets,
        "bayesian": lambda seed: tuning.bayesian_search(judged, space, NARROW_TRAININGS, EPOCHS, seed),
    }
    found: dict[str, np.ndarray] = {}
    for name in searches:
        found[name] = np.full((NARROW_SEEDS, NARROW_TRAININGS), np.nan, np.float32)
    for name in searches:
        found[f"{name}_again"] = np.zeros(NARROW_SEEDS, np.float32)
    for name, search in searches.items():
        for row in range(NARROW_SEEDS):
            seed = 100 + row  # none of those from which the space was explored
            spent, choices = tuning.best_so_far(search(seed), EPOCHS)
            for step in range(NARROW_TRAININGS):
                place = int(np.searchsorted(spent, (step + 1) * EPOCHS, side="right")) - 1
                if place >= 0 and choices[place] is not None:
                    found[name][row, step] = fresh[choices[place].seed]
            settings = choices[-1].settings
            again = [train(settings, EPOCHS, 4 * seed + number).score("fresh") for number in range(4)]
            found[f"{name}_again"][row] = np.mean(again)
    return found


def _make_table() -> dict[str, np.ndarray]:
    shares = np.random.default_rng(43).random((TABLE_SETTINGS, len(SPACE)))
    validation = np.zeros((TABLE_SETTINGS, TABLE_SEEDS, EPOCHS), np.float32)
    fresh = np.zeros((TABLE_SETTINGS, TABLE_SEEDS), np.float32)
    right = np.zeros((TABLE_SETTINGS, len(parts().labels["fresh"])), bool)
    for row, point in enumerate(shares):
        for seed in range(TABLE_SEEDS):
            network = Network(tuning.settings_at(SPACE, point), TABLE_SEEDS * row + seed)
            for epoch in range(EPOCHS):
                network.epoch()
                validation[row, seed, epoch] = network.score("validation")
            answers = network.right("fresh")
            fresh[row, seed] = answers.mean()
            if seed == 0:
                right[row] = answers
    return {"shares": shares, "validation": validation, "fresh": fresh, "fresh_right": right}
