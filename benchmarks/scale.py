"""What training a generator costs as data, width and depth grow, and one training in two processes.

The first way trains the same generator with more examples, wider and deeper, one size at a time, on PyTorch
with one thread, which runs each operation as it comes: no compilation is in the figures. Each size has a
process of its own that is forked after the imports. It gives CPU seconds, the memory that came on top of a
tiny model's, and the operations that mmcourse.generator.cost counts.
The other two train the middle size on JAX, in one process and in two that share every batch; they return the
losses and the sum of the weights, which have to be the same. What notebook 57 shows are these figures.

    python benchmarks/scale.py --rounds 5 --output benchmarks/results/scale.json

Both are no part of the lock: python -m pip install torch jax
"""

import json
import multiprocessing
import os
import tempfile
import time
from pathlib import Path

import compare

ROUND = int(os.environ.get("BENCHMARK_ROUND", "0"))
MEDIA, CHANNELS, PROMPT, ANSWER, WORDS, BATCH = 16, 64, 4, 12, 500, 32
BASE = {"data": 128, "width": 128, "depth": 2}
SIZES = {"data": (64, 128, 256, 512), "width": (64, 128, 256, 512), "depth": (1, 2, 4, 8)}
HEAD = 32  # width of an attention head
WORKER = "SCALE_WORKER"  # names the file of a process that is one of several
EPOCHS = 12  # of the training in one and in two processes


def make(data: int, width: int, depth: int):
    """A compiled generator, and batches of random pictures' features and answers."""
    import keras
    import numpy as np

    from mmcourse.generator.captions import FeatureTokens
    from mmcourse.generator.model import MultimodalGenerator, Settings, answer_loss
    from mmcourse.learning import training

    training.set_seed(ROUND)
    size = Settings(
        width=width,
        heads=width // HEAD,
        depth=depth,
        hidden=4 * width,
        prompt_length=PROMPT,
        answer_length=ANSWER,
    )
    words = [f"word{number}" for number in range(WORDS - 4)]
    model = MultimodalGenerator({"image": FeatureTokens(MEDIA, CHANNELS, width)}, words, size)
    model.build()
    model.compile(keras.optimizers.AdamW(1e-3), answer_loss, jit_compile=keras.backend.backend() == "jax")
    random = np.random.default_rng(ROUND)
    inputs = {
        "image": random.normal(size=(data, MEDIA, CHANNELS)).astype("float32"),
        "prompt": random.integers(4, WORDS, size=(data, PROMPT)).astype("int32"),
        "answer": random.integers(4, WORDS, size=(data, ANSWER)).astype("int32"),
    }
    for row, length in zip(inputs["answer"], random.integers(1, ANSWER + 1, size=data), strict=True):
        row[length:] = 0  # answers of different lengths, as in life
    return model, inputs, size


def size_alone(queue, sizes: dict) -> None:
    """Train one size for an epoch after a step that does not count."""
    model, inputs, _ = make(BATCH, HEAD, 1)  # a tiny one, which brings the libraries into memory
    model.fit(inputs, inputs["answer"], batch_size=BATCH, verbose=0)
    before = compare.peak_bytes()
    model, inputs, size = make(**sizes)
    from mmcourse.generator import cost

    first = {name: array[:BATCH] for name, array in inputs.items()}
    model.fit(first, first["answer"], batch_size=BATCH, verbose=0)
    cpu, wall = time.process_time(), time.perf_counter()
    model.fit(inputs, inputs["answer"], batch_size=BATCH, verbose=0, shuffle=False)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    operations = sizes["data"] * cost.training_operations(size, WORDS, MEDIA, CHANNELS)
    found = {"cpu_seconds": cpu, "wall_seconds": wall, "bytes": compare.peak_bytes() - before}
    queue.put({**sizes, **found, "operations": operations, "parameters": model.count_params()})


def sizes(measure: compare.Measurement) -> dict:
    """All sizes, one after the other, on PyTorch."""
    os.environ["OMP_NUM_THREADS"] = "1"
    os.environ["KERAS_BACKEND"] = "torch"
    try:
        import torch
    except ImportError:
        raise SystemExit("this way needs PyTorch: python -m pip install torch") from None
    import mmcourse.generator.captions  # noqa: F401  imported once, before the processes part

    torch.set_num_threads(1)

    fork = multiprocessing.get_context("fork")
    queue, found = fork.Queue(), []
    asked = [{**BASE, name: value} for name, values in SIZES.items() for value in values]
    for one in [one for place, one in enumerate(asked) if one not in asked[:place]]:
        child = fork.Process(target=size_alone, args=(queue, one))
        child.start()
        found.append(queue.get(timeout=600))
        child.join()
    measure.units = sum(one["data"] for one in found)
    measure.cpu_seconds = sum(one["cpu_seconds"] for one in found)
    measure.wall_seconds = sum(one["wall_seconds"] for one in found)
    return {"sizes": found}


def worker() -> None:
    """Train the middle size on JAX as one of the processes, and write down what it took."""
    from mmcourse.learning import distributed

    number, processes = distributed.join()
    if hasattr(os, "sched_setaffinity"):  # a core for each, so that one process is one core's work
        os.sched_setaffinity(0, {number % os.cpu_count()})
    import keras
    import numpy as np

    from mmcourse.learning import training

    model, inputs, _ = make(**BASE)

    def rows(chosen, random):
        batch = {name: array[chosen] for name, array in inputs.items()}
        return distributed.part((batch, batch["answer"]), number, processes)

    batches = training.Batches(BASE["data"], BATCH, rows, ROUND)
    model.fit(batches, epochs=1, verbose=0, shuffle=False)
    cpu, wall = time.process_time(), time.perf_counter()
    history = model.fit(batches, epochs=EPOCHS, verbose=0, shuffle=False)
    found = {"cpu_seconds": time.process_time() - cpu, "wall_seconds": time.perf_counter() - wall}
    weights = [keras.ops.convert_to_numpy(weight) for weight in model.trainable_weights]
    found["loss"] = history.history["loss"]
    found["weights"] = float(sum(np.abs(weight).sum(dtype=np.float64) for weight in weights))
    Path(f"{os.environ[WORKER]}-{number}").write_text(json.dumps(found))


def together(processes: int, measure: compare.Measurement) -> dict:
    """The middle size in so many processes on JAX."""
    from mmcourse.learning import distributed

    os.environ["KERAS_BACKEND"] = "jax"
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    with tempfile.TemporaryDirectory() as folder:
        os.environ[WORKER] = str(Path(folder, "figures"))
        if distributed.main(["--processes", str(processes), __file__]):
            raise SystemExit("this way needs JAX: python -m pip install jax")
        found = [json.loads(path.read_text()) for path in sorted(Path(folder).iterdir())]
    measure.units = EPOCHS * BASE["data"]
    measure.cpu_seconds = sum(one["cpu_seconds"] for one in found)
    measure.wall_seconds = max(one["wall_seconds"] for one in found)
    return {"loss": found[0]["loss"], "weights": [one["weights"] for one in found]}


WAYS = {
    "sizes": sizes,
    "one process": lambda measure: together(1, measure),
    "two processes": lambda measure: together(2, measure),
}

if __name__ == "__main__":
    if WORKER in os.environ:
        worker()
    else:
        compare.main(WAYS, "one process", "examples", ("keras", "torch", "jax", "numpy"))
