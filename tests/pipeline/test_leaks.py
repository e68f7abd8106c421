"""Leaks: copies and groups on both sides, and a test that catches the usual mistakes."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mmcourse import pipeline, text

SEEDS = st.integers(0, 1000)
EXAMPLES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=4)
    | st.binary(max_size=4)
    | hnp.arrays(st.sampled_from([np.uint8, np.float32]), hnp.array_shapes(max_dims=2, max_side=3)),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)


def same(first, second) -> bool:
    """Equality that tells 1 from True and an array of another dtype or shape."""
    if isinstance(first, list) and isinstance(second, list):
        return len(first) == len(second) and all(map(same, first, second))
    if type(first) is not type(second):
        return False
    if isinstance(first, np.ndarray):
        return (
            first.dtype == second.dtype
            and first.shape == second.shape
            and first.tobytes() == second.tobytes()
        )
    return repr(first) == repr(second)


@given(EXAMPLES, EXAMPLES)
@settings(deadline=None, max_examples=200)
def test_fingerprints_are_equal_only_for_equal_examples(first, second):
    assert (pipeline.fingerprint(first) == pipeline.fingerprint(second)) == same(first, second)


def test_what_has_no_fingerprint():
    for example in ({"a": 1}, object(), np.array([None])):
        with pytest.raises(TypeError, match="cannot take the fingerprint of"):
            pipeline.fingerprint(example)


def test_pieces_do_not_run_together():
    assert pipeline.fingerprint(["ab", "c"]) != pipeline.fingerprint(["a", "bc"])
    assert pipeline.fingerprint("a") != pipeline.fingerprint(b"a")
    assert pipeline.fingerprint(["a"]) == pipeline.fingerprint(("a",)), "a list and a tuple hold the same"


@given(st.lists(st.sampled_from(["a", "b", "c", "d", "e"]), min_size=20, max_size=60), SEEDS)
@settings(deadline=None)
def test_shared_examples_are_those_that_a_plain_loop_finds(texts, seed):
    splits = pipeline.split_random(len(texts), seed=seed)
    found = pipeline.find_shared(splits, texts, key=lambda text: text)
    sides = {name: {texts[row] for row in rows} for name, rows in splits.items()}
    expected = {text for text in texts if sum(text in side for side in sides.values()) > 1}
    assert set(found) == expected
    for example, parts in found.items():
        assert len(parts) > 1
        for name, rows in parts.items():
            assert rows == [row for row in splits[name] if texts[row] == example]


def test_near_copies_are_found_by_a_key_that_forgets():
    texts = ["Good film.", "bad", "good film", "other"]
    splits = {"train": np.array([0, 1]), "test": np.array([2, 3])}
    assert pipeline.find_shared(splits, texts) == {}
    found = pipeline.find_shared(splits, texts, key=lambda text: text.lower().strip(" ."))
    assert found == {"good film": {"train": [0], "test": [2]}}


def test_pictures_are_compared_by_their_pixels():
    pictures = np.zeros((4, 2, 2, 3), dtype=np.uint8)
    pictures[1] = 1
    pictures[3] = 7
    found = pipeline.find_shared({"train": np.array([0, 1]), "test": np.array([2, 3])}, pictures)
    assert list(found.values()) == [{"train": [0], "test": [2]}]


def test_crossing_groups():
    groups = np.array(["ann", "ben", "ann", "cleo"])
    splits = {"train": np.array([0, 1]), "test": np.array([2, 3])}
    assert pipeline.find_crossing_groups(splits, groups) == {"ann": {"train": [0], "test": [2]}}


def test_repetitions_and_contradictions_are_taken_out():
    texts = ["a", "b", "a", "c", "c", "d"]
    assert pipeline.keep_first(texts).tolist() == [0, 1, 3, 5]
    assert pipeline.keep_first(texts, [1, 0, 1, 0, 1, 1]).tolist() == [0, 1, 5]
    assert pipeline.keep_first([]).tolist() == []


@given(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=40), SEEDS)
@settings(deadline=None)
def test_after_keep_first_no_example_is_shared(texts, seed):
    left = [texts[row] for row in pipeline.keep_first(texts)]
    assert len(left) == len(set(texts)) and set(left) == set(texts)
    splits = pipeline.split_by_key([str(row) for row in range(len(left))], seed=seed)
    assert pipeline.find_shared(splits, left) == {}


# The leakage test: usual mistakes, and the right way of each

ROWS = 60
SPLITS = pipeline.split_random(ROWS)
TRAIN = SPLITS["train"]


def data() -> dict:
    random = np.random.default_rng(1)
    words = np.array("red green blue cat dog bird runs sleeps".split())
    return {
        "features": random.normal(size=(ROWS, 30)),
        "picture": random.integers(0, 200, size=(ROWS, 4, 4), dtype=np.uint8),
        "text": [" ".join(random.choice(words, size=4)) for _ in range(ROWS)],
        "sound": [random.normal(size=(random.integers(3, 9), 2)).astype("float32") for _ in range(ROWS)],
        "label": random.integers(0, 2, size=ROWS),
    }


def all_rows(splits):
    return np.sort(np.concatenate(list(splits.values())))


def only_training(splits):
    return splits["train"]


def scale(which, data, splits):
    return StandardScaler().fit(data["features"][which(splits)])


def highest_pixel(which, data, splits):
    return data["picture"][splits["train"]] / data["picture"][which(splits)].max()


def lowest(which, data, splits):
    return data["features"][which(splits)].min(axis=0)


def median(which, data, splits):
    return {"median": np.median(data["features"][which(splits)], axis=0)}


def select(which, data, splits):
    rows = which(splits)
    chosen = SelectKBest(k=5).fit(data["features"][rows], data["label"][rows])
    return chosen.transform(data["features"][splits["train"]])


def vocabulary(which, data, splits):
    return text.Vocabulary.from_texts(pipeline.take(data["text"], which(splits)))


def tf_idf(which, data, splits):
    return TfidfVectorizer().fit(pipeline.take(data["text"], which(splits)))


def longest_sound(which, data, splits):
    return max(float(np.abs(sound).max()) for sound in pipeline.take(data["sound"], which(splits)))


def share_of_labels(which, data, splits):
    return [float(data["label"][which(splits)].mean())]


def components(which, data, splits):
    rows = data["features"][which(splits)]
    return np.abs(np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)[2][:2])


def whole_pipeline(which, data, splits):
    columns = ColumnTransformer(
        [
            ("some", make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()), slice(0, 10)),
            ("others", StandardScaler(), slice(10, 30)),
        ]
    )
    columns.fit(data["features"][which(splits)])
    return columns, columns.transform(data["features"][splits["train"]])


MISTAKES = [
    scale, highest_pixel, lowest, median, select, vocabulary, tf_idf, longest_sound,
    share_of_labels, components, whole_pipeline,
]  # fmt: skip


@pytest.mark.parametrize("prepare", MISTAKES, ids=lambda prepare: prepare.__name__)
def test_a_leak_is_found_and_the_right_way_passes(prepare):
    pipeline.assert_no_leak(partial(prepare, only_training), data(), SPLITS)
    with pytest.raises(pipeline.LeakError, match=r"only rows outside 'train' were .* Split first"):
        pipeline.assert_no_leak(partial(prepare, all_rows), data(), SPLITS)


def test_a_row_in_two_parts_is_found():
    overlapping = SPLITS | {"test": np.append(SPLITS["test"], SPLITS["train"][0])}
    with pytest.raises(ValueError, match="stands in the parts 2 times, expected once"):
        pipeline.assert_no_leak(partial(scale, only_training), data(), overlapping)


def test_the_message_says_what_changed():
    with pytest.raises(pipeline.LeakError, match=r"the result\.mean_ changed by up to [\d.e+]+ when"):
        pipeline.assert_no_leak(partial(scale, all_rows), data(), SPLITS)
    with pytest.raises(pipeline.LeakError, match=r"the shape of the result\[1\] changed from|changed"):
        pipeline.assert_no_leak(partial(vocabulary, all_rows), data(), SPLITS)


def test_the_data_are_not_changed():
    before, after = data(), data()
    pipeline.assert_no_leak(partial(whole_pipeline, only_training), after, SPLITS)
    for name in before:
        for one, other in zip(before[name], after[name], strict=True):
            np.testing.assert_array_equal(one, other)


def test_a_single_array_or_list_will_do():
    rows = data()["features"]
    pipeline.assert_no_leak(lambda rows, splits: rows[splits["train"]].mean(axis=0), rows, SPLITS)
    with pytest.raises(pipeline.LeakError):
        pipeline.assert_no_leak(lambda rows, splits: rows.mean(axis=0), rows, SPLITS)
    with pytest.raises(pipeline.LeakError):
        pipeline.assert_no_leak(lambda texts, splits: set(texts), data()["text"], SPLITS)


def test_what_cannot_be_judged():
    rows = data()["features"]
    random = np.random.default_rng(0)
    for prepare, splits, match in (
        (lambda rows, splits: None, SPLITS, "prepare returned None"),
        (lambda rows, splits: random.normal(), SPLITS, "another result for the same data"),
        (lambda rows, splits: 0, {"train": np.arange(ROWS)}, "nothing that could leak"),
        (lambda rows, splits: 0, {"test": np.arange(ROWS)}, "there is no part 'train'"),
    ):
        with pytest.raises(ValueError, match=match):
            pipeline.assert_no_leak(prepare, rows, splits)
    with pytest.raises(TypeError, match="data must be an array, a list, or a mapping"):
        pipeline.assert_no_leak(lambda rows, splits: 0, 3, SPLITS)
    with pytest.raises(ValueError, match="the same number of rows"):
        pipeline.assert_no_leak(lambda rows, splits: 0, {"a": rows, "b": rows[1:]}, SPLITS)


def test_what_it_cannot_see_passes():
    """Its limits, as the docstring names them: a choice before the call, and a choice by the test score."""
    given = data()
    chosen = SelectKBest(k=5).fit(given["features"], given["label"]).get_support()  # all rows have a say
    pipeline.assert_no_leak(
        lambda data, splits: StandardScaler().fit(data["features"][splits["train"]][:, chosen]), given, SPLITS
    )

    def best_on_the_test_part(data, splits):
        train, test = splits["train"], splits["test"]
        models = [
            LogisticRegression(C=strength).fit(data["features"][train], data["label"][train])
            for strength in (0.01, 1.0)
        ]
        scores = [model.score(data["features"][test], data["label"][test]) for model in models]
        return scale(only_training, data, splits), max(scores) > -1  # the choice itself is not returned

    pipeline.assert_no_leak(best_on_the_test_part, given, SPLITS)
