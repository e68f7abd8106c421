"""What the gpu profile of scenes and naming reaches on a graphics card within eight minutes.

It is written for a bare machine: an NVIDIA card, Python 3.12, PyTorch and JAX, neither TensorFlow nor a
network. Keras runs on JAX there; what else is missing is packed here and carried along.

    python benchmarks/gpu.py pack _build/gpu
    python3 benchmarks/gpu.py run _build/gpu --output benchmarks/results/gpu.json

With ``--steps 2`` it trains two steps and asks little: to try it where there is no card.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import compare

ROOT = Path(__file__).resolve().parent.parent
WHEELS = ("keras", "namex", "optree", "platformdirs", "resvg-py")
ARCHIVES = ("twemoji", "openmoji", "emoji-names", "emoji-groups")
PLATFORMS = [f"manylinux_2_{minor}_x86_64" for minor in (5, 12, 17, 24, 27, 28, 31, 34, 35)]
MOST = 60 * 2**20  # bytes that may be carried
MINUTES = {"scenes": 4.0, "naming": 2.0}  # of training; start, compilation and scores take the rest
TIMED = 20  # steps from which the speed is known


def pack(folder: Path) -> None:
    """Put the wheels and archives that a bare machine lacks into a folder.

    Raises:
        SystemExit: a wheel is not in requirements.txt or cannot be had, or the folder is too large.
    """
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "wheels").mkdir(parents=True)
    blocks = pinned((ROOT / "requirements.txt").read_text(encoding="utf-8"))
    missing = [name for name in WHEELS if name not in blocks]
    if missing:
        raise SystemExit(f"requirements.txt does not pin {', '.join(missing)}")
    wanted = folder / "wheels.txt"
    wanted.write_text("\n".join(blocks[name] for name in WHEELS), encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--require-hashes"]
    command += ["--only-binary=:all:", "--python-version", "3.12", "--implementation", "cp"]
    command += [part for one in PLATFORMS for part in ("--platform", one)]
    if subprocess.run([*command, "-d", folder / "wheels", "-r", wanted]).returncode:
        raise SystemExit("the wheels could not be downloaded")

    from mmcourse.data import archives

    (folder / "data" / "archives").mkdir(parents=True)
    for path in archives.fetch(ARCHIVES).values():
        shutil.copy(path, folder / "data" / "archives")
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    if size > MOST:
        raise SystemExit(f"{size / 2**20:.1f} MiB in {folder}, and {MOST / 2**20:.0f} may be carried")
    print(f"{size / 2**20:.1f} MiB in {folder}")


def pinned(text: str) -> dict[str, str]:
    """Name of a package -> its lines in a requirements file, with the version and the hashes."""
    return {match[2]: match[1] for match in re.finditer(r"(?m)^(([a-z0-9-]+)==(?:.*\\\n)*.*)$", text)}


def install(folder: Path) -> None:
    """Make what was packed importable, and say where the data are.

    Raises:
        SystemExit: nothing was packed, or it cannot be installed.
    """
    wheels = sorted((folder / "wheels").glob("*.whl"))
    if not wheels:
        raise SystemExit(f"no wheels in {folder}: run this script with pack first")
    site = folder / "site"
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps", "--no-compile"]
    if subprocess.run([*command, "--upgrade", "--target", site, *wheels]).returncode:
        raise SystemExit("the wheels could not be installed")
    sys.path[:0] = [str(site), str(ROOT)]
    os.environ["MMCOURSE_DATA"] = str(folder / "data")
    os.environ["KERAS_BACKEND"] = "jax"
    os.environ["KERAS_HOME"] = str(folder / "keras")  # Keras as it comes
    os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"  # or the peak is what was reserved


def scenes(steps: int | None) -> dict:
    """Train the scenes, and answer the questions of every split."""
    from mmcourse.data import scenes as data
    from mmcourse.generator import scene_scores, scenes

    data.draw([])  # the things' pictures are drawn once, and are not part of the speed
    one = scenes.CONFIGURATIONS["gpu"]
    if steps:
        one = replace(one, epochs=1, steps=steps)
    found, model = train("scenes", scenes.build, scenes.Batches, one, one.steps, steps)
    number = 4 if steps else scene_scores.NUMBER
    found["scores"] = scene_scores.evaluate(model.generator, number=number)
    return found


def naming(steps: int | None) -> dict:
    """Train the names, and name what was held out."""
    from mmcourse.data import emoji
    from mmcourse.generator import naming, naming_scores

    pictures = emoji.load(emoji.PICTURE_SIZE)
    task = naming.Task.of(pictures)
    one = naming.CONFIGURATIONS["gpu"]
    if steps:
        one = replace(one, epochs=1)
    found, model = train(
        "naming", lambda one: naming.build(one, task), task.batches, one, len(task.batches(one)), steps
    )
    if steps:
        few = {"unseen_composition": 4, "unseen_artist": 100, "unseen_concept": 10}
        splits = {name: pictures.splits[name][::every] for name, every in few.items()}
        pictures = replace(pictures, splits=splits)
    found["scores"] = naming_scores.evaluate(model.generator, pictures)
    return found


def train(name: str, build, batches, configuration, epoch_steps: int, steps: int | None):
    """Train as long as there is time for, with the schedule of just so many epochs.

    Args:
        build: a configuration -> a compiled model.
        batches: a configuration -> its batches.
        epoch_steps: steps of an epoch.
        steps: train no more than so many.

    Returns:
        Figures, and the model.
    """
    import keras

    class Clock(keras.callbacks.Callback):
        """When the steps after the first, which compiles, began and ended."""

        def on_train_batch_end(self, batch, logs=None):
            now = time.perf_counter()
            self.first = now if batch == 0 else self.first
            self.seconds = (now - self.first) / max(1, batch)

    def run(one, epochs: int, most: int | None) -> tuple:
        model, data, clock = build(one), batches(one), Clock()
        losses = []
        for epoch in range(epochs):
            data.start_epoch(epoch)
            history = model.fit(
                data, epochs=1, steps_per_epoch=most, shuffle=False, verbose=0, callbacks=[clock]
            )
            losses += history.history["loss"]
            print(
                f"{name}, epoch {epoch + 1} of {epochs}: loss {losses[-1]:.3f}", file=sys.stderr, flush=True
            )
        return model, clock, losses

    _, clock, _ = run(configuration, 1, steps or TIMED)
    room = int(60 * MINUTES[name] / (clock.seconds * epoch_steps))
    configuration = replace(configuration, epochs=max(1, min(configuration.epochs, room)))
    start = time.perf_counter()
    model, clock, losses = run(configuration, configuration.epochs, steps)
    seconds = time.perf_counter() - start
    trained = configuration.epochs * (steps or epoch_steps)
    return {
        "configuration": asdict(configuration),
        "parameters": model.count_params(),
        "steps": trained,
        "training_seconds": seconds,
        "milliseconds_for_a_step": 1000 * clock.seconds,
        "pictures_for_each_second": configuration.batch_size / clock.seconds,
        "peak_card_bytes": card_bytes(),
        "peak_process_bytes": compare.peak_bytes(),
        "loss": losses,
    }, model


def card_bytes() -> int | None:
    """The most bytes that were held on the card; None where there is none or JAX does not say."""
    if "jax" not in sys.modules:
        return None
    import jax

    return (jax.devices()[0].memory_stats() or {}).get("peak_bytes_in_use")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("what", choices=("pack", "run"))
    parser.add_argument("folder", type=Path, help="what is carried")
    parser.add_argument("--output", type=Path, help="write the figures to this JSON file")
    parser.add_argument("--steps", type=int, help="train no more steps than this, to try the script")
    options = parser.parse_args()
    folder = options.folder.resolve()
    if options.what == "pack":
        pack(folder)
        return
    start = time.perf_counter()
    install(folder)
    import jax

    device = jax.devices()[0]
    packages = ("keras", "jax", "jaxlib", "numpy")
    result = {
        "device": f"{device.platform}: {device.device_kind}",
        "python": platform.python_version(),
        "versions": {name: importlib.metadata.version(name) for name in packages},
        "tried": options.steps,
    }
    for work in (scenes, naming):
        result[work.__name__] = work(options.steps)
        result["seconds"] = time.perf_counter() - start
        if options.output:  # what is there is kept if the next takes too long
            options.output.write_text(json.dumps(result, indent=1), encoding="utf-8")
    print(f"done in {result['seconds']:.0f} s on {result['device']}")


if __name__ == "__main__":
    main()
