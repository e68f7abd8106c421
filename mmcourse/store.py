"""Arrays that are slow to derive from an archive, kept in the cache folder."""

import contextlib
import hashlib
import importlib.metadata
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from mmcourse.data import archives


def derived_path(
    name: str,
    sources: Iterable[str] = (),
    packages: Iterable[str] = (),
    files: Iterable[str] = (),
) -> Path:
    """Where arrays are kept, under a name made of all that decides what is in them.

    Args:
        name: what the arrays are, the first part of the file's name.
        sources: archives that they are derived from; see :func:`mmcourse.data.archives.load_sources`.
        packages: distributions whose versions matter.
        files: Python files whose code matters: ``__file__`` of modules.
    """
    known, digest = archives.load_sources(), hashlib.sha256()
    for source in sources:
        digest.update(known[source].sha256.encode())
    for package in packages:
        digest.update(f"{package} {importlib.metadata.version(package)}".encode())
    for file in files:
        digest.update(Path(file).read_bytes())
    return archives.cache_folder() / "derived" / f"{name}-{digest.hexdigest()[:12]}.npz"


def cached_arrays(path: Path, build: Callable[[], dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Return the arrays stored at ``path`` (.npz), or build and store them.

    A damaged file is built again. Where the folder cannot be written the arrays are returned all the same,
    since storing them only saves time. The file appears whole or not at all.
    """
    try:
        return _read(path)
    except FileNotFoundError:
        pass
    except Exception as error:  # zipfile, zlib and numpy raise errors of a dozen kinds
        print(f"{path.name} is damaged and is made again ({str(error)[:200]})", file=sys.stderr)
    arrays = build()
    # Not by tempfile, whose files only their owner may read.
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(part, "wb") as file:
            np.savez_compressed(file, **arrays)
        os.replace(part, path)
    except OSError as error:
        print(f"{path.name} could not be kept in {path.parent} ({error})", file=sys.stderr)
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
    return arrays


def _read(path: Path) -> dict[str, np.ndarray]:
    stored = np.load(path, allow_pickle=False)
    if isinstance(stored, np.ndarray):
        raise ValueError("it holds a single array")
    with stored:
        arrays = dict(stored)
    if not all(isinstance(array, np.ndarray) for array in arrays.values()):
        raise ValueError("it holds something else than arrays")
    return arrays
