"""Changes of a sound that keep what is said: for training data only (notebook 26).

What is random takes a generator, ``np.random.default_rng(seed)``, so that the same seed gives the same
change. The phase vocoder is that of Flanagan and Golden (1966) in its digital form (Dolson, 1986);
SpecAugment is that of Park et al. (2019) without time warping, which its authors found to matter least.
"""

from fractions import Fraction

import numpy as np

from mmcourse.audio.reading import AudioError, check_waveform, resample
from mmcourse.audio.spectrogram import istft, stft

FACTORS = (0.25, 4.0)
LARGEST_PART = 200  # of the fraction that a factor is rounded to


def white_noise(samples: int, random: np.random.Generator) -> np.ndarray:
    """Noise with the same power at all frequencies, of deviation 1: ``float32`` ``(samples,)``."""
    if samples < 1:
        raise AudioError(f"samples must be at least 1, got {samples}")
    return random.standard_normal(samples, dtype=np.float32)


def add_noise(waveform: np.ndarray, noise: np.ndarray, decibels: float) -> np.ndarray:
    """Add noise, or any other sound, at a given signal-to-noise ratio.

    Args:
        waveform, noise: ``(samples,)`` both.
        decibels: power of the waveform over that of the noise as it is added, 10 log10; infinity adds none.

    Returns:
        ``float32`` ``(samples,)``. It may go beyond [-1, 1]: cutting it off would change the ratio.

    Raises:
        AudioError: the lengths differ, one of the two is silent, or the ratio is not a number.
    """
    waveform, noise = check_waveform(waveform), check_waveform(noise, "noise")
    if waveform.shape != noise.shape:
        raise AudioError(
            f"waveform and noise must have one length, got {len(waveform)} and {len(noise)} samples"
        )
    if not decibels > -float("inf"):
        raise AudioError(f"decibels must be a number, got {decibels}")
    if decibels == float("inf"):
        return waveform.copy()
    powers = [np.sum(sound.astype(np.float64) ** 2) for sound in (waveform, noise)]
    if not all(powers):
        raise AudioError("waveform and noise must not be silent: silence has no ratio to anything")
    factor = np.sqrt(powers[0] / powers[1] / 10 ** (decibels / 10))
    return (waveform + factor * noise).astype(np.float32)


def change_speed(waveform: np.ndarray, factor: float) -> np.ndarray:
    """Play a sound ``factor`` times as fast: shorter *and* higher, as a tape that runs too fast.

    Args:
        waveform: ``(samples,)``.
        factor: 0.25 to 4, rounded to a fraction of whole numbers up to 200; 1 changes nothing.

    Returns:
        ``float32`` ``(⌈samples / factor⌉,)``.

    Raises:
        AudioError: a factor that is out of range; see also check_waveform.
    """
    ratio = _fraction(factor)
    return resample(waveform, ratio.numerator, ratio.denominator)


def time_stretch(waveform: np.ndarray, factor: float, frame_length: int = 1024) -> np.ndarray:
    """Play a sound ``factor`` times as fast at the same pitch, by the phase vocoder.

    Args:
        waveform: ``(samples,)``.
        factor: 0.25 to 4; 1 changes nothing but rounding.
        frame_length: samples of a frame; frames begin every quarter of it.

    Returns:
        ``float32`` ``(round(samples / factor),)``.

    Raises:
        AudioError: a factor that is out of range; see also check_waveform.
    """
    waveform = check_waveform(waveform)
    _check_factor(factor)
    hop, half = frame_length // 4, frame_length // 2
    # Half a frame of silence in front: frame t then has its middle at sample t · hop.
    padded = np.pad(waveform, (half, half + frame_length))
    spectra = phase_vocoder(stft(padded, frame_length, hop), factor, hop)
    samples = max(1, round(len(waveform) / factor))
    return istft(spectra, frame_length, hop, samples=half + samples)[half:]


def phase_vocoder(spectra: np.ndarray, factor: float, hop: int) -> np.ndarray:
    """Frames for a sound ``factor`` times as fast, whose harmonics keep their frequencies.

    The new frames lie ``factor`` old frames apart. Their magnitudes are interpolated. Their phases cannot
    be: from one old frame to the next the phase of a bin turns by an angle that tells the frequency there,
    and the new phase must turn by this angle from one new frame to the next.

    Args:
        spectra: complex ``(frames, bins)`` of :func:`~mmcourse.audio.stft`, without zero padding.
        factor: above 0.
        hop: samples between two frames.

    Returns:
        complex ``(⌈frames / factor⌉, bins)``.
    """
    count, bins = spectra.shape
    places = np.arange(0, count, factor)
    before = places.astype(int)
    share = (places - before)[:, None].astype(np.float32)
    padded = np.concatenate([spectra, np.zeros((1, bins), spectra.dtype)])
    sizes, angles = np.abs(padded), np.angle(padded).astype(np.float64)
    size = (1 - share) * sizes[before] + share * sizes[before + 1]
    # A bin's own frequency turns it by this angle; what the phase turns beyond it is within half a turn.
    regular = np.pi * hop * np.arange(bins) / (bins - 1)
    beyond = angles[before + 1] - angles[before] - regular
    beyond -= 2 * np.pi * np.round(beyond / (2 * np.pi))
    turns = np.cumsum(regular + beyond, axis=0)
    phase = angles[0] + np.concatenate([np.zeros((1, bins)), turns[:-1]])
    return (size * np.exp(1j * phase)).astype(np.complex64)


def pitch_shift(waveform: np.ndarray, semitones: float, frame_length: int = 1024) -> np.ndarray:
    """Make a sound higher or lower by semitones (twelve double the frequency); its length stays.

    The sound is stretched in time and then played faster by the same factor. The resonances of the mouth move
    along with the voice, so that a voice shifted far sounds like a cartoon.

    Args:
        waveform: ``(samples,)``.
        semitones: -24 to 24; 0 changes nothing but rounding.
        frame_length: see :func:`time_stretch`.

    Returns:
        ``float32`` ``(samples,)``.
    """
    waveform = check_waveform(waveform)
    if not -24 <= semitones <= 24:
        raise AudioError(f"semitones must be from -24 to 24, got {semitones}")
    ratio = _fraction(2 ** (semitones / 12))
    stretched = time_stretch(waveform, float(1 / ratio), frame_length)
    shifted = change_speed(stretched, float(ratio))[: len(waveform)]
    return np.pad(shifted, (0, len(waveform) - len(shifted)))


def spec_augment(
    features: np.ndarray,
    random: np.random.Generator,
    time_masks: int = 2,
    time_width: int = 10,
    band_masks: int = 2,
    band_width: int = 6,
    fill: float | None = None,
) -> np.ndarray:
    """Blank stretches of time and bands of frequency in a spectrogram (SpecAugment; Park et al., 2019).

    Args:
        features: ``(frames, bands)``.
        random: a generator.
        time_masks, band_masks: how many of each kind; 0 of both changes nothing.
        time_width, band_width: the widest mask; each is drawn from 0 to it.
        fill: value of what is blanked; the mean of ``features`` by default.

    Returns:
        A new array of the same shape and kind.

    Raises:
        AudioError: not two axes, or a number or width that is negative or wider than the features.
    """
    features = np.asarray(features)
    if features.ndim != 2 or 0 in features.shape or not np.isfinite(features).all():
        raise AudioError(f"features must be finite numbers (frames, bands), got the shape {features.shape}")
    if min(time_masks, band_masks) < 0:
        raise AudioError(f"the number of masks must not be negative, got {time_masks} and {band_masks}")
    for name, width, size in (
        ("time_width", time_width, features.shape[0]),
        ("band_width", band_width, features.shape[1]),
    ):
        if not 0 <= width <= size:
            raise AudioError(f"{name} must be from 0 to {size}, the size of that axis; got {width}")
    masked = features.copy()
    fill = features.mean() if fill is None else fill
    for rows, count, most in ((masked, time_masks, time_width), (masked.T, band_masks, band_width)):
        for _ in range(count):
            width = random.integers(0, most + 1)
            first = random.integers(0, len(rows) - width + 1)
            rows[first : first + width] = fill
    return masked


def _check_factor(factor: float) -> None:
    least, most = FACTORS
    if not least <= factor <= most:
        raise AudioError(f"factor must be from {least} to {most}, got {factor}")


def _fraction(factor: float) -> Fraction:
    """The factor as a fraction of whole numbers that a resampling filter can be made for."""
    _check_factor(factor)
    if factor > 1:  # bounds the numerator instead, which is then the larger part
        return 1 / Fraction(1 / factor).limit_denominator(LARGEST_PART)
    return Fraction(factor).limit_denominator(LARGEST_PART)
