"""The multimodal text generator: pictures, sounds, … and a prompt in, a text out (notebook 50).

One causal decoder reads ``[image tokens][audio tokens][…][prompt tokens][answer tokens]``. Tokens of the
modalities see each other, the prompt sees those and itself in both directions; the answer is written token by
token (the prefix language model of Raffel et al., 2020; image tokens in the prefix as in Beyer et al., 2024,
PaliGemma, where they see the prompt too). Because the prompt changes nothing for a picture, several questions
share one reading of it (:mod:`mmcourse.generator.packing`). How tokens are chosen one after the other is in
:mod:`mmcourse.generator.decoding`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

import keras
import numpy as np
from keras import ops

from mmcourse.generator import decoding
from mmcourse.generator.packing import packed_mask
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
        matching: 0, or how strongly attention begins as a search for what is alike: the first block's keys
            then begin as its queries, both this many times as large, and no token of the text looks at
            itself, which it would match best. (Trockman and Kolter, 2023, begin with queries and keys that
            are nearly the same; here they are the same.)
        tied: whether an answer's words are scored against the embeddings that a prompt's words are read with.
    """

    width: int = 128
    heads: int = 4
    depth: int = 3
    hidden: int = 384
    dropout: float = 0.0
    prompt_length: int = 8
    answer_length: int = 24
    matching: float = 0.0
    tied: bool = False


@keras.saving.register_keras_serializable("mmcourse")
class MultimodalGenerator(keras.Model):
    """Looks, listens and reads, and writes an answer.

    Called with a dictionary of inputs it returns the logits of each answer token given the true ones before
    it, ``(batch, answer_length, vocabulary)``. The inputs are "prompt" ``(batch, prompt_length)``, "answer"
    ``(batch, answer_length)`` and, under the name of its encoder, each modality that is present; one that is
    missing is simply not there. In place of "prompt" and "answer" there may be what
    :func:`mmcourse.generator.packing.pack` makes; then the logits are those of its slots. Compile it with
    :func:`answer_loss`. :meth:`generate` writes answers.

    Args:
        encoders: name of a modality -> a layer that turns it into tokens ``(batch, tokens, width)``. It has
            ``shape``, that of one example, and may say with ``compute_mask`` which of its tokens are real.
        tokens: the ordinary tokens of the vocabulary, see :class:`mmcourse.text.Vocabulary`.
        settings: the decoder's size; a dictionary of its fields will do.
        asking: names of the modalities that ask, such as a spoken question. Their tokens stand before the
            prompt's and are treated like them: they look at the other modalities and are not seen by them.

    Raises:
        ValueError: an encoder is called "prompt" or "answer", or there is none for a modality that asks.
    """

    def __init__(
        self,
        encoders: Mapping[str, keras.layers.Layer],
        tokens: Sequence[str],
        settings: Settings | Mapping = Settings(),
        asking: Sequence[str] = (),
        **kwargs,
    ):
        super().__init__(**kwargs)
        if {"prompt", "answer"} & set(encoders):
            raise ValueError(f"no encoder may be called 'prompt' or 'answer', got {', '.join(encoders)}")
        if set(asking) - set(encoders):
            raise ValueError(f"asking must be some of {', '.join(encoders)}, got {', '.join(asking)}")
        self.encoders, self.asking = dict(encoders), tuple(asking)
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
        # With tied embeddings, what is compared with them; else the scores of the words themselves.
        outputs = size.width if size.tied else len(self.vocabulary)
        self.to_logits = keras.layers.Dense(
            outputs,
            kernel_initializer="identity" if size.tied else "glorot_uniform",
            name="to_logits",
            **kept,
        )

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
        if size.tied:
            self.word_bias = self.add_weight(
                shape=(len(self.vocabulary),), initializer="zeros", name="word_bias"
            )
        if size.matching:
            kernel = self.blocks[0].attention.project_in.kernel
            queries, _, values = ops.split(ops.convert_to_tensor(kernel), 3, axis=1)
            kernel.assign(ops.concatenate([size.matching * queries] * 2 + [values], axis=1))

    def get_config(self):
        encoders = {name: keras.saving.serialize_keras_object(e) for name, e in self.encoders.items()}
        ordinary = list(self.vocabulary.tokens[len(SPECIAL_TOKENS) :])
        own = {"encoders": encoders, "tokens": ordinary, "settings": asdict(self.settings)}
        own["asking"] = self.asking
        return {**super().get_config(), **own}

    @classmethod
    def from_config(cls, config):
        encoders = {
            name: keras.saving.deserialize_keras_object(stored) for name, stored in config["encoders"].items()
        }
        return cls(**{**config, "encoders": encoders})

    # Reading

    def embed_media(self, inputs, training=False, encoded=None):
        """The tokens of all modalities that are present and show something, and which of them are real.

        Args:
            encoded: name of a modality -> what its encoder makes of its input, where that is known already.

        Returns:
            ``(batch, media, width)`` and boolean ``(batch, media)``, False for padding. Without any modality
            there are no tokens.
        """
        return self._embed(
            [name for name in self.encoders if name not in self.asking], inputs, training, encoded
        )

    def embed_spoken(self, inputs, training=False, encoded=None):
        """The tokens of the modalities that ask, in the form of :meth:`embed_media`."""
        return self._embed(self.asking, inputs, training, encoded)

    def _embed(self, names, inputs, training, encoded):
        batch = ops.shape(inputs["prompt" if "prompt" in inputs else "text"])[0]
        parts = [ops.zeros((batch, 0, self.settings.width), dtype=self.compute_dtype)]
        real = [ops.zeros((batch, 0), dtype="bool")]
        for name in names:
            if name not in inputs:
                continue
            encoder, number = self.encoders[name], list(self.encoders).index(name)
            tokens = (encoded or {}).get(name)
            if tokens is None:
                tokens = encoder(inputs[name], training=training)
            mask = encoder.compute_mask(inputs[name], None)
            parts.append(tokens + ops.cast(self.modality[number], self.compute_dtype))
            real.append(ops.ones_like(tokens[:, :, 0], dtype="bool") if mask is None else mask)
        return ops.concatenate(parts, axis=1), ops.concatenate(real, axis=1)

    def embed_text(self, token_ids, positions):
        """Token ids and positions ``(batch, tokens)`` to ``(batch, tokens, width)``."""
        here = ops.take(ops.convert_to_tensor(self.text_position), positions, axis=0)
        return self.token_embedding(token_ids) + ops.cast(here, self.compute_dtype)

    def call(self, inputs, training=False, encoded=None):
        if "text" not in inputs:
            inputs = {**inputs, **self.as_packed(inputs)}
        media, real = self.embed_media(inputs, training, encoded)
        spoken, heard = self.embed_spoken(inputs, training, encoded)
        text, position, question = (ops.cast(inputs[n], "int32") for n in ("text", "position", "question"))
        written = self.embed_text(text, position)
        mask = packed_mask(
            real,
            ops.concatenate([heard, position < self.settings.prompt_length], axis=1),
            ops.concatenate([ops.cast(heard, "int32"), question], axis=1),
            itself=not self.settings.matching,
        )
        hidden = ops.concatenate([media, spoken, written], axis=1)
        for block in self.blocks:
            hidden = block(hidden, attention_mask=mask, training=training)
        slots = ops.cast(inputs["slots"], "int32")[:, :, None]
        answers = ops.take_along_axis(hidden[:, hidden.shape[1] - text.shape[1] :], slots, axis=1)
        return self._logits(answers)

    def _logits(self, hidden):
        """Scores of the words, ``(…, vocabulary)``, from the last block's output ``(…, width)``."""
        outputs = self.to_logits(self.final_norm(hidden))
        if not self.settings.tied:
            return outputs
        words = ops.transpose(ops.cast(self.token_embedding.embeddings, self.compute_dtype))
        return ops.matmul(outputs, words) + ops.cast(self.word_bias, self.compute_dtype)

    def as_packed(self, inputs):
        """A prompt and an answer in the form of :func:`mmcourse.generator.packing.pack`."""
        prompt, answer = (ops.cast(inputs[name], "int32") for name in ("prompt", "answer"))
        # Shift right: the token at each position is predicted from those before it, the first from START.
        known = ops.concatenate([ops.full_like(answer[:, :1], START_ID), answer[:, :-1]], axis=1)
        first, length = prompt.shape[1], answer.shape[1]
        rows = (ops.shape(prompt)[0], 1)
        return {
            "text": ops.concatenate([prompt, known], axis=1),
            "position": ops.tile(ops.arange(first + length)[None], rows),
            "question": ops.concatenate(
                [ops.cast(ops.not_equal(prompt, PAD_ID), "int32"), ops.ones_like(answer)], axis=1
            ),
            "slots": ops.tile(ops.arange(first, first + length)[None], rows),
        }

    # Writing

    def read(self, inputs):
        """Read the modalities and the prompt once, and keep the keys and values of their tokens.

        Returns:
            ``(caches, real)``: one cache for each block, with room for the answer, and boolean ``(batch,
            prefix)``.
        """
        media, real = self.embed_media(inputs)
        spoken, heard = self.embed_spoken(inputs)
        prompt = ops.cast(inputs["prompt"], "int32")
        batch, room = ops.shape(prompt)[0], self.settings.answer_length
        position = ops.tile(ops.arange(prompt.shape[1])[None], (batch, 1))
        asked = ops.concatenate([heard, ops.not_equal(prompt, PAD_ID)], axis=1)
        mask = packed_mask(
            real, ops.ones_like(asked), ops.cast(asked, "int32"), itself=not self.settings.matching
        )
        mask = ops.pad(mask, ((0, 0), (0, 0), (0, 0), (0, room)))
        hidden = ops.concatenate([media, spoken, self.embed_text(prompt, position)], axis=1)
        caches = []
        for block in self.blocks:
            cache = block.empty_cache(batch, hidden.shape[1] + room)
            hidden, cache = block(hidden, attention_mask=mask, cache=cache, position=0)
            caches.append(cache)
        return caches, ops.concatenate([real, asked], axis=1)

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
        hidden = self.embed_text(token[:, None], ops.full_like(token[:, None], size.prompt_length) + place)
        written = ops.arange(size.answer_length) <= place
        written = ops.broadcast_to(written, (ops.shape(real)[0], size.answer_length))
        if size.matching:  # at itself only for want of anything else, see packed_mask
            before = ops.broadcast_to(ops.arange(size.answer_length) < place, ops.shape(written))
            alone = ops.logical_not(ops.any(ops.concatenate([real, before], axis=1), axis=1))
            written = before | (written & alone[:, None])
        mask = ops.concatenate([real, written], axis=1)[:, None, None, :]
        kept = []
        for block, cache in zip(self.blocks, caches, strict=True):
            hidden, cache = block(hidden, attention_mask=mask, cache=cache, position=real.shape[1] + place)
            kept.append(cache)
        return self._logits(hidden[:, 0]), kept

    def generate(
        self,
        inputs: Mapping,
        prompts: str | Sequence[str] | None,
        choose: Callable = decoding.greedy,
        batch_size: int = 256,
    ) -> list[str]:
        """Answer prompts.

        Args:
            inputs: name of a modality -> array ``(examples, *shape)``, for each that is present.
            prompts: one text for all examples, or one for each; None where nothing is written because a
                modality asks the question.
            choose: how tokens are chosen, see :mod:`mmcourse.generator.decoding`; the likeliest by default.
            batch_size: how many are answered at a time.

        Returns:
            One text for each example.

        Raises:
            ValueError: there is no encoder of that name, an array has another shape, the numbers of examples
                differ, there is neither prompt nor modality, or a prompt is empty, too long or holds a word
                that the model has never seen.
        """
        arrays = {name: self._checked(name, np.asarray(values)) for name, values in inputs.items()}
        counts = {name: len(array) for name, array in arrays.items()}
        if prompts is None and not counts:
            raise ValueError("expected a prompt, or a modality that asks; got neither")
        if prompts is not None and not isinstance(prompts, str):
            counts["prompts"] = len(prompts)
        count = max(counts.values(), default=1)
        if any(number != count for number in counts.values()):
            raise ValueError(f"expected as many prompts as examples of each modality, got {counts}")
        if not count:
            return []
        if prompts is None:
            arrays["prompt"] = np.full((count, self.settings.prompt_length), PAD_ID, dtype=np.int32)
        else:
            prompts = [prompts] * count if isinstance(prompts, str) else list(prompts)
            arrays["prompt"] = self.encode_prompts(prompts)
        # A sample depends on its number, not on its batch.
        arrays["example"] = np.arange(count, dtype=np.int32)
        # Past Keras's attribute tracking: a writer holds this model, which must not hold it back.
        writers = self.__dict__.setdefault("_writers", {})
        if choose not in writers:
            writers[choose] = decoding.Writer(self, choose)
            writers[choose].compile(jit_compile=False)
        if count <= batch_size:  # what predict does around a batch takes longer than one question
            answers = writers[choose].predict_on_batch(arrays)
        else:
            answers = writers[choose].predict(arrays, batch_size=batch_size, verbose=0)
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
