"""A text as sentences of numbered words: what word vectors are trained on (notebook 31)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from mmcourse.checks import check_count


@dataclass(frozen=True)
class Corpus:
    """Sentences as numbers.

    Attributes:
        words: the different words.
        token_ids: ``int32`` ``(tokens,)``: for each token of the text the row of its word in ``words``.
        starts: ``int64`` ``(sentences + 1,)``: sentence s is ``token_ids[starts[s]:starts[s + 1]]``.
    """

    words: tuple[str, ...]
    token_ids: np.ndarray
    starts: np.ndarray

    @classmethod
    def of(cls, sentences) -> "Corpus":
        """Number the words of sentences, in the order in which they first appear.

        Args:
            sentences: an iterable of sentences, each an iterable of words; or one sentence: an iterable of
                words; or a corpus, which is returned as it is.

        Raises:
            ValueError: there is no word, or something is neither a word nor a sentence of words.
        """
        if isinstance(sentences, Corpus):
            return sentences
        numbers: dict[str, int] = {}
        token_ids: list[int] = []
        starts = [0]
        if isinstance(sentences, str):
            raise ValueError("tokens must be a list of words or of sentences, got one text: split it first")
        sentences = list(sentences)
        if sentences and all(isinstance(word, str) for word in sentences):
            sentences = [sentences]
        for sentence in sentences:
            if isinstance(sentence, str) or not isinstance(sentence, Iterable):
                raise ValueError(
                    "tokens must be a list of words or a list of sentences (each a list of words); got "
                    f"{sentence!r:.60} in a list of sentences"
                )
            sentence = list(sentence)
            wrong = next((word for word in sentence if not isinstance(word, str)), None)
            if wrong is not None:
                raise ValueError(
                    f"tokens must be words (str), got {wrong!r:.60} of type {type(wrong).__name__}"
                )
            token_ids += [numbers.setdefault(word, len(numbers)) for word in sentence]
            starts.append(len(token_ids))
        if not token_ids:
            raise ValueError("tokens holds no word; expected at least one sentence")
        return cls(tuple(numbers), np.array(token_ids, dtype=np.int32), np.array(starts, dtype=np.int64))

    def __len__(self) -> int:
        return len(self.starts) - 1

    def sentence(self, number: int) -> list[str]:
        """The words of one sentence.

        Raises:
            ValueError: there is no such sentence.
        """
        if not 0 <= number < len(self):
            raise ValueError(f"number must be 0 to {len(self) - 1} (the sentences), got {number}")
        return [self.words[i] for i in self.token_ids[self.starts[number] : self.starts[number + 1]]]

    def sentences(self) -> Iterator[list[str]]:
        """All sentences, each a list of words."""
        return map(self.sentence, range(len(self)))

    def first(self, tokens: int) -> "Corpus":
        """The corpus of the first whole sentences that hold at most that many tokens, at least one."""
        last = max(1, int(np.searchsorted(self.starts, tokens, side="right")) - 1)
        return Corpus(self.words, self.token_ids[: self.starts[last]], self.starts[: last + 1])

    def frequent(self, min_count: int) -> "Corpus":
        """The corpus without its rare words, and the other words numbered by frequency, most frequent first.

        Args:
            min_count: how often a word must occur to stay.

        Raises:
            ValueError: fewer than two words occur that often.
        """
        check_count("min_count", min_count)
        counts = self.counts()
        order = np.argsort(-counts, kind="stable")
        order = order[counts[order] >= min_count]
        if len(order) < 2:
            raise ValueError(
                f"tokens holds {len(order)} word(s) that occur min_count = {min_count} times; "
                "expected 2 at least"
            )
        numbers = np.full(len(counts), -1, dtype=np.int32)
        numbers[order] = np.arange(len(order), dtype=np.int32)
        token_ids = numbers[self.token_ids]
        starts = np.concatenate([[0], np.cumsum(token_ids >= 0)])[self.starts]
        return Corpus(tuple(self.words[i] for i in order), token_ids[token_ids >= 0], starts)

    def counts(self) -> np.ndarray:
        """How often each word occurs, ``int64`` ``(words,)``."""
        return np.bincount(self.token_ids, minlength=len(self.words))

    def sentence_ids(self) -> np.ndarray:
        """The number of the sentence that each token belongs to, ``int64`` ``(tokens,)``."""
        return np.repeat(np.arange(len(self)), np.diff(self.starts))
