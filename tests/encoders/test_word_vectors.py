"""The word vectors that are trained once and kept."""

import filelock
import numpy as np
import pytest

from mmcourse import store
from mmcourse.encoders import word_vectors
from mmcourse.mathematics import embeddings, glove, skip_gram
from mmcourse.text.corpus import Corpus


@pytest.fixture
def small_text(tmp_path, monkeypatch):
    """Word vectors of a small text in a cache folder of their own."""
    random = np.random.default_rng(0)
    kinds = (["cat", "dog", "mouse", "bird"], ["car", "train", "plane", "ship"])
    text = Corpus.of([[*random.choice(kinds[i % 2], 5).tolist(), "the"] for i in range(100)])
    monkeypatch.setattr(store, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.setattr(word_vectors, "TEXTS", {word_vectors.dictionary: lambda: text})
    configurations = {
        "pmi": (embeddings, word_vectors.dictionary, {"size": 3}),
        "skip-gram": (skip_gram, word_vectors.dictionary, {"size": 3, "epochs": 2}),
        "glove": (glove, word_vectors.dictionary, {"size": 3, "epochs": 2}),
    }
    monkeypatch.setattr(word_vectors, "CONFIGURATIONS", configurations)
    return tmp_path / "cache"


def test_trained_once_and_found_again(small_text, capsys):
    names = ("pmi", "skip-gram", "glove")
    first = word_vectors.load_trained(names)
    told = capsys.readouterr().err
    assert "training the word vectors 'glove'" in told and "epoch  2/2" in told
    again = word_vectors.load_trained(names)
    assert capsys.readouterr().err == ""
    for name, model in first.items():
        assert again[name].words == model.words and again[name].history == model.history
        np.testing.assert_array_equal(again[name].vectors, model.vectors)
        np.testing.assert_array_equal(again[name].counts, model.counts)
        assert again[name].most_similar("cat") == model.most_similar("cat")
    assert again["skip-gram"].contexts.shape == (9, 3) and again["pmi"].contexts is None
    assert not list(small_text.rglob("*.part"))


def test_a_damaged_file_is_trained_again(small_text, capsys):
    word_vectors.load_trained(("skip-gram",))
    (path,) = small_text.rglob("word-vectors-*.npz")
    path.write_bytes(b"damaged")
    word_vectors.load_trained(("skip-gram",))
    assert "is damaged" in capsys.readouterr().err
    assert path.stat().st_size > 1000


def test_where_nothing_can_be_written_it_is_trained_all_the_same(small_text, monkeypatch):
    def refuse(*_, **__):
        raise OSError("read-only")

    monkeypatch.setattr(filelock.FileLock, "acquire", refuse)
    monkeypatch.setattr("pathlib.Path.mkdir", refuse)
    assert "cat" in word_vectors.load_trained(("skip-gram",))["skip-gram"]


def test_no_such_vectors():
    with pytest.raises(ValueError, match="unknown word vectors 'bert'; expected some of: pmi, skip-gram"):
        word_vectors.load_trained(("bert",))


def test_the_three_that_are_compared_have_one_size_and_one_window():
    settings = [word_vectors.CONFIGURATIONS[name][2] for name in ("pmi", "skip-gram", "glove")]
    assert len({(each["size"], each["window"]) for each in settings}) == 1
