"""Cleaning: levels by hand, silence, spectral subtraction, and what libraries find."""

import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcourse import audio
from mmcourse.audio import AudioError, augmentation, cleaning, spectrogram

RATE = 16_000
TIMES = np.arange(RATE) / RATE
TONE = (0.5 * np.sin(2 * np.pi * 440 * TIMES)).astype(np.float32)
NOISE = (0.1 * np.random.default_rng(0).standard_normal(RATE)).astype(np.float32)
SEEDS = st.integers(0, 2**32 - 1)


def sound(seed, samples=2_000):
    return np.random.default_rng(seed).uniform(-0.5, 0.5, samples).astype(np.float32)


# Levels


def test_levels_by_hand():
    waveform = np.array([-2.0, 2.0], np.float32)
    np.testing.assert_array_equal(cleaning.remove_offset(waveform), waveform)
    np.testing.assert_array_equal(cleaning.normalise_peak(waveform), [-1, 1])
    np.testing.assert_allclose(cleaning.normalise_rms(waveform, 0.5), [-0.5, 0.5])
    assert cleaning.rms(waveform) == 2
    assert cleaning.signal_to_noise(np.array([3.0, 4.0]), np.array([3.0, 4.5])) == pytest.approx(20)


@given(SEEDS, st.floats(0.01, 1))
@settings(max_examples=30, deadline=None)
def test_levels(seed, wanted):
    waveform = sound(seed) + np.float32(0.1)
    assert abs(cleaning.remove_offset(waveform).mean()) < 1e-6
    assert np.abs(cleaning.normalise_peak(waveform, wanted)).max() == pytest.approx(wanted, rel=1e-5)
    assert cleaning.rms(cleaning.normalise_rms(waveform, wanted)) == pytest.approx(wanted, rel=1e-5)
    # Twice is as once.
    once = cleaning.normalise_peak(waveform, wanted)
    np.testing.assert_allclose(cleaning.normalise_peak(once, wanted), once, rtol=1e-5)


# Silence and noise


def test_silence_is_cut_off_at_the_ends_only():
    pause = np.zeros(4_000, np.float32)
    waveform = np.concatenate([pause, TONE[:4_000], pause, TONE[:4_000], pause])
    found = audio.cleaning.trim_silence(waveform)
    assert abs(len(found) - 12_000) <= 2 * 400
    assert np.abs(found[:400]).max() > 0.1 and np.abs(found[-400:]).max() > 0.1
    active = cleaning.active_frames(waveform)
    assert active.mean() == pytest.approx(0.4, abs=0.05)
    np.testing.assert_array_equal(cleaning.trim_silence(waveform, below_loudest=float("inf")), waveform)


def test_trimming_is_near_librosas():
    waveform = np.concatenate([0.001 * NOISE, TONE, 0.001 * NOISE])
    _, (first, last) = librosa.effects.trim(waveform, top_db=35, frame_length=400, hop_length=160)
    found = cleaning.trim_silence(waveform)
    assert abs(len(found) - (last - first)) <= 2 * 400


def test_levels_of_frames():
    levels = cleaning.frame_levels(TONE)
    assert levels.shape == (98,)
    np.testing.assert_allclose(levels, 20 * np.log10(0.5 / np.sqrt(2)), atol=0.1)
    np.testing.assert_array_equal(cleaning.frame_levels(np.zeros(800, np.float32)), -100)
    assert not cleaning.active_frames(np.zeros(800, np.float32)).any()


def test_subtraction_takes_noise_away():
    quiet = np.zeros(RATE // 2, np.float32)
    clean = np.concatenate([quiet, TONE])
    noise = augmentation.white_noise(len(clean), np.random.default_rng(1))
    noisy = augmentation.add_noise(clean, noise, 5)
    cleaned = cleaning.subtract_noise(noisy, noisy[: len(quiet)])
    assert cleaned.shape == clean.shape and cleaned.dtype == np.float32
    assert cleaning.signal_to_noise(clean, cleaned) > cleaning.signal_to_noise(clean, noisy) + 8
    assert cleaning.rms(cleaned[1_000:7_000]) < 0.2 * cleaning.rms(noisy[1_000:7_000])


@given(SEEDS, st.floats(0, 40))
@settings(max_examples=20, deadline=None)
def test_subtraction_adds_no_power(seed, reduction):
    waveform = sound(seed)
    cleaned = cleaning.subtract_noise(waveform, waveform[:600], reduction)
    assert cleaned.shape == waveform.shape
    assert cleaning.rms(cleaned) <= 1.01 * cleaning.rms(waveform)


def test_subtraction_by_hand():
    """The power less twice the noise's, by the formula, bin by bin."""
    waveform, noise = sound(1), 0.3 * sound(2)
    profile = np.mean(np.abs(audio.stft(noise, 512, 128)) ** 2, axis=0)
    padded = np.pad(waveform, (512, 1024))
    spectra = audio.stft(padded, 512, 128)
    gain = np.sqrt(np.maximum(1 - 2 * profile / np.maximum(np.abs(spectra) ** 2, 1e-12), 0.1))
    expected = spectrogram.istft(spectra * gain, 512, 128)[512 : 512 + len(waveform)]
    found = cleaning.subtract_noise(waveform, noise, reduction=10, factor=2)
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("options", [{"reduction": 0}, {"factor": 0}])
def test_subtracting_nothing_changes_nothing(options):
    np.testing.assert_allclose(cleaning.subtract_noise(TONE, NOISE, **options), TONE, atol=2e-5)


BAD = [
    np.zeros(0, np.float32),
    np.full(2_000, np.nan, np.float32),
    np.zeros(2_000, int),
    np.zeros((2, 2_000)),
]
ONE_ARGUMENT = {
    "rms": cleaning.rms,
    "remove_offset": cleaning.remove_offset,
    "normalise_peak": cleaning.normalise_peak,
    "normalise_rms": cleaning.normalise_rms,
    "frame_levels": cleaning.frame_levels,
    "active_frames": cleaning.active_frames,
    "trim_silence": cleaning.trim_silence,
    "subtract_noise": lambda waveform: cleaning.subtract_noise(waveform, NOISE),
    "noise to subtract": lambda waveform: cleaning.subtract_noise(NOISE, waveform),
    "signal_to_noise": lambda waveform: cleaning.signal_to_noise(waveform, waveform),
    "resample": lambda waveform: audio.resample(waveform, 16_000, 8_000),
}


@pytest.mark.parametrize("bad", BAD, ids=["empty", "nan", "integers", "two axes"])
@pytest.mark.parametrize("name", ONE_ARGUMENT)
def test_what_is_no_waveform_is_refused(name, bad):
    with pytest.raises(AudioError):
        ONE_ARGUMENT[name](bad)


SILENCE = np.zeros(2_000, np.float32)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cleaning.normalise_peak(SILENCE), "silent"),
        (lambda: cleaning.normalise_rms(SILENCE), "silent"),
        (lambda: cleaning.normalise_peak(TONE, 0), "peak must be above 0"),
        (lambda: cleaning.normalise_rms(TONE, float("nan")), "level must be above 0"),
        (lambda: cleaning.trim_silence(SILENCE), "silent from end to end"),
        (lambda: cleaning.signal_to_noise(SILENCE, TONE[:2_000]), "clean is silent"),
        (lambda: cleaning.signal_to_noise(TONE, NOISE[:5]), "one length"),
        (lambda: cleaning.subtract_noise(TONE, NOISE, reduction=-1), "reduction"),
        (lambda: cleaning.subtract_noise(TONE, NOISE[:100]), "at least one frame"),
    ],
)
def test_wrong_arguments(call, message):
    with pytest.raises(AudioError, match=message):
        call()
