"""Right and wrong answers to the exercises of "A picture and a prompt in, a name out"."""

import numpy as np


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


def survival(name, images, truth, *, mirror=np.s_[:, :, ::-1], axes=(1, 2), times=1, score=np.mean):
    """The shares, with the faults that the arguments ask for."""
    changed = {"as it is": images, "mirrored": images[mirror], "turned": np.rot90(images, times, axes)}
    return {
        label: float(score([a == b for a, b in zip(name(pictures), truth, strict=True)]))
        for label, pictures in changed.items()
    }


def survival_in_place(name, images, truth):
    result = survival(name, images, truth)
    images[:] = images[:, :, ::-1]
    return result


RIGHT = {
    "naming-mask": {
        "boolean": prefix_mask,
        "lists": lambda prefix, text: prefix_mask(prefix, text).tolist(),
        "by comparison": lambda prefix, text: (
            np.arange(prefix + text)[None] < np.maximum(prefix, np.arange(prefix + text)[:, None] + 1)
        ),
    },
    "naming-survival": {
        "a dictionary": survival,
        "turned the other way": lambda *arguments: survival(*arguments, times=3),
        "with more changes": lambda *arguments: survival(*arguments) | {"grey": 0.5},
    },
    "naming-greedy": {
        "a loop": greedy,
        "an array": lambda *arguments: np.array(greedy(*arguments)),
        "tokens as an array": lambda *arguments: greedy(*arguments, see=np.array),
    },
}


WRONG = {
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
        "numbers": lambda prefix, text: prefix_mask(prefix, text).astype(int),
        "added to the logits": lambda prefix, text: np.where(prefix_mask(prefix, text), 0.0, -np.inf),
    },
    "naming-survival": {
        "upside down for mirrored": lambda *arguments: survival(*arguments, mirror=np.s_[:, ::-1]),
        "half a turn": lambda *arguments: survival(*arguments, times=2),
        "colours exchanged": lambda *arguments: survival(*arguments, mirror=np.s_[..., ::-1]),
        "numbers, not shares": lambda *arguments: survival(*arguments, score=np.sum),
        "wrong ones": lambda *arguments: survival(*arguments, score=lambda x: 1 - np.mean(x)),
        "changes the pictures": survival_in_place,
        "one number": lambda *arguments: survival(*arguments)["as it is"],
        "other words": lambda *arguments: {"plain": 1.0, "mirrored": 0.75, "turned": 0.25},
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
        "the end alone": lambda *arguments: greedy(*arguments) or [arguments[2]],
        "draws, with a seed": lambda *arguments: greedy(
            *arguments,
            choose=lambda row: np.random.default_rng(0).choice(5, p=np.exp(row) / np.exp(row).sum()),
        ),
        "draws": lambda *arguments: greedy(
            *arguments,
            choose=lambda row: np.random.default_rng().choice(5, p=np.exp(row) / np.exp(row).sum()),
        ),
        "one token": lambda next_logits, start, end, most: int(np.argmax(next_logits([start]))),
    },
}
