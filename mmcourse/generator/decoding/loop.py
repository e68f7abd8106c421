"""The loop of every way that follows a single answer (notebook 55)."""

from keras import ops

from mmcourse.text import END_ID, PAD_ID, START_ID


def write(model, inputs, pick):
    """Write answers: token ids ``int32`` ``(batch, answer_length)``, padded after the end token.

    The prefix is read once; each further token costs one step over its keys and values.

    Args:
        model: a :class:`mmcourse.generator.model.MultimodalGenerator`.
        inputs: as it is called with, without "answer".
        pick: takes logits ``(batch, vocabulary)`` and the place in the answer, a scalar, and gives the next
            token of each example, ``(batch,)``.
    """
    caches, real = model.read(inputs)
    batch, length = ops.shape(real)[0], model.settings.answer_length

    def unfinished(place, token, finished, answer, *caches):
        return (place < length) & ops.logical_not(ops.all(finished))

    def step(place, token, finished, answer, *caches):
        logits, caches = model.next_logits(token, place, caches, real)
        token = ops.cast(ops.where(finished, PAD_ID, pick(logits, place)), "int32")
        answer = ops.slice_update(answer, (0, place), token[:, None])
        return place + 1, token, finished | ops.equal(token, END_ID), answer, *caches

    start = (
        ops.convert_to_tensor(0, dtype="int32"),
        ops.full((batch,), START_ID, dtype="int32"),
        ops.zeros((batch,), dtype="bool"),
        ops.zeros((batch, length), dtype="int32"),
    )
    return ops.while_loop(unfinished, step, (*start, *caches))[3]
