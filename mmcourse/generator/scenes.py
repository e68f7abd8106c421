"""Look at a scene, read a question in English or Chinese, answer: the project's main task (notebook 53).

Three things make minutes enough. A picture is read once for some eight questions
(:mod:`mmcourse.generator.packing`). What is seen is held against the names of things, and where it is against
the names of places, in the space in which a prompt's words are read (:class:`Grounding`). And attention
begins as a search for what is alike (:class:`mmcourse.generator.model.Settings`), which the first minute of
training turns into finding what a question names: it asks mostly where things are, with the bare name first.
How well it answers is measured in :mod:`mmcourse.generator.scene_scores`.
"""

import functools
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import keras
import numpy as np
from keras import ops

from mmcourse.data import emoji, questions, scenes
from mmcourse.data.things import THINGS
from mmcourse.encoders.grid import GridEncoder
from mmcourse.generator.model import MultimodalGenerator, Settings, answer_loss
from mmcourse.generator.packing import pack, unpack
from mmcourse.learning import training
from mmcourse.text import PAD_ID, SPECIAL_TOKENS, Vocabulary, join, tokenise

PROMPT_LENGTH, ANSWER_LENGTH = 14, 30
# How often each task is asked in the three parts of the training: while the search forms, while all is
# learned, and when what is found quickly is known.
SEARCHING = {"where": 2.0, "at": 1.0, "exist": 1.0}
LEARNING = {"count": 1.5, "at": 1.0, "left_of": 1.0, "where": 0.8, "exist": 0.7}
DESCRIBING = {"count": 1.5, "left_of": 1.0, "at": 0.5, "where": 0.3, "exist": 0.3}
# How much each language's names weigh in the alignment: a prompt is in one of the first two.
NAME_WEIGHTS = {code: 1 / 4 if code in questions.LANGUAGES else 1 / 24 for code in emoji.LANGUAGES}


@dataclass(frozen=True)
class Configuration:
    """Everything that decides what is trained, apart from data and code.

    Attributes:
        profile: "cpu" or "gpu"; see :mod:`mmcourse.learning.training`.
        channels, width, heads, depth, hidden, matching: of the model, see
            :class:`mmcourse.encoders.grid.GridEncoder` and :class:`mmcourse.generator.model.Settings`.
        epochs, steps: epochs, and steps of each.
        batch_size: pictures for each step.
        row_length, answer_slots: room for the questions about a picture, see
            :func:`mmcourse.generator.packing.pack`.
        searching, describing: shares of the training at which the search has formed, and from which
            descriptions and names are asked for more often.
        portraits, late_portraits: share of the pictures that show one large thing, before and after that.
        learning_rate, adam_rate: highest values, of Muon for matrices and of Adam for the rest; they rise
            over ``warm_up`` of the training and then fall along a cosine.
        weight_decay: of Muon.
        alignment: weight of the alignment's loss.
        seed: of weights, scenes and questions.
    """

    profile: str = "cpu"
    channels: tuple[int, ...] = (24, 48, 96, 128)
    width: int = 128
    heads: int = 4
    depth: int = 3
    hidden: int = 384
    matching: float = 1.5
    epochs: int = 25
    steps: int = 120
    batch_size: int = 16
    row_length: int = 88
    answer_slots: int = 44
    searching: float = 0.12
    describing: float = 0.4
    portraits: float = 0.15
    late_portraits: float = 0.25
    learning_rate: float = 3e-3
    adam_rate: float = 2e-3
    warm_up: float = 0.06
    weight_decay: float = 0.02
    alignment: float = 1.0
    seed: int = 0


CONFIGURATIONS = {
    "cpu": Configuration(),
    "gpu": Configuration(
        profile="gpu",
        channels=(64, 128, 256, 384),
        width=384,
        heads=6,
        depth=6,
        hidden=1536,
        epochs=40,
        steps=400,
        batch_size=64,
        learning_rate=2e-3,
        adam_rate=1e-3,
    ),
}


@functools.cache
def vocabulary() -> Vocabulary:
    """All words of questions and answers."""
    return Vocabulary.from_texts(questions.every_text())


@functools.lru_cache(maxsize=100_000)
def _ids(text: str) -> list[int]:
    return vocabulary().ids_of(text)


class Batches(training.Batches):
    """Scenes and questions, drawn anew for each step, in an order that depends on how far the training is.

    Args:
        configuration: its sizes and shares.
    """

    def __init__(self, configuration: Configuration):
        size = configuration.steps * configuration.batch_size
        super().__init__(size, configuration.batch_size, make=None, seed=configuration.seed)
        self.configuration = configuration

    def __getitem__(self, index):
        one = self.configuration
        done = (self.epoch * len(self) + index) / (one.epochs * len(self))
        random = np.random.default_rng([self.seed, self.epoch, index])
        drawn = [self.draw(random, done) for _ in range(self.batch_size)]
        rows = [self.ask(scene, random, done) for scene in drawn]
        inputs, targets = pack(rows, one.row_length, one.answer_slots, PROMPT_LENGTH)
        inputs |= {"image": scenes.draw(drawn), "things": things_in(drawn)}
        return inputs, targets

    def draw(self, random: np.random.Generator, done: float) -> scenes.Scene:
        """A training scene; ``done`` is how much of the training is over, 0 to 1."""
        one = self.configuration
        share = one.late_portraits if done > one.describing else one.portraits
        if done < one.searching:
            share /= 2
        return scenes.draw_portrait(random) if random.random() < share else scenes.draw_scene("train", random)

    def tasks(self, scene: scenes.Scene, random: np.random.Generator, done: float) -> list[str]:
        """What to ask about a scene, in this order until the row is full."""
        one = self.configuration
        if scene.portrait:
            return ["name", "name_in", "name_in"] * 6
        if done < one.searching:
            shares, first = SEARCHING, random.random() < 0.2
        elif done < one.describing:
            shares, first = LEARNING, 1
        else:
            shares, first = DESCRIBING, 1 + (random.random() < 0.5)
        chances = np.array(list(shares.values()))
        drawn = random.choice(list(shares), size=14, p=chances / chances.sum()).tolist()
        return ["describe"] * first + drawn

    def ask(self, scene: scenes.Scene, random: np.random.Generator, done: float) -> list:
        """Token ids of questions and answers about a scene, as many as fit a row."""
        one, found, used, slots = self.configuration, [], 0, 0
        bare = bare_share(done / one.searching) if one.searching else 0.1
        for task in self.tasks(scene, random, done):
            language = questions.LANGUAGES[random.random() < 0.5]
            wording = 0 if task == "where" and random.random() < bare else None
            question = questions.ask(scene, task, language, random, number=wording)
            if question is None:
                continue
            prompt, answer = _ids(question.prompt), _ids(question.answer)
            if (
                used + len(prompt) + len(answer) + 1 > one.row_length
                or slots + len(answer) + 1 > one.answer_slots
            ):
                if len(found) >= 3:
                    break
                continue
            found.append((prompt, answer))
            used, slots = used + len(prompt) + len(answer) + 1, slots + len(answer) + 1
        return found


def bare_share(searched: float) -> float:
    """How many of the questions for a place are the bare name: all at first, a tenth in the end.

    Args:
        searched: how much of the time in which the search forms is over; more than 1 after it.
    """
    return float(np.clip(1 - 1.2 * (searched - 0.7), 0.1, 1))


def things_in(drawn: Sequence[scenes.Scene]) -> np.ndarray:
    """What stands in each cell, and in the tenth place what a portrait shows; -1 for nothing.

    Returns:
        ``int32`` ``(scenes, 10)``, numbers of :data:`mmcourse.data.things.THINGS`.
    """
    found = np.full((len(drawn), scenes.PLACES + 1), -1, dtype=np.int32)
    for row, scene in zip(found, drawn, strict=True):
        row[list(scene.places)] = scene.things  # a portrait's place is -1, the last
    return found


@keras.saving.register_keras_serializable("mmcourse")
class Grounding(keras.Model):
    """A generator in training: it answers questions, and what it sees is held against names.

    What stands in a cell (the mean of its tokens, before positions are added) is compared with the name of
    each thing (the mean of its words' embeddings) in each language, and the true one must be the most like
    it: the contrastive loss of notebook 48 in the direction from pictures to words, for regions and words Li
    et al. (2022, GLIP). In the same way the vectors of rows and columns are held against the names of places.

    Called with what :class:`Batches` makes, it returns the logits of the slots.

    Args:
        generator: with a :class:`mmcourse.encoders.grid.GridEncoder` called "image" and :func:`vocabulary`.
        weight: of the alignment's loss beside that of the answers.
    """

    def __init__(self, generator: MultimodalGenerator, weight: float = 1.0, **kwargs):
        super().__init__(**kwargs)
        self.generator, self.weight = generator, weight
        self.thing_names = _padded(
            [[questions.name_of(i, code) for i in range(len(THINGS))] for code in emoji.LANGUAGES]
        )
        self.place_names = _padded([scenes.PLACE_NAMES[code] for code in questions.LANGUAGES])
        self.name_weights = np.array(list(NAME_WEIGHTS.values()), dtype=np.float32)

    def build(self, shapes=None):
        if not self.generator.built:
            self.generator.build()
        self.log_scale = self.add_weight(
            shape=(), initializer=keras.initializers.Constant(np.log(10.0)), name="log_scale"
        )

    def get_config(self):
        generator = keras.saving.serialize_keras_object(self.generator)
        return {**super().get_config(), "generator": generator, "weight": self.weight}

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "generator": keras.saving.deserialize_keras_object(config["generator"])})

    def call(self, inputs, training=False):
        encoder = self.generator.encoders["image"]
        seen = encoder.look(inputs["image"])  # (batch, side, side, width)
        if training:
            self.add_loss(
                self.weight * (self.thing_loss(seen, inputs["things"]) + self.place_loss(encoder.position))
            )
        return self.generator(inputs, training=training, encoded={"image": encoder.place(seen)})

    def thing_loss(self, seen, things):
        """Cross-entropy of the name of what stands in each cell, a mean over cells and languages.

        Args:
            seen: ``(batch, side, side, width)``.
            things: of :func:`things_in`.
        """
        width, grid = seen.shape[-1], scenes.GRID
        each = seen.shape[1] // grid
        cells = ops.mean(ops.reshape(seen, (-1, grid, each, grid, each, width)), axis=(2, 4))
        whole = ops.mean(seen, axis=(1, 2))[:, None]
        regions = ops.concatenate([ops.reshape(cells, (-1, grid * grid, width)), whole], axis=1)
        names = self.name_vectors(self.thing_names)  # (languages, things, width)
        scores = ops.einsum("brw,lnw->lbrn", _unit(ops.cast(regions, "float32")), names)
        target = ops.broadcast_to(ops.maximum(things, 0)[None], ops.shape(scores)[:-1])
        losses = keras.losses.sparse_categorical_crossentropy(
            target, ops.exp(self.log_scale) * scores, from_logits=True
        )  # (languages, batch, regions)
        there = ops.cast(things >= 0, losses.dtype)
        each_language = ops.sum(losses * there, axis=(1, 2)) / ops.maximum(ops.sum(there), 1.0)
        return ops.sum(each_language * self.name_weights)

    def place_loss(self, position):
        """Cross-entropy between the nine places and their names, both ways, a mean over the languages.

        Args:
            position: the encoder's vectors of rows and columns ``(2, side, width)``.
        """
        grid, width = scenes.GRID, position.shape[-1]
        bands = ops.mean(ops.reshape(position, (2, grid, -1, width)), axis=2)  # (2, grid, width)
        places = _unit(ops.reshape(bands[0][:, None] + bands[1][None], (grid * grid, width)))
        scores = 10.0 * ops.einsum("pw,lnw->lpn", places, self.name_vectors(self.place_names))
        target = ops.tile(ops.arange(grid * grid)[None], (len(self.place_names), 1))
        both = [
            keras.losses.sparse_categorical_crossentropy(target, one, from_logits=True)
            for one in (scores, ops.transpose(scores, (0, 2, 1)))
        ]
        return ops.mean(both[0] + both[1]) / 2

    def name_vectors(self, names: np.ndarray):
        """Token ids ``(languages, names, tokens)`` to vectors of length 1, ``(languages, names, width)``."""
        real = (names != PAD_ID).astype(np.float32)[..., None]
        vectors = ops.cast(self.generator.token_embedding(names), "float32")
        return _unit(ops.sum(vectors * real, axis=2) / real.sum(axis=2))


def _padded(names: Sequence[Sequence[str]]) -> np.ndarray:
    """Token ids of names, ``int32`` ``(languages, names, tokens)``."""
    every = [[_ids(name) for name in one] for one in names]
    longest = max(len(ids) for one in every for ids in one)
    return np.array([[ids + [PAD_ID] * (longest - len(ids)) for ids in one] for one in every], np.int32)


def _unit(vectors):
    return vectors / ops.sqrt(ops.sum(ops.square(vectors), axis=-1, keepdims=True) + 1e-6)


def build(configuration: Configuration) -> Grounding:
    """An untrained, compiled model."""
    dtype = training.choose_profile(configuration.profile).dtype_policy
    training.set_seed(configuration.seed)
    settings = Settings(
        width=configuration.width,
        heads=configuration.heads,
        depth=configuration.depth,
        hidden=configuration.hidden,
        prompt_length=PROMPT_LENGTH,
        answer_length=ANSWER_LENGTH,
        matching=configuration.matching,
        tied=True,
    )
    encoder = GridEncoder(
        scenes.SIDE, configuration.channels, configuration.width, dtype=dtype, name="image_encoder"
    )
    ordinary = vocabulary().tokens[len(SPECIAL_TOKENS) :]
    generator = MultimodalGenerator({"image": encoder}, ordinary, settings, dtype=dtype)
    model = Grounding(generator, configuration.alignment, dtype=dtype)
    steps = configuration.epochs * configuration.steps
    warm_up = round(configuration.warm_up * steps)
    optimizer = keras.optimizers.Muon(
        training.warm_up_cosine(configuration.learning_rate, steps, warm_up),
        adam_lr_ratio=configuration.adam_rate / configuration.learning_rate,
        weight_decay=configuration.weight_decay,
        exclude_layers=["position", "modality"],
    )
    model.compile(optimizer, loss=answer_loss, jit_compile=True)
    model.build()
    return model


def train(configuration: Configuration, folder: Path) -> tuple[MultimodalGenerator, list[dict[str, float]]]:
    """Train with checkpoints in ``folder``, from the last one if there is one; see :func:`training.fit`.

    Returns:
        The generator, and its history, one dict for each epoch: "loss" (answers and alignment) and, under
        the name of each task, the share of exactly right answers about some scenes of known kind.
    """
    model, history = training.fit(
        lambda: build(configuration),
        Batches(configuration),
        configuration.epochs,
        folder,
        callbacks=(_Validation(configuration.seed),),
    )
    return model.generator, history


class _Validation(keras.callbacks.Callback):
    """After each epoch, the share of right answers for each task."""

    def __init__(self, seed: int, number: int = 48):
        super().__init__()
        self.exam = Exam.draw("seen", number, seed=[seed, 1])

    def on_epoch_end(self, epoch, logs=None):
        right = self.exam.right(self.model.generator)
        tasks = np.array([question.task for question in self.exam.asked])
        for task in questions.TASKS:
            logs[task] = float(right[tasks == task].mean())


@dataclass(frozen=True)
class Exam:
    """Questions of every task about scenes of one split.

    Attributes:
        scenes: scenes with several things, and portraits.
        images: their pictures, ``uint8`` ``(scenes, 96, 96, 3)``.
        questions: for each scene its questions.
        split: see :func:`mmcourse.data.scenes.draw_scene`; "unseen_wordings" besides.
    """

    scenes: tuple[scenes.Scene, ...]
    images: np.ndarray
    questions: tuple[tuple[questions.Question, ...], ...]
    split: str

    @classmethod
    def draw(
        cls,
        split: str,
        number: int,
        seed: int | Sequence[int] = 53,
        tasks: Sequence[str] = questions.TASKS,  # type: ignore[attr-defined]
    ) -> "Exam":
        """Draw ``number`` scenes and half as many portraits, and ask each task that fits in each language."""
        random = np.random.default_rng(seed)
        new_words = split == "unseen_wordings"
        kind = "seen" if new_words else split
        drawn = [scenes.draw_scene(kind, random, least_kinds=2) for _ in range(number)]
        drawn += [scenes.draw_portrait(random) for _ in range(number // 2)]
        asked = tuple(
            tuple(
                question
                for task in tasks
                for language in questions.LANGUAGES
                if (question := questions.ask(scene, task, language, random, new_words))
            )
            for scene in drawn
        )
        artist = "openmoji" if split == "unseen_artist" else "twemoji"
        return cls(tuple(drawn), scenes.draw(drawn, artist), asked, split)

    @property
    def asked(self) -> list[questions.Question]:  # type: ignore[name-defined]
        """All questions, scene by scene."""
        return [question for some in self.questions for question in some]

    def packed(self) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """All questions about a scene in one row; see :func:`mmcourse.generator.packing.pack`."""
        rows = [[(_ids(one.prompt), _ids(one.answer)) for one in some] for some in self.questions]
        length = max(sum(len(p) + len(a) + 1 for p, a in row) for row in rows)
        slots = max(sum(len(a) + 1 for _, a in row) for row in rows)
        inputs, targets = pack(rows, length, slots, PROMPT_LENGTH)
        return {**inputs, "image": self.images}, targets

    def right(
        self,
        model: MultimodalGenerator,
        images: np.ndarray | None = None,
        blind: bool = False,
        batch_size: int = 32,
    ) -> np.ndarray:
        """Which questions the model answers exactly: boolean, in the order of :attr:`asked`.

        Each token is predicted from the true ones before it. An answer of which all are right is the one that
        greedy decoding writes, and no other is.

        Args:
            images: other pictures in place of the scenes' own.
            blind: whether to give no picture at all.
        """
        inputs, targets = self.packed()
        if images is not None:
            inputs["image"] = images
        if blind:
            del inputs["image"]
        best = []
        for first in range(0, len(targets), batch_size):
            some = {name: array[first : first + batch_size] for name, array in inputs.items()}
            best.append(ops.convert_to_numpy(ops.argmax(model(some), axis=-1)))
        same = np.concatenate(best) == targets
        return np.array([bool(one.all()) for row in unpack(same, targets) for one in row])


def read_question(text: str) -> str:
    """Bring a typed question to the form of the known ones: no closing mark, words as the vocabulary has.

    Words that no known question holds are left as they are, for the model to refuse.

    >>> read_question("How many cats are there?")
    'how many cats are there'
    """
    known = vocabulary().ids
    alike = _by_case()
    tokens = tokenise(text.strip().rstrip("?.!？。！ "))
    return join(token if token in known else alike.get(token.casefold(), token) for token in tokens)


@functools.cache
def _by_case() -> dict[str, str]:
    """Words of the vocabulary by their form without capitals."""
    return {token.casefold(): token for token in reversed(vocabulary().tokens)}


def trained_folder(configuration: Configuration) -> Path:
    """The folder of the trained model, which is trained now unless it is in the cache."""
    return training.train_once(
        f"scenes-{configuration.profile}",
        asdict(configuration),
        [__name__],
        lambda folder: train(configuration, folder),
    )


def load_trained(profile: str | None = None) -> MultimodalGenerator:
    """The trained model of a profile; trains it first if it is not in the cache."""
    return training.read_model(trained_folder(CONFIGURATIONS[training.choose_profile(profile).name]))
