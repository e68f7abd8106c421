"""Read arrays out of a weight file of PyTorch's older format, without PyTorch and without running its code.

Such a file is a row of pickles followed by raw numbers, and a pickle is a program: loading it with
``pickle.load`` runs whatever its author wrote into it. The reader here knows four names, all of them for
describing arrays, and refuses every other.
"""

import io
import math
import pickle
from typing import NamedTuple

import numpy as np

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001
# What a file may ask for: the kinds of storage, and their numbers.
STORAGES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


class WeightFileError(ValueError):
    """The file is damaged, has another format, or asks for something else than arrays."""


class _Storage(NamedTuple):
    """A block of numbers in the file, which several tensors may share."""

    key: str
    dtype: np.dtype
    count: int  # type: ignore[assignment]  # as in PyTorch; nobody counts the fields


class _Tensor(NamedTuple):
    """How a tensor lies in its storage: first number, shape, and steps from one index to the next."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _Records(dict):
    """Stands for the ordered dictionary in which the tensors are kept; what else belongs to it is dropped."""

    def __setstate__(self, state):
        pass


def _tensor(storage, offset, shape, strides, requires_grad=False, hooks=None, metadata=None) -> _Tensor:
    return _Tensor(storage, offset, tuple(shape), tuple(strides))


class _Reader(pickle.Unpickler):
    """A pickle machine that can make dictionaries and descriptions of tensors, and nothing else."""

    def find_class(self, module, name):
        """What a pickle may call; the name is never looked up in the module."""
        if (module, name) == ("collections", "OrderedDict"):
            return _Records
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if module == "torch" and name in STORAGES:
            return name
        raise WeightFileError(
            f"the file asks for {module}.{name}, which is no array; it may be hostile and was not run"
        )

    def persistent_load(self, description):
        """A reference to a storage: ``("storage", kind, key, device, count, view)``."""
        kind, storage, key, _, count, view = description
        if kind != "storage" or storage not in STORAGES or view is not None:
            raise WeightFileError(f"expected a reference to a block of numbers, got {description!r}")
        return _Storage(key, STORAGES[storage], count)  # type: ignore[arg-type]


def read(content: bytes) -> dict[str, np.ndarray]:
    """The arrays of a ``.pth`` or ``.pt`` file of the format before version 1.6 of PyTorch.

    Args:
        content: the whole file.

    Returns:
        Name -> array, ``float32`` or ``int64``, each with memory of its own, in the order of the file.

    Raises:
        WeightFileError: the file is a zip file (PyTorch's newer format), is damaged, describes an array
            outside its numbers or larger than them, or asks for anything that is no array.
    """
    if content[:2] == b"PK":
        raise WeightFileError("the file is a zip file, PyTorch's newer format; expected the older one")
    file = io.BytesIO(content)
    try:
        magic, protocol, machine, records, keys = (_Reader(file).load() for _ in range(5))
        if magic != MAGIC or protocol != PROTOCOL:
            raise WeightFileError(f"expected PyTorch's format {PROTOCOL}, got {protocol!r}")
        if not machine["little_endian"]:
            raise WeightFileError("the numbers are big-endian; expected little-endian ones")
        storages = {tensor.storage.key: tensor.storage for tensor in records.values()}
        if len(set(keys)) != len(keys) or set(keys) != set(storages):
            raise WeightFileError("the list of blocks does not fit the tensors")
        blocks = {key: _block(file, storages[key]) for key in keys}
        if file.read(1):
            raise WeightFileError("there is more in the file than its tensors")
        return {name: _array(name, tensor, blocks) for name, tensor in records.items()}
    except WeightFileError:
        raise
    except Exception as error:  # a damaged pickle can end in nearly any error
        raise WeightFileError(f"the file is damaged: {type(error).__name__}: {error}") from error


def _block(file: io.BytesIO, storage: _Storage) -> np.ndarray:
    """The next block of the file: its length, then its numbers."""
    count = int.from_bytes(file.read(8), "little")
    if count != storage.count:
        raise WeightFileError(f"a block has {count} numbers, expected {storage.count}")
    content = file.read(count * storage.dtype.itemsize)
    if len(content) != count * storage.dtype.itemsize:
        raise WeightFileError("the file ends inside its numbers")
    return np.frombuffer(content, storage.dtype)


def _array(name: str, tensor: _Tensor, blocks: dict[str, np.ndarray]) -> np.ndarray:
    storage, offset, shape, strides = tensor
    numbers = (offset, *shape, *strides)
    if len(shape) != len(strides) or not all(type(number) is int and number >= 0 for number in numbers):
        raise WeightFileError(f"{name}: impossible shape {shape} with strides {strides}")
    size = math.prod(shape)
    last = offset + sum((side - 1) * stride for side, stride in zip(shape, strides, strict=True))
    if size > storage.count or (size and last >= storage.count):
        raise WeightFileError(f"{name}: shape {shape} does not fit into {storage.count} numbers")
    if size == 0:
        return np.zeros(shape, storage.dtype)
    steps = [stride * storage.dtype.itemsize for stride in strides]
    view = np.lib.stride_tricks.as_strided(blocks[storage.key][offset:], shape, steps, writeable=False)
    return view.copy()
