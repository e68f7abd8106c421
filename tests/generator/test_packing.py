"""Packed questions: what is asked beside others is answered as if it had been asked alone."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from mmcourse.encoders.image import ImageEncoder
from mmcourse.generator.decoding import greedy
from mmcourse.generator.model import MultimodalGenerator, Settings, answer_loss
from mmcourse.generator.packing import pack, packed_mask, unpack
from mmcourse.text import END_ID, START_ID

SIZE, PROMPT, ANSWER = 16, 5, 6
WORDS = tuple("abcdefgh")

pytestmark = pytest.mark.usefixtures("float32")


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "matching and tied"])
def model(request) -> MultimodalGenerator:
    """A tiny model with strong attention, so that every token counts."""
    keras.config.set_dtype_policy("float32")
    keras.utils.set_random_seed(0)
    other = {"matching": 1.5, "tied": True} if request.param else {}
    settings = Settings(16, 2, 2, 24, prompt_length=PROMPT, answer_length=ANSWER, **other)
    model = MultimodalGenerator(
        {"image": ImageEncoder(SIZE, (4,), 16, name="image_encoder")}, WORDS, settings
    )
    model.build()
    random = np.random.default_rng(0)
    for variable in model.trainable_variables:
        if "gamma" not in variable.path:
            variable.assign(
                random.normal(scale=1.5 if "attention/" in variable.path else 0.3, size=variable.shape)
            )
    return model


def random_rows(random: np.random.Generator, pictures: int):
    def ids(most):
        return random.integers(4, 4 + len(WORDS), size=random.integers(1, most + 1)).tolist()

    return [[(ids(PROMPT), ids(ANSWER - 1)) for _ in range(random.integers(1, 5))] for _ in range(pictures)]


def padded(rows, length):
    found = np.zeros((len(rows), length), dtype="int32")
    for row, ids in zip(found, rows, strict=True):
        row[: len(ids)] = ids
    return found


def test_by_hand():
    inputs, targets = pack([[([5, 6], [7]), ([8], [9, 10])]], length=9, most_answers=6, prompt_length=PROMPT)
    np.testing.assert_array_equal(inputs["text"], [[5, 6, START_ID, 7, 8, START_ID, 9, 10, 0]])
    np.testing.assert_array_equal(inputs["position"], [[0, 1, 5, 6, 0, 5, 6, 7, 0]])
    np.testing.assert_array_equal(inputs["question"], [[1, 1, 1, 1, 2, 2, 2, 2, 0]])
    np.testing.assert_array_equal(inputs["slots"], [[2, 3, 5, 6, 7, 0]])
    np.testing.assert_array_equal(targets, [[7, END_ID, 9, 10, END_ID, 0]])
    answers = unpack(targets, targets)
    assert [[answer.tolist() for answer in row] for row in answers] == [[[7, END_ID], [9, 10, END_ID]]]


def test_mask_by_hand():
    question = np.array([[1, 1, 1, 2, 2, 0]])
    prompt = np.array([[True, True, False, True, False, True]])
    mask = ops.convert_to_numpy(packed_mask(np.array([[True, False]]), prompt, question))[0, 0].astype(int)
    np.testing.assert_array_equal(
        mask,
        [
            [1, 0, 0, 0, 0, 0, 0, 0],
            [1, 0, 0, 0, 0, 0, 0, 0],
            [1, 0, 1, 1, 0, 0, 0, 0],
            [1, 0, 1, 1, 0, 0, 0, 0],
            [1, 0, 1, 1, 1, 0, 0, 0],
            [1, 0, 0, 0, 0, 1, 0, 0],
            [1, 0, 0, 0, 0, 1, 1, 0],
            [1, 0, 0, 0, 0, 0, 0, 0],
        ],
    )


def test_without_itself_by_hand():
    question, prompt = np.array([[1, 1]]), np.array([[True, False]])
    with_media = packed_mask(np.array([[True]]), prompt, question, itself=False)
    np.testing.assert_array_equal(
        ops.convert_to_numpy(with_media)[0, 0].astype(int), [[1, 0, 0], [1, 0, 0], [1, 1, 0]]
    )
    nothing = packed_mask(np.array([[False]]), prompt, question, itself=False)
    np.testing.assert_array_equal(
        ops.convert_to_numpy(nothing)[0, 0].astype(int), [[0, 0, 0], [0, 1, 0], [0, 1, 0]]
    )


def test_matching_begins_with_keys_that_are_the_queries():
    def first_attention(matching):
        keras.utils.set_random_seed(0)
        settings = Settings(16, 2, 1, 24, prompt_length=2, answer_length=2, matching=matching)
        model = MultimodalGenerator({}, WORDS, settings)
        model.build()
        return np.split(model.blocks[0].attention.project_in.kernel.numpy(), 3, axis=1)

    plain, (queries, keys, values) = first_attention(0.0), first_attention(2.0)
    np.testing.assert_array_equal(queries, keys)
    np.testing.assert_allclose(queries, 2 * plain[0])
    np.testing.assert_array_equal(values, plain[2])


@pytest.mark.parametrize("present", [True, False])
def test_cached_writing_equals_reading_all_again(model, present):
    random = np.random.default_rng(1)
    inputs = {"prompt": padded([[4, 5], [6], [7, 8, 9]], PROMPT)}
    if present:
        inputs["image"] = random.integers(0, 256, size=(3, SIZE, SIZE, 3)).astype("uint8")
    written = ops.convert_to_numpy(greedy(model, inputs))
    answers = np.zeros((3, ANSWER), dtype="int32")
    for place in range(ANSWER):
        logits = ops.convert_to_numpy(model(inputs | {"answer": answers}))[:, place]
        done = (answers == END_ID).any(axis=1)
        answers[:, place] = np.where(done, 0, logits.argmax(axis=-1))
    np.testing.assert_array_equal(written, answers)


@pytest.mark.parametrize("seed", range(3))
def test_packed_questions_equal_single_ones(model, seed):
    random = np.random.default_rng(seed)
    rows = random_rows(random, 6)
    images = random.integers(0, 256, size=(6, SIZE, SIZE, 3)).astype("uint8")
    inputs, targets = pack(rows, length=50, most_answers=30, prompt_length=PROMPT)
    logits = unpack(ops.convert_to_numpy(model({"image": images} | inputs)), targets)
    for image, questions, found in zip(images, rows, logits, strict=True):
        prompts = padded([prompt for prompt, _ in questions], PROMPT)
        answers = padded([[*answer, END_ID] for _, answer in questions], ANSWER)
        alone = ops.convert_to_numpy(
            model({"image": np.stack([image] * len(questions)), "prompt": prompts, "answer": answers})
        )
        for one, other, (_, answer) in zip(alone, found, questions, strict=True):
            np.testing.assert_allclose(one[: len(answer) + 1], other, atol=2e-4)


def test_one_packed_question_has_the_loss_of_a_plain_one(model):
    random = np.random.default_rng(7)
    images = random.integers(0, 256, size=(3, SIZE, SIZE, 3)).astype("uint8")
    rows = [[([4, 5], [6, 7])], [([4], [8])], [([4, 9, 10], [6, 7, 8, 9])]]
    inputs, targets = pack(rows, 20, 10, PROMPT)
    answers = padded([[*answer, END_ID] for ((_, answer),) in rows], ANSWER)
    plain = {"prompt": padded([prompt for ((prompt, _),) in rows], PROMPT), "answer": answers}
    first = answer_loss(targets, model({"image": images} | inputs))
    second = answer_loss(answers, model({"image": images} | plain))
    np.testing.assert_allclose(ops.convert_to_numpy(first), ops.convert_to_numpy(second), rtol=1e-4)


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 10_000), pictures=st.integers(1, 4))
def test_nothing_is_lost(seed, pictures):
    rows = random_rows(np.random.default_rng(seed), pictures)
    inputs, targets = pack(rows, 60, 40, PROMPT)
    for row, questions, answers in zip(range(pictures), rows, unpack(targets, targets), strict=True):
        assert [answer.tolist() for answer in answers] == [[*answer, END_ID] for _, answer in questions]
        for number, (prompt, answer) in enumerate(questions, start=1):
            mine = inputs["text"][row][inputs["question"][row] == number].tolist()
            assert mine == [*prompt, START_ID, *answer]
    known = np.take_along_axis(inputs["text"], inputs["slots"], axis=1)
    shifted = np.where(targets[:, :-1] == END_ID, START_ID, targets[:, :-1])
    real = targets[:, 1:] != 0
    np.testing.assert_array_equal(known[:, 1:][real], shifted[real])


@pytest.mark.parametrize(
    "row, words",
    [
        ([([4] * 6, [5])], "6 of 5"),
        ([([4], [5] * 8)], "token 10 of 9"),
        ([([4], [5] * 2), ([4], [5] * 2)], "token 6 of 5"),
    ],
)
def test_what_does_not_fit_is_refused(row, words):
    with pytest.raises(ValueError, match=words):
        pack([row], 9, 5, PROMPT)
