"""Wrong labels and pairs, who is suspect, and what to label next."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import KNeighborsClassifier

from mmcourse.data import picture_kinds
from mmcourse.outlook import labels


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 200), st.floats(0, 1), st.integers(0, 99), st.booleans())
def test_just_that_share_is_wrong(rows, share, seed, alike):
    truth = np.arange(rows) % 10
    partner = labels.LOOK_ALIKES if alike else None
    told = labels.mislabel(truth, share, seed, partner)
    assert (told != truth).sum() == round(share * rows)
    assert told.dtype == np.int64 and told.min() >= 0 and told.max() <= 9
    np.testing.assert_array_equal(told, labels.mislabel(truth, share, seed, partner))
    if alike:
        wrong = told != truth
        np.testing.assert_array_equal(told[wrong], np.array(labels.LOOK_ALIKES)[truth[wrong]])


def test_a_smaller_share_is_wrong_in_some_of_the_same_rows():
    truth = np.arange(300) % 10
    few, many = (labels.mislabel(truth, share, 5) for share in (0.1, 0.3))
    np.testing.assert_array_equal(few[few != truth], many[few != truth])


def test_mistakes_by_lot_go_to_all_other_classes():
    told = labels.mislabel(np.zeros(4000, int), 1.0, 1)
    counts = np.bincount(told, minlength=10)
    assert counts[0] == 0 and counts[1:].min() > 350


def test_look_alikes_are_pairs():
    partner = np.array(labels.LOOK_ALIKES)
    np.testing.assert_array_equal(partner[partner], np.arange(10))


@pytest.mark.parametrize(
    ("truth", "options", "message"),
    [
        (np.array([0, 10]), {}, "from 0 to 9, got 0 to 10"),
        (np.array([0.5]), {}, "whole numbers"),
        (np.array([], dtype=int), {}, "whole numbers"),
        (np.array([1]), {"share": 1.2}, "share must be a number from 0 to 1"),
        (np.array([1]), {"taken_for": (0, *range(9))}, "another class"),
        (np.array([1]), {"taken_for": (1, 0)}, "for each of 10"),
    ],
)
def test_mislabel_says_what_is_wrong(truth, options, message):
    with pytest.raises(ValueError, match=message):
        labels.mislabel(truth, **{"share": 0.5, **options})


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 100), st.floats(0, 1), st.integers(0, 99))
def test_captions_are_passed_round_and_none_is_lost(count, share, seed):
    owner = labels.mispair(count, share, seed)
    np.testing.assert_array_equal(np.sort(owner), np.arange(count))
    moved = round(share * count)
    assert (owner != np.arange(count)).sum() == (moved if moved > 1 else 0)


def test_captions_of_near_pictures_are_passed_round_among_them():
    near = [f"base {row // 10}" for row in range(200)]
    owner = labels.mispair(200, 0.5, 0, near)
    moved = np.flatnonzero(owner != np.arange(200))
    same = np.mean([near[row] == near[owner[row]] for row in moved])
    other = labels.mispair(200, 0.5, 0)
    assert len(moved) == 100 and same > 0.7
    assert np.mean([near[row] == near[other[row]] for row in moved]) < 0.2
    with pytest.raises(ValueError, match="a word for each of 3 pairs, got 2"):
        labels.mispair(3, 0.5, 0, ["a", "b"])


def test_who_is_suspect_by_hand():
    four = np.array([0.90, 0.75, 0.45, 0.10, 0.05, 0.20, 0.30, 0.85])
    told = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    suspect = labels.suspects(told, np.stack([four, 1 - four], axis=1))
    np.testing.assert_array_equal(np.flatnonzero(suspect), [3, 7])


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 5), st.integers(0, 99))
def test_suspects_are_as_a_loop_finds_them(classes, seed):
    random = np.random.default_rng(seed)
    told = np.arange(40) % classes
    table = random.dirichlet(np.ones(classes), size=40)
    usual = [np.mean([table[row, one] for row in range(40) if told[row] == one]) for one in range(classes)]
    expected = []
    for row in range(40):
        fits = [one for one in range(classes) if table[row, one] >= usual[one]]
        expected.append(bool(fits) and max(fits, key=lambda one: table[row, one]) != told[row])
    np.testing.assert_array_equal(labels.suspects(told, table), expected)


def test_nobody_is_suspect_to_a_model_that_agrees():
    told = np.arange(30) % 3
    assert not labels.suspects(told, np.eye(3)[told] * 0.7 + 0.1).any()


@pytest.mark.parametrize(
    ("told", "table", "message"),
    [
        (np.array([0, 1]), np.ones((3, 2)), r"expected probabilities \(2, classes\)"),
        (np.array([0, 2]), np.ones((2, 2)), "from 0 to 1, got 0 to 2"),
        (np.array([0, 0]), np.ones((2, 2)), "no row has the label 1"),
    ],
)
def test_suspects_says_what_is_wrong(told, table, message):
    with pytest.raises(ValueError, match=message):
        labels.suspects(told, table)


def test_margins():
    table = [[0.2, 0.5, 0.3], [0.4, 0.4, 0.2], [0, 0, 1]]
    np.testing.assert_allclose(labels.margins(table), [0.2, 0, 1])
    with pytest.raises(ValueError, match="two or more"):
        labels.margins(np.ones((3, 1)))


@settings(max_examples=30, deadline=None)
@given(st.integers(6, 30), st.integers(1, 4), st.integers(0, 99))
def test_spread_takes_the_farthest_each_time(rows, count, seed):
    vectors = np.random.default_rng(seed).normal(size=(rows, 3))
    have = [0, 1]
    for row in labels.spread(vectors, [0, 1], count):
        far = np.linalg.norm(vectors[:, None] - vectors[have], axis=2).min(axis=1)
        assert row not in have and far[row] == pytest.approx(far.max())
        have.append(row)


def test_spread_never_takes_one_twice_even_where_all_are_alike():
    added = labels.spread(np.ones((5, 2)), [2], 4)
    assert sorted(added) == [0, 1, 3, 4]
    for chosen, count in (([], 1), ([0], 5)):
        with pytest.raises(ValueError, match="cannot add"):
            labels.spread(np.ones((5, 2)), chosen, count)


def test_colours_by_hand():
    images = np.zeros((1, 4, 4, 3), np.uint8)
    images[0, :2, :2] = (255, 0, 0)
    found = labels.colours(images, side=2)
    assert found.shape == (1, 512 + 12)
    shares = found[0, :512] ** 2
    assert shares[7 * 64] == pytest.approx(1 / 4) and shares[0] == pytest.approx(3 / 4)
    np.testing.assert_allclose(found[0, 512:], [1, *[0] * 11])


@pytest.mark.parametrize(
    ("images", "side", "message"),
    [
        (np.zeros((1, 4, 4, 3)), 2, "uint8"),
        (np.zeros((1, 4, 4), np.uint8), 2, "uint8"),
        (np.zeros((1, 4, 4, 3), np.uint8), 3, "must divide 4 and 4, got 3"),
    ],
)
def test_colours_says_what_is_wrong(images, side, message):
    with pytest.raises(ValueError, match=message):
        labels.colours(images, side)


def test_doubtful_names_are_names_of_the_pictures():
    assert labels.DOUBTFUL <= set(picture_kinds.load().names)


def clouds(rows, width=6, classes=3, seed=0):
    """Vectors around one centre for each class, and their labels."""
    random = np.random.default_rng(seed)
    truth = np.arange(rows) % classes
    return 3 * np.eye(classes, width)[truth] + random.normal(size=(rows, width)), truth


def test_each_label_is_judged_by_a_model_that_has_not_seen_it():
    vectors, truth = clouds(90)
    told = truth.copy()
    told[7] = (told[7] + 1) % 3
    before, after = labels.judged(vectors, truth), labels.judged(vectors, told)
    assert before.shape == (90, 3)
    np.testing.assert_allclose(before.sum(axis=1), 1)
    np.testing.assert_allclose(before[7], after[7], rtol=1e-6)
    assert np.abs(before - after).max() > 1e-4
    assert (before.argmax(axis=1) == truth).mean() > 0.9
    assert labels.suspects(told, after)[7]


def test_groups_are_judged_by_models_that_have_not_seen_them():
    vectors, truth = clouds(60)
    groups = np.arange(60) // 2
    told = truth.copy()
    told[:2] = (told[:2] + 1) % 3
    same = labels.judged(vectors, truth, groups=groups)[:2], labels.judged(vectors, told, groups=groups)[:2]
    np.testing.assert_allclose(*same, rtol=1e-6)


def test_pairs_that_fit_agree_and_others_do_not():
    first = np.random.default_rng(0).normal(size=(120, 5))
    second = first @ np.random.default_rng(1).normal(size=(5, 4))
    owner = labels.mispair(120, 0.2, 0)
    fits = labels.agreement(first, second[owner])
    wrong = owner != np.arange(120)
    assert fits[~wrong].min() > -1 and np.median(fits[~wrong]) > 0.9 > 0.3 > np.median(fits[wrong])
    with pytest.raises(ValueError, match="expected pairs, got 3 and 2"):
        labels.agreement(np.ones((3, 1)), np.ones((2, 1)))


def test_filtering_finds_wrong_pairs_and_what_it_loses():
    random = np.random.default_rng(0)
    first = random.normal(size=(240, 6))
    second = first @ random.normal(size=(6, 5))
    owner = labels.mispair(200, 0.3, 1)
    single = np.arange(200) < 50
    data = (first[:200], second[:200]), (first[200:], second[200:])
    found = labels.filtered(*data, owner, single)
    assert found.true == 1 and found.found > found.random and found.precision > 0.8
    missed = round((1 - found.precision) * 60)
    counts = [(~(owner != np.arange(200)) & part).sum() for part in (single, ~single)]
    assert round(found.lost_single * counts[0] + found.lost_many * counts[1]) == missed
    with pytest.raises(ValueError, match="nothing to leave out"):
        labels.filtered(*data, np.arange(200), single)


def test_race_asks_only_for_labels_that_are_not_there():
    vectors, truth = clouds(80)
    asked = []

    def choose(model, vectors, have, rest, step):
        assert not set(have) & set(rest) and len(have) + len(rest) == 80
        asked.append(rest[:step])
        return rest[:step]

    test = clouds(60, seed=1)
    scores, have = labels.race(choose, vectors, truth, *test, step=10, rounds=4)
    assert len(scores) == 4 and len(asked) == 3 and scores[-1] > 0.8
    np.testing.assert_array_equal(have, np.arange(40))
    expected = labels.fit(vectors[:40], truth[:40]).score(*test)
    assert scores[-1] == pytest.approx(expected)
    with pytest.raises(ValueError, match="have no label yet"):
        labels.race(lambda *given: given[2][:10], vectors, truth, *test, step=10, rounds=2)
    with pytest.raises(ValueError, match="do not fit into a pool of 80"):
        labels.race(choose, vectors, truth, *test, step=30, rounds=3)


def test_what_looks_buy():
    vectors, truth = clouds(300)
    hasty = labels.mislabel(truth, 0.3, 2, (1, 2, 0), 3)
    test = clouds(200, seed=1)
    found = labels.spend(vectors, hasty, truth, 100, *test, (0, 30, 100))
    assert set(found) >= {"no look", "old, most doubted", "new, least margin"}
    for scores in found.values():
        assert scores.shape == (3,) and scores[0] == found["no look"][0]
    # All hundred old labels mended: the same set, whoever chose the order.
    clean = labels.fit(vectors[:100], truth[:100]).score(*test)
    for name in ("old, at random", "old, most doubted"):
        assert found[name][2] == pytest.approx(clean)
    hasted = labels.fit(vectors[:200], hasty[:200]).score(*test)
    assert found["new, in haste"][2] == pytest.approx(hasted)
    with pytest.raises(ValueError, match="250 looks are more"):
        labels.spend(vectors, hasty, truth, 100, *test, (250,))


def test_rare_scores_by_hand():
    scores = np.array([[2.0, 0.0], [2.0, 1.0], [2.0, 1.5], [0.0, 3.0]])
    truth = np.array([0, 0, 1, 1])
    assert labels.rare_scores(scores, truth, 1) == (0.5, 1.0, 1.0)
    assert labels.rare_scores(scores, truth, 1, shift=0.7) == (1.0, 1.0, 1.0)
    assert labels.rare_scores(scores, truth, 1, shift=1.2) == (1.0, 2 / 3, 0.5)
    assert labels.rare_scores(scores, truth, 1, shift=-9) == (0.0, 0.0, 1.0)


def test_copies_raise_the_score_of_who_remembers():
    random = np.random.default_rng(0)
    vectors, truth = random.normal(size=(600, 3)), random.integers(0, 2, 600)
    known = random.normal(size=(200, 3)), random.integers(0, 2, 200)
    neighbour = KNeighborsClassifier(1)
    high = [labels.too_high(neighbour, known, vectors, (vectors, truth), share) for share in (0, 0.5, 1)]
    assert abs(high[0]) < 0.1 < high[1] < high[2] and high[2] > 0.35
