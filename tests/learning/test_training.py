"""Training: an interruption costs nothing, a model is trained once, a full disk is told in plain words."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import filelock
import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmcourse import store
from mmcourse.learning import training
from mmcourse.learning.training import Batches, choose_profile, fit, read_model, train_once
from mmcourse.mathematics import optimisers
from mmcourse.store import StorageError

EXAMPLES, BATCH, FEATURES, EPOCHS = 12, 4, 6, 3


@pytest.fixture(autouse=True)
def restored_policy():
    """Each test starts with float32 and leaves the policy as it was."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    yield
    keras.config.set_dtype_policy(before)


# A small training that shows every kind of state: weights, moving averages, optimiser, schedule, dropout.


def build(dropout: float = 0.0) -> keras.Model:
    keras.utils.set_random_seed(7)
    layers = [
        keras.Input((FEATURES,)),
        keras.layers.Dense(12, activation="relu"),
        keras.layers.BatchNormalization(),
        keras.layers.Dropout(dropout),
        keras.layers.Dense(1),
    ]
    model = keras.Sequential(layers)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, EPOCHS * 2, warmup_target=0.05, warmup_steps=EPOCHS, alpha=0.02
    )
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=0.05, beta_2=0.98, clipnorm=1.0)
    # Compiled where dropout is tested; elsewhere the compiler would take longer than the training.
    model.compile(optimizer=optimizer, loss="mse", run_eagerly=not dropout, jit_compile=False)
    return model


def make_batches(seed: int = 3) -> Batches:
    random = np.random.default_rng(0)
    inputs = random.normal(size=(EXAMPLES, FEATURES)).astype("float32")
    targets = np.sin(inputs.sum(axis=1, keepdims=True))

    def make(chosen, noise):
        batch = inputs[chosen] + noise.normal(scale=0.05, size=(len(chosen), FEATURES))
        return batch.astype("float32"), targets[chosen]

    return Batches(EXAMPLES, BATCH, make, seed)


def assert_same_training(result, expected):
    (model, history), (other, other_history) = result, expected
    assert len(history) == len(other_history)
    for epoch, other_epoch in zip(history, other_history, strict=True):
        assert epoch.keys() == other_epoch.keys()
        np.testing.assert_allclose(list(epoch.values()), list(other_epoch.values()), rtol=1e-4)
    for mine, theirs in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-6)
    assert len(model.optimizer.variables) == len(other.optimizer.variables)
    for mine, theirs in zip(model.optimizer.variables, other.optimizer.variables, strict=True):
        np.testing.assert_allclose(mine.numpy(), theirs.numpy(), rtol=1e-3, atol=1e-6)
    assert float(model.optimizer.learning_rate) == pytest.approx(float(other.optimizer.learning_rate))
    assert int(model.optimizer.iterations) == int(other.optimizer.iterations) > 0


class Stop(Exception):
    """Ends a training as Ctrl+C would."""


class StopAt(keras.callbacks.Callback):
    def __init__(self, epoch: int, batch: int | None = None, action=None):
        super().__init__()
        self.epoch_to_stop, self.batch, self.action = epoch, batch, action or self._raise
        self.now = 0

    def _raise(self):
        raise Stop

    def on_epoch_begin(self, epoch, logs=None):
        self.now = epoch
        if epoch == self.epoch_to_stop and self.batch is None:
            self.action()

    def on_train_batch_end(self, batch, logs=None):
        if self.now == self.epoch_to_stop and batch == self.batch:
            self.action()


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    return fit(build, make_batches(), EPOCHS, tmp_path_factory.mktemp("uninterrupted"))


@pytest.fixture(scope="module")
def after_two_epochs(tmp_path_factory) -> Path:
    """A folder as an interruption after two of the epochs leaves it."""
    folder = tmp_path_factory.mktemp("interrupted")
    with pytest.raises(Stop):
        fit(build, make_batches(), EPOCHS, folder, callbacks=[StopAt(2)])
    return folder


@pytest.fixture
def interrupted(after_two_epochs, tmp_path) -> Path:
    return Path(shutil.copytree(after_two_epochs, tmp_path / "interrupted"))


def never_built() -> keras.Model:
    raise AssertionError("the checkpoint should have been used")


# Batches


def collect(examples: int, batch_size: int, seed: int, epochs: int, start: int = 0) -> list[list]:
    """For each epoch the batches, each as (indices, a random number)."""
    batches = Batches(examples, batch_size, lambda chosen, random: (chosen.tolist(), random.random()), seed)
    found = []
    for epoch in range(start, start + epochs):
        batches.start_epoch(epoch)
        found.append([batches[i] for i in range(len(batches))])
    return found


@given(examples=st.integers(1, 40), data=st.data(), seed=st.integers(0, 2**31), start=st.integers(0, 5))
def test_batches_hold_each_example_once_and_depend_on_seed_and_epoch_only(examples, data, seed, start):
    batch_size = data.draw(st.integers(1, examples))
    epochs = collect(examples, batch_size, seed, start + 2)
    for epoch in epochs:
        assert len(epoch) == examples // batch_size
        seen = [index for chosen, _ in epoch for index in chosen]
        assert len(seen) == len(set(seen)) == examples // batch_size * batch_size
        assert set(seen) <= set(range(examples))
        assert len({number for _, number in epoch}) == len(epoch)  # no two batches share their noise
    assert collect(examples, batch_size, seed, 2, start=start) == epochs[start:]


def test_batches_of_another_seed_or_epoch_come_in_another_order():
    first, second = collect(50, 10, seed=1, epochs=2)
    (other,) = collect(50, 10, seed=2, epochs=1)
    orders = [[chosen for chosen, _ in epoch] for epoch in (first, second, other)]
    assert orders[0] != orders[1] and orders[0] != orders[2]
    assert {number for _, number in first}.isdisjoint(number for _, number in second)


def test_batches_read_out_of_order_are_the_same():
    batches = Batches(10, 3, lambda chosen, random: (chosen.tolist(), random.random()), 0)
    forwards = [batches[i] for i in range(3)]
    assert [batches[i] for i in (2, 1, 0)][::-1] == forwards


@pytest.mark.parametrize(("examples", "batch_size"), [(3, 4), (0, 1), (3, 0), (3, -1)])
def test_batches_that_cannot_be_made_are_refused(examples, batch_size):
    with pytest.raises(ValueError, match=f"batch_size must be 1 to {examples}.*got {batch_size}"):
        Batches(examples, batch_size, lambda chosen, random: chosen, 0)


def test_training_sees_the_batches_in_their_order(tmp_path):
    """Keras shuffles batches unless it is told not to, and may end an epoch before the first begins."""
    seen = []

    class Watch(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            seen.append([])

    def make(chosen, random):
        if seen:  # before the first epoch Keras looks at some batches to learn their shapes
            seen[-1].append((chosen.tolist(), random.random()))
        return np.zeros((len(chosen), FEATURES), "float32"), np.zeros((len(chosen), 1), "float32")

    fit(build, Batches(40, 4, make, 5), 3, tmp_path, callbacks=[Watch()])
    assert seen == collect(40, 4, seed=5, epochs=3)


# Interruption


def test_history_and_the_newest_checkpoint_are_kept(tmp_path):
    class Add(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["added"] = np.float32(epoch)

    model, history = fit(build, make_batches(), 2, tmp_path / "new" / "folder", callbacks=[Add()])
    assert [sorted(epoch) for epoch in history] == [["added", "loss"]] * 2
    assert [epoch["added"] for epoch in history] == [0.0, 1.0]
    (checkpoint,) = (tmp_path / "new" / "folder").iterdir()
    assert checkpoint.name == "epoch-0002"
    assert json.loads((checkpoint / "history.json").read_text()) == history
    stored = keras.saving.load_model(checkpoint / "model.keras")
    for mine, theirs in zip(model.get_weights(), stored.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_progress_is_told_on_standard_error(tmp_path, capsys):
    fit(build, make_batches(), 2, tmp_path)
    fit(build, make_batches(), 3, tmp_path)
    shown = capsys.readouterr()
    assert shown.out == ""
    lines = shown.err.splitlines()
    assert [line.split(":")[0].strip() for line in lines] == [
        "epoch  1/2",
        "epoch  2/2",
        "going on after epoch 2/3",
        "epoch  3/3",
    ]
    assert "loss" in lines[0] and "to go" in lines[0]


@pytest.mark.parametrize("stop", [StopAt(1), StopAt(1, batch=1), StopAt(2, batch=0)], ids=["1", "1.1", "2.0"])
def test_a_resumed_training_equals_an_uninterrupted_one(tmp_path, uninterrupted, stop):
    with pytest.raises(Stop):
        fit(build, make_batches(), EPOCHS, tmp_path, callbacks=[stop])
    assert_same_training(fit(never_built, make_batches(), EPOCHS, tmp_path), uninterrupted)


def test_a_training_stopped_before_its_first_checkpoint_starts_again(tmp_path, uninterrupted):
    with pytest.raises(Stop):
        fit(build, make_batches(), EPOCHS, tmp_path, callbacks=[StopAt(0, batch=1)])
    assert list(tmp_path.iterdir()) == []
    assert_same_training(fit(build, make_batches(), EPOCHS, tmp_path), uninterrupted)


def test_a_training_stopped_many_times_equals_an_uninterrupted_one(tmp_path, uninterrupted):
    for epoch in range(1, EPOCHS):
        with pytest.raises(Stop):
            fit(build, make_batches(), EPOCHS, tmp_path, callbacks=[StopAt(epoch)])
    assert_same_training(fit(never_built, make_batches(), EPOCHS, tmp_path), uninterrupted)


def test_a_finished_training_is_not_run_again(interrupted, uninterrupted):
    expected = fit(never_built, make_batches(), EPOCHS, interrupted)
    again = fit(never_built, make_batches(), EPOCHS, interrupted, callbacks=[StopAt(0), StopAt(EPOCHS)])
    assert_same_training(again, expected)
    assert_same_training(again, uninterrupted)


def test_a_resumed_training_with_dropout_equals_an_uninterrupted_one(tmp_path):
    expected = fit(lambda: build(0.4), make_batches(), EPOCHS, tmp_path / "whole")
    with pytest.raises(Stop):
        fit(lambda: build(0.4), make_batches(), EPOCHS, tmp_path / "parts", callbacks=[StopAt(2)])
    keras.utils.set_random_seed(99)  # another process has drawn other random numbers
    assert_same_training(fit(never_built, make_batches(), EPOCHS, tmp_path / "parts"), expected)


def test_dropout_differs_from_epoch_to_epoch(tmp_path):
    """With a learning rate of 0 only dropout can change the loss."""

    def build_frozen():
        model = keras.Sequential([keras.Input((FEATURES,)), keras.layers.Dropout(0.5), keras.layers.Dense(1)])
        model.compile(optimizer=keras.optimizers.SGD(0.0), loss="mse", jit_compile=False)
        return model

    ones = np.ones((8, FEATURES), dtype="float32")
    batches = Batches(8, 8, lambda chosen, random: (ones, ones[:, :1]), 0)
    _, history = fit(build_frozen, batches, 4, tmp_path)
    assert len({epoch["loss"] for epoch in history}) == 4


# Killed for real


def train_until_killed(folder: Path, where: str) -> None:
    """Run in a process of its own, which kills itself as nothing could prevent."""

    def die():
        os.kill(os.getpid(), signal.SIGKILL)

    callbacks = []
    if where == "epoch":
        callbacks = [StopAt(2, batch=1, action=die)]
    else:
        save = keras.Model.save

        def save_half(model, path, *arguments, **options):
            save(model, path, *arguments, **options)
            if len(list(folder.glob("epoch-0002"))):
                path.write_bytes(path.read_bytes()[:1000])
                die()

        keras.Model.save = save_half
    fit(build, make_batches(), EPOCHS, folder, callbacks=callbacks)


@pytest.fixture(scope="module")
def killed(tmp_path_factory) -> dict[str, Path]:
    """Two processes at the same time, each killed at another moment: where -> the folder that is left."""
    if not hasattr(signal, "SIGKILL"):
        pytest.skip("this system has no SIGKILL")
    program = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]); import test_training;"
        "test_training.train_until_killed(Path(sys.argv[2]), sys.argv[3])"
    )
    folders = {where: tmp_path_factory.mktemp(where) for where in ("epoch", "checkpoint")}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(Path(__file__).parent), str(folder), where],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for where, folder in folders.items()
    ]
    for process in processes:
        _, said = process.communicate(timeout=120)
        assert process.returncode == -signal.SIGKILL, said
    return folders


@pytest.mark.parametrize("where", ["epoch", "checkpoint"])
def test_a_killed_training_goes_on(killed, uninterrupted, where):
    folder = killed[where]
    names = sorted(path.name.split("-")[0] for path in folder.iterdir())
    assert names == (["epoch"] if where == "epoch" else ["epoch", "part"])
    result = fit(never_built, make_batches(), EPOCHS, folder)
    assert [path.name for path in folder.iterdir()] == [f"epoch-{EPOCHS:04d}"]
    assert_same_training(result, uninterrupted)


# Damage


def _cut(checkpoint: Path) -> None:
    path = checkpoint / "model.keras"
    path.write_bytes(path.read_bytes()[:-200])


def _empty(checkpoint: Path) -> None:
    (checkpoint / "model.keras").write_bytes(b"")


def _garble(checkpoint: Path) -> None:
    """Change bytes in the middle: the file is still a zip file, its weights are not what they were."""
    path = checkpoint / "model.keras"
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 64] = bytes(255 - byte for byte in content[middle : middle + 64])
    path.write_bytes(content)


def _no_zip(checkpoint: Path) -> None:
    (checkpoint / "model.keras").write_bytes(b"no archive " * 100)


def _no_model(checkpoint: Path) -> None:
    (checkpoint / "model.keras").unlink()


def _no_history(checkpoint: Path) -> None:
    (checkpoint / "history.json").unlink()


def _cut_history(checkpoint: Path) -> None:
    path = checkpoint / "history.json"
    path.write_text(path.read_text()[:-5])


def _other_history(checkpoint: Path) -> None:
    (checkpoint / "history.json").write_text("17")


DAMAGES = [_cut, _empty, _garble, _no_zip, _no_model, _no_history, _cut_history, _other_history]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__[1:])
def test_a_damaged_checkpoint_starts_the_training_again(interrupted, uninterrupted, capsys, damage):
    damage(interrupted / "epoch-0002")
    assert_same_training(fit(build, make_batches(), EPOCHS, interrupted), uninterrupted)
    assert "epoch-0002 is damaged" in capsys.readouterr().err
    assert [path.name for path in interrupted.iterdir()] == [f"epoch-{EPOCHS:04d}"]


def test_an_older_checkpoint_is_used_when_the_newest_is_damaged(interrupted, uninterrupted, capsys):
    """Two are there when a process was killed before it removed the older one."""
    _cut(Path(shutil.copytree(interrupted / "epoch-0002", interrupted / "epoch-0003")))
    assert_same_training(fit(never_built, make_batches(), EPOCHS, interrupted), uninterrupted)
    shown = capsys.readouterr().err
    assert "epoch-0003 is damaged" in shown and "going on after epoch 2/3" in shown


def test_half_written_parts_are_removed(interrupted):
    part = interrupted / "part-left"
    part.mkdir()
    (part / "model.keras").write_bytes(b"half")
    fit(never_built, make_batches(), 2, interrupted)
    assert [path.name for path in interrupted.iterdir()] == ["epoch-0002"]


# A disk that is full or read-only


def refuse(patch: pytest.MonkeyPatch, names: str, number: int) -> None:
    """Let the functions of these names, "os.rename" or "save", fail with an error of that number."""

    def refusal(*arguments, **options):
        raise OSError(number, os.strerror(number))

    owners = {"os": os, "Path": Path, "FileLock": filelock.FileLock, "Model": keras.Model, "Fake": FakeModel}
    for name in names.split():
        owner, function = name.split(".")
        patch.setattr(owners[owner], function, refusal)


class FakeModel:
    """What kept() asks of a model: that it can be saved."""

    def __init__(self, content: str = "weights"):
        self.content = content

    def save(self, path):
        Path(path).write_text(self.content)


FAILURES = [
    ("os.rename os.replace", errno.ENOSPC),
    ("Path.write_text", errno.ENOSPC),
    ("os.mkdir", errno.EROFS),
]


@pytest.mark.parametrize(("names", "number"), [*FAILURES, ("Model.save", errno.ENOSPC)])
@pytest.mark.parametrize("there", [False, True], ids=["new", "there"])
def test_a_checkpoint_that_cannot_be_written_is_explained(tmp_path, monkeypatch, names, number, there):
    folder = tmp_path / "here"
    if there:
        folder.mkdir()
    with monkeypatch.context() as patch:
        refuse(patch, names, number)
        with pytest.raises(StorageError) as caught:
            fit(build, make_batches(), 1, folder)
    message = str(caught.value)
    assert str(folder) in message and "MMCOURSE_DATA" in message and os.strerror(number) in message
    assert "\n" not in message
    assert not folder.exists() or list(folder.iterdir()) == []


def test_the_checkpoint_before_survives_a_full_disk(interrupted, monkeypatch, uninterrupted):
    with monkeypatch.context() as patch:
        refuse(patch, "os.rename os.replace", errno.ENOSPC)
        with pytest.raises(StorageError):
            fit(never_built, make_batches(), EPOCHS, interrupted)
    assert [path.name for path in interrupted.iterdir()] == ["epoch-0002"]
    assert_same_training(fit(never_built, make_batches(), EPOCHS, interrupted), uninterrupted)


def test_a_disk_that_fills_while_the_weights_are_written_is_explained(tmp_path):
    """The limit on the size of a file stops the writing midway, as a full disk does."""
    resource = pytest.importorskip("resource")

    def build_large():
        keras.utils.set_random_seed(0)
        model = keras.Sequential(
            [keras.Input((FEATURES,)), keras.layers.Dense(60_000), keras.layers.Dense(1)]
        )
        model.compile(optimizer="sgd", loss="mse", jit_compile=False)
        return model

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, before[1]))
    try:
        with pytest.raises(StorageError) as caught:
            fit(build_large, make_batches(), 1, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert str(tmp_path) in str(caught.value)
    assert list(tmp_path.iterdir()) == []


# Trained models that are kept


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("MMCOURSE_DATA", str(folder))
    return folder


class Trainings:
    """Counts how often it trained; leaves a checkpoint in the folder as a real training does."""

    def __init__(self, seconds: float = 0.0):
        self.count, self.seconds = 0, seconds

    def __call__(self, folder: Path):
        self.count += 1
        time.sleep(self.seconds)
        (folder / "epoch-0001").mkdir(parents=True, exist_ok=True)
        return FakeModel(f"weights {self.count}"), [{"loss": 0.5}]


def kept_files(cache: Path) -> list[str]:
    """What lies among the models, locks left out (a lock's file may stay or not)."""
    return sorted(path.name for path in (cache / "models").iterdir() if path.suffix != ".lock")


def test_a_model_is_trained_once(cache):
    trainings = Trainings()
    folder = train_once("name", {"width": 1}, [], trainings)
    assert folder == cache / "models" / store.key("name", {"width": 1}, [])
    assert sorted(path.name for path in folder.iterdir()) == [
        "configuration.json",
        "history.json",
        "model.keras",
    ]
    assert json.loads((folder / "history.json").read_text()) == [{"loss": 0.5}]
    assert json.loads((folder / "configuration.json").read_text()) == {"width": 1}
    assert train_once("name", {"width": 1}, [], trainings) == folder
    assert trainings.count == 1
    assert kept_files(cache) == [folder.name]  # the checkpoints are gone


def test_another_configuration_or_name_is_another_model(cache):
    trainings = Trainings()
    folders = {
        train_once(name, configuration, [], trainings)
        for name in ("one", "two")
        for configuration in ({"width": 1}, {"width": 2}, {"depth": 1})
    }
    assert len(folders) == trainings.count == 6


def test_a_real_model_is_kept_and_can_be_loaded(cache):
    folder = train_once("real", {}, [], lambda work: fit(build, make_batches(), 1, work))
    model = keras.saving.load_model(folder / "model.keras")
    assert model.predict(np.zeros((2, FEATURES)), verbose=0).shape == (2, 1)
    assert kept_files(cache) == [folder.name]


def test_a_training_that_leaves_no_checkpoint_is_kept_too(cache):
    folder = train_once("name", {}, [], lambda work: (FakeModel(), []))
    assert (folder / "model.keras").read_text() == "weights"
    assert kept_files(cache) == [folder.name]


@pytest.mark.skipif(os.name != "posix", reason="this system has no such permissions")
def test_a_kept_model_can_be_read_by_whoever_may_read_the_folder(cache):
    """A class may share one cache: the model's folder is as open as its parent, not its maker's alone."""
    folder = train_once("name", {}, [], Trainings())
    assert folder.stat().st_mode == folder.parent.stat().st_mode


def test_a_model_that_cannot_be_read_is_explained_in_a_few_words(tmp_path, monkeypatch):
    (tmp_path / "model.keras").write_bytes(b"no archive")
    with pytest.raises(StorageError, match="Remove that folder to train it again"):
        read_model(tmp_path)

    def fail(path):
        raise ValueError(f"cannot make the layer: {list(range(10_000))}")

    monkeypatch.setattr(keras.saving, "load_model", fail)
    with pytest.raises(StorageError, match="cannot make the layer") as caught:
        read_model(tmp_path)
    assert len(str(caught.value)) < 350 + len(str(tmp_path))


def test_an_interrupted_training_is_taken_up_in_the_same_folder(cache):
    folders = []

    def stop(work):
        folders.append(work)
        work.mkdir(parents=True)
        (work / "checkpoint").write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_once("name", {}, [], stop)

    def go_on(work):
        folders.append(work)
        assert (work / "checkpoint").read_text() == "half"
        return FakeModel(), []

    folder = train_once("name", {}, [], go_on)
    assert folders[0] == folders[1] != folder
    assert kept_files(cache) == [folder.name]


def test_two_at_the_same_time_train_once(cache):
    trainings, results = Trainings(seconds=0.5), []
    threads = [
        threading.Thread(target=lambda: results.append(train_once("name", {}, [], trainings)))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert trainings.count == 1
    assert len(results) == 3 and len(set(results)) == 1


def test_two_processes_at_the_same_time_train_once(cache, tmp_path, capsys):
    """The other process is stood for by a light one that holds the same lock while it writes the model."""
    folder = cache / "models" / store.key("name", {}, [])
    program = """
import sys, time, filelock
from pathlib import Path
folder, ready = Path(sys.argv[1]), Path(sys.argv[2])
folder.parent.mkdir(parents=True)
with filelock.FileLock(folder.with_name(folder.name + ".lock")):
    ready.touch()
    time.sleep(0.7)
    folder.mkdir()
    (folder / "history.json").write_text("[]")
    (folder / "model.keras").write_text("theirs")
"""
    ready = tmp_path / "ready"
    process = subprocess.Popen([sys.executable, "-c", program, str(folder), str(ready)])
    try:
        deadline = time.monotonic() + 30
        while not ready.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        trainings = Trainings()
        assert train_once("name", {}, [], trainings) == folder
    finally:
        process.wait(timeout=30)
    assert trainings.count == 0
    assert f"waiting for another process that makes {folder.name}" in capsys.readouterr().err
    assert (folder / "model.keras").read_text() == "theirs"


def test_the_lock_is_given_back_after_a_failure(cache):
    def fail(work):
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        train_once("name", {}, [], fail)
    trainings = Trainings()
    train_once("name", {}, [], trainings)
    assert trainings.count == 1


@pytest.mark.parametrize(
    ("names", "number"),
    [*FAILURES, ("Fake.save", errno.ENOSPC), ("FileLock.acquire", errno.EROFS)],
)
@pytest.mark.parametrize("there", [False, True], ids=["new", "there"])
def test_a_model_that_cannot_be_kept_is_explained(cache, monkeypatch, names, number, there):
    if there:
        (cache / "models").mkdir(parents=True)
    with monkeypatch.context() as patch:
        refuse(patch, names, number)
        with pytest.raises(StorageError) as caught:
            train_once("name", {}, [], lambda work: (FakeModel(), []))
    message = str(caught.value)
    assert str(cache) in message and "MMCOURSE_DATA" in message and os.strerror(number) in message
    assert "\n" not in message
    assert not (cache / "models").exists() or kept_files(cache) == []
    trainings = Trainings()
    folder = train_once("name", {}, [], trainings)  # when there is room again
    assert trainings.count == 1
    assert kept_files(cache) == [folder.name]


def test_the_checkpoints_survive_when_the_model_cannot_be_kept(cache, monkeypatch):
    """Else the whole training would have to be done again."""
    trainings = Trainings()
    with monkeypatch.context() as patch:
        refuse(patch, "Fake.save", errno.ENOSPC)
        with pytest.raises(StorageError):
            train_once("name", {}, [], trainings)
    (work,) = (cache / "models").glob("*.training")
    assert [path.name for path in work.iterdir()] == ["epoch-0001"]


def test_a_kept_model_is_found_on_a_read_only_disk(cache, monkeypatch):
    trainings = Trainings()
    folder = train_once("name", {}, [], trainings)
    for names, number in [*FAILURES, ("FileLock.acquire", errno.EROFS)]:
        refuse(monkeypatch, names, number)
    assert train_once("name", {}, [], trainings) == folder
    assert trainings.count == 1


def test_a_cache_folder_that_is_a_file_is_explained(cache):
    cache.write_text("in the way")
    with pytest.raises(StorageError, match="MMCOURSE_DATA"):
        train_once("name", {}, [], Trainings())
    assert cache.read_text() == "in the way"


def test_a_failure_leaves_what_another_process_is_writing(cache, monkeypatch):
    """Two models, of two profiles say, may be written at the same time."""
    theirs = cache / "models" / "part-theirs"
    theirs.mkdir(parents=True)
    (theirs / "model.keras").write_text("being written")
    refuse(monkeypatch, "Fake.save", errno.ENOSPC)
    with pytest.raises(StorageError):
        train_once("name", {}, [], Trainings())
    assert (theirs / "model.keras").exists()


# Profiles


@pytest.fixture
def no_profile(monkeypatch):
    monkeypatch.delenv("MMCOURSE_PROFILE", raising=False)


@pytest.mark.parametrize(("name", "policy"), [("cpu", "float32"), ("gpu", "mixed_bfloat16")])
def test_profile_by_name_changes_nothing_behind_the_readers_back(no_profile, name, policy):
    before = keras.config.dtype_policy().name
    profile = choose_profile(name)
    assert (profile.name, profile.dtype_policy) == (name, policy)
    assert keras.config.dtype_policy().name == before


def test_profile_of_the_environment_and_the_default(no_profile, monkeypatch):
    assert choose_profile().name == "cpu"
    monkeypatch.setenv("MMCOURSE_PROFILE", "gpu")
    assert choose_profile().name == "gpu"
    assert choose_profile("cpu").name == "cpu"
    monkeypatch.setenv("MMCOURSE_PROFILE", "")
    assert choose_profile().name == "cpu"


@pytest.mark.parametrize("name", ["tpu", "CPU", " cpu"])
def test_unknown_profile_is_refused(no_profile, monkeypatch, name):
    for choose in (lambda: choose_profile(name), choose_profile):
        with pytest.raises(ValueError, match="cpu, gpu") as caught:
            choose()
        assert repr(name) in str(caught.value)
        monkeypatch.setenv("MMCOURSE_PROFILE", name)


@pytest.mark.parametrize(
    ("steps", "warm_up", "share"), [(50, 5, 0.02), (50, 5, 0.3), (7, 0, 0.02), (1, 1, 0.5)]
)
def test_the_schedule_is_the_one_in_numpy(steps, warm_up, share):
    found = training.warm_up_cosine(0.3, steps, warm_up, last_share=share)
    rise = max(1, warm_up)
    rates = [float(found(step)) for step in range(steps + 20)]
    np.testing.assert_allclose(rates[:rise], [0.3 * step / rise for step in range(rise)], rtol=1e-5)
    expected = optimisers.warm_up_cosine(0.3, max(steps, rise + 1), rise, last=0.3 * share)
    np.testing.assert_allclose(rates[rise:], [expected(step) for step in range(rise, steps + 20)], rtol=1e-5)


def test_set_seed_repeats_weights_and_random_numbers():
    def draw():
        training.set_seed(4)
        weights = keras.layers.Dense(3)
        weights.build((None, 2))
        return np.random.random(), weights.kernel.numpy().tolist()

    assert draw() == draw()
