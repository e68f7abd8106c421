"""Parts of speech (notebook 21) by libraries without a download: TextBlob for English, jieba for Chinese."""

import functools
import warnings
from collections.abc import Sequence

from mmcourse.text.segmentation import segmenter


def english_tags(words: Sequence[str]) -> list[str]:
    """The Penn treebank's tag of each word or punctuation mark (NN noun, VB verb, JJ adjective …).

    The tagger looks words up and applies a few rules; it makes mistakes wherever the sentence decides.

    Args:
        words: words and punctuation marks, none of them empty or with white space inside.

    Raises:
        ValueError: a word is empty or holds white space.
    """
    for word in words:
        if word.split() != [word]:
            raise ValueError(f"expected words without white space, got {word!r}")
    if not words:
        return []
    # tokenize=False: the words are cut already, and the library must not cut them once more.
    return [tag for _, tag in _tagger().tag(" ".join(words), tokenize=False)]


def chinese_tags(text: str) -> list[tuple[str, str]]:
    """The words that jieba finds and their tags (n noun, v verb, a adjective, r pronoun, x punctuation …)."""
    return [(pair.word, pair.flag) for pair in _chinese_tagger().lcut(text)]


@functools.cache
def _tagger():
    from textblob.en.taggers import PatternTagger

    return PatternTagger()


@functools.cache
def _chinese_tagger():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its escape sequences are those of an older Python
        import jieba.posseg

    return jieba.posseg.POSTokenizer(segmenter())
