"""Checkers of the exercises, one module a chapter.

:func:`check` is for notebooks: it prints a verdict with a hint and never raises, so that an unsolved stub
stops nobody. :func:`verify` is for tests: it raises.
"""

import difflib
import importlib
import pkgutil

from mmcourse.exercises.verdict import WrongAnswer

__all__ = ["CHECKERS", "WrongAnswer", "check", "verify"]

# Each module of this folder but the verdicts' own holds the CHECKERS of one notebook.
CHECKERS = {
    exercise: checker
    for module in pkgutil.iter_modules(__path__)
    if module.name != "verdict"
    for exercise, checker in importlib.import_module(f"{__name__}.{module.name}").CHECKERS.items()
}


def verify(exercise: str, answer) -> None:
    """Check an answer.

    Raises:
        ValueError: there is no such exercise.
        WrongAnswer: the answer is wrong; the message says what was tried and gives a hint.
    """
    if exercise not in CHECKERS:
        near = difflib.get_close_matches(str(exercise), CHECKERS, n=1, cutoff=0.4)
        raise ValueError(f"unknown exercise {exercise!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
    try:
        CHECKERS[exercise](answer)
    except WrongAnswer:
        raise
    except Exception as error:
        raise WrongAnswer(f"your answer ended in {type(error).__name__}: {error}") from error


def check(exercise: str, answer) -> None:
    """Print whether an answer is right, and a hint if it is not. Never raises."""
    try:
        verify(exercise, answer)
    except Exception as error:  # a notebook must go on whatever the reader wrote
        print(f"✗ {exercise}: not yet. {error}")
    else:
        print(f"✓ {exercise}: right.")
