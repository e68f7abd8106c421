"""Checkers of the notebook "A promise is a number with an attack beside it"."""

import functools
from collections.abc import Callable

import numpy as np

from mmcourse.exercises.verdict import call, require

USES = {
    "a": ("prohibited", "Article 5 prohibits reading emotions in schools and at work"),
    "b": ("high-risk", "Annex III, point 3, names systems that decide on admission or mark exams"),
    "c": (
        "transparency",
        "Article 50: visitors must know that they talk to a machine; nothing else hangs on it",
    ),
    "d": ("minimal", "nobody's rights or access to anything depend on a game"),
    "e": ("high-risk", "Annex III, point 5, names the scoring of creditworthiness"),
    "f": ("prohibited", "Article 5 prohibits building databases of faces by untargeted scraping"),
    "g": (
        "transparency",
        "Article 50: a deep fake must be marked, in art too, in a way that does not spoil it",
    ),
}
CLASSES = ("prohibited", "high-risk", "transparency", "minimal")
MISSING = {
    "a": (False, "the licence of the code is stated: Apache-2.0"),
    "b": (True, "pictures collected from a site have owners, and people in them: nothing is said of either"),
    "c": (False, "`make study` makes the result again"),
    "d": (False, "seed and versions are in the JSON"),
    "e": (
        True,
        "the old encoder's figure is quoted, on its own data: it was not trained on the new pictures",
    ),
    "f": (True, "0.84 and 0.81 stand without an interval and with one seed"),
    "g": (True, "that all tests pass does not show that one of them looks at the change"),
}


def _gradient(answer) -> None:
    random = np.random.default_rng(84)
    for columns, classes, what in (
        (3, 2, "three columns"),
        (196, 10, "a picture"),
        (5, 4, "most gradients zero"),
    ):
        example = random.random(columns)
        error = random.normal(size=classes)
        error -= error.mean()
        if what == "most gradients zero":
            error = np.array([0.0, 0.0, 0.7, -0.7])
        given = np.asarray(call(answer, np.outer(example, error), error.copy()), dtype=float)
        require(given.shape == (columns,), f"{what}: expected the shape ({columns},), got {given.shape}")
        require(
            bool(np.allclose(given, example, atol=1e-8)),
            f"{what}: the example begins with {example[:3].round(3)}, yours with {given[:3].round(3)}. Every "
            "column of the kernel's gradient is the example times that class's bias gradient.",
        )


def _kappa(answer) -> None:
    random = np.random.default_rng(1)
    one = random.integers(0, 3, 60)
    other = np.where(random.random(60) < 0.6, one, random.integers(0, 3, 60))
    cases = [
        ("mmwn", "mwwn", "four pictures"),
        ("mmmm", "mmmm", "one label throughout"),
        ("mmww", "wwmm", "never the same"),
        ("mmmmmmmmmw", "mmmmmmmmwm", "nearly all alike"),
        ("mmnn", "wwnn", "a label that only one of them uses"),
        (one.tolist(), other.tolist(), "sixty pictures"),
    ]
    for first, second, what in cases:
        first, second = list(first), list(second)
        given = np.asarray(call(answer, list(first), list(second)), dtype=float)
        require(given.shape == (), f"{what}: return one number, got the shape {given.shape}")
        agreed = np.mean([a == b for a, b in zip(first, second, strict=True)])
        chance = sum(first.count(k) * second.count(k) for k in set(first)) / len(first) ** 2
        expected = 1.0 if chance == 1 else (agreed - chance) / (1 - chance)
        require(
            abs(float(given) - expected) < 1e-9,
            f"{what}: they agree on {agreed:.2f}, by chance on {chance:.2f}, so kappa is {expected:.3f}; you "
            f"give {float(given):.3f}.",
        )


@functools.cache
def _rare() -> dict[str, tuple[float, float]]:
    """What the exercise asks for, computed once."""
    from mmcourse.data import digits
    from mmcourse.outlook import privacy

    data = digits.load()
    images, labels = data.part("train")
    others, truth = data.part("test")
    keep = np.setdiff1d(np.arange(len(labels)), np.flatnonzero(labels == 7)[100:])
    rows, test, seven = privacy.features(images)[keep], privacy.features(others), truth == 7
    noise = privacy.noise_for(1.0, 0.2, 60, 1e-4)
    found, inside = {}, np.ones((5, len(keep)), bool)
    ways: tuple[tuple[str, dict], ...] = (
        ("plain", {}),
        ("clipped", {"clip": 0.3}),
        ("private", {"clip": 0.3, "sample": 0.2, "noise": noise, "seed": 0}),
    )
    for name, options in ways:
        models = privacy.train(rows, labels[keep], inside, 60, 40.0, **options)
        right = (test @ models).argmax(axis=2) == truth  # (models, pictures)
        found[name] = float(right[:, seven].mean()), float(right[:, ~seven].mean())
    return found


def _rare_digit(answer) -> None:
    given, expected = call(answer), _rare()
    require(
        isinstance(given, dict) and set(given) == set(expected),
        f'return a dictionary with the keys "plain", "clipped" and "private", got {given!r:.100}',
    )
    for name, pair in expected.items():
        shares = np.asarray(given[name], dtype=float)
        require(shares.shape == (2,), f"{name}: give two shares, of the sevens and of all others")
        for share, right, what in zip(shares, pair, ("sevens", "others"), strict=True):
            require(
                abs(share - right) < 0.025,
                f"{name}: of the {what} in the test part {right:.2f} are right, you give {share:.2f}. "
                "Train five models in one call on the first 100 sevens and all other digits, 60 steps at the "
                "rate 40, and judge them on the whole test part.",
            )


def _uses(answer) -> None:
    classes = call(answer)
    require(
        isinstance(classes, dict) and set(classes) == set(USES),
        f"return a dictionary with a class for each of {', '.join(USES)}",
    )
    for letter, (right, reason) in USES.items():
        given = classes[letter]
        require(given in CLASSES, f"{letter}: expected one of {', '.join(CLASSES)}, got {given!r}")
        require(given == right, f"{letter} is {right}: {reason}.")


def _review(answer) -> None:
    letters = call(answer)
    require(
        isinstance(letters, set | frozenset | list | tuple) and set(letters) <= set(MISSING),
        f"return a set of letters from {', '.join(MISSING)}",
    )
    for letter, (missing, reason) in MISSING.items():
        if missing:
            require(letter in letters, f"{letter} is missing: {reason}.")
        else:
            require(letter not in letters, f"{letter} is there: {reason}.")


CHECKERS: dict[str, Callable] = {
    "privacy-gradient": _gradient,
    "privacy-kappa": _kappa,
    "privacy-rare": _rare_digit,
    "privacy-uses": _uses,
    "privacy-review": _review,
}
