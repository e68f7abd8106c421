"""Word vectors of the dictionary: three methods of the course, and gensim's skip-gram; the round is the seed.

Text, vocabulary, size and window are the same for all.
"""

import os

import compare
import numpy as np
import threadpoolctl

from mmcourse.data import dictionary, word_similarity
from mmcourse.encoders import word_vectors
from mmcourse.mathematics import embeddings, glove, similarity, skip_gram
from mmcourse.text.corpus import Corpus

SETTINGS = {name: word_vectors.CONFIGURATIONS[name][2] for name in ("pmi", "skip-gram", "glove")}
# Words of the dictionary, all of them unless a quick try asks for fewer.
TOKENS = int(os.environ.get("BENCHMARK_TOKENS", 10**9))


def _text() -> Corpus:
    return dictionary.load().first(TOKENS)


def _scores(vectors: embeddings.WordVectors) -> dict:
    """The seed, the size of the vocabulary and Spearman's ρ on both sets of pairs."""
    found = {}
    for name in word_similarity.FILES:
        asked = word_similarity.load(name)
        known = [i for i, (a, b) in enumerate(asked.words) if a in vectors and b in vectors]
        cosines = similarity.cosines(vectors, [asked.words[i] for i in known])
        found[name] = float(similarity.spearman(cosines, asked.ratings[known]))
    return {"seed": _seed(), "vocabulary": len(vectors), "rho": found}


def _seed() -> int:
    return int(os.environ["BENCHMARK_ROUND"])


def _with(method, name: str, measure: compare.Measurement, **options) -> dict:
    text = _text()
    with threadpoolctl.threadpool_limits(1), measure(len(text.token_ids)):
        vectors = method.train(text, **(SETTINGS[name] | options))
    return _scores(vectors)


def with_pmi(measure: compare.Measurement) -> dict:
    """Counts, PMI and SVD; no chance is involved, so each round gives the same."""
    return _with(embeddings, "pmi", measure)


def with_skip_gram(measure: compare.Measurement) -> dict:
    """The course's skip-gram, on one thread."""
    return _with(skip_gram, "skip-gram", measure, seed=_seed())


def with_skip_gram_twice_as_long(measure: compare.Measurement) -> dict:
    """Has it stopped getting better?"""
    return _with(skip_gram, "skip-gram", measure, epochs=2 * SETTINGS["skip-gram"]["epochs"], seed=_seed())


def with_gensim(measure: compare.Measurement) -> dict:
    """gensim's skip-gram with the same settings and two workers."""
    from gensim.models import Word2Vec

    settings = SETTINGS["skip-gram"]
    sentences = list(_text().sentences())
    with measure(sum(map(len, sentences))):
        model = Word2Vec(
            sentences,
            sg=1,
            hs=0,
            vector_size=settings["size"],
            window=settings["window"],
            negative=5,
            min_count=5,
            sample=1e-3,
            epochs=settings["epochs"],
            workers=2,
            seed=_seed() + 1,
        )
    return _scores(embeddings.WordVectors(model.wv.index_to_key, np.asarray(model.wv.vectors)))


def with_glove(measure: compare.Measurement) -> dict:
    """The course's GloVe; the weight reaches 1 at a count of 100, as in the paper."""
    return _with(glove, "glove", measure, seed=_seed())


def with_glove_10(measure: compare.Measurement) -> dict:
    """The same with a weight that reaches 1 at a count of 10."""
    return _with(glove, "glove", measure, maximum=10.0, seed=_seed())


if __name__ == "__main__":
    compare.main(
        {
            "PMI, SVD": with_pmi,
            "skip-gram": with_skip_gram,
            "skip-gram, twice as long": with_skip_gram_twice_as_long,
            "gensim": with_gensim,
            "GloVe": with_glove,
            "GloVe, x_max = 10": with_glove_10,
        },
        peer="gensim",
        unit="words",
        packages=("numpy", "scipy", "gensim"),
    )
