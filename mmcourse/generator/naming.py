"""The generator's first task: look at an emoji and say its name in the language that the prompt asks for."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import keras
import numpy as np

from mmcourse import text
from mmcourse.data import emoji
from mmcourse.encoders.image import ImageEncoder
from mmcourse.generator.model import MultimodalGenerator, Settings, answer_loss
from mmcourse.learning import training
from mmcourse.text import Vocabulary, tokenise

# Several wordings a language, the first of them the one that scores are taken with.
PROMPTS = {
    "en": ("name it in English", "what is this", "用英文说"),
    "zh": ("用中文说", "这是什么", "name it in Chinese"),
}
LANGUAGES = tuple(PROMPTS)


@dataclass(frozen=True)
class Configuration:
    """Everything that decides what is trained, apart from data and code.

    Attributes:
        profile: "cpu" or "gpu"; see :mod:`mmcourse.learning.training`.
        image_size, channels, width, heads, depth, hidden, dropout: of the model, see
            :class:`mmcourse.generator.model.Settings` and :class:`mmcourse.encoders.image.ImageEncoder`.
        shift: a training picture is moved by up to so many pixels each way.
        epochs: passes over every picture in every language.
        batch_size: pairs of picture and prompt a step.
        learning_rate: its highest value; it rises over the first tenth and then falls along a cosine.
        weight_decay: of AdamW.
        seed: of weights, order and shifts.
    """

    profile: str = "cpu"
    image_size: int = emoji.PICTURE_SIZE
    channels: tuple[int, ...] = (16, 48, 96)
    width: int = 128
    heads: int = 4
    depth: int = 2
    hidden: int = 384
    dropout: float = 0.0
    shift: int = 2
    epochs: int = 22
    batch_size: int = 64
    learning_rate: float = 2e-3
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
        batch_size=256,
        learning_rate=1e-3,
    ),
}


@dataclass(frozen=True)
class Task:
    """The pairs to learn from: pictures and prompts as arrays, with their answers.

    Attributes:
        vocabulary: of all names and prompts.
        images: ``uint8`` ``(rows, size, size, 3)``, the training part.
        prompts: token ids ``(languages, wordings, prompt_length)``.
        answers: token ids ``(languages, rows, answer_length)``.
    """

    vocabulary: Vocabulary
    images: np.ndarray
    prompts: np.ndarray
    answers: np.ndarray

    @classmethod
    def of(cls, pictures: emoji.EmojiPictures) -> "Task":
        """The task that a set of pictures makes."""
        rows = pictures.splits["train"]
        every = [name for language in LANGUAGES for name in pictures.names(language)]
        wordings = [wording for language in LANGUAGES for wording in PROMPTS[language]]
        vocabulary = Vocabulary.from_texts(every + wordings)
        prompt_length = max(len(tokenise(wording)) for wording in wordings)
        answer_length = max(len(tokenise(name)) for name in every) + 1
        prompts = [vocabulary.encode(PROMPTS[language], prompt_length) for language in LANGUAGES]
        answers = [
            vocabulary.encode(pictures.names(language, rows), answer_length, end=True)
            for language in LANGUAGES
        ]
        return cls(vocabulary, pictures.images[rows], np.stack(prompts), np.stack(answers))

    def batches(self, configuration: Configuration) -> training.Batches:
        """Each picture once an epoch in each language, moved a little, with one of the wordings."""
        count = len(self.images)

        def make(chosen: np.ndarray, random: np.random.Generator):
            language, row = np.divmod(chosen, count)
            wording = random.integers(self.prompts.shape[1], size=len(chosen))
            images = shift(self.images[row], configuration.shift, random)
            answer = self.answers[language, row]
            return {"image": images, "prompt": self.prompts[language, wording], "answer": answer}, answer

        return training.Batches(count * len(LANGUAGES), configuration.batch_size, make, configuration.seed)


def build(configuration: Configuration, task: Task) -> MultimodalGenerator:
    """An untrained, compiled model whose vocabulary and lengths fit the task."""
    dtype = training.choose_profile(configuration.profile).dtype_policy
    training.set_seed(configuration.seed)
    settings = Settings(
        width=configuration.width,
        heads=configuration.heads,
        depth=configuration.depth,
        hidden=configuration.hidden,
        dropout=configuration.dropout,
        prompt_length=task.prompts.shape[-1],
        answer_length=task.answers.shape[-1],
    )
    image_encoder = ImageEncoder(
        configuration.image_size,
        configuration.channels,
        configuration.width,
        dtype=dtype,
        name="image_encoder",
    )
    ordinary = task.vocabulary.tokens[len(text.SPECIAL_TOKENS) :]
    model = MultimodalGenerator({"image": image_encoder}, ordinary, settings, dtype=dtype)
    steps = configuration.epochs * len(task.batches(configuration))
    warm_up = max(1, steps // 10)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0,  # a float: the schedule fails on an integer
        steps - warm_up,
        alpha=0.02,
        warmup_target=configuration.learning_rate,
        warmup_steps=warm_up,
    )
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=configuration.weight_decay, clipnorm=1.0)
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
    """Train with checkpoints in ``folder``, from the last one if there is one; see :func:`training.fit`."""
    pictures = pictures or emoji.load(configuration.image_size)
    task = Task.of(pictures)
    return training.fit(
        lambda: build(configuration, task),
        task.batches(configuration),
        configuration.epochs,
        folder,
        callbacks=(_ValidationScores(pictures),),
    )


class _ValidationScores(keras.callbacks.Callback):
    """After each epoch, the share of validation pictures whose name is exactly right, for each language."""

    def __init__(self, pictures: emoji.EmojiPictures):
        super().__init__()
        rows = pictures.splits["validation"]
        self.images = pictures.images[rows]
        self.names = {language: pictures.names(language, rows) for language in LANGUAGES}

    def on_epoch_end(self, epoch, logs=None):
        for language, names in self.names.items():
            answers = self.model.generate({"image": self.images}, PROMPTS[language][0])
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
    """The training's history, one dict an epoch: "loss", "exact_en", "exact_zh"; trains if need be."""
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
