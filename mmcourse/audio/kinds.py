"""What a file really is that cannot be read as a sound, and the command that helps."""

from pathlib import Path

CONVERT = 'Convert it: ffmpeg -i "{source}" "{target}"'
AGAIN = "Copy or download it again."
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
    (b"PK\3\4", "a ZIP archive", 'Unpack it: python -m zipfile -e "{source}" unpacked'),
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
    if not content:
        return "empty (0 bytes)", AGAIN
    if not content.strip(b"\0"):
        return f"nothing but zeros ({len(content):,} bytes), as after a copy that failed", AGAIN
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
    for beginning, kind, advice in BEGINNINGS:
        if content.startswith(beginning):
            return kind, advice
    return _text(content[:2000])


def _text(content: bytes) -> tuple[str, str]:
    text = content.decode("utf-8-sig", errors="replace").rstrip("\ufffd").strip()  # the last one may be cut
    if not all(c.isprintable() or c in "\t\n\r" for c in text):
        return "not a sound of a kind that is known here", f"If it plays elsewhere, {CONVERT.lower()}"
    if text.startswith("version https://git-lfs"):
        return "a Git LFS pointer: the sound itself was not fetched", "In its repository: git lfs pull"
    if text.startswith("<") and "<html" in text.lower():
        return "an HTML page that a server sent, not a sound", AGAIN
    if text.startswith(("#EXTM3U", "[playlist]")):
        return "a playlist: a text that names other files", "Give one of the files that it names."
    return f'a text, not a sound (it begins "{" ".join(text[:40].split())}")', AGAIN
