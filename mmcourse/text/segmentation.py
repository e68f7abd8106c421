"""Words in a script without spaces (notebook 21): Chinese by the longest match, and by the library jieba."""

import functools
import logging
import warnings
from collections.abc import Collection


def longest_match(text: str, words: Collection[str], longest: int = 8) -> list[str]:
    """Cut a text into words from left to right, always taking the longest word that fits.

    Args:
        text: a text without spaces.
        words: the known words; a character that begins none of them becomes a word of its own.
        longest: characters of the longest word that is tried.

    Raises:
        ValueError: ``longest`` is below 1.
    """
    if longest < 1:
        raise ValueError(f"longest must be 1 or more, got {longest}")
    found, start = [], 0
    while start < len(text):
        for length in range(min(longest, len(text) - start), 0, -1):
            if length == 1 or text[start : start + length] in words:
                found.append(text[start : start + length])
                start += length
                break
    return found


def chinese_words(text: str) -> list[str]:
    """The words that jieba finds, punctuation and spaces included: joining them gives back the text."""
    return segmenter().lcut(text)


@functools.cache
def chinese_dictionary() -> frozenset[str]:
    """The words of jieba's dictionary."""
    return frozenset(word for word, count in segmenter().FREQ.items() if count > 0)


@functools.cache
def segmenter():
    """A ``jieba.Tokenizer``.

    Its dictionary is read here, in about a second. By itself jieba would keep it in the system's temporary
    folder, in a file that it trusts whoever wrote it, and would report on that to the reader.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its escape sequences are those of an older Python
        import jieba
    jieba.setLogLevel(logging.WARNING)
    tokenizer = jieba.Tokenizer()
    tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(tokenizer.get_dict_file())
    tokenizer.initialized = True
    return tokenizer
