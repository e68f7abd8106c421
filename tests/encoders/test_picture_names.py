"""The small CLIP's task, and the recordings of its words."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcourse.audio import ENGLISH_VOICES
from mmcourse.data import emoji
from mmcourse.encoders import picture_names, spoken_names
from mmcourse.encoders.picture_names import Configuration, Task


@pytest.fixture(scope="module")
def pictures():
    return emoji.load(48)


@pytest.fixture(scope="module")
def task(pictures):
    return Task.of(pictures, Configuration())


def test_the_task_holds_the_training_pictures_and_their_names(pictures, task):
    rows = pictures.splits["train"]
    assert len(task.images) == len(rows) and (task.images == pictures.images[rows]).all()
    vocabulary = picture_names.Vocabulary(task.tokens)
    for place, language in enumerate(picture_names.LANGUAGES):
        read = vocabulary.decode(task.names[:40, place])
        assert read == [" ".join(n.split()) for n in pictures.names(language, rows[:40])]


def test_pictures_that_look_the_same_are_in_one_group(task):
    looks = [image.tobytes() for image in task.images]
    by_look = {}
    for look, group in zip(looks, task.groups, strict=True):
        assert by_look.setdefault(look, group) == group
    assert len(set(task.groups)) <= len(set(looks)) < len(looks)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=9))
@settings(deadline=None)
def test_groups_are_what_hangs_together(pairs):
    groups = picture_names._groups([[a for a, _ in pairs], [b for _, b in pairs]])
    count = len(pairs)
    linked = np.array([[a[0] == b[0] or a[1] == b[1] for b in pairs] for a in pairs])
    for _ in range(count):
        linked = (linked.astype(int) @ linked) > 0
    np.testing.assert_array_equal(groups[:, None] == groups[None, :], linked)


def test_a_sibling_is_another_of_the_same_family(pictures, task):
    rows, seen = pictures.splits["train"], 0
    for place in range(0, len(rows), 7):
        entry = pictures.entries[rows[place]]
        for sibling in task.siblings[place]:
            other = pictures.entries[rows[sibling]]
            assert sibling != place and (other.role or other.base) == (entry.role or entry.base)
            seen += 1
    assert seen > 500


def test_half_of_a_batch_are_siblings(task):
    inputs, _ = task.batches(Configuration(batch_size=64))[0]
    assert inputs["first"].shape == (64, 48, 48, 3) and inputs["first"].dtype == np.uint8
    assert inputs["second"].shape == (64, 2, task.names.shape[-1])
    still = replace(Configuration(), batch_size=64, shift=0)
    inputs, _ = task.batches(still)[0]
    places = {image.tobytes(): place for place, image in enumerate(task.images)}
    found = [places[image.tobytes()] for image in inputs["first"]]
    pairs = [(a, b) for a, b in zip(found[:32], found[32:], strict=True) if len(task.siblings[a])]
    related = [task.groups[b] in task.groups[task.siblings[a]] for a, b in pairs]
    assert len(pairs) > 10 and all(related)
    plain, _ = task.batches(Configuration(batch_size=64, siblings=False))[0]
    assert len(plain["first"]) == 64
    assert len(task.batches(Configuration(siblings=False))) * 2 in (
        len(task.batches(Configuration())),
        len(task.batches(Configuration())) + 1,
    )


def test_shuffled_pairs_keep_everything_but_the_pairing(pictures, task):
    shuffled = Task.of(pictures, replace(Configuration(), shuffled=True))
    assert (shuffled.images == task.images).all()
    assert (shuffled.names != task.names).any(axis=(1, 2)).mean() > 0.99
    order = np.lexsort(task.names.reshape(len(task.names), -1).T)
    other = np.lexsort(shuffled.names.reshape(len(task.names), -1).T)
    assert (task.names[order] == shuffled.names[other]).all()


def test_shift_moves_each_picture_and_fills_with_white():
    images = np.zeros((60, 6, 6, 3), dtype=np.uint8)
    images[:, 2:4, 2:4] = 7
    moved = picture_names.shift(images, 1, np.random.default_rng(0))
    assert moved.shape == images.shape and moved.dtype == np.uint8
    assert {tuple(np.argwhere(p[..., 0] == 7)[0]) for p in moved} == {
        (row, column) for row in (1, 2, 3) for column in (1, 2, 3)
    }
    assert ((moved == 7).sum(axis=(1, 2, 3)) == 12).all() and (moved == 255).any()
    assert (picture_names.shift(images, 0, np.random.default_rng(0)) == images).all()


def test_the_words_that_are_spoken():
    entries, words = spoken_names._words()
    assert len(set(words)) == len(words) == spoken_names.WORDS
    every, parts = emoji.load_entries(), emoji.split_cells()
    for number, word in zip(entries, words, strict=True):
        assert every[number].names["en"] == word and parts[every[number].text][0] == "train"
    phrases = spoken_names._phrases(words)
    assert len(phrases) == len(words) * len(ENGLISH_VOICES) * 2
    assert set(spoken_names.HELD_OUT_VOICES) < set(ENGLISH_VOICES)
    assert spoken_names._phrases(words) == phrases


def test_frames_are_standardised_and_end_in_zeros():
    random = np.random.default_rng(0)
    frames = spoken_names.standardised_frames(random.normal(size=8000).astype("float32") * 0.1)
    real = frames.any(axis=1)
    assert frames.shape == (spoken_names.FRAMES, spoken_names.MELS) and 40 < real.sum() < 50
    assert not real[real.sum() :].any()
    assert abs(frames[real].mean()) < 1e-4 and abs(frames[real].std() - 1) < 1e-3
    long = spoken_names.standardised_frames(random.normal(size=32_000).astype("float32") * 0.1)
    assert long.any(axis=1).all()
