"""Attention without training, at several lengths: keras.ops.dot_product_attention and PyTorch's fused kernel.

Four heads of width 64, batches of 8, float32. What is counted are multiplications, 2 · batch · heads ·
tokens² · width a call, about as many at each length; a run's figures also hold the CPU seconds of each.

    python benchmarks/attention.py --output results.json

PyTorch is no dependency of the course; without it, only ``--way keras`` runs.
"""

import os

import compare
import numpy as np

BATCH, HEADS, WIDTH = 8, 4, 64
LENGTHS = (64, 128, 256, 512, 1024)
MULTIPLICATIONS = float(os.environ.get("BENCHMARK_MULTIPLICATIONS", 2e10))  # at each length


def inputs(length: int) -> list[np.ndarray]:
    """Queries, keys and values ``(batch, tokens, heads, width)``."""
    random = np.random.default_rng(0)
    return [random.normal(size=(BATCH, length, HEADS, WIDTH)).astype("float32") for _ in range(3)]


def at_every_length(measure: compare.Measurement, make) -> dict:
    """Warm up and measure at each length; the CPU seconds of each, and a sum that all ways share.

    ``make`` turns queries, keys and values into a function that computes attention.
    """
    figures = {}
    for length in LENGTHS:
        attend = make(inputs(length))
        each = 2 * BATCH * HEADS * length**2 * WIDTH
        calls = max(2, round(MULTIPLICATIONS / each))
        figures[f"sum {length}"] = float(np.abs(np.asarray(attend())).sum())
        attend()
        before = measure.cpu_seconds
        with measure(calls * each):
            for _ in range(calls):
                attend()
        figures[f"cpu_seconds {length}"] = (measure.cpu_seconds - before) / calls
    return figures


def with_keras(measure: compare.Measurement) -> dict:
    """``keras.ops.dot_product_attention`` on TensorFlow, compiled without XLA as in the chapter."""
    import tensorflow as tf
    from keras import ops

    def make(arrays):
        tensors = [tf.constant(array) for array in arrays]
        attend = tf.function(ops.dot_product_attention)
        return lambda: attend(*tensors).numpy()

    return at_every_length(measure, make)


def with_torch(measure: compare.Measurement) -> dict:
    """``torch.nn.functional.scaled_dot_product_attention``, the fused kernel for CPUs."""
    try:
        import torch
    except ImportError as error:
        raise SystemExit("PyTorch is missing: install it beside this environment to compare") from error

    def make(arrays):
        tensors = [torch.from_numpy(array.swapaxes(1, 2).copy()) for array in arrays]
        attend = torch.nn.functional.scaled_dot_product_attention

        def no_gradient():
            with torch.no_grad():
                return attend(*tensors)

        return no_gradient

    return at_every_length(measure, make)


WAYS = {"keras": with_keras, "torch": with_torch}

if __name__ == "__main__":
    compare.main(WAYS, peer="torch", unit="multiplications", packages=("keras", "tensorflow", "torch"))
