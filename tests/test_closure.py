"""The import closure: what is reached counts, explanations do not, and every Python gives the same."""

import ast
import hashlib
import types
from pathlib import Path

import pytest

from mmcourse import closure

SOURCE = '''
"""What it is for."""

# A remark.
LIMIT = 3


class Thing:
    """A thing."""

    def grow(self, by=1):
        """Grow."""
        return self.size + by  # and no more


def empty(text: str = "é", *names, width: int | None = None) -> str:
    """Nothing but this."""


async def told(things):
    match things:
        case [first, *rest] if (n := len(rest)) > 1:
            return f"{first!r:>{n}} of {n:02d}, " "猫"
    return [x async for x in things if not x]
'''


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("What it is for.", "Something else, at\nlength."),
        ("# A remark.\n", "# Another remark.\n# And one more.\n\n"),
        ('    """A thing."""\n', ""),
        ('"""What it is for."""\n', ""),
        ('        """Grow."""\n', "        '''Grow by some.'''\n"),
        ("  # and no more", ""),
        ("return self.size + by", "return (\n            self.size\n            + by\n        )"),
        ("def grow(self, by=1)", "def grow( self, by = 1 )"),
        ("def grow(self, by=1)", "def grow(self, by: int = 1) -> int"),
        ('    """Nothing but this."""', "    pass"),
    ],
)
def test_explanations_and_layout_do_not_count(old, new):
    assert old in SOURCE
    changed = SOURCE.replace(old, new)
    ast.parse(changed)
    assert closure.structure(changed) == closure.structure(SOURCE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("LIMIT = 3", "LIMIT = 4"),
        ("self.size + by", "self.size - by"),
        ("by=1", "by=2"),
        ("class Thing", "class Other"),
        ("    def grow", "    @property\n    def grow"),
        ("LIMIT = 3", "LIMIT = '3'"),
        (":02d}", ":03d}"),
        ("猫", "狗"),
    ],
)
def test_code_counts(old, new):
    assert old in SOURCE
    assert closure.structure(SOURCE.replace(old, new)) != closure.structure(SOURCE)


def test_every_version_of_python_gives_the_same():
    """A cache filled under Python 3.11 is found under 3.13: the figure is that of both."""
    assert hashlib.sha256(closure.structure(SOURCE).encode()).hexdigest()[:16] == "5cbaee914bfd860f"


MODEL = """
from mmcourse import store, text
DATA, TABLE = 'digits', 'named.toml'
def run(x):
    return text.split(x)
"""


@pytest.fixture
def package(tmp_path, monkeypatch) -> Path:
    """A package of the same name with a few modules; each test may change them."""
    folder = tmp_path / closure.PACKAGE.name
    files = {
        "__init__.py": "",
        "store.py": "x = 1",
        "exercises/__init__.py": "",
        "exercises/text.py": "x = 1",
        "text/__init__.py": "from mmcourse.text.words import split\nfrom mmcourse.text.other import unused",
        "text/words.py": "def split(text):\n    return text.split()",
        "text/other.py": "unused = 1",
        "model.py": MODEL,
        "data/named.toml": "x = 1",
        "data/other.toml": "x = 1",
        "data/sources.toml": '[digits]\nsha256 = "1"\n[words]\nsha256 = "2"\n',
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    monkeypatch.setattr(closure, "PACKAGE", folder)
    clear()
    yield folder
    clear()


def clear() -> None:
    for cached in vars(closure).values():
        if isinstance(cached, types.FunctionType) or not hasattr(cached, "cache_clear"):
            continue
        cached.cache_clear()


def digest(what=("mmcourse.model",)) -> str:
    clear()
    return closure.digest(what)


@pytest.mark.parametrize(
    ("name", "content", "counts"),
    [
        ("model.py", "from mmcourse import text\nDATA = 'digits'", True),
        ("text/words.py", "def split(text):\n    return list(text)", True),
        ("text/words.py", "def split(text):\n    # as str does\n    return text.split()", False),
        ("text/other.py", "unused = 2", False),
        ("store.py", "x = 2", False),
        ("exercises/text.py", "x = 2", False),
        ("data/named.toml", "x = 2", True),
        ("data/other.toml", "x = 2", False),
        ("data/sources.toml", '[digits]\nsha256 = "3"\n[words]\nsha256 = "2"\n', True),
        ("data/sources.toml", '[digits]\nsha256 = "1"\n[words]\nsha256 = "3"\n', False),
    ],
)
def test_what_is_reached_counts_and_nothing_else(package, name, content, counts):
    before = digest()
    (package / name).write_text(content)
    assert (digest() != before) is counts


NOTEBOOK = "from mmcourse import exercises, text\ntext.split('a b')\nexercises.check('text-one', None)"


def test_a_notebook_depends_on_what_its_cells_name(package):
    before = digest(NOTEBOOK)
    assert digest(NOTEBOOK + "  # a remark") == before
    assert digest(NOTEBOOK.replace("a b", "a c")) != before
    (package / "exercises/text.py").write_text("x = 2")
    (package / "text/other.py").write_text("unused = 2")
    assert digest(NOTEBOOK) == before, "neither a checker nor what is not named"
    assert digest(NOTEBOOK + "\ntext.unused") != before
    (package / "text/words.py").write_text("def split(text):\n    return list(text)")
    assert digest(NOTEBOOK) != before


def test_a_library_counts_with_its_version(package, monkeypatch):
    (package / "model.py").write_text("from PIL import Image")
    before = digest()
    monkeypatch.setattr(closure.importlib.metadata, "version", lambda name: "0.0")
    assert digest() != before


def test_an_unknown_module_is_refused():
    with pytest.raises(ValueError, match=r"'mmcourse\.nothing' is no module of mmcourse"):
        closure.digest(["mmcourse.nothing"])
    with pytest.raises(ValueError, match="'keras'"):
        closure.digest(["keras"])


def test_the_naming_models_key_reaches_what_trains_it_and_not_what_scores_it():
    reached, waiting = set(), {"generator.naming"}
    while waiting - reached:
        module = min(waiting - reached)
        reached.add(module)
        waiting |= closure._imports_of_module(module)
    assert {
        "generator.model",
        "layers.attention",
        "encoders.grid",
        "text.vocabulary",
        "data.emoji",
    } <= reached
    assert not {"generator.naming_scores", "evaluation.texts", "encoders.audio", "text.cleaning"} & reached
