"""Greedy decoding: the likeliest token each time (notebook 50)."""

from keras import ops

from mmcourse.generator.decoding.loop import write


def greedy(model, inputs):
    """Write answers: token ids ``int32`` ``(batch, answer_length)``, padded after the end token.

    Args:
        model: a :class:`mmcourse.generator.model.MultimodalGenerator`.
        inputs: as it is called with, without "answer".
    """
    return write(model, inputs, lambda logits, place: ops.argmax(logits, axis=-1))
