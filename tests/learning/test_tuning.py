"""Searches: what they draw, what they spend, what they choose; and that they find what there is to find."""

import itertools
import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from mmcourse.learning import tuning

SPACE = {
    "rate": tuning.LogUniform(1e-4, 1.0),
    "dropout": tuning.Uniform(-0.2, 0.8),
    "width": tuning.Choice((8, 16, 32)),
}
VALUES = {"rate": 3, "dropout": 2, "width": 3}
shares = st.floats(0, 1)


def bowl(settings, budget, seed):
    """Best, 1, at a rate of 0.01, a dropout of 0.3 and a width of 16; a longer budget helps."""
    distance = tuning.shares_of(SPACE, settings) - 0.5
    return 1 - (distance**2).sum() - 0.1 / budget


def searches(objective, seed=0):
    """Every search, as a function without arguments."""
    counts = {"rate": 3, "dropout": 2, "width": 2}
    return {
        "grid": lambda: tuning.grid_search(objective, SPACE, counts, 9, seed),
        "random": lambda: tuning.random_search(objective, SPACE, 12, 9, seed),
        "halving": lambda: tuning.successive_halving(objective, SPACE, 9, 9, seed),
        "bayesian": lambda: tuning.bayesian_search(objective, SPACE, 6, 9, seed, first=4),
    }


@given(shares)
def test_scales_can_be_gone_there_and_back(share):
    for scale in (SPACE["rate"], SPACE["dropout"]):
        value = scale.at(share)
        assert scale.low - 1e-12 <= value <= scale.high + 1e-12
        assert scale.share(value) == pytest.approx(share, abs=1e-9)
    width = SPACE["width"].at(share)
    assert SPACE["width"].at(SPACE["width"].share(width)) == width
    assert abs(SPACE["width"].share(width) - share) <= 1 / 6 + 1e-12


def test_each_power_of_ten_is_equally_likely_on_the_logarithmic_scale():
    values = [SPACE["rate"].at(share) for share in (0, 0.25, 0.5, 0.75, 1)]
    np.testing.assert_allclose(values, [1e-4, 1e-3, 1e-2, 1e-1, 1])
    assert [SPACE["width"].at(share) for share in (0, 0.34, 0.67, 1)] == [8, 16, 32, 32]


@given(st.tuples(shares, shares, shares))
def test_settings_and_points_of_the_cube(point):
    chosen = tuning.settings_at(SPACE, point)
    assert list(chosen) == list(SPACE)
    again = tuning.settings_at(SPACE, tuning.shares_of(SPACE, chosen))
    assert again == pytest.approx(chosen)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: tuning.Uniform(1, 1), "high must be above low"),
        (lambda: tuning.Uniform(2, 1), "high must be a number 2 or more"),
        (lambda: tuning.Uniform(math.nan, 1), "low must be a number"),
        (lambda: tuning.Uniform(-math.inf, 1), "low must be a number"),
        (lambda: tuning.LogUniform(0, 1), "low must be a number above 0"),
        (lambda: tuning.LogUniform(1e-3, math.inf), "high must be a number"),
        (lambda: tuning.Choice((1,)), "two or more"),
        (lambda: tuning.Choice((1, 2, 1)), "all different"),
        (lambda: tuning.best([]), "at least one trial"),
        (lambda: tuning.grid(SPACE, {"rate": 2}), "must name"),
        (lambda: tuning.grid(SPACE, VALUES | {"rate": 0}), r"values\['rate'\]"),
        (lambda: tuning.grid(SPACE, VALUES, {"rate": 1.5}), r"offsets\['rate'\]"),
        (lambda: tuning.random_search(bowl, SPACE, 0, 1, 0), "trials must be"),
        (lambda: tuning.rungs(9, 9, 1), "factor must be a whole number of at least 2"),
        (lambda: tuning.rungs(0, 9), "configurations must be"),
        (lambda: tuning.bayesian_search(bowl, SPACE, 4, 1, 0, first=1), "first must be"),
        (lambda: tuning.expected_improvement(0, -1, 0), "must not be negative"),
    ],
)
def test_what_cannot_be_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_grid_is_all_combinations_of_evenly_spaced_values():
    points = tuning.grid(SPACE, VALUES)
    assert len(points) == 18 == len({tuple(point.values()) for point in points})
    rates = sorted({point["rate"] for point in points})
    np.testing.assert_allclose(np.log10(rates), [-4 + 2 / 3, -2, -2 / 3])
    assert sorted({point["dropout"] for point in points}) == pytest.approx([0.05, 0.55])
    lowest = tuning.grid(SPACE, VALUES, {"rate": 0.0})
    assert min(point["rate"] for point in lowest) == pytest.approx(1e-4)


@pytest.mark.parametrize("name", ["grid", "random", "halving", "bayesian"])
def test_a_search_is_repeated_by_its_seed_and_writes_down_what_it_did(name):
    calls = []

    def objective(chosen, budget, seed):
        calls.append((dict(chosen), budget, seed))
        return bowl(chosen, budget, seed)

    first = searches(objective)[name]()
    assert first == searches(bowl)[name]()
    assert first != searches(bowl, seed=1)[name]()
    for trial in first:
        assert (trial.settings, trial.budget, trial.seed) in calls
        assert trial.score == bowl(trial.settings, trial.budget, trial.seed)
        assert 1e-4 <= trial.settings["rate"] <= 1 and trial.settings["width"] in (8, 16, 32)


def test_each_training_has_a_seed_of_its_own_but_in_halving_settings_keep_theirs():
    expected = {"grid": 12, "random": 12, "halving": 9, "bayesian": 6}
    for name, search in searches(bowl).items():
        pairs = {(tuple(trial.settings.values()), trial.seed) for trial in search()}
        assert len(pairs) == len({seed for _, seed in pairs}) == expected[name]


@given(st.integers(1, 200), st.integers(1, 200), st.integers(2, 5))
def test_rungs_end_in_a_full_training_and_cost_about_the_same(configurations, budget, factor):
    plan = tuning.rungs(configurations, budget, factor)
    assert plan[0][0] == configurations and plan[-1][1] == budget
    assert all(count >= 1 and length >= 1 for count, length in plan)
    for (count, length), (fewer, longer) in itertools.pairwise(plan):
        assert fewer == count // factor and longer // factor == length
    # It stops only where another rung would have no settings or no budget.
    assert plan[-1][0] < factor or plan[0][1] < factor


def test_rungs_of_27():
    assert tuning.rungs(27, 27) == [(27, 1), (9, 3), (3, 9), (1, 27)]


def test_halving_keeps_the_best_of_each_rung():
    trials = tuning.successive_halving(bowl, SPACE, 9, 9, seed=3)
    by_budget = {budget: [t for t in trials if t.budget == budget] for budget in (1, 3, 9)}
    assert [len(found) for found in by_budget.values()] == [9, 3, 1]
    for short, long in ((1, 3), (3, 9)):
        ranked = sorted(by_budget[short], key=lambda trial: -trial.score)
        assert [t.seed for t in by_budget[long]] == [t.seed for t in ranked[: len(by_budget[long])]]


def test_the_choice_is_a_full_training_though_a_short_one_scored_higher():
    trials = [
        tuning.Trial({}, budget, score, 0) for budget, score in ((1, 0.9), (9, 0.5), (9, 0.7), (9, 0.7))
    ]
    assert tuning.best(trials) is trials[2]
    spent, choices = tuning.best_so_far(trials, 9)
    assert spent.tolist() == [1, 10, 19, 28]
    assert choices[0] is None and choices[1:] == [trials[1], trials[2], trials[2]]


def test_a_training_that_fails_is_never_chosen_and_stops_no_search():
    def objective(chosen, budget, seed):
        return math.nan if chosen["rate"] > 0.01 else bowl(chosen, budget, seed)

    for search in searches(objective, seed=2).values():
        trials = search()
        assert tuning.best(trials).settings["rate"] <= 0.01
        assert any(trial.score == -math.inf for trial in trials)


@given(st.floats(-3, 3), st.floats(0.01, 3), st.floats(-3, 3))
@settings(deadline=None, max_examples=50)
def test_expected_improvement_is_the_integral_that_it_stands_for(mean, deviation, best):
    density = stats.norm(mean, deviation).pdf
    high = max(mean + 10 * deviation, best)
    expected, _ = integrate.quad(lambda value: (value - best) * density(value), best, high, limit=200)
    assert tuning.expected_improvement(mean, deviation, best) == pytest.approx(expected, abs=1e-6)


def test_what_is_sure_improves_by_its_gain_or_not_at_all():
    found = tuning.expected_improvement(np.array([0.5, 1.5]), np.zeros(2), 1.0)
    np.testing.assert_array_equal(found, [0, 0.5])


def test_the_process_goes_through_what_it_saw_and_is_unsure_far_away():
    points = np.linspace(0, 0.5, 8)[:, None]
    process = tuning.gaussian_process(points, np.sin(4 * points[:, 0]))
    mean, deviation = process.predict(np.array([[0.25], [1.0]]), return_std=True)
    assert mean[0] == pytest.approx(np.sin(1), abs=0.02)
    assert deviation[1] > 3 * deviation[0]


def test_the_candidate_with_the_largest_promise_is_proposed():
    points = np.array([[0.0], [0.1], [0.2], [0.3], [0.4], [0.8], [0.9], [1.0]])
    candidates = np.linspace(0, 1, 21)[:, None]
    chosen, promise = tuning.propose(points, -((points[:, 0] - 0.6) ** 2), candidates)
    assert chosen == promise.argmax() and promise.shape == (21,)
    assert 0.4 < candidates[chosen, 0] < 0.8


def test_the_bayesian_search_beats_random_search_on_a_smooth_bowl():
    """With 14 trainings each, on the mean of three seeds."""
    found, drawn = (
        np.mean([tuning.best(search(bowl, SPACE, 14, 1, seed)).score for seed in range(3)])
        for search in (tuning.bayesian_search, tuning.random_search)
    )
    assert drawn < found <= 0.9


def test_what_optuna_is_asked_for():
    asked = []
    trial = SimpleNamespace(
        suggest_float=lambda name, low, high, log: asked.append((name, low, high, log)) or low,
        suggest_int=lambda name, low, high: asked.append((name, low, high)) or high,
    )
    assert tuning.suggest(trial, SPACE) == {"rate": 1e-4, "dropout": -0.2, "width": 32}
    assert asked == [("rate", 1e-4, 1.0, True), ("dropout", -0.2, 0.8, False), ("width", 0, 2)]
