"""The cache folder: one way to keep what is slow to make, for arrays and for trained models.

What is kept has a name, a configuration and the modules that make it. The last two become a key in the file's
name: ``NAME-CONFIGURATION-CODE``, eight and twelve hexadecimal digits, where CODE is the hash of the import
closure (:mod:`mmcourse.closure`). A change to any of them makes the thing anew beside the old one, which
:func:`tidy` removes. Everything appears whole or not at all, and is made by one process while others wait.
"""

import contextlib
import hashlib
import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import filelock
import numpy as np
import platformdirs

from mmcourse import closure

KEY = re.compile(r"(?P<name>.+)-(?P<configuration>[0-9a-f]{8})-[0-9a-f]{12}(?P<suffix>\.npz)?")


class StorageError(RuntimeError):
    """Something could not be written to the cache folder or read from it; the message says what to do."""


def cache_folder() -> Path:
    """The folder of downloaded data and of what is made from them; it need not exist yet.

    Returns:
        ``$MMCOURSE_DATA`` if that is set, else ``mmcourse`` in the platform's user cache folder.
    """
    chosen = os.environ.get("MMCOURSE_DATA")
    if chosen:
        return Path(chosen).expanduser().absolute()
    return Path(platformdirs.user_cache_dir("mmcourse", appauthor=False))


def key(name: str, configuration: Mapping, modules: Iterable[str]) -> str:
    """The name under which something is kept.

    Args:
        name: what it is; letters, digits and hyphens.
        configuration: all settings that decide what is in it, as JSON can write them.
        modules: ``__name__`` of the modules that make it; what they import counts too.
    """
    settings = json.dumps(dict(configuration), sort_keys=True).encode()
    return f"{name}-{hashlib.sha256(settings).hexdigest()[:8]}-{closure.digest(list(modules))[:12]}"


def arrays(
    name: str,
    modules: Iterable[str],
    build: Callable[[], dict[str, np.ndarray]],
    configuration: Mapping | None = None,
) -> dict[str, np.ndarray]:
    """The arrays of that name, made by ``build`` unless they have been before; see :func:`key`."""
    return cached_arrays(cache_folder() / "derived" / f"{key(name, configuration or {}, modules)}.npz", build)


def cached_arrays(path: Path, build: Callable[[], dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Return the arrays stored at ``path`` (.npz), or build and store them.

    A damaged file is built again. Where the folder cannot be written the arrays are returned all the same,
    since storing them only saves time.
    """
    found = _read(path)
    if found is not None:
        return found
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):  # in a folder that can only be read there is nothing to lock
            path.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(locked(path))
            found = _read(path)  # another process may have made it meanwhile
        if found is not None:
            return found
        made = build()
        try:
            with replacing(path) as part, open(part, "wb") as file:
                np.savez_compressed(file, allow_pickle=False, **made)
        except OSError as error:
            print(f"{path.name} could not be kept in {path.parent} ({error})", file=sys.stderr)
    return made


def folder(
    name: str, configuration: Mapping, modules: Iterable[str], make: Callable[[Path, Path], None]
) -> Path:
    """A folder of that name, filled by ``make`` unless it has been before; see :func:`key`.

    Args:
        make: called as ``make(work, part)``. It writes what is to be kept into the empty folder ``part``,
            and may keep what an interrupted call can go on from in ``work``, which is removed afterwards.

    Raises:
        StorageError: the folder cannot be written.
    """
    models = cache_folder() / "models"
    kept = models / key(name, configuration, modules)
    if kept.is_dir():
        _touch(kept)
        return kept
    with writing(models):
        models.mkdir(parents=True, exist_ok=True)
    work, part = kept.with_name(f"{kept.name}.training"), models / f"part-{kept.name}"
    with locked(kept):
        if kept.is_dir():  # another process has made it meanwhile
            return kept
        with writing(models, part.name):
            shutil.rmtree(part, ignore_errors=True)  # left by a process that was killed
            part.mkdir()
        try:
            make(work, part)
            with writing(models, part.name):
                part.rename(kept)
        finally:
            shutil.rmtree(part, ignore_errors=True)
        shutil.rmtree(work, ignore_errors=True)
    return kept


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of what is to be made at ``path``; says so where another process holds it.

    Raises:
        StorageError: the lock's file cannot be written.
    """
    lock = filelock.FileLock(path.with_name(f"{path.name}.lock"))
    with writing(path.parent):
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            print(f"  waiting for another process that makes {path.name}", file=sys.stderr, flush=True)
            lock.acquire()
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Write a file whole or not at all: gives a path beside it that takes its place in the end."""
    # Not by tempfile, whose files only their owner may read.
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        os.replace(part, path)
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


@contextlib.contextmanager
def writing(folder: Path, parts: str = "part-*") -> Iterator[None]:
    """Turn a failure to write into a StorageError that says what to do; leave no half-written part."""
    try:
        yield
    except OSError as error:
        with contextlib.suppress(OSError):
            for part in folder.glob(parts):
                shutil.rmtree(part, ignore_errors=True)
        raise StorageError(
            f"cannot write to {folder}: {error}. Free some space, or set MMCOURSE_DATA to a folder that "
            "can be written to."
        ) from error


def tidy() -> tuple[list[str], int]:
    """Remove from the cache folder what an older version of the code or of the data has left.

    Of everything kept with one name and one configuration the one that was used last stays. Downloaded
    archives stay.

    Returns:
        The names of what was removed, and how many bytes that frees.

    Raises:
        StorageError: something cannot be removed.
    """
    removed: list[str] = []
    newest: dict[tuple, Path] = {}
    freed = 0
    paths = [p for kind in ("models", "derived") for p in (cache_folder() / kind).glob("*")]
    for path in paths:
        found = KEY.fullmatch(path.name)
        if found and not path.name.startswith("part-"):
            group = (path.parent, found["name"], found["configuration"])
            if group not in newest or path.stat().st_mtime > newest[group].stat().st_mtime:
                newest[group] = path
    stay = {path.name for path in newest.values()}
    for path in sorted(paths):
        kept = path.name.removesuffix(".lock").removesuffix(".training").removeprefix("part-")
        if path.name in stay or (path.suffix == ".lock" and kept in stay):
            continue
        lock = filelock.FileLock(path.with_name(f"{kept}.lock"))
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:  # it is being made
            continue
        size = _size(path)
        with writing(path.parent, "nothing-more"):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
            Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()
        if path.suffix != ".lock":
            removed.append(path.name)
            freed += size
    return removed, freed


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def _touch(path: Path) -> None:
    """Remember when it was last used, for :func:`tidy`."""
    with contextlib.suppress(OSError):
        os.utime(path)


def _read(path: Path) -> dict[str, np.ndarray] | None:
    """The arrays, or None if they are not there or damaged."""
    try:
        stored = np.load(path, allow_pickle=False)
        if isinstance(stored, np.ndarray):
            raise ValueError("it holds a single array")
        with stored:
            found = dict(stored)
        if not all(isinstance(array, np.ndarray) for array in found.values()):
            raise ValueError("it holds something else than arrays")
    except FileNotFoundError:
        return None
    except Exception as error:  # zipfile, zlib and numpy raise errors of a dozen kinds
        print(f"{path.name} is damaged and is made again ({str(error)[:200]})", file=sys.stderr)
        return None
    _touch(path)
    return found
