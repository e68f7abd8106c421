"""Right and wrong answers to the exercises of "Sound"."""

import numpy as np


def spectrum(samples, *, sign=-1, divisor=None, whole=False, scale=1.0):
    """The Fourier transform with the faults that the arguments ask for."""
    total = len(samples)
    waves = np.arange(total if whole else total // 2 + 1)
    turns = np.outer(waves, np.arange(total)) / (divisor or total)
    return scale * np.exp(sign * 2j * np.pi * turns) @ samples


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


def folded(frequency, rate, folds):
    """Folding down a fixed number of times, which is too few for high frequencies."""
    for _ in range(folds):
        frequency = abs(rate - frequency) if frequency > rate / 2 else frequency
    return frequency


def runs_of(levels, threshold, run):
    """First frame and length of every run that is long enough."""
    found, start = [], None
    for number, level in enumerate([*levels, -np.inf]):
        if level > threshold:
            start = number if start is None else start
        elif start is not None:
            found.append((start, number - start))
            start = None
    return [one for one in found if one[1] >= run]


def begins(levels, threshold, run, *, at_least=False, longer=False, end=False, keep=False):
    """The search with the faults that the arguments ask for."""
    above = 0
    for number, level in enumerate(levels):
        loud = level >= threshold if at_least else level > threshold
        above = above + 1 if loud else (above if keep else 0)
        if above == run + longer:
            return number if end else number - above + 1
    return -1


def begins_by_slices(levels, threshold, run):
    for start in range(len(levels) - run + 1):
        if (levels[start : start + run] > threshold).all():
            return start
    return -1


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
    "audio-noise": {
        "by sums": noisy,
        "by deviations": lambda signal, noise, decibels: (
            signal + noise * np.sqrt(np.mean(signal**2) / np.mean(noise**2)) * 10 ** (-decibels / 20)
        ),
    },
    "audio-voices": {"permutation": by_voice, "choice": by_chosen_voice},
    "audio-begins": {"counted": begins, "by slices": begins_by_slices},
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
    "audio-noise": {
        "amplitude decibels": lambda *arguments: noisy(*arguments, divisor=20),
        "no root": lambda *arguments: noisy(*arguments, root=False),
        "inverted": lambda *arguments: noisy(*arguments, invert=True),
        "signal scaled": lambda *arguments: noisy(*arguments, scale_signal=True),
        "as it is": lambda signal, noise, decibels: signal + noise,
        "clean": lambda signal, noise, decibels: signal,
        "only noise": lambda signal, noise, decibels: noisy(signal, noise, decibels) - signal,
    },
    "audio-voices": {
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
    "audio-begins": {
        "the first loud frame": lambda levels, threshold, run: begins(levels, threshold, 1),
        "at least": lambda *arguments: begins(*arguments, at_least=True),
        "longer": lambda *arguments: begins(*arguments, longer=True),
        "the end of the run": lambda *arguments: begins(*arguments, end=True),
        "not in a row": lambda *arguments: begins(*arguments, keep=True),
        "the loudest": lambda levels, threshold, run: int(np.argmax(levels)),
        "the last run": lambda *arguments: (runs_of(*arguments) or [(-1, 0)])[-1][0],
        "the longest run": lambda *arguments: max(runs_of(*arguments) or [(-1, 0)], key=lambda one: one[1])[
            0
        ],
        "loud at both ends": lambda levels, threshold, run: next(
            (
                start
                for start in range(len(levels) - run + 1)
                if min(levels[start], levels[start + run - 1]) > threshold
            ),
            -1,
        ),
    },
}
