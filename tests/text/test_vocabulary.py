"""Texts become token ids and come back unchanged."""

import unicodedata

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mmcourse import text
from mmcourse.data import emoji, film_reviews
from mmcourse.text import Vocabulary, join, tokenise

# Words of scripts that write spaces, and single characters of those that do not.
WORDS = st.text("abcxyzéñüßабвгд가나다עברית0123456789.,!?-’", min_size=1, max_size=8).map(
    lambda word: unicodedata.normalize("NFC", word)
)
CHARACTERS = st.sampled_from("红心用中文说日本かなカナー、。々Ａ！𠀀")
TOKENS = st.lists(WORDS | CHARACTERS, max_size=12)


@pytest.fixture(scope="module")
def names() -> dict[str, list[str]]:
    """All names of all emoji, by language."""
    return {code: [entry.names[code] for entry in emoji.load_entries()] for code in emoji.LANGUAGES}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("", []),
        ("   \n\t", []),
        ("red heart", ["red", "heart"]),
        ("  red \u3000\n heart ", ["red", "heart"]),
        ("红心", ["红", "心"]),
        ("用中文说", ["用", "中", "文", "说"]),
        ("赤いハート", ["赤", "い", "ハ", "ー", "ト"]),
        ("빨간색 하트", ["빨간색", "하트"]),
        ("T恤 size XL", ["T", "恤", "size", "XL"]),
        ("ok手势ok", ["ok", "手", "势", "ok"]),
        ("man’s shoe", ["man’s", "shoe"]),
        ("قلب أحمر", ["قلب", "أحمر"]),
        ("𠮷野", ["𠮷", "野"]),
        ("１２", ["１", "２"]),
    ],
)
def test_tokens_are_words_or_characters_of_unspaced_scripts(written, expected):
    assert tokenise(written) == expected


def test_one_letter_is_one_code_point():
    composed, decomposed = "n\u00e9 \uac00", "ne\u0301 \u1100\u1161"
    assert composed != decomposed
    assert tokenise(decomposed) == tokenise(composed) == ["n\u00e9", "\uac00"]
    vocabulary = Vocabulary.from_texts([decomposed])
    assert vocabulary.tokens[4:] == ("n\u00e9", "\uac00")
    assert vocabulary.unknown_tokens(composed) == []


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        ([], ""),
        (["red", "heart"], "red heart"),
        (["红", "心"], "红心"),
        (["T", "恤", "size", "XL"], "T恤size XL"),
        (["a", "红", "b"], "a红b"),
        (["빨간색", "하트"], "빨간색 하트"),
    ],
)
def test_join_writes_spaces_only_between_words(tokens, expected):
    assert join(tokens) == expected
    assert join(iter(tokens)) == expected


@pytest.mark.parametrize("language", emoji.LANGUAGES)
def test_every_name_comes_back_from_its_tokens(names, language):
    assert {name: join(tokenise(name)) for name in names[language]} == {
        name: name for name in names[language]
    }


@pytest.mark.parametrize("language", emoji.LANGUAGES)
def test_every_name_comes_back_from_its_ids(names, language):
    vocabulary = Vocabulary.from_texts(names[language])
    length = 1 + max(len(tokenise(name)) for name in names[language])
    ids = vocabulary.encode(names[language], length, end=True)
    assert ids.min() == 0 and ids.max() < len(vocabulary)
    assert not (ids == vocabulary.ids[text.UNKNOWN]).any()
    assert vocabulary.decode(ids) == names[language]


@pytest.mark.parametrize("language", ["zh", "ja"])
def test_names_in_unspaced_scripts_are_single_characters(names, language):
    lengths = {len(token) for name in names[language] for token in tokenise(name) if not token.isascii()}
    assert lengths == {1}


@pytest.mark.parametrize("language", sorted(set(emoji.LANGUAGES) - {"zh", "ja"}))
def test_names_in_other_scripts_are_words_between_spaces(names, language):
    assert all(tokenise(name) == name.split() for name in names[language])


@given(TOKENS)
@settings(deadline=None)
def test_tokens_come_back_from_their_text(tokens):
    assert tokenise(join(tokens)) == tokens


@given(st.text(max_size=40))
@example("用\u3000中文")
@settings(deadline=None)
def test_tokens_of_any_text_hold_all_of_it_but_the_spaces(written):
    tokens = tokenise(written)
    assert "".join(tokens) == "".join(unicodedata.normalize("NFC", written).split())
    assert not any(character.isspace() for token in tokens for character in token)
    assert all(tokens)


def test_ids_begin_with_the_special_tokens():
    vocabulary = Vocabulary(["red", "heart"])
    assert text.SPECIAL_TOKENS == ("<pad>", "<start>", "<end>", "<unknown>")
    assert vocabulary.tokens == ("<pad>", "<start>", "<end>", "<unknown>", "red", "heart")
    assert [vocabulary.ids[token] for token in vocabulary.tokens] == list(range(6))
    assert len(vocabulary) == 6


def test_ids_do_not_depend_on_the_order_of_the_texts():
    texts = ["red heart", "红心", "blue heart", "心"]
    expected = ("blue", "heart", "red", "心", "红")
    assert Vocabulary.from_texts(texts).tokens[4:] == expected
    assert Vocabulary.from_texts(reversed(texts)).tokens[4:] == expected


@pytest.mark.parametrize("tokens", [["red", "red"], ["<pad>"], ["red", "<end>"], ["<unknown>", "red"]])
def test_tokens_that_are_double_or_special_are_refused(tokens):
    with pytest.raises(ValueError, match="different tokens, none of them special"):
        Vocabulary(tokens)


def test_encode():
    vocabulary = Vocabulary(["heart", "red", "心", "红"])
    ids = vocabulary.encode(["red heart", "红心", "", "red dragon"], length=4)
    assert ids.dtype == np.int32
    assert ids.tolist() == [[5, 4, 0, 0], [7, 6, 0, 0], [0, 0, 0, 0], [5, 3, 0, 0]]
    with_end = vocabulary.encode(["red heart", ""], length=3, end=True)
    assert with_end.tolist() == [[5, 4, 2], [2, 0, 0]]
    assert vocabulary.encode([], length=3).shape == (0, 3)


@given(st.lists(TOKENS, max_size=6), st.booleans(), st.integers(0, 3))
@settings(deadline=None)
def test_encode_and_decode_are_inverse(lists, end, spare):
    texts = [join(tokens) for tokens in lists]
    vocabulary = Vocabulary.from_texts(texts)
    length = max((len(tokens) for tokens in lists), default=0) + end + spare
    ids = vocabulary.encode(texts, length, end=end)
    assert ids.shape == (len(texts), length)
    assert vocabulary.decode(ids) == texts


def test_decode_stops_before_the_first_end_or_padding():
    vocabulary = Vocabulary(["red", "heart"])
    rows = [[4, 5, 2, 4], [4, 0, 5, 5], [2, 4, 4, 4], [0, 4, 4, 4], [4, 5, 4, 5], [4, 3, 5, 2]]
    expected = ["red heart", "red", "", "", "red heart red heart", "red <unknown> heart"]
    assert vocabulary.decode(np.array(rows)) == expected
    assert vocabulary.decode(rows) == expected
    assert vocabulary.decode([[1, 4, 5]]) == ["red heart"], "the start is no part of the text"


@pytest.mark.parametrize("token_id", [-1, 6, 600])
def test_decode_refuses_ids_that_are_not_in_the_vocabulary(token_id):
    with pytest.raises(ValueError, match=f"token id {token_id} is not in the vocabulary of 0 to 5"):
        Vocabulary(["red", "heart"]).decode(np.array([[4, token_id]]))


@given(st.lists(TOKENS, max_size=4), st.integers(0, 8), st.booleans(), st.booleans())
@settings(deadline=None)
def test_what_is_cut_loses_its_end(lists, length, start, end):
    """A generator trained on an end token after every cut would learn to stop in mid-sentence."""
    texts = [join(tokens) for tokens in lists]
    vocabulary = Vocabulary.from_texts(texts)
    ids = vocabulary.encode(texts, length, start=start, end=end, cut=True)
    assert ids.shape == (len(texts), length)
    for words, row in zip(map(tokenise, texts), ids.tolist(), strict=True):
        whole = [1] * start + [vocabulary.ids[word] for word in words] + [2] * end
        assert row == (whole + [0] * length)[:length]


def test_rare_words_and_another_way_to_split():
    texts = ["Red red heart", "red HEART"]
    assert Vocabulary.from_texts(texts, least=2).tokens[4:] == ("red",)
    lower = Vocabulary.from_texts(texts, split=lambda text: text.lower().split())
    assert lower.tokens[4:] == ("heart", "red") and lower.encode(["RED rose"], 2).tolist() == [[5, 3]]
    words = Vocabulary.from_texts([["a b", "c"]], split=list)
    assert words.encode([["c", "a b"]], 2).tolist() == [[5, 4]]


def test_ids_equal_keras():
    import keras

    films = film_reviews.load().texts
    vocabulary = Vocabulary.from_texts(films[:800], split=lambda text: text.lower().split())
    ids = vocabulary.encode(films[800:900], 20, cut=True)
    layer = keras.layers.TextVectorization(
        standardize="lower", output_sequence_length=20, vocabulary=list(vocabulary.tokens[4:])
    )
    theirs = np.asarray(layer(np.array(films[800:900])))  # it has two special tokens, and ours four
    np.testing.assert_array_equal(ids, np.where(theirs, theirs + 2, 0))


def test_too_long_text_is_refused_and_quoted():
    vocabulary = Vocabulary(["red", "heart"])
    assert vocabulary.encode(["red", "red heart"], length=2).shape == (2, 2)
    with pytest.raises(ValueError, match=r"'red red heart' has 3 tokens; at most 2 fit"):
        vocabulary.encode(["red", "red red heart"], length=2)
    with pytest.raises(ValueError, match=r"'red heart' has 3 tokens with its end token; at most 2 fit"):
        vocabulary.encode(["red heart"], length=2, end=True)


def test_very_long_text_is_quoted_in_part():
    with pytest.raises(ValueError) as raised:
        Vocabulary(["red"]).encode(["red " * 10_000], length=3)
    assert "'red red" in str(raised.value) and "...' has" not in str(raised.value)
    assert "... has 10000 tokens" in str(raised.value)
    assert len(str(raised.value)) < 200


def test_unknown_tokens_are_listed_in_order():
    vocabulary = Vocabulary.from_texts(["name it in English", "用中文说"])
    assert vocabulary.unknown_tokens("name it in French 用日文说 please") == ["French", "日", "please"]
    assert vocabulary.unknown_tokens("name it") == []
    assert vocabulary.unknown_tokens("") == []
    assert vocabulary.unknown_tokens("Name name") == ["Name"]


@pytest.mark.parametrize("special", text.SPECIAL_TOKENS)
def test_a_text_cannot_write_a_special_token(special):
    """Else a reader's prompt could hold an end or a padding token that no encoder put there."""
    vocabulary = Vocabulary(["red", "heart"])
    assert vocabulary.encode([f"red {special} heart"], length=3).tolist() == [[4, 3, 5]]
    assert vocabulary.unknown_tokens(f"red {special} heart") == [special]
