"""What people bring: it comes through whole, or is refused with its name, its kind and what helps."""

import io
import re

import numpy as np
import pytest
import scipy.signal
import soundfile

from mmcourse import audio
from mmcourse.audio import AudioError, kinds, mpeg

RATE = 44_100
TONE = (0.5 * np.sin(2 * np.pi * 440 * np.arange(6 * RATE) / RATE)).astype(np.float32)
NOISE = (0.3 * np.random.default_rng(0).standard_normal(6 * RATE)).astype(np.float32)


def mp3(waveform, rate=RATE, mode="VARIABLE") -> bytes:
    file = io.BytesIO()
    soundfile.write(file, waveform, rate, format="MP3", bitrate_mode=mode, compression_level=0.3)
    return file.getvalue()


def without_header(content: bytes) -> bytes:
    """The frames of sound alone, as a tool leaves them that copies a stream."""
    first = mpeg.after_tags(content)
    assert b"Xing" in content[first : first + 64] or b"Info" in content[first : first + 64]
    return content[first + mpeg.frame_size(content, first) :]


def wav(samples: bytes, declared: int, after: bytes = b"") -> bytes:
    """A 16-bit WAV file whose header declares a length."""
    file = io.BytesIO()
    soundfile.write(file, np.zeros(1, np.int16), 16_000, format="WAV", subtype="PCM_16")
    header = bytearray(file.getvalue()[:44])
    header[40:44] = declared.to_bytes(4, "little")
    header[4:8] = min(declared + 36, 2**32 - 1).to_bytes(4, "little")
    return bytes(header) + samples + after


# MP3 (libsndfile issues 1001, 1086)


@pytest.mark.parametrize(("rate", "channels"), [(44_100, 2), (48_000, 1), (22_050, 2), (16_000, 1)])
@pytest.mark.parametrize("mode", ["VARIABLE", "AVERAGE", "CONSTANT"])
def test_an_mp3_without_a_header_is_read_whole(rate, channels, mode):
    times = np.arange(4 * rate) / rate
    samples = np.concatenate(
        [0.5 * np.sin(2 * np.pi * 440 * times), 0.3 * np.random.default_rng(1).standard_normal(len(times))]
    )
    content = mp3(np.stack([samples] * channels, axis=1), rate, mode)
    found = audio.decode(without_header(content), None)
    whole = audio.decode(content, None)
    assert 0 <= len(found) - len(whole) < 3_000  # without the header the encoder's own silence stays
    later = whole[5 * rate : 7 * rate]  # noise: it fits in one place only
    delay = np.argmax(scipy.signal.correlate(found[5 * rate :], later, "valid"))
    np.testing.assert_allclose(found[5 * rate + delay :][: len(later)], later, atol=0.02)


def test_the_decoder_alone_would_cut_it_in_silence():
    content = without_header(mp3(np.concatenate([TONE, NOISE])))
    assert len(soundfile.read(io.BytesIO(content))[0]) < len(TONE)
    assert len(audio.decode(content, None)) >= 2 * len(TONE)


@pytest.mark.parametrize("strip", [False, True])
@pytest.mark.parametrize("share", [0.3, 0.7, 0.99])
def test_a_truncated_mp3_is_refused(strip, share):
    content = mp3(np.concatenate([TONE, NOISE]))
    content = without_header(content) if strip else content
    cut = content[: int(share * len(content))]
    with pytest.raises(AudioError, match=r"song\.mp3 is cut short: .*again"):
        audio.decode(cut, name="song.mp3")


def test_a_header_that_declares_more_frames_than_there_are():
    content = mp3(TONE)
    found = mpeg.count_frames(content)
    place, last = found.first, found.first
    while place < len(content):
        last, place = place, place + mpeg.frame_size(content, place)
    with pytest.raises(AudioError, match=r"declares \d+ frames and holds \d+"):
        audio.decode(content[:last])


@pytest.mark.parametrize(
    "around",
    [
        lambda content: b"ID3\4\0\0\0\0\2\0" + bytes(256) + content,
        lambda content: content + b"TAG" + bytes(125),
        lambda content: content + b"APETAGEX" + bytes(40),
        lambda content: content + bytes(500),
    ],
    ids=["ID3v2", "ID3v1", "APE", "zeros"],
)
def test_tags_of_an_mp3_are_no_sound(around):
    content = mp3(TONE[:RATE])
    np.testing.assert_array_equal(audio.decode(around(content)), audio.decode(content))
    bare = without_header(content)
    assert len(audio.decode(around(bare), None)) == len(audio.decode(bare, None))


def test_two_mp3_files_joined_are_read_to_the_end_of_the_second():
    content = mp3(TONE[: 2 * RATE])
    one, two = (len(audio.decode(part, None)) for part in (content, content + content))
    assert two >= 2 * one


@pytest.mark.parametrize("name", [b"VBRI", b"Xing"])
def test_other_headers_of_an_mp3(name):
    """Fraunhofer's header, which the decoder does not know, and Xing's without a count."""
    bare = without_header(mp3(TONE[: 2 * RATE]))
    count = mpeg.count_frames(bare).count
    header = bytearray(mpeg.with_header(bare, mpeg.count_frames(bare)))[: -len(bare)]
    header[4:] = bytes(len(header) - 4)
    if name == b"VBRI":
        header[36:40], header[50:54] = name, count.to_bytes(4, "big")
    else:
        header[36:44] = name + bytes(4)  # no flag: no count follows
    assert mpeg.count_frames(bytes(header) + bare).count == count
    found, expected = audio.decode(bytes(header) + bare, None), audio.decode(bare, None)
    assert len(found) == len(expected)


def test_counting_frames_by_hand():
    """Three frames of 128 kbit at 44,100: 144 * 128,000 / 44,100 = 417 bytes each, and 418 with padding."""
    frames = [b"\xff\xfb\x90\x00", b"\xff\xfb\x92\x00", b"\xff\xfb\x90\x00"]
    sizes = [417, 418, 417]
    content = b"".join(head.ljust(size, b"\1") for head, size in zip(frames, sizes, strict=True))
    found = mpeg.count_frames(content)
    assert (found.first, found.count, found.declared, found.missing) == (0, 3, None, 0)
    assert mpeg.count_frames(content[:-7]).missing == 7
    assert mpeg.count_frames(b"junk" + content).first == 4
    assert mpeg.count_frames(b"RIFF and other things") is None


# WAV from a pipe (music-metadata 707, hound 39, NAudio 688)


@pytest.mark.parametrize("declared", [2**32 - 1, 2**32 - 37, 0x7FFF_F000, 0x8000_0000, 0])
def test_a_wav_from_a_pipe_is_read_to_its_end(declared, tmp_path):
    samples = np.arange(-500, 500, dtype="<i2")
    path = tmp_path / "piped.wav"
    path.write_bytes(wav(samples.tobytes(), declared))
    np.testing.assert_array_equal(audio.read(path), samples / np.float32(32_768))
    assert audio.details(path.read_bytes())["samples"] == 1_000
    path.write_bytes(wav(samples.tobytes() + b"\1", declared))  # half a sample at the end
    assert len(audio.read(path)) == 1_000


def test_a_wav_that_is_really_empty_stays_empty():
    tags = b"LIST" + (4).to_bytes(4, "little") + b"INFO"
    for content in (wav(b"", 0), wav(b"", 2**32 - 1), wav(b"", 0, tags)):
        with pytest.raises(AudioError, match=r"holds no samples|cut short"):
            audio.decode(content)


def test_a_wav_that_is_cut_is_refused_all_the_same():
    with pytest.raises(AudioError, match="declares 2,000 bytes of samples and holds 1,000"):
        audio.decode(wav(bytes(1_000), 2_000))


# Files that are something else (python-soundfile 431, 389; datasets fetched without Git LFS)

FTYP = b"\0\0\0\x20ftyp"
STRANGE = {
    "memo.m4a": (FTYP + b"M4A \0\0\2\0" + bytes(50), "MPEG-4"),
    "clip.mp4": (FTYP + b"isom\0\0\2\0" + bytes(50), "MPEG-4"),
    "talk.webm": (b"\x1a\x45\xdf\xa3" + bytes(40), "WebM"),
    "phone.amr": (b"#!AMR\n" + bytes(40), "AMR"),
    "windows.wma": (b"0&\xb2u\x8ef\xcf\x11" + bytes(40), "Windows Media"),
    "radio.aac": (b"\xff\xf1\x50\x80\x02\x1f\xfc" + bytes(40), "AAC"),
    "big.wav": (b"RF64\xff\xff\xff\xffWAVEds64" + bytes(40), "RF64"),
    "mac.caf": (b"caff\0\1\0\0" + bytes(40), "CAF"),
}


@pytest.mark.parametrize("name", STRANGE)
def test_another_sound_is_named_and_the_command_given(name, tmp_path):
    content, kind = STRANGE[name]
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(AudioError) as raised:
        audio.read(path)
    message = str(raised.value)
    assert name in message and kind in message
    source, target = re.search(r'ffmpeg -i "(.*?)" "(.*?)"', message).groups()
    assert source == str(path) and target.endswith(".wav") and target != source
    assert "object at 0x" not in message and "BytesIO" not in message


@pytest.mark.parametrize(
    ("content", "kind", "advice"),
    [
        (b"", "empty", "again"),
        (bytes(2_000), "not a sound: all its 2,000 bytes are 0", "again"),
        (b"<!DOCTYPE html>\n<html><body>404</body></html>", "an HTML page", "again"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n",
            "a Git LFS pointer",
            "git lfs pull",
        ),
        (b"#EXTM3U\nhttp://example.org/a.mp3\n", "a playlist", "one of the files"),
        (b'{"error": "not found"}', "a text, not a sound", "again"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "an image", "mmcourse.image.read"),
        (b"PK\3\4" + bytes(50), "a ZIP archive", "zipfile -e"),
        (b"MThd" + bytes(50), "a MIDI file", "synthesiser"),
        (FTYP[:8] + b"heic" + bytes(50), "an image", "mmcourse.image.read"),
    ],
    ids=["empty", "zeros", "HTML", "LFS", "playlist", "JSON", "PNG", "ZIP", "MIDI", "HEIC"],
)
def test_what_is_no_sound_under_the_name_of_one(content, kind, advice, tmp_path):
    path = tmp_path / "voice.wav"
    path.write_bytes(content)
    with pytest.raises(AudioError) as raised:
        audio.read(path)
    message = str(raised.value)
    assert f"voice.wav is {kind}" in message and advice in message and kinds.EXPECTED in message
    assert "object at 0x" not in message


@pytest.mark.skipif(
    not soundfile.check_format("OGG", "OPUS"), reason="this libsndfile was built without Opus"
)
def test_opus_is_read():
    file = io.BytesIO()
    soundfile.write(file, TONE[:48_000], 48_000, format="OGG", subtype="OPUS")
    found = audio.decode(file.getvalue(), None)
    assert abs(len(found) - 48_000) < 1_000 and np.abs(found).max() > 0.4
    with pytest.raises(AudioError, match="cut short"):
        audio.decode(file.getvalue()[:-500])
