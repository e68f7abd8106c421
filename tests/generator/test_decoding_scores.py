"""What ways of choosing are measured with; without any trained model."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from mmcourse.encoders.image import ImageEncoder
from mmcourse.generator import decoding_scores, review_scores
from mmcourse.generator.model import MultimodalGenerator, Settings
from mmcourse.text import END_ID

pytestmark = pytest.mark.usefixtures("float32")


class Judge:
    """Praise is the share of "good" among the words."""

    def praise(self, texts):
        return np.array([text.split().count("good") / max(1, len(text.split())) for text in texts])


def make_model(seed: int) -> MultimodalGenerator:
    keras.utils.set_random_seed(seed)
    size = Settings(width=8, heads=2, depth=1, hidden=8, prompt_length=2, answer_length=4)
    model = MultimodalGenerator({"image": ImageEncoder(4, (), 8, name="image_encoder")}, ("a", "b"), size)
    model.build()
    return model


def test_every_second_review_is_kept_whole():
    numbers = np.arange(7)
    exam = review_scores.Examination(
        numbers, [f"o{i}" for i in numbers], [f"r{i}" for i in numbers], numbers % 5 + 1, numbers / 2
    )
    part = decoding_scores.some(exam, 3)
    assert part.rows.tolist() == [0, 3, 6] and part.openings == ["o0", "o3", "o6"]
    assert part.rests == ["r0", "r3", "r6"] and part.levels.tolist() == [1, 4, 2]
    np.testing.assert_array_equal(part.ratings, part.rows / 2)


def test_repeats_by_hand():
    assert decoding_scores.repeats("the end of the end of the film")
    assert not decoding_scores.repeats("the end of it, an end of her")
    assert decoding_scores.repeats("so so so so")
    assert not decoding_scores.repeats("so so so") and not decoding_scores.repeats("")


@given(st.lists(st.sampled_from("abc"), max_size=12), st.integers(1, 4))
def test_repeats_is_what_its_definition_says(words, run):
    runs = [" ".join(words[i : i + run]) for i in range(len(words) - run + 1)]
    expected = any(one in runs[place + 1 :] for place, one in enumerate(runs))
    assert decoding_scores.repeats(" ".join(words), run) == expected


def test_fit_is_praise_for_the_high_levels_and_blame_for_the_low():
    fits = decoding_scores.fit_of(Judge(), ["good good", "good film", "a film"], np.array([5, 1, 2]))
    np.testing.assert_allclose(fits, [1.0, 0.5, 1.0])


def test_drift_by_hand_and_none_from_itself():
    model, other = make_model(0), make_model(1)
    random = np.random.default_rng(0)
    inputs = {
        "image": random.integers(0, 256, (5, 4, 4, 3)).astype("uint8"),
        "prompt": random.integers(4, 6, (5, 2)).astype("int32"),
    }
    answers = np.array(
        [[4, 5, END_ID, 0], [4, 4, 4, 4], [END_ID, 0, 0, 0], [5, END_ID, 0, 0], [5, 5, 5, END_ID]]
    )
    assert decoding_scores.drift(model, model, inputs, answers) == pytest.approx(0, abs=1e-6)
    expected = 0.0
    for row in range(5):
        one = {name: array[row : row + 1] for name, array in inputs.items()} | {
            "answer": answers[row : row + 1]
        }
        ours, theirs = (np.asarray(ops.softmax(m(one)), dtype="float64")[0] for m in (model, other))
        tokens = int((answers[row] != 0).sum())
        expected += (ours[:tokens] * np.log(ours[:tokens] / theirs[:tokens])).sum()
    found = decoding_scores.drift(model, other, inputs, answers, size=2)
    assert found == pytest.approx(expected / 5, rel=1e-4) and found > 0.01


def test_each_way_has_a_name_of_its_own_and_nothing_twice():
    assert len(set(decoding_scores.WAYS.values())) == len(decoding_scores.WAYS)
    assert decoding_scores.WAYS["greedy"] is decoding_scores.decoding.greedy


def test_a_coin_turns_about_half_of_the_pairs_and_loses_none():
    number = [str(i) for i in range(200)]
    pairs = decoding_scores.Pairs(
        np.zeros((200, 1)), number, [f"a{i}" for i in number], [f"b{i}" for i in number]
    )
    tossed = decoding_scores.by_coin(pairs, 1)
    assert tossed.prompts == number and 70 < sum(one[0] == "b" for one in tossed.preferred) < 130
    for one, first, second in zip(number, tossed.preferred, tossed.rejected, strict=True):
        assert {first, second} == {f"a{one}", f"b{one}"}


def test_the_better_of_several_rests_is_picked_for_each_review():
    several = [["good", "good", "bad"], ["bad", "bad", "good"]]
    assert decoding_scores.pick(Judge(), several, np.array([5, 1, 4])) == ["good", "bad", "good"]


def test_score_by_hand():
    class Agrees:
        def __init__(self, word):
            self.word = word

        def agrees(self, rests, levels):
            return np.array([self.word in rest for rest in rests])

    exam = review_scores.Examination(np.arange(2), [""] * 2, [""] * 2, np.array([5, 1]), np.zeros(2))
    rests = ["a good film a good film", "dull"]
    found = decoding_scores.score(rests, exam, [Agrees("good"), Agrees("l")])
    assert found == {"asked": 0.5, "fresh": 1.0, "distinct-2": 0.6, "words": 3.5, "repeats": 0.5}
