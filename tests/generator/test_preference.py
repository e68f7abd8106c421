"""Direct preference optimisation: the loss by hand, its gradient, and a tiny model that learns to prefer."""

import itertools

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from mmcourse.encoders.image import ImageEncoder
from mmcourse.generator.model import MultimodalGenerator, Settings
from mmcourse.generator.preference import Margin, log_probability, preference_loss, tune
from mmcourse.text import END_ID, PAD_ID

pytestmark = pytest.mark.usefixtures("float32")

WORDS = ("a", "b", "c", "say", "it", "now")
PROMPTS = ["say it", "now", "a", "it now"] * 2
PREFERRED = ["a b", "a", "a c b", ""] * 2
REJECTED = ["b b", "c b a", "b", "a"] * 2
IMAGES = np.random.default_rng(0).integers(0, 256, size=(8, 4, 4, 3)).astype("uint8")


def make_model(seed: int = 0, dropout: float = 0.0, length: int = 4) -> MultimodalGenerator:
    keras.config.set_dtype_policy("float32")
    keras.utils.set_random_seed(seed)
    settings = Settings(8, 2, 1, 12, dropout, prompt_length=3, answer_length=length)
    model = MultimodalGenerator({"image": ImageEncoder(4, (), 8)}, WORDS, settings)
    model.build()
    return model


def make_inputs(model) -> dict:
    return {"image": IMAGES, "prompt": model.encode_prompts(PROMPTS)}


def encode(model, texts) -> np.ndarray:
    return model.vocabulary.encode(texts, 4, end=True)


def log_by_hand(model, answers: np.ndarray) -> np.ndarray:
    logits = ops.convert_to_numpy(model(make_inputs(model) | {"answer": answers})).astype("float64")
    logs = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    totals = []
    for row, answer in enumerate(answers.tolist()):
        length = answer.index(END_ID) + 1
        totals.append(sum(logs[row, place, answer[place]] for place in range(length)))
    return np.array(totals)


def weights_of(model) -> list[np.ndarray]:
    return [variable.numpy().copy() for variable in model.variables]


def test_log_probability_by_hand():
    model = make_model(dropout=0.5)
    for texts in (PREFERRED, REJECTED):
        answers = encode(model, texts)
        found = ops.convert_to_numpy(log_probability(model, make_inputs(model), answers))
        np.testing.assert_allclose(found, log_by_hand(model, answers), atol=1e-4)


def test_the_probabilities_of_all_answers_add_up_to_one():
    model = make_model(length=2)
    bias = np.zeros(len(model.vocabulary))
    bias[PAD_ID] = -40.0  # what is padded is no answer
    model.to_logits.bias.assign(bias)
    tokens = [token for token in range(len(bias)) if token not in (PAD_ID, END_ID)]
    rows = [[END_ID, PAD_ID], *([first, END_ID] for first in tokens), *itertools.product(tokens, repeat=2)]
    inputs = {name: np.repeat(array[:1], len(rows), axis=0) for name, array in make_inputs(model).items()}
    chances = np.exp(ops.convert_to_numpy(log_probability(model, inputs, np.array(rows))))
    assert chances.sum() == pytest.approx(1, abs=1e-5) and chances.max() < 0.5


@given(st.lists(st.floats(-30, 30), min_size=1, max_size=5))
def test_loss_by_hand(margins):
    expected = [-np.log(1 / (1 + np.exp(-margin))) for margin in margins]
    found = ops.convert_to_numpy(preference_loss(np.array(margins, dtype="float32")))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_loss_of_huge_margins_is_finite():
    np.testing.assert_allclose(
        ops.convert_to_numpy(preference_loss(np.float32([-1000, 0, 1000]))), [1000, np.log(2), 0], atol=1e-6
    )


def test_margin_by_hand():
    policy, reference = make_model(1), make_model(2)
    preferred, rejected = encode(policy, PREFERRED), encode(policy, REJECTED)
    of_reference = log_by_hand(reference, preferred) - log_by_hand(reference, rejected)
    of_policy = log_by_hand(policy, preferred) - log_by_hand(policy, rejected)
    pairs = {"preferred": preferred, "rejected": rejected, "reference": of_reference.astype("float32")}
    found = ops.convert_to_numpy(Margin(policy, 0.3)(make_inputs(policy) | pairs))
    np.testing.assert_allclose(found, 0.3 * (of_policy - of_reference), atol=1e-4)
    assert np.abs(found).min() > 1e-4


def test_at_the_start_the_loss_is_log_2_and_one_small_step_lowers_it():
    model = make_model(dropout=0.5)
    history = tune(
        model, {"image": IMAGES}, PROMPTS, PREFERRED, REJECTED, epochs=2, batch_size=8, learning_rate=1e-3
    )
    assert history[0]["loss"] == pytest.approx(np.log(2), abs=1e-6)
    assert history[0]["margin"] == pytest.approx(0, abs=1e-6)
    assert history[1]["loss"] < history[0]["loss"]
    assert history[1]["margin"] > 0 and set(history[1]) == {"loss", "margin", "accuracy"}


def test_the_history_holds_the_means_over_all_batches():
    policy, reference = make_model(1), make_model(2)
    both = [encode(policy, texts) for texts in (PREFERRED, REJECTED)]
    of_policy, of_reference = (
        log_by_hand(model, both[0]) - log_by_hand(model, both[1]) for model in (policy, reference)
    )
    margins = 0.3 * (of_policy - of_reference)
    options = {"reference": reference, "beta": 0.3, "batch_size": 2, "learning_rate": 0.0}
    (history,) = tune(policy, {"image": IMAGES}, PROMPTS, PREFERRED, REJECTED, **options)
    assert history["margin"] == pytest.approx(margins.mean(), abs=1e-4)
    assert history["accuracy"] == pytest.approx((margins > 0).mean()) and 0 < history["accuracy"] < 1
    assert history["loss"] == pytest.approx(np.log1p(np.exp(-margins)).mean(), abs=1e-4)


def test_the_margin_grows_until_the_preferred_answers_are_likelier():
    model = make_model()
    before = log_by_hand(model, encode(model, PREFERRED)) - log_by_hand(model, encode(model, REJECTED))
    assert (before < 0).any()
    history = tune(
        model,
        *({"image": IMAGES}, PROMPTS, PREFERRED, REJECTED),
        **{"beta": 0.5, "epochs": 25, "batch_size": 4, "learning_rate": 1e-2},
    )
    margins = [epoch["margin"] for epoch in history]
    assert margins[-1] > margins[5] > margins[0] and history[-1]["accuracy"] == 1.0
    after = log_by_hand(model, encode(model, PREFERRED)) - log_by_hand(model, encode(model, REJECTED))
    assert (after > 0).all() and (after > before).all()


def test_the_gradient_is_the_papers():
    """Minus ``beta * sigmoid(-margin)`` times the gradient of the policy's difference (Rafailov et al., 2023,
    section 4): none comes from the reference."""
    tensorflow = pytest.importorskip("tensorflow")
    if keras.backend.backend() != "tensorflow":
        pytest.skip("the gradient is taken with TensorFlow")
    policy, reference = make_model(1), make_model(2)
    preferred, rejected = encode(policy, PREFERRED), encode(policy, REJECTED)
    of_reference = log_by_hand(reference, preferred) - log_by_hand(reference, rejected)
    pairs = {"preferred": preferred, "rejected": rejected, "reference": of_reference.astype("float32")}
    margin, inputs = Margin(policy, 0.3), make_inputs(policy)
    variables = [variable.value for variable in policy.trainable_variables]
    with tensorflow.GradientTape(persistent=True) as tape:
        loss = ops.sum(preference_loss(margin(inputs | pairs)))
        difference = log_probability(policy, inputs, preferred) - log_probability(policy, inputs, rejected)
        # The weight of each pair is a number, through which no gradient flows.
        weights = 0.3 / (1 + np.exp(ops.convert_to_numpy(margin(inputs | pairs))))
        weighted = ops.sum(weights * difference)
    for ours, papers in zip(tape.gradient(loss, variables), tape.gradient(weighted, variables), strict=True):
        np.testing.assert_allclose(ops.convert_to_numpy(ours), -ops.convert_to_numpy(papers), atol=1e-4)
    assert {id(v) for v in margin.trainable_variables} == {id(v) for v in policy.trainable_variables}


def test_reference_and_what_is_frozen_stay_and_a_seed_gives_the_same_again():
    models, reference = [make_model(3), make_model(3)], make_model(4)
    of_reference = weights_of(reference)
    frozen = [variable.numpy().copy() for variable in models[0].encoders["image"].variables]
    histories = []
    for model in models:
        model.encoders["image"].trainable = False
        arguments = ({"image": IMAGES}, PROMPTS, PREFERRED, REJECTED)
        numbers = {"epochs": 2, "batch_size": 4, "seed": 5, "learning_rate": 1e-2}
        histories.append(tune(model, *arguments, reference=reference, **numbers))
    assert histories[0] == histories[1]
    for before, variable in zip(frozen, models[0].encoders["image"].variables, strict=True):
        np.testing.assert_array_equal(before, variable.numpy())
    for one, other in zip(weights_of(models[0]), weights_of(models[1]), strict=True):
        np.testing.assert_array_equal(one, other)
    for before, after in zip(of_reference, weights_of(reference), strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"preferred": PREFERRED[:3]}, "'preferred': 3, 'rejected': 8"),
        ({"rejected": ["b b", *PREFERRED[1:]]}, "pair 1 has the same answer twice: 'a'"),
        ({"beta": 0.0}, "beta must be above 0, got 0.0"),
        ({"prompts": ["hello"] * 8}, "words that the model has never seen: hello"),
        ({"preferred": ["a b c a b"] * 8}, "6 tokens with its end token; at most 4 fit"),
        ({"batch_size": 9}, r"batch_size must be 1 to 8 \(the examples\), got 9"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    arguments = {"prompts": PROMPTS, "preferred": PREFERRED, "rejected": REJECTED, "batch_size": 4}
    with pytest.raises(ValueError, match=message):
        tune(make_model(), {"image": IMAGES}, **(arguments | change))
