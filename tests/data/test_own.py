"""Folders of pictures with captions: what is right is read, what is wrong is said, with its place."""

import json
import os
import unicodedata

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from mmcourse.data import own
from mmcourse.data.own import CaptionsError


def draw(path, number):
    """A small picture that differs from all others."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(number).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


# Your own pictures

NAMES = ("cat.png", "dog.png", "birds/gull.png", "birds/crow.png", "猫.png")


def make_own(folder, table=None, names=NAMES, encoding="utf-8", **options):
    for number, name in enumerate(names):
        draw(folder / name, number)
    if table is None:
        table = "picture,caption\n" + "".join(f"{name},a picture of {name}\n" for name in names)
    content = table if isinstance(table, bytes) else table.encode(encoding)
    (folder / "captions.csv").write_bytes(content)
    return folder


def problems_of(folder, load=own.read, **options):
    with pytest.raises(CaptionsError) as raised:
        load(folder, **options)
    return raised.value.problems


def test_own_folder(tmp_path):
    data = own.read(make_own(tmp_path))
    assert data.tier == "own" and data.datasheet == "book/datasheets/own-data"
    assert [path.name for path in data.paths] == [name.rsplit("/")[-1] for name in NAMES]
    assert data.captions[4] == ("a picture of 猫.png",)
    assert {name: len(rows) for name, rows in data.splits.items()} == {"train": 3, "validation": 1, "test": 1}
    pixels = data.pictures([2, 0], 16)
    assert pixels.shape == (2, 16, 16, 3) and pixels.dtype == np.uint8
    assert data.pictures([], 16).shape == (0, 16, 16, 3)


TABLES = {
    "byte order mark": b"\xef\xbb\xbf"
    + b"picture,caption\ncat.png,a cat\ndog.png,a dog\nbirds/gull.png,a gull\n",
    "lines of Windows": b"picture,caption\r\ncat.png,a cat\r\ndog.png,a dog\r\nbirds/gull.png,a gull\r\n",
    "no last line end": b"picture,caption\ncat.png,a cat\ndog.png,a dog\nbirds/gull.png,a gull",
    "other order and case": b"Caption,PICTURE\na cat,cat.png\na dog,dog.png\na gull,birds/gull.png\n",
    "more columns": b"id,picture,caption\n1,cat.png,a cat\n2,dog.png,a dog\n3,birds/gull.png,a gull\n",
    "empty lines": b"\npicture,caption\n\ncat.png,a cat\n\n\ndog.png,a dog\nbirds/gull.png,a gull\n\n",
    "spaces": b"picture , caption\n cat.png , a cat \ndog.png,a dog\nbirds/gull.png,a gull\n",
    "quotation marks": b'picture,caption\n"cat.png","a cat"\ndog.png,"a dog"\nbirds/gull.png,a gull\n',
}


@pytest.mark.parametrize("name", TABLES)
def test_forms_of_a_table_that_are_right(tmp_path, name):
    data = own.read(make_own(tmp_path, TABLES[name]))
    assert data.captions == (("a cat",), ("a dog",), ("a gull",))


def test_caption_with_a_comma_a_quotation_mark_and_a_line_end(tmp_path):
    table = (
        'picture,caption\ncat.png,"a ""cat"", \nasleep"\ndog.png,a dog\ncat.png,two\nbirds/gull.png,a gull\n'
    )
    data = own.read(make_own(tmp_path, table))
    assert data.captions[0] == ('a "cat", \nasleep', "two")


def test_splits_that_are_given(tmp_path):
    rows = zip(NAMES, ("train", "Test", "train", "validation", "train"), strict=True)
    table = "picture,caption,split\n" + "".join(f"{name},text,{split}\n" for name, split in rows)
    data = own.read(make_own(tmp_path, table))
    assert {name: rows.tolist() for name, rows in data.splits.items()} == {
        "train": [0, 2, 4],
        "validation": [3],
        "test": [1],
    }


def test_all_captions_of_a_picture_are_in_one_split(tmp_path):
    names = [f"{number}.png" for number in range(20)]
    table = "picture,caption\n" + "".join(f"{names[i % 20]},text {i}\n" for i in range(60))
    data = own.read(make_own(tmp_path, table, names))
    assert sorted(np.concatenate(list(data.splits.values())).tolist()) == list(range(20))
    for split, rows in data.splits.items():
        indices, texts = data.pairs(split)
        assert len(texts) == 3 * len(rows) and set(indices) == set(rows)
        assert all(int(text.split()[1]) % 20 == i for i, text in zip(indices, texts, strict=True))
    assert len(data.splits["validation"]) == len(data.splits["test"]) == 2
    again = own.read(tmp_path)
    other = own.read(tmp_path, seed=1)
    for split in data.splits:
        np.testing.assert_array_equal(data.splits[split], again.splits[split])
    assert any(list(data.splits[s]) != list(other.splits[s]) for s in data.splits)


def test_unknown_split(tmp_path):
    with pytest.raises(ValueError, match="unknown split 'dev'; expected one of: train, validation, test"):
        own.read(make_own(tmp_path)).pairs("dev")


@pytest.mark.parametrize("size", [0, -1])
def test_size_of_pictures(tmp_path, size):
    with pytest.raises(ValueError, match="size must be at least 1"):
        own.read(make_own(tmp_path)).pictures([0], size)


def test_picture_that_is_damaged_later(tmp_path):
    data = own.read(make_own(tmp_path))
    (tmp_path / "cat.png").write_bytes(b"no picture")
    (tmp_path / "dog.png").unlink()
    with pytest.raises(CaptionsError) as raised:
        data.pictures([0, 1, 2], 8)
    assert len(raised.value.problems) == 2 and "cat.png" in raised.value.problems[0]


LINES = "cat.png,a cat\ndog.png,a dog\nbirds/gull.png,a gull\n"
HEAD = "picture,caption\n"
# Fault -> (table, what the message must say).
FAULTS = {
    "missing picture": (f"{HEAD}{LINES}horse.png,a horse\n", "line 5: 'horse.png' does not exist"),
    "capitals": (f"{HEAD}{LINES}Cat.PNG,a cat\n", "line 5: 'Cat.PNG' does not exist; capitals count"),
    "backslash": (f"{HEAD}{LINES}birds\\crow.png,a crow\n", "write / between folder and name"),
    "empty caption": (f"{HEAD}{LINES}猫.png,\n", "line 5: the caption of '猫.png' is empty"),
    "caption of spaces": (f"{HEAD}cat.png,   \n{LINES}", "line 2: the caption of 'cat.png' is empty"),
    "no picture named": (f"{HEAD}{LINES},a caption\n", "line 5: no picture is named"),
    "line twice": (f"{HEAD}{LINES}cat.png,a cat\n", "line 5: the same picture and caption stand in line 2"),
    "comma without quotation marks": (f"{HEAD}{LINES}猫.png,a cat, asleep\n", "line 5: 3 cells"),
    "one cell": (f"{HEAD}{LINES}猫.png\n", "line 5: 1 cells, but the first line names 2"),
    "out of the folder": (f"{HEAD}{LINES}../secret.png,a secret\n", "line 5: '../secret.png' leads out of"),
    "out and in": (f"{HEAD}{LINES}birds/../../x.png,a secret\n", "leads out of"),
    "absolute": (f"{HEAD}{LINES}/etc/hostname,a secret\n", "is an absolute path"),
    "drive of Windows": (f"{HEAD}{LINES}C:\\cat.png,a cat\n", "is an absolute path"),
    "a folder": (f"{HEAD}{LINES}birds,birds\n", "line 5: 'birds' is a folder"),
    "the folder itself": (f"{HEAD}{LINES}.,all\n", "leads out of"),
    "the table as a picture": (f"{HEAD}{LINES}captions.csv,text\n", "line 5: 'captions.csv' cannot be used"),
    "no head": (LINES, "are 'cat.png', 'a cat'; there is none for the picture"),
    "misspelt column": ("picture,captoin\n" + LINES, "there is none for the caption. Rename it"),
    "column twice": ("picture,caption,caption\ncat.png,a,b\n", "the column 'caption' stands twice"),
    "empty table": ("", "the table is empty; its first line must be: picture,caption"),
    "only the head": (HEAD, "there is no line below the names of the columns"),
    "open quotation mark": (f'{HEAD}{LINES}猫.png,"a cat\n', "line 5: unexpected end of data; look for"),
    "letter after a quotation mark": (f'{HEAD}{LINES}猫.png,"a" cat\n', "line 5: "),
    "too few pictures": (f"{HEAD}cat.png,a cat\ndog.png,a dog\n", "2 pictures cannot fill three splits"),
    "zero byte": (f"{HEAD}cat.png,a\0cat\n", "line 2: holds a zero byte"),
    "unknown split": (
        "picture,caption,split\ncat.png,a cat,dev\n",
        "line 2: the split is 'dev'; expected one",
    ),
    "no split": ("picture,caption,split\ncat.png,a cat,\n", "line 2: the split is ''; expected one of"),
    "empty split": (
        "picture,caption,split\ncat.png,a,train\ndog.png,b,train\nbirds/gull.png,c,test\n",
        "the split 'validation' holds no picture",
    ),
    "two splits": (
        "picture,caption,split\ncat.png,a,train\ndog.png,b,validation\n猫.png,c,test\ncat.png,d,test\n",
        "line 5: 'cat.png' is in the split 'test' here and in 'train' in line 2",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_of_a_table_are_said_with_their_line(tmp_path, fault):
    table, message = FAULTS[fault]
    folder = tmp_path / "pictures"
    folder.mkdir()
    problems = problems_of(make_own(folder, table))
    assert len(problems) == 1 and message in problems[0], problems
    assert "captions.csv" in problems[0], "the file is named"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            (HEAD + LINES).encode("utf-16"),
            "is written in UTF-16; give encoding='utf-16', or save it as UTF-8",
        ),
        (HEAD.encode() + "cat.png,a café\n".encode("latin-1"), "line 2: is not UTF-8 (byte 0xe9)"),
        (HEAD.encode() + b"cat.png,a cat\n" + "狗.png,狗\n".encode("gbk"), "line 3: is not UTF-8"),
    ],
)
def test_other_encodings(tmp_path, content, message):
    problems = problems_of(make_own(tmp_path, content))
    assert len(problems) == 1 and message in problems[0]


def test_missing_table_and_folder(tmp_path):
    assert "captions.csv: there is no such file" in problems_of(tmp_path)[0]
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        own.read(tmp_path / "nowhere")
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match="is a file; give the folder"):
        own.read(tmp_path / "file")
    (tmp_path / "captions.csv").mkdir()
    assert "cannot be read" in problems_of(tmp_path)[0]


def test_unreadable_pictures(tmp_path):
    make_own(tmp_path)
    (tmp_path / "cat.png").write_bytes(b"not a picture at all")
    content = (tmp_path / "dog.png").read_bytes()
    (tmp_path / "dog.png").write_bytes(content[: len(content) // 2])
    (tmp_path / "猫.png").write_bytes(b"")
    problems = problems_of(tmp_path)
    assert [problem.split(": ")[0].rsplit(" ", 1)[-1] for problem in problems] == ["2", "3", "6"]
    assert all("cannot be used" in problem for problem in problems)


def test_two_names_of_one_picture(tmp_path):
    make_own(tmp_path)
    (tmp_path / "dog.png").write_bytes((tmp_path / "cat.png").read_bytes())
    (problem,) = problems_of(tmp_path)
    assert "line 3: 'dog.png' is the same file, byte for byte, as 'cat.png' in line 2" in problem


def test_a_link_out_of_the_folder(tmp_path):
    draw(tmp_path / "secret.png", 9)
    folder = make_own(tmp_path / "pictures", names=("a.png", "b.png", "c.png"))
    (folder / "c.png").unlink()
    try:
        os.symlink(tmp_path / "secret.png", folder / "c.png")
    except OSError:
        pytest.skip("this system makes no links")
    assert "leads out of" in problems_of(folder)[0]


def test_a_huge_table_is_not_read(tmp_path, monkeypatch):
    make_own(tmp_path)
    monkeypatch.setattr(own, "MOST_TABLE_BYTES", 50)
    assert "expected at most 50" in problems_of(tmp_path)[0]
    monkeypatch.undo()
    monkeypatch.setattr(own, "MOST_PICTURE_BYTES", 50)
    assert len(problems_of(tmp_path)) == len(NAMES)


def test_one_endless_caption(tmp_path):
    problems = problems_of(make_own(tmp_path, HEAD + "cat.png," + "a" * 200_000 + "\n"))
    assert "line 2: field larger than field limit" in problems[0]


def test_all_problems_are_reported_at_once_and_the_message_stays_short(tmp_path):
    table = HEAD + "".join(f"{number}.png,text\n" for number in range(30))
    with pytest.raises(CaptionsError) as raised:
        own.read(make_own(tmp_path, table))
    assert len(raised.value.problems) == 30
    message = str(raised.value)
    assert message.startswith("30 problems:\n") and message.count("\n") == 11
    assert "… and 20 more" in message


@given(
    st.binary(max_size=300) | st.text(max_size=300).map(lambda text: (HEAD + text).encode("utf-8", "replace"))
)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_table_whatever_ends_in_another_error(tmp_path, content):
    (tmp_path / "captions.csv").write_bytes(content)
    with pytest.raises(CaptionsError) as raised:
        own.read(tmp_path)
    assert all("captions.csv" in problem for problem in raised.value.problems)


# Flickr8k

PARTS = {"train": ("a.jpg", "b.jpg"), "dev": ("c.jpg",), "test": ("d.jpg",)}


def make_flickr(folder, form="token", tokens=None, parts=PARTS, pictures="Flicker8k_Dataset"):
    names = [name for part in PARTS.values() for name in part]
    for number, name in enumerate(names):
        draw(folder / pictures / name, number)
    if form == "token":
        if tokens is None:
            tokens = "".join(f"{name}#{i}\tcaption {i} of {name} .\n" for name in names for i in range(5))
            tokens += "e.jpg.1#0\tof no picture\n"  # as in the published file
        (folder / "Flickr8k.token.txt").write_text(tokens, encoding="utf-8")
    else:
        rows = "".join(
            f'{name},"caption {i} of {name} , with a comma ."\n' for name in names for i in range(5)
        )
        (folder / "captions.txt").write_text(tokens or "image,caption\n" + rows, encoding="utf-8")
    for part, chosen in parts.items():
        (folder / f"Flickr_8k.{part}Images.txt").write_text("\n".join(chosen) + "\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize("form", ["token", "csv"])
@pytest.mark.parametrize("pictures", ["Flicker8k_Dataset", "Images", "."])
def test_flickr8k(tmp_path, form, pictures):
    data = own.flickr8k(make_flickr(tmp_path, form, pictures=pictures))
    assert data.tier == "full" and data.datasheet == "book/datasheets/full-data"
    assert {name: rows.tolist() for name, rows in data.splits.items()} == {
        "train": [0, 1],
        "validation": [2],
        "test": [3],
    }
    assert all(len(texts) == 5 for texts in data.captions)
    assert data.captions[0][1].startswith("caption 1 of a.jpg")
    assert data.pictures([0, 3], 8).shape == (2, 8, 8, 3)


def test_flickr8k_without_published_splits(tmp_path):
    make_flickr(tmp_path, "csv", parts={})
    problems = problems_of(tmp_path, own.flickr8k)
    assert len(problems) == 3 and all("or give a seed" in problem for problem in problems)
    data = own.flickr8k(tmp_path, seed=0)
    assert [len(rows) for rows in data.splits.values()] == [2, 1, 1]
    assert own.flickr8k(tmp_path, seed=0).splits["test"] == data.splits["test"]


RIGHT = "".join(f"{name}#0\ttext\n" for name in ("a.jpg", "b.jpg", "c.jpg", "d.jpg"))


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (RIGHT + "a.jpg#0\tagain\n", "line 5: the id 'a.jpg#0' stands in line 1 already"),
        (RIGHT + "a.jpg#1\t \n", "line 5: the caption of 'a.jpg#1' is empty"),
        (RIGHT + "a.jpg\ttext\n", "line 5: expected 'PICTURE#NUMBER', a tab and a caption"),
        (RIGHT + "a.jpg#1 text\n", "line 5: expected 'PICTURE#NUMBER'"),
        (RIGHT + "a.jpg#x\ttext\n", "line 5: expected 'PICTURE#NUMBER'"),
        (RIGHT + "../a.jpg#0\ttext\n", "'../a.jpg' is no plain file name"),
        ("\n", "holds no caption"),
        (RIGHT.replace("d.jpg", "e.jpg"), "testImages.txt, line 1: there is no caption for 'd.jpg'"),
    ],
)
def test_faults_of_flickr8k(tmp_path, tokens, message):
    problems = problems_of(make_flickr(tmp_path, tokens=tokens), own.flickr8k)
    assert len(problems) == 1 and message in problems[0], problems


def test_more_faults_of_flickr8k(tmp_path):
    assert "neither Flickr8k.token.txt nor captions.txt" in problems_of(tmp_path, own.flickr8k)[0]
    make_flickr(tmp_path, parts={**PARTS, "dev": ("a.jpg",), "test": ()})
    (tmp_path / "Flicker8k_Dataset" / "b.jpg").unlink()
    problems = problems_of(tmp_path, own.flickr8k)
    assert any("devImages.txt, line 1: 'a.jpg' stands in Flickr_8k.trainImages.txt" in p for p in problems)
    assert any("testImages.txt: the split 'test' holds no picture" in p for p in problems)
    assert any("b.jpg: the picture is missing" in p for p in problems)
    (tmp_path / "Flickr8k.token.txt").unlink()
    (tmp_path / "captions.txt").write_text("picture,text\na.jpg,b\n")
    assert "expected the columns image,caption" in problems_of(tmp_path, own.flickr8k)[0]


# COCO


def make_coco(folder, year=2017, **changed):
    for part, count in (("train", 10), ("val", 3)):
        content = {
            "images": [{"id": 100 + i, "file_name": f"{i:012}.jpg"} for i in range(count)],
            "annotations": [
                {"id": i, "image_id": 100 + i % count, "caption": f"caption {i}\n"} for i in range(5 * count)
            ],
            **(changed if part == "train" else {}),
        }
        for i in range(count):
            draw(folder / f"{part}{year}" / f"{i:012}.jpg", i)
        (folder / "annotations").mkdir(exist_ok=True)
        (folder / "annotations" / f"captions_{part}{year}.json").write_text(json.dumps(content))
    return folder


@pytest.mark.parametrize("year", [2014, 2017])
def test_coco(tmp_path, year):
    data = own.coco(make_coco(tmp_path, year), year, held_out=0.2)
    assert {name: len(rows) for name, rows in data.splits.items()} == {"train": 8, "validation": 2, "test": 3}
    assert data.captions[0] == tuple(f"caption {i}" for i in (0, 10, 20, 30, 40))
    assert {data.paths[i].parent.name for i in data.splits["test"]} == {f"val{year}"}
    assert data.pictures(data.splits["test"], 8).shape == (3, 8, 8, 3)


IMAGES = [{"id": i, "file_name": f"{i:012}.jpg"} for i in range(2)]
TEXTS = [{"id": i, "image_id": i, "caption": "text"} for i in range(2)]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"images": IMAGES + IMAGES[:1], "annotations": TEXTS}, "images[2]: the id 0 stands twice"),
        ({"images": [*IMAGES, {"id": 7}], "annotations": TEXTS}, "images[2]: expected an 'id' (number) and"),
        ({"images": [*IMAGES, "x"], "annotations": TEXTS}, "images[2]: expected"),
        (
            {"images": [*IMAGES, {"id": 7, "file_name": "../x.jpg"}], "annotations": TEXTS},
            "images[2]: the file name '../x.jpg' is no plain name",
        ),
        (
            {"images": IMAGES, "annotations": [*TEXTS, {"id": 1, "image_id": 1, "caption": "b"}]},
            "annotations[2] (id 1): this id stands twice",
        ),
        (
            {"images": IMAGES, "annotations": [*TEXTS, {"id": 9, "image_id": 1, "caption": " "}]},
            "annotations[2] (id 9): the caption is empty",
        ),
        (
            {"images": IMAGES, "annotations": [*TEXTS, {"id": 9, "image_id": 5, "caption": "b"}]},
            "annotations[2] (id 9): there is no image with the id 5",
        ),
        (
            {"images": IMAGES, "annotations": [*TEXTS, {"id": "9", "image_id": 1, "caption": "b"}]},
            "annotations[2]: expected an 'id' and an 'image_id'",
        ),
        ({"images": IMAGES, "annotations": TEXTS[:1]}, "the picture '000000000001.jpg' has no caption"),
        ({"images": {}, "annotations": []}, "expected an object with the lists"),
        ({"images": None}, "expected an object with the lists 'images' and 'annotations'"),
        (
            {
                "images": [*IMAGES, {"id": 7, "file_name": "x.jpg"}],
                "annotations": [*TEXTS, {"id": 7, "image_id": 7, "caption": "b"}],
            },
            "x.jpg: the picture is missing",
        ),
    ],
)
def test_faults_of_coco(tmp_path, changed, message):
    problems = problems_of(make_coco(tmp_path, **changed), own.coco)
    assert len(problems) == 1 and message in problems[0], problems


@pytest.mark.parametrize("content", ["", "{", "[" * 100_000, "[]", "3", '"text"', '{"images": []}'])
def test_coco_of_another_form(tmp_path, content):
    make_coco(tmp_path)
    (tmp_path / "annotations" / "captions_val2017.json").write_text(content)
    (problem,) = problems_of(tmp_path, own.coco)
    assert "captions_val2017.json" in problem


def test_missing_parts_of_coco(tmp_path):
    assert len(problems_of(tmp_path, own.coco)) == 2
    with pytest.raises(ValueError, match="held_out must be between 0 and 1"):
        own.coco(make_coco(tmp_path), held_out=1)


def test_statistics_are_the_bounds():
    figures = own.statistics()
    assert figures["pictures, at least"] == 3
    assert sum(value for name, value in figures.items() if name.startswith("share")) == pytest.approx(1)


# What strangers bring


def test_a_table_in_gbk_is_refused_or_read_as_what_it_is_said_to_be(tmp_path):
    """Its bytes are UTF-8 by chance: read in silence, the captions would be letters of several scripts."""
    table = "".join(["picture,caption\n", *(f"{name},一只猫 number {i}\n" for i, name in enumerate(NAMES))])
    folder = make_own(tmp_path)
    (folder / "captions.csv").write_bytes(table.encode("gbk"))
    (problem,) = problems_of(tmp_path)
    assert "line 2" in problem and "一只猫" in problem and "encoding='gbk'" in problem
    assert own.read(folder, encoding="gbk").captions[0] == ("一只猫 number 0",)
    (folder / "captions.csv").write_bytes(table.encode("utf-8"))
    assert own.read(folder).captions[0] == ("一只猫 number 0",)
    with pytest.raises(LookupError):
        own.read(folder, encoding="no-such-encoding")


@pytest.mark.parametrize("caption", ["ein Kätzchen", "кошка на окне", "חתול", "猫と犬", "γάτα", "naïve café"])
def test_captions_in_any_one_script_are_no_gbk(tmp_path, caption):
    table = "".join(["picture,caption\n", *(f"{name},{caption} {i}\n" for i, name in enumerate(NAMES))])
    assert own.read(make_own(tmp_path, table)).captions[0] == (f"{caption} 0",)


@pytest.mark.parametrize("separator", [";", "\t", ","])
@pytest.mark.parametrize("said", [False, True], ids=["by the first line", "by sep="])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_semicolons_and_tabs_are_accepted(tmp_path, separator, said, end):
    lines = [f"sep={separator}"] * said + [f"picture{separator}caption"]
    lines += [f"{name}{separator}a cat, a dog and number {i}" for i, name in enumerate(NAMES)]
    if separator == ",":
        lines[-len(NAMES) :] = [f'{name},"a cat, a dog and number {i}"' for i, name in enumerate(NAMES)]
    data = own.read(make_own(tmp_path, end.join(lines) + end))
    assert data.captions[1] == ("a cat, a dog and number 1",)


@pytest.mark.parametrize(
    "head", ["file_name,text", "image,caption", "Filename,Description", "path,sentence", "id,image,title"]
)
def test_columns_as_other_tools_name_them(tmp_path, head):
    extra = "7," if head.startswith("id") else ""
    table = "".join([f"{head}\n", *(f"{extra}{name},number {i}\n" for i, name in enumerate(NAMES))])
    assert own.read(make_own(tmp_path, table)).captions[1] == ("number 1",)


@pytest.mark.parametrize(
    ("head", "word"),
    [("photo,caption", "picture"), ("picture,label", "caption"), ("image,file,text", "picture")],
)
def test_columns_that_are_not_clear_are_refused_and_the_known_names_told(tmp_path, head, word):
    cells = ",".join(["x"] * head.count(","))
    table = "".join([f"{head}\n", *(f"{name},{cells}\n" for name in NAMES)])
    (problem,) = problems_of(make_own(tmp_path, table))
    assert f"there is none for the {word}" in problem and "file_name" in problem and "text" in problem


@pytest.mark.parametrize("form", ["NFD", "NFC"])
def test_a_file_name_in_another_unicode_form_is_found(tmp_path, form):
    """macOS writes é as e and an accent; a table made elsewhere writes one letter."""
    folder = make_own(tmp_path)
    other = {"NFD": "NFC", "NFC": "NFD"}[form]
    (folder / "é").mkdir()
    (folder / NAMES[0]).rename(folder / "é" / unicodedata.normalize(form, "café.png"))
    (folder / "é").rename(folder / unicodedata.normalize(form, "é"))
    named = unicodedata.normalize(other, "é/café.png")
    table = "".join(["picture,caption\n", f"{named},one\n", *(f"{name},{name}\n" for name in NAMES[1:])])
    (folder / "captions.csv").write_text(table, encoding="utf-8")
    assert own.read(folder).captions[0] == ("one",)


def test_the_row_of_flickr8k_that_no_archive_holds_is_left_out_and_said(tmp_path, capsys):
    ghost = own.KNOWN_GHOSTS[0]
    folder = make_flickr(tmp_path)
    with (folder / "Flickr8k.token.txt").open("a", encoding="utf-8") as file:
        file.write(f"{ghost}#0\tpeople sit on benches\n")
    data = own.flickr8k(folder)
    assert ghost not in {path.name for path in data.paths}
    assert f"{ghost} is left out" in capsys.readouterr().err
