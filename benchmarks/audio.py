"""Log-mel frames of many short clips: mmcourse against librosa and against SciPy with the same filters.

All compute the same numbers, which the script checks: Hann's window of 400 samples every 160, a transform of
512, 40 bands on the HTK mel scale, decibels. What is counted are clips of one second at 16,000 samples, one
after the other; "mmcourse, batch" takes all of them in one call. Every library has one thread.

    python benchmarks/audio.py
"""

import os

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

import compare
import numpy as np

from mmcourse import audio
from mmcourse.audio import spectrogram

CLIPS = int(os.environ.get("BENCHMARK_CLIPS", 2_000))
REPEATED = 100  # different clips


def clips() -> np.ndarray:
    """Noise ``(REPEATED, 16_000)``."""
    random = np.random.default_rng(int(os.environ.get("BENCHMARK_ROUND", 0)))
    return (0.1 * random.standard_normal((REPEATED, 16_000))).astype(np.float32)


def run(measure: compare.Measurement, function) -> dict:
    """Check one way against ours, then measure it."""
    waveforms = clips()
    difference = np.abs(function(waveforms[0]) - audio.log_mel(waveforms[0])).max()
    assert difference < 0.05, f"the ways differ by {difference} dB"
    with measure(CLIPS):
        for number in range(CLIPS):
            function(waveforms[number % REPEATED])
    return {"difference_decibels": round(float(difference), 6)}


def by_mmcourse(measure: compare.Measurement) -> dict:
    """A call for each clip."""
    return run(measure, audio.log_mel)


def by_mmcourse_in_batches(measure: compare.Measurement) -> dict:
    """A call for 100 clips."""
    waveforms = clips()
    audio.log_mel(waveforms)
    with measure(CLIPS):
        for _ in range(CLIPS // REPEATED):
            audio.log_mel(waveforms)
    return {}


def by_librosa(measure: compare.Measurement) -> dict:
    """librosa's mel spectrogram in decibels; the padding puts its window where ours is."""
    import librosa

    def function(waveform):
        power = librosa.feature.melspectrogram(
            y=np.pad(waveform, 56), sr=16_000, n_fft=512, win_length=400, hop_length=160, center=False,
            n_mels=40, htk=True, norm=None,
        )  # fmt: skip
        return librosa.power_to_db(power, top_db=None).T

    return run(measure, function)


def by_scipy(measure: compare.Measurement) -> dict:
    """SciPy's short-time transform, then the same filters and logarithm.

    Its newer class ShortTimeFFT goes from frame to frame in Python and takes several times as long.
    """
    from scipy.signal import stft

    filters = spectrogram.mel_filters().T
    scale = spectrogram.hann(400).sum()  # SciPy divides by it

    def function(waveform):
        _, _, spectra = stft(
            waveform, window="hann", nperseg=400, noverlap=240, nfft=512, boundary=None, padded=False
        )
        power = np.abs(spectra * scale) ** 2
        return 10 * np.log10(np.maximum(filters @ power, 1e-10)).T

    return run(measure, function)


WAYS = {
    "mmcourse": by_mmcourse,
    "mmcourse, batch": by_mmcourse_in_batches,
    "librosa": by_librosa,
    "scipy": by_scipy,
}

if __name__ == "__main__":
    compare.main(WAYS, peer="librosa", unit="clips", packages=("numpy", "scipy", "librosa"))
