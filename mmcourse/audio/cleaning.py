"""Levels, normalisation, silence, and spectral subtraction (notebook 26).

A level in decibels is 20 log10 of an amplitude, or 10 log10 of a power: 0 dB is the amplitude 1, and -20 dB a
tenth of it. Spectral subtraction is Boll's (1979), here with powers.
"""

import numpy as np

from mmcourse.audio.reading import SAMPLE_RATE, AudioError, check_rate, check_waveform
from mmcourse.audio.spectrogram import frames, istft, stft


def rms(waveform: np.ndarray) -> float:
    """Root of the mean square, the usual measure of how strong a sound is."""
    return float(np.sqrt(np.mean(check_waveform(waveform).astype(np.float64) ** 2)))


def remove_offset(waveform: np.ndarray) -> np.ndarray:
    """Subtract the mean, which a bad sound card adds. It does not make a sound louder or softer."""
    waveform = check_waveform(waveform)
    return waveform - np.float32(waveform.mean(dtype=np.float64))


def normalise_peak(waveform: np.ndarray, peak: float = 1.0) -> np.ndarray:
    """Scale a waveform so that its largest sample, in magnitude, is ``peak``.

    Raises:
        AudioError: the waveform is silent, or is no waveform; ``peak`` is not positive.
    """
    waveform = check_waveform(waveform)
    return _scale(waveform, float(np.abs(waveform).max()), peak, "peak")


def normalise_rms(waveform: np.ndarray, level: float = 0.1) -> np.ndarray:
    """Scale a waveform so that its :func:`rms` is ``level``; single samples may then lie beyond 1.

    Raises:
        AudioError: the waveform is silent, or is no waveform; ``level`` is not positive.
    """
    return _scale(check_waveform(waveform), rms(waveform), level, "level")


def signal_to_noise(clean: np.ndarray, noisy: np.ndarray) -> float:
    """Signal-to-noise ratio in decibels: the power of ``clean`` over that of what ``noisy`` has besides.

    Everything that is not the clean signal counts as noise, also what a denoiser took from the signal.
    Infinite if the two are equal.

    Raises:
        AudioError: the shapes differ, or ``clean`` is silent.
    """
    clean, noisy = check_waveform(clean, "clean"), check_waveform(noisy, "noisy")
    if clean.shape != noisy.shape:
        raise AudioError(f"clean and noisy must have one length, got {len(clean)} and {len(noisy)} samples")
    signal = np.sum(clean.astype(np.float64) ** 2)
    if not signal:
        raise AudioError("clean is silent: there is no signal to compare with")
    noise = np.sum((noisy.astype(np.float64) - clean) ** 2)
    return float(10 * np.log10(signal / noise)) if noise else float("inf")


def frame_levels(
    waveform: np.ndarray,
    sample_rate: int = SAMPLE_RATE,
    frame_seconds: float = 0.025,
    hop_seconds: float = 0.010,
) -> np.ndarray:
    """The level of each frame in decibels, from -100 (silence): ``float64`` ``(frames,)``."""
    check_rate(sample_rate)
    cut = frames(
        check_waveform(waveform), round(frame_seconds * sample_rate), round(hop_seconds * sample_rate)
    )
    power = np.einsum("fs,fs->f", cut, cut, dtype=np.float64) / cut.shape[-1]
    return 10 * np.log10(np.maximum(power, 1e-10))


def active_frames(
    waveform: np.ndarray, sample_rate: int = SAMPLE_RATE, below_loudest: float = 35.0
) -> np.ndarray:
    """Which frames of 25 ms, every 10 ms, are louder than the loudest one less ``below_loudest`` decibels.

    Returns:
        boolean ``(frames,)``; all False if the waveform is silent.
    """
    levels = frame_levels(waveform, sample_rate)
    return (levels > levels.max() - below_loudest) & (levels > -100)


def trim_silence(
    waveform: np.ndarray, sample_rate: int = SAMPLE_RATE, below_loudest: float = 35.0
) -> np.ndarray:
    """Cut off the silence at both ends; pauses inside stay.

    Args:
        below_loudest: what is so many decibels softer than the loudest frame is silence. Infinity keeps all.

    Raises:
        AudioError: the whole waveform is silent.
    """
    waveform = check_waveform(waveform)
    if below_loudest == float("inf"):
        return waveform.copy()
    active = np.flatnonzero(active_frames(waveform, sample_rate, below_loudest))
    if not active.size:
        raise AudioError("the waveform is silent from end to end: nothing is left after trimming")
    hop, length = round(0.010 * sample_rate), round(0.025 * sample_rate)
    return waveform[active[0] * hop : active[-1] * hop + length].copy()


def subtract_noise(
    waveform: np.ndarray,
    noise: np.ndarray,
    reduction: float = 20.0,
    factor: float = 3.0,
    frame_length: int = 512,
) -> np.ndarray:
    """Spectral subtraction: take the power of the noise away from each frame, frequency by frequency.

    The power of the noise in each bin is the mean over a stretch in which nobody speaks. A frame's power less
    ``factor`` times that is kept, but never less than ``reduction`` decibels below what was there. The phases
    stay as they are.

    Args:
        waveform: ``(samples,)``.
        noise: a stretch without signal, at least one frame long.
        reduction: decibels; 0 changes nothing.
        factor: how many times the noise's mean power is subtracted; noise is often stronger than its mean.
        frame_length: samples of a frame; frames begin every quarter of it.

    Returns:
        ``float32`` ``(samples,)``.

    Raises:
        AudioError: ``noise`` is shorter than a frame, or ``reduction`` or ``factor`` is negative.
    """
    waveform, noise = check_waveform(waveform), check_waveform(noise, "noise")
    if not reduction >= 0 or not factor >= 0:
        raise AudioError(f"reduction and factor must be at least 0, got {reduction} and {factor}")
    if len(noise) < frame_length:
        raise AudioError(f"noise has {len(noise)} samples, expected at least one frame of {frame_length}")
    hop = frame_length // 4
    profile = np.mean(np.abs(stft(noise, frame_length, hop)) ** 2, axis=0)  # (bins,)
    # Zeros on both sides, so that every sample lies in as many frames as any other.
    padded = np.pad(waveform, (frame_length, 2 * frame_length))
    spectra = stft(padded, frame_length, hop)  # (frames, bins)
    power = np.maximum(np.abs(spectra) ** 2, 1e-12)
    gain = np.sqrt(np.maximum(1 - factor * profile / power, 10 ** (-reduction / 10)))
    cleaned = istft(spectra * gain, frame_length, hop, samples=len(padded))
    return cleaned[frame_length : frame_length + len(waveform)]


def _scale(waveform: np.ndarray, found: float, wanted: float, name: str) -> np.ndarray:
    if not 0 < wanted < float("inf"):
        raise AudioError(f"{name} must be above 0, got {wanted}")
    if not found:
        raise AudioError("the waveform is silent: no factor can make it louder")
    return waveform * np.float32(wanted / found)
