"""How well scenes are answered, and when the model looks and when it guesses (notebook 53)."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from keras import ops
from PIL import Image

from mmcourse.data import questions, scenes
from mmcourse.evaluation import controls, intervals
from mmcourse.generator.model import MultimodalGenerator
from mmcourse.generator.packing import packed_mask
from mmcourse.generator.scenes import Exam
from mmcourse.mathematics.attention import transformer_block
from mmcourse.text import PAD_ID

SPLITS = ("seen", "unseen_pairs", "unseen_counts", "unseen_wordings", "more_things", "unseen_artist")
NUMBER = 160  # scenes of each split, and half as many portraits
CROP = 16  # pixels of a side at which the rival compares pictures


def evaluate(model: MultimodalGenerator, splits: Sequence[str] = SPLITS, number: int = NUMBER) -> dict:
    """Score a model on every split, and on scenes of known kind with the picture taken away.

    Returns:
        ``{split: {task: {language: {"exact": …, "interval": [low, high], "questions": …}}}}``; "controls" and
        "informed_guess" in the same form, the first with one more level, the control's name.
    """
    results: dict = {}
    for split in splits:
        exam = Exam.draw(split, number)
        results[split] = by_task(exam, exam.right(model))
    exam = Exam.draw("seen", number)
    results["controls"] = {name: by_task(exam, right) for name, right in control_answers(model, exam).items()}
    results["informed_guess"] = by_task(exam, guesses(exam))
    return results


def by_task(exam: Exam, right: np.ndarray) -> dict:
    """Shares of right answers, ``{task: {language: {"exact": …, "interval": …, "questions": …}}}``.

    Args:
        right: for each of ``exam.asked`` whether it is right, or how likely.
    """
    found: dict = {}
    for task in questions.TASKS:
        for language in questions.LANGUAGES:
            rows = [
                row
                for row, question in enumerate(exam.asked)
                if (question.task, question.language) == (task, language)
            ]
            if not rows:
                continue
            share = float(right[rows].mean())
            low, high = intervals.wilson_interval(round(share * len(rows)), len(rows))
            one = {"exact": share, "interval": [low, high], "questions": len(rows)}
            found.setdefault(task, {})[language] = one
    return found


def guesses(exam: Exam) -> np.ndarray:
    """How likely somebody is right who sees the scene and does not understand what is asked for.

    He names a random thing, place or number of the scene. A description or a name leaves nothing to guess:
    there it is 0.
    """
    return np.array(
        [
            np.mean([guess == question.answer for guess in question.guesses]) if question.guesses else 0.0
            for question in exam.asked
        ]
    )


def control_answers(model: MultimodalGenerator, exam: Exam) -> dict[str, np.ndarray]:
    """Which questions are answered right although the picture does not show the scene.

    Returns:
        Name of a control -> boolean, in the order of ``exam.asked``. *shuffled*: another scene's picture;
        *alike*: that of a scene with as many things of each kind, so that its description is as long;
        *blank*: white; *none*: no picture at all.
    """
    pictures = {"image": exam.images}
    return {
        "shuffled": exam.right(model, controls.permute(pictures, "image")["image"]),
        "alike": exam.right(model, exam.images[alike(exam.scenes)]),
        "blank": exam.right(model, controls.blank(pictures, "image", 255)["image"]),
        "none": exam.right(model, blind=True),
    }


def alike(drawn: Sequence[scenes.Scene]) -> np.ndarray:
    """For each scene the number of another one with as many things of each kind, ``int64`` ``(scenes,)``.

    A scene that has no like keeps its own number.
    """
    patterns = [(*sorted(scene.counts.values()), scene.portrait) for scene in drawn]
    groups: dict = {}
    for number, pattern in enumerate(patterns):
        groups.setdefault(pattern, []).append(number)
    found = np.arange(len(drawn))
    for members in groups.values():
        found[members] = np.roll(members, 1)
    return found


def usual_answers(scenes_drawn: int = 1000, seed: int = 0) -> dict[tuple[str, str], str]:
    """The most frequent answer of training to each task in each language: what a guesser would say who
    knows the task and sees nothing."""
    random = np.random.default_rng(seed)
    counts: dict = {}
    for number in range(scenes_drawn):
        scene = scenes.draw_portrait(random) if number % 4 == 0 else scenes.draw_scene("train", random)
        for task in questions.TASKS:
            for language in questions.LANGUAGES:
                question = questions.ask(scene, task, language, random)
                if question is not None:
                    counts.setdefault((task, language), Counter())[question.answer] += 1
    return {key: counter.most_common(1)[0][0] for key, counter in counts.items()}


# What the model does


def confidence(
    model: MultimodalGenerator, images: np.ndarray, prompts: Sequence[str], answers: Sequence[str]
) -> np.ndarray:
    """The probability that the model gives to each answer as a whole, ``float64`` ``(examples,)``.

    Args:
        images: ``(examples, 96, 96, 3)``.
        answers: such as the model itself has written.
    """
    size = model.settings
    targets = model.vocabulary.encode(answers, size.answer_length, end=True)
    prompt = model.encode_prompts(prompts)
    found = []
    for first in range(0, len(targets), 64):
        rows = slice(first, first + 64)
        inputs = {"image": images[rows], "prompt": prompt[rows], "answer": targets[rows]}
        chances = ops.convert_to_numpy(ops.log_softmax(model(inputs), axis=-1)).astype(np.float64)
        true = np.take_along_axis(chances, targets[rows, :, None], axis=-1)[..., 0]
        found.append(np.exp((true * (targets[rows] != PAD_ID)).sum(axis=1)))
    return np.concatenate(found) if found else np.zeros(0)


def looks(
    model: MultimodalGenerator, picture: np.ndarray, prompt: str, answer: str
) -> tuple[list[str], np.ndarray]:
    """Where attention lies on the picture while the model writes an answer.

    Args:
        picture: ``(96, 96, 3)``.

    Returns:
        The answer's tokens, the end token last, and the weights of the image tokens for each,
        ``float64`` ``(depth, heads, tokens, side, side)``. What is missing to 1 lies on the text.
    """
    size = model.settings
    prompts = model.encode_prompts([prompt])
    answers = model.vocabulary.encode([answer], size.answer_length, end=True)
    inputs = {"image": picture[None], "prompt": prompts, "answer": answers}
    media, real = model.embed_media(inputs)
    row = model.as_packed(inputs)
    hidden = np.concatenate(
        [
            ops.convert_to_numpy(media),
            ops.convert_to_numpy(model.embed_text(row["text"], row["position"])),
        ],
        axis=1,
    ).astype(np.float64)
    mask = packed_mask(real, row["position"] < size.prompt_length, row["question"], itself=not size.matching)
    seen = []
    for block in model.blocks:
        hidden, weights = transformer_block(
            hidden, block.get_weights(), size.heads, ops.convert_to_numpy(mask)
        )
        seen.append(weights[0])
    count, first = int((answers[0] != PAD_ID).sum()), media.shape[1] + size.prompt_length
    side = model.encoders["image"].side
    weights = np.stack(seen)[:, :, first : first + count, : side**2]
    tokens = [model.vocabulary.tokens[number] for number in answers[0, :count]]
    return tokens, weights.reshape(*weights.shape[:-1], side, side)


# The rival


class SpriteRival:
    """Finds in each cell the nearest of the pictures that scenes are made of, and composes the answer.

    It is told what the question means and where the cells are, and knows what each thing looks like in one
    artist's hand. It learns nothing.

    Args:
        artist: whose pictures it knows.
    """

    def __init__(self, artist: str = "twemoji"):
        size = max(scenes.SIZES)
        ground = np.zeros(3)
        rows = []
        for sprite in scenes.sprites(artist)[size].astype(np.float64):
            opacity = sprite[..., 3:] / 255
            rows.append(_signature(sprite[..., :3] * opacity + ground * (1 - opacity), opacity[..., 0] > 0.5))
        self.known = np.stack(rows)  # (things, features)

    def things(self, picture: np.ndarray) -> dict[int, int]:
        """What stands in each cell of a picture ``(96, 96, 3)``: place -> thing. Empty cells are left out."""
        ground = np.median(picture.reshape(-1, 3), axis=0)
        found = {}
        for place in range(scenes.PLACES):
            row, column = (scenes.CELL * part for part in divmod(place, scenes.GRID))
            field = picture[row : row + scenes.CELL, column : column + scenes.CELL].astype(np.float64)
            ink = np.abs(field - ground).max(axis=-1) > 8
            if ink.sum() > 20:
                found[place] = self.nearest(field, ink)
        return found

    def nearest(self, field: np.ndarray, ink: np.ndarray) -> int:
        """The thing whose picture is the most like what is drawn where ``ink`` is True."""
        return int(((self.known - _signature(field, ink)) ** 2).sum(axis=1).argmin())

    def answer(self, picture: np.ndarray, scene: scenes.Scene, question: questions.Question) -> str:
        """The answer to a question, of which it knows task and arguments; of the scene it uses no more than
        whether it is a portrait."""
        random = np.random.default_rng(0)
        if scene.portrait:
            ground = np.median(np.concatenate([picture[0], picture[-1]]), axis=0)
            ink = np.abs(picture - ground).max(axis=-1) > 8
            thing = self.nearest(picture.astype(np.float64), ink)
            seen = scenes.Scene((thing,), (-1,), (scenes.PORTRAIT,), ((0, 0),))
        else:
            things = self.things(picture)
            if not things:
                return ""
            seen = scenes.place(list(things.values()), list(things), random)
        return question.about(seen)


def _signature(field: np.ndarray, ink: np.ndarray) -> np.ndarray:
    """What is drawn, cut out, brought to one size and put on black: ``(16 * 16 * 3,)``."""
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    cut = np.where(ink[..., None], field, 0)[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    small = Image.fromarray(cut.astype(np.uint8)).resize((CROP, CROP), Image.Resampling.BOX)
    return np.asarray(small, dtype=np.float64).ravel()
