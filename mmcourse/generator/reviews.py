"""A handwritten score and the opening words of a review in, the rest of the review out (notebook 52).

The score is a digit from 1 to 5, in somebody's handwriting: the mean rating of about twenty people in five
levels. Neither the digit nor the opening says enough alone. How well the digit is followed is measured in
:mod:`mmcourse.generator.review_scores`.
"""

import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import keras
import numpy as np
from keras import ops

from mmcourse.checks import check_count
from mmcourse.data import digits, film_reviews, full, glove
from mmcourse.encoders.image import ImageEncoder
from mmcourse.generator.decoding import Sampling, Writer
from mmcourse.generator.model import MultimodalGenerator, Settings, answer_loss
from mmcourse.learning import training
from mmcourse.text import PAD_ID, SPECIAL_TOKENS, Vocabulary
from mmcourse.text.byte_pair import BYTES, BytePairEncoding

LEVELS = (1, 2, 3, 4, 5)
EDGES = (-2.0, -0.5, 0.5, 2.0)  # between the levels, on the raters' scale of -4 to 4
SIDE = 32  # pixels of a sheet: a digit and two rows or columns of paper on each side
OPENING = 4  # words of an opening in every test
SHORTEST = 10  # words of a review that is long enough for a test
LONGEST_OPENING = 30  # characters of an opening in a test
JUDGE_SHARE = 0.4  # of the training reviews: for the judge, never for the generator
SPLIT_SEED = 20_050_625
GLOVE_WORDS, GLOVE_NORM = 100_000, 0.6  # the most frequent; the length of a vector at the start
# How tokens are chosen: the likely a little likelier, the tail cut off, and all pushed towards the digit.
TEMPERATURE, NUCLEUS, GUIDANCE = 0.8, 0.95, 3.0
SAMPLING = Sampling(TEMPERATURE, nucleus=NUCLEUS)


@dataclass(frozen=True)
class RatedReviews:
    """Reviews with their digits.

    Attributes:
        texts: as :func:`plain` writes them.
        levels: the digit that belongs to each, 1 to 5: ``int64`` ``(reviews,)``.
        ratings: what the digit stands for, on the scale of the set: ``float64`` ``(reviews,)``.
        splits: "train" for the generator, "judge" for its judge, "validation" and "test" -> indices,
            ``int64``, sorted, disjoint.
        tier: "course" or "full".
    """

    texts: tuple[str, ...]
    levels: np.ndarray
    ratings: np.ndarray
    splits: dict[str, np.ndarray]
    tier: str = "course"

    def testable(self, split: str) -> np.ndarray:
        """Indices of a split's reviews of at least :data:`SHORTEST` words whose opening is not too long."""
        found = []
        for row in self.splits[split]:
            words = self.texts[row].split()
            if len(words) >= SHORTEST and len(" ".join(words[:OPENING])) <= LONGEST_OPENING:
                found.append(row)
        return np.array(found, dtype=np.int64)


def plain(text: str) -> str:
    """A review in lower case and in visible ASCII characters, single spaces between its words.

    >>> plain("A  déjà-vu,  ''again''_")
    'a deja-vu, "again"'
    """
    text = unicodedata.normalize("NFKD", text.replace("''", '"').replace("’", "'"))
    text = text.encode("ascii", "ignore").decode().lower()
    return " ".join(re.sub(r"[^ -~]|_", " ", text).split())


def levels_of(ratings: np.ndarray) -> np.ndarray:
    """The level of mean ratings between -4 and 4: ``int64``, 1 below -2, 5 from 2 on.

    Raises:
        ValueError: a rating is outside the scale.
    """
    ratings = np.asarray(ratings, dtype=np.float64)
    if not (np.abs(ratings) <= 4).all():
        raise ValueError("ratings must be from -4 to 4, as the raters gave them")
    return 1 + np.searchsorted(EDGES, ratings, side="right")


def load() -> RatedReviews:
    """The rated snippets of the course data.

    The training reviews of :func:`mmcourse.data.film_reviews.load` are divided by group between generator and
    judge, so that no text of one is nearly the same as a text of the other.
    """
    films = film_reviews.load()
    groups = np.unique(films.groups[films.splits["train"]])
    drawn = np.random.default_rng(SPLIT_SEED).permutation(groups)
    of_judge = np.isin(films.groups, drawn[: round(JUDGE_SHARE * len(drawn))])
    train = films.splits["train"]
    splits = dict(films.splits) | {"train": train[~of_judge[train]], "judge": train[of_judge[train]]}
    texts = tuple(plain(text) for text in films.texts)
    return RatedReviews(texts, levels_of(films.ratings), films.ratings, splits)


def load_full(folder: str | Path | None = None, words: int = 40) -> RatedReviews:
    """The 50,000 reviews of IMDB, of which only praise (5) and blame (1) are published.

    Args:
        folder: as for :func:`mmcourse.data.full.imdb`.
        words: how many of each review are kept, from its beginning.

    Raises:
        mmcourse.data.full.FullDataError: the set cannot be had or read.
    """
    check_count("words", words, least=SHORTEST)
    reviews = full.imdb(folder)
    order = np.random.default_rng(SPLIT_SEED).permutation(reviews.splits["train"])
    cut = round(JUDGE_SHARE * len(order))
    splits = dict(reviews.splits) | {"train": np.sort(order[cut:]), "judge": np.sort(order[:cut])}
    texts = tuple(" ".join(plain(reviews.text(row)).split()[:words]) for row in range(len(reviews.token_ids)))
    levels = np.where(reviews.labels == 1, 5, 1).astype(np.int64)
    return RatedReviews(texts, levels, reviews.labels.astype(np.float64), splits, reviews.tier)


class Handwriting:
    """Digits to show: each time that one is asked for, another picture of it.

    Args:
        pictures: such as :func:`mmcourse.data.digits.load` or :func:`mmcourse.data.full.mnist`.
        split: of the pictures that are shown; those of "test" were never seen in training.
    """

    def __init__(self, pictures: digits.Digits, split: str):
        images, labels = pictures.part(split)
        self.sheets = sheet(images)
        self.of_digit = {digit: np.flatnonzero(labels == digit) for digit in range(digits.CLASSES)}

    def draw(self, levels: Sequence[int] | np.ndarray, random: np.random.Generator) -> np.ndarray:
        """A picture of each digit: ``uint8`` ``(levels, 32, 32, 3)``; of level 0, an empty sheet."""
        images = np.zeros((len(levels), SIDE, SIDE, 3), dtype=np.uint8)
        for place, level in enumerate(levels):
            if level:
                images[place] = self.sheets[random.choice(self.of_digit[int(level)])]
        return images


def sheet(images: np.ndarray) -> np.ndarray:
    """Digits ``uint8`` ``(images, 28, 28)`` in the middle of a sheet: ``uint8`` ``(images, 32, 32, 3)``.

    Raises:
        ValueError: another shape or dtype.
    """
    images = np.asarray(images)
    if images.shape[1:] != (digits.SIZE, digits.SIZE) or images.dtype != np.uint8:
        raise ValueError(f"images must be uint8 (images, 28, 28), got {images.dtype} {images.shape}")
    edge = (SIDE - digits.SIZE) // 2
    padded = np.pad(images, ((0, 0), (edge, edge), (edge, edge)))
    return np.repeat(padded[..., None], 3, axis=-1)


class Pieces:
    """Parts of words as words: what stands between the generator's vocabulary and a text.

    A review is cut by byte-pair encoding (notebook 22), and its pieces are written with spaces between them;
    a piece that begins a word begins with "_". So a vocabulary of words holds pieces, and no word is unknown.

    >>> Pieces.train(["so good, so good, so bad"], 20).write("so so bad")
    '_so _so _bad'
    """

    def __init__(self, encoding: BytePairEncoding):
        self.encoding = encoding

    @classmethod
    def train(cls, texts: Sequence[str], merges: int) -> "Pieces":
        """Learn the pieces of texts."""
        return cls(BytePairEncoding.train([" " + text for text in texts], merges))

    def names(self) -> list[str]:
        """All pieces that a plain text can have."""
        first = len(SPECIAL_TOKENS)
        visible = [chr(code) for code in range(32, 127) if chr(code) != "_"]
        return [*(_shown(one) for one in visible), *(
            _shown(token.decode()) for token in self.encoding.tokens[first + BYTES :]
        )]  # fmt: skip

    def write(self, text: str) -> str:
        """A plain text as pieces; a space is put in front of its first word."""
        if not text.strip():
            return ""
        tokens = self.encoding.tokens
        return " ".join(_shown(tokens[i].decode()) for i in self.encoding.ids_of(" " + text.strip()))

    @staticmethod
    def read(pieces: str) -> str:
        """The text of pieces."""
        return pieces.replace(" ", "").replace("_", " ")


def _shown(piece: str) -> str:
    return piece.replace(" ", "_")


def cut(text: str, words: int = OPENING) -> tuple[str, str]:
    """A review as its opening and the rest; the rest begins with a space.

    >>> cut("one of the best films", 3)
    ('one of the', ' best films')

    Raises:
        ValueError: nothing would be left on one side.
    """
    parts = text.split(" ")
    if not 1 <= words < len(parts):
        raise ValueError(f"cannot cut {text[:40]!r} after {words} of its {len(parts)} words")
    return " ".join(parts[:words]), " " + " ".join(parts[words:])


@dataclass(frozen=True)
class Configuration:
    """Everything that decides what is trained, apart from data and code.

    Attributes:
        profile: "cpu" or "gpu"; see :mod:`mmcourse.learning.training`.
        merges: pieces of words to learn.
        channels, width, heads, depth, hidden, dropout: of the model, see
            :class:`mmcourse.generator.model.Settings` and :class:`mmcourse.encoders.image.ImageEncoder`.
        prompt_length, answer_length: most pieces of an opening and of a rest, its end token counted; a rest
            that is longer is cut.
        openings: words of the shortest and of the longest opening in training.
        empty: share of training reviews whose digit is an empty sheet, so that "no digit" has a meaning.
        word_vectors: whether to begin with GloVe's.
        digit_epochs: passes over the digits with which the image encoder learns to tell them apart.
        epochs: passes over the reviews.
        batch_size: reviews a step.
        learning_rate: its highest value; it rises over the first tenth and then falls along a cosine.
        weight_decay: of Muon.
        seed: of weights, order, cuts and handwriting.
    """

    profile: str = "cpu"
    merges: int = 4000
    channels: tuple[int, ...] = (16, 32, 64)
    width: int = 128
    heads: int = 4
    depth: int = 2
    hidden: int = 384
    dropout: float = 0.3
    prompt_length: int = 16
    answer_length: int = 32
    openings: tuple[int, int] = (1, 6)
    empty: float = 0.15
    word_vectors: bool = True
    digit_epochs: int = 6
    epochs: int = 5
    batch_size: int = 32
    learning_rate: float = 3e-3
    weight_decay: float = 0.1
    seed: int = 0


CONFIGURATIONS = {
    "cpu": Configuration(),
    "gpu": Configuration(
        profile="gpu", width=256, depth=4, hidden=1024, dropout=0.3, epochs=20, batch_size=128
    ),
}


@dataclass(frozen=True)
class Task:
    """The reviews as arrays of token ids, ready to be cut anywhere.

    Attributes:
        pieces: of the training reviews.
        vocabulary: of the pieces.
        rows: for each training review its token ids and, for each number of opening words, how many of them
            belong to the opening.
        levels: the digit of each.
    """

    pieces: Pieces
    vocabulary: Vocabulary
    rows: list[tuple[np.ndarray, list[int]]] = field(repr=False)
    levels: np.ndarray

    @classmethod
    def of(cls, reviews: RatedReviews, configuration: Configuration, split: str = "train") -> "Task":
        """The task that the training reviews make."""
        pieces = Pieces.train([reviews.texts[row] for row in reviews.splits["train"]], configuration.merges)
        vocabulary = Vocabulary(sorted(set(pieces.names())))
        rows, levels = [], []
        for row in reviews.splits[split]:
            ids = vocabulary.ids_of(pieces.write(reviews.texts[row]))
            starts = [place for place, i in enumerate(ids) if vocabulary.tokens[i].startswith("_")]
            first, last = configuration.openings
            places = [place for place in starts[first : last + 1] if place <= configuration.prompt_length]
            if places:
                rows.append((np.array(ids, dtype=np.int32), places))
                levels.append(reviews.levels[row])
        return cls(pieces, vocabulary, rows, np.array(levels))

    def batches(self, configuration: Configuration, writing: Handwriting) -> training.Batches:
        """Each review once an epoch, cut after a random word, with its digit in a random handwriting."""

        def make(chosen: np.ndarray, random: np.random.Generator):
            prompt = np.full((len(chosen), configuration.prompt_length), PAD_ID, dtype=np.int32)
            answer = np.full((len(chosen), configuration.answer_length), PAD_ID, dtype=np.int32)
            for place, row in enumerate(chosen):
                ids, places = self.rows[row]
                middle = places[random.integers(len(places))]
                prompt[place, :middle] = ids[:middle]
                rest = np.append(ids[middle:], self.vocabulary.ids["<end>"])[: configuration.answer_length]
                answer[place, : len(rest)] = rest
            shown = np.where(random.random(len(chosen)) < configuration.empty, 0, self.levels[chosen])
            return {"image": writing.draw(shown, random), "prompt": prompt, "answer": answer}, answer

        return training.Batches(len(self.rows), configuration.batch_size, make, configuration.seed)


def learn_digits(encoder: ImageEncoder, configuration: Configuration, pictures: digits.Digits) -> float:
    """Teach an image encoder to tell the ten digits apart, by a classifier that is thrown away.

    Returns:
        The share of validation digits that it names.
    """
    images, labels = pictures.part("train")
    model = keras.Sequential(
        [keras.Input(encoder.shape), encoder, keras.layers.Flatten(), keras.layers.Dense(digits.CLASSES)]
    )
    model.compile(
        keras.optimizers.Adam(2e-3),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=False,
    )
    model.fit(sheet(images), labels, batch_size=64, epochs=configuration.digit_epochs, verbose=0)
    held_out, true = pictures.part("validation")
    return float(model.evaluate(sheet(held_out), true, verbose=0)[1])


def build(configuration: Configuration, task: Task, pictures: digits.Digits) -> MultimodalGenerator:
    """A compiled model that can tell digits apart and has not read a review yet."""
    dtype = training.choose_profile(configuration.profile).dtype_policy
    training.set_seed(configuration.seed)
    settings = Settings(
        width=configuration.width,
        heads=configuration.heads,
        depth=configuration.depth,
        hidden=configuration.hidden,
        dropout=configuration.dropout,
        prompt_length=configuration.prompt_length,
        answer_length=configuration.answer_length,
    )
    encoder = ImageEncoder(
        SIDE, configuration.channels, configuration.width, dtype=dtype, name="image_encoder"
    )
    if configuration.digit_epochs:
        learn_digits(encoder, configuration, pictures)
    ordinary = task.vocabulary.tokens[len(SPECIAL_TOKENS) :]
    model = MultimodalGenerator({"image": encoder}, ordinary, settings, dtype=dtype)
    steps = configuration.epochs * (len(task.rows) // configuration.batch_size)
    schedule = training.warm_up_cosine(configuration.learning_rate, steps, steps // 10)
    decay = configuration.weight_decay
    optimizer = keras.optimizers.Muon(
        schedule, weight_decay=decay, adam_weight_decay=decay, clipnorm=1.0,
        exclude_layers=["to_logits", "position", "modality"],
    )  # fmt: skip
    model.compile(optimizer, loss=answer_loss, jit_compile=True)
    model.build()
    if configuration.word_vectors:
        begin_with_glove(model)
    begin_with_frequencies(model, task)
    return model


def begin_with_glove(model: MultimodalGenerator) -> int:
    """Give each piece that is a whole word its GloVe vector, turned to the model's width at random.

    The token embedding and the kernel of the output begin with the same vectors, so that words of like
    meaning are read alike and written alike from the first step on.

    Returns:
        How many pieces are such words.
    """
    vectors = glove.load(GLOVE_WORDS)
    place = {word: row for row, word in enumerate(vectors.words)}
    named = {number: token.removeprefix("_") for number, token in enumerate(model.vocabulary.tokens)
             if token.startswith("_") or not token.isalnum()}  # fmt: skip
    found = {number: place[word] for number, word in named.items() if word in place}
    chosen = vectors.vectors[list(found.values())]
    chosen = chosen - chosen.mean(axis=0)
    chosen /= np.linalg.norm(chosen, axis=1, keepdims=True)
    width, random = model.settings.width, np.random.default_rng(0)
    turn, _ = np.linalg.qr(random.normal(size=(width, width)))
    table = random.normal(scale=GLOVE_NORM / np.sqrt(width), size=(len(model.vocabulary), width))
    size = min(width, chosen.shape[1])
    table[list(found)] = GLOVE_NORM * chosen[:, :size] @ turn[:size]
    model.token_embedding.embeddings.assign(table)
    model.to_logits.kernel.assign(table.T * 0.5)
    return len(found)


def begin_with_frequencies(model: MultimodalGenerator, task: Task) -> None:
    """Let the output begin with how frequent each piece is, so that no step is spent on learning it."""
    counts = np.bincount(np.concatenate([row for row, _ in task.rows]), minlength=len(model.vocabulary)) + 0.5
    counts[model.vocabulary.ids["<end>"]] += len(task.rows)
    model.to_logits.bias.assign(np.log(counts / counts.sum()))


def train(
    configuration: Configuration,
    folder: Path,
    reviews: RatedReviews | None = None,
    pictures: digits.Digits | None = None,
):
    """Train with checkpoints in ``folder``, from the last one if there is one; see :func:`training.fit`."""
    reviews, pictures = reviews or load(), pictures or digits.load()
    task = Task.of(reviews, configuration)
    batches = task.batches(configuration, Handwriting(pictures, "train"))
    held_out = Task.of(reviews, configuration, "validation").batches(
        configuration, Handwriting(pictures, "validation")
    )
    return training.fit(
        lambda: build(configuration, task, pictures),
        batches,
        configuration.epochs,
        folder,
        callbacks=(_ValidationLoss(held_out),),
    )


class _ValidationLoss(keras.callbacks.Callback):
    """After each epoch, the loss on the same cuts of the validation reviews."""

    def __init__(self, batches: training.Batches):
        super().__init__()
        self.batches = batches

    def on_epoch_end(self, epoch, logs=None):
        losses = [float(answer_loss(answers, self.model(inputs))) for inputs, answers in map(
            self.batches.__getitem__, range(len(self.batches)))]  # fmt: skip
        logs["validation"] = float(np.mean(losses))


@dataclass(frozen=True)
class Guided:
    """Sample from logits that are pushed away from what the model would write without a digit.

    ``logits = with digit + weight * (with digit - with an empty sheet)``: the guidance of Ho and Salimans
    (2022, equation 6), on the logits of a language model as in Sanchez et al. (2024). It needs a model that
    has seen empty sheets in training.

    Attributes:
        sampling: how a token is drawn from these logits.
        weight: 0 changes nothing.
    """

    sampling: Sampling = SAMPLING
    weight: float = GUIDANCE

    def __call__(self, model, inputs):
        """Token ids ``int32`` ``(batch, answer_length)``, padded after the end token."""
        return self.sampling(_WithAndWithout(model, self.weight), inputs)


class _WithAndWithout:
    """What the loop of sampling asks of a model, for two at once: one sees the digit, one an empty sheet."""

    def __init__(self, model: MultimodalGenerator, weight: float):
        self.model, self.weight, self.settings = model, weight, model.settings

    def read(self, inputs):
        both = {name: ops.concatenate([inputs[name], inputs[name]]) for name in ("image", "prompt")}
        both["image"] = ops.concatenate([inputs["image"], ops.zeros_like(inputs["image"])])
        caches, real = self.model.read(both)
        return caches, real[: ops.shape(real)[0] // 2]

    def next_logits(self, token, place, caches, real):
        logits, caches = self.model.next_logits(
            ops.concatenate([token, token]), place, caches, ops.concatenate([real, real])
        )
        seeing, blind = ops.split(logits, 2)
        return seeing + self.weight * (seeing - blind), caches


class Reviewer:
    """A trained model with the pieces that it reads and writes.

    Args:
        model: of :func:`train`.
        pieces: of the reviews that it was trained with.
    """

    def __init__(self, model: MultimodalGenerator, pieces: Pieces):
        self.model, self.pieces = model, pieces
        self._writers: dict = {}

    def write(
        self, images: np.ndarray, openings: Sequence[str], choose=None, batch_size: int = 128
    ) -> list[str]:
        """The rest of each review, beginning with a space.

        Args:
            images: sheets, ``uint8`` ``(reviews, 32, 32, 3)``; of zeros for no digit.
            openings: the first words of each; they are brought to the form of :func:`plain`.
            choose: how tokens are chosen: :class:`Guided`, by default as it comes, or one of
                :mod:`mmcourse.generator.decoding`.

        Raises:
            ValueError: other numbers or shapes of images, or an opening that is empty or too long.
        """
        images = self.model._checked("image", np.asarray(images))
        if len(images) != len(openings):
            raise ValueError(f"got {len(images)} images and {len(openings)} openings; expected one for each")
        if not len(openings):
            return []
        choose = Guided() if choose is None else choose
        if choose not in self._writers:
            self._writers[choose] = Writer(self.model, choose)
            self._writers[choose].compile(jit_compile=False)
        example = np.arange(len(openings), dtype=np.int32)
        inputs = {"image": images, "prompt": self.encode_openings(openings), "example": example}
        answers = self._writers[choose].predict(inputs, batch_size=batch_size, verbose=0)
        return [self.pieces.read(text) for text in self.model.vocabulary.decode(answers)]

    def surprises(
        self, images: np.ndarray, openings: Sequence[str], rests: Sequence[str], batch_size: int = 128
    ) -> tuple[np.ndarray, np.ndarray]:
        """How little the model expects the true rest of each review.

        Returns:
            Negative log-probability of each rest in nats, ``float64`` ``(reviews,)``, and its number of
            pieces with the end token, ``int64``. Pieces that the model has no room for do not count.
        """
        prompts, answers = self.encode_openings(openings), self.encode(rests)
        losses = np.zeros(len(answers))
        for first in range(0, len(answers), batch_size):
            rows = slice(first, first + batch_size)
            inputs = {"image": images[rows], "prompt": prompts[rows], "answer": answers[rows]}
            chances = ops.convert_to_numpy(ops.log_softmax(self.model(inputs), axis=-1))
            true = np.take_along_axis(chances, answers[rows, :, None], axis=-1)[..., 0]
            losses[rows] = -(true * (answers[rows] != PAD_ID)).sum(axis=1)
        return losses, (answers != PAD_ID).sum(axis=1)

    def encode(self, rests: Sequence[str]) -> np.ndarray:
        """Token ids of rests with their end, ``int32`` ``(reviews, answer_length)``; cut if too long."""
        written = [self.pieces.write(rest) for rest in rests]
        return self.model.vocabulary.encode(written, self.model.settings.answer_length, end=True, cut=True)

    def encode_openings(self, openings: Sequence[str]) -> np.ndarray:
        """Token ids of openings, ``int32`` ``(reviews, prompt_length)``; :meth:`write` says what is wrong."""
        return self.model.encode_prompts([self.pieces.write(plain(opening)) for opening in openings])


def trained_folder(configuration: Configuration) -> Path:
    """The folder of the trained model, which is trained now unless it is in the cache."""
    return training.train_once(
        f"reviews-{configuration.profile}",
        asdict(configuration),
        [__name__],
        lambda folder: train(configuration, folder),
    )


def load_trained(profile: str | None = None) -> Reviewer:
    """The trained model of a profile; trains it first if it is not in the cache."""
    configuration = CONFIGURATIONS[training.choose_profile(profile).name]
    model = training.read_model(trained_folder(configuration))
    reviews = load()
    return Reviewer(
        model, Pieces.train([reviews.texts[row] for row in reviews.splits["train"]], configuration.merges)
    )


def load_history(profile: str | None = None) -> list[dict[str, float]]:
    """The training's history, one dict an epoch: "loss" and "validation", in nats a piece."""
    configuration = CONFIGURATIONS[training.choose_profile(profile).name]
    return json.loads((trained_folder(configuration) / "history.json").read_text())
