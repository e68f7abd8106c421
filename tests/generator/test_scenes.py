"""Scenes: what is drawn and asked in training, alignment by hand, exact answers, controls, the rival."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcourse.data import emoji, questions, scenes
from mmcourse.data.things import THINGS
from mmcourse.generator import scene_scores
from mmcourse.generator import scenes as task
from mmcourse.text import END_ID, PAD_ID

TINY = task.Configuration(
    channels=(4, 4, 4, 4), width=16, heads=2, depth=2, hidden=16, epochs=2, steps=3, batch_size=4
)

pytestmark = pytest.mark.usefixtures("float32")


BUILD = task.build


def build_quickly(configuration):
    """Without XLA, which would compile for longer than it trains."""
    model = BUILD(configuration)
    model.compile(model.optimizer, loss=task.answer_loss, jit_compile=False)
    return model


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    keras.config.set_dtype_policy("float32")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(task, "build", build_quickly)
        return task.train(TINY, tmp_path_factory.mktemp("scenes"))


@pytest.fixture(scope="module")
def exam():
    return task.Exam.draw("seen", 12)


# What is learned from


def test_batches_depend_on_seed_and_epoch_alone():
    first, again = task.Batches(TINY), task.Batches(TINY)
    again.start_epoch(1)
    again.start_epoch(0)
    for index in range(len(first)):
        (one, targets), (other, same) = first[index], again[index]
        np.testing.assert_array_equal(targets, same)
        for name in one:
            np.testing.assert_array_equal(one[name], other[name])
    again.start_epoch(1)
    assert not np.array_equal(first[0][0]["image"], again[0][0]["image"])


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), done=st.floats(0, 0.999))
def test_questions_fit_their_row_and_belong_to_the_scene(seed, done):
    batches, random = task.Batches(task.Configuration()), np.random.default_rng(seed)
    scene = batches.draw(random, done)
    row = batches.ask(scene, random, done)
    assert row or done < batches.configuration.searching  # a single kind of thing cannot be searched for
    assert sum(len(p) + len(a) + 1 for p, a in row) <= batches.configuration.row_length
    assert sum(len(a) + 1 for _, a in row) <= batches.configuration.answer_slots
    answers = {task.vocabulary().text_of(answer) for _, answer in row}
    if scene.portrait:
        names = {questions.name_of(scene.things[0], code) for code in emoji.LANGUAGES}
        vocabulary = task.vocabulary()
        assert answers <= {vocabulary.text_of(vocabulary.ids_of(name)) for name in names}


def test_where_comes_first_and_by_its_bare_name():
    configuration = replace(task.Configuration(), portraits=0, late_portraits=0)
    batches, random = task.Batches(configuration), np.random.default_rng(0)
    scene = scenes.compose({"top left": "cat", "middle": "dog"})
    counts = {done: [] for done in (0.01, 0.3, 0.8)}
    for done, found in counts.items():
        for _ in range(200):
            found += batches.tasks(scene, random, done)
    share = {done: np.mean(np.array(found) == "where") for done, found in counts.items()}
    assert share[0.01] > 0.4 > 0.2 > share[0.3] > share[0.8]
    described = {done: np.mean(np.array(found) == "describe") for done, found in counts.items()}
    assert described[0.01] < described[0.3] < described[0.8]
    assert task.bare_share(0) == task.bare_share(0.7) == 1
    assert task.bare_share(1) == pytest.approx(0.64) and task.bare_share(9) == pytest.approx(0.1)


def test_things_in_by_hand():
    scene = scenes.compose({"top middle": "cat", "bottom right": "dog"})
    portrait = scenes.draw_portrait(np.random.default_rng(0))
    cat, dog = scene.things
    expected = [[-1, cat, -1, -1, -1, -1, -1, -1, dog, -1], [*[-1] * 9, portrait.things[0]]]
    np.testing.assert_array_equal(task.things_in([scene, portrait]), expected)


# Alignment


def test_the_alignment_by_numpy():
    model = build_quickly(TINY)
    random = np.random.default_rng(0)
    side, width = model.generator.encoders["image"].side, TINY.width
    seen = random.normal(size=(3, side, side, width)).astype("float32")
    things = random.integers(-1, len(THINGS), size=(3, 10))
    table = np.array(model.generator.token_embedding.embeddings)

    def unit(vectors):
        return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)

    def names_of(texts):
        return unit(np.stack([table[task.vocabulary().ids_of(text)].mean(axis=0) for text in texts]))

    def losses(scores):
        return np.log(np.exp(scores).sum(axis=-1, keepdims=True)) - scores

    each = side // 3
    regions = np.stack(
        [
            seen[:, row * each : (row + 1) * each, column * each : (column + 1) * each].mean(axis=(1, 2))
            for row in range(3)
            for column in range(3)
        ]
        + [seen.mean(axis=(1, 2))],
        axis=1,
    )
    expected = 0.0
    for code in emoji.LANGUAGES:
        names = names_of([questions.name_of(i, code) for i in range(len(THINGS))])
        all_losses = losses(10 * unit(regions) @ names.T)
        true = [all_losses[b, r, things[b, r]] for b, r in np.argwhere(things >= 0)]
        expected += task.NAME_WEIGHTS[code] * np.mean(true)
    assert float(model.thing_loss(seen, things)) == pytest.approx(expected, rel=1e-3)
    assert sum(task.NAME_WEIGHTS.values()) == pytest.approx(1)

    position = np.array(model.generator.encoders["image"].position)
    bands = position.reshape(2, 3, -1, width).mean(axis=2)
    places = unit((bands[0][:, None] + bands[1][None]).reshape(9, width))
    both = []
    for language in questions.LANGUAGES:
        scores = 10 * places @ names_of(scenes.PLACE_NAMES[language]).T
        both += [np.diag(losses(scores)).mean(), np.diag(losses(scores.T)).mean()]
    assert float(model.place_loss(position)) == pytest.approx(np.mean(both), rel=1e-3)


def test_training_changes_encoder_and_decoder_and_does_not_count_alignment_afterwards(trained):
    model, history = trained
    assert [set(one) for one in history] == [{"loss", *questions.TASKS}] * 2
    assert type(model).__name__ == "MultimodalGenerator"
    fresh = task.build(TINY).generator
    moved = {
        variable.path.split("/", 1)[-1]: np.abs(np.array(variable) - np.array(start)).max()
        for variable, start in zip(model.trainable_variables, fresh.trainable_variables, strict=True)
    }
    still = [path for path, most in moved.items() if not most > 0 and "word_bias" not in path]
    assert not still


def test_resumed_training_equals_uninterrupted(trained, tmp_path, monkeypatch):
    def stop(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(task, "build", build_quickly)
    with monkeypatch.context() as patch:
        patch.setattr(task._Validation, "on_epoch_begin", stop)
        with pytest.raises(KeyboardInterrupt):
            task.train(TINY, tmp_path)
    model, history = task.train(TINY, tmp_path)
    assert len(history) == TINY.epochs
    for variable, other in zip(model.weights, trained[0].weights, strict=True):
        np.testing.assert_allclose(variable, other, atol=1e-5)


# Exams


def test_exact_under_teacher_forcing_is_exact_when_it_writes(trained, exam):
    """Taught with the model's own answers, an exam is all right; with others it is not."""
    model, _ = trained
    asked = exam.asked
    owner = [row for row, some in enumerate(exam.questions) for _ in some]
    written = model.generate({"image": exam.images[owner]}, [question.prompt for question in asked])
    expected = np.array([answer == question.answer for answer, question in zip(written, asked, strict=True)])
    np.testing.assert_array_equal(exam.right(model), expected)
    # Its own answers, those that it ended itself, are what it would have been right with.
    known, own = task.vocabulary(), iter(written)
    told = tuple(
        tuple(
            replace(question, answer=answer)
            for question, answer in zip(some, own, strict=False)
            if 0 < len(known.ids_of(answer)) < task.ANSWER_LENGTH
        )
        for some in exam.questions
    )
    assert replace(exam, questions=told).right(model).all()


def test_an_exam_asks_each_task_in_each_language(exam):
    asked = {(question.task, question.language) for question in exam.asked}
    assert asked == {(one, language) for one in questions.TASKS for language in questions.LANGUAGES}
    assert len(exam.images) == len(exam.scenes) == len(exam.questions) == 18
    inputs, targets = exam.packed()
    assert (targets == END_ID).sum() == len(exam.asked)
    assert inputs["image"].shape == (18, scenes.SIDE, scenes.SIDE, 3)


@pytest.mark.parametrize("split", scene_scores.SPLITS)
def test_exams_hold_what_their_split_says(split):
    exam = task.Exam.draw(split, 6)
    known = {
        questions.wording(one.task, one.language, number, one.thing)
        for one in exam.asked
        for number in range(questions.KNOWN[one.task])
        if one.task in ("where", "exist", "count", "left_of")
    }
    new = [
        one.prompt not in known for one in exam.asked if one.task in ("where", "exist", "count", "left_of")
    ]
    assert all(new) == (split == "unseen_wordings") or not new
    same = np.array_equal(exam.images, scenes.draw(list(exam.scenes)))
    assert same == (split != "unseen_artist")


def test_guesses_are_at_most_a_half_good():
    exam = task.Exam.draw("seen", 60)
    share = scene_scores.by_task(exam, scene_scores.guesses(exam))
    for name, languages in share.items():
        for one in languages.values():
            assert one["exact"] <= 0.5
            assert (one["exact"] == 0) == (name in ("describe", "name", "name_in"))


def test_alike_is_another_scene_of_the_same_pattern(exam):
    other = scene_scores.alike(exam.scenes)
    assert sorted(other) == list(range(len(exam.scenes)))
    for scene, number in zip(exam.scenes, other, strict=True):
        same = exam.scenes[number]
        assert sorted(scene.counts.values()) == sorted(same.counts.values())
        assert scene.portrait == same.portrait


def test_each_control_shows_what_it_says(exam, monkeypatch):
    calls = []

    def right(self, model, images=None, blind=False):
        calls.append((images, blind))
        return np.zeros(len(self.asked), dtype=bool)

    monkeypatch.setattr(task.Exam, "right", right)
    names = list(scene_scores.control_answers(None, exam))
    shown = dict(zip(names, calls, strict=True))
    assert [blind for _, blind in calls] == [name == "none" for name in names]
    assert shown["none"][0] is None and (shown["blank"][0] == 255).all()
    np.testing.assert_array_equal(shown["alike"][0], exam.images[scene_scores.alike(exam.scenes)])
    own = {image.tobytes(): row for row, image in enumerate(exam.images)}
    order = [own[image.tobytes()] for image in shown["shuffled"][0]]
    assert sorted(order) == list(range(len(order))) and all(place != row for row, place in enumerate(order))


def test_scores_have_the_published_form(trained):
    results = scene_scores.evaluate(trained[0], splits=("seen",), number=6)
    assert set(results) == {"seen", "controls", "informed_guess"}
    one = results["seen"]["describe"]["en"]
    assert set(one) == {"exact", "interval", "questions"} and one["interval"][0] <= one["exact"] + 1e-9
    assert set(results["controls"]) == {"shuffled", "alike", "blank", "none"}
    assert results["controls"]["none"]["where"]["zh"]["questions"] > 0


def test_usual_answers_are_answers_of_their_task():
    usual = scene_scores.usual_answers(200)
    assert set(usual) == {(one, language) for one in questions.TASKS for language in questions.LANGUAGES}
    assert usual["exist", "en"] in questions.YES_NO["en"]
    assert usual["where", "zh"] in scenes.PLACE_NAMES["zh"]


def test_the_rival_knows_its_artist_and_no_other():
    rival = scene_scores.SpriteRival()
    right = {}
    for split in ("seen", "unseen_artist"):
        exam = task.Exam.draw(split, 30)
        found = [
            rival.answer(image, scene, question) == question.answer
            for image, scene, some in zip(exam.images, exam.scenes, exam.questions, strict=True)
            for question in some
        ]
        right[split] = np.mean(found)
    assert right["seen"] > 0.8 > 0.5 > right["unseen_artist"]


# What it looks at


def test_looks_and_confidence(trained, exam):
    model, _ = trained
    picture, prompt = exam.images[0], "what do you see"
    answer = model.generate({"image": picture[None]}, prompt)[0].split(" ")[0]
    tokens, weights = scene_scores.looks(model, picture, prompt, answer)
    assert tokens[-1] == "<end>" and len(tokens) == len(task.vocabulary().ids_of(answer)) + 1
    side = model.encoders["image"].side
    assert weights.shape == (TINY.depth, TINY.heads, len(tokens), side, side)
    total = weights.sum(axis=(-1, -2))
    assert (weights >= 0).all() and (total <= 1 + 1e-9).all() and (total > 0).all()
    sure = scene_scores.confidence(model, exam.images[:2], [prompt] * 2, [answer] * 2)
    inputs = {
        "image": exam.images[:1],
        "prompt": model.encode_prompts([prompt]),
        "answer": model.vocabulary.encode([answer], task.ANSWER_LENGTH, end=True),
    }
    logits = np.array(model(inputs))[0].astype(float)
    chances = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    true = inputs["answer"][0]
    by_hand = np.prod([chances[i, token] for i, token in enumerate(true) if token != PAD_ID])
    assert sure[0] == pytest.approx(by_hand, rel=1e-3)
    assert len(scene_scores.confidence(model, exam.images[:0], [], [])) == 0


@pytest.mark.parametrize(
    ("typed", "known"),
    [
        ("How many cats are there?", "how many cats are there"),
        ("NAME THIS IN FRENCH.", "name this in French"),
        ("图里有什么？", "图里有什么"),
        ("where is the Cat", "where is the cat"),
    ],
)
def test_typed_questions_are_brought_to_the_known_form(typed, known):
    assert task.read_question(typed) == known


def test_unknown_words_are_left_to_be_refused(trained):
    assert "Zeppelin" in task.read_question("where is the Zeppelin?")
    with pytest.raises(ValueError, match="Zeppelin"):
        trained[0].encode_prompts([task.read_question("where is the Zeppelin?")])
