"""Right and wrong answers to the exercises of the notebook on medicine."""

import functools

import numpy as np
from sklearn.metrics import roc_auc_score

from mmcourse.applications import patches
from mmcourse.data.synthetic_patients import simulate_patients
from mmcourse.evaluation import classes


def after(sensitivity, specificity, prevalence, count, ratio=None):
    odds = prevalence / (1 - prevalence)
    ratio = ratio or sensitivity / (1 - specificity)
    odds *= ratio**count
    return odds / (1 + odds)


def step_by_step(sensitivity, specificity, prevalence, count):
    for _ in range(count):
        ill = sensitivity * prevalence
        prevalence = ill / (ill + (1 - specificity) * (1 - prevalence))
    return prevalence


def by_counts(sensitivity, specificity, prevalence, count):
    ill = prevalence * sensitivity**count
    return ill / (ill + (1 - prevalence) * (1 - specificity) ** count)


def threshold(truths, scores, sensitivity, round_up=np.ceil):
    ill = np.sort(scores[truths == 1])[::-1]
    return ill[max(0, int(round_up(sensitivity * len(ill) - 1e-9)) - 1)]


def cold(drugs, targets, new_drugs, new_targets, strict=True):
    drug, target = np.isin(drugs, new_drugs), np.isin(targets, new_targets)
    train = ~drug & ~target if strict else ~(drug & target)
    return np.flatnonzero(train), np.flatnonzero(drug & target)


@functools.cache
def area(mark, trained=patches.MARKED, missing=False, split="test"):
    patients = simulate_patients(split, mark=mark, missing=missing)
    scores = patches.read_pictures(patches.picture_reader(0, trained), patients.pictures)
    return classes.roc_auc(patients.cancer, scores)


def downwards(truths, scores, sensitivity):
    """The first score from above that finds enough of the ill."""
    for place in sorted(scores, reverse=True):
        if np.sum(scores[truths == 1] >= place) / np.sum(truths == 1) >= sensitivity:
            return place


def row_by_row(drugs, targets, new_drugs, new_targets):
    known, new = [], []
    for row, (drug, target) in enumerate(zip(drugs, targets, strict=True)):
        if drug in new_drugs and target in new_targets:
            new.append(row)
        elif drug not in new_drugs and target not in new_targets:
            known.append(row)
    return known, new


@functools.cache
def area_by_predict(mark):
    patients = simulate_patients("test", mark=mark, missing=False)
    reader = patches.picture_reader(0, patches.MARKED)
    return roc_auc_score(patients.cancer, reader.predict(patients.pictures[..., None], verbose=0)[:, 0])


RIGHT = {
    "medicine-positive": {"odds": after, "step by step": step_by_step, "by counts": by_counts},
    "medicine-threshold": {
        "sorted": threshold,
        "downwards": downwards,
        "searched": lambda truths, scores, sensitivity: max(
            place
            for place in scores[truths == 1]
            if (scores[truths == 1] >= place).mean() >= sensitivity - 1e-9
        ),
    },
    "medicine-cold": {
        "arrays": cold,
        "lists": lambda *a: tuple(part.tolist() for part in cold(*a)),
        "row by row": row_by_row,
    },
    "medicine-mark": {"as asked": area, "with Keras and scikit-learn": area_by_predict},
}

WRONG = {
    "medicine-positive": {
        "one test only": lambda a, b, c, n: after(a, b, c, 1),
        "sensitivity itself": lambda a, b, c, n: a,
        "at least one is right": lambda a, b, c, n: 1 - (1 - after(a, b, c, 1)) ** n,
        "power of the posterior": lambda a, b, c, n: after(a, b, c, 1) ** n,
        "odds, not probability": lambda a, b, c, n: c / (1 - c) * (a / (1 - b)) ** n,
    },
    "medicine-threshold": {
        "too few found": lambda truths, scores, sensitivity: threshold(truths, scores, sensitivity, np.floor),
        "above, not at": lambda truths, scores, sensitivity: max(
            [place for place in scores if (scores[truths == 1] > place).mean() >= sensitivity],
            default=scores.min(),
        ),
        "of everybody": lambda truths, scores, sensitivity: threshold(
            np.ones_like(truths), scores, sensitivity
        ),
        "the lowest": lambda truths, scores, sensitivity: scores[truths == 1].min(),
        "a quantile": lambda truths, scores, sensitivity: np.quantile(scores[truths == 1], 1 - sensitivity),
    },
    "medicine-cold": {
        "the rest in training": lambda *a: cold(*a, strict=False),
        "only new drugs": lambda drugs, targets, new_drugs, new_targets: (
            np.flatnonzero(~np.isin(drugs, new_drugs)),
            np.flatnonzero(np.isin(drugs, new_drugs)),
        ),
        "masks": lambda drugs, targets, new_drugs, new_targets: (
            ~np.isin(drugs, new_drugs) & ~np.isin(targets, new_targets),
            np.isin(drugs, new_drugs) & np.isin(targets, new_targets),
        ),
        "swapped": lambda *a: cold(*a)[::-1],
        "one array": lambda *a: cold(*a)[0],
    },
    "medicine-mark": {
        "trained without the mark": lambda mark: area(mark, trained=(0.0, 0.0)),
        "always the first hospital": lambda mark: area((0.1, 0.9)),
        "the other way round": lambda mark: area(mark[::-1]),
        "with gaps": lambda mark: area(mark, missing=True),
        "turned upside down": lambda mark: max(area(mark), 1 - area(mark)),
        "patients of validation": lambda mark: area(mark, split="validation"),
    },
}
