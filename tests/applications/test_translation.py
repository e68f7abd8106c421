"""Headlines: what is open, what is held out; the translator's batches, pictures and rivals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcourse.applications import translation
from mmcourse.data import emoji, headlines
from mmcourse.data.headlines import LANGUAGES, Frame, Headline

FEW = settings(max_examples=25, deadline=None)
SEEDS = st.integers(0, 2**32 - 1)
TESTS = headlines.test_headlines()


def headline(verb, english, number=0, agent=0, time=0):
    verbs = {row[0]: row for row in (*headlines.VERBS, *headlines.TELLING)}
    frame = Frame(headlines.AGENTS[agent], verbs[verb], headlines.TIMES[time])
    return Headline(frame, headlines.meanings_of(english)[number])


def test_three_languages_by_hand():
    first = headline("shows", "bat", time=1)
    assert first.english == "Museum shows bat today"
    assert first.translation("Chinese") == "博物馆今天展示蝙蝠"
    assert first.translation("German") == "Museum zeigt heute Fledermaus"
    assert headline("shows", "bat", 1).translation("German") == "Museum zeigt Schläger"


@pytest.mark.parametrize(
    ("verb", "english", "chinese", "german"),
    [
        ("shows", "bat", True, True),
        ("shows", "mouse", True, False),  # Maus in both meanings
        ("shows", "teacher", False, True),  # 老师 is a man or a woman
        ("shows", "dog", False, False),
        ("feeds", "bat", False, False),  # the verb decides
        ("eats", "rice", False, False),
    ],
)
def test_what_is_open_depends_on_the_sentence_and_the_language(verb, english, chinese, german):
    one = headline(verb, english)
    assert (one.is_open("Chinese"), one.is_open("German")) == (chinese, german)


def test_the_true_meaning_is_always_possible_and_telling_verbs_leave_one_word():
    for one in TESTS:
        assert one.meaning in one.possible
        if one.frame.telling:
            assert not any(one.is_open(language) for language in LANGUAGES)


def test_frames_of_the_test_are_new_but_their_parts_are_not():
    train, test = headlines.frames("train"), headlines.frames("test")
    pairs = [{(frame.agent, frame.verb) for frame in part} for part in (train, test)]
    assert pairs[0] and pairs[1] and not pairs[0] & pairs[1]
    for part in ("agent", "verb", "time"):
        assert {getattr(frame, part) for frame in test} <= {getattr(frame, part) for frame in train}
    assert {one.frame for one in TESTS} <= set(test)
    assert all(any(one.meaning == meaning for one in TESTS) for meaning in headlines.meanings())


def test_meanings_are_told_apart_somewhere_and_the_first_is_the_common_one():
    for word in {meaning.english for meaning in headlines.meanings()}:
        same = headlines.meanings_of(word)
        if len(same) > 1:
            assert any(len({one.words[language] for one in same}) > 1 for language in LANGUAGES)
            assert all(same[0].weight == headlines.COMMON * one.weight for one in same[1:])
            shown = [one for meaning in same for one in meaning.emoji]
            assert len(shown) == len(set(shown)), f"{word}: a picture of two meanings decides nothing"


def test_every_telling_verb_names_words_of_the_corpus():
    known = {meaning.words["Chinese"] for meaning in headlines.meanings()}
    for objects in headlines.TELLING.values():
        assert set(objects.split()) <= known


def test_every_picture_exists_by_both_artists():
    for one in headlines.drawings():
        for artist in emoji.ARTISTS:
            assert emoji.picture_of(one, 8, artist).shape == (8, 8, 3)


def test_every_text_fits_and_no_word_is_unknown():
    words, (prompts, answers) = translation.vocabulary(), translation._lengths()
    for language in LANGUAGES:
        asked = words.encode([translation.prompt(one, language) for one in TESTS], prompts)
        written = words.encode([one.translation(language) for one in TESTS], answers, end=True)
        assert not (asked == 3).any() and not (written == 3).any()
        assert words.decode(written) == [one.translation(language) for one in TESTS]


@given(SEEDS, st.sampled_from(translation.SHOWN))
@FEW
def test_pictures_beside_headlines(seed, kind):
    random = np.random.default_rng(seed)
    chosen = [TESTS[row] for row in random.integers(len(TESTS), size=20)]
    shown = translation.shown_beside(chosen, kind, random)
    assert len(shown) == 20
    own = [one in headline.meaning.emoji for one, headline in zip(shown, chosen, strict=True)]
    if kind == "right":
        assert all(own)
    elif kind == "other":
        assert not any(own)
        for one, headline in zip(shown, chosen, strict=True):
            same = headlines.meanings_of(headline.meaning.english)
            assert len(same) == 1 or any(one in meaning.emoji for meaning in same)
    elif kind == "none":
        assert set(shown) == {""}


def test_pictures_beside_the_tests_are_the_same_each_time():
    assert translation.beside_tests("another's") == translation.beside_tests("another's")


@pytest.fixture
def seen(monkeypatch):
    """Features in which each emoji is an axis of its own, in place of a network's."""
    rows = np.eye(len(headlines.drawings()), translation.CHANNELS, dtype=np.float32)
    table = {one: row[None] for one, row in zip(headlines.drawings(), rows, strict=True)}
    monkeypatch.setattr(translation, "features", lambda artist="twemoji": table)
    return table


@given(st.sampled_from(["right", "other"]), SEEDS)
@FEW
def test_training_headlines_come_from_the_training_frames(kind, seed):
    configuration = translation.Configuration(pictured=1.0, misled=1.0 if kind == "other" else 0.0)
    draws = object.__new__(translation.Draws)
    draws.configuration, draws.meanings = configuration, headlines.meanings()
    draws.chances = np.full(len(draws.meanings), 1 / len(draws.meanings))
    frames = headlines.frames("train")
    draws.general = [frame for frame in frames if not frame.telling]
    draws.telling = [
        [frame for frame in frames if frame.telling and headlines.fits(meaning, frame)]
        for meaning in draws.meanings
    ]
    headline, language, shown = draws.draw(np.random.default_rng(seed))
    assert headline.frame in frames and headlines.fits(headline.meaning, headline.frame)
    several = len(headlines.meanings_of(headline.meaning.english)) > 1
    misled = kind == "other" and headline.frame.telling and several
    assert (shown in headline.meaning.emoji) != misled and language in LANGUAGES


def test_training_begins_anew_each_time(seen):
    configuration = translation.Configuration(width=8, heads=2, depth=1, hidden=8, steps=2, batch_size=4)
    model = translation.build(configuration, translation.Draws(configuration))
    first = translation.train(model, configuration)
    assert translation.train(model, configuration) == pytest.approx(first, rel=1e-4)  # from the beginning


def test_text_only_draws_show_nothing(seen):
    draws = translation.Draws(translation.ARMS["text only"])
    inputs, answer = draws.make(np.arange(6), np.random.default_rng(0))
    assert inputs["image"].shape == (6, 1, translation.CHANNELS) and not inputs["image"].any()
    assert np.array_equal(inputs["answer"], answer)


def test_the_nearest_picture_decides_and_without_one_the_common_meaning(seen):
    right = translation.beside_tests("right")
    for language in LANGUAGES:
        texts = translation.nearest(TESTS, language, right, "twemoji")
        assert texts == [one.translation(language) for one in TESTS]
        texts = translation.nearest(TESTS, language, [""] * len(TESTS), "twemoji")
        assert texts == [one.translation(language, one.possible[0]) for one in TESTS]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: TESTS[0].translation("French"), "unknown language"),
        (lambda: TESTS[0].is_open("French"), "unknown language"),
        (lambda: headlines.frames("validation"), "'train' or 'test'"),
        (lambda: headlines.test_headlines(0), "1 to 32"),
        (lambda: translation.features("nobody"), "artist must be one of"),
        (lambda: translation.stack(["🦄"], {}), "no features of"),
        (lambda: translation.prompt(TESTS[0], "French"), "unknown language"),
        (lambda: translation.shown_beside(TESTS[:2], "wrong", np.random.default_rng(0)), "kind must be"),
        (lambda: translation.load_trained("both"), "unknown arm"),
        (lambda: translation.translate(None, TESTS[:2], "German", [""]), "one emoji for each"),
    ],
)
def test_errors_say_what_was_expected(call, words):
    with pytest.raises(ValueError, match=words):
        call()
