"""Which way does it go? Networks that see a clip in different ways, on the made clips of notebook 27.

All networks have the same layers but for the one that their name tells, the same five frames, the same
number of updates and the same order of the clips. ``validation`` holds the score on the validation clips
after every 80 updates: in the last quarter its mean over the seeds rises by less than three points. Each
round is another seed, of the weights and of that order.
The rival without a network is a logistic regression on four numbers, means of the optical flow; its seed
draws the training clips with replacement. A run records the share of right answers on the test clips, as
they are and changed in the ways of the notebook's controls.

    python benchmarks/motion.py --rounds 5 --output benchmarks/results/motion.json
"""

import functools
import itertools
import os

import compare
import numpy as np

FRAMES, UPDATES, BATCH = (0, 2, 4, 6, 8), int(os.environ.get("BENCHMARK_UPDATES", 320)), 50
SEED = int(os.environ.get("BENCHMARK_ROUND", 0))


def clips(split: str, frames=FRAMES) -> tuple[np.ndarray, np.ndarray]:
    """Brightness of five frames of each clip, ``uint8`` ``(clips, 5, 32, 32, 1)``, and the labels."""
    from mmcourse.data import motion

    pixels, labels = motion.load().part(split)
    grey = pixels[:, frames].mean(axis=-1, keepdims=True, dtype="float32")
    return grey.round().astype("uint8"), labels


def moving_camera(count: int = 200) -> np.ndarray:
    """Clips in which the drawing stays and the background slides left by one pixel a frame."""
    from mmcourse import video
    from mmcourse.data import motion

    made = []
    for number, (_, drawing) in zip(range(count), itertools.cycle(motion.pictures()["test"]), strict=False):
        wide = video.background(40, np.random.default_rng([number, 0]))
        clip = [
            video.make_clip(drawing, "left", wide[:32, step : step + 32], np.random.default_rng([number, 1]))[
                4
            ]
            for step in FRAMES
        ]
        made.append(np.stack(clip).mean(axis=-1, keepdims=True))
    return np.round(made).astype("uint8")


def shuffled(pixels: np.ndarray) -> np.ndarray:
    """The frames of every clip in an order of its own."""
    random = np.random.default_rng(SEED)
    return np.stack([clip[random.permutation(len(clip))] for clip in pixels])


def build(frames: int, tube: tuple[int, int, int], attend: bool, order: bool):
    """From clips to one logit a motion: the network of notebook 27."""
    import keras
    from keras import layers, ops

    from mmcourse.layers.tubes import TubeEmbedding

    inputs = keras.Input((frames, 32, 32, 1), dtype="uint8")
    scaled = layers.Rescaling(1 / 51, -166 / 51)(inputs)
    tokens = TubeEmbedding(32, tube, positions=0.5 if order else None)(scaled)
    tokens = layers.BatchNormalization(momentum=0.9)(tokens)
    tokens = layers.Reshape((frames // tube[0], 64, 32))(tokens)  # (batch, times, places, width)
    if attend:
        seen = layers.MultiHeadAttention(2, 16, attention_axes=1)(tokens, tokens)
        tokens = layers.Add()([tokens, seen])
    hidden = layers.Dense(64, activation="relu")(tokens)
    hidden = layers.BatchNormalization(momentum=0.9)(ops.mean(hidden, axis=1))  # (batch, places, 64)
    hidden = layers.Dense(32, activation="relu")(hidden)
    hidden = layers.BatchNormalization(momentum=0.9)(hidden)
    return keras.Model(inputs, layers.Dense(8)(layers.Flatten()(hidden)))


def network(
    measure: compare.Measurement,
    frames=slice(None),
    length: int = 1,
    attend: bool = True,
    order: bool = True,
) -> dict:
    """Train one network and score it.

    Args:
        frames: which of the five it sees.
        length: frames of a tube.
        attend, order: whether its tokens attend over time, and whether they know their time.
    """
    import keras

    from mmcourse import video
    from mmcourse.learning import training

    training.set_seed(SEED)
    pixels, labels = clips("train")
    mirror, back = (
        np.array([video.MOTIONS.index(names[name]) for name in video.MOTIONS])
        for names in (video.MIRRORED, video.REVERSED)
    )
    pixels = pixels[:, frames]
    model = build(pixels.shape[1], (length, 4, 4), attend, order)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, UPDATES, warmup_target=0.005, warmup_steps=UPDATES // 10
    )
    model.compile(
        keras.optimizers.AdamW(rate, weight_decay=0.01),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=keras.backend.backend() != "tensorflow",
        steps_per_execution=10,
    )
    asked, answers = clips("validation")
    validation, random = [], np.random.default_rng(SEED)
    drawn = np.concatenate(
        [random.permutation(len(pixels)) for _ in range(1 + UPDATES * BATCH // len(pixels))]
    )
    steps = 80 * BATCH
    with measure(UPDATES * BATCH):
        for first in range(0, UPDATES * BATCH, steps):
            rows = drawn[first : min(first + steps, UPDATES * BATCH)]
            model.fit(pixels[rows], labels[rows], batch_size=BATCH, shuffle=False, verbose=0)
            validation.append(score(model, asked[:, frames], answers))
    tests, answers = clips("test")
    slow, _ = clips("test", (2, 3, 4, 5, 6))
    tests, slow, mixed = tests[:, frames], slow[:, frames], shuffled(tests)[:, frames]
    still = np.repeat(tests[:, len(tests[0]) // 2, None], len(tests[0]), axis=1)
    said = np.asarray(model(moving_camera()[:, frames], training=False)).argmax(axis=-1)
    backwards, turned = tests[:, ::-1], tests[:, :, :, ::-1]
    return {
        "score": score(model, tests, answers),
        "shuffled": score(model, mixed, answers),
        "slow motion": score(model, slow, answers),
        "middle frame, five times": score(model, still, answers),
        "moving camera": dict(zip(video.MOTIONS, np.bincount(said, minlength=8).tolist(), strict=True)),
        "backwards, old label": score(model, backwards, answers),
        "backwards, opposite label": score(model, backwards, back[answers]),
        "mirrored, old label": score(model, turned, answers),
        "mirrored, other label": score(model, turned, mirror[answers]),
        "validation": validation,
        "weights": model.count_params(),
    }


def score(model, pixels: np.ndarray, labels: np.ndarray) -> float:
    """Share of right answers."""
    return float(np.mean(np.asarray(model(pixels, training=False)).argmax(axis=-1) == labels))


def four_means(clip: np.ndarray) -> np.ndarray:
    """Mean motion to the right, downwards, clockwise and outwards, over the steps of a clip."""
    import cv2

    from mmcourse import video

    smooth = [cv2.GaussianBlur(frame[..., 0].astype(np.float32), (0, 0), 1.5) for frame in clip]
    found = []
    for first, second in itertools.pairwise(smooth):
        flow, _ = video.lucas_kanade(first, second, window=11, least=10.0)
        there = np.argwhere(np.isfinite(flow[..., 0]))
        if not len(there):
            found.append(np.zeros(4))
            continue
        u, v = flow[there[:, 0], there[:, 1]].T
        down, right = (there - there.mean(axis=0)).T
        found.append([u.mean(), v.mean(), np.mean(right * v - down * u), np.mean(right * u + down * v)])
    return np.mean(found, axis=0)


def by_flow(measure: compare.Measurement) -> dict:
    """The rival: four numbers a clip, and a logistic regression."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    pixels, labels = clips("train")
    tests, answers = clips("test")
    with measure(len(pixels)):
        features = np.array([four_means(clip) for clip in pixels])
    rows = np.random.default_rng(SEED).integers(len(pixels), size=len(pixels))
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(features[rows], labels[rows])
    return {"score": model.score(np.array([four_means(clip) for clip in tests]), answers)}


if __name__ == "__main__":
    compare.main(
        {
            "middle frame": functools.partial(network, frames=slice(2, 3)),
            "attention, time unknown": functools.partial(network, order=False),
            "time, no attention": functools.partial(network, attend=False),
            "attention over time": network,
            "tubes of five frames": functools.partial(network, length=5, attend=False),
            "optical flow": by_flow,
        },
        peer="attention over time",
        unit="clips",
        packages=("keras", "tensorflow", "scikit-learn", "numpy"),
    )
