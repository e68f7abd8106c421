"""Splits, leaks, fitted steps, batches and pairs: properties, and agreement with scikit-learn and tf.data."""

import json
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import SelectKBest
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.model_selection import StratifiedShuffleSplit, TimeSeriesSplit
from sklearn.preprocessing import StandardScaler

from mmcourse import pipeline
from mmcourse.pipeline import Fill, Pair, Pipeline, Provenance, Standardise, TokenIds

SEEDS = st.integers(0, 1000)
SHARES = st.sampled_from(
    [
        pipeline.SHARES,
        {"train": 0.7, "test": 0.3},
        {"train": 0.25, "validation": 0.25, "test": 0.5},
    ]
)


# Splits


@given(st.integers(20, 300), SHARES, SEEDS)
@settings(deadline=None)
def test_a_random_split_covers_all_rows_once_in_the_asked_shares(count, shares, seed):
    splits = pipeline.split_random(count, shares, seed)
    assert list(splits) == list(shares)
    pipeline.check_splits(splits, count)
    for name, rows in splits.items():
        assert rows.dtype == np.int64 and (np.diff(rows) > 0).all()
        assert abs(len(rows) - shares[name] * count) < 1
    again = pipeline.split_random(count, shares, seed)
    for name in shares:
        np.testing.assert_array_equal(again[name], splits[name])


def test_another_seed_gives_another_split():
    first, second = (pipeline.split_random(100, seed=seed)["test"] for seed in (0, 1))
    assert first.tolist() != second.tolist()


@given(st.lists(st.sampled_from("abcd"), min_size=30, max_size=200), SHARES, SEEDS)
@settings(deadline=None)
def test_a_stratified_split_keeps_the_shares_of_the_classes(labels, shares, seed):
    splits = pipeline.split_stratified(labels, shares, seed)
    pipeline.check_splits(splits, len(labels))
    labels = np.array(labels)
    for name, rows in splits.items():
        assert abs(len(rows) - shares[name] * len(labels)) < 1
        for label in np.unique(labels):
            expected = shares[name] * (labels == label).sum()
            assert abs((labels[rows] == label).sum() - expected) <= 2


@given(st.integers(0, 50))
@settings(deadline=None, max_examples=20)
def test_stratified_parts_have_the_class_sizes_of_scikit_learn(seed):
    labels = np.repeat([0, 1, 2], [90, 60, 50])
    theirs, _ = next(StratifiedShuffleSplit(1, test_size=0.2, random_state=seed).split(labels, labels))
    ours = pipeline.split_stratified(labels, {"train": 0.8, "test": 0.2}, seed)["train"]
    assert np.abs(np.bincount(labels[ours]) - np.bincount(labels[theirs])).max() <= 1


@given(st.lists(st.integers(0, 15), min_size=60, max_size=200), SEEDS)
@settings(deadline=None)
def test_no_group_crosses(groups, seed):
    try:
        splits = pipeline.split_by_group(groups, {"train": 0.7, "test": 0.3}, seed)
    except ValueError as error:
        assert "leave the part" in str(error)
        return
    pipeline.check_splits(splits, len(groups))
    assert pipeline.find_crossing_groups(splits, groups) == {}
    largest = np.bincount(groups).max()
    assert abs(len(splits["test"]) - 0.3 * len(groups)) <= largest


@given(st.lists(st.integers(-20, 20), min_size=60, max_size=200))
@settings(deadline=None)
def test_a_split_by_time_trains_on_what_came_first(times):
    try:
        splits = pipeline.split_by_time(times, {"train": 0.7, "test": 0.3})
    except ValueError as error:
        assert "leave the part" in str(error)
        return
    pipeline.check_splits(splits, len(times))
    times = np.array(times)
    assert times[splits["train"]].max() < times[splits["test"]].min()


def test_a_split_by_time_is_one_of_scikit_learns():
    times = np.arange(100)
    *_, (train, test) = TimeSeriesSplit(n_splits=4).split(times)
    splits = pipeline.split_by_time(times, {"train": 0.8, "test": 0.2})
    np.testing.assert_array_equal(splits["train"], train)
    np.testing.assert_array_equal(splits["test"], test)


def test_dates_are_times():
    dates = np.array(["2024-03-01", "2020-01-01", "2022-01-01", "2021-01-01"], dtype="datetime64[D]")
    splits = pipeline.split_by_time(dates, {"train": 0.75, "test": 0.25})
    assert splits["test"].tolist() == [0]


@given(st.lists(st.text(max_size=8), min_size=1, max_size=60), SEEDS)
@settings(deadline=None)
def test_a_split_by_key_does_not_change_when_rows_are_added(keys, seed):
    few = pipeline.split_by_key(keys[: len(keys) // 2], seed=seed)
    many = pipeline.split_by_key(keys, seed=seed)
    for name, rows in few.items():
        assert set(rows.tolist()) <= set(many[name].tolist())
    assert pipeline.find_shared(many, keys) == {}
    assert sorted(np.concatenate(list(many.values())).tolist()) == list(range(len(keys)))


def test_a_split_by_key_meets_the_shares():
    splits = pipeline.split_by_key([f"picture-{number}" for number in range(20_000)])
    for name, share in pipeline.SHARES.items():
        assert abs(len(splits[name]) / 20_000 - share) < 0.01


@pytest.mark.parametrize(
    "shares", [{}, {"train": 1.0}, {"train": 0.5, "test": 0.4}, {"a": 1.5, "b": -0.5}, {"a": 1.0, "b": 0.0}]
)
def test_impossible_shares(shares):
    for split in (
        partial(pipeline.split_random, 50),
        partial(pipeline.split_stratified, [0] * 50),
        partial(pipeline.split_by_group, range(50)),
        partial(pipeline.split_by_time, range(50)),
        partial(pipeline.split_by_key, ["a"] * 50),
    ):
        with pytest.raises(ValueError, match="shares must be two positive numbers or more with the sum 1"):
            split(shares)


def test_too_few_rows_groups_or_times():
    with pytest.raises(ValueError, match=r"3 rows are too few .* 'test' would be empty"):
        pipeline.split_random(3)
    with pytest.raises(ValueError, match="leave the part 'validation' empty"):
        pipeline.split_by_group([0] * 5 + [1] * 5)
    with pytest.raises(ValueError, match="row 1 has no time"):
        pipeline.split_by_time([1.0, np.nan, 2.0])
    for split in (pipeline.split_stratified, pipeline.split_by_group, pipeline.split_by_time):
        with pytest.raises(ValueError, match=r"\(rows,\).* got .*\(4, 2\)"):
            split(np.zeros((4, 2)))


@pytest.mark.parametrize(
    ("splits", "match"),
    [
        ({"train": [0, 1], "test": [1, 2]}, "row 1 stands in the parts 2 times"),
        ({"train": [0, 1], "test": [3]}, "row 2 stands in the parts 0 times"),
        ({"train": [0, 1, 2], "test": []}, "'test' must be row numbers"),
        ({"train": [0, 1], "test": [2, 4]}, "'test' has row numbers outside 0 to 3"),
        ({"train": [0, 1], "test": [2.0, 3.0]}, "'test' must be row numbers"),
    ],
)
def test_faults_of_splits_are_named(splits, match):
    with pytest.raises(ValueError, match=match):
        pipeline.check_splits(splits, 4)


def test_the_report_shows_sizes_and_balance():
    splits = {"train": np.arange(6), "test": np.arange(6, 8)}
    text = pipeline.report(splits, ["a", "a", "a", "b", "b", "b", "a", "b"])
    assert text.splitlines() == [
        "train             6 rows  0.750  a: 0.500  b: 0.500",
        "test              2 rows  0.250  a: 0.500  b: 0.500",
    ]
    assert pipeline.report(splits).splitlines()[1] == "test              2 rows  0.250"


# Leaks

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
    for text, parts in found.items():
        assert len(parts) > 1
        for name, rows in parts.items():
            assert rows == [row for row in splits[name] if texts[row] == text]


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
    return Standardise.fit(data["features"][which(splits)])


def scale_by_scikit_learn(which, data, splits):
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
    return TokenIds.fit(pipeline.take(data["text"], which(splits)))


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
    recipe = {"features": [Fill.fit, Standardise.fit], "text": [TokenIds.fit]}
    fitted = Pipeline.fit(recipe, data, which(splits))
    return fitted, fitted.apply(pipeline.take(data, splits["train"]))


MISTAKES = [
    scale, scale_by_scikit_learn, highest_pixel, lowest, median, select, vocabulary, tf_idf, longest_sound,
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
    with pytest.raises(pipeline.LeakError, match=r"the result\.mean changed by up to [\d.e+]+ when"):
        pipeline.assert_no_leak(partial(scale, all_rows), data(), SPLITS)
    with pytest.raises(pipeline.LeakError, match=r"the length of the result\.tokens changed from 8 to"):
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


# Fitted steps

NUMBERS = hnp.arrays(
    np.float64,
    st.tuples(st.integers(2, 20), st.integers(1, 5)),
    elements=st.floats(-1e3, 1e3).map(lambda value: round(value, 3)),
)


@given(NUMBERS)
@settings(deadline=None)
def test_standardise_equals_scikit_learn(rows):
    step, theirs = Standardise.fit(rows), StandardScaler().fit(rows)
    np.testing.assert_allclose(step.mean, theirs.mean_, atol=1e-9)
    np.testing.assert_allclose(step.apply(rows), theirs.transform(rows), rtol=1e-6, atol=1e-6)


@given(NUMBERS)
@settings(deadline=None)
def test_standardised_training_rows_have_mean_zero_and_deviation_one_or_zero(rows):
    ready = Standardise.fit(rows).apply(rows)
    assert ready.shape == rows.shape
    np.testing.assert_allclose(ready.mean(axis=0), 0, atol=1e-6)
    constant = np.ptp(rows, axis=0) == 0
    np.testing.assert_allclose(ready.std(axis=0), np.where(constant, 0, 1), atol=1e-5)


@pytest.mark.parametrize("value", [0.1, 1e8 / 3, -7.3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_constant_feature_stays_finite_and_small(value, dtype):
    rows = np.full((1001, 1), value, dtype=dtype)
    assert np.abs(Standardise.fit(rows).apply(rows)).max() < 1e-3 * max(
        1, abs(value) * np.finfo(dtype).eps * 1e4
    )


def test_one_mean_a_channel_whatever_stands_before():
    pictures = np.random.default_rng(0).integers(0, 256, size=(5, 4, 4, 3), dtype=np.uint8)
    step = Standardise.fit(pictures)
    np.testing.assert_allclose(step.mean, pictures.reshape(-1, 3).mean(axis=0))
    ready = step.apply(pictures)
    assert ready.shape == pictures.shape and ready.dtype == np.float32
    np.testing.assert_allclose(step.apply(pictures[0]), ready[0])


def test_dtypes():
    for dtype, expected in ((np.float64, np.float64), (np.float32, np.float32), (np.int64, np.float32)):
        rows = np.arange(6, dtype=dtype).reshape(3, 2)
        assert Standardise.fit(rows).apply(rows).dtype == expected
        assert Fill.fit(rows).apply(rows).dtype == expected


MISSING = hnp.arrays(
    np.float64,
    st.tuples(st.integers(2, 20), st.integers(1, 4)),
    elements=st.floats(-100, 100) | st.just(np.nan),
).filter(lambda rows: not np.isnan(rows).all(axis=0).any())


@given(MISSING, st.sampled_from(["mean", "median"]))
@settings(deadline=None)
def test_fill_equals_scikit_learn(rows, by):
    np.testing.assert_allclose(Fill.fit(rows, by).apply(rows), SimpleImputer(strategy=by).fit_transform(rows))
    both = Fill.fit(rows, by, indicator=True).apply(rows)
    width = rows.shape[1]
    np.testing.assert_array_equal(both[:, :width], Fill.fit(rows, by).apply(rows))
    np.testing.assert_array_equal(both[:, width:], MissingIndicator(features="all").fit_transform(rows))


@given(NUMBERS)
@settings(deadline=None)
def test_fill_changes_nothing_where_nothing_is_missing(rows):
    np.testing.assert_array_equal(Fill.fit(rows).apply(rows), rows)


def test_token_ids_know_only_the_training_words():
    step = TokenIds.fit(["a cat", "a dog sleeps"])
    assert step.tokens == ("a", "cat", "dog", "sleeps") and step.length == 3
    np.testing.assert_array_equal(step.apply(["a bird sleeps now", "dog"]), [[4, 3, 7], [6, 0, 0]])
    assert TokenIds.fit(["a cat", "a dog"], length=1, least=2).tokens == ("a",)
    np.testing.assert_array_equal(TokenIds.fit(["猫在睡觉"]).apply(["狗在睡"]), [[3, 4, 6, 0]])


def test_special_tokens_in_a_text_are_no_words():
    step = TokenIds.fit(["<pad> a <end>"])
    assert step.tokens == ("a",)
    np.testing.assert_array_equal(step.apply(["<pad> a"]), [[3, 4, 0]])


@given(st.lists(st.text(max_size=12), min_size=1, max_size=6), st.integers(1, 6))
@settings(deadline=None)
def test_token_ids_of_any_text(texts, length):
    step = TokenIds.fit(["a b c", *texts], length=length)
    ids = step.apply(texts)
    assert ids.shape == (len(texts), length) and ids.dtype == np.int32
    assert ids.min(initial=0) >= 0 and ids.max(initial=0) < 4 + len(step.tokens)


def test_nothing_can_be_applied_before_it_is_fitted():
    for step in (Standardise, Fill, TokenIds, Pipeline):
        with pytest.raises(TypeError, match=r"missing .* required positional argument"):
            step()
    step = Standardise.fit(np.eye(3))
    with pytest.raises(AttributeError):
        step.mean = np.zeros(3)


@pytest.mark.parametrize(
    ("rows", "match"),
    [
        (np.zeros((0, 3)), "nothing to fit on.*Is the training part empty"),
        (np.zeros(3), r"rows\[:, None\]"),
        ([["a"]], "rows must be numbers"),
        ([[0.0, 1.0], [np.inf, 1.0]], r"the value at \(1, 0\) is inf"),
    ],
)
def test_rows_that_no_step_takes(rows, match):
    for step in (Standardise, Fill):
        with pytest.raises(ValueError, match=match):
            step.fit(rows)


def test_errors_of_steps():
    with pytest.raises(ValueError, match=r"the value at \(0, 1\) is nan; fill missing values first"):
        Standardise.fit([[0.0, np.nan]])
    with pytest.raises(ValueError, match="3 features were fitted, got rows with 2"):
        Standardise.fit(np.eye(3)).apply(np.ones((4, 2)))
    with pytest.raises(ValueError, match="feature 1 is missing in every training row"):
        Fill.fit([[0.0, np.nan], [1.0, np.nan]])
    with pytest.raises(ValueError, match="by must be 'mean' or 'median', got 'mode'"):
        Fill.fit(np.eye(2), by="mode")
    with pytest.raises(ValueError, match="at least one token, got 2 texts without any"):
        TokenIds.fit(["", " "])
    with pytest.raises(ValueError, match="length must be at least 1 token, got 0"):
        TokenIds.fit(["a"], length=0)


def fitted(rows=TRAIN):
    values = data()
    values["features"][3, 4] = np.nan
    recipe = {
        "features": [partial(Fill.fit, indicator=True), Standardise.fit],
        "text": [partial(TokenIds.fit, length=5)],
    }
    return Pipeline.fit(recipe, values, rows), values


def test_a_pipeline_does_the_steps_in_order_and_passes_the_rest_on():
    steps, values = fitted()
    ready = steps.apply(values)
    fill = Fill.fit(values["features"][TRAIN], indicator=True)
    filled = fill.apply(values["features"])
    np.testing.assert_allclose(ready["features"], Standardise.fit(filled[TRAIN]).apply(filled))
    assert ready["text"].shape == (ROWS, 5)
    assert ready["label"] is values["label"]


def test_errors_of_a_pipeline_name_the_modality():
    steps, values = fitted()
    with pytest.raises(ValueError, match="features: 30 features were fitted, got rows with 29"):
        steps.apply(values | {"features": values["features"][:, 1:]})
    with pytest.raises(ValueError, match=r"the data have no 'text'; they have: 'features'"):
        steps.apply({"features": values["features"]})
    with pytest.raises(ValueError, match=r"features: the value at .* is nan; fill missing values first"):
        Pipeline.fit({"features": [Standardise.fit]}, values, TRAIN)
    for rows in ([], [[1]], [0.5], np.ones(ROWS, dtype=bool)):
        with pytest.raises(ValueError, match="rows must be numbers of training rows"):
            Pipeline.fit({"features": [Fill.fit]}, values, rows)


def test_what_was_fitted_comes_back_to_the_last_bit(tmp_path):
    steps, values = fitted()
    steps.save(tmp_path / "steps.json")
    again = Pipeline.load(tmp_path / "steps.json")
    for name, expected in steps.apply(values).items():
        for one, other in zip(expected, again.apply(values)[name], strict=True):
            np.testing.assert_array_equal(one, other)
    again.save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "steps.json").read_bytes()


def test_a_changed_or_foreign_file_is_refused(tmp_path):
    path = tmp_path / "steps.json"
    steps, _ = fitted()
    steps.save(path)
    good = path.read_text()
    stored = json.loads(good)
    stored["steps"]["features"][1]["mean"][0] += 1
    unknown = {"x": [{"step": "System", "command": "ls"}]}
    for content, match in (
        (good[:100], "holds no fitted steps"),
        ("[]", "holds no fitted steps"),
        ("{}", "holds no fitted steps"),
        (json.dumps(stored), "its checksum differs"),
        (json.dumps(json.loads(good) | {"format": 99}), "has the format 99, expected 1"),
        (json.dumps({"format": 1, "steps": unknown, "sha256": pipeline._checksum(unknown)}), "not known"),
        (json.dumps({"format": 1, "steps": [1], "sha256": pipeline._checksum([1])}), "not known"),
    ):
        path.write_text(content)
        with pytest.raises(pipeline.StatisticsError, match=match):
            Pipeline.load(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(pipeline.StatisticsError, match="holds no fitted steps"):
        Pipeline.load(path)
    with pytest.raises(FileNotFoundError):
        Pipeline.load(tmp_path / "none.json")


# Batches


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


def pairs(count):
    random = np.random.default_rng(3)
    return {
        "row": np.arange(count),
        "picture": random.integers(0, 256, size=(count, 2, 2), dtype=np.uint8),
        "sound_known": random.random(count) < 0.7,
    }


@pytest.mark.parametrize(("count", "size"), [(24, 6), (25, 6), (7, 7), (9, 1)])
def test_both_ways_give_the_same_batches(count, size):
    from mmcourse.learning import training

    values = pairs(count)
    in_memory = training.Batches(count, size, lambda rows, random: pipeline.take(values, rows), seed=5)
    stream = pipeline.tf_batches(values, size, seed=5, epochs=3).as_numpy_iterator()
    for epoch in range(3):
        in_memory.start_epoch(epoch)
        for number in range(len(in_memory)):
            theirs = next(stream)
            for name, expected in in_memory[number].items():
                assert theirs[name].dtype == expected.dtype
                np.testing.assert_array_equal(theirs[name], expected)
    assert list(stream) == []


@pytest.mark.parametrize(("count", "size"), [(24, 6), (25, 6)])
def test_every_example_exactly_once_an_epoch(count, size):
    batches = pipeline.tf_batches(pairs(count), size, seed=0, epochs=2, drop_last=False)
    rows = np.concatenate([batch["row"] for batch in batches.as_numpy_iterator()])
    first, second = rows[:count], rows[count:]
    assert sorted(first) == sorted(second) == list(range(count))
    assert first.tolist() != second.tolist(), "each epoch has an order of its own"


def test_a_row_keeps_its_parts_together():
    values = pairs(20)
    for batch in pipeline.tf_batches(values, 5, seed=1).as_numpy_iterator():
        np.testing.assert_array_equal(batch["picture"], values["picture"][batch["row"]])
        np.testing.assert_array_equal(batch["sound_known"], values["sound_known"][batch["row"]])


def test_errors_of_batches():
    for size in (0, 11):
        with pytest.raises(ValueError, match=r"batch_size must be 1 to 10 \(the rows\)"):
            pipeline.tf_batches(pairs(10), size, seed=0)
    with pytest.raises(ValueError, match="the same number of rows"):
        pipeline.tf_batches({"a": np.zeros(3), "b": np.zeros(4)}, 2, seed=0)


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


# Pairs

FREE = Provenance("a test", "CC0", "no person is in it", "2024")


def test_a_pair_says_what_is_missing():
    pair = Pair("1", {"picture": np.zeros((2, 2)), "sound": None}, "ann", {"picture": FREE})
    assert pair.missing == ("sound",)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"key": ""}, "needs a key and a group"),
        ({"group": ""}, "needs a key and a group"),
        ({"parts": {"picture": 1}}, "needs two modalities or more"),
        ({"parts": {"picture": None, "text": None}}, "one of them known, got none"),
        ({"provenance": {"picture": FREE}}, "does not say where its 'text' comes from"),
    ],
)
def test_an_incomplete_pair_is_refused(changes, match):
    fields = {
        "key": "1",
        "parts": {"picture": 1, "text": "a"},
        "group": "g",
        "provenance": {"picture": FREE, "text": FREE},
    }
    Pair(**fields)
    with pytest.raises(ValueError, match=match):
        Pair(**(fields | changes))


@pytest.mark.parametrize("field", ["source", "licence", "consent", "collected"])
@pytest.mark.parametrize("value", ["", "  ", None])
def test_no_field_of_the_provenance_may_be_empty(field, value):
    fields = {"source": "a", "licence": "b", "consent": "c", "collected": "d"}
    with pytest.raises(ValueError, match=f"{field} must say something"):
        Provenance(**(fields | {field: value}))


@given(
    st.lists(st.integers(-50, 150), min_size=1, max_size=20),
    st.lists(st.integers(0, 100), min_size=1, max_size=20, unique=True).map(sorted),
    st.integers(0, 30),
)
@settings(deadline=None)
def test_the_nearest_frame_is_that_of_a_plain_search(times, frame_times, farthest):
    distances = np.abs(np.array(times)[:, None] - np.array(frame_times))
    expected = distances.argmin(axis=1)  # the first of equally near ones
    np.testing.assert_array_equal(pipeline.nearest_frame(times, frame_times), expected)
    found = pipeline.nearest_frame(times, frame_times, farthest)
    np.testing.assert_array_equal(found, np.where(distances.min(axis=1) <= farthest, expected, -1))


@pytest.mark.parametrize("frame_times", [[], [0.0, 0.0], [1.0, 0.5], [[0.0]]])
def test_frame_times_must_increase(frame_times):
    with pytest.raises(ValueError, match="they must increase"):
        pipeline.nearest_frame([0.0], frame_times)
