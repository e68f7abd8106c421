"""The small language models: what they may see, and that a training depends on its arguments alone."""

import numpy as np
import pytest

from mmcourse.outlook import scaling_model
from mmcourse.text.corpus import Corpus

RANDOM = np.random.default_rng(0)
ROWS = RANDOM.integers(1, 29, (1600, scaling_model.LENGTH + 1)).astype(np.int8)
ROWS[:, 1:] = np.where(RANDOM.random((1600, scaling_model.LENGTH)) < 0.8, 5, ROWS[:, 1:])
GO = scaling_model.BATCH * scaling_model.LENGTH * scaling_model.TOGETHER


def test_letters_are_those_of_the_text_and_neighbours_stay_in_one_split(monkeypatch):
    signs = "\n" + "abcdefghijklmnopqrstuvwxyz" + " '"
    words = [signs[1 + block // 26] + signs[1 + block % 26] for block in range(60)]
    sentences = [[word, "don't"] for word in words for _ in range(scaling_model.BLOCK)]
    monkeypatch.setattr(scaling_model.dictionary, "load", lambda: Corpus.of(sentences))
    monkeypatch.setattr(scaling_model, "HELD_OUT", 0.2)
    splits, read = scaling_model._letters(), {}
    for split, rows in splits.items():
        assert rows.dtype == np.int8 and rows.shape[1] == scaling_model.LENGTH + 1
        lines = ["".join(signs[i] for i in row) for row in rows]
        read[split] = {part for line in lines for part in line.split("\n")[1:-1]}
    assert all(read.values()) and sum(map(len, read.values())) == len(words), "no block in two splits"
    assert set.union(*read.values()) == {f"{word} don't" for word in words}
    letters = sum(rows[:, :-1].size for rows in splits.values())
    assert 0 <= len(sentences) * len("ab don't ") - letters <= 3 * scaling_model.LENGTH


@pytest.fixture(scope="module")
def trainer():
    return scaling_model.Trainer(8, depth=1)


def test_the_model_does_not_see_what_comes_later():
    model = scaling_model.LanguageModel(16, depth=1)
    rows = ROWS[:2, :-1].astype(np.int32)
    changed = rows.copy()
    changed[:, 20:] = 3
    before, after = (np.asarray(model(one)) for one in (rows, changed))
    np.testing.assert_allclose(before[:, :20], after[:, :20], atol=1e-5)
    assert np.abs(before[:, 20:] - after[:, 20:]).max() > 1e-3


def test_a_training_learns_and_depends_on_its_seed_only(trainer):
    assert trainer.train(ROWS, GO + 5, 0.01, seed=1) == GO
    first = trainer.loss(ROWS[:256])
    trainer.train(ROWS, GO, 0.01, seed=2)
    second = trainer.loss(ROWS[:256])
    trainer.train(ROWS, GO, 0.01, seed=1)
    assert first < np.log(scaling_model.SIGNS) - 0.5
    assert trainer.loss(ROWS[:256]) == pytest.approx(first, abs=1e-5) and abs(second - first) > 1e-4


def test_different_rows_are_read_again_and_again(trainer, monkeypatch):
    read = []
    monkeypatch.setattr(trainer.model, "fit", lambda rows, targets, **options: read.append(rows))
    trainer.train(ROWS, 3 * GO, 0.01, seed=0, different=GO)
    rows, counts = np.unique(read[0], axis=0, return_counts=True)
    assert len(rows) == GO // scaling_model.LENGTH and set(counts) == {3}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda trainer: trainer.train(ROWS, GO - 1, 0.01, 0), "reads 5120 tokens or more"),
        (lambda trainer: trainer.train(ROWS, GO, 0.01, 0, different=10**9), "different"),
        (lambda trainer: trainer.train(ROWS, GO, 0.0, 0), "highest"),
        (lambda trainer: scaling_model.LanguageModel(12), "multiple of 8"),
    ],
)
def test_what_cannot_be_is_refused(trainer, call, message):
    with pytest.raises(ValueError, match=message):
        call(trainer)
