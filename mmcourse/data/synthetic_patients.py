"""Patients who are **synthetic**: no picture, no note and no heartbeat in them comes from a person.

See ``book/datasheets/medicine.md``; the notebook is 63. What a model finds in them is what was put in.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from mmcourse import checks

SIDE = 24  # pixels
TABLE = ("age", "marker")
SPLITS = {"train": 3000, "validation": 1500, "test": 2000}
SHARE = 0.3  # of cancer, unless another is asked for
RATE, SECONDS = 125, 3  # samples a second of the heart's curve, and its length
EFFECT = -0.9  # of the treatment on the log-odds of dying

_LUMP = {
    True: ("reports a lump", "a lump was felt", "a lump on the left side"),
    False: ("reports no lump", "no lump was felt", "no lump on either side"),
}
_FAMILY = {
    True: ("mother had cancer", "her sister had cancer", "cancer in the family"),
    False: ("mother had no cancer", "no sister had cancer", "no cancer in the family"),
}


@dataclass(frozen=True, eq=False)
class Patients:
    """Synthetic women, each with a patch of a breast picture, two numbers and a note; parts may be missing.

    Attributes:
        pictures: ``float32`` ``(patients, 24, 24)``, about 0 to 1; all 0 where none was taken.
        pictured: whether there is a picture, ``bool`` ``(patients,)``.
        table: column of :data:`TABLE` -> ``float64`` ``(patients,)``: the age in years; a value from the
            blood, NaN where nobody measured it.
        notes: a few words about lumps and family; "" where nobody wrote any.
        dense: whether the tissue is dense, which hides what lies in it, ``bool`` ``(patients,)``. No model
            is shown it.
        cancer: 1 or 0, ``int64`` ``(patients,)``.
    """

    pictures: np.ndarray
    pictured: np.ndarray
    table: dict[str, np.ndarray]
    notes: tuple[str, ...]
    dense: np.ndarray
    cancer: np.ndarray

    def __len__(self) -> int:
        return len(self.cancer)


def simulate_patients(
    split: str = "train",
    count: int | None = None,
    seed: int = 0,
    share: float = SHARE,
    mark: tuple[float, float] = (0.0, 0.0),
    missing: bool = True,
) -> Patients:
    """Make patients. Whether a patient has cancer is drawn first, everything else from that.

    So a change of ``share`` changes how many are ill and nothing about what the ill and the healthy look
    like. Of the ill, 85 % show a mass with a star-shaped outline; of the healthy, 30 % show one with a smooth
    outline. Four in ten have dense tissue, whatever they have. The blood value is measured in six of ten who
    are ill and in two of ten who are not: somebody was worried. Pictures are missing in 15 %, notes in 25 %,
    of both alike.

    Args:
        split: "train", "validation" or "test": which stream of random numbers; no patient is in two.
        count: how many; :data:`SPLITS` by default.
        seed: of the draw.
        share: of patients who have cancer.
        mark: probability of a scanner's mark in the corner of the picture of a healthy and of an ill patient.
        missing: leave parts out; with False nothing is missing.

    Raises:
        ValueError: another split, fewer than 10 patients, or a probability outside 0 to 1.
    """
    if split not in SPLITS:
        raise ValueError(f"split must be one of {', '.join(SPLITS)}, got {split!r}")
    count = checks.check_count("count", SPLITS[split] if count is None else count, 10)
    checks.check_between("share", share, 0, 1)
    for chance in mark:
        checks.check_between("mark", chance, 0, 1)
    random = np.random.default_rng([63, seed, list(SPLITS).index(split)])
    ill = random.random(count) < share
    age = random.normal(56 + 4 * ill, 9, count).clip(40, 80)
    lump = random.random(count) < np.where(ill, 0.40, 0.08)
    family = random.random(count) < np.where(ill, 0.28, 0.12)
    notes = [_note(*facts, random) for facts in zip(lump, family, strict=True)]
    marker = random.normal(0.8 * ill, 1, count)
    dense = random.random(count) < 0.4
    pictures = _draw(ill, dense, random)
    marked = random.random(count) < np.where(ill, mark[1], mark[0])
    pictures[marked, 1, 1:5] = pictures[marked, 1:5, 1] = 1.0
    measured = random.random(count) < np.where(ill, 0.6, 0.2)
    pictured, noted = random.random(count) >= 0.15, random.random(count) >= 0.25
    if missing:
        marker[~measured] = np.nan
        pictures[~pictured] = 0
        notes = [note if there else "" for note, there in zip(notes, noted, strict=True)]
    else:
        pictured = np.ones(count, dtype=bool)
    table = {"age": age, "marker": marker}
    return Patients(pictures, pictured, table, tuple(notes), dense, ill.astype(np.int64))


def _note(lump: bool, family: bool, random: np.random.Generator) -> str:
    parts = [str(random.choice(_LUMP[bool(lump)])), str(random.choice(_FAMILY[bool(family)]))]
    return "; ".join(parts[:: random.choice([1, -1])])


def _draw(ill: np.ndarray, dense: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Tissue with or without a mass, ``float32`` ``(patients, 24, 24)``."""
    count = len(ill)
    smooth = ndimage.gaussian_filter(random.normal(size=(count, SIDE, SIDE)), (0, 1.5, 1.5))
    smooth /= smooth.std()
    tissue = 0.4 + np.where(dense, 0.14, 0.05)[:, None, None] * smooth
    tissue += random.normal(0, 0.05, tissue.shape)
    mass = random.random(count) < np.where(ill, 0.85, 0.3)

    def each(low: float, high: float) -> np.ndarray:
        return random.uniform(low, high, count)[:, None, None]

    rows, columns = np.mgrid[:SIDE, :SIDE]
    down, right = rows - each(7, 16), columns - each(7, 16)  # (patients, 24, 24)
    angle, distance = np.arctan2(down, right), np.hypot(down, right)
    points = np.where(ill, random.integers(5, 9, count), 2)[:, None, None]
    uneven = np.where(ill, random.uniform(0.3, 0.6, count), random.uniform(0, 0.15, count))[:, None, None]
    outline = each(3.2, 5.2) * (1 + uneven * np.cos(points * angle + each(0, 2 * np.pi)))
    shape = 1 / (1 + np.exp(np.clip((distance - outline) / 0.5, -30, 30)))
    picture = tissue + mass[:, None, None] * each(0.16, 0.4) * shape
    return picture.clip(0, 1).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Hearts:
    """Synthetic patients of a heart clinic.

    Attributes:
        curves: like an electrocardiogram, in millivolts, ``float32`` ``(patients, 375)``: three seconds.
        age: years, ``float64`` ``(patients,)``.
        treated: 1 or 0, ``int64`` ``(patients,)``.
        died: within a year, 1 or 0, ``int64`` ``(patients,)``.
        risks: probability of dying without and with the treatment, ``float64`` ``(patients, 2)``. Nobody
            can know it outside of a simulation.
    """

    curves: np.ndarray
    age: np.ndarray
    treated: np.ndarray
    died: np.ndarray
    risks: np.ndarray

    def __len__(self) -> int:
        return len(self.died)


def simulate_hearts(count: int = 3000, seed: int = 0, trial: bool = False) -> Hearts:
    """Make patients with a curve of the heart, a treatment and an outcome.

    How ill a heart is (Gaussian, *s*) lowers the segment between S and T by 0.1 *s* millivolts. The log-odds
    of dying are ``-1.2 + 1.2 s + 0.05 (age - 65)``, and :data:`EFFECT` is added by the treatment: it helps.
    Doctors look at the curve and treat with probability ``1 / (1 + exp(-1.8 s))``.

    Args:
        trial: treat by the toss of a coin instead.

    Raises:
        ValueError: fewer than 10 patients.
    """
    count = checks.check_count("count", count, 10)
    random = np.random.default_rng([632, seed, trial])
    illness, age = random.normal(size=count), random.normal(65, 9, count)
    chance = np.full(count, 0.5) if trial else 1 / (1 + np.exp(-1.8 * illness))
    treated = (random.random(count) < chance).astype(np.int64)
    log_odds = -1.2 + 1.2 * illness + 0.05 * (age - 65)
    risks = 1 / (1 + np.exp(-(log_odds[:, None] + [0, EFFECT])))  # (patients, 2)
    died = (random.random(count) < risks[np.arange(count), treated]).astype(np.int64)
    return Hearts(_beat(-0.1 * illness, random), age, treated, died, risks)


# Place in seconds from the R peak, height in millivolts and width in seconds of the waves P, Q, R, S and T.
_WAVES = ((-0.18, 0.12, 0.025), (-0.03, -0.12, 0.008), (0, 1, 0.011), (0.03, -0.2, 0.009), (0.28, 0.25, 0.04))


def _beat(level: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Curves of beating hearts whose ST segments lie at a level, ``float32`` ``(patients, samples)``."""
    count = len(level)
    time = np.arange(RATE * SECONDS) / RATE
    between = random.uniform(0.65, 1.0, count)[:, None]
    curve = random.normal(0, 0.03, (count, len(time)))
    curve += 0.05 * np.sin(2 * np.pi * (0.3 * time + random.random((count, 1))))  # breathing
    first = random.uniform(0.25, 0.5, count)[:, None]
    for beat in range(6):
        since = time - first - beat * between
        for place, height, width in _WAVES:
            curve += height * np.exp(-((since - place) ** 2) / (2 * width**2))
        edges = [1 / (1 + np.exp(np.clip(-(since - edge) / 0.008, -30, 30))) for edge in (0.06, 0.2)]
        curve += level[:, None] * (edges[0] - edges[1])
    return curve.astype(np.float32)


def statistics() -> dict[str, int | float]:
    """Figures of one draw of each set, the one with seed 0, for the datasheet: label -> number."""
    patients, hearts = simulate_patients("test"), simulate_hearts()
    ill = patients.cancer == 1
    measured = ~np.isnan(patients.table["marker"])
    return {
        "patients: of a draw, split test": len(patients),
        "patients: share with cancer": float(ill.mean()),
        "patients: share with dense tissue": float(patients.dense.mean()),
        "patients: share without a picture": float(1 - patients.pictured.mean()),
        "patients: share without a note": float(np.mean([not note for note in patients.notes])),
        "patients: blood value measured, of the ill": float(measured[ill].mean()),
        "patients: blood value measured, of the healthy": float(measured[~ill].mean()),
        "hearts: patients of a draw": len(hearts),
        "hearts: share treated": float(hearts.treated.mean()),
        "hearts: share that died, of the treated": float(hearts.died[hearts.treated == 1].mean()),
        "hearts: share that died, of the untreated": float(hearts.died[hearts.treated == 0].mean()),
        "hearts: true effect of the treatment on the risk": float(np.diff(hearts.risks, axis=1).mean()),
    }
