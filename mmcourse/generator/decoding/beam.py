"""Beam search: the few best unfinished answers are followed at once (notebook 55)."""

from dataclasses import dataclass

import keras
import numpy as np
from keras import ops

from mmcourse.text import END_ID, PAD_ID, START_ID

DONE, WRITING = 0, 1  # states of an answer; what else there may be, :mod:`.constrained` says


@dataclass(frozen=True)
class Beam:
    """At each step, every kept answer is continued with every token, and the ``width`` best are kept.

    The best have the highest log-probability divided by ``((5 + tokens) / 6) ** length_penalty``, the end
    token counted (Wu et al., 2016, equation 14, without its coverage). With a penalty of 0 that is the
    log-probability itself, which favours short answers; Wu et al. found 0.6 to 0.7 best for translation.
    Answers that have ended stay and compete. A width of 1 is greedy decoding.

    Raises:
        ValueError: the width is below 1 or the penalty is negative.
    """

    width: int = 4
    length_penalty: float = 0.0

    def __post_init__(self):
        if self.width < 1:
            raise ValueError(f"width must be at least 1, got {self.width}")
        if not self.length_penalty >= 0:
            raise ValueError(f"length_penalty must be at least 0, got {self.length_penalty}")

    def __call__(self, model, inputs):
        """The best: token ids ``int32`` ``(batch, answer_length)``, padded after the end token."""
        return self.all(model, inputs)[0][:, 0]

    def all(self, model, inputs):
        """All that were kept, the best first: token ids ``int32`` ``(batch, width, answer_length)``, and
        their log-probabilities ``float32`` ``(batch, width)``, not divided by anything."""
        return search(model, inputs, self.width, _any_token, self.length_penalty)


def _any_token(chances, state):
    """Each state may be followed by each token."""
    token = ops.broadcast_to(ops.arange(chances.shape[-1], dtype="int32"), ops.shape(chances))
    return chances, token, ops.where(ops.equal(token, END_ID), DONE, state[..., None])


def search(model, inputs, width: int, moves, length_penalty: float = 0.0):
    """Beam search in which an answer has a state, and the state says how it may go on.

    Args:
        model: a :class:`mmcourse.generator.model.MultimodalGenerator`.
        inputs: as it is called with, without "answer".
        width: number of answers that are kept for each example.
        moves: takes log-probabilities ``(batch, width, vocabulary)`` and states ``(batch, width)`` and gives
            three tensors ``(batch, width, moves)``: the log-probability of each move, the token that it
            writes and the state that it leads to. A move that is not there has minus infinity. An answer
            that is DONE can only be padded, with probability 1.
        length_penalty: see :class:`Beam`.

    Returns:
        As :meth:`Beam.all`.
    """
    caches, real = model.read(inputs)
    batch, length = ops.shape(real)[0], model.settings.answer_length
    # All answers of an example are rows of one large batch: (batch * width, ...).
    real = ops.repeat(real, width, axis=0)
    caches = keras.tree.map_structure(lambda kept: ops.repeat(kept, width, axis=0), caches)
    first_row = width * ops.arange(batch, dtype="int32")[:, None]

    def unfinished(place, token, state, tokens, score, answer, *caches):
        return (place < length) & ops.any(ops.not_equal(state, DONE))

    def step(place, token, state, tokens, score, answer, *caches):
        logits, caches = model.next_logits(ops.reshape(token, (-1,)), place, caches, real)
        vocabulary = logits.shape[-1]
        chances = ops.log_softmax(ops.cast(logits, "float32"), axis=-1)
        chances = ops.reshape(chances, (-1, width, vocabulary))
        done = ops.equal(state, DONE)  # (batch, width)
        padding = np.where(np.arange(vocabulary) == PAD_ID, 0.0, -np.inf).astype("float32")
        chances = ops.where(done[..., None], padding, chances)
        gain, token, state = moves(chances, state)  # (batch, width, moves)
        score = score[..., None] + gain
        tokens = ops.where(done, tokens, place + 1)  # (batch, width)
        penalty = ((5.0 + ops.cast(tokens, "float32")) / 6.0) ** length_penalty

        def flat(values):
            return ops.reshape(values, (-1, width * token.shape[-1]))

        _, best = ops.top_k(flat(score / penalty[..., None]), width)  # (batch, width)
        best = ops.cast(best, "int32")
        origin = best // token.shape[-1]  # the answer that each of the best continues
        rows = ops.reshape(first_row + origin, (-1,))

        def chosen(values):
            return ops.reshape(ops.take_along_axis(flat(values), best, axis=1), (-1, width))

        token, state, score = chosen(token), chosen(state), chosen(score)
        tokens = ops.reshape(ops.take_along_axis(tokens, origin, axis=1), (-1, width))
        answer = ops.slice_update(ops.take(answer, rows, axis=0), (0, place), ops.reshape(token, (-1, 1)))
        caches = keras.tree.map_structure(lambda kept: ops.take(kept, rows, axis=0), caches)
        return place + 1, token, state, tokens, score, answer, *caches

    # At first all answers of an example are the same: only one of them counts.
    alone = np.where(np.arange(width) == 0, 0.0, -np.inf).astype("float32")
    start = (
        ops.convert_to_tensor(0, dtype="int32"),
        ops.full((batch, width), START_ID, dtype="int32"),
        ops.full((batch, width), WRITING, dtype="int32"),
        ops.zeros((batch, width), dtype="int32"),
        ops.broadcast_to(alone, (batch, width)),
        ops.zeros((batch * width, length), dtype="int32"),
    )
    end = ops.while_loop(unfinished, step, (*start, *caches))
    return ops.reshape(end[5], (-1, width, length)), end[4]
