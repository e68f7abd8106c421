"""What the trained model answers in the exams of the scenes, kept; and where a question looks (notebook 53).

A notebook that shows scores with narrow intervals needs thousands of answers. They are asked for once, after
the training, and kept (:mod:`mmcourse.store`).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from keras import ops

from mmcourse import store
from mmcourse.data import questions, scenes
from mmcourse.data.things import THINGS
from mmcourse.generator import scene_scores
from mmcourse.generator import scenes as task
from mmcourse.generator.model import MultimodalGenerator
from mmcourse.generator.packing import packed_mask
from mmcourse.learning import training
from mmcourse.mathematics.attention import transformer_block
from mmcourse.text import PAD_ID, tokenise

CONTROLS = ("shuffled", "alike", "blank", "none")
WRITTEN_SPLITS, EVERY = ("seen", "unseen_artist"), 3


@dataclass(frozen=True)
class Answers:
    """The exams and what the model made of them.

    Attributes:
        exams: split -> exam, for each of :data:`mmcourse.generator.scene_scores.SPLITS`.
        right: split -> which of the exam's questions are answered exactly, boolean ``(questions,)``.
        controls: name of a control -> the same for the exam "seen" without its pictures; see
            :func:`mmcourse.generator.scene_scores.control_answers`.
        written: split of :data:`WRITTEN_SPLITS` -> the answers to each :data:`EVERY`-th question.
        confidence: split -> the probability that the model gave to each of those, ``float64``.
    """

    exams: dict[str, task.Exam]
    right: dict[str, np.ndarray]
    controls: dict[str, np.ndarray]
    written: dict[str, list[str]]
    confidence: dict[str, np.ndarray]

    def asked(self, split: str) -> list[questions.Question]:
        """The questions to which :attr:`written` holds the answers."""
        return self.exams[split].asked[::EVERY]


def pictures_of(exam: task.Exam) -> np.ndarray:
    """For each question of an exam the number of its picture, ``int64`` ``(questions,)``."""
    return np.repeat(np.arange(len(exam.scenes)), [len(some) for some in exam.questions])


def answer_all(model: MultimodalGenerator, number: int = scene_scores.NUMBER) -> dict[str, np.ndarray]:
    """All that :class:`Answers` keeps besides the exams, as arrays; a minute of work.

    Args:
        number: scenes of each split, and half as many portraits.
    """
    exams = {split: task.Exam.draw(split, number) for split in scene_scores.SPLITS}
    found = {f"right {split}": exam.right(model) for split, exam in exams.items()}
    controls = scene_scores.control_answers(model, exams["seen"])
    found |= {f"control {name}": right for name, right in controls.items()}
    for split in WRITTEN_SPLITS:
        exam = exams[split]
        prompts = [question.prompt for question in exam.asked[::EVERY]]
        images = exam.images[pictures_of(exam)[::EVERY]]
        written = model.generate({"image": images}, prompts)
        found[f"written {split}"] = np.array(written)
        # An answer that says nothing, or never ends, has no probability of being written as a whole.
        lengths = [len(model.vocabulary.ids_of(text)) for text in written]
        whole = [row for row, length in enumerate(lengths) if 0 < length < model.settings.answer_length]
        sure = np.zeros(len(written))
        sure[whole] = scene_scores.confidence(
            model, images[whole], [prompts[row] for row in whole], [written[row] for row in whole]
        )
        found[f"confidence {split}"] = sure
    return found


def load(profile: str | None = None, number: int = scene_scores.NUMBER) -> Answers:
    """The answers of a profile's trained model; trains and asks it first if need be."""
    configuration = task.CONFIGURATIONS[training.choose_profile(profile).name]
    kept = store.arrays(
        f"scenes-answers-{configuration.profile}",
        [__name__],
        lambda: answer_all(task.load_trained(profile), number),
        {**asdict(configuration), "number": number},
    )

    def named(kind: str) -> dict[str, np.ndarray]:
        return {name.removeprefix(f"{kind} "): kept[name] for name in kept if name.startswith(f"{kind} ")}

    return Answers(
        {split: task.Exam.draw(split, number) for split in scene_scores.SPLITS},
        named("right"),
        named("control"),
        {split: texts.tolist() for split, texts in named("written").items()},
        named("confidence"),
    )


def prompt_looks(
    model: MultimodalGenerator, images: np.ndarray, prompts: Sequence[str]
) -> tuple[list[list[str]], np.ndarray]:
    """Where attention lies on the pictures while the model reads prompts.

    Args:
        images: ``(examples, 96, 96, 3)``.

    Returns:
        Each prompt's tokens, and the weights of the image tokens, ``float64`` ``(depth, examples, heads,
        prompt_length, side, side)``. What is missing to 1 lies on the prompt.
    """
    ids = model.encode_prompts(prompts)
    media, real = model.embed_media({"image": images, "prompt": ids})
    places = np.tile(np.arange(ids.shape[1]), (len(ids), 1))
    hidden = np.concatenate(
        [ops.convert_to_numpy(media), ops.convert_to_numpy(model.embed_text(ids, places))], axis=1
    ).astype(np.float64)
    mask = packed_mask(
        real,
        np.ones_like(ids, dtype=bool),
        (ids != PAD_ID).astype(np.int32),
        itself=not model.settings.matching,
    )
    seen, side = [], model.encoders["image"].side
    for block in model.blocks:
        hidden, weights = transformer_block(
            hidden, block.get_weights(), model.settings.heads, ops.convert_to_numpy(mask)
        )
        seen.append(weights[:, :, side**2 :, : side**2])
    tokens = [[model.vocabulary.tokens[number] for number in row if number != PAD_ID] for row in ids]
    found = np.stack(seen)
    return tokens, found.reshape(*found.shape[:-1], side, side)


def search(model: MultimodalGenerator, images: np.ndarray, asked: Sequence[questions.Question]) -> np.ndarray:
    """Where the name of a thing looks in the first block, ``float64`` ``(examples, side, side)``.

    A mean over the heads and over the tokens of the name.

    Args:
        asked: questions that name a thing.

    Raises:
        ValueError: one names none.
    """
    without = [question.prompt for question in asked if question.thing is None]
    if without:
        raise ValueError(f"expected questions that name a thing; got {without[0]!r}")
    tokens, weights = prompt_looks(model, images, [question.prompt for question in asked])
    found = np.zeros((len(asked), *weights.shape[-2:]))
    for row, (question, prompt) in enumerate(zip(asked, tokens, strict=True)):
        own = _name_tokens(question)
        places = [place for place, token in enumerate(prompt) if token in own]
        found[row] = weights[0, row][:, places].mean(axis=(0, 1))
    return found


def _name_tokens(question: questions.Question) -> set[str]:
    """The tokens of the name of what a question asks about, in the singular and in the plural."""
    own = THINGS[question.thing]
    return set(tokenise(f"{own.english} {own.plural}" if question.language == "en" else own.chinese))


def painted(images: np.ndarray, drawn: Sequence[scenes.Scene], cells: Sequence[int]) -> np.ndarray:
    """Pictures in which one cell is painted over with the ground's colour: what stood there is gone.

    Args:
        images: ``uint8`` ``(scenes, 96, 96, 3)``.
        drawn: their scenes.
        cells: for each the number of a place, 0 to 8.
    """
    found = images.copy()
    for picture, scene, cell in zip(found, drawn, cells, strict=True):
        row, column = (scenes.CELL * part for part in divmod(int(cell), scenes.GRID))
        picture[row : row + scenes.CELL, column : column + scenes.CELL] = scenes.GROUNDS[scene.ground]
    return found
