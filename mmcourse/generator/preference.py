"""Direct preference optimisation: of two answers, the better one becomes likelier (notebook 55).

Source: Rafailov et al. (2023), equation 7. The model that is tuned is the policy; the reference, usually the
same model as it was before, says what the policy should not drift far from. It is asked only once.
"""

from collections.abc import Mapping, Sequence

import keras
import numpy as np
from keras import ops

from mmcourse.generator.model import MultimodalGenerator
from mmcourse.learning.training import Batches
from mmcourse.text import PAD_ID


def log_probability(model, inputs: Mapping, answers):
    """What a model gives to whole answers: the sum over their tokens, the end token with them, padding not.

    Args:
        model: a :class:`mmcourse.generator.model.MultimodalGenerator`.
        inputs: as it is called with, without "answer".
        answers: token ids ``(batch, answer_length)``.

    Returns:
        ``float32`` ``(batch,)``, in nats.
    """
    answers = ops.cast(answers, "int32")
    logits = model({**inputs, "answer": answers}, training=False)  # no dropout: it would be noise
    of_all = ops.log_softmax(ops.cast(logits, "float32"), axis=-1)
    of_tokens = ops.take_along_axis(of_all, answers[:, :, None], axis=-1)[:, :, 0]
    return ops.sum(ops.where(ops.equal(answers, PAD_ID), 0.0, of_tokens), axis=-1)


def preference_loss(margins):
    """``-log sigmoid(margin)`` of each pair, in a form that does not overflow.

    Args:
        margins: ``beta * (log policy(preferred) / reference(preferred) - log policy(rejected) /
            reference(rejected))``, ``(batch,)``; 0 where the policy is the reference, and the loss log 2.
    """
    return ops.softplus(-margins)


class Margin(keras.Model):
    """The margins of pairs of answers, see :func:`preference_loss`.

    Called with the inputs of the policy, "preferred" and "rejected" ``(batch, answer_length)`` and
    "reference" ``(batch,)``: how much likelier the reference finds the preferred answer, in nats.

    Args:
        policy: the generator. It alone is trained.
        beta: above 0; the larger, the more it costs to drift from the reference.
    """

    def __init__(self, policy: MultimodalGenerator, beta: float = 1.0):
        super().__init__(dtype="float32")  # or Keras would round the reference to the policy's precision
        self.policy, self.beta = policy, beta

    def call(self, pairs):
        inputs = {name: pairs[name] for name in pairs if name not in ("preferred", "rejected", "reference")}
        preferred = log_probability(self.policy, inputs, pairs["preferred"])
        rejected = log_probability(self.policy, inputs, pairs["rejected"])
        return self.beta * (preferred - rejected - ops.cast(pairs["reference"], "float32"))


def tune(
    model: MultimodalGenerator,
    inputs: Mapping[str, np.ndarray],
    prompts: Sequence[str],
    preferred: Sequence[str],
    rejected: Sequence[str],
    *,
    reference: MultimodalGenerator | None = None,
    beta: float = 0.1,
    learning_rate: float = 1e-4,
    epochs: int = 1,
    batch_size: int = 32,
    seed: int = 0,
) -> list[dict[str, float]]:
    """Tune a model to pairs of answers; what is trainable of it changes in place.

    Args:
        inputs: name of a modality -> array ``(pairs, *shape)``, for each that is present.
        prompts, preferred, rejected: texts, one for each pair.
        reference: None for the model as it is now.
        beta: see :class:`Margin`.
        learning_rate: of Adam.
        batch_size: pairs a step; a last incomplete batch is left out.

    Returns:
        For each epoch the mean loss, the mean margin and the accuracy: how many margins are above 0. Each
        pair is measured before the step that learns from it.

    Raises:
        ValueError: the numbers of pairs differ, the answers of a pair are the same, beta is not above 0, or
            a text is too long for the model or, if it is a prompt, holds a word that it has never seen.
    """
    pairs = {name: np.asarray(array) for name, array in inputs.items()}
    counts = {name: len(array) for name, array in pairs.items()}
    counts |= {"prompts": len(prompts), "preferred": len(preferred), "rejected": len(rejected)}
    if len(set(counts.values())) > 1:
        raise ValueError(f"expected as many prompts and answers as examples, got {counts}")
    if not beta > 0:
        raise ValueError(f"beta must be above 0, got {beta}")
    pairs["prompt"] = model.encode_prompts(prompts)
    length = model.settings.answer_length
    pairs["preferred"] = model.vocabulary.encode(preferred, length, end=True)
    pairs["rejected"] = model.vocabulary.encode(rejected, length, end=True)
    same = np.flatnonzero((pairs["preferred"] == pairs["rejected"]).all(axis=1))
    if same.size:
        raise ValueError(f"pair {same[0]} has the same answer twice: {preferred[same[0]][:60]!r}")
    pairs["reference"] = np.zeros(len(prompts), dtype="float32")
    frozen = Margin(model if reference is None else reference)
    frozen.compile(jit_compile=False)
    pairs["reference"] = frozen.predict(pairs, batch_size=batch_size, verbose=0)

    margin = Margin(model, beta)
    margin.compile(
        optimizer=keras.optimizers.Adam(learning_rate),
        loss=lambda nothing, margins: preference_loss(margins),
        metrics=[_margin, _accuracy],
        jit_compile=False,
    )
    batches = Batches(
        len(prompts),
        batch_size,
        lambda chosen, _: ({name: array[chosen] for name, array in pairs.items()}, np.zeros(len(chosen))),
        seed,
    )
    history = []
    for epoch in range(epochs):
        batches.start_epoch(epoch)
        # Each call gives the means of its own batch; all batches are of one size.
        found = [margin.train_on_batch(*batches[number], return_dict=True) for number in range(len(batches))]
        history.append(
            {name.lstrip("_"): float(np.mean([means[name] for means in found])) for name in found[0]}
        )
    return history


def _margin(nothing, margins):
    return margins


def _accuracy(nothing, margins):
    return ops.cast(margins > 0, "float32")
