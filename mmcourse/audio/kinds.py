"""What a file really is that cannot be read as a sound, and the command that helps."""

from pathlib import Path

from mmcourse import formats
from mmcourse.formats import AGAIN

CONVERT = 'Convert it: ffmpeg -i "{source}" "{target}"'
LOOK = "Read it with mmcourse.image.read."
EXPECTED = "expected a WAV, FLAC, OGG, Opus or MP3 file"
# First bytes -> what the file is, and what to do.
BEGINNINGS = (
    (b"#!AMR", "a sound of a phone (AMR)", CONVERT),
    (b"0&\xb2u", "a Windows Media file (WMA or WMV)", CONVERT),
    (b"\x1a\x45\xdf\xa3", "a WebM or Matroska file (sound or film)", CONVERT),
    (b"FLV\x01", "a Flash film (FLV)", CONVERT),
    (b"FORM", "an AIFF sound", CONVERT),
    (b".snd", "an AU sound", CONVERT),
    (b"caff", "an Apple CAF sound", CONVERT),
    (b"RF64", "a WAV file of more than 4 GB (RF64)", CONVERT),
    (b"riff", "a Wave64 sound", CONVERT),
    (b"wvpk", "a WavPack sound", CONVERT),
    (b"MAC ", "a Monkey's Audio sound (APE)", CONVERT),
    (b"ADIF", "an AAC sound", CONVERT),
    (b"MThd", "a MIDI file: notes, without any sound", "Render it with a synthesiser first."),
    (b"\xff\xd8\xff", "an image (JPEG)", LOOK),
    (b"\x89PNG", "an image (PNG)", LOOK),
    (b"GIF8", "an image (GIF)", LOOK),
    (b"%PDF", "a PDF document", AGAIN),
    formats.UNPACK,
    (b"\x1f\x8b", "a file packed with gzip", 'Unpack it: gzip -d "{source}"'),
)


def describe(content: bytes, name: str) -> str:
    """What a file is, and one command or edit that helps.

    Args:
        content: its bytes, or its first ones.
        name: what the message calls it.
    """
    kind, advice = _kind(content)
    return f"{name} is {kind}; {EXPECTED}. {fill(advice, name)}"


def fill(advice: str, name: str) -> str:
    """Advice with the name of the file in it, and with one for what a command writes."""
    source = name if Path(name).suffix else "FILE"
    target = Path(source).with_suffix(".wav")
    if str(target) == source:  # a file that is something else under the name .wav
        target = target.with_name(f"{target.stem}-converted.wav")
    return advice.format(source=source, target=target)


def _kind(content: bytes) -> tuple[str, str]:
    nothing = formats.nothing_in(content, "sound")
    if nothing:
        return nothing
    if content[4:8] == b"ftyp":
        if content[8:12] in (b"heic", b"heix", b"mif1", b"avif"):
            return "an image (HEIC or AVIF)", LOOK
        return "an MPEG-4 file (M4A with AAC or ALAC, or a film)", CONVERT
    if content[:4] == b"RIFF" and content[8:12] == b"WAVE":
        return "a WAV file that is damaged or coded in an unusual way", CONVERT
    if content[:4] == b"RIFF":
        return f"a RIFF file of the kind {content[8:12].decode('latin-1')!r} and no WAV", CONVERT
    if len(content) > 1 and content[0] == 0xFF and content[1] & 0xF6 == 0xF0:
        return "an AAC sound", CONVERT
    found = formats.by_beginning(content, BEGINNINGS)
    if found:
        return found
    text = formats.text_of(content)
    if text is None:
        return "not a sound of a kind that is known here", f"If it plays elsewhere, {CONVERT.lower()}"
    return formats.kind_of_text(text, "sound")
