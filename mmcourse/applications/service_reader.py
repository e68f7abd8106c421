"""A small network that looks at a shop's screenshot and answers a question about it (notebook 61)."""

import functools
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import keras
import numpy as np
from keras import ops

from mmcourse.data import product_pages as pages
from mmcourse.learning import training
from mmcourse.text import Vocabulary

# An answer is two symbols: a digit, a word or a name, and a second digit or nothing.
FIRST = (*"0123456789", "yes", "no", "new", "used", *pages.PRODUCTS)
SECOND = (*"0123456789", "")
WORDS, STRIDE = 6, 8  # words of a question; pixels between two tokens of a page
ROWS, COLUMNS = pages.HEIGHT // STRIDE, pages.WIDTH // STRIDE
LOOKS = 2  # places at which a question looks at once: "which is cheaper" needs two


@functools.cache
def vocabulary() -> Vocabulary:
    """The words of the questions."""
    return Vocabulary.from_texts(pages.PROMPTS.values())


@dataclass(frozen=True)
class Configuration:
    """Everything that decides what is trained, apart from data and code.

    Attributes:
        layouts: how many of :func:`mmcourse.data.product_pages.known_layouts` are trained on; 1 is the shop's
            own page alone.
        screenshots: drawn for training.
        epochs, batch_size: of the training.
        channels, width, hidden: of the two first convolutions, of the tokens, and of the two dense layers.
        learning_rate: highest value of AdamW's; it rises over the first tenth and falls along a cosine.
        looking: weight of the loss that says where to look.
        seed: of weights, pages and order.
    """

    layouts: int = 24
    screenshots: int = 6000
    epochs: int = 8
    batch_size: int = 32
    channels: tuple[int, ...] = (16, 48)
    width: int = 64
    hidden: int = 192
    learning_rate: float = 2e-3
    looking: float = 1.0
    seed: int = 0


def build(configuration: Configuration) -> keras.Model:
    """An untrained model that looks at a screenshot and reads questions about it.

    Three convolutions turn the page into 10 x 8 tokens, a fourth lets each see its neighbours on both
    sides. The words of a
    question are added up; two queries are made of them, and each looks for one place on the page. What stands
    there and the question decide about two symbols.

    Returns:
        A model from "image" ``(batch, 80, 64, 3)`` and "question" ``(batch, questions, WORDS)`` to "first"
        ``(batch, questions, len(FIRST))`` and "second" ``(batch, questions, len(SECOND))``, probabilities,
        and "look" ``(batch, questions, LOOKS, ROWS, COLUMNS)``, the attention.
    """
    width, layers = configuration.width, keras.layers
    image = keras.Input((pages.HEIGHT, pages.WIDTH, 3), name="image")
    question = keras.Input((None, WORDS), dtype="int32", name="question")

    def convolve(inputs, channels, kernel, strides):
        hidden = layers.Conv2D(channels, kernel, strides=strides, padding="same", use_bias=False)(inputs)
        return layers.Activation("relu")(layers.LayerNormalization()(hidden))

    seen = image / 127.5 - 1
    for channels in (*configuration.channels, width):
        seen = convolve(seen, channels, 3, 2)
    seen = seen + convolve(seen, width, (1, 7), 1)  # (batch, ROWS, COLUMNS, width)
    tokens = layers.Reshape((ROWS * COLUMNS, width))(seen)
    asked = ops.sum(
        layers.Embedding(len(vocabulary()), width)(question), axis=-2
    )  # (batch, questions, width)
    queries = layers.Reshape((-1, LOOKS, width))(layers.Dense(LOOKS * width)(asked))
    scores = ops.einsum("bqlw,btw->bqlt", queries, layers.Dense(width)(tokens)) / width**0.5
    looks = ops.softmax(scores)
    found = ops.einsum("bqlt,btw->bqlw", looks, layers.Dense(width)(tokens))
    both = ops.concatenate([layers.Reshape((-1, LOOKS * width))(found), asked], axis=-1)
    for _ in range(2):
        both = layers.Dense(configuration.hidden, activation="relu")(both)
    return keras.Model(
        {"image": image, "question": question},
        {
            "first": layers.Dense(len(FIRST), activation="softmax", name="first")(both),
            "second": layers.Dense(len(SECOND), activation="softmax", name="second")(both),
            "look": layers.Reshape((-1, LOOKS, ROWS, COLUMNS), name="look")(looks),
        },
    )


@keras.saving.register_keras_serializable("mmcourse")
def look_loss(target, looks):
    """Minus the logarithm of the attention that falls where the answer stands, a mean.

    Args:
        target: of :func:`places`, ``(batch, questions, LOOKS, ROWS, COLUMNS)``.
        looks: of the same shape.
    """
    return -ops.mean(ops.log(ops.sum(looks * target, axis=(-2, -1)) + 1e-6))


def places(page: pages.Page, layout: pages.Layout) -> np.ndarray:
    """The tokens under which the answers stand: 1 or 0, ``uint8`` ``(tasks, LOOKS, ROWS, COLUMNS)``.

    A price is looked at digit by digit; which of two is lower, at the first digit of both.
    """
    found = np.zeros((len(pages.TASKS), LOOKS, ROWS, COLUMNS), dtype=np.uint8)
    for number, task in enumerate(pages.TASKS):
        for look in range(LOOKS):
            field = ("new", "used")[look] if task == "cheaper" else task
            digit = look if task in ("new", "used") else 0
            found[number, look] = _cells(*pages.digit_box(layout, field, getattr(page, field), digit))
    return found


@functools.lru_cache(maxsize=10_000)
def _cells(top: float, bottom: float, left: float, right: float) -> np.ndarray:
    """The tokens whose middle is in a box or near its own middle, ``uint8`` ``(ROWS, COLUMNS)``."""
    middle = STRIDE * (np.arange(max(ROWS, COLUMNS)) + 0.5)
    sides = []
    for count, first, last in ((ROWS, top, bottom), (COLUMNS, left, right)):
        half = max((last - first) / 2 - STRIDE / 2, STRIDE / 2)
        sides.append(np.abs(middle[:count] - (first + last) / 2) <= half)
    return np.outer(*sides).astype(np.uint8)


def symbols(answers: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """The numbers of the two symbols of each answer, ``int64`` ``(answers,)`` both.

    Raises:
        ValueError: an answer that no question has.
    """
    pairs = [(text[:1], text[1:]) if text[:1].isdigit() else (text, "") for text in answers]
    wrong = [one + two for one, two in pairs if one not in FIRST or two not in SECOND]
    if wrong:
        words = ", ".join(FIRST[10:])
        raise ValueError(f"{wrong[0]!r} is no answer; expected a number to 99 or one of {words}")
    first, second = zip(*pairs, strict=True)
    return np.array([FIRST.index(one) for one in first]), np.array([SECOND.index(two) for two in second])


def train(configuration: Configuration, folder: Path) -> tuple[keras.Model, list[dict[str, float]]]:
    """Train with checkpoints in ``folder``; see :func:`mmcourse.learning.training.fit`."""
    random = np.random.default_rng([configuration.seed, 1])
    layouts = pages.known_layouts()[: configuration.layouts]
    shown = [pages.draw_page(random) for _ in range(configuration.screenshots)]
    set_in = [layouts[number] for number in random.integers(len(layouts), size=len(shown))]
    images = np.stack([pages.draw(*both) for both in zip(shown, set_in, strict=True)])
    look = np.stack([places(*both) for both in zip(shown, set_in, strict=True)])
    answers = [pages.answer(page, task) for page in shown for task in pages.TASKS]
    first, second = (one.reshape(len(shown), -1) for one in symbols(answers))
    prompts = vocabulary().encode(list(pages.PROMPTS.values()), WORDS)

    def make(rows, random):
        inputs = {"image": images[rows], "question": np.repeat(prompts[None], len(rows), axis=0)}
        return inputs, {"first": first[rows], "second": second[rows], "look": look[rows].astype(np.float32)}

    def compiled():
        training.set_seed(configuration.seed)
        model, steps = build(configuration), configuration.epochs * len(batches)
        schedule = training.warm_up_cosine(configuration.learning_rate, steps, steps // 10)
        model.compile(
            keras.optimizers.AdamW(schedule, weight_decay=0.02, clipnorm=1.0),
            loss=dict.fromkeys(("first", "second"), "sparse_categorical_crossentropy") | {"look": look_loss},
            loss_weights={"first": 1.0, "second": 1.0, "look": configuration.looking},
        )
        return model

    batches = training.Batches(len(shown), configuration.batch_size, make, configuration.seed)
    return training.fit(compiled, batches, configuration.epochs, folder)


def trained_folder(configuration: Configuration) -> Path:
    """The folder of the trained model, which is trained now (a minute) unless it is in the cache."""
    return training.train_once(
        "service", asdict(configuration), [__name__], lambda folder: train(configuration, folder)
    )


def load_trained(layouts: int = 24, seed: int = 0) -> keras.Model:
    """The model that was trained on so many layouts; trains it first if it is not in the cache."""
    return training.read_model(trained_folder(Configuration(layouts=layouts, seed=seed)))


def answer(model: keras.Model, images: np.ndarray, prompts: Sequence[str]) -> tuple[list[str], np.ndarray]:
    """Answer one question about each screenshot.

    Args:
        model: of :func:`load_trained`.
        images: ``(screenshots, 80, 64, 3)``.
        prompts: one for each, of :data:`mmcourse.data.product_pages.PROMPTS`.

    Returns:
        The answers, and how probable the model finds each, ``float64`` ``(screenshots,)``.

    Raises:
        ValueError: the numbers differ, or a question holds unknown words.
    """
    if len(images) != len(prompts):
        raise ValueError(f"expected one question for each screenshot, got {len(prompts)} for {len(images)}")
    unknown = [word for prompt in set(prompts) for word in vocabulary().unknown_tokens(prompt)]
    if unknown:
        raise ValueError(f"the questions hold words that were never taught: {', '.join(unknown[:5])}")
    question = vocabulary().encode(list(prompts), WORDS)[:, None]
    given = model.predict({"image": images, "question": question}, batch_size=256, verbose=0)
    first, second = given["first"][:, 0].astype(float), given["second"][:, 0].astype(float)
    texts = [FIRST[one] + SECOND[two] for one, two in zip(first.argmax(1), second.argmax(1), strict=True)]
    return texts, first.max(axis=1) * second.max(axis=1)
