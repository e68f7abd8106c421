"""What people bring as "photo.jpg": each is named for what it is, and the command that is given works."""

import base64
import io
import re
import shlex
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from mmcourse import image
from mmcourse.image import PictureError

PICTURE = Image.fromarray(
    np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 0]]], np.uint8).repeat(8, 0).repeat(8, 1)
)
SVG_TEXT = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><rect width="9" height="9"/></svg>'


def stored(kind: str, picture: Image.Image = PICTURE, **options) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def box(brand: bytes, *compatible: bytes) -> bytes:
    content = b"ftyp" + brand + bytes(4) + b"".join(compatible)
    return (len(content) + 4).to_bytes(4, "big") + content + bytes(100)


def refusal(content: bytes, path) -> str:
    path.write_bytes(content)
    with pytest.raises(PictureError) as caught:
        image.read(path, 8)
    return str(caught.value)


STRANGERS = {
    "HEIC": (box(b"heic", b"mif1", b"heic"), "a HEIC picture", "pip install pillow-heif"),
    "HEIC, general brand": (box(b"mif1", b"mif1", b"heic"), "a HEIC picture", "pip install pillow-heif"),
    "AVIF": (box(b"avif", b"mif1"), "an AVIF picture", "Image.open"),
    "AVIF, general brand": (box(b"mif1", b"avif"), "an AVIF picture", "Image.open"),
    "GIF": (stored("GIF"), "a GIF picture", "Image.open"),
    "BMP": (stored("BMP"), "a BMP picture", "Image.open"),
    "TIFF": (stored("TIFF"), "a TIFF picture", "Image.open"),
    "JPEG 2000": (stored("JPEG2000"), "a JPEG 2000 picture", "Image.open"),
    "JPEG XL": (b"\xff\x0a" + bytes(range(60)), "a JPEG XL picture", "magick"),
    "icon": (stored("ICO"), "an icon", "Image.open"),
    "film": (box(b"isom"), "a film or a sound", "ffmpeg -i"),
    "HTML": (
        b"\n<!DOCTYPE html>\n<html><head><title>404 Not\nFound</title>",
        'an HTML page ("404 Not Found")',
        "curl --fail",
    ),
    "HTML without a title": (b"\xef\xbb\xbf<HTML><body>Log in", "an HTML page that", "curl --fail"),
    "LFS": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
        "a Git LFS pointer",
        "git lfs pull",
    ),
    "empty": (b"", "empty (0 bytes)", "curl --fail"),
    "zeros": (bytes(5000), "all its 5,000 bytes are 0", "curl --fail"),
    "PDF": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "a PDF document", "pdftoppm -png"),
    "SVG": (b'<?xml version="1.0"?>\n<!-- drawn -->\n' + SVG_TEXT, "an SVG drawing", "image.read_svg"),
    "ZIP": (b"PK\3\4" + bytes(60), "a ZIP archive", "zipfile -e"),
    "AppleDouble": (b"\0\5\x16\7\0\2\0\0Mac OS X", "what macOS notes about another file", "rm "),
    "PNG with Unix line ends": (stored("PNG").replace(b"\r\n", b"\n"), "copied as if it were a text", "curl"),
    "PNG read as UTF-8": (
        stored("PNG").decode("utf-8", "replace").encode(),
        "copied as if it were a text",
        "curl",
    ),
    "JPEG read as UTF-8": (
        stored("JPEG").decode("utf-8", "replace").encode(),
        "copied as if it were a text",
        "curl",
    ),
    "JSON": (b'{"error": "AccessDenied"}', 'it begins "{"error": "AccessDenied"}"', "curl --fail"),
    "UTF-16": ("红心, a text".encode("utf-16"), "红心", "curl --fail"),
    "Base64": (base64.b64encode(stored("PNG")), "a picture written as a text", "base64"),
    "something else": (bytes(range(256)), "not a picture of a kind that is known", "file "),
}


@pytest.mark.parametrize(("content", "kind", "command"), STRANGERS.values(), ids=STRANGERS)
def test_a_stranger_is_named_and_the_command_given(content, kind, command, tmp_path):
    message = refusal(content, tmp_path / "photo.jpg")
    assert re.search(rf"photo\.jpg is .*{re.escape(kind)}", message)
    assert command in message and "BytesIO" not in message
    assert "{source}" not in message and "{target}" not in message


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.9])
def test_a_truncated_file_keeps_its_kind(kind, share, tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    content = stored(kind, Image.fromarray(noise))
    message = refusal(content[: int(share * len(content))], tmp_path / "photo.jpg")
    name = {"WEBP": "WebP"}.get(kind, kind)
    length = int(share * len(content))
    assert f"photo.jpg is a {name} file that is damaged or cut short after {length:,} bytes" in message
    assert "curl --fail" in message


def run_command(message: str, folder) -> None:
    """Run the Python command of a message as a reader would paste it."""
    command = re.search(r'python (-c ".*")$', message)[1]
    subprocess.run([sys.executable, *shlex.split(command)], check=True, cwd=folder, timeout=120)


CONVERTED = {
    "GIF": stored("GIF"),
    "BMP": stored("BMP"),
    "TIFF": stored("TIFF"),
    "TIFF, grey with 16 bits": stored("TIFF", Image.fromarray(np.full((16, 16), 25_700, np.uint16))),
    "JPEG 2000": stored("JPEG2000"),
    "icon": stored("ICO", PICTURE.resize((16, 16))),
    "Base64": base64.b64encode(stored("PNG")),
    "data URL": b"data:image/png;base64," + base64.encodebytes(stored("PNG")),
    "SVG": SVG_TEXT,
}


@pytest.mark.parametrize("content", CONVERTED.values(), ids=CONVERTED)
def test_the_command_converts(content, tmp_path):
    run_command(refusal(content, tmp_path / "my 照片 (1).jpg"), tmp_path)
    converted = image.read(tmp_path / "my 照片 (1)-converted.png", 16)
    if content == SVG_TEXT:
        expected = np.zeros((16, 16, 3))
    elif content == CONVERTED["TIFF, grey with 16 bits"]:
        expected = np.full((16, 16, 3), 100)
    else:
        expected = np.asarray(PICTURE)
    np.testing.assert_allclose(converted.astype(int), expected, atol=3)


@pytest.mark.parametrize("kind", ["TIFF", "AVIF"])
def test_the_command_turns_a_picture_upright(kind, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    try:
        content = stored(
            kind, exif=exif, **({"quality": 100, "subsampling": "4:4:4"} if kind == "AVIF" else {})
        )
    except (KeyError, OSError):
        pytest.skip(f"this Pillow cannot write {kind}")
    run_command(refusal(content, tmp_path / "photo.jpg"), tmp_path)
    converted = image.read(tmp_path / "photo-converted.png", 16)
    np.testing.assert_allclose(converted.astype(int), np.rot90(np.asarray(PICTURE), -1), atol=12)


@pytest.mark.parametrize("name", ["$(touch harm).jpg", "a`b`.jpg", 'a"; b.jpg', "a'b.jpg", "the picture"])
def test_a_name_that_a_shell_would_read_is_not_put_into_a_command(name):
    with pytest.raises(PictureError) as caught:
        image.decode(stored("GIF"), 8, name)
    assert str(caught.value).startswith(f"{name} is a GIF picture")
    assert "Image.open(r'FILE')" in str(caught.value)


def test_a_photograph_with_two_pictures_in_it_is_read():
    """MPO, as some phones write it: a JPEG with a second one after it."""
    content = stored("MPO", save_all=True, append_images=[PICTURE])
    corners = np.ix_([0, -1], [0, -1])
    np.testing.assert_allclose(
        image.decode(content, 16)[corners].astype(int), np.asarray(PICTURE)[corners], atol=20
    )
