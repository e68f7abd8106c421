"""Skip-gram on the dictionary: the NumPy of the course against gensim, same settings; round = seed."""

import os

import compare
import numpy as np
import threadpoolctl

from mmcourse.data import dictionary, word_similarity
from mmcourse.mathematics import embeddings, similarity, skip_gram

SETTINGS = {"size": 100, "window": 5, "negatives": 5, "min_count": 5, "subsample": 1e-3, "epochs": 5}
# Words of the dictionary, all of them unless a quick try asks for fewer.
TOKENS = int(os.environ.get("BENCHMARK_TOKENS", 10**9))


def _sentences() -> list[list[str]]:
    return list(dictionary.load().first(TOKENS).sentences())


def _seed() -> int:
    return int(os.environ["BENCHMARK_ROUND"])


def _scores(vectors: embeddings.WordVectors) -> dict:
    """The seed, the size of the vocabulary and Spearman's ρ on both sets of pairs."""
    found = {}
    for name in word_similarity.FILES:
        asked = word_similarity.load(name)
        known = [i for i, (a, b) in enumerate(asked.words) if a in vectors and b in vectors]
        cosines = similarity.cosines(vectors, [asked.words[i] for i in known])
        found[name] = float(similarity.spearman(cosines, asked.ratings[known]))
    return {"seed": _seed(), "vocabulary": len(vectors), "rho": found}


def with_mmcourse(measure: compare.Measurement) -> dict:
    """The course's function, from sentences of words to vectors, on one thread."""
    sentences = _sentences()
    with threadpoolctl.threadpool_limits(1), measure(sum(map(len, sentences)) * SETTINGS["epochs"]):
        vectors = skip_gram.train(sentences, **SETTINGS, seed=_seed())
    return _scores(vectors)


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
    return _scores(embeddings.WordVectors(model.wv.index_to_key, np.asarray(model.wv.vectors)))


if __name__ == "__main__":
    compare.main(
        {"mmcourse": with_mmcourse, "gensim": with_gensim},
        peer="gensim",
        unit="words",
        packages=("numpy", "scipy", "gensim"),
    )
