"""Word vectors of an English dictionary and of Chinese reviews, trained once and kept (notebook 31)."""

import sys
import time
from collections.abc import Callable
from types import ModuleType

import numpy as np

from mmcourse import store
from mmcourse.data import chinese_reviews, dictionary
from mmcourse.mathematics import embeddings, glove, skip_gram
from mmcourse.mathematics.embeddings import WordVectors
from mmcourse.text.corpus import Corpus

# Name -> method, text, settings. The first three are compared: text, size and window are the same.
CONFIGURATIONS: dict[str, tuple[ModuleType, ModuleType, dict]] = {
    "pmi": (embeddings, dictionary, {"size": 50, "window": 10}),
    "skip-gram": (skip_gram, dictionary, {"size": 50, "window": 10, "epochs": 10}),
    "glove": (glove, dictionary, {"size": 50, "window": 10, "epochs": 15}),
    # Chinese words are mostly of two characters: eight characters reach about as far as five words.
    "chinese": (skip_gram, chinese_reviews, {"size": 50, "window": 8, "epochs": 10}),
}
TEXTS: dict[ModuleType, Callable[[], Corpus]] = {
    dictionary: dictionary.load,
    chinese_reviews: lambda: chinese_reviews.load().corpus(),
}


def load_trained(names: tuple[str, ...] = tuple(CONFIGURATIONS)) -> dict[str, WordVectors]:
    """The trained vectors by name; those that are not in the cache folder yet are trained now.

    Progress is written to standard error, one line for each epoch.

    Args:
        names: of "pmi", "skip-gram" and "glove" (all on the dictionary) and "chinese" (skip-gram on the
            characters of Chinese reviews).

    Raises:
        ValueError: there are no vectors of that name.
        mmcourse.data.archives.FetchError: a text is missing and cannot be fetched.
    """
    for name in names:
        if name not in CONFIGURATIONS:
            raise ValueError(f"unknown word vectors {name!r}; expected some of: {', '.join(CONFIGURATIONS)}")
    return {name: _load(name) for name in names}


def _load(name: str) -> WordVectors:
    method, text, settings = CONFIGURATIONS[name]
    modules = [method.__name__, text.__name__]
    arrays = store.arrays(f"word-vectors-{name}", modules, lambda: _train(name), settings)
    words = arrays.pop("words").tobytes().decode().split("\n")
    return WordVectors(words, **arrays)


def _train(name: str) -> dict[str, np.ndarray]:
    method, text, settings = CONFIGURATIONS[name]
    print(f"training the word vectors {name!r}", file=sys.stderr, flush=True)
    started = time.monotonic()

    def report(epoch: int, loss: float) -> None:
        seconds = time.monotonic() - started
        to_go = seconds / epoch * (settings["epochs"] - epoch)
        line = f"  epoch {epoch:2d}/{settings['epochs']}: loss {loss:.3f}; {seconds:.0f} s"
        print(f"{line}, about {to_go:.0f} s to go", file=sys.stderr, flush=True)

    reporting = {"report": report} if "epochs" in settings else {}
    found = method.train(TEXTS[text](), **settings, **reporting)
    arrays = {"vectors": found.vectors, "counts": found.counts, "history": np.array(found.history)}
    if found.contexts is not None:
        arrays["contexts"] = found.contexts
    return arrays | {"words": np.frombuffer("\n".join(found.words).encode(), dtype=np.uint8)}
