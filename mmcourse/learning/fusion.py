"""Two modalities, one answer: ways to fuse a picture and a sound (notebook 47).

The data are handwritten and spoken digits, paired inside their splits and made hard by noise. Every model is
two encoders, which are the same for all, and a fusion; :data:`FUSIONS` names them. Each has about the same
number of weights, and is trained for the same number of steps.

Sources: Baltrušaitis et al. (2019) for early and late fusion; Arevalo et al. (2017) for the gate;
Zadeh et al. (2017) and Liu et al. (2018) for the tensor and its low rank; Vaswani et al. (2017) for
attention; Gilmer et al. (2017) for messages in a graph; Neverova et al. (2016) for modality dropout;
Dietterich (2000) for ensembles.
"""

import functools
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import keras
import numpy as np
from keras import ops

from mmcourse import checks
from mmcourse.data import digits, spoken_digits
from mmcourse.layers.attention import CrossAttention

SIDE, FRAMES = 14, 32
SHAPES = {"image": (SIDE, SIDE), "sound": (FRAMES, spoken_digits.COEFFICIENTS + 1)}
MODALITIES = tuple(SHAPES)
# What is asked about the digit that is seen and the digit that is heard -> number of answers.
TASKS = {"digit": 10, "sum above nine": 2, "sum even": 2}
NOISE = {"image": 0.6, "sound": 2.0}  # the largest standard deviation of the noise
EXAMPLES = {"train": 1000, "validation": 900, "test": 900}
RATES = (2e-3, 5e-3, 1e-2)
EPOCHS, BATCH = 20, 100

# Width of the features, and of the fusion: chosen so that all have about the same number of weights.
FUSIONS = {
    "image": (40, 108),
    "sound": (60, 44),
    "early": (55, 55),
    "late": (32, 69),
    "concatenation": (32, 80),
    "gated": (32, 42),
    "bilinear": (32, 79),
    "attention": (32, 24),
    "graph": (32, 24),
}


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pictures and sounds that belong together.

    Attributes:
        inputs: "image", ``float32`` ``(pairs, 14, 14)``, ink 1 and paper 0 before the noise; "sound",
            ``float32`` ``(pairs, 32, 14)``: 13 standardised coefficients, and 1 where a frame is real.
        labels: the answer to the task, ``int64`` ``(pairs,)``.
        digits: name of a modality -> the digit that it shows, ``int64`` ``(pairs,)``.
        rows: name of a modality -> the row in its data set, ``int64`` ``(pairs,)``.
        noise: name of a modality -> the standard deviation of its noise in each pair, ``(pairs,)``.
    """

    inputs: dict[str, np.ndarray]
    labels: np.ndarray
    digits: dict[str, np.ndarray]
    rows: dict[str, np.ndarray]
    noise: dict[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.labels)


def make_pairs(
    split: str,
    count: int | None = None,
    task: str = "digit",
    seed: int = 0,
    noise: Mapping[str, float | Sequence[float]] | None = None,
    contradict: bool = False,
) -> Pairs:
    """Draw pairs of a picture and a recording, both of one split, so that no half is in two splits.

    In the task "digit" both halves show the same digit. In the others the two digits are drawn apart. Every
    recording and every picture is used about equally often. Each half gets Gaussian noise whose standard
    deviation is drawn for each pair, evenly between 0 and the largest; it is drawn once, so that a pair
    looks the same in every epoch.

    Args:
        split: "train", "validation" or "test".
        count: how many pairs; a multiple of 10. :data:`EXAMPLES` by default.
        task: of :data:`TASKS`.
        seed: of the pairs and the noise.
        noise: modality -> the largest standard deviation, or ``(least, largest)``; :data:`NOISE` for those
            that it does not name.
        contradict: in the task "digit", show another digit than is heard; the labels are those of the image.

    Raises:
        ValueError: there is no such split, task or modality, ``count`` is not a positive multiple of 10, or a
            noise is below 0 or its largest below its least.
    """
    if split not in EXAMPLES or task not in TASKS:
        raise ValueError(
            f"split must be one of {', '.join(EXAMPLES)} and task one of {', '.join(TASKS)}, "
            f"got {split!r} and {task!r}"
        )
    count = checks.check_count("count", EXAMPLES[split] if count is None else count, 10)
    if count % 10:
        raise ValueError(
            f"count must be a multiple of 10, so that each digit is equally frequent, got {count}"
        )
    levels = NOISE | dict(noise or {})
    if set(levels) != set(MODALITIES):
        raise ValueError(f"noise is given for {', '.join(MODALITIES)}, got {', '.join(levels)}")
    draw = np.random.default_rng([seed, list(EXAMPLES).index(split), list(TASKS).index(task)])
    heard = draw.permutation(np.repeat(np.arange(10), count // 10))
    if task != "digit":
        seen = draw.permutation(heard)
    else:
        seen = (heard + draw.integers(1, 10, count)) % 10 if contradict else heard
    shown = {"image": seen, "sound": heard}
    pictures, speech = digits.load(), spoken_digits.load()
    rows = {
        "image": _draw(pictures.labels, pictures.split(split), seen, draw),
        "sound": _draw(speech.digits, speech.split(split), heard, draw),
    }
    drawn = {}
    image = _small(pictures.images[rows["image"]])
    frames, real = speech.padded(rows["sound"], FRAMES)
    for name, given in levels.items():
        least, most = (0.0, given) if isinstance(given, int | float) else given
        checks.check_between(f"the noise of {name!r}", least, 0)
        checks.check_between(f"the noise of {name!r}", most, least)
        drawn[name] = draw.uniform(least, most, count)
    image = image + drawn["image"][:, None, None] * draw.normal(size=image.shape)
    frames = frames + drawn["sound"][:, None, None] * draw.normal(size=frames.shape)
    sound = np.concatenate([frames * real[..., None], real[..., None]], axis=-1)
    inputs = {"image": image.astype(np.float32), "sound": sound.astype(np.float32)}
    labels = {"digit": seen, "sum above nine": seen + heard > 9, "sum even": (seen + heard) % 2 == 0}[task]
    return Pairs(inputs, labels.astype(np.int64), shown, rows, drawn)


def _draw(labels: np.ndarray, rows: np.ndarray, wanted: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """A row of the split for each wanted digit; a row comes again only when all of its digit have come."""
    chosen = np.empty(len(wanted), dtype=np.int64)
    for digit in np.unique(wanted):
        places, of_digit = np.flatnonzero(wanted == digit), rows[labels[rows] == digit]
        rounds = -(-len(places) // len(of_digit))
        drawn = np.concatenate([draw.permutation(of_digit) for _ in range(rounds)])
        chosen[places] = drawn[: len(places)]
    return chosen


def _small(images: np.ndarray) -> np.ndarray:
    """Half the resolution: means of 2 by 2 pixels, ``(pictures, 14, 14)``, from 0 to 1."""
    return images.reshape(-1, SIDE, 2, SIDE, 2).mean(axis=(2, 4)) / 255


@keras.saving.register_keras_serializable("mmcourse")
class Encoder(keras.layers.Layer):
    """A picture or a sound to tokens ``(batch, tokens, width)``: two convolutions of stride 2, and a place.

    A picture ``(batch, 14, 14)`` gives 16 tokens, a sound ``(batch, 32, 14)`` gives 8. :meth:`features`
    turns tokens, changed or not, into one vector ``(batch, width)``.

    Raises:
        ValueError: there is no such modality.
    """

    def __init__(self, modality: str, width: int, **kwargs):
        super().__init__(**kwargs)
        if modality not in SHAPES:
            raise ValueError(f"modality must be one of {', '.join(SHAPES)}, got {modality!r}")
        self.modality, self.width = modality, width
        convolution = keras.layers.Conv2D if modality == "image" else keras.layers.Conv1D
        self.first = convolution(width // 2, 3, 2, "same", activation="gelu", name="first")
        self.second = convolution(width, 3, 2, "same", activation="gelu", name="second")
        self.project = keras.layers.Dense(width, activation="gelu", name="project")
        self.tokens = 16 if modality == "image" else FRAMES // 4

    def build(self, shape):
        self.first.build((*shape, 1) if self.modality == "image" else shape)
        self.second.build((*(None,) * (len(shape) - (self.modality == "sound")), self.width // 2))
        self.place = self.add_weight(
            shape=(self.tokens, self.width),
            initializer=keras.initializers.RandomNormal(stddev=0.02),
            name="place",
        )
        self.project.build((None, self.tokens * self.width))

    def get_config(self):
        return {**super().get_config(), "modality": self.modality, "width": self.width}

    def call(self, inputs):
        inputs = ops.expand_dims(inputs, -1) if self.modality == "image" else inputs
        maps = self.second(self.first(inputs))
        return ops.reshape(maps, (-1, self.tokens, self.width)) + self.place

    def features(self, tokens):
        """Tokens ``(batch, tokens, width)`` to one vector ``(batch, width)``."""
        return self.project(ops.reshape(tokens, (-1, self.tokens * self.width)))


@keras.saving.register_keras_serializable("mmcourse")
class Late(keras.layers.Layer):
    """Each modality gives logits of its own; their mean is the answer."""

    def __init__(self, width: int, classes: int, **kwargs):
        super().__init__(**kwargs)
        self.width, self.classes = width, classes
        self.heads = {name: _head(width, classes, name) for name in MODALITIES}

    def build(self, image_shape, sound_shape):
        for head, shape in zip(self.heads.values(), (image_shape, sound_shape), strict=True):
            head.build(shape)

    def get_config(self):
        return {**super().get_config(), "width": self.width, "classes": self.classes}

    def call(self, image, sound):
        return (self.heads["image"](image) + self.heads["sound"](sound)) / 2


@keras.saving.register_keras_serializable("mmcourse")
class Concatenation(keras.layers.Layer):
    """Both vectors side by side, into a network with one hidden layer of ``width``."""

    def __init__(self, width: int, classes: int, **kwargs):
        super().__init__(**kwargs)
        self.width, self.classes = width, classes
        self.head = _head(width, classes, "head")

    def build(self, *shapes):
        self.head.build((None, sum(shape[-1] for shape in shapes)))

    def get_config(self):
        return {**super().get_config(), "width": self.width, "classes": self.classes}

    def call(self, *vectors):
        return self.head(ops.concatenate(vectors, axis=-1))


@keras.saving.register_keras_serializable("mmcourse")
class Gated(keras.layers.Layer):
    """A mixture, unit by unit: ``g * tanh(U x) + (1 - g) * tanh(V y)`` with ``g = sigmoid(W [x; y])``."""

    def __init__(self, width: int, classes: int, **kwargs):
        super().__init__(**kwargs)
        self.width, self.classes = width, classes
        self.project = {name: keras.layers.Dense(width, activation="tanh", name=name) for name in MODALITIES}
        self.gate = keras.layers.Dense(width, activation="sigmoid", name="gate")
        self.answer = keras.layers.Dense(classes, dtype="float32", name="answer")

    def build(self, image_shape, sound_shape):
        for project, shape in zip(self.project.values(), (image_shape, sound_shape), strict=True):
            project.build(shape)
        self.gate.build((None, image_shape[-1] + sound_shape[-1]))
        self.answer.build((None, self.width))

    def get_config(self):
        return {**super().get_config(), "width": self.width, "classes": self.classes}

    def opening(self, image, sound):
        """The gate ``(batch, width)``: 1 lets the picture through, 0 the sound."""
        return self.gate(ops.concatenate([image, sound], axis=-1))

    def call(self, image, sound):
        gate = self.opening(image, sound)
        seen, heard = self.project["image"](image), self.project["sound"](sound)
        return self.answer(gate * seen + (1 - gate) * heard)


@keras.saving.register_keras_serializable("mmcourse")
class Bilinear(keras.layers.Layer):
    """All products of a number here and a number there, by ``width`` pairs of projections.

    The full tensor of ``[x; 1]`` and ``[y; 1]`` has a weight for each product and each answer. Here it has
    the rank ``width``: ``A ((U x + u) * (V y + v))``, which a test holds equal to that tensor.
    """

    def __init__(self, width: int, classes: int, **kwargs):
        super().__init__(**kwargs)
        self.width, self.classes = width, classes
        self.project = {name: keras.layers.Dense(width, name=name) for name in MODALITIES}
        self.answer = keras.layers.Dense(classes, dtype="float32", name="answer")

    def build(self, image_shape, sound_shape):
        for project, shape in zip(self.project.values(), (image_shape, sound_shape), strict=True):
            project.build(shape)
        self.answer.build((None, self.width))

    def get_config(self):
        return {**super().get_config(), "width": self.width, "classes": self.classes}

    def call(self, image, sound):
        return self.answer(self.project["image"](image) * self.project["sound"](sound))


@keras.saving.register_keras_serializable("mmcourse")
class Messages(keras.layers.Layer):
    """One round of messages in a graph: ``h + gelu(S h + M · mean of the neighbours' h)``.

    Args:
        neighbours: ``(nodes, nodes)``, the row's node hears the column's where it is 1.
    """

    def __init__(self, neighbours, **kwargs):
        super().__init__(**kwargs)
        self.neighbours = np.asarray(neighbours, dtype=np.float32)
        self.mean = self.neighbours / np.maximum(self.neighbours.sum(axis=1, keepdims=True), 1)

    def build(self, shape):
        self.own = keras.layers.Dense(shape[-1], name="own")
        self.message = keras.layers.Dense(shape[-1], use_bias=False, name="message")
        self.own.build(shape)
        self.message.build(shape)

    def get_config(self):
        return {**super().get_config(), "neighbours": self.neighbours.tolist()}

    def call(self, nodes):
        heard = ops.matmul(ops.cast(self.mean, nodes.dtype), nodes)  # (batch, nodes, width)
        return nodes + ops.gelu(self.own(nodes) + self.message(heard))


def neighbours(side: int = 4, pieces: int = FRAMES // 4) -> np.ndarray:
    """The graph: patches that touch, pieces of sound in sequence, and every patch with every piece.

    Returns:
        Symmetric, ``float32`` ``(side² + pieces, side² + pieces)``, without loops; patches come first.
    """
    row, column = np.divmod(np.arange(side * side), side)
    touch = abs(row[:, None] - row) + abs(column[:, None] - column) == 1
    order = abs(np.arange(pieces)[:, None] - np.arange(pieces)) == 1
    across = np.ones((side * side, pieces))
    return np.block([[touch, across], [across.T, order]]).astype(np.float32)


def _head(width: int, classes: int, name: str) -> keras.Sequential:
    return keras.Sequential(
        [
            keras.layers.Dense(width, activation="gelu", name="hidden"),
            keras.layers.Dense(classes, dtype="float32", name="answer"),
        ],
        name=name,
    )


@keras.saving.register_keras_serializable("mmcourse")
class FusionModel(keras.Model):
    """Two encoders and a fusion: a dictionary of inputs to logits ``(batch, classes)``.

    A modality that is not in the dictionary is missing, and learned tokens stand in its place. Where it was
    never missing in training, they are still zero.

    Args:
        fusion: of :data:`FUSIONS`. "image" and "sound" use one modality; "early" joins the raw numbers.
        classes: number of answers.
        modality_dropout: in training, the chance that a modality of an example is taken away; never both.
        dropout: of the features.

    Raises:
        ValueError: there is no such fusion; ``modality_dropout`` is not from 0 to 0.5; when called: the
            inputs hold no modality, or one that is unknown.
    """

    def __init__(
        self, fusion: str, classes: int = 10, modality_dropout: float = 0.0, dropout: float = 0.3, **kwargs
    ):
        super().__init__(**kwargs)
        if fusion not in FUSIONS:
            raise ValueError(f"fusion must be one of {', '.join(FUSIONS)}, got {fusion!r}")
        checks.check_between("modality_dropout", modality_dropout, 0, 0.5)
        self.fusion, self.classes, self.modality_dropout = fusion, classes, modality_dropout
        width, size = FUSIONS[fusion]
        self.uses = (fusion,) if fusion in MODALITIES else MODALITIES
        self.regularise = keras.layers.Dropout(dropout)
        self.draw = keras.random.SeedGenerator()
        self.encoders = {}
        if fusion == "early":
            self.body = keras.layers.Dense(width, activation="gelu", name="body")
        else:
            self.encoders = {name: Encoder(name, width, name=f"{name}_encoder") for name in self.uses}
        if fusion == "attention":
            self.look = CrossAttention(4, width, name="look")
        if fusion == "graph":
            self.rounds = [Messages(neighbours(), name=f"messages{number}") for number in (1, 2)]
        kinds: dict[str, type[keras.layers.Layer]] = {"late": Late, "gated": Gated, "bilinear": Bilinear}
        self.join = kinds.get(fusion, Concatenation)(size, classes, name="join")

    def get_config(self):
        own = {"fusion": self.fusion, "classes": self.classes, "modality_dropout": self.modality_dropout}
        return {**super().get_config(), **own, "dropout": self.regularise.rate}

    def build(self, shapes=None):
        shapes = {name: (None, *SHAPES[name]) for name in self.uses}
        width, _ = FUSIONS[self.fusion]
        self.absent = {}
        for name, shape in shapes.items():
            missing = (self.encoders[name].tokens, width) if self.encoders else shape[1:]
            self.absent[name] = self.add_weight(
                shape=missing,
                initializer="zeros",
                trainable=self.modality_dropout > 0,
                name=f"absent_{name}",
            )
            if self.encoders:
                self.encoders[name].build(shape)
        if self.fusion == "early":
            self.body.build((None, sum(int(np.prod(SHAPES[name])) for name in self.uses)))
            self.join.build((None, width))
            return
        if self.fusion == "attention":
            self.look.build((None, None, width), (None, None, width))
        for layer in getattr(self, "rounds", ()):
            layer.build((None, None, width))
        self.join.build(*((None, width) for _ in self.uses))

    def tokens(self, inputs: Mapping, training: bool = False) -> dict:
        """Modality -> tokens ``(batch, tokens, width)``; those of "early" are its raw numbers."""
        unknown = set(inputs) - set(MODALITIES)
        if unknown or not inputs:
            raise ValueError(f"inputs hold {' or '.join(MODALITIES)}, or both, got {sorted(inputs)}")
        batch = ops.shape(next(iter(inputs.values())))[0]
        drops = training and self.modality_dropout > 0
        chance = keras.random.uniform((batch, 1, 1), seed=self.draw) if drops else None
        found = {}
        for place, name in enumerate(self.uses):
            absent = ops.broadcast_to(self.absent[name], (batch, *self.absent[name].shape))
            if name not in inputs:
                found[name] = absent
                continue
            found[name] = self.encoders[name](inputs[name]) if self.encoders else inputs[name]
            if drops:  # the first modality below the chance, the second in the interval above it
                start = place * self.modality_dropout
                gone = (chance >= start) & (chance < start + self.modality_dropout)
                found[name] = ops.where(gone, absent, found[name])
        return found

    def features(self, inputs: Mapping, training: bool = False) -> dict:
        """Modality -> vector ``(batch, width)``, after the two have looked at each other if they do so."""
        tokens = self.tokens(inputs, training)
        if self.fusion == "attention":
            image, sound = tokens["image"], tokens["sound"]
            tokens = {"image": image + self.look(image, sound), "sound": sound + self.look(sound, image)}
        if self.fusion == "graph":
            nodes = ops.concatenate([tokens["image"], tokens["sound"]], axis=1)  # (batch, 24, width)
            for messages in self.rounds:
                nodes = messages(nodes)
            patches = self.encoders["image"].tokens
            tokens = {"image": nodes[:, :patches], "sound": nodes[:, patches:]}
        return {name: self.encoders[name].features(one) for name, one in tokens.items()}

    def call(self, inputs, training=False):
        if self.fusion == "early":
            raw = self.tokens(inputs, training)
            flat = [ops.reshape(one, (-1, int(np.prod(SHAPES[name])))) for name, one in raw.items()]
            vectors = [self.body(ops.concatenate(flat, axis=-1))]
        else:
            vectors = list(self.features(inputs, training).values())
        return self.join(*(self.regularise(vector, training=training) for vector in vectors))


def train(
    fusion: str,
    pairs: Pairs,
    rate: float,
    classes: int = 10,
    modality_dropout: float = 0.0,
    epochs: int = EPOCHS,
) -> FusionModel:
    """Train a model for a fixed number of steps, with Adam and a rate that falls along half a cosine.

    Raises:
        ValueError: of :class:`FusionModel`, or the rate is not positive.
    """
    checks.check_positive("rate", rate)
    checks.check_count("epochs", epochs)
    model = FusionModel(fusion, classes, modality_dropout)
    model.build()
    trainer = _trainer(fusion, classes, modality_dropout)
    trainer.set_weights(model.get_weights())
    for old, new in zip(_random_states(trainer), _random_states(model), strict=True):
        old.assign(new)
    for variable in trainer.optimizer.variables:
        variable.assign(ops.zeros_like(variable))
    fall = keras.optimizers.schedules.CosineDecay(rate, epochs)
    schedule = keras.callbacks.LearningRateScheduler(lambda epoch, _: float(fall(epoch)))
    batch = min(BATCH, len(pairs))
    trainer.fit(pairs.inputs, pairs.labels, batch_size=batch, epochs=epochs, verbose=0, callbacks=[schedule])
    model.set_weights(trainer.get_weights())
    return model


def best(
    fusion: str,
    pairs: Pairs,
    validation: Pairs,
    rates: Sequence[float] = RATES,
    classes: int = 10,
    modality_dropout: float = 0.0,
    epochs: int = EPOCHS,
) -> tuple[FusionModel, float]:
    """Train with each learning rate, from new weights; the model that does best on the validation set.

    Returns:
        The model and its learning rate. Of equally good rates the first is taken.

    Raises:
        ValueError: there is no rate, or as in :func:`train`.
    """
    if not rates:
        raise ValueError("rates must hold at least one learning rate")
    found = [(train(fusion, pairs, rate, classes, modality_dropout, epochs), rate) for rate in rates]
    return max(found, key=lambda one: score(one[0], validation))


@functools.lru_cache(maxsize=16)
def _trainer(fusion: str, classes: int, modality_dropout: float) -> FusionModel:
    """A compiled model that :func:`train` fills with new weights each time: compiling takes the longest."""
    state = random.getstate()
    model = FusionModel(fusion, classes, modality_dropout)
    model.build()
    random.setstate(state)  # Keras draws its seeds there: whether a trainer was kept must not decide a weight
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(), loss, jit_compile=False, steps_per_execution=10)
    model.optimizer.build(model.trainable_variables)
    return model


def _random_states(model: keras.Model) -> list:
    return [variable for variable in model.variables if variable.name == "seed_generator_state"]


def score(model: FusionModel, pairs: Pairs) -> float:
    """The share of pairs that are answered right."""
    return float((logits(model, pairs.inputs).argmax(axis=1) == pairs.labels).mean())


def logits(model: FusionModel, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
    """The logits of all pairs in one pass, ``float32`` ``(pairs, classes)``."""
    return ops.convert_to_numpy(model({name: ops.convert_to_tensor(one) for name, one in inputs.items()}))


def probabilities(given: np.ndarray) -> np.ndarray:
    """Softmax of logits along the last axis."""
    powers = np.exp(given - given.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def ensemble(members: Sequence[np.ndarray], rule: str = "mean") -> np.ndarray:
    """The answer of models that were trained apart: an ensemble (Dietterich, 2000).

    Args:
        members: probabilities ``(rows, classes)`` of each.
        rule: "mean" of the probabilities, or "product", scaled to sum to 1, which is right where the members'
            inputs are independent once the class is known and all classes are equally frequent.

    Raises:
        ValueError: there is no member or no such rule, or their shapes differ.
    """
    if rule not in ("mean", "product") or not len(members):
        raise ValueError(f'rule must be "mean" or "product" and there must be a member, got {rule!r}')
    shapes = {np.shape(one) for one in members}
    if len(shapes) > 1:
        raise ValueError(f"members must have one shape, got {sorted(shapes)}")
    stacked = np.asarray(members, dtype=np.float64)
    if rule == "mean":
        return stacked.mean(axis=0)
    return probabilities(np.log(np.maximum(stacked, 1e-30)).sum(axis=0))
