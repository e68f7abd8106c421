"""Does a model use a modality? Take it away and see whether the score falls (notebook 47).

Inputs are a dictionary: the name of a modality -> its array, whose first axis is the examples. Each of the
three functions returns a new dictionary in which one modality tells something else, tells nothing, or is not
there; the others are passed on as they are. A model whose score does not fall does not use that modality.
"""

from collections.abc import Mapping, Sequence

import numpy as np


def permute(inputs: Mapping[str, np.ndarray], modality: str, seed: int = 0) -> dict[str, np.ndarray]:
    """Give each example another one's picture (or sound, …): no row keeps its own, and none is lost.

    What the modality looks like as a whole stays the same; only its connection with the rest is cut.

    Args:
        inputs: modality -> ``(examples, ...)``.
        modality: which of them to permute.
        seed: of the order.

    Raises:
        ValueError: there is no such modality, or there are fewer than two examples.
    """
    array = np.asarray(_of(inputs, modality))
    if len(array) < 2:
        raise ValueError(f"permuting {modality!r} needs at least 2 examples, got {len(array)}")
    order = np.random.default_rng(seed).permutation(len(array))
    # Along a random cycle each row moves to the next one's place, so none can stay.
    permuted = np.empty_like(array)
    permuted[order] = array[np.roll(order, 1)]
    return {**inputs, modality: permuted}


def blank(inputs: Mapping[str, np.ndarray], modality: str, value: float = 0) -> dict[str, np.ndarray]:
    """Put the same number everywhere, in an array of the same shape and dtype.

    A blank is an input like others, and usually one that the model has never seen: its score may be worse
    than that of :func:`drop`.

    Raises:
        ValueError: there is no such modality, or its dtype cannot hold the value.
    """
    array = np.asarray(_of(inputs, modality))
    try:
        right = bool(np.isclose(np.full(1, value, array.dtype)[0], value, equal_nan=True))
    except (OverflowError, TypeError, ValueError):
        right = False
    if not right:
        raise ValueError(f"{modality!r} has the dtype {array.dtype}, which cannot hold {value!r}")
    return {**inputs, modality: np.full_like(array, value)}


def drop(inputs: Mapping[str, np.ndarray], modality: str) -> dict[str, np.ndarray]:
    """Leave the modality out, so that the model goes the way that it has for a missing one.

    Raises:
        ValueError: there is no such modality, or it is the only one.
    """
    _of(inputs, modality)
    if len(inputs) == 1:
        raise ValueError(f"{modality!r} is the only modality: without it nothing is left to answer from")
    return {name: array for name, array in inputs.items() if name != modality}


def _of(inputs: Mapping[str, np.ndarray], modality: str) -> np.ndarray:
    if modality not in inputs:
        raise ValueError(f"modality must be one of {', '.join(inputs) or 'none'}, got {modality!r}")
    return inputs[modality]


def swapped_prompts(prompts: Sequence[str], swap: dict[str, str]) -> list[str]:
    """Each prompt replaced by the one that ``swap`` gives for it.

    Raises:
        ValueError: a prompt has no replacement, or is its own.
    """
    for prompt in set(prompts):
        if swap.get(prompt, prompt) == prompt:
            raise ValueError(f"swap has no other prompt for {prompt!r}")
    return [swap[prompt] for prompt in prompts]
