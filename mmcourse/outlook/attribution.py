"""Maps of what an answer rests on, tests of such maps, and attacks through pictures (notebook 83).

A map gives each part of a picture a number that is to say how much an answer rests on it. Three of the usual
ones are here, and what they are tested with: scenes, where the cell that a question asks about is known, and
the same model with its weights out of order (Adebayo et al., 2018). The attacks use the same gradient for
something else: to find the small change of a picture that turns the answer.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from PIL import Image
from scipy import ndimage

from mmcourse.checks import check_count
from mmcourse.data import questions, scenes
from mmcourse.generator import scene_looks
from mmcourse.generator.model import MultimodalGenerator
from mmcourse.generator.packing import packed_mask
from mmcourse.mathematics.attention import transformer_block
from mmcourse.outlook.weights import replaced
from mmcourse.text import PAD_ID

BATCH, ANSWER_TOKENS = 16, 6
PARTS = ("encoder", "decoder", "all")


# Maps


def grad_cam(features: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """Grad-CAM (Selvaraju et al., 2017, equations 1 and 2): channels weighted by their mean gradient, ReLU.

    Args:
        features: what a convolutional layer gives, ``(..., rows, columns, channels)``.
        gradients: of the score by the features, of the same shape.

    Returns:
        ``(..., rows, columns)``, 0 or more.

    Raises:
        ValueError: the shapes differ or have no rows, columns and channels.
    """
    features, gradients = np.asarray(features), np.asarray(gradients)
    if features.shape != gradients.shape or features.ndim < 3:
        raise ValueError(
            "features and gradients must both be (..., rows, columns, channels), "
            f"got {features.shape} and {gradients.shape}"
        )
    weights = gradients.mean(axis=(-3, -2), keepdims=True)  # (..., 1, 1, channels)
    return np.maximum((weights * features).sum(axis=-1), 0)


def integrated_gradients(
    gradient: Callable[[np.ndarray], np.ndarray],
    inputs: np.ndarray,
    baseline: np.ndarray | float,
    steps: int = 16,
) -> np.ndarray:
    """Integrated gradients (Sundararajan et al., 2017, equations 1 and 3), by the rule of midpoints.

    Args:
        gradient: maps inputs to the gradient of the score, of the same shape.
        inputs: any shape.
        baseline: where the path begins, broadcast to the inputs.
        steps: points of the path at which the gradient is taken.

    Returns:
        The share of each input in the difference of the scores, of the inputs' shape. They add up to that
        difference, but for the error of the sum.

    Raises:
        ValueError: the number of steps is not positive, or the baseline does not fit.
    """
    check_count("steps", steps)
    inputs = np.asarray(inputs, dtype=np.float64)
    try:
        way = inputs - np.broadcast_to(baseline, inputs.shape)
    except ValueError:
        raise ValueError(f"baseline must fit {inputs.shape}, got {np.shape(baseline)}") from None
    total = np.zeros_like(inputs)
    for step in range(steps):
        total += gradient(inputs - way * (1 - (step + 0.5) / steps))
    return way * total / steps


def rollout(weights: np.ndarray) -> np.ndarray:
    """Attention rollout (Abnar and Zuidema, 2020): half attention, half the token itself, through all blocks.

    Args:
        weights: attention of each block ``(depth, ..., tokens, tokens)``, a mean over the heads; rows add up
            to 1.

    Returns:
        How much of each token of the input is in each of the output, ``(..., tokens, tokens)``; rows add up
        to 1.

    Raises:
        ValueError: the weights are not square.
    """
    weights = np.asarray(weights, dtype=np.float64)
    if weights.ndim < 3 or weights.shape[-1] != weights.shape[-2]:
        raise ValueError(f"weights must be (depth, ..., tokens, tokens), got {weights.shape}")
    identity = np.eye(weights.shape[-1])
    flow = identity
    for block in weights:
        flow = (block + identity) / 2 @ flow
    return flow


def edges(images: np.ndarray) -> np.ndarray:
    """How steep a picture is at each pixel: a map that knows no model (Sobel's filter).

    Args:
        images: ``(examples, height, width, channels)``.

    Returns:
        ``float64`` ``(examples, height, width)``.
    """
    grey = np.asarray(images, dtype=np.float64).mean(axis=-1)
    return np.stack([np.hypot(ndimage.sobel(one, axis=0), ndimage.sobel(one, axis=1)) for one in grey])


def by_cell(maps: np.ndarray) -> np.ndarray:
    """The sum of a map in each of a scene's nine cells.

    Args:
        maps: ``(examples, side, side)``; a side of 3 or a multiple of it.

    Returns:
        ``float64`` ``(examples, 9)``.

    Raises:
        ValueError: the maps are no squares that three rows of cells divide.
    """
    maps = np.asarray(maps, dtype=np.float64)
    if maps.ndim != 3 or maps.shape[1] != maps.shape[2] or maps.shape[1] % scenes.GRID:
        raise ValueError(f"maps must be (examples, side, side), the side a multiple of 3; got {maps.shape}")
    each = maps.shape[1] // scenes.GRID
    cells = maps.reshape(len(maps), scenes.GRID, each, scenes.GRID, each).sum(axis=(2, 4))
    return cells.reshape(len(maps), scenes.PLACES)


# Questions whose answer rests on a known cell


@dataclass(frozen=True)
class Sample:
    """English questions, each about one cell of a scene.

    Attributes:
        images: ``float64`` ``(questions, 96, 96, 3)``.
        drawn: the scenes.
        asked: the questions.
        cells: the number of the cell that each is about, ``int64`` ``(questions,)``.
    """

    images: np.ndarray
    drawn: tuple[scenes.Scene, ...]
    asked: tuple[questions.Question, ...]
    cells: np.ndarray

    @property
    def prompts(self) -> list[str]:
        """What is asked."""
        return [question.prompt for question in self.asked]

    @property
    def answers(self) -> list[str]:
        """What is true."""
        return [question.answer for question in self.asked]

    @property
    def empty(self) -> np.ndarray:
        """The scenes without their things, ``float64`` ``(questions, 96, 96, 3)``."""
        grounds = scenes.GROUNDS[[scene.ground for scene in self.drawn]].astype(np.float64)
        return np.broadcast_to(grounds[:, None, None], self.images.shape)

    @property
    def things(self) -> np.ndarray:
        """Where something stands, boolean ``(questions, 9)``."""
        return np.array([[scene.at(place) is not None for place in range(9)] for scene in self.drawn])

    def painted(self, cells: Sequence[int]) -> np.ndarray:
        """The pictures with one cell each painted over in the colour of the ground."""
        return scene_looks.painted(self.images, self.drawn, cells)


def draw_questions(task: str, number: int, seed: int = 0, split: str = "seen") -> Sample:
    """Questions for a place ("where is the cat?") or for what stands there ("what is at the top left?").

    Args:
        task: "where" or "at".
        number: of questions, each about a scene of its own.
        seed: of the scenes.
        split: see :func:`mmcourse.data.scenes.draw_scene`.

    Raises:
        ValueError: another task.
    """
    if task not in ("where", "at"):
        raise ValueError(f"task must be 'where' or 'at', whose answers rest on one cell; got {task!r}")
    random, drawn, asked = np.random.default_rng([83, seed]), [], []
    while len(drawn) < number:
        scene = scenes.draw_scene(split, random, least_kinds=2)
        question = questions.ask(scene, task, "en", random)
        if question is not None:
            drawn.append(scene)
            asked.append(question)
    images = scenes.draw(drawn, "openmoji" if split == "unseen_artist" else "twemoji")
    cells = [
        scene.places[scene.things.index(question.thing)] if question.place is None else question.place
        for scene, question in zip(drawn, asked, strict=True)
    ]
    return Sample(images.astype(np.float64), tuple(drawn), tuple(asked), np.array(cells))


# Attacks


def attack(
    gradient: Callable[[np.ndarray], np.ndarray],
    images: np.ndarray,
    epsilon: float,
    steps: int = 1,
    seed: int = 0,
) -> np.ndarray:
    """Pictures that lower a score, no value changed by more than ``epsilon``.

    One step is the fast gradient sign method (Goodfellow et al., 2015, section 4). With more, each goes a
    third of ``epsilon`` against the sign of the gradient, from a random beginning, and what has gone too far
    is brought back (projected gradient descent; Madry et al., 2018, section 2.1).

    Args:
        gradient: maps pictures to the gradient of the score that is to fall, such as
            :meth:`Asked.gradient`.
        images: ``(examples, height, width, channels)``, 0 to 255.
        epsilon: the most that a value may change, of 255.
        steps: how often the gradient is taken.
        seed: of the random beginning.

    Returns:
        ``float64``, of the shape of ``images``.

    Raises:
        ValueError: ``epsilon`` is negative, or the number of steps is not positive.
    """
    check_count("steps", steps)
    if not epsilon >= 0:
        raise ValueError(f"epsilon must be 0 or more, of 255; got {epsilon!r}")
    images = np.asarray(images, dtype=np.float64)
    low, high = np.maximum(images - epsilon, 0), np.minimum(images + epsilon, 255)
    found, step = images, epsilon
    if steps > 1:
        random, step = np.random.default_rng(seed), epsilon / 3
        found = np.clip(images + random.uniform(-epsilon, epsilon, images.shape), low, high)
    for _ in range(steps):
        found = np.clip(found - step * np.sign(gradient(found)), low, high)
    return found


def corner(cell: int, size: int) -> tuple[slice, slice]:
    """Rows and columns of the square in the lower right corner of a cell.

    Args:
        cell: the number of a place, 0 to 8.
        size: side of the square in pixels, 1 to 32.

    Raises:
        ValueError: the square does not fit the cell, or there is no such cell.
    """
    if not (1 <= size <= scenes.CELL and 0 <= cell < scenes.PLACES):
        raise ValueError(
            f"expected a size of 1 to {scenes.CELL} pixels and a cell of 0 to {scenes.PLACES - 1}, "
            f"got {size} and {cell}"
        )
    row, column = (scenes.CELL * (part + 1) for part in divmod(int(cell), scenes.GRID))
    return slice(row - size, row), slice(column - size, column)


def stick(images: np.ndarray, cells: Sequence[int], stickers: np.ndarray) -> np.ndarray:
    """Pictures with a sticker in the lower right corner of one cell.

    Args:
        images: ``(examples, 96, 96, 3)``, 0 to 255.
        cells: for each the number of a place, 0 to 8.
        stickers: one for all, ``(size, size, 3)``, or one for each, ``(examples, size, size, 3)``; with a
            fourth channel, the opacity, what is behind them shines through.

    Returns:
        ``float64``, of the shape of ``images``.

    Raises:
        ValueError: a sticker does not fit a cell.
    """
    found = np.array(images, dtype=np.float64)
    stickers = np.asarray(stickers, dtype=np.float64)
    if stickers.ndim == 3:
        stickers = np.broadcast_to(stickers, (len(found), *stickers.shape))
    for picture, cell, sticker in zip(found, cells, stickers, strict=True):
        field = picture[corner(cell, len(sticker))]
        opacity = sticker[..., 3:] / 255 if sticker.shape[-1] == 4 else 1.0
        field[:] = sticker[..., :3] * opacity + field * (1 - opacity)
    return found


def small_things(things: Sequence[int], size: int, artist: str = "twemoji") -> np.ndarray:
    """Things as stickers, ``uint8`` ``(things, size, size, 4)``: red, green, blue, opacity."""
    whole = [Image.fromarray(scenes.sprites(artist)[scenes.PORTRAIT][thing]) for thing in things]
    return np.stack([np.asarray(one.resize((size, size), Image.Resampling.BOX)) for one in whole])


def median(images: np.ndarray, size: int = 3) -> np.ndarray:
    """Each value replaced by the median of the square around it (feature squeezing; Xu et al., 2018).

    Args:
        images: ``(examples, height, width, channels)``.
        size: side of the square, odd.

    Raises:
        ValueError: the size is even or not positive.
    """
    if size < 1 or size % 2 == 0:
        raise ValueError(f"size must be odd: 1, 3, 5, …; got {size}")
    return ndimage.median_filter(np.asarray(images, dtype=np.float64), size=(1, size, size, 1))


# A question and its answer


class Measured(NamedTuple):
    """What :meth:`Asked.measure` finds for each example.

    Attributes:
        scores: of the answers, ``(examples,)``.
        by_pixels: their gradient by the pictures, ``(examples, 96, 96, 3)``.
        seen, by_seen: what the encoder sees, and the gradient by that, ``(examples, 3, 3, width)``.
        written: whether the model would write the answer, boolean ``(examples,)``.
    """

    scores: np.ndarray
    by_pixels: np.ndarray
    seen: np.ndarray
    by_seen: np.ndarray
    written: np.ndarray


class Asked:
    """Questions to a scenes' model and answers whose reasons are wanted, compiled once.

    The score of an answer is the sum, over its tokens and the end token, of their log-odds
    ``log(p / (1 - p))`` given those before. It is above 0 for each token that the model would choose with
    more than one half, and unlike a probability it does not flatten where the model is sure.

    Args:
        model: with a :class:`mmcourse.encoders.grid.GridEncoder` called "image".
        compiled: whether to compile with XLA: some seconds once, then several times as fast.
    """

    def __init__(self, model: MultimodalGenerator, compiled: bool = True):
        self.model = model
        self._function = tf.function(self._measure, jit_compile=compiled)

    def _measure(self, images, prompts, answers):
        encoder = self.model.encoders["image"]
        seen = encoder.look(images)  # (batch, side, side, width)
        inputs = {"image": images, "prompt": prompts, "answer": answers}
        logits = self.model(inputs, encoded={"image": encoder.place(seen)})
        own = ops.one_hot(answers, logits.shape[-1])
        true = ops.sum(logits * own, axis=-1)
        others = ops.logsumexp(ops.where(own > 0, -1e9, logits), axis=-1)
        real = ops.cast(ops.not_equal(answers, PAD_ID), logits.dtype)
        scores = ops.sum((true - others) * real, axis=1)
        by_pixels, by_seen = tf.gradients(ops.sum(scores), [images, seen])
        written = ops.all(ops.equal(ops.argmax(logits, axis=-1), answers) | (real == 0), axis=1)
        return scores, by_pixels, seen, by_seen, written

    def encode(self, prompts: Sequence[str], answers: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Token ids of prompts and of answers, each with its end token."""
        return (
            self.model.encode_prompts(prompts),
            self.model.vocabulary.encode(answers, ANSWER_TOKENS, end=True),
        )

    def measure(self, images: np.ndarray, prompts: Sequence[str], answers: Sequence[str]) -> "Measured":
        """Scores of answers and their gradients.

        Args:
            images: ``(examples, 96, 96, 3)``, 0 to 255.
            prompts, answers: one of each for each picture.

        Raises:
            ValueError: the numbers differ.
        """
        if not len(images) == len(prompts) == len(answers):
            raise ValueError(
                "expected a prompt and an answer for each picture, got "
                f"{len(images)} pictures, {len(prompts)} prompts and {len(answers)} answers"
            )
        ids = self.encode(prompts, answers)
        found = []
        for first in range(0, len(images), BATCH):
            rows = np.arange(first, first + BATCH) % len(images)  # the last batch is filled up
            part = self._function(
                tf.constant(np.asarray(images)[rows], tf.float32), *(tf.constant(one[rows]) for one in ids)
            )
            found.append([one.numpy()[: len(images) - first] for one in part])
        return Measured(*(np.concatenate(one) for one in zip(*found, strict=True)))

    def gradient(self, prompts: Sequence[str], answers: Sequence[str]) -> Callable[[np.ndarray], np.ndarray]:
        """The gradient of the answers' scores as a function of the pictures."""
        return lambda images: self.measure(images, prompts, answers).by_pixels

    def write(self, images: np.ndarray, prompts: Sequence[str]) -> list[str]:
        """The likeliest answers, token by token; what is longer than six tokens is cut off.

        Args:
            images: ``(examples, 96, 96, 3)``.
            prompts: one for each picture.
        """
        ids = self.model.encode_prompts(prompts)
        answers = np.full((len(ids), ANSWER_TOKENS), PAD_ID, dtype=np.int32)
        seen = {"image": self.model.encoders["image"](np.asarray(images, dtype=np.float32))}
        for place in range(ANSWER_TOKENS):
            inputs = {"image": images, "prompt": ids, "answer": answers}
            logits = ops.convert_to_numpy(self.model(inputs, encoded=seen))
            answers[:, place] = logits[:, place].argmax(axis=-1)
        return self.model.vocabulary.decode(answers)

    def attention(
        self, images: np.ndarray, prompts: Sequence[str], answers: Sequence[str]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Attention among all tokens while answers are written, in NumPy.

        Returns:
            ``(weights, writes)``: ``float64`` ``(depth, examples, heads, tokens, tokens)``, the nine tokens
            of the picture first; and boolean ``(examples, tokens)``, True where the answer is written.
        """
        ids, targets = self.encode(prompts, answers)
        model, inputs = self.model, {"image": np.asarray(images), "prompt": ids, "answer": targets}
        row = model.as_packed(inputs)
        media, real = model.embed_media(inputs)
        text = model.embed_text(row["text"], row["position"])
        hidden = ops.convert_to_numpy(ops.concatenate([media, text], axis=1)).astype(np.float64)
        size = model.settings
        mask = packed_mask(
            real, row["position"] < size.prompt_length, row["question"], itself=not size.matching
        )
        seen = []
        for block in model.blocks:
            hidden, weights = transformer_block(
                hidden, block.get_weights(), size.heads, ops.convert_to_numpy(mask)
            )
            seen.append(weights)
        before = np.zeros((len(ids), media.shape[1] + ids.shape[1]), dtype=bool)
        return np.stack(seen), np.concatenate([before, targets != PAD_ID], axis=1)


@contextlib.contextmanager
def shuffled_weights(model: MultimodalGenerator, part: str = "all", seed: int = 0) -> Iterator[None]:
    """The model with the numbers of each of its arrays in random order, for as long as the block lasts.

    Each layer keeps the size of its weights and loses what it has learned: the randomisation test of Adebayo
    et al. (2018, section 3).

    Args:
        part: "encoder", "decoder" or "all".
        seed: of the order.

    Raises:
        ValueError: an unknown part.
    """
    if part not in PARTS:
        raise ValueError(f"part must be one of {', '.join(PARTS)}, got {part!r}")
    encoder = {id(variable) for variable in model.encoders["image"].variables}
    chosen: list[keras.Variable] = [
        variable
        for variable in model.trainable_variables
        if part == "all" or (id(variable) in encoder) == (part == "encoder")
    ]
    random, shuffled = np.random.default_rng(seed), {}
    for variable in chosen:
        values = ops.convert_to_numpy(variable)
        shuffled[variable.path] = random.permutation(values.ravel()).reshape(values.shape)
    with replaced(model, shuffled):
        yield
