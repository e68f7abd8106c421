"""Three decisions about money: a market, a loan, a payment (notebook 65).

The data are synthetic (:mod:`mmcourse.data.synthetic_money`): what a model finds is what was put in, and
nothing here says anything about real markets or people.

Sources: Elkan (2001) for decisions by costs; Welch and Goyal (2008) for the out-of-sample R²; Chouldechova
(2017) for the rates of groups.
"""

import functools

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline, make_pipeline

from mmcourse import checks
from mmcourse.applications.handwriting import read_digits
from mmcourse.data import film_reviews
from mmcourse.data.synthetic_money import TABLE, Applicants, Market

MISS, ALARM = 5.0, 1.0  # a loan that is not repaid loses five times what one that is repaid earns
CALL = 8.0  # euros: what it costs to hold a payment and to ask the customer
DOCUMENT = ("read", "gap")


@functools.cache
def sentiment_reader() -> Pipeline:
    """TF-IDF and ridge regression from the reviews of the split "train" to their ratings."""
    films = film_reviews.load()
    rows = films.split("train")
    reader = make_pipeline(TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True), Ridge(2.0))
    return reader.fit([films.texts[row] for row in rows], films.ratings[rows])


def read_sentiment(market: Market) -> np.ndarray:
    """The rating that the reader gives to the review of each day: ``float64`` ``(days,)``."""
    return _sentiments()[market.reviews]


@functools.cache
def _sentiments() -> np.ndarray:
    """What the reader says of every review; only those that it has not learned are ever looked up."""
    return sentiment_reader().predict(film_reviews.load().texts)


def walk_forward(
    features: np.ndarray, returns: np.ndarray, first: int = 250, every: int = 50, strength: float = 10.0
) -> np.ndarray:
    """Forecast each return from the features of the day before, by ridge regression on the past alone.

    Args:
        features: what is known at the close (and the evening) of each day, ``(days, features)``.
        returns: ``(days,)``.
        first: days before the first forecast.
        every: days between two fits; each fit sees all days that have passed.
        strength: of the ridge penalty, on standardised features.

    Returns:
        Forecasts of ``returns[first:]``, ``float64``.

    Raises:
        ValueError: the lengths differ, ``first`` is below 30, or no day is left to forecast.
    """
    features, returns = np.asarray(features, dtype=float), np.asarray(returns, dtype=float)
    if features.ndim != 2 or returns.shape != features.shape[:1]:
        raise ValueError(
            f"expected features (days, features) and returns (days,), got {features.shape}, {returns.shape}"
        )
    first, every = checks.check_count("first", first, 30), checks.check_count("every", every)
    if first >= len(returns):
        raise ValueError(f"no day is left to forecast: first is {first}, and there are {len(returns)} days")
    forecasts = []
    for start in range(first, len(returns), every):
        stop = min(start + every, len(returns))
        known, come = features[: start - 1], returns[1:start]
        mean, scale = known.mean(axis=0), known.std(axis=0) + 1e-12
        model = Ridge(strength).fit((known - mean) / scale, come)
        forecasts.append(model.predict((features[start - 1 : stop - 1] - mean) / scale))
    return np.concatenate(forecasts)


def out_of_sample_r2(returns: np.ndarray, forecasts: np.ndarray, naive: np.ndarray | float = 0.0) -> float:
    """Share of the naive forecast's squared error that the forecasts take away; below 0 they add to it.

    It is the out-of-sample R² of Welch and Goyal (2008), with the naive forecast as given: 0,
    "the price stays", is that of a random walk.

    Raises:
        ValueError: the lengths differ.
    """
    returns, forecasts = np.asarray(returns, dtype=float), np.asarray(forecasts, dtype=float)
    if returns.shape != forecasts.shape:
        raise ValueError(f"expected as many forecasts as returns, got {forecasts.shape} and {returns.shape}")
    return float(1 - ((returns - forecasts) ** 2).sum() / ((returns - naive) ** 2).sum())


def read_documents(documents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Read the two digits of each document.

    Args:
        documents: ``float32`` ``(documents, 28, 56)``, ink 1.

    Returns:
        The incomes that are read, ``int64``, and how sure the reader is of the less certain digit,
        ``float64``.

    Raises:
        ValueError: another shape.
    """
    documents = np.asarray(documents)
    if documents.ndim != 3 or documents.shape[1:] != (28, 56):
        raise ValueError(f"documents must have the shape (documents, 28, 56), got {documents.shape}")
    halves = documents[:, :, :28], documents[:, :, 28:]
    tens, ones = (read_digits(half) for half in halves)  # (documents, 10)
    sure = np.minimum(tens.max(axis=1), ones.max(axis=1))
    return 10 * tens.argmax(axis=1) + ones.argmax(axis=1), sure


def applicant_features(
    applicants: Applicants, document: bool = True, documents: np.ndarray | None = None
) -> np.ndarray:
    """Columns for a model: the table, and from the document the income read and by how much it was exceeded.

    Args:
        document: add the columns :data:`DOCUMENT`.
        documents: other pictures than their own, for a control.

    Returns:
        ``float64`` ``(people, 5 or 7)``; the gap is cut off at -20 and 30, because one misread digit of tens
        would otherwise outweigh everything.
    """
    columns = [applicants.table[name] for name in TABLE]
    if document:
        read, _ = read_documents(applicants.documents if documents is None else documents)
        columns += [read.astype(float), np.clip(applicants.table["declared"] - read, -20, 30)]
    return np.stack(columns, axis=1)


def loan_gain(repaid: np.ndarray, approved: np.ndarray) -> float:
    """Gain for each hundred applications: 1 for a loan that is repaid, -:data:`MISS` for one that is not.

    Raises:
        ValueError: the lengths differ.
    """
    repaid, approved = np.asarray(repaid), np.asarray(approved, dtype=bool)
    if repaid.shape != approved.shape:
        raise ValueError(f"expected one decision for each loan, got {approved.shape} and {repaid.shape}")
    return float(100 * np.where(repaid == 1, ALARM, -MISS)[approved].sum() / len(repaid))


def group_rates(repaid: np.ndarray, approved: np.ndarray, group: np.ndarray) -> dict[int, dict[str, float]]:
    """Three rates for each group that fairness is measured by (Chouldechova 2017).

    Returns:
        group -> "approved", the share of all; "good payers approved", of those who repaid; "approved who
        repaid", of those approved (NaN if nobody was).

    Raises:
        ValueError: the lengths differ.
    """
    repaid, group = np.asarray(repaid), np.asarray(group)
    approved = np.asarray(approved, dtype=bool)
    if not repaid.shape == approved.shape == group.shape:
        raise ValueError("repaid, approved and group must have one entry for each person")
    rates = {}
    for name in np.unique(group):
        own = group == name
        good = own & (repaid == 1)
        rates[int(name)] = {
            "approved": float(approved[own].mean()),
            "good payers approved": float(approved[good].mean()) if good.any() else float("nan"),
            "approved who repaid": float(repaid[own & approved].mean())
            if (own & approved).any()
            else float("nan"),
        }
    return rates


def fraud_cost(fraud: np.ndarray, held: np.ndarray, amounts: np.ndarray, call: float = CALL) -> float:
    """Euros for each thousand payments: the amount of each fraud let through, and a call for each payment
    held.

    Raises:
        ValueError: the lengths differ.
    """
    fraud, held, amounts = np.asarray(fraud), np.asarray(held, dtype=bool), np.asarray(amounts, dtype=float)
    if not fraud.shape == held.shape == amounts.shape:
        raise ValueError("fraud, held and amounts must have one entry for each payment")
    return float(1000 * (amounts[~held & (fraud == 1)].sum() + call * held.sum()) / len(fraud))
