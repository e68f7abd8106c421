"""Checkers of the notebook "Features and pretrained encoders"."""

from collections.abc import Callable

import numpy as np

from mmcourse.exercises.verdict import call, require


def _number(value) -> float:
    require(not isinstance(value, str), f"expected a number, got the text {value!r}")
    return float(value)


def _tokens(answer) -> None:
    for frames, size, length, patch in ((1, 32, 1, 8), (8, 32, 2, 8), (16, 224, 2, 16), (9, 30, 3, 5)):
        expected = (frames // length) * (size // patch) ** 2, length * patch * patch * 3
        given = tuple(_number(number) for number in call(answer, frames, size, length, patch))
        require(
            given == expected,
            f"{frames} frames of {size} × {size} in tubes of {length} × {patch} × {patch}: you give {given}, "
            f"not {expected}. Count the tubes along each of the three axes; a tube holds three numbers for "
            "each of its pixels.",
        )


def _pool(answer) -> None:
    random = np.random.default_rng(25)
    for batch, tokens, width, garbage in (
        (2, 3, 2, 9.0),
        (1, 1, 1, 5.0),
        (3, 5, 4, np.nan),
        (3, 6, 2, -7.0),
        (3, 6, 2, np.inf),
    ):
        values = random.normal(size=(batch, tokens, width))
        mask = np.arange(tokens) < random.integers(1, tokens + 1, (batch, 1))
        mask[-1] = batch == 1  # a row without a real token, unless it is the only one
        if tokens == 6:  # real tokens anywhere, and one whose numbers are 0
            mask[0] = [False, True, False, True, True, False]
            values[0, 3] = 0
        expected = np.zeros((batch, width))
        for row in range(batch):
            if mask[row].any():
                expected[row] = values[row][mask[row]].mean(axis=0)
        values = np.where(mask[..., None], values, garbage)
        given = np.asarray(call(answer, values.copy(), mask.copy()), dtype=float)
        require(
            given.shape == expected.shape,
            f"for tokens {values.shape} expected the shape {expected.shape}, got {given.shape}",
        )
        require(
            np.isfinite(given).all(),
            "the result is not a number somewhere. A row without a token has nothing to divide by; and what "
            "stands in the padding may be nan or infinite, which multiplied by 0 is nan.",
        )
        require(
            np.allclose(given, expected),
            f"tokens {values.shape} of which {mask.sum(axis=1).tolist()} are real: these are not their "
            "means. Sum the real ones, which the mask alone tells and which may stand anywhere, and divide "
            "by how many they are, not by how many places there are.",
        )


def _earlier(answer) -> None:
    given = call(answer)
    given = given.tolist() if isinstance(given, np.ndarray) else given
    require(isinstance(given, tuple | list) and len(given) == 2, "expected two shares: pooled, earlier layer")
    pooled, earlier = map(_number, given)
    for name, share, expected in (("pooled features", pooled, 0.596), ("earlier layer", earlier, 0.616)):
        require(
            abs(share - expected) < 0.007,
            f"{name}: you give {share:.3f}. Scale each row to length 1, fit on the rows of 'train' alone, "
            "score on 'test', and take the mean over the draws 0 to 9.",
        )


CHECKERS: dict[str, Callable] = {
    "encoders-tokens": _tokens,
    "encoders-pool": _pool,
    "encoders-earlier": _earlier,
}
