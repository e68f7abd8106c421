"""The store: kept things are found by their key, appear whole or not at all, and old ones can be removed."""

import errno
import os
import pickle
import threading
import time
import zipfile
from pathlib import Path

import filelock
import numpy as np
import pytest

from mmcourse import closure, store
from mmcourse.store import StorageError, cached_arrays

MODULE = ["mmcourse.text.vocabulary"]


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("MMCOURSE_DATA", str(tmp_path / "cache"))
    return tmp_path / "cache"


def names_in(folder: Path) -> list[str]:
    """What lies in a folder, locks left out (a lock's file may stay or not)."""
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")


# Keys


def test_a_key_names_configuration_and_code():
    key = store.key("name", {"b": 1, "a": (2, 3)}, MODULE)
    assert store.KEY.fullmatch(key)["name"] == "name"
    assert store.key("name", {"a": [2, 3], "b": 1}, MODULE) == key
    others = [
        store.key("name", {"a": (2, 3), "b": 2}, MODULE),
        store.key("other", {"b": 1, "a": (2, 3)}, MODULE),
        store.key("name", {"b": 1, "a": (2, 3)}, ["mmcourse.text.cleaning"]),
    ]
    assert len({key, *others}) == 4
    assert others[0].rsplit("-", 1)[1] == key.rsplit("-", 1)[1], "the code is the same"
    assert others[2].rsplit("-", 1)[0] == key.rsplit("-", 1)[0], "the configuration is the same"


def test_the_cache_folder_is_that_of_the_environment_or_the_users(monkeypatch, tmp_path):
    monkeypatch.setenv("MMCOURSE_DATA", str(tmp_path))
    assert store.cache_folder() == tmp_path
    monkeypatch.delenv("MMCOURSE_DATA")
    assert store.cache_folder().name == "mmcourse"


def test_arrays_are_made_once_for_each_configuration(cache):
    made = []

    def build():
        made.append(1)
        return {"x": np.arange(3)}

    for configuration in (None, {}, {"size": 8}, {"size": 8}):
        found = store.arrays("things", MODULE, build, configuration)
        np.testing.assert_array_equal(found["x"], [0, 1, 2])
    assert len(made) == len(names_in(cache / "derived")) == 2


def test_arrays_of_other_code_are_made_anew(cache, monkeypatch):
    store.arrays("things", MODULE, build_arrays)
    monkeypatch.setattr(closure, "digest", lambda modules: "0" * 64)
    store.arrays("things", MODULE, build_arrays)
    assert len(names_in(cache / "derived")) == 2


def test_two_at_the_same_time_make_arrays_once(cache):
    made, results = [], []

    def build():
        made.append(1)
        time.sleep(0.3)
        return {"x": np.ones(2)}

    threads = [
        threading.Thread(target=lambda: results.append(store.arrays("things", MODULE, build)))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert len(made) == 1 and len(results) == 3


# Folders


def test_a_folder_appears_whole_or_not_at_all(cache):
    def stop(work, part):
        (part / "half").write_text("x")
        work.mkdir()
        (work / "checkpoint").write_text("x")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.folder("name", {}, MODULE, stop)
    (left,) = names_in(cache / "models")
    assert left.endswith(".training"), "what an interrupted call can go on from"

    def go_on(work, part):
        assert (work / "checkpoint").exists() and list(part.iterdir()) == []
        (part / "whole").write_text("x")

    folder = store.folder("name", {}, MODULE, go_on)
    assert names_in(cache / "models") == [folder.name] and names_in(folder) == ["whole"]
    assert store.folder("name", {}, MODULE, stop) == folder


def test_where_a_folder_cannot_be_written_the_error_says_what_to_do(cache):
    cache.write_text("in the way")
    with pytest.raises(StorageError, match="MMCOURSE_DATA"):
        store.folder("name", {}, MODULE, lambda work, part: None)


# Tidying


def test_tidy_keeps_what_was_used_last_and_says_what_it_frees(cache, monkeypatch):
    def make(work, part):
        (part / "model").write_bytes(bytes(1000))

    kept = []
    for code in "abc":
        monkeypatch.setattr(closure, "digest", lambda modules, code=code: code * 64)
        kept.append(store.folder("naming", {"width": 1}, MODULE, make))
        os.utime(kept[-1], (0, 1000 + ord(code)))
    monkeypatch.setattr(closure, "digest", lambda modules: "a" * 64)
    assert store.folder("naming", {"width": 1}, MODULE, make) == kept[0]  # the oldest is used again
    other = store.folder("naming", {"width": 2}, MODULE, make)
    store.arrays("things", MODULE, build_arrays)
    (cache / "derived" / "things-of-long-ago.npz").write_bytes(bytes(500))
    (cache / "models" / "part-naming-00000000-000000000000").mkdir()
    removed, freed = store.tidy()
    assert kept[0].is_dir() and other.is_dir() and not kept[1].exists() and not kept[2].exists()
    expected = {kept[1].name, kept[2].name, "things-of-long-ago.npz", "part-naming-00000000-000000000000"}
    assert set(removed) == expected and freed == 2500
    assert len(names_in(cache / "derived")) == 1
    assert store.tidy() == ([], 0)


def test_tidy_leaves_what_is_being_made(cache):
    models = cache / "models"
    (models / "naming-00000000-000000000000.training").mkdir(parents=True)
    with filelock.FileLock(models / "naming-00000000-000000000000.lock"):
        assert store.tidy() == ([], 0)
        assert (models / "naming-00000000-000000000000.training").is_dir()
    assert store.tidy()[0] == ["naming-00000000-000000000000.training"]


def test_tidy_of_an_empty_cache(cache):
    assert store.tidy() == ([], 0)


# Files of arrays


ARRAYS = {"images": np.arange(600, dtype=np.uint8).reshape(2, 10, 30), "numbers": np.array([0.5, 1.5])}


def build_arrays() -> dict[str, np.ndarray]:
    return {name: array.copy() for name, array in ARRAYS.items()}


def fail_to_build() -> dict[str, np.ndarray]:
    raise AssertionError("nothing should be built")


def assert_same(found: dict[str, np.ndarray]) -> None:
    assert set(found) == set(ARRAYS)
    for name, array in ARRAYS.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


def test_arrays_are_built_once(tmp_path, capsys):
    path = tmp_path / "a" / "b" / "kept.npz"
    assert_same(cached_arrays(path, build_arrays))
    assert_same(cached_arrays(path, fail_to_build))
    assert names_in(path.parent) == ["kept.npz"]
    assert capsys.readouterr().err == ""


def test_every_user_of_a_shared_folder_may_read_what_is_kept(tmp_path):
    path = tmp_path / "kept.npz"
    cached_arrays(path, build_arrays)
    (tmp_path / "plain").write_text("as other files are made")
    assert path.stat().st_mode == (tmp_path / "plain").stat().st_mode


def stored_arrays(folder: Path) -> bytes:
    cached_arrays(folder / "whole.npz", build_arrays)
    content = (folder / "whole.npz").read_bytes()
    (folder / "whole.npz").unlink()
    return content


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda content: b"", id="empty"),
        pytest.param(lambda content: b"no archive", id="text"),
        pytest.param(lambda content: content[:-1], id="last byte missing"),
        pytest.param(lambda content: content[: len(content) // 2], id="half"),
        pytest.param(lambda content: b"\0" * len(content), id="zeros"),
        pytest.param(lambda content: content[:100] + bytes(40) + content[140:], id="zeros inside"),
    ],
)
def test_damaged_file_is_built_again(damage, tmp_path, capsys):
    path = tmp_path / "kept.npz"
    path.write_bytes(damage(stored_arrays(tmp_path)))
    assert_same(cached_arrays(path, build_arrays))
    message = capsys.readouterr().err
    assert "kept.npz is damaged and is made again" in message and len(message) < 400
    assert_same(cached_arrays(path, fail_to_build))


def test_file_with_any_changed_byte_is_read_or_built_again(tmp_path):
    path = tmp_path / "kept.npz"
    content = stored_arrays(tmp_path)
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= 0xFF
        path.write_bytes(changed)
        found = cached_arrays(path, build_arrays)
        # A changed table of contents may hide an array, but no checksum lets a changed array through.
        for name in ARRAYS.keys() & found.keys():
            np.testing.assert_array_equal(found[name], ARRAYS[name])


def test_single_array_in_place_of_an_archive_is_built_again(tmp_path):
    np.save(tmp_path / "single.npy", ARRAYS["images"])
    path = (tmp_path / "single.npy").rename(tmp_path / "kept.npz")
    assert_same(cached_arrays(path, build_arrays))
    assert_same(cached_arrays(path, fail_to_build))


class WritesAFile:
    """Unpickling it would make a file."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("kind", ["object array", "pickle", "pickle in the archive"])
def test_pickles_are_never_run(kind, tmp_path, capsys):
    path, marker = tmp_path / "kept.npz", tmp_path / "marker"
    bad = WritesAFile(marker)
    if kind == "object array":
        np.savez_compressed(path, images=np.array([bad], dtype=object), numbers=ARRAYS["numbers"])
    elif kind == "pickle":
        path.write_bytes(pickle.dumps(bad))
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("images.npy", pickle.dumps(bad))
            archive.writestr("numbers.npy", pickle.dumps(bad))
    found = cached_arrays(path, build_arrays)
    assert not marker.exists()
    assert_same(found)
    assert "is damaged" in capsys.readouterr().err


def test_arrays_are_returned_where_they_cannot_be_kept(tmp_path, capsys):
    (tmp_path / "folder").write_text("a file where the folder should be")
    assert_same(cached_arrays(tmp_path / "folder" / "kept.npz", build_arrays))
    assert "kept.npz could not be kept in" in capsys.readouterr().err
    assert (tmp_path / "folder").read_text() == "a file where the folder should be"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_arrays_are_returned_from_a_read_only_folder(tmp_path):
    tmp_path.chmod(0o500)
    assert_same(cached_arrays(tmp_path / "kept.npz", build_arrays))
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, OSError])
def test_error_while_building_is_passed_on_and_leaves_nothing(error, tmp_path):
    def build():
        raise error("while building")

    with pytest.raises(error, match="while building"):
        cached_arrays(tmp_path / "kept.npz", build)
    assert names_in(tmp_path) == []


def full_disk(*arguments, **options):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_full_disk_while_writing_leaves_nothing(tmp_path, monkeypatch, capsys):
    def write_some(file, **arrays):
        file.write(b"PK half of it")
        file.flush()
        full_disk()

    monkeypatch.setattr(np, "savez_compressed", write_some)
    assert_same(cached_arrays(tmp_path / "kept.npz", build_arrays))
    assert names_in(tmp_path) == []
    assert "could not be kept" in capsys.readouterr().err


def test_interruption_while_writing_leaves_nothing(tmp_path, monkeypatch):
    def write_some(file, **arrays):
        file.write(b"PK half of it")
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez_compressed", write_some)
    with pytest.raises(KeyboardInterrupt):
        cached_arrays(tmp_path / "kept.npz", build_arrays)
    assert names_in(tmp_path) == []


def test_file_that_cannot_be_put_in_its_place_leaves_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(store.os, "replace", full_disk)
    assert_same(cached_arrays(tmp_path / "kept.npz", build_arrays))
    assert names_in(tmp_path) == []
    assert "could not be kept" in capsys.readouterr().err


def test_damaged_file_stays_until_a_whole_one_takes_its_place(tmp_path, monkeypatch):
    path = tmp_path / "kept.npz"
    path.write_bytes(b"damaged")
    monkeypatch.setattr(np, "savez_compressed", full_disk)
    assert_same(cached_arrays(path, build_arrays))
    assert names_in(tmp_path) == ["kept.npz"]
    assert path.read_bytes() == b"damaged"
