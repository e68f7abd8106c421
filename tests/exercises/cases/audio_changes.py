"""Right and wrong answers to the exercises of "Audio changes"."""

import numpy as np


def noisy(signal, noise, decibels, *, divisor=10, root=True, invert=False, scale_signal=False):
    """Adding noise with the faults that the arguments ask for."""
    factor = np.sum(signal**2) / np.sum(noise**2) / 10 ** (decibels / divisor)
    factor = 1 / factor if invert else factor
    factor = np.sqrt(factor) if root else factor
    return signal / factor + noise if scale_signal else signal + factor * noise


def by_voice(voices, share, random):
    names = np.unique(voices)
    count = min(max(1, round(share * len(names))), len(names) - 1)
    return np.isin(voices, random.permutation(names)[:count])


def by_chosen_voice(voices, share, random):
    names = sorted(set(voices.tolist()))
    count = min(max(1, round(share * len(names))), len(names) - 1)
    chosen = set(random.choice(names, size=count, replace=False).tolist())
    return np.array([voice in chosen for voice in voices])


def rounded_up(voices, share, random):
    names = np.unique(voices)
    count = min(max(1, int(np.ceil(share * len(names)))), len(names) - 1)
    return np.isin(voices, random.permutation(names)[:count])


def score(count, features, labels, voices, *, test=(5,), train=None, model=None):
    """The score with the faults that the arguments ask for."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    train = [1, 2, 3, 4][:count] + [0, 6, 7, 8, 9, 10, 11, 12][: 8 - count] if train is None else train
    model = model or make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=300))
    trained, tested = np.isin(voices, train), np.isin(voices, test)
    return model.fit(features[trained], labels[trained]).score(features[tested], labels[tested])


def by_hand_scaled(count, features, labels, voices):
    from sklearn.linear_model import LogisticRegression

    trained = np.isin(voices, [*range(1, 1 + count), *[0, *range(6, 13)][: 8 - count]])
    mean, deviation = features[trained].mean(axis=0), features[trained].std(axis=0)
    rows = (features - mean) / np.where(deviation > 0, deviation, 1)
    model = LogisticRegression(C=0.01, max_iter=500).fit(rows[trained], labels[trained])
    return float(np.mean(model.predict(rows[voices == 5]) == labels[voices == 5]))


RIGHT = {
    "audio-changes-noise": {
        "by sums": noisy,
        "by deviations": lambda signal, noise, decibels: (
            signal + noise * np.sqrt(np.mean(signal**2) / np.mean(noise**2)) * 10 ** (-decibels / 20)
        ),
    },
    "audio-changes-voices": {"permutation": by_voice, "choice": by_chosen_voice},
    "audio-changes-mixture": {"with the pipeline": score, "scaled by hand": by_hand_scaled},
}


WRONG = {
    "audio-changes-noise": {
        "amplitude decibels": lambda *arguments: noisy(*arguments, divisor=20),
        "no root": lambda *arguments: noisy(*arguments, root=False),
        "inverted": lambda *arguments: noisy(*arguments, invert=True),
        "signal scaled": lambda *arguments: noisy(*arguments, scale_signal=True),
        "as it is": lambda signal, noise, decibels: signal + noise,
        "clean": lambda signal, noise, decibels: signal,
        "deviations": lambda signal, noise, decibels: (
            signal + noise * signal.std() / noise.std() * 10 ** (-decibels / 20)
        ),
        "only noise": lambda signal, noise, decibels: noisy(signal, noise, decibels) - signal,
    },
    "audio-changes-voices": {
        "recordings drawn": lambda voices, share, random: random.random(len(voices)) < share,
        "the first ones": lambda voices, share, random: np.isin(
            voices,
            np.unique(voices)[
                : min(max(1, round(share * len(np.unique(voices)))), len(np.unique(voices)) - 1)
            ],
        ),
        "all": lambda voices, share, random: np.ones(len(voices), dtype=bool),
        "none": lambda voices, share, random: np.zeros(len(voices), dtype=bool),
        "indices": lambda voices, share, random: np.flatnonzero(by_voice(voices, share, random)),
        "turned round": lambda voices, share, random: ~by_voice(voices, share, random),
        "rounded up": rounded_up,
        "another generator": lambda voices, share, random: by_voice(voices, share, np.random.default_rng()),
    },
    "audio-changes-mixture": {
        "f5 in training": lambda count, *data: score(count, *data, train=[5, 0, 6, 7, 8, 9, 10, 11]),
        "the count is ignored": lambda count, *data: score(0, *data),
        "tested on the training voices": lambda count, *data: score(count, *data, test=(0, 6, 7)),
        "always right": lambda count, *data: 1.0,
        "errors": lambda count, *data: 1 - score(count, *data),
    },
}
