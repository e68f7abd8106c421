"""Skip-gram on the dictionary: the course's NumPy against gensim, same settings; the round is the seed."""

import os

import compare
import numpy as np
import threadpoolctl

from mmcourse.data import dictionary, word_similarity
from mmcourse.mathematics import embeddings, similarity

SETTINGS = {"size": 100, "window": 5, "negatives": 5, "min_count": 5, "subsample": 1e-3, "epochs": 5}
# Words of the dictionary, all of them unless a quick try asks for fewer.
TOKENS = int(os.environ.get("BENCHMARK_TOKENS", 10**9))


def _sentences() -> list[list[str]]:
    return list(dictionary.load().first(TOKENS).sentences())


def _scores(vectors: embeddings.WordVectors) -> dict[str, float]:
    sets = [word_similarity.load(name) for name in word_similarity.FILES]
    return {
        pairs.name: similarity.similarity_score(vectors, pairs.words, pairs.ratings, resamples=0)["rho"]
        for pairs in sets
    }


def _seed() -> int:
    return int(os.environ["BENCHMARK_ROUND"])


def with_mmcourse(measure: compare.Measurement) -> dict:
    """The course's class, from sentences of words to vectors, on one thread."""
    sentences = _sentences()
    with threadpoolctl.threadpool_limits(1), measure(sum(map(len, sentences)) * SETTINGS["epochs"]):
        model = embeddings.SkipGram(**SETTINGS, seed=_seed()).fit(sentences)
    return {"seed": _seed(), "vocabulary": len(model), "rho": _scores(model)}


def with_gensim(measure: compare.Measurement) -> dict:
    """gensim with two workers, from the same sentences."""
    from gensim.models import Word2Vec

    sentences = _sentences()
    with measure(sum(map(len, sentences)) * SETTINGS["epochs"]):
        model = Word2Vec(
            sentences,
            sg=1,
            hs=0,
            vector_size=SETTINGS["size"],
            window=SETTINGS["window"],
            negative=SETTINGS["negatives"],
            min_count=SETTINGS["min_count"],
            sample=SETTINGS["subsample"],
            epochs=SETTINGS["epochs"],
            workers=2,
            seed=_seed(),
        )
    vectors = embeddings.WordVectors(model.wv.index_to_key, np.asarray(model.wv.vectors))
    return {"seed": _seed(), "vocabulary": len(vectors), "rho": _scores(vectors)}


if __name__ == "__main__":
    compare.main(
        {"mmcourse": with_mmcourse, "gensim": with_gensim},
        peer="gensim",
        unit="words",
        packages=("numpy", "scipy", "gensim"),
    )
