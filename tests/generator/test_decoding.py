"""Ways to choose: each equals a plain, uncached reference token for token, alone and in a batch."""

import itertools

import keras
import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from mmcourse.encoders.image import ImageEncoder
from mmcourse.generator import decoding
from mmcourse.generator.decoding import Beam, Constrained, Sampling, greedy
from mmcourse.generator.decoding.constrained import make_tree
from mmcourse.generator.decoding.sampling import uniform
from mmcourse.generator.model import MultimodalGenerator, Settings
from mmcourse.text import END_ID, PAD_ID, SPECIAL_TOKENS

pytestmark = pytest.mark.usefixtures("float32")

WORDS = ("a", "b", "c", "d", "say", "it", "猫", "红")
PROMPTS = ("say it", "a", "say it b", "猫")
LISTS = (
    ("a b", "a b c", "a", "猫 红", "d"),
    ("b",),
    ("", "a", "a a", "a a a", "a a a a"),
    ("a b c d", "a b c 猫", "d c b a", "红", "c", "c c"),
)


def make_model(seed: int, words=WORDS, length: int = 5, encoders: bool = True, depth: int = 2):
    """A tiny model with strong attention, so that every token counts; some of its answers are short."""
    keras.config.set_dtype_policy("float32")
    keras.utils.set_random_seed(seed)
    size = Settings(width=8, heads=2, depth=depth, hidden=12, prompt_length=4, answer_length=length)
    parts = {"image": ImageEncoder(4, (), 8, name="image_encoder")} if encoders else {}
    model = MultimodalGenerator(parts, words, size)
    model.build()
    random = np.random.default_rng(seed)
    for variable in model.trainable_variables:
        if "gamma" not in variable.path and "modality" not in variable.path:
            spread = 1.5 if "attention/" in variable.path and variable.path.endswith("kernel") else 0.4
            variable.assign(random.normal(scale=spread, size=variable.shape))
    bias = np.zeros(len(model.vocabulary))
    bias[: len(SPECIAL_TOKENS)] = -20.0
    bias[END_ID] = 0.8
    model.to_logits.bias.assign(bias)
    return model


@pytest.fixture(scope="module")
def model():
    return make_model(2)


def make_inputs(model, count: int = 12, seed: int = 0) -> dict:
    images = np.random.default_rng(seed).integers(0, 256, size=(count, 4, 4, 3)).astype("uint8")
    prompts = [PROMPTS[i % len(PROMPTS)] for i in range(count)]
    numbers = np.arange(100, 100 + count, dtype="int32")
    return {"image": images, "prompt": model.encode_prompts(prompts), "example": numbers}


@pytest.fixture(scope="module")
def inputs(model):
    return make_inputs(model)


def chosen(way, model, inputs) -> np.ndarray:
    return ops.convert_to_numpy(way(model, inputs))


# Plain references: the model reads the whole sequence again for each token, the rest is NumPy.


def log_softmax(logits: np.ndarray) -> np.ndarray:
    logits = np.asarray(logits, dtype="float64")
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def repeat(inputs: dict, row: int, count: int) -> dict:
    return {name: np.repeat(values[row : row + 1], count, axis=0) for name, values in inputs.items()}


def score(model, inputs: dict, answers: np.ndarray) -> np.ndarray:
    """The log-probability of each answer, up to its end token."""
    logs = log_softmax(ops.convert_to_numpy(model(inputs | {"answer": answers})))
    of_tokens = np.take_along_axis(logs, answers[..., None], axis=-1)[..., 0]
    ended = np.cumsum(answers == END_ID, axis=1) - (answers == END_ID)
    return np.where(ended, 0.0, of_tokens).sum(axis=1)


def write_slowly(model, inputs: dict, pick) -> np.ndarray:
    """``pick(logits, row, place)`` chooses a token of one example."""
    count, length = len(inputs["prompt"]), model.settings.answer_length
    answers, finished = np.zeros((count, length), dtype="int32"), np.zeros(count, dtype=bool)
    for place in range(length):
        logits = ops.convert_to_numpy(model(inputs | {"answer": answers}))[:, place]
        tokens = [pick(logits[row], row, place) for row in range(count)]
        answers[:, place] = np.where(finished, PAD_ID, tokens)
        finished |= answers[:, place] == END_ID
    return answers


def hash_of(seed: int, example: int, place: int) -> float:
    """The random number of :func:`uniform`, in Python's whole numbers."""
    bits = 0
    for part in (seed, example, place):
        bits = (bits + part) % 2**32
        bits = (bits ^ bits >> 16) * 0x85EBCA6B % 2**32
        bits = (bits ^ bits >> 13) * 0xC2B2AE35 % 2**32
        bits ^= bits >> 16
    return (bits >> 8) / 2**24


def draw_slowly(way: Sampling, logits: np.ndarray, number: float) -> int:
    chances = np.exp(log_softmax(logits / way.temperature))
    ranked = sorted(range(len(chances)), key=lambda token: -chances[token])[: way.top_k]
    together = sum(chances[token] for token in ranked)
    kept, mass = [], 0.0
    for token in ranked:
        if mass < way.nucleus:
            kept.append(token)
            mass += chances[token] / together
    number, mass, kept = number * mass, 0.0, sorted(kept)
    for token in kept:
        mass += chances[token] / together
        if number < mass:
            return token
    return kept[-1]


def search_slowly(model, inputs: dict, row: int, way: Beam) -> list[tuple[float, list[int]]]:
    """Lists of (log-probability, tokens), the best first."""
    length = model.settings.answer_length
    kept = [(0.0, [])]
    for place in range(length):
        candidates = [one for one in kept if END_ID in one[1]]
        if len(candidates) == len(kept):
            break
        going_on = [one for one in kept if END_ID not in one[1]]
        answers = np.array([tokens + [0] * (length - place) for _, tokens in going_on], dtype="int32")
        logits = ops.convert_to_numpy(model(repeat(inputs, row, len(answers)) | {"answer": answers}))
        for (total, tokens), logs in zip(going_on, log_softmax(logits[:, place]), strict=True):
            candidates += [(total + log, [*tokens, token]) for token, log in enumerate(logs)]
        candidates.sort(key=lambda one: -one[0] / ((5 + len(one[1])) / 6) ** way.length_penalty)
        kept = candidates[: way.width]
    return [(total, tokens + [0] * (length - len(tokens))) for total, tokens in kept]


# Each way against its reference


def test_greedy(model, inputs):
    expected = write_slowly(model, inputs, lambda logits, row, place: logits.argmax())
    assert len({tuple(answer) for answer in expected}) > 4, "too much alike to mean anything"
    assert len(set((expected != PAD_ID).sum(axis=1))) > 1
    np.testing.assert_array_equal(chosen(greedy, model, inputs), expected)


@pytest.mark.parametrize(
    "way",
    [Sampling(0.5, seed=7), Sampling(2.0, top_k=3, seed=-1), Sampling(1.3, nucleus=0.6, seed=2**40 + 3)],
)
def test_sampling(model, inputs, way):
    expected = write_slowly(
        model,
        inputs,
        lambda logits, row, place: draw_slowly(way, logits, hash_of(way.seed, 100 + row, place)),
    )
    written = chosen(way, model, inputs)
    np.testing.assert_array_equal(written, expected)
    assert (written != chosen(greedy, model, inputs)).any()


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    way=st.builds(
        Sampling,
        temperature=st.floats(0.1, 5.0),
        top_k=st.none() | st.integers(1, 30),
        nucleus=st.just(1.0) | st.floats(1e-9, 1.0),
    ),
)
def test_any_setting_draws_what_its_definition_says(seed, way):
    random = np.random.default_rng(seed)
    logits = random.normal(scale=3.0, size=(8, 20)).astype("float32")
    numbers = np.float32([0.0, 1 - 2**-24, *random.random(6)])
    expected = [draw_slowly(way, row, float(number)) for row, number in zip(logits, numbers, strict=True)]
    found = ops.convert_to_numpy(way.pick(logits, numbers))
    # The first and last are at the edges of a token, where rounding decides.
    np.testing.assert_array_equal(found[2:], expected[2:])
    # Number 0 draws the first token that is kept; of a nucleus of nearly all, rounding decides the tail.
    first, tail = np.flatnonzero(_cut(way, logits[0]))[0], np.exp(log_softmax(logits[0] / way.temperature))
    assert found[0] in np.argsort(-logits[0])[: way.top_k]
    assert found[0] == first or (found[0] < first and way.nucleus > 0.9999 and tail[found[0]] < 1e-5)
    assert _cut(way, logits[1])[found[1]] > 0


@pytest.mark.parametrize("way", [Beam(4), Beam(3, 2.0)])
def test_beam(model, inputs, way):
    answers, scores = map(ops.convert_to_numpy, way.all(model, inputs))
    assert answers.shape == (12, way.width, 5) and scores.shape == (12, way.width)
    for row in range(4):
        expected = search_slowly(model, inputs, row, way)
        np.testing.assert_array_equal(answers[row], [tokens for _, tokens in expected])
        np.testing.assert_allclose(scores[row], [total for total, _ in expected], atol=1e-4)
        np.testing.assert_allclose(
            scores[row], score(model, repeat(inputs, row, way.width), answers[row]), atol=1e-4
        )
    np.testing.assert_array_equal(chosen(way, model, inputs), answers[:, 0])
    assert (answers[:, 0] != chosen(greedy, model, inputs)).any()


@pytest.mark.parametrize("penalty", [0.0, 1.5])
def test_a_beam_that_loses_nothing_finds_the_best_of_all_answers(penalty):
    model = make_model(1, WORDS[:2], length=3, encoders=False)
    tokens = range(len(model.vocabulary))
    every = np.array(
        [
            answer
            for answer in itertools.product(tokens, repeat=3)
            # After its end an answer is padded, and only one of those that differ after it counts.
            if END_ID not in answer or not any(answer[answer.index(END_ID) + 1 :])
        ],
        dtype="int32",
    )
    inputs = {"prompt": model.encode_prompts(["a", "b a", "b"])}
    answers, scores = map(ops.convert_to_numpy, Beam(31, penalty).all(model, inputs))
    for row in range(3):
        expected = score(model, repeat(inputs, row, len(every)), every)
        length = np.where((every == END_ID).any(axis=1), (every == END_ID).argmax(axis=1) + 1, 3)
        best = np.argsort(-expected / ((5 + length) / 6) ** penalty)[:31]
        np.testing.assert_allclose(scores[row], expected[best], atol=1e-4)
        np.testing.assert_array_equal(answers[row, :3], every[best[:3]])


@pytest.mark.parametrize("texts", LISTS)
def test_constrained_by_a_wide_beam_is_the_best_of_the_list(model, inputs, texts):
    permitted = model.vocabulary.encode(texts, 5, end=True)
    answers, scores = map(ops.convert_to_numpy, Constrained(texts, 50).scored(model, inputs))
    for row in range(len(answers)):
        by_hand = score(model, repeat(inputs, row, len(texts)), permitted)
        np.testing.assert_array_equal(answers[row], permitted[by_hand.argmax()])
        assert scores[row] == pytest.approx(by_hand.max(), abs=1e-4)


@pytest.mark.parametrize(("texts", "width"), [(LISTS[0], 2), (LISTS[2], 1), (LISTS[3], 2)])
def test_constrained_never_leaves_the_list(model, inputs, texts, width):
    answers, scores = Constrained(texts, width).scored(model, inputs)
    answers = ops.convert_to_numpy(answers)
    permitted = model.vocabulary.encode(texts, 5, end=True)
    assert set(map(tuple, answers)) <= set(map(tuple, permitted))
    np.testing.assert_allclose(ops.convert_to_numpy(scores), score(model, inputs, answers), atol=1e-4)


def test_constrained_finds_what_the_model_would_write_anyway(model, inputs):
    """With the model's own answers in the list, a beam of one takes the same steps as greedy decoding."""
    written = chosen(greedy, model, inputs)
    texts = model.vocabulary.decode(written[(written == END_ID).any(axis=1)])
    assert len(set(texts)) > 2
    same = chosen(Constrained(tuple(texts), 1), model, inputs)
    for row, answer in enumerate(written):
        if END_ID in answer:
            np.testing.assert_array_equal(same[row], answer)


# What must be equal


@pytest.mark.parametrize("seed", [4, 7])
def test_the_narrowest_choice_is_greedy(seed):
    model = make_model(seed)
    inputs = make_inputs(model, 32, seed)
    expected = chosen(greedy, model, inputs)
    for way in (Beam(1), Beam(1, 0.9), Sampling(top_k=1), Sampling(nucleus=1e-9)):
        np.testing.assert_array_equal(chosen(way, model, inputs), expected)


ALL = (greedy, Sampling(seed=3), Sampling(top_k=4, nucleus=0.8), Beam(3, 0.6), Constrained(LISTS[0], 2))


@pytest.mark.parametrize("way", ALL)
def test_a_batch_gives_what_each_example_gives_alone_and_ends_in_padding(model, inputs, way):
    together = chosen(way, model, inputs)
    alone = [
        chosen(way, model, {name: values[row : row + 1] for name, values in inputs.items()})
        for row in range(2)
    ]
    np.testing.assert_array_equal(together[:2], np.concatenate(alone))
    backwards = chosen(way, model, {name: values[::-1].copy() for name, values in inputs.items()})
    np.testing.assert_array_equal(together, backwards[::-1])
    for answer in together:
        ends = np.flatnonzero(answer == END_ID)
        if len(ends):  # and nothing but padding after it
            assert (answer[ends[0] + 1 :] == PAD_ID).all() and (answer[: ends[0]] != PAD_ID).all()


@pytest.mark.parametrize("way", ALL)
def test_padding_never_changes_a_result(way):
    model = make_model(1)
    inputs = make_inputs(model)
    before = chosen(way, model, inputs)
    assert (before == PAD_ID).any() and (inputs["prompt"] == PAD_ID).any()
    table = model.token_embedding.embeddings.numpy()
    table[PAD_ID] += np.random.default_rng(0).normal(scale=9.0, size=table.shape[1])
    model.token_embedding.embeddings.assign(table)
    np.testing.assert_array_equal(chosen(way, model, inputs), before)


@pytest.mark.parametrize("compiler", [False, True])
def test_compiled_equals_eager(compiler):
    """With XLA and without, where the last batch is smaller."""
    model = make_model(4, encoders=False, depth=1)
    inputs = {"prompt": model.encode_prompts(PROMPTS), "example": np.arange(4, dtype="int32")}
    ways = (greedy, Sampling(top_k=4, nucleus=0.8), Beam(3, 0.6), Constrained(LISTS[0], 2).scored)
    for way in ways[compiler:]:  # greedy decoding is the same loop as sampling
        writer = decoding.Writer(model, way)
        writer.compile(jit_compile=compiler)
        written = writer.predict(inputs, batch_size=2 if compiler else 3, verbose=0)
        expected = way(model, inputs)
        if isinstance(written, tuple):
            np.testing.assert_allclose(written[1], ops.convert_to_numpy(expected[1]), atol=1e-4)
            written, expected = written[0], expected[0]
        np.testing.assert_array_equal(written, ops.convert_to_numpy(expected))


# Chances


@pytest.mark.parametrize("way", [Sampling(2.0, seed=1), Sampling(1.5, 5, 0.8, seed=2)])
def test_tokens_are_drawn_as_often_as_their_chances_say(way):
    """Pairs of tokens: the second depends on the first, and on a random number of its own."""
    model = make_model(9, WORDS[:3], length=2, encoders=False, depth=1)
    count, size = 20_000, len(model.vocabulary)
    prompt = model.encode_prompts(["a b"])
    pairs = np.array(list(itertools.product(range(size), repeat=2)), dtype="int32")
    inputs = {"prompt": np.repeat(prompt, len(pairs), axis=0)}
    logits = ops.convert_to_numpy(model(inputs | {"answer": pairs}))
    chances = []
    for (first, second), row in zip(pairs, logits, strict=True):
        steps = [_cut(way, row[0])[first], _cut(way, row[1])[second] if first != END_ID else second == PAD_ID]
        chances.append(np.prod(steps))
    chances = np.array(chances)
    assert chances.sum() == pytest.approx(1, abs=1e-5)
    drawn = chosen(way, model, {"prompt": np.repeat(prompt, count, axis=0)})
    found = np.bincount(drawn[:, 0] * size + drawn[:, 1], minlength=size**2)
    assert found[chances == 0].sum() == 0
    often = chances * count >= 5
    rare = chances[~often].sum() * count
    expected, observed = chances[often] * count, found[often]
    if rare > 0:
        expected, observed = np.append(expected, rare), np.append(observed, found[~often].sum())
    assert len(expected) > 4
    assert scipy.stats.chisquare(observed, expected * count / expected.sum()).pvalue > 0.001


def _cut(way: Sampling, logits: np.ndarray) -> np.ndarray:
    """The distribution that is drawn from, by its definition."""
    chances = np.exp(log_softmax(logits / way.temperature))
    order = np.argsort(-chances)
    chances[order[way.top_k or len(chances) :]] = 0
    chances /= chances.sum()
    fewest = int(np.argmax(np.cumsum(chances[order]) >= min(way.nucleus, 1 - 1e-9))) + 1
    chances[order[fewest:]] = 0
    return chances / chances.sum()


@settings(max_examples=50, deadline=None)
@given(
    seed=st.integers(-(2**70), 2**70), example=st.integers(-(2**31), 2**31 - 1), place=st.integers(0, 10**6)
)
def test_random_numbers_are_those_of_the_hash(seed, example, place):
    number = ops.convert_to_numpy(uniform(seed, np.array([example], dtype="int32"), place))
    assert number.dtype == np.float32 and number[0] == hash_of(seed, example, place)


def test_random_numbers_are_uniform_and_know_nothing_of_each_other():
    examples = np.arange(4000, dtype="int32")
    rows = np.array(
        [ops.convert_to_numpy(uniform(seed, examples, place)) for seed in (0, 1) for place in range(3)]
    )
    assert rows.min() >= 0 and rows.max() < 1
    for row in rows:
        assert scipy.stats.kstest(row, "uniform").pvalue > 0.001
        assert abs(np.corrcoef(row[:-1], row[1:])[0, 1]) < 0.06
    apart = np.corrcoef(rows)[np.triu_indices(len(rows), 1)]
    assert np.abs(apart).max() < 0.06  # about four standard errors


def test_without_numbers_the_row_is_the_number(model, inputs):
    numbered = inputs | {"example": np.arange(12, dtype="int32")}
    bare = {name: inputs[name] for name in ("image", "prompt")}
    way = Sampling(seed=9)
    np.testing.assert_array_equal(chosen(way, model, bare), chosen(way, model, numbered))
    assert (chosen(way, model, inputs) != chosen(way, model, numbered)).any()
    assert (chosen(Sampling(seed=10), model, bare) != chosen(way, model, bare)).any()


# Trees and settings


def test_tree_by_hand():
    ids = np.array([[7, 8, END_ID, 0], [7, END_ID, 0, 0], [9, END_ID, 0, 0], [7, 8, END_ID, 0]])
    tree = make_tree(ids)
    assert tree.tokens.tolist() == [[PAD_ID, 0], [7, 9], [8, END_ID], [END_ID, 0], [END_ID, 0]]
    assert tree.states.tolist() == [[0, -1], [2, 4], [3, 0], [0, -1], [0, -1]]
    with pytest.raises(ValueError, match="must have an end token"):
        make_tree(np.array([[7, 8, 9]]))


@given(st.lists(st.lists(st.integers(4, 7), max_size=4).map(tuple), min_size=1, max_size=12, unique=True))
def test_the_tree_holds_the_list_and_nothing_else(answers):
    ids = np.array([[*answer, END_ID, *[0] * (4 - len(answer))] for answer in answers])
    tree = make_tree(ids)

    def paths(state):
        if state == 0:
            return [()]
        moves = zip(tree.tokens[state].tolist(), tree.states[state].tolist(), strict=True)
        return [(token, *rest) for token, after in moves if after >= 0 for rest in paths(after)]

    assert sorted(paths(1)) == sorted((*answer, END_ID) for answer in answers)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Sampling(0.0), "temperature must be above 0, got 0.0"),
        (lambda: Sampling(float("nan")), "temperature must be above 0, got nan"),
        (lambda: Sampling(top_k=0), "top_k must be at least 1"),
        (lambda: Sampling(nucleus=0), "nucleus must be above 0 and at most 1, got 0"),
        (lambda: Sampling(nucleus=1.2), "at most 1, got 1.2"),
        (lambda: Beam(0), "width must be at least 1, got 0"),
        (lambda: Beam(2, -1.0), "length_penalty must be at least 0, got -1.0"),
        (lambda: Constrained(()), "at least one text"),
        (lambda: Constrained("yes"), "at least one text, got 'yes'"),
        (lambda: Constrained(("yes",), 0), "width must be at least 1, got 0"),
    ],
)
def test_settings_out_of_range_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_answers_that_the_model_cannot_write_are_refused(model, inputs):
    with pytest.raises(ValueError, match="'a dog' holds words that the model has never seen: dog"):
        Constrained(("a", "a dog"))(model, inputs)
    with pytest.raises(ValueError, match="6 tokens with its end token; at most 5 fit"):
        Constrained(("a", "a b c d a"))(model, inputs)


def test_ways_are_keys_of_a_dictionary():
    assert Constrained(["a", "b"]) == Constrained(("a", "b"))
    assert len({greedy, Sampling(), Sampling(), Beam(), Constrained(["a"]), Constrained(("a",))}) == 4


def test_special_tokens_have_the_ids_that_the_tree_relies_on():
    assert (PAD_ID, SPECIAL_TOKENS.index("<end>")) == (0, END_ID)
