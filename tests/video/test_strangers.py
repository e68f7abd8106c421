"""Files that people bring: frame rates that vary, clips cut without encoding, things that are no clips.

The files are made here, by OpenCV and by changing bytes; a test skips where this OpenCV lacks the codec.
"""

import struct

import numpy as np
import pytest

from mmcourse import video
from mmcourse.video import VideoError

FRAMES, RATE = 12, 10


@pytest.fixture(scope="module")
def clip():
    """Each frame is brighter than the one before, so that a frame can be recognised."""
    noise = np.random.default_rng(0).integers(0, 8, (FRAMES, 32, 48, 3))
    return (noise + 18 * np.arange(FRAMES)[:, None, None, None]).astype(np.uint8)


def stored(clip, ending):
    try:
        return video.encode(clip, RATE, ending)
    except VideoError:
        pytest.skip(f"this OpenCV cannot write {ending}")


def frames_of(found):
    """Which frames of the fixture were read, by their brightness."""
    return np.rint((found.clip.mean(axis=(1, 2, 3)) - 3.5) / 18).astype(int).tolist()


def with_table_of_times(content: bytes, spans: list[tuple[int, int]]) -> bytes:
    """An MP4 file of OpenCV with another table of how long frames last: (frames, ticks) in a row."""
    place = content.index(b"stts") - 4
    table = struct.pack(">I4sII", 16 + 8 * len(spans), b"stts", 0, len(spans))
    table += b"".join(struct.pack(">II", *span) for span in spans)
    longer = len(table) - 24
    content = content[:place] + table + content[place + 24 :]
    for name in (b"moov", b"trak", b"mdia", b"minf", b"stbl"):  # the boxes around it grow
        start = content.index(name) - 4
        (length,) = struct.unpack_from(">I", content, start)
        content = content[:start] + struct.pack(">I", length + longer) + content[start + 4 :]
    return content


def test_a_screen_recording_keeps_its_times(clip):
    """Six frames quickly, then six slowly: the mean rate is reported, and when each frame is shown."""
    content = with_table_of_times(stored(clip, ".mp4"), [(6, 512), (6, 1536)])
    found = video.decode(content)
    assert frames_of(found) == list(range(FRAMES))
    steps = np.diff(found.times)
    np.testing.assert_allclose(steps[:5], 0.05, atol=1e-6)
    np.testing.assert_allclose(steps[6:], 0.15, atol=1e-6)
    assert found.rate == pytest.approx(11 / found.times[-1])
    assert found.rate > RATE + 0.4


def test_a_declared_count_that_is_too_high_is_only_a_hint(clip):
    content = bytearray(stored(clip, ".avi"))
    count = struct.pack("<I", FRAMES)
    for header, offset in ((b"avih", 8 + 16), (b"strh", 8 + 32)):
        place = content.index(header) + offset
        assert content[place : place + 4] == count
        content[place : place + 4] = struct.pack("<I", 5 * FRAMES)
    assert frames_of(video.decode(bytes(content))) == list(range(FRAMES))


def test_a_clip_that_was_cut_without_encoding_is_what_decodes(clip):
    """``ffmpeg -ss … -c copy`` keeps frames before the cut and an edit list that hides them."""
    content = bytearray(stored(clip, ".mp4"))
    place = content.index(b"elst") + 12
    duration, start = struct.unpack_from(">Ii", content, place)
    assert start == 0
    struct.pack_into(">Ii", content, place, duration * 9 // 12, 3 * 1024)
    found = video.decode(bytes(content))
    assert frames_of(found) in (list(range(3, FRAMES)), list(range(FRAMES)))
    assert found.times[0] == 0 and len(found.times) == len(found.clip)


@pytest.mark.parametrize("ending", [".avi", ".mp4"])
def test_a_file_that_ends_too_early_is_refused(clip, ending):
    content = stored(clip, ending)
    for share in (0.3, 0.6, 0.9):
        with pytest.raises(VideoError, match=r"film is (cut short: it|damaged, cut short, or)"):
            video.decode(content[: int(share * len(content))], name="film")


def test_an_mp4_with_its_table_in_front_that_ends_too_early_is_refused(clip):
    """Made for the web: the table comes first, so that half a file opens and plays."""
    content = stored(clip, ".mp4")
    data, table = content.index(b"mdat") - 4, content.index(b"moov") - 4
    head, frames, moov = content[:data], content[data:table], bytearray(content[table:])
    place = moov.index(b"stco") + 8
    (count,) = struct.unpack_from(">I", moov, place)
    for number in range(count):
        (offset,) = struct.unpack_from(">I", moov, place + 4 + 4 * number)
        struct.pack_into(">I", moov, place + 4 + 4 * number, offset + len(moov))
    fast = head + bytes(moov) + frames
    assert frames_of(video.decode(fast)) == list(range(FRAMES))
    with pytest.raises(VideoError, match="film is cut short: its part 'mdat' announces"):
        video.decode(fast[: len(head) + len(moov) + len(frames) // 2], name="film")


def test_frames_of_an_animation_last_differently():
    import io

    from PIL import Image

    frames = [Image.new("RGB", (8, 8), (40 * number, 0, 0)) for number in range(3)]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], duration=[100, 500, 200])
    found = video.decode(file.getvalue())
    np.testing.assert_allclose(found.times, [0, 0.1, 0.6])
    assert found.rate == pytest.approx(3 / 0.8) and found.seconds == pytest.approx(0.8)


def audio_only() -> bytes:
    moov = b"moov" + struct.pack(">I4s", 24, b"hdlr") + bytes(8) + b"soun" + bytes(4)
    return struct.pack(">I4s", 16, b"ftyp") + b"isom" + bytes(4) + struct.pack(">I", 4 + len(moov)) + moov


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", r"clip\.mp4 is empty \(0 bytes\)"),
        (bytes(5000), "is not a film: all its"),
        (b"<!DOCTYPE html>\n<html><title>Not found</title></html>", "is an HTML page .*that a server sent"),
        (b"version https://git-lfs.github.com/spec/v1\n", "is a Git LFS pointer.* git lfs pull"),
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "is a playlist: a text that names other files"),
        (b"see attachment", 'is a text, not a film \\(it begins "see attachment"\\)'),
        (b"RIFF\x10\0\0\0WAVEfmt ", r"is a sound without pictures \(WAV\).* mmcourse\.audio\.read"),
        (b"ID3\4" + bytes(50), r"is a sound without pictures \(MP3\)"),
        (b"\0\0\0\x1cftypM4A \0\0\0\0", r"is a sound without pictures \(MP4 or M4A\)"),
        (audio_only(), r"is a sound without pictures \(MP4 or M4A\)"),
        (b"\xff\xd8\xff\xe0" + bytes(50), r"is a single picture, not a film \(JPEG\).*image\.read"),
        (b"\0\0\0\x18ftypheic" + bytes(9), r"is a single picture, not a film \(HEIC or AVIF\)"),
        (b"FLV\1" + bytes(50), r'Flash film \(FLV\).* ffmpeg -i ".*clip\.mp4" -c:v libx264'),
        (b"0&\xb2u\x8ef\xcf\x11" + bytes(50), r"Windows Media file .* ffmpeg -i"),
        (b"\0\0\1\xba" + bytes(50), r"MPEG program stream; .* ffmpeg -i"),
        ((b"G" + bytes(187)) * 4, r"MPEG transport stream; .* ffmpeg -i"),
        (bytes(range(256)), "is not a film of a kind that is known here"),
    ],
)  # fmt: skip
def test_what_is_something_else_is_named_with_what_helps(tmp_path, content, said):
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    with pytest.raises(VideoError, match=said) as caught:
        video.read(path)
    assert "expected an animated GIF, PNG or WebP, or an AVI, MP4, MOV, MKV or WebM file" in str(caught.value)
