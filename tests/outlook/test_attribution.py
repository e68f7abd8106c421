"""Maps whose values can be worked out, a small untrained generator, and attacks on a score that is known."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from mmcourse.data import scenes
from mmcourse.encoders.grid import GridEncoder
from mmcourse.generator.model import MultimodalGenerator, Settings
from mmcourse.outlook import attribution

WORDS = ("where", "is", "the", "cat", "top", "left", "middle")


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    encoder = GridEncoder(96, (4, 4, 4, 4), 16, name="image_encoder")
    size = Settings(width=16, heads=2, depth=2, hidden=16, prompt_length=6, answer_length=8, tied=True)
    found = MultimodalGenerator({"image": encoder}, WORDS, size)
    found.build()
    return found


@pytest.fixture(scope="module")
def asked(model):
    return attribution.Asked(model, compiled=False)


def pictures(number=3, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (number, 96, 96, 3)).astype(np.float64)


QUESTIONS = (["where is the cat"] * 3, ["top left", "middle", "left"])


def test_grad_cam_of_two_channels():
    features = np.array([[[4.0, 0.0], [0.0, 2.0]], [[0.0, 2.0], [0.0, 4.0]]])
    gradients = np.array([[[1.0, -1.0], [0.0, -1.0]], [[1.0, 0.0], [2.0, 0.0]]])  # means 1 and -0.5
    assert attribution.grad_cam(features, gradients).tolist() == [[4, 0], [0, 0]]
    many = np.stack([features, 2 * features]), np.stack([gradients, gradients])
    assert attribution.grad_cam(*many)[1].tolist() == [[8, 0], [0, 0]]


@pytest.mark.parametrize("shapes", [((2, 2, 3), (2, 2, 4)), ((2, 3), (2, 3))])
def test_grad_cam_refuses_other_shapes(shapes):
    with pytest.raises(ValueError, match="rows, columns, channels"):
        attribution.grad_cam(*(np.ones(shape) for shape in shapes))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_integrated_gradients_share_out_a_polynomial_exactly(seed):
    random = np.random.default_rng(seed)
    matrix = random.normal(size=(4, 4))
    inputs, baseline = random.normal(size=4), random.normal(size=4)
    # The gradient of a quadratic form is linear along the path: one midpoint is exact.
    found = attribution.integrated_gradients(lambda x: (matrix + matrix.T) @ x, inputs, baseline, steps=1)
    assert found.sum() == pytest.approx(inputs @ matrix @ inputs - baseline @ matrix @ baseline)


def test_integrated_gradients_of_an_input_that_does_not_matter_are_0():
    found = attribution.integrated_gradients(
        lambda x: np.array([np.cos(x[0]), 0.0]), np.array([2.0, 5.0]), 0.0, 50
    )
    assert found[1] == 0 and found[0] == pytest.approx(np.sin(2), abs=1e-3)
    with pytest.raises(ValueError, match="baseline must fit"):
        attribution.integrated_gradients(lambda x: x, np.ones(3), np.ones(2))
    with pytest.raises(ValueError, match="steps"):
        attribution.integrated_gradients(lambda x: x, np.ones(3), 0, steps=0)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), depth=st.integers(1, 4))
def test_rollout_keeps_rows_that_add_up_to_1(seed, depth):
    weights = np.random.default_rng(seed).dirichlet(np.ones(5), size=(depth, 2, 5))
    found = attribution.rollout(weights)
    np.testing.assert_allclose(found.sum(axis=-1), 1)
    assert attribution.rollout(np.tile(np.eye(5), (depth, 1, 1))).tolist() == np.eye(5).tolist()


def test_rollout_goes_from_the_first_block_to_the_last():
    first, second = np.array([[1.0, 0], [1, 0]]), np.array([[0.0, 1], [0, 1]])
    # First block: token 1 becomes half token 0. Second block: token 0 becomes half token 1.
    assert attribution.rollout(np.stack([first, second])).tolist() == [[0.75, 0.25], [0.5, 0.5]]
    with pytest.raises(ValueError, match="tokens, tokens"):
        attribution.rollout(np.ones((2, 3)))


def test_edges_and_cells():
    picture = np.zeros((2, 96, 96, 3))
    picture[0, 70:80, 40:50] = picture[1, 10:20, 10:20] = 255  # bottom middle, top left
    cells = attribution.by_cell(attribution.edges(picture))
    assert cells.shape == (2, 9) and cells.argmax(axis=1).tolist() == [7, 0]
    assert np.array_equal(cells.sum(axis=1), cells.max(axis=1)), "no picture knows of the other"
    assert attribution.by_cell(np.arange(9.0).reshape(1, 3, 3)).tolist() == [list(range(9))]
    for shape in ((3, 3), (1, 4, 4), (1, 3, 6)):
        with pytest.raises(ValueError, match="multiple of 3"):
            attribution.by_cell(np.ones(shape))


def test_gradients_are_those_of_the_score(asked):
    images = pictures()
    found = asked.measure(images, *QUESTIONS)
    assert found.by_pixels.shape == images.shape and found.seen.shape == found.by_seen.shape == (3, 3, 3, 16)
    direction = np.random.default_rng(1).normal(size=images.shape)
    ahead, behind = (asked.measure(images + sign * direction, *QUESTIONS).scores for sign in (1, -1))
    expected = (found.by_pixels * direction).sum(axis=(1, 2, 3))
    np.testing.assert_allclose((ahead - behind) / 2, expected, rtol=0.05, atol=2e-3)
    assert np.array_equal(asked.gradient(*QUESTIONS)(images), found.by_pixels)


def test_more_pictures_than_a_batch_and_one_by_one_are_the_same(asked):
    images = pictures(attribution.BATCH + 1)
    prompts, answers = ["where is the cat"] * len(images), ["top left"] * len(images)
    found = asked.measure(images, prompts, answers)
    assert found.scores.shape == (len(images),)
    last = asked.measure(images[-1:], prompts[-1:], answers[-1:])
    np.testing.assert_allclose(found.scores[-1:], last.scores, rtol=1e-4)
    with pytest.raises(ValueError, match="for each picture"):
        asked.measure(images, prompts, answers[1:])


def test_what_is_written_is_the_likeliest_token_by_token(model, asked, monkeypatch):
    images, prompts = pictures(2, seed=3), model.encode_prompts(["where is the cat"] * 2)
    ids = np.zeros((2, attribution.ANSWER_TOKENS), dtype=np.int32)
    for place in range(3):
        logits = model({"image": images, "prompt": prompts, "answer": ids})
        ids[:, place] = keras.ops.convert_to_numpy(logits)[:, place, 1:].argmax(axis=-1) + 1
    logits = keras.ops.convert_to_numpy(model({"image": images, "prompt": prompts, "answer": ids}))
    best = (logits.argmax(axis=-1) == ids)[:, :3].all(axis=1)  # not where padding would be likelier
    monkeypatch.setattr(asked, "encode", lambda *texts: (prompts, ids))
    assert np.array_equal(asked.measure(images, ["?"] * 2, ["?"] * 2).written, best)
    ids[:, 1] = (ids[:, 1] + 1) % 5 + 3
    assert not asked.measure(images, ["?"] * 2, ["?"] * 2).written.any()


@pytest.mark.parametrize(("token", "text"), [("cat", "cat cat cat cat cat cat"), ("<end>", "")])
def test_the_likeliest_tokens_are_written(model, asked, token, text):
    before = model.word_bias.numpy()
    try:
        model.word_bias.assign(1e4 * (np.array(model.vocabulary.tokens) == token))
        assert asked.write(pictures(), QUESTIONS[0]) == [text] * 3
    finally:
        model.word_bias.assign(before)


def test_attention_of_all_tokens(asked):
    weights, writes = asked.attention(pictures(), *QUESTIONS)
    tokens = 9 + 6 + attribution.ANSWER_TOKENS
    assert weights.shape == (2, 3, 2, tokens, tokens) and writes.shape == (3, tokens)
    np.testing.assert_allclose(weights.sum(axis=-1), 1)
    assert (weights[..., :9, 9:] == 0).all(), "the picture does not see the text"
    assert writes.sum(axis=1).tolist() == [3, 2, 2] and not writes[:, :15].any()


@pytest.mark.parametrize("part", attribution.PARTS)
def test_weights_are_shuffled_and_come_back(model, part):
    before = [variable.numpy().copy() for variable in model.trainable_variables]
    encoder = {id(variable) for variable in model.encoders["image"].variables}
    with pytest.raises(RuntimeError), attribution.shuffled_weights(model, part, seed=1):
        for variable, values in zip(model.trainable_variables, before, strict=True):
            assert np.array_equal(np.sort(variable.numpy().ravel()), np.sort(values.ravel()))
            inside = part == "all" or (id(variable) in encoder) == (part == "encoder")
            if len(np.unique(values)) > 10:
                assert inside != np.array_equal(variable.numpy(), values)
        raise RuntimeError("even after an error")
    for variable, values in zip(model.trainable_variables, before, strict=True):
        assert np.array_equal(variable.numpy(), values)


def test_an_unknown_part_is_refused(model):
    with pytest.raises(ValueError, match="encoder, decoder, all"), attribution.shuffled_weights(model, "eye"):
        pass


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), epsilon=st.floats(0, 40), steps=st.sampled_from([1, 2, 5]))
def test_an_attack_stays_within_its_limits_and_lowers_a_linear_score_most(seed, epsilon, steps):
    random = np.random.default_rng(seed)
    weights, images = random.normal(size=(4, 4, 3)), random.uniform(0, 255, (2, 4, 4, 3))
    found = attribution.attack(lambda x: np.broadcast_to(weights, x.shape), images, epsilon, steps, seed)
    assert np.abs(found - images).max() <= epsilon + 1e-9 and found.min() >= 0 and found.max() <= 255
    best = np.clip(images - epsilon * np.sign(weights), 0, 255)
    if steps == 1:
        np.testing.assert_allclose(found, best)
    elif steps == 5:  # after four steps and more the corner is reached from any beginning: 6 thirds
        assert ((found - best) * weights).sum() <= 0.4 * epsilon * np.abs(weights).sum() * 2


@pytest.mark.parametrize(("task", "split"), [("where", "seen"), ("at", "unseen_artist")])
def test_a_question_is_about_its_cell(task, split):
    sample = attribution.draw_questions(task, 5, seed=2, split=split)
    assert sample.images.shape == sample.empty.shape == (5, 96, 96, 3)
    names = scenes.PLACE_NAMES["en"]
    for row, (scene, question, cell) in enumerate(zip(sample.drawn, sample.asked, sample.cells, strict=True)):
        assert question.about(scene) == sample.answers[row] and sample.things[row, cell]
        if task == "where":
            assert sample.answers[row] == names[cell] and scene.counts[scene.at(cell)] == 1
        else:
            assert names[cell] in sample.prompts[row]
    assert sample.things.sum(axis=1).tolist() == [len(scene.things) for scene in sample.drawn]
    changed = (sample.painted(sample.cells) != sample.images).any(axis=-1).astype(float)
    assert np.array_equal(attribution.by_cell(changed).argmax(axis=1), sample.cells)
    again = attribution.draw_questions(task, 5, seed=2, split=split)
    assert np.array_equal(again.images, sample.images) and again.prompts == sample.prompts
    with pytest.raises(ValueError, match="where"):
        attribution.draw_questions("describe", 1)


def test_wrong_attacks_are_refused():
    images = np.zeros((1, 2, 2, 3))
    with pytest.raises(ValueError, match="epsilon"):
        attribution.attack(lambda x: x, images, -1)
    with pytest.raises(ValueError, match="steps"):
        attribution.attack(lambda x: x, images, 1, steps=0)


def test_a_sticker_changes_the_corner_of_its_cell_alone():
    images = np.full((2, 96, 96, 3), 200, dtype=np.uint8)
    found = attribution.stick(images, [0, 5], np.full((10, 10, 3), 128))
    changed = (found != images).any(axis=-1)
    assert changed.sum() == 200 and changed[0, 22:32, 22:32].all() and changed[1, 54:64, 86:96].all()
    assert (images == 200).all() and (found[changed] == 128).all()
    for size, cell in ((33, 0), (0, 0), (4, 9), (4, -1)):
        with pytest.raises(ValueError, match="1 to 32 pixels"):
            attribution.corner(cell, size)


def test_what_is_behind_a_sticker_shines_through():
    images = np.full((2, 96, 96, 3), 200.0)
    sticker = np.zeros((2, 4, 4, 4))
    sticker[1, ..., 3] = 255 / 4
    found = attribution.stick(images, [4, 4], sticker)
    assert np.array_equal(found[0], images[0])
    assert found[1][attribution.corner(4, 4)] == pytest.approx(150)


def test_small_things_are_those_of_the_artist():
    found = attribution.small_things([0, 1], 16)
    assert found.shape == (2, 16, 16, 4) and not np.array_equal(found[0], found[1])
    whole = scenes.sprites()[scenes.PORTRAIT][:2, ..., 3]
    np.testing.assert_allclose(found[..., 3].mean(axis=(1, 2)), whole.mean(axis=(1, 2)), atol=3)
    assert not np.array_equal(found, attribution.small_things([0, 1], 16, "openmoji"))


def test_the_median_takes_away_a_single_pixel_and_keeps_an_edge():
    picture = np.zeros((1, 9, 9, 3))
    picture[0, :, 5:] = 200
    spotted = picture.copy()
    spotted[0, 3, 2] = 255
    assert np.array_equal(attribution.median(spotted), picture)
    random = np.random.default_rng(0).uniform(0, 255, (2, 8, 8, 3))
    np.testing.assert_allclose(
        attribution.median(random)[1, :, :, 2], ndimage.median_filter(random[1, :, :, 2], 3)
    )
    with pytest.raises(ValueError, match="odd"):
        attribution.median(random, 2)
