"""Naming emoji: prompts, shifts and batches are what they should be; both configurations build and train."""

import json
import os
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcourse import closure
from mmcourse.data.emoji import SPLITS, EmojiPictures, Entry
from mmcourse.generator import decoding, naming
from mmcourse.generator.packing import pack, unpack
from mmcourse.learning import training
from mmcourse.learning.alignment import info_nce
from mmcourse.text import START_ID, UNKNOWN_ID, tokenise

TINY = naming.Configuration(
    image_size=16, channels=(4,), width=16, heads=2, depth=1, hidden=16, shift=2, epochs=2, batch_size=2
)
NAMES = [
    ("red cat", "红猫"),
    ("blue cat", "蓝猫"),
    ("red dog with a hat", "戴帽子的红狗"),
    ("blue dog", "蓝狗"),
    ("sun", "太阳"),
    ("woman: light skin tone", "女人: 较浅肤色"),
    ("moon", "月亮"),
    ("green tree", "绿树"),
]
# Two pictures for each split but training, which has the first eight.
COUNTS = {"train": 8, "validation": 2, "unseen_composition": 2, "unseen_concept": 2, "unseen_artist": 2}


def make_pictures(size: int = 16) -> EmojiPictures:
    """A small set in the form of the real one: noise with names, all different."""
    total = sum(COUNTS.values())
    entries = tuple(
        Entry(chr(0x1F600 + i), {"en": en, "zh": zh}, "Animals & Nature", (), "", "", False)
        for i, (en, zh) in enumerate(NAMES[i % len(NAMES)] for i in range(total))
    )
    starts = np.cumsum([0, *COUNTS.values()])
    return EmojiPictures(
        images=np.random.default_rng(0).integers(0, 255, (total, size, size, 3)).astype("uint8"),
        entries=entries,
        artists=("twemoji",) * total,
        splits={
            split: np.arange(start, start + COUNTS[split])
            for split, start in zip(SPLITS, starts, strict=False)
        },
        kinds=("",) * total,
        size=size,
    )


# Prompts


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("name it in English", "name it in English"),
        ("Name it in english.", "name it in English"),
        ("NAME IT IN ENGLISH!!!", "name it in English"),
        ("  what   is\tthis ?\n", "what is this"),
        ("What is this?!", "what is this"),
        ("这是什么？", "这是什么"),
        ("用中文说。", "用中文说"),
        ("用 中 文 说 ！", "用中文说"),
        ("name it in chinese", "name it in Chinese"),
        ("name it in Klingon", "name it in Klingon"),
        ("Quelle EST cette image?", "Quelle EST cette image"),
        ("", ""),
        (" \n", ""),
        ("?", ""),
    ],
)
def test_clean_prompt(typed, expected):
    assert naming.clean_prompt(typed) == expected


@given(
    prompt=st.sampled_from([wording for wordings in naming.PROMPTS.values() for wording in wordings]),
    capitals=st.lists(st.booleans(), min_size=30, max_size=30),
    mark=st.sampled_from(["", "?", ".", "!", "？", "。", "！", " ?", "...", "?!"]),
)
def test_known_prompts_are_recognised_in_any_capitals(prompt, capitals, mark):
    typed = "".join(c.upper() if up else c.lower() for c, up in zip(prompt, capitals, strict=False))
    assert naming.clean_prompt(f" {typed}{mark} ") == prompt


@given(st.text(max_size=40))
def test_clean_prompt_settles(typed):
    cleaned = naming.clean_prompt(typed)
    assert len(tokenise(cleaned)) <= len(tokenise(typed))
    assert cleaned == cleaned.strip()


def test_prompts_tell_the_language():
    wordings = [wording for wordings in naming.PROMPTS.values() for wording in wordings]
    assert len(set(wordings)) == len(wordings)
    assert set(naming.PROMPTS) == set(naming.LANGUAGES)


# Shifts


@settings(max_examples=40)
@given(most=st.integers(0, 5), size=st.integers(1, 9), seed=st.integers(0, 1000))
def test_a_shifted_picture_is_the_picture_moved_over_white(most, size, seed):
    random = np.random.default_rng(seed)
    images = random.integers(0, 255, size=(3, size, size, 3)).astype("uint8")  # 255 is left for the border
    before = images.copy()
    shifted = naming.shift(images, most, random)
    assert shifted.shape == images.shape and shifted.dtype == np.uint8
    np.testing.assert_array_equal(images, before)
    for picture, moved in zip(images, shifted, strict=True):
        candidates = []
        for down in range(-most, most + 1):
            for right in range(-most, most + 1):
                expected = np.full_like(picture, 255)
                for row in range(size):
                    for column in range(size):
                        if 0 <= row - down < size and 0 <= column - right < size:
                            expected[row, column] = picture[row - down, column - right]
                candidates.append(expected)
        assert any((moved == candidate).all() for candidate in candidates)


def test_every_shift_occurs_and_pictures_move_apart():
    images = np.full((500, 5, 5, 1), 255, dtype="uint8")
    images[:, 2, 2] = 0
    shifted = naming.shift(images, 1, np.random.default_rng(0))
    places = {tuple(np.argwhere(picture[..., 0] == 0)[0].tolist()) for picture in shifted}
    assert places == {(row, column) for row in (1, 2, 3) for column in (1, 2, 3)}


def test_no_shift_changes_nothing():
    images = np.random.default_rng(0).integers(0, 256, size=(4, 6, 6, 3)).astype("uint8")
    np.testing.assert_array_equal(naming.shift(images, 0, np.random.default_rng(1)), images)


# Batches


def test_batches_pair_pictures_prompts_and_answers():
    pictures = make_pictures()
    configuration = replace(TINY, shift=0, hidden_words=0.0)
    task = naming.Task.of(pictures)
    batches, decode = task.batches(configuration), task.vocabulary.decode
    language_of = {wording: code for code, wordings in naming.PROMPTS.items() for wording in wordings}
    row_of = {pictures.images[i].tobytes(): i for i in range(len(pictures.images))}
    assert len(batches) == COUNTS["train"] // 2
    seen, wordings = [], set()
    for epoch in range(12):
        batches.start_epoch(epoch)
        for place in range(len(batches)):
            inputs, targets = batches[place]
            for i, picture in enumerate(inputs["image"]):
                row = row_of[picture.tobytes()]
                assert row in pictures.splits["train"]
                names = [pictures.entries[row].names[code] for code in naming.LANGUAGES]
                assert list(map(tokenise, decode(inputs["names"][i]))) == list(map(tokenise, names))
                for number, (name, answer) in enumerate(
                    zip(names, unpack(targets[i : i + 1], targets[i : i + 1])[0], strict=True), start=1
                ):
                    assert tokenise(decode([answer])[0]) == tokenise(name)
                    own = inputs["question"][i] == number
                    prompt = own & (inputs["position"][i] < task.prompt_length)
                    wording = decode([inputs["text"][i][prompt]])[0]
                    assert language_of[wording] == naming.LANGUAGES[number - 1]
                    known = inputs["text"][i][own & ~prompt]
                    assert known[0] == START_ID and (known[1:] == answer[:-1]).all()
                    wordings.add(wording)
                seen.append((epoch, row))
    assert len(seen) == len(set(seen)) == 12 * COUNTS["train"]  # each picture once an epoch
    assert wordings == set(language_of)


@settings(max_examples=30, deadline=None)
@given(share=st.floats(0, 1), seed=st.integers(0, 1000))
def test_only_words_of_answers_are_hidden(share, seed):
    random = np.random.default_rng(seed)
    rows = [
        [(random.integers(4, 50, size=2).tolist(), random.integers(4, 50, size=n).tolist()) for n in (1, 5)]
        for _ in range(20)
    ]
    inputs, _ = pack(rows, 20, 10, prompt_length=3)
    hidden = naming.hide(inputs, 3, share, random)
    written = np.zeros_like(inputs["text"], dtype=bool)
    written[:, 3] = True  # the only word of the first answer: two of the prompt and a start before it
    written[:, 7:12] = True
    changed = hidden != inputs["text"]
    assert not changed[~written].any()
    assert (hidden[changed] == UNKNOWN_ID).all()
    assert changed.sum() <= written.sum() and abs(changed[written].mean() - share) < 0.25
    if share in (0, 1):
        assert changed[written].mean() == share


def test_the_alignment_is_the_contrastive_loss_of_pictures_and_the_means_of_words():
    pictures = make_pictures()
    task = naming.Task.of(pictures)
    model = naming.build(TINY, task)
    seen = np.random.default_rng(0).normal(size=(8, 4, 4, 16)).astype("float32")
    names = task.padded_names()
    words = np.array(model.generator.token_embedding.embeddings)
    expected = []
    for language in range(2):
        means = np.array([words[row[row > 0]].mean(axis=0) for row in names[:, language]])
        expected.append(float(info_nce(seen.mean(axis=(1, 2)), means, 0.1)))
    np.testing.assert_allclose(float(model.alignment_loss(seen, names)), np.mean(expected), rtol=1e-5)


def test_the_alignment_counts_in_training_alone_and_by_its_weight():
    task = naming.Task.of(make_pictures())
    inputs, targets = task.batches(TINY)[0]
    losses = {}
    for weight in (0.0, 1.0, 2.0):
        model = naming.build(replace(TINY, alignment=weight), task)
        model.run_eagerly, model.jit_compile = True, False
        losses[weight] = float(model.train_on_batch(inputs, targets))
    assert losses[2.0] - losses[1.0] == pytest.approx(losses[1.0] - losses[0.0], rel=1e-3)
    assert losses[1.0] > losses[0.0] + 0.05
    model(inputs)
    assert not model.losses, "no alignment where nothing is learned"
    model(inputs, training=True)
    assert len(model.losses) == 1


def test_batches_shift_pictures_in_another_way_each_epoch():
    pictures = make_pictures()
    batches = naming.Task.of(pictures).batches(TINY)
    first = batches[0][0]["image"]
    np.testing.assert_array_equal(batches[0][0]["image"], first)
    everything = set()
    for epoch in range(3):
        batches.start_epoch(epoch)
        for place in range(len(batches)):
            everything |= {picture.tobytes() for picture in batches[place][0]["image"]}
    assert len(everything) > 1.5 * COUNTS["train"]


# The configurations


def test_vocabulary_and_lengths_fit_names_and_prompts():
    pictures = make_pictures()
    model = naming.build(TINY, naming.Task.of(pictures)).generator
    for language, wordings in naming.PROMPTS.items():
        for text in (*wordings, *pictures.names(language)):
            assert model.vocabulary.unknown_tokens(text) == []
        model.vocabulary.encode(wordings, model.settings.prompt_length)
        model.vocabulary.encode(pictures.names(language), model.settings.answer_length, end=True)
    assert model.settings.answer_length == max(len(tokenise(name)) for pair in NAMES for name in pair) + 1
    with pytest.raises(ValueError):  # and no longer than that
        model.vocabulary.encode(pictures.names("zh"), model.settings.answer_length - 1, end=True)


def test_building_twice_gives_the_same_weights():
    pictures = make_pictures()
    one, two = (naming.build(TINY, naming.Task.of(pictures)).get_weights() for _ in range(2))
    for mine, theirs in zip(one, two, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    other = naming.build(replace(TINY, seed=1), naming.Task.of(pictures)).get_weights()
    assert any((mine != theirs).any() for mine, theirs in zip(one, other, strict=True))


def test_learning_rate_rises_and_falls():
    configuration = replace(TINY, epochs=10, learning_rate=0.01, warm_up=0.1)
    schedule = naming.build(configuration, naming.Task.of(make_pictures())).optimizer._learning_rate
    rates = [float(schedule(step)) for step in range(41)]  # ten epochs of four batches
    assert rates[0] == 0 and max(rates) == pytest.approx(0.01)
    top = int(np.argmax(rates))
    assert top == 4
    assert rates[:5] == sorted(rates[:5]) and rates[4:] == sorted(rates[4:], reverse=True)
    assert rates[-1] == pytest.approx(0.0002)


def test_configurations_are_of_the_profiles_and_can_be_written_as_json():
    assert set(naming.CONFIGURATIONS) == set(training.PROFILES)
    for name, configuration in naming.CONFIGURATIONS.items():
        assert configuration.profile == name
        assert json.loads(json.dumps(asdict(configuration)))["profile"] == name


@pytest.mark.parametrize("name", list(naming.CONFIGURATIONS))
def test_configuration_builds_and_takes_two_steps(name):
    """The whole model of the profile, on few pictures; the compiler for GPUs is left out on a CPU."""
    configuration = replace(naming.CONFIGURATIONS[name], batch_size=2)
    pictures = make_pictures(configuration.image_size)
    model = naming.build(configuration, naming.Task.of(pictures))
    assert model.jit_compile is True
    model.run_eagerly, model.jit_compile = True, False  # compiling would take longer than two steps
    policy = training.PROFILES[name].dtype_policy
    assert model.dtype_policy.name == policy
    assert {layer.dtype_policy.name for layer in model._flatten_layers()} == {policy}
    assert {variable.dtype for variable in model.trainable_variables} == {"float32"}
    before = [variable.numpy() for variable in model.trainable_variables]
    batches = naming.Task.of(pictures).batches(configuration)
    losses = [float(model.train_on_batch(*batches[place])) for place in range(2)]
    # The words begin as random vectors that are compared, so that the chances are far from equal.
    assert np.isfinite(losses).all() and losses[0] > np.log(len(model.generator.vocabulary))
    for variable in model.trainable_variables:
        assert np.isfinite(variable.numpy()).all(), variable.path
    changed = [(v.numpy() != old).any() for v, old in zip(model.trainable_variables, before, strict=True)]
    assert np.mean(changed) > 0.9
    generator = model.generator
    prompts = generator.encode_prompts([naming.PROMPTS["en"][0]])
    written = keras.ops.convert_to_numpy(
        decoding.greedy(generator, {"image": pictures.images[:1], "prompt": prompts})
    )
    assert written.shape == (1, generator.settings.answer_length)
    assert isinstance(generator.vocabulary.decode(written)[0], str)


def test_a_model_of_mixed_precision_answers_the_same_after_loading(tmp_path):
    """Also in a process whose policy is another by then."""
    pictures = make_pictures()
    model = naming.build(replace(TINY, profile="gpu"), naming.Task.of(pictures))
    model.run_eagerly, model.jit_compile = True, False
    batches = naming.Task.of(pictures).batches(TINY)
    for place in range(len(batches)):
        model.train_on_batch(*batches[place])
    model, prompt = model.generator, naming.PROMPTS["zh"][0]
    answers = model.generate({"image": pictures.images}, prompt)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.dtype_policy.name == "mixed_bfloat16"
    assert again.generate({"image": pictures.images}, prompt) == answers


# The whole training, and the cache


@pytest.fixture
def quick(tmp_path, monkeypatch):
    """An empty cache and small pictures, so that the real training takes seconds."""
    monkeypatch.setenv("MMCOURSE_DATA", str(tmp_path / "cache"))
    monkeypatch.delenv("MMCOURSE_PROFILE", raising=False)
    calls = []
    build = naming.build

    def build_light(configuration, task):
        calls.append(configuration)
        model = build(configuration, task)
        model.run_eagerly, model.jit_compile = True, False
        return model

    monkeypatch.setattr(naming, "build", build_light)
    monkeypatch.setattr(naming.emoji, "load", lambda size: make_pictures(size))
    tiny = {name: replace(TINY, profile=name) for name in ("cpu", "gpu")}
    monkeypatch.setattr(naming, "CONFIGURATIONS", tiny)
    return calls


def test_trained_model_is_kept_with_its_history(quick, tmp_path):
    model = naming.load_trained("cpu")
    assert isinstance(model, naming.MultimodalGenerator)
    history = naming.load_history("cpu")
    assert [sorted(epoch) for epoch in history] == [["exact_en", "exact_zh", "loss"]] * TINY.epochs
    assert all(0.0 <= epoch[f"exact_{code}"] <= 1.0 for epoch in history for code in naming.LANGUAGES)
    assert len(quick) == 1  # trained once for both
    (folder,) = (path for path in (tmp_path / "cache" / "models").iterdir() if path.is_dir())
    assert folder.name.startswith("naming-cpu-")
    configuration = json.loads((folder / "configuration.json").read_text())
    assert configuration["width"] == TINY.width
    assert folder == naming.trained_folder(naming.CONFIGURATIONS["cpu"])
    assert len(model.generate({"image": make_pictures().images[:3]}, naming.PROMPTS["en"][0])) == 3


def quick_train(trained: list):
    """In the place of naming.train: notes what is trained, and trains nothing."""

    class Model:
        def save(self, path):
            Path(path).write_text("weights")

    def train(configuration, folder):
        trained.append(configuration)
        return Model(), [{"loss": 1.0}]

    return train


def test_profile_decides_which_model(quick, monkeypatch):
    trained: list[naming.Configuration] = []
    monkeypatch.setattr(naming, "train", quick_train(trained))
    monkeypatch.setattr(keras.saving, "load_model", lambda path: path)
    paths = [naming.load_trained("cpu"), naming.load_trained(), naming.load_trained("gpu")]
    monkeypatch.setenv("MMCOURSE_PROFILE", "gpu")
    paths.append(naming.load_trained())
    assert [path.parent.name.split("-")[1] for path in paths] == ["cpu", "cpu", "gpu", "gpu"]
    assert [configuration.profile for configuration in trained] == ["cpu", "gpu"]
    with pytest.raises(ValueError, match="unknown profile"):
        naming.load_trained("tpu")
    assert len(trained) == 2


def test_another_configuration_is_another_model(quick, monkeypatch):
    trained: list[naming.Configuration] = []
    monkeypatch.setattr(naming, "train", quick_train(trained))
    changed = [TINY, replace(TINY, seed=1), replace(TINY, channels=(8,)), replace(TINY, shift=0)]
    assert len({naming.trained_folder(configuration) for configuration in changed}) == 4
    assert {naming.trained_folder(configuration) for configuration in changed} and len(trained) == 4


def test_other_data_are_another_model(quick, monkeypatch):
    monkeypatch.setattr(naming, "train", quick_train([]))
    folder = naming.trained_folder(TINY)
    hashes = closure.sources()
    monkeypatch.setattr(closure, "sources", lambda: hashes | {"twemoji": "0" * 64})
    assert naming.trained_folder(TINY) != folder
    monkeypatch.setattr(closure, "sources", lambda: hashes | {"minilm": "0" * 64})
    assert naming.trained_folder(TINY) == folder, "data that it does not read"


def test_a_training_that_is_finished_builds_no_model(quick, tmp_path):
    naming.train(TINY, tmp_path / "work")
    assert len(quick) == 1
    naming.train(TINY, tmp_path / "work")
    assert len(quick) == 1


# Strangers' settings


def test_a_kept_model_is_loaded_in_a_fresh_process_by_one_line_more(quick, tmp_path):
    """keras.saving.load_model finds the model's classes once the task's module is imported."""
    naming.load_trained("cpu")
    path = naming.trained_folder(TINY) / "model.keras"
    script = f"""
import keras, mmcourse.generator.naming
print(type(keras.saving.load_model({str(path)!r})).__name__)
"""
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert found.stdout.strip() == "MultimodalGenerator", found.stderr


def test_a_readers_own_keras_settings_change_no_answer(quick, tmp_path):
    """``channels_first`` in ~/.keras/keras.json: each convolution says how its pictures are laid out."""
    model = naming.load_trained("cpu")
    images, prompt = make_pictures().images, naming.PROMPTS["en"][0]
    expected = model.generate({"image": images}, prompt)
    np.save(tmp_path / "images.npy", images)
    (tmp_path / "keras.json").write_text('{"image_data_format": "channels_first", "floatx": "float32"}')
    path = naming.trained_folder(TINY) / "model.keras"
    script = f"""
import keras, mmcourse.generator.naming, numpy as np
assert keras.config.image_data_format() == "channels_first"
model = keras.saving.load_model({str(path)!r})
print(model.generate({{"image": np.load({str(tmp_path / "images.npy")!r})}}, {prompt!r}))
"""
    environment = os.environ | {"KERAS_HOME": str(tmp_path)}
    found = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=120
    )
    assert found.stdout.strip() == str(expected), found.stderr
