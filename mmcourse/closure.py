"""What a piece of code depends on: the source of the package's modules that it reaches, and the data they
name.

A trained model, a derived array or an executed notebook is kept under a hash of its *import closure*.
Comments, docstrings and layout are left out, so that a better explanation makes nothing again; what is
hashed is the same on every version of Python. Infrastructure that decides where files lie, but not
what is in them, is left out too, and so are the checkers of the exercises.
"""

import ast
import functools
import hashlib
import importlib.metadata
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

PACKAGE = Path(__file__).parent
NOT_FOLLOWED = ("checks", "cli", "closure", "data.archives", "exercises", "formats", "store", "trained")
# Libraries whose version decides what is in a kept array: import name -> distribution.
LIBRARIES = {
    "PIL": "pillow",
    "cv2": "opencv-python-headless",
    "espeakng_loader": "espeakng-loader",
    "resvg_py": "resvg-py",
    "scipy": "scipy",
}


def digest(roots: Iterable[str] | str) -> str:
    """A hash of all that the code of some modules depends on.

    Args:
        roots: names of modules of the package, as ``__name__`` gives them, or one text of Python code (a
            notebook's).

    Returns:
        64 hexadecimal digits. They change with the code of any module reached, with the hash of any archive
        that it names (see ``data/sources.toml``), with any table of ``mmcourse/data`` that it names and with
        the version of any library in :data:`LIBRARIES` that it imports.

    Raises:
        ValueError: a root is no module of the package.
    """
    if isinstance(roots, str):
        waiting, code = _imported(ast.parse(roots)), [structure(roots)]
    else:
        waiting, code = {_inner(root) for root in roots}, []
    seen: set[str] = set()
    while waiting - seen:
        module = min(waiting - seen)
        seen.add(module)
        waiting |= _imports_of_module(module)
    code += [f"{module} {_structure_of_module(module)}" for module in sorted(seen)]
    text = "\n".join(code)
    known = sources() | tables()
    named = [f"{name} {sha}" for name, sha in sorted(known.items()) if f"'{name}'" in text]
    versions = [
        f"{distribution} {importlib.metadata.version(distribution)}"
        for library, distribution in sorted(LIBRARIES.items())
        if re.search(rf"'{library}['.]", text)
    ]
    return hashlib.sha256("\n".join([*code, *named, *versions]).encode()).hexdigest()


@functools.cache
def sources() -> dict[str, str]:
    """The hash of each archive of the course data, by its name."""
    settings = tomllib.loads((PACKAGE / "data" / "sources.toml").read_text(encoding="utf-8"))
    return {name: source["sha256"] for name, source in settings.items()}


@functools.cache
def tables() -> dict[str, str]:
    """The hash of each data file that lies beside the modules of ``mmcourse/data``, by its name."""
    files = sorted((PACKAGE / "data").glob("*.toml"))
    return {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
        if file.name != "sources.toml"
    }


def structure(source: str) -> str:
    """Python code as one text that says what it does: its syntax tree without docstrings, the same on every
    Python.

    Raises:
        SyntaxError: it is not Python.
    """
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                if isinstance(first.value.value, str):
                    node.body = node.body[1:] or [ast.Pass()]
        elif isinstance(node, ast.JoinedStr):
            node.values = _joined(node.values)
    return _written(tree)


def _joined(values: list) -> list:
    """The parts of an f-string; versions of Python cut the text between two braces in different ways."""
    parts: list = []
    for value in values:
        if isinstance(value, ast.Constant) and parts and isinstance(parts[-1], ast.Constant):
            parts[-1] = ast.Constant(str(parts[-1].value) + str(value.value))
        elif not (isinstance(value, ast.Constant) and value.value == ""):
            parts.append(value)
    return parts


def _written(node) -> str:
    """A node with those of its fields that hold something; versions of Python differ in the empty ones."""
    if isinstance(node, list):
        return f"[{' '.join(map(_written, node))}]"
    if not isinstance(node, ast.AST):
        return ascii(node)
    fields = [
        f"{name}={_written(value)}"
        for name, value in ast.iter_fields(node)
        if value is not None
        and value != []
        and name not in ("ctx", "kind", "type_comment", "returns")
        and (name != "annotation" or isinstance(node, ast.AnnAssign))  # a dataclass reads those
    ]
    return f"{type(node).__name__}({' '.join(fields)})"


def _inner(name: str) -> str:
    """The name of a module inside the package: "text.vocabulary", and "" for the package itself."""
    package, _, inner = name.partition(".")
    if package != PACKAGE.name or _path(inner) is None:
        raise ValueError(f"{name!r} is no module of {PACKAGE.name}")
    return inner


def _path(module: str) -> Path | None:
    path = PACKAGE.joinpath(*module.split(".")) if module else PACKAGE
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


def _is_package(module: str) -> bool:
    return _path(module).name == "__init__.py"


@functools.cache
def _structure_of_module(module: str) -> str:
    return structure(_path(module).read_text(encoding="utf-8"))


@functools.cache
def _imports_of_module(module: str) -> frozenset[str]:
    return frozenset(_imported(ast.parse(_path(module).read_text(encoding="utf-8")), module))


@functools.cache
def _names_of_package(package: str) -> dict[str, str]:
    """Where the names come from that a package's ``__init__`` hands on: name -> module."""
    tree = ast.parse(_path(package).read_text(encoding="utf-8"))
    return {
        alias.asname or alias.name: node.module.partition(".")[2]
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module.startswith(f"{PACKAGE.name}.")
        for alias in node.names
    }


def _resolve(package: str, name: str) -> str:
    """The module that ``from package import name`` reaches."""
    if _path(f"{package}.{name}" if package else name):
        return f"{package}.{name}" if package else name
    return _names_of_package(package).get(name, package) if _is_package(package) else package


def _imported(tree: ast.AST, module: str = "") -> set[str]:
    """The modules of the package that some code reaches, one step far.

    A package that is imported whole counts only with the names that the code takes from it (``image.read``).
    """
    found, packages = set(), {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == PACKAGE.name:
            origin = node.module.partition(".")[2]
            for alias in node.names:
                target = _resolve(origin, alias.name)
                if target and target != module and _is_package(target):
                    packages[alias.asname or alias.name] = target
                else:
                    found.add(target)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith(f"{PACKAGE.name}."):
                    found.add(alias.name.partition(".")[2])
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in packages:
            found.add(_resolve(packages[node.value.id], node.attr))
    return {
        name for name in found - {""} if not any(name == n or name.startswith(f"{n}.") for n in NOT_FOLLOWED)
    }
