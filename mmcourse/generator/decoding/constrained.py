"""Decoding to a list of permitted answers, which never writes anything else (notebook 55)."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from keras import ops

from mmcourse.generator.decoding.beam import DONE, WRITING, search
from mmcourse.text import END_ID, PAD_ID


@dataclass(frozen=True)
class Constrained:
    """The likeliest of some answers, by beam search over the tree of their beginnings.

    With as many answers in the beam as there are in the list, every one is scored and the best is certain to
    be found; with fewer, a good answer with an unlikely first token may be lost.

    Attributes:
        answers: the permitted texts.
        width: of the beam; more than there are answers is no use.

    Raises:
        ValueError: there is no answer, or the width is below 1; when it is called: an answer is too long for
            the model or holds a word that it does not know.
    """

    answers: tuple[str, ...]
    width: int = 8

    def __post_init__(self):
        if isinstance(self.answers, str) or not len(self.answers):
            raise ValueError(f"answers must be a list of at least one text, got {self.answers!r}")
        object.__setattr__(self, "answers", tuple(self.answers))
        if self.width < 1:
            raise ValueError(f"width must be at least 1, got {self.width}")

    def __call__(self, model, inputs):
        """The best: token ids ``int32`` ``(batch, answer_length)``, padded after the end token."""
        return self.scored(model, inputs)[0]

    def scored(self, model, inputs):
        """The best, as above, and its log-probability ``float32`` ``(batch,)``: what the model gives to the
        whole answer among all texts, not among those of the list."""
        tree = make_tree(self.encode(model))

        def moves(chances, state):
            token = ops.take(tree.tokens, state, axis=0)  # (batch, width, moves)
            follower = ops.take(tree.states, state, axis=0)
            gain = ops.take_along_axis(chances, token, axis=-1)
            there_is = follower >= 0
            return ops.where(there_is, gain, -np.inf), token, ops.where(there_is, follower, DONE)

        answers, scores = search(model, inputs, min(self.width, len(self.answers)), moves)
        return answers[:, 0], scores[:, 0]

    def encode(self, model) -> np.ndarray:
        """Token ids of the permitted answers, ``int32`` ``(answers, answer_length)``.

        Raises:
            ValueError: an answer is too long for the model or holds a word that it does not know.
        """
        for answer in self.answers:
            if unknown := model.vocabulary.unknown_tokens(answer):
                raise ValueError(
                    f"the permitted answer {answer[:60]!r} holds words that the model has never seen: "
                    f"{', '.join(token[:20] for token in unknown[:5])}"
                )
        return model.vocabulary.encode(self.answers, model.settings.answer_length, end=True)


class Tree(NamedTuple):
    """The beginnings of some answers as arrays that a compiled loop can look up.

    A row is a state: what has been written so far, with 1 for nothing and 0 for an answer that has ended.

    Attributes:
        tokens: those that may follow a state, ``int32`` ``(states, moves)``.
        states: what each leads to, ``int32`` ``(states, moves)``; -1 where a state has fewer.
    """

    tokens: np.ndarray
    states: np.ndarray


def make_tree(answers: np.ndarray) -> Tree:
    """The tree of answers with an end token each, ``int32`` ``(answers, length)``.

    Raises:
        ValueError: an answer has no end token.
    """
    followers: list[dict[int, int]] = [{PAD_ID: DONE}, {}]  # of DONE and of WRITING
    for answer in np.asarray(answers).tolist():
        if END_ID not in answer:
            raise ValueError(f"each answer must have an end token ({END_ID}), got {answer}")
        state = WRITING
        for token in answer[: answer.index(END_ID)]:
            if token not in followers[state]:
                followers[state][token] = len(followers)
                followers.append({})
            state = followers[state][token]
        followers[state][END_ID] = DONE
    shape = (len(followers), max(map(len, followers)))
    tree = Tree(np.full(shape, PAD_ID, dtype="int32"), np.full(shape, -1, dtype="int32"))
    for state, following in enumerate(followers):
        tree.tokens[state, : len(following)] = list(following)
        tree.states[state, : len(following)] = list(following.values())
    return tree
