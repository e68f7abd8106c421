"""Right and wrong answers to the exercises of the notebook on entertainment."""

import functools

import numpy as np

from mmcourse.applications import entertainment
from mmcourse.data import synthetic_tour, tunes

SCALES = entertainment.MAJOR, entertainment.MINOR


def semitones(degrees, minor):
    return [12 * (degree // 7) + SCALES[minor][degree % 7] for degree in degrees]


@functools.cache
def perplexity(number, test=slice(32, None), smoothing=3.0):
    every = tunes.load()
    table = entertainment.bigram([phrase for tune in every[:number] for phrase in tune.phrases], smoothing)
    return entertainment.perplexity(table, [phrase for tune in every[test] for phrase in tune.phrases])


def follow(yaw, pitch, picture, rate=0.5, wrap=True, picture_counts=True, doubt=12.0):
    offset, chosen = 0.0, []
    for one, height, seen in zip(yaw, pitch, picture, strict=True):
        evidence = entertainment.pose_evidence(one - offset, height, doubt) + seen * picture_counts
        chosen.append(int(np.argmax(evidence)))
        rest = one - offset - synthetic_tour.place_of(chosen[-1])[0]
        offset += rate * ((rest + 180) % 360 - 180 if wrap else rest)
    return np.array(chosen)


RIGHT = {
    "entertainment-semitones": {
        "list": semitones,
        "array": lambda degrees, minor: np.array(
            entertainment.Setting(tuple(degrees), minor, 60.0).semitones
        ),
    },
    "entertainment-fewer": {"package": perplexity},
    "entertainment-follow": {"array": follow, "list": lambda *a: follow(*a).tolist()},
}

WRONG = {
    "entertainment-semitones": {
        "major only": lambda degrees, minor: semitones(degrees, False),
        "swapped": lambda degrees, minor: semitones(degrees, not minor),
        "no octaves": lambda degrees, minor: [SCALES[minor][degree % 7] for degree in degrees],
        "doubled": lambda degrees, minor: [2 * degree for degree in degrees],
    },
    "entertainment-fewer": {
        "always all": lambda number: perplexity(42),
        "tested on training": lambda number: perplexity(number, slice(0, number)),
        "other smoothing": lambda number: perplexity(number, smoothing=1.0),
        "array": lambda number: np.array([perplexity(number)]),
    },
    "entertainment-follow": {
        "no memory": lambda *a: follow(*a, rate=0.0),
        "all at once": lambda *a: follow(*a, rate=1.0),
        "no picture": lambda *a: follow(*a, picture_counts=False),
        "no turn": lambda *a: follow(*a, wrap=False),
        "other doubt": lambda *a: follow(*a, doubt=8.0),
        "away": lambda *a: follow(*a, rate=-0.5),
        "one": lambda *a: follow(*a)[:1],
    },
}
