"""A gallery, its visitors and its guide texts, all **invented**: nobody visited and nothing is on show.

The pictures of the exhibits are Twemoji's (:mod:`mmcourse.data.emoji`). See the datasheet
``book/datasheets/entertainment.md``; the notebook is 64.
"""

import functools
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from mmcourse import checks
from mmcourse.data import scenes
from mmcourse.data.things import THINGS

SIDE = 48  # pixels of a view
DIRECTIONS, SHELVES = 6, (-18.0, 18.0)  # exhibits stand every 60 degrees, on two shelves (pitch in degrees)
KINDS = ("lion", "owl", "horse", "elephant", "guitar", "crown", "ship", "rocket")
# What stands in each place, direction by direction, the lower shelf first. The first four kinds stand twice.
PLAN = (0, 4, 1, 5, 2, 0, 3, 6, 1, 2, 7, 3)
AIM, BIAS, PAUSE = 8.0, 0.12, 15.0  # degrees; degrees a second, standard deviation; seconds between two looks
TOPICS = ("maker", "age", "material", "meaning")
QUESTIONS = {
    "maker": ("who made this", "whose work is it", "which artist did that"),
    "age": ("how old is it", "when was this made", "what year is it from"),
    "material": ("what is it made of", "which material is that", "is this wood or metal"),
    "meaning": ("what does it mean", "what does this stand for", "why is it here"),
}
_MAKERS = "Brook Lindqvist Okafor Tanaka Moreau Silva Haddad Novak Chen Murphy Rossi Kaya".split()
_MATERIALS = "bronze oak marble glass copper clay iron silver granite bamboo paper wool".split()
_MEANINGS = "courage patience freedom memory music power trade hope wisdom loyalty adventure strength".split()


@dataclass(frozen=True, eq=False)
class Visits:
    """Looks of invented visitors, :data:`PAUSE` seconds apart.

    Attributes:
        exhibit: what is looked at, ``int64`` ``(visits, looks)``; it cannot be read off.
        yaw, pitch: what the headset reports, degrees, ``float64`` ``(visits, looks)``. The yaw drifts.
        views: what its camera sees, ``uint8`` ``(visits, looks, 48, 48, 3)``.
    """

    exhibit: np.ndarray
    yaw: np.ndarray
    pitch: np.ndarray
    views: np.ndarray


def place_of(exhibit: np.ndarray | int) -> tuple[np.ndarray, np.ndarray]:
    """Yaw and pitch of exhibits, in degrees."""
    direction, shelf = np.divmod(exhibit, len(SHELVES))
    return 360.0 / DIRECTIONS * direction, np.asarray(SHELVES)[shelf]


def simulate_visits(visits: int = 20, looks: int = 20, seed: int = 0, noise: float = 25.0) -> Visits:
    """Make visits: each look is at an exhibit drawn at random.

    The head is turned to the exhibit with an error of :data:`AIM` in both angles. Gravity tells the headset
    its pitch. Its yaw is summed up from a gyroscope with a constant bias, drawn for each visit with the
    standard deviation :data:`BIAS`, so that the error grows with time.

    Args:
        noise: standard deviation of the camera's noise, in grey levels.

    Raises:
        ValueError: no visit, no look, or a noise outside 0 to 255.
    """
    shape = checks.check_count("visits", visits), checks.check_count("looks", looks)
    checks.check_between("noise", noise, 0, 255)
    random = np.random.default_rng([64, seed])
    exhibit = random.integers(len(PLAN), size=shape)
    yaw, pitch = place_of(exhibit)
    drift = random.normal(0, BIAS, (shape[0], 1)) * PAUSE * np.arange(shape[1])
    yaw = yaw + drift + random.normal(0, AIM, shape)
    pitch = pitch + random.normal(0, AIM, shape)
    views = [view(KINDS[PLAN[one]], random, noise) for one in exhibit.ravel()]
    return Visits(exhibit, yaw, pitch, np.stack(views).reshape(*shape, SIDE, SIDE, 3))


def view(kind: str, random: np.random.Generator, noise: float = 25.0) -> np.ndarray:
    """An exhibit as a poor camera sees it: off the centre, cut, blurred, dim and noisy; ``uint8``
    ``(48, 48, 3)``."""
    ground = np.array([200.0, 190.0, 170.0]) * random.uniform(0.6, 1)
    size = int(random.integers(34, 60))
    sprite = Image.fromarray(_sprites()[kind]).resize((size, size), Image.Resampling.BILINEAR)
    room = Image.new("RGB", (2 * SIDE, 2 * SIDE), tuple(ground.astype(int).tolist()))
    left, top = ((2 * SIDE - size) // 2 + random.integers(-14, 15, size=2)).tolist()
    room.paste(sprite, (left, top), sprite)
    quarter = SIDE // 2
    seen = room.crop((quarter, quarter, quarter + SIDE, quarter + SIDE))
    seen = seen.filter(ImageFilter.GaussianBlur(random.uniform(0.3, 1.5)))
    bright = np.asarray(seen, dtype=np.float64) * random.uniform(0.5, 1)
    return np.clip(bright + random.normal(0, noise, bright.shape), 0, 255).astype(np.uint8)


@functools.cache
def _sprites() -> dict[str, np.ndarray]:
    names = [thing.english for thing in THINGS]
    return {kind: scenes.sprites()[scenes.PORTRAIT][names.index(kind)] for kind in KINDS}


def passages() -> tuple[str, ...]:
    """The audio guide: a text for each exhibit and topic, exhibit by exhibit, topics in their order."""
    texts = []
    for exhibit in range(len(PLAN)):
        maker, material, meaning = _MAKERS[exhibit], _MATERIALS[exhibit], _MEANINGS[exhibit]
        texts += [
            f"This work was made by the artist {maker} in a small workshop.",
            f"It dates from the year {1790 + 17 * exhibit} and is now very old.",
            f"The material is {material}, shaped and then polished.",
            f"It stands for {meaning}: that is what it meant to the town.",
        ]
    return tuple(texts)


def statistics() -> dict[str, int | float]:
    """Figures of the draw with the seed 0, for the datasheet: label -> number."""
    visits = simulate_visits()
    off = np.abs(visits.yaw - place_of(visits.exhibit)[0])
    return {
        "tour: exhibits": len(PLAN),
        "tour: kinds of exhibits": len(KINDS),
        "tour: guide texts": len(passages()),
        "tour: wordings of questions": sum(len(wordings) for wordings in QUESTIONS.values()),
        "tour: mean error of the yaw, degrees, first look": round(float(off[:, 0].mean()), 1),
        "tour: mean error of the yaw, degrees, last look": round(float(off[:, -1].mean()), 1),
    }
