"""The word vectors of the course, trained once and kept: on an English dictionary and on Chinese reviews."""

import sys
import time

import numpy as np

from mmcourse import store
from mmcourse.data import chinese_reviews, dictionary
from mmcourse.mathematics import embeddings

# name -> class, text, settings. All three together take about two minutes on two processor cores.
CONFIGURATIONS = {
    "skip-gram": (embeddings.SkipGram, "dictionary", {"size": 100, "epochs": 5}),
    # The text is small, so the weight reaches 1 at a count of 10, not of 100. A batch sums the gradients of
    # many counts before AdaGrad scales them, so the steps are longer than the paper's.
    "glove": (
        embeddings.GloVe,
        "dictionary",
        {"size": 50, "window": 10, "maximum": 10.0, "epochs": 12, "learning_rate": 0.5},
    ),
    # Chinese words are mostly of two characters: eight characters reach about as far as five words.
    "chinese": (embeddings.SkipGram, "chinese reviews", {"size": 50, "window": 8, "epochs": 10}),
}
TEXTS = {"dictionary": dictionary.load, "chinese reviews": lambda: chinese_reviews.load().corpus()}
MAKERS = {
    "dictionary": (embeddings.__name__, dictionary.__name__),
    "chinese reviews": (embeddings.__name__, chinese_reviews.__name__),
}
KEPT = {
    embeddings.SkipGram: ("vectors", "contexts"),
    embeddings.GloVe: ("vectors", "word_vectors", "contexts", "word_biases", "context_biases"),
}


def load_trained(names: tuple[str, ...] = tuple(CONFIGURATIONS)) -> dict[str, embeddings.WordVectors]:
    """The trained vectors by name; those that are not in the cache folder yet are trained now.

    Progress is written to standard error, one line an epoch.

    Args:
        names: of "skip-gram" and "glove" (both on the dictionary) and "chinese" (skip-gram on the characters
            of Chinese reviews).

    Raises:
        ValueError: there are no vectors of that name.
        mmcourse.data.archives.FetchError: a text is missing and cannot be fetched.
    """
    for name in names:
        if name not in CONFIGURATIONS:
            raise ValueError(f"unknown word vectors {name!r}; expected some of: {', '.join(CONFIGURATIONS)}")
    return {name: _load(name) for name in names}


def _load(name: str) -> embeddings.WordVectors:
    kind, text, settings = CONFIGURATIONS[name]
    configuration = {"kind": kind.__name__, "text": text, **settings}
    arrays = store.arrays(f"word-vectors-{name}", MAKERS[text], lambda: _train(name), configuration)
    return _restore(name, arrays)


def _train(name: str) -> dict[str, np.ndarray]:
    kind, text, settings = CONFIGURATIONS[name]
    print(f"training the word vectors {name!r} on the {text}", file=sys.stderr, flush=True)
    model = kind(**settings)
    started = time.monotonic()

    def report(epoch: int, loss: float) -> None:
        seconds = time.monotonic() - started
        print(
            f"  epoch {epoch:2d}/{model.epochs}: loss {loss:.3f}; {seconds:.0f} s, "
            f"about {seconds / epoch * (model.epochs - epoch):.0f} s to go",
            file=sys.stderr,
            flush=True,
        )

    model.fit(TEXTS[text](), report)
    return {
        "words": np.frombuffer("\n".join(model.words).encode(), dtype=np.uint8),
        "counts": model.counts,
        "history": np.array(model.history),
        **{array: getattr(model, array) for array in KEPT[kind]},
    }


def _restore(name: str, arrays: dict[str, np.ndarray]) -> embeddings.WordVectors:
    """A model that looks as if it had just been fitted."""
    kind, _, settings = CONFIGURATIONS[name]
    model = kind(**settings)
    for array in KEPT[kind]:
        setattr(model, array, arrays[array])
    embeddings.WordVectors.__init__(model, arrays["words"].tobytes().decode().split("\n"), arrays["vectors"])
    model.counts, model.history = arrays["counts"], arrays["history"].tolist()
    return model
