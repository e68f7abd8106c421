"""The loading code for readers who are online, on random weights: no test reaches the network."""

import builtins

import keras
import numpy as np
import pytest

from mmcourse.encoders import online

pytestmark = pytest.mark.usefixtures("float32")
PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "bank", "river", "##s"]


@pytest.mark.parametrize(("name", "places", "width"), [("VGG16", 16, 512), ("ResNet50", 4, 2048)])
def test_random_networks_give_tokens_and_their_mean(name, places, width):
    model = online.image_network(name, weights=None, size=64)
    pictures = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3)).astype("float32")
    tokens, pooled = (np.asarray(array) for array in model(pictures))
    assert tokens.shape == (2, places, width) and pooled.shape == (2, width)
    np.testing.assert_allclose(tokens.mean(axis=1), pooled, rtol=1e-4, atol=1e-5)
    assert not model.trainable_weights
    # The preprocessing of these weights stands in the model: blue first, the mean of ImageNet taken off.
    module, layer = online.NETWORKS[name]
    inner = next(part for part in model.layers if isinstance(part, keras.Model))
    prepared = pictures[..., ::-1] - np.array([103.939, 116.779, 123.68], "float32")
    expected = np.asarray(inner(prepared)).reshape(tokens.shape)
    np.testing.assert_allclose(tokens, expected, rtol=1e-3, atol=1e-3)
    assert layer in {part.name for part in inner.layers} and module == model.name


@pytest.mark.parametrize("name", list(online.NETWORKS))
def test_a_failed_download_names_the_way_without_network(name, monkeypatch):
    def fail(*arguments, **settings):
        raise Exception("URL fetch failure on somewhere: name not known\nmore")

    monkeypatch.setattr(keras.utils, "get_file", fail)
    monkeypatch.setattr(f"keras.src.applications.{name.lower().removesuffix('50')}.file_utils.get_file", fail)
    with pytest.raises(online.OnlineError) as raised:
        online.image_network(name)
    assert name in str(raised.value) and "name not known)" in str(raised.value)
    assert "efficientnet.load()" in str(raised.value) and "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("AlexNet",), "expected one of: VGG16, ResNet50"), (("VGG16", None, 16), "at least 32 pixels, got 16")],
)
def test_impossible_networks(arguments, message):
    with pytest.raises(ValueError, match=message):
        online.image_network(*arguments)


def test_missing_weight_file_is_no_network_error():
    with pytest.raises(ValueError):
        online.image_network("VGG16", weights="no-such-file.h5")


@pytest.fixture(scope="module")
def tiny():
    keras_hub = pytest.importorskip("keras_hub")
    keras.utils.set_random_seed(0)
    tokenizer = keras_hub.models.BertTokenizer(vocabulary=PIECES, lowercase=True)
    preprocessor = keras_hub.models.BertTextClassifierPreprocessor(tokenizer, sequence_length=8)
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=len(PIECES), num_layers=1, num_heads=2, hidden_dim=8, intermediate_dim=16
    )
    return online.Bert(preprocessor, backbone)


def test_bert_tokens_mask_and_mean(tiny):
    texts = ["the bank", "the river banks"]
    tokens, mask, means = online.bert_features(tiny, texts)
    assert tokens.shape == (2, 8, 8) and means.shape == (2, 8)
    assert mask.sum(axis=1).tolist() == [4, 6]  # with [CLS] and [SEP]; "banks" is two pieces
    np.testing.assert_allclose(means[0], tokens[0, :4].mean(axis=0), atol=1e-6)
    alone = online.bert_features(tiny, texts[:1])
    np.testing.assert_allclose(alone[2][0], means[0], atol=1e-5)


def test_bert_gives_a_word_another_vector_in_another_text(tiny):
    tokens, _, _ = online.bert_features(tiny, ["the bank", "the bank the bank", "the river bank"])
    assert np.abs(tokens[0, 2] - tokens[2, 3]).max() > 0.01


@pytest.mark.parametrize("texts", ["one text", []])
def test_bert_wants_several_texts(tiny, texts):
    with pytest.raises(ValueError, match="sequence of at least one text"):
        online.bert_features(tiny, texts)


def test_without_keras_hub_the_error_says_how_to_install_it(monkeypatch):
    original = builtins.__import__

    def without(name, *arguments, **settings):
        if name == "keras_hub":
            raise ImportError(name)
        return original(name, *arguments, **settings)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match="pip install keras-hub"):
        online.bert()


def test_bert_without_network_names_the_sentence_encoder(monkeypatch):
    keras_hub = pytest.importorskip("keras_hub")

    def fail(*arguments, **settings):
        raise ConnectionError("no route")

    monkeypatch.setattr(keras_hub.models.BertTextClassifierPreprocessor, "from_preset", fail)
    with pytest.raises(online.OnlineError, match=r"no route.*SentenceEncoder"):
        online.bert("any")
