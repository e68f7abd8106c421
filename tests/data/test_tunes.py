"""The traditional tunes: read as they are written, and what the datasheet says of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmcourse.data import tunes


def test_the_table_is_read():
    every = tunes.load()
    assert len(every) == 42 == len({tune.name for tune in every})
    first = every[0]
    assert first.phrases[0] == (0, 0, 4, 4, 5, 5, 4) and not first.minor
    assert sum(tune.minor for tune in every) == 7
    assert all(phrase for tune in every for phrase in tune.phrases)
    jasmine = next(tune for tune in every if "茉莉花" in tune.name)
    assert not {3, 6} & {degree % 7 for degree in jasmine.notes}  # five notes: without 4 and 7


def test_no_tune_is_written_twice():
    openings = [tune.notes[:12] for tune in tunes.load()]
    assert len(set(openings)) == len(openings)


@given(st.integers(-14, 13))
def test_notes_are_written_as_they_are_read(degree):
    note = tunes.numbered(degree)
    if -7 <= degree < 14:
        assert tunes.degree_of(note) == degree
    assert note[0] == str(degree % 7 + 1)


@pytest.mark.parametrize("note", ["", "0", "8", "5,,", "1 ", "do"])
def test_what_is_no_note_is_refused(note):
    with pytest.raises(ValueError, match="a figure from 1 to 7"):
        tunes.degree_of(note)


def test_lines_come_in_pairs_that_differ():
    every = [line for pair in tunes.LINES for line in pair]
    assert len(tunes.LINES) == 24 and len(set(every)) == 48


def test_statistics_for_the_datasheet():
    figures = tunes.statistics()
    assert figures["tunes"] == 42 and figures["notes"] == sum(len(tune.notes) for tune in tunes.load())
    assert figures["pairs of lines"] == 24
