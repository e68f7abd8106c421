"""Training that can be interrupted, and trained models that are kept.

A training writes a checkpoint after each epoch, whole or not at all, and goes on from the last one. A
finished model is kept under a key made of its configuration, its data and the code that trains it, so that
it is trained once and found by whoever asks for the same.
"""

import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from mmcourse import store


@dataclass(frozen=True)
class Profile:
    """How heavy computations run.

    Attributes:
        name: "cpu" or "gpu".
        dtype_policy: Keras dtype policy of the models.
    """

    name: str
    dtype_policy: str


PROFILES = {
    "cpu": Profile("cpu", "float32"),
    "gpu": Profile("gpu", "mixed_bfloat16"),
}


def choose_profile(name: str | None = None) -> Profile:
    """The profile of that name, or of ``$MMCOURSE_PROFILE``, or "cpu". It changes nothing in Keras.

    Raises:
        ValueError: there is no such profile.
    """
    name = name or os.environ.get("MMCOURSE_PROFILE") or "cpu"
    if name not in PROFILES:
        raise ValueError(f"unknown profile {name!r}; expected one of: {', '.join(PROFILES)}")
    return PROFILES[name]


def set_seed(seed: int) -> None:
    """Seed Python, NumPy and the Keras backend. One call at the top of a notebook is enough."""
    keras.utils.set_random_seed(seed)


def warm_up_cosine(
    learning_rate: float, steps: int, warm_up: int, last_share: float = 0.02
) -> keras.optimizers.schedules.LearningRateSchedule:
    """A line from 0 up to ``learning_rate``, then half a period of the cosine down to a share of it.

    As :func:`mmcourse.mathematics.optimisers.warm_up_cosine`, but the rise begins at 0, one step behind.

    Args:
        learning_rate: the largest.
        steps: of the whole training.
        warm_up: steps of the rise; at least one is taken.
        last_share: the rate from ``steps`` on, divided by ``learning_rate``.
    """
    warm_up = max(1, warm_up)
    return keras.optimizers.schedules.CosineDecay(
        0.0,  # a float: the schedule fails on an integer
        max(1, steps - warm_up),
        alpha=last_share,
        warmup_target=learning_rate,
        warmup_steps=warm_up,
    )


class _Checkpoints(keras.callbacks.Callback):
    """Save model, optimiser and history after every epoch; keep the newest.

    A checkpoint is a folder ``epoch-0007`` that is renamed into place when all its files are written: a
    process that is killed leaves the one before it.
    """

    def __init__(self, folder: Path, history: list[dict[str, float]]):
        super().__init__()
        self.folder, self.history = folder, history

    def on_epoch_end(self, epoch, logs=None):
        self.history.append({name: float(value) for name, value in (logs or {}).items()})
        with store.writing(self.folder):
            part = Path(tempfile.mkdtemp(prefix="part-", dir=self.folder))
            self.model.save(part / "model.keras")
            (part / "history.json").write_text(json.dumps(self.history))
            part.rename(self.folder / f"epoch-{epoch + 1:04d}")
        for older in _checkpoints(self.folder)[:-1]:
            shutil.rmtree(older)


class _EpochStart(keras.callbacks.Callback):
    """Let order and dropout depend on seed and epoch only, so that a resumed epoch is the same epoch.

    Keras may end an epoch before the first one has begun, and saves no dropout layer's random state.
    """

    def __init__(self, batches: "Batches"):
        super().__init__()
        self.batches = batches

    def on_epoch_begin(self, epoch, logs=None):
        self.batches.start_epoch(epoch)
        states = [v for v in self.model.variables if v.name == "seed_generator_state"]
        for place, state in enumerate(states):
            random = np.random.default_rng([self.batches.seed, epoch, place])
            state.assign(random.integers(2**31, size=state.shape, dtype=np.uint32))


class Progress(keras.callbacks.Callback):
    """One line an epoch: which, of how many, losses and scores, the seconds it took and those that remain."""

    def __init__(self, epochs: int):
        super().__init__()
        self.epochs = epochs

    def on_epoch_begin(self, epoch, logs=None):
        self.started = time.monotonic()

    def on_epoch_end(self, epoch, logs=None):
        seconds = time.monotonic() - self.started
        losses = ", ".join(f"{name} {value:.3f}" for name, value in (logs or {}).items())
        print(
            f"  epoch {epoch + 1:2d}/{self.epochs}: {losses}; {seconds:.0f} s, "
            f"about {seconds * (self.epochs - epoch - 1):.0f} s to go",
            file=sys.stderr,
            flush=True,
        )


class Batches(keras.utils.PyDataset):
    """Batches in an order that depends on nothing but the seed and the epoch.

    A training that is taken up at epoch 7 therefore sees what an uninterrupted one sees.

    Args:
        examples: number of examples an epoch; a last incomplete batch is left out.
        batch_size: examples a batch.
        make: maps ``(example indices, random generator of this batch)`` to what ``fit`` expects.
        seed: of order and augmentation.

    Raises:
        ValueError: not one batch can be made.
    """

    def __init__(self, examples: int, batch_size: int, make: Callable, seed: int):
        super().__init__()
        if not 1 <= batch_size <= examples:
            raise ValueError(f"batch_size must be 1 to {examples} (the examples), got {batch_size}")
        self.examples, self.batch_size, self.make, self.seed = examples, batch_size, make, seed
        self.start_epoch(0)

    def start_epoch(self, epoch: int) -> None:
        """Go to an epoch, counted from 0."""
        self.epoch = epoch
        self.order = np.random.default_rng([self.seed, epoch]).permutation(self.examples)

    def __len__(self):
        return self.examples // self.batch_size

    def __getitem__(self, index):
        chosen = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        return self.make(chosen, np.random.default_rng([self.seed, self.epoch, index]))


def fit(
    build: Callable[[], keras.Model],
    batches: Batches,
    epochs: int,
    folder: Path,
    callbacks: Iterable[keras.callbacks.Callback] = (),
) -> tuple[keras.Model, list[dict[str, float]]]:
    """Train with checkpoints in ``folder``, from the last one if there is one.

    Args:
        build: makes the compiled model.
        epochs: number of epochs in all, those before an interruption included.

    Returns:
        The model and its history, one dict an epoch.

    Raises:
        StorageError: a checkpoint cannot be written.
    """
    with store.writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for part in folder.glob("part-*"):  # left by a process that was killed
            shutil.rmtree(part)
    model, history = None, []
    for checkpoint in reversed(_checkpoints(folder)):
        try:
            history = list(json.loads((checkpoint / "history.json").read_text()))
            model = keras.saving.load_model(checkpoint / "model.keras")
            print(f"  going on after epoch {len(history)}/{epochs}", file=sys.stderr, flush=True)
            break
        except Exception as error:  # Keras, h5py, zipfile and json each raise their own
            print(f"  checkpoint {checkpoint.name} is damaged: {error}", file=sys.stderr)
            with store.writing(folder):
                shutil.rmtree(checkpoint)
            model, history = None, []
    model = model or build()
    if len(history) < epochs:
        model.fit(
            batches,
            epochs=epochs,
            initial_epoch=len(history),
            verbose=0,
            shuffle=False,  # Batches has its own order, which must be the same after an interruption
            # The checkpoint comes last, with what the other callbacks add to the logs.
            callbacks=[_EpochStart(batches), *callbacks, Progress(epochs), _Checkpoints(folder, history)],
        )
    return model, history


def train_once(
    name: str,
    configuration: Mapping,
    modules: Iterable[str],
    train: Callable[[Path], tuple[keras.Model, list[dict[str, float]]]],
) -> Path:
    """The folder of a trained model, which is trained now unless it has been before; see
    :func:`mmcourse.store.key`.

    It holds ``model.keras``, ``history.json`` and ``configuration.json``.

    Args:
        train: trains with checkpoints in the folder it is given and returns what :func:`fit` returns.

    Raises:
        StorageError: the model cannot be written.
    """

    def make(work: Path, part: Path) -> None:
        model, history = train(work)
        with store.writing(part.parent, part.name):
            model.save(part / "model.keras")
            (part / "history.json").write_text(json.dumps(history, indent=1))
            (part / "configuration.json").write_text(json.dumps(dict(configuration), indent=1))

    return store.folder(name, configuration, modules, make)


def read_model(folder: Path) -> keras.Model:
    """The model in a folder that :func:`train_once` made.

    Raises:
        StorageError: it cannot be read.
    """
    try:
        return keras.saving.load_model(folder / "model.keras")
    except Exception as error:  # Keras, h5py and zipfile each raise their own, Keras with the whole model
        reason = " ".join(str(error).split())[:200]
        raise store.StorageError(
            f"the model in {folder} cannot be read: {reason}. Remove that folder to train it again."
        ) from error


def _checkpoints(folder: Path) -> list[Path]:
    """Finished checkpoints, oldest first."""
    return sorted(folder.glob("epoch-*"))
