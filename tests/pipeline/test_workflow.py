"""The charts of notebook 12: the article's as printed, the corrected one, its drawing, and their reader."""

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mmcourse
from mmcourse.pipeline import workflow

ROOT = Path(mmcourse.__file__).parents[1]
DRAWING = ROOT / "mmcourse" / "drawings" / "workflow.svg"
NAMES = st.sampled_from("ABCDEFGH")
TEXTS = st.text("abc 数据", min_size=1, max_size=6)
article, corrected = (workflow.read_chart(source) for source in (workflow.ARTICLE, workflow.CORRECTED))


def test_errata_2_01_the_last_text_of_a_node_counts_so_that_collecting_vanishes():
    assert article.nodes["A"] == "迭代更新" and "数据采集" not in article.nodes.values()
    assert workflow.ARTICLE.count("数据采集") == 1
    assert corrected.nodes["A"].endswith("数据采集")
    assert workflow.Edge("J", "A", "iterate 迭代更新") in corrected.edges


def test_errata_2_02_four_edges_let_four_steps_be_skipped_and_none_in_the_corrected_chart():
    assert len(article.edges) == 14
    assert {("A", "B"), ("B", "C"), ("C", "D"), ("D", "E")} <= article.pairs()
    assert workflow.skippable(article.pairs(), "A", "E") == set("FGHI")
    assert workflow.skippable(corrected.pairs(), "A", "E") == set()


def test_errata_2_03_the_corrected_chart_has_a_split_and_goes_back():
    assert not {("H", "C"), ("I", "C"), ("I", "D"), ("I", "A")} & article.pairs()
    assert {("A", "S"), ("H", "C"), ("I", "A"), ("J", "A")} <= corrected.pairs()
    assert ("I", "C") not in corrected.pairs(), "the test part must not steer the training"


def test_errata_2_04_ten_nodes_and_an_edge_label():
    assert len(article.nodes) == 10
    assert set(corrected.nodes) == set(article.nodes) | {"S"}
    assert not any("迭代更新" in text for text in corrected.nodes.values())


def test_the_drawing_shows_the_corrected_chart():
    root = ElementTree.parse(DRAWING).getroot()
    drawn = [e.get("data-edge") for e in root.iter() if e.get("data-edge")]
    assert sorted(drawn) == sorted("".join(pair) for pair in corrected.pairs())
    boxes = {e.get("data-node"): "".join(e.itertext()) for e in root.iter() if e.get("data-node")}
    assert set(boxes) == set(corrected.nodes)
    for node, text in boxes.items():
        assert corrected.nodes[node].split()[0] in text, node
        numbers = tuple(int(number) for number in re.findall(r"\d+", text))
        assert numbers == workflow.NOTEBOOKS[node], node


def test_every_notebook_that_the_drawing_names_is_there():
    there = {int(path.stem[:2]) for path in (ROOT / "notebooks").glob("*.ipynb")} | {12}
    assert {number for numbers in workflow.NOTEBOOKS.values() for number in numbers} <= there


@given(st.lists(st.tuples(NAMES, TEXTS | st.none(), TEXTS | st.none(), NAMES, TEXTS | st.none()), max_size=8))
def test_what_is_written_is_read_again(lines):
    lines = [[part.strip() or None if part is not None else None for part in line] for line in lines]
    source, texts = "flowchart LR\n", {}
    for start, first, label, end, second in lines:
        for name, text in ((start, first), (end, second)):
            texts[name] = text or texts.get(name, name)
        bars = f"|{label}|" if label else ""
        source += (
            f"  {start}{f'[{first}]' if first else ''} -->{bars} {end}{f'[{second}]' if second else ''}\n"
        )
    chart = workflow.read_chart(source)
    assert chart.nodes == texts
    assert chart.edges == [(start, end, label or "") for start, _, label, end, _ in lines]


@pytest.mark.parametrize("source", ["", "A --> B", "pie\nA --> B"])
def test_what_is_no_chart_is_refused(source):
    with pytest.raises(ValueError, match="begins with"):
        workflow.read_chart(source)


@pytest.mark.parametrize("line", ["A -> B", "A[text", "A --> ", "A[x] --> B[y] --> C[z]", "A --- B"])
def test_a_line_that_is_no_edge_is_named(line):
    with pytest.raises(ValueError, match="expected an edge") as raised:
        workflow.read_chart(f"graph TD\nA --> B\n{line}")
    assert repr(line.strip()) in str(raised.value)


@pytest.mark.parametrize(
    ("edges", "expected"),
    [
        ("AB BE", ""),
        ("AB BE AE", "B"),
        ("AB BC CE BE", "C"),
        ("AB BE EJ JA", ""),  # a loop afterwards is on no way to the end
        ("AB BE BX", ""),  # nor is a dead end
        ("AB BC CB CE", ""),  # a loop on the way skips nothing
        ("AB AC BE CE", "BC"),
    ],
)
def test_what_can_be_skipped(edges, expected):
    assert workflow.skippable([tuple(edge) for edge in edges.split()], "A", "E") == set(expected)


def test_no_way_is_an_error():
    with pytest.raises(ValueError, match="there is no way from 'A' to 'E'"):
        workflow.skippable([("E", "A")], "A", "E")
