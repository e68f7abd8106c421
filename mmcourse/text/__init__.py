"""Text: from a string of characters to token ids.

:mod:`~mmcourse.text.cleaning`, :mod:`~mmcourse.text.segmentation`, :mod:`~mmcourse.text.tagging` and
:mod:`~mmcourse.text.augmentation` belong to notebook 21, :mod:`~mmcourse.text.vocabulary` and
:mod:`~mmcourse.text.byte_pair` to notebook 22.
"""

from mmcourse.text.vocabulary import (
    END,
    END_ID,
    PAD,
    PAD_ID,
    SPECIAL_TOKENS,
    START,
    START_ID,
    UNKNOWN,
    UNKNOWN_ID,
    Tokeniser,
    Vocabulary,
    join,
    tokenise,
)

__all__ = [
    "END",
    "END_ID",
    "PAD",
    "PAD_ID",
    "SPECIAL_TOKENS",
    "START",
    "START_ID",
    "UNKNOWN",
    "UNKNOWN_ID",
    "Tokeniser",
    "Vocabulary",
    "join",
    "tokenise",
]
