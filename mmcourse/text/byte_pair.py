"""Byte-pair encoding (notebook 22): tokens as long as the training text makes worth while, and never unknown.

A text is cut into pieces, and a piece into the bytes of its UTF-8 form. Training joins the pair of tokens
that stands side by side most often into a new token, again and again; encoding repeats those merges in the
order in which they were learnt. Sennrich et al. (2016) brought the method from data compression to words;
Radford et al. (2019) begin with bytes, as here.
"""

import functools
import heapq
import itertools
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping

from mmcourse.text.vocabulary import SPECIAL_TOKENS, Tokeniser

BYTES = 256
LONGEST_KEPT = 64  # characters of a piece whose ids are kept for the next time
FIRST_MERGED = len(SPECIAL_TOKENS) + BYTES  # the id of the first token that is learnt

# The classes are written out, because two regular-expression engines that know different versions of Unicode
# disagree about \w. No merge crosses the border of a piece.
_SPACES = r" \t\n\r\u3000"
_DIGITS = r"0-9\uff10-\uff19"
_MARKS = r"!-/:-@\[-`{-~\u2010-\u205e\u3001-\u3020\u3030\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65"
_LETTERS = f"[^{_SPACES}{_DIGITS}{_MARKS}]+"
PIECE_PATTERN = f" ?{_LETTERS}(?:['’]{_LETTERS})*| ?[{_DIGITS}]+| ?[{_MARKS}]+|[{_SPACES}]+"
_PIECE = re.compile(PIECE_PATTERN)

Pair = tuple[int, int]


def split_pieces(text: str) -> list[str]:
    """Cut a text into runs of letters, of digits, of punctuation and of spaces; nothing is lost.

    One space in front of a run belongs to it, and an apostrophe between letters to the letters.

    >>> split_pieces("It isn't 2 good...")
    ['It', " isn't", ' 2', ' good', '...']
    """
    return _PIECE.findall(text)


def count_pieces(texts: Iterable[str]) -> Counter[bytes]:
    """How often each piece stands in the texts, as UTF-8.

    Raises:
        ValueError: a text holds half of a surrogate pair, which is no character.
    """
    counts = Counter(piece for text in texts for piece in split_pieces(text))
    return Counter({_utf8(piece): count for piece, count in counts.items()})


def learn_merges(piece_counts: Mapping[bytes, int], merges: int) -> list[Pair]:
    """Learn which pairs of tokens to join, the most frequent pair first.

    The counts of all pairs are kept up to date: a merge touches only the pieces that hold its pair, and in
    them only the neighbours of the pair. Of pairs that are equally frequent, the one with the smaller ids
    comes first.

    Args:
        piece_counts: piece as UTF-8 -> how often it occurs.
        merges: how many to learn; fewer come back if no pair is left.

    Returns:
        Different pairs of token ids. A byte has the id ``len(SPECIAL_TOKENS) + byte``; the token that a merge
        makes gets the next free id, unless its bytes are a token already.

    Raises:
        ValueError: ``merges`` is negative.
    """
    if merges < 0:
        raise ValueError(f"merges must be 0 or more, got {merges}")
    pieces = [[len(SPECIAL_TOKENS) + byte for byte in piece] for piece in piece_counts]
    weights = list(piece_counts.values())
    pair_counts: Counter[Pair] = Counter()
    places: dict[Pair, set[int]] = {}  # pair -> numbers of the pieces that hold it or once did

    def count(pair: Pair, number: int, change: int) -> None:
        pair_counts[pair] += change
        if change > 0:
            places.setdefault(pair, set()).add(number)

    for number, piece in enumerate(pieces):
        for pair in itertools.pairwise(piece):
            count(pair, number, weights[number])

    # A heap whose counts may be out of date: they are compared with the true ones when they come up.
    heap = [(-how_often, pair) for pair, how_often in pair_counts.items()]
    heapq.heapify(heap)
    ids = {bytes([byte]): len(SPECIAL_TOKENS) + byte for byte in range(BYTES)}
    tokens = {i: token for token, i in ids.items()}
    learnt: dict[Pair, None] = {}  # in order
    while heap and len(learnt) < merges:
        how_often, pair = heapq.heappop(heap)
        if -how_often != pair_counts[pair]:
            if pair_counts[pair] > 0:
                heapq.heappush(heap, (-pair_counts[pair], pair))
            continue
        token = tokens[pair[0]] + tokens[pair[1]]
        new = ids.setdefault(token, len(SPECIAL_TOKENS) + len(ids))
        tokens[new] = token
        learnt[pair] = None
        grown = set()
        for number in places.pop(pair):
            for near, change in _join(pieces[number], pair, new):
                count(near, number, change * weights[number])
                if change > 0:
                    grown.add(near)
        pair_counts[pair] = 0
        for near in grown:
            if pair_counts[near] > 0:  # a pair may come and go within one piece
                heapq.heappush(heap, (-pair_counts[near], near))
    return list(learnt)


def _join(ids: list[int], pair: Pair, new: int) -> list[tuple[Pair, int]]:
    """Replace a pair by a new token, in place, from the left; return which pairs went (-1) and came (1)."""
    first, second = pair
    changes, place = [], 0
    while True:
        try:
            place = ids.index(first, place, len(ids) - 1)
        except ValueError:
            return changes
        if ids[place + 1] == second:
            if place > 0:
                changes += [((ids[place - 1], first), -1), ((ids[place - 1], new), 1)]
            if place + 2 < len(ids):
                changes += [((second, ids[place + 2]), -1), ((new, ids[place + 2]), 1)]
            ids[place : place + 2] = [new]
        place += 1


class BytePairEncoding(Tokeniser):
    """A tokeniser made of merges. Any text can be encoded, and decoding gives back just that text.

    Ids 0-3 are the special tokens (the unknown one is never used), 4-259 the bytes 0-255, and the rest the
    tokens that merges make.

    Args:
        merges: pairs of token ids, as :func:`learn_merges` returns them.

    Raises:
        ValueError: a pair stands twice, or holds a special token or an id that does not exist yet.
    """

    def __init__(self, merges: Iterable[Pair]):
        self.merges: tuple[Pair, ...] = tuple((int(first), int(second)) for first, second in merges)
        tokens: list[str | bytes] = [*SPECIAL_TOKENS, *(bytes([byte]) for byte in range(BYTES))]
        ids = {token: i for i, token in enumerate(tokens)}
        # pair -> (rank, id of the token that it makes); the smaller rank is applied first
        self._made: dict[Pair, tuple[int, int]] = {}
        for rank, pair in enumerate(self.merges):
            if not all(len(SPECIAL_TOKENS) <= i < len(tokens) for i in pair):
                raise ValueError(
                    f"merge {rank} joins {pair}; expected two ids from {len(SPECIAL_TOKENS)} to "
                    f"{len(tokens) - 1}, the bytes and what earlier merges made"
                )
            if pair in self._made:
                raise ValueError(f"merge {rank} joins {pair}, as merge {self._made[pair][0]} does already")
            token = tokens[pair[0]] + tokens[pair[1]]  # type: ignore[operator]  # both are bytes
            if token not in ids:
                ids[token] = len(tokens)
                tokens.append(token)
            self._made[pair] = rank, ids[token]
        super().__init__(tokens[len(SPECIAL_TOKENS) :])
        # A text repeats its words: each is worked out once. Long pieces hardly repeat and would fill memory.
        self._encode_known = functools.lru_cache(maxsize=2**16)(self._encode_piece)

    @classmethod
    def train(cls, texts: Iterable[str], merges: int) -> "BytePairEncoding":
        """Learn merges from texts; see :func:`count_pieces` and :func:`learn_merges`."""
        return cls(learn_merges(count_pieces(texts), merges))

    def ids_of(self, text: str) -> list[int]:
        """The token ids of a text; none of them is special.

        Raises:
            ValueError: the text holds half of a surrogate pair, which is no character.
        """
        ids: list[int] = []
        for piece in split_pieces(text):
            ids += self._encode_known(piece) if len(piece) <= LONGEST_KEPT else self._encode_piece(piece)
        return ids

    def text_of(self, token_ids: Iterable[int]) -> str:
        """The text of token ids.

        Ids that a model has chosen need not be UTF-8 together. What is not becomes U+FFFD, the replacement
        character.
        """
        tokens = (self.tokens[i] for i in token_ids)
        found = (token if isinstance(token, bytes) else token.encode() for token in tokens)
        return b"".join(found).decode("utf-8", errors="replace")

    def _encode_piece(self, piece: str) -> tuple[int, ...]:
        """The ids of one piece: always the merge that was learnt first, and of its places the leftmost."""
        ids = [len(SPECIAL_TOKENS) + byte for byte in _utf8(piece)]
        # The tokens form a chain, so that a merge costs the same however long the piece is.
        following, previous = list(range(1, len(ids) + 1)), list(range(-1, len(ids) - 1))
        waiting = []

        def offer(left: int, right: int) -> None:
            made = self._made.get((ids[left], ids[right]))
            if made:
                heapq.heappush(waiting, (made[0], left, right, made[1]))

        for left in range(len(ids) - 1):
            offer(left, left + 1)
        while waiting:
            rank, left, right, new = heapq.heappop(waiting)
            # A neighbour may have been joined with something else in the meantime; -1 marks what is gone.
            if self._made.get((ids[left], ids[right]), (None,))[0] != rank:
                continue
            ids[left], ids[right] = new, -1
            after = following[left] = following[right]
            if after < len(ids):
                previous[after] = left
                offer(left, after)
            if previous[left] >= 0:
                offer(previous[left], left)
        return tuple(i for i in ids if i >= 0)

    def to_library(self):
        """The same tokeniser as a ``tokenizers.Tokenizer``: faster, and it can be saved as JSON."""
        from tokenizers import Tokenizer, decoders, models

        names = [token if isinstance(token, str) else _printable(token) for token in self.tokens]
        model = models.BPE(
            vocab={name: i for i, name in enumerate(names)},
            merges=[(names[first], names[second]) for first, second in self.merges],
        )
        tokeniser = Tokenizer(model)
        tokeniser.pre_tokenizer = _library_pieces()
        tokeniser.decoder = decoders.ByteLevel()
        return tokeniser


def learn_with_library(texts: Iterable[str], merges: int) -> list[Pair]:
    """What :func:`learn_merges` learns, learnt by the library ``tokenizers``: what ours is compared with.

    Returns:
        Pairs with the ids of :func:`learn_merges`. The library counts tokens, not merges, so where two merges
        make one token it learns more pairs; the first ``merges`` come back.
    """
    from tokenizers import Tokenizer, models, trainers

    # Given as special tokens, the bytes get their ids in the order of their values; the order decides ties.
    alphabet = [*SPECIAL_TOKENS, *(_printable(bytes([byte])) for byte in range(BYTES))]
    tokeniser = Tokenizer(models.BPE())
    tokeniser.pre_tokenizer = _library_pieces()
    trainer = trainers.BpeTrainer(
        vocab_size=len(alphabet) + merges, special_tokens=alphabet, show_progress=False
    )
    tokeniser.train_from_iterator(texts, trainer)
    model = json.loads(tokeniser.to_str())["model"]
    return [(model["vocab"][first], model["vocab"][second]) for first, second in model["merges"]][:merges]


def _library_pieces():
    """Our pieces, as the library cuts them."""
    from tokenizers import Regex, pre_tokenizers

    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PIECE_PATTERN), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )


@functools.cache
def _letters() -> tuple[str, ...]:
    """A visible character for each byte: itself where it is visible in Latin-1, else one from U+0100 on.

    This is how GPT-2's files write bytes, and the library with them.
    """
    visible = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    hidden = (byte for byte in range(BYTES) if byte not in visible)
    substitutes = {byte: chr(0x100 + number) for number, byte in enumerate(hidden)}
    return tuple(substitutes.get(byte, chr(byte)) for byte in range(BYTES))


def _printable(token: bytes) -> str:
    return "".join(_letters()[byte] for byte in token)


def _utf8(text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(
            f"the text holds {text[error.start]!r}, half of a surrogate pair, which is no character. "
            "Was it read with the wrong encoding? Decode the file as UTF-8 with errors='replace'"
        ) from error
