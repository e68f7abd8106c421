"""Chinese reviews of books, hotels and goods, each once (notebook 31).

See ``book/datasheets/word-vectors.md``.
"""

import functools
import re
from dataclasses import dataclass

from mmcourse.data import archives
from mmcourse.text.corpus import Corpus

# A piece is a Chinese character, or a word or number in another script. Punctuation is left out.
PIECE = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]|[^\W\d_\u3400-\u4dbf\u4e00-\u9fff]+")


@dataclass(frozen=True)
class ChineseReviews:
    """Reviews, each of them once.

    Attributes:
        texts: the reviews, in the order of the files.
        positive: for each, whether it stands among the positive ones.
        tier: always "course": the data that travels in pinned archives.
        datasheet: the page of the book that describes the set.
    """

    texts: tuple[str, ...]
    positive: tuple[bool, ...]
    tier: str = "course"
    datasheet: str = "book/datasheets/word-vectors"

    def corpus(self) -> Corpus:
        """The reviews as sentences whose tokens are single characters."""
        return Corpus.of(filter(None, map(split_characters, self.texts)))


def split_characters(text: str) -> list[str]:
    """The Chinese characters of a text, and its words in other scripts in lower case.

    >>> split_characters("我的 iPad 坏了!")
    ['我', '的', 'ipad', '坏', '了']
    """
    return PIECE.findall(text.lower())


@functools.cache
def load() -> ChineseReviews:
    """Read the reviews. Repetitions are left out, and those that stand in both classes altogether.

    Raises:
        mmcourse.data.archives.FetchError: the archive is missing and cannot be fetched.
    """
    classes = {}
    for kind in ("neg", "pos"):
        ((_, content),) = archives.read_members("chinese-reviews", f"*/{kind}.txt")
        lines = (line.strip() for line in content.decode("utf-8").splitlines())
        classes[kind] = dict.fromkeys(line for line in lines if line)
    both = classes["neg"].keys() & classes["pos"].keys()
    found = [(text, kind == "pos") for kind, texts in classes.items() for text in texts if text not in both]
    texts, praise = zip(*found, strict=True)
    return ChineseReviews(texts, praise)


def statistics() -> dict[str, int | float]:
    """Figures of the set for its datasheet: label -> number, computed from the archive."""
    reviews = load()
    corpus = reviews.corpus()
    return {
        "Chinese reviews": len(reviews.texts),
        "Chinese reviews: positive": sum(reviews.positive),
        "Chinese reviews: characters and words": len(corpus.token_ids),
        "Chinese reviews: different ones": len(corpus.words),
        "Chinese reviews: occurrences of 猫": int((corpus.token_ids == corpus.words.index("猫")).sum()),
    }
