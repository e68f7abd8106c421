"""What the checkers of all chapters are written with."""

import contextlib
import io
from collections.abc import Callable


class WrongAnswer(AssertionError):
    """An answer that does not do what the exercise asks; the message is a hint."""


def require(right: bool, hint: str) -> None:
    """Raise :class:`WrongAnswer` with the hint unless ``right``."""
    if not right:
        raise WrongAnswer(hint)


def call(answer: Callable, *arguments):
    """Call what should be a function; a stub that returns nothing gets a hint of its own."""
    require(callable(answer), f"expected a function, got {type(answer).__name__}")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        result = answer(*arguments)
    if printed.getvalue().strip():
        require(result is not None, "the function printed something, but returned None: end it with return")
    require(result is not None, "the function returns None: is its body still the stub?")
    return result
