"""One question about picture files, as ``mmcourse ask`` answers it (notebook 53)."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from mmcourse import image
from mmcourse.data import scenes, spoken_questions
from mmcourse.generator import scenes as written
from mmcourse.generator import spoken_scenes

BATCH = 32


class Answerer:
    """A trained model and the question that it is asked.

    Args:
        profile: see :mod:`mmcourse.learning.training`.
        question: in English or Chinese; None if it is spoken.
        sound: waveform of the spoken question ``(samples,)``, 16,000 a second, or None.

    Raises:
        ValueError: neither or both are given, or the question is empty, too long or holds words that the
            model has never seen.
        mmcourse.audio.AudioError: no sound.
    """

    def __init__(self, profile: str | None, question: str | None = None, sound: np.ndarray | None = None):
        if (question is None) == (sound is None):
            raise ValueError("expected either a written question or a spoken one")
        self.prompt = self.frames = None
        if question is not None:
            self.model = written.load_trained(profile)
            self.prompt = written.read_question(question)
            self.model.encode_prompts([self.prompt])  # a mistake is told before pictures are read
        else:
            self.frames = spoken_questions.frames_of(sound)
            self.model = spoken_scenes.load_trained(profile)

    def answers(self, pictures: list[np.ndarray]) -> list[str]:
        """An answer for each picture ``(96, 96, 3)``."""
        inputs = {"image": np.stack(pictures)}
        if self.frames is not None:
            inputs["speech"] = np.repeat(self.frames[None], len(pictures), axis=0)
        return self.model.generate(inputs, self.prompt, batch_size=BATCH)

    def lines(self, files: Iterable[Path]) -> Iterator[dict[str, str]]:
        """For each file, in order, ``{"picture": name, "answer": …}``, or "error" in place of the answer."""
        waiting: list[tuple[str, np.ndarray | str]] = []
        for path in files:
            try:
                waiting.append((path.name, image.read(path, scenes.SIDE)))
            except (OSError, ValueError) as error:
                waiting.append((path.name, " ".join(str(error).split())))
            if len(waiting) == BATCH:
                yield from self._finish(waiting)
                waiting = []
        yield from self._finish(waiting)

    def _finish(self, waiting: list[tuple[str, np.ndarray | str]]) -> Iterator[dict[str, str]]:
        pictures = [found for _, found in waiting if not isinstance(found, str)]
        answers = iter(self.answers(pictures) if pictures else ())
        for name, found in waiting:
            if isinstance(found, str):
                yield {"picture": name, "error": found}
            else:
                yield {"picture": name, "answer": next(answers)}
