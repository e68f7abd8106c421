"""A small reader of synthetic patches, for the notebook on medicine (63); not fit for use on people."""

import functools
from pathlib import Path

import keras
import numpy as np

from mmcourse.data.synthetic_patients import SIDE, simulate_patients
from mmcourse.learning import training

EPOCHS, BATCH, LEARNING_RATE = 12, 64, 3e-3
MARKED = (0.1, 0.9)  # the scanner's mark in the first hospital: of the healthy, of the ill
SEEDS = 5


@functools.cache
def picture_reader(seed: int = 0, mark: tuple[float, float] = (0.0, 0.0)) -> keras.Model:
    """A small convolutional network from a patch ``(24, 24, 1)`` to the log-odds of cancer ``(1,)``.

    It is trained on those patients of the split "train" who have a picture, once, and kept.

    Args:
        seed: of the patients and of the training.
        mark: of :func:`~mmcourse.data.synthetic_patients.simulate_patients`.
    """
    return training.read_model(_reader_folder(seed, mark))


def prepare(profile: str = "cpu") -> None:
    """Train the readers that the notebook asks for, unless they are kept; the same for every profile."""
    for mark in ((0.0, 0.0), MARKED):
        for seed in range(SEEDS):
            _reader_folder(seed, mark)


def _reader_folder(seed: int, mark: tuple[float, float]) -> Path:
    configuration = {"seed": seed, "mark": list(mark), "epochs": EPOCHS}

    def train(work: Path) -> tuple[keras.Model, list[dict[str, float]]]:
        patients = simulate_patients("train", seed=seed, mark=mark)
        pictures = patients.pictures[patients.pictured][..., None]
        cancer = patients.cancer[patients.pictured].astype("float32")[:, None]
        training.set_seed(seed)
        model = _network()
        batches = training.Batches(
            len(cancer), BATCH, lambda rows, random: (pictures[rows], cancer[rows]), seed
        )
        return training.fit(lambda: model, batches, EPOCHS, work)

    return training.train_once("medicine-reader", configuration, [__name__], train)


def _network() -> keras.Model:
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((SIDE, SIDE, 1)),
            layers.Conv2D(12, 5, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(24, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.GlobalMaxPooling2D(),
            layers.Dropout(0.3),
            layers.Dense(1),
        ]
    )
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(LEARNING_RATE), loss)
    return model


def read_pictures(model: keras.Model, pictures: np.ndarray) -> np.ndarray:
    """The log-odds that a reader gives: ``(pictures, 24, 24)`` -> ``float64`` ``(pictures,)``.

    Raises:
        ValueError: another shape.
    """
    pictures = np.asarray(pictures, dtype="float32")
    if pictures.ndim != 3 or pictures.shape[1:] != (SIDE, SIDE):
        raise ValueError(f"pictures must have the shape (pictures, {SIDE}, {SIDE}), got {pictures.shape}")
    parts = [
        keras.ops.convert_to_numpy(model(pictures[first : first + 500, ..., None], training=False))
        for first in range(0, len(pictures), 500)
    ]
    return np.concatenate(parts)[:, 0].astype(float) if parts else np.empty(0)
