"""The catalogue behind ``mmcourse train``: every model and feature that notebooks share, by name.

A notebook that needs one asks its own function, which finds it in the cache folder (:mod:`mmcourse.store`)
or makes it once; this list only says what can be made beforehand.
"""

import functools
from collections.abc import Callable, Iterable
from typing import Any

from mmcourse.applications import patches, service_reader, service_voice, translation
from mmcourse.encoders import picture_names, prepared, spoken_names, spoken_words, word_vectors
from mmcourse.generator import (
    captions,
    decoding_scores,
    naming,
    review_scores,
    reviews,
    scene_answers,
    scenes,
    spoken_scenes,
    spoken_scores,
)
from mmcourse.learning import faults, tuning_digits


def _word_vectors(name: str, profile: str) -> object:
    return word_vectors.load_trained((name,))


# Name -> function that makes it for a profile, unless it is kept.
CATALOGUE: dict[str, Callable[[str], Any]] = {
    **{
        f"word-vectors-{name}": functools.partial(_word_vectors, name) for name in word_vectors.CONFIGURATIONS
    },
    "features-kinds": lambda profile: prepared.kinds_features(),
    "features-tones": lambda profile: prepared.tone_features(),
    "features-digits": lambda profile: prepared.digit_features(),
    "features-reviews": lambda profile: prepared.review_features(),
    "features-spoken": lambda profile: spoken_words.features("English animals"),
    "training-faults": lambda profile: faults.prepare(),
    "tuning-table": lambda profile: tuning_digits.table(),
    "tuning-narrow": lambda profile: tuning_digits.narrow_searches(),
    "picture-names": lambda profile: picture_names.trained_folder(picture_names.CONFIGURATIONS[profile]),
    "spoken-names": lambda profile: spoken_names.load_trained(profile),
    "spoken-names-shuffled": lambda profile: spoken_names.load_trained(profile, shuffled=True),
    "naming": lambda profile: naming.trained_folder(naming.CONFIGURATIONS[profile]),
    "scenes": lambda profile: scenes.trained_folder(scenes.CONFIGURATIONS[profile]),
    "scenes-answers": lambda profile: scene_answers.load(profile),
    "scenes-spoken": lambda profile: spoken_scenes.trained_folder(spoken_scenes.CONFIGURATIONS[profile]),
    "scenes-spoken-answers": lambda profile: spoken_scores.load(profile),
    "service": lambda profile: service_reader.trained_folder(service_reader.Configuration()),
    "service-spoken": lambda profile: service_voice.load_spoken_test(profile),
    "translation": lambda profile: translation.load_answers(profile),
    "medicine-readers": lambda profile: patches.prepare(profile),
    "captions-miniature": lambda profile: captions.prepare(profile),
    "reviews": lambda profile: reviews.trained_folder(reviews.CONFIGURATIONS[profile]),
    "reviews-samples": lambda profile: review_scores.load_samples(profile),
    "decoding-samples": lambda profile: decoding_scores.load_samples(profile),
}


def prepare(profile: str, names: Iterable[str] | None = None) -> None:
    """Make what is not kept yet, with progress on standard error.

    Args:
        profile: "cpu" or "gpu"; see :data:`mmcourse.learning.training.PROFILES`.
        names: of :data:`CATALOGUE`; all by default.

    Raises:
        ValueError: there is nothing of that name.
        mmcourse.data.archives.FetchError: an archive is missing and cannot be fetched.
    """
    names = tuple(CATALOGUE) if names is None else tuple(names)
    unknown = [name for name in names if name not in CATALOGUE]
    if unknown:
        raise ValueError(f"unknown name {unknown[0]!r}; expected some of: {', '.join(CATALOGUE)}")
    for name in names:
        CATALOGUE[name](profile)
