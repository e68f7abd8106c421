"""When to answer and when to hand over, and a reader of screenshots that is written by hand (notebook 61).

The network is in :mod:`mmcourse.applications.service_reader`, the voice assistant in
:mod:`mmcourse.applications.service_voice`; the shop is invented (:mod:`mmcourse.data.product_pages`).
Sources: Chow (1970) for the rule; Geifman and El-Yaniv (2017) for coverage and risk of a network that may
decline.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from mmcourse import checks
from mmcourse.data import product_pages as pages

# All that may stand in a field.
VALUES = {
    "product": range(len(pages.PRODUCTS)),
    "new": range(10, 100),
    "used": range(10, 100),
    "stars": range(1, 6),
    "left": range(10),
    "days": range(1, 10),
}


def coverage_curve(confidence: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What is answered, and how well, at every threshold (Geifman and El-Yaniv 2017, their risk is 1 less).

    Args:
        confidence: ``(questions,)``, high where the model is sure.
        right: boolean ``(questions,)``.

    Returns:
        Thresholds from high to low, each a confidence that occurs; the coverage, the share of the questions
        with at least that confidence; and the accuracy, the share of right answers among those.

    Raises:
        ValueError: no questions, or the lengths differ.
    """
    confidence, right = np.asarray(confidence, dtype=float), np.asarray(right, dtype=bool)
    if confidence.ndim != 1 or confidence.shape != right.shape or not len(right):
        raise ValueError(
            f"expected a confidence and a verdict for each question, got {confidence.shape}, {right.shape}"
        )
    order = np.argsort(-confidence, kind="stable")
    sure, count = confidence[order], np.arange(1, len(right) + 1)
    last = np.r_[sure[1:] != sure[:-1], True]  # of those that are equally sure, all or none are answered
    return sure[last], count[last] / len(right), (np.cumsum(right[order]) / count)[last]


def choose_threshold(confidence: np.ndarray, right: np.ndarray, wanted: float) -> float:
    """The lowest threshold at which at least the share ``wanted`` of what is answered is right.

    To be chosen on validation questions. It is infinity, "answer nothing", where no threshold does it.

    Raises:
        ValueError: as :func:`coverage_curve`, or ``wanted`` is not from 0 to 1.
    """
    checks.check_between("wanted", wanted, 0, 1)
    thresholds, _, accuracy = coverage_curve(confidence, right)
    enough = np.flatnonzero(accuracy >= wanted)
    return float(thresholds[enough[-1]]) if len(enough) else float("inf")


def prior(tasks: Sequence[str], seed: int = 0) -> list[str]:
    """The best that can be said without the screenshot: each task's most frequent answer in training."""
    random = np.random.default_rng([seed, 1])
    shown = [pages.draw_page(random) for _ in range(6000)]
    return [Counter(pages.answer(page, task) for page in shown).most_common(1)[0][0] for task in tasks]


class TemplateReader:
    """Reads a page by comparing its strips with drawings of all that may stand there.

    For each layout it cuts the page as that layout is cut, and finds for each field the value whose drawing
    differs least. The layout that differs least in all is taken to be the page's.

    Args:
        layouts: those that it has been written for.

    Raises:
        ValueError: no layout.
    """

    def __init__(self, layouts: Sequence[pages.Layout]):
        if not layouts:
            raise ValueError("a template reader needs at least one layout")
        self.layouts = tuple(layouts)

    def read(self, images: np.ndarray) -> tuple[list[pages.Page], np.ndarray]:
        """What each page says, and its distance from the drawing of that, root mean square in grey levels."""
        best, found = np.full(len(images), np.inf), np.zeros((len(images), len(pages.FIELDS)), dtype=int)
        for layout in self.layouts:
            total, values = np.zeros(len(images)), []
            for field in pages.FIELDS:
                top, bottom = pages.box_of(layout, field)
                cut = images[:, top:bottom].reshape(len(images), -1).astype(float)
                drawn = np.stack([pages.strip(layout, field, value) for value in VALUES[field]])
                drawn = drawn.reshape(len(drawn), -1).astype(float)
                away = (cut**2).sum(axis=1)[:, None] - 2 * cut @ drawn.T + (drawn**2).sum(axis=1)
                values.append(np.array(VALUES[field])[away.argmin(axis=1)])
                total += away.min(axis=1)
            better = total < best
            best[better], found[better] = total[better], np.stack(values, axis=1)[better]
        said = [pages.Page(*map(int, row)) for row in found]
        return said, np.sqrt(np.maximum(best, 0) / images[0].size)

    def answer(self, images: np.ndarray, tasks: Sequence[str]) -> tuple[list[str], np.ndarray]:
        """One answer about each page, and the distance of :meth:`read`."""
        said, away = self.read(images)
        return [pages.answer(page, task) for page, task in zip(said, tasks, strict=True)], away
