"""Captions of a reader's own pictures: what is learned, from which folders, and what it is compared with."""

import csv
import json
from dataclasses import replace

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mmcourse.data import own, scenes
from mmcourse.data.things import THINGS
from mmcourse.generator import captions

pytestmark = pytest.mark.usefixtures("float32")
SMALL = captions.Configuration(
    size=32, width=16, heads=2, depth=1, hidden=16, dropout=0.0, epochs=2, passes=6, batch_size=12
)
COLOURS = {"red": (220, 20, 20), "green": (20, 180, 20), "blue": (20, 20, 220)}


def picture(path, colour, shade):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((20, 24, 3), colour, np.uint8)
    pixels[:5] = shade
    Image.fromarray(pixels).save(path)


@pytest.fixture(scope="module")
def flickr(tmp_path_factory):
    """A miniature in the layout of Flickr8k: plain colours, five captions each."""
    folder = tmp_path_factory.mktemp("flickr")
    lines, names = [], []
    for number in range(18):
        colour = list(COLOURS)[number % 3]
        name = f"{number}.jpg"
        names.append(name)
        picture(folder / "Flicker8k_Dataset" / name, COLOURS[colour], 10 * number)
        lines += [f"{name}#{place}\tA {colour} sheet , number {place} ." for place in range(5)]
    lines[-1] = f"{names[-1]}#4\tA zebra ."  # of the test part
    (folder / "Flickr8k.token.txt").write_text("\n".join(lines))
    for part, rows in {"train": names[:12], "dev": names[12:15], "test": names[15:]}.items():
        (folder / f"Flickr_8k.{part}Images.txt").write_text("\n".join(rows))
    return own.flickr8k(folder)


def eye():
    """A network of the form that features() takes: 2 x 2 places, their mean colours."""
    inputs = keras.Input((32, 32, 3))
    tokens = keras.layers.Reshape((4, 3))(keras.layers.AveragePooling2D(16)(inputs))
    return keras.Model(inputs, [tokens, keras.layers.GlobalAveragePooling1D()(tokens)])


def test_a_folder_in_the_form_of_flickr8k_is_learned(flickr, tmp_path):
    found = captions.features(flickr, 32, eye())
    assert found.shape == (18, 4, 3) and found.dtype == np.float16
    model, history = captions.train(SMALL, flickr, tmp_path, found)
    assert len(history) == 2 and set(history[0]) == {"loss", "validation", "validation_cider"}
    assert history[1]["loss"] < history[0]["loss"]
    assert "zebra" not in model.vocabulary.ids, "a word of the test part alone"
    written = captions.describe(model, found[flickr.split("test")])
    assert len(written) == 3 and all("<unknown>" not in text for text in written)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    inputs, _ = captions.Task.of(flickr, found, SMALL).inputs("train", np.arange(3))
    np.testing.assert_array_equal(again(inputs), model(inputs))


def test_a_folder_in_the_form_of_coco_makes_a_task(tmp_path):
    for part, count in {"train": 6, "val": 2}.items():
        images = [{"id": number, "file_name": f"{number:012}.jpg"} for number in range(count)]
        for image in images:
            shade = image["id"] + (part == "val") * 100
            picture(tmp_path / f"{part}2017" / image["file_name"], (50, 60, 70), shade)
        texts = [
            {"id": number, "image_id": number // 2, "caption": f"A grey sheet, {number}."}
            for number in range(2 * count)
        ]
        table = tmp_path / "annotations" / f"captions_{part}2017.json"
        table.parent.mkdir(exist_ok=True)
        table.write_text(json.dumps({"images": images, "annotations": texts}))
    data = own.coco(tmp_path, held_out=0.2)
    task = captions.Task.of(data, captions.features(data, 32, eye()), SMALL)
    inputs, answers = task.inputs("train", np.array([0, 3]))
    assert inputs["image"].shape == (2, 4, 3) and inputs["image"].dtype == np.float32
    told = task.vocabulary.decode(answers)
    assert told == [captions.clean(data.pairs("train")[1][row]) for row in (0, 3)]


def test_rare_words_and_long_captions(flickr):
    found = np.zeros((18, 4, 3), np.float16)
    task = captions.Task.of(flickr, found, replace(SMALL, least=12, longest=2))
    assert "number" in task.vocabulary.ids and "0" in task.vocabulary.ids
    assert task.answers["train"].shape[1] == 3
    task = captions.Task.of(flickr, found, replace(SMALL, least=13))
    assert "number" in task.vocabulary.ids and "0" not in task.vocabulary.ids
    with pytest.raises(ValueError, match="expected features of 18 pictures, got 17"):
        captions.Task.of(flickr, found[:17], SMALL)


def test_cleaning():
    assert captions.clean("A dog's-eye view , really !") == "a dog's-eye view really"
    assert captions.clean("一只猫，在桌上。") == "一只猫 在桌上"


@given(
    st.lists(st.integers(0, len(THINGS) - 1), min_size=2, max_size=2, unique=True),
    st.permutations(range(scenes.PLACES)),
)
def test_the_two_captions_tell_of_one_scene(things, places):
    scene = scenes.place(things, list(places[:2]), np.random.default_rng(0))
    first, second = captions.scene_captions(scene)
    opposite = {"above": "below", "below": "above", "left of": "right of", "right of": "left of"}
    one, two = (THINGS[thing].article for thing in things)
    relation = next(word for word in opposite if first.startswith(f"{one} {word} {two} on"))
    assert second.startswith(f"{two} is {opposite[relation]} {one},")
    swapped = scenes.place(things, list(places[1::-1]), np.random.default_rng(0))
    assert captions.scene_captions(swapped)[0].startswith(f"{one} {opposite[relation]} {two}")


def test_the_miniature_is_a_folder_as_a_reader_would_make_it(tmp_path):
    first, second = (captions.miniature(tmp_path / name, 20) for name in "ab")
    assert (first / "captions.csv").read_bytes() == (second / "captions.csv").read_bytes()
    data = own.read(first)
    assert [len(data.split(name)) for name in own.SPLITS] == [13, 2, 5]
    assert all(len(texts) == 2 for texts in data.captions)
    with open(first / "captions.csv", encoding="utf-8") as file:
        assert next(csv.reader(file)) == ["picture", "caption", "split"]
    with pytest.raises(ValueError, match="count"):
        captions.miniature(tmp_path / "c", 19)


def test_features_are_kept_wherever_the_folder_lies(tmp_path, monkeypatch):
    monkeypatch.setenv("MMCOURSE_DATA", str(tmp_path / "cache"))
    monkeypatch.setattr(captions.efficientnet, "load", lambda size: None)
    monkeypatch.setattr(captions.efficientnet, "extractor", lambda network: eye())
    data = own.read(captions.miniature(tmp_path / "here", 20))
    found = captions.features(data, 32)
    monkeypatch.setattr(captions.efficientnet, "load", lambda size: pytest.fail("computed again"))
    (tmp_path / "here").rename(tmp_path / "there")
    np.testing.assert_array_equal(captions.features(own.read(tmp_path / "there"), 32), found)


def test_the_nearest_picture_lends_its_caption(flickr):
    found = np.random.default_rng(0).normal(size=(18, 4, 3)).astype(np.float16)
    test, train = flickr.split("test"), flickr.split("train")
    found[test] = found[train[[4, 0, 7]]]
    expected = [captions.clean(flickr.captions[picture][0]) for picture in train[[4, 0, 7]]]
    assert captions.nearest_captions(flickr, found, test) == expected
    assert captions.commonest_caption(flickr) == "a blue sheet number 0"


def test_scores_and_their_intervals():
    true = [["a cat above a dog"], ["a tree on pink"], ["two red cars"], ["a bus left of a pig"]]
    perfect = captions.scores([texts[0] for texts in true], true, repeats=50)
    assert list(perfect) == ["CIDEr", "BLEU", "chrF"]
    assert perfect["BLEU"] == pytest.approx((100, 100, 100))
    assert perfect["chrF"][0] == pytest.approx(100)
    written = ["a cat above a dog", "a tree on blue", "cars", "a pig left of a bus"]
    for name, (value, low, high) in captions.scores(written, true, repeats=200).items():
        assert low < value < high < perfect[name][0] + 1e-9
    with pytest.raises(ValueError, match="got 1 for 4"):
        captions.scores(["a"], true)


def test_a_folder_is_told_by_its_files(tmp_path, flickr, monkeypatch):
    assert captions.read_folder(flickr.paths[0].parents[1]).paths == flickr.paths
    assert captions.read_folder(captions.miniature(tmp_path / "own", 20)).tier == "own"
    (tmp_path / "coco" / "annotations").mkdir(parents=True)
    with pytest.raises(own.CaptionsError, match="captions_train2017"):
        captions.read_folder(tmp_path / "coco")
    with pytest.raises(FileNotFoundError, match="holds neither"):
        captions.read_folder(tmp_path)
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        captions.read_folder(tmp_path / "nothing")


def test_what_the_command_does(flickr, tmp_path, monkeypatch):
    class Writer:
        """Tells the corner of a picture and nothing else."""

        def generate(self, inputs, prompt):
            assert prompt == captions.PROMPT and inputs["image"].dtype == np.float32
            names = list(COLOURS)
            return [f"a {names[int(picture[-1].argmax())]} sheet number 1" for picture in inputs["image"]]

    monkeypatch.setenv("MMCOURSE_DATA", str(tmp_path))
    monkeypatch.setattr(captions, "load_trained", lambda data, configuration: Writer())
    monkeypatch.setattr(captions, "CONFIGURATIONS", {"cpu": SMALL})
    monkeypatch.setattr(captions.efficientnet, "load", lambda size: None)
    monkeypatch.setattr(captions.efficientnet, "extractor", lambda network: eye())
    found = captions.evaluate(flickr, "cpu")
    assert list(found) == ["model", "nearest picture", "commonest caption"]
    assert found["model"]["chrF"][0] > found["commonest caption"]["chrF"][0]
    assert captions.describe_file(flickr, flickr.paths[1], "cpu") == "a green sheet number 1"
