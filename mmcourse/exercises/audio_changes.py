"""Checkers of notebook 26, "Audio changes"."""

import functools
from collections.abc import Callable

import numpy as np

from mmcourse.exercises.verdict import call, require


def _noise(answer) -> None:
    random = np.random.default_rng(4)
    for size, loudness, decibels in ((50, 1.0, 0.0), (200, 3.0, 20.0), (100, 0.2, -6.0), (80, 1.0, 10.0)):
        signal, noise = random.normal(size=size), loudness * random.normal(size=size)
        if decibels:  # without a mean, so that the deviation is as good as the root of the mean square
            signal, noise = signal - signal.mean(), noise - noise.mean()
        else:
            signal = signal + 1
        given = np.asarray(call(answer, signal.copy(), noise.copy(), decibels), dtype=float)
        require(given.shape == signal.shape, f"expected the shape {signal.shape}, got {given.shape}")
        added = given - signal
        factor = (added @ noise) / (noise @ noise)
        require(
            bool(np.allclose(added, factor * noise, atol=1e-5) and factor > 0),
            "what is added to the signal is not the noise times a positive factor. Leave the signal alone.",
        )
        found = 10 * np.log10((signal @ signal) / (added @ added))
        require(
            abs(found - decibels) < 0.05,
            f"{decibels:g} dB were asked for, your noise gives {found:.2f} dB. The factor is for the "
            "samples, the ratio is one of powers (means of squares): there is a square root, and a division "
            "by 10.",
        )


def _voices(answer) -> None:
    for seed, sizes, share in (
        (0, [3, 1, 4, 2, 5, 6], 0.3),
        (1, [2, 2], 0.9),
        (2, [5, 1, 1, 1], 0.01),
        (3, [4] * 10, 0.5),
        (4, [3, 2, 1, 2, 4, 3], 0.4),
    ):
        names = np.random.default_rng(seed).permutation(100)[: len(sizes)]
        voices = np.random.default_rng(seed).permutation(np.repeat(names, sizes))
        tested = np.asarray(call(answer, voices.copy(), share, np.random.default_rng(seed)))
        require(
            tested.shape == voices.shape and tested.dtype == bool,
            f"expected a boolean array {voices.shape}, got {tested.dtype} {tested.shape}",
        )
        both = sorted(set(voices[tested].tolist()) & set(voices[~tested].tolist()))
        require(not both, f"the voices {both} are on both sides. Draw voices, not recordings.")
        count = len(set(voices[tested].tolist()))
        expected = min(max(1, round(share * len(sizes))), len(sizes) - 1)
        require(
            abs(count - expected) <= (share * len(sizes) % 1 == 0.5),
            f"of {len(sizes)} voices with the share {share}, {count} are in the test, not {expected}. Each "
            "side has at least one.",
        )
    voices = np.arange(40)
    drawn = {np.asarray(answer(voices, 0.5, np.random.default_rng(seed))).tobytes() for seed in range(4)}
    require(len(drawn) > 1, "four generators give one and the same split. Draw the voices with random.")
    again = {np.asarray(answer(voices, 0.5, np.random.default_rng(1))).tobytes() for _ in range(3)}
    require(
        len(again) == 1,
        "three generators with the same seed give different splits. Draw the voices with random, and with "
        "nothing else.",
    )


def _mixture(answer) -> None:
    require(callable(answer), f"expected a function, got {type(answer).__name__}")
    features, labels, voices = _words()
    for count in (0, 2, 4):
        given = call(answer, count, features.copy(), labels.copy(), voices.copy())
        given = np.asarray(given, dtype=float)
        require(given.size == 1, f"expected one number, got the shape {given.shape}")
        found, expected = float(given.reshape(())), _score_on_f5(count)
        require(
            abs(found - expected) <= 0.06,
            f"with {count} f voices in training you give {found:.2f}, not {expected:.2f}. Train on eight "
            "voices, never on voice 5, and test on all recordings of voice 5 alone.",
        )


@functools.cache
def _words() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The features, labels and voices of the notebook."""
    from mmcourse import audio
    from mmcourse.data import synthetic_words

    words, features = synthetic_words.load(), []
    for waveform in words.waveforms:
        levels = audio.log_mel(waveform)
        levels = np.maximum(levels - levels.max(), -60)
        features.append(levels[np.linspace(0, len(levels) - 1, 12).round().astype(int)].ravel())
    return np.array(features), words.labels, words.voices


@functools.cache
def _score_on_f5(count: int) -> float:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    features, labels, voices = _words()
    trained = np.isin(voices, [1, 2, 3, 4][:count] + [0, 6, 7, 8, 9, 10, 11, 12][: 8 - count])
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=300))
    model.fit(features[trained], labels[trained])
    return model.score(features[voices == 5], labels[voices == 5])


CHECKERS: dict[str, Callable] = {
    "audio-changes-noise": _noise,
    "audio-changes-voices": _voices,
    "audio-changes-mixture": _mixture,
}
