"""The generator's first task: look at an emoji and say its name in the language that the prompt asks for.

A name such as "woman astronaut medium skin tone" has parts, and so that the model learns the parts and not
the whole by heart, three things are done (notebook 50). What is seen is held against the words of the name
(:class:`Aligned`); some of the words before the next one are hidden; and attention begins as a search for
what is alike (:class:`mmcourse.generator.model.Settings`). A picture is read once for its names in all
languages (:mod:`mmcourse.generator.packing`).
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import keras
import numpy as np
from keras import ops

from mmcourse import text
from mmcourse.data import emoji
from mmcourse.encoders.grid import GridEncoder
from mmcourse.generator.model import MultimodalGenerator, Settings, answer_loss
from mmcourse.generator.packing import pack
from mmcourse.learning import training
from mmcourse.learning.alignment import info_nce
from mmcourse.text import PAD_ID, SPECIAL_TOKENS, UNKNOWN_ID, Vocabulary, tokenise

# Several wordings a language, the first of them the one that scores are taken with.
PROMPTS = {
    "en": ("name it in English", "what is this", "用英文说"),
    "zh": ("用中文说", "这是什么", "name it in Chinese"),
}
LANGUAGES = tuple(PROMPTS)


TEMPERATURE = 0.1  # of the alignment


@dataclass(frozen=True)
class Configuration:
    """Everything that decides what is trained, apart from data and code.

    Attributes:
        profile: "cpu" or "gpu"; see :mod:`mmcourse.learning.training`.
        image_size, channels, width, heads, depth, hidden, dropout, matching: of the model, see
            :class:`mmcourse.encoders.grid.GridEncoder` and :class:`mmcourse.generator.model.Settings`.
        shift: a training picture is moved by up to so many pixels each way.
        hidden_words: share of a name's words that are hidden from those after them.
        alignment: weight of the alignment's loss.
        epochs: passes over every picture.
        batch_size: pictures for each step.
        learning_rate, adam_rate: highest values, of Muon for matrices and of Adam for the rest; they rise
            over ``warm_up`` of the training and then fall along a cosine.
        weight_decay: of Muon.
        seed: of weights, order, shifts and hidden words.
    """

    profile: str = "cpu"
    image_size: int = emoji.PICTURE_SIZE
    channels: tuple[int, ...] = (24, 48, 96)
    width: int = 128
    heads: int = 4
    depth: int = 2
    hidden: int = 384
    dropout: float = 0.0
    matching: float = 1.5
    shift: int = 2
    hidden_words: float = 0.35
    alignment: float = 1.0
    epochs: int = 30
    batch_size: int = 32
    learning_rate: float = 3e-3
    adam_rate: float = 2e-3
    warm_up: float = 0.06
    weight_decay: float = 0.05
    seed: int = 0


CONFIGURATIONS = {
    "cpu": Configuration(),
    "gpu": Configuration(
        profile="gpu",
        channels=(64, 128, 256),
        width=384,
        heads=6,
        depth=6,
        hidden=1536,
        dropout=0.1,
        epochs=60,
        batch_size=128,
        learning_rate=2e-3,
        adam_rate=1e-3,
    ),
}


@dataclass(frozen=True)
class Task:
    """Pictures and their names as token ids.

    Attributes:
        vocabulary: of all names and prompts.
        images: ``uint8`` ``(rows, size, size, 3)``, the training part.
        prompts: for each language its wordings, for each wording its token ids.
        names: for each language the names of the rows, for each name its token ids.
        answer_length: tokens of the longest name of any split, and its end.
    """

    vocabulary: Vocabulary
    images: np.ndarray
    prompts: list[list[list[int]]]
    names: list[list[list[int]]]
    answer_length: int

    @classmethod
    def of(cls, pictures: emoji.EmojiPictures) -> "Task":
        """The task that a set of pictures makes."""
        rows = pictures.splits["train"]
        every = [name for language in LANGUAGES for name in pictures.names(language)]
        wordings = [wording for language in LANGUAGES for wording in PROMPTS[language]]
        vocabulary = Vocabulary.from_texts(every + wordings)
        ids = vocabulary.ids_of
        return cls(
            vocabulary,
            pictures.images[rows],
            [[ids(wording) for wording in PROMPTS[language]] for language in LANGUAGES],
            [[ids(name) for name in pictures.names(language, rows)] for language in LANGUAGES],
            max(len(ids(name)) for name in every) + 1,
        )

    @property
    def prompt_length(self) -> int:
        """Tokens of the longest prompt."""
        return max(len(ids) for wordings in self.prompts for ids in wordings)

    def padded_names(self) -> np.ndarray:
        """Token ids of the names, ``int32`` ``(rows, languages, answer_length)``, 0 for padding."""
        found = np.full((len(self.images), len(LANGUAGES), self.answer_length), PAD_ID, dtype=np.int32)
        for language, names in enumerate(self.names):
            for row, ids in enumerate(names):
                found[row, language, : len(ids)] = ids
        return found

    def batches(self, configuration: Configuration) -> training.Batches:
        """Each picture once in an epoch, moved a little, asked for its name in every language.

        A batch is ``(inputs, targets)`` as of :func:`mmcourse.generator.packing.pack`, with "image" and, for
        the alignment, "names", those of :meth:`padded_names`.
        """
        padded = self.padded_names()
        lengths = sum(np.array([len(ids) for ids in names]) for names in self.names)
        slots = int(np.max(lengths)) + len(LANGUAGES)
        row_length = slots + len(LANGUAGES) * self.prompt_length

        def make(chosen: np.ndarray, random: np.random.Generator):
            rows = []
            for row in chosen:
                wordings = [one[random.integers(len(one))] for one in self.prompts]
                rows.append([(wordings[i], names[row]) for i, names in enumerate(self.names)])
            inputs, targets = pack(rows, row_length, slots, self.prompt_length)
            inputs["text"] = hide(inputs, self.prompt_length, configuration.hidden_words, random)
            inputs["image"] = shift(self.images[chosen], configuration.shift, random)
            inputs["names"] = padded[chosen]
            return inputs, targets

        return training.Batches(len(self.images), configuration.batch_size, make, configuration.seed)


def hide(inputs: dict, prompt_length: int, share: float, random: np.random.Generator) -> np.ndarray:
    """Put the unknown token in the place of some words of the answers, so that the picture has to say more.

    (Word dropout: Bowman et al., 2016, section 3.1.)

    Args:
        inputs: of :func:`mmcourse.generator.packing.pack`.
        prompt_length: as given to it.
        share: of the words.

    Returns:
        The text, ``int32`` of the same shape; start tokens, prompts and padding are left alone.
    """
    written = (inputs["position"] > prompt_length) & (inputs["question"] > 0)
    return np.where(written & (random.random(written.shape) < share), UNKNOWN_ID, inputs["text"])


@keras.saving.register_keras_serializable("mmcourse")
class Aligned(keras.Model):
    """A generator in training: it writes names, and what it sees is held against their words.

    The mean of the picture's tokens, before positions are added, is compared with the mean of the embeddings
    of each name's words, in each language: the contrastive loss of notebook 48 within a batch. A mean of
    words has a part for each word, and so the encoder learns to see parts.

    Called with what :meth:`Task.batches` makes, it returns the logits of the slots.

    Args:
        generator: with a :class:`mmcourse.encoders.grid.GridEncoder` called "image".
        weight: of the alignment's loss beside that of the names.
    """

    def __init__(self, generator: MultimodalGenerator, weight: float = 1.0, **kwargs):
        super().__init__(**kwargs)
        self.generator, self.weight = generator, weight

    def build(self, shapes=None):
        if not self.generator.built:
            self.generator.build()

    def get_config(self):
        generator = keras.saving.serialize_keras_object(self.generator)
        return {**super().get_config(), "generator": generator, "weight": self.weight}

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "generator": keras.saving.deserialize_keras_object(config["generator"])})

    def call(self, inputs, training=False):
        inputs = dict(inputs)
        names = inputs.pop("names", None)
        encoder = self.generator.encoders["image"]
        seen = encoder.look(inputs["image"])  # (batch, side, side, width)
        if training and names is not None and self.weight:
            self.add_loss(self.weight * self.alignment_loss(seen, names))
        return self.generator(inputs, training=training, encoded={"image": encoder.place(seen)})

    def alignment_loss(self, seen, names):
        """Mean of the contrastive losses between pictures and names in each language.

        Args:
            seen: ``(batch, side, side, width)``.
            names: token ids ``(batch, languages, tokens)``, 0 for padding.
        """
        pictures = ops.cast(ops.mean(seen, axis=(1, 2)), "float32")
        words = ops.cast(self.generator.token_embedding(names), "float32")
        real = ops.cast(ops.not_equal(names, PAD_ID), "float32")[..., None]
        means = ops.sum(words * real, axis=2) / ops.sum(real, axis=2)  # (batch, languages, width)
        each = [info_nce(pictures, means[:, i], TEMPERATURE) for i in range(names.shape[1])]
        return sum(each) / len(each)


def build(configuration: Configuration, task: Task) -> Aligned:
    """An untrained, compiled model whose vocabulary and lengths fit the task."""
    dtype = training.choose_profile(configuration.profile).dtype_policy
    training.set_seed(configuration.seed)
    settings = Settings(
        width=configuration.width,
        heads=configuration.heads,
        depth=configuration.depth,
        hidden=configuration.hidden,
        dropout=configuration.dropout,
        prompt_length=task.prompt_length,
        answer_length=task.answer_length,
        matching=configuration.matching,
        tied=True,
    )
    encoder = GridEncoder(
        configuration.image_size,
        configuration.channels,
        configuration.width,
        dtype=dtype,
        name="image_encoder",
    )
    ordinary = task.vocabulary.tokens[len(SPECIAL_TOKENS) :]
    generator = MultimodalGenerator({"image": encoder}, ordinary, settings, dtype=dtype)
    model = Aligned(generator, configuration.alignment, dtype=dtype)
    steps = configuration.epochs * len(task.batches(configuration))
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


def shift(images: np.ndarray, most: int, random: np.random.Generator) -> np.ndarray:
    """Move each picture by up to ``most`` pixels up or down and left or right; white fills the gap."""
    size = images.shape[1]
    padded = np.pad(images, ((0, 0), (most, most), (most, most), (0, 0)), constant_values=255)
    corners = random.integers(0, 2 * most + 1, size=(len(images), 2))
    return np.stack(
        [
            picture[row : row + size, column : column + size]
            for picture, (row, column) in zip(padded, corners, strict=True)
        ]
    )


def train(configuration: Configuration, folder: Path, pictures: emoji.EmojiPictures | None = None):
    """Train with checkpoints in ``folder``, from the last one if there is one; see :func:`training.fit`.

    Returns:
        The generator, and its history; see :func:`load_history`.
    """
    pictures = pictures or emoji.load(configuration.image_size)
    task = Task.of(pictures)
    model, history = training.fit(
        lambda: build(configuration, task),
        task.batches(configuration),
        configuration.epochs,
        folder,
        callbacks=(_ValidationScores(pictures),),
    )
    return model.generator, history


class _ValidationScores(keras.callbacks.Callback):
    """After each epoch, the share of validation pictures whose name is exactly right, for each language."""

    def __init__(self, pictures: emoji.EmojiPictures):
        super().__init__()
        rows = pictures.splits["validation"]
        self.images = pictures.images[rows]
        self.names = {language: pictures.names(language, rows) for language in LANGUAGES}

    def on_epoch_end(self, epoch, logs=None):
        for language, names in self.names.items():
            answers = self.model.generator.generate({"image": self.images}, PROMPTS[language][0])
            right = [answer == name for answer, name in zip(answers, names, strict=True)]
            logs[f"exact_{language}"] = float(np.mean(right))


def trained_folder(configuration: Configuration) -> Path:
    """The folder of the trained model, which is trained now unless it is in the cache."""
    return training.train_once(
        f"naming-{configuration.profile}",
        asdict(configuration),
        [__name__],
        lambda folder: train(configuration, folder),
    )


def load_trained(profile: str | None = None) -> MultimodalGenerator:
    """The trained naming model of a profile; trains it first if it is not in the cache."""
    return training.read_model(_trained_folder_of(profile))


def load_history(profile: str | None = None) -> list[dict[str, float]]:
    """The training's history, one dict for each epoch; trains if need be.

    "loss" is that of names and alignment, "exact_en" and "exact_zh" are the shares of validation pictures
    whose name is exactly right.
    """
    return json.loads((_trained_folder_of(profile) / "history.json").read_text())


def _trained_folder_of(profile: str | None) -> Path:
    return trained_folder(CONFIGURATIONS[training.choose_profile(profile).name])


def clean_prompt(prompt: str) -> str:
    """Bring a typed prompt to the form of the known ones: no closing mark, capitals as in :data:`PROMPTS`.

    Words that no known prompt holds are left as they are, for the model to refuse.
    """
    known = {
        token.casefold(): token
        for wordings in PROMPTS.values()
        for wording in wordings
        for token in tokenise(wording)
    }
    tokens = tokenise(prompt.strip().rstrip("?.!？。！ "))
    return text.join(known.get(token.casefold(), token) for token in tokens)
