"""The frames of an MP3 file, counted one by one.

A decoder learns the length of an MP3 from a header that many files lack. Then it guesses the length from the
first frame, and a file whose bit rate varies comes out cut short, without a word. So the frames are counted
here, and a header that says how many there are is put before them.
"""

from dataclasses import dataclass

VERSIONS = {0: 2.5, 2: 2, 3: 1}  # the two bits of a frame's header
RATES = {1: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 2.5: (11_025, 12_000, 8_000)}
# Layer III, kilobits a second; the first entry of the header's field, 0, says "free".
KILOBITS = {
    1: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
TAGS = (b"TAG", b"APETAGEX", b"LYRICSBEGIN", b"3DI")  # what may follow the last frame


@dataclass(frozen=True)
class Frames:
    """What was found in a file.

    Attributes:
        first: place of the first frame, which may be a header's.
        count: frames of sound, without the header's.
        declared: frames that a header declares; None without a header.
        missing: bytes that the last frame lacks; such a frame is not counted.
        skipped: bytes between frames that belong to none.
    """

    first: int
    count: int
    declared: int | None
    missing: int
    skipped: int


def count_frames(content: bytes) -> Frames | None:
    """Count the frames of layer III; None if it is no such file."""
    place = after_tags(content)
    first = _next_frame(content, place)
    if first is None:
        return None
    place, count, skipped, missing = first, 0, 0, 0
    kind = _kind(content, first)
    declared = _declared(content, first)
    while place < len(content):
        size = frame_size(content, place)
        if size is None or _kind(content, place) != kind:
            if content[place:].startswith(TAGS) or not content[place:].strip(b"\0"):
                break
            following = _next_frame(content, place + 1, kind)
            skipped += (len(content) if following is None else following) - place
            if following is None:
                break
            place = following
            continue
        if place + size > len(content):
            missing = place + size - len(content)
            break
        count, place = count + 1, place + size
    return Frames(first, count - (declared is not None), declared, missing, skipped)


def with_header(content: bytes, found: Frames) -> bytes:
    """The frames of sound, after a header of Xing's kind that says how many there are; an old header goes."""
    version, _, mono = _kind(content, found.first)
    header = bytearray(content[found.first : found.first + 4])
    header[1] |= 1  # no checksum
    header[2] = (header[2] & 0x0F & ~0x02) | (12 << 4 if version == 1 else 13 << 4)  # room for what follows
    size = frame_size(bytes(header), 0)
    side = (17 if mono else 32) if version == 1 else (9 if mono else 17)
    frame = bytes(header) + bytes(side) + b"Xing" + (1).to_bytes(4, "big") + found.count.to_bytes(4, "big")
    start = found.first if found.declared is None else found.first + frame_size(content, found.first)
    return frame.ljust(size, b"\0") + content[start:]


def after_tags(content: bytes) -> int:
    """Where the tags of ID3 at the beginning end."""
    place = 0
    while content[place : place + 3] == b"ID3" and len(content) >= place + 10:
        sizes = content[place + 6 : place + 10]
        place += 10 + sum((byte & 0x7F) << shift for byte, shift in zip(sizes, (21, 14, 7, 0), strict=True))
    return place


def frame_size(content: bytes, place: int) -> int | None:
    """Bytes of the frame whose header lies there; None if it is no header of layer III."""
    if place + 4 > len(content) or content[place] != 0xFF or content[place + 1] & 0xE6 != 0xE2:
        return None
    version = VERSIONS.get(content[place + 1] >> 3 & 3)
    field, rate = content[place + 2] >> 4, content[place + 2] >> 2 & 3
    if version is None or field in (0, 15) or rate == 3:
        return None
    bits = 1000 * KILOBITS[1 if version == 1 else 2][field]
    padding = content[place + 2] >> 1 & 1
    return (144 if version == 1 else 72) * bits // RATES[version][rate] + padding


def _kind(content: bytes, place: int) -> tuple:
    """Version, sample rate and whether there is one channel: the same in all frames of a file."""
    version = VERSIONS.get(content[place + 1] >> 3 & 3) if place + 4 <= len(content) else None
    if version is None or content[place + 2] >> 2 & 3 == 3:
        return (None,)
    return version, RATES[version][content[place + 2] >> 2 & 3], content[place + 3] >> 6 == 3


def _next_frame(content: bytes, place: int, kind: tuple | None = None) -> int | None:
    """The next place where a frame lies that another one, or the end, follows."""
    while (place := content.find(b"\xff", place)) != -1:
        size = frame_size(content, place)
        if size is not None and kind in (None, _kind(content, place)):
            after = place + size
            if after >= len(content) or (
                frame_size(content, after) is not None and _kind(content, after) == _kind(content, place)
            ):
                return place
            if content[after:].startswith(TAGS):
                return place
        place += 1
    return None


def _declared(content: bytes, first: int) -> int | None:
    """The number of frames in a header of Xing, LAME or Fraunhofer, if the first frame is one."""
    size = frame_size(content, first)
    frame = content[first : first + size]
    for name in (b"Xing", b"Info"):
        place = frame.find(name, 4, 48)
        if place != -1 and len(frame) >= place + 12:
            has_count = frame[place + 7] & 1
            return int.from_bytes(frame[place + 8 : place + 12], "big") if has_count else 0
    if frame[36:40] == b"VBRI" and len(frame) >= 54:
        return int.from_bytes(frame[50:54], "big")
    return None
