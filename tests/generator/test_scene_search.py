"""The first part of the scenes' training, watched."""

import keras
import numpy as np
import pytest

from mmcourse.data import questions
from mmcourse.data.things import THINGS
from mmcourse.generator import scene_search
from mmcourse.generator import scenes as task

TINY = task.Configuration(
    channels=(4, 4, 4, 4), width=16, heads=2, depth=2, hidden=16, epochs=4, steps=3, batch_size=2
)

pytestmark = pytest.mark.usefixtures("float32")


def build_quickly(configuration):
    """Without XLA, which would compile for longer than it trains."""
    model = task.build(configuration)
    model.compile(model.optimizer, loss=task.answer_loss, jit_compile=False, run_eagerly=True)
    return model


@pytest.mark.parametrize("sentences", [False, True])
def test_exams_ask_for_places_by_name_or_by_sentence(sentences):
    exam = scene_search.exam_of(0, 8, sentences)
    assert exam.asked and len(exam.images) == len(exam.scenes) == len(exam.questions)
    for question in exam.asked:
        own = THINGS[question.thing]
        name = own.english if question.language == "en" else own.chinese
        assert question.task == "where" and name in question.prompt
        assert (question.prompt == name) != sentences
        known = [
            questions.wording("where", question.language, number, question.thing)
            for number in range(questions.KNOWN["where"])
        ]
        assert question.prompt in known


def test_it_looks_before_and_while_it_trains():
    keras.config.set_dtype_policy("float32")
    search = scene_search.watch(TINY, epochs=2, every=2, number=4, build=build_quickly)
    np.testing.assert_array_equal(search.step, [0, 2, 4, 6])
    for name in ("sight", "search", "bare", "sentence", "guess"):
        shares = getattr(search, name)
        assert shares.shape == (4,) and ((shares >= 0) & (shares <= 1)).all()
    assert len(set(search.guess)) == 1 and 0 < search.guess[0] <= 0.5
