"""Train an LSTM that reads 80 words: Keras on TensorFlow as in the chapter "Recurrence", against PyTorch.

Both networks are the same: word vectors of 32 numbers, an LSTM with 64 units, one output; Adam, batches of
64, binary cross-entropy. Neither reads a mask. What is counted are sequences after warming up.
"""

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


def mmcourse(measure: compare.Measurement) -> dict:
    """The settings of the chapter: the plain loop, no XLA."""
    import keras
    from keras import layers

    from mmcourse import training

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
        keras.optimizers.Adam(1e-3), keras.losses.BinaryCrossentropy(from_logits=True), jit_compile=False
    )
    network.fit(token_ids, labels, batch_size=BATCH, epochs=1, verbose=0)  # builds the graph, warms up
    with measure(SEQUENCES):
        history = network.fit(token_ids, labels, batch_size=BATCH, epochs=1, verbose=0)
    return {"weights": network.count_params(), "loss": round(history.history["loss"][0], 4)}


def pytorch(measure: compare.Measurement) -> dict:
    """The same network and the same batches in PyTorch."""
    try:
        import torch
    except ImportError:
        raise SystemExit(
            "this comparison needs PyTorch: install torch beside mmcourse and run again"
        ) from None

    torch.manual_seed(int(os.environ.get("BENCHMARK_ROUND", 0)))
    if "OMP_NUM_THREADS" in os.environ:
        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))

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
            total += float(loss) * len(rows)
        return total / SEQUENCES

    epoch()
    with measure(SEQUENCES):
        loss = epoch()
    return {"weights": sum(p.numel() for p in network.parameters()), "loss": round(loss, 4)}


if __name__ == "__main__":
    compare.main(
        {"mmcourse": mmcourse, "pytorch": pytorch},
        peer="pytorch",
        unit="sequences",
        packages=("keras", "tensorflow"),
    )
