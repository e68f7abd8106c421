"""Checkers of the notebook "When not to answer"."""

import functools
from collections.abc import Callable

import numpy as np

from mmcourse.exercises.verdict import call, require


def _threshold(answer) -> None:
    random = np.random.default_rng(61)
    many = random.integers(40, size=300) / 40
    cases = [
        (
            np.array([0.9, 0.8, 0.7, 0.6]),
            np.array([1, 1, 0, 1], dtype=bool),
            0.7,
            "the lowest threshold that holds",
        ),
        (
            np.array([0.9, 0.5, 0.5, 0.2]),
            np.array([1, 1, 0, 0], dtype=bool),
            0.9,
            "two that are equally sure",
        ),
        (np.array([0.3, 0.6, 0.9]), np.array([1, 1, 1], dtype=bool), 1.0, "questions in another order"),
        (np.array([0.9, 0.4]), np.array([0, 1], dtype=bool), 0.8, "no threshold that holds"),
        (many, random.random(300) < many, 0.8, "300 questions"),
    ]
    for confidence, right, wanted, what in cases:
        given = call(answer, confidence.copy(), right.copy(), wanted)
        require(
            np.ndim(given) == 0 and not isinstance(given, str | bool),
            f"{what}: return one number, got {given!r}",
        )
        holds = [one for one in confidence if right[confidence >= one].mean() >= wanted]
        expected = min(holds, default=float("inf"))
        require(
            float(given) == expected,
            f"{what}: expected {expected:g}, got {float(given):g}. Answered is what is at least as sure "
            f"as the threshold; of that the share {wanted:g} must be right, and infinity answers nothing.",
        )


def _action(answer) -> None:
    random = np.random.default_rng(7)
    grid = np.linspace(0, 1, 21)
    for chances, wrong, human, effort, helps, what in (
        (np.array([0.95, 0.5]), 10.0, 2.0, 0.5, 0.6, "a sure and an unsure answer"),
        (np.array([0.8, 0.0]), 10.0, 2.0, 1.0, 0.5, "equal costs"),
        (np.array([0.7, 0.5]), 10.0, 3.0, 1.5, 0.5, "costs that are equal once they are rounded"),
        (grid, 10.0, 2.0, 0.5, 0.6, "asking again is worth it"),
        (grid, 10.0, 2.0, 0.5, 0.1, "asking again seldom helps"),
        (random.random(200), 3.0, 5.0, 0.25, 0.5, "a human who costs more than a mistake"),
    ):
        given = np.asarray(call(answer, chances.copy(), wrong, human, effort, helps))
        require(
            given.shape == chances.shape and given.dtype.kind in "iu",
            f"{what}: expected whole numbers of the shape {chances.shape}, got {given.dtype} {given.shape}",
        )
        costs = np.stack(
            [
                (1 - chances) * wrong,
                np.full_like(chances, effort + (1 - helps) * human),
                np.full_like(chances, human),
            ]
        )
        off = np.flatnonzero(given != costs.round(9).argmin(axis=0))
        require(
            off.size == 0,
            f"{what}: {off.size} of {len(chances)} decisions differ. Answering costs (1 − p) · wrong on "
            "average, asking again the effort, and a human where it does not help; round, and of "
            "equal ones take the first.",
        )


@functools.cache
def _pages(factor: float) -> tuple[float, float]:
    """What the exercise asks for, computed once for each factor."""
    from mmcourse.applications import service
    from mmcourse.data import product_pages

    exam = product_pages.Exam.draw("known", 140, seed=2)
    images = np.round(exam.images * factor).astype(np.uint8)
    said, away = service.TemplateReader(product_pages.known_layouts()).answer(images, exam.tasks)
    right = np.array([text == true for text, true in zip(said, exam.answers, strict=True)])
    return float(right.mean()), float((away > 1).mean())


def _dimmed(answer) -> None:
    for factor in (1, 0.9, 0.6):
        given = np.asarray(call(answer, factor), dtype=float)
        require(given.shape == (2,), f"return two shares, got the shape {given.shape}")
        for value, right, name in zip(given, _pages(factor), ("right", "handed over"), strict=True):
            require(
                abs(value - right) < 0.01,
                f"at {factor} of the brightness the share {name} is {right:.3f}, you give {value:.3f}. Dim "
                "the pages, not the templates; count all answers as right or wrong, and hand over above 1.",
            )


CHECKERS: dict[str, Callable] = {
    "service-threshold": _threshold,
    "service-action": _action,
    "service-dimmed": _dimmed,
}
