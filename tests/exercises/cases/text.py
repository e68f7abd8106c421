"""Right and wrong answers to the exercises of notebook 21, "Text"."""

import numpy as np
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from mmcourse.data import film_reviews


def byte_count(text, *, limits=(0x80, 0x800, 0x10000)):
    """Bytes by the number of a character; each limit that it reaches costs one more."""
    return sum(1 + sum(ord(c) >= limit for limit in limits) for c in text)


def accuracies(*, judge="validation", part=slice(None, None, 2), scale=1):
    """The three accuracies with the faults that the arguments ask for."""
    films = film_reviews.load()
    (rows, labels), (judged, true) = films.clear("train"), films.clear(judge)

    def accuracy(part, unwanted=()):
        def words(rows):
            return [[w for w in film_reviews.words(films.texts[i]) if w not in unwanted] for i in rows]

        model = make_pipeline(TfidfVectorizer(analyzer=list), LogisticRegression(C=10, solver="liblinear"))
        return scale * model.fit(words(rows[part]), labels[part]).score(words(judged), true)

    return accuracy(slice(None)), accuracy(slice(None), ENGLISH_STOP_WORDS), accuracy(part)


def mark(
    tokens,
    *,
    marks=".,;:!?",
    negations=("not", "no", "never"),
    ending="n't",
    shortened=True,
    nested=False,
    once=False,
    never_ends=False,
):
    """Marking of negations with the faults that the arguments ask for."""
    marked, negated = [], False
    for token in tokens:
        negation = token in negations or (shortened and token.endswith(ending))
        if token in set(marks):
            negated = negated and never_ends
            marked.append(token)
        elif negation and not (nested and negated):
            negated = True
            marked.append(token)
        else:
            marked.append(f"not_{token}" if negated else token)
            negated = negated and not once
    return marked


RIGHT = {
    "text-bytes": {
        "by limits": byte_count,
        "in ranges": lambda text: sum(
            1 if ord(c) <= 0x7F else 2 if ord(c) <= 0x7FF else 3 if ord(c) <= 0xFFFF else 4 for c in text
        ),
    },
    "text-half": {
        "measured": accuracies,
        "an array": lambda: np.array(accuracies()),
    },
    "text-negation": {
        "a loop": mark,
        "a tuple": lambda tokens: tuple(mark(tokens)),
    },
}


WRONG = {
    "text-bytes": {
        "by encode, though the text forbids it": lambda text: len(text.encode("utf-8")),
        "by encode, each character": lambda text: sum(len(c.encode()) for c in text),
        "by bytes": lambda text: len(bytes(text, "utf-8")),
        "characters": len,
        "two or one": lambda text: byte_count(text, limits=(0x80,)),
        "no four": lambda text: byte_count(text, limits=(0x80, 0x800)),
        "latin": lambda text: byte_count(text, limits=(0x100, 0x800, 0x10000)),
        "limits one too high": lambda text: byte_count(text, limits=(0x81, 0x801, 0x10001)),
        "utf-16": lambda text: len(text.encode("utf-16-le")),
        "the bytes": lambda text: text.encode("utf-8"),
        "two from 127 on": lambda text: byte_count(text, limits=(0x7F, 0x800, 0x10000)),
        "two from 129 on": lambda text: byte_count(text, limits=(0x81, 0x800, 0x10000)),
        "four from 65537 on": lambda text: byte_count(text, limits=(0x80, 0x800, 0x10001)),
        "a fifth byte": lambda text: byte_count(text, limits=(0x80, 0x800, 0x10000, 0x100000)),
    },
    "text-half": {
        "a guess": lambda: (0.8, 0.78, 0.76),
        "judged on the training snippets": lambda: accuracies(judge="train"),
        "judged on the test snippets": lambda: accuracies(judge="test"),
        "the first half of a sorted file": lambda: accuracies(part=slice(4030)),
        "in percent": lambda: accuracies(scale=100),
        "one number": lambda: accuracies()[0],
        "as differences": lambda: (0.0, -0.01, -0.02),
    },
    "text-negation": {
        "without n't": lambda tokens: mark(tokens, shortened=False),
        "only the next word": lambda tokens: mark(tokens, once=True),
        "to the end": lambda tokens: mark(tokens, never_ends=True),
        "only to the full stop": lambda tokens: mark(tokens, marks="."),
        "negations marked too": lambda tokens: mark(tokens, nested=True),
        "any mark ends it": lambda tokens: mark(tokens, marks=".,;:!?'"),
        "a string": lambda tokens: " ".join(mark(tokens)),
        "no colon": lambda tokens: mark(tokens, marks=".,;!?"),
        "no question mark": lambda tokens: mark(tokens, marks=".,;:!"),
        "any t at the end": lambda tokens: mark(tokens, ending="t"),
        "nt at the end": lambda tokens: mark(tokens, ending=("n't", "nt")),
        "only isn't": lambda tokens: mark(tokens, ending="isn't"),
        "more negations": lambda tokens: mark(
            tokens, negations=("not", "no", "never", "nor", "neither", "without", "nobody", "cannot")
        ),
    },
}
