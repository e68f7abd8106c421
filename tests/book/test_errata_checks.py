"""Every entry of the errata is checked by a line of Python (errata_checks.toml), which runs here.

The article is not part of the repository. Where MMCOURSE_ARTICLE names a file with its text, the lines that
read it run too, and every quotation of the errata and of the coverage is looked up in it.
"""

import ast
import functools
import hashlib
import importlib.util
import inspect
import os
import re
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from scipy.signal import correlate2d
from scipy.special import expit, softmax

ROOT = Path(__file__).resolve().parents[2]
ARTICLE = os.environ.get("MMCOURSE_ARTICLE")
SHA256 = "bcf836e3215bcec2543958a82fc465c9f6028945f1e01c9f564d76179fa3e9cb"
OF_THE_ARTICLE = {"A", "SEC", "CODE", "L", "MER", "EDGES", "has"}
OF_KERAS = {"K": "keras", "KL": "keras.layers", "Tok": "keras.preprocessing.text.Tokenizer"}


@functools.cache
def rows(name: str) -> list[dict]:
    """The rows of a data file of the book."""
    kind = {"errata": "erratum", "coverage": "item"}[name]
    return tomllib.loads((ROOT / "book" / "data" / f"{name}.toml").read_text(encoding="utf-8"))[kind]


CHECKS = tomllib.loads((Path(__file__).parent / "errata_checks.toml").read_text(encoding="utf-8"))["checks"]
ANSWERED = [row["id"] for row in rows("errata")]


@functools.cache
def names(check: str) -> frozenset[str]:
    """The names that a check reads."""
    return frozenset(node.id for node in ast.walk(ast.parse(check)) if isinstance(node, ast.Name))


@functools.cache
def article() -> str:
    """The text of the article; skips the test where there is none."""
    if not ARTICLE:
        pytest.skip("MMCOURSE_ARTICLE names no file with the article")
    text = Path(ARTICLE).read_text(encoding="utf-8")
    found = hashlib.sha256(text.strip().encode()).hexdigest()
    assert found == SHA256, f"{ARTICLE} is another text than the one that was checked (SHA-256 {found})"
    return text


def raises(error: type[Exception], call) -> bool:
    """Whether a call stops with that error."""
    try:
        call()
    except error:
        return True
    return False


def of_the_article() -> dict:
    """What the checks call the parts of the article."""
    text = article()
    parts = re.split(r"### (\d+)\. ", text)
    programs = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    chart = re.search(r"```mermaid\n(.*?)```", text, re.DOTALL)[1]
    return {
        "A": text,
        "SEC": {int(number): part for number, part in zip(parts[1::2], parts[2::2], strict=True)},
        "CODE": programs[0],
        "L": programs[0].split("\n"),
        "MER": chart,
        "EDGES": re.findall(r"(\w)(?:\[.*?\])? --> (\w)", chart),
        "has": lambda *quotes: all(quote in text for quote in quotes),
    }


def namespace(used: frozenset[str]) -> dict:
    """What a check may use: the article and Keras only where it asks for them."""
    known = {
        "np": np, "re": re, "inspect": inspect, "urlsplit": urlsplit, "correlate2d": correlate2d,
        "softmax": softmax, "sigmoid": expit, "raises": raises,
    }  # fmt: skip
    if used & OF_THE_ARTICLE:
        known |= of_the_article()
    if used & set(OF_KERAS):
        import tensorflow as tf

        known |= {"K": tf.keras, "KL": tf.keras.layers, "Tok": tf.keras.preprocessing.text.Tokenizer}
    return known


def test_every_entry_of_the_errata_has_a_check():
    assert len(CHECKS) == 170
    missing = sorted(set(ANSWERED) - set(CHECKS))
    assert not missing, f"no check in errata_checks.toml for {missing}"


@pytest.mark.parametrize("entry", ANSWERED)
def test_the_erratum_holds(entry):
    check = CHECKS[entry]
    if entry.startswith("7.2-") and "transformers" in check and not importlib.util.find_spec("transformers"):
        pytest.skip("Transformers is not installed")
    used = names(check)
    assert "assert" in check
    exec(compile(check, f"the check of erratum {entry}", "exec"), namespace(used))


def test_a_check_of_what_does_not_hold_fails():
    with pytest.raises(AssertionError):
        exec("assert softmax([1., 0.])[0] == 0.7", namespace(frozenset({"softmax"})))
    assert names("assert len(SEC[3])") == {"len", "SEC"}


@pytest.mark.parametrize("name", ["errata", "coverage"])
def test_quotations_are_verbatim(name):
    text = article()
    text += text.replace("**", "")  # a quotation may leave out the marks of bold print
    wrong = [row.get("id", row.get("number")) for row in rows(name) if row["quote"] not in text]
    assert not wrong, f"not in the article as quoted: {wrong}"
