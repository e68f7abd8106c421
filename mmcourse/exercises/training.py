"""Checkers of the notebook "A training you can trust"."""

from collections.abc import Callable, Mapping

import numpy as np

from mmcourse.exercises.verdict import call, require


def _two_numbers(given, names: str) -> tuple[float, float]:
    require(
        isinstance(given, tuple | list | np.ndarray) and len(given) == 2, f"expected two numbers: {names}"
    )
    first, second = (float(value) for value in given)
    return first, second


def _first_loss(answer) -> None:
    for shares in (
        [0.1] * 10,
        [0.5, 0.5],
        [0.9, 0.1],
        [0.7, 0.2, 0.1],
        [0.5, 0.5, 0.0],
        [0.96, 0.01, 0.01, 0.01, 0.01],
    ):
        known = [share for share in shares if share]
        expected = np.log(len(shares)), -float(np.sum(known * np.log(known)))
        given = _two_numbers(call(answer, list(shares)), "the loss of equal logits, and the least loss")
        for which, right, found in zip(
            ("with equal logits", "of the best constant answer"), expected, given, strict=True
        ):
            require(
                bool(np.isclose(found, right, atol=1e-6)),
                f"for the shares {shares} the loss {which} is {right:.4f}, you give {found:.4f}. Equal "
                "logits give every class, however rare, the probability 1 / classes. The best "
                "constant answer gives each class its own share, and a "
                "class that never occurs adds nothing (0, not nan).",
            )


def _stop(answer) -> None:
    random = np.random.default_rng(42)
    cases = [
        ([1.0, 0.5, 0.6, 0.7, 0.4], 2),
        ([1.0, 0.5, 0.5, 0.5, 0.4], 2),
        ([3.0, 2.0, 1.0], 1),
        ([1.0, 2.0, 3.0], 1),
        ([1.0, 1.2, 0.9, 1.1, 0.8, 0.9, 0.9, 0.9], 3),
        ([0.7], 5),
    ]
    cases += [
        (np.round(random.random(12) + np.abs(np.arange(12) - 6) / 6, 2).tolist(), 1 + k % 4) for k in range(8)
    ]
    for losses, patience in cases:
        best, since, stopped, at = np.inf, 0, len(losses), 0
        for epoch, loss in enumerate(losses, start=1):
            since += 1
            if loss < best:
                best, since, at = loss, 0, epoch
            if since == patience:
                stopped = epoch
                break
        given = _two_numbers(
            call(answer, list(losses), patience), "the epochs that are trained, and the best of them"
        )
        require(
            given == (stopped, at),
            f"with the validation losses {losses} and a patience of {patience}, training ends after epoch "
            f"{stopped} and the weights of epoch {at} come back; you give {given[0]:g} and {given[1]:g}. "
            "Epochs count from 1, an equal loss is no improvement, and what comes after the end is not seen.",
        )


def _accumulate(answer) -> None:
    random = np.random.default_rng(7)
    for sizes in ([4, 4], [1, 3], [64, 64, 8], [5], [2, 7, 1, 30]):
        weights, examples = random.normal(size=(3, 2)), random.normal(size=(sum(sizes), 3))
        wanted = random.normal(size=(sum(sizes), 2))
        rows = np.split(np.arange(sum(sizes)), np.cumsum(sizes)[:-1])

        def gradient(rows, weights=weights, examples=examples, wanted=wanted):
            return examples[rows].T @ (examples[rows] @ weights - wanted[rows]) / len(rows)

        parts, expected = [gradient(chosen) for chosen in rows], gradient(np.arange(sum(sizes)))
        found = np.asarray(call(answer, [part.copy() for part in parts], list(sizes)), dtype=float)
        require(
            found.shape == expected.shape,
            f"expected one gradient of the shape {expected.shape}, like those given; got {found.shape}",
        )
        require(
            bool(np.allclose(found, expected)),
            f"for batches of {sizes} examples your gradient is not that of one batch of {sum(sizes)}. Each "
            "gradient is a mean over its own examples: let it count as often as it has examples.",
        )


def _faults(answer) -> None:
    from mmcourse.learning import faults

    given = call(answer)
    require(
        isinstance(given, Mapping) and set(given) == set(faults.CASES),
        f"expected a dict with the letters {', '.join(faults.CASES)}, each with a name",
    )
    names = ("sound", *faults.FAULTS)
    for letter, name in given.items():
        require(
            name in names, f"{letter}: {name!r} is none of the names, which are {', '.join(map(repr, names))}"
        )
    wrong = [letter for letter, (name, _) in faults.CASES.items() if given[letter] != name]
    require(not wrong, f"{_HINTS[wrong[0]]} (wrong so far: {len(wrong)} of {len(given)})" if wrong else "")


_HINTS = {
    "A": "A: two faults end with a loss near guessing that will not settle. What should the first loss of "
    "ten classes be, and what is it here?",
    "B": "B: the training loss goes to 0 while the validation loss rises. Ask how many of *all* its training "
    "digits the network reads. Could it read digits that it has never been given so well?",
    "C": "C: two faults stay on the line of guessing. Is the first layer's gradient small, or is there none?",
    "D": "D: compare the share of test digits with the last validation share. Is there a gap? And does it "
    "learn as fast as the sound training of the gallery?",
    "E": "E: the training loss goes to 0 while the validation loss rises. Ask how many of *all* its training "
    "digits the network reads. Has it been given all of them?",
    "F": "F: this is the best validation curve of all. Compare its end with the share of test digits.",
}


def _break(answer) -> None:
    from mmcourse.learning import faults

    given = call(answer, faults.SOUND)
    require(
        isinstance(given, tuple | list) and len(given) == 3,
        "expected three things: a recipe, and two numbers, the least and the last validation loss",
    )
    recipe, *numbers = given
    require(
        isinstance(recipe, faults.Recipe),
        f"the first must be a recipe, such as replace(sound, rate=0.1), got {type(recipe).__name__}",
    )
    changed = recipe.changes(faults.SOUND)
    require(
        len(changed) == 1,
        f"exactly one field of the sound recipe is to change; you change {changed or 'none'}",
    )
    known = [name for name, fault in faults.FAULTS.items() if fault.changes(faults.SOUND) == changed]
    require(
        not known,
        f"the field {changed[0]!r} makes {known[0] if known else ''!r}, which the gallery has; find another",
    )
    require(
        recipe.steps <= 4000, f"steps must be at most 4,000, so that checking is quick; got {recipe.steps}"
    )
    least, last = _two_numbers(numbers, "the least and the last validation loss")
    run, (sound,) = faults.train(recipe, 0), faults.gallery(["sound"], [0])["sound"]
    losses, good = run.curves["validation_loss"], sound.curves["validation_loss"]
    require(
        bool(losses[-1] > good[-1] + 0.2),
        f"with {changed[0]} = {getattr(recipe, changed[0])} the validation loss ends at {losses[-1]:.2f}, "
        f"that of the sound training at {good[-1]:.2f}. No fault yet: make it end at least 0.2 higher.",
    )
    require(
        abs(least - losses.min()) < 0.15 and abs(last - losses[-1]) < 0.15,
        f"trained with seed 0, your recipe has a least validation loss of {losses.min():.2f} and a last one "
        f"of {losses[-1]:.2f}; you report {least:.2f} and {last:.2f}. Train it, and report what you see.",
    )


CHECKERS: dict[str, Callable] = {
    "training-first-loss": _first_loss,
    "training-stop": _stop,
    "training-accumulate": _accumulate,
    "training-faults": _faults,
    "training-break": _break,
}
