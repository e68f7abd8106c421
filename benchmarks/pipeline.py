"""Feeding a network: mixed batches of pictures in memory, by the course's ways and by the obvious ones.

The work is the same in every way: 4,096 pictures of 64 x 64 pixels, ``uint8``, in a new order each epoch, as
batches of 64 that hold ``float32`` pictures from 0 to 1 and their labels. Nothing is trained, so that only
the feeding counts. The first epoch is not counted.

    python benchmarks/pipeline.py --output results.json
"""

import os

import numpy as np
from compare import main

PICTURES, SIDE, BATCH = 4096, 64, 64
EPOCHS = int(os.environ.get("BENCHMARK_EPOCHS", "8"))


def data():
    """Random pictures and labels: what they show plays no part in the speed."""
    random = np.random.default_rng(int(os.environ.get("BENCHMARK_ROUND", "0")))
    pictures = random.integers(0, 256, size=(PICTURES, SIDE, SIDE, 3), dtype=np.uint8)
    return {"picture": pictures, "label": np.arange(PICTURES)}


def epoch_of(batches) -> None:
    """Take every batch and check that each example came once and arrived as it should."""
    found = []
    for pictures, labels in batches:
        labels = np.asarray(labels)
        assert np.asarray(pictures).dtype == np.float32 and len(pictures) == len(labels) == BATCH
        found.append(labels)
    assert len(np.unique(np.concatenate(found))) == PICTURES


def counted(measure, epoch) -> None:
    """Run ``epoch(number)`` once to warm up, and then as often as is measured."""
    epoch(0)
    with measure(EPOCHS * PICTURES):
        for number in range(1, EPOCHS + 1):
            epoch(number)


def in_memory(measure):
    """``training.Batches``: the rows of a batch are taken by one indexing."""
    from mmcourse import pipeline
    from mmcourse.learning import training

    values = data()

    def make(rows, random):
        batch = pipeline.take(values, rows)
        return batch["picture"] * np.float32(1 / 255), batch["label"]

    batches = training.Batches(PICTURES, BATCH, make, seed=0)

    def epoch(number):
        batches.start_epoch(number)
        epoch_of(batches[place] for place in range(len(batches)))

    counted(measure, epoch)


def by_row_numbers(measure):
    """Row numbers are mixed and batched in ``tf.data``, then a batch is gathered at once."""
    import tensorflow as tf

    tensors = {name: tf.constant(values) for name, values in data().items()}

    def gather(rows):
        batch = {name: tf.gather(tensor, rows) for name, tensor in tensors.items()}
        return tf.cast(batch["picture"], tf.float32) / 255, batch["label"]

    rows = tf.data.Dataset.range(PICTURES).shuffle(PICTURES, seed=0).batch(BATCH)
    stream = rows.map(gather).prefetch(tf.data.AUTOTUNE)
    counted(measure, lambda number: epoch_of(stream))


def obvious_tf_data(measure):
    """What tutorials show: slices, a shuffle buffer of all examples, one ``map`` an example, batches."""
    import tensorflow as tf

    values = data()
    stream = tf.data.Dataset.from_tensor_slices((values["picture"], values["label"]))
    stream = stream.shuffle(PICTURES, seed=0, reshuffle_each_iteration=True)
    stream = stream.map(
        lambda picture, label: (tf.cast(picture, tf.float32) / 255, label),
        num_parallel_calls=tf.data.AUTOTUNE,
    )
    stream = stream.batch(BATCH).prefetch(tf.data.AUTOTUNE)
    counted(measure, lambda number: epoch_of(stream))


def obvious_keras(measure):
    """A ``PyDataset`` that makes its batch example by example, as one reading files would."""
    import keras

    values = data()

    class Pictures(keras.utils.PyDataset):
        def __init__(self):
            super().__init__()
            self.order = np.arange(PICTURES)

        def __len__(self):
            return PICTURES // BATCH

        def __getitem__(self, place):
            rows = self.order[place * BATCH : (place + 1) * BATCH]
            pictures = [values["picture"][row].astype("float32") / 255 for row in rows]
            return np.stack(pictures), np.array([values["label"][row] for row in rows])

    pictures = Pictures()

    def epoch(number):
        np.random.default_rng(number).shuffle(pictures.order)
        epoch_of(pictures[place] for place in range(len(pictures)))

    counted(measure, epoch)


if __name__ == "__main__":
    main(
        {
            "in memory": in_memory,
            "tf.data, row numbers": by_row_numbers,
            "keras, example by example": obvious_keras,
            "tf.data, example by example": obvious_tf_data,
        },
        peer="tf.data, example by example",
        unit="pictures",
        packages=("numpy", "keras", "tensorflow"),
    )
