"""How well spoken questions are answered by voices that were never heard (notebook 53)."""

from collections.abc import Sequence

import numpy as np

from mmcourse.data import questions, spoken_questions
from mmcourse.evaluation import controls
from mmcourse.generator.model import MultimodalGenerator
from mmcourse.generator.scene_scores import by_task
from mmcourse.generator.scenes import Exam

NUMBER = 80  # scenes, and half as many portraits


def right(
    model: MultimodalGenerator, exam: Exam, frames: np.ndarray | None, images: np.ndarray | None = None
) -> np.ndarray:
    """Which spoken questions are answered exactly: boolean, in the order of ``exam.asked``.

    Args:
        model: of :func:`mmcourse.generator.spoken_scenes.train`.
        frames: of the recordings of ``exam.asked``; None for no question at all.
        images: other pictures in place of the scenes' own.
    """
    owner = [row for row, some in enumerate(exam.questions) for _ in some]
    inputs = {"image": (exam.images if images is None else images)[owner]}
    if frames is not None:
        inputs["speech"] = frames
    answers = model.generate(inputs, None, batch_size=128)
    return np.array([said == one.answer for said, one in zip(answers, exam.asked, strict=True)])


def say(asked: Sequence[questions.Question], heard: bool, seed: int = 54) -> np.ndarray:
    """Frames of questions, by voices that training hears or by those that it never hears."""
    texts = [(question.language, question.prompt) for question in asked]
    return spoken_questions.speak(texts, np.random.default_rng(seed), heard)


def evaluate(model: MultimodalGenerator, number: int = NUMBER) -> dict:
    """Score a model on questions of known kind, asked aloud.

    Returns:
        "heard_voices" and "unseen_voices", and under "spoken_controls", with voices never heard, *silence*
        (no sound), *wrong_sound* (another scene's question) and *shuffled* (another scene's picture); each in
        the form of :func:`mmcourse.generator.scene_scores.by_task`.
    """
    exam = Exam.draw("seen", number, seed=55)
    unheard = say(exam.asked, heard=False)
    pictures = controls.permute({"image": exam.images}, "image")["image"]
    other = controls.permute({"speech": unheard}, "speech")["speech"]
    return {
        "heard_voices": by_task(exam, right(model, exam, say(exam.asked, heard=True))),
        "unseen_voices": by_task(exam, right(model, exam, unheard)),
        "spoken_controls": {
            "silence": by_task(exam, right(model, exam, None)),
            "wrong_sound": by_task(exam, right(model, exam, other)),
            "shuffled": by_task(exam, right(model, exam, unheard, pictures)),
        },
    }
