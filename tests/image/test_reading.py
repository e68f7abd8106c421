"""Any picture file becomes the same kind of array, and no file can do harm."""

import io
import os
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mmcourse import image
from mmcourse.image import PictureError

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
# Upper left, upper right, lower left, lower right.
QUARTERS = np.array([[RED, GREEN], [BLUE, (255, 255, 0)]], dtype=np.uint8).repeat(16, 0).repeat(16, 1)


def store(picture: Image.Image, kind: str, **options) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def make_png(width, height, lines=b"", bits=8, colour=2, before=b"") -> bytes:
    """A PNG written by hand, which may declare what it does not hold."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    content = zlib.compress(lines)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before + chunk(b"IDAT", content) + chunk(b"IEND", b"")
    )


def grey_16_bit(values: list[list[int]], before: bytes = b"") -> bytes:
    lines = b"".join(b"\0" + struct.pack(f">{len(line)}H", *line) for line in values)
    return make_png(len(values[0]), len(values), lines, bits=16, colour=0, before=before)


def huge_animation(width: int, height: int) -> bytes:
    """A small animated WebP that declares a huge canvas."""
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue")]
    content = bytearray(store(frames[0], "WEBP", save_all=True, append_images=frames[1:]))
    place = content.index(b"VP8X") + 12
    content[place : place + 6] = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return bytes(content)


def noise() -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


FILES = {
    "PNG": store(noise(), "PNG"),
    "PNG, palette": store(noise().quantize(16), "PNG", transparency=3),
    "JPEG": store(noise(), "JPEG"),
    "JPEG, progressive": store(noise(), "JPEG", progressive=True),
    "WebP": store(noise(), "WEBP"),
    "WebP, lossless": store(noise(), "WEBP", lossless=True),
    "WebP, animated": store(noise(), "WEBP", save_all=True, append_images=[Image.new("RGB", (40, 40))]),
}


def assert_is_model_input(picture: np.ndarray, size: int) -> None:
    assert isinstance(picture, np.ndarray)
    assert picture.dtype == np.uint8
    assert picture.shape == (size, size, 3)
    assert picture.flags.c_contiguous


# What a right file becomes


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("colour", [RED, GREEN, BLUE, WHITE, (0, 0, 0), (12, 200, 130)])
@pytest.mark.parametrize("size", [1, 7, 64])
def test_one_colour_stays_that_colour(kind, colour, size):
    options = {"PNG": {}, "JPEG": {"quality": 100, "subsampling": 0}, "WEBP": {"lossless": True}}[kind]
    picture = image.decode(store(Image.new("RGB", (33, 33), colour), kind, **options), size)
    assert_is_model_input(picture, size)
    tolerance = 3 if kind == "JPEG" else 0
    np.testing.assert_allclose(picture.astype(int), np.broadcast_to(colour, (size, size, 3)), atol=tolerance)


def test_left_stays_left_and_above_stays_above():
    picture = image.decode(store(Image.fromarray(QUARTERS), "PNG"), 16)
    # The filter mixes what is within three pixels of an edge.
    for rows in (slice(None, 4), slice(-4, None)):
        for columns in (slice(None, 4), slice(-4, None)):
            expected = QUARTERS[rows, columns]
            np.testing.assert_array_equal(picture[rows, columns], expected)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_picture_of_the_right_size_is_unchanged(kind):
    pixels = np.asarray(noise())
    picture = image.decode(store(noise(), kind, **({"lossless": True} if kind == "WEBP" else {})), 40)
    np.testing.assert_array_equal(picture, pixels)


def test_making_smaller_averages():
    """A chessboard of single pixels becomes grey; taking every n-th pixel would give black or white."""
    board = np.indices((64, 64)).sum(axis=0) % 2 * 255
    picture = image.decode(store(Image.fromarray(np.uint8(board)), "PNG"), 8)
    assert 120 <= picture.min() and picture.max() <= 135


def test_result_may_be_written_to():
    picture = image.decode(FILES["PNG"], 8)
    picture[:4] = 0
    assert picture[:4].max() == 0


@pytest.mark.parametrize("shape", [(60, 30), (30, 60), (60, 31), (61, 2)])
def test_other_shapes_are_padded_with_white(shape):
    width, height = shape
    picture = image.decode(store(Image.new("RGB", shape, RED), "PNG"), 60)
    assert_is_model_input(picture, 60)
    inside = np.zeros((60, 60), dtype=bool)
    left, top = (60 - round(width * 60 / max(shape))) // 2, (60 - round(height * 60 / max(shape))) // 2
    inside[top : 60 - top, left : 60 - left] = True
    red = (picture == RED).all(axis=2)
    white = (picture == WHITE).all(axis=2)
    near_the_edge = np.zeros_like(inside)
    for axis in (0, 1):
        for step in range(-3, 4):
            near_the_edge |= np.roll(inside, step, axis) != inside
    assert red[inside & ~near_the_edge].all()
    assert white[~inside & ~near_the_edge].all()
    assert white.any() and not red.all()


def test_a_line_of_one_pixel_is_a_picture():
    assert_is_model_input(image.decode(store(Image.new("RGB", (500, 1), RED), "PNG"), 8), 8)
    assert_is_model_input(image.decode(store(Image.new("RGB", (1, 1), RED), "PNG"), 8), 8)


def transparent_palette(**options) -> bytes:
    picture = Image.new("P", (8, 8), 1)
    picture.putpalette([0, 0, 0, 255, 0, 0])
    picture.paste(0, (0, 0, 8, 4))
    return store(picture, "PNG", **options)


@pytest.mark.parametrize(
    ("content", "above", "below"),
    [
        pytest.param(transparent_palette(), (0, 0, 0), RED, id="palette"),
        pytest.param(transparent_palette(transparency=0), WHITE, RED, id="palette, one colour transparent"),
        pytest.param(
            transparent_palette(transparency=bytes([0, 127])), WHITE, (255, 128, 128), id="palette with alpha"
        ),
    ],
)
def test_palette(content, above, below):
    picture = image.decode(content, 8)
    np.testing.assert_array_equal(picture[:4], np.broadcast_to(above, (4, 8, 3)))
    np.testing.assert_allclose(picture[4:].astype(int), np.broadcast_to(below, (4, 8, 3)), atol=1)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("RGBA", (255, 0, 0, 255), RED),
        ("RGBA", (255, 0, 0, 0), WHITE),
        ("RGBA", (0, 0, 0, 127), (128, 128, 128)),
        ("RGBA", (0, 0, 255, 51), (204, 204, 255)),
        ("LA", (0, 255), (0, 0, 0)),
        ("LA", (0, 0), WHITE),
        ("LA", (100, 127), (178, 178, 178)),
        ("L", 100, (100, 100, 100)),
        ("1", 1, WHITE),
        ("1", 0, (0, 0, 0)),
    ],
)
def test_transparency_is_laid_over_white_and_grey_becomes_colour(kind, mode, colour, expected):
    stored = Image.new(mode, (8, 8), colour)
    if kind == "WEBP":
        stored = stored.convert("RGBA" if "A" in mode else "RGB")
    picture = image.decode(store(stored, kind, **({"lossless": True} if kind == "WEBP" else {})), 4)
    assert_is_model_input(picture, 4)
    np.testing.assert_allclose(picture.astype(int), np.broadcast_to(expected, (4, 4, 3)), atol=1)


@pytest.mark.parametrize(("mode", "colour"), [("1", 0), ("L", 9), ("RGB", (7, 8, 9))])
def test_a_colour_that_is_declared_transparent_becomes_white(mode, colour):
    content = store(Image.new(mode, (8, 8), colour), "PNG", transparency=colour)
    np.testing.assert_array_equal(image.decode(content, 4), np.full((4, 4, 3), 255))


@pytest.mark.parametrize("value", [0, 100, 255, 256, 10_000, 32_768, 65_535])
def test_16_bit_grey_is_scaled(value):
    picture = image.decode(grey_16_bit([[value] * 4] * 4), 4)
    np.testing.assert_allclose(picture.astype(int), np.full((4, 4, 3), value / 257), atol=1)


def test_16_bit_grey_with_a_transparent_value():
    transparent = chunk(b"tRNS", struct.pack(">H", 1000))
    picture = image.decode(grey_16_bit([[1000, 50_000]] * 2, before=transparent), 2)
    np.testing.assert_array_equal(picture[:, 0], np.full((2, 3), 255))
    np.testing.assert_allclose(picture[:, 1].astype(int), np.full((2, 3), 195), atol=1)


@pytest.mark.parametrize(
    ("inks", "expected"), [((0, 255, 255, 0), RED), ((0, 0, 0, 0), WHITE), ((0, 0, 0, 255), (0, 0, 0))]
)
def test_cmyk(inks, expected):
    picture = image.decode(store(Image.new("CMYK", (16, 16), inks), "JPEG", quality=95), 4)
    np.testing.assert_allclose(picture.astype(int), np.broadcast_to(expected, (4, 4, 3)), atol=4)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize(
    ("orientation", "upright"),
    [
        (1, QUARTERS),
        (2, np.fliplr(QUARTERS)),
        (3, np.rot90(QUARTERS, 2)),
        (4, np.flipud(QUARTERS)),
        (5, QUARTERS.swapaxes(0, 1)),
        (6, np.rot90(QUARTERS, -1)),
        (7, np.rot90(QUARTERS, 2).swapaxes(0, 1)),
        (8, np.rot90(QUARTERS, 1)),
    ],
)
def test_picture_is_turned_upright(kind, orientation, upright):
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"PNG": {}, "JPEG": {"quality": 100, "subsampling": 0}, "WEBP": {"lossless": True}}[kind]
    content = store(Image.fromarray(QUARTERS), kind, exif=exif.tobytes(), **options)
    picture = image.decode(content, 32)
    np.testing.assert_allclose(picture.astype(int), upright.astype(int), atol=3)


def test_a_picture_with_senseless_exif_is_read_or_refused():
    content = store(Image.new("RGB", (8, 8), RED), "PNG", exif=b"Exif\0\0no such thing")
    try:
        picture = image.decode(content, 4)
    except PictureError:
        return
    np.testing.assert_array_equal(picture, np.broadcast_to(RED, (4, 4, 3)))


@pytest.mark.parametrize("kind", ["WEBP", "PNG"])
def test_first_frame_of_an_animation(kind):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue", "blue")]
    options = {"lossless": True} if kind == "WEBP" else {}
    content = store(frames[0], kind, save_all=True, append_images=frames[1:], duration=50, **options)
    with Image.open(io.BytesIO(content)) as opened:
        assert opened.n_frames > 1
    np.testing.assert_array_equal(image.decode(content, 4), np.broadcast_to(RED, (4, 4, 3)))


# What is refused


@pytest.mark.parametrize("size", [0, -1, -64])
def test_size_must_be_positive(size):
    with pytest.raises(ValueError, match=f"size must be at least 1, got {size}"):
        image.decode(FILES["PNG"], size)


@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF\0\1\0\0WEBP"]),
)
@settings(deadline=None)
def test_random_bytes_are_refused(content, beginning):
    with pytest.raises(PictureError):
        image.decode(beginning + content, 8)


@pytest.mark.parametrize("kind", FILES)
@given(data=st.data())
@settings(deadline=None, max_examples=60)
def test_a_file_that_is_cut_short_is_refused(kind, data):
    content = FILES[kind]
    length = data.draw(st.integers(0, len(content) - 1))
    try:
        picture = image.decode(content[:length], 16)
    except PictureError:
        return
    # Only what follows the pixels may be missing.
    assert length > len(content) - 25
    np.testing.assert_array_equal(picture, image.decode(content, 16))


@pytest.mark.parametrize("kind", FILES)
def test_half_a_file_is_refused(kind):
    with pytest.raises(PictureError, match=r"^half of it is a \w+ file that is damaged or cut short"):
        image.decode(FILES[kind][: len(FILES[kind]) // 2], 16, name="half of it")


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("kind", FILES)
@given(data=st.data())
@settings(deadline=None, max_examples=60)
def test_a_damaged_file_is_read_or_refused(kind, data):
    content = bytearray(FILES[kind])
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, min(len(content), 200) - 1))] = data.draw(st.integers(0, 255))
    # Sizes that are allowed, but slow, are another test's subject.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(image.reading, "MAX_PIXELS", 10_000)
        try:
            picture = image.decode(bytes(content), 8)
        except PictureError:
            return
    assert_is_model_input(picture, 8)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("shape", [(8000, 8000), (10_000, 10_000), (60_000, 60_000), (2**31 - 1, 1)])
def test_too_many_pixels_are_refused_before_they_are_unpacked(shape):
    started = time.perf_counter()
    with pytest.raises(PictureError, match=r"bomb\.png has .*pixels"):
        image.decode(make_png(*shape), 8, name="bomb.png")
    assert time.perf_counter() - started < 1


def test_message_about_too_many_pixels_says_how_many_are_accepted():
    with pytest.raises(PictureError, match=r"8000 x 7000 pixels; at most 50,000,000 are accepted"):
        image.decode(make_png(8000, 7000), 8)


HOSTILE = {
    "a declared size of 60,000 x 60,000": make_png(60_000, 60_000),
    "a declared size of 6,000 x 8,000, cut short": make_png(6000, 8000),
    "a line of 60,000 pixels": store(Image.new("1", (60_000, 2), 1), "PNG"),
    "a column of 60,000 pixels": store(Image.new("1", (2, 60_000), 1), "PNG"),
    "an animation of 60,000 x 60,000": huge_animation(60_000, 60_000),
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_a_small_file_cannot_take_much_memory(content, tmp_path):
    pytest.importorskip("resource", reason="this system cannot limit the memory of a process")
    (tmp_path / "hostile").write_bytes(content)
    script = f"""
import pathlib, resource, psutil
from mmcourse import image
content = pathlib.Path({str(tmp_path / "hostile")!r}).read_bytes()
limit = psutil.Process().memory_info().vms + 600_000_000
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
try:
    print(image.decode(content, 8).shape)
except image.PictureError:
    print("refused")
"""
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    found = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
    )
    assert found.returncode == 0, found.stderr
    assert found.stdout.strip() in ("refused", "(8, 8, 3)")


# Files


def test_read_gives_what_decode_gives(tmp_path):
    path = tmp_path / "红心 picture.png"
    path.write_bytes(FILES["PNG"])
    expected = image.decode(FILES["PNG"], 16)
    np.testing.assert_array_equal(image.read(path, 16), expected)
    np.testing.assert_array_equal(image.read(str(path), 16), expected)


def test_the_content_counts_and_not_the_ending(tmp_path):
    (tmp_path / "picture.txt").write_bytes(FILES["JPEG"])
    assert_is_model_input(image.read(tmp_path / "picture.txt", 8), 8)
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(PictureError, match=r"text\.png is a text, not a picture"):
        image.read(tmp_path / "text.png", 8)


def test_message_names_the_file(tmp_path):
    (tmp_path / "half.png").write_bytes(FILES["PNG"][:2000])
    with pytest.raises(PictureError, match=r"half\.png is a PNG file that is damaged or cut short"):
        image.read(tmp_path / "half.png", 8)


def test_file_that_cannot_be_opened(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.png"):
        image.read(tmp_path / "nowhere.png", 8)
    with pytest.raises((IsADirectoryError, PermissionError)):
        image.read(Path(tmp_path), 8)


def test_picture_error_is_a_value_error():
    assert issubclass(PictureError, ValueError)
