"""Scenes and questions: splits keep their word, pictures show what they should, answers are true."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcourse.data import emoji, questions, scenes
from mmcourse.data.things import THINGS
from mmcourse.text import Vocabulary

seeds = st.integers(0, 2**32 - 1)


def test_things_have_names_of_their_own():
    assert len(THINGS) >= 150
    for field in ("text", "english", "plural", "chinese"):
        assert len({getattr(thing, field) for thing in THINGS}) == len(THINGS) or field == "plural"
    assert all(len(thing.measure) == 1 for thing in THINGS)
    assert [THINGS[0].article, next(t.article for t in THINGS if t.english == "owl")] == ["a dog", "an owl"]


@pytest.mark.parametrize("split", scenes.SPLITS)
@settings(deadline=None, max_examples=50)
@given(seed=seeds)
def test_a_split_shows_what_it_says(split, seed):
    scene = scenes.draw_scene(split, np.random.default_rng(seed))
    pairs, lacking = scenes.held_out()
    counts = scene.counts
    apart = any(pairs[a, b] for a in counts for b in counts)
    uncounted = any(lacking[thing] == count for thing, count in counts.items())
    assert apart == (split == "unseen_pairs")
    assert uncounted == (split == "unseen_counts")
    assert (len(scene.things) > 4) == (split == "more_things")
    assert len(set(scene.places)) == len(scene.places) == len(scene.things)


def test_held_out_shares():
    pairs, lacking = scenes.held_out()
    assert (pairs == pairs.T).all() and not pairs.diagonal().any()
    assert abs(pairs.mean() - scenes.HELD_OUT_PAIRS) < 0.02
    assert (lacking > 0).sum() == len(THINGS) // 2 and set(lacking) == {0, *scenes.COUNTED}


@settings(deadline=None, max_examples=50)
@given(seed=seeds)
def test_each_thing_is_drawn_in_its_cell(seed):
    random = np.random.default_rng(seed)
    scene = scenes.draw_scene("train", random)
    picture = scenes.draw([scene])[0]
    assert picture.shape == (scenes.SIDE, scenes.SIDE, 3) and picture.dtype == np.uint8
    changed = (picture != scenes.GROUNDS[scene.ground]).any(axis=-1)
    by_cell = changed.reshape(3, scenes.CELL, 3, scenes.CELL).any(axis=(1, 3)).ravel()
    assert set(np.flatnonzero(by_cell)) == set(scene.places)


@pytest.mark.parametrize("artist", emoji.ARTISTS)
def test_a_thing_looks_as_its_emoji(artist):
    thing = next(i for i, thing in enumerate(THINGS) if thing.english == "apple")
    scene = scenes.Scene((thing,), (-1,), (scenes.PORTRAIT,), ((3, 7),))
    picture = scenes.draw([scene], artist)[0].astype(int)
    expected = emoji.picture_of("\N{RED APPLE}", scenes.PORTRAIT, artist).astype(int)
    assert np.abs(picture[3 : 3 + scenes.PORTRAIT, 7 : 7 + scenes.PORTRAIT] - expected).mean() < 2
    assert (picture[:3] == 255).all()


def test_the_ground_shines_through_and_white_things_stay_white():
    snowman = next(i for i, thing in enumerate(THINGS) if thing.english == "snowman")
    scene = scenes.Scene((snowman,), (-1,), (scenes.PORTRAIT,), ((0, 0),), ground=1)
    picture = scenes.draw([scene])[0]
    assert (picture[-1, -1] == scenes.GROUNDS[1]).all()
    white, ground = (225, 232, 237), scenes.GROUNDS[1].astype(float)  # Twemoji's snow is a little grey
    assert (np.abs(picture[30:55, 20:45] - np.array(white)).max(axis=-1) < 3).any()
    assert np.abs(np.array(white) - ground).max() > 10


def test_compose():
    scene = scenes.compose({"top left": "cat", "middle right": "\N{RED APPLE}"})
    assert scene.places == (0, 5)
    assert [THINGS[thing].english for thing in scene.things] == ["cat", "apple"]
    assert scenes.compose({"middle": "cat"}, seed=1) == scenes.compose({"middle": "cat"}, seed=1)
    with pytest.raises(ValueError, match=r"unknown place 'nowhere'.*top left"):
        scenes.compose({"nowhere": "cat"})
    with pytest.raises(ValueError, match=r"unknown thing 'unicorn'.*dog"):
        scenes.compose({"top left": "unicorn"})
    with pytest.raises(ValueError, match="at least one thing"):
        scenes.compose({})
    with pytest.raises(ValueError, match="unknown split 'dev'"):
        scenes.draw_scene("dev", np.random.default_rng(0))


SCENE = scenes.compose({"top left": "cat", "top middle": "owl", "middle": "owl", "bottom right": "apple"})


@pytest.mark.parametrize(
    "language, expected",
    [("en", "a cat , two owls and an apple"), ("zh", "一只猫、两只猫头鹰和一个苹果")],
)
def test_description_by_hand(language, expected):
    assert questions.description(SCENE, language) == expected


def test_left_neighbours_by_hand():
    names = {n: t.english for n, t in enumerate(THINGS)}
    assert questions.left_neighbours(SCENE) == {}  # the owl stands twice
    scene = scenes.compose(
        {"top left": "cat", "top middle": "owl", "top right": "owl", "bottom right": "key"}
    )
    assert questions.left_neighbours(scene) == {}
    scene = scenes.compose({"top left": "cat", "top middle": "dog", "middle": "owl", "middle right": "key"})
    found = {names[a]: names[b] for a, b in questions.left_neighbours(scene).items()}
    assert found == {"dog": "cat", "key": "owl"}


def _thing_in(prompt: str, language: str) -> int:
    """The thing that a prompt names: the longest name that stands in it."""
    forms = [
        (name, number)
        for number, thing in enumerate(THINGS)
        for name in ((thing.english, thing.plural) if language == "en" else (thing.chinese,))
    ]
    padded = f" {prompt} "
    found = [
        (len(name), number)
        for name, number in forms
        if (f" {name} " in padded if language == "en" else name in prompt)
    ]
    return max(found)[1]


@settings(deadline=None, max_examples=50)
@given(seed=seeds, language=st.sampled_from(questions.LANGUAGES), unseen=st.booleans())
def test_answers_are_true(seed, language, unseen):
    random = np.random.default_rng(seed)
    scene = scenes.draw_scene("seen", random)
    counts = scene.counts
    places = questions.PLACE_NAMES[language]
    for task in questions.TASKS:
        question = questions.ask(scene, task, language, random, unseen)
        if question is None:
            continue
        if task == "describe":
            assert question.answer == questions.description(scene, language)
            continue
        if question.guesses:
            assert question.answer in question.guesses
            assert np.mean([guess == question.answer for guess in question.guesses]) <= 0.5
        if task == "at":
            place = max((name for name in places if name in question.prompt), key=len)
            thing = scene.at(places.index(place))
            assert question.answer == questions.number_of(thing, 1, language)
            continue
        thing = _thing_in(question.prompt, language)
        if task == "count":
            assert question.answer == questions.count_answer(thing, counts.get(thing, 0), language)
        if task == "exist":
            assert question.answer == questions.YES_NO[language][thing not in counts]
        if task == "where":
            assert scene.at(places.index(question.answer)) == thing and counts[thing] == 1
        if task == "left_of":
            left = scene.at(scene.places[scene.things.index(thing)] - 1)
            assert question.answer == questions.number_of(left, 1, language)


@settings(deadline=None, max_examples=50)
@given(seed=seeds)
def test_portraits_are_named_in_fourteen_languages(seed):
    random = np.random.default_rng(seed)
    scene = scenes.draw_portrait(random)
    assert scene.portrait and questions.ask(scene, "where", "en", random) is None
    thing = scene.things[0]
    assert questions.ask(scene, "name", "zh", random).answer == THINGS[thing].chinese
    question = questions.ask(scene, "name_in", "en", random)
    code = next(code for code, name in emoji.LANGUAGES.items() if question.prompt.endswith(f" {name}"))
    assert question.answer == questions.name_of(thing, code)


def test_wordings_that_are_held_out_are_never_trained_with_and_hold_known_words():
    for language in questions.LANGUAGES:
        known = []
        for task, wordings in questions.WORDINGS[language].items():
            assert len(wordings) > questions.KNOWN[task] >= 3
            known += wordings[: questions.KNOWN[task]]
        vocabulary = Vocabulary.from_texts(text.replace("{", " {").replace("}", "} ") for text in known)
        for task, wordings in questions.WORDINGS[language].items():
            for text in wordings[questions.KNOWN[task] :]:
                spaced = text.replace("{", " {").replace("}", "} ")
                assert not vocabulary.unknown_tokens(spaced), (task, text)
                assert text not in known


@settings(deadline=None, max_examples=50)
@given(seed=seeds, language=st.sampled_from(questions.LANGUAGES), split=st.sampled_from(scenes.SPLITS))
def test_the_vocabulary_holds_every_word(seed, language, split):
    random = np.random.default_rng(seed)
    vocabulary = Vocabulary.from_texts(questions.every_text())
    for scene in (scenes.draw_scene(split, random), scenes.draw_portrait(random)):
        for task in questions.TASKS:
            for unseen in (False, True):
                question = questions.ask(scene, task, language, random, unseen)
                if question is not None:
                    assert not vocabulary.unknown_tokens(question.prompt)
                    assert not vocabulary.unknown_tokens(question.answer)
