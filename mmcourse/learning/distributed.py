"""One training over several processes, or several machines (notebook 57).

Each process holds the whole model and sees its part of every batch; the gradients are summed before a step
(data parallelism). The work is done by ``keras.distribution`` on the JAX backend, which needs the extra
``jax``. A script that trains calls :func:`join` first and cuts its batches with :func:`part`; then

    python -m mmcourse.learning.distributed --processes 2 SCRIPT

runs it twice on this machine, as one training. On several machines, start each process by itself and say
where process 0 listens: ``--processes 2 --process 1 --address 10.0.0.1:29500 SCRIPT``.
"""

import argparse
import importlib.util
import os
import socket
import subprocess
import sys
import time

import numpy as np

from mmcourse.checks import check_count

ADDRESSES, PROCESSES, PROCESS = (
    f"KERAS_DISTRIBUTION_{name}" for name in ("JOB_ADDRESSES", "NUM_PROCESSES", "PROCESS_ID")
)
PATIENCE = 0.2  # seconds between two looks at the processes


def join() -> tuple[int, int]:
    """Take part in the training that :func:`main` has started; call it before the model is built.

    Returns:
        The number of this process, from 0, and how many there are. (0, 1) without a launcher: the same script
        then trains alone, on any backend.

    Raises:
        RuntimeError: several processes were asked for, and the backend is not JAX, or the processes did not
            find each other.
    """
    processes = int(os.environ.get(PROCESSES, "1"))
    if processes == 1:
        return 0, 1
    import keras

    if keras.backend.backend() != "jax":
        raise RuntimeError(
            f"training in {processes} processes needs the JAX backend, and this is "
            f"{keras.backend.backend()}; install the extra 'jax' and set KERAS_BACKEND=jax"
        )
    keras.distribution.initialize()
    import jax

    if jax.process_count() != processes:  # each would train alone, in silence
        raise RuntimeError(f"{processes} processes were started, and {jax.process_count()} found each other")
    keras.distribution.set_distribution(keras.distribution.DataParallel(auto_shard_dataset=False))
    return jax.process_index(), processes


def part(arrays, process: int, processes: int):
    """The rows of a batch that one process works on: its consecutive share of every array.

    Args:
        arrays: an array with the examples first, or a dictionary, tuple or list of such.
        process: number of the process, from 0.
        processes: how many there are; it divides the number of rows.

    Raises:
        ValueError: the rows cannot be shared evenly, or there is no such process.
    """
    check_count("processes", processes)
    if not 0 <= process < processes:
        raise ValueError(f"process must be 0 to {processes - 1}, got {process}")
    if isinstance(arrays, dict):
        return {name: part(array, process, processes) for name, array in arrays.items()}
    if isinstance(arrays, tuple | list):
        return type(arrays)(part(array, process, processes) for array in arrays)
    array = np.asarray(arrays)
    each, left = divmod(len(array), processes)
    if left:
        raise ValueError(f"a batch of {len(array)} rows cannot be shared evenly by {processes} processes")
    return array[process * each : (process + 1) * each]


def main(arguments: list[str] | None = None) -> int:
    """Start the processes, wait for them, and return the first exit status that is not 0, or 0."""
    parser = argparse.ArgumentParser(prog="mmcourse.learning.distributed", description=__doc__.split("\n")[0])
    parser.add_argument("--processes", type=int, default=2, help="how many in all (default: %(default)s)")
    parser.add_argument("--process", type=int, help="start this one alone, counted from 0")
    parser.add_argument("--address", help="HOST:PORT where process 0 listens; needed with --process")
    parser.add_argument("script", help="a Python file that calls join()")
    parser.add_argument("rest", nargs=argparse.REMAINDER, help="arguments of the script")
    options = parser.parse_args(arguments)
    if options.processes < 1:
        parser.error(f"--processes must be at least 1, got {options.processes}")
    if options.process is not None and not (options.address and 0 <= options.process < options.processes):
        parser.error(f"--process needs --address, and is 0 to {options.processes - 1}")
    if options.processes > 1 and importlib.util.find_spec("jax") is None:
        print("several processes need JAX: python -m pip install 'mmcourse[jax]'", file=sys.stderr)
        return 1
    address = options.address or f"127.0.0.1:{_free_port()}"
    numbers = range(options.processes) if options.process is None else [options.process]
    command = [sys.executable, options.script, *options.rest]
    started = []
    for number in numbers:
        own = {ADDRESSES: address, PROCESSES: str(options.processes), PROCESS: str(number)}
        if options.processes > 1:
            own["KERAS_BACKEND"] = "jax"
        started.append(subprocess.Popen(command, env={**os.environ, **own}))
    return _wait(started)


def _wait(started: list[subprocess.Popen]) -> int:
    """Wait for all; when one fails, end the others, which would wait for it for ever."""
    try:
        while True:
            found = [process.poll() for process in started]
            failed = [status for status in found if status]
            if failed or None not in found:
                return abs(failed[0]) if failed else 0
            time.sleep(PATIENCE)
    finally:
        for process in started:
            if process.poll() is None:
                process.terminate()
        for process in started:
            process.wait()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


if __name__ == "__main__":
    sys.exit(main())
