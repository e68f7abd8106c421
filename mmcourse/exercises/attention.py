"""Checkers of the notebook "Attention"."""

from collections.abc import Callable

import numpy as np

from mmcourse.exercises.verdict import call, require


def softmax(scores: np.ndarray) -> np.ndarray:
    """What the checkers expect; along the last axis."""
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def numbers(given, shape: tuple[int, ...], what: str) -> np.ndarray:
    """The answer as ``float64`` of the expected shape."""
    given = np.asarray(given, dtype=np.float64)
    require(given.shape == shape, f"{what}: expected the shape {shape}, got {given.shape}")
    return given


def _parameters(answer) -> None:
    for width, heads in ((8, 2), (8, 4), (768, 12), (5, 1)):
        expected = 4 * width * width + 4 * width
        given = call(answer, width, heads)
        require(
            given == expected,
            f"for width {width} and {heads} heads you give {given}, not {expected}. There are four kernels "
            "of width × width weights and four biases; the heads share them.",
        )


def _masked_softmax(answer) -> None:
    random = np.random.default_rng(0)
    mask = np.array([[True, False, False, True], [True] * 4, [False, True, False, False]])
    for scores, what in (
        (random.normal(size=(3, 4)), "scores of ordinary size"),
        (1000 + random.normal(size=(3, 4)), "scores near 1000"),
        (random.normal(size=(3, 4)) - 1000, "scores near -1000"),
        (np.where(mask, 0.0, 900.0), "a large score that is hidden"),
    ):
        with np.errstate(all="ignore"):
            weights = numbers(call(answer, scores.copy(), mask.copy()), (3, 4), what)
        require(bool(np.isfinite(weights).all()), f"{what}: some of your weights are not finite numbers")
        require(
            bool((weights[~mask] == 0).all()),
            f"{what}: a hidden key must get exactly 0, got {weights.round(6).tolist()}",
        )
        require(
            bool(np.allclose(weights.sum(axis=1), 1, atol=1e-5)),
            f"{what}: the rows sum to {weights.sum(axis=1).round(4)}, not to 1. Mask before the softmax.",
        )
        # Wide enough for float32, whose scores near 1000 are rounded to 0.00006.
        difference = np.abs(weights - softmax(np.where(mask, scores, -np.inf))).max()
        require(
            bool(difference < 2e-4), f"{what}: a weight differs from the expected one by {difference:.2g}"
        )


def _window(answer) -> None:
    for tokens, window in ((5, 2), (4, 1), (3, 3), (6, 4), (3, 9)):
        mask = np.asarray(call(answer, tokens, window))
        require(mask.shape == (tokens, tokens), f"expected the shape {(tokens, tokens)}, got {mask.shape}")
        require(mask.dtype == bool, f"the mask must be of dtype bool, got {mask.dtype}")
        for row in range(tokens):
            for column in range(tokens):
                expected = 0 <= row - column < window
                require(
                    bool(mask[row, column]) == expected,
                    f"with {tokens} tokens and a window of {window}, token {row} "
                    f"{'must see' if expected else 'must not see'} token {column}",
                )


def _twice(answer) -> None:
    random = np.random.default_rng(4)
    for keys, width, which in ((2, 4, 0), (5, 3, 2), (1, 6, 0), (8, 16, 7)):
        query, table = random.normal(size=width), random.normal(size=(keys, width))
        given = call(answer, query.copy(), table.copy(), which)
        given = numbers(given, (2,), f"{keys} keys")
        before = softmax(table @ query / np.sqrt(width))[which]
        after = 2 * before / (1 + before)
        for value, expected, when in zip(given, (before, after), ("before", "after"), strict=True):
            require(
                abs(value - expected) < 1e-5,
                f"with {keys} keys of width {width} the weight {when} the repetition is {expected:.4f}, you "
                f"give {value:.4f}. The copy has the same score; the softmax then runs over one key more.",
            )


CHECKERS: dict[str, Callable] = {
    "attention-parameters": _parameters,
    "attention-softmax": _masked_softmax,
    "attention-window": _window,
    "attention-twice": _twice,
}
