"""A small CLIP: emoji pictures and their names in four languages in one space (notebook 48).

Trained on Twemoji's pictures; see :mod:`mmcourse.data.emoji` for the splits, and Radford et al. (2021) for
the method. A picture is never paired with another language's name through anything but itself: no step of the
training compares two languages.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import keras
import numpy as np

from mmcourse.data import emoji
from mmcourse.learning import alignment, training
from mmcourse.text import SPECIAL_TOKENS, Vocabulary, tokenise

LANGUAGES = ("en", "zh", "es", "tr")


@dataclass(frozen=True)
class Configuration:
    """Everything that decides what is trained, apart from data and code.

    Attributes:
        profile: "cpu" or "gpu"; see :mod:`mmcourse.learning.training`.
        side, patch: of a picture and of a patch, in pixels.
        width, hidden, output: of both towers, see :class:`mmcourse.learning.alignment.PictureTower`.
        partners: languages in which the names of one step are.
        shift: a training picture is moved by up to so many pixels each way.
        epochs: passes over the pictures, each of which brings a sibling with it.
        batch_size: pairs in one step, siblings included; even.
        learning_rate: its highest value; it rises over the first tenth and then falls along a cosine.
        weight_decay: of AdamW.
        temperature: at the beginning.
        siblings: fill half of a batch with siblings of the other half, see :meth:`Task.batches`.
        shuffled: give each picture the name of another one, the same throughout: the control.
        seed: of weights, order, shifts and of the shuffling.
    """

    profile: str = "cpu"
    side: int = 48
    patch: int = 4
    width: int = 64
    hidden: int = 256
    output: int = 64
    partners: int = 2
    shift: int = 1
    epochs: int = 30
    batch_size: int = 256
    learning_rate: float = 3e-3
    weight_decay: float = 0.01
    temperature: float = 0.1
    siblings: bool = True
    shuffled: bool = False
    seed: int = 0


CONFIGURATIONS = {
    "cpu": Configuration(),
    "gpu": Configuration(
        profile="gpu",
        width=256,
        hidden=1024,
        output=256,
        epochs=100,
        batch_size=512,
    ),
}


@dataclass(frozen=True)
class Task:
    """The pairs to learn from.

    Attributes:
        tokens: the words of the training names.
        images: ``uint8`` ``(rows, side, side, 3)``.
        names: token ids ``(rows, languages, length)``.
        groups: ``int32`` ``(rows,)``: rows of one number look alike or have one name.
        siblings: for each row the rows that show the same with another tone or gender, or nothing.
    """

    tokens: tuple[str, ...]
    images: np.ndarray
    names: np.ndarray
    groups: np.ndarray
    siblings: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, pictures: emoji.EmojiPictures, configuration: Configuration) -> "Task":
        """The task that a set of pictures makes."""
        rows = pictures.splits["train"]
        texts = [pictures.names(language, rows) for language in LANGUAGES]
        vocabulary = Vocabulary.from_texts([name for names in texts for name in names])
        length = max(len(tokenise(n)) for language in LANGUAGES for n in pictures.names(language))
        names = np.stack([vocabulary.encode(names, length) for names in texts], axis=1)
        if configuration.shuffled:
            names = names[np.random.default_rng(configuration.seed).permutation(len(rows))]
        entries = [pictures.entries[row] for row in rows]
        families: dict[str, list[int]] = {}
        for place, entry in enumerate(entries):
            families.setdefault(entry.role or entry.base, []).append(place)
        siblings = [np.setdiff1d(families[e.role or e.base], [place]) for place, e in enumerate(entries)]
        images = pictures.images[rows]
        looks = [image.tobytes() for image in images]
        groups = _groups([looks, *texts])
        return cls(vocabulary.tokens[len(SPECIAL_TOKENS) :], images, names, groups, tuple(siblings))

    def batches(self, configuration: Configuration) -> training.Batches:
        """Pictures, a sibling of each if asked for, and their names in some of the languages.

        A sibling, the same person with another skin tone or gender, is the negative that is hardest to tell
        apart; in a batch drawn at random there would hardly be one.
        """

        def make(chosen: np.ndarray, random: np.random.Generator):
            rows = chosen
            if configuration.siblings:
                families = [self.siblings[row] for row in chosen]
                others = [random.choice(few if len(few) else everything) for few in families]
                rows = np.concatenate([chosen, others])
            languages = random.permutation(len(LANGUAGES))[: configuration.partners]
            inputs = {
                "first": shift(self.images[rows], configuration.shift, random),
                "second": self.names[rows][:, languages],  # (batch, partners, length)
            }
            return inputs, self.groups[rows]

        everything = np.arange(len(self.images))
        fresh = configuration.batch_size // (2 if configuration.siblings else 1)
        return training.Batches(len(self.images), fresh, make, configuration.seed)


def build(configuration: Configuration, task: Task) -> alignment.DualEncoder:
    """An untrained, compiled pair of towers whose vocabulary and length fit the task."""
    dtype = training.choose_profile(configuration.profile).dtype_policy
    training.set_seed(configuration.seed)
    size = {key: getattr(configuration, key) for key in ("width", "hidden", "output")}
    model = alignment.DualEncoder(
        alignment.PictureTower(configuration.side, configuration.patch, **size, dtype=dtype),
        alignment.TextTower(task.tokens, task.names.shape[-1], **size, dtype=dtype),
        configuration.temperature,
        dtype=dtype,
    )
    model.build()
    steps = configuration.epochs * len(task.batches(configuration))
    model.compile(
        optimizer(configuration.learning_rate, configuration.weight_decay, steps),
        loss=alignment.contrastive_loss,
        jit_compile=True,
    )
    return model


def optimizer(learning_rate: float, weight_decay: float, steps: int) -> keras.optimizers.Optimizer:
    """AdamW under a rate that rises over a tenth of the steps and then falls along a cosine."""
    schedule = training.warm_up_cosine(learning_rate, steps, steps // 10)
    found = keras.optimizers.AdamW(schedule, weight_decay=weight_decay, clipnorm=1.0)
    found.exclude_from_weight_decay(var_names=["log_scale"])
    return found


def train(configuration: Configuration, folder: Path, pictures: emoji.EmojiPictures | None = None):
    """Train with checkpoints in ``folder``, from the last one if there is one; see :func:`training.fit`."""
    pictures = pictures or emoji.load(configuration.side)
    task = Task.of(pictures, configuration)
    batches = task.batches(configuration)
    scores = _ValidationRecall(pictures)
    return training.fit(lambda: build(configuration, task), batches, configuration.epochs, folder, (scores,))


class _ValidationRecall(keras.callbacks.Callback):
    """After each epoch, Recall@1 among the validation pictures and English names, the mean of both ways."""

    def __init__(self, pictures: emoji.EmojiPictures):
        super().__init__()
        rows = pictures.splits["validation"]
        self.images, self.names = pictures.images[rows], pictures.names("en", rows)

    def on_epoch_end(self, epoch, logs=None):
        vectors = self.model.encode("first", self.images), self.model.encode("second", self.names)
        similarities, recall = vectors[0] @ vectors[1].T, alignment.recall_at(1)
        logs["recall_en"] = (recall(similarities) + recall(similarities.T)) / 2
        logs["temperature"] = self.model.temperature


def trained_folder(configuration: Configuration) -> Path:
    """The folder of the trained pair of towers, which is trained now unless it is in the cache."""
    return training.train_once(
        f"picture-names-{configuration.profile}{'-shuffled' if configuration.shuffled else ''}",
        asdict(configuration),
        [__name__],
        lambda folder: train(configuration, folder),
    )


def load_trained(profile: str | None = None) -> alignment.DualEncoder:
    """The trained pair of towers of a profile; trains it first if it is not in the cache."""
    folder = trained_folder(CONFIGURATIONS[training.choose_profile(profile).name])
    return training.read_model(folder)


def load_history(profile: str | None = None) -> list[dict[str, float]]:
    """The training's history, one dict for each epoch: "loss", "recall_en", "temperature"."""
    folder = trained_folder(CONFIGURATIONS[training.choose_profile(profile).name])
    return json.loads((folder / "history.json").read_text())


def _groups(keys: list[list]) -> np.ndarray:
    """Numbers that are equal for two rows if one of their keys is: ``int32`` ``(rows,)``."""
    parent = list(range(len(keys[0])))

    def root(row: int) -> int:
        while parent[row] != row:
            row = parent[row]
        return row

    for column in keys:
        first: dict = {}
        for row, key in enumerate(column):
            parent[root(row)] = root(first.setdefault(key, row))
    return np.array([root(row) for row in range(len(parent))], dtype=np.int32)


def shift(images: np.ndarray, most: int, random: np.random.Generator) -> np.ndarray:
    """Move each picture by up to ``most`` pixels each way; white fills the gap."""
    side = images.shape[1]
    padded = np.pad(images, ((0, 0), (most, most), (most, most), (0, 0)), constant_values=255)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (side, side), axis=(1, 2))
    top, left = random.integers(0, 2 * most + 1, size=(2, len(images)))
    return np.moveaxis(windows[np.arange(len(images)), top, left], 1, -1)  # (batch, side, side, 3)
