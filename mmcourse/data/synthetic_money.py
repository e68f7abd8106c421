"""Markets, loans and payments that are **synthetic**: no price, no person and no payment in them is real.

Real are only the reviews (:mod:`mmcourse.data.film_reviews`) and the handwritten digits
(:mod:`mmcourse.data.digits`). See ``book/datasheets/finance.md``; the notebook is 65.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from mmcourse import checks
from mmcourse.data import digits, film_reviews

VOLATILITY = 1.5  # per cent a day
TABLE = ("declared", "debt", "late", "years", "district")
TRANSACTION = ("amount", "night", "category")
ENVIRONMENT = ("new device", "distance", "speed")


@dataclass(frozen=True, eq=False)
class Market:
    """A synthetic share of a film studio.

    Attributes:
        returns: per cent, ``float64`` ``(days,)``; ``returns[t]`` leads from the close of day ``t - 1`` to
            the close of day ``t``.
        prices: the close of each day, ``float64`` ``(days,)``; the close before the first day was 100.
        reviews: row in the film reviews that is published after the close of each day, ``int64`` ``(days,)``.
        signal: correlation of a return with the rating of the evening before, by construction.
    """

    returns: np.ndarray
    prices: np.ndarray
    reviews: np.ndarray
    signal: float


def simulate_market(days: int = 1000, signal: float = 0.0, seed: int = 0) -> Market:
    """Make a market; with ``signal=0`` its prices are a geometric random walk and nothing can predict them.

    After the close of each day one real film review, of the splits "validation" and "test", appears. With
    ``z`` its standardised human rating and Gaussian noise ``e``, the next return is
    ``VOLATILITY * (signal * z + sqrt(1 - signal**2) * e)``.

    Raises:
        ValueError: ``days`` is below 2 or ``signal`` outside 0 to 0.99.
    """
    days = checks.check_count("days", days, 2)
    checks.check_between("signal", signal, 0, 0.99)
    films = film_reviews.load()
    rows = np.concatenate([films.split("validation"), films.split("test")])
    random = np.random.default_rng([65, seed])
    reviews = random.choice(rows, days, replace=days > len(rows))
    ratings = films.ratings[reviews]
    z = (ratings - films.ratings[rows].mean()) / films.ratings[rows].std()
    heard = np.concatenate([[0.0], z[:-1]])  # what was published the evening before
    noise = random.normal(size=days)
    returns = VOLATILITY * (signal * heard + np.sqrt(1 - signal**2) * noise)
    return Market(returns, 100 * np.exp(np.cumsum(returns) / 100), reviews.astype(np.int64), signal)


@dataclass(frozen=True, eq=False)
class Applicants:
    """Synthetic people who ask for a loan, each with a table and a picture of a payslip.

    Attributes:
        table: column of :data:`TABLE` -> ``float64`` ``(people,)``: the income that they declare, in
            hundreds of euros a month; debt as a share of income; late payments; years in the job; a district
            of the town.
        documents: the true income as two real handwritten digits, ``float32`` ``(people, 28, 56)``, ink 1.
        income: what the payslip says, ``int64`` ``(people,)``, 10 to 99.
        group: 0 or 1; about three in ten are of group 1.
        repaid: 1 if the loan was repaid, ``int64`` ``(people,)``.
    """

    table: dict[str, np.ndarray]
    documents: np.ndarray
    income: np.ndarray
    group: np.ndarray
    repaid: np.ndarray

    def __len__(self) -> int:
        return len(self.repaid)


def simulate_applicants(
    people: int = 2000, seed: int = 0, split: str = "train", blur: float = 0.0
) -> Applicants:
    """Make people who ask for a loan.

    Group 1 earns less, by construction; the group itself has no influence on repaying, and the district
    follows the group in four of five cases. One in four declares more than the payslip says. The log-odds of
    *not* repaying are ``-2.5 - 0.09 (income - 28) + 0.8 late + 3 (debt - 0.3) - 0.05 years + 2 overstated``.

    Args:
        split: of the handwritten digits. For "train", the digits of the split "validation" are drawn, since
            the reader has learned those of "train"; for "test", those of "test".
        blur: standard deviation, in pixels, of a blur on the documents of group 1 alone: a bad scanner.

    Raises:
        ValueError: another split, fewer than 10 people, or a blur below 0.
    """
    if split not in ("train", "test"):
        raise ValueError(f'split must be "train" or "test", got {split!r}')
    people = checks.check_count("people", people, 10)
    checks.check_between("blur", blur, 0, 10)
    random = np.random.default_rng([652, seed, split == "test"])
    group = (random.random(people) < 0.3).astype(np.int64)
    income = np.exp(random.normal(3.35 - 0.2 * group, 0.35, people)).round().clip(10, 99).astype(np.int64)
    overstated = random.random(people) < 0.25
    more = overstated * random.integers(8, 25, people)
    table = {
        "declared": np.minimum(income + more, 99).astype(float),
        "debt": random.beta(2, 4, people),
        "late": random.poisson(0.6, people).astype(float),
        "years": random.exponential(5, people).clip(0, 30),
        "district": np.where(random.random(people) < 0.8, group, 1 - group).astype(float),
    }
    log_odds = -2.5 - 0.09 * (income - 28) + 0.8 * table["late"] + 3 * (table["debt"] - 0.3)
    log_odds += -0.05 * table["years"] + 2 * overstated
    repaid = (random.random(people) >= 1 / (1 + np.exp(-log_odds))).astype(np.int64)
    images, labels = digits.load().part("validation" if split == "train" else "test")
    halves = []
    for wanted in np.divmod(income, 10):
        rows = np.empty(people, dtype=np.int64)
        for digit in range(10):
            rows[wanted == digit] = random.choice(np.flatnonzero(labels == digit), (wanted == digit).sum())
        halves.append(images[rows] / np.float32(255))
    documents = np.concatenate(halves, axis=2).astype(np.float32)  # (people, 28, 56)
    if blur:
        bad = group == 1
        documents[bad] = ndimage.gaussian_filter(documents[bad], (0, blur, blur))
    return Applicants(table, documents, income, group, repaid)


@dataclass(frozen=True, eq=False)
class Payments:
    """Synthetic card payments in the order of time.

    Attributes:
        transaction: ``float64`` ``(payments, 3)``, columns :data:`TRANSACTION`: logarithm of the amount in
            euros; 1 at night; risk of the kind of shop, 0 to 1.
        environment: ``float64`` ``(payments, 3)``, columns :data:`ENVIRONMENT`: 1 for a device never seen;
            logarithm of 1 + the kilometres from home; how fast the form was filled in, standardised.
        fraud: 1 or 0, ``int64`` ``(payments,)``.
        month: 0 to 5, ``int64`` ``(payments,)``, ascending.
    """

    transaction: np.ndarray
    environment: np.ndarray
    fraud: np.ndarray
    month: np.ndarray

    @property
    def amounts(self) -> np.ndarray:
        """Euros, ``float64`` ``(payments,)``."""
        return np.exp(self.transaction[:, 0])


def simulate_payments(
    payments: int = 30_000, seed: int = 0, share: float = 0.01, drift: float = 0.0
) -> Payments:
    """Make payments of six months.

    One honest payment in eight is unusually large and one in twelve is made on a journey, far from home and
    often on a new device, rarely both. Fraud is both at once, with noise: each view alone finds many honest
    payments as suspicious as the fraud.

    Args:
        share: of fraud.
        drift: by how much, on the scale of the logarithm, the amounts of fraud are lower in months 4 and 5:
            people who cheat learn what is noticed.

    Raises:
        ValueError: fewer than 1,000 payments, a share outside 0.001 to 0.5, or a drift below 0.
    """
    payments = checks.check_count("payments", payments, 1000)
    checks.check_between("share", share, 0.001, 0.5)
    checks.check_between("drift", drift, 0, 5)
    random = np.random.default_rng([653, seed])
    month = np.sort(random.integers(6, size=payments))
    fraud = random.random(payments) < share
    large = np.where(fraud, random.random(payments) < 0.85, random.random(payments) < 0.12)
    away = np.where(fraud, random.random(payments) < 0.85, random.random(payments) < 0.08)
    amount = random.normal(3.3, 0.9, payments) + 1.9 * large
    amount = amount - drift * (fraud & (month >= 4))
    night = random.random(payments) < np.where(fraud, 0.3, 0.1)
    category = random.beta(2 + 1.5 * fraud, 3)
    device = random.random(payments) < np.where(away, 0.7, 0.04)
    distance = np.log1p(np.exp(random.normal(1.5, 1.0, payments) + 4.0 * away))
    speed = random.normal(0.4 * fraud, 1.0)
    transaction = np.stack([amount, night, category], axis=1).astype(float)
    environment = np.stack([device, distance, speed], axis=1).astype(float)
    return Payments(transaction, environment, fraud.astype(np.int64), month.astype(np.int64))


def statistics() -> dict[str, int | float]:
    """Figures of one draw of each set, the one with seed 0, for the datasheet: label -> number."""
    market = simulate_market(signal=0.15)
    heard = film_reviews.load().ratings[market.reviews[:-1]]
    people, payments = simulate_applicants(split="test"), simulate_payments()
    return {
        "markets: days of a draw": len(market.returns),
        "markets: standard deviation of a day's return, per cent": float(market.returns.std()),
        "markets: correlation of rating and next return, weak signal": float(
            np.corrcoef(heard, market.returns[1:])[0, 1]
        ),
        "loans: people of a draw": len(people),
        "loans: mean income in group 0, hundreds of euros": float(people.income[people.group == 0].mean()),
        "loans: mean income in group 1, hundreds of euros": float(people.income[people.group == 1].mean()),
        "loans: share not repaid in group 0": float(1 - people.repaid[people.group == 0].mean()),
        "loans: share not repaid in group 1": float(1 - people.repaid[people.group == 1].mean()),
        "loans: share that overstates": float((people.table["declared"] > people.income).mean()),
        "payments: of a draw": len(payments.fraud),
        "payments: of these fraud": int(payments.fraud.sum()),
        "payments: median amount if honest, euros": float(np.median(payments.amounts[payments.fraud == 0])),
        "payments: median amount if fraud, euros": float(np.median(payments.amounts[payments.fraud == 1])),
    }
