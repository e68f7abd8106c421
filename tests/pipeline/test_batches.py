"""Batches: padding, masks and the shuffle buffer, held equal to those of tf.data."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mmcourse import pipeline

SEEDS = st.integers(0, 1000)


@given(
    st.lists(hnp.arrays(np.int32, st.integers(0, 6), elements=st.integers(1, 9)), min_size=1, max_size=6),
)
@settings(deadline=None)
def test_padding_and_mask(sequences):
    padded, mask = pipeline.pad_batch(sequences)
    assert padded.dtype == np.int32 and padded.shape == mask.shape
    assert padded.shape[1] == max(map(len, sequences))
    for row, real, sequence in zip(padded, mask, sequences, strict=True):
        np.testing.assert_array_equal(row[real], sequence)
        assert not row[~real].any() and real[: len(sequence)].all()


@given(
    st.lists(hnp.arrays(np.int32, st.integers(0, 6), elements=st.integers(1, 9)), min_size=1, max_size=6),
    st.integers(1, 9),
)
@settings(deadline=None)
def test_padding_to_a_length_cuts_what_is_longer(sequences, length):
    padded, mask = pipeline.pad_batch(sequences, length)
    assert padded.shape == mask.shape == (len(sequences), length)
    for row, real, sequence in zip(padded, mask, sequences, strict=True):
        np.testing.assert_array_equal(row[real], sequence[:length])
        assert not row[~real].any()


def test_padding_of_frames_and_its_errors():
    padded, mask = pipeline.pad_batch([np.ones((2, 3)), np.ones((1, 3))])
    assert padded.shape == (2, 2, 3) and mask.tolist() == [[True, True], [True, False]]
    with pytest.raises(ValueError, match="all steps of a batch must have one shape"):
        pipeline.pad_batch([np.ones((2, 3)), np.ones((1, 4))])
    for nothing in ([], [np.float32(3)]):
        with pytest.raises(ValueError, match="at least one sequence"):
            pipeline.pad_batch(nothing)
    with pytest.raises(ValueError, match="length must be at least 1 step"):
        pipeline.pad_batch([np.ones((2, 3))], 0)


def test_padding_equals_that_of_tf_data():
    import tensorflow as tf

    sequences = [np.arange(1, length + 1) for length in (3, 1, 4, 2)]
    stream = tf.data.Dataset.from_generator(
        lambda: iter(sequences), output_signature=tf.TensorSpec([None], tf.int64)
    )
    for number, theirs in enumerate(stream.padded_batch(2)):
        ours, _ = pipeline.pad_batch(sequences[2 * number : 2 * number + 2])
        np.testing.assert_array_equal(theirs.numpy(), ours)


def test_rows_are_taken_of_every_modality():
    data = {"picture": np.arange(12).reshape(4, 3), "text": ["a", "b", "c", "d"]}
    taken = pipeline.take(data, np.array([2, 0]))
    assert taken["picture"].tolist() == [[6, 7, 8], [0, 1, 2]] and taken["text"] == ["c", "a"]


@given(st.integers(0, 60), st.integers(1, 70), SEEDS)
@settings(deadline=None)
def test_a_buffer_gives_everything_once_and_nothing_too_early(count, size, seed):
    order = list(pipeline.shuffle_buffer(range(count), size, seed))
    assert sorted(order) == list(range(count))
    assert all(place >= item - size + 1 for place, item in enumerate(order))
    assert order == list(pipeline.shuffle_buffer(range(count), size, seed))
    if size == 1:
        assert order == list(range(count))


def test_the_buffer_is_that_of_tf_data():
    """Not the same numbers, but the same bound, and the same mean way that an item travels."""
    import tensorflow as tf

    count, size = 2000, 50
    stream = tf.data.Dataset.range(count).shuffle(size, seed=1)
    theirs = np.array(list(stream.as_numpy_iterator()))
    ours = np.array(list(pipeline.shuffle_buffer(range(count), size, seed=1)))
    for order in (theirs, ours):
        assert (order - np.arange(count)).max() <= size - 1
    travelled = [np.abs(order - np.arange(count)).mean() for order in (theirs, ours)]
    assert 0.85 < travelled[0] / travelled[1] < 1.18


def test_a_buffer_needs_a_place():
    with pytest.raises(ValueError, match="size must be at least 1, got 0"):
        list(pipeline.shuffle_buffer(range(3), 0, seed=0))
