"""Right and wrong answers to the exercises of "Judging classes"."""

import numpy as np
from scipy import stats
from sklearn import metrics
from sklearn.linear_model import LogisticRegression


def single_f1(matrix):
    matrix = np.asarray(matrix)
    return 2 * np.diag(matrix) / np.maximum(matrix.sum(axis=0) + matrix.sum(axis=1), 1)


def from_means(matrix):
    """The F1 of the averaged precision and recall."""
    matrix = np.asarray(matrix)
    precision = (np.diag(matrix) / np.maximum(matrix.sum(axis=0), 1)).mean()
    recall = (np.diag(matrix) / np.maximum(matrix.sum(axis=1), 1)).mean()
    return 2 * precision * recall / (precision + recall)


def by_loop(truths, scores):
    found = [
        1.0 if high > low else 0.5 if high == low else 0.0
        for high, truth in zip(scores, truths, strict=True)
        if truth == 1
        for low, other in zip(scores, truths, strict=True)
        if other == 0
    ]
    return sum(found) / len(found)


def by_ranks(truths, scores):
    """The rank-sum formula of Mann and Whitney."""
    positives, negatives = truths.sum(), (1 - truths).sum()
    total = stats.rankdata(scores)[truths == 1].sum()
    return (total - positives * (positives + 1) / 2) / (positives * negatives)


def by_order(truths, scores):
    """Adds up the curve row by row: ties are taken in the order in which they happen to stand."""
    ranked = np.asarray(truths)[np.argsort(-np.asarray(scores), kind="stable")]
    hits = np.cumsum(ranked)
    return hits[ranked == 0].sum() / (ranked.sum() * (1 - ranked).sum())


def cost(truths, scores, place, miss, alarm, strict=False):
    called = scores > place if strict else scores >= place
    return miss * (~called & (truths == 1)).sum() + alarm * (called & (truths == 0)).sum()


def best(truths, scores, miss, alarm, places=None, strict=False):
    places = np.append(np.unique(scores), np.inf) if places is None else places
    return min(places, key=lambda place: cost(truths, scores, place, miss, alarm, strict))


def auc_of_answers(train_rows, train_truths, rows, truths, weight):
    """The AUC of the answers at 1/2, where that of the probabilities was asked for."""
    model = LogisticRegression(class_weight=weight).fit(train_rows, train_truths)
    answers, given = model.predict(rows), model.predict_proba(rows)[:, 1]
    return metrics.roc_auc_score(truths, answers), metrics.recall_score(truths, answers), given.mean()


def report(train_rows, train_truths, rows, truths, weight, column=1, strength=1.0):
    model = LogisticRegression(class_weight=weight, C=strength).fit(train_rows, train_truths)
    given = model.predict_proba(rows)[:, column]
    recall = metrics.recall_score(truths, given >= 0.5)
    return metrics.roc_auc_score(truths, given), recall, given.mean()


RIGHT = {
    "classes-f1": {
        "formula": lambda matrix: single_f1(matrix).mean(),
        "loop": lambda matrix: sum(float(value) for value in single_f1(matrix)) / len(matrix),
        "float32": lambda matrix: np.float32(single_f1(matrix).mean()),
    },
    "classes-auc": {
        "loop": by_loop,
        "ranks": by_ranks,
        "scikit-learn": metrics.roc_auc_score,
        "sign": lambda truths, scores: (
            (np.sign(scores[truths == 1][:, None] - scores[truths == 0]).mean() + 1) / 2
        ),
    },
    "classes-threshold": {
        "every score": best,
        "between the scores": lambda truths, scores, miss, alarm: best(
            truths,
            scores,
            miss,
            alarm,
            np.concatenate([[-99], (np.unique(scores)[1:] + np.unique(scores)[:-1]) / 2, [99]]),
        ),
    },
    "classes-weights": {
        "scikit-learn": report,
        "array": lambda *arguments: np.array(report(*arguments)),
    },
}

WRONG = {
    "classes-f1": {
        "micro": lambda matrix: np.trace(matrix) / np.sum(matrix),
        "of the means": from_means,
        "weighted": lambda matrix: np.average(single_f1(matrix), weights=np.sum(matrix, axis=1)),
        "each class": single_f1,
        "division by zero": lambda matrix: (
            2 * np.diag(matrix) / (np.sum(matrix, axis=0) + np.sum(matrix, axis=1))
        ).mean(),
        "empty class left out": lambda matrix: single_f1(matrix)[np.sum(matrix, axis=1) > 0].mean(),
        "recall": lambda matrix: (np.diag(matrix) / np.maximum(np.sum(matrix, axis=1), 1)).mean(),
    },
    "classes-auc": {
        "ties lost": lambda truths, scores: (scores[truths == 1][:, None] > scores[truths == 0]).mean(),
        "ties won": lambda truths, scores: (scores[truths == 1][:, None] >= scores[truths == 0]).mean(),
        "row by row": by_order,
        "upside down": lambda truths, scores: 1 - by_loop(truths, scores),
        "accuracy": lambda truths, scores: ((scores >= 0.5) == truths).mean(),
        "neighbours": lambda truths, scores: (
            (scores[truths == 1] > scores[truths == 0][: truths.sum()]).mean()
            if truths.sum() <= (truths == 0).sum()
            else 0.0
        ),
    },
    "classes-threshold": {
        "a half": lambda truths, scores, miss, alarm: 0.5,
        "by formula": lambda truths, scores, miss, alarm: alarm / (alarm + miss),
        "never silent": lambda truths, scores, miss, alarm: best(
            truths, scores, miss, alarm, np.unique(scores)
        ),
        "a grid": lambda truths, scores, miss, alarm: best(
            truths, scores, miss, alarm, np.linspace(0, 1.01, 12)
        ),
        "costs exchanged": lambda truths, scores, miss, alarm: best(truths, scores, alarm, miss),
        "above, not at": lambda truths, scores, miss, alarm: best(truths, scores, miss, alarm, strict=True),
        "the cost": lambda truths, scores, miss, alarm: cost(
            truths, scores, best(truths, scores, miss, alarm), miss, alarm
        ),
    },
    "classes-weights": {
        "weight forgotten": lambda *arguments: report(*arguments[:4], None),
        "AUC of the answers": auc_of_answers,
        "class 0": lambda *arguments: report(*arguments, column=0),
        "trained on the judged rows": lambda a, b, rows, truths, weight: report(
            rows, truths, rows, truths, weight
        ),
        "another strength": lambda *arguments: report(*arguments, strength=0.001),
        "two numbers": lambda *arguments: report(*arguments)[:2],
        "order": lambda *arguments: report(*arguments)[::-1],
    },
}
