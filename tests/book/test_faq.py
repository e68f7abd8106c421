"""The questions and answers: the article's, with the evidence of each answer."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "book" / "faq.md").read_text(encoding="utf-8")
OF_THE_ARTICLE = ("what", "core", "uses", "training", "steps", "advantages", "challenges")


def answers() -> dict[str, tuple[str, str]]:
    """The label of each question → the question and its answer."""
    pattern = r"^\((faq-[\w-]+)\)=\n### ([^\n]+)\n(.*?)(?=^\(faq-[\w-]+\)=\n#{2,3} |\Z)"
    return {label: (question, answer) for label, question, answer in re.findall(pattern, PAGE, re.M | re.S)}


def test_the_questions_of_the_article_come_first():
    assert list(answers())[:7] == [f"faq-{name}" for name in OF_THE_ARTICLE]
    assert 14 <= len(answers()) - 7 <= 20


def test_every_question_is_a_sentence_and_every_answer_leads_on():
    for label, (question, answer) in answers().items():
        assert question[-1] in "?.", label
        assert len(answer.split()) >= 8, label
        if label not in {"faq-mistake"}:
            assert re.search(r"\{(?:ref|term)\}`", answer), f"{label} leads nowhere"


def test_the_answers_to_the_article_lead_to_notebooks():
    titles = set()
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        titles |= set(re.findall(r"\(([\w-]+)\)=\\n", path.read_text(encoding="utf-8")))
    for name in OF_THE_ARTICLE:
        labels = set(re.findall(r"\{ref\}`(?:[^`<]+<)?([\w-]+)>?`", answers()[f"faq-{name}"][1]))
        assert len(labels & titles) >= 3, name


def test_each_erratum_of_the_section_is_answered():
    for erratum in ("9.1-01", "9.2-01", "9.4-01", "9.5-01", "9.5-02", "9.6-01"):
        assert f"<erratum-{erratum}>" in PAGE, erratum
