"""From film snippets to an array of word ids, vocabulary included: our way and Keras's, the same words."""

import compare
import numpy as np

from mmcourse.data import film_reviews
from mmcourse.text import Vocabulary

LENGTH, REPEATS = 60, 10


def as_it_is(words: list[str]) -> list[str]:
    """The texts are split already."""
    return words


def with_ours(measure: compare.Measurement) -> dict:
    """The course's way: Python's own string methods, a dictionary, one array."""
    texts = film_reviews.load().texts
    with measure(REPEATS * len(texts)):
        for _ in range(REPEATS):
            documents = [text.lower().split() for text in texts]
            vocabulary = Vocabulary.from_texts(documents, split=as_it_is)
            ids = vocabulary.encode(documents, LENGTH, cut=True)
    # four of the tokens are special
    return {"words": len(vocabulary) - 4, "ids": int((ids > 0).sum())}


def with_keras(measure: compare.Measurement) -> dict:
    """The layer in lower case, cut at white space; adapting and calling it on little text warms it up."""
    import keras

    texts = np.array(film_reviews.load().texts)

    def run(texts):
        layer = keras.layers.TextVectorization(standardize="lower", output_sequence_length=LENGTH)
        layer.adapt(texts)
        return layer, np.asarray(layer(texts))

    run(texts[:10])
    with measure(REPEATS * len(texts)):
        for _ in range(REPEATS):
            layer, ids = run(texts)
    # the layer counts padding and the unknown word as well
    return {"words": layer.vocabulary_size() - 2, "ids": int((ids > 0).sum())}


if __name__ == "__main__":
    compare.main(
        {"mmcourse": with_ours, "keras": with_keras},
        peer="keras",
        unit="texts",
        packages=("keras", "tensorflow", "numpy"),
    )
