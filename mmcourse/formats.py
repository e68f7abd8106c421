"""What a file really is that is none of the expected: the part that pictures, sounds and films have in
common.

Each of :mod:`mmcourse.image.kinds`, :mod:`mmcourse.audio.kinds` and :mod:`mmcourse.video.kinds` knows the
formats of
its own field by their first bytes, and asks here for the rest: empty files, failed copies, and texts in the
place of what was to be fetched.
"""

AGAIN = "Copy or download it again."
UNPACK = (b"PK\3\4", "a ZIP archive", 'Unpack it: python -m zipfile -e "{source}" unpacked')
LOOKED_AT = 2000  # bytes of a text


def by_beginning(content: bytes, beginnings) -> tuple[str, str] | None:
    """The first of ``(first bytes, what it is, what to do)`` that fits, without its first bytes."""
    return next(((kind, advice) for first, kind, advice in beginnings if content.startswith(first)), None)


def nothing_in(content: bytes, thing: str) -> tuple[str, str] | None:
    """What an empty file or one of zeros is, and what to do; None if there is something in it.

    Args:
        thing: what was expected: "picture", "sound", "film".
    """
    if not content:
        return f"empty (0 bytes), not a {thing}", AGAIN
    if not content.strip(b"\0"):
        return f"not a {thing}: all its {len(content):,} bytes are 0, as after a copy that failed", AGAIN
    return None


def text_of(content: bytes) -> str | None:
    """The beginning of a file as a text, or None if it is no text."""
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    text = content[:LOOKED_AT].decode(encoding, errors="replace").rstrip("\ufffd").strip()  # cut in a letter
    return text if "\ufffd" not in text and all(c.isprintable() or c in "\t\n\r" for c in text) else None


def kind_of_text(text: str, thing: str) -> tuple[str, str]:
    """What a text in the place of a picture, sound or film is, and what to do."""
    lower = text.lower()
    if lower.startswith("version https://git-lfs"):
        return f"a Git LFS pointer: the {thing} itself was not fetched", "In its repository: git lfs pull"
    if lower.startswith("<") and "<html" in lower:
        title = text[lower.find("<title>") + 7 : lower.find("</title>")] if "</title>" in lower else ""
        said = f' ("{" ".join(title.split())[:60]}")' if title else ""
        return f"an HTML page{said} that a server sent, not a {thing}", AGAIN
    if text.startswith(("#EXTM3U", "[playlist]", "ffconcat")):
        return "a playlist: a text that names other files", "Give one of the files that it names."
    return f'a text, not a {thing} (it begins "{" ".join(text[:40].split())}")', AGAIN
