"""Features of the course's pictures and reviews, computed once and kept in the cache folder.

A frozen network gives the same features whenever it is asked, so nobody needs to ask twice. ``mmcourse
train`` prepares them; a chapter that finds none computes them itself.
"""

import sys
import time
from collections.abc import Callable, Iterator

import keras
import numpy as np
from PIL import Image

from mmcourse import store
from mmcourse.data import digits, emoji, film_reviews, picture_kinds
from mmcourse.encoders import efficientnet, sentences

SIZE = 224  # pixels that the network was trained with
BATCH = 32
TONED = 60  # emoji that are drawn in every skin tone
DIGITS_EACH, TEST_DIGITS = 80, 500


def _kept(name: str, build: Callable) -> dict[str, np.ndarray]:
    """The arrays of that name, computed by ``build`` unless they have been before."""

    def timed() -> dict[str, np.ndarray]:
        print(f"features of {name}: computed once, then kept", file=sys.stderr, flush=True)
        start = time.monotonic()
        arrays = build()
        print(f"features of {name}: {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
        return arrays

    return store.arrays(f"features-{name}", [__name__], timed)


def enlarge(pictures: np.ndarray, size: int) -> np.ndarray:
    """Pictures of any size and one or three channels as ``uint8`` ``(pictures, size, size, 3)``, bicubic.

    Raises:
        ValueError: the pictures are not ``uint8`` ``(pictures, height, width[, 3])``.
    """
    if pictures.dtype != np.uint8 or pictures.ndim not in (3, 4) or pictures.shape[3:] not in ((), (3,)):
        raise ValueError(
            f"pictures must be uint8 (pictures, height, width[, 3]), got {pictures.dtype} {pictures.shape}"
        )
    enlarged = [
        Image.fromarray(picture).convert("RGB").resize((size, size), Image.Resampling.BICUBIC)
        for picture in pictures
    ]
    return np.stack([np.asarray(picture) for picture in enlarged])


def _batches(pictures: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(pictures), BATCH):
        yield enlarge(pictures[start : start + BATCH], SIZE)


def _pooled(pictures: np.ndarray) -> np.ndarray:
    network = efficientnet.extractor(efficientnet.load(SIZE))
    return np.concatenate([network.predict_on_batch(batch)[1] for batch in _batches(pictures)])


def kinds_features() -> dict[str, np.ndarray]:
    """EfficientNet-lite0 on the pictures of :func:`mmcourse.data.picture_kinds.load`, in their order.

    Returns:
        "pooled": ``float32`` ``(pictures, 1280)``; "before_last": what the last block reads, ``float16``
        ``(pictures, 7, 7, 192)``, so that fine-tuning it need not run the frozen blocks again.
    """

    def build() -> dict[str, np.ndarray]:
        network = efficientnet.load(SIZE)
        outputs = [network.get_layer(name).output for name in (efficientnet.BEFORE_LAST, "pooled")]
        both = keras.Model(network.input, outputs)
        images = picture_kinds.load().images
        parts = [both.predict_on_batch(batch) for batch in _batches(images)]
        before_last, pooled = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        return {"before_last": before_last.astype(np.float16), "pooled": pooled}

    return _kept("kinds", build)


def toned_pictures() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Twemoji's pictures of sixty people, each in five skin tones.

    Returns:
        The pictures, ``uint8`` ``(300, 72, 72, 3)``; the index of each one's tone; the number of its person.
    """
    pictures = emoji.load(72, ("twemoji",))
    tones = tuple(emoji.TONES.values())
    by_base: dict[str, dict[str, int]] = {}
    for row, entry in enumerate(pictures.entries):
        if len(entry.skin_tones) == 1:
            by_base.setdefault(entry.base, {})[entry.skin_tones[0]] = row
    full = [rows for _, rows in sorted(by_base.items()) if len(rows) == len(tones)]
    chosen = [full[place] for place in np.random.default_rng(0).permutation(len(full))[:TONED]]
    rows = [rows[tone] for rows in chosen for tone in tones]
    people = np.repeat(np.arange(len(chosen)), len(tones))
    return pictures.images[rows], np.tile(np.arange(len(tones)), len(chosen)), people


def tone_features() -> dict[str, np.ndarray]:
    """EfficientNet-lite0 on :func:`toned_pictures`.

    Returns:
        "pooled": ``float32`` ``(pictures, 1280)``; "tones" and "people" as of the pictures.
    """

    def build() -> dict[str, np.ndarray]:
        pictures, tones, people = toned_pictures()
        return {"pooled": _pooled(pictures), "tones": tones, "people": people}

    return _kept("tones", build)


def digit_features() -> dict[str, np.ndarray]:
    """EfficientNet-lite0 on handwritten digits, enlarged: a subject far from its training pictures.

    Returns:
        "train_rows", "test_rows": indices into the digits, 80 of each digit and 500; "train", "test":
        ``float32`` ``(digits, 1280)``.
    """

    def build() -> dict[str, np.ndarray]:
        data = digits.load()
        random = np.random.default_rng(0)
        rows = random.permutation(data.splits["train"])
        train = [rows[data.labels[rows] == digit][:DIGITS_EACH] for digit in range(digits.CLASSES)]
        chosen = {
            "train_rows": random.permutation(np.concatenate(train)),
            "test_rows": random.permutation(data.splits["test"])[:TEST_DIGITS],
        }
        features = {name.removesuffix("_rows"): _pooled(data.images[rows]) for name, rows in chosen.items()}
        return {**chosen, **features}

    return _kept("digits", build)


def review_features() -> dict[str, np.ndarray]:
    """Vectors of the clear film reviews (see :meth:`~mmcourse.data.film_reviews.FilmReviews.clear`).

    Returns:
        "minilm_train", "minilm_test": ``float32`` ``(reviews, 384)``; "glove_train", "glove_test":
        ``(reviews, 50)``; "train_labels", "test_labels": 1 for praise.
    """

    def build() -> dict[str, np.ndarray]:
        reviews, encoder, arrays = film_reviews.load(), sentences.SentenceEncoder(), {}
        for split in ("train", "test"):
            rows, labels = reviews.clear(split)
            texts = [reviews.texts[row] for row in rows]
            arrays[f"{split}_labels"] = labels
            arrays[f"minilm_{split}"] = encoder.encode(texts)
            arrays[f"glove_{split}"] = sentences.glove_mean(texts)
        return arrays

    return _kept("reviews", build)
