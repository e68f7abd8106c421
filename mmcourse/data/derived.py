"""Arrays that are slow to derive from an archive, kept in the cache folder."""

import contextlib
import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np


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
