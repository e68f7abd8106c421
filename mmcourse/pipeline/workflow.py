"""The chart of the work from data to a score, and what it says (notebook 12).

A chart is written in the small part of Mermaid's language that the source article uses: one edge a line, from
a node to a node, each with a text in square brackets where it is named, and a label of the edge between bars.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

# The chart of the source article's section 2, quoted as it is printed (see the errata 2-01 to 2-04).
ARTICLE = """\
graph TD
    A[数据采集] --> B[特征提取]
    B --> C[模型训练]
    C --> D[模型优化]
    D --> E[模型应用]
    A --> F[数据预处理]
    F --> B
    B --> G[特征融合]
    G --> C
    C --> H[超参数调整]
    H --> D
    D --> I[性能评估]
    I --> E
    E --> J[用户反馈]
    J --> A[迭代更新]
"""

CORRECTED = """\
graph TD
    A[collect 数据采集] --> S[split 数据划分]
    S --> F[preprocess 数据预处理]
    F --> B[features 特征提取]
    B --> G[fuse 特征融合]
    G --> C[train 模型训练]
    C -->|on the validation part| H[tune 超参数调整]
    H -->|retrain| C
    H -->|chosen| D[optimise 模型优化]
    D -->|once, on the test part| I[evaluate 性能评估]
    I -->|gate passed| E[use 模型应用]
    I -->|gate not passed| A
    E --> J[monitor and ask 用户反馈]
    J -->|iterate 迭代更新| A
"""

# Which notebooks of the course are about a node of the corrected chart: the numbers that its drawing shows.
NOTEBOOKS = {
    "A": (21, 23, 25, 27, 28),
    "S": (28,),
    "F": (24, 26, 28),
    "B": (31, 34, 46),
    "G": (47,),
    "C": (41, 42),
    "H": (43,),
    "D": (42,),
    "I": (44, 45),
    "E": (48, 50),
    "J": (12,),
}

_NODE = r"(\w+)(?:\[([^\]]*)\])?"
_EDGE = re.compile(rf"{_NODE}\s*-->\s*(?:\|([^|]*)\|\s*)?{_NODE}")


class Edge(NamedTuple):
    """An arrow from one node to another, and the label on it ("" if there is none)."""

    start: str
    end: str
    label: str


class Chart(NamedTuple):
    """Nodes, name -> text, in the order in which they are first named; and edges as they are written."""

    nodes: dict[str, str]
    edges: list[Edge]

    def pairs(self) -> set[tuple[str, str]]:
        """The edges without their labels."""
        return {(edge.start, edge.end) for edge in self.edges}


def read_chart(source: str) -> Chart:
    """Read a flow chart as Mermaid does: of several texts of a node the last one counts.

    Args:
        source: a line "graph TD" (or another direction), then one edge a line; empty lines are passed over.

    Raises:
        ValueError: the first line is another, or a line is no edge; names the line.
    """
    lines = [line.strip() for line in source.splitlines() if line.strip()]
    if not lines or not re.fullmatch(r"(graph|flowchart)\s+(TD|TB|BT|LR|RL)", lines[0]):
        raise ValueError(f"a chart begins with a line such as 'graph TD', got {lines[:1]}")
    nodes: dict[str, str] = {}
    edges = []
    for line in lines[1:]:
        found = _EDGE.fullmatch(line)
        if found is None:
            raise ValueError(f"expected an edge such as 'A[text] -->|label| B[text]', got {line!r}")
        start, first_text, label, end, second_text = found.groups()
        for name, text in ((start, first_text), (end, second_text)):
            nodes.setdefault(name, name)
            if text is not None:
                nodes[name] = text
        edges.append(Edge(start, end, label or ""))
    return Chart(nodes, edges)


def skippable(edges: Iterable[tuple[str, str]], start: str, end: str) -> set[str]:
    """Nodes on a way from ``start`` to ``end`` that another way leaves out.

    Args:
        edges: pairs of names.

    Raises:
        ValueError: there is no way from ``start`` to ``end``.
    """
    edges = list(edges)
    if end not in _reached(edges, start):
        raise ValueError(f"there is no way from {start!r} to {end!r}")
    nodes = {node for edge in edges for node in edge} - {start, end}
    between = {node for node in nodes if _on_a_way(edges, start, node, end)}
    return {node for node in between if end in _reached([e for e in edges if node not in e], start)}


def _on_a_way(edges: list[tuple[str, str]], start: str, node: str, end: str) -> bool:
    """Whether a way leads from ``start`` to ``node``, and on to ``end`` without coming back to ``start``."""
    before = [edge for edge in edges if end not in edge]
    after = [edge for edge in edges if start not in edge]
    return node in _reached(before, start) and end in _reached(after, node)


def _reached(edges: Iterable[tuple[str, str]], start: str) -> set[str]:
    """All nodes that arrows lead to from ``start``, itself included."""
    edges = list(edges)
    found, waiting = {start}, [start]
    while waiting:
        node = waiting.pop()
        for first, second in edges:
            if first == node and second not in found:
                found.add(second)
                waiting.append(second)
    return found
