"""Reading sound files: what is right comes through, what is hostile is refused before memory is taken."""

import io
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcourse import audio
from mmcourse.audio import AudioError, reading

TONE = (0.5 * np.sin(2 * np.pi * 440 * np.arange(8_000) / 16_000)).astype(np.float32)


def written(samples, rate=16_000, **options) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, **options)
    return file.getvalue()


def wav(samples: bytes, *, rate=16_000, channels=1, bits=16, declared=None, kind=1) -> bytes:
    """A WAV file whose header may lie."""
    declared = len(samples) if declared is None else declared
    width = channels * bits // 8
    form = struct.pack("<HHIIHH", kind, channels, rate, min(rate * width, 2**32 - 1), width, bits)
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form
    body += b"data" + struct.pack("<I", declared) + samples
    return b"RIFF" + struct.pack("<I", min(len(body) - len(samples) + declared, 2**32 - 1)) + body


def frequency(waveform, rate):
    """The strongest frequency in hertz."""
    spectrum = np.abs(np.fft.rfft(waveform * np.hanning(len(waveform)), 1 << 18))
    return spectrum.argmax() * rate / (1 << 18)


# What is right


@pytest.mark.parametrize(
    ("options", "tolerance"),
    [
        ({"format": "WAV", "subtype": "PCM_U8"}, 1 / 127),
        ({"format": "WAV", "subtype": "PCM_16"}, 1 / 32_000),
        ({"format": "WAV", "subtype": "PCM_24"}, 1e-6),
        ({"format": "WAV", "subtype": "PCM_32"}, 1e-6),
        ({"format": "WAV", "subtype": "FLOAT"}, 0),
        ({"format": "WAV", "subtype": "DOUBLE"}, 0),
        ({"format": "WAVEX", "subtype": "PCM_24"}, 1e-6),
        ({"format": "FLAC", "subtype": "PCM_16"}, 1 / 32_000),
        ({"format": "OGG", "subtype": "VORBIS"}, 0.05),
        ({"format": "MP3", "subtype": "MPEG_LAYER_III"}, 0.05),
    ],
    ids=str,
)
def test_every_coding_gives_the_same_samples(options, tolerance):
    found = audio.decode(written(TONE, **options))
    assert found.dtype == np.float32 and found.shape == TONE.shape
    np.testing.assert_allclose(found[500:-500], TONE[500:-500], atol=tolerance)


@pytest.mark.parametrize("channels", [2, 3, 16])
def test_channels_are_averaged(channels):
    random = np.random.default_rng(channels)
    samples = random.uniform(-1, 1, (70_001, channels)).astype(np.float32)  # more than one block
    found = audio.decode(written(samples, format="WAV", subtype="FLOAT"))
    np.testing.assert_allclose(found, samples.mean(axis=1), atol=1e-6)


@pytest.mark.parametrize(("rate", "wanted"), [(22_050, 16_000), (8_000, 16_000), (44_100, 16_000)])
def test_another_rate_keeps_length_and_pitch(rate, wanted):
    tone = (0.5 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)).astype(np.float32)
    found = audio.decode(written(tone, rate, format="WAV", subtype="FLOAT"), wanted)
    assert abs(len(found) - wanted) <= 1
    assert abs(frequency(found, wanted) - 440) < 0.5
    assert found.dtype == np.float32


def test_what_the_new_rate_cannot_carry_is_filtered_out():
    tone = np.sin(2 * np.pi * 7_000 * np.arange(16_000) / 16_000).astype(np.float32)
    assert np.abs(audio.resample(tone, 16_000, 8_000)[100:-100]).max() < 0.01
    assert np.abs(tone[::2][100:-100]).max() > 0.9  # without the filter: a tone of 1,000 Hz


def test_the_files_own_rate_can_be_kept():
    content = written(TONE, 11_025, format="FLAC")
    assert len(audio.decode(content, None)) == len(TONE)
    found = audio.details(content)
    assert (found["sample_rate"], found["channels"], found["samples"]) == (11_025, 1, len(TONE))
    assert found["seconds"] == pytest.approx(len(TONE) / 11_025)


def test_samples_beyond_one_are_cut_off():
    loud = (3 * TONE).astype(np.float32)
    found = audio.decode(written(loud, format="WAV", subtype="FLOAT"))
    np.testing.assert_array_equal(found, np.clip(loud, -1, 1))


def test_reading_a_file(tmp_path):
    path = tmp_path / "tone.wav"
    path.write_bytes(audio.encode(TONE))
    np.testing.assert_allclose(audio.read(path), TONE, atol=1 / 32_000)
    with pytest.raises(FileNotFoundError):
        audio.read(tmp_path / "missing.wav")
    (tmp_path / "note.wav").write_text("not a sound")
    with pytest.raises(AudioError, match=r"note\.wav is a text, not a sound"):
        audio.read(tmp_path / "note.wav")


@given(st.integers(1, 4_000), st.sampled_from([8_000, 16_000, 22_050]), st.sampled_from(["WAV", "FLAC"]))
@settings(max_examples=25, deadline=None)
def test_encode_and_decode(samples, rate, kind):
    waveform = np.random.default_rng(samples).uniform(-0.9, 0.9, samples).astype(np.float32)
    found = audio.decode(audio.encode(waveform, rate, kind), rate)
    np.testing.assert_allclose(found, waveform, atol=1 / 32_000)


# What is hostile


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_a_file_that_is_cut_short_is_refused(kind, share):
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 40_000).astype(np.float32)
    content = audio.encode(noise, 16_000, kind)
    with pytest.raises(AudioError, match=r"cut short|damaged"):
        audio.decode(content[: int(share * len(content))])


def test_the_decoder_alone_would_not_tell():
    content = audio.encode(TONE)[:8_000]
    assert len(soundfile.read(io.BytesIO(content))[0]) < len(TONE) / 2
    with pytest.raises(AudioError, match=r"declares 16,000 bytes of samples and holds 7,\d+"):
        audio.decode(content)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"RIFF", "a RIFF file"),
        (b"RIFF\0\0\0\0WAVE", "without samples"),
        (wav(b""), "holds no samples"),
        (wav(bytes(100), rate=0), "samples a second|damaged or coded"),
        (wav(bytes(100), rate=7), "declares 7 samples a second"),
        (wav(bytes(100), rate=4_000_000_000), "samples a second|damaged or coded"),
        (wav(bytes(100), channels=0), "damaged or coded|channels"),
        (wav(bytes(2_000), channels=500), "channels|damaged or coded"),
        (wav(np.full(50, np.nan, "<f4").tobytes(), bits=32, kind=3), "not finite"),
        (wav(np.full(50, np.inf, "<f4").tobytes(), bits=32, kind=3), "not finite"),
        (wav(np.full(50, 3e4, "<f4").tobytes(), bits=32, kind=3), "Divide them"),
        (written(TONE, format="AIFF"), "AIFF"),
        (written(TONE, format="AU"), "AU"),
    ],
    ids=str,
)
def test_what_is_no_sound_is_refused(content, message):
    with pytest.raises(AudioError, match=message):
        audio.decode(content, name="strange.wav")


@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"RIFF\x90\1\0\0WAVE", b"fLaC", b"OggS", b"ID3", b"\xff\xfb"]),
)
@settings(max_examples=150, deadline=None)
def test_bytes_of_any_kind_give_a_sound_or_an_audio_error(content, start):
    try:
        found = audio.decode(start + content)
    except AudioError:
        return
    assert found.dtype == np.float32 and np.isfinite(found).all() and np.abs(found).max() <= 1


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_a_damaged_file_gives_a_sound_or_an_audio_error(data):
    content = bytearray(audio.encode(TONE, 16_000, data.draw(st.sampled_from(["WAV", "FLAC", "OGG", "MP3"]))))
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, min(200, len(content)) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = audio.decode(bytes(content))
    except AudioError:
        return
    assert np.isfinite(found).all() and np.abs(found).max() <= 1


BOMB = """
import resource, struct, sys
sys.path.insert(0, {tests!r})
from mmcourse import audio
import soundfile, numpy
{make}
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    audio.decode(content)
except audio.AudioError as error:
    print("refused:", error)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024, "MiB")
"""
FLAC_OF_DAYS = """
content = bytearray(audio.encode(numpy.zeros(4096, numpy.float32), 16000, "FLAC"))
# samples in all: the last 36 bits before the checksum in the first block
content[21] |= 0x0F
content[22:26] = b"\\xff\\xff\\xff\\xff"
content = bytes(content)
"""
WAV_OF_HOURS = """
import io
file = io.BytesIO()
soundfile.write(file, numpy.zeros(12_000_000, numpy.int16), 16000, format="WAV", subtype="PCM_U8")
content = file.getvalue()
del file
"""
WAV_OF_MANY_CHANNELS = """
from test_reading import wav
content = wav(bytes(16 * 4_000_000), channels=16, bits=8)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="resource is not there")
@pytest.mark.parametrize("make", [FLAC_OF_DAYS, WAV_OF_HOURS, WAV_OF_MANY_CHANNELS])
def test_a_declared_length_takes_no_memory(make):
    script = BOMB.format(tests=str(Path(__file__).parent), make=make)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("refused:"), done.stdout
    assert int(done.stdout.split()[-2]) < 60


@pytest.mark.skipif(sys.platform == "win32", reason="resource is not there")
def test_a_long_file_is_read_in_bounded_memory(tmp_path):
    """Channels are averaged block by block: all of them in floats would take 96 MB."""
    path = tmp_path / "long.flac"
    soundfile.write(path, np.zeros((3_000_000, 8), np.int16), 48_000)
    script = BOMB.format(tests="", make=f"content = open({str(path)!r}, 'rb').read()")
    script = script.replace("audio.decode(content)", "audio.decode(content, None)")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[-2]) < 60


# Arrays


@pytest.mark.parametrize(
    ("waveform", "message"),
    [
        (np.zeros((2, 5), np.float32), "one axis"),
        (np.float32(1), "one axis"),
        (np.zeros(0, np.float32), "at least one sample"),
        (np.zeros(5, np.int16), "Divide whole numbers"),
        (np.zeros(5, complex), "must hold floats"),
        (np.array([0, np.nan]), "not finite"),
        (np.array([0, -np.inf], np.float32), "not finite"),
        (np.array([np.inf, -np.inf]), "not finite"),
        (["a"], "must hold floats"),
    ],
    ids=str,
)
def test_what_is_no_waveform_is_refused(waveform, message):
    with pytest.raises(AudioError, match=message):
        reading.check_waveform(waveform)
    with pytest.raises(AudioError):
        audio.encode(waveform)


def test_wrong_arguments():
    for rate in (0, -1, 16_000.0, "16000", 999, 192_001):
        with pytest.raises(ValueError, match="sample_rate"):
            audio.decode(audio.encode(TONE), rate)
    with pytest.raises(ValueError, match="format must be one of"):
        audio.encode(TONE, 16_000, "AIFF")
    with pytest.raises(ValueError, match="cannot write MP3"):
        audio.encode(TONE, 16_001, "MP3")
    with pytest.raises(ValueError, match="new_rate"):
        audio.resample(TONE, 16_000, 0)
    assert issubclass(AudioError, ValueError)


def test_importing_the_package_is_cheap():
    heavy = "('scipy', 'soundfile', 'librosa', 'keras')"
    script = f"import sys, mmcourse.audio; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
