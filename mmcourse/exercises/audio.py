"""Checkers of notebook 25, "Audio"."""

from collections.abc import Callable

import numpy as np

from mmcourse.exercises.verdict import call, require

LENGTHS = (200, 400, 800, 1_600, 3_200, 6_400)


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
            np.allclose(given, expected, atol=1e-5),
            f"for the samples {samples.round(2)} you give {given.round(2)}, not {expected.round(2)}. "
            "Mind the minus in the exponent, and divide k · n by the number of samples.",
        )


def _resolution(answer) -> None:
    for difference in (80, 40, 20, 10, 60):
        given = _number(call(answer, difference))
        expected = next(length for length in LENGTHS if _two_peaks(length, difference))
        require(given in LENGTHS, f"for {difference} Hz you give {given:g}; expected one of {LENGTHS}")
        require(
            given == expected,
            f"for tones {difference} Hz apart you give {given:g}, not {expected}. Multiply the frame with "
            "Hann's window of the same length before the transform, and compare powers: bin 4 · f is f Hz.",
        )


def _two_peaks(length: int, difference: float) -> bool:
    """Whether the spectrum of a frame shows two tones as two peaks."""
    n = np.arange(length)
    turns = 2 * np.pi * (n - length / 2) / 16_000  # both tones at their peak in the middle
    sound = np.cos(1_000 * turns) + np.cos((1_000 + difference) * turns)
    power = np.abs(np.fft.rfft(sound * (0.5 - 0.5 * np.cos(2 * np.pi * n / length)), 64_000)) ** 2
    low, middle, high = (power[round(4 * (1_000 + share * difference))] for share in (0, 0.5, 1))
    return 2 * middle < min(low, high)


CHECKERS: dict[str, Callable] = {
    "audio-frames": _frames,
    "audio-alias": _alias,
    "audio-fourier": _fourier,
    "audio-resolution": _resolution,
}
