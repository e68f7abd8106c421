"""From a waveform to frames, spectra, log-mel frames and mel-frequency cepstral coefficients (notebook 25).

Frames are 25 ms long and begin every 10 ms, unless said otherwise: 100 a second. Only whole frames are made,
so a clip of exactly one second has 98, the last two having no room. Sources: the short-time Fourier transform
and its inverse by least squares, Griffin and Lim (1984); mel scale in the form of O'Shaughnessy (1987), which
the toolkit HTK uses; cepstral coefficients, Davis and Mermelstein (1980).

Functions take one waveform ``(samples,)`` or several of one length ``(…, samples)``; all arithmetic is in
float32.
"""

import functools

import numpy as np

from mmcourse.audio.reading import SAMPLE_RATE, AudioError, check_rate, check_waveforms

FRAME_SECONDS, HOP_SECONDS = 0.025, 0.010
MELS = 40
FLOOR = 1e-10  # power below which all is silence: -100 dB


def frame_count(samples: int, length: int, hop: int) -> int:
    """How many frames of ``length`` samples, one beginning every ``hop`` samples, fit into ``samples``.

    Raises:
        AudioError: ``length`` or ``hop`` is not positive, or not one frame fits.
    """
    for name, value in (("length", length), ("hop", hop)):
        if not isinstance(value, int | np.integer) or value < 1:
            raise AudioError(f"{name} must be a whole number of samples above 0, got {value!r}")
    if samples < length:
        raise AudioError(f"a sound of {samples} samples is shorter than one frame of {length}")
    return 1 + (samples - length) // hop


def frames(waveform: np.ndarray, length: int, hop: int) -> np.ndarray:
    """Cut a waveform into frames that overlap: ``(…, frames, length)``.

    The result is a view of the waveform: no sample is copied, and it cannot be written to.
    """
    waveform = check_waveforms(waveform)
    frame_count(waveform.shape[-1], length, hop)
    windows = np.lib.stride_tricks.sliding_window_view(waveform, length, axis=-1)
    return windows[..., ::hop, :]


@functools.lru_cache(maxsize=32)
def hann(length: int) -> np.ndarray:
    """Hann's window, ``0.5 - 0.5 cos(2 π n / length)``: ``float32`` ``(length,)``, not to be written to.

    It is the periodic one: copies that are shifted by half its length add up to 1.
    """
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)).astype(np.float32)
    window.flags.writeable = False
    return window


def stft(
    waveform: np.ndarray,
    frame_length: int = 400,
    hop: int = 160,
    fft_length: int | None = None,
    window: np.ndarray | None = None,
) -> np.ndarray:
    """Short-time Fourier transform: the spectrum of each frame.

    Args:
        waveform: ``(…, samples)``.
        frame_length, hop: in samples.
        fft_length: samples of the transform; zeros follow the frame. The frame's length by default.
        window: what each frame is multiplied with, ``(frame_length,)``; Hann's by default.

    Returns:
        ``complex64`` ``(…, frames, fft_length // 2 + 1)``; bin k is the frequency k · rate / fft_length.

    Raises:
        AudioError: shorter than a frame, or lengths that do not fit; see also check_waveform.
    """
    cut = frames(waveform, frame_length, hop)
    window = _window(window, frame_length)
    return np.fft.rfft(cut * window, _fft_length(fft_length, frame_length), axis=-1)


def istft(
    spectra: np.ndarray,
    frame_length: int = 400,
    hop: int = 160,
    window: np.ndarray | None = None,
    samples: int | None = None,
) -> np.ndarray:
    """The waveform whose :func:`stft` comes nearest to ``spectra`` (least squares: Griffin and Lim, 1984).

    Each frame is transformed back, multiplied with the window once more and added where it belongs; the sum
    is divided by the sum of the squared windows. Where the frames overlap and the window is not zero, this
    undoes :func:`stft` exactly, to rounding.

    Args:
        spectra: ``(frames, bins)`` of one waveform.
        frame_length, hop, window: those of :func:`stft`.
        samples: length wanted; zeros are added or samples cut at the end.

    Returns:
        ``float32`` ``(samples,)``.

    Raises:
        AudioError: shapes that do not fit, or values that are not finite.
    """
    spectra = np.asarray(spectra)
    if spectra.ndim != 2 or 0 in spectra.shape:
        raise AudioError(f"spectra must be (frames, bins), got the shape {spectra.shape}")
    if not np.isfinite(spectra).all():
        raise AudioError("spectra hold values that are not finite numbers (NaN or infinity)")
    fft_length = 2 * (spectra.shape[1] - 1)
    window = _window(window, frame_length)
    _fft_length(fft_length, frame_length)
    count = spectra.shape[0]
    frame_count(frame_length, frame_length, hop)
    pieces = np.fft.irfft(spectra, fft_length, axis=-1)[:, :frame_length] * window
    length = (count - 1) * hop + frame_length
    total, weight = np.zeros(length), np.zeros(length)
    for number in range(count):
        place = slice(number * hop, number * hop + frame_length)
        total[place] += pieces[number]
        weight[place] += window.astype(np.float64) ** 2
    # Hann's window is 0 at its first sample: nothing can be said about a sample that only it has seen.
    waveform = np.divide(total, weight, out=np.zeros(length), where=weight > 1e-8).astype(np.float32)
    if samples is not None:
        waveform = np.pad(waveform[:samples], (0, max(0, samples - length)))
    return waveform


def to_mel(hertz: np.ndarray | float) -> np.ndarray:
    """Frequency on the mel scale, 2595 log10(1 + f / 700): the formula that HTK uses."""
    return 2595 * np.log10(1 + np.asarray(hertz, dtype=np.float64) / 700)


def from_mel(mels: np.ndarray) -> np.ndarray:
    """The inverse of :func:`to_mel`."""
    return 700 * (10 ** (np.asarray(mels, dtype=np.float64) / 2595) - 1)


@functools.lru_cache(maxsize=32)
def mel_filters(
    sample_rate: int = SAMPLE_RATE,
    fft_length: int = 512,
    mels: int = MELS,
    lowest: float = 0.0,
    highest: float | None = None,
) -> np.ndarray:
    """Triangles that gather the bins of a spectrum into bands of equal width on the mel scale.

    Band m rises from edge m to edge m + 1, where it is 1, and falls to 0 at edge m + 2.

    Args:
        sample_rate: samples a second.
        fft_length: samples of the transform.
        mels: how many bands.
        lowest, highest: hertz between which the bands lie; 0 to half the sample rate by default.

    Returns:
        ``float32`` ``(fft_length // 2 + 1, mels)``: a spectrum times it are the bands. Not to be written to.

    Raises:
        AudioError: no bands, frequencies out of order, or so many bands that one of them has no bin.
    """
    check_rate(sample_rate)
    highest = sample_rate / 2 if highest is None else highest
    if not 0 <= lowest < highest <= sample_rate / 2:
        raise AudioError(
            f"expected 0 <= lowest < highest <= {sample_rate / 2:g} Hz (half the sample rate), "
            f"got {lowest} and {highest}"
        )
    if mels < 1:
        raise AudioError(f"mels must be at least 1, got {mels}")
    edges = from_mel(np.linspace(to_mel(lowest), to_mel(highest), mels + 2))  # (mels + 2,)
    bins = np.arange(fft_length // 2 + 1)[:, None] * sample_rate / fft_length  # (bins, 1)
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    filters = np.maximum(0, np.minimum(rising, falling)).astype(np.float32)
    if not filters.any(axis=0).all():
        raise AudioError(
            f"{mels} bands are too many for a transform of {fft_length} samples: a band without a bin "
            "would always be silent. Take fewer bands or a longer transform"
        )
    filters.flags.writeable = False
    return filters


def log_mel(
    waveform: np.ndarray,
    sample_rate: int = SAMPLE_RATE,
    mels: int = MELS,
    frame_seconds: float = FRAME_SECONDS,
    hop_seconds: float = HOP_SECONDS,
    lowest: float = 0.0,
    highest: float | None = None,
) -> np.ndarray:
    """Log-mel frames: how much power each frame has in each band, in decibels.

    The power spectrum of each frame under Hann's window, gathered by :func:`mel_filters`, as
    10 log10(max(power, 1e-10)). The transform's length is the next power of two.

    Args:
        waveform: ``(…, samples)``.
        sample_rate: samples a second.
        mels: bands.
        frame_seconds, hop_seconds: length of a frame and distance between two beginnings.
        lowest, highest: see :func:`mel_filters`.

    Returns:
        ``float32`` ``(…, frames, mels)``, at least -100.

    Raises:
        AudioError: see :func:`stft` and :func:`mel_filters`.
        ValueError: an impossible sample rate.
    """
    check_rate(sample_rate)
    length, hop = round(frame_seconds * sample_rate), round(hop_seconds * sample_rate)
    frame_count(length, length, hop)
    fft_length = 1 << (length - 1).bit_length()
    filters = mel_filters(sample_rate, fft_length, mels, lowest, highest)
    spectra = stft(waveform, length, hop, fft_length)  # (…, frames, bins)
    power = spectra.real**2 + spectra.imag**2
    return decibels(power @ filters)


def decibels(power: np.ndarray) -> np.ndarray:
    """Power in decibels, 10 log10(max(power, 1e-10)), ``float32``."""
    return 10 * np.log10(np.maximum(power, np.float32(FLOOR)))


def mfcc(log_mels: np.ndarray, coefficients: int = 13) -> np.ndarray:
    """Mel-frequency cepstral coefficients: the discrete cosine transform (DCT-II) of log-mel frames.

    Args:
        log_mels: ``(…, frames, mels)``, as of :func:`log_mel`.
        coefficients: how many are kept, the smoothest first.

    Returns:
        ``(…, frames, coefficients)``. Coefficient k is ``scale · Σ_m L_m cos(π k (2 m + 1) / (2 mels))``,
        with the scale √(1 / mels) for k = 0 and √(2 / mels) else, so that the transform keeps lengths.

    Raises:
        AudioError: not even one band, values that are not finite, or more coefficients than bands.
    """
    log_mels = np.asarray(log_mels)
    if log_mels.ndim < 2 or 0 in log_mels.shape or not np.isfinite(log_mels).all():
        raise AudioError(f"log_mels must be finite numbers (frames, mels), got the shape {log_mels.shape}")
    mels = log_mels.shape[-1]
    if not 1 <= coefficients <= mels:
        raise AudioError(f"coefficients must be from 1 to {mels}, the number of bands; got {coefficients}")
    return log_mels @ cosines(mels, coefficients).astype(log_mels.dtype)


def cosines(mels: int, coefficients: int) -> np.ndarray:
    """The matrix of the DCT-II that keeps lengths, ``(mels, coefficients)``."""
    waves = np.arange(coefficients)
    matrix = np.cos(np.pi * waves * (2 * np.arange(mels)[:, None] + 1) / (2 * mels))
    return matrix * np.where(waves == 0, np.sqrt(1 / mels), np.sqrt(2 / mels))


def _window(window: np.ndarray | None, length: int) -> np.ndarray:
    if window is None:
        return hann(length)
    window = np.asarray(window, dtype=np.float32)
    if window.shape != (length,):
        raise AudioError(f"window must have the shape ({length},), a frame's; got {window.shape}")
    return window


def _fft_length(fft_length: int | None, frame_length: int) -> int:
    if fft_length is None:
        return frame_length
    if fft_length < frame_length:
        raise AudioError(f"fft_length must be at least {frame_length}, a frame's length; got {fft_length}")
    return fft_length
