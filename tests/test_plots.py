"""Tables that no text can break out of, and figures that can be drawn without a screen."""

import base64
import io
from html.parser import HTMLParser

import matplotlib
import numpy as np
import pytest
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from mmcourse import plots, show
from mmcourse.evaluation import texts

TAGS = {"table", "thead", "tbody", "tr", "th", "td", "img"}
HOSTILE = '</td><script>alert("x")</script>&amp;<img src=x onerror=\'y\'> "quoted"'


class Reader(HTMLParser):
    """Reads a table back: tags with attributes, and the texts of its cells."""

    def __init__(self, code: str):
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.open: list[str] = []
        self.head: list[str] = []
        self.rows: list[list[str]] = []
        self.feed(code)
        self.close()
        assert self.open == [], "every element is closed"

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag != "img":
            self.open.append(tag)
        if tag == "tr" and "tbody" in self.open:
            self.rows.append([])
        elif tag == "td" and "tbody" in self.open:
            self.rows[-1].append("")
        elif tag in ("th", "td"):  # a column without a name has no heading
            self.head.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1] == "th":
            self.head[-1] += data
        else:
            assert self.open[-1] == "td"
            self.rows[-1][-1] += data

    def of(self, tag: str) -> list[dict]:
        return [attributes for name, attributes in self.tags if name == tag]


def read(table: show.Table) -> Reader:
    return Reader(table._repr_html_())


def picture(side: int = 12, colour=(200, 30, 30)) -> np.ndarray:
    return np.full((side, side, 3), colour, dtype=np.uint8)


@pytest.fixture(autouse=True)
def close_figures():
    with matplotlib.rc_context():
        yield
        plt.close("all")


# Tables


def test_table_holds_its_texts_in_their_places():
    found = read(
        show.Table(["language", "name"], [["English", "red heart"], ["Chinese", "红心"], ["number", 3]])
    )
    assert found.head == ["language", "name"]
    assert found.rows == [["English", "red heart"], ["Chinese", "红心"], ["number", "3"]]
    assert all(attributes == {"scope": "col"} for attributes in found.of("th"))
    (attributes,) = found.of("table")
    assert "pictures" in attributes["class"].split()


def test_table_without_rows():
    found = read(show.Table(["name"], []))
    assert (found.head, found.rows) == (["name"], [])


def test_table_takes_any_sequence_and_keeps_its_own_copy():
    rows = [("a", 1)]
    table = show.Table(("name", "number"), iter(rows))
    rows.append(("b", 2))
    assert read(table).rows == [["a", "1"]]


CELLS = st.text() | st.integers() | st.floats() | st.none() | st.just(HOSTILE)


@given(
    st.lists(st.text() | st.just(HOSTILE), min_size=1, max_size=4),
    st.lists(st.lists(CELLS, max_size=4), max_size=4),
)
@settings(deadline=None)
def test_no_text_leaks_into_the_page(columns, rows):
    table = show.Table(columns, [[*row, picture(2)] for row in rows])
    found = read(table)
    assert {tag for tag, _ in found.tags} <= TAGS
    names = {name for _, attributes in found.tags for name in attributes}
    assert names <= {"class", "scope", "alt", "width", "height", "src"}
    assert found.head == columns
    assert found.rows == [[*(str(cell) for cell in row), ""] for row in rows]
    for row, attributes in zip(rows, found.of("img"), strict=True):
        texts = [cell for cell in row if isinstance(cell, str)]
        assert attributes["alt"] == (f"The picture of: {texts[0]}" if texts else "A picture")


def test_hostile_text_is_escaped():
    code = show.Table([HOSTILE], [[picture(), HOSTILE]])._repr_html_()
    assert "<script" not in code and "onerror='y'" not in code
    assert code.count("<img ") == 1
    assert "&lt;script&gt;" in code and "&amp;amp;" in code
    found = Reader(code)
    assert found.head == [HOSTILE]
    assert found.rows == [["", HOSTILE]]
    assert found.of("img")[0]["alt"] == f"The picture of: {HOSTILE}"


@pytest.mark.parametrize("side", [1, 12, 64, 72])
def test_picture_is_shown_in_its_own_size_and_colours(side):
    shown = picture(side)
    shown[: side // 2] = (10, 20, 240)
    (attributes,) = read(show.Table(["picture", "name"], [[shown, "red"]])).of("img")
    assert (attributes["width"], attributes["height"]) == (str(side), str(side))
    kind, content = attributes["src"].split(",")
    assert kind == "data:image/png;base64"
    with Image.open(io.BytesIO(base64.b64decode(content, validate=True)), formats=["PNG"]) as stored:
        np.testing.assert_allclose(np.asarray(stored.convert("RGB")).astype(int), shown.astype(int), atol=2)


def test_alternative_text_is_the_first_text_of_the_row():
    rows = [
        ["first", picture(), "second"],
        [3, picture(), "only"],
        [3, picture()],
        [picture(), picture(), "both"],
    ]
    alternatives = [attributes["alt"] for attributes in read(show.Table(["a", "b", "c"], rows)).of("img")]
    assert alternatives == [
        "The picture of: first",
        "The picture of: only",
        "A picture",
        "The picture of: both (a)",
        "The picture of: both (b)",
    ]


def test_several_pictures_without_headings_have_the_text_of_the_row():
    table = show.Table(["", "name"], [[picture(), "a cat", picture()]])
    assert [attributes["alt"] for attributes in read(table).of("img")] == ["The picture of: a cat"] * 2


def test_alternative_text_can_be_of_another_column():
    table = show.Table(["picture", "prompt", "answer"], [[picture(), "what is this", "dragon"]], describe=2)
    assert read(table).of("img")[0]["alt"] == "The picture of: dragon"


def test_table_with_many_pictures_is_small():
    smooth = np.stack(np.meshgrid(np.arange(64), np.arange(64), np.arange(1)), axis=-1)[:, :, 0] * 4
    code = show.Table(["picture"], [[smooth.astype(np.uint8)]] * 10)._repr_html_()
    assert len(code) < 60_000


def test_table_in_a_terminal():
    table = show.Table(["picture", "name", "number"], [[picture(), "red heart", 3], [picture(), "红心", 0.5]])
    assert repr(table) == "picture | name | number\n[picture] | red heart | 3\n[picture] | 红心 | 0.5"


# Figures


def drawn(figure: plt.Figure) -> bytes:
    assert isinstance(figure, plt.Figure)
    file = io.BytesIO()
    figure.savefig(file, format="png")
    plt.close(figure)
    assert plt.get_fignums() == []
    return file.getvalue()


def test_style_colours_and_markers_belong_together():
    plots.use_style()
    assert len(plots.COLOURS) == len(plots.MARKERS) == len(set(plots.COLOURS)) == len(set(plots.MARKERS))
    cycle = list(plt.rcParams["axes.prop_cycle"])
    assert [entry["color"] for entry in cycle] == list(plots.COLOURS)
    assert [entry["marker"] for entry in cycle] == list(plots.MARKERS)


def contrast(colour: str) -> float:
    """The contrast of a colour with white, as defined by WCAG 2."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 1.05 / (0.05 + np.dot([0.2126, 0.7152, 0.0722], linear))


@pytest.mark.parametrize("colour", plots.COLOURS)
def test_colours_can_be_read_on_white(colour):
    assert contrast(colour) >= 4.5


def test_mask_figure_fills_what_is_true():
    mask = np.tril(np.ones((4, 4), dtype=bool))
    mask[:, :2] = True
    labels = ["picture 1", "picture 2", "answer 1", "answer 2"]
    figure = plots.mask_figure(mask, labels)
    (axes,) = figure.axes
    np.testing.assert_array_equal(np.asarray(axes.images[0].get_array()) > 0, mask)
    dots = {(int(text.get_position()[1]), int(text.get_position()[0])) for text in axes.texts}
    assert dots == set(zip(*np.nonzero(mask), strict=True))
    for ticks in (axes.get_xticklabels(), axes.get_yticklabels()):
        assert [tick.get_text() for tick in ticks] == labels
    assert axes.get_xlabel() == "token that is looked at" and axes.get_ylabel() == "token that looks"
    assert len(drawn(figure)) > 1000


def test_learning_curves_show_the_history():
    history = [{"loss": 2.0, "exact": 0.1}, {"loss": 0.5, "exact": 0.4}, {"loss": 0.2, "exact": 0.8}]
    plots.use_style()
    figure = plots.learning_curves(history, {"loss": "training loss"}, {"exact": "English"})
    left, right = figure.axes
    for axes, key, label in ((left, "loss", "training loss"), (right, "exact", "English")):
        (line,) = axes.lines
        assert line.get_xdata().tolist() == [1, 2, 3]
        assert list(line.get_ydata()) == [entry[key] for entry in history]
        assert axes.get_legend_handles_labels()[1] == [label]
        assert axes.get_xlabel() == "epoch" and axes.get_ylabel()
    assert left.get_yscale() == "log" and right.get_ylim() == (0, 1)
    assert len(drawn(figure)) > 1000


def test_learning_curves_of_one_epoch():
    figure = plots.learning_curves([{"loss": 2.0, "exact": 0.0}], {"loss": "loss"}, {"exact": "English"})
    assert len(drawn(figure)) > 1000


def test_bars_show_scores_with_their_intervals():
    names = ["red heart", "blue heart", "red apple", "green apple"]
    scores = {
        "full input": {
            "en": texts.score(names, names),
            "zh": texts.score([*names[:2], "", ""], names),
        },
        "blank image": {
            "en": texts.score(["", "", "", ""], names),
            "zh": texts.score([*names[:1], "", "", ""], names),
        },
    }
    figure = plots.bars(scores, {"en": "English", "zh": "Chinese"})
    (axes,) = figure.axes
    bars = [container for container in axes.containers if hasattr(container, "patches")]
    assert [[bar.get_width() for bar in container] for container in bars] == [[1.0, 0.0], [0.5, 0.25]]
    assert axes.get_legend_handles_labels()[1] == ["English", "Chinese"]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["full input", "blank image"]
    assert [text.get_text() for text in axes.texts] == ["1.00", "0.00", "0.50", "0.25"]
    ends = [
        [segment[:, 0].tolist() for segment in container.errorbar.lines[2][0].get_segments()]
        for container in bars
    ]
    for container, language in zip(ends, ("en", "zh"), strict=True):
        for found, row in zip(container, scores.values(), strict=True):
            assert found == pytest.approx(row[language]["exact_interval"], abs=1e-9)
    assert len(drawn(figure)) > 1000


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 300), st.sampled_from([1, 3])), max_size=7))
@settings(deadline=None, max_examples=30)
def test_gallery_holds_every_picture_with_its_title(shapes):
    random = np.random.default_rng(0)
    pictures = {
        f"{number} {HOSTILE}": random.integers(0, 256, shape, dtype=np.uint8)
        for number, shape in enumerate(shapes)
    }
    gallery = show.Gallery(pictures, side=50)
    page = BeautifulSoup(gallery._repr_html_(), "html.parser")
    assert {tag.name for tag in page.find_all()} <= {"div", "figure", "figcaption", "img"}
    assert [caption.get_text() for caption in page.find_all("figcaption")] == list(pictures)
    images = [tag.attrs for tag in page.find_all("img")]
    assert [attributes["alt"] for attributes in images] == [f"The picture of: {title}" for title in pictures]
    for attributes, (height, width, _) in zip(images, shapes, strict=True):
        kind, content = attributes["src"].removeprefix("data:image/").split(";base64,")
        shown = Image.open(io.BytesIO(base64.b64decode(content)))
        assert shown.format.lower() == kind and max(shown.size) <= 50
        sides = int(attributes["height"]), int(attributes["width"])
        assert max(sides) == 50 and sides[np.argmin([height, width])] == min(sides)
    assert repr(gallery).count("[picture]") == len(pictures)


def test_picture_grid_draws_each_picture_once_under_its_title():
    pictures = [np.full((2, 3), place) for place in range(5)]
    figure = plots.picture_grid(pictures, list("abcde"), columns=3)
    shown = [axes for axes in figure.axes if axes.images]
    assert len(figure.axes) == 6 and len(shown) == 5
    assert [axes.get_title() for axes in shown] == list("abcde")
    for axes, picture in zip(shown, pictures, strict=True):
        np.testing.assert_array_equal(axes.images[0].get_array(), picture)
    assert not any(axes.axison for axes in figure.axes)
    plt.close(figure)


def test_picture_grid_of_signed_numbers_has_one_scale():
    figure = plots.picture_grid([np.eye(2), -np.eye(2)], limit=3)
    assert len(figure.axes) == 2
    assert all(axes.images[0].get_clim() == (-3, 3) for axes in figure.axes)
    plt.close(figure)
