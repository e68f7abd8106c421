"""One space for pictures, names and speech (notebook 48): contrastive losses, towers, and recall.

Two towers turn two modalities into vectors of one width, and a contrastive loss draws together what belongs
together. Sources: van den Oord et al. (2018) for InfoNCE; Radford et al. (2021), figure 3, for the symmetric
form with a learned temperature; Zhai et al. (2023) for the sigmoid loss.
"""

import math
from collections.abc import Callable, Sequence

import keras
import numpy as np
from keras import ops

from mmcourse.layers.patches import cut_patches
from mmcourse.layers.transformer import TransformerBlock
from mmcourse.text import PAD_ID, SPECIAL_TOKENS, UNKNOWN_ID, Vocabulary

SHARPEST = 100.0  # the similarities are never multiplied by more (Radford et al., 2021, section 2.5)
HIDDEN = -1e9  # logit of a pair that is not to count


def info_nce(image_vectors, text_vectors, temperature=0.07, same=None):
    """The symmetric InfoNCE loss of a batch of pairs: row i of one side belongs to row i of the other.

    The vectors are brought to length 1 here. Their cosines divided by the temperature are the logits of two
    classifications, which text each picture has and which picture each text has; the loss is the mean of
    their cross-entropies (Radford et al., 2021, figure 3).

    Args:
        image_vectors, text_vectors: floating-point ``(pairs, width)``, of any length but zero.
        temperature: above 0; a number or a scalar tensor.
        same: boolean ``(pairs, pairs)``, True where a picture and a text of different rows fit each other as
            well. They are left out of the sums. The diagonal always counts.

    Returns:
        A scalar tensor, ``log(pairs)`` when all cosines are equal.

    Raises:
        ValueError: the shapes do not fit, or the temperature is not above 0.
    """
    return ops.mean(cross_entropies(_cosines(image_vectors, text_vectors) / _checked(temperature), same))


def sigmoid_loss(image_vectors, text_vectors, temperature=0.1, bias=-10.0, same=None):
    """SigLIP's loss: each of the ``pairs ** 2`` cells is a question of its own, do these two fit?

    With t = 1 / temperature and z = 1 on the diagonal, -1 elsewhere, it is the sum over all cells of
    ``-log(sigmoid(z * (t * cosine + bias)))``, divided by the number of pairs (Zhai et al., 2023, section
    3.2, which begins with t = 10 and a bias of -10).

    Args:
        image_vectors, text_vectors, temperature, same: see :func:`info_nce`.
        bias: added to every logit.

    Raises:
        ValueError: see :func:`info_nce`.
    """
    logits = _cosines(image_vectors, text_vectors) / _checked(temperature) + bias
    eye = ops.eye(logits.shape[0], dtype=logits.dtype)
    losses = ops.softplus(logits * (1 - 2 * eye))  # -log sigmoid(x) is softplus(-x)
    if same is not None:
        losses = ops.where(ops.logical_or(ops.logical_not(same), eye > 0), losses, ops.zeros_like(losses))
    return ops.sum(losses) / logits.shape[0]


def cross_entropies(logits, same=None):
    """For each pair, the mean of the cross-entropies of its row and of its column: ``(pairs,)``.

    Args:
        logits: ``(pairs, pairs)``, what belongs together on the diagonal.
        same: see :func:`info_nce`.
    """
    right = ops.diagonal(logits)
    if same is not None:
        eye = ops.eye(logits.shape[0], dtype="bool")
        wrong_negative = ops.logical_and(same, ops.logical_not(eye))
        logits = ops.where(wrong_negative, ops.full_like(logits, HIDDEN), logits)
    return (ops.logsumexp(logits, axis=1) + ops.logsumexp(logits, axis=0)) / 2 - right


def recall_at(k: int) -> Callable[..., float]:
    """The metric Recall@k: the share of queries whose match is among the first ``k`` candidates.

    Ties count against the model: a candidate that is as near as the match stands before it. So a model that
    gives every pair the same similarity finds nothing.

    Returns:
        A function ``(similarities, truth=None)``. ``similarities`` is ``(queries, candidates)``; hand over
        the transposed matrix to ask the other way round. ``truth`` is the number of each query's match
        ``(queries,)``, or a boolean array ``(queries, candidates)`` where several match; without it query i
        matches candidate i.

    Raises:
        ValueError: ``k`` below 1; when called, shapes that do not fit, values that are not numbers, or a
            query without a match.
    """
    if not isinstance(k, int | np.integer) or k < 1:
        raise ValueError(f"k must be a whole number above 0, got {k!r}")

    def recall(similarities, truth=None) -> float:
        return float(np.mean(ranks(similarities, truth) <= k))

    return recall


def ranks(similarities, truth=None) -> np.ndarray:
    """The place of each query's best match among the candidates that do not match, counted from 1.

    Args:
        similarities, truth: see :func:`recall_at`.

    Returns:
        ``int64`` ``(queries,)``.
    """
    similarities = np.asarray(similarities)
    if similarities.ndim != 2 or 0 in similarities.shape:
        raise ValueError(f"similarities must be (queries, candidates), got the shape {similarities.shape}")
    if np.isnan(similarities).any():
        raise ValueError("similarities hold values that are not numbers (NaN); look at the vectors")
    queries, candidates = similarities.shape
    if truth is None:
        if queries != candidates:
            raise ValueError(
                f"{queries} queries and {candidates} candidates do not pair off one by one: give the truth"
            )
        truth = np.arange(queries)
    truth = np.asarray(truth)
    if truth.dtype != bool:
        if truth.shape != (queries,) or truth.min() < 0 or truth.max() >= candidates:
            raise ValueError(
                f"truth must hold {queries} numbers from 0 to {candidates - 1}, or be boolean "
                f"({queries}, {candidates}); got {truth.dtype} of the shape {truth.shape}"
            )
        truth = np.arange(candidates) == truth[:, None]
    if truth.shape != similarities.shape or not truth.any(axis=1).all():
        raise ValueError(
            f"a boolean truth must be {similarities.shape} with a match in each row, got the shape "
            f"{truth.shape}"
        )
    best = np.where(truth, similarities, -np.inf).max(axis=1, keepdims=True)
    return 1 + (~truth & (similarities >= best)).sum(axis=1)


@keras.saving.register_keras_serializable("mmcourse")
class PictureTower(keras.layers.Layer):
    """Pictures ``(batch, side, side, 3)`` with values 0–255 to vectors ``(batch, output)``.

    Two views of a picture lie side by side: what is in it, wherever it is (a small network looks at each
    patch on its own, and the mean over the patches is kept; Zaheer et al., 2017), and where it is (the mean
    colour of each patch, in order). A linear layer and a network with one hidden layer read both, and are
    added.

    Args:
        side: of a picture in pixels.
        patch: side of a patch in pixels; divides ``side``.
        width: of the mean over the patches.
        hidden: of the network that reads both views.
        output: width of the common space.
    """

    def __init__(self, side: int, patch: int, width: int, hidden: int, output: int, **kwargs):
        super().__init__(**kwargs)
        if patch < 1 or side % patch:
            raise ValueError(f"patch must divide side, got patches of {patch} for {side} pixels")
        self.size = {"side": side, "patch": patch, "width": width, "hidden": hidden, "output": output}
        kept = {"dtype": self.dtype_policy}
        self.look = keras.layers.Dense(width // 2, activation=_gelu, name="look", **kept)
        self.look_again = keras.layers.Dense(width, activation=_gelu, name="look_again", **kept)
        self.mix = _Mix(hidden, output, name="mix", **kept)

    def build(self, shape=None):
        side, patch, width = (self.size[name] for name in ("side", "patch", "width"))
        tokens = (side // patch) ** 2
        self.look.build((None, tokens, 3 * patch**2))
        self.look_again.build((None, tokens, width // 2))
        self.mix.build((None, width + 3 * tokens))

    def call(self, inputs, training=False):
        patch = self.size["patch"]
        pixels = ops.cast(inputs, self.compute_dtype) / 127.5 - 1.0
        patches = cut_patches(pixels, patch)  # (batch, tokens, 3 * patch ** 2)
        what = ops.mean(self.look_again(self.look(patches)), axis=1)  # (batch, width)
        tokens = patches.shape[1]
        where = ops.mean(ops.reshape(patches, (-1, tokens, patch**2, 3)), axis=2)  # (batch, tokens, 3)
        where = ops.reshape(where, (-1, 3 * tokens))
        return self.mix(ops.concatenate([what, where], axis=1))

    def get_config(self):
        return {**super().get_config(), **self.size}


@keras.saving.register_keras_serializable("mmcourse")
class TextTower(keras.layers.Layer):
    """Token ids ``(batch, length)``, 0 for padding, to vectors ``(batch, output)``.

    The vectors of the words are added, so that their order is lost; words that are not in the vocabulary add
    nothing. A linear layer and a network with one hidden layer read the sum.

    Args:
        tokens: the ordinary words of the vocabulary, see :class:`mmcourse.text.Vocabulary`.
        length: most tokens of a text.
        width: of a word's vector.
        hidden, output: see :class:`PictureTower`.
    """

    def __init__(self, tokens: Sequence[str], length: int, width: int, hidden: int, output: int, **kwargs):
        super().__init__(**kwargs)
        self.vocabulary = Vocabulary(tokens)
        self.size = {"length": length, "width": width, "hidden": hidden, "output": output}
        kept = {"dtype": self.dtype_policy}
        self.words = keras.layers.Embedding(
            len(self.vocabulary),
            width,
            embeddings_initializer=keras.initializers.RandomNormal(stddev=0.1),
            name="words",
            **kept,
        )
        self.mix = _Mix(hidden, output, name="mix", **kept)

    def build(self, shape=None):
        self.words.build((None, self.size["length"]))
        self.mix.build((None, self.size["width"]))

    def call(self, inputs, training=False):
        real = ops.logical_and(ops.not_equal(inputs, PAD_ID), ops.not_equal(inputs, UNKNOWN_ID))
        real = ops.cast(real, self.compute_dtype)[:, :, None]
        return self.mix(ops.sum(self.words(inputs) * real, axis=1))

    def token_ids(self, texts: Sequence[str]) -> np.ndarray:
        """``int32`` ``(texts, length)``.

        Raises:
            ValueError: a text is empty or too long.
        """
        for text in texts:
            if not text.strip():
                raise ValueError("a text is empty: it has no place in the space")
        return self.vocabulary.encode(texts, self.size["length"])

    def get_config(self):
        ordinary = list(self.vocabulary.tokens[len(SPECIAL_TOKENS) :])
        return {**super().get_config(), **self.size, "tokens": ordinary}


@keras.saving.register_keras_serializable("mmcourse")
class SoundTower(keras.layers.Layer):
    """Standardised log-mel frames ``(batch, frames, mels)`` to vectors; frames of zeros are padding.

    Four frames make a token; the mean of the tokens that a Transformer returns is the sound's vector.

    Args:
        frames: of the longest sound, a multiple of 4.
        mels: bands of a frame.
        width, heads, hidden: see :class:`mmcourse.layers.transformer.TransformerBlock`.
        depth: number of blocks.
        output: width of the common space.
    """

    def __init__(
        self, frames: int, mels: int, width: int, heads: int, depth: int, hidden: int, output: int, **kwargs
    ):
        super().__init__(**kwargs)
        if frames < 4 or frames % 4:
            raise ValueError(f"frames must be a multiple of 4, got {frames}")
        self.size = {"frames": frames, "mels": mels, "width": width, "heads": heads}
        self.size |= {"depth": depth, "hidden": hidden, "output": output}
        kept = {"dtype": self.dtype_policy}
        self.to_tokens = keras.layers.Dense(width, name="to_tokens", **kept)
        self.blocks = [
            TransformerBlock(heads, width, hidden, name=f"block_{i}", **kept) for i in range(depth)
        ]
        self.norm = keras.layers.LayerNormalization(epsilon=1e-6, name="norm", **kept)
        self.project = keras.layers.Dense(output, use_bias=False, name="project", **kept)

    def build(self, shape=None):
        tokens, width = self.size["frames"] // 4, self.size["width"]
        self.to_tokens.build((None, tokens, 4 * self.size["mels"]))
        near_zero = keras.initializers.RandomNormal(stddev=0.02)
        self.position = self.add_weight(shape=(tokens, width), initializer=near_zero, name="position")
        for layer in (*self.blocks, self.norm):
            layer.build((None, tokens, width))
        self.project.build((None, width))

    def call(self, inputs, training=False):
        shape = (-1, self.size["frames"] // 4, 4 * self.size["mels"])
        pieces = ops.reshape(ops.cast(inputs, self.compute_dtype), shape)  # (batch, tokens, 4 * mels)
        real = ops.any(ops.not_equal(pieces, 0), axis=-1)  # (batch, tokens)
        tokens = self.to_tokens(pieces) + ops.cast(self.position, self.compute_dtype)
        for block in self.blocks:
            tokens = block(tokens, real[:, None, None, :], training=training)
        real = ops.cast(real, tokens.dtype)[:, :, None]
        total = ops.sum(self.norm(tokens) * real, axis=1)
        return self.project(total / ops.maximum(ops.sum(real, axis=1), 1))

    def get_config(self):
        return {**super().get_config(), **self.size}


class _Mix(keras.layers.Layer):
    """A linear layer plus a network with one hidden layer: ``(batch, any)`` to ``(batch, output)``."""

    def __init__(self, hidden: int, output: int, **kwargs):
        super().__init__(**kwargs)
        kept = {"dtype": self.dtype_policy}
        self.straight = keras.layers.Dense(output, name="straight", **kept)
        self.bend = keras.layers.Dense(hidden, activation=_gelu, name="bend", **kept)
        self.back = keras.layers.Dense(output, name="back", **kept)

    def build(self, shape):
        self.straight.build(shape)
        self.bend.build(shape)
        self.back.build((None, self.bend.units))

    def call(self, inputs):
        return self.straight(inputs) + self.back(self.bend(inputs))


def _gelu(values):
    return ops.gelu(values, approximate=True)


@keras.saving.register_keras_serializable("mmcourse")
class DualEncoder(keras.Model):
    """Two towers and a learned temperature; compile it with :func:`contrastive_loss`.

    Called with ``{"first": (batch, …), "second": (batch, partners, …)}`` it gives the logits
    ``(batch, partners, batch)``: element i, p, j is the cosine of the first of pair i and the p-th partner of
    pair j, divided by the temperature. A picture may so be paired with names in several languages at once.

    Args:
        first, second: towers, whose vectors have one width. A tower that is not to learn can be
            ``keras.layers.Identity()``, fed with finished vectors (Zhai et al., 2022).
        temperature: with which the training begins.
    """

    def __init__(self, first, second, temperature: float = 0.07, **kwargs):
        super().__init__(**kwargs)
        self.first, self.second, self.start = first, second, float(_checked(temperature))

    def build(self, shape=None):
        for tower in (self.first, self.second):
            if not tower.built:
                tower.build(None)
        start = keras.initializers.Constant(-math.log(self.start))
        self.log_scale = self.add_weight(shape=(), initializer=start, name="log_scale")
        self.built = True

    @property
    def temperature(self) -> float:
        """The temperature as it is now."""
        return 1.0 / min(math.exp(float(ops.convert_to_numpy(self.log_scale))), SHARPEST)

    def call(self, inputs, training=False):
        second = inputs["second"]
        count = second.shape[1]
        flat = ops.reshape(second, (-1, *second.shape[2:]))
        first = ops.normalize(self.first(inputs["first"], training=training), axis=-1)
        partners = ops.normalize(self.second(flat, training=training), axis=-1)
        partners = ops.reshape(partners, (-1, count, partners.shape[-1]))  # (batch, partners, output)
        scale = ops.exp(ops.minimum(self.log_scale, math.log(SHARPEST)))
        return scale * ops.einsum("iw,jpw->ipj", first, partners)

    def encode(self, which: str, inputs, batch: int = 256) -> np.ndarray:
        """Vectors of length 1 from one tower: ``float32`` ``(inputs, output)``.

        Args:
            which: "first" or "second".
            inputs: what that tower reads; texts for a :class:`TextTower`.

        Raises:
            ValueError: no tower of that name.
        """
        if which not in ("first", "second"):
            raise ValueError(f"which must be 'first' or 'second', got {which!r}")
        tower = getattr(self, which)
        if isinstance(tower, TextTower):
            inputs = tower.token_ids(inputs)
        parts = [
            ops.convert_to_numpy(ops.normalize(tower(inputs[start : start + batch]), axis=-1))
            for start in range(0, len(inputs), batch)
        ]
        return np.concatenate(parts).astype(np.float32)

    def get_config(self):
        towers = {name: keras.saving.serialize_keras_object(getattr(self, name)) for name in _TOWERS}
        return {**super().get_config(), **towers, "temperature": self.start}

    @classmethod
    def from_config(cls, config):
        towers = {name: keras.saving.deserialize_keras_object(config[name]) for name in _TOWERS}
        return cls(**{**config, **towers})


_TOWERS = ("first", "second")


@keras.saving.register_keras_serializable("mmcourse")
def contrastive_loss(groups, logits):
    """InfoNCE on what a :class:`DualEncoder` returns: ``(batch,)``, the mean over the partners.

    Args:
        groups: whole numbers ``(batch,)``; pairs of one group fit each other, and are no negatives.
        logits: ``(batch, partners, batch)``.
    """
    groups = ops.reshape(groups, (-1,))
    eye = ops.eye(ops.shape(groups)[0], dtype="bool")
    wrong_negative = ops.logical_and(groups[:, None] == groups[None, :], ops.logical_not(eye))
    right = ops.sum(ops.where(eye[:, None], logits, ops.zeros_like(logits)), axis=2)  # (batch, partners)
    logits = ops.where(wrong_negative[:, None], ops.full_like(logits, HIDDEN), logits)
    columns = ops.transpose(ops.logsumexp(logits, axis=0))  # (batch, partners)
    return ops.mean((ops.logsumexp(logits, axis=2) + columns) / 2 - right, axis=1)


def modality_gap(first: np.ndarray, second: np.ndarray) -> float:
    """The distance between the means of two clouds of vectors of length 1 (Liang et al., 2022, section 4).

    Args:
        first, second: ``(vectors, width)``; they are brought to length 1 here.

    Returns:
        From 0, where the clouds have one centre, to 2, where each is a point opposite the other.

    Raises:
        ValueError: not two matrices of one width.
    """
    first, second = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if first.ndim != 2 or second.ndim != 2 or first.shape[1] != second.shape[1]:
        raise ValueError(
            f"expected two matrices (vectors, width) of one width, got the shapes {first.shape} and "
            f"{second.shape}"
        )
    means = [(v / np.linalg.norm(v, axis=1, keepdims=True)).mean(axis=0) for v in (first, second)]
    return float(np.linalg.norm(means[0] - means[1]))


def _cosines(first, second):
    """Cosines of all rows of one matrix with all rows of the other: ``(pairs, pairs)``."""
    first, second = ops.convert_to_tensor(first), ops.convert_to_tensor(second)
    if len(first.shape) != 2 or first.shape != second.shape:
        raise ValueError(
            f"image_vectors and text_vectors must both be (pairs, width), got the shapes "
            f"{tuple(first.shape)} and {tuple(second.shape)}"
        )
    return ops.normalize(first, axis=-1) @ ops.transpose(ops.normalize(second, axis=-1))


def _checked(temperature):
    if isinstance(temperature, int | float) and not temperature > 0:
        raise ValueError(f"temperature must be above 0, got {temperature}")
    return temperature
