"""Text: from a string of characters to token ids and features.

:mod:`~mmcourse.text.vocabulary` is what the generator writes with; :mod:`~mmcourse.text.byte_pair` learns
tokens from any text. :mod:`~mmcourse.text.cleaning`, :mod:`~mmcourse.text.segmentation`,
:mod:`~mmcourse.text.tagging`, :mod:`~mmcourse.text.features` and :mod:`~mmcourse.text.augmentation` do what
their names say.
"""

from mmcourse.text.byte_pair import BytePairEncoding
from mmcourse.text.vocabulary import (
    END,
    PAD,
    SPECIAL_TOKENS,
    START,
    UNKNOWN,
    Vocabulary,
    join,
    tokenise,
)

__all__ = [
    "END",
    "PAD",
    "SPECIAL_TOKENS",
    "START",
    "UNKNOWN",
    "BytePairEncoding",
    "Vocabulary",
    "join",
    "tokenise",
]
