"""The catalogue behind ``mmcourse train``: every model and feature that notebooks share, by name.

A notebook that needs one asks its own function, which finds it in the cache folder (:mod:`mmcourse.store`)
or makes it once; this list only says what can be made beforehand.
"""

import contextlib
import functools
import io
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
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


# Name -> function that makes it for a profile, unless it is kept. What takes long stands first, and what
# needs another model some way after it: two are made at a time, and neither should wait for the other.
CATALOGUE: dict[str, Callable[[str], Any]] = {
    "scenes": lambda profile: scenes.trained_folder(scenes.CONFIGURATIONS[profile]),
    "naming": lambda profile: naming.trained_folder(naming.CONFIGURATIONS[profile]),
    "reviews": lambda profile: reviews.trained_folder(reviews.CONFIGURATIONS[profile]),
    "scenes-spoken": lambda profile: spoken_scenes.trained_folder(spoken_scenes.CONFIGURATIONS[profile]),
    "translation": lambda profile: translation.load_answers(profile),
    "reviews-samples": lambda profile: review_scores.load_samples(profile),
    "scenes-answers": lambda profile: scene_answers.load(profile),
    "medicine-readers": lambda profile: patches.prepare(profile),
    "service-spoken": lambda profile: service_voice.load_spoken_test(profile),
    "scenes-spoken-answers": lambda profile: spoken_scores.load(profile),
    "service": lambda profile: service_reader.trained_folder(service_reader.Configuration()),
    "captions-miniature": lambda profile: captions.prepare(profile),
    "decoding-samples": lambda profile: decoding_scores.load_samples(profile),
    **{
        f"word-vectors-{name}": functools.partial(_word_vectors, name) for name in word_vectors.CONFIGURATIONS
    },
    "picture-names": lambda profile: picture_names.trained_folder(picture_names.CONFIGURATIONS[profile]),
    "spoken-names": lambda profile: spoken_names.load_trained(profile),
    "spoken-names-shuffled": lambda profile: spoken_names.load_trained(profile, shuffled=True),
    "training-faults": lambda profile: faults.prepare(),
    "tuning-table": lambda profile: tuning_digits.table(),
    "tuning-narrow": lambda profile: tuning_digits.narrow_searches(),
    "features-kinds": lambda profile: prepared.kinds_features(),
    "features-tones": lambda profile: prepared.tone_features(),
    "features-digits": lambda profile: prepared.digit_features(),
    "features-reviews": lambda profile: prepared.review_features(),
    "features-spoken": lambda profile: spoken_words.features("English animals"),
}


def prepare(
    profile: str, names: Iterable[str] | None = None, initializer: Callable[[], None] | None = None
) -> None:
    """Make what is not kept yet, two at a time, with progress on standard error.

    Two models, each with half of the processor's cores, are done sooner than one after the other with all of
    them. On a graphics card, or where there is but one to make, nothing runs beside it.

    Args:
        profile: "cpu" or "gpu"; see :data:`mmcourse.learning.training.PROFILES`.
        names: of :data:`CATALOGUE`; all by default.
        initializer: called first in each of the two processes.

    Raises:
        ValueError: there is nothing of that name.
        RuntimeError: one of the two processes was ended from outside.
        mmcourse.data.archives.FetchError: an archive is missing and cannot be fetched.
    """
    names = tuple(CATALOGUE) if names is None else tuple(names)
    unknown = [name for name in names if name not in CATALOGUE]
    if unknown:
        raise ValueError(f"unknown name {unknown[0]!r}; expected some of: {', '.join(CATALOGUE)}")
    cores = os.cpu_count() or 1
    if profile == "gpu" or len(names) < 2 or cores < 2:
        for name in names:
            CATALOGUE[name](profile)
        return
    with (
        _threads(cores // 2),
        ProcessPoolExecutor(2, multiprocessing.get_context("spawn"), initializer) as pool,
    ):
        making = [pool.submit(_make, name, profile) for name in names]
        try:
            for made in as_completed(making):
                made.result()
        except BrokenProcessPool:
            raise RuntimeError(
                "a process that trained a model was ended from outside, perhaps for lack of memory; "
                "'mmcourse train' goes on from what is finished"
            ) from None
        finally:
            pool.shutdown(cancel_futures=True)


@contextlib.contextmanager
def _threads(number: int):
    """Processes that start here use that many threads, unless the reader has chosen otherwise."""
    chosen = {
        f"{library}_THREADS": str(number)
        for library in ("TF_NUM_INTRAOP", "TF_NUM_INTEROP", "OPENBLAS_NUM", "OMP_NUM")
    }
    missing = {name: value for name, value in chosen.items() if name not in os.environ}
    os.environ.update(missing)
    try:
        yield
    finally:
        for name in missing:
            del os.environ[name]


def _make(name: str, profile: str) -> None:
    """Make one, and say of each line of its progress whose it is."""
    with contextlib.redirect_stderr(_Named(name, sys.stderr)):
        CATALOGUE[name](profile)


class _Named(io.TextIOBase):
    """Writes whole lines to a stream, with a name before each."""

    def __init__(self, name: str, stream: Any):
        self.name, self.stream, self.rest = name, stream, ""

    def write(self, text: str) -> int:
        *lines, self.rest = (self.rest + text).split("\n")
        for line in lines:
            self.stream.write(f"  {self.name}: {line.strip()}\n")
        self.stream.flush()
        return len(text)
