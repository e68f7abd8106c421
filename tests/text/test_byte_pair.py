"""Byte-pair encoding: equal to the library's, to a plain recount, and without any loss."""

import itertools
import random
import re
import time
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcourse.data import chinese_reviews, emoji, film_reviews
from mmcourse.text import END_ID, PAD_ID, SPECIAL_TOKENS, START_ID, byte_pair
from mmcourse.text.byte_pair import BytePairEncoding

BYTE = len(SPECIAL_TOKENS)  # the id of byte 0
# Few different characters make ties and repetitions; the wide alphabet reaches every class of the pattern.
NARROW = st.lists(st.text("ab ", max_size=30), max_size=6)
WIDE = st.text(max_size=80) | st.text("aé猫😀\u0301\u200d '’.,!5 ５\t\n\r\u3000\x1c\x85\xa0", max_size=80)


@pytest.fixture(scope="module")
def lines() -> dict[str, list[str]]:
    """Real lines: 3,000 in English, 1,500 in Chinese, and the names of emoji in several scripts."""
    chinese = chinese_reviews.load().texts
    return {
        "films": list(film_reviews.load().texts[:3000]),
        "reviews": list(chinese[:750] + chinese[-750:]),
        "emoji": [" ".join((entry.text, *entry.names.values())) for entry in emoji.load_entries()[:700]],
    }


@pytest.fixture(scope="module")
def learnt(lines) -> BytePairEncoding:
    return BytePairEncoding.train(itertools.chain(*lines.values()), 1200)


def recounted(piece_counts, merges: int) -> list[tuple[int, int]]:
    """The same training with all pairs counted anew before every merge."""
    words = {tuple(BYTE + byte for byte in piece): count for piece, count in piece_counts.items()}
    ids = {bytes([byte]): BYTE + byte for byte in range(256)}
    learnt = []
    while len(learnt) < merges:
        pairs = Counter()
        for word, count in words.items():
            for pair in itertools.pairwise(word):
                pairs[pair] += count
        if not pairs:
            break
        pair = min(pairs, key=lambda pair: (-pairs[pair], pair))
        names = {i: token for token, i in ids.items()}
        new = ids.setdefault(names[pair[0]] + names[pair[1]], BYTE + len(ids))
        if pair not in learnt:
            learnt.append(pair)
        joined = Counter()
        for word, count in words.items():
            joined[tuple(one_by_one(list(word), {pair: (0, new)}))] += count
        words = joined
    return learnt


def one_by_one(ids: list[int], made: dict) -> list[int]:
    """Encode the plain way: find the pair of the lowest rank, the leftmost of equals, and join it; again."""
    while True:
        found = [(made[pair][0], place) for place, pair in enumerate(itertools.pairwise(ids)) if pair in made]
        if not found:
            return ids
        _, place = min(found)
        ids = [*ids[:place], made[ids[place], ids[place + 1]][1], *ids[place + 2 :]]


def made_by(encoding: BytePairEncoding) -> dict:
    """Pair -> (rank, id of its token), worked out from what is public."""
    ids = {token: i for i, token in enumerate(encoding.tokens)}
    return {
        pair: (rank, ids[encoding.tokens[pair[0]] + encoding.tokens[pair[1]]])
        for rank, pair in enumerate(encoding.merges)
    }


def test_the_smallest_example():
    """aaabdaaabac: aa stands most often, then Za = aaa and ab tie ..., worked out by hand."""
    merges = byte_pair.learn_merges({b"aaabdaaabac": 1}, 3)
    a, b = BYTE + ord("a"), BYTE + ord("b")
    # (a, a) is counted 4 times, (a, b) twice. Then aa a and a b stand twice each; the smaller ids win.
    assert merges == [(a, a), (a, b), (byte_pair.FIRST_MERGED, byte_pair.FIRST_MERGED + 1)]
    encoding = BytePairEncoding(merges)
    assert encoding.tokens[byte_pair.FIRST_MERGED :] == (b"aa", b"ab", b"aaab")
    assert [encoding.tokens[i] for i in encoding.ids_of("aaabdaaabac")] == [
        b"aaab",
        b"d",
        b"aaab",
        b"a",
        b"c",
    ]


def test_pieces():
    assert byte_pair.split_pieces("It isn't 2 good...  ok?\n") == [
        *("It", " isn't", " 2", " good", "...", "  ", "ok", "?", "\n"),
    ]
    assert byte_pair.split_pieces("我有一只猫，３只！") == ["我有一只猫", "，", "３", "只", "！"]
    assert byte_pair.split_pieces("") == []


@given(WIDE)
def test_pieces_join_to_the_text(text):
    assert "".join(byte_pair.split_pieces(text)) == text


@given(NARROW, st.integers(0, 40))
@settings(deadline=None)
def test_learning_equals_a_plain_recount(texts, merges):
    counts = byte_pair.count_pieces(texts)
    assert byte_pair.learn_merges(counts, merges) == recounted(counts, merges)


@pytest.mark.parametrize("name", ["films", "reviews", "emoji"])
def test_merges_equal_the_librarys_on_real_text(lines, name):
    counts = byte_pair.count_pieces(lines[name])
    ours, theirs = byte_pair.learn_merges(counts, 1000), byte_pair.learn_with_library(lines[name], 1000)
    assert len(ours) == 1000 and ours == theirs


@given(st.lists(WIDE, max_size=5), st.integers(0, 30))
@settings(deadline=None, max_examples=60)
def test_merges_equal_the_librarys_on_any_text(texts, merges):
    ours = byte_pair.learn_merges(byte_pair.count_pieces(texts), merges)
    tokens = BytePairEncoding(ours).tokens
    if len(tokens) < byte_pair.FIRST_MERGED + len(ours):
        return  # two merges make one token: the library counts such a pair's old places once more
    assert ours == byte_pair.learn_with_library(texts, merges)


def test_ids_equal_the_librarys_on_real_text(lines, learnt):
    library = learnt.to_library()
    assert library.get_vocab_size() == len(learnt)
    for texts in lines.values():
        theirs = [found.ids for found in library.encode_batch(texts, add_special_tokens=False)]
        assert [learnt.ids_of(text) for text in texts] == theirs
        assert library.decode_batch(theirs, skip_special_tokens=False) == texts


@given(WIDE)
@settings(deadline=None)
def test_ids_equal_the_librarys_on_any_text(learnt, text):
    assert learnt.ids_of(text) == learnt.to_library().encode(text, add_special_tokens=False).ids


@given(NARROW, st.text("abc ", max_size=40))
@settings(deadline=None)
def test_encoding_equals_the_plain_way(texts, text):
    encoding = BytePairEncoding.train(texts, 30)
    expected = []
    for piece in byte_pair.split_pieces(text):
        expected += one_by_one([BYTE + byte for byte in piece.encode()], made_by(encoding))
    assert encoding.ids_of(text) == expected


@given(WIDE)
def test_decoding_gives_back_any_text(learnt, text):
    assert learnt.text_of(learnt.ids_of(text)) == text
    assert BytePairEncoding([]).text_of(BytePairEncoding([]).ids_of(text)) == text


def test_decoding_gives_back_real_text(lines, learnt):
    for texts in lines.values():
        assert [learnt.text_of(learnt.ids_of(text)) for text in texts] == texts


@given(st.lists(st.sampled_from(SPECIAL_TOKENS) | WIDE).map("".join))
def test_no_text_encodes_to_a_special_token(learnt, text):
    assert all(BYTE <= i < len(learnt) for i in learnt.ids_of(text))


@given(st.lists(st.integers(0, 259)))
def test_decoding_never_fails_on_ids_that_exist(ids):
    (text,) = BytePairEncoding([]).decode(np.array([ids], dtype=int))
    assert isinstance(text, str)


def test_decoding_stops_at_the_end_and_leaves_out_the_start():
    encoding = BytePairEncoding([])
    ids = encoding.ids_of("hi")
    assert encoding.decode([[START_ID, *ids, END_ID, *ids]]) == ["hi"]
    assert encoding.decode([[*ids, PAD_ID, *ids]]) == ["hi"]
    assert encoding.text_of([BYTE + 0xE7, BYTE + 0x8C]) == "\ufffd", "half of a character"


def test_training_is_deterministic(lines):
    texts = lines["films"][:300]
    shuffled = random.Random(0).sample(texts, len(texts))
    assert BytePairEncoding.train(texts, 200).merges == BytePairEncoding.train(shuffled, 200).merges


def test_a_long_piece_takes_no_quadratic_time(learnt):
    """Two hundred thousand characters without a space; the plain way would take hours."""
    before = time.process_time()
    text = "不错" * 100_000
    assert learnt.text_of(learnt.ids_of(text)) == text
    assert time.process_time() - before < 20
    assert learnt._encode_known.cache_info().maxsize == 2**16


def test_rows(learnt):
    ids = learnt.encode(["a film", "", "ok"], 8, start=True, end=True)
    assert ids.shape == (3, 8) and ids.dtype == np.int32
    assert (ids[:, 0] == START_ID).all() and ids[1].tolist() == [START_ID, END_ID, 0, 0, 0, 0, 0, 0]
    assert learnt.decode(ids) == ["a film", "", "ok"]


def test_errors(learnt):
    with pytest.raises(ValueError, match="merges must be 0 or more, got -1"):
        byte_pair.learn_merges({}, -1)
    with pytest.raises(ValueError, match=re.escape("merge 1 joins (4, 261); expected two ids from 4 to 260")):
        BytePairEncoding([(4, 5), (4, 261)])
    with pytest.raises(ValueError, match=re.escape("merge 0 joins (0, 5)")):
        BytePairEncoding([(0, 5)])
    with pytest.raises(ValueError, match="as merge 0 does already"):
        BytePairEncoding([(4, 5), (4, 5)])
    for use in (learnt.ids_of, lambda text: byte_pair.count_pieces([text])):
        with pytest.raises(ValueError, match=r"half of a surrogate pair.*Decode the file as UTF-8"):
            use("a\ud83d")
