"""What a file really is that cannot be read as a PNG, JPEG or WebP picture, and the command that helps."""

from pathlib import Path

from mmcourse import formats

PILLOW = (
    'python -c "from PIL import Image, ImageOps; '
    "ImageOps.exif_transpose(Image.open(r'{source}')).save(r'{target}')\""
)
HEIF = (
    'python -m pip install pillow-heif && python -c "import pillow_heif; from PIL import Image; '
    "pillow_heif.register_heif_opener(); Image.open(r'{source}').save(r'{target}')\""
)
SVG = (
    'python -c "from mmcourse import image; from PIL import Image; '
    "Image.fromarray(image.read_svg(r'{source}', 512)).save(r'{target}')\""
)
BASE64 = (
    "python -c \"import base64, pathlib; text = pathlib.Path(r'{source}').read_text(); "
    "pathlib.Path(r'{target}').write_bytes(base64.b64decode(text.split(',')[-1]))\""
)
MAGICK = 'magick "{source}" "{target}"'
AGAIN = 'Copy or download it again: curl --fail --location --output "{source}" ADDRESS'
AS_TEXT = "a picture that was copied as if it were a text, which changed its bytes"

OWN = ((b"\x89PNG\r\n\x1a\n", "a PNG"), (b"\xff\xd8\xff", "a JPEG"), (b"RIFF", "a WebP"))
# First bytes -> what the file is, and what to do.
BEGINNINGS = (
    (b"GIF8", "a GIF picture", f"Keep its first frame: {PILLOW}"),
    (b"II*\0", "a TIFF picture", f"Convert its first page: {PILLOW}"),
    (b"MM\0*", "a TIFF picture", f"Convert its first page: {PILLOW}"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 picture", f"Convert it: {PILLOW}"),
    (b"\0\0\1\0", "an icon (ICO)", f"Convert it: {PILLOW}"),
    (b"8BPS", "a Photoshop file (PSD)", f"Convert it: {PILLOW}"),
    (b"\xff\x0a", "a JPEG XL picture", f"Convert it: {MAGICK}"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL picture", f"Convert it: {MAGICK}"),
    (b"%PDF", "a PDF document", 'Draw its first page: pdftoppm -png -singlefile "{source}" "{stem}"'),
    (b"%!PS", "a PostScript document", f"Draw it: {MAGICK}"),
    formats.UNPACK,
    (b"\0\5\x16\7", "not a picture but what macOS notes about another file", 'Delete it: rm "{source}"'),
    (b"\x89PNG", AS_TEXT, AGAIN),
    (b"\xef\xbf\xbd", AS_TEXT, AGAIN),
)
HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")


def describe(content: bytes, name: str, error: Exception | None = None) -> str:
    """What a file is, and one command that makes a picture of it or fetches it again.

    Args:
        content: its bytes; only the first 2,000 are looked at.
        name: what the message calls it. The command holds it too if it is a file's and safe to paste.
        error: what the decoder said.
    """
    plain = all(c.isalnum() or c in " ._-/\\:()" for c in name)
    source = name if plain and Path(name).suffix else "FILE"
    stem = str(Path(source).with_suffix("")) + "-converted"
    kind, advice = _kind(content, error)
    return f"{name} is {kind}. {advice.format(source=source, target=stem + '.png', stem=stem)}"


def _kind(content: bytes, error: Exception | None) -> tuple[str, str]:
    nothing = formats.nothing_in(content, "picture")
    if nothing:
        return nothing[0], AGAIN
    for beginning, kind in OWN:
        if content.startswith(beginning) and (kind != "a WebP" or content[8:12] == b"WEBP"):
            said = "" if error is None else f": {error}"
            return f"{kind} file that is damaged or cut short after {len(content):,} bytes{said}", AGAIN
    kind, advice = _stranger(content)
    return f"{kind}; expected a PNG, JPEG or WebP file", advice.replace(formats.AGAIN, AGAIN)


def _stranger(content: bytes) -> tuple[str, str]:
    if content[4:8] == b"ftyp":  # a family of formats: the brand says which
        brand = content[8:12]
        if brand in HEIC and b"avif" not in content[8:48]:
            return "a HEIC picture, as iPhones take them", f"Convert it: {HEIF}"
        if b"avif" in content[8:48]:
            return "an AVIF picture", f"Convert it: {PILLOW}"
        return "a film or a sound", 'Take its first frame: ffmpeg -i "{source}" -frames:v 1 "{target}"'
    if content[:2] == b"BM" and content[6:10] == bytes(4):
        return "a BMP picture", f"Convert it: {PILLOW}"
    found = formats.by_beginning(content, BEGINNINGS)
    if found:
        return found
    text = formats.text_of(content)
    if text is None:
        return "not a picture of a kind that is known here", 'Ask what it is: file "{source}"'
    if text.startswith("<") and "<svg" in text.lower() and "<html" not in text.lower():
        return "an SVG drawing, which has no pixels yet", f"Draw it: {SVG}"
    if text.startswith(("data:image/", "iVBORw0KGgo", "/9j/")):
        return "a picture written as a text (Base64)", f"Decode it: {BASE64}"
    return formats.kind_of_text(text, "picture")
