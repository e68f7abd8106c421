"""What a generator costs to train, counted: parameters, operations, memory (notebook 57).

An operation is one addition or one multiplication of numbers, so that a product of matrices ``(m, k)`` and
``(k, n)`` takes ``2 m k n``. Only such products are counted; norms, activations and the softmax are a few in
a hundred. Going backwards takes twice the products of going forwards (Kaplan et al., 2020, section 2.1).
"""

from mmcourse.checks import check_count
from mmcourse.generator.model import Settings

BACKWARDS = 2  # times the products of the way forwards: one for the inputs, one for the weights


def block_parameters(settings: Settings) -> int:
    """Numbers in the matrices of one block: its attention and the two layers of its network."""
    return 4 * settings.width**2 + 2 * settings.width * settings.hidden


def forward_operations(settings: Settings, vocabulary: int, media: int, channels: int = 0) -> int:
    """Operations for one example on its way forwards.

    Args:
        settings: of the decoder.
        vocabulary: words that it chooses from.
        media: tokens of all modalities.
        channels: of the features that a dense layer turns into those tokens; 0 for none.

    Raises:
        ValueError: ``vocabulary`` is below 1, or ``media`` or ``channels`` below 0.
    """
    check_count("vocabulary", vocabulary)
    check_count("media", media, least=0)
    check_count("channels", channels, least=0)
    tokens = media + settings.prompt_length + settings.answer_length
    matrices = 2 * tokens * block_parameters(settings)
    attention = 2 * 2 * tokens**2 * settings.width  # queries with keys, weights with values
    words = 2 * settings.answer_length * settings.width * vocabulary
    words += settings.tied * 2 * settings.answer_length * settings.width**2
    return settings.depth * (matrices + attention) + words + 2 * media * channels * settings.width


def training_operations(settings: Settings, vocabulary: int, media: int, channels: int = 0) -> int:
    """Operations for one example of a training step, forwards and backwards."""
    return (1 + BACKWARDS) * forward_operations(settings, vocabulary, media, channels)
