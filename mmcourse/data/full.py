"""The full MNIST and IMDB sets, for readers who are online.

``keras.datasets`` downloads them from the network; everything else in the course works without. Files that
were downloaded before are read from a folder: ``mnist.npz``, ``imdb.npz`` and ``imdb_word_index.json``, as
``keras.datasets`` keeps them in ``~/.keras/datasets``. See ``book/datasheets/full-data.md``.
"""

import io
import json
import pickle
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmcourse import pipeline
from mmcourse.data import digits

VALIDATION_SHARE = 0.1  # of what is published as the training part
SPLIT_SEED = 20_240_229
MOST_BYTES = 200_000_000  # of one array, unpacked
DATASHEET = "book/datasheets/full-data"
# Token ids of keras.datasets.imdb: these three, then a word's place in the list of words, plus 3.
PADDING, START, UNKNOWN, INDEX_FROM = 0, 1, 2, 3
PUBLISHED = {"MNIST": {"train": 60_000, "test": 10_000}, "IMDB": {"train": 25_000, "test": 25_000}}


class FullDataError(RuntimeError):
    """A full set cannot be had or read; the message says what failed and which course data to use."""


@dataclass(frozen=True)
class Reviews(pipeline.HasSplits):
    """Film reviews, whether they praise, and splits.

    Attributes:
        token_ids: each review as ``int64`` ``(tokens,)``, in the numbering of ``keras.datasets.imdb``.
        labels: 1 for praise, 0 for blame: ``int64`` ``(reviews,)``.
        words: token id -> word; "" for the ids that stand for none.
        splits: "train", "validation", "test" -> indices, ``int64``, sorted, disjoint. The test part is the
            published one; validation is drawn from the published training part.
        tier: always "full".
        datasheet: the page of the book that describes the set.
    """

    token_ids: tuple[np.ndarray, ...]
    labels: np.ndarray
    words: tuple[str, ...]
    splits: dict[str, np.ndarray]
    tier: str = "full"
    datasheet: str = DATASHEET

    def text(self, index: int) -> str:
        """A review as text: lower case, without punctuation, as the set was published in this form."""
        return " ".join(self.words[i] for i in self.token_ids[index] if i > UNKNOWN and i < len(self.words))


def mnist(folder: str | Path | None = None) -> digits.Digits:
    """All 70,000 digits, in the form of :func:`mmcourse.data.digits.load`, with ``tier="full"``.

    Args:
        folder: where ``mnist.npz`` lies; by default ``keras.datasets`` finds it in its cache or downloads it.

    Raises:
        FullDataError: the set cannot be downloaded, or is not in the expected form.
    """
    name, instead = "MNIST", "mmcourse.data.digits.load(), 5,000 of its digits"
    if folder is None:
        arrays = _download(name, instead, lambda datasets: datasets.mnist.load_data())
    else:
        arrays = _read_arrays(Path(folder) / "mnist.npz", name, instead)
    (train_images, train_labels), (test_images, test_labels) = arrays
    for part, images, labels in (
        ("training", train_images, train_labels),
        ("test", test_images, test_labels),
    ):
        expected = images.ndim == 3 and images.shape[1:] == (28, 28) and images.dtype == np.uint8
        if not expected or labels.shape != images.shape[:1] or not len(labels):
            raise FullDataError(
                f"{name}: the {part} part must be uint8 pictures (number, 28, 28) with a label each, got "
                f"{images.dtype} {images.shape} and labels {labels.shape}. Download it again, or use "
                f"{instead}."
            )
        if not (np.issubdtype(labels.dtype, np.integer) and (labels >= 0).all() and (labels <= 9).all()):
            raise FullDataError(
                f"{name}: a label of the {part} part is no digit from 0 to 9. Download it again."
            )
    return digits.Digits(
        images=np.concatenate([train_images, test_images]),
        labels=np.concatenate([train_labels, test_labels]).astype(np.uint8),
        splits=_splits(train_labels, len(test_labels)),
        tier="full",
        datasheet=DATASHEET,
    )


def imdb(folder: str | Path | None = None) -> Reviews:
    """The 50,000 film reviews of Maas et al. (2011), as ``keras.datasets`` numbers their words.

    Args:
        folder: where ``imdb.npz`` and ``imdb_word_index.json`` lie; by default ``keras.datasets`` finds them
            in its cache or downloads them.

    Raises:
        FullDataError: the set cannot be downloaded, or is not in the expected form.
    """
    name, instead = "IMDB", "mmcourse.data.film_reviews.load(), 10,605 short reviews"
    if folder is None:
        arrays, index = _download(
            # Without a number of words, Keras takes the largest it finds and leaves that one word out.
            name,
            instead,
            lambda datasets: (datasets.imdb.load_data(num_words=10**7), datasets.imdb.get_word_index()),
        )
    else:
        arrays = _read_arrays(Path(folder) / "imdb.npz", name, instead)
        # The file holds places in the list of words; load_data adds the start and makes room for it.
        arrays = [([[START, *(i + INDEX_FROM for i in text)] for text in x], y) for x, y in arrays]
        index = _read_index(Path(folder) / "imdb_word_index.json", instead)
    words = [""] * (max(index.values(), default=0) + INDEX_FROM + 1)
    for word, place in index.items():
        words[place + INDEX_FROM] = word
    texts = []
    for part, (reviews, labels) in zip(("training", "test"), arrays, strict=True):
        if len(reviews) != len(labels) or not len(labels):
            raise FullDataError(
                f"{name}: the {part} part holds {len(reviews)} reviews and {len(labels)} labels; expected as "
                f"many, and some. Download the file again, or use {instead}."
            )
        if not set(np.unique(labels).tolist()) <= {0, 1}:
            raise FullDataError(f"{name}: a label of the {part} part is neither 0 nor 1. Download it again.")
        texts += [np.array(review, dtype=np.int64) for review in reviews]
    labels = np.concatenate([labels for _, labels in arrays]).astype(np.int64)
    splits = _splits(np.asarray(arrays[0][1]), len(arrays[1][1]))
    return Reviews(tuple(texts), labels, tuple(words), splits)


def statistics() -> dict[str, int | float]:
    """What the two sets hold as published; nothing is downloaded."""
    return {
        f"{set_name}: samples published for {'training' if part == 'train' else 'testing'}": number
        for set_name, parts in PUBLISHED.items()
        for part, number in parts.items()
    }


def _splits(train_labels: np.ndarray, tests: int) -> dict[str, np.ndarray]:
    """The published test part, and validation drawn from each class of the published training part."""
    random = np.random.default_rng(SPLIT_SEED)
    held_out = [
        random.permutation(np.flatnonzero(train_labels == label)) for label in np.unique(train_labels)
    ]
    held_out = np.concatenate([rows[: max(1, round(VALIDATION_SHARE * len(rows)))] for rows in held_out])
    count = len(train_labels)
    return {
        "train": np.setdiff1d(np.arange(count), held_out).astype(np.int64),
        "validation": np.sort(held_out).astype(np.int64),
        "test": np.arange(count, count + tests, dtype=np.int64),
    }


def _download(name: str, instead: str, load: Callable):
    """What ``keras.datasets`` gives, or an error that names the way out."""
    import keras

    try:
        return load(keras.datasets)
    except Exception as error:  # Keras raises a plain Exception when the network is away
        raise FullDataError(
            f"{name} could not be loaded by keras.datasets ({error}). It is downloaded from the network; go "
            f"online, or give the folder of a copy, or use {instead}."
        ) from error


def _read_arrays(path: Path, name: str, instead: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """The training and the test part of a file in the layout of ``keras.datasets``."""
    try:
        with zipfile.ZipFile(path) as archive:
            arrays = {key: _read_array(archive, key) for key in ("x_train", "y_train", "x_test", "y_test")}
    except FileNotFoundError as error:
        raise FullDataError(
            f"{path} does not exist; expected the file that keras.datasets keeps under that name. "
            f"Give another folder, or use {instead}."
        ) from error
    except Exception as error:  # zipfile, zlib, numpy and pickle raise errors of a dozen kinds
        raise FullDataError(
            f"{path} is not the {name} file of keras.datasets, or is damaged: {error}. Download it again, "
            f"or use {instead}."
        ) from error
    return [(arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])]


def _read_array(archive: zipfile.ZipFile, key: str) -> np.ndarray:
    """One array of bounded size; lists of numbers are read without running what else is in the file."""
    size = archive.getinfo(f"{key}.npy").file_size
    if size > MOST_BYTES:
        raise ValueError(f"{key} has {size:,} bytes, expected at most {MOST_BYTES:,}")
    content = io.BytesIO(archive.read(f"{key}.npy"))
    version = np.lib.format.read_magic(content)
    read_header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    shape, _, dtype = read_header[version](content)
    if not dtype.hasobject:
        content.seek(0)
        return np.lib.format.read_array(content, allow_pickle=False)
    # IMDB's reviews differ in length, so its file holds pickled lists. A pickle may call any function
    # whatever; this reader knows three, which only put an array together.
    array = _ListsOnly(content).load()
    if array.shape != shape or any(
        not isinstance(text, list) or any(type(i) is not int or not 0 < i < 10**7 for i in text)
        for text in array
    ):
        raise ValueError(f"{key} must hold lists of whole numbers from 1 on")
    return array


class _ListsOnly(pickle.Unpickler):
    """Reads an array of lists, and nothing that could run code."""

    def find_class(self, module, name):
        if module in ("numpy.core.multiarray", "numpy._core.multiarray") and name == "_reconstruct":
            return getattr(np, "_core").multiarray._reconstruct  # noqa: B009
        if module == "numpy" and name in ("ndarray", "dtype"):
            return getattr(np, name)
        if module == "_codecs" and name == "encode":  # how older pickles write bytes
            return lambda text, encoding: text.encode(encoding)
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no list of numbers needs")


def _read_index(path: Path, instead: str) -> dict[str, int]:
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise FullDataError(
            f"{path} does not exist; it lies beside imdb.npz where keras.datasets.imdb.get_word_index() was "
            f"called once. Or use {instead}."
        ) from error
    except (ValueError, RecursionError) as error:
        raise FullDataError(f"{path} is not JSON: {error}. Download it again, or use {instead}.") from error
    if not isinstance(index, dict) or not all(
        type(place) is int and 0 < place < 10**7 for place in index.values()
    ):
        raise FullDataError(
            f"{path} must map words to numbers from 1 on. Download it again, or use {instead}."
        )
    return index
