"""Answer or hand over: curves and thresholds by counting, a reader by templates, and what a model may say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from mmcourse.applications import service
from mmcourse.applications import service_reader as reader
from mmcourse.applications import service_voice as voice
from mmcourse.data import product_pages as pages
from mmcourse.data.spoken_questions import FRAMES, MELS
from mmcourse.generator import scenes, spoken_scenes
from mmcourse.text import END_ID, PAD_ID

FEW = settings(max_examples=25, deadline=None)
SEEDS = st.integers(0, 2**32 - 1)


def answers_like(seed, number=60, steps=8):
    """Confidences with ties, and verdicts that follow them loosely."""
    random = np.random.default_rng(seed)
    confidence = random.integers(steps, size=number) / steps
    return confidence, random.random(number) < 0.3 + 0.6 * confidence


@given(SEEDS, st.integers(1, 80))
@FEW
def test_the_curve_is_what_counting_gives(seed, number):
    confidence, right = answers_like(seed, number)
    thresholds, coverage, accuracy = service.coverage_curve(confidence, right)
    assert thresholds.tolist() == sorted(set(confidence), reverse=True)
    for threshold, covered, share in zip(thresholds, coverage, accuracy, strict=True):
        answered = confidence >= threshold
        assert covered == pytest.approx(answered.mean()) and share == pytest.approx(right[answered].mean())
    assert coverage[-1] == 1 and accuracy[-1] == pytest.approx(right.mean())


@given(SEEDS, st.floats(0.3, 1))
@FEW
def test_the_threshold_keeps_its_promise_and_none_below_it_does(seed, wanted):
    confidence, right = answers_like(seed)
    threshold = service.choose_threshold(confidence, right, wanted)
    answered = confidence >= threshold
    if answered.any():
        assert right[answered].mean() >= wanted
    for lower in set(confidence[confidence < threshold]):
        assert right[confidence >= lower].mean() < wanted


def test_nothing_is_answered_where_no_threshold_does_it():
    assert service.choose_threshold(np.array([0.9, 0.2]), np.array([False, True]), 0.9) == np.inf
    with pytest.raises(ValueError, match="wanted must be a number from 0 to 1"):
        service.choose_threshold(np.ones(2), np.ones(2), 95)
    for confidence, right in ((np.ones(2), np.ones(3)), (np.ones(0), np.ones(0)), (np.ones((2, 1)),) * 2):
        with pytest.raises(ValueError, match="expected a confidence and a verdict"):
            service.coverage_curve(confidence, right)


def test_the_template_reader_is_perfect_on_what_it_was_written_for_and_knows_it():
    template = service.TemplateReader(pages.known_layouts()[:3])
    for number, layout in enumerate(pages.known_layouts()[:3]):
        several = [pages.draw_page(np.random.default_rng([number, row])) for row in range(20)]
        said, away = template.read(np.stack([pages.draw(page, layout) for page in several]))
        assert said == several and away.max() < 0.01
    exam = pages.Exam.draw("new size", 40)
    answers, away = template.answer(exam.images, exam.tasks)
    assert away.min() > 10 and np.mean([a == b for a, b in zip(answers, exam.answers, strict=True)]) < 0.8
    with pytest.raises(ValueError, match="at least one layout"):
        service.TemplateReader([])


def test_the_prior_is_one_answer_for_each_task():
    tasks = pages.TASKS * 3
    said = service.prior(tasks)
    assert said[:7] == said[7:14] and said[tasks.index("left")] == "yes"


def test_symbols_write_every_answer_and_no_other():
    exam = pages.Exam.draw("known", 140)
    first, second = reader.symbols(exam.answers)
    assert [reader.FIRST[i] + reader.SECOND[j] for i, j in zip(first, second, strict=True)] == [*exam.answers]
    for wrong in ("perhaps", "123", ""):
        with pytest.raises(ValueError, match="is no answer"):
            reader.symbols([wrong])


@given(SEEDS, st.sampled_from(pages.SPLITS))
@FEW
def test_the_places_to_look_at_are_the_fields_own(seed, split):
    random = np.random.default_rng(seed)
    page, layout = pages.draw_page(random), pages.draw_layout(split, random)
    found = reader.places(page, layout)
    assert found.shape == (7, reader.LOOKS, reader.ROWS, reader.COLUMNS)
    assert (found.sum(axis=(2, 3)) >= 1).all()
    new, used, cheaper = (found[pages.TASKS.index(task)] for task in ("new", "used", "cheaper"))
    np.testing.assert_array_equal(cheaper, np.stack([new[0], used[0]]))
    assert not (new[0] & used[0]).any()
    middle = reader.STRIDE * (np.arange(reader.ROWS) + 0.5)
    for task in pages.FIELDS:
        top, bottom = pages.box_of(layout, task)
        rows = middle[found[pages.TASKS.index(task), 0].any(axis=1)]
        assert (rows > top).all() and (rows < bottom).all()


@pytest.fixture(scope="module")
def model():
    return reader.build(reader.Configuration(channels=(4, 4), width=8, hidden=8))


def test_a_model_answers_each_question_with_a_probability(model):
    exam = pages.Exam.draw("known", 9)
    said, sure = reader.answer(model, exam.images, exam.prompts)
    assert len(said) == 9 and ((sure > 0) & (sure <= 1)).all()
    # Each pair stands alone: another order of the pairs gives the same answers.
    back, other = reader.answer(model, exam.images[::-1], exam.prompts[::-1])
    assert back[::-1] == said
    np.testing.assert_allclose(other[::-1], sure, rtol=1e-4)
    with pytest.raises(ValueError, match="one question for each screenshot"):
        reader.answer(model, exam.images, ["what is it"])
    with pytest.raises(ValueError, match="never taught: why"):
        reader.answer(model, exam.images[:1], ["why is it"])


def test_attention_is_a_share_and_its_loss_falls_with_what_lies_on_the_right_rows(model):
    question = np.zeros((1, 7, reader.WORDS), dtype=np.int32)
    looks = np.asarray(model({"image": pages.Exam.draw("shop", 1).images, "question": question})["look"])
    assert looks.shape == (1, 7, reader.LOOKS, reader.ROWS, reader.COLUMNS)
    np.testing.assert_allclose(looks.sum(axis=(3, 4)), 1, rtol=1e-5)
    target = reader.places(pages.draw_page(np.random.default_rng(0)), pages.SHOP)[None].astype(np.float32)
    assert float(reader.look_loss(target, target / target.sum(axis=(3, 4), keepdims=True))) < 1e-3
    assert float(reader.look_loss(target, looks)) > 1


@given(SEEDS, st.sampled_from(sorted(voice.NOISES)), st.sampled_from([20.0, 0.0]))
@FEW
def test_noise_has_the_level_that_was_asked_for(seed, noise, level):
    random = np.random.default_rng(seed)
    clear = [random.normal(size=number).astype(np.float32) for number in (300, 500, 900)]
    for one, heard in zip(clear, voice.disturb(clear, noise, level, random), strict=True):
        assert heard.shape == one.shape
        ratio = 10 * np.log10(np.sum(one.astype(float) ** 2) / np.sum((heard - one).astype(float) ** 2))
        assert ratio == pytest.approx(level, abs=0.1)
    with pytest.raises(ValueError, match="unknown noise"):
        voice.disturb(clear, "a dog", 0, random)


def test_the_assistant_says_what_the_model_writes_and_how_probable_each_word_was():
    sees = scenes.Configuration(channels=(4, 4, 4, 4), width=16, heads=2, depth=1, hidden=16)
    ear = spoken_scenes.Configuration(depth=1, heads=2, hidden=16)
    model = spoken_scenes.with_ear(scenes.build(sees).generator, ear)
    random = np.random.default_rng(0)
    model.word_bias.assign(random.normal(scale=2, size=model.word_bias.shape))
    model.word_bias.assign(model.word_bias + 4 * np.eye(len(model.vocabulary))[END_ID])
    images = random.integers(0, 256, size=(5, 96, 96, 3)).astype(np.uint8)
    frames = random.normal(size=(5, FRAMES, MELS)).astype(np.float32)
    writer = voice.sure_writer(model)
    for heard in (frames, None):
        inputs = {"image": images} | ({} if heard is None else {"speech": heard})
        texts, sure = voice.answer_spoken(writer, images, heard)
        assert texts.tolist() == model.generate(inputs, None)
        words = model.vocabulary.encode(texts, model.settings.answer_length, end=True, cut=True)
        prompt = np.zeros((5, model.settings.prompt_length), dtype=np.int32)
        logs = ops.log_softmax(model({**inputs, "prompt": prompt, "answer": words}))
        logs = ops.convert_to_numpy(logs).astype(float)
        expected = np.take_along_axis(logs, words[..., None], axis=-1)[..., 0]
        np.testing.assert_allclose(sure, np.exp((expected * (words != PAD_ID)).sum(axis=1)), rtol=1e-3)
