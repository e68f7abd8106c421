"""One model file, three backends: the same logits; and the operations that are counted are those that run."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from mmcourse.encoders.image import ImageEncoder
from mmcourse.generator import cost
from mmcourse.generator.captions import FeatureTokens
from mmcourse.generator.model import MultimodalGenerator, Settings

ROOT = Path(__file__).resolve().parents[2]
SIZE = Settings(width=16, heads=2, depth=2, hidden=32, prompt_length=3, answer_length=4)
FORWARD = """
import json, sys
import keras
import numpy as np
import mmcourse.encoders.image, mmcourse.generator.captions, mmcourse.generator.model

folder = sys.argv[1]
model = keras.saving.load_model(f"{folder}/model.keras")
inputs = dict(np.load(f"{folder}/inputs.npz"))
if keras.backend.backend() == "torch":
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode
    # The fused kernel of a processor is not counted; attention in plain products is.
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        model({name: array for name, array in inputs.items() if name != "image"})
    print(json.dumps(counter.get_total_flops()))
logits = model(inputs)
np.save(f"{folder}/logits.npy", keras.ops.convert_to_numpy(logits))
"""


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A folder with a model's file and inputs, and the logits that this backend gives."""
    folder = tmp_path_factory.mktemp("model")
    keras.utils.set_random_seed(0)
    encoders = {"image": ImageEncoder(16, (8,), 16), "features": FeatureTokens(4, 8, 16)}
    model = MultimodalGenerator(encoders, list("abcdefgh"), SIZE)
    model.build()
    model.save(folder / "model.keras")
    random = np.random.default_rng(0)
    inputs = {
        "image": random.integers(256, size=(3, 16, 16, 3)).astype("float32"),
        "features": random.normal(size=(3, 4, 8)).astype("float32"),
        "prompt": np.array([[4, 5, 0], [6, 7, 8], [9, 0, 0]], dtype="int32"),
        "answer": random.integers(4, 12, size=(3, 4)).astype("int32"),
    }
    np.savez(folder / "inputs.npz", **inputs)
    return folder, keras.ops.convert_to_numpy(model(inputs))


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_the_same_file_gives_the_same_logits(backend, stored):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    folder, logits = stored
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "KERAS_BACKEND": backend, "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        [sys.executable, "-c", FORWARD, str(folder)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(np.load(folder / "logits.npy"), logits, atol=1e-4)
    if backend == "torch":
        counted = 3 * cost.forward_operations(SIZE, 12, 4, 8)
        assert json.loads(done.stdout.splitlines()[-1]) == counted


def test_operations_by_hand():
    size = Settings(width=2, heads=1, depth=1, hidden=3, prompt_length=1, answer_length=1)
    # Matrices: 4 * 4 + 2 * 6 = 28 numbers; 3 tokens; attention: two products of (3, 2) and (2, 3).
    by_hand = 2 * 3 * 28 + 2 * (2 * 3 * 2 * 3) + 2 * 1 * 2 * 5 + 2 * 1 * 7 * 2
    assert cost.forward_operations(size, vocabulary=5, media=1, channels=7) == by_hand
    assert cost.training_operations(size, 5, 1, 7) == 3 * by_hand


@pytest.mark.parametrize("wrong", [{"vocabulary": 0}, {"media": -1}, {"channels": -1}])
def test_wrong_sizes_are_refused(wrong):
    given = {"vocabulary": 5, "media": 1, "channels": 0, **wrong}
    with pytest.raises(ValueError, match=next(iter(wrong))):
        cost.forward_operations(SIZE, **given)
