"""The package as a whole: what importing it costs, who may import whom, and that everything is explained."""

import ast
import importlib.metadata
import re
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import pytest

import mmcourse

PACKAGE = Path(mmcourse.__file__).parent
ROOT = PACKAGE.parent
# A folder (or a module at the top) imports only from itself and from those before it.
ORDER = [
    "closure",
    "store",
    "checks",
    "formats",
    "text",
    "image",
    "audio",
    "video",
    "pipeline",
    "data",
    "mathematics",
    "layers",
    "learning",
    "encoders",
    "evaluation",
    "generator",
    "applications",
    "outlook",
    "trained",
    "show",
    "plots",
    "exercises",
    "cli",
]
# What NumPy can do stays free of a framework: these folders, but for the modules named.
WITHOUT_FRAMEWORK = (
    *("closure", "store", "checks", "formats", "text", "image", "audio", "video", "pipeline", "data"),
    *("mathematics", "evaluation", "show", "plots", "exercises", "cli"),
)
# Methods that Keras calls by these names; what they do is told by the class and by Keras.
OF_KERAS = {"build", "call", "compute_mask", "from_config", "get_config", "on_epoch_begin", "on_epoch_end"}


def name_of(path: Path) -> str:
    """The module's name without the package's: "" for the package itself."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


MODULES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imported_modules(tree: ast.AST) -> set[str]:
    """The modules of this package that a module imports, anywhere in its code."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names = [node.module]
            # What is imported from a package may be a module of it.
            names += [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            package, _, module = name.partition(".")
            if package == "mmcourse" and module in MODULES and module:
                found.add(module)
    return found


def place_of(module: str) -> int:
    return ORDER.index(module.partition(".")[0])


@pytest.mark.parametrize("module", sorted(set(MODULES) - {""}))
def test_a_folder_imports_only_from_those_before_it(module):
    assert module.partition(".")[0] in ORDER, "give the folder its place in ORDER"
    imported = imported_modules(ast.parse(MODULES[module].read_text(encoding="utf-8")))
    later = sorted(name for name in imported if place_of(name) > place_of(module))
    assert later == [], f"mmcourse.{module} imports what comes after it"


def test_within_a_folder_no_import_runs_in_a_circle():
    left = {
        module: imported_modules(ast.parse(path.read_text(encoding="utf-8"))) - {module}
        for module, path in MODULES.items()
        if path.name != "__init__.py"
    }
    while ready := [module for module, imported in left.items() if not imported & set(left)]:
        for module in ready:
            del left[module]
    assert left == {}


def test_imports_are_found_in_all_their_forms():
    forms = """
import numpy
import mmcourse.text
from mmcourse import image, __version__
from mmcourse.data import emoji
from mmcourse.data.archives import fetch
def function():
    from mmcourse.generator import naming
"""
    expected = {"text", "image", "data", "data.emoji", "data.archives", "generator", "generator.naming"}
    assert imported_modules(ast.parse(forms)) == expected


@pytest.mark.parametrize("folder", WITHOUT_FRAMEWORK)
def test_importing_it_does_not_import_a_framework(folder):
    names = [f"mmcourse.{name}" for name in MODULES if name.partition(".")[0] == folder]
    script = f"""
import sys, {", ".join(names) or "mmcourse"}
print(sorted({{name.split(".")[0] for name in sys.modules}} & {{"tensorflow", "keras", "jax", "torch"}}))
"""
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert found.stdout.strip() == "[]", found.stderr


def public_definitions(body: list, path: str = "") -> list[tuple[str, ast.AST]]:
    """Public functions and classes, and the public methods of those classes."""
    found = []
    for node in body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if node.name.startswith("_") or (path and node.name in OF_KERAS):
            continue
        found.append((path + node.name, node))
        if isinstance(node, ast.ClassDef):
            found += public_definitions(node.body, f"{path}{node.name}.")
    return found


@pytest.mark.parametrize("module", MODULES)
def test_everything_public_has_a_docstring(module):
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), "the module"
    without = [name for name, node in public_definitions(tree.body) if not ast.get_docstring(node)]
    assert without == []


def test_one_version():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert mmcourse.__version__ == settings["project"]["version"]
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.search(r"^version: (.*)$", citation, re.MULTILINE).group(1).strip("\"'") == mmcourse.__version__


def test_installed_version_is_this_one():
    assert importlib.metadata.version("mmcourse") == mmcourse.__version__


@pytest.mark.parametrize("way", ["command", "module"])
def test_version_on_the_command_line(way):
    if way == "command":
        command = [str(Path(sysconfig.get_path("scripts")) / "mmcourse")]
    else:
        command = [sys.executable, "-m", "mmcourse.cli"]
    found = subprocess.run([*command, "--version"], capture_output=True, text=True, timeout=60)
    assert (found.returncode, found.stdout, found.stderr) == (0, f"mmcourse {mmcourse.__version__}\n", "")
