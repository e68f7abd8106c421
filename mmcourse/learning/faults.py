"""Ten faults of training, each made on purpose by one change to a sound one (notebook 42).

A :class:`Recipe` says how a small network learns to read handwritten digits. :data:`FAULTS` holds ten recipes
that differ from :data:`SOUND` in one field each. What they leave behind are curves, and eight numbers that
can be asked for besides.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from mmcourse import store
from mmcourse.checks import check_between, check_count, check_positive
from mmcourse.data import digits
from mmcourse.learning import training

EVERY = 20  # steps between two points of a curve
CURVES = ("loss", "validation_loss", "accuracy", "validation_accuracy")
# What can be asked besides, and what it means.
NUMBERS = {
    "first loss": "of the first batch, before any step",
    "gradient": "length of the first layer's, in the first batch",
    "step": "length of the first layer's first step, as a share of its weights",
    "training": "share of all training digits read correctly in the end",
    "validation": "share of the validation digits read correctly in the end",
    "test": "share of the 1,000 test digits read correctly in the end",
    "noisy": "share of the test digits read correctly under noise of half the range of a pixel",
    "one answer": "share of the validation digits that get the most frequent answer",
}


@dataclass(frozen=True)
class Recipe:
    """How a network learns to read digits. The defaults are sound.

    Attributes:
        digits: how many of the 3,500 training digits are drawn, at least ``batch``.
        steps: updates, a multiple of :data:`EVERY`.
        batch: digits of a batch.
        rate: learning rate of Adam.
        hidden: units of each hidden layer.
        dropout: share of the hidden units that are dropped while training.
        shuffled: whether every epoch has an order of its own; else the digits come sorted, 0 to 9.
        paired: whether labels belong to their images; else they are permuted.
        scaled: whether pixels run from 0 to 1; else to 255.
        probabilities: whether the network ends in a softmax, although the loss expects logits.
        zeros: whether all weights begin at 0.
        leak: whether the validation digits are among those of training.
        one_batch: whether the loader gives its first batch again and again.
        momentum: of the averages of a batch normalisation after each hidden layer; 0 for no such layer.
        frozen: whether the hidden layers keep the weights that they begin with.
        weight_decay: of AdamW, which is Adam for 0.
        smoothing: share of each label that is spread over all ten digits.
        moved: pixels by which training images are moved at most, in both directions.
        depth: hidden layers.
        residual: whether every hidden layer but the first adds its input to its output.
        noise: standard deviation of the noise added to the pixels of training, as a share of their range.
        restored: whether the network goes back to its lowest validation loss in the end.
    """

    digits: int = 1000
    steps: int = 400
    batch: int = 50
    rate: float = 2e-3
    hidden: int = 64
    dropout: float = 0.3
    shuffled: bool = True
    paired: bool = True
    scaled: bool = True
    probabilities: bool = False
    zeros: bool = False
    leak: bool = False
    one_batch: bool = False
    momentum: float = 0.0
    frozen: bool = False
    weight_decay: float = 0.0
    smoothing: float = 0.0
    moved: int = 0
    depth: int = 2
    residual: bool = False
    noise: float = 0.0
    restored: bool = False

    def __post_init__(self):
        check_count("batch", self.batch)
        check_count("hidden", self.hidden)
        check_count("depth", self.depth)
        check_count("steps", self.steps, EVERY)
        check_count("moved", self.moved, 0)
        check_count("digits", self.digits, self.batch)
        check_positive("rate", self.rate)
        for name, most in (("dropout", 0.9), ("momentum", 0.9999), ("smoothing", 0.9)):
            check_between(name, getattr(self, name), 0, most)
        check_between("weight_decay", self.weight_decay, 0)
        check_between("noise", self.noise, 0)
        if self.digits > 3500:
            raise ValueError(f"digits must be at most 3500 (the training split), got {self.digits}")
        if self.steps % EVERY:
            raise ValueError(f"steps must be a multiple of {EVERY}, a point of the curve; got {self.steps}")

    def changes(self, other: "Recipe") -> list[str]:
        """The fields in which two recipes differ."""
        return [f.name for f in fields(self) if getattr(self, f.name) != getattr(other, f.name)]


SOUND = Recipe()
FAULTS = {
    "rate too high": replace(SOUND, rate=0.1),
    "rate too low": replace(SOUND, rate=3e-6),
    "not shuffled": replace(SOUND, shuffled=False),
    "labels out of step": replace(SOUND, paired=False),
    "input not scaled": replace(SOUND, scaled=False),
    "too few digits": replace(SOUND, digits=50),
    "validation leaked": replace(SOUND, leak=True),
    "softmax twice": replace(SOUND, probabilities=True),
    "weights all zero": replace(SOUND, zeros=True),
    "one batch for ever": replace(SOUND, one_batch=True),
}

# The cases of the exercise: letter -> what it is, and the number that is told besides its curves.
CASES = {
    "A": ("input not scaled", "first loss"),
    "B": ("too few digits", "training"),
    "C": ("weights all zero", "gradient"),
    "D": ("sound", "test"),
    "E": ("one batch for ever", "training"),
    "F": ("validation leaked", "test"),
}
CASES_SEED = 3


@dataclass(frozen=True)
class Run:
    """What a training left behind.

    Attributes:
        curves: name of :data:`CURVES` -> ``float64`` ``(steps / EVERY,)``. Loss and accuracy of training are
            means over the batches since the last point, in training mode, as Keras reports them.
        numbers: name of :data:`NUMBERS` -> what was measured.
    """

    curves: dict[str, np.ndarray]
    numbers: dict[str, float]


def network(recipe: Recipe) -> keras.Model:
    """The network of a recipe: pixels ``(batch, 784)`` to 10 logits, or probabilities, ``(batch, 10)``."""
    start = "zeros" if recipe.zeros else "glorot_uniform"
    flow = pixels = keras.Input((784,))
    for number in range(recipe.depth):
        dense = layers.Dense(recipe.hidden, "relu", kernel_initializer=start, trainable=not recipe.frozen)
        flow = dense(flow) + flow if recipe.residual and number else dense(flow)
        if recipe.momentum:
            flow = layers.BatchNormalization(momentum=recipe.momentum)(flow)
        if recipe.dropout:
            flow = layers.Dropout(recipe.dropout)(flow)
    flow = layers.Dense(10, kernel_initializer=start)(flow)
    return keras.Model(pixels, layers.Softmax()(flow) if recipe.probabilities else flow)


def cross_entropy(outputs, labels, smoothing: float = 0.0):
    """Mean cross-entropy of outputs that are taken for logits ``(batch, 10)``, and labels ``(batch,)``.

    Keras's own loss looks where its input comes from, and leaves out a second softmax where it can.
    """
    wanted = ops.one_hot(labels, 10) * (1 - smoothing) + smoothing / 10  # (batch, 10)
    return -ops.mean(ops.sum(wanted * ops.log_softmax(outputs), axis=-1))


def train(recipe: Recipe, seed: int = 0) -> Run:
    """Train as a recipe says, which takes about a second.

    Args:
        recipe: how.
        seed: of the drawn digits, the initial weights, the order of the batches and the dropout.
    """
    training.set_seed(seed)
    random = np.random.default_rng(seed)
    parts = {name: _pixels(name, recipe.scaled) for name in digits.SPLITS}
    batches = _batches(recipe, parts, random)
    images, labels = next(batches)
    model = network(recipe)
    optimizer = keras.optimizers.AdamW(recipe.rate, weight_decay=recipe.weight_decay)
    optimizer.build(model.trainable_variables)

    @tf.function(reduce_retracing=True)
    def step(pixels, wanted):
        with tf.GradientTape() as tape:
            outputs = model(pixels, training=True)  # forward
            loss = cross_entropy(outputs, wanted, recipe.smoothing)
        gradients = tape.gradient(loss, model.trainable_variables)  # backward
        optimizer.apply(gradients, model.trainable_variables)  # step
        first = ops.zeros(()) if recipe.frozen else ops.norm(gradients[0])
        return loss, _share(outputs, wanted), first

    @tf.function(reduce_retracing=True)
    def judge(pixels, wanted, mode):
        outputs = model(pixels, training=mode)
        most = ops.max(ops.mean(ops.one_hot(ops.argmax(outputs, -1), 10), axis=0))
        return cross_entropy(outputs, wanted), _share(outputs, wanted), most

    before, best, kept, points, found = model.get_weights(), np.inf, None, [], []
    for number, (pixels, wanted) in zip(range(1, recipe.steps + 1), batches, strict=False):
        found.append([float(value) for value in step(pixels, wanted)])
        if number == 1:
            first_loss, _, gradient = found[0]
            moved = np.linalg.norm(model.get_weights()[0] - before[0])
        if number % EVERY == 0:
            loss, share, _ = (float(value) for value in judge(*parts["validation"], False))
            points.append([*np.mean(found, axis=0)[:2], loss, share])
            found = []
            if loss < best:
                best, kept = loss, model.get_weights()
    if recipe.restored and kept is not None:
        model.set_weights(kept)
    length = np.linalg.norm(before[0])
    numbers = {
        "first loss": first_loss,
        "gradient": gradient,
        "step": float(moved / length) if length else float(moved > 0),
        "training": float(judge(images, labels, False)[1]),
        "validation": float(judge(*parts["validation"], False)[1]),
        "test": float(judge(*parts["test"], False)[1]),
        "noisy": float(judge(_noisy(parts["test"][0], recipe, 0.5, random), parts["test"][1], False)[1]),
        "one answer": float(judge(*parts["validation"], False)[2]),
    }
    loss, accuracy, validation_loss, validation_accuracy = np.transpose(points)
    curves = (loss, validation_loss, accuracy, validation_accuracy)
    return Run(dict(zip(CURVES, curves, strict=True)), numbers)


def gallery(
    names: Sequence[str] = ("sound", *FAULTS), seeds: Sequence[int] = (0, 1, 2)
) -> dict[str, list[Run]]:
    """Runs of the sound recipe and of the faults: name -> one run for each seed. They are made once and kept.

    Raises:
        ValueError: there is no such fault.
    """
    unknown = sorted(set(names) - {"sound", *FAULTS})
    if unknown:
        raise ValueError(f"unknown fault {unknown[0]!r}; expected some of: sound, {', '.join(FAULTS)}")
    return {name: trainings(FAULTS.get(name, SOUND), seeds) for name in names}


def seeds_alone(seeds: Sequence[int] = range(20)) -> list[Run]:
    """Runs of the sound recipe with all 3,500 training digits, which differ in nothing but the seed."""
    return trainings(replace(SOUND, digits=3500), seeds)


def prepare() -> None:
    """Make all runs that the notebook shows, about a minute of work, unless they are kept."""
    gallery()
    gallery([name for name, _ in CASES.values()], [CASES_SEED])
    seeds_alone()


def trainings(recipe: Recipe, seeds: Sequence[int]) -> list[Run]:
    """Runs of one recipe, one for each seed, made once and kept in the cache folder."""
    return [_kept(recipe, int(seed)) for seed in seeds]


def _kept(recipe: Recipe, seed: int) -> Run:
    """The run of a recipe with a seed, made unless it is kept."""

    def build() -> dict[str, np.ndarray]:
        run = train(recipe, seed)
        return {**run.curves, "numbers": np.array([run.numbers[name] for name in NUMBERS])}

    found = store.arrays("training-run", [__name__], build, {"recipe": asdict(recipe), "seed": seed})
    numbers = dict(zip(NUMBERS, found["numbers"].tolist(), strict=True))
    return Run({name: found[name] for name in CURVES}, numbers)


def _pixels(split: str, scaled: bool) -> tuple[np.ndarray, np.ndarray]:
    """Pixels ``float32`` ``(digits, 784)`` and labels ``int64`` ``(digits,)``."""
    images, labels = digits.load().part(split)
    return images.reshape(len(images), -1).astype("float32") / (255 if scaled else 1), labels.astype("int64")


def _batches(recipe: Recipe, parts: dict, random: np.random.Generator) -> Iterator:
    """All training digits with their labels, and then batches without end."""
    chosen = random.permutation(len(parts["train"][0]))[: recipe.digits]
    images, labels = (both[chosen] for both in parts["train"])
    if not recipe.paired:
        labels = random.permutation(labels)
    if recipe.leak:
        ours, theirs = (images, labels), parts["validation"]
        images, labels = (np.concatenate(both) for both in zip(ours, theirs, strict=True))
    yield images, labels
    size = recipe.batch
    while True:
        order = random.permutation(len(images)) if recipe.shuffled else np.argsort(labels, kind="stable")
        for first in range(0, len(images) - size + 1, size):
            rows = np.arange(size) if recipe.one_batch else order[first : first + size]
            pixels = _moved(images[rows], recipe.moved, random)
            yield _noisy(pixels, recipe, recipe.noise, random), labels[rows]


def _moved(pixels: np.ndarray, most: int, random: np.random.Generator) -> np.ndarray:
    """Each image moved by its own number of pixels, at most ``most`` in both directions."""
    if not most:
        return pixels
    pictures = pixels.reshape(-1, digits.SIZE, digits.SIZE)
    ways = random.integers(-most, most + 1, size=(len(pictures), 2))
    rolled = [np.roll(picture, way, axis=(0, 1)) for picture, way in zip(pictures, ways, strict=True)]
    return np.reshape(rolled, pixels.shape)


def _noisy(pixels: np.ndarray, recipe: Recipe, deviation: float, random: np.random.Generator) -> np.ndarray:
    """Pixels with normal noise, whose deviation is a share of their range."""
    if not deviation:
        return pixels
    scale = deviation * (1 if recipe.scaled else 255)
    return pixels + random.normal(0, scale, pixels.shape).astype("float32")


def _share(outputs, labels):
    """The share of right answers."""
    return ops.mean(ops.cast(ops.argmax(outputs, -1) == ops.cast(labels, "int32"), "float32"))
