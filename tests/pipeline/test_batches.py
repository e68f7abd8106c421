"""Batches: padding and masks, held equal to those of tf.data, and rows taken of every modality."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mmcourse import pipeline


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
