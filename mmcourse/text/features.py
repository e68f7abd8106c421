"""Lists of tokens as arrays: rows of ids, bags of words and TF-IDF.

The weights are those of scikit-learn's ``TfidfVectorizer`` with its defaults.
"""

import itertools
from collections.abc import Hashable, Iterable, Mapping, Sequence

import numpy as np

Tokens = Sequence[Hashable]


def number_tokens(documents: Iterable[Tokens]) -> dict[Hashable, int]:
    """Each different token and its column, in sorted order. Give it training documents only."""
    different = set(itertools.chain.from_iterable(documents))
    return {token: i for i, token in enumerate(sorted(different))}


def encode_tokens(documents: Sequence[Tokens], columns: Mapping[Hashable, int], length: int) -> np.ndarray:
    """The tokens of each document as ids: 0 is padding, 1 an unknown token, and the rest the column plus 2.

    Args:
        columns: token -> column, from :func:`number_tokens`.
        length: tokens a row; longer documents are cut.

    Returns:
        ``int32`` ``(documents, length)``.

    Raises:
        ValueError: ``length`` is below 1.
    """
    if length < 1:
        raise ValueError(f"length must be 1 or more, got {length}")
    ids = np.zeros((len(documents), length), dtype=np.int32)
    cut = [tokens if len(tokens) <= length else tokens[:length] for tokens in documents]
    lengths = np.array([len(tokens) for tokens in cut], dtype=int)
    real = np.arange(length) < lengths[:, None]  # (documents, length)
    # All rows at once: an assignment a row would take longer than looking the tokens up.
    found = map(columns.get, itertools.chain.from_iterable(cut), itertools.repeat(-1))
    ids[real] = np.fromiter(found, dtype=np.int32, count=lengths.sum()) + 2
    return ids


def count_tokens(documents: Sequence[Tokens], columns: Mapping[Hashable, int]):
    """How often each token stands in each document.

    Args:
        columns: token -> column, from :func:`number_tokens`; other tokens are not counted.

    Returns:
        ``scipy.sparse.csr_array`` of ``float64``, ``(documents, tokens)``.
    """
    import scipy.sparse

    rows, found = [], []
    for row, tokens in enumerate(documents):
        known = [columns[token] for token in tokens if token in columns]
        rows += [row] * len(known)
        found += known
    # 32 bits: scikit-learn takes no larger indices.
    entries = np.ones(len(rows)), (np.array(rows, dtype=np.int32), np.array(found, dtype=np.int32))
    return scipy.sparse.csr_array(entries, shape=(len(documents), len(columns)))


def inverse_document_frequency(counts) -> np.ndarray:
    """``ln((1 + documents) / (1 + documents with the token)) + 1`` for each token: ``float64`` ``(tokens,)``.

    Args:
        counts: ``(documents, tokens)``, those of the training documents.
    """
    documents = counts.shape[0]
    with_token = np.asarray((counts > 0).sum(axis=0)).ravel()
    return np.log((1 + documents) / (1 + with_token)) + 1


def tf_idf(counts, idf: np.ndarray):
    """Counts times inverse document frequency, every row scaled to the length 1; a row of zeros stays.

    Args:
        counts: ``(documents, tokens)``, sparse as from :func:`count_tokens`, or an array.
        idf: ``(tokens,)``.

    Returns:
        ``scipy.sparse.csr_array`` ``(documents, tokens)``.

    Raises:
        ValueError: as many weights as tokens are needed.
    """
    import scipy.sparse

    if counts.shape[1] != len(idf):
        raise ValueError(f"expected one weight for each of {counts.shape[1]} tokens, got {len(idf)}")
    weighted = scipy.sparse.csr_array(counts, dtype=np.float64, copy=True)
    weighted.data *= idf[weighted.indices]
    lengths = np.sqrt(weighted.power(2).sum(axis=1))
    lengths[lengths == 0] = 1
    weighted.data /= np.repeat(lengths, np.diff(weighted.indptr))
    return weighted
