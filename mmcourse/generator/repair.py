"""The article's program after its eight repairs, with its image branch as printed or open (notebook 51).

The printed program looks up each pixel in an ``Embedding``, a table of rows for whole numbers. Pixels between
0 and 1 are cut to whole numbers first: all of them below 1 become 0. An open branch multiplies pixels by
weights instead. :func:`learn` asks what either can learn when images and answers belong together, and when
they do not.
"""

from dataclasses import dataclass

import keras
import numpy as np
from keras import layers

from mmcourse.checks import check_count, check_positive
from mmcourse.data import digits
from mmcourse.evaluation import controls
from mmcourse.learning import training

SIDE, CHANNELS = 32, 3
LENGTH, VOCABULARY, WIDTH = 80, 10_000, 32  # ``maxlen``, ``max_features`` and the width of the program
BRANCHES = ("as printed", "open")
PROMPTS = ("this is", "after this comes")
# Ids of the program's kind: 0 pads, then the words of the prompts, then the names of the ten digits.
WORDS = (
    "", "this", "is", "after", "comes",
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
)  # fmt: skip
FIRST_ANSWER = WORDS.index("zero")


def canvas(images: np.ndarray, scale: float = 255) -> np.ndarray:
    """MNIST's pictures in the shape that the program's model expects.

    Two rows or columns of paper on each side, three equal channels, and a division as in line 12.

    Args:
        images: ``uint8`` ``(images, 28, 28)``.
        scale: what pixels are divided by; 1 keeps 0 to 255.

    Returns:
        ``float32`` ``(images, 32, 32, 3)``.

    Raises:
        ValueError: another shape or dtype, or a scale that is not positive.
    """
    images = np.asarray(images)
    if images.ndim != 3 or images.shape[1:] != (digits.SIZE, digits.SIZE) or images.dtype != np.uint8:
        raise ValueError(
            f"images must be uint8 (images, 28, 28), got {images.dtype} {images.shape}; "
            "scaling is done here, so pass the pixels as they come"
        )
    check_positive("scale", scale)
    edge = (SIDE - digits.SIZE) // 2
    padded = np.pad(images, ((0, 0), (edge, edge), (edge, edge))) / scale  # (images, 32, 32)
    return np.repeat(padded[..., None], CHANNELS, axis=-1).astype(np.float32)


def build(branch: str = "as printed", rate: float = 0.001) -> keras.Model:
    """The repaired program: an image and a text of 80 ids in, probabilities of the next word out.

    Args:
        branch: "as printed" looks pixels up in an ``Embedding``; "open" has one convolution over windows of
            8 by 8 pixels instead. All else is the same.
        rate: learning rate of Adam; 0.001 is the program's.

    Returns:
        A compiled model from ``[(batch, 32, 32, 3), (batch, 80)]`` to ``(batch, 10000)``.

    Raises:
        ValueError: there is no such branch.
    """
    if branch not in BRANCHES:
        raise ValueError(f"branch must be one of: {', '.join(BRANCHES)}; got {branch!r}")
    image = keras.Input((SIDE, SIDE, CHANNELS), name="image")
    text = keras.Input((LENGTH,), name="text")
    if branch == "as printed":
        seen = layers.Embedding(VOCABULARY, WIDTH, name="pixel_rows")(image)  # (batch, 32, 32, 3, width)
    else:
        seen = layers.Conv2D(WIDTH, 8, strides=4, activation="relu", name="windows")(
            image
        )  # (batch, 7, 7, width)
    seen = layers.Flatten()(seen)
    read = layers.LSTM(WIDTH)(layers.Embedding(VOCABULARY, WIDTH)(text))  # (batch, width)
    hidden = layers.Dense(WIDTH, activation="relu")(layers.concatenate([seen, read]))
    answer = layers.Dense(VOCABULARY, activation="softmax")(hidden)  # (batch, vocabulary)
    model = keras.Model([image, text], answer)
    model.compile(keras.optimizers.Adam(rate), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


@dataclass(frozen=True)
class Questions:
    """Digits, each with a prompt, and the word that answers it.

    Attributes:
        images: ``uint8`` ``(questions, 28, 28)``.
        text: ids of the prompt, padded at the front: ``int32`` ``(questions, 80)``.
        answers: id of the right word: ``int32`` ``(questions,)``.
    """

    images: np.ndarray
    text: np.ndarray
    answers: np.ndarray

    def __len__(self) -> int:
        return len(self.answers)


def questions(split: str, paired: bool = True, seed: int = 0) -> Questions:
    """Both prompts for each digit: "this is" its name, "after this comes" the next one (after nine, zero).

    Args:
        split: "train", "validation" or "test".
        paired: whether each answer belongs to its image; else the images are permuted among the questions,
            as when two unrelated data sets are put side by side.
        seed: of that order.

    Raises:
        ValueError: there is no such split.
    """
    images, labels = digits.load().part(split)
    which = np.repeat(np.arange(len(PROMPTS)), len(labels))
    asked = np.concatenate([images] * len(PROMPTS))
    answers = (
        FIRST_ANSWER + (np.concatenate([labels] * len(PROMPTS)).astype(np.int32) + which) % digits.CLASSES
    )
    if not paired:
        asked = controls.permute({"image": asked}, "image", seed)["image"]
    ids = [[WORDS.index(word) for word in prompt.split()] for prompt in PROMPTS]
    text = keras.utils.pad_sequences(ids, maxlen=LENGTH)[which]
    return Questions(asked, text, answers.astype(np.int32))


def learn(
    branch: str,
    paired: bool = True,
    seed: int = 0,
    scale: float = 255,
    rate: float = 0.001,
    epochs: int = 6,
    limit: int | None = None,
    test: str = "test",
) -> dict[str, float]:
    """Train on the training digits and answer about the test digits, whose answers always belong to them.

    Args:
        branch: see :func:`build`.
        paired: see :func:`questions`; of the training digits.
        seed: of the weights and of the order of the questions.
        scale: what pixels are divided by.
        rate: learning rate of Adam.
        epochs: passes over the training questions.
        limit: keep this many questions, drawn at random, for a quick try; all by default.
        test: the split that is asked about: "validation" while something is being chosen.

    Returns:
        Shares of right answers: "test", and the test again with the images permuted ("image permuted") and
        with the prompts permuted ("text permuted").

    Raises:
        ValueError: no such branch, or a number that makes no sense.
    """
    check_count("epochs", epochs, least=1)
    training.set_seed(seed)
    model = build(branch, rate)
    parts = {}
    for split in ("train", test):
        asked = questions(split, paired or split == test, seed)
        rows = np.random.default_rng(seed).permutation(len(asked))[:limit]
        parts[split] = (
            {"image": canvas(asked.images[rows], scale), "text": asked.text[rows]},
            asked.answers[rows],
        )
    inputs, answers = parts["train"]
    model.fit([inputs["image"], inputs["text"]], answers, batch_size=64, epochs=epochs, verbose=0)

    def share(inputs, answers) -> float:
        said = model.predict([inputs["image"], inputs["text"]], batch_size=250, verbose=0)
        return float((said.argmax(axis=-1) == answers).mean())

    tested, right = parts[test]
    return {
        "test": share(tested, right),
        "image permuted": share(controls.permute(tested, "image", seed), right),
        "text permuted": share(controls.permute(tested, "text", seed), right),
    }
