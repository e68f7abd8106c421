"""Pictures from files to a normalised batch, and augmentation: the course's way against the obvious ones.

Three pieces of work, whose seconds a run records one by one:

- "png": files of Twemoji, 72 x 72 pixels with transparency, to standardised batches of 64 x 64. The peer
  is what most pipelines write: a loop over Pillow, ``np.asarray(...) / 255`` and ``np.stack``.
- "jpeg": the same with photographs of 2400 x 1600 pixels.
- "augment": flip, rotation, shift, zoom, brightness and contrast in batches of 64. The peer is the
  preprocessing layers of Keras in a compiled ``tf.data`` pipeline.

    python benchmarks/images.py --output results.json
"""

import io
import os

import compare
import numpy as np

SIZE, BATCH = 64, 64
PNG_FILES, JPEG_FILES = 2000, 30
AUGMENTED = 64 * 60
MEAN, DEVIATION = (0.7, 0.6, 0.5), (0.3, 0.3, 0.3)


def png_files() -> list[bytes]:
    """The first of Twemoji's pictures, 72 x 72 pixels."""
    from mmcourse.data import archives

    members = archives.read_members("twemoji")
    return [content for member, content in members if member.endswith(".png")][:PNG_FILES]


def jpeg_files() -> list[bytes]:
    """The two photographs of scikit-learn, enlarged to the size of a telephone's pictures."""
    from PIL import Image
    from sklearn.datasets import load_sample_images

    files = []
    for photograph in load_sample_images().images:
        stored = io.BytesIO()
        Image.fromarray(photograph).resize((2400, 1600)).save(stored, "JPEG", quality=90)
        files.append(stored.getvalue())
    return files * (JPEG_FILES // 2)


def decode_ours(measure, files):
    """``decode_batch`` and one pass over the batch."""
    from mmcourse import image

    standardiser = image.Standardiser(255 * np.array(MEAN), 255 * np.array(DEVIATION), np.dtype(np.uint8))
    standardiser.apply(image.decode_batch(files[:2], SIZE))  # imports
    with measure(len(files)):
        batch = standardiser.apply(image.decode_batch(files, SIZE))
    return float(batch.mean())


def decode_pillow(measure, files):
    """A loop over Pillow and NumPy, with the transparency over white, so that the result is the same."""
    from PIL import Image

    def load(content):
        picture = Image.open(io.BytesIO(content))
        if picture.mode in ("P", "RGBA"):
            picture = picture.convert("RGBA")
            picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
        scale = SIZE / max(picture.size)
        small = picture.convert("RGB").resize(
            tuple(round(side * scale) for side in picture.size), Image.Resampling.LANCZOS
        )
        square = Image.new("RGB", (SIZE, SIZE), "white")
        square.paste(small, tuple((SIZE - side) // 2 for side in small.size))
        pixels = np.asarray(square, dtype=np.float32) / 255
        return (pixels - np.float32(MEAN)) / np.float32(DEVIATION)

    load(files[0])
    with measure(len(files)):
        batch = np.stack([load(content) for content in files])
    return float(batch.mean())


def pictures() -> np.ndarray:
    random = np.random.default_rng(int(os.environ.get("BENCHMARK_ROUND", "0")))
    return random.integers(0, 256, (AUGMENTED, SIZE, SIZE, 3), dtype=np.uint8)


def augment_ours(measure):
    """The functions of the chapter; the result is a float batch, as a model takes it."""
    from mmcourse import image

    def augment(batch, random):
        batch = image.flip(batch, random)
        batch = image.warp(batch, random, degrees=18, shift=0.1, zoom=0.1)
        return image.to_unit(image.recolour(batch, random, brightness=0.2, contrast=0.2))

    data, random = pictures(), np.random.default_rng(0)
    augment(data[:BATCH], random)
    with measure(len(data)):
        for first in range(0, len(data), BATCH):
            augment(data[first : first + BATCH], random)


def augment_keras(measure):
    """The preprocessing layers inside ``tf.data``, where Keras recommends them, compiled and prefetched."""
    import keras
    import tensorflow as tf

    layers = [
        keras.layers.RandomFlip("horizontal"),
        keras.layers.RandomRotation(0.05, fill_mode="constant"),
        keras.layers.RandomTranslation(0.1, 0.1, fill_mode="constant"),
        keras.layers.RandomZoom(0.1, fill_mode="constant"),
        keras.layers.RandomBrightness(0.2, value_range=(0, 255)),
        keras.layers.RandomContrast(0.2, value_range=(0, 255)),
    ]

    def augment(batch):
        for layer in layers:
            batch = layer(batch, training=True)
        return batch / 255

    data = pictures()
    dataset = tf.data.Dataset.from_tensor_slices(data).batch(BATCH)
    dataset = dataset.map(lambda batch: augment(tf.cast(batch, "float32"))).prefetch(2)
    for _ in dataset.take(2):
        pass
    with measure(len(data)):
        for _ in dataset:
            pass


def timed(measure: compare.Measurement, parts) -> dict:
    """Do the parts one after the other; what each returns, and its seconds."""
    figures = {}
    for name, work in parts.items():
        cpu, wall = measure.cpu_seconds, measure.wall_seconds
        figures[f"result {name}"] = work(measure)
        figures[f"cpu_seconds {name}"] = measure.cpu_seconds - cpu
        figures[f"wall_seconds {name}"] = measure.wall_seconds - wall
    return figures


def mmcourse_way(measure):
    """``image.decode_batch``, ``image.Standardiser`` and the functions of ``image.augmentation``."""
    return timed(
        measure,
        {
            "png": lambda measure: decode_ours(measure, png_files()),
            "jpeg": lambda measure: decode_ours(measure, jpeg_files()),
            "augment": augment_ours,
        },
    )


def usual_way(measure):
    """Pillow and NumPy, and the layers of Keras."""
    return timed(
        measure,
        {
            "png": lambda measure: decode_pillow(measure, png_files()),
            "jpeg": lambda measure: decode_pillow(measure, jpeg_files()),
            "augment": augment_keras,
        },
    )


if __name__ == "__main__":
    compare.main(
        {"mmcourse": mmcourse_way, "usual": usual_way},
        peer="usual",
        unit="pictures",
        packages=("keras", "numpy", "opencv-python-headless", "pillow", "tensorflow"),
    )
