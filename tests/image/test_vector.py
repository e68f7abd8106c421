"""SVG files: what is read, and that no file costs much time or memory."""

import os
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcourse import image
from mmcourse.data import archives, emoji
from mmcourse.image import PictureError, vector

# SVG: what is read


HEAD = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'


def svg(inside, attributes='viewBox="0 0 32 32"'):
    return f"{HEAD} {attributes}>{inside}</svg>".encode()


QUARTERS = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 0]]], np.uint8)
QUARTERS = QUARTERS.repeat(16, 0).repeat(16, 1)
QUARTERS_SVG = svg(
    '<rect width="16" height="16" fill="#f00"/><rect x="16" width="16" height="16" fill="#0f0"/>'
    '<g><rect y="16" width="16" height="16" fill="#00f"/></g>'
    '<rect id="last" x="16" y="16" width="16" height="16" fill="#ff0"/>'
)


def test_shapes_are_where_they_belong():
    np.testing.assert_array_equal(image.decode_svg(QUARTERS_SVG, 32), QUARTERS)
    assert image.decode_svg(QUARTERS_SVG, 1).shape == (1, 1, 3)


def test_what_is_not_drawn_is_white_and_proportions_stay():
    wide = svg('<rect width="32" height="16"/>', 'viewBox="0 0 32 16"')
    drawn = image.decode_svg(wide, 8)
    assert (drawn[2:6] == 0).all() and (drawn[:2] == 255).all() and (drawn[6:] == 255).all()
    assert (image.decode_svg(svg(""), 8) == 255).all()


@pytest.mark.parametrize("emoji_text", ["😀", "🚀", "🏳️‍🌈", "❤️"])
def test_the_courses_own_files_look_the_same(emoji_text):
    _, content = emoji._find("openmoji", emoji_text)
    expected = emoji.picture_of(emoji_text, 64, "openmoji")
    np.testing.assert_array_equal(image.decode_svg(content, 64), expected)


def test_every_file_of_the_set_passes_the_checks():
    for member, content in archives.read_members("openmoji"):
        if member.endswith(".svg"):
            vector._Document(member, 512).check(content.decode())


def test_references_inside_the_file_are_followed():
    content = svg(
        '<defs><linearGradient id="a"><stop stop-color="#f00"/></linearGradient><g id="b">'
        '<rect width="8" height="8" fill="url(#a)"/></g>'
        '<clipPath id="c"><rect width="4" height="8"/></clipPath>'
        '</defs><use href="#b"/><use xlink:href="#b" x="16" clip-path="url( \'#c\' )" />'
    )
    assert (image.decode_svg(content, 32)[2, 2] == (255, 0, 0)).all()


def test_files(tmp_path):
    path = tmp_path / "图.svg"
    path.write_bytes(QUARTERS_SVG)
    np.testing.assert_array_equal(image.read_svg(path, 32), QUARTERS)
    path.write_bytes(b"no picture")
    with pytest.raises(PictureError, match=r"图\.svg is no SVG file, or damaged"):
        image.read_svg(str(path), 32)
    with pytest.raises(FileNotFoundError):
        image.read_svg(tmp_path / "nowhere.svg", 32)
    with pytest.raises(ValueError, match="size must be at least 1"):
        image.decode_svg(QUARTERS_SVG, 0)
    with pytest.raises(PictureError, match="is an SVG drawing"):
        image.decode(QUARTERS_SVG, 32)


@given(st.integers(0, len(QUARTERS_SVG) - 1))
@settings(deadline=None)
def test_a_file_that_is_cut_short_is_refused(length):
    with pytest.raises(PictureError):
        image.decode_svg(QUARTERS_SVG[:length], 8)


@given(st.data())
@settings(deadline=None, max_examples=100)
def test_a_damaged_file_is_drawn_or_refused(data):
    content = bytearray(QUARTERS_SVG)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        picture = image.decode_svg(bytes(content), 8)
    except PictureError:
        return
    assert picture.shape == (8, 8, 3) and picture.dtype == np.uint8


# SVG: what is refused


def laughs():
    entities = "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(10))
    return f'<!DOCTYPE svg [<!ENTITY a0 "ha">{entities}]>{HEAD}><title>&a10;</title></svg>'.encode()


def uses(levels):
    """Each group uses the one before twice: two to the power of the levels."""
    groups = '<g id="a0"><rect width="1" height="1"/></g>'
    for n in range(levels):
        groups += f'<g id="a{n + 1}"><use href="#a{n}"/><use xlink:href="#a{n}"/></g>'
    return svg(f'<defs>{groups}</defs><use href="#a{levels}"/>')


REFUSED = {
    "entities that unfold": (laughs(), "defines entities"),
    "an entity that names a file": (
        f'<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]>{HEAD}><title>&a;</title></svg>'.encode(),
        "defines entities",
    ),
    "references that unfold": (uses(40), "elements; at a size of 32 at most"),
    "clips that unfold": (
        svg("".join(f'<clipPath id="a{n}" clip-path="url(#a{n + 1})"><use href="#a{n + 1}"/></clipPath>'
                    for n in range(40)) + '<clipPath id="a40"/><rect clip-path="url(#a0)"/>'),
        "elements; at a size of 32 at most",
    ),
    "an element that uses itself": (svg('<g id="a"><use href="#a"/></g>'), "refers to itself"),
    "two that use each other": (
        svg('<g id="a"><use href="#b"/></g><g id="b"><use href="#a"/></g>'), "refers to itself",
    ),
    "a chain of uses": (
        svg("".join(f'<g id="a{n}"><use href="#a{n + 1}"/></g>' for n in range(2000))),
        "through too many elements",
    ),
    "depth": (svg("<g>" * 20_000 + "</g>" * 20_000), "more than 64 deep"),
    "depth in another namespace": (
        svg('<a xmlns="x:y">' + "<g>" * 20_000 + "</g>" * 20_000 + "</a>"), "more than 64 deep",
    ),
    "a huge file": (svg(" " * 300_000), "at most 256,000 are accepted"),
    "many shapes": (svg("<g/>" * 60_000), "at most 48,828"),
    "many dashed lines": (svg('<g stroke-dasharray="1e-9">' + "<path/>" * 400 + "</g>"), "dashed lines"),
    "dashes in a style": (svg('<g style="stroke-dasharray:1">' + "<path/>" * 400 + "</g>"), "dashed lines"),
    "a picture from the net": (svg('<image href="http://example.org/a.png"/>'), "<image> is not drawn"),
    "a picture inside": (svg('<image href="data:image/png;base64,AAAA"/>'), "<image> is not drawn"),
    "a file that is used": (svg('<use href="/etc/passwd#a"/>'), "names another file"),
    "a file that is used, old style": (svg('<use xlink:href="file:///etc/passwd"/>'), "names another file"),
    "paint from a file": (svg('<rect fill="url(other.svg#a)"/>'), "names another file"),
    "paint in a style": (svg('<rect style="fill:URL(&quot;http://a/b&quot;)"/>'), "names another"),
    "a script": (svg("<script>alert(1)</script>"), "<script> is not drawn"),
    "a style sheet": (svg("<style>@import url(http://a)</style>"), "<style> is not drawn"),
    "a style sheet beside it": (
        b'<?xml-stylesheet href="http://a"?>' + QUARTERS_SVG, "processing instruction",
    ),
    "a filter": (svg('<filter id="a"><feGaussianBlur stdDeviation="1e9"/></filter>'), "<filter> is not"),
    "a filter as a function": (svg('<rect filter="blur(9999px)"/>'), "uses filters"),
    "a filter in a style": (svg('<rect style="FILTER:blur(9999px)"/>'), "uses filters"),
    "text": (svg("<text>hello</text>"), "<text> is not drawn"),
    "a pattern": (svg('<pattern id="a"/>'), "<pattern> is not drawn"),
    "a page": (b"<html><body/></html>", "its first element is <html>"),
    "no namespace": (b'<svg width="1" height="1"/>', "its first element is <svg>"),
    "nothing": (b"", "no SVG file, or damaged"),
    "a PNG file": (b"\x89PNG\r\n\x1a\n", "no SVG file in UTF-8"),
    "UTF-16": (QUARTERS_SVG.decode().encode("utf-16"), "no SVG file"),
    "no size": (svg("<rect/>", 'width="0" height="-3"'), "cannot be drawn"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "message"), REFUSED.values(), ids=REFUSED)
def test_what_asks_for_too_much_is_refused_at_once(content, message):
    started = time.process_time()
    with pytest.raises(PictureError, match=message):
        image.decode_svg(content, 32, name="hostile.svg")
    assert time.process_time() - started < 2
    with pytest.raises(PictureError, match=r"^hostile\.svg "):
        image.decode_svg(content, 32, name="hostile.svg")


@pytest.mark.parametrize("inside", ['<image xmlns="" href="#a"/>', '<image xmlns="x:y" href="#a"/>'])
def test_what_stands_in_another_namespace_is_not_drawn(inside):
    assert (image.decode_svg(svg(inside), 8) == 255).all()


# Memory and time, measured


BOMBS = {
    "SVG, a million pixels wide": (
        "decode_svg",
        svg('<rect width="1000000" height="1000000"/>', 'width="1000000" height="1000000"'),
    ),
    "SVG, entities": ("decode_svg", laughs()),
    "SVG, references": ("decode_svg", uses(60)),
    "SVG, depth": ("decode_svg", svg("<g>" * 30_000 + "</g>" * 30_000)),
    "SVG, layers within the limits": (
        "decode_svg",
        svg('<g opacity="0.9"><rect width="32" height="32"/>' * 60 + "</g>" * 60),
    ),
    "SVG, long path within the limits": (
        "decode_svg",
        svg(
            '<path stroke-linejoin="round" stroke="red" stroke-width="9" d="M0 0'
            + "h9v9h-9v-8" * 25_000
            + '"/>'
        ),
    ),
    "SVG, dashes within the limits": (
        "decode_svg",
        svg('<path d="M0 0L32 32" stroke="red" stroke-dasharray="0.0001"/>' * 5),
    ),
}
ALLOWED_MB, ALLOWED_SECONDS = 350, 30


@pytest.mark.parametrize(("function", "content"), BOMBS.values(), ids=BOMBS)
def test_bombs_take_little_memory_and_time(function, content, tmp_path):
    """Measured: the most memory that a process held, against that before the file was read."""
    pytest.importorskip("resource", reason="this system does not tell a process's peak memory")
    assert len(content) < 300_000
    (tmp_path / "bomb").write_bytes(content)
    script = f"""
import pathlib, resource, sys, time
from mmcourse import image
image.decode_svg(b'{HEAD} viewBox="0 0 1 1"/>', 8)  # load the libraries
content = pathlib.Path({str(tmp_path / "bomb")!r}).read_bytes()
unit = 1 if sys.platform == "darwin" else 1024
before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
try:
    shape = image.{function}(content, 512 if "svg" in {function!r} else 64).shape
except image.PictureError as error:
    shape = "refused"
used = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * unit / 1e6
print(shape, used, time.process_time() - started, sep=";")
"""
    found = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
    )
    assert found.returncode == 0, found.stderr
    shape, megabytes, seconds = found.stdout.strip().split(";")
    assert shape in ("refused", "(64, 64, 3)", "(512, 512, 3)")
    assert float(megabytes) < ALLOWED_MB and float(seconds) < ALLOWED_SECONDS
