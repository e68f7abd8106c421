"""Read WAV files, 22,050 samples a second in stereo, as mono at 16,000: mmcourse against the libraries alone.

"soundfile" and "scipy" decode, average and resample with the same filter, and check nothing; mmcourse also
compares the length that the header declares with what is there, and refuses what is not finite. "librosa" is
``librosa.load`` with the same filter. What is counted are files of two seconds, held in memory.

    python benchmarks/audio_reading.py
"""

import io
import os

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

import compare
import numpy as np

from mmcourse import audio

FILES = int(os.environ.get("BENCHMARK_FILES", 1_000))


def content() -> bytes:
    """A file of noise, 16 bits."""
    import soundfile

    random = np.random.default_rng(int(os.environ.get("BENCHMARK_ROUND", 0)))
    file = io.BytesIO()
    soundfile.write(file, random.uniform(-0.5, 0.5, (44_100, 2)), 22_050, format="WAV", subtype="PCM_16")
    return file.getvalue()


def run(measure: compare.Measurement, function) -> dict:
    """Check one way against ours, then measure it."""
    file = content()
    difference = np.abs(function(file) - audio.decode(file)).max()
    assert difference < 1e-3, f"the ways differ by {difference}"
    with measure(FILES):
        for _ in range(FILES):
            function(file)
    return {"difference": round(float(difference), 7)}


def by_mmcourse(measure: compare.Measurement) -> dict:
    """``audio.decode``."""
    return run(measure, audio.decode)


def by_soundfile(measure: compare.Measurement) -> dict:
    """soundfile and SciPy's filter."""
    import soundfile
    from scipy.signal import resample_poly

    def function(file):
        samples, rate = soundfile.read(io.BytesIO(file), dtype="float32")
        assert rate == 22_050
        return resample_poly(samples.mean(axis=1), 320, 441)

    return run(measure, function)


def by_scipy(measure: compare.Measurement) -> dict:
    """SciPy alone."""
    from scipy.io import wavfile
    from scipy.signal import resample_poly

    def function(file):
        rate, samples = wavfile.read(io.BytesIO(file))
        assert rate == 22_050
        return resample_poly(samples.mean(axis=1, dtype=np.float32) / 32_768, 320, 441)

    return run(measure, function)


def by_librosa(measure: compare.Measurement) -> dict:
    """``librosa.load`` as it is used in most tutorials, but for the filter."""
    import librosa

    def function(file):
        return librosa.load(io.BytesIO(file), sr=16_000, res_type="polyphase")[0]

    return run(measure, function)


WAYS = {
    "mmcourse": by_mmcourse,
    "soundfile": by_soundfile,
    "scipy": by_scipy,
    "librosa": by_librosa,
}

if __name__ == "__main__":
    compare.main(WAYS, peer="soundfile", unit="files", packages=("numpy", "scipy", "soundfile", "librosa"))
