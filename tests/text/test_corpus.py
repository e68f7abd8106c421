"""Texts as sentences of numbered words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmcourse.text.corpus import Corpus

texts = st.lists(st.lists(st.integers(0, 4), min_size=1, max_size=9), min_size=1, max_size=5)


@given(texts)
def test_a_corpus_gives_its_sentences_back(sentences):
    sentences = [[f"word{i}" for i in sentence] for sentence in sentences]
    corpus = Corpus.of(sentences)
    assert list(corpus.sentences()) == sentences
    assert len(corpus) == len(sentences)
    assert list(corpus.first(len(corpus.token_ids)).sentences()) == sentences
    assert list(corpus.first(0).sentences()) == sentences[:1]
    assert Corpus.of(corpus) is corpus
    assert corpus.sentence_ids().tolist() == [i for i, s in enumerate(sentences) for _ in s]


def test_frequent_words():
    corpus = Corpus.of([["b", "a", "b"], ["c"], ["a", "b", "d"]]).frequent(2)
    assert corpus.words == ("b", "a")
    assert corpus.counts().tolist() == [3, 2]
    assert list(corpus.sentences()) == [["b", "a", "b"], [], ["a", "b"]]
    with pytest.raises(ValueError, match="min_count must be a whole number"):
        corpus.frequent(0)
    with pytest.raises(ValueError, match=r"1 word\(s\) that occur min_count = 3 times; expected 2 at least"):
        corpus.frequent(3)


def test_no_such_sentence():
    with pytest.raises(ValueError, match="number must be 0 to 0"):
        Corpus.of(["a"]).sentence(1)


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        ([], "tokens holds no word"),
        ([[]], "tokens holds no word"),
        ("a text", "split it first"),
        ([["a"], "b"], "list of words or a list of sentences"),
        ([["a", 3]], "tokens must be words .str., got 3 of type int"),
        ([3], "got 3 in a list of sentences"),
    ],
)
def test_wrong_texts(tokens, message):
    with pytest.raises(ValueError, match=message):
        Corpus.of(tokens)
