"""The figures of the course, in one style that is readable on a phone and in print.

Texts in other scripts are shown in HTML tables, not inside figures: a page has fonts for them, can be
searched, and is read aloud by a screen reader.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter

BLUE, ORANGE, GREEN, GREY = "#0b62a4", "#c65102", "#2a7f4f", "#6b6b6b"


COLOURS = (BLUE, ORANGE, GREEN, GREY)


MARKERS = ("o", "s", "^", "D")


def use_style() -> None:
    """Set the course's style for all figures that follow."""
    plt.rcParams.update(
        {
            "figure.figsize": (6.4, 3.4),
            "figure.dpi": 100,
            "figure.constrained_layout.use": True,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.prop_cycle": plt.cycler(color=COLOURS, marker=MARKERS),
            "font.size": 11,
            "lines.markersize": 4,
        }
    )


def mask_figure(mask: np.ndarray, labels: Sequence[str]) -> plt.Figure:
    """Draw a mask ``(tokens, tokens)``: a filled square where the row's token may look at the column's."""
    figure, axes = plt.subplots(figsize=(4.6, 4.6))
    axes.imshow(np.where(mask, 0.75, 0.0), cmap="Blues", vmin=0, vmax=1)
    for row, column in zip(*np.nonzero(mask), strict=True):
        axes.text(column, row, "•", ha="center", va="center")
    axes.set_xticks(range(len(labels)), labels, rotation=60, ha="right")
    axes.set_yticks(range(len(labels)), labels)
    axes.set(xlabel="token that is looked at", ylabel="token that looks")
    axes.set_xticks(np.arange(-0.5, len(labels)), minor=True)
    axes.set_yticks(np.arange(-0.5, len(labels)), minor=True)
    axes.grid(which="minor", color="#bbbbbb")
    axes.tick_params(which="minor", length=0)
    return figure


def learning_curves(
    history: Sequence[Mapping[str, float]], losses: Mapping[str, str], shares: Mapping[str, str]
) -> plt.Figure:
    """Draw losses (left) and scores between 0 and 1 (right) against the epoch.

    Args:
        history: one mapping an epoch.
        losses, shares: key in the history -> label.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.2))
    epochs = np.arange(1, len(history) + 1)
    for axes, names in ((left, losses), (right, shares)):
        for name, label in names.items():
            axes.plot(epochs, [entry[name] for entry in history], label=label)
        axes.set_xlabel("epoch")
        axes.legend(frameon=False)
    left.set(ylabel="loss (nats)", yscale="log")
    left.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    left.yaxis.set_major_formatter(ScalarFormatter())
    left.yaxis.set_minor_formatter(NullFormatter())
    right.set(ylabel="share of names exactly right", ylim=(0, 1))
    return figure


def bars(scores: Mapping[str, Mapping[str, Mapping]], languages: Mapping[str, str]) -> plt.Figure:
    """Draw exact-match scores with their intervals: a group of bars a row, a bar a language.

    Args:
        scores: row label -> language -> score as of :func:`mmcourse.evaluation.texts.score`.
        languages: language -> label.
    """
    figure, axes = plt.subplots(figsize=(6.4, 0.7 + 0.62 * len(scores)))
    height = 0.8 / len(languages)
    for shift, (language, name) in enumerate(languages.items()):
        values = [row[language]["exact"] for row in scores.values()]
        low, high = np.array([row[language]["exact_interval"] for row in scores.values()]).T
        places = np.arange(len(scores)) + (shift - (len(languages) - 1) / 2) * height
        errors = np.clip([values - low, high - values], 0, None)
        axes.barh(places, values, height, xerr=errors, label=name, color=COLOURS[shift], ecolor=GREY)
        for place, value, top in zip(places, values, high, strict=True):
            axes.text(top + 0.015, place, f"{value:.2f}", va="center", fontsize=9)
    axes.set_yticks(range(len(scores)), list(scores))
    axes.invert_yaxis()
    axes.set(xlabel="share of names exactly right, with 95 % interval", xlim=(0, 1.08))
    axes.legend(frameon=False, loc="lower right")
    return figure


def picture_grid(
    pictures: Sequence[np.ndarray],
    titles: Sequence[str] = (),
    columns: int = 8,
    limit: float | None = None,
    side: float = 0.95,
) -> plt.Figure:
    """Draw pictures of one channel side by side, each under its title.

    Args:
        pictures: each ``(height, width)``, high numbers dark; or with ``limit``, signed numbers.
        titles: one a picture, or none.
        columns: pictures in a row.
        limit: if given, blue is ``limit``, white 0 and red ``-limit``, in all pictures alike.
        side: width of a picture in inches.
    """
    rows = -(-len(pictures) // columns)
    size = (side * min(columns, len(pictures)), rows * side * (1.28 if titles else 1.04))
    figure, grid = plt.subplots(rows, min(columns, len(pictures)), figsize=size, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    for place, (axes, picture) in enumerate(zip(grid.flat, pictures, strict=False)):
        colours = {"cmap": "gray_r"} if limit is None else {"cmap": "RdBu", "vmin": -limit, "vmax": limit}
        axes.imshow(picture, **colours)
        if titles:
            axes.set_title(titles[place], fontsize=9)
    return figure


def spectrogram(axes: plt.Axes, levels: np.ndarray, seconds: float, top: float = 8, **style) -> None:
    """Draw levels in decibels ``(frames, bins)``, 10 dB a colour; ``top`` is the upper end of the axis."""
    look: dict[str, Any] = {"vmin": -50, "vmax": 30, "cmap": plt.get_cmap("magma", 8)} | style
    extent = (0, seconds, 0, top)
    axes.imshow(levels.T, origin="lower", aspect="auto", extent=extent, interpolation="nearest", **look)
