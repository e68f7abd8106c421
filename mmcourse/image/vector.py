"""SVG files, which ask for work: read only what draws plain shapes, and only as much of it as is cheap.

An SVG file can name other files, define entities that unfold to gigabytes, repeat itself through references,
and hold more drawing than a machine does in an hour. All this is found before anything is drawn.
"""

import re
from pathlib import Path
from xml.parsers import expat

import numpy as np

from mmcourse.image.reading import PictureError, decode

MAX_BYTES = 256_000
MAX_DEPTH = 64
MAX_PAINT = 50_000_000  # shapes times pixels
MAX_DASHED = 25  # elements of a file with dashed lines, each of which may be a million dashes
SVG_NAMESPACE = "http://www.w3.org/2000/svg"
# What is drawn. Filters, patterns, markers, masks, embedded pictures, scripts, styles and text are not.
ELEMENTS = frozenset(
    "svg g defs symbol use path rect circle ellipse line polyline polygon clipPath linearGradient "
    "radialGradient stop title desc metadata".split()
)

URL = re.compile(r"""url\(\s*["']?(#[^)"'\s]+)["']?\s*\)""", re.IGNORECASE)


def decode_svg(content: bytes, size: int, name: str = "the picture") -> np.ndarray:
    """Draw an SVG file as a square ``uint8`` array ``(size, size, 3)`` over white, as ``decode`` does.

    The size that the file declares gives the proportions only.

    Raises:
        PictureError: no SVG of plain shapes, or one that asks for too much; the message says what.
        ValueError: ``size`` is not positive.
    """
    if size < 1:
        raise ValueError(f"size must be at least 1, got {size}")
    if len(content) > MAX_BYTES:
        raise PictureError(
            f"{name} has {len(content):,} bytes; at most {MAX_BYTES:,} are accepted in an SVG file. "
            "Simplify it, or draw it to a PNG file first."
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PictureError(f"{name} is no SVG file in UTF-8: {error}") from error
    _Document(name, size).check(text)

    import resvg_py

    try:
        drawn = bytes(resvg_py.svg_to_bytes(svg_string=text, width=size, height=size, skip_system_fonts=True))
    except Exception as error:  # resvg raises ValueError, and its own panics
        raise PictureError(f"{name} cannot be drawn: {error}") from error
    return decode(drawn, size, name)


def read_svg(path: str | Path, size: int) -> np.ndarray:
    """Draw an SVG file as a square ``uint8`` array ``(size, size, 3)``; see :func:`decode_svg`.

    Raises:
        FileNotFoundError, IsADirectoryError, PermissionError: the file cannot be opened.
        PictureError: as for :func:`decode_svg`.
    """
    with Path(path).open("rb") as file:
        return decode_svg(file.read(MAX_BYTES + 1), size, name=str(path))


class _Document:
    """Reads an SVG once without building anything but a tree of counts; raises PictureError."""

    def __init__(self, name: str, size: int):
        self.name, self.size = name, size
        self.children: list[list[int]] = []  # element -> those in it
        self.references: list[list[str]] = []  # element -> ids that it names
        self.places: dict[str, int] = {}  # id -> element
        self.open: list[int] = []
        self.dashed = False

    def check(self, text: str) -> None:
        parser = expat.ParserCreate("utf-8", namespace_separator=" ")
        parser.StartElementHandler = self.start
        parser.EndElementHandler = lambda tag: self.open.pop()
        parser.EntityDeclHandler = lambda *_: self.refuse("it defines entities")
        parser.ProcessingInstructionHandler = lambda *_: self.refuse("it holds a processing instruction")
        try:
            parser.Parse(text.encode(), True)
        except expat.ExpatError as error:
            raise PictureError(f"{self.name} is no SVG file, or damaged: {error}") from error
        shapes = self.unfolded(0, {}, ())
        if self.dashed and shapes > MAX_DASHED:
            self.refuse(f"it draws {shapes:,} elements with dashed lines; at most {MAX_DASHED} are accepted")
        if shapes * self.size**2 > MAX_PAINT:
            most = MAX_PAINT // self.size**2
            self.refuse(
                f"it draws {shapes:,} elements; at a size of {self.size} at most {most:,} are accepted"
            )

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        namespace, _, element = tag.rpartition(" ")
        here = len(self.children)
        if here == 0 and (namespace, element) != (SVG_NAMESPACE, "svg"):
            raise PictureError(f"{self.name} is no SVG file: its first element is <{element}>")
        if namespace == SVG_NAMESPACE and element not in ELEMENTS:
            self.refuse(f"<{element}> is not drawn by the course, only plain shapes")
        if len(self.open) >= MAX_DEPTH:
            self.refuse(f"its elements stand more than {MAX_DEPTH} deep in one another")
        references = []
        for attribute, value in attributes.items():
            attribute = attribute.rpartition(" ")[2]
            if attribute == "href":
                references.append(value.strip())
            named = URL.findall(value)
            if len(named) != value.lower().count("url("):
                self.refuse(f"it names another file, {value[:60]!r}")
            references += named
            if attribute == "filter" or (attribute == "style" and "filter" in value.lower()):
                self.refuse("it uses filters")
            if attribute == "id":
                self.places.setdefault(value, here)
            self.dashed |= attribute == "stroke-dasharray" or "stroke-dasharray" in value.lower()
        for reference in references:
            if not reference.startswith("#"):
                self.refuse(f"it names another file, {reference[:60]!r}")
        if self.open:
            self.children[self.open[-1]].append(here)
        self.children.append([])
        self.references.append([reference[1:] for reference in references])
        self.open.append(here)

    def unfolded(self, element: int, known: dict[int, int], above: tuple[int, ...]) -> int:
        """How many elements are drawn for one: what it holds, and for each reference what that names."""
        if element in above:
            self.refuse("it holds an element that refers to itself")
        if element not in known:
            inside = [*self.children[element]]
            inside += [self.places[name] for name in self.references[element] if name in self.places]
            if len(above) > 4 * MAX_DEPTH:
                self.refuse("its references lead through too many elements")
            known[element] = 1 + sum(self.unfolded(one, known, (*above, element)) for one in inside)
        return known[element]

    def refuse(self, reason: str) -> None:
        raise PictureError(
            f"{self.name} is refused: {reason}. Draw it to a PNG file first, with a program that you trust."
        )
