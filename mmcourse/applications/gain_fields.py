"""Cases of the applications, computed anew with the models and data of their notebooks (notebook 67).

What each arm does is derived in notebooks 50, 63, 64 and 65; here it is only gathered.
"""

from collections.abc import Iterable

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mmcourse.applications import entertainment, finance, medicine
from mmcourse.applications.gain import Case
from mmcourse.data import emoji, synthetic_tour
from mmcourse.data.synthetic_money import Payments, simulate_market
from mmcourse.data.synthetic_patients import simulate_patients
from mmcourse.evaluation import controls
from mmcourse.generator import naming
from mmcourse.generator.model import MultimodalGenerator

LOOKS, SHOTS = 20, 24  # of a visit, of a film


def naming_case(model: MultimodalGenerator, every: int = 5) -> Case:
    """Language and picture -> name (notebook 50). The loss is 1 for a name that is not exactly right.

    Who knows the language alone says one of the names, who sees the picture alone says the model's name in a
    language drawn by lot. Rows are unseen compositions, in each language; the two of a picture are a group.

    Args:
        model: of :func:`mmcourse.generator.naming.load_trained`.
        every: ask for each so many of the pictures.
    """
    pictures = emoji.load(emoji.PICTURE_SIZE)
    rows = pictures.splits["unseen_composition"][::every]
    shown = {"image": pictures.images[rows]}
    both, other = [], []
    for language in naming.LANGUAGES:
        true = np.array(pictures.names(language, rows))
        for found, inputs in ((both, shown), (other, controls.permute(shown, "image"))):
            found.append(np.array(model.generate(inputs, naming.PROMPTS[language][0])) != true)
    right, wrong = (np.concatenate(found).astype(float) for found in (both, other))
    guesses = 1 - 1 / len(right), 1 - 1 / len(rows)
    groups = np.tile(rows, len(naming.LANGUAGES))
    return Case.of("name: language, picture", *guesses, (1 + right) / 2, right, wrong, groups=groups)


def diagnosis_case(draws: int = 2) -> Case:
    """Record and picture -> cancer (notebook 63). The loss is the squared error of the probability.

    Each arm has a logistic regression of its own on what the readers say, fitted on validation patients;
    "neither" is the share of the ill among those.

    Args:
        draws: of patients and readers, at most :data:`mmcourse.applications.patches.SEEDS`.
    """
    return Case.of("diagnosis: record, picture", *_joined(_doubts(number) for number in range(draws)))


def _doubts(number: int) -> list[np.ndarray]:
    fit, who = (simulate_patients(split, seed=number) for split in ("validation", "test"))
    known, found = (medicine.evidence(one, number) for one in (fit, who))  # picture, table, note
    mixed = found.copy()
    mixed[:, 0] = np.random.default_rng(number).permutation(found[:, 0])
    losses = [(fit.cancer.mean() - who.cancer) ** 2]
    for columns, given in (([1, 2], found), ([0], found), ([0, 1, 2], found), ([0, 1, 2], mixed)):
        fusion = LogisticRegression().fit(medicine.fusion_columns(known[:, columns]), fit.cancer)
        chance = fusion.predict_proba(medicine.fusion_columns(given[:, columns]))[:, 1]
        losses.append((chance - who.cancer) ** 2)
    return losses


def storyboard_case(model: MultimodalGenerator, films: int = 12) -> Case:
    """A line of a script and the frames of a film -> its frame (notebook 64), by an artist never seen.

    The loss is 1 for a wrong frame; a line or a frame alone leaves nothing but chance. Films are groups.

    Args:
        model: of :func:`mmcourse.generator.scenes.load_trained`.
    """
    both, other, own = [], [], np.arange(SHOTS)
    for number in range(films):
        film = entertainment.compose_film(number, SHOTS, artist="openmoji")
        similar = entertainment.cell_similarities(model, film.pictures)  # (frames, places, things)
        asked = [np.array(entertainment.read_shot(line)).T for line in film.script]
        best = np.argmax([similar[:, places, things].sum(axis=1) for things, places in asked], axis=1)
        both.append(best != own)
        other.append((best + 1) % SHOTS != own)  # every frame stands for the one before it
    chance = 1 - 1 / SHOTS
    losses = chance, chance, chance, np.concatenate(both), np.concatenate(other)
    return Case.of("storyboard: line, frame", *losses, groups=np.repeat(np.arange(films), SHOTS))


def tour_case(model: MultimodalGenerator, visits: int = 10, seed: int = 0) -> Case:
    """Pose and view -> exhibit (notebook 64). The loss is 1 for a wrong exhibit; visits are groups.

    Args:
        model: of :func:`mmcourse.generator.scenes.load_trained`.
        visits: to judge on; as many others teach the reader of views.
        seed: of the visits, and of the lot between exhibits that look alike.
    """
    known = synthetic_tour.simulate_visits(visits, LOOKS, seed=seed + 100)
    tested = synthetic_tour.simulate_visits(visits, LOOKS, seed=seed + 1)
    reader = entertainment.picture_reader(model, known)
    seen = entertainment.view_features(model, tested.views.reshape(-1, *tested.views.shape[2:]))
    view = entertainment.picture_evidence(reader.predict_log_proba(seen).reshape(visits, LOOKS, -1))
    view = view + 1e-6 * np.random.default_rng(seed).random(view.shape)  # twins: by lot
    doubt = np.broadcast_to(entertainment.growing_doubt(LOOKS), tested.yaw.shape)
    pose = entertainment.pose_evidence(tested.yaw, tested.pitch, doubt)
    arms = pose, view, pose + view, pose + np.roll(view, 1, axis=0)
    losses = [(evidence.argmax(axis=2) != tested.exhibit).ravel() for evidence in arms]
    guess = 1 - 1 / len(synthetic_tour.PLAN)
    return Case.of("tour: pose, view", guess, *losses, groups=np.repeat(np.arange(visits), LOOKS))


def market_case(name: str, signal: float, markets: int = 10) -> Case:
    """Past prices and a review -> tomorrow's return (notebook 65). The loss is the squared error.

    "Neither" says that the price stays, so that a skill is the out-of-sample R². Markets are groups.

    Args:
        name: of the case.
        signal: of :func:`mmcourse.data.synthetic_money.simulate_market`.
    """
    losses = _joined(_forecasts(signal, number) for number in range(markets))
    return Case.of(name, *losses, groups=np.repeat(np.arange(markets), len(losses[0]) // markets))


def _forecasts(signal: float, number: int, first: int = 250) -> list[np.ndarray]:
    market = simulate_market(signal=signal, seed=number)
    past = np.stack([np.roll(market.returns, lag) for lag in range(5)], axis=1)  # (days, 5)
    past[:5] = 0
    text = finance.read_sentiment(market)[:, None]
    other = np.random.default_rng(number).permutation(text)
    come = market.returns[first:]
    arms = past, text, np.hstack([past, text]), np.hstack([past, other])
    said = [finance.walk_forward(known, market.returns, first) for known in arms]
    return [come**2, *((one - come) ** 2 for one in said)]


def payment_losses(payments: Payments, known: np.ndarray, given: np.ndarray) -> np.ndarray:
    """What the payments from month 3 on cost, by a logistic regression on those before (notebook 65).

    A payment is held if the probability of fraud times its amount is above the price of a call. An honest one
    that is held costs the call, a fraud that is let through its amount, and all others nothing.

    Args:
        known: columns of all payments, ``(payments, columns)``.
        given: the same columns of the payments from month 3 on, perhaps of others.

    Returns:
        Euros, ``float64`` ``(payments from month 3 on,)``.

    Raises:
        ValueError: the numbers of rows or columns differ.
    """
    old = payments.month < 3
    if len(known) != len(old) or np.shape(given) != ((~old).sum(), known.shape[1]):
        raise ValueError(
            f"expected known rows of {len(old)} payments and given rows of {(~old).sum()} later ones with "
            f"the same columns, got {np.shape(known)} and {np.shape(given)}"
        )
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(known[old], payments.fraud[old])
    amounts, fraud = payments.amounts[~old], payments.fraud[~old] == 1
    held = model.predict_proba(given)[:, 1] * amounts > finance.CALL
    return np.where(fraud, amounts * ~held, finance.CALL * held)


def _joined(draws: Iterable[list[np.ndarray]]) -> list[np.ndarray]:
    """The losses of several draws, arm by arm one after the other."""
    return [np.concatenate(arm) for arm in zip(*draws, strict=True)]
