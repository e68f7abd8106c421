"""Wrong labels, wrong pairs, and which label to look at next (notebook 85)."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GroupKFold, KFold, cross_val_predict

from mmcourse.checks import check_between, check_count
from mmcourse.learning import alignment

LOOK_ALIKES = (6, 7, 8, 5, 9, 3, 0, 1, 2, 4)  # the digit that an annotator may take each digit for

# Names of pictures (mmcourse.data.picture_kinds) of which "a … is a kind of animal, food, vehicle, building
# or clothing" is not true in plain English, or is true of two kinds. One person's reading, and not blind:
# part of a model's list was known.
DOUBTFUL = frozenset(
    {
        *("spiral shell", "pig nose", "paw prints", "spider web", "microbe", "feather", "wing"),
        *("cooking", "bowl with spoon", "takeout box", "crab", "shrimp", "squid", "lobster", "oyster"),
        *("anchor", "fuel pump", "seat", "station", "bus stop", "horizontal traffic light", "roller skate"),
        *("vertical traffic light", "construction", "police car light", "stop sign", "wheel", "ring buoy"),
        *("oil drum", "motorway", "railway track", "parachute", "hot springs", "fountain", "foggy"),
        *("night with stars", "sunrise over mountains", "sunrise", "sunset", "bridge at night", "wedding"),
        *("carousel horse", "ferris wheel", "roller coaster", "barber pole", "Statue of Liberty", "brick"),
        *("playground slide", "rock", "wood", "lipstick", "ring", "gem stone", "prayer beads", "backpack"),
        *("purse", "handbag", "clutch bag", "shopping bags", "folding hand fan", "hair pick", "glasses"),
        *("sunglasses", "goggles"),
    }
)


def mislabel(
    labels: np.ndarray,
    share: float,
    seed: int | Sequence[int] = 0,
    taken_for: Sequence[int] | None = None,
    classes: int = 10,
) -> np.ndarray:
    """Labels of which a share is wrong.

    Args:
        labels: whole numbers from 0 to ``classes - 1``: ``(rows,)``.
        share: of the rows, from 0 to 1; rounded to whole rows.
        seed: of the choice of rows and of the wrong labels.
        taken_for: for each class, the one that it is taken for; by default any other, by lot.
        classes: their number.

    Returns:
        ``int64`` ``(rows,)``; with one seed, a smaller share is wrong in some of the same rows.

    Raises:
        ValueError: labels out of range or of another kind, or ``taken_for`` that keeps a class as it is.
    """
    check_between("share", share, 0, 1)
    labels = _checked_labels(labels, classes)
    random = np.random.default_rng(seed)
    hit = random.permutation(len(labels))[: round(share * len(labels))]
    wrong = (labels + random.integers(1, classes, len(labels))) % classes
    if taken_for is not None:
        partner = np.asarray(taken_for)
        if partner.shape != (classes,) or (partner == np.arange(classes)).any():
            raise ValueError(f"taken_for must name another class for each of {classes}, got {taken_for}")
        wrong = partner[labels]
    spoilt = labels.astype(np.int64)
    spoilt[hit] = wrong[hit]
    return spoilt


def mispair(
    count: int, share: float, seed: int | Sequence[int] = 0, near: Sequence[str] | None = None
) -> np.ndarray:
    """Whose caption each picture gets, when a share of the captions is passed round: ``int64`` ``(count,)``.

    The pictures that are drawn give their captions to each other in a ring, so that no caption is lost.

    Args:
        count: of the pairs.
        share: that is passed round, from 0 to 1; rounded to whole pairs.
        seed: of the choice.
        near: a word for each pair, ``(count,)``. The ring is sorted by it, so that most captions go to a
            picture with the same word.

    Raises:
        ValueError: a count below 1, a share outside 0 to 1, or ``near`` of another length.
    """
    check_count("count", count)
    check_between("share", share, 0, 1)
    hit = np.random.default_rng(seed).permutation(count)[: round(share * count)]
    if near is not None:
        if len(near) != count:
            raise ValueError(f"near must have a word for each of {count} pairs, got {len(near)}")
        hit = hit[np.argsort(np.asarray(near)[hit], kind="stable")]
    owner = np.arange(count)
    owner[hit] = np.roll(hit, 1)
    return owner


def suspects(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """The rows whose label is probably wrong, by confident learning (Northcutt et al., 2021, section 3).

    A class is *plausible* for a row if its probability is at least the mean probability that rows with this
    label have for it. A row is suspect if the most probable of its plausible classes is not its label.

    Args:
        labels: as given, ``(rows,)``.
        probabilities: ``(rows, classes)``, each by a model that has not seen the row's label.

    Returns:
        ``bool`` ``(rows,)``.

    Raises:
        ValueError: shapes that do not fit, labels out of range, or a class that no label names.
    """
    table = np.asarray(probabilities, dtype=np.float64)
    if table.ndim != 2 or len(table) != len(labels):
        raise ValueError(f"expected probabilities ({len(labels)}, classes), got the shape {table.shape}")
    labels = _checked_labels(labels, table.shape[1])
    missing = np.setdiff1d(np.arange(table.shape[1]), labels)
    if missing.size:
        raise ValueError(f"no row has the label {missing[0]}: leave that column out")
    usual = np.array([table[labels == one, one].mean() for one in range(table.shape[1])])
    plausible = np.where(table >= usual, table, -1.0)
    return (plausible.max(axis=1) >= 0) & (plausible.argmax(axis=1) != labels)


def fit(
    vectors: np.ndarray, told: np.ndarray, strength: float = 10.0, weights: np.ndarray | None = None
) -> LogisticRegression:
    """scikit-learn's logistic regression on frozen features, trained to the end.

    Args:
        vectors: ``(rows, width)``.
        told: labels ``(rows,)``.
        strength: its ``C``, the inverse of the regularisation.
        weights: of the rows in the loss, ``(rows,)``.
    """
    return LogisticRegression(C=strength, max_iter=2000).fit(vectors, told, sample_weight=weights)


def judged(
    vectors: np.ndarray, told: np.ndarray, strength: float = 10.0, groups: np.ndarray | None = None
) -> np.ndarray:
    """Probabilities ``(rows, classes)``, each row's by a model that has not seen its label.

    The rows are dealt into five parts, the same each time; each is judged by a :func:`fit` on the other four.

    Args:
        vectors, told, strength: see :func:`fit`.
        groups: ``(rows,)``; rows of one group stay in one part. Without groups the rows are dealt at random.
    """
    parts = KFold(5, shuffle=True, random_state=0) if groups is None else GroupKFold(5)
    model = LogisticRegression(C=strength, max_iter=2000)
    return cross_val_predict(model, vectors, told, groups=groups, cv=parts, method="predict_proba")


def agreement(first: np.ndarray, second: np.ndarray, folds: int = 3) -> np.ndarray:
    """How well each pair fits: the cosine of one half with its prediction from the other, ``(pairs,)``.

    The prediction is by ridge regression from the pairs of the other folds, which it is not in.
    Cosines are taken from the mean of ``second``.

    Args:
        first: features, such as of pictures, ``(pairs, width)``.
        second: what is predicted, such as the vectors of captions, ``(pairs, width)``.
        folds: into which the pairs are dealt at random, the same each time.

    Raises:
        ValueError: unequal numbers of pairs.
    """
    if len(first) != len(second):
        raise ValueError(f"expected pairs, got {len(first)} and {len(second)}")
    parts = KFold(folds, shuffle=True, random_state=0)
    middle = second.mean(axis=0)
    guess, target = cross_val_predict(Ridge(0.1), first, second, cv=parts) - middle, second - middle
    lengths = np.linalg.norm(guess, axis=1) * np.linalg.norm(target, axis=1)
    return (guess * target).sum(axis=1) / np.maximum(lengths, 1e-12)


class Filtered(NamedTuple):
    """What :func:`filtered` returns: three Recall@1, and three shares.

    Attributes:
        kept: Recall@1 after learning from all pairs.
        random: after leaving out pairs at random, as many as are wrong.
        found: after leaving out as many with the lowest :func:`agreement`.
        true: after learning from the true pairs alone.
        precision: of those with the lowest agreement, the share that is wrong.
        lost_single, lost_many: of the true pairs that are one of a kind, and of those that are not, the share
            that has the lowest agreement.
    """

    kept: float
    random: float
    found: float
    true: float
    precision: float
    lost_single: float
    lost_many: float


def filtered(
    pairs: tuple[np.ndarray, np.ndarray],
    unseen: tuple[np.ndarray, np.ndarray],
    owner: np.ndarray,
    single: np.ndarray,
    seed: int | Sequence[int] = 0,
) -> Filtered:
    """Learn to find captions from pairs of which some are wrong, and after four ways to leave pairs out.

    Args:
        pairs: features of pictures and vectors of their captions, ``(pairs, any)`` each.
        unseen: the same of other pairs, which are searched.
        owner: whose caption each picture has; see :func:`mispair`.
        single: whether a pair is one of a kind, ``bool`` ``(pairs,)``.
        seed: of the pairs that are left out at random.

    Raises:
        ValueError: no wrong pairs.
    """
    pictures, told = pairs[0], pairs[1][owner]
    wrong = owner != np.arange(len(owner))
    if not wrong.any():
        raise ValueError("all pairs are true: there is nothing to leave out")

    def recall(out: np.ndarray) -> float:
        rows = np.setdiff1d(np.arange(len(owner)), out)
        middle = told[rows].mean(axis=0)
        guess = Ridge(0.1).fit(pictures[rows], told[rows]).predict(unseen[0]) - middle
        target = unseen[1] - middle
        return alignment.recall_at(1)(guess @ (target / np.linalg.norm(target, axis=1, keepdims=True)).T)

    out = np.argsort(agreement(pictures, told), kind="stable")[: wrong.sum()]
    other = np.random.default_rng(seed).permutation(len(owner))[: wrong.sum()]
    ways = out[:0], other, out, np.flatnonzero(wrong)
    lost = [np.isin(np.flatnonzero(part & ~wrong), out).mean() for part in (single, ~single)]
    kept, random, found, true = map(recall, ways)
    return Filtered(kept, random, found, true, float(wrong[out].mean()), float(lost[0]), float(lost[1]))


def margins(probabilities: np.ndarray) -> np.ndarray:
    """How far the most probable class is ahead of the second: ``(rows,)``; small where the model doubts.

    Raises:
        ValueError: not ``(rows, classes)`` with two classes or more.
    """
    table = np.asarray(probabilities)
    if table.ndim != 2 or table.shape[1] < 2:
        raise ValueError(f"expected probabilities (rows, classes), two or more, got the shape {table.shape}")
    best = np.sort(table, axis=1)[:, -2:]
    return best[:, 1] - best[:, 0]


def spread(vectors: np.ndarray, chosen: Sequence[int], count: int) -> np.ndarray:
    """Rows that lie far from all that were chosen before, one after the other (Sener and Savarese, 2018).

    Args:
        vectors: ``(rows, width)``.
        chosen: rows that are there already, one or more.
        count: how many to add.

    Returns:
        ``int64`` ``(count,)``: each the row with the greatest distance to its nearest chosen one.

    Raises:
        ValueError: none chosen, or more asked for than are left.
    """
    check_count("count", count)
    chosen = np.unique(np.asarray(chosen, dtype=np.int64))
    if not chosen.size or count > len(vectors) - chosen.size:
        raise ValueError(f"{len(chosen)} of {len(vectors)} rows are chosen: cannot add {count}")
    lengths = (vectors**2).sum(axis=1)

    def distances(row: int) -> np.ndarray:
        return lengths + lengths[row] - 2 * vectors @ vectors[row]

    nearest = np.min([distances(row) for row in chosen], axis=0)
    nearest[chosen] = -np.inf
    added = []
    for _ in range(count):
        row = int(nearest.argmax())
        added.append(row)
        nearest = np.minimum(nearest, distances(row))
        nearest[row] = -np.inf
    return np.array(added, dtype=np.int64)


def race(
    choose: Callable,
    vectors: np.ndarray,
    told: np.ndarray,
    test: np.ndarray,
    answers: np.ndarray,
    step: int = 40,
    rounds: int = 6,
) -> tuple[list[float], np.ndarray]:
    """Active learning: train, ask for more labels, and train again.

    Args:
        choose: called with a trained model, the vectors, the rows that have labels, those that have none, and
            ``step``; returns the rows to label next.
        vectors, told: the pool, ``(rows, width)`` and ``(rows,)``; a label counts once it has been asked for.
            The first ``step`` rows have theirs from the beginning.
        test, answers: what each model is judged on.
        step: labels for each round.
        rounds: of training.

    Returns:
        The accuracy after each round, and the rows that had labels in the last.

    Raises:
        ValueError: a pool that is too small, or rows asked for that have labels already.
    """
    if step * rounds > len(vectors):
        raise ValueError(f"{rounds} rounds of {step} labels do not fit into a pool of {len(vectors)}")
    have, scores = np.arange(step), []
    for number in range(rounds):
        model = fit(vectors[have], told[have])
        scores.append(float(model.score(test, answers)))
        if number < rounds - 1:
            rest = np.setdiff1d(np.arange(len(vectors)), have)
            asked = np.unique(choose(model, vectors, have, rest, step))
            if len(asked) != step or not np.isin(asked, rest).all():
                raise ValueError(f"choose must return {step} rows that have no label yet, got {asked}")
            have = np.r_[have, asked]
    return scores, have


def spend(
    vectors: np.ndarray,
    hasty: np.ndarray,
    careful: np.ndarray,
    count: int,
    test: np.ndarray,
    answers: np.ndarray,
    budgets: Sequence[int],
) -> dict[str, np.ndarray]:
    """What a budget of looks buys, by where it goes.

    Args:
        vectors: ``(rows, width)``, in random order; the first ``count`` rows are labelled.
        hasty: labels by the annotator that labelled them, ``(rows,)``.
        careful: labels by the one who looks now, ``(rows,)``.
        count: of the rows that are labelled at the beginning.
        test, answers: what each model is judged on.
        budgets: numbers of looks.

    Returns:
        Name -> accuracy for each budget, ``(budgets,)``. "old" looks at labelled rows again, "new" at others;
        at random, or by what the model doubts; "in haste" is the first annotator once more.

    Raises:
        ValueError: a budget larger than the labelled or the other rows.
    """
    told = hasty[:count]
    if max(budgets) > min(count, len(vectors) - count):
        raise ValueError(f"{max(budgets)} looks are more than there are rows, {count} labelled ones")
    start = fit(vectors[:count], told)
    doubted = np.argsort(judged(vectors[:count], told)[np.arange(count), told], kind="stable")
    unsure = count + np.argsort(margins(start.predict_proba(vectors[count:])), kind="stable")
    before = float(start.score(test, answers))
    results: dict[str, list[float]] = {"no look": [before] * len(budgets)}

    def add(name: str, again: np.ndarray, new: np.ndarray, source: np.ndarray) -> None:
        mended = told.copy()
        mended[again] = source[again]
        rows = np.r_[np.arange(count), new]
        model = fit(vectors[rows], np.r_[mended, source[new]])
        results.setdefault(name, []).append(float(model.score(test, answers)))

    nothing = doubted[:0]
    for looks in budgets:
        following = count + np.arange(looks)
        add("new, in haste", nothing, following, hasty)
        add("old, at random", np.arange(looks), nothing, careful)
        add("new, at random", nothing, following, careful)
        add("old, most doubted", doubted[:looks], nothing, careful)
        add("new, least margin", nothing, unsure[:looks], careful)
    return {name: np.array(scores) for name, scores in results.items()}


def rare_scores(
    scores: np.ndarray, truth: np.ndarray, rare: int, shift: float = 0.0
) -> tuple[float, float, float]:
    """Recall and precision of a rare class, and the accuracy on all others.

    Args:
        scores: of a model, ``(rows, classes)``; the highest wins.
        truth: ``(rows,)``.
        rare: the class.
        shift: added to its score: the threshold.

    Returns:
        The precision is 0 where nothing was taken for the rare class.
    """
    scores = scores + shift * (np.arange(scores.shape[1]) == rare)
    said, belongs = scores.argmax(axis=1), truth == rare
    found = said == rare
    right = belongs[found].sum() / max(int(found.sum()), 1)
    return float(found[belongs].mean()), float(right), float((said == truth)[~belongs].mean())


def too_high(model, known: tuple, copies: np.ndarray, test: tuple, share: float, seed=0) -> float:
    """By how much copies of test rows among the training rows raise the score.

    Half of 600 test rows, drawn at random, may be copied.

    Args:
        model: a classifier of scikit-learn; is fitted.
        known: vectors and labels to learn from, besides the copies.
        copies: the test rows, as they look when they are copied, ``(rows, width)``.
        test: vectors and labels of the test rows.
        share: of the first half that is copied into training.
        seed: of the draw.

    Returns:
        Accuracy on the half of which a share was copied, less that on the other half.
    """
    copied, fresh = np.split(np.random.default_rng(seed).permutation(len(copies))[:600], 2)
    some = copied[: round(share * len(copied))]
    model.fit(np.r_[known[0], copies[some]], np.r_[known[1], test[1][some]])
    right = model.predict(test[0]) == test[1]
    return float(right[copied].mean() - right[fresh].mean())


def colours(images: np.ndarray, side: int = 12) -> np.ndarray:
    """What the simplest eye sees of pictures: how much of each colour, and the mean colours of a grid.

    Args:
        images: ``uint8`` ``(pictures, height, width, 3)``.
        side: squares along each side of the grid; divides the height and the width.

    Returns:
        ``float64`` ``(pictures, 512 + 3 * side ** 2)``: the square roots of the shares of 512 colours, then
        the means, from 0 to 1.

    Raises:
        ValueError: pictures of another kind, or a grid that does not fit.
    """
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != 3:
        raise ValueError(
            f"images must be uint8 (pictures, height, width, 3), got {images.dtype} {images.shape}"
        )
    count, height, width, _ = images.shape
    check_count("side", side)
    if height % side or width % side:
        raise ValueError(f"side must divide {height} and {width}, got {side}")
    codes = (images // 32) @ np.array([64, 8, 1], dtype=np.uint16)  # (pictures, height, width)
    shares = [np.bincount(code.ravel(), minlength=512) / code.size for code in codes]
    grid = images.reshape(count, side, height // side, side, width // side, 3).mean(axis=(2, 4)) / 255
    return np.hstack([np.sqrt(shares), grid.reshape(count, -1)])


def _checked_labels(labels: np.ndarray, classes: int) -> np.ndarray:
    labels = np.asarray(labels)
    if labels.ndim != 1 or labels.dtype.kind not in "iu" or not labels.size:
        raise ValueError(f"labels must be whole numbers (rows,), got {labels.dtype} {labels.shape}")
    if labels.min() < 0 or labels.max() >= classes:
        raise ValueError(f"labels must lie from 0 to {classes - 1}, got {labels.min()} to {labels.max()}")
    return labels
