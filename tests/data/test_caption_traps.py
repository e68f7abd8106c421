"""The captions that fool scores: every error changes one place, and every damage the form alone."""

import re
from collections import Counter

import numpy as np
import pytest

from mmcourse.data import caption_traps
from mmcourse.text import tokenise

TRAPS = caption_traps.load()


def test_they_are_what_the_notebook_says():
    assert len(TRAPS) == 32 and TRAPS.tier == "course"
    assert len(TRAPS.of_language("en")) == 20 and len(TRAPS.of_language("zh")) == 12
    assert TRAPS.split("test").tolist() == list(range(32))
    every = [TRAPS.references, TRAPS.rewordings, TRAPS.paraphrases, TRAPS.second_references]
    assert all(len(texts) == 32 for texts in every)
    assert len({text for texts in every for text in texts}) == 4 * 32
    assert not re.search(r"[{}|]", "".join(text for texts in every for text in texts))


@pytest.mark.parametrize("column", [0, 1])
def test_each_template_has_one_place_for_each_error(column):
    for template in TRAPS.templates:
        places = re.findall(r"\{(\w+):([^|{}]+)\|([^|{}]+)\}", template[column])
        assert sorted(kind for kind, _, _ in places) == sorted(caption_traps.ERRORS)
        assert all(right != wrong for _, right, wrong in places)


def test_languages_are_told_apart_and_cased_alike():
    for language, text in zip(TRAPS.languages, TRAPS.references, strict=True):
        assert text.isascii() == (language == "en") and text == text.lower()


@pytest.mark.parametrize("which", ["reference", "paraphrase"])
@pytest.mark.parametrize("error", caption_traps.ERRORS)
def test_an_error_changes_one_stretch_of_the_text(error, which):
    true = TRAPS.references if which == "reference" else TRAPS.paraphrases
    for text, spoiled in zip(true, TRAPS.spoiled(error, which=which), strict=True):
        tokens, wrong = tokenise(text), tokenise(spoiled)
        assert tokens != wrong
        same = next(i for i, (a, b) in enumerate(zip(tokens, wrong, strict=False)) if a != b)
        after = next(i for i, (a, b) in enumerate(zip(tokens[::-1], wrong[::-1], strict=False)) if a != b)
        assert len(tokens) - same - after <= 5, (text, spoiled)


def test_a_dropped_negation_leaves_no_negation():
    negations = {"not", "no", "nobody", "none", "never", "without", "没", "不", "无"}
    for text, spoiled in zip(TRAPS.references, TRAPS.spoiled("not"), strict=True):
        assert negations & set(tokenise(text)) and not negations & set(tokenise(spoiled)), spoiled
    for text in TRAPS.spoiled("not", which="paraphrase"):
        assert not negations & set(tokenise(text)), text


def test_damages_of_form():
    for text, shuffled in zip(TRAPS.references, TRAPS.spoiled("shuffled"), strict=True):
        assert Counter(tokenise(text)) == Counter(tokenise(shuffled)) and text != shuffled
    for text, repeated in zip(TRAPS.references, TRAPS.spoiled("repeated"), strict=True):
        assert tokenise(repeated) == tokenise(text) + 3 * tokenise(text)[-2:]
    for text, cut in zip(TRAPS.references, TRAPS.spoiled("cut"), strict=True):
        assert text.startswith(cut) and len(tokenise(cut)) == len(tokenise(text)) // 2
    assert TRAPS.spoiled("shuffled", seed=1) == TRAPS.spoiled("shuffled", seed=1)
    assert TRAPS.spoiled("shuffled", seed=1) != TRAPS.spoiled("shuffled", seed=2)


def test_another_picture_is_of_the_same_language_and_each_is_used_once():
    for which, texts in (("reference", TRAPS.references), ("paraphrase", TRAPS.paraphrases)):
        others = TRAPS.spoiled("another picture", which=which)
        assert sorted(others) == sorted(texts)
        assert all(a != b and a.isascii() == b.isascii() for a, b in zip(others, texts, strict=True))


def test_two_tokens_are_shuffled_into_their_other_order():
    random = np.random.default_rng(0)
    assert caption_traps.damaged(["a", "b", "b", "b"], "shuffled", random)[0] == "b"


def test_what_is_refused():
    with pytest.raises(
        ValueError, match="unknown trap 'size'; expected one of: count, colour, not, shuffled"
    ):
        TRAPS.spoiled("size")
    with pytest.raises(ValueError, match="expected 'reference' or 'paraphrase', got 'other'"):
        TRAPS.spoiled("cut", which="other")
    with pytest.raises(ValueError, match="unknown language 'de'; expected one of: en, zh"):
        TRAPS.of_language("de")
    with pytest.raises(ValueError, match="at least four tokens"):
        caption_traps.damaged(["a", "a", "a", "a"], "shuffled", np.random.default_rng(0))


def test_statistics():
    found = caption_traps.statistics()
    assert found["pictures"] == 32
    near = found["share of the tokens of rewordings that the reference has, English"]
    far = found["share of the tokens of paraphrases that the reference has, English"]
    assert 0.6 < near < 0.8 and 0.2 < far < 0.35
