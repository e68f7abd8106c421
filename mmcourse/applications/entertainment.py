"""A storyboard from a script, a tune from words, a guide for a virtual tour (notebook 64).

Films are composed of the pictures of scenes (:mod:`mmcourse.data.scenes`), tunes are traditional
(:mod:`mmcourse.data.tunes`), the tour is invented (:mod:`mmcourse.data.synthetic_tour`). That words ask for a
mode and a tempo is a convention written down here as a rule, not something that is learned.

Sources: Shannon (1951) for the prediction of the next sign; Eerola et al. (2013) for mode and tempo as cues.
"""

import functools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from keras import ops
from PIL import Image
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from mmcourse import checks
from mmcourse.data import film_reviews, scenes, synthetic_tour
from mmcourse.data.things import THINGS
from mmcourse.encoders import sentences
from mmcourse.generator.model import MultimodalGenerator

CAST, SETUPS = 6, 3  # things of a film, and arrangements of places that its shots share
NAMES = tuple(thing.english for thing in THINGS)

# Script and storyboard


@dataclass(frozen=True, eq=False)
class Film:
    """A composed film.

    Attributes:
        shots: the scenes, each with three things.
        script: for each shot a sentence of what is to be seen.
        pictures: ``uint8`` ``(shots, 96, 96, 3)``, the storyboard.
    """

    shots: tuple[scenes.Scene, ...]
    script: tuple[str, ...]
    pictures: np.ndarray


def compose_film(seed: int = 0, shots: int = 24, artist: str = "twemoji") -> Film:
    """A film in which every shot shows three things of a cast of six, in one of three arrangements.

    Neither who is in the picture nor which places are filled tells the shots apart.

    Args:
        artist: who draws the storyboard, "twemoji" or "openmoji".

    Raises:
        ValueError: no shot, or more than there are.
    """
    checks.check_count("shots", shots)
    most = SETUPS * CAST * (CAST - 1) * (CAST - 2)
    if shots > most:
        raise ValueError(f"there are {most} different shots of a film, got shots={shots}")
    random = np.random.default_rng([64, seed])
    cast = random.choice(len(THINGS), CAST, replace=False)
    places = [sorted(random.choice(scenes.PLACES, 3, replace=False).tolist()) for _ in range(SETUPS)]
    found: dict[tuple[tuple[int, ...], int], scenes.Scene] = {}
    while len(found) < shots:
        actors, setup = tuple(random.choice(cast, 3, replace=False).tolist()), int(random.integers(SETUPS))
        found.setdefault((actors, setup), scenes.place(list(actors), places[setup], random))
    drawn = list(found.values())
    return Film(tuple(drawn), tuple(map(shot_text, drawn)), scenes.draw(drawn, artist))


def shot_text(scene: scenes.Scene) -> str:
    """What is to be seen in a scene, as a line of a script.

    >>> shot_text(scenes.compose({"top left": "moon", "middle": "red heart"}))
    'the moon at the top left, the red heart at the middle'
    """
    return ", ".join(
        f"the {NAMES[thing]} at the {scenes.PLACE_NAMES['en'][place]}"
        for thing, place in zip(scene.things, scene.places, strict=True)
    )


def read_shot(text: str) -> list[tuple[int, int]]:
    """The things and places that a line of a script names, the reverse of :func:`shot_text`.

    Raises:
        ValueError: a part that is not "the THING at the PLACE", or an unknown thing or place.
    """
    found = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(?:the|an?) (.+) at the (.+?)\s*", part)
        if not match or match[1] not in NAMES or match[2] not in scenes.PLACE_NAMES["en"]:
            raise ValueError(
                f"expected 'the THING at the PLACE', both known to the scenes, got {part.strip()!r}"
            )
        found.append((NAMES.index(match[1]), scenes.PLACE_NAMES["en"].index(match[2])))
    return found


def cell_similarities(model: MultimodalGenerator, pictures: np.ndarray) -> np.ndarray:
    """How much each cell of pictures looks like the name of each thing: the cosines of notebook 53.

    Args:
        model: of :func:`mmcourse.generator.scenes.load_trained`.
        pictures: ``uint8`` ``(pictures, 96, 96, 3)``.

    Returns:
        ``float64`` ``(pictures, 9, things)``.
    """
    table = ops.convert_to_numpy(model.token_embedding.embeddings).astype(np.float64)
    names = np.stack([table[model.vocabulary.ids_of(name)].mean(axis=0) for name in NAMES])
    seen = ops.convert_to_numpy(model.encoders["image"].look(pictures)).astype(np.float64)
    each = seen.shape[1] // scenes.GRID  # (pictures, side, side, width)
    shape = (len(pictures), scenes.GRID, each, scenes.GRID, each, -1)
    cells = seen.reshape(shape).mean(axis=(2, 4)).reshape(len(pictures), scenes.PLACES, -1)
    return _unit(cells) @ _unit(names).T


def filled(pictures: np.ndarray) -> np.ndarray:
    """In which cells something stands: ``bool`` ``(pictures, 9)``, by the difference from the ground.

    Args:
        pictures: ``uint8`` ``(pictures, 96, 96, 3)``.
    """
    ground = np.median(pictures.reshape(len(pictures), -1, 3), axis=1)[:, None, None]
    ink = np.abs(pictures - ground).max(axis=-1) > 8
    shape = (len(pictures), scenes.GRID, scenes.CELL, scenes.GRID, scenes.CELL)
    return (ink.reshape(shape).sum(axis=(2, 4)) > 20).reshape(len(pictures), scenes.PLACES)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)


# A tune from words

DEGREES = tuple(range(-7, 15))  # notes of the models: from an octave below to two above the keynote
SMOOTHING = 3.0  # notes that the unigram is worth in every row of the bigram
MAJOR, MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)  # semitones of the seven degrees
KEYNOTE, SAMPLE_RATE, SHARES = 261.63, 16_000, (1.0, 0.5, 0.25, 0.12)  # hertz; hertz; of the harmonics


def bigram(phrases: Iterable[Sequence[int]], smoothing: float = SMOOTHING) -> np.ndarray:
    """How probable each note is after each note.

    A row mixes what was counted after its note with the frequency of notes as a whole (to which every note
    adds one), the latter as if it had been seen ``smoothing`` times.

    Args:
        phrases: sequences of degrees, each in :data:`DEGREES`.
        smoothing: above 0.

    Returns:
        ``float64`` ``(23, 22)``: a row for each note of :data:`DEGREES` and, last, for the beginning of a
        phrase; a column for each note. Rows sum to 1.

    Raises:
        ValueError: a degree that is not in :data:`DEGREES`, or a smoothing that is not above 0.
    """
    if not smoothing > 0:
        raise ValueError(f"smoothing must be above 0, got {smoothing!r}")
    counts = np.zeros((len(DEGREES) + 1, len(DEGREES)))
    for before, after in zip(*_steps(phrases), strict=True):
        counts[before, after] += 1
    single = counts.sum(axis=0) + 1
    single /= single.sum()
    return (counts + smoothing * single) / (counts.sum(axis=1, keepdims=True) + smoothing)


def perplexity(table: np.ndarray, phrases: Iterable[Sequence[int]]) -> float:
    """The perplexity of phrases under a table such as :func:`bigram`'s: e to the mean of -ln p.

    Raises:
        ValueError: no note, or a degree that is not in :data:`DEGREES`.
    """
    before, after = _steps(phrases)
    if not len(after):
        raise ValueError("there is no note to score")
    return float(np.exp(-np.log(table[before, after]).mean()))


def _steps(phrases: Iterable[Sequence[int]]) -> tuple[np.ndarray, np.ndarray]:
    """The row and the column of every note in a table."""
    before, after = [], []
    for phrase in phrases:
        outside = [degree for degree in phrase if degree not in DEGREES]
        if outside:
            raise ValueError(f"degrees go from {DEGREES[0]} to {DEGREES[-1]}, got {outside[0]!r}")
        columns = [int(degree) - DEGREES[0] for degree in phrase]
        before += [len(DEGREES), *columns[:-1]][: len(columns)]
        after += columns
    return np.array(before, dtype=np.int64), np.array(after, dtype=np.int64)


def draw_melody(
    table: np.ndarray, notes: int, random: np.random.Generator, most: int = 10_000
) -> tuple[int, ...]:
    """Draw notes one after the other, again and again until the last one is the keynote.

    Args:
        table: of :func:`bigram`.
        notes: how many.
        most: how often to try.

    Returns:
        ``notes`` degrees, the last of them 0.

    Raises:
        ValueError: fewer than one note.
        RuntimeError: no melody ended on the keynote.
    """
    checks.check_count("notes", notes)
    cumulated = table.cumsum(axis=1)
    for _ in range(most):
        row, melody = len(DEGREES), []
        for share in random.random(notes):
            row = min(int(np.searchsorted(cumulated[row], share)), len(DEGREES) - 1)
            melody.append(DEGREES[row])
        if melody[-1] == 0:
            return tuple(melody)
    raise RuntimeError(f"none of {most:,} melodies of {notes} notes ended on the keynote")


def count_syllables(text: str) -> int:
    """About how many syllables an English text has: groups of vowels, without a silent e at the end.

    >>> count_syllables("The river runs to a smiling sea")
    9
    """
    total = 0
    for word in film_reviews.words(text):
        groups = len(re.findall(r"[aeiouy]+", word))
        silent = groups > 1 and re.search(r"([^aeiouyl]|[aeiouy]l)e$|[^aeiouytd]ed$|[^aeiouyscxz]es$", word)
        total += max(1, groups - bool(silent))
    return total


@functools.cache
def mood_reader() -> Pipeline:
    """Ridge regression from the mean of GloVe's vectors to the ratings of the film reviews' split "train"."""
    films = film_reviews.load()
    rows = films.split("train")
    vectors = sentences.glove_mean([films.texts[row] for row in rows])
    return make_pipeline(StandardScaler(), Ridge(10.0)).fit(vectors, films.ratings[rows])


def read_mood(lines: Sequence[str]) -> np.ndarray:
    """What :func:`mood_reader` makes of lines: ``float64`` ``(lines,)``, below 0 for sad ones."""
    return mood_reader().predict(sentences.glove_mean(lines))


@dataclass(frozen=True)
class Setting:
    """A line set to music.

    Attributes:
        degrees: one for each syllable.
        minor: the mode.
        tempo: notes a minute.
    """

    degrees: tuple[int, ...]
    minor: bool
    tempo: float

    @property
    def semitones(self) -> tuple[int, ...]:
        """For each note its distance from the keynote."""
        scale = MINOR if self.minor else MAJOR
        return tuple(12 * (degree // 7) + scale[degree % 7] for degree in self.degrees)


def set_line(line: str, mood: float, table: np.ndarray, seed: int = 0) -> Setting:
    """The rule: a note for each syllable; minor below 0; 110 notes a minute and 40 more for each point.

    The tempo stays between 60 and 180. Which notes, the table and the seed decide.

    Raises:
        ValueError: a line without a word.
    """
    if not film_reviews.words(line):
        raise ValueError(f"a line needs at least one word, got {line!r}")
    degrees = draw_melody(table, count_syllables(line), np.random.default_rng(seed))
    return Setting(degrees, mood < 0, float(np.clip(110 + 40 * mood, 60, 180)))


def play(setting: Setting) -> np.ndarray:
    """The sound of a setting: ``float32`` ``(samples,)``, :data:`SAMPLE_RATE` a second.

    Each note has four harmonics that die away; the last one is twice as long.
    """
    beat, parts = 60 / setting.tempo, []
    for number, semitone in enumerate(setting.semitones):
        length = beat * (2 if number == len(setting.degrees) - 1 else 1)
        seconds = np.arange(round(length * SAMPLE_RATE)) / SAMPLE_RATE
        phase = 2 * np.pi * KEYNOTE * 2 ** (semitone / 12) * seconds
        tone = sum(share * np.sin((one + 1) * phase) for one, share in enumerate(SHARES))
        rise = np.minimum(1, seconds / 0.01) * np.minimum(1, (length - seconds) / 0.02)
        parts.append(0.4 * tone * rise * np.exp(-2.5 * seconds))
    return np.concatenate(parts).astype(np.float32)


# A virtual tour


def view_features(model: MultimodalGenerator, views: np.ndarray) -> np.ndarray:
    """What the scenes' encoder sees in views, a mean over the picture: ``float64`` ``(views, width)``.

    Args:
        views: ``uint8`` ``(views, side, side, 3)``.
    """
    large = [
        np.asarray(Image.fromarray(one).resize((scenes.SIDE, scenes.SIDE), Image.Resampling.BILINEAR))
        for one in views
    ]
    seen = [
        ops.convert_to_numpy(model.encoders["image"].look(np.stack(large[start : start + 64])))
        for start in range(0, len(large), 64)
    ]
    return _unit(np.concatenate(seen).astype(np.float64).mean(axis=(1, 2)))


def picture_reader(model: MultimodalGenerator, visits: synthetic_tour.Visits) -> LogisticRegression:
    """A reader of the *kind* of exhibit in a view, fitted on visits whose exhibits are known."""
    kinds = np.array(synthetic_tour.PLAN)[visits.exhibit.ravel()]
    views = visits.views.reshape(-1, *visits.views.shape[2:])
    return LogisticRegression(C=10.0, max_iter=500).fit(view_features(model, views), kinds)


def picture_evidence(log_kinds: np.ndarray) -> np.ndarray:
    """From log probabilities of kinds ``(…, kinds)`` to those of exhibits ``(…, exhibits)``.

    Twins look alike, so that they share the probability of their kind equally.
    """
    each = log_kinds - np.log(np.bincount(synthetic_tour.PLAN))
    return each[..., list(synthetic_tour.PLAN)]


def pose_evidence(yaw: np.ndarray, pitch: np.ndarray, doubt: np.ndarray | float) -> np.ndarray:
    """Log likelihood of a pose for each exhibit, ``float64`` ``(…, exhibits)``, up to a constant.

    Args:
        yaw, pitch: degrees, of one shape.
        doubt: assumed standard deviation of the yaw, degrees; that of the pitch is known.
    """
    there, high = synthetic_tour.place_of(np.arange(len(synthetic_tour.PLAN)))
    turned = (np.asarray(yaw)[..., None] - there + 180) % 360 - 180
    raised = np.asarray(pitch)[..., None] - high
    doubt = np.asarray(doubt, dtype=np.float64)
    if not (doubt > 0).all():
        raise ValueError("doubt must be above 0 degrees")
    return -((turned / doubt[..., None]) ** 2 + (raised / synthetic_tour.AIM) ** 2) / 2


def growing_doubt(looks: int) -> np.ndarray:
    """The standard deviation of the yaw at each look, degrees: the aim's error, and a drift that grows."""
    drift = synthetic_tour.BIAS * synthetic_tour.PAUSE * np.arange(looks)
    return np.hypot(synthetic_tour.AIM, drift)


def follow(yaw: np.ndarray, pitch: np.ndarray, picture: np.ndarray, doubt: float = 12.0) -> list[int]:
    """The exhibits of one visit, where each choice corrects the yaw by half of what is left over.

    Args:
        yaw, pitch: degrees, ``(looks,)``.
        picture: evidence of the pictures, ``(looks, exhibits)``.
        doubt: assumed standard deviation of the corrected yaw, degrees.
    """
    offset, chosen = 0.0, []
    for one, height, seen in zip(yaw, pitch, picture, strict=True):
        turned = one - offset
        best = int((pose_evidence(turned, height, doubt) + seen).argmax())
        chosen.append(best)
        offset += 0.5 * ((turned - synthetic_tour.place_of(best)[0] + 180) % 360 - 180)
    return chosen
