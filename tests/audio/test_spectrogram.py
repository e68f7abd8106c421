"""Frames, spectra, mel bands and cepstral coefficients: equal to SciPy's and librosa's, and bounded."""

import librosa
import numpy as np
import pytest
import scipy.fft
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcourse import audio
from mmcourse.audio import AudioError, spectrogram

NOISE = (0.1 * np.random.default_rng(0).standard_normal(16_000)).astype(np.float32)


def test_a_second_gives_98_frames():
    assert spectrogram.frame_count(16_000, 400, 160) == 1 + (16_000 - 400) // 160 == 98
    assert audio.log_mel(NOISE).shape == (98, 40)


@given(st.integers(1, 500), st.integers(1, 60), st.integers(1, 60))
def test_frames_are_what_slices_give(samples, length, hop):
    waveform = np.arange(samples, dtype=np.float32)
    if samples < length:
        with pytest.raises(AudioError, match="shorter than one frame"):
            spectrogram.frames(waveform, length, hop)
        return
    found = spectrogram.frames(waveform, length, hop)
    expected = [waveform[first : first + length] for first in range(0, samples - length + 1, hop)]
    np.testing.assert_array_equal(found, expected)
    assert np.shares_memory(found, waveform)


@pytest.mark.parametrize("length", [4, 400, 512])
def test_window_is_scipys(length):
    np.testing.assert_allclose(spectrogram.hann(length), scipy.signal.get_window("hann", length), atol=1e-6)
    shifted = spectrogram.hann(length) + np.roll(spectrogram.hann(length), length // 2)
    np.testing.assert_allclose(shifted, 1, atol=1e-6)


@pytest.mark.parametrize(("length", "hop"), [(400, 160), (512, 128), (256, 256), (300, 77)])
def test_stft_is_scipys(length, hop):
    found = audio.stft(NOISE, length, hop)
    window = scipy.signal.get_window("hann", length)
    _, _, expected = scipy.signal.stft(
        NOISE, window=window, nperseg=length, noverlap=length - hop, boundary=None, padded=False
    )
    np.testing.assert_allclose(found, expected.T * window.sum(), atol=2e-5)
    assert found.dtype == np.complex64


def test_stft_is_that_of_scipys_class():
    window = scipy.signal.get_window("hann", 400)
    transform = scipy.signal.ShortTimeFFT(window, 160, 16_000, phase_shift=None)
    # Its frames have their middle at multiples of the hop, ours their beginning: 120 samples make them meet.
    expected = transform.stft(np.pad(NOISE, (120, 0)), p0=2)[:, :98]
    np.testing.assert_allclose(audio.stft(NOISE), expected.T, atol=2e-5)


@pytest.mark.parametrize(("length", "hop"), [(400, 160), (1024, 256)])
def test_stft_is_librosas(length, hop):
    expected = librosa.stft(NOISE, n_fft=length, hop_length=hop, center=False).T
    np.testing.assert_allclose(audio.stft(NOISE, length, hop), expected, atol=2e-5)


def test_stft_of_many_waveforms_is_that_of_each():
    many = np.stack([NOISE, NOISE[::-1]])
    for function in (audio.stft, audio.log_mel):
        np.testing.assert_allclose(function(many), [function(one) for one in many], rtol=1e-5, atol=1e-5)


@given(
    st.integers(0, 2**32 - 1), st.sampled_from([(400, 160), (512, 128), (64, 16)]), st.integers(600, 3_000)
)
@settings(max_examples=30, deadline=None)
def test_istft_undoes_stft(seed, lengths, samples):
    waveform = np.random.default_rng(seed).uniform(-1, 1, samples).astype(np.float32)
    found = spectrogram.istft(audio.stft(waveform, *lengths), *lengths, samples=samples)
    assert found.shape == waveform.shape and found.dtype == np.float32
    covered = (spectrogram.frame_count(samples, *lengths) - 1) * lengths[1] + lengths[0]
    # Near the two ends the window is next to 0, and rounding is divided by next to nothing.
    inside = slice(lengths[0] // 8, covered - lengths[0] // 8)
    np.testing.assert_allclose(found[inside], waveform[inside], atol=1e-4)
    np.testing.assert_array_equal(found[covered:], 0)


def test_parsevals_theorem():
    frame = NOISE[:400]
    spectrum = np.abs(audio.stft(frame, 400, 160, window=np.ones(400))[0]) ** 2
    both_sides = 2 * spectrum.sum() - spectrum[0] - spectrum[-1]
    assert both_sides / 400 == pytest.approx(np.sum(frame**2), rel=1e-5)


@pytest.mark.parametrize(("rate", "fft", "mels"), [(16_000, 512, 40), (22_050, 1024, 64), (8_000, 256, 20)])
def test_filters_are_librosas(rate, fft, mels):
    expected = librosa.filters.mel(sr=rate, n_fft=fft, n_mels=mels, htk=True, norm=None)
    np.testing.assert_allclose(spectrogram.mel_filters(rate, fft, mels), expected.T, atol=1e-6)
    expected = librosa.filters.mel(sr=rate, n_fft=fft, n_mels=mels, fmin=100, fmax=3_000, htk=True, norm=None)
    if expected.any(axis=1).all():
        np.testing.assert_allclose(
            spectrogram.mel_filters(rate, fft, mels, 100, 3_000), expected.T, atol=1e-6
        )


@given(st.floats(0, 20_000))
def test_mel_scale_is_librosas_and_has_an_inverse(hertz):
    assert spectrogram.to_mel(hertz) == pytest.approx(librosa.hz_to_mel(hertz, htk=True))
    assert spectrogram.from_mel(spectrogram.to_mel(hertz)) == pytest.approx(hertz, abs=1e-6)


def test_log_mel_is_librosas():
    # librosa puts the window of 400 into the middle of the 512, so it must begin 56 samples earlier.
    expected = librosa.feature.melspectrogram(
        y=np.pad(NOISE, (56, 56)), sr=16_000, n_fft=512, win_length=400, hop_length=160, center=False,
        n_mels=40, htk=True, norm=None,
    )  # fmt: skip
    expected = librosa.power_to_db(expected, amin=1e-10, top_db=None)
    np.testing.assert_allclose(audio.log_mel(NOISE), expected.T, atol=1e-3)


def test_mfcc_is_librosas_and_scipys():
    log_mels = audio.log_mel(NOISE)
    expected = librosa.feature.mfcc(S=log_mels.T, n_mfcc=13)
    np.testing.assert_allclose(audio.mfcc(log_mels), expected.T, atol=1e-3)
    expected = scipy.fft.dct(log_mels, type=2, norm="ortho")
    np.testing.assert_allclose(audio.mfcc(log_mels, 40), expected, atol=1e-3)
    assert audio.mfcc(log_mels).dtype == np.float32


def test_mfcc_keeps_lengths():
    matrix = spectrogram.cosines(40, 40)
    np.testing.assert_allclose(matrix.T @ matrix, np.eye(40), atol=1e-12)


@given(st.integers(0, 2**32 - 1), st.floats(-20, 20))
@settings(max_examples=20, deadline=None)
def test_louder_is_a_constant_more(seed, gain):
    waveform = np.random.default_rng(seed).uniform(-0.1, 0.1, 2_000).astype(np.float32)
    louder = (waveform * 10 ** (gain / 20)).astype(np.float32)
    np.testing.assert_allclose(audio.log_mel(louder), audio.log_mel(waveform) + gain, atol=0.01)


def test_a_tone_lights_the_band_that_holds_it():
    for hertz in (300, 1_000, 3_000, 6_000):
        tone = np.sin(2 * np.pi * hertz * np.arange(16_000) / 16_000).astype(np.float32)
        band = audio.log_mel(tone).mean(axis=0).argmax()
        edges = spectrogram.from_mel(np.linspace(0, spectrogram.to_mel(8_000), 42))
        assert edges[band] < hertz < edges[band + 2]


def test_silence_is_the_floor():
    np.testing.assert_allclose(audio.log_mel(np.zeros(16_000, np.float32)), -100, atol=1e-4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: audio.log_mel(NOISE[:399]), "shorter than one frame"),
        (lambda: audio.log_mel(np.array([np.nan] * 500)), "not finite"),
        (lambda: audio.log_mel(np.zeros(0)), "at least one sample"),
        (lambda: audio.log_mel(np.zeros(500, int)), "Divide whole numbers"),
        (lambda: audio.log_mel(NOISE, 500), "sample_rate"),
        (lambda: audio.log_mel(NOISE, mels=0), "mels"),
        (lambda: audio.log_mel(NOISE, mels=200), "too many"),
        (lambda: audio.log_mel(NOISE, lowest=500, highest=400), "lowest"),
        (lambda: audio.log_mel(NOISE, highest=9_000), "half the sample rate"),
        (lambda: audio.log_mel(NOISE, hop_seconds=0), "hop"),
        (lambda: audio.stft(NOISE, 400, 0), "hop"),
        (lambda: audio.stft(NOISE, 0, 1), "length"),
        (lambda: audio.stft(NOISE, 400, 160, 256), "fft_length"),
        (lambda: audio.stft(NOISE, 400, 160, window=np.ones(3)), "window"),
        (lambda: spectrogram.istft(np.zeros(5)), "spectra must be"),
        (lambda: spectrogram.istft(np.full((2, 201), np.nan)), "not finite"),
        (lambda: spectrogram.istft(np.zeros((2, 101))), "fft_length"),
        (lambda: audio.mfcc(np.zeros(5)), "frames, mels"),
        (lambda: audio.mfcc(np.full((2, 5), np.nan)), "finite"),
        (lambda: audio.mfcc(np.zeros((2, 5)), 6), "coefficients"),
    ],
)
def test_wrong_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_kept_arrays_cannot_be_changed():
    for array in (spectrogram.hann(400), spectrogram.mel_filters(), spectrogram.frames(NOISE, 400, 160)):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
