"""The timeline and the table of models: no row lacks a date or a source, and each source is a known work."""

import importlib.util
import re
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmcourse.data import background

ROOT = Path(__file__).resolve().parents[2]
EVENTS, MODELS = background.timeline(), background.models()
KEYS = set(
    re.findall(
        r"^@\w+\{([^,\s]+),", (ROOT / "book" / "references.bib").read_text(encoding="utf-8"), re.MULTILINE
    )
)


def load_pages():
    spec = importlib.util.spec_from_file_location("pages", ROOT / "book" / "tools" / "pages.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_row_has_a_date_and_a_source_that_the_bibliography_knows():
    assert len(EVENTS) > 30 and len(MODELS) > 12
    for event in EVENTS:
        assert 2015 <= background.year(event.date) < 2027, event
        assert event.source in KEYS, event
    for model in MODELS:
        assert 2018 <= background.year(model.date) < 2027, model
        assert model.source and set(model.source) <= KEYS, model


@pytest.mark.parametrize("rows", [EVENTS, MODELS], ids=["timeline", "models"])
def test_rows_are_in_the_order_of_their_dates_and_none_stands_twice(rows):
    dates = [row.date for row in rows]
    assert dates == sorted(dates)
    names = [row.name for row in rows]
    assert len(set(names)) == len(names)


def test_events_are_plain_sentences_of_all_kinds():
    assert {event.kind for event in EVENTS} == set(background.KINDS)
    for event in EVENTS:
        assert event.what[0].isupper() and event.what.endswith(".") and len(event.what) < 180, event
        assert len(event.name) < 24, event


def test_what_the_article_got_wrong_stands_right_here():
    rows = {model.name: model for model in MODELS}
    assert rows["GPT-3"].inputs == rows["GPT-3"].outputs == ("text",)
    assert rows["GPT-3"].weights == "no" and rows["GPT-3"].size == "175 B"
    assert rows["GPT-4"].parameters is None and rows["GPT-4"].size == "not published"
    assert [rows[name].weights for name in ("GPT-1", "GPT-2", "CLIP ViT-L/14", "Whisper large")] == [
        "yes"
    ] * 4
    assert set(background.FAMILIES) == {model.family for model in MODELS}
    trained = {"LLaVA-13B", "PaliGemma", "Qwen2.5-VL-72B", "nanoVLM-222M", "MiniMind2-V"}
    assert trained <= set(rows) and all(rows[name].weights == "yes" for name in trained)


@pytest.mark.parametrize(
    ("parameters", "size"),
    [(26_000_000, "26 M"), (999_000_000, "999 M"), (1_550_000_000, "1.55 B"), (10**12, "1000 B")],
)
def test_size(parameters, size):
    row = asdict(MODELS[0]) | {"parameters": parameters}
    assert background.Model(**row).size == size


@given(st.dates())
def test_a_later_day_has_a_larger_number(day):
    number = background.year(day.isoformat())
    assert day.year <= number < day.year + 1
    assert background.year(f"{day.year:04}-01-01") <= number <= background.year(f"{day.year:04}-12-31")


def test_what_is_not_known_lies_in_the_middle():
    assert background.year("2020") == 2020.5 == background.year("2020-07-01")
    assert background.year("2020-01-01") < background.year("2020-01") < background.year("2020-02-01")


@pytest.mark.parametrize(
    "date", ["", "20", "2020-13", "2020-00", "2020-05-32", "May 2020", "2020-5", "2020-05-"]
)
def test_other_dates_are_refused(date):
    with pytest.raises(ValueError, match="expected a date"):
        background.year(date)
    with pytest.raises(ValueError, match="expected a date"):
        background.Event(date, "text", "A name", "Something.", "key")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"family": "gpt"}, "family must be one of"),
        ({"weights": "maybe"}, "weights must be one of"),
        ({"inputs": ("smell",)}, "inputs and outputs must be one of"),
        ({"inputs": ()}, "must not be empty"),
        ({"source": ()}, "must not be empty"),
        ({"training": " "}, "training must not be empty"),
        ({"parameters": 0}, "parameters must be above 0"),
    ],
)
def test_a_wrong_row_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        background.Model(**asdict(MODELS[0]) | change)


@pytest.mark.parametrize(("kind", "what"), [("gossip", "Something."), ("text", " ")])
def test_a_wrong_event_is_refused(kind, what):
    with pytest.raises(ValueError, match=r"kind must be one of|what must not be empty"):
        background.Event("2020", kind, "A name", what, "key")


def test_a_row_that_lacks_its_source_is_refused(monkeypatch, tmp_path):
    text = '[[event]]\ndate = "2020"\nkind = "text"\nname = "A name"\nwhat = "Something."\n'
    (tmp_path / "timeline.toml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(background.resources, "files", lambda name: tmp_path)
    with pytest.raises(ValueError, match="fields source"):
        background.timeline()


def test_the_page_holds_every_row_and_cites_it(tmp_path):
    pages = load_pages()
    written = {p.name: p for p in pages.write_pages(ROOT / "book", tmp_path, lambda name: {"pictures": 1})}
    text = written["timeline.md"].read_text(encoding="utf-8")
    for event in EVENTS:
        assert f"| {event.date} | {event.what} {{cite}}`{event.source}` |" in text
    for model in MODELS:
        assert f"| {model.name} {{cite}}`{','.join(model.source)}` | {model.date} |" in text
    assert "<!-- rows:" not in text
