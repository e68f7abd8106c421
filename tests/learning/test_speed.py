"""Timing: every model is trained as often as the others, in turn, and the first epoch does not count."""

import time

import numpy as np
import pytest

from mmcourse.learning import speed


class Slow:
    """Something with a ``fit`` that takes a given time, much more in the first call."""

    def __init__(self, name, seconds, calls):
        self.name, self.seconds, self.calls = name, seconds, calls

    def fit(self, *arrays, batch_size, verbose):
        first = self.name not in [name for name, *_ in self.calls]
        self.calls.append((self.name, len(arrays), batch_size, verbose))
        time.sleep(0.2 if first else self.seconds)


def test_models_take_turns_and_the_first_epoch_is_left_out():
    calls = []
    models = {name: Slow(name, seconds, calls) for name, seconds in (("quick", 0.005), ("slow", 0.03))}
    taken = speed.in_turn(models, np.zeros(3), np.ones(3), repetitions=3, batch_size=2)
    assert [name for name, *_ in calls] == ["quick", "slow"] * 4
    assert {call[1:] for call in calls} == {(2, 2, 0)}
    assert [len(taken[name]) for name in models] == [3, 3]
    assert taken["quick"].min() >= 0.005 and taken["slow"].min() >= 0.03
    assert np.median(taken["quick"]) < 0.2


def test_quick_functions_are_called_several_times_in_each_turn():
    order = []
    ways = {"a": lambda: order.append("a"), "b": lambda: (order.append("b"), time.sleep(0.01))}
    taken = speed.calls_in_turn(ways, repetitions=3, calls=2)
    assert "".join(order) == "aabb" * 4, "the first turn does not count"
    assert {name: one.shape for name, one in taken.items()} == {"a": (3,), "b": (3,)}
    assert 0.01 <= np.median(taken["b"]) < 0.02, "the seconds of one call"


def test_what_cannot_be_timed_says_why():
    with pytest.raises(ValueError, match="at least one model"):
        speed.in_turn({}, np.zeros(3))
    with pytest.raises(ValueError, match="repetitions must be"):
        speed.in_turn({"a": Slow("a", 0, [])}, repetitions=0)
    with pytest.raises(ValueError, match="calls must be"):
        speed.calls_in_turn({"a": print}, calls=0)
