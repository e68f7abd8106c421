"""What is kept of the exams."""

import keras
import numpy as np
import pytest

from mmcourse.data import scenes
from mmcourse.generator import scene_answers, scene_scores
from mmcourse.generator import scenes as task

TINY = task.Configuration(
    channels=(4, 4, 4, 4), width=16, heads=2, depth=2, hidden=16, epochs=1, steps=1, batch_size=2
)

pytestmark = pytest.mark.usefixtures("float32")


@pytest.fixture(scope="module")
def model():
    keras.config.set_dtype_policy("float32")
    return task.build(TINY).generator


@pytest.fixture(scope="module")
def exam():
    return task.Exam.draw("seen", 8)


def test_pictures_belong_to_their_questions(exam):
    owner = scene_answers.pictures_of(exam)
    assert len(owner) == len(exam.asked)
    for number, question in zip(owner, exam.asked, strict=True):
        assert question.about(exam.scenes[number]) == question.answer


def test_what_is_kept_is_what_the_model_answers(model, monkeypatch, tmp_path):
    monkeypatch.setenv("MMCOURSE_DATA", str(tmp_path))
    monkeypatch.setattr(task, "load_trained", lambda profile: model)
    # The drawings are kept in the cache that is replaced here.
    for artist in ("twemoji", "openmoji"):
        assert scenes.sprites(artist)
    kept = scene_answers.load("cpu", number=3)
    monkeypatch.setattr(task, "load_trained", None)
    again = scene_answers.load("cpu", number=3)
    assert set(kept.right) == set(kept.exams) == set(scene_scores.SPLITS)
    assert set(kept.controls) == set(scene_answers.CONTROLS)
    for split, exam in kept.exams.items():
        assert kept.right[split].dtype == bool and len(kept.right[split]) == len(exam.asked)
    for split in scene_answers.WRITTEN_SPLITS:
        asked, sure = kept.asked(split), kept.confidence[split]
        assert len(asked) == len(kept.written[split]) == len(sure)
        assert again.written[split] == kept.written[split]
        exact = [a == one.answer for a, one in zip(kept.written[split], asked, strict=True)]
        np.testing.assert_array_equal(exact, kept.right[split][:: scene_answers.EVERY])
        assert ((sure >= 0) & (sure <= 1)).all()
