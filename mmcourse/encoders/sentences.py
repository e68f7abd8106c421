"""Vectors of sentences: MiniLM, a small Transformer, and the mean of GloVe's vectors.

MiniLM (Wang et al., 2020) was trained to give sentences of like meaning like vectors, in the manner of
Reimers and Gurevych (2019), "Sentence-BERT". It runs here through onnxruntime: a model need not be written in
the framework that reads its features.
"""

import functools
import os
from collections.abc import Sequence

import numpy as np

from mmcourse.data import glove, pretrained
from mmcourse.data.film_reviews import words

MOST_TOKENS = 256  # what the sentence encoder was made for; longer texts are cut
BATCH = 32
GLOVE_WORDS = 100_000  # the most frequent ones; the rest of the 400,000 hardly occurs in reviews


def mean_over_mask(tokens: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The mean of the real tokens of each row, scaled to length 1.

    Args:
        tokens: ``(batch, tokens, width)``.
        mask: ``(batch, tokens)``, true for real tokens. What stands at the others plays no part.

    Returns:
        ``(batch, width)``; zeros for a row without a real token.

    Raises:
        ValueError: the shapes do not fit together.
    """
    tokens, mask = np.asarray(tokens), np.asarray(mask, dtype=bool)
    if tokens.ndim != 3 or mask.shape != tokens.shape[:2]:
        raise ValueError(
            f"expected tokens (batch, tokens, width) and a mask (batch, tokens), got {tokens.shape} and "
            f"{mask.shape}"
        )
    sums = np.where(mask[..., None], tokens, 0).sum(axis=1)  # (batch, width)
    means = sums / np.maximum(mask.sum(axis=1, keepdims=True), 1)
    return means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)


class SentenceEncoder:
    """The sentence encoder all-MiniLM-L6-v2 with weights of eight bits: 384 numbers a token or a text.

    Args:
        threads: processor threads; by default ``$OMP_NUM_THREADS``, or as many as there are cores.

    Raises:
        mmcourse.data.archives.FetchError: an archive is missing and cannot be fetched.
    """

    def __init__(self, threads: int | None = None):
        import onnxruntime
        from tokenizers import Tokenizer

        files = pretrained.minilm()
        self.tokenizer = Tokenizer.from_str(files.tokenizer)
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(MOST_TOKENS)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = int(threads or os.environ.get("OMP_NUM_THREADS") or 0)
        options.log_severity_level = 3
        # A thread that waits sleeps: on a machine with other work, spinning wastes more than it gains.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.session = onnxruntime.InferenceSession(files.onnx, options, ["CPUExecutionProvider"])

    def tokenise(self, texts: Sequence[str]) -> tuple[list[list[str]], np.ndarray, np.ndarray]:
        """Word pieces, their numbers and the mask.

        Returns:
            The pieces of each text, the special tokens ``[CLS]`` and ``[SEP]`` included; their numbers,
            ``int64`` ``(texts, tokens)``, with 0 behind a shorter text; true where there is a token.

        Raises:
            ValueError: there is no text, or ``texts`` is a single one.
        """
        if isinstance(texts, str) or len(texts) == 0:
            raise ValueError(f"texts must be a sequence of at least one text, got {texts!r}")
        encoded = self.tokenizer.encode_batch(list(texts))
        longest = max(len(row.ids) for row in encoded)
        token_ids = np.zeros((len(encoded), longest), np.int64)
        mask = np.zeros((len(encoded), longest), bool)
        for place, row in enumerate(encoded):
            token_ids[place, : len(row.ids)] = row.ids
            mask[place, : len(row.ids)] = True
        return [row.tokens for row in encoded], token_ids, mask

    def tokens(self, token_ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """One vector a token, in its context: ``(texts, tokens)`` twice to ``(texts, tokens, 384)``."""
        inputs = {"input_ids": token_ids, "attention_mask": mask.astype(np.int64)}
        (hidden_state,) = self.session.run(None, {**inputs, "token_type_ids": np.zeros_like(token_ids)})
        return hidden_state

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """One vector of length 1 a text: the mean of its tokens' vectors, ``float32`` ``(texts, 384)``.

        Texts of like length are read together, so that little is computed for padding. A text of more than
        256 tokens is cut.

        Raises:
            ValueError: as :meth:`tokenise`.
        """
        _, token_ids, mask = self.tokenise(texts)
        lengths = mask.sum(axis=1)
        vectors = np.zeros((len(texts), 384), np.float32)
        order = np.argsort(lengths, kind="stable")
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            longest = lengths[rows[-1]]
            part = mask[rows, :longest]
            vectors[rows] = mean_over_mask(self.tokens(token_ids[rows, :longest], part), part)
        return vectors


@functools.cache
def _glove_rows() -> dict[str, int]:
    return {word: row for row, word in enumerate(glove.load(GLOVE_WORDS).words)}


def glove_tokens(text: str) -> tuple[list[str], np.ndarray]:
    """The words of a text that GloVe knows, and their vectors ``(words, 50)``: the same in every text."""
    places = _glove_rows()
    known = [word for word in words(text) if word in places]
    rows = [places[word] for word in known]
    return known, glove.load(GLOVE_WORDS).vectors[rows]


def glove_mean(texts: Sequence[str]) -> np.ndarray:
    """The mean of the vectors of a text's known words: ``(texts, 50)``; zeros where no word is known."""
    vectors = np.zeros((len(texts), glove.load(GLOVE_WORDS).vectors.shape[1]), np.float32)
    for place, text in enumerate(texts):
        _, of_words = glove_tokens(text)
        if len(of_words):
            vectors[place] = of_words.mean(axis=0)
    return vectors
