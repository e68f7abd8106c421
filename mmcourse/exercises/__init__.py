"""Checkers of the exercises, one module a chapter.

:func:`check` is for notebooks: it prints a verdict with a hint and never raises, so that an unsolved stub
stops nobody. :func:`verify` is for tests: it raises.
"""

from mmcourse.exercises import (
    attention,
    convolution,
    features,
    images,
    picture_to_text,
    pipelines,
    recurrence,
    sound,
    text,
    video,
    word_embeddings,
)
from mmcourse.exercises.verdict import WrongAnswer

__all__ = ["CHECKERS", "WrongAnswer", "check", "verify"]

CHECKERS = {
    **attention.CHECKERS,
    **convolution.CHECKERS,
    **features.CHECKERS,
    **images.CHECKERS,
    **picture_to_text.CHECKERS,
    **pipelines.CHECKERS,
    **recurrence.CHECKERS,
    **sound.CHECKERS,
    **text.CHECKERS,
    **video.CHECKERS,
    **word_embeddings.CHECKERS,
}


def verify(exercise: str, answer) -> None:
    """Check an answer.

    Raises:
        ValueError: there is no such exercise.
        WrongAnswer: the answer is wrong; the message says what was tried and gives a hint.
    """
    if exercise not in CHECKERS:
        raise ValueError(f"unknown exercise {exercise!r}; known are: {', '.join(CHECKERS)}")
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
