"""Texts as rows of token ids and back, and the simplest tokens: words (notebook 22).

Every tokeniser of the course keeps one convention, that of :class:`Tokeniser`: ids 0 to 3 are padding, start,
end and unknown; a row is padded at its end; no text can write a special token.
"""

import abc
import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import numpy as np

PAD, START, END, UNKNOWN = SPECIAL_TOKENS = ("<pad>", "<start>", "<end>", "<unknown>")
PAD_ID, START_ID, END_ID, UNKNOWN_ID = range(len(SPECIAL_TOKENS))

# Han, Hiragana, Katakana and full-width forms: written without spaces, so a token is one character.
_UNSPACED = "\u2e80-\u2fff\u3001-\u312f\u31a0-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"
_TOKEN = re.compile(rf"[{_UNSPACED}]|[^\s{_UNSPACED}]+")
_IS_UNSPACED = re.compile(rf"[{_UNSPACED}]")


def tokenise(text: str) -> list[str]:
    """Split a text into words between spaces, and single characters of scripts that write no spaces.

    The text is brought to Unicode normal form C first, so that one letter is always one code point.
    """
    if text.isascii():  # the same result, faster
        return text.split()
    return _TOKEN.findall(unicodedata.normalize("NFC", text))


def join(tokens: Iterable[str]) -> str:
    """Write tokens as a text: a space between two tokens unless one of them is of an unspaced script."""
    text = ""
    for token in tokens:
        if text and not _IS_UNSPACED.match(token) and not _IS_UNSPACED.match(text[-1]):
            text += " "
        text += token
    return text


class Tokeniser(abc.ABC):
    """Texts to rows of token ids and back; a kind of token gives ``ids_of`` and ``text_of``.

    Args:
        tokens: the ordinary tokens in the order of their ids, from 4 on.

    Raises:
        ValueError: a token is there twice or is one of the special ones.
    """

    def __init__(self, tokens: Iterable):
        self.tokens = (*SPECIAL_TOKENS, *tokens)
        self.ids = dict(zip(self.tokens, range(len(self.tokens)), strict=True))
        if len(self.ids) != len(self.tokens):
            raise ValueError("a vocabulary needs different tokens, none of them special")

    def __len__(self) -> int:
        return len(self.tokens)

    @abc.abstractmethod
    def ids_of(self, text: str) -> list[int]:
        """The token ids of one text, of any length; none of them is padding, start or end."""

    @abc.abstractmethod
    def text_of(self, token_ids: Iterable[int]) -> str:
        """The text of token ids; an unknown token is written as ``<unknown>``."""

    def encode(
        self,
        texts: Sequence[str],
        length: int,
        *,
        start: bool = False,
        end: bool = False,
        cut: bool = False,
    ) -> np.ndarray:
        """Token ids of texts: ``int32`` ``(texts, length)``, padded with 0 at the end.

        The mask of what is to be read is ``ids != 0``.

        Args:
            start, end: whether a row begins with the start token and closes with the end token.
            cut: whether to cut a text that is too long. It loses its end token, because it has not ended.

        Raises:
            ValueError: a text is too long and ``cut`` is False; the message quotes it.
        """
        words, lengths = self._ids_of_all(texts)
        whole = lengths + start + end
        too_long = whole > length
        if too_long.any() and not cut:
            row = int(np.argmax(too_long))
            special = " and ".join(["its start"] * start + ["its end"] * end)
            raise ValueError(
                f"{texts[row][:60]!r}{'...' if len(texts[row]) > 60 else ''} has {whole[row]} tokens"
                f"{f' with {special} token' if special else ''}; at most {length} fit. Choose a larger "
                "length, or cut=True"
            )
        ids = np.zeros((len(texts), length), dtype=np.int32)
        kept = np.clip(length - start, 0, lengths)
        if (kept < lengths).any():
            first = np.repeat(np.cumsum(lengths) - lengths, lengths)
            words = words[np.arange(len(words)) - first < np.repeat(kept, lengths)]
        # All rows in one assignment: one for each row would take longer than looking the tokens up.
        column = np.arange(length)
        ids[(column >= start) & (column < start + kept[:, None])] = words
        if start:
            ids[:, :1] = START_ID
        if end:
            ended = np.flatnonzero(~too_long)
            ids[ended, whole[ended] - 1] = END_ID
        return ids

    def _ids_of_all(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """The token ids of all texts in one row, ``int32``, and how many each text has."""
        rows = [self.ids_of(text) for text in texts]
        lengths = np.fromiter(map(len, rows), dtype=np.int64, count=len(rows))
        every = itertools.chain.from_iterable(rows)
        return np.fromiter(every, dtype=np.int32, count=lengths.sum()), lengths

    def decode(self, token_ids: np.ndarray) -> list[str]:
        """Texts of token ids ``(texts, length)``, each up to its first end or padding token.

        The start token is left out.

        Raises:
            ValueError: an id is not in the vocabulary.
        """
        token_ids = np.asarray(token_ids)
        wrong = token_ids[(token_ids < 0) | (token_ids >= len(self))]
        if wrong.size:
            raise ValueError(f"token id {wrong[0]} is not in the vocabulary of 0 to {len(self) - 1}")
        texts = []
        for row in token_ids.tolist():
            real = itertools.takewhile(lambda i: i not in (PAD_ID, END_ID), row)
            texts.append(self.text_of(i for i in real if i != START_ID))
        return texts


class _Known(dict):
    """Words to ids; every other word has the id of the unknown token."""

    def __missing__(self, word: str) -> int:
        return UNKNOWN_ID


class Vocabulary(Tokeniser):
    """Words and their ids. A word that is not in the vocabulary gets the id of the unknown token.

    Args:
        tokens: the words in the order of their ids, from 4 on.
        split: how a text is cut into words.

    Raises:
        ValueError: a token is there twice or is one of the special ones.
    """

    def __init__(self, tokens: Iterable[str], split: Callable[[str], list[str]] = tokenise):
        super().__init__(tokens)
        self.split = split
        # A text that says "<end>" does not end: special tokens are no words.
        self._known = _Known(self.ids)
        for token in SPECIAL_TOKENS:
            del self._known[token]

    @classmethod
    def from_texts(
        cls, texts: Iterable[str], least: int = 1, split: Callable[[str], list[str]] = tokenise
    ) -> "Vocabulary":
        """Collect the words of training texts, sorted, so that the ids do not depend on the texts' order.

        Args:
            least: how often a word must occur to be kept.
        """
        counts = Counter(itertools.chain.from_iterable(map(split, texts)))
        for token in SPECIAL_TOKENS:
            counts.pop(token, None)
        often = counts if least <= 1 else [word for word, count in counts.items() if count >= least]
        return cls(sorted(often), split)

    def ids_of(self, text: str) -> list[int]:
        """The ids of the words of a text."""
        return list(map(self._known.__getitem__, self.split(text)))  # a third faster than a loop

    def _ids_of_all(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        words = list(map(self.split, texts))
        lengths = np.fromiter(map(len, words), dtype=np.int64, count=len(words))
        every = map(self._known.__getitem__, itertools.chain.from_iterable(words))
        return np.fromiter(every, dtype=np.int32, count=lengths.sum()), lengths  # without a list a text

    def text_of(self, token_ids: Iterable[int]) -> str:
        """The words of token ids, joined."""
        return join(self.tokens[i] for i in token_ids)

    def unknown_tokens(self, text: str) -> list[str]:
        """The words of a text that are not in the vocabulary, in order."""
        return [word for word in self.split(text) if word not in self._known]
