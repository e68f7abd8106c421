"""Attention in NumPy: scores, gradients, masks, heads (notebook 37), the block and positions (notebook 38).

Sources: Vaswani et al. (2017), "Attention Is All You Need", equation 1 and sections 3.2 to 3.5; for rotary
positions Su et al. (2021), "RoFormer", section 3.2. The Keras layers are in :mod:`mmcourse.layers`.
"""

from collections.abc import Sequence

import numpy as np


def softmax(scores: np.ndarray) -> np.ndarray:
    """``exp(score) / Σ exp(score)`` along the last axis; a score of ``-inf`` gets exactly 0."""
    scores = scores - scores.max(axis=-1, keepdims=True)  # the softmax is the same, exp cannot overflow
    weights = np.exp(scores)
    return weights / weights.sum(axis=-1, keepdims=True)


def scaled_dot_product_attention(
    queries: np.ndarray, keys: np.ndarray, values: np.ndarray, mask: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Attention in NumPy: ``softmax(queries · keysᵀ / √d_k) · values``.

    Args:
        queries: ``(..., query_tokens, d_k)``.
        keys: ``(..., key_tokens, d_k)``.
        values: ``(..., key_tokens, d_v)``.
        mask: boolean, broadcast to ``(..., query_tokens, key_tokens)``; True where a query may look.

    Returns:
        ``(output, weights)`` of shapes ``(..., query_tokens, d_v)`` and ``(..., query_tokens, key_tokens)``.

    Raises:
        ValueError: the shapes do not fit, the mask is not boolean, or a query has no key to look at.
    """
    for name, array in (("queries", queries), ("keys", keys), ("values", values)):
        if np.ndim(array) < 2:
            raise ValueError(f"{name} must be (..., tokens, width), got the shape {np.shape(array)}")
    if queries.shape[-1] != keys.shape[-1]:
        raise ValueError(
            f"queries and keys need one width, got {queries.shape[-1]} (queries {queries.shape}) "
            f"and {keys.shape[-1]} (keys {keys.shape})"
        )
    if keys.shape[-2] != values.shape[-2]:
        raise ValueError(
            f"every key needs a value, got {keys.shape[-2]} keys {keys.shape} "
            f"and {values.shape[-2]} values {values.shape}"
        )
    scores = queries @ np.swapaxes(keys, -1, -2) / np.sqrt(keys.shape[-1])
    if mask is not None:
        scores = np.where(_checked_mask(mask, scores.shape), scores, -np.inf)
    weights = softmax(scores)
    return weights @ values, weights


def _checked_mask(mask: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The mask, broadcast to the shape of the scores."""
    mask = np.asarray(mask)
    if mask.dtype != bool:
        raise ValueError(f"mask must be boolean, True where a query may look; got the dtype {mask.dtype}")
    try:
        mask = np.broadcast_to(mask, shape)
    except ValueError:
        raise ValueError(
            f"mask must fit the scores (..., query_tokens, key_tokens) = {shape}, got the shape {mask.shape}"
        ) from None
    if not mask.any(axis=-1).all():
        raise ValueError(
            "mask leaves a query without a key: a row is all False; expected at least one True in each row"
        )
    return mask


def attention_gradients(
    queries: np.ndarray,
    keys: np.ndarray,
    values: np.ndarray,
    output_gradient: np.ndarray,
    mask: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Backpropagation through :func:`scaled_dot_product_attention`.

    Args:
        queries, keys, values, mask: as there, the three arrays with the same leading axes.
        output_gradient: gradient of the loss by the output, ``(..., query_tokens, d_v)``.

    Returns:
        The gradients by queries, keys and values, each of its argument's shape.

    Raises:
        ValueError: as there, or ``output_gradient`` is not of the output's shape.
    """
    output, weights = scaled_dot_product_attention(queries, keys, values, mask)
    if output_gradient.shape != output.shape:
        raise ValueError(f"output_gradient must be {output.shape}, got {output_gradient.shape}")
    by_weights = output_gradient @ np.swapaxes(values, -1, -2)  # (..., query_tokens, key_tokens)
    # The softmax: a score gains by what its value gives above the mean of the row.
    by_scores = weights * (by_weights - (by_weights * weights).sum(axis=-1, keepdims=True))
    by_scores = by_scores / np.sqrt(keys.shape[-1])
    return (
        by_scores @ keys,
        np.swapaxes(by_scores, -1, -2) @ queries,
        np.swapaxes(weights, -1, -2) @ output_gradient,
    )


def multi_head_attention(
    tokens: np.ndarray, context: np.ndarray, weights: Sequence[np.ndarray], mask: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Several attentions side by side, in NumPy (Vaswani et al., 2017, section 3.2.2).

    Args:
        tokens: ``(batch, query_tokens, width)``, what the queries are made of.
        context: ``(batch, key_tokens, context_width)``, what keys and values are made of; the tokens
            themselves for self-attention.
        weights: as ``keras.layers.MultiHeadAttention.get_weights()`` gives them: kernel ``(width, heads, d)``
            and bias ``(heads, d)`` of queries, of keys and of values, then kernel ``(heads, d_v, width)`` and
            bias ``(width,)`` of the output.
        mask: boolean, broadcast to ``(batch, query_tokens, key_tokens)``; True where a query may look.

    Returns:
        ``(output, weights)``: ``(batch, query_tokens, width)`` and ``(batch, heads, query_tokens,
        key_tokens)``.

    Raises:
        ValueError: there are not eight weights, or shapes do not fit.
    """
    if len(weights) != 8:
        raise ValueError(f"weights must be four kernels and biases in turn; got {len(weights)} arrays")
    for name, array, kernel in (("tokens", tokens, weights[0]), ("context", context, weights[2])):
        if array.ndim != 3 or array.shape[-1] != kernel.shape[0]:
            raise ValueError(
                f"{name} must be (batch, tokens, {kernel.shape[0]}), got the shape {array.shape}"
            )
    queries, keys, values = (
        np.einsum("btw,whd->bhtd", array, kernel) + bias[:, None]  # (batch, heads, tokens, d)
        for array, kernel, bias in zip(
            (tokens, context, context), weights[0:6:2], weights[1:6:2], strict=True
        )
    )
    if mask is not None and np.ndim(mask) == 3:
        mask = mask[:, None]  # the same for every head
    output, shares = scaled_dot_product_attention(queries, keys, values, mask)
    return np.einsum("bhtd,hdw->btw", output, weights[6]) + weights[7], shares


def layer_normalisation(
    tokens: np.ndarray,
    scale: np.ndarray | float = 1.0,
    shift: np.ndarray | float = 0.0,
    epsilon: float = 1e-6,
) -> np.ndarray:
    """Bring each token ``(..., width)`` to mean 0 and variance 1, then scale and shift (Ba et al., 2016)."""
    centred = tokens - tokens.mean(axis=-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + epsilon) * scale + shift


def transformer_block(
    tokens: np.ndarray, weights: Sequence[np.ndarray], heads: int, mask: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """A block of :class:`mmcourse.layers.TransformerBlock` in NumPy, with the attention weights that it used.

    Args:
        tokens: ``(batch, tokens, width)``.
        weights: as the layer's ``get_weights()`` gives them, without cross-attention: kernel and bias of the
            fused queries, keys and values and of the output; scale and shift of the two normalisations;
            kernel and bias of the network's two layers.
        heads: number of heads.
        mask: boolean, broadcast to ``(batch, heads, tokens, tokens)``; True where a token may look.

    Returns:
        ``(output, weights)``: ``(batch, tokens, width)`` and ``(batch, heads, tokens, tokens)``.

    Raises:
        ValueError: there are not twelve weights, or shapes do not fit.
    """
    if len(weights) != 12:
        raise ValueError(f"weights must be the twelve arrays of a block, got {len(weights)}")
    scale, shift = weights[4:6]
    joint = layer_normalisation(tokens, scale, shift) @ weights[0] + weights[1]  # (batch, tokens, 3 * width)
    queries, keys, values = joint.reshape(*tokens.shape[:2], 3, heads, -1).transpose(2, 0, 3, 1, 4)
    mixed, shares = scaled_dot_product_attention(queries, keys, values, mask)
    mixed = mixed.transpose(0, 2, 1, 3).reshape(tokens.shape)  # (batch, tokens, width)
    tokens = tokens + mixed @ weights[2] + weights[3]
    scale, shift = weights[6:8]
    hidden = gelu(layer_normalisation(tokens, scale, shift) @ weights[8] + weights[9])
    return tokens + hidden @ weights[10] + weights[11], shares


def gelu(scores: np.ndarray) -> np.ndarray:
    """A smooth relative of the ReLU, in its form with tanh (Hendrycks and Gimpel, 2016)."""
    return scores / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (scores + 0.044715 * scores**3)))


def sinusoidal_positions(length: int, width: int) -> np.ndarray:
    """A vector for each position: sines and cosines of ever longer periods (Vaswani et al., 2017, 3.5).

    Returns:
        ``float64`` ``(length, width)``: column 2i is ``sin(position / 10000^(2i / width))``, column
        2i + 1 the cosine of the same angle.

    Raises:
        ValueError: the length is below 1, or the width is not even and positive.
    """
    if length < 1:
        raise ValueError(f"length must be 1 or more, got {length}")
    angles = np.arange(length)[:, None] * _angular_speeds(width)
    return np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(length, width)


def rotary(vectors: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Turn each pair of numbers of a query or key by an angle that grows with its position (Su et al., 2021).

    The scalar product of a turned query and a turned key depends on the distance of their positions only.

    Args:
        vectors: queries or keys ``(..., tokens, width)``.
        positions: one for each token, ``(tokens,)``.

    Returns:
        The turned vectors, of the same shape: pair (2i, 2i + 1) by ``position / 10000^(2i / width)`` radians.

    Raises:
        ValueError: the width is not even, or there is not one position for each token.
    """
    positions = np.asarray(positions)
    if positions.shape != vectors.shape[-2:-1]:
        raise ValueError(
            f"positions must be one for each token, {vectors.shape[-2:-1]}, got {positions.shape}"
        )
    angles = positions[:, None] * _angular_speeds(vectors.shape[-1])  # (tokens, width / 2)
    even, odd = vectors[..., 0::2], vectors[..., 1::2]
    turned = (even * np.cos(angles) - odd * np.sin(angles), even * np.sin(angles) + odd * np.cos(angles))
    return np.stack(turned, axis=-1).reshape(vectors.shape)


def _angular_speeds(width: int) -> np.ndarray:
    if width < 2 or width % 2:
        raise ValueError(f"width must be even and positive, since two numbers make a pair; got {width}")
    return 10000.0 ** (-np.arange(0, width, 2) / width)


def causal_mask(queries: int, keys: int | None = None) -> np.ndarray:
    """Each query sees its own position and those before it.

    Args:
        queries: number of queries.
        keys: number of keys, the same by default. With more keys than queries, as with a cache, the last
            query is at the last key.

    Returns:
        Boolean ``(queries, keys)``: row looks at column.

    Raises:
        ValueError: no query, or fewer keys than queries.
    """
    keys = queries if keys is None else keys
    if not 1 <= queries <= keys:
        raise ValueError(f"queries must be 1 to {keys} (the keys), got {queries}")
    return np.tril(np.ones((queries, keys), dtype=bool), keys - queries)


def padding_mask(lengths: Sequence[int], total: int) -> np.ndarray:
    """Padding is hidden from all.

    Args:
        lengths: number of real tokens of each sequence, which come first.
        total: length of a sequence, padding included.

    Returns:
        Boolean ``(batch, 1, total)``, which broadcasts over the queries; ``&`` joins it with another mask.

    Raises:
        ValueError: a length is not 1 to ``total``.
    """
    lengths = np.asarray(lengths)
    if lengths.ndim != 1 or not ((1 <= lengths) & (lengths <= total)).all():
        raise ValueError(f"lengths must be numbers from 1 to {total} (total), got {lengths.tolist()}")
    return (np.arange(total) < lengths[:, None])[:, None, :]
