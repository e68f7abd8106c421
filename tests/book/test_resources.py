"""The pages of tools and of further reading: programs print what is promised, works and addresses exist."""

import importlib.util
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = {
    name: (ROOT / "book" / f"{name}.md").read_text(encoding="utf-8") for name in ("toolbox", "resources")
}
SECONDS = 300  # far more than any program takes, even where others use the processor
IN_THE_LOCK = {"tensorflow", "keras", "cv2", "librosa", "numpy", "sklearn"}
# Names under which the article recommends works, pages or people that do not exist so.
ONLY_IN_THE_ERRATA = (
    "Stoyanov", "Kulikov, A.", "Rohr, R.", "Ghasemian", "Kazemzadeh", "Shanqing", "Owen Bowman",
    "Multimodal Data Integration", "Comprehensive Survey on Multimodal",
    "“Generative Pre-trained Transformers”", "图像识别：深度学习方法", "自然语言处理综合教程",
    "blog.openai.com", "//.tensorflow.org", "//tensorflow.org/blog",
)  # fmt: skip


# Programs


def programs(text: str) -> dict[str, list[str]]:
    """The blocks of Python of each section of a page: label of the section → programs."""
    found, label = {}, ""
    for part in re.split(r"(^\([\w-]+\)=$|^```python\n.*?^```$)", text, flags=re.MULTILINE | re.DOTALL):
        if re.fullmatch(r"\([\w-]+\)=", part):
            label = part[1:-2]
        elif part.startswith("```python\n"):
            found.setdefault(label, []).append(part[len("```python\n") : -len("```")])
    return found


def imports(program: str) -> set[str]:
    """The packages that a program imports."""
    return set(re.findall(r"^(?:import|from) (\w+)", program, flags=re.MULTILINE))


def promised(program: str) -> list[str]:
    """What the comments after `print(...)` say that it prints."""
    return re.findall(r"^ *print\(.*\)  # (.+)$", program, flags=re.MULTILINE)


PROGRAMS = {label: blocks for page in PAGES.values() for label, blocks in programs(page).items()}


def test_every_tool_has_a_program_and_every_print_a_promise():
    tools = {"tensorflow", "pytorch", "transformers", "opencv", "datasets", "audio"}
    assert set(PROGRAMS) == {f"toolbox-{name}" for name in tools} | {"resources-attention", "resources-bert"}
    for label, blocks in PROGRAMS.items():
        for program in blocks:
            assert len(promised(program)) == program.count("print(") > 0, label
            assert max(map(len, program.splitlines())) <= 80, label
            assert len(program.splitlines()) <= 30, label


@pytest.mark.parametrize("label", PROGRAMS)
def test_the_programs_print_what_the_page_says(label):
    program = "\n".join(PROGRAMS[label])  # those of a section in one process: a library is loaded once
    missing = sorted(name for name in imports(program) if importlib.util.find_spec(name) is None)
    if missing:
        assert not set(missing) & IN_THE_LOCK
        pytest.skip(f"not installed: {', '.join(missing)}")
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        env=os.environ | quiet,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    expected = promised(program)
    # TensorFlow Datasets reports its progress in between.
    assert [line for line in done.stdout.splitlines() if line in expected] == expected, done.stdout


def test_programs_are_found_by_section():
    text = "(a-b)=\n## A\n\n```python\nimport math\nprint(1)  # 1\n```\n\n(c)=\n```bash\nls\n```\n"
    assert programs(text) == {"a-b": ["import math\nprint(1)  # 1\n"]}
    assert imports("import math\nfrom os import path\n") == {"math", "os"}
    assert promised("print((1, 2))  # (1, 2)\nx = 1  # one\n") == ["(1, 2)"]


# Works and addresses


def test_what_does_not_exist_stands_in_the_errata_alone():
    pages = [*(ROOT / "book").rglob("*.md"), ROOT / "README.md", ROOT / "book" / "references.bib"]
    for path in pages:
        text = path.read_text(encoding="utf-8")
        assert not [name for name in ONLY_IN_THE_ERRATA if name in text], path.name
    errata = (ROOT / "book" / "data" / "errata.toml").read_text(encoding="utf-8")
    assert not [name for name in ONLY_IN_THE_ERRATA if name not in errata]
    coverage = tomllib.loads((ROOT / "book" / "data" / "coverage.toml").read_text(encoding="utf-8"))
    own = " ".join(row["shown"] for row in coverage["item"])  # the quotations are the article's
    assert not [name for name in ONLY_IN_THE_ERRATA if name in own]


def test_every_book_paper_and_survey_is_cited():
    text = PAGES["resources"]
    for label in ("books", "surveys"):
        section = text.split(f"(resources-{label})=")[1].split("\n\n|")[1]
        table = section.split("\n\n")[0].splitlines()[2:]  # after the head
        assert len(table) >= 7
        assert not [row for row in table if "{cite}`" not in row], label


def test_addresses_can_be_looked_up():
    found = [address for page in PAGES.values() for address in re.findall(r"\]\((\S+?)\)", page)]
    assert len(found) > 10
    for address in found:
        parts = urlsplit(address)
        assert parts.scheme == "https", address
        assert parts.hostname.encode("idna") and "." in parts.hostname, address
    with pytest.raises(UnicodeError):
        urlsplit("https://" + ".tensorflow.org/blog/").hostname.encode("idna")


def test_pages_name_the_day_of_the_check():
    for name, text in PAGES.items():
        assert re.search(r"\d{1,2} (?:January|November|December) 20\d\d", " ".join(text.split())), name
