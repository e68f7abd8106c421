"""Captions of your own pictures (notebook 56): a folder with a table in, a model that describes out.

A frozen network that was trained on photographs turns each picture into tokens, once; the generator of
notebook 50 learns to write from them. That is the recipe of "Show and Tell" (Vinyals et al., 2015) with
attention over the picture (Xu et al., 2015), and of the models that put a frozen eye before a decoder. The
pictures come from :mod:`mmcourse.data.own`: a folder of your own, Flickr8k, or COCO.
"""

import csv
import hashlib
import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import keras
import numpy as np
from keras import ops
from PIL import Image

from mmcourse import image as picture
from mmcourse import store
from mmcourse.checks import check_count
from mmcourse.data import own, scenes
from mmcourse.data.things import THINGS
from mmcourse.encoders import efficientnet
from mmcourse.evaluation import intervals, overlap
from mmcourse.generator.model import MultimodalGenerator, Settings, answer_loss
from mmcourse.learning import training
from mmcourse.text import SPECIAL_TOKENS, Vocabulary, tokenise

PROMPT = "describe it"
BATCH = 32  # pictures that the frozen network reads at a time
_WORD = re.compile(r"\w+(?:['’-]\w+)*")
# Of the miniature: the English names of its things, and of the grounds of the scenes.
MINIATURE_THINGS = ("cat", "dog", "pig", "horse", "elephant", "apple", "banana", "tree", "car", "bus")
GROUND_NAMES = ("white", "yellow", "blue", "green", "pink", "purple")


@dataclass(frozen=True)
class Configuration:
    """Everything that decides what is trained, apart from pictures, captions and code.

    Attributes:
        profile: "cpu" or "gpu"; see :mod:`mmcourse.learning.training`.
        size: side in pixels that pictures are brought to for the frozen network.
        width, heads, depth, hidden, dropout: of the decoder, see :class:`mmcourse.generator.model.Settings`.
        least: how often a word must stand in the training captions to be learned.
        longest: tokens of a caption that are learned at most; the rest of a longer one is cut.
        epochs: how many; the scores on the validation pictures are taken after each.
        passes: over all training captions in one epoch.
        batch_size, learning_rate, weight_decay: of AdamW; the rate rises over a tenth, then falls.
        seed: of weights, order and dropout.
    """

    profile: str = "cpu"
    size: int = 128
    width: int = 96
    heads: int = 4
    depth: int = 2
    hidden: int = 192
    dropout: float = 0.1
    least: int = 1
    longest: int = 30
    epochs: int = 5
    passes: int = 4
    batch_size: int = 64
    learning_rate: float = 3e-3
    weight_decay: float = 0.05
    seed: int = 0


CONFIGURATIONS = {
    "cpu": Configuration(),
    "gpu": Configuration(
        profile="gpu", size=224, width=512, heads=8, depth=6, hidden=2048, least=5, batch_size=256, epochs=10
    ),
}


@keras.saving.register_keras_serializable("mmcourse")
class FeatureTokens(keras.layers.Layer):
    """Features of a frozen network to the tokens of the decoder: normalise, project, say where each lies.

    Takes ``(batch, places, channels)`` and gives ``(batch, places, width)``.

    Args:
        places, channels: of the features.
        width: of the tokens.
        dropout: share of the channels that are set to zero in training.
    """

    def __init__(self, places: int, channels: int, width: int, dropout: float = 0.0, **kwargs):
        super().__init__(**kwargs)
        self.places, self.channels, self.width, self.share = places, channels, width, dropout
        self.shape = (places, channels)
        kept = {"dtype": self.dtype_policy}
        self.norm = keras.layers.LayerNormalization(epsilon=1e-6, name="norm", **kept)
        self.dropout = keras.layers.Dropout(dropout, **kept)
        self.project = keras.layers.Dense(width, name="project", **kept)

    def build(self, shape):
        self.norm.build((None, self.places, self.channels))
        self.project.build((None, self.places, self.channels))
        self.position = self.add_weight(
            shape=(self.places, self.width),
            initializer=keras.initializers.RandomNormal(stddev=0.02),
            name="position",
        )

    def get_config(self):
        own_settings = {"places": self.places, "channels": self.channels, "width": self.width}
        return {**super().get_config(), **own_settings, "dropout": self.share}

    def call(self, features, training=False):
        features = self.norm(ops.cast(features, self.compute_dtype))
        tokens = self.project(self.dropout(features, training=training))  # (batch, places, width)
        return tokens + ops.cast(self.position, self.compute_dtype)


def clean(caption: str) -> str:
    """A caption as it is learned and scored: small letters, no punctuation, as the COCO evaluation does.

    >>> clean("A dog, waiting - for whom?")
    'a dog waiting for whom'
    """
    return " ".join(_WORD.findall(caption.lower()))


def features(
    data: own.CaptionedPictures, size: int = Configuration.size, network: keras.Model | None = None
) -> np.ndarray:
    """What the frozen network sees in each picture, computed once and kept.

    Args:
        data: the pictures.
        size: side in pixels that they are brought to.
        network: pictures ``(batch, size, size, 3)`` of 0 to 255 to ``[tokens, pooled]``, such as
            :func:`mmcourse.encoders.online.image_network` gives; by default EfficientNet-lite0 of the
            course's data. What another network gives is not kept.

    Returns:
        ``float16`` ``(pictures, places, channels)``.

    Raises:
        CaptionsError: a picture cannot be read.
    """

    def build() -> dict[str, np.ndarray]:
        eye = network or efficientnet.extractor(efficientnet.load(size))
        parts = []
        for start in range(0, len(data.paths), BATCH):
            images = data.pictures(range(start, min(start + BATCH, len(data.paths))), size)
            parts.append(np.asarray(eye.predict_on_batch(images)[0], dtype=np.float16))
        return {"tokens": np.concatenate(parts)}

    if network is not None:
        return build()["tokens"]
    settings = {"pictures": _digest_of_files(data), "size": size}
    made_by = [efficientnet.__name__, own.__name__]  # not by what is learned from them
    return store.arrays("features-captions", made_by, build, settings)["tokens"]


@dataclass(frozen=True)
class Task:
    """Pairs to learn from.

    Attributes:
        vocabulary: of the training captions and the prompt.
        features: of all pictures, ``(pictures, places, channels)``.
        rows: split -> picture of each caption, ``int64``; "train" and "validation".
        answers: split -> token ids of the captions, ``int32`` ``(captions, answer_length)``.
        prompt: token ids ``int32`` ``(prompt_length,)``.
    """

    vocabulary: Vocabulary
    features: np.ndarray
    rows: dict[str, np.ndarray]
    answers: dict[str, np.ndarray]
    prompt: np.ndarray

    @classmethod
    def of(cls, data: own.CaptionedPictures, features: np.ndarray, configuration: Configuration) -> "Task":
        """The task that captioned pictures make; nothing of the test part is looked at.

        Raises:
            ValueError: there are not as many features as pictures.
        """
        if len(features) != len(data.paths):
            raise ValueError(
                f"expected features of {len(data.paths)} pictures, got {len(features)}; "
                "give what captions.features made of the same pictures"
            )
        rows, texts = {}, {}
        for split in ("train", "validation"):
            rows[split], found = data.pairs(split)
            texts[split] = [clean(caption) for caption in found]
        known = Vocabulary.from_texts(texts["train"], configuration.least)
        words = sorted({*known.tokens[len(SPECIAL_TOKENS) :], *tokenise(PROMPT)})
        vocabulary = Vocabulary(words)
        length = min(configuration.longest, max(len(tokenise(caption)) for caption in texts["train"])) + 1
        answers = {
            split: vocabulary.encode(captions, length, end=True, cut=True)
            for split, captions in texts.items()
        }
        prompt = vocabulary.encode([PROMPT], len(tokenise(PROMPT)))[0]
        return cls(vocabulary, features, rows, answers, prompt)

    def inputs(self, split: str, chosen: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Some captions of a split, as ``fit`` expects them."""
        answer = self.answers[split][chosen]
        prompt = np.repeat(self.prompt[None], len(chosen), axis=0)
        picture = self.features[self.rows[split][chosen]].astype(np.float32)
        return {"image": picture, "prompt": prompt, "answer": answer}, answer

    def batches(self, configuration: Configuration) -> training.Batches:
        """Each training caption ``passes`` times an epoch."""
        count = len(self.rows["train"])

        def make(chosen: np.ndarray, random: np.random.Generator):
            return self.inputs("train", chosen % count)

        examples = count * configuration.passes
        batch_size = min(configuration.batch_size, examples)
        return training.Batches(examples, batch_size, make, configuration.seed)


def build(configuration: Configuration, task: Task) -> MultimodalGenerator:
    """An untrained, compiled model that fits the task."""
    dtype = training.choose_profile(configuration.profile).dtype_policy
    training.set_seed(configuration.seed)
    settings = Settings(
        width=configuration.width,
        heads=configuration.heads,
        depth=configuration.depth,
        hidden=configuration.hidden,
        dropout=configuration.dropout,
        prompt_length=len(task.prompt),
        answer_length=task.answers["train"].shape[1],
    )
    places, channels = task.features.shape[1:]
    eye = FeatureTokens(
        places, channels, configuration.width, configuration.dropout, dtype=dtype, name="feature_tokens"
    )
    ordinary = task.vocabulary.tokens[len(SPECIAL_TOKENS) :]
    model = MultimodalGenerator({"image": eye}, ordinary, settings, dtype=dtype)
    steps = configuration.epochs * len(task.batches(configuration))
    schedule = training.warm_up_cosine(configuration.learning_rate, steps, steps // 10)
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=configuration.weight_decay, clipnorm=1.0)
    # XLA compiles for ten seconds, which a training of a few more does not earn back.
    model.compile(optimizer, loss=answer_loss, jit_compile=configuration.profile == "gpu")
    model.build()
    return model


class _Validation(keras.callbacks.Callback):
    """After each epoch, the loss of the validation captions and CIDEr of what is written."""

    def __init__(self, data: own.CaptionedPictures, task: Task):
        super().__init__()
        self.data, self.task = data, task

    def on_epoch_end(self, epoch, logs=None):
        every = np.arange(len(self.task.rows["validation"]))
        inputs, answers = self.task.inputs("validation", every)
        logits = self.model.predict(inputs, batch_size=256, verbose=0)
        logs["validation"] = float(answer_loss(answers, logits))
        pictures = self.data.split("validation")
        written = describe(self.model, self.task.features[pictures])
        logs["validation_cider"] = float(
            overlap.cider(written, references(self.data, pictures), tokenise=tokenise)
        )


def train(
    configuration: Configuration,
    data: own.CaptionedPictures,
    folder: Path,
    given: np.ndarray | None = None,
):
    """Train with checkpoints in ``folder``, from the last one if there is one; see :func:`training.fit`.

    Args:
        given: features of the pictures; by default those of :func:`features`.
    """
    found = features(data, configuration.size) if given is None else given
    task = Task.of(data, found, configuration)
    return training.fit(
        lambda: build(configuration, task),
        task.batches(configuration),
        configuration.epochs,
        folder,
        callbacks=(_Validation(data, task),),
    )


def trained_folder(data: own.CaptionedPictures, configuration: Configuration) -> Path:
    """The folder of the model that these pictures train, which is trained now unless it is in the cache."""
    return training.train_once(
        "captions",
        {**asdict(configuration), "data": _digest(data)},
        [__name__],
        lambda folder: train(configuration, data, folder),
    )


def load_trained(
    data: own.CaptionedPictures, configuration: Configuration | None = None
) -> MultimodalGenerator:
    """The model of these pictures; trains it first if it is not in the cache."""
    configuration = configuration or CONFIGURATIONS[training.choose_profile().name]
    return training.read_model(trained_folder(data, configuration))


def read_folder(folder: str | Path) -> own.CaptionedPictures:
    """The captioned pictures in a folder: your own, Flickr8k or COCO, told apart by their files.

    Raises:
        FileNotFoundError: there is no such folder, or no table of captions in it.
        CaptionsError: what is there is wrong; all problems at once.
    """
    folder = Path(folder)
    if (folder / "captions.csv").is_file():
        return own.read(folder)
    if (folder / "annotations").is_dir():
        return own.coco(folder)
    if not folder.exists() or (folder / "Flickr8k.token.txt").is_file():
        return own.flickr8k(folder)
    raise FileNotFoundError(
        f"{folder} holds neither captions.csv nor Flickr8k.token.txt nor annotations/; write a table of "
        "captions as 'Your own pictures' in the guide says"
    )


def evaluate(data: own.CaptionedPictures, profile: str | None = None) -> dict[str, dict]:
    """:func:`scores` on the test pictures: "model", "nearest picture", "commonest caption" -> scores."""
    configuration = CONFIGURATIONS[training.choose_profile(profile).name]
    model, found = load_trained(data, configuration), features(data, configuration.size)
    test = data.split("test")
    written = {
        "model": describe(model, found[test]),
        "nearest picture": nearest_captions(data, found, test),
        "commonest caption": [commonest_caption(data)] * len(test),
    }
    return {name: scores(texts, references(data, test)) for name, texts in written.items()}


def describe_file(data: own.CaptionedPictures, path: str | Path, profile: str | None = None) -> str:
    """A caption for a picture's file by the model that these pictures have trained.

    Raises:
        OSError, mmcourse.image.PictureError: the file cannot be read.
    """
    configuration = CONFIGURATIONS[training.choose_profile(profile).name]
    image = picture.read(path, configuration.size)
    model = load_trained(data, configuration)
    eye = efficientnet.extractor(efficientnet.load(configuration.size))
    return describe(model, np.asarray(eye.predict_on_batch(image[None])[0]))[0]


def describe(model: MultimodalGenerator, found: np.ndarray) -> list[str]:
    """A caption for each picture, from its features ``(pictures, places, channels)``."""
    return model.generate({"image": found.astype(np.float32)}, PROMPT)


def references(data: own.CaptionedPictures, pictures: Iterable[int]) -> list[list[str]]:
    """The captions of each of some pictures, cleaned."""
    return [[clean(caption) for caption in data.captions[picture]] for picture in pictures]


# What a model is compared with


def commonest_caption(data: own.CaptionedPictures) -> str:
    """The training caption that occurs most often; of several the first in the alphabet."""
    counts = Counter(clean(caption) for caption in data.pairs("train")[1])
    return min(counts, key=lambda caption: (-counts[caption], caption))


def nearest_captions(data: own.CaptionedPictures, found: np.ndarray, pictures: np.ndarray) -> list[str]:
    """For each picture the first caption of the training picture that looks most like it.

    Alike is what has the largest cosine of all features, place by place, after the mean of the training
    pictures is taken off (Devlin et al., 2015, found such a rival hard to beat).

    Args:
        found: features of all pictures, ``(pictures, places, channels)``.
    """
    flat = found.reshape(len(found), -1).astype(np.float32)
    train = data.split("train")
    flat = flat - flat[train].mean(axis=0)
    flat /= np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-9)
    nearest = train[(flat[pictures] @ flat[train].T).argmax(axis=1)]
    return [clean(data.captions[picture][0]) for picture in nearest]


def scores(
    written: Sequence[str], true: Sequence[Sequence[str]], repeats: int = 500, seed: int = 0
) -> dict[str, tuple[float, float, float]]:
    """CIDEr-D, BLEU and chrF of captions with 95 % intervals over pictures (bootstrap).

    Args:
        written: one caption for each picture, cleaned.
        true: the captions that people wrote for each picture, cleaned.
        repeats, seed: of the bootstrap.

    Returns:
        "CIDEr", "BLEU", "chrF" -> (score, low, high). The weights of CIDEr's words are those of all pictures
        in each resample; chrF is the mean over the pictures.

    Raises:
        ValueError: fewer than two pictures, or not as many captions as pictures.
    """
    if len(written) != len(true) or len(written) < 2:
        raise ValueError(f"expected captions for 2 or more pictures, got {len(written)} for {len(true)}")
    each = {
        "CIDEr": np.asarray(overlap.cider(written, true, tokenise=tokenise, each=True)),
        "chrF": np.asarray(overlap.chrf(written, true, each=True)),
    }
    counts = overlap.bleu_counts(written, true, tokenise=tokenise)

    def bleu(rows: np.ndarray) -> float:
        return overlap.bleu_of_counts(rows.sum(axis=0))

    options = {"repeats": repeats, "seed": seed}
    table = {
        name: (float(values.mean()), *intervals.bootstrap_interval(np.mean, values, **options))
        for name, values in each.items()
    }
    return {
        "CIDEr": table["CIDEr"],
        "BLEU": (bleu(counts), *intervals.bootstrap_interval(bleu, counts, **options)),
        "chrF": table["chrF"],
    }


# A folder to try it on


def miniature(folder: str | Path, count: int = 400, seed: int = 55) -> Path:
    """Fill a folder with drawn scenes of two things and a table of two captions for each: no photographs.

    The first caption begins with one thing, the second with the other; both name the ground. Each picture is
    ``folder/pictures/0001.png``; the table is ``folder/captions.csv``, with a quarter of the pictures for the
    test and a tenth for validation.

    Args:
        folder: made if it is not there.
        count: pictures.
        seed: of what they show.

    Returns:
        The folder.

    Raises:
        ValueError: fewer than twenty pictures.
    """
    check_count("count", count, least=20)
    folder = Path(folder)
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    numbers = [thing.english for thing in THINGS]
    known = [numbers.index(name) for name in MINIATURE_THINGS]
    random = np.random.default_rng(seed)
    drawn = []
    for _ in range(count):
        first, second = random.choice(known, size=2, replace=False).tolist()
        spots = random.permutation(scenes.PLACES)[:2].tolist()
        drawn.append(scenes.place([first, second], spots, random))
    first_of = {"train": 0, "validation": round(0.65 * count), "test": round(0.75 * count)}
    with open(folder / "captions.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["picture", "caption", "split"])
        for number, (scene, pixels) in enumerate(zip(drawn, scenes.draw(drawn), strict=True), start=1):
            path = f"pictures/{number:04d}.png"
            Image.fromarray(pixels).save(folder / path)
            split = [name for name, first in first_of.items() if first < number][-1]
            table.writerows([path, caption, split] for caption in scene_captions(scene))
    return folder


def prepare(profile: str | None = None) -> None:
    """Train the model of the miniature, unless it is kept."""
    with tempfile.TemporaryDirectory() as folder:
        load_trained(own.read(miniature(folder)), CONFIGURATIONS[training.choose_profile(profile).name])


def scene_captions(scene: scenes.Scene) -> tuple[str, str]:
    """Two captions of a scene of two things, one from the side of each.

    Where one thing stands in a higher row than the other, they say above and below, else left and right.
    """
    (first, second), (place, other) = scene.things, scene.places
    rows = place // scenes.GRID, other // scenes.GRID
    if rows[0] != rows[1]:
        words = ("above", "below") if rows[0] < rows[1] else ("below", "above")
    else:
        words = ("left of", "right of") if place < other else ("right of", "left of")
    ground = GROUND_NAMES[scene.ground]
    one, two = THINGS[first].article, THINGS[second].article
    return (
        f"{one} {words[0]} {two} on {ground}",
        f"{two} is {words[1]} {one}, on a {ground} ground",
    )


def _digest_of_files(data: own.CaptionedPictures) -> str:
    state = hashlib.sha256()
    for path in data.paths:
        state.update(hashlib.sha256(path.read_bytes()).digest())
    return state.hexdigest()


def _digest(data: own.CaptionedPictures) -> str:
    """The hash of pictures, captions and splits, wherever the folder lies."""
    splits = {name: rows.tolist() for name, rows in data.splits.items()}
    told = repr((data.captions, sorted(splits.items()))).encode()
    return hashlib.sha256(_digest_of_files(data).encode() + told).hexdigest()
