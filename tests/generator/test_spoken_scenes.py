"""Spoken questions: an ear is added, nothing else changes, and words are found in order."""

import keras
import numpy as np
import pytest
from keras import ops

from mmcourse.data import scenes, spoken_questions
from mmcourse.data.spoken_questions import FRAMES, MELS
from mmcourse.generator import scenes as written
from mmcourse.generator import spoken_scenes as task
from mmcourse.generator import spoken_scores
from mmcourse.text import PAD_ID

TINY = task.Configuration(
    depth=1, heads=2, hidden=16, recordings=1, hearing_steps=2, epochs=2, steps=2, batch_size=4
)
SEES = written.Configuration(
    channels=(4, 4, 4, 4), width=16, heads=2, depth=2, hidden=16, epochs=1, steps=1, batch_size=4
)

pytestmark = pytest.mark.usefixtures("float32")
COMPILE = task._compile


def compile_quickly(model, configuration, steps, loss):
    """Without XLA, which would compile for longer than it trains."""
    COMPILE(model, configuration, steps, loss)
    model.compile(model.optimizer, loss=loss, jit_compile=False)


@pytest.fixture(scope="module")
def frames():
    """Noise in place of recordings, as long as the question."""
    random = np.random.default_rng(0)
    texts = spoken_questions.every_prompt()
    found = np.zeros((1, len(texts), FRAMES, MELS), dtype=np.float16)
    for row, (_, text) in zip(found[0], texts, strict=True):
        row[: 60 + len(text)] = random.normal(size=(60 + len(text), MELS))
    return found


@pytest.fixture(scope="module")
def seeing():
    keras.config.set_dtype_policy("float32")
    return written.build(SEES).generator


@pytest.fixture(scope="module")
def trained(seeing, frames, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(task, "_compile", compile_quickly)
        patch.setattr(spoken_questions, "recordings", lambda number: frames)
        return task.train(TINY, tmp_path_factory.mktemp("spoken"), seeing)


def make_inputs(questions: int = 3) -> dict[str, np.ndarray]:
    random = np.random.default_rng(1)
    drawn = [scenes.draw_scene("train", random) for _ in range(questions)]
    return {"image": scenes.draw(drawn), "prompt": np.full((questions, written.PROMPT_LENGTH), PAD_ID)}


def test_the_ear_alone_is_trained(seeing, trained):
    model, history = trained
    assert len(history) == TINY.epochs and all(np.isfinite(one["loss"]) for one in history)
    for part in ("token_embedding", "final_norm", "to_logits"):
        for own, new in zip(getattr(seeing, part).weights, getattr(model, part).weights, strict=True):
            np.testing.assert_array_equal(own, new)
    for own, new in zip(seeing.blocks, model.blocks, strict=True):
        for one, other in zip(own.get_weights(), new.get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)
    untouched = written.build(SEES).generator.encoders["image"]
    for own, new in zip(untouched.get_weights(), model.encoders["image"].get_weights(), strict=True):
        np.testing.assert_allclose(own, new, atol=1e-6)
    keras.utils.set_random_seed(TINY.seed)
    fresh = task.with_ear(seeing, TINY).encoders["speech"]
    moved = [
        np.abs(ops.convert_to_numpy(one) - ops.convert_to_numpy(other)).max()
        for one, other in zip(fresh.weights, model.encoders["speech"].weights, strict=True)
    ]
    assert min(moved) > 0


def test_resumed_training_equals_uninterrupted(seeing, trained, frames, tmp_path, monkeypatch):
    """The checkpoint keeps the ear, the optimiser and what is frozen."""
    monkeypatch.setattr(task, "_compile", compile_quickly)
    monkeypatch.setattr(spoken_questions, "recordings", lambda number: frames)

    def stop(self, epoch):
        if epoch == 1:
            raise KeyboardInterrupt
        written.training.Batches.start_epoch(self, epoch)

    with monkeypatch.context() as patch:
        patch.setattr(task.Batches, "start_epoch", stop, raising=False)
        with pytest.raises(KeyboardInterrupt):
            task.train(TINY, tmp_path, seeing)
    assert [path.name for path in tmp_path.glob("epoch-*")] == ["epoch-0001"]
    model, history = task.train(TINY, tmp_path, seeing)
    assert len(history) == TINY.epochs
    for variable, other in zip(model.weights, trained[0].weights, strict=True):
        np.testing.assert_allclose(variable, other, atol=1e-5, err_msg=variable.path)


def test_without_speech_it_answers_as_before(seeing, trained):
    model, _ = trained
    inputs = make_inputs()
    inputs["prompt"] = seeing.encode_prompts(["what do you see", "where is the cat", "图里有什么"])
    inputs["answer"] = np.full((3, written.ANSWER_LENGTH), 7, dtype=np.int32)
    np.testing.assert_allclose(model(inputs), seeing(inputs), atol=1e-5)


def test_speech_changes_the_answer(trained):
    model, _ = trained
    inputs = make_inputs() | {"answer": np.full((3, written.ANSWER_LENGTH), 7, dtype=np.int32)}
    random = np.random.default_rng(0)
    one = random.normal(size=(3, FRAMES, MELS)).astype(np.float32)
    other = random.normal(size=(3, FRAMES, MELS)).astype(np.float32)
    first, second = (ops.convert_to_numpy(model(inputs | {"speech": sound})) for sound in (one, other))
    assert np.abs(first - second).max() > 1e-3


def test_words_are_scored_as_paths_by_hand(trained):
    """Two tokens of sound and one word: the word may come first, second or twice."""
    generator, _ = trained
    listening = task.Listening(generator)
    listening.build()
    known = task.words_said()
    table = ops.convert_to_numpy(generator.token_embedding.embeddings)[known]
    heard = np.random.default_rng(0).normal(size=(1, 2, table.shape[1])).astype(np.float32)

    def unit(vectors):
        return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)

    scores = 10 * unit(heard[0]) @ unit(table).T
    chances = np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)
    word, nothing = chances[:, 9], chances[:, 0]
    path = word[0] * word[1] + word[0] * nothing[1] + nothing[0] * word[1]
    words = np.array([[known[9], 0, 0]])
    found = float(listening.word_loss(heard, np.ones((1, 2), bool), words))
    assert found == pytest.approx(-np.log(path), rel=1e-3)


def test_the_words_said_are_those_of_the_questions_and_nothing_comes_first():
    known = task.words_said()
    assert known[0] == PAD_ID and len(set(known.tolist())) == len(known)
    names = {written.vocabulary().tokens[number] for number in known[1:]}
    assert {"where", "cat", "哪", "猫"} <= names and "chat" not in names


def test_batches_say_what_they_ask(frames):
    inputs, answers = task.Batches(TINY, frames)[0]
    again, same = task.Batches(TINY, frames)[0]
    np.testing.assert_array_equal(answers, same)
    for name in inputs:
        np.testing.assert_array_equal(inputs[name], again[name])
    assert (inputs["prompt"] == PAD_ID).all()
    said = {text for _, text in spoken_questions.every_prompt()}
    assert set(written.vocabulary().decode(inputs["words"])) <= said
    assert inputs["speech"].shape == (4, FRAMES, MELS)


def test_shifted_recordings_keep_their_end():
    frames = np.zeros((20, FRAMES, MELS), dtype=np.float32)
    frames[:, :50] = 1
    found = task.shifted(frames, np.random.default_rng(0))
    real = (found != 0).any(axis=-1)
    first = real.argmax(axis=1)
    assert set(first) == set(range(5)) and (real.sum(axis=1) == 50).all()


def test_heard_words_join_what_is_repeated(trained, monkeypatch):
    model, _ = trained
    ids = model.vocabulary.ids
    path = [PAD_ID, ids["what"], ids["what"], PAD_ID, ids["is"], ids["this"], PAD_ID, ids["this"], ids["cat"]]
    real = np.array([[True] * 8 + [False]])
    monkeypatch.setattr(spoken_scores, "nearest_words", lambda model, frames: (np.array([path]), real))
    assert spoken_scores.heard_words(model, np.zeros((1, FRAMES, MELS))) == ["what is this this"]


def test_nearest_words_by_numpy(trained, frames):
    model, _ = trained
    some = frames[0, :3].astype(np.float32)
    words, real = spoken_scores.nearest_words(model, some)
    heard = ops.convert_to_numpy(model.encoders["speech"](some))
    table = ops.convert_to_numpy(model.token_embedding.embeddings)
    for row, found, there in zip(heard, words, real, strict=True):
        for token in np.flatnonzero(there):
            cosine = {
                number: table[number] @ row[token] / np.linalg.norm(table[number])
                for number in task.words_said()
            }
            assert cosine[found[token]] == pytest.approx(max(cosine.values()), abs=1e-4)


def test_answers_of_an_exam_are_kept(trained, monkeypatch, tmp_path):
    monkeypatch.setattr(task, "load_trained", lambda profile: trained[0])
    monkeypatch.setattr(spoken_scores.store, "arrays", lambda name, modules, make, more: make())
    answers = spoken_scores.load("cpu", number=2)
    asked = answers.exam.asked
    assert answers.frames.shape == (len(asked), FRAMES, MELS)
    assert set(answers.right) == {"heard_voices", "unseen_voices", *spoken_scores.CONTROLS}
    assert all(len(one) == len(asked) and one.dtype == bool for one in answers.right.values())
