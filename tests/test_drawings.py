"""The drawings: readable on a phone and in the dark, with a title, and without anything from outside."""

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

import mmcourse
from mmcourse import show

PATHS = sorted((Path(mmcourse.__file__).parent / "drawings").glob("*.svg"))
SVG = "{http://www.w3.org/2000/svg}"
PHONE, LEAST = 360, 8 * 96 / 72  # width of a phone in CSS pixels; eight points in CSS pixels

pytestmark = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)


def test_it_says_what_it_shows(path):
    root = ElementTree.parse(path).getroot()
    assert root.tag == f"{SVG}svg" and root.get("role") == "img"
    assert len(root.findtext(f"{SVG}title", "")) > 5 and len(root.findtext(f"{SVG}desc", "")) > 30


def test_its_words_are_large_enough_for_a_phone(path):
    root = ElementTree.parse(path).getroot()
    _, _, width, _ = map(float, root.get("viewBox").split())
    sizes = [
        float(size) for size in re.findall(r"font-size[=:]\s*\"?([\d.]+)", path.read_text(encoding="utf-8"))
    ]
    assert sizes and min(sizes) * min(1, PHONE / width) >= LEAST - 0.01


def test_it_has_a_light_ground_of_its_own_so_that_it_can_be_read_in_the_dark(path):
    """An SVG in an image does not see the page's colours: its first shape fills the whole picture."""
    root = ElementTree.parse(path).getroot()
    _, _, width, height = map(float, root.get("viewBox").split())
    ground = root.find(f"{SVG}rect")
    assert (float(ground.get("width")), float(ground.get("height"))) == (width, height)
    red, green, blue = (int(ground.get("fill")[i : i + 2], 16) for i in (1, 3, 5))
    assert min(red, green, blue) >= 0xF0


def test_it_loads_nothing_and_is_small(path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"<script|<foreignObject|<image|href=|@import|url\(http", text)
    assert len(text) < 30_000


def test_a_notebook_can_show_it(path):
    assert show.diagram(path.stem)._repr_svg_() == path.read_text(encoding="utf-8")
    with pytest.raises(ValueError, match="there is no drawing"):
        show.diagram("nothing")
