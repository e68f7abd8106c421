"""The loaders of MNIST and IMDB, on miniatures in the layout of keras.datasets."""

import json
import os
import pickle
import zipfile

import numpy as np
import pytest

from mmcourse.data import digits, full

RANDOM = np.random.default_rng(0)


def write_mnist(folder, **changed):
    arrays = {
        "x_train": RANDOM.integers(0, 256, (40, 28, 28), dtype=np.uint8),
        "y_train": np.arange(40, dtype=np.uint8) % 10,
        "x_test": RANDOM.integers(0, 256, (10, 28, 28), dtype=np.uint8),
        "y_test": np.arange(10, dtype=np.uint8),
        **changed,
    }
    np.savez(folder / "mnist.npz", **arrays)
    return arrays


WORDS = {"the": 1, "film": 2, "is": 3, "good": 4, "bad": 5}


def lists(*texts):
    array = np.empty(len(texts), dtype=object)
    array[:] = [list(text) for text in texts]
    return array


def write_imdb(folder, index=WORDS, **changed):
    arrays = {
        "x_train": lists(*[[1, 2, 3, 4], [1, 2, 3, 5]] * 10),
        "y_train": np.array([1, 0] * 10),
        "x_test": lists([2, 3, 5], [4, 4], [5]),
        "y_test": np.array([0, 1, 0]),
        **changed,
    }
    np.savez(folder / "imdb.npz", **arrays)
    (folder / "imdb_word_index.json").write_text(index if isinstance(index, str) else json.dumps(index))


# What is right


def test_mnist_of_a_folder_has_the_form_of_the_course_data(tmp_path):
    arrays = write_mnist(tmp_path)
    data = full.mnist(tmp_path)
    assert isinstance(data, digits.Digits) and data.tier == "full"
    assert data.images.shape == (50, 28, 28) and data.labels.dtype == np.uint8
    images, labels = data.part("test")
    np.testing.assert_array_equal(images, arrays["x_test"])
    np.testing.assert_array_equal(labels, arrays["y_test"])
    assert sorted(np.concatenate(list(data.splits.values())).tolist()) == list(range(50))
    assert sorted(data.part("validation")[1].tolist()) == list(range(10)), "one of each digit"
    for split, rows in full.mnist(str(tmp_path)).splits.items():
        np.testing.assert_array_equal(rows, data.splits[split])


def test_imdb_of_a_folder(tmp_path):
    write_imdb(tmp_path)
    data = full.imdb(tmp_path)
    assert data.tier == "full" and len(data.token_ids) == 23
    assert data.text(0) == "the film is good"
    assert data.text(20) == "film is bad"
    assert data.token_ids[0].tolist() == [full.START, 4, 5, 6, 7]
    assert data.words[4] == "the" and data.words[:4] == ("", "", "", "")
    assert data.labels.tolist()[20:] == [0, 1, 0]
    assert {name: len(rows) for name, rows in data.splits.items()} == {
        "train": 18,
        "validation": 2,
        "test": 3,
    }


def test_files_of_a_folder_and_keras_give_the_same(tmp_path, monkeypatch):
    """What keras.datasets would give is what the folder gives."""
    import keras

    write_imdb(tmp_path)
    arrays = write_mnist(tmp_path)
    pair = [(arrays[f"x_{part}"], arrays[f"y_{part}"]) for part in ("train", "test")]
    monkeypatch.setattr(keras.datasets.mnist, "load_data", lambda: tuple(pair))
    np.testing.assert_array_equal(full.mnist().images, full.mnist(tmp_path).images)

    # keras.datasets.imdb with its own code, reading the miniature.
    def get_file(fname, origin, **options):
        return str(tmp_path / fname)

    monkeypatch.setattr("keras.src.datasets.imdb.get_file", get_file)
    online, offline = full.imdb(), full.imdb(tmp_path)
    assert online.words == offline.words
    # Keras shuffles each part; the reviews are the same.
    for rows in (slice(0, 20), slice(20, 23)):
        assert sorted(map(tuple, online.token_ids[rows])) == sorted(map(tuple, offline.token_ids[rows]))


def test_statistics_are_the_published_sizes():
    assert full.statistics()["MNIST: samples published for training"] == 60_000
    assert full.statistics()["IMDB: samples published for testing"] == 25_000


# What is wrong


@pytest.mark.parametrize(("load", "instead"), [(full.mnist, "digits.load"), (full.imdb, "film_reviews.load")])
def test_without_a_network_the_error_names_the_course_data(load, instead, monkeypatch):
    import keras

    def away(*arguments, **options):
        raise Exception("URL fetch failure: no route to host")

    for module in (keras.datasets.mnist, keras.datasets.imdb):
        monkeypatch.setattr(module, "load_data", away)
    with pytest.raises(full.FullDataError, match="URL fetch failure") as raised:
        load()
    assert instead in str(raised.value) and "keras.datasets" in str(raised.value)


@pytest.mark.parametrize("load", [full.mnist, full.imdb])
def test_missing_file(load, tmp_path):
    with pytest.raises(full.FullDataError, match=r"npz does not exist.*Give another folder, or use mmcourse"):
        load(tmp_path)


@pytest.mark.parametrize("load", [full.mnist, full.imdb])
@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 cut"])
def test_damaged_file(load, tmp_path, content):
    for name in ("mnist.npz", "imdb.npz"):
        (tmp_path / name).write_bytes(content)
    with pytest.raises(full.FullDataError, match="damaged"):
        load(tmp_path)


@pytest.mark.parametrize("share", [0.3, 0.7, 0.95])
def test_truncated_file(tmp_path, share):
    write_mnist(tmp_path)
    content = (tmp_path / "mnist.npz").read_bytes()
    (tmp_path / "mnist.npz").write_bytes(content[: int(share * len(content))])
    with pytest.raises(full.FullDataError, match="damaged"):
        full.mnist(tmp_path)


@pytest.mark.parametrize(
    "changed",
    [
        {"x_train": np.zeros((40, 28, 27), np.uint8)},
        {"x_train": np.zeros((40, 28, 28), np.float32)},
        {"x_test": np.zeros((9, 28, 28), np.uint8)},
        {"x_test": np.zeros((0, 28, 28), np.uint8), "y_test": np.zeros(0, np.uint8)},
        {"y_test": np.full(10, 10, np.uint8)},
        {"y_train": np.linspace(0, 1, 40)},
    ],
)
def test_mnist_of_another_form(tmp_path, changed):
    write_mnist(tmp_path, **changed)
    with pytest.raises(full.FullDataError, match=r"MNIST: .*part"):
        full.mnist(tmp_path)


@pytest.mark.parametrize(
    "changed",
    [
        {"x_train": lists(*[["a"]] * 20)},
        {"x_train": lists(*[[0]] * 20)},
        {"x_test": lists([1], [2])},
        {"y_test": np.array([0, 1, 2])},
        {"x_test": lists([1.5], [2], [3])},
    ],
)
def test_imdb_of_another_form(tmp_path, changed):
    write_imdb(tmp_path, **changed)
    with pytest.raises(full.FullDataError):
        full.imdb(tmp_path)


@pytest.mark.parametrize(
    ("index", "message"),
    [("{", "not JSON"), ("[1]", "must map words"), ('{"a": 0}', "must map"), ('{"a": "b"}', "must map")],
)
def test_word_index_of_another_form(tmp_path, index, message):
    write_imdb(tmp_path, index)
    with pytest.raises(full.FullDataError, match=message):
        full.imdb(tmp_path)


def test_missing_word_index(tmp_path):
    write_imdb(tmp_path)
    (tmp_path / "imdb_word_index.json").unlink()
    with pytest.raises(full.FullDataError, match="get_word_index"):
        full.imdb(tmp_path)


class Harmful:
    """A pickle that would call a function which writes a file."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    ("harmful", "asked"),
    [
        (Harmful(os.system, "echo run > harm"), r"\w+\.system"),
        # NumPy is on the list of what is known, but not all of NumPy.
        (Harmful(np.savetxt, "harm", [1.0]), r"numpy\.savetxt"),
        (Harmful(open, "harm", "w"), r"\w+\.open"),
    ],
    ids=["a command", "numpy", "a builtin"],
)
def test_a_pickle_that_runs_something_is_refused(tmp_path, monkeypatch, harmful, asked):
    monkeypatch.chdir(tmp_path)
    array = np.empty(20, dtype=object)
    array[:] = [harmful] * 20
    write_imdb(tmp_path, x_train=array)
    with pytest.raises(full.FullDataError, match=f"it asks for {asked}"):
        full.imdb(tmp_path)
    assert not (tmp_path / "harm").exists()
    assert pickle.dumps(harmful), "the pickle itself can be made"


def test_an_array_that_would_fill_the_memory_is_refused(tmp_path, monkeypatch):
    write_mnist(tmp_path)
    monkeypatch.setattr(full, "MOST_BYTES", 1000)
    with pytest.raises(full.FullDataError, match="expected at most 1,000"):
        full.mnist(tmp_path)


def test_header_that_promises_more_than_there_is(tmp_path):
    write_mnist(tmp_path)
    with zipfile.ZipFile(tmp_path / "mnist.npz") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["x_train.npy"] = members["x_train.npy"].replace(b"(40, 28, 28)", b"(9**9999)   ")
    with zipfile.ZipFile(tmp_path / "mnist.npz", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with pytest.raises(full.FullDataError, match="damaged"):
        full.mnist(tmp_path)
