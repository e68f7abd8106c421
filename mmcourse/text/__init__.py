"""Text: from a string of characters to token ids and features.

:mod:`~mmcourse.text.vocabulary` is what the generator writes with.
"""

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
    "Vocabulary",
    "join",
    "tokenise",
]
