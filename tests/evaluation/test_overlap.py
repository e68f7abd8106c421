"""The scores by overlap against their reference implementations, on generated texts and on the edges."""

import itertools
import random

import nltk.translate.bleu_score
import nltk.translate.meteor_score
import numpy as np
import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocoevalcap.cider.cider_scorer import CiderScorer
from rouge_score import rouge_scorer

from mmcourse.evaluation import texts
from mmcourse.text import join, tokenise

WORDS = ["a", "the", "dog", "runs", "红", "狗", "(hi)", "end."]
CORPORA = 60  # of 1 to 8 texts with 1 to 3 references each: some 270 texts for every comparison


def corpora(several: bool = True) -> list[tuple[list[list[str]], list[list[list[str]]]]]:
    """Generated corpora: few words, so that repetitions, ties, near copies and empty texts abound."""
    draw = random.Random(45)
    made = []
    for _ in range(CORPORA):
        size, many = draw.randint(1, 8), draw.randint(1, 3) if several else 1
        references = [
            [draw.choices(WORDS, k=draw.choice([0, 1, 2, 3, 4, 6, 9, 14])) for _ in range(many)]
            for _ in range(size)
        ]
        candidates = []
        for others in references:
            text = list(draw.choice(others))
            kind = draw.randrange(5)
            if kind == 0:
                text = draw.choices(WORDS, k=draw.randint(0, 8))
            elif kind == 1:
                draw.shuffle(text)
            elif kind == 2:
                text = [word if draw.random() < 0.7 else draw.choice(WORDS) for word in text]
            elif kind == 3:
                text = text[: draw.randint(0, len(text))] + text[:2] * draw.randint(0, 2)
            candidates.append(text)
        made.append((candidates, references))
    return made


def streams(references: list[list[list[str]]]) -> list[list[str]]:
    """The references as sacreBLEU wants them: all first ones, all second ones, …"""
    return [[" ".join(other) for other in column] for column in zip(*references, strict=True)]


def lines(candidates: list[list[str]]) -> list[str]:
    return [" ".join(text) for text in candidates]


def test_there_are_enough_cases_and_they_reach_the_edges():
    every = corpora()
    pairs = [pair for made in every for pair in zip(*made, strict=True)]
    assert len(pairs) >= 200
    assert sum(not text for text, _ in pairs) >= 10 and sum([] in others for _, others in pairs) >= 10
    assert sum(0 < len(text) < 4 for text, _ in pairs) >= 30
    scores = [texts.bleu(*made) for made in every]
    assert 0 in scores and max(scores) > 50


@pytest.mark.parametrize("smoothing", ["none", "exp", "floor", "add-k"])
@pytest.mark.parametrize("effective", [False, True])
def test_bleu_equals_sacrebleus(smoothing, effective):
    metric = sacrebleu.BLEU(tokenize="none", smooth_method=smoothing, effective_order=effective, force=True)
    for candidates, references in corpora():
        options = {"smoothing": smoothing, "effective_order": effective}
        expected = metric.corpus_score(lines(candidates), streams(references))
        assert texts.bleu(candidates, references, **options) == pytest.approx(expected.score, abs=1e-9)
        expected_each = [
            metric.sentence_score(" ".join(text), lines(others)).score
            for text, others in zip(candidates, references, strict=True)
        ]
        found = texts.bleu(candidates, references, each=True, **options)
        np.testing.assert_allclose(found, expected_each, atol=1e-9)


def test_its_defaults_are_sacrebleus():
    for candidates, references in corpora():
        expected = sacrebleu.corpus_bleu(lines(candidates), streams(references), tokenize="none", force=True)
        assert texts.bleu(candidates, references) == pytest.approx(expected.score, abs=1e-9)


@pytest.mark.parametrize("order", [1, 2, 3, 6])
def test_bleu_of_other_orders_and_smoothing_values(order):
    metric = sacrebleu.BLEU(
        tokenize="none", smooth_method="floor", smooth_value=0.3, max_ngram_order=order, force=True
    )
    for candidates, references in corpora():
        found = texts.bleu(candidates, references, order=order, smoothing="floor", smoothing_value=0.3)
        expected = metric.corpus_score(lines(candidates), streams(references)).score
        assert found == pytest.approx(expected, abs=1e-9)


@pytest.mark.filterwarnings("ignore")
def test_bleu_without_smoothing_equals_nltks():
    """On texts of at least four tokens: of shorter ones NLTK counts runs that are not there."""
    compared = 0
    for candidates, references in corpora():
        for text, others in zip(candidates, references, strict=True):
            if len(text) >= 4:
                expected = 100 * nltk.translate.bleu_score.sentence_bleu(others, text)
                assert texts.bleu([text], [others], smoothing="none") == pytest.approx(expected, abs=1e-6)
                compared += 1
    assert compared > 100


@pytest.mark.parametrize("word_order", [0, 1, 2])
def test_chrf_equals_sacrebleus(word_order):
    metric = sacrebleu.CHRF(word_order=word_order)
    for candidates, references in corpora():
        strings = [lines(others) for others in references]
        expected = metric.corpus_score(lines(candidates), streams(references)).score
        found = texts.chrf(lines(candidates), strings, word_order=word_order)
        assert found == pytest.approx(expected, abs=1e-9)
        each = texts.chrf(lines(candidates), strings, word_order=word_order, each=True)
        for score, text, others in zip(each, lines(candidates), strings, strict=True):
            assert score == pytest.approx(metric.sentence_score(text, others).score, abs=1e-9)


@pytest.mark.parametrize(("character_order", "beta"), [(1, 1), (3, 3), (6, 1)])
def test_chrf_of_other_orders_and_weights(character_order, beta):
    metric = sacrebleu.CHRF(char_order=character_order, beta=beta)
    for candidates, references in corpora():
        strings = [lines(others) for others in references]
        found = texts.chrf(lines(candidates), strings, character_order=character_order, beta=beta)
        expected = metric.corpus_score(lines(candidates), streams(references)).score
        assert found == pytest.approx(expected, abs=1e-9)


class SplitAlready:
    """A tokeniser for rouge-score that leaves tokens as they are."""

    def tokenize(self, text):
        return text.split()


def test_rouge_l_equals_googles():
    scorer = rouge_scorer.RougeScorer(["rougeL"], tokenizer=SplitAlready())
    for candidates, references in corpora():
        expected = [
            scorer.score_multi(lines(others), " ".join(text))["rougeL"].fmeasure
            for text, others in zip(candidates, references, strict=True)
        ]
        np.testing.assert_allclose(texts.rouge_l(candidates, references, each=True), expected, atol=1e-12)
        assert texts.rouge_l(candidates, references) == pytest.approx(np.mean(expected), abs=1e-12)


class NoStems:
    def stem(self, word):
        return word


class NoSynonyms:
    def synsets(self, word):
        return []


def test_meteor_like_equals_nltks_with_exact_matches():
    switches = {"preprocess": str, "stemmer": NoStems(), "wordnet": NoSynonyms()}
    for candidates, references in corpora():
        expected = [
            nltk.translate.meteor_score.meteor_score(others, text, **switches)
            for text, others in zip(candidates, references, strict=True)
        ]
        found = texts.meteor_like(candidates, references, each=True)
        np.testing.assert_allclose(found, expected, atol=1e-12)
        assert texts.meteor_like(candidates, references) == pytest.approx(np.mean(expected), abs=1e-12)


def test_cider_equals_the_coco_evaluations():
    for candidates, references in corpora():
        scorer = CiderScorer()
        for text, others in zip(candidates, references, strict=True):
            scorer += (" ".join(text), lines(others))
        if not any(token for others in references for other in others for token in other):
            continue  # it takes the greatest document frequency of none
        expected, expected_each = scorer.compute_score()
        found = texts.cider(candidates, references, each=True)
        np.testing.assert_allclose(found, expected_each, atol=1e-9)
        assert texts.cider(candidates, references) == pytest.approx(expected, abs=1e-9)


# By hand


def test_the_clipped_precision_of_the_paper():
    """Papineni et al. (2002), example 2: modified unigram precision 2/7."""
    text, references = ["the"] * 7, ["the cat is on the mat".split(), "there is a cat on the mat".split()]
    counts = texts.bleu_counts([text], [references])[0]
    assert counts.tolist() == [7, 7, 2, 0, 0, 0, 7, 6, 5, 4]
    assert texts.bleu([text], [references], order=1) == pytest.approx(100 * 2 / 7)


def test_the_brevity_penalty():
    reference = "a b c d e f g h".split()
    expected = 100 * np.exp(1 - 8 / 5)
    assert texts.bleu([reference[:5]], [reference]) == pytest.approx(expected)
    assert texts.bleu([[*reference, "z"]], [reference], order=1) == pytest.approx(100 * 8 / 9)


def test_the_nearest_length_and_of_two_the_shorter():
    counts = texts.bleu_counts([["a"] * 4], [[["a"] * 5, ["a"] * 3, ["a"] * 9]])
    assert counts[0, :2].tolist() == [4, 3]


def test_cider_of_one_picture_is_0_and_of_a_common_caption_too():
    assert texts.cider([["a", "dog"]], [["a", "dog"]]) == 0
    same = [["a", "dog"]] * 3
    assert texts.cider(same, same) == 0
    different = [["a", "dog"], ["two", "cats"]]
    assert texts.cider(different, different) == pytest.approx(5)  # no runs of 3 and 4: half of 10


def test_the_longest_common_subsequence():
    assert texts.longest_common_subsequence("police killed the gunman".split(), []) == 0
    assert texts.longest_common_subsequence(list("abcbdab"), list("bdcaba")) == 4


# Properties

TOKENS = st.lists(st.sampled_from("abc"), max_size=9)
SCORES = [texts.bleu, texts.rouge_l, texts.meteor_like, texts.cider]
HIGHEST = {texts.bleu: 100, texts.rouge_l: 1, texts.meteor_like: 1, texts.cider: 10}


@given(st.lists(st.tuples(TOKENS, st.lists(TOKENS, min_size=1, max_size=3)), min_size=1, max_size=4))
@settings(deadline=None)
def test_every_score_keeps_to_its_scale_and_gives_a_copy_the_most(corpus):
    candidates, references = [text for text, _ in corpus], [others for _, others in corpus]
    for score in SCORES:
        each = score(candidates, references, each=True)
        assert each.shape == (len(corpus),) and each.dtype == np.float64
        assert (each >= 0).all() and (each <= HIGHEST[score] + 1e-9).all()
        if score is not texts.cider:
            copied = score([others[0] for others in references], references, each=True)
            whole = [len(others[0]) >= 4 for others in references]
            assert copied[whole] == pytest.approx(HIGHEST[score], rel=0.01)  # METEOR counts one break
    strings = ["".join(text) for text in candidates]
    found = texts.chrf(strings, [["".join(other) for other in others] for others in references])
    assert 0 <= found <= 100 + 1e-9


@given(st.lists(st.tuples(TOKENS, TOKENS), min_size=1, max_size=6))
@settings(deadline=None)
def test_bleu_of_the_sum_of_counts_is_the_corpus_score(corpus):
    candidates, references = zip(*corpus, strict=True)
    counts = texts.bleu_counts(candidates, references)
    assert texts.bleu_of_counts(counts.sum(axis=0)) == texts.bleu(candidates, references)
    assert (counts[:, 2:6] <= counts[:, 6:]).all()
    twice = np.concatenate([counts, counts]).sum(axis=0)
    assert texts.bleu_of_counts(twice) == pytest.approx(texts.bleu(candidates * 2, references * 2), abs=1e-9)


@given(TOKENS, TOKENS)
@settings(deadline=None)
def test_one_reference_may_stand_alone_or_in_a_list(text, other):
    for score in SCORES:
        assert score([text], [other]) == score([text], [[other]]) or other == []


@given(st.text(alphabet="ab 红狗", max_size=12), st.text(alphabet="ab 红狗", max_size=12))
@settings(deadline=None)
def test_strings_with_tokenise_are_as_their_tokens(text, other):
    for score in SCORES:
        expected = score([tokenise(text)], [[tokenise(other)]])
        assert score([text], [other], tokenise=tokenise) == expected
        assert score([text], [[other]], tokenise=tokenise) == expected
    assert texts.chrf([text], [other]) == texts.chrf([join(tokenise(text))], [[other]])


def test_a_second_reference_can_only_help_bleu_s_matches_and_the_best_of_several():
    for candidates, references in corpora():
        one = [others[:1] for others in references]
        for score in (texts.rouge_l, texts.meteor_like):
            assert (score(candidates, references, each=True) >= score(candidates, one, each=True)).all()
        more = texts.bleu_counts(candidates, references)[:, 2:6]
        assert (more >= texts.bleu_counts(candidates, one)[:, 2:6]).all()


# What is refused


@pytest.mark.parametrize("score", [*SCORES, texts.chrf])
def test_what_does_not_fit_together_is_refused(score):
    with pytest.raises(ValueError, match="got 1 candidates and references for 2"):
        score(["a"], ["a", "b"])
    with pytest.raises(ValueError, match="no texts to score"):
        score([], [])
    with pytest.raises(ValueError, match="candidates must be a sequence of texts, got the single string"):
        score("a dog", "a dog")
    with pytest.raises(ValueError, match="text 1 has no reference"):
        options = {} if score is texts.chrf else {"tokenise": str.split}
        score(["a", "b"], [["a"], []], **options)


@pytest.mark.parametrize("score", SCORES)
def test_strings_are_not_taken_for_lists_of_letters(score):
    with pytest.raises(ValueError, match="text 0 is the string 'a dog', expected a list of tokens"):
        score(["a dog"], [["a", "dog"]])
    with pytest.raises(ValueError, match="text 0 is the string 'a dog'"):
        score([["a", "dog"]], ["a dog"])
    with pytest.raises(ValueError, match="text 0 is a list, expected a string: give tokens everywhere"):
        score([["a", "dog"]], ["a dog"], tokenise=str.split)


def test_chrf_takes_strings_or_tokens_but_no_mixture():
    for candidates, references in corpora()[:20]:
        strings = [lines(others) for others in references]
        for word_order in (0, 2):
            of_tokens = texts.chrf(candidates, references, word_order=word_order)
            assert of_tokens == texts.chrf(lines(candidates), strings, word_order=word_order)
    assert texts.chrf(["红狗"], ["红 狗"], word_order=2) < 100
    assert texts.chrf(["红狗"], ["红 狗"], word_order=2, tokenise=tokenise) == pytest.approx(100)
    with pytest.raises(ValueError, match="text 0 is the string 'a dog', expected a list of tokens"):
        texts.chrf([["a", "dog"]], ["a dog"])
    with pytest.raises(ValueError, match="text 0 is a list, expected a string"):
        texts.chrf(["a dog"], [[["a", "dog"]]])


def test_other_options_that_are_refused():
    with pytest.raises(ValueError, match="unknown smoothing 'best'"):
        texts.bleu([["a"]], [["a"]], smoothing="best")
    with pytest.raises(ValueError, match="at least 1 token, got 0"):
        texts.bleu([["a"]], [["a"]], order=0)
    with pytest.raises(ValueError, match=r"\(2, 10\): add up the rows"):
        texts.bleu_of_counts(np.zeros((2, 10)))


def test_the_names_of_the_package_are_all_there():
    assert set(texts.__all__) <= set(vars(texts))
    assert all(callable(getattr(texts, name)) for name in itertools.chain(texts.__all__))
