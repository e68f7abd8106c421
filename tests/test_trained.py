"""The catalogue: what is missing is made, two at a time, and what goes wrong is said."""

import contextlib
import io
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import pytest

from mmcourse import trained


@pytest.fixture
def two_at_a_time(monkeypatch):
    """Threads in place of processes, so that a catalogue made here can be seen from them."""
    monkeypatch.setattr(
        trained,
        "ProcessPoolExecutor",
        lambda workers, context, begin: ThreadPoolExecutor(workers, initializer=begin),
    )
    monkeypatch.setattr(os, "cpu_count", lambda: 4)


def test_two_are_made_at_a_time(monkeypatch, two_at_a_time, capsys):
    together = threading.Barrier(2, timeout=10)  # passed only by two that are there at once
    made = []

    def make(name, profile):
        together.wait()
        made.append((name, profile, os.environ["TF_NUM_INTRAOP_THREADS"]))

    monkeypatch.delenv("TF_NUM_INTRAOP_THREADS", raising=False)
    monkeypatch.setattr(
        trained, "CATALOGUE", {name: lambda p, name=name: make(name, p) for name in ("a", "b", "c", "d")}
    )
    begun = []
    trained.prepare("cpu", initializer=lambda: begun.append(True))
    assert sorted(made) == [(name, "cpu", "2") for name in "abcd"] and begun == [True] * 2
    assert "TF_NUM_INTRAOP_THREADS" not in os.environ


@pytest.mark.parametrize(("profile", "cores"), [("gpu", 8), ("cpu", 1)])
def test_on_a_graphics_card_and_on_one_core_it_is_one_after_the_other(monkeypatch, profile, cores):
    monkeypatch.setattr(trained, "ProcessPoolExecutor", None)
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    made = []
    monkeypatch.setattr(trained, "CATALOGUE", {name: lambda p, name=name: made.append(name) for name in "ab"})
    trained.prepare(profile)
    assert made == ["a", "b"]


def test_an_error_stops_what_has_not_begun(monkeypatch, two_at_a_time):
    made = []

    def fail(profile):
        raise ValueError("no such picture")

    later = {name: lambda p, name=name: made.append(name) for name in map(str, range(50))}
    monkeypatch.setattr(trained, "CATALOGUE", {"a": fail, "b": fail, **later})
    with pytest.raises(ValueError, match="no such picture"):
        trained.prepare("cpu")
    assert len(made) < 50


def test_a_process_that_was_killed_is_explained(monkeypatch, two_at_a_time):
    def killed(profile):
        raise BrokenProcessPool("terminated abruptly")

    monkeypatch.setattr(trained, "CATALOGUE", {"a": killed, "b": killed})
    with pytest.raises(RuntimeError, match="lack of memory; 'mmcourse train' goes on"):
        trained.prepare("cpu")


def test_a_line_says_whose_it_is():
    stream = io.StringIO()
    with contextlib.redirect_stderr(trained._Named("scenes", stream)) as named:
        named.write("  epoch 1/2: loss ")
        assert stream.getvalue() == ""
        named.write("0.5\n  epoch 2/2")
    assert stream.getvalue() == "  scenes: epoch 1/2: loss 0.5\n"
