"""The recurrent cells in NumPy against Keras, their gradients, their masks, and the chapter's data."""

import io
import tarfile

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcourse.data import archives, film_reviews, spoken_digits
from mmcourse.mathematics import recurrence

CELLS = {
    "simple_rnn": (recurrence.simple_rnn, keras.layers.SimpleRNN),
    "lstm": (recurrence.lstm, keras.layers.LSTM),
    "gru": (recurrence.gru, keras.layers.GRU),
}
SIZES = st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(1, 4), st.integers(1, 4))


def keras_layer(name: str, units: int, features: int, random, **arguments):
    """A Keras layer with random weights, its biases too."""
    layer = CELLS[name][1](units, return_sequences=True, return_state=True, **arguments)
    layer.build((None, None, features))
    layer.set_weights([random.normal(size=weights.shape) for weights in layer.get_weights()])
    return layer


def flat(states) -> list[np.ndarray]:
    return list(states) if isinstance(states, tuple) else [states]


# Against Keras


@pytest.mark.parametrize("name", CELLS)
@given(sizes=SIZES, seed=st.integers(0, 1000), masked=st.booleans(), started=st.booleans())
@settings(deadline=None, max_examples=12)
def test_equals_keras(name, sizes, seed, masked, started):
    batch, steps, features, units = sizes
    random = np.random.default_rng(seed)
    layer = keras_layer(name, units, features, random)
    inputs = random.normal(size=(batch, steps, features)).astype(np.float32)
    mask = random.random((batch, steps)) < 0.6 if masked else None
    count = 2 if name == "lstm" else 1
    start = [random.normal(size=(batch, units)).astype(np.float32) for _ in range(count)]
    given_start = (tuple(start) if count == 2 else start[0]) if started else None

    expected = layer(inputs, mask=mask, initial_state=start if started else None)
    outputs, states = CELLS[name][0](inputs, *layer.get_weights(), initial_state=given_start, mask=mask)
    assert outputs.shape == (batch, steps, units)
    for ours, theirs in zip([outputs, *flat(states)], expected, strict=True):
        np.testing.assert_allclose(ours, np.asarray(theirs), atol=1e-5)


@pytest.mark.parametrize("name", CELLS)
def test_bidirectional_equals_keras(name):
    random = np.random.default_rng(3)
    inputs = random.normal(size=(3, 7, 4)).astype(np.float32)
    mask = np.arange(7) < np.array([[7], [4], [1]])
    layer = keras.layers.Bidirectional(CELLS[name][1](5, return_sequences=True))
    layer.build(inputs.shape)
    weights = [random.normal(size=w.shape) for w in layer.get_weights()]
    layer.set_weights(weights)
    half = len(weights) // 2
    for chosen in (None, mask):
        ours = recurrence.bidirectional(
            CELLS[name][0], inputs, layer.get_weights()[:half], layer.get_weights()[half:], mask=chosen
        )
        assert ours.shape == (3, 7, 10)
        np.testing.assert_allclose(ours, np.asarray(layer(inputs, mask=chosen)), atol=1e-5)


def test_sigmoid_activation_and_no_overflow():
    random = np.random.default_rng(0)
    layer = keras_layer("simple_rnn", 3, 2, random, activation="sigmoid")
    inputs = random.normal(size=(2, 4, 2)).astype(np.float32)
    ours, _ = recurrence.simple_rnn(inputs, *layer.get_weights(), activation=recurrence.sigmoid)
    np.testing.assert_allclose(ours, np.asarray(layer(inputs)[0]), atol=1e-5)
    with np.errstate(all="raise"):
        extremes = recurrence.sigmoid(np.array([-1e4, -1.0, 0.0, 1.0, 1e4]))
    np.testing.assert_allclose(extremes, [0, 0.26894142, 0.5, 0.73105858, 1], atol=1e-8)


# Properties


@pytest.mark.parametrize("name", CELLS)
@given(sizes=SIZES, seed=st.integers(0, 1000), padding=st.integers(0, 4))
@settings(deadline=None, max_examples=30)
def test_padding_behind_a_mask_changes_nothing(name, sizes, seed, padding):
    batch, steps, features, units = sizes
    random = np.random.default_rng(seed)
    cell, weights = CELLS[name][0], random_weights(name, features, units, random)
    inputs = random.normal(size=(batch, steps, features))
    outputs, states = cell(inputs, *weights)
    longer = np.concatenate([inputs, random.normal(size=(batch, padding, features))], axis=1)
    mask = np.broadcast_to(np.arange(steps + padding) < steps, (batch, steps + padding))
    more_outputs, more_states = cell(longer, *weights, mask=mask)
    np.testing.assert_allclose(more_outputs[:, :steps], outputs)
    for one, other in zip(flat(states), flat(more_states), strict=True):
        np.testing.assert_allclose(one, other)
    assert (more_outputs[:, steps:] == outputs[:, -1:]).all()


@pytest.mark.parametrize("name", CELLS)
@given(sizes=SIZES, seed=st.integers(0, 1000), cut=st.integers(0, 6))
@settings(deadline=None, max_examples=30)
def test_a_sequence_can_be_read_in_two_parts(name, sizes, seed, cut):
    batch, steps, features, units = sizes
    cut = 1 + cut % steps
    random = np.random.default_rng(seed)
    cell, weights = CELLS[name][0], random_weights(name, features, units, random)
    inputs = random.normal(size=(batch, steps, features))
    outputs, states = cell(inputs, *weights)
    first, between = cell(inputs[:, :cut], *weights)
    np.testing.assert_allclose(first, outputs[:, :cut])
    if cut < steps:
        second, last = cell(inputs[:, cut:], *weights, initial_state=between)
        np.testing.assert_allclose(second, outputs[:, cut:])
        for one, other in zip(flat(last), flat(states), strict=True):
            np.testing.assert_allclose(one, other)


@pytest.mark.parametrize("name", CELLS)
def test_an_all_masked_sequence_keeps_its_state(name):
    random = np.random.default_rng(0)
    weights = random_weights(name, 2, 3, random)
    start = random.normal(size=(1, 3))
    given_start = (start, 2 * start) if name == "lstm" else start
    outputs, states = CELLS[name][0](
        np.ones((1, 4, 2)), *weights, initial_state=given_start, mask=np.zeros((1, 4), bool)
    )
    assert not outputs.any()
    np.testing.assert_array_equal(flat(states)[0], start)


def random_weights(name: str, features: int, units: int, random) -> list[np.ndarray]:
    gates = {"simple_rnn": 1, "lstm": 4, "gru": 3}[name]
    bias = (2, 3 * units) if name == "gru" else (gates * units,)
    shapes = [(features, gates * units), (units, gates * units), bias]
    return [random.normal(size=shape) for shape in shapes]


# Backpropagation through time


@given(sizes=SIZES, seed=st.integers(0, 1000), masked=st.booleans(), squashed=st.booleans())
@settings(deadline=None, max_examples=30)
def test_gradients_equal_differences(sizes, seed, masked, squashed):
    batch, steps, features, units = sizes
    random = np.random.default_rng(seed)
    arguments = {
        "inputs": random.normal(size=(batch, steps, features)),
        "input_weights": random.normal(size=(features, units)),
        "recurrent_weights": random.normal(size=(units, units)),
        "bias": random.normal(size=units),
        "initial_state": random.normal(size=(batch, units)),
    }
    upstream = random.normal(size=(batch, steps, units))
    mask = random.random((batch, steps)) < 0.6 if masked else None
    activation, slope = (
        (recurrence.sigmoid, recurrence.sigmoid_slope) if squashed else (np.tanh, recurrence.tanh_slope)
    )

    def loss():
        outputs, _ = recurrence.simple_rnn(**arguments, activation=activation, mask=mask)
        return (outputs * upstream).sum()

    found = recurrence.simple_rnn_backward(
        **arguments, output_gradients=upstream, activation=activation, slope=slope, mask=mask
    )
    for name, array in arguments.items():
        gradient = getattr(found, name)
        assert gradient.shape == array.shape
        place = tuple(int(random.integers(size)) for size in array.shape)
        kept = array[place]
        array[place] = kept + 1e-6
        above = loss()
        array[place] = kept - 1e-6
        below = loss()
        array[place] = kept
        assert abs((above - below) / 2e-6 - gradient[place]) < 1e-5, name


def test_gradients_equal_keras():
    random = np.random.default_rng(1)
    layer = keras_layer("simple_rnn", 5, 3, random)
    inputs = random.normal(size=(4, 6, 3)).astype(np.float32)
    upstream = random.normal(size=(4, 6, 5)).astype(np.float32)
    mask = np.arange(6) < np.array([[6], [3], [5], [1]])
    variable = tf.Variable(inputs)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(variable, mask=mask)[0] * upstream)
    weights = [weight.value for weight in layer.trainable_weights]
    expected = tape.gradient(loss, [variable, *weights])
    found = recurrence.simple_rnn_backward(inputs, *layer.get_weights(), upstream, mask=mask)
    ours = (found.inputs, found.input_weights, found.recurrent_weights, found.bias)
    for one, other in zip(ours, expected, strict=True):
        np.testing.assert_allclose(one, other.numpy(), atol=1e-4)


def test_influence_equals_the_gradient():
    random = np.random.default_rng(2)
    weights = random_weights("simple_rnn", 3, 4, random)
    inputs = random.normal(size=(6, 3))
    found = recurrence.input_influence(lambda x: recurrence.simple_rnn(x, *weights)[0], inputs)
    squares = np.zeros(6)
    for unit in range(4):
        upstream = np.zeros((1, 6, 4))
        upstream[0, -1, unit] = 1
        gradients = recurrence.simple_rnn_backward(inputs[None], *weights, upstream)
        squares += (gradients.inputs[0] ** 2).sum(axis=1)
    np.testing.assert_allclose(found, np.sqrt(squares))


@pytest.mark.parametrize("name", CELLS)
def test_influence_of_long_sequences_does_not_drown_in_rounding(name):
    random = np.random.default_rng(2)
    weights = [0.1 * array for array in random_weights(name, 2, 3, random)]
    found = recurrence.input_influence(lambda x: CELLS[name][0](x, *weights)[0], random.normal(size=(40, 2)))
    assert found.shape == (40,)
    assert (found > 0).all() and np.isfinite(found).all()
    if name == "simple_rnn":
        assert found[0] < 1e-16  # no difference quotient could see this


# The article's example


def test_the_articles_example():
    weights = np.ones((1, 2)), np.ones((2, 2)), np.zeros(2)
    sequence = np.array([1.0, 0.0, 1.0]).reshape(1, 3, 1)
    hidden, state = recurrence.simple_rnn(sequence, *weights, activation=recurrence.sigmoid)
    np.testing.assert_allclose(hidden[0, :, 0], [0.7311, 0.8119, 0.9324], atol=5e-5)
    np.testing.assert_array_equal(state, hidden[:, -1])
    outputs = recurrence.sigmoid(hidden @ np.ones((2, 1)))
    np.testing.assert_allclose(outputs.ravel(), [0.8119, 0.8353, 0.8658], atol=5e-5)


# Bad input

GOOD = {
    "inputs": np.zeros((2, 5, 3)),
    "input_weights": np.zeros((3, 4)),
    "recurrent_weights": np.zeros((4, 4)),
    "bias": np.zeros(4),
}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"inputs": np.zeros((5, 3))}, r"inputs must be \(batch, steps, features\).*\(5, 3\)"),
        ({"inputs": np.zeros((2, 0, 3))}, r"inputs must be .* none of them 0.*\(2, 0, 3\)"),
        ({"input_weights": np.zeros((2, 4))}, r"input_weights must have the shape \(3, 4\), got \(2, 4\)"),
        (
            {"recurrent_weights": np.zeros((4, 5))},
            r"recurrent_weights must be \(units, units\), got.*\(4, 5\)",
        ),
        ({"recurrent_weights": np.zeros((0, 0))}, r"recurrent_weights must be \(units, units\)"),
        ({"recurrent_weights": np.zeros(4)}, r"recurrent_weights must be \(units, units\), got.*\(4,\)"),
        ({"bias": np.zeros(3)}, r"bias must have the shape \(4,\), got \(3,\)"),
        ({"initial_state": np.zeros((1, 4))}, r"initial_state must have the shape \(2, 4\), got \(1, 4\)"),
        ({"mask": np.ones((5, 2), bool)}, r"mask must have the shape \(2, 5\), got \(5, 2\)"),
        ({"mask": np.ones((2, 5))}, r"mask must be boolean.*float64"),
    ],
)
def test_simple_rnn_names_what_is_wrong(changed, message):
    with pytest.raises(ValueError, match=message):
        recurrence.simple_rnn(**{**GOOD, **changed})
    with pytest.raises(ValueError, match=message):
        recurrence.simple_rnn_backward(**{**GOOD, **changed}, output_gradients=np.zeros((2, 5, 4)))


def test_backward_names_wrong_output_gradients():
    with pytest.raises(ValueError, match=r"output_gradients must have the shape \(2, 5, 4\), got \(2, 4\)"):
        recurrence.simple_rnn_backward(**GOOD, output_gradients=np.zeros((2, 4)))


@pytest.mark.parametrize(
    ("name", "changed", "message"),
    [
        ("lstm", {1: np.zeros((4, 12))}, r"recurrent_weights must be \(units, 4 \* units\), got.*\(4, 12\)"),
        ("lstm", {2: np.zeros(4)}, r"bias must have the shape \(16,\), got \(4,\)"),
        ("gru", {1: np.zeros((4, 16))}, r"recurrent_weights must be \(units, 3 \* units\), got.*\(4, 16\)"),
        ("gru", {2: np.zeros(12)}, r"bias must have the shape \(2, 12\), got \(12,\)"),
    ],
)
def test_gates_name_what_is_wrong(name, changed, message):
    weights = random_weights(name, 3, 4, np.random.default_rng(0))
    weights = [changed.get(place, array) for place, array in enumerate(weights)]
    with pytest.raises(ValueError, match=message):
        CELLS[name][0](np.zeros((2, 5, 3)), *weights)


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (np.zeros((2, 4)), r"initial_state must be the pair \(hidden state, cell state\), got ndarray"),
        ((np.zeros((2, 4)),), "the pair .* got tuple of 1"),
        ((np.zeros((2, 4)), np.zeros((2, 3))), r"initial_state\[1\] must have the shape \(2, 4\)"),
        ((np.zeros((2, 3)), np.zeros((2, 4))), r"initial_state\[0\] must have the shape \(2, 4\)"),
    ],
)
def test_lstm_names_a_wrong_initial_state(start, message):
    weights = random_weights("lstm", 3, 4, np.random.default_rng(0))
    with pytest.raises(ValueError, match=message):
        recurrence.lstm(np.zeros((2, 5, 3)), *weights, initial_state=start)


def test_influence_wants_one_sequence():
    with pytest.raises(ValueError, match=r"inputs must be one sequence.*\(1, 5, 3\)"):
        recurrence.input_influence(lambda x: x, np.zeros((1, 5, 3)))


# Film reviews


@pytest.fixture(scope="module")
def films():
    return film_reviews.load()


def test_film_reviews_are_all_there(films):
    assert len(films.texts) == len(films.ratings) == len(films.deviations) == len(films.groups) == 10_605
    assert films.texts[0].startswith("The Rock is destined")
    assert films.ratings.min() >= -4 and films.ratings.max() <= 4
    assert all(films.texts) and not any("\t" in text or "\r" in text for text in films.texts)
    assert films.tier == "course"


def test_film_reviews_are_split_by_group(films):
    assert tuple(films.splits) == film_reviews.SPLITS
    joined = np.concatenate(list(films.splits.values()))
    np.testing.assert_array_equal(np.sort(joined), np.arange(10_605))
    groups = [set(films.groups[rows]) for rows in films.splits.values()]
    assert not groups[0] & groups[1] and not groups[0] & groups[2] and not groups[1] & groups[2]
    assert abs(len(films.splits["test"]) - 1060) < 20
    assert all((np.diff(rows) > 0).all() for rows in films.splits.values())


def test_labels_of_film_reviews(films):
    indices, labels = films.clear("test")
    assert set(indices) <= set(films.splits["test"])
    assert (np.abs(films.ratings[indices]) >= 0.5).all()
    np.testing.assert_array_equal(labels, films.ratings[indices] > 0)
    assert 0.45 < labels.mean() < 0.55
    assert len(films.clear("test", 1)[0]) < len(indices)
    with pytest.raises(ValueError, match="split must be one of train, validation, test; got 'dev'"):
        films.clear("dev")
    with pytest.raises(ValueError, match=r"least must be positive.*got 0"):
        films.clear("test", 0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It's a film.", ["it's", "a", "film"]),
        ("Don’t ''go''", ["don't", "go"]),
        ("A 3-hour\tfilm", ["a", "3", "hour", "film"]),
        ("...", []),
    ],
)
def test_words(text, expected):
    assert film_reviews.words(text) == expected


def test_texts_that_are_nearly_the_same_get_one_number():
    texts = ["a warm funny film", "A warm, FUNNY film!", "a warm and funny film", "a film", "nothing alike"]
    groups = film_reviews.group_alike(texts)
    assert groups[0] == groups[1] == groups[2]
    assert len(set(groups.tolist())) == 3


@given(st.lists(st.text("abcd ", max_size=9), min_size=1, max_size=12))
@settings(deadline=None, max_examples=60)
def test_grouping_finds_every_pair(texts):
    groups = film_reviews.group_alike(texts)
    sets = [set(film_reviews.words(text)) for text in texts]
    for i, one in enumerate(sets):
        for j, other in enumerate(sets):
            if one and len(one & other) >= film_reviews.ALIKE * len(one | other):
                assert groups[i] == groups[j]


def inner_archive(entries: list[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    stored = io.BytesIO()
    with tarfile.open(fileobj=stored, mode="w:gz") as archive:
        for info, content in entries:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return stored.getvalue()


def link(name: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
    return info


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no archive", "is damaged"),
        (inner_archive([(tarfile.TarInfo("a"), b"x")])[:60], "is damaged"),
        (inner_archive([(tarfile.TarInfo("b"), b"x")]), "lacks a"),
        (inner_archive([(link("a"), b"")]), "a: expected one plain file"),
        (inner_archive([(tarfile.TarInfo("a"), b"x")] * 2), "a: expected one plain file"),
        (inner_archive([(tarfile.TarInfo("a"), b"x" * 3_000_001)]), "3000001 bytes, expected at most"),
    ],
)
def test_a_bad_inner_archive_is_refused(content, message):
    with pytest.raises(archives.ArchiveError, match=message):
        film_reviews._inner_members(content, ("a",))


def test_rows_without_tabs_are_refused():
    with pytest.raises(archives.ArchiveError, match="at least three cells"):
        film_reviews._rows(b"1\t2\n", "a.txt")


# Spoken digits


@pytest.fixture(scope="module")
def digits():
    return spoken_digits.load()


def test_spoken_digits_are_all_there(digits):
    assert len(digits.recordings) == 3000
    np.testing.assert_array_equal(np.bincount(digits.digits), [300] * 10)
    lengths = np.array([len(recording) for recording in digits.recordings])
    assert (np.median(lengths), lengths.min(), lengths.max(), lengths.sum()) == (17, 6, 92, 53_999)
    assert {recording.shape[1] for recording in digits.recordings} == {13}


def test_spoken_digits_are_split_evenly(digits):
    joined = np.concatenate(list(digits.splits.values()))
    np.testing.assert_array_equal(np.sort(joined), np.arange(3000))
    for name, count in (("train", 240), ("validation", 30), ("test", 30)):
        np.testing.assert_array_equal(np.bincount(digits.digits[digits.splits[name]]), [count] * 10)


def test_spoken_digits_are_standardised_with_training_statistics(digits):
    frames = np.concatenate([digits.standardised(index) for index in digits.splits["train"]])
    np.testing.assert_allclose(frames.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(frames.std(axis=0), 1, atol=1e-3)


def test_padding_of_spoken_digits(digits):
    frames, mask = digits.padded(digits.splits["test"][:4], 20)
    assert frames.shape == (4, 20, 13) and frames.dtype == np.float32 and mask.dtype == bool
    for row, index in enumerate(digits.splits["test"][:4]):
        length = min(20, len(digits.recordings[index]))
        assert mask[row].sum() == length and mask[row, :length].all()
        np.testing.assert_array_equal(frames[row, :length], digits.standardised(index)[:length])
        assert not frames[row, length:].any()


def test_padding_names_what_is_wrong():
    with pytest.raises(ValueError, match="at least one sequence"):
        spoken_digits.pad([], 3)
    with pytest.raises(ValueError, match="length must be at least 1 step, got 0"):
        spoken_digits.pad([np.zeros((2, 3))], 0)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"X": np.zeros((5, 12))}, r"X must be finite frames \(frames, 13\)"),
        ({"X": np.full((5, 13), np.nan)}, "X must be finite"),
        ({"lengths": np.array([2, 2])}, "lengths must give each .* sum 4"),
        ({"lengths": np.array([5, 0])}, "lengths must give"),
        ({"lengths": np.array([5])}, "lengths must give"),
        ({"y": np.array([1, 10])}, "digits from 0 to 9"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(changed, message):
    good = {"X": np.zeros((5, 13)), "y": np.array([1, 2]), "lengths": np.array([2, 3])}
    spoken_digits._checked(good)
    with pytest.raises(archives.ArchiveError, match=message):
        spoken_digits._checked({**good, **changed})


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (film_reviews, {"snippets": 10_605, "snippets in between": 533}),
        (spoken_digits, {"recordings": 3000, "frames": 53_999, "recordings of each digit": 300}),
    ],
)
def test_statistics_for_the_datasheets(data, expected):
    found = data.statistics()
    assert expected.items() <= found.items()
    assert all(type(number) in (int, float) for number in found.values())
    total = expected.get("snippets") or expected["recordings"]
    assert sum(number for label, number in found.items() if "split" in label) == total
