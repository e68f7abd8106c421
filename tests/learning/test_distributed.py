"""One training over several processes: shares of a batch, the launcher, and that two processes equal one."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmcourse.learning import distributed

ROOT = Path(__file__).resolve().parents[2]
LAUNCH = [sys.executable, "-m", "mmcourse.learning.distributed"]
TRAINING = """
import sys
import numpy as np
from mmcourse.learning import distributed

number, processes = distributed.join()
import keras
from mmcourse.generator.captions import FeatureTokens
from mmcourse.generator.model import MultimodalGenerator, Settings, answer_loss
from mmcourse.learning import training

training.set_seed(0)
size = Settings(width=16, heads=2, depth=1, hidden=32, dropout=0.1, prompt_length=2, answer_length=5)
model = MultimodalGenerator({"image": FeatureTokens(4, 8, 16)}, list("abcdefgh"), size)
model.build()
model.compile(keras.optimizers.AdamW(1e-2), answer_loss)
random = np.random.default_rng(0)
images = random.normal(size=(32, 4, 8)).astype("float32")
prompts = random.integers(4, 12, size=(32, 2)).astype("int32")
answers = random.integers(4, 12, size=(32, 5)).astype("int32")
for row, length in zip(answers, random.integers(1, 6, size=32)):
    row[length:] = 0  # the processes' shares hold different numbers of tokens

def make(chosen, random):
    inputs = {"image": images[chosen], "prompt": prompts[chosen], "answer": answers[chosen]}
    return distributed.part((inputs, answers[chosen]), number, processes)

model.fit(training.Batches(32, 8, make, 0), epochs=3, verbose=0, shuffle=False)
weights = [keras.ops.convert_to_numpy(weight) for weight in model.trainable_weights]
np.savez(f"{sys.argv[1]}-{number}.npz", *weights)
"""


@given(st.integers(1, 6), st.integers(0, 5))
def test_the_parts_of_a_batch_are_the_batch(processes, each):
    batch = {"rows": np.arange(processes * each), "pairs": np.arange(2 * processes * each).reshape(-1, 2)}
    parts = [distributed.part((batch, batch["rows"]), number, processes) for number in range(processes)]
    for name, array in batch.items():
        np.testing.assert_array_equal(np.concatenate([one[0][name] for one in parts]), array)
    assert all(len(rows) == each for _, rows in parts)


@pytest.mark.parametrize(
    ("rows", "process", "processes", "message"),
    [(5, 0, 2, "a batch of 5 rows"), (4, 2, 2, "process must be 0 to 1"), (4, 0, 0, "processes")],
)
def test_what_cannot_be_shared_is_refused(rows, process, processes, message):
    with pytest.raises(ValueError, match=message):
        distributed.part(np.zeros(rows), process, processes)


def test_without_a_launcher_a_script_trains_alone(monkeypatch):
    monkeypatch.delenv(distributed.PROCESSES, raising=False)
    assert distributed.join() == (0, 1)


def test_another_backend_is_refused(monkeypatch):
    import keras

    if keras.backend.backend() == "jax":
        pytest.skip("this is JAX")
    monkeypatch.setenv(distributed.PROCESSES, "2")
    with pytest.raises(RuntimeError, match="needs the JAX backend"):
        distributed.join()


def test_a_process_that_fails_ends_all(tmp_path, monkeypatch):
    script = tmp_path / "script.py"
    script.write_text(
        "import os, sys, time\n"
        f"number = int(os.environ['{distributed.PROCESS}'])\n"
        "sys.exit(int(sys.argv[1])) if number == 1 else time.sleep(60)\n"
    )
    monkeypatch.setattr(distributed.importlib.util, "find_spec", lambda name: object())
    assert distributed.main(["--processes", "2", str(script), "3"]) == 3


@pytest.mark.parametrize(
    "options", [["--processes", "0"], ["--process", "0"], ["--process", "2", "--address", "a:1"]]
)
def test_wrong_options_are_refused(options, capsys):
    with pytest.raises(SystemExit):
        distributed.main([*options, "script.py"])
    assert "--process" in capsys.readouterr().err


@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="needs the extra 'jax'")
def test_two_processes_end_with_the_weights_of_one(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(TRAINING)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    for processes in (1, 2):
        command = [*LAUNCH, "--processes", str(processes), str(script), str(tmp_path / str(processes))]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stderr
    alone, first, second = (np.load(tmp_path / f"{name}.npz") for name in ("1-0", "2-0", "2-1"))
    assert len(alone.files) > 10
    for name in alone.files:
        np.testing.assert_array_equal(first[name], second[name])
        np.testing.assert_allclose(first[name], alone[name], rtol=1e-3, atol=2e-4)
