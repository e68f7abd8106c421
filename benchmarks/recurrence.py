"""Train an LSTM that reads 80 words: Keras on TensorFlow as in the notebook "Does order matter?", against
PyTorch.

All networks are the same: word vectors of 32 numbers, an LSTM with 64 units, one output; Adam, batches of
64, binary cross-entropy. None reads a mask. What is counted are sequences after warming up.

The loop of an LSTM is made of small operations, and handing them from thread to thread costs more than it
gains. So threads are part of the comparison: "mmcourse" and "pytorch, one thread" use one, as the build of
the book does; the others use what the library chooses.

    python benchmarks/recurrence.py --output benchmarks/results/recurrence.json
"""

import functools
import os

import compare
import numpy as np

SEQUENCES = int(os.environ.get("BENCHMARK_SEQUENCES", 3200))
STEPS, WORDS, WIDTH, UNITS, BATCH = 80, 10_000, 32, 64, 64


def data() -> tuple[np.ndarray, np.ndarray]:
    """Random word numbers ``(SEQUENCES, STEPS)`` and labels ``(SEQUENCES, 1)`` that can be learnt."""
    random = np.random.default_rng(int(os.environ.get("BENCHMARK_ROUND", 0)))
    token_ids = random.integers(1, WORDS, (SEQUENCES, STEPS), dtype=np.int32)
    return token_ids, (token_ids[:, -1:] % 2).astype(np.float32)


def train_keras(measure: compare.Measurement, one_thread: bool, compiled: bool = False) -> dict:
    """Keras's LSTM, in the settings of the course but for what the arguments say."""
    if one_thread:  # TensorFlow reads them when it is imported
        os.environ |= {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
    import keras
    from keras import layers

    from mmcourse.learning import training

    training.choose_profile("cpu")
    training.set_seed(int(os.environ.get("BENCHMARK_ROUND", 0)))
    token_ids, labels = data()
    network = keras.Sequential(
        [
            keras.Input((STEPS,), dtype="int32"),
            layers.Embedding(WORDS, WIDTH),
            layers.LSTM(UNITS),
            layers.Dense(1),
        ]
    )
    network.compile(
        keras.optimizers.Adam(1e-3),
        keras.losses.BinaryCrossentropy(from_logits=True),
        steps_per_execution=10,
        jit_compile=compiled,
    )
    network.fit(token_ids, labels, batch_size=BATCH, epochs=1, verbose=0)  # builds the graph, warms up
    with measure(SEQUENCES):
        history = network.fit(token_ids, labels, batch_size=BATCH, epochs=1, verbose=0)
    return {"weights": network.count_params(), "loss": round(history.history["loss"][0], 4)}


def train_pytorch(measure: compare.Measurement, one_thread: bool) -> dict:
    """The same network and the same batches in PyTorch."""
    try:
        import torch
    except ImportError:
        raise SystemExit(
            "this comparison needs PyTorch: install torch beside mmcourse and run again"
        ) from None

    torch.manual_seed(int(os.environ.get("BENCHMARK_ROUND", 0)))
    if one_thread:
        torch.set_num_threads(1)

    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.vectors = torch.nn.Embedding(WORDS, WIDTH)
            self.lstm = torch.nn.LSTM(WIDTH, UNITS, batch_first=True)
            self.head = torch.nn.Linear(UNITS, 1)

        def forward(self, token_ids):
            return self.head(self.lstm(self.vectors(token_ids))[0][:, -1])

    network = Network()
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    loss_of = torch.nn.BCEWithLogitsLoss()
    token_ids, labels = map(torch.from_numpy, data())

    def epoch() -> float:
        total = 0.0
        for rows in torch.randperm(SEQUENCES).split(BATCH):
            optimiser.zero_grad()
            loss = loss_of(network(token_ids[rows]), labels[rows])
            loss.backward()
            optimiser.step()
            total += loss.item() * len(rows)
        return total / SEQUENCES

    epoch()
    with measure(SEQUENCES):
        loss = epoch()
    return {"weights": sum(p.numel() for p in network.parameters()), "loss": round(loss, 4)}


WAYS = {
    "mmcourse": functools.partial(train_keras, one_thread=True),
    "mmcourse, XLA": functools.partial(train_keras, one_thread=True, compiled=True),
    "mmcourse, all threads": functools.partial(train_keras, one_thread=False),
    "pytorch": functools.partial(train_pytorch, one_thread=False),
    "pytorch, one thread": functools.partial(train_pytorch, one_thread=True),
}

if __name__ == "__main__":
    compare.main(WAYS, peer="pytorch", unit="sequences", packages=("keras", "tensorflow", "torch"))
