"""Spoken questions: every known wording is said, by voices that are kept apart."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcourse.audio import SAMPLE_RATE, VOICES, AudioError
from mmcourse.data import questions, scenes, spoken_questions
from mmcourse.data.spoken_questions import FRAMES, MELS


@settings(deadline=None, max_examples=200)
@given(seed=st.integers(0, 2**32 - 1), task=st.sampled_from(questions.TASKS))
def test_every_question_of_training_is_said(seed, task):
    random = np.random.default_rng(seed)
    language = questions.LANGUAGES[seed % 2]
    portrait = task in ("name", "name_in")
    scene = scenes.draw_portrait(random) if portrait else scenes.draw_scene("train", random)
    question = questions.ask(scene, task, language, random)
    if question is not None:
        assert (language, question.prompt) in set(spoken_questions.every_prompt())


def test_prompts_are_said_once_and_no_held_out_wording_is():
    prompts = spoken_questions.every_prompt()
    assert len(set(prompts)) == len(prompts) > 5_000
    said = {text for _, text in prompts}
    for language in questions.LANGUAGES:
        for task in ("describe", "name"):
            wordings = questions.WORDINGS[language][task]
            held_out = {wordings[number] for number in range(questions.KNOWN[task], len(wordings))}
            assert not held_out & said


def test_voices_are_heard_or_held_out():
    for language in questions.LANGUAGES:
        heard, other = (spoken_questions.voices(language, one) for one in (True, False))
        assert not set(heard) & set(other)
        assert len(other) == len(spoken_questions.HELD_OUT) and set(heard) | set(other) < set(VOICES)


def test_frames_are_standardised_and_padded():
    frames = spoken_questions.speak(
        [("en", "where is the cat"), ("zh", "猫在哪里")], np.random.default_rng(0), heard=False
    )
    assert frames.shape == (2, FRAMES, MELS) and frames.dtype == np.float32
    for one in frames:
        real = (one != 0).any(axis=1)
        length = int(real.sum())
        assert 20 < length < FRAMES and real[:length].all()
        assert one[:length].mean() == pytest.approx(0, abs=1e-3)
        assert one[:length].std() == pytest.approx(1, abs=1e-3)


def test_what_is_too_long_is_cut_and_no_sound_is_refused():
    noise = np.random.default_rng(0).normal(scale=0.1, size=5 * SAMPLE_RATE).astype(np.float32)
    assert (spoken_questions.frames_of(noise) != 0).any(axis=1).all()
    with pytest.raises(AudioError):
        spoken_questions.frames_of(np.zeros(10, dtype=np.float32))
