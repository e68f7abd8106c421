"""The moment in which the scenes' model learns to look, step by step (notebook 53).

The training's own history has an entry for each epoch, which is too seldom to see the search form, and its
questions are mostly sentences, which the first part of the training does not ask yet. So that part is done
again here, with the same model, batches and order, and a look at the model every few steps
(``benchmarks/scene_search.py``).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mmcourse.data import questions, scenes
from mmcourse.generator import scene_looks
from mmcourse.generator import scenes as task

EVERY, NUMBER = 20, 48  # steps between two looks; scenes that each looks at


@dataclass(frozen=True)
class Search:
    """What a look at the model found, each ``float64`` ``(looks,)``.

    Attributes:
        step: how many steps of training had been done.
        sight: share of the things whose nearest name in English is their own.
        search: share of the names alone that look the most, in the first block and over all heads, at the
            cell of what they name.
        bare: share of right answers to a name alone, in both languages.
        sentence: the same for sentences that ask where a thing is.
        guess: for all looks the same: what the informed guess would reach.
    """

    step: np.ndarray
    sight: np.ndarray
    search: np.ndarray
    bare: np.ndarray
    sentence: np.ndarray
    guess: np.ndarray


def exam_of(seed: int, number: int, sentences: bool) -> task.Exam:
    """Scenes of known kind that are asked for a place in both languages, by sentences or by names alone."""
    random = np.random.default_rng([seed, 2])
    drawn = [scenes.draw_scene("seen", random, least_kinds=2) for _ in range(number)]
    asked = []
    for scene in drawn:
        some = []
        for language in questions.LANGUAGES:
            wording = int(random.integers(1, questions.KNOWN["where"])) if sentences else 0
            question = questions.ask(scene, "where", language, random, number=wording)
            if question is not None:
                some.append(question)
        asked.append(tuple(some))
    kept = [row for row, some in enumerate(asked) if some]
    drawn = [drawn[row] for row in kept]
    return task.Exam(tuple(drawn), scenes.draw(drawn), tuple(asked[row] for row in kept), "seen")


def watch(
    configuration: task.Configuration,
    epochs: int,
    every: int = EVERY,
    number: int = NUMBER,
    build: Callable = task.build,
) -> Search:
    """Train for some epochs and look at the model before, and then every few steps.

    Args:
        epochs: how many of the configuration's epochs are done.
        every: steps between two looks.
        number: scenes of each look.
        build: makes the untrained model.
    """
    model, batches = build(configuration), task.Batches(configuration)
    bare, sentence = (exam_of(configuration.seed, number, sentences) for sentences in (False, True))
    asked, _, images, cells = scene_looks.questions_for_a_place(bare, number)
    guess = np.mean(
        [np.mean([one == question.answer for one in question.guesses]) for question in bare.asked]
    )
    found: list[tuple[float, ...]] = []

    def look(step: int) -> None:
        generator = model.generator
        heads = scene_looks.search(generator, images, asked)[0].mean(axis=1)
        found.append(
            (
                step,
                scene_looks.seen_rightly(generator, bare, "en").mean(),
                (heads.reshape(len(asked), -1).argmax(axis=1) == cells).mean(),
                bare.right(generator).mean(),
                sentence.right(generator).mean(),
                guess,
            )
        )

    look(0)
    done = 0
    for epoch in range(epochs):
        batches.start_epoch(epoch)
        for index in range(len(batches)):
            inputs, targets = batches[index]
            model.train_on_batch(inputs, targets)
            done += 1
            if done % every == 0:
                look(done)
    return Search(*np.array(found, dtype=np.float64).T)
