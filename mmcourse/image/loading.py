"""Many picture files at once: what :func:`mmcourse.image.decode` does, faster, into one array."""

import io
from collections.abc import Iterable, Sequence

import numpy as np
from PIL import Image, ImageOps

import mmcourse.image.reading as reading
from mmcourse.image.reading import decode

ORIENTATION = 0x0112  # the EXIF tag that says how the camera was held
LYING = (5, 6, 7, 8)  # its values that exchange height and width


def decode_batch(contents: Sequence[bytes], size: int, names: Iterable[str] | None = None) -> np.ndarray:
    """Decode picture files into one ``uint8`` array ``(pictures, size, size, 3)``.

    Each picture is what :func:`mmcourse.image.decode` makes of it, except that a large JPEG is unpacked at
    half, a quarter or an eighth of its size where that is still twice what is wanted. Its values then differ
    by a few steps, and it takes a fraction of the time.

    Args:
        contents: the bytes of PNG, JPEG or WebP files.
        size: side of the pictures in pixels.
        names: what messages call the pictures; "picture 0", "picture 1", … by default.

    Raises:
        PictureError: one of them cannot be read; the message names it.
        ValueError: ``size`` is not positive.
    """
    if size < 1:
        raise ValueError(f"size must be at least 1, got {size}")
    names = [f"picture {place}" for place in range(len(contents))] if names is None else list(names)
    pictures = np.empty((len(contents), size, size, 3), dtype=np.uint8)
    for place, (content, name) in enumerate(zip(contents, names, strict=True)):
        quick = _decode_jpeg(content, size) if content[:2] == b"\xff\xd8" else None
        pictures[place] = decode(content, size, name) if quick is None else quick
    return pictures


def _decode_jpeg(content: bytes, size: int) -> np.ndarray | None:
    """Unpack a JPEG at a part of its size; None if that gains nothing, or if it cannot be read."""
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG",)) as opened:
            width, height = opened.size
            if width * height > reading.MAX_PIXELS or opened.mode not in ("RGB", "L"):
                return None
            scale = size / max(width, height)
            wanted = (max(1, round(2 * scale * width)), max(1, round(2 * scale * height)))
            opened.draft(opened.mode, wanted)
            if opened.size == (width, height):
                return None
            picture = ImageOps.exif_transpose(opened).convert("RGB")
            if opened.getexif().get(ORIENTATION, 1) in LYING:
                width, height = height, width
    except Exception:  # Pillow's decoders raise OSError, SyntaxError, struct.error and others
        return None
    small = (max(1, round(scale * width)), max(1, round(scale * height)))
    square = Image.new("RGB", (size, size), "white")
    corner = ((size - small[0]) // 2, (size - small[1]) // 2)
    square.paste(picture.resize(small, Image.Resampling.LANCZOS), corner)
    return np.asarray(square)
