"""Privacy (notebook 84): attacks on membership, training with differential privacy, federated averaging.

All models here are softmax regressions on small pictures of digits: one matrix of weights, whose gradient for
one example is an outer product, so that all can be written down and many models train side by side.
"""

import functools

import numpy as np
from scipy import special

from mmcourse.checks import check_between, check_count, check_positive

CLASSES = 10
ORDERS = np.arange(2, 257)  # orders at which the accountant looks


def features(images: np.ndarray) -> np.ndarray:
    """Pictures as rows of length 1: means of 2 x 2 pixels, scaled, and a constant for the bias.

    Args:
        images: ``uint8`` ``(pictures, height, width)``, even sides, no picture all zero.

    Returns:
        ``float32`` ``(pictures, height * width / 4 + 1)``; each row has the Euclidean norm 1, so that one
        example's gradient is never longer than the square root of 2.

    Raises:
        ValueError: another shape, or a picture without any ink.
    """
    images = np.asarray(images)
    if images.ndim != 3 or images.shape[1] % 2 or images.shape[2] % 2:
        raise ValueError(f"expected pictures (pictures, height, width) with even sides, got {images.shape}")
    count, height, width = images.shape
    small = images.reshape(count, height // 2, 2, width // 2, 2).mean(axis=(2, 4)).reshape(count, -1)
    lengths = np.linalg.norm(small, axis=1, keepdims=True)
    if not lengths.all():
        raise ValueError("a picture is all zero and cannot be scaled; leave it out")
    rows = np.hstack([small / lengths, np.ones((count, 1))]) / np.sqrt(2)
    return rows.astype(np.float32)


def train(
    rows: np.ndarray,
    labels: np.ndarray,
    inside: np.ndarray,
    steps: int,
    rate: float,
    decay: float = 0.0,
    clip: float | None = None,
    noise: float = 0.0,
    sample: float = 1.0,
    momentum: float = 0.9,
    seed: int = 0,
) -> np.ndarray:
    """Train softmax regressions side by side, each on its own choice of the rows.

    With ``clip`` and ``noise`` this is DP-SGD (Abadi et al., 2016, algorithm 1) with Poisson sampling: each
    example's gradient is shortened to ``clip``, their sum gets Gaussian noise of the standard deviation
    ``noise * clip``, and is divided by the *expected* number of examples.

    Args:
        rows: ``float32`` ``(examples, columns)``.
        labels: ``(examples,)``, digits from 0 to 9.
        inside: bool ``(models, examples)``: which examples each model may see; equally many for each model.
        steps, rate, momentum: of gradient descent.
        decay: weight decay, added to the gradient.
        clip: longest gradient of one example, or None.
        noise: multiplier of the noise; needs a clip.
        sample: probability with which an example takes part in a step.
        seed: of sampling and noise.

    Returns:
        Weights ``float32`` ``(models, columns, 10)``.

    Raises:
        ValueError: shapes that do not fit, or options outside their range.
    """
    rows, labels, inside = np.asarray(rows, np.float32), np.asarray(labels), np.asarray(inside, bool)
    if rows.ndim != 2 or labels.shape != (len(rows),) or inside.ndim != 2 or inside.shape[1] != len(rows):
        raise ValueError(
            "expected rows (examples, columns), labels (examples,) and inside (models, examples), got "
            f"{rows.shape}, {labels.shape} and {inside.shape}"
        )
    sizes = set(inside.sum(axis=1).tolist())
    if len(sizes) != 1 or 0 in sizes:
        raise ValueError(f"each model needs equally many examples, and one at least; got {sorted(sizes)}")
    check_count("steps", steps)
    check_positive("rate", rate)
    check_between("sample", sample, 1e-9, 1)
    check_between("noise", noise, 0)
    if clip is not None:
        check_positive("clip", clip)
    elif noise:
        raise ValueError(
            "noise without a clip promises nothing: give clip, the longest gradient of one example"
        )
    models, random = len(inside), np.random.default_rng(seed)
    targets = np.eye(CLASSES, dtype=np.float32)[labels][:, None]  # (examples, 1, classes)
    lengths = np.linalg.norm(rows, axis=1)[:, None]
    members = inside.T.astype(np.float32)  # (examples, models)
    weights = np.zeros((rows.shape[1], models * CLASSES), np.float32)
    speed = np.zeros_like(weights)
    for _ in range(steps):
        logits = (rows @ weights).reshape(len(rows), models, CLASSES)
        errors = special.softmax(logits, axis=2) - targets
        share = members if sample == 1 else members * (random.random(members.shape) < sample)
        if clip is not None:  # an example's gradient is row x error, its norm the product of theirs
            share = share * np.minimum(1, clip / (lengths * np.linalg.norm(errors, axis=2) + 1e-12))
        gradient = rows.T @ (errors * share[:, :, None].astype(np.float32)).reshape(len(rows), -1)
        if noise:
            gradient += np.float32(noise * clip) * random.standard_normal(gradient.shape).astype(np.float32)
        gradient = gradient / np.float32(sample * min(sizes)) + np.float32(decay) * weights
        speed = np.float32(momentum) * speed - np.float32(rate) * gradient
        weights = weights + speed
    return weights.reshape(-1, models, CLASSES).transpose(1, 0, 2)


def losses(weights: np.ndarray, rows: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Cross-entropy of each example under each model, in nats.

    Args:
        weights: ``(models, columns, classes)``.
        rows: ``(examples, columns)``.
        labels: ``(examples,)``.

    Returns:
        ``(models, examples)``.
    """
    logits = np.einsum("ec,mck->mek", rows, weights, optimize=True).astype(np.float64)
    return special.logsumexp(logits, axis=2) - logits[:, np.arange(len(rows)), labels]


def accuracies(weights: np.ndarray, rows: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Share of the examples that each model names rightly, ``(models,)``; arguments as for :func:`losses`."""
    return np.array([((rows @ one).argmax(axis=1) == labels).mean() for one in weights])


def likelihood_ratio(
    weights: np.ndarray, rows: np.ndarray, labels: np.ndarray, inside: np.ndarray
) -> np.ndarray:
    """Scores of the likelihood-ratio attack of Carlini et al. (2022), high where an example was seen.

    Each model is attacked with the help of all others. The confidence of an example, the logit of the
    probability of its label, is taken as normal, with one mean over the models that saw the example and
    another over those that did not, and one variance for all examples.

    Args:
        weights: ``(models, columns, classes)``, four models or more.
        rows, labels: of all examples.
        inside: bool ``(models, examples)``; each example inside two or more models, and outside two or more.

    Returns:
        Logarithms of likelihood ratios ``(models, examples)``.

    Raises:
        ValueError: an example that is in too many models or in too few.
    """
    inside = np.asarray(inside, bool)
    seen = inside.sum(axis=0)
    if seen.min() < 2 or seen.max() > len(inside) - 2:
        raise ValueError("each example must be inside two models and outside two; train more of them")
    loss = np.maximum(losses(weights, rows, labels), 1e-7)
    logits = -loss - np.log(-np.expm1(-loss))  # log(p / (1 - p)) with p = exp(-loss)
    scores = np.empty_like(logits)
    for target in range(len(inside)):
        others = np.arange(len(inside)) != target
        known, found = inside[others], logits[others]
        with_it = (found * known).sum(axis=0) / known.sum(axis=0)
        without = (found * ~known).sum(axis=0) / (~known).sum(axis=0)
        variance = np.mean((found - np.where(known, with_it, without)) ** 2)
        distance = (logits[target] - without) ** 2 - (logits[target] - with_it) ** 2
        scores[target] = distance / (2 * variance)
    return scores


def true_positive_rate(inside: np.ndarray, scores: np.ndarray, false_positives: float = 0.01) -> float:
    """Share of the members that an attack finds when it wrongly accuses so many of the others.

    Args:
        inside: bool ``(examples,)``.
        scores: ``(examples,)``, high for a member.
        false_positives: share of the non-members that may be accused.

    Raises:
        ValueError: no members, no others, or unequal lengths.
    """
    inside, scores = np.asarray(inside, bool), np.asarray(scores, float)
    if inside.shape != scores.shape or inside.ndim != 1 or not 0 < inside.sum() < len(inside):
        raise ValueError(
            f"expected one score for each example, members and others; got {inside.shape} and {scores.shape}"
        )
    others = np.sort(scores[~inside])[::-1]
    allowed = int(false_positives * len(others) + 1e-9)
    return float((scores[inside] > others[allowed]).mean()) if allowed < len(others) else 1.0


@functools.cache
def renyi(sample: float, noise: float, order: int) -> float:
    """Rényi divergence that one noisy step gives away (Mironov, Talwar and Zhang, 2019, section 3.3).

    Args:
        sample: probability with which an example takes part.
        noise: standard deviation of the noise, in multiples of the clip.
        order: a whole number of at least 2.

    Raises:
        ValueError: an option outside its range.
    """
    check_between("sample", sample, 0, 1)
    check_positive("noise", noise)
    check_count("order", order, 2)
    if sample == 1:
        return order / (2 * noise**2)
    k = np.arange(order + 1)
    chosen = special.gammaln(order + 1) - special.gammaln(k + 1) - special.gammaln(order - k + 1)
    drawn = special.xlogy(k, sample) + special.xlog1py(order - k, -sample)
    return max(0.0, float(special.logsumexp(chosen + drawn + (k * k - k) / (2 * noise**2)) / (order - 1)))


def epsilon(sample: float, noise: float, steps: int, delta: float) -> float:
    """The ε of so many steps of DP-SGD at a given δ, when one example is added or taken away.

    Steps add up in each order; they are turned into ε by Canonne, Kamath and Steinke (2020,
    proposition 12), and the best order counts.

    Raises:
        ValueError: an option outside its range.
    """
    check_count("steps", steps)
    check_between("delta", delta, 1e-300, 1 - 1e-9)
    spent = steps * np.array([renyi(sample, noise, int(order)) for order in ORDERS])
    found = spent + np.log1p(-1 / ORDERS) - (np.log(delta) + np.log(ORDERS)) / (ORDERS - 1)
    return max(0.0, float(found.min()))


def noise_for(wanted: float, sample: float, steps: int, delta: float) -> float:
    """The smallest noise multiplier, to a thousandth upwards, whose :func:`epsilon` is at most ``wanted``.

    Raises:
        ValueError: an option outside its range, or no multiplier below 1000 is enough.
    """
    check_positive("wanted", wanted)
    low, high = 1, 1_000_000  # in thousandths
    if epsilon(sample, high / 1000, steps, delta) > wanted:
        raise ValueError(f"no noise up to {high // 1000} gives an epsilon of {wanted}; take fewer steps")
    while low < high:
        middle = (low + high) // 2
        if epsilon(sample, middle / 1000, steps, delta) <= wanted:
            high = middle
        else:
            low = middle + 1
    return high / 1000


def federated(
    clients: list[tuple[np.ndarray, np.ndarray]], rounds: int, local_steps: int, rate: float
) -> list[np.ndarray]:
    """Federated averaging (McMahan et al., 2017, algorithm 1) with all clients in each round, full batches.

    Args:
        clients: for each client its rows ``(examples, columns)`` and labels ``(examples,)``.
        rounds: how often the server sends weights and averages what comes back.
        local_steps: steps of gradient descent on each client in a round.
        rate: of the steps.

    Returns:
        The server's weights ``(columns, 10)`` after each round.

    Raises:
        ValueError: no client, a client without examples, or an option outside its range.
    """
    if not clients or any(len(rows) == 0 or len(rows) != len(labels) for rows, labels in clients):
        raise ValueError("each client needs examples, and a label for each")
    check_count("rounds", rounds)
    check_count("local_steps", local_steps)
    check_positive("rate", rate)
    sizes = np.array([len(rows) for rows, _ in clients], dtype=float)
    server, after = np.zeros((clients[0][0].shape[1], CLASSES)), []
    for _ in range(rounds):
        returned = []
        for rows, labels in clients:
            weights = server.copy()
            for _ in range(local_steps):
                errors = special.softmax(rows @ weights, axis=1) - np.eye(CLASSES)[labels]
                weights -= rate * rows.T @ errors / len(rows)
            returned.append(weights)
        server = np.average(returned, axis=0, weights=sizes)
        after.append(server)
    return after
