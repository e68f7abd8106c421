"""The texts that word vectors are trained on, the tests of them, and vectors trained by others."""

import re

import numpy as np
import pytest

from mmcourse.data import archives, chinese_reviews, dictionary, glove, synonyms, word_similarity
from mmcourse.mathematics.embeddings import WordVectors


def test_dictionary():
    text = dictionary.load()
    assert len(text.token_ids) == text.starts[-1] == 3_304_552
    assert (len(text), len(text.words), text.tier) == (239_602, 146_027, "course")
    assert len(set(text.words)) == len(text.words)
    assert not any(re.search(r"[\d\s\[\]]", word) or word != word.lower() for word in text.words)
    assert ["algae", "plural", "of", "alga"] in list(text.first(100_000).sentences())
    assert "webster" not in text.sentence(0)


def test_dictionary_is_kept(monkeypatch):
    before = dictionary.load()
    dictionary.load.cache_clear()
    monkeypatch.setattr(archives, "read_members", lambda *_: pytest.fail("parsed again"))
    again = dictionary.load()
    np.testing.assert_array_equal(again.token_ids, before.token_ids)
    assert again.words == before.words


def test_words_of_a_definition():
    assert dictionary.split_words("A dog's life, 1913 [1913 Webster]; déjà-vu!") == [
        "a",
        "dog's",
        "life",
        "déjà",
        "vu",
    ]


@pytest.mark.parametrize(("name", "count"), [("WordSim-353", 353), ("SimLex-999", 999)])
def test_pairs(name, count):
    pairs = word_similarity.load(name)
    assert (pairs.name, len(pairs.words), pairs.ratings.shape) == (name, count, (count,))
    assert pairs.ratings.min() >= 0 and pairs.ratings.max() <= 10
    assert all(word == word.lower() for pair in pairs.words for word in pair)


def test_no_such_pairs():
    with pytest.raises(ValueError, match="unknown set 'MEN'; expected one of: WordSim-353, SimLex-999"):
        word_similarity.load("MEN")


def test_analogies():
    questions = word_similarity.load_analogies()
    assert sum(map(len, questions.values())) == 19_544
    assert len(questions) == 14
    assert questions["family"][0] == ("boy", "girl", "brother", "sister")
    assert all(len(row) == 4 for rows in questions.values() for row in rows)


def test_pretrained():
    few = glove.load(1000)
    assert (len(few.words), few.vectors.shape, few.vectors.dtype) == (1000, (1000, 50), np.float32)
    assert few.words[:3] == ("the", ",", ".")
    vectors = WordVectors(few.words, few.vectors)
    assert vectors.similarity("he", "she") > 0.8
    with pytest.raises(ValueError, match="most_frequent must be 1 or more"):
        glove.load(0)


def test_chinese_reviews():
    reviews = chinese_reviews.load()
    assert len(set(reviews.texts)) == len(reviews.texts) == len(reviews.positive)
    assert 17_000 < len(reviews.texts) < 17_500
    assert 0.4 < np.mean(reviews.positive) < 0.6
    assert chinese_reviews.split_characters("我的 iPad 坏了!2次") == ["我", "的", "ipad", "坏", "了", "次"]
    corpus = reviews.corpus()
    assert corpus.token_ids.tolist().count(corpus.words.index("猫")) == 64


@pytest.mark.parametrize("loader", [dictionary, word_similarity, glove, chinese_reviews, synonyms])
def test_statistics_are_numbers(loader):
    figures = loader.statistics()
    assert figures and all(isinstance(number, int | float) and number > 0 for number in figures.values())
