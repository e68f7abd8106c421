"""Training LeNet on a CPU: the course's way against the same network in PyTorch.

Both learn the same 61,706 parameters from the same pictures with Adam in batches of 64, drawn in a new order
each epoch. The first epoch, in which Keras compiles, is not counted.

    python benchmarks/convolution.py --output results.json

PyTorch is no dependency of the course; without it, only ``--way mmcourse`` runs.
"""

import os

import numpy as np
from compare import main

PICTURES = 6400
BATCH = 64
EPOCHS = int(os.environ.get("BENCHMARK_EPOCHS", "5"))
LEARNING_RATE = 2e-3
PARAMETERS = 61_706


def pictures_and_digits():
    """Random pictures ``(PICTURES, 28, 28, 1)`` and digits: what they show plays no part in the speed."""
    random = np.random.default_rng(int(os.environ.get("BENCHMARK_ROUND", "0")))
    pictures = random.uniform(size=(PICTURES, 28, 28, 1)).astype("float32")
    return pictures, random.integers(0, 10, PICTURES)


def mmcourse_way(measure):
    """No XLA, ten steps at a time."""
    import keras

    from mmcourse.layers import convolutional_networks

    pictures, digits = pictures_and_digits()
    model = convolutional_networks.lenet()
    assert model.count_params() == PARAMETERS
    model.compile(
        keras.optimizers.Adam(LEARNING_RATE),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        steps_per_execution=10,
        jit_compile=False,
    )
    model.fit(pictures, digits, batch_size=BATCH, verbose=0)
    with measure(EPOCHS * PICTURES):
        history = model.fit(pictures, digits, batch_size=BATCH, epochs=EPOCHS, verbose=0)
    return {"loss": history.history["loss"][-1]}


def pytorch_way(measure):
    """A plain loop over slices of one tensor, which spends nothing on loading."""
    try:
        import torch
    except ImportError:
        raise SystemExit(
            "this way needs PyTorch: install torch beside the course, for example 2.13"
        ) from None
    from torch import nn

    pictures, digits = (torch.from_numpy(array) for array in pictures_and_digits())
    pictures = pictures.permute(0, 3, 1, 2).contiguous()  # PyTorch's order: (pictures, channels, 28, 28)
    model = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(400, 120),
        nn.ReLU(),
        nn.Linear(120, 84),
        nn.ReLU(),
        nn.Linear(84, 10),
    )
    assert sum(parameter.numel() for parameter in model.parameters()) == PARAMETERS
    optimiser = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    compare_logits = nn.CrossEntropyLoss()

    def epoch():
        order = torch.randperm(PICTURES)
        for first in range(0, PICTURES, BATCH):
            chosen = order[first : first + BATCH]
            loss = compare_logits(model(pictures[chosen]), digits[chosen])
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
        return loss

    epoch()
    with measure(EPOCHS * PICTURES):
        for _ in range(EPOCHS):
            loss = epoch()
    return {"loss": loss.item()}


if __name__ == "__main__":
    main(
        {"mmcourse": mmcourse_way, "pytorch": pytorch_way},
        peer="pytorch",
        unit="pictures",
        packages=("keras", "numpy", "tensorflow", "torch"),
    )
