"""Several questions about one picture in one row of text, so that the picture is read once (notebook 53).

A question is a prompt and its answer. Packed, they stand one after the other in a row of a fixed length,
and a mask keeps each apart from the others: it sees the picture and itself, as if it had been asked alone.
(To pack sequences so as to fill a batch is usual: Raffel et al., 2020, section 3.1.2.)
"""

from collections.abc import Sequence

import numpy as np
from keras import ops

from mmcourse.text import END_ID, START_ID


def pack(
    rows: Sequence[Sequence[tuple[Sequence[int], Sequence[int]]]],
    length: int,
    most_answers: int,
    prompt_length: int,
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Lay questions side by side.

    Args:
        rows: for each picture its questions: token ids of a prompt, and of an answer without end token.
        length: tokens of a row: those of its prompts and answers, and one more for each answer.
        most_answers: places for the tokens of all answers of a row, end tokens included.
        prompt_length: where the answers' positions begin, see :class:`mmcourse.generator.model.Settings`.

    Returns:
        ``(inputs, targets)``. The inputs are ``int32``: "text", "position" (of a token in its prompt, or
        ``prompt_length`` plus that in its answer) and "question" (1 for the tokens of the first, and so on; 0
        for padding), each ``(rows, length)``, and "slots" ``(rows, most_answers)``, the columns at which an
        answer's token is to be predicted. The targets ``(rows, most_answers)`` are those tokens, or 0.

    Raises:
        ValueError: the questions of a row do not fit.
    """
    shape = (len(rows), length)
    text, position, question = (np.zeros(shape, dtype=np.int32) for _ in range(3))
    slots, targets = (np.zeros((len(rows), most_answers), dtype=np.int32) for _ in range(2))
    for row, questions in enumerate(rows):
        column = slot = 0
        for number, (prompt, answer) in enumerate(questions, start=1):
            start = column + len(prompt)
            end, last = start + len(answer) + 1, slot + len(answer)
            if end > length or last >= most_answers or len(prompt) > prompt_length:
                raise ValueError(
                    f"row {row}: question {number} ends at token {end} of {length}, answers at token "
                    f"{last + 1} of {most_answers}, and its prompt has {len(prompt)} of {prompt_length}"
                )
            text[row, column:start] = prompt
            text[row, start] = START_ID
            text[row, start + 1 : end] = answer
            position[row, column:start] = range(len(prompt))
            position[row, start:end] = range(prompt_length, prompt_length + len(answer) + 1)
            question[row, column:end] = number
            slots[row, slot : last + 1] = range(start, end)
            targets[row, slot:last] = answer
            targets[row, last] = END_ID
            column, slot = end, last + 1
    return {"text": text, "position": position, "question": question, "slots": slots}, targets


def unpack(rows: np.ndarray, targets: np.ndarray) -> list[list[np.ndarray]]:
    """Cut what belongs to a row's slots into its answers, each up to an end token of the targets.

    Args:
        rows, targets: ``(rows, most_answers)``.
    """
    found = []
    for row, target in zip(rows, targets, strict=True):
        ends = np.flatnonzero(target == END_ID) + 1
        found.append(np.split(row[: ends[-1]] if len(ends) else row[:0], ends[:-1]))
    return found


def packed_mask(media_is_token, is_prompt, question, itself: bool = True):
    """Who may look at whom: media tokens at media tokens, a question's tokens at those and at its own.

    Within a question the prompt sees itself in both directions, the answer what stands before it.

    Args:
        media_is_token: boolean ``(batch, media)``; False for padding.
        is_prompt: boolean ``(batch, text)``.
        question: ``int32`` ``(batch, text)``, 0 for padding.
        itself: whether a token of the text looks at itself. If not, it still does where it has nothing else
            to look at.

    Returns:
        Boolean ``(batch, 1, media + text, media + text)``: row looks at column; the axis of size 1 is for the
        heads.
    """
    batch, media = ops.shape(media_is_token)
    text = ops.shape(question)[1]
    column = ops.arange(text)
    before = column[None, None, :] <= column[None, :, None]
    own = ops.equal(question[:, :, None], question[:, None, :]) & ops.not_equal(question, 0)[:, None, :]
    own = own & (is_prompt[:, None, :] | before)  # (batch, text, text)
    if not itself:
        others = own & ops.not_equal(column[None, :, None], column[None, None, :])
        alone = ops.logical_not(ops.any(media_is_token, axis=1)[:, None] | ops.any(others, axis=2))
        own = others | (own & alone[:, :, None])
    seen = ops.broadcast_to(media_is_token[:, None, :], (batch, media + text, media))
    hidden = ops.zeros((batch, media, text), dtype="bool")
    return ops.concatenate([seen, ops.concatenate([hidden, own], axis=1)], axis=2)[:, None]
