"""Cleaning, words and tags of texts."""

import subprocess
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmcourse.data import chinese_reviews, emoji, synonyms
from mmcourse.text import cleaning, segmentation, tagging

TEXT = st.text(max_size=60)
STEPS = {
    "unescape": cleaning.unescape,
    "tags": cleaning.drop_tags,
    "invisible": cleaning.drop_invisible,
    "spaces": cleaning.join_spaces,
    "runs": cleaning.shorten_runs,
}


@pytest.mark.parametrize(
    ("form", "text", "expected"),
    [
        ("NFC", "cafe\u0301", "café"),
        ("NFD", "café", "cafe\u0301"),
        ("NFKC", "ＡＢ①", "AB1"),
        ("NFKC", "x² ½ ﬁn", "x2 1⁄2 fin"),
        ("NFKD", "ﬁé", "fie\u0301"),
        ("NFC", "ＡＢ①", "ＡＢ①"),
    ],
)
def test_normal_forms(form, text, expected):
    assert cleaning.normalise(text, form) == expected


def test_case_folding_is_more_than_lower_case():
    assert cleaning.normalise("Straße", fold=True) == cleaning.normalise("STRASSE", fold=True) == "strasse"
    assert cleaning.normalise("ΣΊΣΥΦΟΣ", fold=True) == cleaning.normalise("σίσυφος", fold=True)


@given(TEXT, st.sampled_from(cleaning.FORMS))
def test_normalising_twice_changes_nothing_more(text, form):
    once = cleaning.normalise(text, form)
    assert cleaning.normalise(once, form) == once
    assert unicodedata.is_normalized(form, once)
    assert unicodedata.is_normalized(form, cleaning.normalise(text, form, fold=True))


@pytest.mark.parametrize("name", ["tags", "invisible", "spaces", "runs"])
@given(text=TEXT | st.text("<>/bri aé!！\u200b\u3000\n\ue000", max_size=30))
def test_a_step_never_makes_a_text_longer(name, text):
    assert len(STEPS[name](text)) <= len(text)


@pytest.mark.parametrize("name", ["invisible", "spaces", "runs"])
@given(text=TEXT)
def test_a_step_done_twice_changes_nothing_more(name, text):
    once = STEPS[name](text)
    assert STEPS[name](once) == once


def test_steps():
    assert cleaning.unescape("Lilo &amp; Stitch &#183; &#38388;") == "Lilo & Stitch · 间"
    assert cleaning.drop_tags("a<br>b<BR />c <b class='x'>d</b>") == "a b c  d "
    for kept in ("<色戒>", "<荐书>", "a < b > c", "<Brave>", "<穿PRADA的恶魔>", "<", "<bright>"):
        assert cleaning.drop_tags(kept) == kept
    assert cleaning.drop_invisible("\ufeffa\u200bb\u00adc\ue139d\te\nf") == "abcd\te\nf"
    assert cleaning.join_spaces("  a\u3000 b\n\tc ") == "a b c"
    assert cleaning.shorten_runs("好！！！！！！soooooo 1000000") == "好！！！sooo 1000000"
    assert cleaning.shorten_runs("aabb", longest=1) == "ab"


def test_nothing_that_emoji_are_written_with_is_dropped():
    pictures = [entry.text for entry in emoji.load_entries()]
    assert [cleaning.drop_invisible(picture) for picture in pictures] == pictures


def test_counts_of_the_steps():
    texts, counts = cleaning.apply(["a  b", "&amp;", "c"], {n: STEPS[n] for n in ("unescape", "spaces")})
    assert texts == ["a b", "&", "c"]
    assert [(count.name, count.texts, count.characters) for count in counts] == [
        ("unescape", 1, 4),
        ("spaces", 1, 1),
    ]
    assert cleaning.apply(["a"], {}) == (["a"], [])


def test_copies():
    texts = ["Very good!", "bad", "very  good", "Very good!", "ＢＡＤ"]
    assert cleaning.first_of_each(texts) == [0, 1, 2, 4]
    assert cleaning.first_of_each(texts, cleaning.letters_only) == [0, 1]
    assert cleaning.first_of_each([]) == []


def test_errors_of_cleaning():
    with pytest.raises(ValueError, match="form must be one of NFC, NFD, NFKC, NFKD; got 'nfc'"):
        cleaning.normalise("a", "nfc")
    with pytest.raises(ValueError, match="longest must be 1 or more, got 0"):
        cleaning.shorten_runs("a", 0)


# Segmentation


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("我有一只猫", ["我", "有", "一只", "猫"]),
        ("研究生命起源", ["研究生", "命", "起源"]),  # the known weakness: greedy from the left
        ("", []),
        ("猫", ["猫"]),
    ],
)
def test_longest_match(text, expected):
    assert segmentation.longest_match(text, {"一只", "研究", "研究生", "生命", "起源"}) == expected


@given(
    st.text("我有一只猫研究生命", max_size=30),
    st.sets(st.text("我有一只猫研究生命", max_size=4)),
    st.integers(1, 5),
)
def test_longest_match_loses_nothing_and_takes_the_longest(text, words, longest):
    found = segmentation.longest_match(text, words, longest)
    assert "".join(found) == text
    place = 0
    for word in found:
        assert 1 <= len(word) <= longest and (len(word) == 1 or word in words)
        assert not any(
            text[place : place + n] in words
            for n in range(len(word) + 1, longest + 1)
            if place + n <= len(text)
        )
        place += len(word)


def test_longest_match_is_checked():
    with pytest.raises(ValueError, match="longest must be 1 or more, got 0"):
        segmentation.longest_match("猫", set(), 0)


def test_jieba_loses_nothing():
    texts = chinese_reviews.load().texts[::800]
    assert ["".join(segmentation.chinese_words(text)) for text in texts] == list(texts)
    assert segmentation.chinese_words("我有一只猫") == ["我", "有", "一只", "猫"]
    assert {"酒店", "猫"} <= segmentation.chinese_dictionary()
    assert "" not in segmentation.chinese_dictionary()


def test_jieba_writes_no_file_and_says_nothing(tmp_path):
    script = "from mmcourse.text import segmentation, tagging; tagging.chinese_tags('我有一只猫')"
    found = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env={"TMPDIR": str(tmp_path), "PATH": ""},
        timeout=60,
    )
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


# Tags


def test_english_tags():
    assert tagging.english_tags("The film is not good .".split()) == ["DT", "NN", "VBZ", "RB", "JJ", "."]
    assert tagging.english_tags([]) == []
    with pytest.raises(ValueError, match="words without white space, got 'a b'"):
        tagging.english_tags(["a b"])
    with pytest.raises(ValueError, match="got ''"):
        tagging.english_tags([""])


@given(
    st.lists(
        st.text(min_size=1).filter(lambda word: word.split() == [word])
        | st.sampled_from(["and/or", "/", "&slash;", "U.S.", "...", "'s"])
    )
)
def test_every_word_gets_one_tag(words):
    assert len(tagging.english_tags(words)) == len(words)


def test_chinese_tags():
    assert tagging.chinese_tags("我有一只猫") == [("我", "r"), ("有", "v"), ("一只", "m"), ("猫", "n")]
    assert tagging.chinese_tags("") == []


# Synonyms


def test_lists_of_synonyms_are_read():
    assert synonyms.read_list("Syn. -- To alleviate; set on; calm. See Alleviate.") == ["alleviate", "calm"]
    assert synonyms.read_list("Syn. - Enchanting, bewitching; the best.") == [
        "enchanting",
        "bewitching",
        "best",
    ]
    assert synonyms.read_list("Syn. -- See However.") == synonyms.read_list("") == []


def test_synonyms():
    alike = synonyms.load()
    assert len(alike) > 5000 and list(alike) == sorted(alike)
    assert "wicked" in alike["bad"] and "tedious" in alike["dull"]
    pairs = {frozenset((word, other)) for word, others in alike.items() for other in others}
    assert synonyms.statistics() == {
        "synonyms: words that have some": len(alike),
        "synonyms: pairs of words": len(pairs),
    }
    for word, others in alike.items():
        assert word not in others and others and list(others) == sorted(set(others))
        assert all(word in alike[other] for other in others)
