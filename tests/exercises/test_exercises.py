"""The checkers accept right answers, reject wrong ones that readers are likely to write, and never hang."""

import contextlib
import importlib
import io
import re
from pathlib import Path
from types import SimpleNamespace

import cells
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcourse import exercises
from mmcourse.exercises import WrongAnswer

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
EXERCISES = list(exercises.CHECKERS)
CHECK = re.compile(r"""exercises\.check\(\s*["']([\w.-]+)["']""")


# One module a chapter; each holds RIGHT and WRONG: exercise -> name of the answer -> answer.
CHAPTERS = [
    importlib.import_module(f"cases.{path.stem}")
    for path in sorted((Path(__file__).parent / "cases").glob("*.py"))
]
RIGHT = {exercise: answers for chapter in CHAPTERS for exercise, answers in chapter.RIGHT.items()}
WRONG = {exercise: answers for chapter in CHAPTERS for exercise, answers in chapter.WRONG.items()}


def cases(table: dict[str, dict]) -> list:
    return [
        pytest.param(exercise, answer, id=f"{exercise}, {name}")
        for exercise, answers in table.items()
        for name, answer in answers.items()
    ]


def test_every_exercise_has_cases_here():
    assert set(RIGHT) == set(WRONG) == set(EXERCISES)
    assert all(len(answers) >= 2 for answers in WRONG.values())


@pytest.mark.parametrize(("exercise", "answer"), cases(RIGHT))
def test_right_answers_are_accepted(exercise, answer, capsys):
    exercises.verify(exercise, answer)
    exercises.check(exercise, answer)
    assert capsys.readouterr().out == f"✓ {exercise}: right.\n"


@pytest.mark.parametrize(("exercise", "answer"), cases(WRONG))
def test_wrong_answers_are_rejected(exercise, answer, capsys):
    with pytest.raises(WrongAnswer) as raised:
        exercises.verify(exercise, answer)
    assert len(str(raised.value)) > 20, "a hint"
    exercises.check(exercise, answer)
    printed = capsys.readouterr().out
    assert printed.startswith(f"✗ {exercise}: not yet. ") and printed.count("\n") == 1


@pytest.mark.parametrize("exercise", EXERCISES)
def test_a_stub_is_rejected_and_told_so(exercise):
    with pytest.raises(WrongAnswer, match="returns None: is its body still the stub"):
        exercises.verify(exercise, lambda *arguments: None)
    with pytest.raises(WrongAnswer):
        exercises.verify(exercise, lambda *arguments: ...)


@pytest.mark.parametrize("exercise", EXERCISES)
@pytest.mark.parametrize("answer", [None, 3, "def answer(): ...", [1, 2], np.zeros(3)])
def test_what_is_no_function_is_rejected(exercise, answer):
    with pytest.raises(WrongAnswer, match=f"expected a function, got {type(answer).__name__}"):
        exercises.verify(exercise, answer)


@pytest.mark.parametrize("exercise", EXERCISES)
def test_an_answer_that_ends_in_an_error_is_told_which(exercise):
    def answer(*arguments):
        raise KeyError("my mistake")

    with pytest.raises(WrongAnswer, match="your answer ended in KeyError: 'my mistake'"):
        exercises.verify(exercise, answer)


@pytest.mark.parametrize("exercise", ["", "naming", "naming-maks", "completely different"])
def test_unknown_exercise(exercise, capsys):
    with pytest.raises(ValueError, match="unknown exercise") as raised:
        exercises.verify(exercise, max)
    assert not isinstance(raised.value, WrongAnswer)
    if exercise == "naming-maks":
        assert "did you mean 'naming-mask'?" in str(raised.value)
    assert len(str(raised.value)) < 100, "one name, not all of them"
    exercises.check(exercise, max)
    assert capsys.readouterr().out.startswith("✗")


def test_who_prints_in_place_of_returning_is_told_so(capsys):
    with pytest.raises(WrongAnswer, match="printed something, but returned None: end it with return"):
        exercises.verify("naming-mask", lambda prefix, answer: print("a mask"))
    assert capsys.readouterr().out == ""


def test_an_answer_that_never_ends_its_loop_is_stopped():
    """A reader's `while True` must not make the notebook hang."""
    calls = 0

    def answer(next_logits, start, end, most):
        nonlocal calls
        tokens = [start]
        while True:
            calls += 1
            if calls > 10_000:
                pytest.fail("the checker answered ten thousand questions")
            tokens.append(int(np.argmax(next_logits(tokens[-5:]))))

    with pytest.raises(WrongAnswer):
        exercises.verify("naming-greedy", answer)


# Anything a reader may pass by mistake.
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.builds(np.array, st.lists(st.floats(), max_size=30))
    | st.builds(np.zeros, st.tuples(st.integers(0, 4), st.integers(0, 4))),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=3) | st.builds(set)
    ),
    max_leaves=6,
)
ERRORS = st.sampled_from([ValueError, KeyError, StopIteration, AssertionError, RecursionError, MemoryError])


@given(st.sampled_from(EXERCISES) | st.text() | VALUES, VALUES, VALUES, ERRORS | st.none())
@settings(deadline=None)
def test_check_never_raises(exercise, value, result, error):
    def answer(*arguments):
        if error is not None:
            raise error(value)
        return result

    for given_answer in (value, answer, lambda: result):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exercises.check(exercise, given_answer)
        assert printed.getvalue().startswith("✗") and "not yet" in printed.getvalue()


# The notebooks


def exercise_cells(path: Path) -> list[tuple[int, str, bool]]:
    """The cells with an exercise: number in the file, code, whether it is a solution."""
    found = []
    for number, cell in enumerate(cells.read(path).cells, start=1):
        if cell.cell_type == "code" and CHECK.search(cell.source):
            found.append((number, cell.source, cells.SOLUTION in cells.tags(cell)))
    return found


def answers_of(code: str) -> list[tuple[str, object]]:
    """Run a cell; what it passes to ``exercises.check``."""
    recorded = []
    recorder = SimpleNamespace(check=lambda exercise, answer: recorded.append((exercise, answer)))
    exec(compile(code, "<cell>", "exec"), {"np": np, "exercises": recorder, "__name__": "__main__"})
    return recorded


def test_exercises_of_the_notebooks_are_those_that_have_a_checker():
    used = {name for path in NOTEBOOKS for _, code, _ in exercise_cells(path) for name in CHECK.findall(code)}
    assert used == set(EXERCISES)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_solutions_pass_and_stubs_fail(path):
    for number, code, is_solution in exercise_cells(path):
        answers = answers_of(code)
        assert [name for name, _ in answers] == CHECK.findall(code), f"cell {number}"
        for exercise, answer in answers:
            if is_solution:
                exercises.verify(exercise, answer)
            else:
                with pytest.raises(WrongAnswer, match="stub"):
                    exercises.verify(exercise, answer)
