"""What the encoder sees, where questions look, and what is painted over."""

import keras
import numpy as np
import pytest

from mmcourse.data import questions, scenes
from mmcourse.data.things import THINGS
from mmcourse.generator import scene_looks, scene_scores
from mmcourse.generator import scenes as task
from mmcourse.mathematics.attention import softmax

TINY = task.Configuration(
    channels=(4, 4, 4, 4), width=16, heads=2, depth=2, hidden=16, epochs=1, steps=1, batch_size=2
)

pytestmark = pytest.mark.usefixtures("float32")


@pytest.fixture(scope="module")
def model():
    keras.config.set_dtype_policy("float32")
    return task.build(TINY).generator


@pytest.fixture(scope="module")
def exam():
    return task.Exam.draw("seen", 8)


def test_the_nearest_name_is_that_of_training(model, exam):
    """An encoder that sees the very vectors of names is always right, in every language."""
    table = np.array(model.token_embedding.embeddings.value)

    class Perfect:
        def look(self, images):
            seen = np.zeros((len(images), 9, TINY.width), np.float32)
            for row, scene in enumerate(exam.scenes):
                for thing, place in zip(scene.things, scene.places, strict=True):
                    ids = model.vocabulary.ids_of(questions.name_of(thing, "fr"))
                    seen[row, place] = 3 * table[ids].mean(axis=0)
            return seen.reshape(-1, 3, 3, TINY.width) + 1e-9

    class Sighted:
        encoders, vocabulary, token_embedding = {"image": Perfect()}, model.vocabulary, model.token_embedding

    items = sum(len(scene.things) for scene in exam.scenes if not scene.portrait)
    assert scene_looks.seen_rightly(Sighted, exam, "fr").tolist() == [True] * items
    assert scene_looks.seen_rightly(model, exam, "fr").mean() < 0.5
    names = scene_looks.nearest_names(model, exam.images, "zh")
    assert names.shape == (len(exam.images), 9) and set(names.flat) <= {thing.chinese for thing in THINGS}


def test_the_composer_reads_each_picture_once_and_answers_the_same():
    exam = task.Exam.draw("seen", 4)
    rival = scene_scores.SpriteRival()
    expected = [
        rival.answer(image, scene, question) == question.answer
        for image, scene, some in zip(exam.images, exam.scenes, exam.questions, strict=True)
        for question in some
    ]
    np.testing.assert_array_equal(scene_looks.composed(exam), expected)


def test_prompts_look_as_the_first_block_says(model, exam):
    """By hand: queries and keys of the tokens after the block's normalisation."""
    images, prompt = exam.images[:2], "where is the cat"
    tokens, weights = scene_looks.prompt_looks(model, images, [prompt] * 2)
    assert tokens == [["where", "is", "the", "cat"]] * 2
    side = model.encoders["image"].side
    assert weights.shape == (TINY.depth, 2, TINY.heads, task.PROMPT_LENGTH, side, side)
    ids = model.encode_prompts([prompt] * 2)
    media = np.array(model.embed_media({"image": images, "prompt": ids})[0])
    text = np.array(model.embed_text(ids[:, :4], np.tile(np.arange(4), (2, 1))))
    hidden = np.concatenate([media, text], axis=1)
    block = model.blocks[0]
    mean, spread = hidden.mean(-1, keepdims=True), hidden.std(-1, keepdims=True)
    normal = (hidden - mean) / np.sqrt(spread**2 + 1e-6)
    kernel = block.attention.project_in.get_weights()[0]
    queries, keys = (
        (normal @ kernel[:, first : first + TINY.width]).reshape(2, -1, TINY.heads, TINY.width // TINY.heads)
        for first in (0, TINY.width)
    )
    scores = np.einsum("bqhd,bkhd->bhqk", queries, keys) / np.sqrt(TINY.width / TINY.heads)
    cat = scores.shape[-1] - 1
    scores[..., cat, cat] = -np.inf  # not at itself
    expected = softmax(scores[:, :, cat])[..., : side**2]
    np.testing.assert_allclose(weights[0, :, :, 3].reshape(2, TINY.heads, -1), expected, atol=1e-5)


def test_the_search_is_that_of_the_name(model, exam):
    scene = scenes.compose({"top left": "cat", "middle": "fire engine"})
    engine = scene.things[1]
    asked = [
        questions.Question("where", "en", "where is the fire engine", "middle", thing=engine),
        questions.Question("count", "zh", "有几辆消防车", "一辆", thing=engine),
    ]
    images = scenes.draw([scene] * 2)
    found = scene_looks.search(model, images, asked)
    tokens, weights = scene_looks.prompt_looks(model, images, [one.prompt for one in asked])
    for row, name in enumerate((["fire", "engine"], list("消防车"))):
        places = [place for place, token in enumerate(tokens[row]) if token in name]
        assert len(places) == len(name)
        np.testing.assert_allclose(found[:, row], weights[:, row][:, :, places].mean(axis=2))
    with pytest.raises(ValueError, match="what do you see"):
        scene_looks.search(model, images[:1], [questions.Question("describe", "en", "what do you see", "")])


def test_painting_is_the_scene_without_the_thing(exam):
    drawn, images = exam.scenes[:8], exam.images[:8]
    cells = [scene.places[0] for scene in drawn]
    without = [
        scenes.Scene(
            *(getattr(scene, name)[1:] for name in ("things", "places", "sizes", "corners")), scene.ground
        )
        for scene in drawn
    ]
    np.testing.assert_array_equal(scene_looks.painted(images, drawn, cells), scenes.draw(without))
    assert (images != scene_looks.painted(images, drawn, cells)).any()


def test_cells_of_what_is_asked_for_and_others(exam):
    asked, drawn, images, cells = scene_looks.questions_for_a_place(exam, 5)
    assert len(asked) == len(drawn) == len(images) == len(cells) <= 5
    others = scene_looks.other_cells(drawn, cells)
    for row, (question, scene) in enumerate(zip(asked, drawn, strict=True)):
        assert scenes.PLACE_NAMES["en"][cells[row]] == question.answer
        np.testing.assert_array_equal(images[row], scenes.draw([scene])[0])
        assert scene.at(others["another thing"][row]) not in (None, question.thing)
        assert scene.at(others["an empty cell"][row]) is None
