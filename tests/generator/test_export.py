"""Exported files compute what Keras computes, token for token, and need no Keras."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

from mmcourse.encoders.audio import AudioEncoder
from mmcourse.encoders.image import ImageEncoder
from mmcourse.generator import decoding
from mmcourse.generator.export import export
from mmcourse.generator.exported import READ, STEP, Exported
from mmcourse.generator.model import MultimodalGenerator, Settings
from mmcourse.text import PAD_ID, START_ID

pytestmark = pytest.mark.usefixtures("float32")

SIDE, FRAMES, BANDS, ANSWER = 8, 8, 3, 6
WORDS = ("a", "b", "c", "say", "it", "猫", "红")
PROMPTS = ("say it", "a", "say it b", "猫")


def make_model(encoders=None) -> MultimodalGenerator:
    keras.config.set_dtype_policy("float32")
    keras.utils.set_random_seed(0)
    if encoders is None:
        encoders = {"image": ImageEncoder(SIDE, (4,), 8), "audio": AudioEncoder(FRAMES, BANDS, 8)}
    model = MultimodalGenerator(encoders, WORDS, Settings(8, 2, 2, 12, prompt_length=4, answer_length=ANSWER))
    model.build()
    random = np.random.default_rng(1)
    for variable in model.trainable_variables:
        if "gamma" not in variable.path:
            spread = 1.5 if "attention/" in variable.path and variable.path.endswith("kernel") else 0.4
            variable.assign(random.normal(scale=spread, size=variable.shape))
    for variable in model.non_trainable_variables:
        variable.assign(random.uniform(0.5, 2.0, size=variable.shape))  # averages of batch normalisation
    return model


@pytest.fixture(scope="module")
def model():
    return make_model()


@pytest.fixture(scope="module")
def folder(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported") / "new"
    files = export(model, folder)
    assert sorted(folder.iterdir()) == sorted(files)
    assert [file.name for file in files] == [
        *("image.onnx", "audio.onnx", "read.onnx", "step.onnx", "settings.json")
    ]
    return folder


@pytest.fixture(scope="module")
def exported(folder):
    return Exported(folder)


def make_media(count: int, seed: int = 0) -> dict:
    random = np.random.default_rng(seed)
    sounds = random.normal(size=(count, FRAMES, BANDS)).astype("float32")
    sounds[::2, 4:] = 0  # padding of the shorter recordings
    return {"image": random.integers(0, 256, size=(count, SIDE, SIDE, 3)).astype("float32"), "audio": sounds}


@pytest.mark.parametrize("present", [("image", "audio"), ("image",), ("audio",), ()])
@pytest.mark.parametrize("count", [1, 9])
def test_tokens_are_those_of_keras(model, exported, present, count):
    media = make_media(count, count)
    inputs = {name: media[name] for name in present}
    inputs["prompt"] = model.encode_prompts([PROMPTS[i % 4] for i in range(count)])
    expected = ops.convert_to_numpy(decoding.greedy(model, inputs))
    np.testing.assert_array_equal(exported.write(inputs), expected)
    assert count == 1 or len(np.unique(expected, axis=0)) > 2, "too much alike to mean anything"


def test_logits_are_those_of_keras_at_every_step(model, exported):
    inputs = make_media(5) | {"prompt": model.encode_prompts([*PROMPTS, "it"])}
    answers = np.random.default_rng(2).integers(4, len(model.vocabulary), size=(5, ANSWER)).astype("int32")
    expected = ops.convert_to_numpy(model(inputs | {"answer": answers}))
    given = {"prompt": inputs["prompt"]}
    for name in ("image", "audio"):
        made = exported.run(f"{name}.onnx", {name: inputs[name]})
        encoder = model.encoders[name]
        np.testing.assert_allclose(made["tokens"], encoder(inputs[name]), atol=1e-4)
        mask = encoder.compute_mask(inputs[name], None)
        np.testing.assert_array_equal(made["real"], True if mask is None else mask)
        given |= {f"{name}_{part}": array for part, array in made.items()}
    kept, token = exported.run(READ, given), np.full(5, START_ID, dtype="int32")
    for place in range(ANSWER):
        made = exported.run(STEP, kept | {"token": token, "place": np.array(place, dtype="int32")})
        np.testing.assert_allclose(made["logits"], expected[:, place], atol=1e-4)
        kept |= {name: made[f"next_{name}"] for name in exported.settings["caches"]}
        token = answers[:, place]


def test_it_answers_in_words(model, exported):
    media = make_media(6)
    prompts = ["say it", "a"] * 3
    assert exported.generate(media, prompts) == model.generate(media, prompts)
    images = media["image"].astype("uint8")
    assert exported.generate({"image": images}, "猫") == model.generate({"image": images}, "猫")
    assert exported.generate({"image": images[:0]}, "猫") == []


def test_it_runs_without_keras(model, folder, tmp_path):
    images = make_media(3)["image"]
    np.save(tmp_path / "images.npy", images)
    code = f"""
import json, sys
import numpy as np
from mmcourse.generator.exported import Exported
images = np.load({str(tmp_path / "images.npy")!r})
texts = Exported({str(folder)!r}).generate({{"image": images}}, "say it")
loaded = sorted({{"keras", "tensorflow", "torch", "jax"}} & set(sys.modules))
print(json.dumps([texts, loaded]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == [model.generate({"image": images}, "say it"), []]


def test_settings_say_all_that_a_page_needs(model, folder):
    settings = json.loads((folder / "settings.json").read_text(encoding="utf-8"))
    assert settings == {
        "modalities": {
            "image": {"shape": [SIDE, SIDE, 3], "tokens": [4, 8]},
            "audio": {"shape": [FRAMES, BANDS], "tokens": [2, 8]},
        },
        "prompt_length": 4,
        "answer_length": ANSWER,
        "caches": ["keys_0", "values_0", "keys_1", "values_1"],
        "special": {"padding": PAD_ID, "start": START_ID, "end": 2, "unknown": 3},
        "vocabulary": list(model.vocabulary.tokens),
    }


@pytest.mark.parametrize(
    ("inputs", "prompts", "message"),
    [
        ({"video": np.zeros((1, 2))}, "a", "unknown modality 'video'; this model has: image, audio"),
        ({"image": np.zeros((1, 4, 4, 3))}, "a", r"image must be \(examples, 8, 8, 3\), got \(1, 4, 4, 3\)"),
        ({"image": np.zeros((2, 8, 8, 3))}, ["a"], "'image': 2, 'prompts': 1"),
        ({}, "hello", "the prompt 'hello' holds words that the model has never seen: hello"),
        ({}, " ", "the prompt is empty"),
        ({}, "a a a a a", "5 tokens; at most 4 fit"),
    ],
)
def test_what_does_not_fit_is_refused(exported, inputs, prompts, message):
    with pytest.raises(ValueError, match=message):
        exported.generate(inputs, prompts)


def test_missing_files_are_named(folder, tmp_path):
    with pytest.raises(ValueError, match=r"lacks settings.json; make one: mmcourse export"):
        Exported(tmp_path)
    (tmp_path / "settings.json").write_bytes((folder / "settings.json").read_bytes())
    with pytest.raises(ValueError, match=r"lacks read.onnx; export it again"):
        Exported(tmp_path)


def test_models_that_cannot_be_exported_are_refused(model, tmp_path, monkeypatch):
    half = MultimodalGenerator({}, WORDS, Settings(8, 2, 1, 12), dtype="mixed_bfloat16")
    with pytest.raises(ValueError, match="computes in float32, got bfloat16"):
        export(half, tmp_path)

    class Strange(ImageEncoder):
        def call(self, images, training=False):
            return ops.erfinv(super().call(images))

    with pytest.raises(ValueError, match=r"image\.onnx cannot be written: .*Erfinv"):
        export(make_model({"image": Strange(SIDE, (4,), 8)}), tmp_path)
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(ValueError, match="needs the TensorFlow backend, got jax"):
        export(model, tmp_path)


def test_without_the_converter_it_says_what_to_install(model, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    with pytest.raises(ImportError, match="pip install tf2onnx"):
        export(model, tmp_path)
