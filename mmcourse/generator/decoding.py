"""How an answer is chosen token by token (notebook 50): here the greedy way, the likeliest token each
time."""

import keras
from keras import ops

from mmcourse.text import END_ID, PAD_ID, START_ID


def greedy(model, inputs):
    """Write answers: token ids ``int32`` ``(batch, answer_length)``, padded after the end token.

    The prefix is read once; each further token costs one step over its keys and values. All of it is one
    ``while_loop``, so that a compiler sees the whole.

    Args:
        model: a :class:`mmcourse.generator.model.MultimodalGenerator`.
        inputs: as it is called with, without "answer".
    """
    caches, real = model.read(inputs)
    batch, length = ops.shape(real)[0], model.settings.answer_length

    def unfinished(place, token, finished, answer, *caches):
        return (place < length) & ops.logical_not(ops.all(finished))

    def step(place, token, finished, answer, *caches):
        logits, caches = model.next_logits(token, place, caches, real)
        token = ops.cast(ops.where(finished, PAD_ID, ops.argmax(logits, axis=-1)), "int32")
        answer = ops.slice_update(answer, (0, place), token[:, None])
        return place + 1, token, finished | ops.equal(token, END_ID), answer, *caches

    start = (
        ops.convert_to_tensor(0, dtype="int32"),
        ops.full((batch,), START_ID, dtype="int32"),
        ops.zeros((batch,), dtype="bool"),
        ops.zeros((batch, length), dtype="int32"),
    )
    return ops.while_loop(unfinished, step, (*start, *caches))[3]


class Writer(keras.Model):
    """Wraps a way of choosing so that ``predict`` compiles and batches it on any backend.

    Args:
        model: the generator.
        choose: a function such as :func:`greedy`.
    """

    def __init__(self, model, choose=greedy):
        super().__init__(dtype=model.dtype_policy)
        self.model, self.choose = model, choose

    def call(self, inputs):
        return self.choose(self.model, inputs)
