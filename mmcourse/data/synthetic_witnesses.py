"""Drives and pupils that are **synthetic**: no car drove and no child was tested.

The handwriting alone is real (:mod:`mmcourse.data.digits`). See ``book/datasheets/tracking.md``;
the notebook is 66.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from mmcourse import checks
from mmcourse.data import digits

STEP = 0.1  # seconds between two measurements
ERRORS = {"camera": 2.0, "radar": 1.0}  # metres, standard deviations on a clear day
FOG = 12.0  # metres, the camera's in fog
JERK = 1.5  # metres a second squared: standard deviation of the change of speed, divided by the step
PRIOR, LEARN, SLIP, GUESS = 0.25, 0.12, 0.10, 0.15


@dataclass(frozen=True, eq=False)
class Drives:
    """Synthetic drives behind another car.

    Attributes:
        distance: metres to the car ahead, ``float64`` ``(drives, steps)``; it cannot be seen.
        measured: "camera" and "radar" -> their measurements, ``float64`` ``(drives, steps)``.
        fog: True where there is fog, ``bool`` ``(drives, steps)``.
    """

    distance: np.ndarray
    measured: dict[str, np.ndarray]
    fog: np.ndarray


def simulate_drives(drives: int = 100, steps: int = 200, seed: int = 0, failure: str = "none") -> Drives:
    """Make drives, :data:`STEP` seconds a step.

    The relative speed is a random walk that returns slowly to 0. Both sensors measure the distance with
    Gaussian errors, :data:`ERRORS`. The failures concern the camera in the middle third of the drive:

    - "fog": its error is :data:`FOG`;
    - "frozen": it repeats its last measurement, and says nothing;
    - "creeping": its error grows by 0.05 metres a step, and stays.

    Raises:
        ValueError: there is no such failure, no drive, or fewer than 30 steps.
    """
    if failure not in ("none", "fog", "frozen", "creeping"):
        raise ValueError(f"failure must be none, fog, frozen or creeping, got {failure!r}")
    drives, steps = checks.check_count("drives", drives), checks.check_count("steps", steps, 30)
    random = np.random.default_rng([66, seed])
    speed = np.zeros((drives, steps))
    speed[:, 0] = random.normal(0, 2, drives)
    pushes = JERK * STEP * random.normal(size=(drives, steps))
    for step in range(1, steps):
        speed[:, step] = 0.995 * speed[:, step - 1] + pushes[:, step]
    start = random.uniform(30, 60, (drives, 1))
    distance = start + STEP * np.cumsum(speed, axis=1)
    noise = {name: random.normal(size=(drives, steps)) for name in ERRORS}
    middle = np.zeros(steps, dtype=bool)
    middle[steps // 3 : 2 * steps // 3] = failure != "none"
    error = np.where(middle & (failure == "fog"), FOG, ERRORS["camera"])
    measured = {
        "camera": distance + error * noise["camera"],
        "radar": distance + ERRORS["radar"] * noise["radar"],
    }
    if failure == "frozen":
        first = int(np.flatnonzero(middle)[0])
        measured["camera"][:, middle] = measured["camera"][:, first - 1 : first]
    if failure == "creeping":
        measured["camera"][:, middle] += 0.05 * np.arange(1, middle.sum() + 1)
    fog = np.broadcast_to(middle & (failure == "fog"), distance.shape).copy()
    return Drives(distance, measured, fog)


@dataclass(frozen=True, eq=False)
class Pupils:
    """Synthetic pupils who write the answers to sums by hand.

    Attributes:
        sums: the two numbers of each exercise, ``int64`` ``(pupils, exercises, 2)``; their sum is 0 to 9.
        written: the digit that the pupil wrote, ``int64`` ``(pupils, exercises)``.
        answers: its picture, real handwriting, ``uint8`` ``(pupils, exercises, 28, 28)``.
        known: whether the pupil knew how to add when writing it, ``bool`` ``(pupils, exercises)``; nobody
            sees it.
    """

    sums: np.ndarray
    written: np.ndarray
    answers: np.ndarray
    known: np.ndarray

    @property
    def right(self) -> np.ndarray:
        """Whether the digit that was written is the sum, ``bool`` ``(pupils, exercises)``."""
        return self.written == self.sums.sum(axis=2)


def simulate_pupils(pupils: int = 200, exercises: int = 12, seed: int = 0, blur: float = 0.0) -> Pupils:
    """Make pupils by the model of knowledge tracing (Corbett and Anderson 1995).

    A pupil knows how to add from the start with probability :data:`PRIOR` and learns it after each exercise
    with :data:`LEARN`; nobody forgets. Who knows slips with :data:`SLIP`, who does not is right by luck with
    :data:`GUESS`. A wrong answer is any other digit. Pictures are of the split "test" of the digits.

    Args:
        blur: standard deviation, in pixels, of a blur on all pictures: a dirty scanner.

    Raises:
        ValueError: no pupil, no exercise, or a blur below 0.
    """
    shape = checks.check_count("pupils", pupils), checks.check_count("exercises", exercises)
    checks.check_between("blur", blur, 0, 10)
    random = np.random.default_rng([661, seed])
    first = random.integers(0, 10, shape)
    sums = np.stack([first, random.integers(0, 10 - first)], axis=2)
    true = sums.sum(axis=2)
    known = np.zeros(shape, dtype=bool)
    known[:, 0] = random.random(shape[0]) < PRIOR
    for exercise in range(1, shape[1]):
        known[:, exercise] = known[:, exercise - 1] | (random.random(shape[0]) < LEARN)
    right = random.random(shape) < np.where(known, 1 - SLIP, GUESS)
    written = np.where(right, true, (true + random.integers(1, 10, shape)) % 10)
    images, labels = digits.load().part("test")
    rows = np.empty(shape, dtype=np.int64)
    for digit in range(10):
        places = written == digit
        rows[places] = random.choice(np.flatnonzero(labels == digit), places.sum())
    answers = images[rows]
    if blur:
        answers = ndimage.gaussian_filter(answers, (0, 0, blur, blur))
    return Pupils(sums, written, answers, known)


def statistics() -> dict[str, int | float]:
    """Figures of one draw of each set, the one with seed 0, for the datasheet: label -> number."""
    drives, pupils = simulate_drives(), simulate_pupils()
    errors = {name: float((values - drives.distance).std()) for name, values in drives.measured.items()}
    return {
        "drives: of a draw": len(drives.distance),
        "drives: steps of each": drives.distance.shape[1],
        "drives: median distance, metres": float(np.median(drives.distance)),
        "drives: standard deviation of the camera's error, metres": errors["camera"],
        "drives: standard deviation of the radar's error, metres": errors["radar"],
        "pupils: of a draw": len(pupils.known),
        "pupils: answers of each": pupils.known.shape[1],
        "pupils: share who can add at the first answer": float(pupils.known[:, 0].mean()),
        "pupils: share who can add at the last": float(pupils.known[:, -1].mean()),
        "pupils: share of answers that are right": float(pupils.right.mean()),
    }
