"""A digit network pruned and trained again, small ones taught by it, and it adapted to other writers.

A round is a seed. The network has 196 inputs, layers of 300 and 100 (those that Han et al. prune) and ten
outputs, and learns in NumPy, with Adam, from 3,150 digits of the first office of notebook 12, whose test
digits count. Notebook 82 shows the scores; the speeds, in trainings a second, come with them.

- pruning: the smallest weights go, or as many by lot, and what is left trains on for half as long as before.
  The rival is a small network with about as many weights, trained from nothing for as long in all.
- teaching: students with one layer of 16 learn from labels, from smoothed labels or from the network's
  softened probabilities, on the same digits for the same number of steps; then once more with 300 digits
  of them, and with all but the 3s. The temperature is that of two which is better on validation digits.
- adapting: the network goes on with 40 digits of the second office. All weights, the last layer, all
  biases or pairs of thin matrices may learn, and a new network learns from the 40 alone. Each has the
  learning rate, of three, that is best on other digits of that office.

    python benchmarks/compression.py --rounds 5 --output benchmarks/results/compression.json
"""

import os

import compare
import numpy as np
from scipy.special import softmax

ROUND = int(os.environ.get("BENCHMARK_ROUND", 0))
SIZES, EPOCHS, CLASSES = (300, 100), 20, 10
SHARES = {0.5: (160, 70), 0.7: (105, 50), 0.8: (73, 35), 0.9: (40, 20), 0.95: (21, 14)}  # -> rival's sizes
TEMPERATURES, TAUGHT, STUDENT, FEW_TAUGHT, FEW_EPOCHS = (1.0, 4.0), 0.9, (16,), 300, 100
RATES, FEW, FEW_STEPS, RANKS = (1e-3, 3e-3, 1e-2), 40, 200, (1, 4)


class Network:
    """Dense layers with ReLU: ``weights`` holds kernels "W0", … and biases "b0", …, and pairs "A0", "B0", …
    whose product is added to a kernel."""

    def __init__(self, inputs: int, sizes: tuple[int, ...]):
        self.random = np.random.default_rng(ROUND)
        self.depth, self.weights = len(sizes) + 1, {}
        for place, (before, after) in enumerate(zip((inputs, *sizes), (*sizes, CLASSES), strict=True)):
            self.weights[f"W{place}"] = self._uniform(6 / (before + after), (before, after))
            self.weights[f"b{place}"] = np.zeros(after, np.float32)

    def _uniform(self, square: float, shape) -> np.ndarray:
        return self.random.uniform(-np.sqrt(square), np.sqrt(square), shape).astype(np.float32)

    def add_pairs(self, rank: int) -> list[str]:
        """Thin matrices beside every kernel, the second of each 0; their names."""
        for place in range(self.depth):
            before, after = self.weights[f"W{place}"].shape
            self.weights[f"A{place}"] = self._uniform(6 / before, (before, rank))
            self.weights[f"B{place}"] = np.zeros((rank, after), np.float32)
        return [name for name in self.weights if name[0] in "AB"]

    def kernel(self, place: int) -> np.ndarray:
        """What a layer multiplies with."""
        kernel, pair = self.weights[f"W{place}"], f"A{place}"
        return kernel + self.weights[pair] @ self.weights[f"B{place}"] if pair in self.weights else kernel

    def forward(self, rows: np.ndarray) -> list[np.ndarray]:
        """The inputs of each layer, and the logits."""
        found = [rows]
        for place in range(self.depth):
            sums = found[-1] @ self.kernel(place) + self.weights[f"b{place}"]
            found.append(np.maximum(sums, 0) if place < self.depth - 1 else sums)
        return found

    def gradients(self, rows: np.ndarray, slope, learn) -> dict[str, np.ndarray]:
        """Of the mean loss by each weight that learns; ``slope`` maps logits to the loss's slopes by them."""
        *inputs, logits = self.forward(rows)
        back, found = slope(logits) / len(rows), {}
        for place in reversed(range(self.depth)):
            by_kernel = inputs[place].T @ back
            found[f"W{place}"], found[f"b{place}"] = by_kernel, back.sum(axis=0)
            if f"A{place}" in self.weights:
                found[f"A{place}"] = by_kernel @ self.weights[f"B{place}"].T
                found[f"B{place}"] = self.weights[f"A{place}"].T @ by_kernel
            back = (back @ self.kernel(place).T) * (inputs[place] > 0)
        return {name: found[name] for name in learn}

    def train(self, rows, slope, epochs, rate, batch=50, learn=None, masks=None):
        """Adam; ``slope`` maps logits and row numbers to slopes. Weights outside a mask stay 0."""
        learn, masks = learn or list(self.weights), masks or {}
        means = {name: np.zeros_like(self.weights[name]) for name in learn}
        squares = {name: np.zeros_like(self.weights[name]) for name in learn}
        step = 0
        for _ in range(epochs):
            order = self.random.permutation(len(rows))
            for start in range(0, len(rows) - batch + 1, batch):
                chosen, step = order[start : start + batch], step + 1
                found = self.gradients(rows[chosen], lambda z, c=chosen: slope(z, c), learn)
                size = rate * np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
                for name, gradient in found.items():
                    means[name] += 0.1 * (gradient - means[name])
                    squares[name] += 0.001 * (gradient * gradient - squares[name])
                    self.weights[name] -= size * means[name] / (np.sqrt(squares[name]) + 1e-7)
                    if name in masks:
                        self.weights[name] *= masks[name]
        return self

    def copy(self) -> "Network":
        """The same weights, for other training; its order and its pairs depend on the seed alone."""
        other = Network(1, ())
        other.depth, other.weights = self.depth, {name: one.copy() for name, one in self.weights.items()}
        return other

    def count(self, kinds: str = "W") -> int:
        """How many numbers the kernels hold, or weights of other kinds too."""
        return sum(one.size for name, one in self.weights.items() if name[0] in kinds)


class Digits:
    """Both offices' digits as rows of 196 numbers, and the network trained on the first's."""

    def __init__(self, measure: compare.Measurement):
        from mmcourse.data import offices

        data = offices.load()
        self.rows = data.pictures.reshape(len(data.pictures), -1).astype(np.float32)
        self.labels, self.parts = data.written, dict(data.picture_parts)
        self.learn = np.concatenate([self.parts["train"], self.parts["later"]])
        self.hot = np.eye(CLASSES, dtype=np.float32)[self.labels]
        self.measure, self.network = measure, self.new(SIZES)
        self.train(self.network, self.learn, epochs=EPOCHS)

    def new(self, sizes) -> Network:
        """An untrained network."""
        return Network(self.rows.shape[1], sizes)

    def train(self, network, rows, slope=None, rate=1e-3, **options):
        """Train on these rows, on their labels unless there is another slope of ``(logits, rows)``."""
        slope = slope or (lambda logits, rows: softmax(logits, axis=1) - self.hot[rows])
        with self.measure(1):
            network.train(self.rows[rows], lambda z, c: slope(z, rows[c]), rate=rate, **options)
        return network

    def right(self, network, part: str) -> np.ndarray:
        """Which digits of a part are read right."""
        rows = self.parts[part]
        return network.forward(self.rows[rows])[-1].argmax(axis=1) == self.labels[rows]

    def score(self, network, part: str = "test") -> float:
        """The share that is read right."""
        return round(float(self.right(network, part).mean()), 4)


def pruning(measure: compare.Measurement) -> dict:
    """Scores after pruning, and after more training; share -> score."""
    from mmcourse.outlook import compression

    digits = Digits(measure)
    whole = digits.network
    kernels = {name: weight for name, weight in whole.weights.items() if name[0] == "W"}
    found = {"whole": digits.score(whole), "weights": whole.count()}
    choices = {
        "size": compression.kept_by_size,
        "lot": lambda kernels, share: compression.kept_by_chance(kernels, share, ROUND),
    }
    for name, choose in choices.items():
        cut, again = {}, {}
        for share in SHARES:
            masks, pruned = choose(kernels, share), whole.copy()
            for kernel, mask in masks.items():
                pruned.weights[kernel] *= mask
            cut[share] = digits.score(pruned)
            digits.train(pruned, digits.learn, epochs=EPOCHS // 2, masks=masks)
            again[share] = digits.score(pruned)
        found[f"pruned by {name}"], found[f"pruned by {name}, trained again"] = cut, again
    small, sizes = {}, {}
    for share, units in SHARES.items():
        rival = digits.train(digits.new(units), digits.learn, epochs=EPOCHS + EPOCHS // 2)
        small[share], sizes[share] = digits.score(rival), rival.count()
    return found | {"small from the start": small, "weights of the small": sizes}


def teaching(measure: compare.Measurement) -> dict:
    """For each student: its scores on all test digits, on the 3s among them, and on validation digits."""
    digits = Digits(measure)
    learn, hot = digits.learn, digits.hot
    logits = digits.network.forward(digits.rows)[-1]
    arms = {
        "labels": None,
        "smoothed labels": lambda z, rows: softmax(z, axis=1) - (0.9 * hot[rows] + 0.1 / CLASSES),
    }
    for temperature in TEMPERATURES:
        soft = softmax(logits / temperature, axis=1)
        arms[f"teacher, temperature {temperature:g}"] = lambda z, rows, t=temperature, soft=soft: (
            (1 - TAUGHT) * (softmax(z, axis=1) - hot[rows])
            + TAUGHT * t * (softmax(z / t, axis=1) - soft[rows])  # the loss times t², its slope by z / t
        )
    drawn = np.random.default_rng(ROUND).permutation(learn)[:FEW_TAUGHT]
    sets = {
        "all": (learn, EPOCHS),
        "few": (drawn, FEW_EPOCHS),
        "no 3": (learn[digits.labels[learn] != 3], EPOCHS),
    }
    threes = digits.labels[digits.parts["test"]] == 3
    found = {"teacher": digits.score(digits.network)}
    for name, (rows, epochs) in sets.items():
        for arm, slope in arms.items():
            student = digits.train(digits.new(STUDENT), rows, slope, rate=3e-3, epochs=epochs)
            right = digits.right(student, "test")
            scores = [round(float(one.mean()), 4) for one in (right, right[threes])]
            found[f"{name}, {arm}"] = [*scores, digits.score(student, "validation")]
        temperatures = [found[f"{name}, teacher, temperature {one:g}"] for one in TEMPERATURES]
        found[f"{name}, teacher"] = max(temperatures, key=lambda scores: scores[-1])
    return found | {"weights": [digits.network.count(), student.count()]}


def adapting(measure: compare.Measurement) -> dict:
    """For each arm: numbers that learn, the best rate, and the scores in the second and the first office."""
    digits = Digits(measure)
    few = np.random.default_rng(ROUND).permutation(digits.parts["second later"])[:FEW]
    whole = digits.network
    found = {"before": [0, 0, digits.score(whole, "second test"), digits.score(whole)]}
    last = whole.depth - 1
    arms = {
        "all weights": lambda network: list(network.weights),
        "last layer": lambda network: [f"W{last}", f"b{last}"],
        "biases": lambda network: [name for name in network.weights if name[0] == "b"],
        **{f"rank {rank}": lambda network, rank=rank: network.add_pairs(rank) for rank in RANKS},
        "from nothing": lambda network: list(network.weights),
    }
    for arm, choose in arms.items():
        tried = []
        for rate in RATES:
            network = digits.new(SIZES) if arm == "from nothing" else whole.copy()
            learn = choose(network)
            numbers = sum(network.weights[name].size for name in learn)
            options = {"epochs": FEW_STEPS // 2, "batch": FEW // 2, "learn": learn}
            digits.train(network, few, rate=rate, **options)
            chosen_by, *scores = (digits.score(network, p) for p in ("second next", "second test", "test"))
            tried.append((chosen_by, -rate, [numbers, rate, *scores]))
        found[arm] = max(tried)[-1]
    return found


WAYS = {"pruning": pruning, "teaching": teaching, "adapting": adapting}

if __name__ == "__main__":
    compare.main(WAYS, "pruning", "trainings", ("numpy",))
