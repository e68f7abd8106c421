"""Tell words apart by few examples: features of a frozen speech encoder, and what can be done without them.

The words are spoken by a program (synthetic voices). A round holds other five of the thirteen voices out for
the test, and draws 1, 2, 5 or 10 recordings of each word by the others to learn from. Four ways fit the same
logistic regression: on the encoder's features, on the mean and the spread of log-mel bands, on the pitch
contour, and on features and contour together. The fifth trains a small convolutional network on log-mel
frames from random weights, and is asked on the way, so that its curve shows whether the cap came too early.
What notebook 46 shows are the scores.

    python benchmarks/few_words.py --rounds 5 --output benchmarks/results/few_words.json
"""

import os

import compare
import numpy as np

EACH, TEST_VOICES, BATCH = (1, 2, 5, 10), 5, 32
PASSES = (50, 100, 200, 400)  # through the recordings, after which the network is asked; then it stops
AT_ONCE = 50  # passes that one call of ``fit`` makes
ROUND = int(os.environ.get("BENCHMARK_ROUND", 0))


def draws(words: np.ndarray, voices: np.ndarray):
    """The draws of this round: recordings of each word, rows to learn from, rows of the test."""
    for each in EACH:
        random = np.random.default_rng([2026, ROUND])  # the same voices, and more of the same recordings
        test = np.isin(voices, random.permutation(voices.max() + 1)[:TEST_VOICES])
        train = [
            random.permutation(np.flatnonzero((words == word) & ~test))[:each] for word in np.unique(words)
        ]
        yield each, np.concatenate(train), np.flatnonzero(test)


def shares(name: str, answers: np.ndarray, truths: np.ndarray) -> dict[str, float]:
    """Share of right words; of those with tones also the share whose syllable and whose tone is right."""
    right = {name: answers == truths}
    if name == "Mandarin tones":  # four in a row are one syllable in the four tones
        right |= {
            f"{name}, syllable": answers // 4 == truths // 4,
            f"{name}, tone": answers % 4 == truths % 4,
        }
    return {part: round(float(values.mean()), 4) for part, values in right.items()}


def linear(kinds: tuple[str, ...], measure: compare.Measurement) -> dict:
    """Logistic regression on some kinds of features, each column with mean 0 and deviation 1."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from mmcourse.encoders import spoken_words

    scores: dict = {}
    for name in spoken_words.SETS:
        found = spoken_words.features(name)
        for each, train, test in draws(found["words"], found["voices"]):
            model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
            rows, words = np.concatenate([found[kind] for kind in kinds], axis=1), found["words"]
            with measure(1):
                model.fit(rows[train], words[train])
            for part, share in shares(name, model.predict(rows[test]), words[test]).items():
                scores.setdefault(part, {})[str(each)] = share
    return {"scores": scores}


def from_nothing(measure: compare.Measurement) -> dict:
    """A small convolutional network over time on log-mel frames, from random weights."""
    import keras
    from keras import layers

    from mmcourse.encoders import spoken_words
    from mmcourse.learning import training

    scores: dict = {}
    curves: dict = {}
    for name in spoken_words.SETS:
        found = spoken_words.features(name)
        words = found["words"]
        for each, train, test in draws(words, found["voices"]):
            training.set_seed(ROUND)
            frames = found["frames"].astype("float32")  # (recordings, 78, 40)
            frames = (frames - frames[train].mean(axis=(0, 1))) / frames[train].std()
            network = keras.Sequential(
                [
                    keras.Input(frames.shape[1:]),
                    layers.Conv1D(32, 5, activation="relu", padding="same"),
                    layers.MaxPooling1D(4),
                    layers.Conv1D(48, 5, activation="relu", padding="same"),
                    layers.GlobalMaxPooling1D(),
                    layers.Dropout(0.3),
                    layers.Dense(int(words.max()) + 1),
                ]
            )
            loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
            network.compile(keras.optimizers.Adam(1e-3), loss, jit_compile=False)
            # An epoch of ``fit`` is fifty passes: a call takes longer than a pass.
            rows = np.tile(train, AT_ONCE)
            curve, done = {}, 0
            for until in PASSES:
                with measure(1 / len(PASSES)):
                    epochs = until // AT_ONCE
                    network.fit(
                        frames[rows],
                        words[rows],
                        batch_size=min(BATCH, len(train)),
                        epochs=epochs,
                        initial_epoch=done,
                        verbose=0,
                    )
                done = epochs
                answers = network.predict(frames[test], batch_size=512, verbose=0).argmax(axis=1)
                found_shares = shares(name, answers, words[test])
                loss_of_train = network.evaluate(frames[train], words[train], verbose=0)
                curve[str(until)] = [found_shares[name], round(float(loss_of_train), 4)]
            curves.setdefault(name, {})[str(each)] = curve
            for part, share in found_shares.items():
                scores.setdefault(part, {})[str(each)] = share
    return {"scores": scores, "curves": curves, "parameters": network.count_params()}


WAYS = {
    "speech encoder": lambda measure: linear(("speech",), measure),
    "log-mel": lambda measure: linear(("log-mel",), measure),
    "pitch": lambda measure: linear(("pitch",), measure),
    "speech encoder and pitch": lambda measure: linear(("speech", "pitch"), measure),
    "from nothing": from_nothing,
}

if __name__ == "__main__":
    compare.main(WAYS, "from nothing", "trainings", ("keras", "tensorflow", "scikit-learn", "onnxruntime"))
