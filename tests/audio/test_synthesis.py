"""Synthetic speech: the same phrase gives the same samples, and a failing library fails nobody else."""

import subprocess
import sys

import numpy as np
import pytest

from mmcourse import audio
from mmcourse.audio import AudioError, Phrase, synthesis


def test_a_phrase():
    found = audio.synthesise("seven")
    assert found.dtype == np.float32 and found.ndim == 1
    assert 0.2 < len(found) / audio.SYNTHETIC_RATE < 1.5
    assert 0.05 < np.abs(found).max() <= 1
    assert np.array_equal(audio.synthesise_many([]), [])


def test_a_phrase_does_not_depend_on_what_was_spoken_before():
    phrases = [Phrase("seven", voice) for voice in audio.ENGLISH_VOICES] + [Phrase("你好", "cmn")]
    together = audio.synthesise_many(phrases)
    turned = audio.synthesise_many(phrases[::-1] + phrases)
    for one, other, again in zip(
        together, turned[len(phrases) - 1 :: -1], turned[len(phrases) :], strict=True
    ):
        np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(one, again)
    np.testing.assert_array_equal(together[3], audio.synthesise("seven", audio.ENGLISH_VOICES[3]))


def test_every_voice_speaks_and_differs():
    assert len(set(audio.VOICES)) == len(audio.VOICES) == 26
    found = audio.synthesise_many([Phrase("hello 你好", voice) for voice in audio.VOICES])
    assert len({sound.tobytes() for sound in found}) == len(found)


def test_speed_and_pitch():
    slow, fast = audio.synthesise("good morning", speed=100), audio.synthesise("good morning", speed=300)
    assert len(slow) > 1.5 * len(fast)
    low, high = audio.synthesise("ah", pitch=10), audio.synthesise("ah", pitch=90)

    def period(waveform):
        middle = waveform[len(waveform) // 3 :][:2_048]
        likeness = np.correlate(middle, middle, "full")[len(middle) - 1 :]
        return 60 + likeness[60:500].argmax()

    assert period(low) > 1.3 * period(high)


def test_mandarin_tones_differ():
    found = audio.synthesise_many([Phrase(character, "cmn") for character in "妈麻马骂"])
    assert len({sound.tobytes() for sound in found}) == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("",), "not empty"),
        ((" \n",), "not empty"),
        (("a\0b",), "not empty"),
        ((7,), "not empty"),
        (("a" * 1_001,), "1,001 characters"),
        (("a", "en-us+f9"), "voice must be one of"),
        (("a", "../en"), "voice must be one of"),
        (("a", "en-us", 79), "speed"),
        (("a", "en-us", 175.0), "speed"),
        (("a", "en-us", 175, 100), "pitch"),
        (("...",), "nothing in '...'"),
    ],
    ids=str,
)
def test_what_cannot_be_spoken_is_refused(arguments, message):
    with pytest.raises(AudioError, match=message):
        audio.synthesise(*arguments)


def test_numbers_of_numpy_will_do():
    np.testing.assert_array_equal(
        audio.synthesise("one", speed=np.int64(200)), audio.synthesise("one", speed=200)
    )


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(synthesis.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(RuntimeError, match="install it"):
        audio.synthesise("one")


def test_a_library_that_fails_is_reported(monkeypatch, tmp_path):
    monkeypatch.setattr(synthesis, "_package_folder", lambda: tmp_path)
    with pytest.raises(RuntimeError, match=r"espeak-ng ended with 1: .*cannot open"):
        audio.synthesise("one")


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("import os; os.kill(os.getpid(), 9)", "espeak-ng ended with -9: no message"),
        ("import time; time.sleep(60)", "did not finish 1 phrases in 1 s"),
        ("", "fewer sounds"),
        ("import sys; sys.stdout.buffer.write(b'\\x09\\0\\0\\0ab')", "fewer sounds"),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="signals are another thing there")
def test_a_crash_is_an_error_and_no_more(monkeypatch, script, message):
    run = subprocess.run

    def crash(command, **options):
        options["timeout"] = 1
        return run([sys.executable, "-c", script], **options)

    monkeypatch.setattr(synthesis.subprocess, "run", crash)
    with pytest.raises(RuntimeError, match=message):
        audio.synthesise("one")
