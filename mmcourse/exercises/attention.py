"""Checkers of the chapter "Attention and the Transformer"."""

from collections.abc import Callable

import numpy as np

from mmcourse.exercises.verdict import call, require


def _array(given, shape: tuple[int, ...], what: str) -> np.ndarray:
    """The answer as numbers of the expected shape."""
    given = np.asarray(given, dtype=np.float64)
    require(given.shape == shape, f"{what}: expected the shape {shape}, got {given.shape}")
    return given


def _softmax(scores: np.ndarray) -> np.ndarray:
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def _parameters(answer) -> None:
    for width, heads in ((8, 2), (8, 4), (768, 12), (5, 1)):
        expected = 4 * width * width + 4 * width
        given = call(answer, width, heads)
        require(
            given == expected,
            f"for width {width} and {heads} heads you give {given}, not {expected}. There are four kernels "
            "of width × width numbers and four biases; heads share them out.",
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
            weights = _array(call(answer, scores.copy(), mask.copy()), (3, 4), what)
        require(bool(np.isfinite(weights).all()), f"{what}: your weights hold what is no finite number")
        require(
            bool((weights[~mask] == 0).all()),
            f"{what}: a hidden place must get exactly 0, got {weights.round(6).tolist()}",
        )
        require(
            bool(np.allclose(weights.sum(axis=1), 1)),
            f"{what}: the rows sum to {weights.sum(axis=1).round(4)}, not to 1. Mask before the softmax.",
        )
        expected = _softmax(np.where(mask, scores, -np.inf))
        require(
            bool(np.allclose(weights, expected)),
            f"{what}: expected {expected.round(4).tolist()}, got {weights.round(4).tolist()}",
        )


def _window(answer) -> None:
    for tokens, window in ((5, 2), (4, 1), (3, 3), (6, 4), (3, 9)):
        mask = np.asarray(call(answer, tokens, window))
        require(mask.shape == (tokens, tokens), f"expected the shape {(tokens, tokens)}, got {mask.shape}")
        for row in range(tokens):
            for column in range(tokens):
                expected = 0 <= row - column < window
                require(
                    bool(mask[row, column]) == expected,
                    f"with {tokens} tokens and a window of {window}, token {row} "
                    f"{'must see' if expected else 'must not see'} token {column}",
                )


def _cached_step(answer) -> None:
    random = np.random.default_rng(1)
    for width in (4, 3):
        queries, keys, values = random.normal(size=(3, 5, width)) * 2
        cache = None
        for step in range(5):
            result = call(answer, cache, queries[step].copy(), keys[step].copy(), values[step].copy())
            require(
                isinstance(result, tuple | list) and len(result) == 2,
                "return two things: the output and the new cache",
            )
            output, cache = result
            output = _array(output, (width,), f"the output of step {step + 1}")
            scores = keys[: step + 1] @ queries[step] / np.sqrt(width)
            expected = _softmax(scores) @ values[: step + 1]
            require(
                bool(np.allclose(output, expected)),
                f"step {step + 1} with width {width}: expected {expected.round(4)}, got {output.round(4)}. "
                "The query looks at all keys so far, its own among them; divide by the root of the width.",
            )


def _turned(answer) -> None:
    vectors = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 2.0], [-1.0, 3.0]])
    places = np.arange(4)
    pairs = vectors[:, 0] + 1j * vectors[:, 1]
    expected = pairs * np.exp(1j * places)
    given = _array(call(answer, vectors.copy()), (4, 2), "four vectors")
    for place in places:
        wanted = np.array([expected[place].real, expected[place].imag])
        require(
            bool(np.allclose(given[place], wanted)),
            f"at place {place} the vector {vectors[place]} becomes {wanted.round(4)}, you give "
            f"{given[place].round(4)}. Place 0 is not turned; angles are in radians.",
        )
    other = np.random.default_rng(2).normal(size=(2, 2))
    given = _array(call(answer, other.copy()), (2, 2), "two vectors")
    require(bool(np.allclose(given[0], other[0])), "with two vectors, the first must stay as it is")


def _rollout(answer) -> None:
    random = np.random.default_rng(3)
    for count in (1, 2, 3):
        layers = [_softmax(random.normal(size=(4, 4)) * 2) for _ in range(count)]
        expected = np.eye(4)
        for weights in layers:
            expected = (weights + np.eye(4)) / 2 @ expected
        given = _array(call(answer, [weights.copy() for weights in layers]), (4, 4), f"{count} blocks")
        require(
            bool(np.allclose(given, expected)),
            f"with {count} block(s) the first row is {expected[0].round(4)}, you give {given[0].round(4)}. "
            "Half of each block is the identity, and later blocks stand on the left of the product.",
        )


CHECKERS: dict[str, Callable] = {
    "attention-parameters": _parameters,
    "attention-softmax": _masked_softmax,
    "attention-window": _window,
    "attention-cache": _cached_step,
    "attention-rotary": _turned,
    "attention-rollout": _rollout,
}
