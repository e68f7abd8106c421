"""Small language models of several widths, trained on more or less text (notebook 81).

The model is that of notebook 38: a causal Transformer that predicts the next letter. The text is the
dictionary of notebook 31, letter by letter, of which each training reads a part, once or several times.
"""

import keras
import numpy as np
from keras import ops

from mmcourse import layers, store
from mmcourse.checks import check_count, check_positive
from mmcourse.data import dictionary
from mmcourse.mathematics import attention

LENGTH, SIGNS = 32, 29  # tokens in a row; an edge, a to z, the space, the apostrophe
HEAD, DEPTH, BATCH = 8, 2, 8  # width of a head, blocks, rows in a batch
TOGETHER = 20  # steps that Keras runs in one go
BLOCK, HELD_OUT = 200, 0.03  # neighbouring sentences that stay together; share of each held-out split
WARM_UP = 0.1  # share of the steps in which the rate rises
SPLITS = ("train", "validation", "test")


def letters() -> dict[str, np.ndarray]:
    """The dictionary as rows of letters.

    Whole stretches of the alphabet are held out, so that the definitions of a word stay in one split.

    Returns:
        "train", "validation" and "test", each ``int8`` ``(rows, LENGTH + 1)`` in a random order: 0 is the
        edge of a sentence, 1 to 26 are the letters, 27 is the space and 28 the apostrophe. The last column
        is the first of the row that followed in the text.

    Raises:
        mmcourse.data.archives.FetchError: the archive is missing and cannot be fetched.
    """
    return store.arrays("scaling-letters", [__name__], _letters)


def _letters() -> dict[str, np.ndarray]:
    text = dictionary.load()
    numbers = {"'": 28, **{chr(ord("a") + place): place + 1 for place in range(26)}}
    spelt = [[*(numbers[letter] for letter in word), 27] for word in text.words]
    lengths = np.array([len(word) for word in spelt])
    first = np.concatenate([[0], lengths.cumsum()])[text.token_ids]  # where the spelling of each token is
    lengths = lengths[text.token_ids]
    ends = lengths.cumsum()
    places = np.arange(ends[-1]) + np.repeat(first - ends + lengths, lengths)
    stream = np.concatenate([np.array(word, np.int8) for word in spelt])[places]
    ends = ends[text.starts[1:] - 1]  # of the sentences
    stream[ends - 1] = 0  # an edge instead of the last space
    starts = np.concatenate([[0], ends[:-1]])

    random = np.random.default_rng(20_220_329)
    blocks = len(ends) // BLOCK + 1
    drawn = random.choice(3, size=blocks, p=[1 - 2 * HELD_OUT, HELD_OUT, HELD_OUT])
    split_of, found = np.repeat(drawn, BLOCK)[: len(ends)], {}
    for number, split in enumerate(SPLITS):
        chosen = random.permutation(np.flatnonzero(split_of == number))
        line = np.concatenate([[np.int8(0)], *(stream[starts[i] : ends[i]] for i in chosen)])
        rows = np.lib.stride_tricks.sliding_window_view(line, LENGTH + 1)[::LENGTH]
        found[split] = random.permutation(rows)
    return found


@keras.saving.register_keras_serializable("mmcourse")
class LanguageModel(keras.Model):
    """The language model of notebook 38 in any width: token ids ``(batch, LENGTH)`` to logits.

    Args:
        width: a multiple of 8, the width of a head.
        depth: number of blocks.

    Raises:
        ValueError: ``width`` is no multiple of 8, or ``depth`` below 1.
    """

    def __init__(self, width: int, depth: int = DEPTH, **kwargs):
        super().__init__(**kwargs)
        check_count("depth", depth)
        if width < HEAD or width % HEAD:
            raise ValueError(f"width must be a multiple of {HEAD}, the width of a head; got {width}")
        self.width = width
        start = keras.initializers.RandomNormal(stddev=0.3)
        self.token = keras.layers.Embedding(SIGNS, width, embeddings_initializer=start)
        self.position = keras.layers.Embedding(LENGTH, width, embeddings_initializer=start)
        self.blocks = [layers.TransformerBlock(width // HEAD, width, hidden=4 * width) for _ in range(depth)]
        self.norm = keras.layers.LayerNormalization(epsilon=1e-6)
        self.to_logits = keras.layers.Dense(SIGNS)
        self.seen = attention.causal_mask(LENGTH)[None, None]  # (1, 1, queries, keys)

    def call(self, token_ids):
        """``int32`` ``(batch, LENGTH)`` to ``float32`` ``(batch, LENGTH, SIGNS)``."""
        hidden = self.token(token_ids) + self.position(ops.arange(LENGTH))
        for block in self.blocks:
            hidden = block(hidden, self.seen)
        return self.to_logits(self.norm(hidden))


class _Rate(keras.optimizers.schedules.LearningRateSchedule):
    """Up in a straight line, then down to zero in another; highest rate and steps can be set anew."""

    def __init__(self):
        self.highest = keras.Variable(1e-3, trainable=False)
        self.steps = keras.Variable(1.0, trainable=False)

    def __call__(self, step):
        done = ops.cast(step, "float32") / self.steps
        return self.highest * ops.minimum((done + 1 / self.steps) / WARM_UP, (1 - done) / (1 - WARM_UP))


class Trainer:
    """Trains models of one width again and again, without compiling anew.

    Args:
        width, depth: of :class:`LanguageModel`.
    """

    def __init__(self, width: int, depth: int = DEPTH):
        self.model = LanguageModel(width, depth)
        self.model(np.zeros((1, LENGTH), np.int32))
        self.rate = _Rate()
        self.model.compile(
            keras.optimizers.Adam(self.rate, beta_2=0.98, clipnorm=1.0),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            steps_per_execution=TOGETHER,
            jit_compile=False,
        )
        self.model.optimizer.build(self.model.trainable_variables)
        self.parameters = self.model.count_params()
        self._starts: dict[int, list[np.ndarray]] = {}

    def train(
        self, rows: np.ndarray, tokens: int, highest: float, seed: int, different: int | None = None
    ) -> int:
        """Train from new random weights.

        Args:
            rows: those of :func:`letters`.
            tokens: how many are read, rounded to whole steps.
            highest: learning rate at the end of the warm-up.
            seed: of the weights, and of the rows that are read.
            different: tokens of the rows that are read again and again; by default every row is new.

        Returns:
            The number of tokens read.

        Raises:
            ValueError: fewer tokens than one go of steps, more different tokens than there are, or
                ``highest`` is not positive.
        """
        check_positive("highest", highest)
        go = BATCH * LENGTH * TOGETHER
        steps = tokens // go * TOGETHER
        different = steps * BATCH * LENGTH if different is None else different
        if not steps or not BATCH * LENGTH <= different <= len(rows) * LENGTH:
            raise ValueError(
                f"a training reads {go} tokens or more, and of {len(rows)} rows no more than "
                f"{len(rows) * LENGTH} different ones; got tokens {tokens}, different {different}"
            )
        if seed not in self._starts:
            keras.utils.set_random_seed(seed)
            fresh = LanguageModel(self.model.width, len(self.model.blocks))
            fresh(np.zeros((1, LENGTH), np.int32))
            self._starts[seed] = fresh.get_weights()
        self.model.set_weights(self._starts[seed])
        for variable in self.model.optimizer.variables:
            if variable is not self.rate.highest and variable is not self.rate.steps:
                variable.assign(ops.zeros_like(variable))
        self.rate.highest.assign(highest)
        self.rate.steps.assign(float(steps))
        random = np.random.default_rng(seed)
        chosen = random.permutation(len(rows))[: different // LENGTH]
        passes = -(-steps * BATCH // len(chosen))
        order = np.concatenate([random.permutation(chosen) for _ in range(passes)])[: steps * BATCH]
        read = rows[order].astype(np.int32)
        self.model.fit(read[:, :-1], read[:, 1:], batch_size=BATCH, shuffle=False, verbose=0)
        return steps * BATCH * LENGTH

    def loss(self, rows: np.ndarray) -> float:
        """Mean cross-entropy of the next letter in nats, over the rows ``(rows, LENGTH + 1)``."""
        rows = np.asarray(rows, np.int32)
        return float(self.model.evaluate(rows[:, :-1], rows[:, 1:], batch_size=256, verbose=0))
