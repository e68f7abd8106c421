"""Pictures as arrays: read any PNG, JPEG or WebP file into the form that the models take (notebook 23).

A picture is a ``uint8`` array ``(height, width, 3)`` in sRGB. Transparency is laid over white, because
that is what the course's own pictures are drawn on.
"""

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from mmcourse.image.kinds import describe

MAX_PIXELS = 50_000_000
FORMATS = ("PNG", "JPEG", "WEBP")


class PictureError(ValueError):
    """A file that cannot be read as a picture; the message says which file and why."""


def decode(content: bytes, size: int, name: str = "the picture") -> np.ndarray:
    """Decode the bytes of a PNG, JPEG or WebP file into a square ``uint8`` array ``(size, size, 3)``.

    The picture is turned upright (EXIF), laid over white where it is transparent, padded with white to
    a square and resized with an anti-aliasing filter. Palette, grey, 16-bit and CMYK files are converted.

    Raises:
        PictureError: the bytes are no such picture, are cut short, or hold over 50 million pixels.
        ValueError: ``size`` is not positive.
    """
    if size < 1:
        raise ValueError(f"size must be at least 1, got {size}")
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as opened:
            width, height = opened.size
            if width * height > MAX_PIXELS:
                raise PictureError(
                    f"{name} has {width} x {height} pixels; at most {MAX_PIXELS:,} are accepted. "
                    "Make it smaller first."
                )
            opened.load()
            picture = _to_rgb(ImageOps.exif_transpose(opened))
    except PictureError:
        raise
    except UnidentifiedImageError as error:
        raise PictureError(describe(content, name)) from error
    except Image.DecompressionBombError as error:
        raise PictureError(f"{name} has too many pixels: {error}") from error
    except Exception as error:  # Pillow's decoders raise OSError, SyntaxError, struct.error and others
        raise PictureError(describe(content, name, error)) from error
    # Made smaller before it is padded: the square around a line of 60,000 pixels would take 14 GB.
    scale = size / max(picture.size)
    width, height = (max(1, round(side * scale)) for side in picture.size)
    square = Image.new("RGB", (size, size), "white")
    small = picture.resize((width, height), Image.Resampling.LANCZOS)
    square.paste(small, ((size - width) // 2, (size - height) // 2))
    return np.array(square, dtype=np.uint8)  # a copy: Pillow's own array is read-only


def read(path: str | Path, size: int) -> np.ndarray:
    """Read a PNG, JPEG or WebP file into a square ``uint8`` array ``(size, size, 3)``; see :func:`decode`.

    Raises:
        FileNotFoundError, IsADirectoryError, PermissionError: the file cannot be opened.
        PictureError: the file is no picture, is damaged or is too large.
    """
    path = Path(path)
    return decode(path.read_bytes(), size, name=str(path))


def _to_rgb(picture: Image.Image) -> Image.Image:
    """Bring any Pillow mode to RGB, transparency laid over white."""
    if picture.mode.startswith("I") or picture.mode == "F":
        # Pillow clips 16-bit grey to 255 when it converts; scale it instead.
        values = np.asarray(picture, dtype=np.float64)
        grey = np.uint8(np.clip(values / 257, 0, 255).round())
        transparent = picture.info.get("transparency")
        if transparent is not None:
            alpha = np.uint8(np.where(values == transparent, 0, 255))
            picture = Image.merge("LA", (Image.fromarray(grey), Image.fromarray(alpha)))
        else:
            picture = Image.fromarray(grey)
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    return picture.convert("RGB")
