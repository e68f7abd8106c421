"""Augmentation: ratio, speed, pitch, masks, identity at strength zero, and what libraries find."""

import librosa
import numpy as np
import pytest
import scipy.linalg
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcourse import audio
from mmcourse.audio import AudioError, augmentation, cleaning

RATE = 16_000
TIMES = np.arange(RATE) / RATE
TONE = (0.5 * np.sin(2 * np.pi * 440 * TIMES)).astype(np.float32)
NOISE = (0.1 * np.random.default_rng(0).standard_normal(RATE)).astype(np.float32)
SEEDS = st.integers(0, 2**32 - 1)


def sound(seed, samples=2_000):
    return np.random.default_rng(seed).uniform(-0.5, 0.5, samples).astype(np.float32)


def frequency(waveform):
    """The strongest frequency in hertz."""
    spectrum = np.abs(np.fft.rfft(waveform * np.hanning(len(waveform)), 1 << 18))
    return spectrum.argmax() * RATE / (1 << 18)


@given(SEEDS, st.floats(-40, 40))
@settings(max_examples=30, deadline=None)
def test_ratio_is_the_one_asked_for(seed, decibels):
    waveform, noise = sound(seed), sound(seed + 1)
    noisy = augmentation.add_noise(waveform, noise, decibels)
    assert cleaning.signal_to_noise(waveform, noisy) == pytest.approx(decibels, abs=0.02)
    assert noisy.dtype == np.float32


# Speed and pitch


@pytest.mark.parametrize("factor", [0.5, 0.8, 1.0, 1.25, 2.0])
def test_speed_changes_the_pitch_and_stretching_does_not(factor):
    faster = augmentation.change_speed(TONE, factor)
    assert len(faster) == int(np.ceil(len(TONE) / factor))
    assert frequency(faster) == pytest.approx(440 * factor, rel=1e-3)
    stretched = augmentation.time_stretch(TONE, factor)
    assert len(stretched) == round(len(TONE) / factor)
    assert frequency(stretched) == pytest.approx(440, rel=1e-3)
    # Neighbouring bins may turn apart and weaken the tone, which all vocoders of this kind share.
    assert cleaning.rms(stretched[1_000:-1_000]) == pytest.approx(cleaning.rms(TONE), rel=0.15)


@pytest.mark.parametrize("semitones", [-12, -5, -0.5, 0, 2, 7, 12])
def test_pitch_moves_and_length_stays(semitones):
    found = augmentation.pitch_shift(TONE, semitones)
    assert found.shape == TONE.shape and found.dtype == np.float32
    assert frequency(found) == pytest.approx(440 * 2 ** (semitones / 12), rel=2e-3)


@pytest.mark.parametrize("factor", [0.7, 1.0, 1.3, 2.0])
def test_vocoder_is_librosas(factor):
    spectra = librosa.stft(NOISE.astype(np.float64), n_fft=1024, hop_length=256, center=False)
    expected = librosa.phase_vocoder(spectra, rate=factor, hop_length=256).T
    found = augmentation.phase_vocoder(spectra.T, factor, 256)
    assert found.shape == expected.shape
    # Past the last frame librosa 0.11 goes on with silence, and librosa 1.0 otherwise.
    inside = np.arange(len(found)) * factor < spectra.shape[1] - 1
    assert inside.mean() > 0.9
    np.testing.assert_allclose(found[inside], expected[inside], atol=1e-3 * np.abs(expected).max())


def test_stretching_is_near_librosas():
    found = augmentation.time_stretch(TONE, 1.25)
    expected = librosa.effects.time_stretch(TONE, rate=1.25, n_fft=1024)
    assert len(found) == len(expected)
    similar = np.corrcoef(np.abs(audio.stft(found)).ravel(), np.abs(audio.stft(expected)).ravel())[0, 1]
    assert similar > 0.99


def envelope(waveform):
    """Peaks of the smooth spectrum in the middle of a vowel, in hertz."""
    middle = int(0.45 * len(waveform))
    part = np.diff(waveform[middle - 600 : middle + 600])
    part = part * np.hanning(len(part))
    similar = np.correlate(part, part, "full")[len(part) - 1 :][:19]
    weights = scipy.linalg.solve_toeplitz(similar[:18], similar[1:])
    _, response = scipy.signal.freqz([1], np.r_[1, -weights], 512)
    return scipy.signal.find_peaks(np.abs(response))[0] * 8_000 / 512


def test_a_pitch_shift_moves_the_formants_and_stretching_does_not():
    vowel = audio.resample(audio.synthesise("head", "en-us+m3", 150, 40), audio.SYNTHETIC_RATE, RATE)

    def second(waveform):
        peaks = envelope(cleaning.trim_silence(waveform))
        return peaks[(peaks > 1_200) & (peaks < 2_500)][0]

    before = second(vowel)
    assert second(augmentation.time_stretch(vowel, 1.25, 512)) == pytest.approx(before, rel=0.04)
    for higher in (augmentation.pitch_shift(vowel, 4, 512), augmentation.change_speed(vowel, 2 ** (4 / 12))):
        assert second(higher) == pytest.approx(before * 2 ** (4 / 12), rel=0.06)


# Strength zero, chance, label


@pytest.mark.parametrize(
    "change",
    [
        lambda waveform: augmentation.add_noise(waveform, NOISE[: len(waveform)], float("inf")),
        lambda waveform: augmentation.change_speed(waveform, 1),
        lambda waveform: augmentation.time_stretch(waveform, 1),
        lambda waveform: augmentation.pitch_shift(waveform, 0),
    ],
    ids=["noise", "speed", "stretch", "pitch"],
)
@given(seed=SEEDS)
@settings(max_examples=10, deadline=None)
def test_strength_zero_changes_nothing(change, seed):
    waveform = sound(seed)
    before = waveform.copy()
    found = change(waveform)
    np.testing.assert_allclose(found, waveform, atol=2e-5)
    assert found.dtype == np.float32 and not np.shares_memory(found, waveform)
    np.testing.assert_array_equal(waveform, before)


@given(SEEDS, st.integers(1, 60), st.integers(1, 40), st.integers(0, 3), st.integers(0, 3), st.data())
@settings(max_examples=60, deadline=None)
def test_spec_augment(seed, frames, bands, time_masks, band_masks, data):
    features = np.random.default_rng(seed).normal(size=(frames, bands)).astype(np.float32)
    before = features.copy()
    widths = data.draw(st.integers(0, frames)), data.draw(st.integers(0, bands))
    options = dict(
        time_masks=time_masks, time_width=widths[0], band_masks=band_masks, band_width=widths[1], fill=9.0
    )
    found = augmentation.spec_augment(features, np.random.default_rng(seed), **options)
    again = augmentation.spec_augment(features, np.random.default_rng(seed), **options)
    np.testing.assert_array_equal(found, again)
    np.testing.assert_array_equal(features, before)
    assert found.shape == features.shape and found.dtype == features.dtype
    blank = found == 9
    np.testing.assert_array_equal(found[~blank], features[~blank])
    # What is blank is made of whole frames and whole bands, no more than asked for.
    whole_frames, whole_bands = blank.all(axis=1), blank.all(axis=0)
    np.testing.assert_array_equal(blank, whole_frames[:, None] | whole_bands)
    if not whole_bands.all():
        assert whole_frames.sum() <= time_masks * widths[0]
    if not whole_frames.all():
        assert whole_bands.sum() <= band_masks * widths[1]


def test_spec_augment_by_itself():
    features = audio.log_mel(NOISE)
    nothing = augmentation.spec_augment(features, np.random.default_rng(0), time_masks=0, band_masks=0)
    np.testing.assert_array_equal(nothing, features)
    changed = [augmentation.spec_augment(features, np.random.default_rng(seed)) for seed in (0, 1)]
    assert not np.array_equal(*changed)


def test_white_noise_is_white():
    found = augmentation.white_noise(40_000, np.random.default_rng(3))
    np.testing.assert_array_equal(found, augmentation.white_noise(40_000, np.random.default_rng(3)))
    assert (found.mean(), found.std()) == pytest.approx((0, 1), abs=0.02)
    power = (np.abs(audio.stft(found)) ** 2).mean(axis=0)
    assert power[5:-5].max() / power[5:-5].min() < 2


BAD = [
    np.zeros(0, np.float32),
    np.full(2_000, np.nan, np.float32),
    np.zeros(2_000, int),
    np.zeros((2, 2_000)),
]
ONE_ARGUMENT = {
    "add_noise": lambda waveform: augmentation.add_noise(waveform, waveform, 3),
    "change_speed": lambda waveform: augmentation.change_speed(waveform, 1.1),
    "time_stretch": lambda waveform: augmentation.time_stretch(waveform, 1.1),
    "pitch_shift": lambda waveform: augmentation.pitch_shift(waveform, 1),
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
        (lambda: augmentation.add_noise(TONE, NOISE[:5], 3), "one length"),
        (lambda: augmentation.add_noise(TONE[:2_000], SILENCE, 3), "silent"),
        (lambda: augmentation.add_noise(TONE, NOISE, float("nan")), "decibels"),
        (lambda: augmentation.change_speed(TONE, 0), "factor must be from 0.25"),
        (lambda: augmentation.time_stretch(TONE, 9), "factor"),
        (lambda: augmentation.pitch_shift(TONE, 25), "semitones"),
        (lambda: augmentation.white_noise(0, np.random.default_rng(0)), "samples"),
        (lambda: augmentation.spec_augment(np.zeros(3), np.random.default_rng(0)), "frames, bands"),
        (lambda: augmentation.spec_augment(np.zeros((5, 40)), np.random.default_rng(0)), "time_width"),
        (lambda: augmentation.spec_augment(np.zeros((50, 4)), np.random.default_rng(0)), "band_width"),
        (
            lambda: augmentation.spec_augment(np.zeros((50, 40)), np.random.default_rng(0), time_masks=-1),
            "must not be negative",
        ),
    ],
)
def test_wrong_arguments(call, message):
    with pytest.raises(AudioError, match=message):
        call()
