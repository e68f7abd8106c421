"""A training step of the course's generator, beside the same network in plain PyTorch.

A picture of 64 pixels becomes 16 tokens; with 8 tokens of a prompt and 24 of an answer they pass three blocks
of width 128. "keras" is the course's model and its `fit` as the course compiles it, with XLA; "keras default"
the same with Keras's own choice, which is no XLA on a processor; "torch" the same network, number for number,
written by hand for PyTorch and run as it comes. AdamW and batches of 64 everywhere. What is counted are
pictures; a run's figures hold the most bytes that its process held.

    python benchmarks/training_step.py --output benchmarks/results/training_step.json

PyTorch is no part of the lock: python -m pip install torch
"""

import itertools
import os

import compare
import numpy as np

SIDE, CHANNELS, WIDTH, HEADS, HIDDEN, DEPTH = 64, (24, 48, 96), 128, 4, 384, 3
PROMPT, ANSWER, WORDS, BATCH = 8, 24, 2000, 64
STEPS = int(os.environ.get("BENCHMARK_STEPS", 40))
RATE = 1e-3


def arrays(count: int) -> dict[str, np.ndarray]:
    """Random pictures, prompts and answers, each answer whole."""
    random = np.random.default_rng(0)
    return {
        "image": random.integers(0, 256, size=(count, SIDE, SIDE, 3), dtype=np.uint8),
        "prompt": random.integers(4, WORDS, size=(count, PROMPT), dtype=np.int32),
        "answer": random.integers(4, WORDS, size=(count, ANSWER), dtype=np.int32),
    }


def generator():
    """The course's generator of this size, built and not trained."""
    from mmcourse.encoders.grid import GridEncoder
    from mmcourse.generator.model import MultimodalGenerator, Settings
    from mmcourse.learning import training

    training.set_seed(0)
    size = Settings(WIDTH, HEADS, DEPTH, HIDDEN, prompt_length=PROMPT, answer_length=ANSWER)
    model = MultimodalGenerator(
        {"image": GridEncoder(SIDE, CHANNELS, WIDTH)}, [f"word{i}" for i in range(WORDS - 4)], size
    )
    model.build()
    return model


def with_keras(measure: compare.Measurement, compiled: bool | str) -> dict:
    """``fit`` on TensorFlow."""
    import keras

    from mmcourse.generator.model import answer_loss

    model, data = generator(), arrays(BATCH * STEPS)
    model.compile(keras.optimizers.AdamW(RATE), answer_loss, jit_compile=compiled)
    model.fit(data, data["answer"], batch_size=BATCH, epochs=1, steps_per_epoch=3, verbose=0)
    with measure(BATCH * STEPS):
        loss = model.fit(data, data["answer"], batch_size=BATCH, verbose=0).history["loss"][0]
    return {"loss": loss, "parameters": model.count_params(), "peak_bytes": compare.peak_bytes()}


def with_torch(measure: compare.Measurement) -> dict:
    """The same network, run as it comes."""
    try:
        import torch
        from torch import nn
        from torch.nn import functional
    except ImportError as error:
        raise SystemExit("this way needs PyTorch: python -m pip install torch") from error

    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1)))
    torch.manual_seed(0)

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.before, self.after = nn.LayerNorm(WIDTH, 1e-6), nn.LayerNorm(WIDTH, 1e-6)
            self.joint, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
            self.network_in, self.network_out = nn.Linear(WIDTH, HIDDEN), nn.Linear(HIDDEN, WIDTH)

        def forward(self, tokens, mask):
            batch, count, _ = tokens.shape
            joint = self.joint(self.before(tokens)).view(batch, count, 3, HEADS, WIDTH // HEADS)
            queries, keys, values = joint.permute(2, 0, 3, 1, 4)  # each (batch, heads, tokens, width)
            attended = functional.scaled_dot_product_attention(queries, keys, values, mask)
            tokens = tokens + self.out(attended.transpose(1, 2).reshape(batch, count, WIDTH))
            hidden = functional.gelu(self.network_in(self.after(tokens)), approximate="tanh")
            return tokens + self.network_out(hidden)

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            sizes = (3, *CHANNELS, WIDTH)
            self.convolutions = nn.ModuleList(
                nn.Conv2d(a, b, 3, 2, padding=1, bias=b == WIDTH) for a, b in itertools.pairwise(sizes)
            )
            self.norms = nn.ModuleList(nn.LayerNorm(channels, 1e-5) for channels in CHANNELS)
            self.seen_norm = nn.LayerNorm(WIDTH, 1e-6, elementwise_affine=False)
            side = SIDE // 2 ** len(self.convolutions)
            self.position = nn.Parameter(torch.randn(2, side, WIDTH))
            self.modality = nn.Parameter(0.02 * torch.randn(1, WIDTH))
            self.words = nn.Embedding(WORDS, WIDTH)
            self.places = nn.Parameter(0.02 * torch.randn(PROMPT + ANSWER, WIDTH))
            self.blocks = nn.ModuleList(Block() for _ in range(DEPTH))
            self.final, self.to_logits = nn.LayerNorm(WIDTH, 1e-6), nn.Linear(WIDTH, WORDS)
            media, total = side**2, side**2 + PROMPT + ANSWER
            mask = torch.ones(total, total, dtype=torch.bool).tril()
            mask[:, :media] = True
            mask[media:, : media + PROMPT] = True
            self.register_buffer("mask", mask)

        def forward(self, image, prompt, answer):
            seen = image.permute(0, 3, 1, 2).float() / 127.5 - 1
            for convolution, norm in zip(self.convolutions, self.norms, strict=False):
                seen = norm(convolution(seen).permute(0, 2, 3, 1)).relu().permute(0, 3, 1, 2)
            seen = self.seen_norm(self.convolutions[-1](seen).permute(0, 2, 3, 1))
            seen = seen + self.position[0][:, None] + self.position[1][None]
            known = torch.cat([torch.ones_like(answer[:, :1]), answer[:, :-1]], dim=1)
            text = self.words(torch.cat([prompt, known], dim=1)) + self.places
            hidden = torch.cat([seen.flatten(1, 2) + self.modality, text], dim=1)
            for block in self.blocks:
                hidden = block(hidden, self.mask)
            return self.to_logits(self.final(hidden[:, -ANSWER:]))

    network = Network()
    optimizer = torch.optim.AdamW(network.parameters(), RATE)
    data = {name: torch.from_numpy(array) for name, array in arrays(BATCH * STEPS).items()}
    for name in ("prompt", "answer"):
        data[name] = data[name].long()

    def step(index: int) -> float:
        rows = slice(index * BATCH, (index + 1) * BATCH)
        image, prompt, answer = (data[name][rows] for name in ("image", "prompt", "answer"))
        logits = network(image, prompt, answer)
        loss = functional.cross_entropy(logits.flatten(0, 1), answer.flatten(), ignore_index=0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return float(loss)

    for index in range(3):
        step(index)
    with measure(BATCH * STEPS):
        loss = np.mean([step(index) for index in range(STEPS)])
    return {
        "loss": float(loss),
        "parameters": sum(p.numel() for p in network.parameters()),
        "peak_bytes": compare.peak_bytes(),
    }


WAYS = {
    "torch": with_torch,
    "keras": lambda measure: with_keras(measure, True),
    "keras default": lambda measure: with_keras(measure, "auto"),
}

if __name__ == "__main__":
    compare.main(WAYS, peer="torch", unit="pictures", packages=("keras", "tensorflow", "torch"))
