"""Checkers of the notebook "Multimodal, large, model: what the words mean"."""

import numpy as np

from mmcourse.data import background
from mmcourse.exercises.verdict import call, require

SIZES = ((1, 2, 5, 3), (3, 16, 30, 12), (12, 768, 40_478, 512), (48, 1600, 50_257, 1024))


def _size(answer) -> None:
    for layers, width, vocabulary, context in SIZES:
        given = call(answer, layers, width, vocabulary, context)
        large = 12 * layers * width**2 + (vocabulary + context) * width
        expected = large + 13 * layers * width + 2 * width
        what = f"{layers} layers of width {width}, {vocabulary:,} tokens, context {context}"
        hint = f"{what}: expected {expected:,}, got {given!r}"
        if given == large:
            hint += ". That is the formula without biases and normalisations; count them too."
        elif given == expected - 2 * width:
            hint += ". The last normalisation, after all blocks, has weights as well."
        require(given == expected, hint)


def _budget(answer) -> None:
    for parameters, tokens, chips, rate, share in (
        (175e9, 300e9, 1024, 312e12, 0.4),
        (222e6, 1e9, 1, 9.9e14, 0.3),
        (7e9, 1.4e11, 8, 1e14, 1.0),
    ):
        given = call(answer, parameters, tokens, chips, rate, share)
        expected = 6 * parameters * tokens / (chips * rate * share) / 86_400
        for factor, why in (
            (3, "two operations for each weight are the forward pass alone; training takes six"),
            (1 / 86_400, "that is the time in seconds; a day has 86,400"),
            (1 / share, "no chip works at its peak rate all the time: multiply the rate by the share"),
        ):
            wrong = expected / factor
            require(
                not (np.isclose(given, wrong, rtol=1e-6) and not np.isclose(wrong, expected, rtol=1e-3)), why
            )
        require(
            bool(np.isclose(given, expected, rtol=1e-6)),
            f"{parameters:g} parameters, {tokens:g} tokens, {chips} chips of {rate:g} operations a second at "
            f"{share:.0%}: expected {expected:.4g} days, got {given!r}",
        )


def _models() -> list[background.Model]:
    """Rows that try every way to be left out."""
    rows = []
    for name, inputs, weights, code, data, paper in (
        ("sees, all open", ("image", "text"), "yes", "yes", "yes", "yes"),
        ("sees, no paper", ("text", "image"), "yes", "yes", "yes", "no"),
        ("reads only", ("text",), "yes", "yes", "yes", "yes"),
        ("hears only", ("audio",), "yes", "yes", "yes", "yes"),
        ("part of the code", ("image", "text"), "yes", "part", "yes", "yes"),
        ("closed weights", ("image", "text"), "no", "yes", "yes", "yes"),
        ("no data", ("image", "text"), "yes", "yes", "no", "yes"),
        ("sees all, all open", ("image", "audio", "video", "text"), "yes", "yes", "yes", "part"),
    ):
        rows.append(
            background.Model(
                name=name,
                maker="nobody",
                date="2026",
                family="connector",
                inputs=inputs,
                outputs=("text",),
                weights=weights,
                code=code,
                data=data,
                paper=paper,
                training="not published",
                source=("none",),
            )
        )
    return rows


def _open(answer) -> None:
    for rows in (_models(), _models()[::-1], background.models(), []):
        given = call(answer, list(rows))
        expected = [
            row.name for row in rows if "image" in row.inputs and row.weights == row.code == row.data == "yes"
        ]
        require(isinstance(given, list | tuple), f"return a list of names, got {type(given).__name__}")
        given = list(given)
        require(all(isinstance(name, str) for name in given), "return the models' names, not the models")
        more = [name for name in given if name not in expected]
        less = [name for name in expected if name not in given]
        require(
            not more, f"{more} should not be in the list: 'part' is not enough, and it must take pictures"
        )
        require(not less, f"{less} is missing: weights, code and data are there; the paper does not count")
        require(given == expected, f"keep the order of the rows: expected {expected}, got {given}")


def shares(first, second, labels) -> tuple[float, float]:
    """Shares right on the odd rows, trained on the even ones: the first modality alone, and both."""
    from sklearn.linear_model import LogisticRegression

    found = []
    for rows in (first, np.hstack([first, second])):
        model = LogisticRegression(C=1, max_iter=1000).fit(rows[::2], labels[::2])
        found.append(model.score(rows[1::2], labels[1::2]))
    return found[0], found[1]


def _second(answer) -> None:
    from sklearn.datasets import load_digits

    data = load_digits()
    left, right = data.images[..., :4].reshape(-1, 32) / 16, data.images[..., 4:].reshape(-1, 32) / 16
    random = np.random.default_rng(0)
    for what, second in {
        "the right half of the same picture": right,
        "a copy of the left half": left,
        "the right half of another picture": right[random.permutation(len(right))],
    }.items():
        given = call(answer, left.copy(), second.copy(), data.target.copy())
        require(
            isinstance(given, tuple | list | np.ndarray) and len(given) == 2,
            f"return two shares: of the first modality alone, and of both; got {given!r}",
        )
        expected = shares(left, second, data.target)
        for value, true, which in zip(given, expected, ("alone", "both"), strict=True):
            require(
                abs(float(value) - true) < 0.005,
                f"second modality {what}: {which} expected about {true:.3f}, got {float(value):.3f}. "
                "Train on the even rows, score on the odd ones.",
            )


CHECKERS = {
    "background-size": _size,
    "background-budget": _budget,
    "background-open": _open,
    "background-second": _second,
}
