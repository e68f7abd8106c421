"""Scores of classes: equal to scikit-learn's on generated cases, and what is not defined is refused."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import calibration, metrics

from mmcourse.evaluation import classes

# scikit-learn warns of a single class
pytestmark = pytest.mark.filterwarnings("ignore:A single label was found")
CASES = settings(max_examples=200, deadline=None)
FEWER = settings(max_examples=50, deadline=None)
AVERAGED = (classes.precision, classes.recall, classes.f1)
# The kinds of labels: what stands for class 0, 1, 2, …
KINDS = {
    "numbers": [0, 1, 2, 3, 4],
    "signs": [-1, 1],
    "booleans": [False, True],
    "strings": ["cat", "dog", "猫", "", "z"],
    "whole floats": [0.0, 1.0, 2.0, 7.0],
    "large": [-(10**12), 10**15, 3],
}


SEEDS = st.integers(0, 2**32)  # much faster than drawing each number; hypothesis draws what matters


@st.composite
def label_columns(draw, kinds=tuple(KINDS)):
    """Truths and predictions: few or many rows, one class or all, of one kind."""
    names = KINDS[draw(st.sampled_from(kinds))]
    count, rows = draw(st.integers(1, len(names))), draw(st.integers(1, 30))
    numbers = np.random.default_rng(draw(SEEDS)).integers(count, size=(2, rows))
    return [names[number] for number in numbers[0]], [names[number] for number in numbers[1]]


@st.composite
def ranked(draw, least_positive=1, least_negative=1):
    """Truths of 0 and 1, and scores of which many are equal, or all different."""
    positive, negative = draw(st.integers(least_positive, 25)), draw(st.integers(least_negative, 25))
    random = np.random.default_rng(draw(SEEDS))
    truths = random.permutation([1] * positive + [0] * negative)
    rows = len(truths)
    kind = draw(st.sampled_from(["few", "whole", "real", "nearly equal", "single precision", "one"]))
    return truths, {
        "few": random.integers(4, size=rows),
        "whole": random.integers(-(2**62), 2**62, size=rows),
        "real": random.normal(size=rows),
        "nearly equal": random.choice([0.1, np.nextafter(0.1, 1), 0.3, 0.1 * 3], size=rows),
        "single precision": random.random(rows, dtype=np.float32).round(1),
        "one": np.full(rows, 0.5),
    }[kind]


@st.composite
def probable(draw):
    """Truths of 0 and 1, and probabilities, many of them on the edges of bins."""
    rows, random = draw(st.integers(1, 40)), np.random.default_rng(draw(SEEDS))
    on_edge = random.integers(11, size=rows) / 10
    probabilities = np.where(
        random.random(rows) < draw(st.sampled_from([0, 0.5, 1])), on_edge, random.random(rows)
    )
    return random.integers(draw(st.integers(1, 2)), size=rows), probabilities


@st.composite
def tables(draw):
    """Numbers of the true columns, and probabilities (rows, classes)."""
    rows, width, random = (
        draw(st.integers(1, 30)),
        draw(st.integers(2, 5)),
        np.random.default_rng(draw(SEEDS)),
    )
    return random.integers(width, size=rows), random.dirichlet(np.ones(width), size=rows)


@given(label_columns())
@CASES
def test_accuracy_equals_scikit_learns(columns):
    assert classes.accuracy(*columns) == pytest.approx(metrics.accuracy_score(*columns), abs=1e-12)


@given(label_columns(), st.booleans())
@CASES
def test_confusion_equals_scikit_learns(columns, reverse):
    labels = sorted(set(columns[0]) | set(columns[1]), reverse=reverse)
    expected = metrics.confusion_matrix(*columns, labels=labels)
    found = classes.confusion(*columns, labels=labels if reverse else None)
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == np.int64 and found.sum() == len(columns[0])


def scikit_learns(columns, **options) -> tuple:
    """Precision, recall and F1."""
    return metrics.precision_recall_fscore_support(*columns, **options)[:3]


@given(label_columns(), st.sampled_from(["macro", "micro", "weighted", None]), st.sampled_from([0.0, 1.0]))
@CASES
def test_averages_equal_scikit_learns(columns, average, zero_division):
    options = {"average": average, "zero_division": zero_division}
    for function, expected in zip(AVERAGED, scikit_learns(columns, **options), strict=True):
        np.testing.assert_allclose(function(*columns, **options), expected, atol=1e-12)


@given(label_columns(), st.sampled_from([0, 1]), st.data())
@CASES
def test_the_positive_class_alone_equals_scikit_learns(columns, zero_division, data):
    positive = data.draw(st.sampled_from(sorted(set(columns[0]) | set(columns[1]))))
    # scikit-learn's way of setting one class of many against all others
    options = {"labels": [positive], "average": None, "zero_division": zero_division}
    for function, (expected,) in zip(AVERAGED, scikit_learns(columns, **options), strict=True):
        found = function(*columns, positive=positive, zero_division=zero_division)
        assert found == pytest.approx(expected, abs=1e-12)


@given(label_columns(("signs", "booleans")))
@CASES
def test_without_a_name_the_positive_class_is_one(columns):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn warns where a share has no value
        expected = scikit_learns(columns, average="binary")
    for function, number in zip(AVERAGED, expected, strict=True):
        assert function(*columns) == pytest.approx(number, abs=1e-12)


@given(label_columns(("numbers", "strings")))
@FEWER
def test_micro_averages_are_the_accuracy(columns):
    for function in AVERAGED:
        assert function(*columns, average="micro") == pytest.approx(classes.accuracy(*columns))


@given(ranked())
@CASES
def test_roc_curve_equals_scikit_learns(rows):
    expected = metrics.roc_curve(*rows, drop_intermediate=False)
    for ours, theirs in zip(classes.roc_curve(*rows), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-12)


@given(ranked())
@CASES
def test_roc_auc_equals_scikit_learns_and_the_share_of_pairs(rows):
    truths, scores = rows
    found = classes.roc_auc(truths, scores)
    assert found == pytest.approx(metrics.roc_auc_score(truths, scores), abs=1e-12)
    positive, negative = scores[truths == 1][:, None], scores[truths == 0]
    pairs = (positive > negative) + 0.5 * (positive == negative)
    assert found == pytest.approx(pairs.mean(), abs=1e-12)


@given(ranked(least_negative=0))
@CASES
def test_precision_and_recall_by_threshold_equal_scikit_learns(rows):
    expected = metrics.precision_recall_curve(*rows)
    for ours, theirs in zip(classes.precision_recall_curve(*rows), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-12)
    assert classes.average_precision(*rows) == pytest.approx(
        metrics.average_precision_score(*rows), abs=1e-12
    )


@given(ranked(), st.sampled_from([("no", "yes"), (3, 9), (True, False)]))
@FEWER
def test_the_positive_class_of_a_ranking_has_a_name(rows, names):
    truths, scores = rows
    named = np.array(names)[truths]
    assert classes.roc_auc(named, scores, positive=names[1]) == classes.roc_auc(truths, scores)
    assert classes.roc_auc(named, -scores.astype(float), positive=names[0]) == pytest.approx(
        classes.roc_auc(truths, scores.astype(float)), abs=1e-12
    )


@given(st.lists(st.sampled_from(["a", "b", "c"]), min_size=5, max_size=30), SEEDS)
@FEWER
def test_one_class_stands_against_all_others(truths, seed):
    truths = ["a", "b", *truths]
    scores = np.random.default_rng(seed).normal(size=len(truths))
    expected = metrics.roc_auc_score(np.array(truths) == "a", scores)
    assert classes.roc_auc(truths, scores, positive="a") == pytest.approx(expected, abs=1e-12)


@given(ranked())
@FEWER
def test_a_ranking_does_not_care_for_the_scale(rows):
    truths, scores = rows[0], rows[1].astype(float)
    distinct = np.unique(scores, return_inverse=True)[1]
    for function in (classes.roc_auc, classes.average_precision):
        assert function(truths, distinct) == pytest.approx(function(truths, scores), abs=1e-12)


@given(probable(), st.sampled_from([np.float64, np.float32]))
@CASES
def test_log_loss_equals_scikit_learns(rows, dtype):
    truths, probabilities = rows[0], rows[1].astype(dtype)
    expected = metrics.log_loss(truths, probabilities, labels=[0, 1])
    assert classes.log_loss(truths, probabilities) == pytest.approx(expected, rel=1e-5)


@given(tables())
@CASES
def test_log_loss_of_a_table_equals_scikit_learns(rows):
    truths, table = rows
    expected = metrics.log_loss(truths, table, labels=range(table.shape[1]))
    assert classes.log_loss(truths, table) == pytest.approx(expected, rel=1e-9)


def error_by_loop(came_true, confidence, bins):
    """The expected calibration error as its definition reads, row by row and bin by bin."""
    total = 0.0
    for number in range(bins):
        low, high = np.linspace(0, 1, bins + 1)[number : number + 2]
        inside = [i for i, p in enumerate(confidence) if low < p <= high or (number == 0 and p == 0)]
        if inside:
            share = sum(bool(came_true[i]) for i in inside) / len(inside)
            mean = sum(float(confidence[i]) for i in inside) / len(inside)
            total += len(inside) / len(confidence) * abs(share - mean)
    return total


@given(probable(), st.integers(1, 20))
@CASES
def test_calibration_error_equals_its_definition(rows, bins):
    assert classes.calibration_error(*rows, bins=bins) == pytest.approx(error_by_loop(*rows, bins), abs=1e-9)


@given(tables(), st.integers(1, 20))
@CASES
def test_calibration_error_of_a_table_judges_the_largest_probability(rows, bins):
    truths, table = rows
    expected = error_by_loop(table.argmax(axis=1) == truths, table.max(axis=1), bins)
    assert classes.calibration_error(truths, table, bins=bins) == pytest.approx(expected, abs=1e-9)


@given(probable(), st.integers(1, 20))
@CASES
def test_reliability_equals_scikit_learns(rows, bins):
    truths, probabilities = np.append(rows[0], [0, 1]), np.append(rows[1], [0.5, 0.5])
    observed, predicted = calibration.calibration_curve(truths, probabilities, n_bins=bins, pos_label=1)
    found = classes.reliability(truths, probabilities, bins=bins)
    np.testing.assert_allclose(found.observed, observed, atol=1e-12)
    np.testing.assert_allclose(found.predicted, predicted, atol=1e-12)
    assert found.counts.sum() == len(truths) and (found.counts > 0).all()


def test_calibration_of_probabilities_that_come_true_and_of_those_that_do_not():
    truths = np.array([0, 0, 0, 1] * 25)
    assert classes.calibration_error(truths, np.full(100, 0.25)) == pytest.approx(0)
    assert classes.calibration_error(truths, np.full(100, 0.95)) == pytest.approx(0.7)
    assert classes.calibration_error([1, 0], [1.0, 0.0]) == 0


def test_the_articles_f1():
    """Ten hits among a hundred alarms; accuracy in the place of precision gives another number."""
    truths = np.repeat([1, 0, 0], [10, 90, 900])
    predictions = np.repeat([1, 1, 0], [10, 90, 900])
    assert classes.confusion(truths, predictions).tolist() == [[900, 90], [0, 10]]
    assert classes.precision(truths, predictions) == pytest.approx(0.1)
    assert classes.recall(truths, predictions) == 1
    assert round(classes.f1(truths, predictions), 4) == 0.1818
    accuracy = classes.accuracy(truths, predictions)
    assert round(2 * accuracy / (accuracy + 1), 4) == 0.9529


OF_LABELS = [classes.accuracy, classes.confusion, classes.precision, classes.recall, classes.f1]
OF_SCORES = [classes.roc_curve, classes.roc_auc, classes.precision_recall_curve, classes.average_precision]
OF_PROBABILITIES = [
    classes.log_loss,
    classes.reliability,
    classes.calibration_error,
]
ALL = OF_LABELS + OF_SCORES + OF_PROBABILITIES


@pytest.mark.parametrize("function", ALL, ids=lambda function: function.__name__)
@pytest.mark.parametrize(
    ("truths", "others", "message"),
    [
        ([], [], "empty"),
        (np.zeros(0, int), np.zeros(0), "empty"),
        ([0, 1], [1], r"got 1 .* for 2 truths"),
        ([0], [1, 0], r"got 2 .* for 1 truths"),
        ([[0], [1]], [0, 1], r"shape \(2, 1\)"),
        (1, 1, r"shape \(\)"),
        ([0, math.nan], [0, 1], "NaN"),
        ([0, 1], [0, math.nan], "NaN"),
        ([0, 1], [math.inf, 0], "infinity"),
        ([0, None], [0, 1], "object"),
        ([0, 1], [1, None], "object"),
        ([0, "dog"], [0, 1], "of one kind"),
        ([0.5, 1], [0, 1], "0.5, which is no label"),
        ([0, 1j], [0, 1], "complex"),
    ],
)
def test_what_cannot_be_scored_is_refused(function, truths, others, message):
    with pytest.raises(ValueError, match=message):
        function(truths, others)


@pytest.mark.parametrize("function", OF_LABELS, ids=lambda function: function.__name__)
def test_wrong_predictions_are_refused(function):
    for truths, predictions, message in (
        ([0, 1], ["0", "1"], "truths are numbers and predictions are strings"),
        (["a"], [1], "truths are strings and predictions are numbers"),
        ([0, 1], [0.2, 0.9], "0.2, which is no label; choose classes by a threshold"),
        ([0, 1], [[0.2, 0.8], [0.1, 0.9]], r"shape \(2, 2\)"),
    ):
        with pytest.raises(ValueError, match=message):
            function(truths, predictions)


@pytest.mark.parametrize("function", [*OF_SCORES, *OF_PROBABILITIES], ids=lambda function: function.__name__)
def test_wrong_scores_are_refused(function):
    with pytest.raises(ValueError, match="must be numbers"):
        function([0, 1], ["a", "b"])
    with pytest.raises(ValueError, match="which class is positive"):
        function(["no", "yes"], [0.1, 0.2])
    with pytest.raises(ValueError, match="which class is positive"):
        function([1, 2], [0.1, 0.2])
    with pytest.raises(ValueError, match="positive='maybe' is not among the labels"):
        function(["no", "yes"], [0.1, 0.2], positive="maybe")


@pytest.mark.parametrize("function", OF_SCORES, ids=lambda function: function.__name__)
def test_a_ranking_without_positives_is_refused(function):
    """scikit-learn warns, and returns NaN or 0."""
    with pytest.raises(ValueError, match="no row is positive"):
        function([0, 0, 0], [0.1, 0.2, 0.3])


@pytest.mark.parametrize("function", [classes.roc_curve, classes.roc_auc])
def test_a_roc_curve_without_negatives_is_refused(function):
    with pytest.raises(ValueError, match="every row is positive"):
        function([1, 1], [0.1, 0.2])


@pytest.mark.parametrize("function", OF_PROBABILITIES, ids=lambda function: function.__name__)
def test_what_is_no_probability_is_refused(function):
    for probabilities in ([0.5, 1.5], [-0.1, 0.5]):
        with pytest.raises(ValueError, match="must lie from 0 to 1"):
            function([0, 1], probabilities)


@pytest.mark.parametrize("function", [classes.log_loss, classes.calibration_error])
def test_wrong_tables_are_refused(function):
    good = np.array([[0.2, 0.8], [0.6, 0.4]])
    for truths, table, message in (
        ([0, 1], good * 2, "from 0 to 1"),
        ([0, 1], good * 0.9, "must sum to 1; those of row 0"),
        ([0, 2], good, "numbers of columns, 0 to 1"),
        ([-1, 1], good, "numbers of columns, 0 to 1"),
        (["a", "b"], good, "numbers of columns"),
        ([0], good, "got 2 rows of probabilities for 1 truths"),
    ):
        with pytest.raises(ValueError, match=message):
            function(truths, table)


@pytest.mark.parametrize("bins", [0, -1, 2.5, True, "ten"])
def test_wrong_bins_are_refused(bins):
    with pytest.raises(ValueError, match="bins"):
        classes.calibration_error([0, 1], [0.1, 0.9], bins=bins)


@pytest.mark.parametrize("function", AVERAGED, ids=lambda function: function.__name__)
def test_wrong_options_are_refused(function):
    three = ["a", "b", "c"]
    for options, message in (
        ({"average": "mean"}, "unknown average 'mean'; expected one of: binary, macro"),
        ({}, "which class is positive"),
        ({"positive": "d"}, "positive='d' is not among"),
        ({"positive": 1}, "positive=1 is not among"),
        ({"average": "macro", "positive": "a"}, "positive is for average='binary'"),
        ({"average": "macro", "zero_division": 0.5}, "zero_division must be 0 or 1"),
        ({"average": "macro", "zero_division": math.nan}, "zero_division must be 0 or 1"),
    ):
        with pytest.raises(ValueError, match=message):
            function(three, three, **options)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["a"], "'b' occurs, but is not"),
        (["a", "b", "a"], "once"),
        ([1, 2], "expected one kind"),
        ([], "empty"),
    ],
)
def test_wrong_labels_of_a_confusion_matrix_are_refused(labels, message):
    with pytest.raises(ValueError, match=message):
        classes.confusion(["a", "b"], ["b", "b"], labels=labels)


def test_a_class_that_does_not_occur_can_be_shown():
    found = classes.confusion(["a", "b"], ["b", "b"], labels=["c", "b", "a"])
    assert found.tolist() == [[0, 0, 0], [0, 1, 0], [0, 1, 0]]


def test_nothing_given_is_changed():
    truths, scores = np.array([1, 0, 1, 0]), np.array([0.3, 0.2, 0.9, 0.2])
    before = truths.copy(), scores.copy()
    for function in (*OF_SCORES, *OF_PROBABILITIES):
        function(truths, scores)
    np.testing.assert_array_equal(truths, before[0])
    np.testing.assert_array_equal(scores, before[1])
