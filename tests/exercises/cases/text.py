"""Right and wrong answers to the exercises of "Text"."""

import itertools
from collections import Counter


def byte_count(text, *, limits=(0x80, 0x800, 0x10000)):
    """Bytes by the number of a character; each limit that it reaches costs one more."""
    return sum(1 + sum(ord(c) >= limit for limit in limits) for c in text)


def from_right(text, words, *, reverse=True, shortest=False):
    """Longest match from the right with the faults that the arguments ask for."""
    found = []
    while text:
        starts = range(len(text))
        if shortest:
            starts = reversed(starts)
        start = next((i for i in starts if text[i:] in words), len(text) - 1)
        found.append(text[start:])
        text = text[:start]
    return found[::-1] if reverse else found


def from_left(text, words):
    found = []
    while text:
        length = next((n for n in range(len(text), 1, -1) if text[:n] in words), 1)
        found.append(text[:length])
        text = text[length:]
    return found


def next_pair(pieces, *, weigh=True, largest=False, across=False):
    """The next merge with the faults that the arguments ask for."""
    counts = Counter()
    for ids, how_often in pieces.items():
        pairs = list(itertools.pairwise(ids))
        for pair in set(pairs) if across else pairs:
            counts[pair] += how_often if weigh else 1
    sign = -1 if largest else 1
    return min(counts, key=lambda pair: (-counts[pair], sign * pair[0], sign * pair[1]))


def from_right_up_to(text, words, longest):
    """Longest match from the right that looks at words of up to ``longest`` characters only."""
    found = []
    while text:
        lengths = range(min(longest, len(text)), 0, -1)
        length = next(n for n in lengths if n == 1 or text[-n:] in words)
        found.insert(0, text[-length:])
        text = text[:-length]
    return found


def next_pair_by(pieces, rank):
    """The most frequent pair, with the rule for ties that the argument asks for."""
    counts = count_all(pieces)
    return min(counts, key=lambda pair: (-counts[pair], rank(pair)))


def tag(words, tagged, *, default=None, ties=min, last=False):
    """A tagger with the faults that the arguments ask for."""

    def best(tags):
        counts = Counter(tags)
        return ties(tag for tag, count in counts.items() if count == max(counts.values()))

    tags = {}
    for sentence in tagged:
        for word, one in sentence:
            tags.setdefault(word, []).append(one)
    every = [one for of_word in tags.values() for one in of_word]
    default = default or best(every)
    return [(tags[word][-1] if last else best(tags[word])) if word in tags else default for word in words]


def tag_by_default_of(words, tagged, choose):
    """A right tagger but for unknown words: they get what ``choose`` makes of all (word, tag)."""
    return tag(words, tagged, default=choose([pair for sentence in tagged for pair in sentence]))


def most_frequent_of_words(pairs):
    """The tag that most *words* have, each counted once."""
    words = list(dict.fromkeys(word for word, _ in pairs))
    return Counter(tag(words, [pairs])).most_common(1)[0][0]


def mark(
    tokens,
    *,
    marks=".,;:!?",
    negations=("not", "no", "never"),
    ending="n't",
    shortened=True,
    nested=False,
    once=False,
    never_ends=False,
):
    """Marking of negations with the faults that the arguments ask for."""
    marked, negated = [], False
    for token in tokens:
        negation = token in negations or (shortened and token.endswith(ending))
        if token in set(marks):
            negated = negated and never_ends
            marked.append(token)
        elif negation and not (nested and negated):
            negated = True
            marked.append(token)
        else:
            marked.append(f"not_{token}" if negated else token)
            negated = negated and not once
    return marked


RIGHT = {
    "text-bytes": {
        "by limits": byte_count,
        "by encoding": lambda text: len(text.encode("utf-8")),
    },
    "text-backward": {
        "from the right": from_right,
        "a tuple": lambda text, words: tuple(from_right(text, words)),
    },
    "text-pair": {
        "counted": next_pair,
        "sorted": lambda pieces: sorted(
            ((-count, pair) for pair, count in count_all(pieces).items()),
        )[0][1],
    },
    "text-tagger": {
        "counted": tag,
        "a tuple": lambda words, tagged: tuple(tag(words, tagged)),
    },
    "text-negation": {
        "a loop": mark,
        "a tuple": lambda tokens: tuple(mark(tokens)),
    },
}


def count_all(pieces):
    counts = Counter()
    for ids, how_often in pieces.items():
        for place in range(len(ids) - 1):
            counts[ids[place], ids[place + 1]] += how_often
    return counts


WRONG = {
    "text-bytes": {
        "characters": len,
        "two or one": lambda text: byte_count(text, limits=(0x80,)),
        "no four": lambda text: byte_count(text, limits=(0x80, 0x800)),
        "latin": lambda text: byte_count(text, limits=(0x100, 0x800, 0x10000)),
        "limits one too high": lambda text: byte_count(text, limits=(0x81, 0x801, 0x10001)),
        "utf-16": lambda text: len(text.encode("utf-16-le")),
        "the bytes": lambda text: text.encode("utf-8"),
        "two from 127 on": lambda text: byte_count(text, limits=(0x7F, 0x800, 0x10000)),
        "two from 129 on": lambda text: byte_count(text, limits=(0x81, 0x800, 0x10000)),
        "four from 65537 on": lambda text: byte_count(text, limits=(0x80, 0x800, 0x10001)),
        "a fifth byte": lambda text: byte_count(text, limits=(0x80, 0x800, 0x10000, 0x100000)),
    },
    "text-backward": {
        "from the left": from_left,
        "not in reading order": lambda text, words: from_right(text, words, reverse=False),
        "the shortest": lambda text, words: from_right(text, words, shortest=True),
        "characters": lambda text, words: list(text),
        "a string": lambda text, words: " ".join(from_right(text, words)),
        "words of up to four characters": lambda text, words: from_right_up_to(text, words, 4),
        "words of up to eight characters": lambda text, words: from_right_up_to(text, words, 8),
    },
    "text-pair": {
        "pieces not weighed": lambda pieces: next_pair(pieces, weigh=False),
        "the largest of equals": lambda pieces: next_pair(pieces, largest=True),
        "once a piece": lambda pieces: next_pair(pieces, across=True),
        "the first that is found": lambda pieces: count_all(pieces).most_common(1)[0][0],
        "with its count": lambda pieces: count_all(pieces).most_common(1)[0],
        "a list": lambda pieces: list(next_pair(pieces)),
        "ties by the first id only": lambda pieces: next_pair_by(pieces, lambda pair: pair[0]),
        "ties by the second id first": lambda pieces: next_pair_by(pieces, lambda pair: pair[::-1]),
        "ties by the sum": lambda pieces: next_pair_by(pieces, lambda pair: (sum(pair), pair)),
        "ties by the larger id": lambda pieces: next_pair_by(pieces, lambda pair: (max(pair), pair)),
    },
    "text-tagger": {
        "nouns by default": lambda words, tagged: tag(words, tagged, default="NOUN"),
        "the last of equals": lambda words, tagged: tag(words, tagged, ties=max),
        "the last tag seen": lambda words, tagged: tag(words, tagged, last=True),
        "all nouns": lambda words, tagged: ["NOUN"] * len(words),
        "the first of the alphabet by default": lambda words, tagged: tag_by_default_of(
            words, tagged, lambda pairs: min(tag for _, tag in pairs)
        ),
        "the tag of most words by default": lambda words, tagged: tag_by_default_of(
            words, tagged, most_frequent_of_words
        ),
        "with the words": lambda words, tagged: list(zip(words, tag(words, tagged), strict=True)),
    },
    "text-negation": {
        "without n't": lambda tokens: mark(tokens, shortened=False),
        "only the next word": lambda tokens: mark(tokens, once=True),
        "to the end": lambda tokens: mark(tokens, never_ends=True),
        "only to the full stop": lambda tokens: mark(tokens, marks="."),
        "negations marked too": lambda tokens: mark(tokens, nested=True),
        "any mark ends it": lambda tokens: mark(tokens, marks=".,;:!?'"),
        "a string": lambda tokens: " ".join(mark(tokens)),
        "no colon": lambda tokens: mark(tokens, marks=".,;!?"),
        "no question mark": lambda tokens: mark(tokens, marks=".,;:!"),
        "any t at the end": lambda tokens: mark(tokens, ending="t"),
        "nt at the end": lambda tokens: mark(tokens, ending=("n't", "nt")),
        "only isn't": lambda tokens: mark(tokens, ending="isn't"),
        "more negations": lambda tokens: mark(
            tokens, negations=("not", "no", "never", "nor", "neither", "without", "nobody", "cannot")
        ),
    },
}
