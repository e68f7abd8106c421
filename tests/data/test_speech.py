"""The sentences of a person and the words of a program: what is in them, and that the parts fit together."""

import dataclasses

import numpy as np
import pytest

from mmcourse import audio
from mmcourse.audio import cleaning
from mmcourse.data import archives, speech, synthetic_words


@pytest.fixture(scope="module")
def real():
    return speech.load()


@pytest.fixture(scope="module")
def synthetic():
    return synthetic_words.load()


def test_sentences(real):
    assert [sentence.name for sentence in real.sentences] == ["0870", "0880", "0890", "0920", "0930"]
    assert real.sentences[1].text == "he was not an ill disposed young man"
    for sentence in real.sentences:
        assert sentence.waveform.dtype == np.float32 and 0.2 < np.abs(sentence.waveform).max() < 1
        assert [word.text for word in sentence.words] == sentence.text.split()
        times = [time for word in sentence.words for time in (word.begin, word.end)]
        assert times == sorted(times) and times[0] > 0 and times[-1] < sentence.seconds


def test_words_are_louder_than_what_is_around_them(real):
    for sentence in real.sentences:
        inside = sentence.cut(sentence.words[0].begin, sentence.words[-1].end)
        before = sentence.cut(0, sentence.words[0].begin - 0.05)
        assert cleaning.rms(inside) > 5 * cleaning.rms(cleaning.remove_offset(before))


def test_a_part_of_a_sentence(real):
    sentence = real.sentences[0]
    np.testing.assert_array_equal(sentence.cut(1, 2), sentence.waveform[16_000:32_000])
    for times in ((-1, 2), (2, 1), (1, 99), (1, 1)):
        with pytest.raises(ValueError, match="expected 0 <= begin < end"):
            sentence.cut(*times)


def test_statistics_of_speech(real):
    found = speech.statistics()
    assert found["sentences"] == 5 and found["words"] == 71
    assert found["seconds of sound"] == pytest.approx(24.73)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({".wav": b"", ".txt": b""}, "has the files"),
        ({".wav": None, ".txt": b"one two", ".json": b'{"w": []}'}, "differ"),
    ],
)
def test_files_that_do_not_fit_are_refused(parts, message):
    wav = audio.encode(np.full(1_000, 0.1, np.float32))
    parts = {name: wav if content is None else content for name, content in parts.items()}
    with pytest.raises(archives.ArchiveError, match=message):
        speech._sentence("0001", parts)


def test_synthetic_words(synthetic):
    assert synthetic.tier == "synthetic"
    assert len(synthetic.waveforms) == len(synthetic.phrases) == 520
    assert all(waveform.dtype == np.float32 and len(waveform) > 3_000 for waveform in synthetic.waveforms)
    assert set(np.bincount(synthetic.labels)) == {52} and set(np.bincount(synthetic.voices)) == {40}
    for phrase, label, voice in zip(synthetic.phrases, synthetic.labels, synthetic.voices, strict=True):
        assert phrase.text == synthetic_words.WORDS[label]
        assert phrase.voice == audio.ENGLISH_VOICES[voice]


def test_no_voice_is_on_both_sides(synthetic):
    train, test = synthetic.splits["train"], synthetic.splits["test"]
    assert sorted([*train, *test]) == list(range(520))
    assert not set(synthetic.voices[train]) & set(synthetic.voices[test])
    names = {audio.ENGLISH_VOICES[voice] for voice in synthetic.voices[test]}
    assert names == set(synthetic_words.HELD_OUT_VOICES)


def test_synthetic_words_are_kept_as_they_are_made(synthetic):
    phrase = synthetic.phrases[0]
    again = audio.resample(
        audio.synthesise(**dataclasses.asdict(phrase)), audio.SYNTHETIC_RATE, audio.SAMPLE_RATE
    )
    np.testing.assert_allclose(synthetic.waveforms[0], cleaning.trim_silence(again), atol=1 / 32_768)


def test_statistics_of_synthetic_words():
    found = synthetic_words.statistics()
    assert found["recordings, all synthetic"] == 520
    assert found["synthetic voices that are held out"] == 5
