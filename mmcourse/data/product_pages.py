"""Screenshots of an invented shop, and questions that customers ask about them (notebook 61).

A page of 80 x 64 pixels shows one product: its picture (an emoji, see :mod:`mmcourse.data.emoji`), what it
costs new and used, its stars, how many are left, and the days until it arrives. A layout says in which order
these stand and in which letters they are set. No shop, price or customer is real; see
``book/datasheets/product-pages.md``.
"""

import functools
from dataclasses import dataclass, replace
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mmcourse import store
from mmcourse.data import emoji

HEIGHT, WIDTH, PICTURE, LINE = 80, 64, 24, 11  # pixels: of a page, of a product's picture, of a line
NAMES = {"guitar": "🎸", "camera": "📷", "backpack": "🎒", "umbrella": "🌂", "dress": "👗", "watch": "⌚",
         "bicycle": "🚲", "piano": "🎹", "phone": "📱", "hat": "🎩"}  # fmt: skip
PRODUCTS = tuple(NAMES)
FIELDS = ("product", "new", "used", "stars", "left", "days")
FONTS = {
    "sans": "DejaVuSans",
    "bold": "DejaVuSans-Bold",
    "serif": "DejaVuSerif",
    "times": "STIXGeneral",  # in no layout that is known
}
# Colour of the ground and of the letters.
LOOKS = (((255, 255, 255), (30, 30, 30)), ((255, 246, 224), (70, 40, 10)), ((226, 240, 255), (10, 40, 90)))
SPLITS = ("shop", "known", "new order", "new size", "new font")
PROMPTS = {
    "product": "what is it",
    "new": "what does it cost new",
    "used": "what does it cost used",
    "cheaper": "which is cheaper",
    "stars": "how many stars has it",
    "left": "is it in stock",
    "days": "how many days does it take",
}
TASKS = tuple(PROMPTS)


@dataclass(frozen=True)
class Layout:
    """How a shop sets its pages.

    Attributes:
        order: the :data:`FIELDS` from top to bottom.
        font: one of :data:`FONTS`.
        size: of the letters, in pixels.
        align: 0 for the left edge, 0.5 for the middle, 1 for the right edge.
        look: number of a pair of :data:`LOOKS`.
    """

    order: tuple[str, ...] = FIELDS
    font: str = "sans"
    size: int = 9
    align: float = 0.5
    look: int = 0


SHOP = Layout()  # of the shop that we work for


@dataclass(frozen=True)
class Page:
    """What a page says.

    Attributes:
        product: a number of :data:`PRODUCTS`.
        new, used: two different prices, 10 to 99.
        stars: 1 to 5.
        left: how many are in stock, 0 to 9.
        days: until it arrives, 1 to 9.
    """

    product: int
    new: int
    used: int
    stars: int
    left: int
    days: int


def draw_page(random: np.random.Generator) -> Page:
    """A page drawn at random. Nothing is left on one in four; used is the dearer one as often as not."""
    new, used = random.choice(np.arange(10, 100), size=2, replace=False)
    left = random.integers(1, 10) * (random.random() < 0.75)
    values = random.integers(len(PRODUCTS)), new, used, random.integers(1, 6), left, random.integers(1, 10)
    return Page(*map(int, values))


def answer(page: Page, task: str) -> str:
    """The true answer to a question of :data:`PROMPTS`.

    Raises:
        ValueError: an unknown task.
    """
    if task not in PROMPTS:
        raise ValueError(f"unknown task {task!r}; expected one of: {', '.join(TASKS)}")
    if task == "product":
        return PRODUCTS[page.product]
    if task == "cheaper":
        return "new" if page.new < page.used else "used"
    if task == "left":
        return "yes" if page.left else "no"
    return str(getattr(page, task))


@functools.cache
def known_layouts(number: int = 24, seed: int = 61) -> tuple[Layout, ...]:
    """The shop's own layout and others, each with an order, a font, a size and colours drawn at random."""
    random = np.random.default_rng(seed)
    drawn = [SHOP]
    while len(drawn) < number:
        layout = Layout(
            tuple(random.permutation(FIELDS).tolist()),
            str(random.choice(["sans", "bold", "serif"])),
            int(random.choice([8, 9, 10])),
            float(random.choice([0, 0.5, 1])),
            int(random.integers(len(LOOKS))),
        )
        if layout.order not in {one.order for one in drawn}:
            drawn.append(layout)
    return tuple(drawn)


def draw_layout(split: str, random: np.random.Generator) -> Layout:
    """A layout of a split.

    - *shop*: the shop's own.
    - *known*: one of :func:`known_layouts`.
    - *new order*, *new size*, *new font*: one of those with an order that none of them has, with letters of
      12 pixels in place of 8 to 10, or in a font that none of them has.

    Raises:
        ValueError: an unknown split.
    """
    if split not in SPLITS:
        raise ValueError(f"unknown split {split!r}; expected one of: {', '.join(SPLITS)}")
    if split == "shop":
        return SHOP
    layouts = known_layouts()
    layout = layouts[int(random.integers(len(layouts)))]
    if split == "new order":
        orders = {one.order for one in layouts}
        while layout.order in orders:
            layout = replace(layout, order=tuple(random.permutation(FIELDS).tolist()))
    elif split == "new size":
        layout = replace(layout, size=12, font="serif" if layout.font == "serif" else "sans")
    elif split == "new font":
        layout = replace(layout, font="times", size=layout.size + 1)
    return layout


def text_of(field: str, value: int) -> str:
    """What a page writes: "new € 47", "★★★☆☆", "2 left", "3 days".

    Raises:
        ValueError: a field that is not written, such as the picture.
    """
    if field in ("new", "used"):
        return f"{field} €{value}"
    if field == "stars":
        return "★" * value + "☆" * (5 - value)
    if field in ("left", "days"):
        return f"{value} {field}"
    raise ValueError(f"{field!r} is not written; expected one of: {', '.join(FIELDS[1:])}")


def box_of(layout: Layout, field: str) -> tuple[int, int]:
    """The first row of a field, and the row after its last."""
    before = layout.order[: layout.order.index(field)]
    top = LINE * len(before) + (PICTURE - LINE) * ("product" in before)
    return top, top + (PICTURE if field == "product" else LINE)


def digit_box(layout: Layout, field: str, value: int, digit: int = 0) -> tuple[float, float, float, float]:
    """Where a digit of a number stands, or a field that is no number: first and last row and column.

    Args:
        digit: of a price, 0 or 1; the other numbers have one.
    """
    top, bottom = box_of(layout, field)
    if field in ("product", "stars"):
        width = (
            PICTURE
            if field == "product"
            else _written(text_of(field, value), layout.font, layout.size).shape[1]
        )
        first = 1 + round(layout.align * (WIDTH - 2 - width))
        return top, bottom, first, first + width
    text, letters = text_of(field, value), _letters(layout.font, layout.size)
    place = len(text) - 2 + digit if field in ("new", "used") else 0
    first = 1 + round(layout.align * (WIDTH - 2 - _written(text, layout.font, layout.size).shape[1]))
    return top, bottom, first + letters.getlength(text[:place]), first + letters.getlength(text[: place + 1])


def draw(page: Page, layout: Layout = SHOP) -> np.ndarray:
    """The screenshot of a page: ``uint8`` ``(80, 64, 3)``."""
    picture = np.empty((HEIGHT, WIDTH, 3), dtype=np.uint8)
    picture[:] = LOOKS[layout.look][0]
    for field in FIELDS:
        top, bottom = box_of(layout, field)
        picture[top:bottom] = strip(layout, field, getattr(page, field))
    return picture


@functools.lru_cache(maxsize=20_000)
def strip(layout: Layout, field: str, value: int) -> np.ndarray:
    """The rows of a page that show one field: ``uint8`` ``(rows, 64, 3)``."""
    ground, ink = (np.array(colour, dtype=np.float32) for colour in LOOKS[layout.look])
    if field == "product":
        colour, opacity = _sprite(value)
    else:
        colour, opacity = ink, _written(text_of(field, value), layout.font, layout.size)
    height, width = opacity.shape[:2]
    row = np.empty((height, WIDTH, 3), dtype=np.float32)
    row[:] = ground
    first = 1 + round(layout.align * (WIDTH - 2 - width))
    there = row[:, first : first + width]
    there += opacity * (colour - there)
    return row.round().astype(np.uint8)


@functools.cache
def _written(text: str, font: str, size: int) -> np.ndarray:
    """How much ink each pixel of a line has: ``float32`` ``(11, width, 1)``, 0 to 1."""
    letters = _letters("sans" if text[0] in "★☆" else font, size)
    field = Image.new("L", (min(WIDTH - 2, int(np.ceil(letters.getlength(text)))), LINE))
    ImageDraw.Draw(field).text((0, LINE - 2), text, fill=255, font=letters, anchor="ls")
    return np.array(field, dtype=np.float32)[..., None] / 255


@functools.cache
def _letters(font: str, size: int) -> ImageFont.FreeTypeFont:
    path = Path(matplotlib.get_data_path(), "fonts", "ttf", f"{FONTS[font]}.ttf")
    return ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.BASIC)


def _sprite(product: int) -> tuple[np.ndarray, np.ndarray]:
    """A product's picture: colours ``(24, 24, 3)`` and opacity ``(24, 24, 1)`` from 0 to 1."""
    drawn = _sprites()[product].astype(np.float32)
    return drawn[..., :3], drawn[..., 3:] / 255


@functools.cache
def _sprites() -> np.ndarray:
    def build() -> dict[str, np.ndarray]:
        return {"all": np.stack([emoji.cutout_of(text, PICTURE) for text in NAMES.values()])}

    return store.arrays("product-pictures", [__name__], build)["all"]


@dataclass(frozen=True)
class Exam:
    """Screenshots, each with one question, so that no two questions share a page.

    Attributes:
        pages, layouts: what each screenshot shows, and how.
        tasks: what is asked about each, in turn those of :data:`TASKS`.
        images: ``uint8`` ``(pages, 80, 64, 3)``.
        answers: the true ones.
    """

    pages: tuple[Page, ...]
    layouts: tuple[Layout, ...]
    tasks: tuple[str, ...]
    images: np.ndarray
    answers: tuple[str, ...]

    @classmethod
    def draw(cls, split: str, number: int, seed: int = 1) -> "Exam":
        """Draw that many pages in layouts of a split; see :func:`draw_layout`."""
        random = np.random.default_rng([seed, SPLITS.index(split) if split in SPLITS else 0])
        drawn = [(draw_page(random), draw_layout(split, random)) for _ in range(number)]
        pages, layouts = zip(*drawn, strict=True)
        tasks = tuple(TASKS[number % len(TASKS)] for number in range(number))
        images = np.stack([draw(*both) for both in drawn])
        answers = tuple(answer(page, task) for page, task in zip(pages, tasks, strict=True))
        return cls(pages, layouts, tasks, images, answers)

    @property
    def prompts(self) -> list[str]:
        """The questions as they are asked."""
        return [PROMPTS[task] for task in self.tasks]


def statistics() -> dict[str, int]:
    """Figures of the set for its datasheet: label -> number."""
    several = [draw_page(np.random.default_rng(number)) for number in range(1000)]
    return {
        "products": len(PRODUCTS),
        "questions about each page": len(TASKS),
        "known layouts": len(known_layouts()),
        "pages of 1,000 on which nothing is left": sum(page.left == 0 for page in several),
        "pages of 1,000 on which used is dearer than new": sum(page.used > page.new for page in several),
    }
