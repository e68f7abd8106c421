"""Where derived arrays are kept: the name changes with all that decides what is in them."""

import dataclasses
import importlib.metadata

from mmcourse.data import archives
from mmcourse.store import derived_path


def path(tmp_path, code="x = 1\n"):
    file = tmp_path / "module.py"
    file.write_text(code)
    return derived_path("things", sources=("twemoji",), packages=("numpy",), files=(str(file),))


def test_the_name_is_stable_and_lies_in_the_cache_folder(tmp_path):
    first = path(tmp_path)
    assert first == path(tmp_path)
    assert first.parent == store.cache_folder() / "derived"
    assert first.name.startswith("things-") and first.suffix == ".npz"


def test_it_changes_with_archive_library_and_code(tmp_path, monkeypatch):
    names = {path(tmp_path), path(tmp_path, code="x = 2\n")}
    sources = archives.load_sources()
    other = dataclasses.replace(sources["twemoji"], sha256="0" * 64)
    with monkeypatch.context() as patch:
        patch.setattr(archives, "load_sources", lambda: sources | {"twemoji": other})
        names.add(path(tmp_path))
    with monkeypatch.context() as patch:
        patch.setattr(importlib.metadata, "version", lambda package: "0")
        names.add(path(tmp_path))
    names.add(derived_path("things", sources=("twemoji",)))
    assert len(names) == 5
