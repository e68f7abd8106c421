"""Right and wrong answers to the exercises of "A picture and a prompt in, a name out"."""

from collections import Counter

import numpy as np


def random_permutation(count):
    return np.random.default_rng().permutation(count)


def greedy(
    next_logits, start, end, most, *, keep_end=False, keep_start=False, limit=0, see=None, choose=np.argmax
):
    """Greedy decoding with the faults that the arguments ask for."""
    tokens = [start]
    while len(tokens) <= most + limit:
        token = int(choose(next_logits(tokens if see is None else see(tokens))))
        if token == end and not keep_end:
            break
        tokens.append(token)
        if token == end:
            break
    return tokens if keep_start else tokens[1:]


def look_on_after_the_end(next_logits, start, end, most):
    tokens = [start]
    for _ in range(most):
        tokens.append(int(np.argmax(next_logits(tokens))))
    return tokens[1 : tokens.index(end)] if end in tokens else tokens[1:]


def common(generated, true):
    return Counter(generated.split()) & Counter(true.split())


def full(prefix, text, value):
    return np.full((prefix + text, prefix + text), value)


def causal(prefix, text):
    return np.tril(full(prefix, text, True))


def prefix_mask(prefix, text):
    mask = causal(prefix, text)
    mask[:, :prefix] = True
    return mask


def causal_without_self(prefix, text):
    mask = np.tril(full(prefix, text, True), -1)
    mask[:, :prefix] = True
    return mask


def rows_of_the_prefix_see_all(prefix, text):
    mask = prefix_mask(prefix, text)
    mask[:prefix] = True
    return mask


def answer_sees_only_the_prefix(prefix, text):
    mask = full(prefix, text, False)
    mask[:, :prefix] = True
    return mask


def two_blocks(prefix, text):
    mask = causal(prefix, text)
    mask[:prefix, :prefix] = True
    mask[prefix:, :prefix] = False
    return mask


def along_a_cycle(count):
    cycle = random_permutation(count)
    order = np.empty(count, dtype=int)
    order[cycle] = np.roll(cycle, 1)
    return order


def until_none_stays(count):
    order = np.arange(count)
    while (order == np.arange(count)).any():
        order = random_permutation(count)
    return order


RIGHT = {
    "naming-length": {
        "whole numbers": lambda size, stride, prompt, text: (size // stride) ** 2 + prompt + text,
        "true division": lambda size, stride, prompt, text: (size / stride) ** 2 + prompt + text,
        "a numpy number": lambda size, stride, prompt, text: np.int64(size // stride) ** 2 + prompt + text,
    },
    "naming-mask": {
        "boolean": prefix_mask,
        "numbers": lambda prefix, text: prefix_mask(prefix, text).astype(int),
        "lists": lambda prefix, text: prefix_mask(prefix, text).tolist(),
        "by comparison": lambda prefix, text: (
            np.arange(prefix + text)[None] < np.maximum(prefix, np.arange(prefix + text)[:, None] + 1)
        ),
    },
    "naming-recall": {
        "counters": lambda generated, true: common(generated, true).total() / len(true.split()),
        "least counts": lambda generated, true: (
            sum(min(generated.split().count(word), true.split().count(word)) for word in set(true.split()))
            / len(true.split())
        ),
    },
    "naming-shuffle": {
        "one step": lambda count: np.roll(np.arange(count), 1),
        "one step, as a list": lambda count: [(place + 1) % count for place in range(count)],
        "along a cycle": along_a_cycle,
        "until none stays": until_none_stays,
    },
    "naming-greedy": {
        "a loop": greedy,
        "an array": lambda *arguments: np.array(greedy(*arguments)),
        "tokens as an array": lambda *arguments: greedy(*arguments, see=np.array),
    },
}


WRONG = {
    "naming-length": {
        "not squared": lambda size, stride, prompt, text: size // stride + prompt + text,
        "pixels": lambda size, stride, prompt, text: size**2 + prompt + text,
        "divided once": lambda size, stride, prompt, text: size**2 // stride + prompt + text,
        "without the prompt": lambda size, stride, prompt, text: (size // stride) ** 2 + text,
        "without the answer": lambda size, stride, prompt, text: (size // stride) ** 2 + prompt,
        "one too many": lambda size, stride, prompt, text: (size // stride) ** 2 + prompt + text + 1,
        "colours apart": lambda size, stride, prompt, text: 3 * (size // stride) ** 2 + prompt + text,
        "a text": lambda size, stride, prompt, text: str((size // stride) ** 2 + prompt + text),
        "too few arguments": lambda size, stride: (size // stride) ** 2,
    },
    "naming-mask": {
        "causal": causal,
        "all": lambda prefix, text: full(prefix, text, True),
        "nothing": lambda prefix, text: full(prefix, text, False),
        "transposed": lambda prefix, text: prefix_mask(prefix, text).T,
        "inverted": lambda prefix, text: ~prefix_mask(prefix, text),
        "without itself": causal_without_self,
        "prefix sees the answer": rows_of_the_prefix_see_all,
        "answer sees only the prefix": answer_sees_only_the_prefix,
        "answer cannot see the prefix": two_blocks,
        "answer alone": lambda prefix, text: causal(0, text),
        "a row and a column too many": lambda prefix, text: prefix_mask(prefix, text + 1),
        "with a batch": lambda prefix, text: prefix_mask(prefix, text)[None],
        "prefix and answer exchanged": lambda prefix, text: prefix_mask(text, prefix),
        "added to the logits": lambda prefix, text: np.where(prefix_mask(prefix, text), 0.0, -np.inf),
    },
    "naming-recall": {
        "sets": lambda generated, true: (
            len(set(generated.split()) & set(true.split())) / len(set(true.split()))
        ),
        "precision": lambda generated, true: common(generated, true).total() / max(len(generated.split()), 1),
        "without counts": lambda generated, true: np.mean(
            [word in generated.split() for word in true.split()]
        ),
        "counted from the generated side": lambda generated, true: (
            sum(word in true.split() for word in generated.split()) / len(true.split())
        ),
        "place by place": lambda generated, true: (
            sum(a == b for a, b in zip(generated.split(), true.split(), strict=False)) / len(true.split())
        ),
        "exact match": lambda generated, true: float(generated == true),
        "parts of words": lambda generated, true: (
            sum(min(generated.count(word), count) for word, count in Counter(true.split()).items())
            / len(true.split())
        ),
        "characters": lambda generated, true: (Counter(generated) & Counter(true)).total() / len(true),
        "not a number": lambda generated, true: float("nan"),
        "not divided": lambda generated, true: common(generated, true).total(),
    },
    "naming-shuffle": {
        "a plain shuffle": random_permutation,
        "a plain shuffle with a seed": lambda count: np.random.default_rng(0).permutation(count),
        "nobody moves": np.arange,
        "backwards": lambda count: np.arange(count)[::-1],
        "with repetitions": lambda count: np.random.default_rng().integers(0, count, count),
        "all the same": lambda count: np.zeros(count, dtype=int),
        "two steps": lambda count: np.roll(np.arange(count), 2),
        "neighbours exchanged": lambda count: np.arange(count) ^ 1,
        "from 1 to count": lambda count: np.roll(np.arange(1, count + 1), 1),
        "one too few": lambda count: np.roll(np.arange(count - 1), 1),
        "nothing": lambda count: [],
    },
    "naming-greedy": {
        "with the end": lambda *arguments: greedy(*arguments, keep_end=True),
        "with the start": lambda *arguments: greedy(*arguments, keep_start=True),
        "one too many": lambda *arguments: greedy(*arguments, limit=1),
        "one too few": lambda *arguments: greedy(*arguments, limit=-1),
        "the least likely": lambda *arguments: greedy(*arguments, choose=np.argmin),
        "the second-best": lambda *arguments: greedy(*arguments, choose=lambda row: np.argsort(row)[-2]),
        "sees only the last token": lambda *arguments: greedy(*arguments, see=lambda tokens: tokens[-1:]),
        "sees only the start": lambda *arguments: greedy(*arguments, see=lambda tokens: tokens[:1]),
        "does not see the start": lambda *arguments: greedy(
            *arguments, see=lambda tokens: tokens[1:] or tokens
        ),
        "looks on after the end": look_on_after_the_end,
        "never stops at the end": lambda next_logits, start, end, most: greedy(next_logits, start, -1, most),
        "stops at once": lambda *arguments: [],
        "one token": lambda next_logits, start, end, most: int(np.argmax(next_logits([start]))),
    },
}
