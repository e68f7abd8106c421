"""The multimodal text generator: pictures, sounds, … and a prompt in, a text out (notebook 50).

One causal decoder reads ``[image tokens][audio tokens][…][prompt tokens][answer tokens]``. What stands before
the answer is a prefix that sees itself in both directions; the answer is written token by token (the prefix
language model of Raffel et al., 2020; image tokens in the prefix as in Beyer et al., 2024, PaliGemma). How
tokens are chosen one after the other is in :mod:`mmcourse.generator.decoding`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import keras
import numpy as np
from keras import ops

from mmcourse.generator import decoding
from mmcourse.layers.attention import prefix_mask
from mmcourse.layers.transformer import TransformerBlock
from mmcourse.text import PAD_ID, SPECIAL_TOKENS, START_ID, Vocabulary


@dataclass(frozen=True)
class Settings:
    """The size of a decoder.

    Attributes:
        width: of its tokens, those of every encoder included.
        heads, hidden, dropout: of its blocks, see :class:`mmcourse.layers.transformer.TransformerBlock`.
        depth: number of blocks.
        prompt_length, answer_length: most tokens of a prompt, and of an answer with its end token.
    """

    width: int = 128
    heads: int = 4
    depth: int = 3
    hidden: int = 384
    dropout: float = 0.0
    prompt_length: int = 8
    answer_length: int = 24


@keras.saving.register_keras_serializable("mmcourse")
class MultimodalGenerator(keras.Model):
    """Looks, listens and reads, and writes an answer.

    Called with a dictionary of inputs it returns the logits of each answer token given the true ones before
    it, ``(batch, answer_length, vocabulary)``. The inputs are "prompt" ``(batch, prompt_length)``, "answer"
    ``(batch, answer_length)`` and, under the name of its encoder, each modality that is present; one that is
    missing is simply not there. Compile it with :func:`answer_loss`. :meth:`generate` writes answers.

    Args:
        encoders: name of a modality -> a layer that turns it into tokens ``(batch, tokens, width)``. It has
            ``shape``, that of one example, and may say with ``compute_mask`` which of its tokens are real.
        tokens: the ordinary tokens of the vocabulary, see :class:`mmcourse.text.Vocabulary`.
        settings: the decoder's size; a dictionary of its fields will do.

    Raises:
        ValueError: an encoder is called "prompt" or "answer".
    """

    def __init__(
        self,
        encoders: Mapping[str, keras.layers.Layer],
        tokens: Sequence[str],
        settings: Settings | Mapping = Settings(),
        **kwargs,
    ):
        super().__init__(**kwargs)
        if {"prompt", "answer"} & set(encoders):
            raise ValueError(f"no encoder may be called 'prompt' or 'answer', got {', '.join(encoders)}")
        self.encoders = dict(encoders)
        self.vocabulary = Vocabulary(tokens)
        self.settings = size = settings if isinstance(settings, Settings) else Settings(**settings)
        kept = {"dtype": self.dtype_policy}
        self.token_embedding = keras.layers.Embedding(
            len(self.vocabulary), size.width, embeddings_initializer="normal", name="token_embedding", **kept
        )
        self.blocks = [
            TransformerBlock(size.heads, size.width, size.hidden, size.dropout, name=f"block_{i}", **kept)
            for i in range(size.depth)
        ]
        self.final_norm = keras.layers.LayerNormalization(epsilon=1e-6, name="final_norm", **kept)
        self.to_logits = keras.layers.Dense(len(self.vocabulary), name="to_logits", **kept)

    def build(self, shapes=None):
        for encoder in self.encoders.values():
            if not encoder.built:  # one that was read from a file is
                encoder.build((None, *encoder.shape))
        tokens = (None, None, self.settings.width)
        self.token_embedding.build((None, None))
        for layer in (*self.blocks, self.final_norm, self.to_logits):
            layer.build(tokens)
        near_zero = keras.initializers.RandomNormal(stddev=0.02)
        size = self.settings
        self.text_position = self.add_weight(
            shape=(size.prompt_length + size.answer_length, size.width),
            initializer=near_zero,
            name="text_position",
        )
        self.modality = self.add_weight(
            shape=(len(self.encoders), size.width), initializer=near_zero, name="modality"
        )

    def get_config(self):
        encoders = {name: keras.saving.serialize_keras_object(e) for name, e in self.encoders.items()}
        ordinary = list(self.vocabulary.tokens[len(SPECIAL_TOKENS) :])
        own = {"encoders": encoders, "tokens": ordinary, "settings": asdict(self.settings)}
        return {**super().get_config(), **own}

    @classmethod
    def from_config(cls, config):
        encoders = {
            name: keras.saving.deserialize_keras_object(stored) for name, stored in config["encoders"].items()
        }
        return cls(**{**config, "encoders": encoders})

    # Reading

    def embed_text(self, token_ids, position):
        """Token ids ``(batch, tokens)`` that begin at a position, to ``(batch, tokens, width)``."""
        positions = ops.convert_to_tensor(self.text_position)
        here = ops.slice(positions, (position, 0), (token_ids.shape[1], self.settings.width))
        return self.token_embedding(token_ids) + ops.cast(here, self.compute_dtype)

    def embed_prefix(self, inputs, training=False):
        """The tokens of all modalities that are present and of the prompt, and which of them are real.

        Returns:
            ``(batch, prefix, width)`` and boolean ``(batch, prefix)``, False for padding.
        """
        parts, real = [], []
        for number, (name, encoder) in enumerate(self.encoders.items()):
            if name not in inputs:
                continue
            tokens = encoder(inputs[name], training=training)
            mask = encoder.compute_mask(inputs[name], None)
            parts.append(tokens + ops.cast(self.modality[number], self.compute_dtype))
            real.append(ops.ones_like(tokens[:, :, 0], dtype="bool") if mask is None else mask)
        prompt = ops.cast(inputs["prompt"], "int32")
        parts.append(self.embed_text(prompt, 0))
        real.append(ops.not_equal(prompt, PAD_ID))
        return ops.concatenate(parts, axis=1), ops.concatenate(real, axis=1)

    def call(self, inputs, training=False):
        prefix, real = self.embed_prefix(inputs, training)
        answer = ops.cast(inputs["answer"], "int32")
        # Shift right: the token at each position is predicted from those before it, the first from START.
        known = ops.concatenate([ops.full_like(answer[:, :1], START_ID), answer[:, :-1]], axis=1)
        hidden = ops.concatenate([prefix, self.embed_text(known, self.settings.prompt_length)], axis=1)
        mask = prefix_mask(real, self.settings.answer_length)
        for block in self.blocks:
            hidden = block(hidden, attention_mask=mask, training=training)
        return self.to_logits(self.final_norm(hidden[:, prefix.shape[1] :]))

    # Writing

    def read(self, inputs):
        """Read the prefix once, and keep the keys and values of its tokens.

        Returns:
            ``(caches, real)``: one cache for each block, with room for the answer, and boolean ``(batch,
            prefix)``.
        """
        hidden, real = self.embed_prefix(inputs)
        batch, room = ops.shape(real)[0], self.settings.answer_length
        mask = ops.concatenate([real, ops.zeros((batch, room), dtype="bool")], axis=1)[:, None, None, :]
        caches = []
        for block in self.blocks:
            cache = block.empty_cache(batch, hidden.shape[1] + room)
            hidden, cache = block(hidden, attention_mask=mask, cache=cache, position=0)
            caches.append(cache)
        return caches, real

    def next_logits(self, token, place, caches, real):
        """One step of writing: the logits of the token after ``token``.

        Args:
            token: ids ``(batch,)``: the start token at place 0, then what was chosen.
            place: of ``token`` in the answer, counted from 0; a whole number or a scalar tensor.
            caches, real: of :meth:`read` or of the step before.

        Returns:
            ``(logits, caches)``, the logits ``(batch, vocabulary)``.
        """
        size = self.settings
        hidden = self.embed_text(token[:, None], size.prompt_length + place)
        written = ops.arange(size.answer_length) <= place
        written = ops.broadcast_to(written, (ops.shape(real)[0], size.answer_length))
        mask = ops.concatenate([real, written], axis=1)[:, None, None, :]
        kept = []
        for block, cache in zip(self.blocks, caches, strict=True):
            hidden, cache = block(hidden, attention_mask=mask, cache=cache, position=real.shape[1] + place)
            kept.append(cache)
        return self.to_logits(self.final_norm(hidden[:, 0])), kept

    def generate(self, inputs: Mapping, prompts: str | Sequence[str], batch_size: int = 256) -> list[str]:
        """Answer prompts, greedily.

        Args:
            inputs: name of a modality -> array ``(examples, *shape)``, for each that is present.
            prompts: one text for all examples, or one for each.

        Returns:
            One text for each example.

        Raises:
            ValueError: there is no encoder of that name, an array has another shape, the numbers of examples
                differ, or a prompt is empty, too long or holds a word that the model has never seen.
        """
        arrays = {name: self._checked(name, np.asarray(values)) for name, values in inputs.items()}
        counts = {name: len(array) for name, array in arrays.items()}
        if not isinstance(prompts, str):
            counts["prompts"] = len(prompts)
        count = max(counts.values(), default=1)
        if any(number != count for number in counts.values()):
            raise ValueError(f"expected as many prompts as examples of each modality, got {counts}")
        if not count:
            return []
        prompts = [prompts] * count if isinstance(prompts, str) else list(prompts)
        arrays["prompt"] = self.encode_prompts(prompts)
        if "_writer" not in self.__dict__:
            writer = decoding.Writer(self)
            writer.compile(jit_compile=False)
            # Past Keras's attribute tracking: the writer holds this model, which must not hold it back.
            self.__dict__["_writer"] = writer
        answers = self.__dict__["_writer"].predict(arrays, batch_size=batch_size, verbose=0)
        return self.vocabulary.decode(answers)

    def _checked(self, name: str, array: np.ndarray) -> np.ndarray:
        if name not in self.encoders:
            raise ValueError(f"unknown modality {name!r}; this model has: {', '.join(self.encoders)}")
        shape = tuple(self.encoders[name].shape)
        if array.ndim != len(shape) + 1 or array.shape[1:] != shape:
            expected = ", ".join(map(str, shape))
            raise ValueError(f"{name} must be (examples, {expected}), got {array.shape}")
        return array

    def encode_prompts(self, prompts: Sequence[str]) -> np.ndarray:
        """Token ids of prompts, ``int32`` ``(prompts, prompt_length)``.

        Raises:
            ValueError: as :meth:`generate`.
        """
        for prompt in set(prompts):
            if not prompt.strip():
                raise ValueError("the prompt is empty; expected a text such as 'name it in English'")
            unknown = self.vocabulary.unknown_tokens(prompt)
            if unknown:
                raise ValueError(
                    f"the prompt {prompt[:60]!r} holds words that the model has never seen: "
                    f"{', '.join(token[:20] for token in dict.fromkeys(unknown[:5]))}"
                )
        return self.vocabulary.encode(prompts, self.settings.prompt_length)


@keras.saving.register_keras_serializable("mmcourse")
def answer_loss(answers, logits):
    """Mean cross-entropy over the answers' tokens, padding left out.

    Args:
        answers: token ids ``(batch, answer_length)``, 0 for padding.
        logits: ``(batch, answer_length, vocabulary)``.

    Returns:
        A scalar in nats a token.
    """
    losses = keras.losses.sparse_categorical_crossentropy(answers, logits, from_logits=True)
    real = ops.cast(ops.not_equal(answers, PAD_ID), losses.dtype)
    return ops.sum(losses * real) / ops.maximum(ops.sum(real), 1.0)
