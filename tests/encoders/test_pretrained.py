"""Weights that others have trained: read without running their code, and used as they were meant."""

import collections
import io
import os
import pickle
import struct
from typing import ClassVar

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcourse import closure, store
from mmcourse.data import film_reviews, glove, picture_kinds, pretrained, torch_file
from mmcourse.encoders import efficientnet, prepared, sentences

pytestmark = pytest.mark.usefixtures("float32")


# The file format. Torch is not there to write such files, so the tests write them.


class _Global:
    """Pickles as a reference to a name in a module, whether or not there is such a module."""

    def __init__(self, module, name):
        self.module, self.name = module, name


class _Call:
    """Pickles as a call of a name with arguments."""

    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


class _Stored:
    """Pickles as a persistent reference."""

    def __init__(self, *description):
        self.description = description


class _Writer(pickle._Pickler):
    dispatch: ClassVar = dict(pickle._Pickler.dispatch)

    def persistent_id(self, value):
        return value.description if isinstance(value, _Stored) else None

    def save_reduce(self, func, args, *more, **others):
        """``func`` may be a name that cannot be imported here."""
        self.save(func)
        self.save(args)
        self.write(pickle.REDUCE)

    def save_global_name(self, value):
        self.write(pickle.GLOBAL + f"{value.module}\n{value.name}\n".encode())

    dispatch[_Global] = save_global_name


def pickled(value) -> bytes:
    file = io.BytesIO()
    _Writer(file, 2).dump(value)
    return file.getvalue()


REBUILD = _Global("torch._utils", "_rebuild_tensor_v2")
KINDS = {np.dtype("<f4"): "FloatStorage", np.dtype("<i8"): "LongStorage"}


def described(key: str, storage: np.ndarray, offset=0, shape=None, strides=None) -> _Call:
    shape = storage.shape if shape is None else shape
    strides = tuple(s // storage.itemsize for s in storage.strides) if strides is None else strides
    kind = _Global("torch", KINDS[storage.dtype])
    reference = _Stored("storage", kind, key, "cpu", storage.size, None)
    return _Call(REBUILD, reference, offset, shape, strides, False, _Call(collections.OrderedDict))


def weight_file(records, blocks: dict[str, np.ndarray], magic=torch_file.MAGIC, keys=None) -> bytes:
    machine = {"protocol_version": 1001, "little_endian": True, "type_sizes": {}}
    parts = [pickled(part) for part in (magic, torch_file.PROTOCOL, machine, records)]
    parts.append(pickled(list(blocks) if keys is None else keys))
    for block in blocks.values():
        parts += [struct.pack("<q", block.size), block.tobytes()]
    return b"".join(parts)


@given(
    st.lists(st.lists(st.integers(1, 4), max_size=4), min_size=1, max_size=4),
    st.sampled_from(list(KINDS)),
    st.integers(0, 99),
)
@settings(deadline=None, max_examples=40)
def test_arrays_come_back_whatever_their_order_in_memory(shapes, dtype, seed):
    random = np.random.default_rng(seed)
    arrays, records, blocks = {}, {}, {}
    for place, shape in enumerate(shapes):
        values = (random.normal(size=shape) * 100).astype(dtype)
        turned = random.permutation(len(shape))
        view = values.transpose(turned)
        arrays[f"layer{place}.weight"] = view
        blocks[str(place)] = values.reshape(-1)
        steps = tuple(s // values.itemsize for s in view.strides)
        records[f"layer{place}.weight"] = described(str(place), blocks[str(place)], 0, view.shape, steps)
    found = torch_file.read(weight_file(records, blocks))
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        assert found[name].dtype == dtype and found[name].flags.writeable
        np.testing.assert_array_equal(found[name], array)


def test_two_arrays_may_share_a_block():
    block = np.arange(6, dtype="<f4")
    records = {"all": described("a", block, 0, (2, 3), (3, 1)), "end": described("a", block, 4, (2,), (1,))}
    found = torch_file.read(weight_file(records, {"a": block}))
    np.testing.assert_array_equal(found["all"], block.reshape(2, 3))
    np.testing.assert_array_equal(found["end"], [4, 5])


HOSTILE = {
    "a command": _Call(_Global("os", "system"), "touch hostile"),
    "the built-in eval": _Call(_Global("builtins", "eval"), "1 + 1"),
    "a file": _Call(_Global("builtins", "open"), "hostile", "w"),
    "an attribute of what is allowed": _Call(_Global("collections", "OrderedDict.fromkeys"), "abc"),
    "another class of the same module": _Call(_Global("collections", "Counter"), "abc"),
    "another function of torch": _Call(_Global("torch", "load"), "hostile"),
    "another storage": _Stored("storage", _Global("torch", "HalfStorage"), "0", "cpu", 1, None),
    "a class of NumPy": _Call(_Global("numpy", "ndarray"), (2,)),
}


@pytest.mark.parametrize("place", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("name", list(HOSTILE))
def test_a_hostile_pickle_is_refused_wherever_it_stands(name, place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    block = np.zeros(1, "<f4")
    parts = [
        torch_file.MAGIC,
        torch_file.PROTOCOL,
        {"little_endian": True},
        {"a": described("0", block)},
        ["0"],
    ]
    parts[place] = {"a": HOSTILE[name]} if place == 3 else HOSTILE[name]
    content = b"".join(pickled(part) for part in parts) + struct.pack("<q", 1) + block.tobytes()
    with pytest.raises(torch_file.WeightFileError, match="was not run"):
        torch_file.read(content)
    assert os.listdir(tmp_path) == []


def test_a_pickle_by_the_standard_library_is_refused_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(torch_file.WeightFileError, match=r"(posix|nt)\.system"):
            torch_file.read(pickle.dumps(_Call(os.system, "touch hostile"), protocol))
    assert os.listdir(tmp_path) == []


BLOCK = np.arange(6, dtype="<f4")


@pytest.mark.parametrize(
    ("settings_", "message"),
    [
        ({"shape": (7,), "strides": (1,)}, "does not fit"),
        ({"shape": (2, 3), "strides": (4, 1)}, "does not fit"),
        ({"offset": 5, "shape": (2,), "strides": (1,)}, "does not fit"),
        ({"shape": (10**9,), "strides": (0,)}, "does not fit"),
        ({"shape": (-1,), "strides": (1,)}, "impossible"),
        ({"shape": (2,), "strides": (-1,)}, "impossible"),
        ({"offset": -1, "shape": (2,), "strides": (1,)}, "impossible"),
        ({"shape": (2, 3), "strides": (1,)}, "impossible"),
        ({"shape": (2.0,), "strides": (1,)}, "impossible"),
    ],
)
def test_an_array_outside_its_numbers_is_refused(settings_, message):
    content = weight_file({"kernel": described("a", BLOCK, **settings_)}, {"a": BLOCK})
    with pytest.raises(torch_file.WeightFileError, match=f"kernel: .*{message}"):
        torch_file.read(content)


def whole() -> bytes:
    return weight_file({"kernel": described("a", BLOCK)}, {"a": BLOCK})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "damaged"),
        (b"PK\x03\x04", "zip file"),
        (whole() + b"x", "more in the file"),
        (weight_file({}, {}, magic=1), "expected PyTorch's format"),
        (weight_file({"kernel": described("a", BLOCK)}, {"a": BLOCK}, keys=["b"]), "list of blocks"),
        (weight_file({"kernel": described("a", BLOCK)}, {"a": BLOCK}, keys=["a", "a"]), "list of blocks"),
        (weight_file({"kernel": described("a", BLOCK)}, {"a": BLOCK[:3]}), "3 numbers, expected 6"),
        (weight_file({"kernel": 5}, {}), "damaged"),
        (weight_file(["kernel"], {}), "damaged"),
    ],
)
def test_damaged_files_are_named(content, message):
    with pytest.raises(torch_file.WeightFileError, match=message):
        torch_file.read(content)


def test_every_cut_is_noticed():
    content = whole()
    assert len(torch_file.read(content)) == 1
    for length in range(len(content)):
        with pytest.raises(torch_file.WeightFileError):
            torch_file.read(content[:length])


@given(st.integers(0, len(whole()) - 1), st.integers(0, 255))
@settings(deadline=None, max_examples=200)
def test_a_changed_byte_ends_in_no_other_error(place, byte):
    content = bytearray(whole())
    content[place] = byte
    try:
        found = torch_file.read(bytes(content))
    except torch_file.WeightFileError:
        return
    assert all(isinstance(array, np.ndarray) and array.size <= 6 for array in found.values())


# EfficientNet-lite0

# By timm 1.0.31 (tf_efficientnet_lite0) on PyTorch 2.14.1 with the same weights, for `pattern(size)`: mean of
# the pooled features, features 0 and 2, logits 0, 1, 500 and 999, and the mean of the first and the last
# token. efficientnet_lite_pytorch 0.1.0 gives the same at 224 pixels.
REFERENCE = {
    224: (0.17781, 0.0911, 0.0776, (-0.6885, -0.502, -1.388, 0.0462), 0.3173, 0.0368),
    100: (0.30451, 0.0994, 0.0, (0.1348, -0.1626, -1.3671, -0.0612), 0.0167, 0.3324),
    96: (0.45332, 0.0188, 0.0, (-1.1083, -2.8797, -1.0179, -0.3306), 0.4265, 0.3892),
}


def pattern(size: int) -> np.ndarray:
    """A picture that needs no file."""
    row, column, channel = np.meshgrid(np.arange(size), np.arange(size), np.arange(3), indexing="ij")
    return ((row * row // 7 + 3 * column + 50 * channel) % 256).astype("float32")[None]


@pytest.fixture(scope="module")
def weights():
    return pretrained.efficientnet_lite0()


@pytest.fixture(scope="module")
def small(weights):
    model = efficientnet.build(64)
    efficientnet.set_weights(model, weights)
    return model


@pytest.mark.parametrize("size", list(REFERENCE))
def test_features_and_logits_are_those_of_another_implementation(size, weights):
    mean, first, third, logits, first_token, last_token = REFERENCE[size]
    model = efficientnet.build(size)
    efficientnet.set_weights(model, weights)
    tokens, pooled = (np.asarray(array) for array in efficientnet.extractor(model)(pattern(size)))
    assert tokens.shape == (1, (-(-size // 32)) ** 2, 1280) and pooled.shape == (1, 1280)
    np.testing.assert_allclose(pooled.mean(), mean, atol=2e-5)
    np.testing.assert_allclose(pooled[0, [0, 2]], [first, third], atol=1e-4)
    np.testing.assert_allclose(tokens[0, [0, -1]].mean(axis=-1), [first_token, last_token], atol=1e-4)
    np.testing.assert_allclose(np.asarray(model(pattern(size)))[0, [0, 1, 500, 999]], logits, atol=1e-3)


def test_the_file_holds_as_many_numbers_as_were_published(weights):
    trained = [
        array.size for name, array in weights.items() if not name.split(".")[-1].startswith(("run", "num"))
    ]
    assert sum(trained) == 4_652_008  # Google's table says 4.7 million


def test_every_weight_is_used_once_and_none_is_left(weights, small):
    names = [name for pair in efficientnet.convolution_names().values() for name in pair]
    assert len(set(names)) == len(names)
    assert {name.rsplit(".", 1)[0] for name in weights} == {*names, "_fc"}
    folded = sum(array.size for name, array in weights.items() if name.endswith("conv.weight"))
    folded += sum(
        weights[name].size for name in weights if name in ("_conv_stem.weight", "_conv_head.weight")
    )
    biases = sum(layer.bias.shape[0] for layer in small.layers if hasattr(layer, "bias"))
    assert small.count_params() == folded + biases + 1280 * 1000


def test_wrong_weights_are_named(weights):
    model = efficientnet.build(32)
    with pytest.raises(ValueError, match=r"lack '_blocks\.3\._bn1\.bias'"):
        efficientnet.set_weights(model, {k: v for k, v in weights.items() if k != "_blocks.3._bn1.bias"})
    with pytest.raises(ValueError, match="belong to no layer: extra"):
        efficientnet.set_weights(model, {**weights, "extra": np.zeros(2)})
    with pytest.raises(ValueError, match="'logits' have the shapes"):
        efficientnet.set_weights(model, {**weights, "_fc.weight": np.zeros((10, 1280))})
    with pytest.raises(ValueError, match="at least 32 pixels, got 31"):
        efficientnet.build(31)


def test_blocks_are_those_of_the_paper():
    blocks = efficientnet.blocks()
    assert len(blocks) == 16 and [block.number for block in blocks] == list(range(16))
    assert [block.filters for block in blocks] == (
        [16] + [24] * 2 + [40] * 2 + [80] * 3 + [112] * 3 + [192] * 4 + [320]
    )
    assert np.prod([block.stride for block in blocks]) * 2 == 32


def test_one_picture_alone_and_among_others_gives_the_same(small):
    extractor = efficientnet.extractor(small)
    pictures = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3)).astype("float32")
    together = np.asarray(extractor(pictures)[1])
    alone = np.concatenate([np.asarray(extractor(picture[None])[1]) for picture in pictures])
    np.testing.assert_allclose(together, alone, atol=1e-4)
    assert np.isfinite(together).all() and (together >= 0).all() and together.max() <= 6


def test_precision_does_not_depend_on_the_profile(weights):
    """Else features computed under one profile would be kept for the other."""
    keras.config.set_dtype_policy("mixed_bfloat16")
    model = efficientnet.build(96)
    efficientnet.set_weights(model, weights)
    pooled = np.asarray(efficientnet.extractor(model)(pattern(96))[1])
    assert pooled.dtype == np.float32
    np.testing.assert_allclose(pooled.mean(), REFERENCE[96][0], atol=2e-5)


def test_loaded_network_is_frozen_and_knows_a_daisy():
    sample = pytest.importorskip("sklearn.datasets").load_sample_image("flower.jpg")
    middle = sample[:, 107:534]  # a square
    model = efficientnet.load(224)
    assert model.trainable_weights == []
    logits = np.asarray(model(prepared.enlarge(middle[None], 224).astype("float32")))[0]
    assert pretrained.imagenet_names()[logits.argmax()] == "daisy"


def test_the_other_preprocessing_would_be_noticed(weights):
    """Pictures from 0 to 1 give something, but no daisy."""
    sample = pytest.importorskip("sklearn.datasets").load_sample_image("flower.jpg")[:, 107:534]
    model = efficientnet.build(224)
    efficientnet.set_weights(model, weights)
    picture = prepared.enlarge(sample[None], 224).astype("float32")
    names = np.array(pretrained.imagenet_names())
    right, wrong = np.asarray(model(np.concatenate([picture, picture / 255])))
    assert "daisy" in names[right.argsort()[-1:]] and "daisy" not in names[wrong.argsort()[-50:]]


# Sentences


@pytest.fixture(scope="module")
def encoder():
    return sentences.SentenceEncoder()


TEXTS = ["a warm and funny film", "", "dull", "It is raining. " * 9]


def test_sentences_have_length_one_and_do_not_depend_on_the_batch(encoder):
    vectors = encoder.encode(TEXTS)
    assert vectors.shape == (4, 384) and vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(np.concatenate([encoder.encode([text]) for text in TEXTS]), vectors, atol=1e-5)
    np.testing.assert_array_equal(encoder.encode(TEXTS), vectors)
    turned = encoder.encode(TEXTS[::-1])[::-1]
    np.testing.assert_allclose(turned, vectors, atol=1e-5)


def test_encoding_is_the_mean_of_the_tokens(encoder):
    pieces, token_ids, mask = encoder.tokenise(TEXTS)
    assert token_ids.shape == mask.shape and mask.sum(axis=1).tolist() == [len(row) for row in pieces]
    assert all(row[0] == "[CLS]" and row[-1] == "[SEP]" for row in pieces) and not token_ids[~mask].any()
    tokens = encoder.tokens(token_ids, mask)
    np.testing.assert_allclose(sentences.mean_over_mask(tokens, mask), encoder.encode(TEXTS), atol=1e-5)


def test_like_meanings_have_like_vectors(encoder):
    pairs = ["The film was a joy.", "I loved this movie.", "The train leaves at nine."]
    near, far = encoder.encode(pairs)[[1, 2]] @ encoder.encode(pairs)[0]
    assert near > 0.5 > far + 0.2


def test_a_word_has_another_vector_in_another_sentence(encoder):
    texts = ["They sat on the bank of the river.", "The bank lent them money."]
    pieces, token_ids, mask = encoder.tokenise(texts)
    tokens = encoder.tokens(token_ids, mask)
    first, second = (tokens[row, pieces[row].index("bank")] for row in range(2))
    assert np.abs(first - second).max() > 0.1
    rows = [sentences.glove_tokens(text) for text in texts]
    static = [vectors[words.index("bank")] for words, vectors in rows]
    np.testing.assert_array_equal(*static)


def test_a_long_text_is_cut(encoder):
    _, token_ids, _ = encoder.tokenise(["word " * 1000])
    assert token_ids.shape == (1, sentences.MOST_TOKENS)


@pytest.mark.parametrize("texts", ["a text", []])
def test_texts_are_a_sequence(encoder, texts):
    for function in (encoder.tokenise, encoder.encode):
        with pytest.raises(ValueError, match="sequence of at least one text"):
            function(texts)


@given(st.integers(1, 4), st.integers(1, 5), st.integers(1, 3), st.integers(0, 99))
@settings(deadline=None, max_examples=50)
def test_mean_over_mask(batch, tokens, width, seed):
    random = np.random.default_rng(seed)
    values = random.normal(size=(batch, tokens, width))
    mask = random.random((batch, tokens)) < 0.5
    means = sentences.mean_over_mask(np.where(mask[..., None], values, np.nan), mask)
    for row in range(batch):
        if mask[row].any():
            expected = values[row][mask[row]].mean(axis=0)
            np.testing.assert_allclose(means[row], expected / np.linalg.norm(expected), atol=1e-9)
        else:
            assert not means[row].any()


@pytest.mark.parametrize("shapes", [((2, 3), (2, 3)), ((2, 3, 4), (3, 2)), ((2, 3, 4), (2, 3, 4))])
def test_mean_over_mask_names_the_shapes(shapes):
    with pytest.raises(ValueError, match=r"expected tokens \(batch, tokens, width\) and a mask"):
        sentences.mean_over_mask(np.zeros(shapes[0]), np.zeros(shapes[1]))


def test_glove_mean():
    vectors = glove.load()
    rows = [vectors.words.index(word) for word in ("good", "film")]
    means = sentences.glove_mean(["Good film!", "qzxqzx"])
    np.testing.assert_allclose(means[0], vectors.vectors[rows].mean(axis=0), atol=1e-6)
    assert means.shape == (2, 50) and not means[1].any()


# The small set and the prepared features


@pytest.fixture(scope="module")
def kinds():
    return picture_kinds.load()


def test_both_artists_have_drawn_every_thing(kinds):
    by = np.array(kinds.artists)
    for artist in ("twemoji", "openmoji"):
        rows = by == artist
        assert sorted(kinds.concepts[rows]) == list(range(rows.sum()))
    order = np.argsort(kinds.concepts, kind="stable").reshape(-1, 2)
    assert (kinds.labels[order[:, 0]] == kinds.labels[order[:, 1]]).all()
    assert [kinds.names[row] for row in order[:, 0]] == [kinds.names[row] for row in order[:, 1]]
    twemoji = kinds.images[by == "twemoji"].reshape(by.tolist().count("twemoji"), -1)
    assert len(np.unique(twemoji, axis=0)) == len(twemoji), "no picture stands twice under two names"


@given(st.integers(1, 30), st.integers(0, 9))
@settings(deadline=None, max_examples=20)
def test_draws_keep_concepts_apart(kinds, each, seed):
    parts = kinds.draw(each, 15, seed)
    concepts = {name: set(kinds.concepts[rows].tolist()) for name, rows in parts.items()}
    assert not concepts["train"] & concepts["test"] and concepts["test"] == concepts["other_artist"]
    assert np.bincount(kinds.labels[parts["train"]]).tolist() == [each] * 5
    assert np.bincount(kinds.labels[parts["test"]]).tolist() == [15] * 5
    np.testing.assert_array_equal(parts["test"], kinds.draw(1, 15, seed)["test"])
    assert {kinds.artists[row] for row in parts["other_artist"]} == {"openmoji"}


@pytest.mark.parametrize(
    ("arguments", "message"), [((33, 15), "47 of 'clothing'"), ((0, 15), "1 or more"), ((1, 0), "1 or more")]
)
def test_impossible_draws(kinds, arguments, message):
    with pytest.raises(ValueError, match=message):
        kinds.draw(*arguments, seed=0)


def test_statistics_count(kinds):
    assert sum(picture_kinds.statistics().values()) * 2 == len(kinds.labels)
    figures = pretrained.statistics()
    assert figures["EfficientNet-lite0: classes"] == figures["names of classes"] == 1000


@given(st.sampled_from([(1, 3), (5, 4), (40, 30)]), st.booleans(), st.sampled_from([8, 33]))
@settings(deadline=None, max_examples=12)
def test_enlarge(shape, colour, size):
    pictures = np.random.default_rng(0).integers(0, 256, (2, *shape, *((3,) if colour else ())), np.uint8)
    enlarged = prepared.enlarge(pictures, size)
    assert enlarged.shape == (2, size, size, 3) and enlarged.dtype == np.uint8
    plain = prepared.enlarge(np.full_like(pictures, 77), size)
    assert (plain == 77).all()


@pytest.mark.parametrize(
    "pictures", [np.zeros((2, 4, 4)), np.zeros((4, 4), np.uint8), np.zeros((1, 4, 4, 4), np.uint8)]
)
def test_enlarge_wants_whole_numbers(pictures):
    with pytest.raises(ValueError, match="pictures must be uint8"):
        prepared.enlarge(pictures, 8)


def test_features_are_computed_once(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "cache_folder", lambda: tmp_path)
    calls = []

    def build():
        calls.append(1)
        return {"pooled": np.ones((2, 3), "float32")}

    for _ in range(2):
        arrays = prepared._kept("test", build)
        np.testing.assert_array_equal(arrays["pooled"], np.ones((2, 3)))
    assert len(calls) == 1
    prepared._kept("another", build)
    assert len(calls) == 2, "another name: computed anew"
    monkeypatch.setattr(closure, "digest", lambda modules: "0" * 64)
    prepared._kept("test", build)
    assert len(calls) == 3, "other code or another archive: computed anew"


def test_reviews_and_their_vectors_belong_together():
    """A few rows of what is kept, computed again."""
    features, reviews = prepared.review_features(), film_reviews.load()
    rows, labels = reviews.clear("test")
    np.testing.assert_array_equal(features["test_labels"], labels)
    texts = [reviews.texts[row] for row in rows[:3]]
    expected = sentences.SentenceEncoder().encode(texts)
    np.testing.assert_allclose(features["minilm_test"][:3], expected, atol=1e-4)
    np.testing.assert_allclose(features["glove_test"][:3], sentences.glove_mean(texts), atol=1e-6)
    assert len(features["minilm_train"]) == len(features["train_labels"]) == len(reviews.clear("train")[0])


def test_pictures_and_their_features_belong_together(kinds):
    features = prepared.kinds_features()
    assert features["before_last"].shape == (len(kinds.labels), 7, 7, 192)
    network = efficientnet.extractor(efficientnet.load(prepared.SIZE))
    rows = [0, len(kinds.labels) - 1]
    pooled = np.asarray(network(prepared.enlarge(kinds.images[rows], prepared.SIZE).astype("float32"))[1])
    np.testing.assert_allclose(features["pooled"][rows], pooled, atol=1e-3)


def test_tones_and_digits():
    tones = prepared.tone_features()
    assert np.bincount(tones["people"]).tolist() == [5] * prepared.TONED
    assert sorted(np.bincount(tones["tones"]).tolist()) == [prepared.TONED] * 5
    digits = prepared.digit_features()
    assert digits["train"].shape == (800, 1280) and digits["test"].shape == (500, 1280)
    assert not set(digits["train_rows"]) & set(digits["test_rows"])
