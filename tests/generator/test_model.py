"""The generator: both inputs count, the loss is right, cached writing equals the plain loop, answers keep."""

import json
import zipfile

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from mmcourse.encoders.audio import AudioEncoder
from mmcourse.encoders.image import ImageEncoder
from mmcourse.generator import decoding
from mmcourse.generator.model import MultimodalGenerator, Settings, answer_loss
from mmcourse.text import END_ID, PAD_ID, SPECIAL_TOKENS, tokenise

SIZE, ANSWER, FRAMES, BANDS = 16, 6, 8, 5
WORDS = ("a", "b", "c", "say", "it", "now", "猫", "红")


pytestmark = pytest.mark.usefixtures("float32")


def make_model(seed: int = 0, spread: float = 0.0, modalities=("image",), **settings) -> MultimodalGenerator:
    """A tiny model; ``spread`` is that of its random matrices, and of the vectors that are zero at first."""
    keras.config.set_dtype_policy("float32")
    keras.utils.set_random_seed(seed)
    options = {"width": 16, "heads": 2, "depth": 2, "hidden": 24, "prompt_length": 4} | settings
    encoders = {
        "image": ImageEncoder(SIZE, (4,), options["width"], name="image_encoder"),
        "audio": AudioEncoder(FRAMES, BANDS, options["width"], name="audio_encoder"),
    }
    encoders = {name: encoders[name] for name in modalities}
    model = MultimodalGenerator(encoders, WORDS, Settings(answer_length=ANSWER, **options))
    model.build()
    if spread:
        random = np.random.default_rng(seed)
        for variable in model.trainable_variables:
            if "gamma" not in variable.path and "modality" not in variable.path:
                variable.assign(random.normal(scale=spread, size=variable.shape))
    return model


@pytest.fixture(scope="module")
def model() -> MultimodalGenerator:
    """Strong attention, so that every token counts; some of its answers are short and others long."""
    model = make_model(3, spread=0.3)
    random = np.random.default_rng(3)
    for variable in model.trainable_variables:
        if "attention/" in variable.path and variable.path.endswith("kernel"):
            variable.assign(random.normal(scale=1.5, size=variable.shape))
    bias = np.zeros(len(model.vocabulary))
    bias[END_ID] = 1.0
    bias[PAD_ID] = -20.0
    model.to_logits.bias.assign(bias)
    return model


def make_images(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, size=(count, SIZE, SIZE, 3)).astype("uint8")


def make_inputs(model: MultimodalGenerator, prompts: list[str], answers: list[str], seed: int = 0) -> dict:
    return {
        "image": make_images(len(prompts), seed),
        "prompt": model.vocabulary.encode(prompts, model.settings.prompt_length),
        "answer": model.vocabulary.encode(answers, model.settings.answer_length, end=True),
    }


def write_slowly(model: MultimodalGenerator, inputs: dict) -> np.ndarray:
    """Greedy writing without a cache: the whole sequence is read again for each token."""
    count = len(inputs["prompt"])
    answers = np.zeros((count, model.settings.answer_length), dtype="int32")
    finished = np.zeros(count, dtype=bool)
    for place in range(model.settings.answer_length):
        logits = ops.convert_to_numpy(model(inputs | {"answer": answers}))
        answers[:, place] = np.where(finished, PAD_ID, logits[:, place].argmax(axis=-1))
        finished |= answers[:, place] == END_ID
    return answers


PROMPTS = ["say it", "a", "now say it b", "猫"]

# Shapes and the two inputs


def test_shapes(model):
    inputs = make_inputs(model, PROMPTS[:3], ["a b", "猫", ""])
    assert model(inputs).shape == (3, ANSWER, len(WORDS) + len(SPECIAL_TOKENS))
    assert decoding.greedy(model, {"image": inputs["image"], "prompt": inputs["prompt"]}).shape == (3, ANSWER)
    media, real = model.embed_media(inputs)
    assert media.shape == (3, 16, 16)
    assert ops.convert_to_numpy(real).all()
    caches, real = model.read(inputs)
    assert len(caches) == model.settings.depth
    np.testing.assert_array_equal(
        ops.convert_to_numpy(real)[:, 16:], [[1, 1, 0, 0], [1, 0, 0, 0], [1, 1, 1, 1]]
    )
    assert ops.convert_to_numpy(real)[:, :16].all()


def test_image_encoder_tells_places_apart():
    encoder = ImageEncoder(SIZE, (4,), 8)
    white = np.full((1, SIZE, SIZE, 3), 255, dtype="uint8")
    tokens = ops.convert_to_numpy(encoder(white))[0]
    assert tokens.shape == (16, 8)
    # The four inner tokens see the same white pixels; only their places differ.
    inner = tokens[[5, 6, 9, 10]]
    assert len({tuple(token) for token in inner.round(6).tolist()}) == 4
    without_place = inner - ops.convert_to_numpy(encoder.position)[[5, 6, 9, 10]]
    np.testing.assert_allclose(without_place, without_place[[0, 0, 0, 0]], atol=1e-5)


def test_image_encoder_keeps_its_configuration_and_refuses_other_sizes():
    encoder = ImageEncoder(SIZE, [4, 5], 8)
    assert ImageEncoder.from_config(encoder.get_config()).get_config() == encoder.get_config()
    assert encoder.tokens == 4
    with pytest.raises(ValueError, match="multiple of 8, got 20"):
        ImageEncoder(20, (4, 5), 8)


def test_logits_depend_on_the_picture_and_on_the_prompt(model):
    inputs = make_inputs(model, ["say it"] * 2, ["a b c"] * 2)
    logits = ops.convert_to_numpy(model(inputs))
    assert (np.abs(logits[0] - logits[1]).max(axis=-1) > 1e-3).all()  # two pictures, at every place
    same = inputs | {"image": np.repeat(inputs["image"][:1], 2, axis=0)}
    np.testing.assert_allclose(*ops.convert_to_numpy(model(same)), atol=1e-4)
    other = same | {"prompt": model.vocabulary.encode(["say it", "say b"], model.settings.prompt_length)}
    logits = ops.convert_to_numpy(model(other))
    assert (np.abs(logits[0] - logits[1]).max(axis=-1) > 1e-3).all()


def test_every_weight_gets_a_gradient():
    """A forgotten connection, of the picture above all, shows as a weight that a step leaves alone."""
    model = make_model(spread=0.3)
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss=answer_loss, jit_compile=False)
    before = {variable.path: variable.numpy() for variable in model.trainable_variables}
    inputs = make_inputs(model, PROMPTS, ["a b c 猫 红", "b", "c 猫", "红 a b c 猫"])
    model.train_on_batch(inputs, inputs["answer"])
    moved = {
        variable.path: float(np.abs(variable.numpy() - before[variable.path]).max())
        for variable in model.trainable_variables
    }
    assert sum("image_encoder" in path for path in moved) > 3
    assert [path for path, change in moved.items() if change < 1e-7] == []


def test_a_later_answer_token_does_not_change_earlier_logits(model):
    inputs = make_inputs(model, ["say it"], ["a b c 猫 红"])
    before = ops.convert_to_numpy(model(inputs))[0]
    for place in range(ANSWER):
        answer = inputs["answer"].copy()
        answer[0, place] = model.vocabulary.ids["now"]
        after = ops.convert_to_numpy(model(inputs | {"answer": answer}))[0]
        differs = np.abs(after - before).max(axis=-1) > 1e-4
        np.testing.assert_array_equal(differs, np.arange(ANSWER) > place)


def test_the_embedding_of_padding_in_the_prompt_does_not_matter():
    model = make_model(spread=0.5)
    inputs = make_inputs(model, ["say it", "a"], ["a b", "c 猫 红"])
    before = ops.convert_to_numpy(model(inputs))
    table = model.token_embedding.embeddings.numpy()
    table[PAD_ID] += 7.0 * np.arange(16)
    model.token_embedding.embeddings.assign(table)
    after = ops.convert_to_numpy(model(inputs))
    real = np.cumsum(inputs["answer"] == END_ID, axis=1) - (inputs["answer"] == END_ID) == 0
    np.testing.assert_allclose(after[real], before[real], atol=1e-4)


# The loss


def test_loss_by_hand():
    logits = np.log([[[0.1, 0.7, 0.2], [0.5, 0.25, 0.25], [0.9, 0.05, 0.05]]])
    expected = -(np.log(0.7) + np.log(0.25)) / 2  # the third place is padding
    assert float(answer_loss(np.array([[1, 2, 0]]), logits)) == pytest.approx(expected, abs=1e-6)


def test_loss_of_nothing_but_padding_is_zero():
    assert float(answer_loss(np.zeros((2, 3), dtype="int32"), np.ones((2, 3, 4), dtype="float32"))) == 0.0


@settings(max_examples=30, deadline=None)
@given(lengths=st.lists(st.integers(0, 5), min_size=1, max_size=4), seed=st.integers(0, 99))
def test_loss_against_numpy_for_any_lengths(lengths, seed):
    random = np.random.default_rng(seed)
    answers = random.integers(1, 7, size=(len(lengths), 5)).astype("int32")
    answers[np.arange(5) >= np.array(lengths)[:, None]] = 0
    logits = random.normal(size=(len(lengths), 5, 7)).astype("float32") * 3
    chances = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    losses = [
        -np.log(chances[row, place, answers[row, place]])
        for row, length in enumerate(lengths)
        for place in range(length)
    ]
    expected = np.mean(losses) if losses else 0.0
    assert float(answer_loss(answers, logits)) == pytest.approx(expected, rel=1e-4, abs=1e-5)
    noise = logits + np.where(answers == 0, 5.0, 0.0)[..., None] * random.normal(size=logits.shape)
    assert float(answer_loss(answers, noise.astype("float32"))) == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_compiled_loss_is_the_loss_and_ignores_padding():
    model = make_model(spread=0.3)
    model.compile(loss=answer_loss, jit_compile=False)
    inputs = make_inputs(model, PROMPTS[:2], ["a b", "猫"])
    expected = float(answer_loss(inputs["answer"], model(inputs)))
    assert model.evaluate(inputs, inputs["answer"], verbose=0) == pytest.approx(expected, rel=1e-5)


# Writing


def test_cached_writing_equals_the_slow_loop(model):
    images = make_images(40)
    prompts = [PROMPTS[i % len(PROMPTS)] for i in range(len(images))]
    expected = write_slowly(model, {"image": images, "prompt": model.encode_prompts(prompts)})
    lengths = (expected != PAD_ID).sum(axis=1)
    assert len(set(lengths)) > 3 and len(np.unique(expected, axis=0)) > 8, "too much alike to mean anything"
    assert (expected[:, -1] != PAD_ID).any(), "some answers should fill all places"
    written = ops.convert_to_numpy(
        decoding.greedy(model, {"image": images, "prompt": model.encode_prompts(prompts)})
    )
    np.testing.assert_array_equal(written, expected)
    for batch_size in (1, 7, 64):
        count = 5 if batch_size == 1 else len(images)
        texts = model.generate({"image": images[:count]}, prompts[:count], batch_size=batch_size)
        assert texts == model.vocabulary.decode(expected[:count])


def test_answers_end_with_the_end_token_and_padding(model):
    images = make_images(40)
    answers = ops.convert_to_numpy(
        decoding.greedy(model, {"image": images, "prompt": model.encode_prompts(PROMPTS * 10)})
    )
    ended = 0
    for answer in answers:
        ends = np.flatnonzero(answer == END_ID)
        if len(ends):
            ended += 1
            assert (answer[ends[0] + 1 :] == PAD_ID).all()
            assert (answer[: ends[0]] != PAD_ID).all()
    assert 0 < ended < len(answers)


def test_a_model_that_ends_at_once_gives_empty_texts():
    model = make_model()
    bias = np.zeros(len(model.vocabulary))
    bias[END_ID] = 100.0
    model.to_logits.bias.assign(bias)
    assert model.generate({"image": make_images(2)}, "say it") == ["", ""]


def test_one_prompt_for_all_equals_one_for_each_and_order_does_not_matter(model):
    images = make_images(6)
    texts = model.generate({"image": images}, "say it")
    assert texts == model.generate({"image": images}, ["say it"] * 6)
    assert texts == model.generate({"image": list(images)}, ("say it",) * 6)
    assert texts[::-1] == model.generate({"image": images[::-1]}, "say it")
    assert texts != model.generate({"image": images}, "now")


def test_float_and_whole_number_pictures_give_the_same(model):
    images = make_images(6)
    expected = model.generate({"image": images}, "say it")
    for kind in ("float32", "float64", "int32"):
        assert model.generate({"image": images.astype(kind)}, "say it") == expected
    inputs = make_inputs(model, ["say it"] * 2, ["a"] * 2)
    as_float = inputs | {"image": inputs["image"].astype("float32")}
    logits, expected = ops.convert_to_numpy(model(as_float)), ops.convert_to_numpy(model(inputs))
    np.testing.assert_allclose(logits, expected, atol=1e-5)


def test_no_pictures_no_answers(model):
    assert model.generate({"image": np.zeros((0, SIZE, SIZE, 3), dtype="uint8")}, "say it") == []
    assert model.generate({"image": np.zeros((0, SIZE, SIZE, 3), dtype="uint8")}, []) == []


@pytest.mark.parametrize(
    "shape", [(SIZE, SIZE, 3), (1, SIZE, SIZE), (1, 8, 8, 3), (1, SIZE, SIZE, 4), (0,), ()]
)
def test_pictures_of_another_shape_are_refused(model, shape):
    with pytest.raises(ValueError) as caught:
        model.generate({"image": np.zeros(shape, dtype="uint8")}, "say it")
    assert "image must be (examples, 16, 16, 3)" in str(caught.value) and str(shape) in str(caught.value)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_another_number_of_prompts_is_refused(model, count):
    with pytest.raises(ValueError, match=f"'image': 2, 'prompts': {count}"):
        model.generate({"image": make_images(2)}, ["say it"] * count)


@pytest.mark.parametrize("prompt", ["", " ", "\t\n ", "\u3000"])
def test_an_empty_prompt_is_refused(model, prompt):
    with pytest.raises(ValueError, match="empty"):
        model.generate({"image": make_images(2)}, ["say it", prompt])


@pytest.mark.parametrize("words", [5, 5000])
def test_a_prompt_that_is_too_long_is_refused_in_few_words(model, words):
    with pytest.raises(ValueError, match=f"{words} tokens.*at most 4") as caught:
        model.generate({"image": make_images(1)}, "say " * words)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("prompt", "unknown"), [("say hello", "hello"), ("hola", "hola"), ("猫狗", "狗"), ("SAY it", "SAY")]
)
def test_unknown_words_are_refused_and_named(model, prompt, unknown):
    with pytest.raises(ValueError, match="never seen") as caught:
        model.generate({"image": make_images(1)}, prompt)
    assert unknown in str(caught.value) and prompt in str(caught.value)


@pytest.mark.parametrize("prompt", ["foo " * 5000, "f" * 50_000])
def test_a_long_unknown_prompt_is_refused_in_few_words(model, prompt):
    with pytest.raises(ValueError, match="never seen") as caught:
        model.generate({"image": make_images(1)}, prompt)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("special", SPECIAL_TOKENS)
def test_special_tokens_cannot_be_typed(model, special):
    with pytest.raises(ValueError, match="never seen"):
        model.generate({"image": make_images(1)}, f"say {special}")


# Several modalities


def make_sounds(count: int, seed: int = 0) -> np.ndarray:
    """Frames of two lengths; the shorter recordings end in zeros, which are padding."""
    sounds = np.random.default_rng(seed).normal(size=(count, FRAMES, BANDS)).astype("float32")
    sounds[::2, 4:] = 0
    return sounds


@pytest.fixture(scope="module")
def both() -> MultimodalGenerator:
    """A model that looks and listens, with strong attention, so that every token counts."""
    model = make_model(5, spread=0.3, modalities=("image", "audio"))
    random = np.random.default_rng(5)
    for variable in model.trainable_variables:
        if "attention/" in variable.path and variable.path.endswith("kernel"):
            variable.assign(random.normal(scale=1.5, size=variable.shape))
    return model


@pytest.mark.parametrize("present", [("image", "audio"), ("image",), ("audio",), ()])
def test_with_any_modalities_cached_writing_equals_the_slow_loop(both, present):
    every = {"image": make_images(12), "audio": make_sounds(12)}
    inputs = {name: every[name] for name in present}
    prompts = both.encode_prompts([PROMPTS[i % len(PROMPTS)] for i in range(12)])
    expected = write_slowly(both, inputs | {"prompt": prompts})
    written = ops.convert_to_numpy(decoding.greedy(both, inputs | {"prompt": prompts}))
    np.testing.assert_array_equal(written, expected)
    tokens, real = both.embed_media(inputs | {"prompt": prompts})
    assert tokens.shape[1] == 16 * ("image" in present) + 2 * ("audio" in present)
    assert real.shape == tokens.shape[:2]


def test_the_order_in_which_modalities_are_given_does_not_matter(both):
    images, sounds = make_images(6), make_sounds(6)
    texts = both.generate({"image": images, "audio": sounds}, "say it")
    assert both.generate({"audio": sounds, "image": images}, "say it") == texts
    assert both.generate({"audio": sounds}, "say it") != texts != both.generate({"image": images}, "say it")


def test_padding_of_a_sound_is_seen_by_nobody(both):
    inputs = make_inputs(both, ["say it"] * 4, ["a b c"] * 4) | {"audio": make_sounds(4)}
    before = ops.convert_to_numpy(both(inputs))
    positions = both.encoders["audio"].position
    kept = positions.numpy()
    noise = np.random.default_rng(0).normal(scale=3, size=kept.shape)
    positions.assign(kept + noise * [[0], [1]])  # of the token that is padding in every second sound
    after = ops.convert_to_numpy(both(inputs))
    positions.assign(kept)
    np.testing.assert_allclose(after[::2], before[::2], atol=1e-4)
    assert np.abs(after - before)[1::2].max() > 1e-2


def test_each_modality_has_an_embedding_of_its_own(both):
    inputs = make_inputs(both, ["say it"], ["a b"]) | {"audio": make_sounds(1)}
    before = ops.convert_to_numpy(both(inputs))
    kept = both.modality.numpy()
    for row in range(2):
        changed = kept.copy()
        changed[row] += np.random.default_rng(row).normal(size=kept.shape[1])
        both.modality.assign(changed)
        assert np.abs(ops.convert_to_numpy(both(inputs)) - before).max() > 1e-3
    both.modality.assign(kept)


def test_an_unknown_modality_is_refused(both):
    with pytest.raises(ValueError, match="unknown modality 'video'; this model has: image, audio"):
        both.generate({"video": make_images(1)}, "say it")
    with pytest.raises(ValueError, match="no encoder may be called 'prompt' or 'answer'"):
        MultimodalGenerator({"prompt": ImageEncoder(SIZE, (4,), 8)}, WORDS)
    with pytest.raises(ValueError, match="frames must be a multiple of 4, got 6"):
        AudioEncoder(6, BANDS, 8)


def test_picture_and_sound_go_through_fit_and_both_are_learnt(tmp_path):
    """Four pairs of picture and sound, one prompt: neither modality alone tells the answer."""
    model = make_model(modalities=("image", "audio"), width=32, depth=1, hidden=32)
    model.compile(optimizer=keras.optimizers.Adam(5e-3), loss=answer_loss, jit_compile=False)
    images, sounds = make_images(2)[[0, 0, 1, 1]], make_sounds(2)[[0, 1, 0, 1]]
    answers = ["a b c", "now", "b", "c c a b b"]
    inputs = {
        "image": images,
        "audio": sounds,
        "prompt": model.encode_prompts(["say it"] * 4),
        "answer": model.vocabulary.encode(answers, model.settings.answer_length, end=True),
    }
    history = model.fit(inputs, inputs["answer"], batch_size=4, epochs=250, verbose=0).history["loss"]
    assert history[-1] < 0.05
    assert model.generate({"image": images, "audio": sounds}, "say it") == answers
    mixed = model.generate({"image": images, "audio": sounds[::-1]}, "say it")
    assert sum(answer == true for answer, true in zip(mixed, answers, strict=True)) <= 1
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.generate({"image": images, "audio": sounds}, "say it") == answers


# Keeping


def test_saved_and_loaded_model_answers_the_same(model, tmp_path):
    images = make_images(8)
    texts = model.generate({"image": images}, "say it")  # also: a model that has written can be saved
    path = tmp_path / "model.keras"
    model.save(path)
    again = keras.saving.load_model(path, safe_mode=True)
    assert type(again) is MultimodalGenerator
    assert again.generate({"image": images}, "say it") == texts
    assert again.vocabulary.tokens == model.vocabulary.tokens
    for mine, theirs in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    second = tmp_path / "second.keras"
    again.save(second)
    assert keras.saving.load_model(second).generate({"image": images}, "say it") == texts


def test_saved_file_holds_plain_configuration_and_weights_only(model, tmp_path):
    model.save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        assert sorted(archive.namelist()) == ["config.json", "metadata.json", "model.weights.h5"]
        content = archive.read("config.json").decode()
        weights_bytes = archive.getinfo("model.weights.h5").file_size
    configuration = json.loads(content)
    assert configuration["registered_name"] == "mmcourse>MultimodalGenerator"
    assert configuration["config"]["tokens"] == list(WORDS)
    assert "lambda" not in content.lower() and "pickle" not in content.lower()
    assert weights_bytes < 4 * model.count_params() + 120_000  # the weights are there once


def test_configuration_round_trip(model):
    configuration = json.loads(json.dumps(model.get_config()))
    twin = MultimodalGenerator.from_config(configuration)
    twin.build()
    assert json.loads(json.dumps(twin.get_config())) == configuration
    assert [weight.shape for weight in twin.get_weights()] == [weight.shape for weight in model.get_weights()]


# Learning


def test_learns_four_pairs_by_heart():
    """Two pictures with two prompts each: neither input alone tells the answer."""
    model = make_model(width=32, depth=1, hidden=32)
    model.compile(optimizer=keras.optimizers.Adam(5e-3), loss=answer_loss, jit_compile=False)
    pictures = make_images(2)
    images = pictures[[0, 0, 1, 1]]
    prompts = ["say it", "猫", "say it", "猫"]
    answers = ["a b c", "红 now", "b", "c c a b b"]
    inputs = {
        "image": images,
        "prompt": model.vocabulary.encode(prompts, model.settings.prompt_length),
        "answer": model.vocabulary.encode(answers, model.settings.answer_length, end=True),
    }
    for _ in range(250):
        loss = model.train_on_batch(inputs, inputs["answer"])
    assert float(loss) < 0.05
    expected = [" ".join(tokenise(answer)).replace("红 now", "红now") for answer in answers]
    assert model.generate({"image": images}, prompts) == expected
