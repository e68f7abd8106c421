"""Text as token ids: one token a word, or a character in scripts that write no spaces.

Later chapters replace this by byte-pair encoding; this is the smallest scheme that can write names in
fourteen languages.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence

import numpy as np

PAD, START, END, UNKNOWN = "<pad>", "<start>", "<end>", "<unknown>"
SPECIAL_TOKENS = (PAD, START, END, UNKNOWN)

# Han, Hiragana, Katakana and full-width forms: written without spaces, so a token is one character.
_UNSPACED = "\u2e80-\u2fff\u3001-\u312f\u31a0-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"
_TOKEN = re.compile(rf"[{_UNSPACED}]|[^\s{_UNSPACED}]+")
_IS_UNSPACED = re.compile(rf"[{_UNSPACED}]")


def tokenise(text: str) -> list[str]:
    """Split a text into tokens: words between spaces, single characters of unspaced scripts.

    The text is brought to Unicode normal form C first, so that one letter is always one code point.
    """
    return _TOKEN.findall(unicodedata.normalize("NFC", text))


def join(tokens: Iterable[str]) -> str:
    """Write tokens as a text: a space between two tokens unless one of them is of an unspaced script."""
    text = ""
    for token in tokens:
        if text and not _IS_UNSPACED.match(token) and not _IS_UNSPACED.match(text[-1]):
            text += " "
        text += token
    return text


class Vocabulary:
    """Tokens and their ids. Ids 0–3 are padding, start, end and unknown.

    Args:
        tokens: the ordinary tokens in the order of their ids.

    Raises:
        ValueError: a token is there twice or is one of the special ones.
    """

    def __init__(self, tokens: Sequence[str]):
        self.tokens = (*SPECIAL_TOKENS, *tokens)
        self.ids = {token: i for i, token in enumerate(self.tokens)}
        if len(self.ids) != len(self.tokens):
            raise ValueError("a vocabulary needs different tokens, none of them special")

    @classmethod
    def from_texts(cls, texts: Iterable[str]) -> "Vocabulary":
        """Collect the tokens of all texts, sorted, so that the ids do not depend on the texts' order."""
        return cls(sorted({token for text in texts for token in tokenise(text)}))

    def __len__(self) -> int:
        return len(self.tokens)

    def _id(self, token: str) -> int:
        """The id of a token of a text; special tokens are no part of a text, so they are unknown there."""
        return self.ids[UNKNOWN] if token in SPECIAL_TOKENS else self.ids.get(token, self.ids[UNKNOWN])

    def unknown_tokens(self, text: str) -> list[str]:
        """The tokens of a text that are not in the vocabulary, in order."""
        return [token for token in tokenise(text) if self._id(token) == self.ids[UNKNOWN]]

    def encode(self, texts: Sequence[str], length: int, end: bool = False) -> np.ndarray:
        """Token ids of texts: ``int32`` ``(texts, length)``, padded with 0 at the end.

        Args:
            end: whether to close each text with the end token (it counts towards ``length``).

        Raises:
            ValueError: a text has more tokens than ``length``; the message quotes it.
        """
        ids = np.zeros((len(texts), length), dtype=np.int32)
        for row, text in enumerate(texts):
            found = [self._id(token) for token in tokenise(text)]
            if end:
                found.append(self.ids[END])
            if len(found) > length:
                raise ValueError(
                    f"{text[:60]!r}{'...' if len(text) > 60 else ''} has {len(found)} tokens"
                    f"{' with its end token' if end else ''}; at most {length} fit"
                )
            ids[row, : len(found)] = found
        return ids

    def decode(self, token_ids: np.ndarray) -> list[str]:
        """Texts of token ids ``(texts, length)``; each ends before its first end or padding token."""
        texts = []
        for row in np.asarray(token_ids):
            tokens = []
            for token_id in row:
                token = self.tokens[token_id]
                if token in (END, PAD):
                    break
                tokens.append(token)
            texts.append(join(tokens))
        return texts
