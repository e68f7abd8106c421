"""Checkers of the chapter "Sound"."""

from collections.abc import Callable

import numpy as np

from mmcourse.exercises.verdict import call, require


def _number(given) -> float:
    """One real number out of what was given."""
    array = np.asarray(given, dtype=float)
    require(array.size == 1, f"expected one number, got the shape {array.shape}")
    return float(array.reshape(()))


def _frames(answer) -> None:
    for samples, length, hop in (
        (16_000, 400, 160),
        (400, 400, 160),
        (399, 400, 160),
        (0, 4, 2),
        (10, 4, 3),
        (9, 4, 3),
        (7, 2, 5),
    ):
        expected = 0 if samples < length else len(range(0, samples - length + 1, hop))
        given = _number(call(answer, samples, length, hop))
        require(
            given == expected,
            f"{samples} samples, frames of {length} every {hop}: you give {given:g}, not {expected}. The "
            "last frame must end inside the waveform; count the steps that fit into the rest.",
        )


def _alias(answer) -> None:
    for frequency, rate in (
        (1, 8),
        (7, 8),
        (9, 8),
        (15, 8),
        (4, 8),
        (0, 8),
        (8, 8),
        (7_000, 8_000),
        (20_500, 8_000),
        (12.25, 8),
        (60.5, 8),
    ):
        rest = frequency % rate
        expected = min(rest, rate - rest)
        given = _number(call(answer, frequency, rate))
        require(
            abs(given - expected) < 1e-6,
            f"{frequency} Hz at {rate} samples a second: you give {given:g} Hz, not {expected}. Take away "
            "whole turns per sample first; what is left above half the rate is folded down.",
        )


def _fourier(answer) -> None:
    random = np.random.default_rng(23)
    for samples in (np.array([1.0, 0, -1, 0]), *(random.normal(size=size) for size in (1, 2, 5, 8, 12))):
        expected = np.fft.rfft(samples)
        given = np.asarray(call(answer, samples.copy()), dtype=complex)
        require(
            given.shape == expected.shape,
            f"for {len(samples)} samples expected {len(expected)} numbers, got the shape {given.shape}",
        )
        require(
            np.allclose(given, expected, atol=1e-6),
            f"for the samples {samples.round(2)} you give {given.round(2)}, not {expected.round(2)}. "
            "Mind the minus in the exponent, and divide k · n by the number of samples.",
        )


def _noise(answer) -> None:
    random = np.random.default_rng(4)
    for size, loudness, decibels in ((50, 1.0, 0.0), (200, 3.0, 20.0), (100, 0.2, -6.0), (80, 1.0, 10.0)):
        signal, noise = random.normal(size=size), loudness * random.normal(size=size)
        given = np.asarray(call(answer, signal.copy(), noise.copy(), decibels), dtype=float)
        require(given.shape == signal.shape, f"expected the shape {signal.shape}, got {given.shape}")
        added = given - signal
        factor = (added @ noise) / (noise @ noise)
        require(
            np.allclose(added, factor * noise, atol=1e-6) and factor > 0,
            "what is added to the signal is not the noise times a positive factor. Leave the signal alone.",
        )
        found = 10 * np.log10((signal @ signal) / (added @ added))
        require(
            abs(found - decibels) < 0.01,
            f"{decibels:g} dB were asked for, your noise gives {found:.2f} dB. The factor is for the "
            "samples, the ratio is one of powers: there is a square root, and a division by 10.",
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
        require(not both, f"the voices {both} stand on both sides. Draw voices, not recordings.")
        count, expected = (
            len(set(voices[tested].tolist())),
            min(max(1, round(share * len(sizes))), len(sizes) - 1),
        )
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


def _begins(answer) -> None:
    cases = (
        ([-60, -60, -10, -10, -10, -60], -30, 3, 2),
        ([-10, -60, -10, -10, -60], -30, 2, 2),
        ([-10, -10, -60], -30, 1, 0),
        ([-60, -10, -60, -10], -30, 2, -1),
        ([-60, -60, -10, -10], -30, 2, 2),
        ([-60, -10, -10], -30, 3, -1),
        ([-30, -30, -29], -30, 1, 2),
        ([-10, -10, -10, -10], -30, 4, 0),
        ([-60, -20, -20, -60, -10, -10, -10], -30, 2, 1),
        ([-10, -60, -10, -10, -10], -30, 3, 2),
    )
    for levels, threshold, run, expected in cases:
        given = _number(call(answer, np.array(levels, dtype=float), threshold, run))
        require(
            given == expected,
            f"levels {levels}, threshold {threshold}, run {run}: you give {given:g}, not {expected}. Count "
            "the frames in a row that are above; start again at 0 when one is not.",
        )


CHECKERS: dict[str, Callable] = {
    "audio-frames": _frames,
    "audio-alias": _alias,
    "audio-fourier": _fourier,
    "audio-noise": _noise,
    "audio-voices": _voices,
    "audio-begins": _begins,
}
