"""The multimodal text generator: a picture and a prompt in, a text out.

One causal decoder reads ``[image tokens][prompt tokens][answer tokens]``. The picture and the prompt form a
prefix that sees itself in both directions; the answer is written token by token (the prefix language model
of Raffel et al., 2020; image tokens in the prefix as in Beyer et al., 2024, PaliGemma).
"""

import keras
import numpy as np
from keras import ops

from mmcourse.encoders.image import ImageEncoder
from mmcourse.layers.attention import prefix_mask
from mmcourse.layers.transformer import TransformerBlock
from mmcourse.text import END, PAD, SPECIAL_TOKENS, START, Vocabulary


@keras.saving.register_keras_serializable("mmcourse")
class MultimodalGenerator(keras.Model):
    """Reads a picture and a prompt, writes an answer.

    Called with ``{"image", "prompt", "answer"}`` of shapes ``(batch, size, size, 3)``, ``(batch,
    prompt_length)`` and ``(batch, answer_length)`` it returns the logits of each answer token given the
    true ones before it: ``(batch, answer_length, vocabulary)``. Compile it with :func:`answer_loss`.
    :meth:`generate` writes answers.

    Args:
        tokens: the ordinary tokens of its vocabulary, see :class:`mmcourse.text.Vocabulary`.
        image_size, channels: of the :class:`ImageEncoder`.
        width, heads, depth, hidden: of the decoder's tokens, its attention, its blocks, their networks.
        prompt_length, answer_length: most tokens of a prompt and of an answer with its end token.
        dropout: as in :class:`mmcourse.layers.transformer.TransformerBlock`.
    """

    def __init__(
        self,
        tokens,
        image_size: int = 64,
        channels=(32, 64, 96),
        width: int = 128,
        heads: int = 4,
        depth: int = 3,
        hidden: int = 384,
        prompt_length: int = 8,
        answer_length: int = 24,
        dropout: float = 0.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.vocabulary = Vocabulary(tokens)
        self.settings = {
            "tokens": list(tokens),
            "image_size": image_size,
            "channels": list(channels),
            "width": width,
            "heads": heads,
            "depth": depth,
            "hidden": hidden,
            "prompt_length": prompt_length,
            "answer_length": answer_length,
            "dropout": dropout,
        }
        self.image_size, self.width = image_size, width
        self.prompt_length, self.answer_length = prompt_length, answer_length
        self.image_encoder = ImageEncoder(
            image_size, channels, width, dtype=self.dtype_policy, name="image_encoder"
        )
        self.token_embedding = keras.layers.Embedding(
            len(self.vocabulary),
            width,
            embeddings_initializer="normal",
            dtype=self.dtype_policy,
            name="token_embedding",
        )
        self.blocks = [
            TransformerBlock(heads, width, hidden, dropout, dtype=self.dtype_policy, name=f"block_{i}")
            for i in range(depth)
        ]
        self.final_norm = keras.layers.LayerNormalization(
            epsilon=1e-6, dtype=self.dtype_policy, name="final_norm"
        )
        self.to_logits = keras.layers.Dense(len(self.vocabulary), dtype=self.dtype_policy, name="to_logits")
        self.prefix_length = self.image_encoder.tokens + prompt_length
        self.total_length = self.prefix_length + answer_length

    def build(self, shapes=None):
        self.image_encoder.build((None, self.image_size, self.image_size, 3))
        self.token_embedding.build((None, None))
        for block in self.blocks:
            block.build((None, None, self.width))
        self.final_norm.build((None, None, self.width))
        self.to_logits.build((None, None, self.width))
        self.text_position = self.add_weight(
            shape=(self.prompt_length + self.answer_length, self.width),
            initializer=keras.initializers.RandomNormal(stddev=0.02),
            name="text_position",
        )

    def get_config(self):
        return {**super().get_config(), **self.settings}

    def embed_prefix(self, image, prompt, training=False):
        """Image and prompt tokens, ``(batch, prefix, width)``, and which of them are no padding."""
        image_tokens = self.image_encoder(image, training=training)
        position = ops.cast(self.text_position[: self.prompt_length], self.compute_dtype)
        prompt_tokens = self.token_embedding(prompt) + position
        real = ops.concatenate(
            [ops.ones_like(image_tokens[:, :, 0], dtype="bool"), ops.not_equal(prompt, 0)], axis=1
        )
        return ops.concatenate([image_tokens, prompt_tokens], axis=1), real

    def call(self, inputs, training=False):
        answer = ops.cast(inputs["answer"], "int32")
        # Shift right: the token at each place is predicted from those before it, the first from START.
        start = ops.full_like(answer[:, :1], SPECIAL_TOKENS.index(START))
        known = ops.concatenate([start, answer[:, :-1]], axis=1)
        prefix, real = self.embed_prefix(inputs["image"], inputs["prompt"], training)
        position = ops.cast(self.text_position[self.prompt_length :], self.compute_dtype)
        hidden = ops.concatenate([prefix, self.token_embedding(known) + position], axis=1)
        mask = prefix_mask(real, self.answer_length)
        for block in self.blocks:
            hidden = block(hidden, attention_mask=mask, training=training)
        return self.to_logits(self.final_norm(hidden[:, self.prefix_length :]))

    def write(self, image, prompt):
        """Write an answer greedily: token ids ``(batch, answer_length)``, padded with 0 after the end token.

        The prefix is read once and its keys and values are kept; each further token costs one step over
        the cache. All of it is one ``while_loop``, so that a compiler sees the whole.
        """
        prefix, real = self.embed_prefix(image, ops.cast(prompt, "int32"))
        hidden, caches = prefix, []
        for block in self.blocks:
            hidden, cache = block.fill(hidden, real[:, None, None, :], self.total_length)
            caches.append(cache)
        batch = ops.shape(prompt)[0]
        places = ops.arange(self.answer_length)
        positions = ops.convert_to_tensor(self.text_position)

        def step(place, token, finished, answer, *caches):
            position = ops.slice(positions, (self.prompt_length + place, 0), (1, self.width))
            hidden = self.token_embedding(token[:, None]) + ops.cast(position, self.compute_dtype)
            written = ops.broadcast_to(places <= place, (batch, self.answer_length))
            mask = ops.concatenate([real, written], axis=1)[:, None, None, :]
            kept = []
            for block, cache in zip(self.blocks, caches, strict=True):
                hidden, cache = block.step(hidden, mask, cache, self.prefix_length + place)
                kept.append(cache)
            logits = self.to_logits(self.final_norm(hidden[:, 0]))
            token = ops.where(finished, SPECIAL_TOKENS.index(PAD), ops.argmax(logits, axis=-1))
            token = ops.cast(token, "int32")
            answer = ops.slice_update(answer, (0, place), token[:, None])
            finished = finished | ops.equal(token, SPECIAL_TOKENS.index(END))
            return place + 1, token, finished, answer, *kept

        start = (
            ops.convert_to_tensor(0, dtype="int32"),
            ops.full((batch,), SPECIAL_TOKENS.index(START), dtype="int32"),
            ops.zeros((batch,), dtype="bool"),
            ops.zeros((batch, self.answer_length), dtype="int32"),
            *caches,
        )
        return ops.while_loop(
            lambda place, token, finished, *_: (
                (place < self.answer_length) & ops.logical_not(ops.all(finished))
            ),
            step,
            start,
        )[3]

    def generate(self, images, prompts, batch_size: int = 256) -> list[str]:
        """Answer a prompt about each picture.

        Args:
            images: ``(pictures, size, size, 3)``, values 0–255.
            prompts: one text for all pictures, or one for each.

        Returns:
            One text a picture.

        Raises:
            ValueError: the pictures have another shape, or a prompt is empty, too long or holds a word
                that the model has never seen.
        """
        images = np.asarray(images)
        expected = (self.image_size, self.image_size, 3)
        if images.ndim != 4 or images.shape[1:] != expected:
            raise ValueError(
                f"images must be (pictures, {self.image_size}, {self.image_size}, 3), got {images.shape}"
            )
        prompts = [prompts] * len(images) if isinstance(prompts, str) else list(prompts)
        if len(prompts) != len(images):
            raise ValueError(f"got {len(prompts)} prompts for {len(images)} pictures")
        if not prompts:
            return []
        token_ids = self.encode_prompts(prompts)
        answers = self._compiled_writer().predict(
            {"image": images, "prompt": token_ids}, batch_size=batch_size, verbose=0
        )
        return self.vocabulary.decode(answers)

    def _compiled_writer(self):
        # Kept past Keras's attribute tracking: the writer holds this model, which must not hold it back.
        if "_writer" not in self.__dict__:
            writer = Writer(self)
            writer.compile(jit_compile=False)
            self.__dict__["_writer"] = writer
        return self.__dict__["_writer"]

    def encode_prompts(self, prompts: list[str]) -> np.ndarray:
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
        return self.vocabulary.encode(prompts, self.prompt_length)


class Writer(keras.Model):
    """Wraps :meth:`MultimodalGenerator.write` so that ``predict`` compiles and batches it on any backend."""

    def __init__(self, generator):
        super().__init__(dtype=generator.dtype_policy)
        self.generator = generator

    def call(self, inputs):
        return self.generator.write(inputs["image"], inputs["prompt"])


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
    real = ops.cast(ops.not_equal(answers, 0), losses.dtype)
    return ops.sum(losses * real) / ops.maximum(ops.sum(real), 1.0)
