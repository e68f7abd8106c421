"""The script for a bare machine: what it carries is pinned, and it trains for as long as there is time."""

import gpu
import numpy as np
import pytest

from mmcourse.data import archives
from mmcourse.generator import scenes

TINY = scenes.Configuration(channels=(4, 4, 4, 8), width=8, heads=2, depth=1, hidden=8, batch_size=2, steps=3)


def light(configuration):
    """An uncompiled model, which takes two steps at once."""
    model = scenes.build(configuration)
    model.run_eagerly, model.jit_compile = True, False
    return model


def test_what_is_carried_is_pinned():
    blocks = gpu.pinned((gpu.ROOT / "requirements.txt").read_text(encoding="utf-8"))
    for name in gpu.WHEELS:
        first, *hashes = blocks[name].splitlines()
        assert first.startswith(f"{name}==") and hashes
        assert all("--hash=sha256:" in line for line in hashes)
    assert set(gpu.ARCHIVES) <= set(archives.load_sources())


def test_a_block_ends_where_the_next_package_begins():
    first = "a==1 \\\n    --hash=sha256:x \\\n    --hash=sha256:y"
    text = f"{first}\n    # via b\nc-d==2 \\\n    --hash=sha256:z\n"
    assert gpu.pinned(text) == {
        "a": first,
        "c-d": "c-d==2 \\\n    --hash=sha256:z",
    }


def test_two_steps_give_all_figures():
    one = gpu.replace(TINY, epochs=1)
    found, model = gpu.train("scenes", light, scenes.Batches, one, one.steps, 2)
    assert found["steps"] == 2 and len(found["loss"]) == 1 and np.isfinite(found["loss"]).all()
    assert found["parameters"] == model.count_params() and found["configuration"]["epochs"] == 1
    assert found["milliseconds_for_a_step"] > 0 and found["peak_process_bytes"] > 1e8
    each = found["milliseconds_for_a_step"] / 1000
    assert found["pictures_for_each_second"] == pytest.approx(TINY.batch_size / each)


def test_the_epochs_fit_the_time(monkeypatch):
    """As many as there is time for, at least one, and no more than the configuration has."""
    monkeypatch.setattr(gpu, "TIMED", 2)
    steps = {}
    for minutes in (0.0, 1e9):
        monkeypatch.setitem(gpu.MINUTES, "scenes", minutes)
        one = gpu.replace(TINY, epochs=2)
        found, _ = gpu.train("scenes", light, scenes.Batches, one, one.steps, None)
        steps[minutes] = found["steps"], found["configuration"]["epochs"]
    assert steps == {0.0: (3, 1), 1e9: (6, 2)}


def test_a_folder_without_wheels_is_refused(tmp_path):
    with pytest.raises(SystemExit, match="pack first"):
        gpu.install(tmp_path)
