"""One contrastive training step of two towers: the course's way, Keras as it comes, and PyTorch, eager.

All three learn the same towers (patches and coarse colours of pictures of 48 pixels; sums of word vectors of
two names for each picture) with the symmetric InfoNCE loss, its mask and a learned temperature, by AdamW in
batches of 256 pairs. The first epoch, in which Keras compiles, is not counted.

    python benchmarks/alignment.py --output results.json

PyTorch is no dependency of the course; without it, only ``--way`` with the others runs.
"""

import os

import numpy as np
from compare import main

PAIRS, BATCH, PARTNERS, LENGTH = 2560, 256, 2, 18
EPOCHS = int(os.environ.get("BENCHMARK_EPOCHS", "5"))
SIDE, PATCH, WIDTH, HIDDEN, OUTPUT, WORDS = 48, 4, 64, 256, 64, 6000
TEMPERATURE, RATE, DECAY = 0.1, 1e-3, 0.01


def pairs():
    """Random pictures, names and groups: what they show plays no part in the speed."""
    random = np.random.default_rng(int(os.environ.get("BENCHMARK_ROUND", "0")))
    pictures = random.integers(256, size=(PAIRS, SIDE, SIDE, 3), dtype=np.uint8)
    names = random.integers(4, WORDS + 4, size=(PAIRS, PARTNERS, LENGTH)).astype(np.int32)
    names[:, :, 8:] = 0
    return pictures, names, np.arange(PAIRS, dtype=np.int32) % 2500


def with_keras(measure, **compiling):
    """The course's model, compiled with or without XLA."""
    import keras

    from mmcourse.learning import alignment

    keras.utils.set_random_seed(0)
    pictures, names, groups = pairs()
    size = {"width": WIDTH, "hidden": HIDDEN, "output": OUTPUT}
    words = [f"word {number}" for number in range(WORDS)]
    model = alignment.DualEncoder(
        alignment.PictureTower(SIDE, PATCH, **size),
        alignment.TextTower(words, LENGTH, **size),
        TEMPERATURE,
    )
    model.build()
    optimizer = keras.optimizers.AdamW(RATE, weight_decay=DECAY)
    model.compile(optimizer, alignment.contrastive_loss, **compiling)
    inputs = {"first": pictures, "second": names}
    model.fit(inputs, groups, batch_size=BATCH, verbose=0)
    with measure(EPOCHS * PAIRS):
        history = model.fit(inputs, groups, batch_size=BATCH, epochs=EPOCHS, verbose=0)
    return {"loss": history.history["loss"][-1], "parameters": model.count_params()}


def mmcourse_way(measure):
    """XLA, ten steps at a time."""
    return with_keras(measure, jit_compile=True, steps_per_execution=10)


def pytorch_way(measure):
    """A plain loop over slices of one tensor, which spends nothing on loading."""
    try:
        import torch
    except ImportError:
        raise SystemExit(
            "this way needs PyTorch: install torch beside the course, for example 2.13"
        ) from None
    from torch import nn
    from torch.nn import functional

    torch.manual_seed(0)
    pictures, names, groups = (torch.from_numpy(array) for array in pairs())
    tokens = (SIDE // PATCH) ** 2

    class Mix(nn.Module):
        def __init__(self, features):
            super().__init__()
            self.straight = nn.Linear(features, OUTPUT)
            self.bend, self.back = nn.Linear(features, HIDDEN), nn.Linear(HIDDEN, OUTPUT)

        def forward(self, features):
            hidden = functional.gelu(self.bend(features), approximate="tanh")
            return self.straight(features) + self.back(hidden)

    class Towers(nn.Module):
        def __init__(self):
            super().__init__()
            self.look = nn.Linear(3 * PATCH**2, WIDTH // 2)
            self.look_again = nn.Linear(WIDTH // 2, WIDTH)
            self.words = nn.Embedding(WORDS + 4, WIDTH)
            nn.init.normal_(self.words.weight, std=0.1)
            self.picture, self.text = Mix(WIDTH + 3 * tokens), Mix(WIDTH)
            self.log_scale = nn.Parameter(torch.tensor(-np.log(TEMPERATURE), dtype=torch.float32))

        def forward(self, pictures, names):
            pixels = pictures.to(torch.float32) / 127.5 - 1.0
            across = SIDE // PATCH
            grid = pixels.reshape(-1, across, PATCH, across, PATCH, 3).permute(0, 1, 3, 2, 4, 5)
            patches = grid.reshape(-1, tokens, PATCH**2 * 3)
            hidden = functional.gelu(self.look(patches), approximate="tanh")
            what = functional.gelu(self.look_again(hidden), approximate="tanh").mean(dim=1)
            where = patches.reshape(-1, tokens, PATCH**2, 3).mean(dim=2).reshape(-1, 3 * tokens)
            first = functional.normalize(self.picture(torch.cat([what, where], dim=1)), dim=-1)
            flat = names.reshape(-1, LENGTH)
            real = ((flat != 0) & (flat != 3)).to(torch.float32)[:, :, None]
            second = functional.normalize(self.text((self.words(flat) * real).sum(dim=1)), dim=-1)
            second = second.reshape(-1, PARTNERS, OUTPUT)
            scale = self.log_scale.clamp(max=float(np.log(100))).exp()
            return scale * torch.einsum("iw,jpw->ipj", first, second)

    def loss_of(logits, groups):
        eye = torch.eye(len(groups), dtype=torch.bool)
        wrong = (groups[:, None] == groups[None, :]) & ~eye
        right = torch.diagonal(logits, dim1=0, dim2=2).T
        logits = logits.masked_fill(wrong[:, None], -1e9)
        both = (logits.logsumexp(dim=2) + logits.logsumexp(dim=0).T) / 2
        return (both - right).mean()

    model = Towers()
    optimiser = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=DECAY)

    def epoch():
        order, total = torch.randperm(PAIRS), 0.0
        for start in range(0, PAIRS, BATCH):
            chosen = order[start : start + BATCH]
            loss = loss_of(model(pictures[chosen], names[chosen]), groups[chosen])
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            total += loss.item() * BATCH / PAIRS
        return total

    epoch()
    with measure(EPOCHS * PAIRS):
        for _ in range(EPOCHS):
            loss = epoch()
    return {"loss": loss, "parameters": sum(each.numel() for each in model.parameters())}


if __name__ == "__main__":
    main(
        {"mmcourse": mmcourse_way, "keras default": with_keras, "pytorch": pytorch_way},
        peer="pytorch",
        unit="pairs",
        packages=("keras", "numpy", "tensorflow", "torch"),
    )
