"""Right and wrong answers to the exercises of "Audio"."""

import numpy as np


def spectrum(samples, *, sign=-1, divisor=None, whole=False, scale=1.0):
    """The Fourier transform with the faults that the arguments ask for."""
    total = len(samples)
    waves = np.arange(total if whole else total // 2 + 1)
    turns = np.outer(waves, np.arange(total)) / (divisor or total)
    return scale * np.exp(sign * 2j * np.pi * turns) @ samples


def folded(frequency, rate, folds):
    """Folding down a fixed number of times, which is too few for high frequencies."""
    for _ in range(folds):
        frequency = abs(rate - frequency) if frequency > rate / 2 else frequency
    return frequency


def two_peaks(
    difference,
    *,
    window=True,
    centred=True,
    ratio=2,
    amplitude=False,
    longest=False,
    lengths=(200, 400, 800, 1_600, 3_200, 6_400),
):
    """The search with the faults that the arguments ask for."""
    for length in reversed(lengths) if longest else lengths:
        n = np.arange(length)
        turns = 2 * np.pi * (n - (length / 2 if centred else 0)) / 16_000
        sound = np.cos(1_000 * turns) + np.cos((1_000 + difference) * turns)
        if window:
            sound = sound * (0.5 - 0.5 * np.cos(2 * np.pi * n / length))
        power = np.abs(np.fft.rfft(sound, 64_000)) ** (1 if amplitude else 2)
        low, middle, high = (power[round(4 * (1_000 + share * difference))] for share in (0, 0.5, 1))
        if ratio * middle < min(low, high):
            return length
    return None


RIGHT = {
    "audio-frames": {
        "a formula": lambda samples, length, hop: 0 if samples < length else 1 + (samples - length) // hop,
        "a range": lambda samples, length, hop: len(range(0, samples - length + 1, hop)),
        "a float": lambda samples, length, hop: (
            max(0.0, 1.0 + (samples - length) // hop) if samples >= length else 0.0
        ),
    },
    "audio-alias": {
        "folded": lambda frequency, rate: min(frequency % rate, rate - frequency % rate),
        "nearest turn": lambda frequency, rate: abs(frequency - rate * round(frequency / rate)),
    },
    "audio-fourier": {
        "a matrix": spectrum,
        "a list": lambda samples: [complex(value) for value in spectrum(samples)],
    },
    "audio-resolution": {
        "measured": two_peaks,
        "an array": lambda difference: np.array([two_peaks(difference)]),
    },
}


WRONG = {
    "audio-frames": {
        "one too few": lambda samples, length, hop: max(0, (samples - length) // hop),
        "with padding": lambda samples, length, hop: 1 + samples // hop,
        "rounded up": lambda samples, length, hop: max(0, -(-(samples - length) // hop) + 1),
        "negative": lambda samples, length, hop: 1 + (samples - length) // hop,
        "no overlap": lambda samples, length, hop: samples // length,
    },
    "audio-alias": {
        "never folded": lambda frequency, rate: frequency,
        "only turns": lambda frequency, rate: frequency % rate,
        "folded once": lambda frequency, rate: frequency if frequency <= rate / 2 else abs(rate - frequency),
        "cut off": lambda frequency, rate: min(frequency, rate / 2),
        "folded three times": lambda frequency, rate: folded(frequency, rate, 3),
        "whole hertz": lambda frequency, rate: int(min(frequency % rate, rate - frequency % rate)),
        "folded at the rate": lambda frequency, rate: frequency % (rate / 2),
    },
    "audio-fourier": {
        "sign": lambda samples: spectrum(samples, sign=1),
        "all bins": lambda samples: spectrum(samples, whole=True),
        "divided": lambda samples: spectrum(samples, scale=1 / len(samples)),
        "divisor": lambda samples: spectrum(samples, divisor=len(samples) + 1),
        "magnitude": lambda samples: np.abs(spectrum(samples)),
    },
    "audio-resolution": {
        "both at their peak at the beginning": lambda difference: two_peaks(difference, centred=False),
        "no window": lambda difference: two_peaks(difference, window=False),
        "the longest": lambda difference: two_peaks(difference, longest=True),
        "one period of the difference": lambda difference: 16_000 / difference,
        "always the frame of the chapter": lambda difference: 400,
        "upside down": lambda difference: two_peaks(800 / difference),
    },
}
