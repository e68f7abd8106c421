"""The generator's first task: look at an emoji and say its name in the language that the prompt asks for."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import keras
import numpy as np

from mmcourse import text
from mmcourse.data import emoji
from mmcourse.generator.model import MultimodalGenerator, answer_loss
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
            :class:`mmcourse.generator.model.MultimodalGenerator`.
        shift: a training picture is moved by up to so many pixels each way.
        epochs: passes over every picture in every language.
        batch_size: pairs of picture and prompt a step.
        learning_rate: its highest value; it rises over the first tenth and then falls along a cosine.
        weight_decay: of AdamW.
        seed: of weights, order and shifts.
    """

    profile: str = "cpu"
    image_size: int = 64
    channels: tuple[int, ...] = (16, 48, 96)
    width: int = 128
    heads: int = 4
    depth: int = 2
    hidden: int = 384
    dropout: float = 0.0
    shift: int = 2
    epochs: int = 18
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


def build(configuration: Configuration, pictures: emoji.EmojiPictures) -> MultimodalGenerator:
    """An untrained, compiled model whose vocabulary and lengths fit the names and prompts."""
    profile = training.choose_profile(configuration.profile)
    training.set_seed(configuration.seed)
    names = [name for language in LANGUAGES for name in pictures.names(language)]
    prompts = [prompt for wordings in PROMPTS.values() for prompt in wordings]
    vocabulary = Vocabulary.from_texts(names + prompts)
    model = MultimodalGenerator(
        vocabulary.tokens[len(text.SPECIAL_TOKENS) :],
        image_size=configuration.image_size,
        channels=configuration.channels,
        width=configuration.width,
        heads=configuration.heads,
        depth=configuration.depth,
        hidden=configuration.hidden,
        dropout=configuration.dropout,
        prompt_length=max(len(tokenise(prompt)) for prompt in prompts),
        answer_length=max(len(tokenise(name)) for name in names) + 1,
        dtype=profile.dtype_policy,
    )
    steps = configuration.epochs * len(batches(configuration, pictures, model))
    warm_up = max(1, steps // 10)
    model.compile(
        optimizer=keras.optimizers.AdamW(
            keras.optimizers.schedules.CosineDecay(
                0.0,  # a float: the schedule fails on an integer
                steps - warm_up,
                alpha=0.02,
                warmup_target=configuration.learning_rate,
                warmup_steps=warm_up,
            ),
            weight_decay=configuration.weight_decay,
            clipnorm=1.0,
        ),
        loss=answer_loss,
        jit_compile=True,
    )
    model.build()
    return model


def batches(
    configuration: Configuration, pictures: emoji.EmojiPictures, model: MultimodalGenerator
) -> training.Batches:
    """Pairs of picture and prompt with their answers; each picture once an epoch in each language."""
    rows = pictures.splits["train"]
    answers = np.stack(
        [
            model.vocabulary.encode(pictures.names(language, rows), model.answer_length, end=True)
            for language in LANGUAGES
        ]
    )  # (languages, rows, answer_length)
    prompts = np.stack(
        [model.vocabulary.encode(PROMPTS[language], model.prompt_length) for language in LANGUAGES]
    )  # (languages, wordings, prompt_length)

    def make(chosen: np.ndarray, random: np.random.Generator):
        language, row = np.divmod(chosen, len(rows))
        wording = random.integers(prompts.shape[1], size=len(chosen))
        images = shift(pictures.images[rows[row]], configuration.shift, random)
        answer = answers[language, row]
        return {"image": images, "prompt": prompts[language, wording], "answer": answer}, answer

    return training.Batches(len(rows) * len(LANGUAGES), configuration.batch_size, make, configuration.seed)


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
    if pictures is None:
        pictures = emoji.load(configuration.image_size)
    untrained = build(configuration, pictures)
    return training.fit(
        lambda: untrained,
        batches(configuration, pictures, untrained),
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
            answers = self.model.generate(self.images, PROMPTS[language][0])
            right = [answer == name for answer, name in zip(answers, names, strict=True)]
            logs[f"exact_{language}"] = float(np.mean(right))


def trained_folder(configuration: Configuration) -> Path:
    """The folder of the trained model, which is trained now unless it is in the cache."""
    return training.kept(
        f"naming-{configuration.profile}",
        asdict(configuration),
        [__name__],
        lambda folder: train(configuration, folder),
    )


def load_trained(profile: str | None = None) -> MultimodalGenerator:
    """The trained naming model of a profile; trains it first if it is not in the cache."""
    path = _trained_folder_of(profile) / "model.keras"
    try:
        return keras.saving.load_model(path)
    except Exception as error:  # Keras, h5py and zipfile each raise their own
        raise training.StorageError(
            f"the model in {path.parent} cannot be read: {error}. Remove that folder to train it again."
        ) from error


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
