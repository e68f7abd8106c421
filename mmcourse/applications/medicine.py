"""A diagnosis at its threshold and its prevalence (notebook 63). Nothing here is fit for use on people.

The patients are synthetic (:mod:`mmcourse.data.synthetic_patients`). For each modality there is a reader of
its own that gives log-odds; how they are put together is the notebook's matter.

Sources: Saerens, Latinne and Decaestecker (2002) for probabilities under another prevalence; Guo et al.
(2017) for calibration; Robins (1986) for the effect by standardisation.
"""

import functools

import numpy as np
from numpy.typing import ArrayLike
from scipy import signal
from scipy.special import expit, logit
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline, make_pipeline

from mmcourse import checks
from mmcourse.applications.patches import picture_reader, read_pictures
from mmcourse.data.synthetic_patients import RATE, Patients, simulate_patients

MODALITIES = ("picture", "table", "note")


def predictive_values(sensitivity: float, specificity: float, prevalence: float) -> tuple[float, float]:
    """Probability of being ill after a positive result, and of being healthy after a negative one.

    It is Bayes' rule. A value is NaN where no result of that kind can occur.

    Raises:
        ValueError: a number outside 0 to 1.
    """
    for name, value in (
        ("sensitivity", sensitivity),
        ("specificity", specificity),
        ("prevalence", prevalence),
    ):
        checks.check_between(name, value, 0, 1)
    ill = np.array([sensitivity, 1 - sensitivity]) * prevalence  # positive, negative
    healthy = np.array([1 - specificity, specificity]) * (1 - prevalence)
    positive, negative = ill + healthy
    return (
        float(ill[0] / positive) if positive else float("nan"),
        float(healthy[1] / negative) if negative else float("nan"),
    )


def move_prevalence(probabilities: ArrayLike, old: float, new: float) -> np.ndarray:
    """Probabilities of a model, as they would be if another share of people were ill.

    The log-odds move by the difference of the log-odds of the two shares (Saerens et al., 2002). It is right
    if the ill and the healthy each look as before, and only their numbers have changed.

    Args:
        probabilities: of being ill, from 0 to 1, any shape.
        old, new: share of ill people where the model was fitted, and where it is used; above 0, below 1.

    Returns:
        ``float64``, the same shape.

    Raises:
        ValueError: a probability outside 0 to 1, or a share that is not between them.
    """
    probabilities = np.asarray(probabilities, dtype=float)
    if not ((probabilities >= 0) & (probabilities <= 1)).all():
        raise ValueError("probabilities must lie from 0 to 1; are these log-odds?")
    for name, share in (("old", old), ("new", new)):
        if not 0 < share < 1:
            raise ValueError(f"{name} must be a share above 0 and below 1, got {share!r}")
    return expit(logit(probabilities) + logit(new) - logit(old))


def threshold_at(truths: ArrayLike, scores: ArrayLike, specificity: float) -> float:
    """The lowest threshold that leaves at least this share of the healthy below it.

    Rows with ``score >= threshold`` are called ill.

    Args:
        truths: 1 for ill and 0 for healthy, ``(rows,)``.
        scores: ``(rows,)``, higher for more likely ill.
        specificity: from 0 to 1.

    Raises:
        ValueError: unequal lengths, nobody healthy, or a specificity outside 0 to 1.
    """
    truths, scores = np.asarray(truths), np.asarray(scores, dtype=float)
    checks.check_between("specificity", specificity, 0, 1)
    if truths.shape != scores.shape or truths.ndim != 1:
        raise ValueError(f"expected one score for each truth, got {scores.shape} and {truths.shape}")
    healthy = np.sort(scores[truths == 0])
    if not len(healthy):
        raise ValueError("nobody is healthy: a specificity is not defined")
    needed = int(np.ceil(specificity * len(healthy) - 1e-9))  # so many must lie below
    places = np.append(np.unique(scores), np.inf)
    below = np.searchsorted(healthy, places, side="left")
    return float(places[np.argmax(below >= needed)])


def rates(truths: ArrayLike, called: ArrayLike) -> tuple[float, float]:
    """Sensitivity and specificity: the share of the ill called ill, and of the healthy not called so.

    Raises:
        ValueError: unequal lengths, or nobody ill or nobody healthy.
    """
    truths, called = np.asarray(truths), np.asarray(called, dtype=bool)
    if truths.shape != called.shape:
        raise ValueError(f"expected one call for each truth, got {called.shape} and {truths.shape}")
    ill = truths == 1
    if ill.all() or not ill.any():
        raise ValueError("both rates need somebody ill and somebody healthy")
    return float(called[ill].mean()), float((~called[~ill]).mean())


def table_columns(patients: Patients, measured: bool = True) -> np.ndarray:
    """Columns for a linear model, ``float64`` ``(patients, 3)``, or 2 without the last.

    They are the age, centred and in tens of years; the blood value, 0 where it was not measured; and
    whether it was.
    """
    marker = patients.table["marker"]
    there = ~np.isnan(marker)
    columns = [(patients.table["age"] - 57) / 10, np.where(there, marker, 0.0), there.astype(float)]
    return np.stack(columns if measured else columns[:2], axis=1)


@functools.cache
def record_readers(seed: int = 0) -> tuple[LogisticRegression, Pipeline]:
    """Readers of the table and of the note: logistic regressions, fitted on the split "train".

    The note is read as words, pairs and threes of words, since "no lump" is not "lump".
    """
    patients = simulate_patients("train", seed=seed)
    table = LogisticRegression().fit(table_columns(patients), patients.cancer)
    written = [row for row, note in enumerate(patients.notes) if note]
    note = make_pipeline(
        CountVectorizer(ngram_range=(1, 3), token_pattern=r"\w+", binary=True), LogisticRegression()
    )
    note.fit([patients.notes[row] for row in written], patients.cancer[written])
    return table, note


def evidence(patients: Patients, seed: int = 0, mark: tuple[float, float] = (0.0, 0.0)) -> np.ndarray:
    """What each reader says of each patient: log-odds ``float64`` ``(patients, 3)``; NaN if it has nothing.

    The columns are :data:`MODALITIES`.

    Args:
        seed, mark: of the readers, see
                :func:`~mmcourse.applications.patches.picture_reader` and :func:`record_readers`.
    """
    found = np.full((len(patients), len(MODALITIES)), np.nan)
    seen = patients.pictured
    if seen.any():
        found[seen, 0] = read_pictures(picture_reader(seed, mark), patients.pictures[seen])
    table, note = record_readers(seed)
    found[:, 1] = table.decision_function(table_columns(patients))
    written = [row for row, text in enumerate(patients.notes) if text]
    if written:
        found[written, 2] = note.decision_function([patients.notes[row] for row in written])
    return found


def fusion_columns(found: np.ndarray) -> np.ndarray:
    """Log-odds with 0 for what is missing, and a column each that says whether it is there.

    Args:
        found: ``(patients, modalities)``, NaN where there is nothing.

    Returns:
        ``float64`` ``(patients, 2 * modalities)``.
    """
    there = ~np.isnan(found)
    return np.hstack([np.where(there, found, 0.0), there.astype(float)])


def st_level(curves: np.ndarray) -> np.ndarray:
    """How high the segment between the waves S and T lies above the one before Q, in millivolts.

    The peaks R are found first; the level is the mean over the beats that lie wholly in the curve.

    Args:
        curves: ``(patients, samples)`` at :data:`~mmcourse.data.synthetic_patients.RATE` samples a second.

    Returns:
        ``float64`` ``(patients,)``; NaN for a curve without a whole beat.

    Raises:
        ValueError: another shape.
    """
    curves = np.asarray(curves, dtype=float)
    if curves.ndim != 2:
        raise ValueError(f"curves must have the shape (patients, samples), got {curves.shape}")
    # Windows in samples from the peak R: before the wave Q, and between S and T.
    windows = [[round(second * RATE) for second in window] for window in ((-0.1, -0.06), (0.09, 0.17))]
    (first, _), (_, last) = windows
    sums = np.cumsum(np.pad(curves, ((0, 0), (1, 0))), axis=1)
    levels = np.full(len(curves), np.nan)
    for number, curve in enumerate(curves):
        peaks, _ = signal.find_peaks(curve, height=0.5, distance=round(0.4 * RATE))
        peaks = peaks[(peaks + first >= 0) & (peaks + last <= len(curve))]
        if len(peaks):
            rest, segment = (
                (sums[number, peaks + stop] - sums[number, peaks + start]).mean() / (stop - start)
                for start, stop in windows
            )
            levels[number] = segment - rest
    return levels


def treatment_effect(treated: np.ndarray, died: np.ndarray, known: np.ndarray | None = None) -> float:
    """Risk of dying with a treatment less the risk without, among people who are alike in what is known.

    A logistic regression of the outcome on the treatment and what is known says for everybody what would
    come with and without; the effect is the mean difference (standardisation; Robins, 1986).

    Args:
        treated, died: 1 or 0, ``(people,)``.
        known: ``(people, columns)``; without it the two groups are just compared.

    Raises:
        ValueError: unequal lengths, or nobody treated or nobody untreated.
    """
    treated, died = np.asarray(treated), np.asarray(died)
    if treated.shape != died.shape or (known is not None and len(known) != len(died)):
        raise ValueError("treated, died and known must have one row for each person")
    if treated.all() or not treated.any():
        raise ValueError("an effect needs both treated and untreated people")
    if known is None:
        return float(died[treated == 1].mean() - died[treated == 0].mean())
    scaled = (known - known.mean(axis=0)) / (known.std(axis=0) + 1e-12)
    model = LogisticRegression(C=1e3).fit(np.column_stack([treated, scaled]), died)
    with_it, without = (
        model.predict_proba(np.column_stack([np.full(len(died), arm), scaled]))[:, 1] for arm in (1, 0)
    )
    return float((with_it - without).mean())


def binding_scores(seed: int = 0, cold: bool = False) -> tuple[float, float]:
    """A toy of drugs that bind to targets: how well a model does that reads both, and one that reads numbers.

    60 drugs and 20 targets have six Gaussian properties each. How strongly a pair binds is the sum of the
    drug's first property, of how sticky the target is, which no property shows, of a bilinear form of
    both's properties, and of noise. The first model is a ridge regression on the drug's properties, the 36
    products and which target it is; the second knows only which drug and which target it is.

    Args:
        seed: of the draw.
        cold: test on the last four targets, which nobody has met, instead of on a fifth of all pairs.

    Returns:
        R² of both models on the test pairs.
    """
    random = np.random.default_rng([633, seed])
    drugs, targets = random.normal(size=(60, 6)), random.normal(size=(20, 6))
    sticky, form = random.normal(size=20), random.normal(0, 0.3, (6, 6))
    bound = (drugs[:, :1] + sticky + drugs @ form @ targets.T).ravel()  # (pairs,)
    bound += random.normal(0, 0.3, len(bound))
    drug, target = np.divmod(np.arange(len(bound)), len(targets))
    test = target >= 16 if cold else random.random(len(bound)) < 0.2
    products = drugs[drug][:, :, None] * targets[target][:, None]  # (pairs, 6, 6)
    numbers = np.eye(len(drugs))[drug], np.eye(len(targets))[target]
    both = np.hstack([drugs[drug], products.reshape(len(bound), -1), numbers[1]])
    first, second = (
        float(Ridge(1.0).fit(known[~test], bound[~test]).score(known[test], bound[test]))
        for known in (both, np.hstack(numbers))
    )
    return first, second
