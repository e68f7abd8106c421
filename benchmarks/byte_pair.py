"""Encoding English and Chinese texts with 2,000 known merges: ours, the plain way, the library in Rust."""

import itertools

import compare

from mmcourse.data import chinese_reviews, film_reviews
from mmcourse.text import byte_pair
from mmcourse.text.byte_pair import BytePairEncoding

MERGES, TRAINING = 2000, 2000


def _work() -> tuple[BytePairEncoding, list[str]]:
    """The encoding, and texts that it was not trained on: 2,000 of each language."""
    films, reviews = film_reviews.load().texts, chinese_reviews.load().texts
    encoding = BytePairEncoding.train(films[:TRAINING] + reviews[:TRAINING], MERGES)
    return encoding, [*films[-2000:], *reviews[-2000:]]


def encode_plainly(text: str, encoding: BytePairEncoding, ranks: dict) -> list[int]:
    """Look for the first merge among all pairs, join its places, and look again; nothing is kept."""
    found = []
    for piece in byte_pair.split_pieces(text):
        ids = [byte_pair.FIRST_MERGED - byte_pair.BYTES + byte for byte in piece.encode("utf-8")]
        while True:
            known = [pair for pair in itertools.pairwise(ids) if pair in ranks]
            if not known:
                break
            first, joined = min(known, key=ranks.get), []
            for token_id in ids:
                if joined and (joined[-1], token_id) == first:
                    joined[-1] = byte_pair.FIRST_MERGED + ranks[first]
                else:
                    joined.append(token_id)
            ids = joined
        found += ids
    return found


def with_ours(measure: compare.Measurement) -> dict:
    """The course's way."""
    encoding, texts = _work()
    with measure(len(texts)):
        ids = [encoding.ids_of(text) for text in texts]
    return {"ids": sum(map(len, ids))}


def with_plain(measure: compare.Measurement) -> dict:
    """The way of the textbook, and then a check that both give the same."""
    encoding, texts = _work()
    ranks = {pair: rank for rank, pair in enumerate(encoding.merges)}
    with measure(len(texts)):
        ids = [encode_plainly(text, encoding, ranks) for text in texts]
    assert ids == [encoding.ids_of(text) for text in texts]
    return {"ids": sum(map(len, ids))}


def with_library(measure: compare.Measurement) -> dict:
    """The library, all texts in one call, so that it can use all threads; and a check."""
    encoding, texts = _work()
    library = encoding.to_library()
    with measure(len(texts)):
        ids = [found.ids for found in library.encode_batch(texts, add_special_tokens=False)]
    assert ids == [encoding.ids_of(text) for text in texts]
    return {"ids": sum(map(len, ids))}


if __name__ == "__main__":
    compare.main(
        {"mmcourse": with_ours, "tokenizers": with_library, "plain Python": with_plain},
        peer="plain Python",
        unit="texts",
        packages=("tokenizers",),
    )
