"""The speech encoder: its own frames, its windows, its tokens; and words as features."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcourse.audio import AudioError
from mmcourse.data import speech_model
from mmcourse.encoders import speech, spoken_words


@pytest.fixture(scope="module")
def encoder():
    return speech.SpeechEncoder(threads=1)


def chirp(samples: int = 32_000) -> np.ndarray:
    """A sound that needs no file: a tone that rises, and one that stays."""
    place = np.arange(samples)
    return (0.3 * np.sin(place * place / 40_000) + 0.1 * np.sin(place * 0.6)).astype(np.float32)


# Frames


def test_frames_and_tokens_are_those_of_the_published_front_end(encoder):
    """By openWakeWord 0.4.0's own melspectrogram.onnx and embedding_model.onnx, on the same sound."""
    frames = speech.log_mel(np.pad(chirp(), (speech.BEFORE, 0)))
    assert frames.shape == (268, 32) and frames.dtype == np.float32
    np.testing.assert_allclose(frames[100, [0, 10, 31]], [4.40476, 8.55484, 4.39062], atol=1e-4)
    np.testing.assert_allclose(frames[200, [0, 10, 31]], [4.39062] * 3, atol=1e-4)
    tokens = encoder.tokens(chirp())
    assert tokens.shape == (25, 96) and tokens.dtype == np.float32
    expected = [[-5.1484, -22.8229, 36.7320], [-11.9795, -11.3737, 16.6639], [-8.2448, -11.6853, 16.4378]]
    np.testing.assert_allclose(tokens[[0, 12, 24]][:, [0, 50, 95]], expected, atol=5e-3)
    np.testing.assert_allclose([tokens.mean(), tokens.std()], [0.8986, 16.0822], atol=1e-3)


def test_bands_have_equal_area_and_lie_between_the_bounds():
    filters = speech.mel_filters()
    assert filters.shape == (257, 32) and filters.dtype == np.float32 and not filters.flags.writeable
    hertz = np.arange(257) * 31.25
    inside = (hertz > speech.LOWEST) & (hertz < speech.HIGHEST)
    assert not filters[~inside].any() and filters[inside].any(axis=1).all()
    # An area of 1 up to the grid of the bins, which is coarse beside the narrow bands.
    np.testing.assert_allclose(filters.sum(axis=0) * 31.25, 1, atol=0.2)
    np.testing.assert_allclose(filters[:, 20:].sum(axis=0) * 31.25, 1, atol=0.03)


@given(st.floats(0, 8_000))
@settings(deadline=None)
def test_slaneys_scale_goes_there_and_back(hertz):
    assert abs(speech.from_slaney_mel(speech.to_slaney_mel(hertz)) - hertz) < 1e-6
    assert speech.to_slaney_mel(hertz + 1) > speech.to_slaney_mel(hertz)


def test_slaneys_scale_at_known_places():
    np.testing.assert_allclose(speech.to_slaney_mel([0, 500, 1_000, 6_400]), [0, 7.5, 15, 42])


def test_level_moves_all_frames_alike_and_quiet_ones_stop_80_db_below():
    loud, soft = speech.log_mel(chirp()), speech.log_mel(0.1 * chirp())
    np.testing.assert_allclose(loud - soft, 2, atol=1e-3)  # 20 dB, divided by 10
    assert loud.max() - loud.min() <= 8 + 1e-4


# Windows


@given(st.integers(76, 200), st.integers(1, 4))
@settings(deadline=None, max_examples=30)
def test_windows_are_the_frames_that_they_cover(frames, bands):
    values = np.random.default_rng(frames).normal(size=(frames, bands))
    cut = speech.windows(values)
    assert cut.shape == (1 + (frames - 76) // 8, 76, bands)
    for number, window in enumerate(cut):
        np.testing.assert_array_equal(window, values[8 * number : 8 * number + 76])


@pytest.mark.parametrize("shape", [(75, 32), (76,), (1, 76, 32)])
def test_windows_need_enough_frames(shape):
    with pytest.raises(ValueError, match="at least 76 frames"):
        speech.windows(np.zeros(shape))


# Tokens


@given(st.integers(1, 6_000))
@settings(deadline=None, max_examples=15)
def test_there_is_a_token_for_every_80_ms(samples):
    tokens = speech.SpeechEncoder(threads=1).tokens(chirp(samples))
    assert tokens.shape == (-(-samples // 1_280), 96) and np.isfinite(tokens).all()


def test_a_token_hears_nothing_that_comes_later(encoder):
    sound = chirp(12_800)
    later = sound.copy()
    later[6_400:] = np.random.default_rng(0).uniform(-0.3, 0.3, 6_400)  # no louder: the range stays
    before, after = encoder.tokens(sound), encoder.tokens(later)
    # The floor hangs on the loudest frame of all, so that the first tokens agree but for what is near it.
    quiet = np.abs(before[:5] - after[:5]).max()
    assert quiet < 0.05 * np.abs(before[5:] - after[5:]).max()


def test_where_a_word_stands_in_the_window_matters(encoder):
    tokens = encoder.tokens(np.pad(chirp(4_800), (0, 9_600)))
    assert np.abs(tokens[4] - tokens[9]).mean() > 1


def test_one_sound_alone_and_among_others_gives_the_same(encoder):
    sounds = [chirp(4_000), chirp(9_000)]
    together = encoder.encode(sounds)
    assert together.shape == (2, 96)
    np.testing.assert_array_equal(together[1], encoder.tokens(sounds[1]).mean(axis=0))
    with pytest.raises(ValueError, match="no waveform"):
        encoder.encode([])


def test_silence_has_tokens_too(encoder):
    assert np.isfinite(encoder.tokens(np.zeros(3_000, np.float32))).all()


@pytest.mark.parametrize(
    ("sound", "error", "message"),
    [
        (np.zeros(0, np.float32), AudioError, "at least one sample"),
        (np.zeros((2, 900), np.float32), AudioError, "one axis"),
        (np.zeros(900, np.int16), AudioError, "Divide whole numbers"),
        (np.full(900, np.nan), AudioError, "not finite"),
        (np.zeros(61 * 16_000, np.float32), ValueError, "61 s, at most 60"),
    ],
)
def test_what_is_no_sound_is_named(encoder, sound, error, message):
    with pytest.raises(error, match=message):
        encoder.tokens(sound)


def test_other_windows_are_refused(encoder):
    with pytest.raises(ValueError, match=r"\(windows, 76, 32\), got the shape \(1, 76, 40\)"):
        encoder.of_windows(np.zeros((1, 76, 40)))


def test_statistics_for_the_datasheet():
    assert speech_model.statistics() == {"speech embedding: megabytes of the network": 1.3}


# Words


def glide(semitones: float, start: float = 150.0) -> np.ndarray:
    """A buzz of ten harmonics whose pitch moves by so many semitones within 0.4 s."""
    time = np.arange(6_400) / 16_000
    phase = 2 * np.pi * np.cumsum(start * 2 ** (semitones * time / time[-1] / 12)) / 16_000
    return (0.05 * sum(np.sin(n * phase) / n for n in range(1, 11))).astype(np.float32)


@given(st.floats(-5, 5), st.floats(100, 250))
@settings(deadline=None, max_examples=30)
def test_the_contour_follows_the_pitch_whatever_its_height(semitones, start):
    contour = spoken_words.pitch_contour(glide(semitones, start))
    expected = semitones * np.linspace(-0.4, 0.4, 5)
    np.testing.assert_allclose(contour, expected, atol=0.5)


def test_the_contour_of_silence_is_flat():
    np.testing.assert_array_equal(spoken_words.pitch_contour(np.zeros(2_000, np.float32)), 0)
    with pytest.raises(AudioError, match="shorter than one frame"):
        spoken_words.pitch_contour(np.zeros(100, np.float32))


def test_every_word_is_spoken_by_every_voice():
    sounds, words, voices = spoken_words.speak(("dog", "cat"), ("en-us", "en-us+f2", "en-us+m1"))
    assert len(sounds) == len(words) == len(voices) == 24
    assert np.unique(np.stack([words, voices]), axis=1, return_counts=True)[1].tolist() == [4] * 6
    assert all(1_600 < len(sound) < spoken_words.SECONDS * 16_000 for sound in sounds)


def test_sets_are_whole():
    assert len(spoken_words.ANIMALS) == len(set(spoken_words.ANIMALS)) == 20
    assert len(set(spoken_words.MANDARIN_ANIMALS)) == 20 and len(set(spoken_words.TONES)) == 12
    with pytest.raises(ValueError, match="unknown set 'birds'; expected one of: English animals"):
        spoken_words.features("birds")
