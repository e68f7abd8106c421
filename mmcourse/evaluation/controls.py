"""Does a model use a modality? Take it away and see whether the score falls.

Each function returns inputs of the same shape in which one modality tells nothing, or something else. A
model whose score does not fall does not use that modality.
"""

from collections.abc import Sequence

import numpy as np


def shuffled_images(images: np.ndarray, seed: int = 0) -> np.ndarray:
    """The same pictures, each in another one's place: no picture stays where it was.

    Args:
        images: ``(pictures, ...)``.

    Raises:
        ValueError: fewer than two pictures.
    """
    if len(images) < 2:
        raise ValueError(f"shuffling needs at least 2 pictures, got {len(images)}")
    order = np.random.default_rng(seed).permutation(len(images))
    # Along a random cycle each picture moves to the next one's place, so none can stay.
    shuffled = np.empty_like(images)
    shuffled[order] = images[np.roll(order, 1)]
    return shuffled


def blank_images(images: np.ndarray, value: int = 255) -> np.ndarray:
    """Pictures of the same shape and dtype, white all over unless another value is given."""
    return np.full_like(images, value)


def swapped_prompts(prompts: Sequence[str], swap: dict[str, str]) -> list[str]:
    """Each prompt replaced by the one that ``swap`` gives for it.

    Raises:
        ValueError: a prompt has no replacement, or is its own.
    """
    for prompt in set(prompts):
        if swap.get(prompt, prompt) == prompt:
            raise ValueError(f"swap has no other prompt for {prompt!r}")
    return [swap[prompt] for prompt in prompts]
