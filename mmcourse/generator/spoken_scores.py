"""How well spoken questions are answered by voices that were never heard (notebook 54)."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from keras import ops

from mmcourse import store
from mmcourse.data import questions, spoken_questions
from mmcourse.evaluation import controls
from mmcourse.generator import spoken_scenes
from mmcourse.generator.model import MultimodalGenerator
from mmcourse.generator.scene_scores import by_task
from mmcourse.generator.scenes import Exam
from mmcourse.learning import training
from mmcourse.text import PAD_ID

NUMBER, EXAM_SEED = 80, 55  # scenes, and half as many portraits


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


@dataclass(frozen=True)
class Answers:
    """An exam of scenes of known kind that was asked aloud.

    Attributes:
        exam: scenes and questions.
        frames: of its questions, by voices that training never hears: ``float32`` ``(questions, FRAMES,
            MELS)``.
        right: boolean, in the order of ``exam.asked``, for *heard_voices* and *unseen_voices*, and with the
            latter for *silence* (no sound), *wrong_sound* (another question) and *shuffled* (another scene's
            picture).
    """

    exam: Exam
    frames: np.ndarray
    right: dict[str, np.ndarray]


CONTROLS = ("silence", "wrong_sound", "shuffled")


def answer_all(model: MultimodalGenerator, number: int) -> dict[str, np.ndarray]:
    """The arrays of :class:`Answers`; a minute of work.

    Args:
        model: of :func:`mmcourse.generator.spoken_scenes.train`.
        number: scenes, and half as many portraits.
    """
    exam = Exam.draw("seen", number, seed=EXAM_SEED)
    unheard = say(exam.asked, heard=False)
    pictures = controls.permute({"image": exam.images}, "image")["image"]
    other = controls.permute({"speech": unheard}, "speech")["speech"]
    return {
        "frames": unheard,
        "heard_voices": right(model, exam, say(exam.asked, heard=True)),
        "unseen_voices": right(model, exam, unheard),
        "silence": right(model, exam, None),
        "wrong_sound": right(model, exam, other),
        "shuffled": right(model, exam, unheard, pictures),
    }


def load(profile: str | None = None, number: int = NUMBER) -> Answers:
    """The answers of a profile's trained model; trains and asks it first if need be."""
    configuration = spoken_scenes.CONFIGURATIONS[training.choose_profile(profile).name]
    kept = store.arrays(
        f"scenes-spoken-answers-{configuration.profile}",
        [__name__],
        lambda: answer_all(spoken_scenes.load_trained(profile), number),
        {**asdict(configuration), "number": number},
    )
    frames = kept["frames"]
    rest = {name: kept[name] for name in kept if name != "frames"}
    return Answers(Exam.draw("seen", number, seed=EXAM_SEED), frames, rest)


def evaluate(profile: str | None = None) -> dict:
    """Scores of questions of known kind that were asked aloud.

    Returns:
        "heard_voices" and "unseen_voices", and under "spoken_controls" the :data:`CONTROLS`, each in the
        form of :func:`mmcourse.generator.scene_scores.by_task`.
    """
    answers = load(profile)
    scores = {name: by_task(answers.exam, one) for name, one in answers.right.items()}
    return {
        "heard_voices": scores["heard_voices"],
        "unseen_voices": scores["unseen_voices"],
        "spoken_controls": {name: scores[name] for name in CONTROLS},
    }


def heard_words(model: MultimodalGenerator, frames: np.ndarray) -> list[str]:
    """What the ear makes of recordings, as a text: for each token of sound the word whose embedding is the
    most like it, repetitions and the padding token left out (the best path of Graves et al., 2006, section
    3.2).

    Args:
        model: of :func:`mmcourse.generator.spoken_scenes.train`.
        frames: ``(recordings, FRAMES, MELS)``.
    """
    found = []
    for first in range(0, len(frames), 64):
        words, real = nearest_words(model, frames[first : first + 64])
        for row, there in zip(words, real, strict=True):
            row = row[there]
            changed = np.r_[True, row[1:] != row[:-1]]
            found.append(model.vocabulary.text_of(row[changed & (row != PAD_ID)].tolist()))
    return found


def nearest_words(model: MultimodalGenerator, frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each token of sound the id of the word that is the most like it, and whether it is sound at all.

    Returns:
        ``int64`` and boolean, both ``(recordings, tokens)``.
    """
    ear = model.encoders["speech"]
    heard = ops.cast(ear(frames), "float32")
    known = spoken_scenes.words_said()
    table = ops.normalize(ops.cast(model.token_embedding(known), "float32"))
    scores = ops.matmul(ops.normalize(heard), ops.transpose(table))
    return (
        known[ops.convert_to_numpy(ops.argmax(scores, axis=-1))].astype(np.int64),
        ops.convert_to_numpy(ear.compute_mask(frames)),
    )
