"""Right and wrong answers to the exercises of the notebook on finance."""

import functools

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mmcourse.applications import finance
from mmcourse.data.synthetic_money import simulate_applicants


def folds(days, first, every, horizon, shift=1, clip=True):
    found = []
    for start in range(first, days, every):
        stop = min(start + every, days) if clip else start + every
        found.append((np.arange(max(0, start - horizon + shift)), np.arange(start, stop)))
    return found


def reasons(features, means, deviations, weights, count, sign=1, keep=False):
    parts = sign * weights * (features - means) / deviations
    order = np.argsort(-parts, kind="stable")[:count]
    return [int(part) for part in order if keep or parts[part] > 0]


@functools.cache
def branch(blur, group=1, blurred_training=False, threshold=1 / 6):
    train = simulate_applicants(2000, 0, "train", blur if blurred_training else 0)
    model = make_pipeline(StandardScaler(), LogisticRegression())
    model.fit(finance.applicant_features(train), 1 - train.repaid)
    people = simulate_applicants(2000, 0, "test", blur)
    lent = model.predict_proba(finance.applicant_features(people))[:, 1] < threshold
    rates = finance.group_rates(people.repaid, lent, people.group)[group]
    return rates["good payers approved"], rates["approved who repaid"]


RIGHT = {
    "finance-hold": {
        "product": lambda chances, amounts, price: chances * amounts > price,
        "own threshold": lambda chances, amounts, price: amounts * chances - price > 0,
    },
    "finance-folds": {"arrays": folds, "lists": lambda *a: [(k.tolist(), t.tolist()) for k, t in folds(*a)]},
    "finance-reasons": {
        "argsort": reasons,
        "sorted": lambda features, means, deviations, weights, count: [
            part
            for part in sorted(
                range(len(features)),
                key=lambda one: -weights[one] * (features[one] - means[one]) / deviations[one],
            )[:count]
            if weights[part] * (features[part] - means[part]) > 0
        ],
    },
    "finance-blur": {"trained clear": branch},
}

WRONG = {
    "finance-hold": {
        "one half": lambda chances, amounts, price: chances >= 0.5,
        "ties held": lambda chances, amounts, price: chances * amounts >= price,
        "pays only for honest": lambda chances, amounts, price: chances * amounts > (1 - chances) * price,
        "numbers": lambda chances, amounts, price: chances * amounts - price,
    },
    "finance-folds": {
        "no gap": lambda days, first, every, horizon: folds(days, first, every, 0, 0),
        "one too few": lambda *a: folds(*a, shift=0),
        "one too many": lambda *a: folds(*a, shift=2),
        "beyond the end": lambda *a: folds(*a, clip=False),
        "a single pair": lambda *a: folds(*a)[0],
    },
    "finance-reasons": {
        "against": lambda *a: reasons(*a, sign=-1),
        "all kept": lambda *a: reasons(*a, keep=True),
        "weights alone": lambda features, means, deviations, weights, count: np.argsort(-weights)[:count],
        "not standardised": lambda features, means, deviations, weights, count: reasons(
            features, means, np.ones_like(means), weights, count
        ),
    },
    "finance-blur": {
        "never blurred": lambda blur: branch(0),
        "the other group": lambda blur: branch(blur, group=0),
        "one half": lambda blur: branch(blur, threshold=0.5),
        "trained on blurred": lambda blur: branch(blur, blurred_training=True),
        "swapped": lambda blur: branch(blur)[::-1],
    },
}
