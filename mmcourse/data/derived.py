"""Arrays that are slow to derive from an archive, kept in the cache folder."""

import os
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np


def cached_arrays(path: Path, build: Callable[[], dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Return the arrays stored at ``path`` (.npz), or build and store them.

    A damaged file is built again. Where the folder cannot be written the arrays are returned all the same,
    since storing them only saves time. The file appears whole or not at all.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            return dict(stored)
    except FileNotFoundError:
        pass
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        print(f"{path.name} is damaged and is made again ({error})", file=sys.stderr)
    arrays = build()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as part:
            try:
                np.savez_compressed(part, **arrays)
            except BaseException:
                os.unlink(part.name)
                raise
        os.replace(part.name, path)
    except OSError as error:
        print(f"{path.name} could not be kept in {path.parent} ({error})", file=sys.stderr)
    return arrays
