"""What the trained model answers in the exams of the scenes, kept (notebook 53).

A notebook that shows scores with narrow intervals needs thousands of answers. They are asked for once, after
the training, and kept (:mod:`mmcourse.store`).
"""

from dataclasses import asdict, dataclass

import numpy as np

from mmcourse import store
from mmcourse.data import questions
from mmcourse.generator import scene_scores
from mmcourse.generator import scenes as task
from mmcourse.generator.model import MultimodalGenerator
from mmcourse.learning import training

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
