"""Questions: what is asked about a scene has the answer that the scene gives."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcourse.data import questions, scenes

seeds = st.integers(0, 2**32 - 1)
tasks = st.sampled_from(questions.TASKS)
languages = st.sampled_from(questions.LANGUAGES)


def draw(random):
    return scenes.draw_portrait(random) if random.random() < 0.3 else scenes.draw_scene("train", random)


@settings(deadline=None, max_examples=300)
@given(seed=seeds, task=tasks, language=languages)
def test_the_answer_is_that_of_the_scene(seed, task, language):
    random = np.random.default_rng(seed)
    scene = draw(random)
    question = questions.ask(scene, task, language, random)
    if question is not None:
        assert question.about(scene) == question.answer != ""


def test_about_another_scene_by_hand():
    scene = scenes.compose({"top left": "cat", "middle": "dog"})
    other = scenes.compose({"top left": "dog", "top middle": "apple", "middle": "dog"})
    random = np.random.default_rng(0)
    where = next(q for q in iter(lambda: questions.ask(scene, "where", "en", random), None) if q.thing == 1)
    assert (where.answer, where.about(other)) == ("top left", "")
    at = next(q for q in iter(lambda: questions.ask(scene, "at", "en", random), None) if q.place == 4)
    assert (at.answer, at.about(other)) == ("a dog", "a dog")
    dog = next(q for q in iter(lambda: questions.ask(scene, "exist", "zh", random), None) if q.thing == 1)
    assert (dog.answer, dog.about(other)) == ("有", "没有")
    assert questions.answer_of(other, "count", "zh", thing=0) == "两只"
    assert questions.answer_of(other, "left_of", "en", thing=0) == ""  # two dogs: which?
    apple = other.things[1]
    assert questions.answer_of(other, "left_of", "en", thing=apple) == "a dog"
