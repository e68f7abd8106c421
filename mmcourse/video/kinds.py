"""What a file (notebook 27) really is that cannot be read as a clip, and the command that helps."""

import struct
from pathlib import Path

from mmcourse import formats

CONVERT = 'Convert it: ffmpeg -i "{source}" -c:v libx264 -pix_fmt yuv420p -an "{target}"'
SOUND, PICTURE = "a sound without pictures", "a single picture, not a film"
LISTEN, LOOK = "Read it with mmcourse.audio.read.", "Read it with mmcourse.image.read."
# First bytes -> what the file is, and what to do.
BEGINNINGS = (
    (b"\x00\x00\x01\xba", "a film in an MPEG program stream", CONVERT),
    (b"\x00\x00\x01\xb3", "a film in MPEG-1 or MPEG-2", CONVERT),
    (b"FLV\x01", "a Flash film (FLV)", CONVERT),
    (b"0&\xb2u", "a Windows Media file (WMV or WMA)", CONVERT),
    (b"OggS", "an Ogg file, mostly a sound", CONVERT),
    (b"ID3", f"{SOUND} (MP3)", LISTEN),
    (b"\xff\xfb", f"{SOUND} (MP3)", LISTEN),
    (b"fLaC", f"{SOUND} (FLAC)", LISTEN),
    (b"#!AMR", f"{SOUND} (AMR)", 'Convert it: ffmpeg -i "{source}" "{stem}.wav"'),
    (b"\xff\xd8\xff", f"{PICTURE} (JPEG)", LOOK),
    (b"BM", f"{PICTURE} (BMP)", LOOK),
    formats.UNPACK,
)
STILL = (b"heic", b"heix", b"mif1", b"avif")
EXPECTED = "expected an animated GIF, PNG or WebP, or an AVI, MP4, MOV, MKV or WebM file"


def describe(content: bytes, name: str) -> str:
    """What a file is, and one command or edit that helps.

    Args:
        content: its bytes, or its first ones.
        name: what the message calls it.
    """
    source = name if Path(name).suffix else "FILE"
    stem = str(Path(source).with_suffix("")) + "-converted"
    kind, advice = _kind(content)
    return f"{name} is {kind}; {EXPECTED}. {advice.format(source=source, target=stem + '.mp4', stem=stem)}"


def cut_short(path: Path) -> str:
    """Says where a file ends before the parts that it announces do; "" if it is whole, as far as one sees.

    AVI and MP4 begin each part with its length. (Matroska and WebM may leave it open, as live streams do.)
    """
    size = path.stat().st_size
    with open(path, "rb") as file:
        head = file.read(12)
        if head.startswith(b"RIFF"):
            announced = struct.unpack("<I", head[4:8])[0] + 8
            missing = announced - size
            return f"it announces {announced:,} bytes and holds {size:,}" if 1 < missing < 2**31 else ""
        place = 0
        while head[4:8] == b"ftyp" and place + 8 <= size:
            file.seek(place)
            length, name = struct.unpack(">I4s", file.read(8))
            if length == 1:
                length = struct.unpack(">Q", file.read(8).ljust(8, b"\0"))[0]
            if length == 0:  # to the end of the file
                break
            place += max(length, 8)
            if place > size:
                return f"its part {name.decode('latin-1')!r} announces {length:,} bytes, more than there are"
    return ""


def _kind(content: bytes) -> tuple[str, str]:
    nothing = formats.nothing_in(content, "film")
    if nothing:
        return nothing
    if content[4:8] == b"ftyp":
        if content[8:12] in STILL:
            return f"{PICTURE} (HEIC or AVIF)", 'Convert it: ffmpeg -i "{source}" "{stem}.png"'
        if (b"soun" in content and b"vide" not in content) or content[8:11] == b"M4A":
            return f"{SOUND} (MP4 or M4A)", LISTEN
    if content[4:8] == b"ftyp" or content.startswith((b"\x1a\x45\xdf\xa3", b"RIFF")):
        if content[8:12] == b"WAVE":
            return f"{SOUND} (WAV)", LISTEN
        return (
            "damaged, cut short, or compressed in a way that this OpenCV cannot read",
            f"If it plays elsewhere, convert it{CONVERT.removeprefix('Convert it')}",
        )
    found = formats.by_beginning(content, BEGINNINGS)
    if found:
        return found
    if content[:1] == b"G" and content[188:189] == b"G":
        return "a film in an MPEG transport stream", CONVERT
    text = formats.text_of(content)
    if text is None:
        return "not a film of a kind that is known here", f"If it plays elsewhere, {CONVERT.lower()}"
    return formats.kind_of_text(text, "film")
