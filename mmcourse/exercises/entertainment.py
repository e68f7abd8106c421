"""Checkers of the notebook "Judge a creative tool by what changes"."""

import functools
from collections.abc import Callable

import numpy as np

from mmcourse.exercises.verdict import call, require

_SCALES = {False: (0, 2, 4, 5, 7, 9, 11), True: (0, 2, 3, 5, 7, 8, 10)}


def _semitones(answer) -> None:
    for degrees in ((0, 1, 2, 3, 4, 5, 6), (7, 8, 9, 14), (-1, -2, -3, -7), (0, 2, 4, 2, 0)):
        for minor, mode in ((False, "major"), (True, "minor")):
            given = call(answer, degrees, minor)
            require(
                isinstance(given, list | tuple | np.ndarray) and len(given) == len(degrees),
                f"return as many numbers as there are degrees, {len(degrees)}, in a list",
            )
            given = np.asarray(given).tolist()
            expected = [12 * (degree // 7) + _SCALES[minor][degree % 7] for degree in degrees]
            require(
                given == expected,
                f"{mode}, degrees {list(degrees)}: expected the semitones {expected}, got {given}. Seven "
                "degrees are an octave, twelve semitones; divmod counts octaves below the keynote too.",
            )


def _perplexity_of(number: int) -> float:
    from mmcourse.applications import entertainment
    from mmcourse.data import tunes

    every = tunes.load()
    table = entertainment.bigram(phrase for tune in every[:number] for phrase in tune.phrases)
    return entertainment.perplexity(table, [phrase for tune in every[32:] for phrase in tune.phrases])


_expected_perplexity = functools.cache(_perplexity_of)


def _fewer(answer) -> None:
    for number in (4, 32):
        given = np.asarray(call(answer, number), dtype=float)
        require(given.shape == (), f"return one number, got the shape {given.shape}")
        expected = _expected_perplexity(number)
        require(
            abs(float(given) - expected) < 0.01,
            f"with the first {number} tunes the perplexity of the last ten is {expected:.2f}, you give "
            f"{float(given):.2f}. Count in tunes.load()[:{number}], score all phrases of tunes.load()[32:] "
            "at once.",
        )


def _follow(answer) -> None:
    from mmcourse.applications.entertainment import follow
    from mmcourse.data.synthetic_tour import place_of

    random = np.random.default_rng(3)
    # looks, drift, spread of the picture's evidence; the last yaw begins again at 360 degrees
    visits = (6, 0.0, 1.0, "no drift"), (12, 6.0, 1.0, "6 degrees a look"), (15, -9.0, 1.0, "-9 degrees")
    for looks, drift, spread, what in (*visits, (120, 7.0, 4.0, "yaw from 0 to 360")):
        exhibit = random.integers(12, size=looks)
        yaw, pitch = place_of(exhibit)
        yaw = yaw + drift * np.arange(looks) + random.normal(0, 8, looks)
        yaw = yaw % 360 if looks == 120 else yaw
        pitch, picture = pitch + random.normal(0, 8, looks), spread * random.normal(size=(looks, 12))
        given = np.asarray(call(answer, yaw.copy(), pitch.copy(), picture.copy()))
        require(given.shape == (looks,), f"{what}: return {looks} exhibits, got the shape {given.shape}")
        expected = follow(yaw, pitch, picture)
        wrong = np.flatnonzero(given != expected)
        require(
            wrong.size == 0,
            f"{what}: the choice at look {wrong[0] if wrong.size else 0} differs. Begin with an offset of 0; "
            "subtract it from the yaw; choose by pose_evidence(…, 12.0) plus the picture; then add half of "
            "the remaining difference to the chosen exhibit's yaw, brought to -180…180, to the offset.",
        )


CHECKERS: dict[str, Callable] = {
    "entertainment-semitones": _semitones,
    "entertainment-fewer": _fewer,
    "entertainment-follow": _follow,
}
