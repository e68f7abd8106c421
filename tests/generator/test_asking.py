"""A modality that asks: its tokens are read as a prompt's are, and the picture is seen as before."""

import keras
import numpy as np
import pytest
from keras import ops

from mmcourse.encoders.audio import AudioEncoder
from mmcourse.encoders.image import ImageEncoder
from mmcourse.generator.decoding import greedy
from mmcourse.generator.model import MultimodalGenerator, Settings
from mmcourse.text import END_ID

SIZE, PROMPT, ANSWER, FRAMES, BANDS = 16, 5, 6, 12, 3
WORDS = tuple("abcdefgh")

pytestmark = pytest.mark.usefixtures("float32")


@pytest.fixture(scope="module", params=[0.0, 1.5], ids=["plain", "matching"])
def model(request) -> MultimodalGenerator:
    keras.config.set_dtype_policy("float32")
    keras.utils.set_random_seed(0)
    settings = Settings(16, 2, 2, 24, prompt_length=PROMPT, answer_length=ANSWER, matching=request.param)
    encoders = {
        "image": ImageEncoder(SIZE, (4,), 16, name="image_encoder"),
        "speech": AudioEncoder(FRAMES, BANDS, 16, name="speech_encoder"),
    }
    model = MultimodalGenerator(encoders, WORDS, settings, asking=["speech"])
    model.build()
    random = np.random.default_rng(0)
    for variable in model.trainable_variables:
        if "gamma" not in variable.path:
            variable.assign(
                random.normal(scale=1.5 if "attention/" in variable.path else 0.3, size=variable.shape)
            )
    return model


def make_inputs(written: bool, seen: bool, spoken: bool) -> dict[str, np.ndarray]:
    random = np.random.default_rng(1)
    inputs = {"prompt": np.zeros((3, PROMPT), dtype="int32")}
    if written:
        inputs["prompt"][:, :2] = random.integers(4, 12, size=(3, 2))
    if seen:
        inputs["image"] = random.integers(0, 256, size=(3, SIZE, SIZE, 3)).astype("uint8")
    if spoken:
        inputs["speech"] = random.normal(size=(3, FRAMES, BANDS)).astype("float32")
        inputs["speech"][1, 8:] = 0  # a shorter one
    return inputs


@pytest.mark.parametrize("written", [True, False])
@pytest.mark.parametrize("seen", [True, False])
@pytest.mark.parametrize("spoken", [True, False])
def test_cached_writing_equals_reading_all_again(model, written, seen, spoken):
    inputs = make_inputs(written, seen, spoken)
    found = ops.convert_to_numpy(greedy(model, inputs))
    answers = np.zeros((3, ANSWER), dtype="int32")
    for place in range(ANSWER):
        logits = ops.convert_to_numpy(model(inputs | {"answer": answers}))[:, place]
        done = (answers == END_ID).any(axis=1)
        answers[:, place] = np.where(done, 0, logits.argmax(axis=-1))
    np.testing.assert_array_equal(found, answers)


def test_what_is_asked_changes_nothing_for_the_picture(model):
    inputs = make_inputs(written=False, seen=True, spoken=True)
    other = inputs | {"speech": -inputs["speech"]}
    caches, _ = model.read(inputs)
    changed, _ = model.read(other)
    tokens = model.encoders["image"].tokens
    for one, two in zip(keras.tree.flatten(caches), keras.tree.flatten(changed), strict=True):
        np.testing.assert_allclose(one[:, :, :tokens], two[:, :, :tokens], atol=1e-6)
        assert (
            np.abs(ops.convert_to_numpy(one[:, :, tokens:]) - ops.convert_to_numpy(two[:, :, tokens:])).max()
            > 0.01
        )


def test_padding_of_a_recording_changes_nothing(model):
    inputs = make_inputs(written=False, seen=True, spoken=True)
    answers = np.full((3, ANSWER), 5, dtype="int32")
    logits = ops.convert_to_numpy(model(inputs | {"answer": answers}))
    alone = {name: array[1:2] for name, array in inputs.items()}
    alone["answer"] = answers[1:2]
    np.testing.assert_allclose(ops.convert_to_numpy(model(alone)), logits[1:2], atol=1e-4)
    _, real = model.embed_spoken(inputs)
    assert np.asarray(real).sum(axis=1).tolist() == [3, 2, 3]


def test_generate_without_a_written_prompt(model):
    inputs = make_inputs(written=False, seen=True, spoken=True)
    del inputs["prompt"]
    answers = model.generate(inputs, None)
    assert len(answers) == 3
    with pytest.raises(ValueError, match="expected a prompt, or a modality that asks"):
        model.generate({}, None)
    with pytest.raises(ValueError, match="the prompt is empty"):
        model.generate(inputs, "")


def test_a_saved_model_still_knows_who_asks(model, tmp_path):
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.asking == ("speech",)
    inputs = make_inputs(written=True, seen=True, spoken=True) | {"answer": np.full((3, ANSWER), 5)}
    np.testing.assert_allclose(again(inputs), model(inputs), atol=1e-5)


def test_who_asks_must_have_an_encoder():
    with pytest.raises(ValueError, match="asking must be some of"):
        MultimodalGenerator({}, WORDS, asking=["speech"])
