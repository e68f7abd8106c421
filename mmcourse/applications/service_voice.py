"""A voice assistant in noise: what it hears, what it says, how sure it is (notebook 61).

The assistant is the model of notebook 54; the voices are synthetic (:mod:`mmcourse.data.spoken_questions`).
"""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from mmcourse import store
from mmcourse.audio import SAMPLE_RATE, SYNTHETIC_RATE, Phrase, resample, synthesise_many
from mmcourse.audio.augmentation import add_noise, white_noise
from mmcourse.data import questions, spoken_questions
from mmcourse.evaluation import controls
from mmcourse.generator import decoding, spoken_scenes, spoken_scores
from mmcourse.generator.model import MultimodalGenerator
from mmcourse.generator.scenes import Exam
from mmcourse.learning import training
from mmcourse.text import tokenise

SPOKEN_TASKS = ("describe", "at", "where")
NOISES = {"a fan": (20, 10, 0), "a crowd": (20, 10, 0)}  # decibels of the voice over the noise
SCENES, SPOKEN_SEED, VOICES_IN_A_CROWD = 60, 61, 6


@dataclass(frozen=True)
class SpokenTest:
    """Spoken questions about scenes by voices that training never heard, under several conditions.

    Attributes:
        exam: scenes and questions.
        answers: condition -> what the assistant says, in the order of ``exam.asked``.
        confidence: condition -> how probable it finds that answer, ``float64``.
        heard: condition -> the words that its ear makes of the recording.
        validation: boolean, True for the questions on which thresholds are chosen; no scene is on both sides.

    The conditions are "quiet", each of :data:`NOISES` with its decibels ("a fan, 20 dB"), "silence" and
    "wrong picture"; and quiet and the crowd once more, voice and noise drawn anew ("quiet, again").
    """

    exam: Exam
    answers: dict[str, np.ndarray]
    confidence: dict[str, np.ndarray]
    heard: dict[str, np.ndarray]
    validation: np.ndarray

    def right(self, condition: str) -> np.ndarray:
        """Which questions are answered exactly, boolean."""
        said = self.answers[condition]
        return np.array([text == one.answer for text, one in zip(said, self.exam.asked, strict=True)])


def say(asked: Sequence[questions.Question], random: np.random.Generator) -> list[np.ndarray]:
    """Waveforms of questions by voices that training never heard, each with its speed and height.

    Args:
        asked: questions in English or Chinese.

    Raises:
        RuntimeError: espeak-ng is missing or fails.
    """
    phrases = []
    for one in asked:
        several = spoken_questions.voices(one.language, heard=False)
        voice = several[int(random.integers(len(several)))]
        speed = int(random.integers(*spoken_questions.SPEEDS[one.language]))
        phrases.append(Phrase(one.prompt, voice, speed, int(random.integers(*spoken_questions.PITCHES))))
    return [resample(sound, SYNTHETIC_RATE, SAMPLE_RATE) for sound in synthesise_many(phrases)]


def disturb(
    voices: Sequence[np.ndarray], noise: str, decibels: float, random: np.random.Generator
) -> list[np.ndarray]:
    """Add noise to each waveform at a signal-to-noise ratio.

    Args:
        noise: one of :data:`NOISES`: white noise, or six of the other voices talking at once.

    Raises:
        ValueError: an unknown noise.
    """
    if noise not in NOISES:
        raise ValueError(f"unknown noise {noise!r}; expected one of: {', '.join(NOISES)}")
    talk = np.concatenate([voices[number] for number in random.permutation(len(voices))[:60]])
    found = []
    for voice in voices:
        if noise == "a fan":
            other = white_noise(len(voice), random)
        else:
            starts = random.integers(len(talk), size=VOICES_IN_A_CROWD)
            several = [np.resize(np.roll(talk, -start), len(voice)) for start in starts]
            other = np.asarray(np.sum(several, axis=0), dtype=np.float32)
        found.append(add_noise(voice, other, decibels))
    return found


def answer_spoken(
    writer: decoding.Writer, images: np.ndarray, frames: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """What the assistant says to spoken questions about pictures, and how probable it finds that.

    Args:
        writer: of :func:`sure_writer`.
        images: ``(questions, 96, 96, 3)``.
        frames: of :func:`mmcourse.data.spoken_questions.frames_of`, ``(questions, FRAMES, MELS)``, or None
            where nothing was said.

    Returns:
        Texts ``(questions,)``, and the product of the probabilities of their words, ``float64``.
    """
    model = writer.model
    nothing = np.zeros((len(images), model.settings.prompt_length), dtype=np.int32)
    inputs = {"image": images, "prompt": nothing} | ({} if frames is None else {"speech": frames})
    words, logarithms = writer.predict(inputs, batch_size=128, verbose=0)
    return np.array(model.vocabulary.decode(words[:, 0])), np.exp(logarithms[:, 0].astype(float))


def sure_writer(model: MultimodalGenerator) -> decoding.Writer:
    """Writes the likeliest word each time, as a beam of one, whose sum says how sure the model is.

    Args:
        model: of :func:`mmcourse.generator.spoken_scenes.load_trained`.
    """
    writer = decoding.Writer(model, decoding.Beam(1).all)
    writer.compile(jit_compile=False)
    return writer


def _ask_all(model: MultimodalGenerator, number: int) -> dict[str, np.ndarray]:
    """The arrays of :class:`SpokenTest`, as "answers/CONDITION" and so on."""
    exam = Exam.draw("seen", number, seed=SPOKEN_SEED, tasks=SPOKEN_TASKS)
    owner = _owners(exam)
    images, found = exam.images[owner], {}
    writer = sure_writer(model)

    def keep(condition, frames, shown=images):
        found[f"answers/{condition}"], found[f"confidence/{condition}"] = answer_spoken(writer, shown, frames)
        silent = frames is None
        heard = [""] * len(shown) if silent else spoken_scores.heard_words(model, frames)
        found[f"heard/{condition}"] = np.array(heard)

    def frames_of(sounds):
        return np.stack([spoken_questions.frames_of(sound) for sound in sounds])

    for again in ("", ", again"):
        random = np.random.default_rng([SPOKEN_SEED, bool(again)])
        voices = say(exam.asked, random)
        keep(f"quiet{again}", frames_of(voices))
        for noise, levels in NOISES.items():
            for level in levels if noise == "a crowd" or not again else ():
                keep(f"{noise}, {level} dB{again}", frames_of(disturb(voices, noise, level, random)))
        if not again:
            other = controls.permute({"image": exam.images}, "image")["image"][owner]
            keep("wrong picture", frames_of(voices), other)
            keep("silence", None)
    return found


def _owners(exam: Exam) -> np.ndarray:
    """For each question the number of its scene."""
    return np.array([row for row, some in enumerate(exam.questions) for _ in some])


def load_spoken_test(profile: str | None = None, number: int = SCENES) -> SpokenTest:
    """The test of a profile's assistant, asked now (a few minutes) unless its answers are in the cache.

    Args:
        profile: see :mod:`mmcourse.learning.training`.
        number: scenes, and half as many portraits.
    """
    configuration = spoken_scenes.CONFIGURATIONS[training.choose_profile(profile).name]
    kept = store.arrays(
        f"service-spoken-{configuration.profile}",
        [__name__],
        lambda: _ask_all(spoken_scenes.load_trained(configuration.profile), number),
        {**asdict(configuration), "number": number},
    )
    exam = Exam.draw("seen", number, seed=SPOKEN_SEED, tasks=SPOKEN_TASKS)
    answers, confidence, heard = (
        {name.partition("/")[2]: kept[name] for name in kept if name.startswith(f"{part}/")}
        for part in ("answers", "confidence", "heard")
    )
    return SpokenTest(exam, answers, confidence, heard, validation=_owners(exam) % 2 == 0)


def intents(heard: Sequence[str]) -> list[str]:
    """What each recording was about: the task whose wording shares most of its words with what was heard.

    Returns:
        For each text one of :data:`mmcourse.data.questions.TASKS`, or "" where no word is shared.
    """
    known = []
    for tasks in questions.WORDINGS.values():
        for task, wordings in tasks.items():
            for wording in wordings[: questions.KNOWN[task]]:
                words = set(tokenise(re.sub(r"\{.*?\}", " ", wording)))
                known.append((task, words))
    found = []
    for text in heard:
        said = set(tokenise(text))
        scores = [len(said & words) / max(1, len(said | words)) for _, words in known]
        best = int(np.argmax(scores))
        found.append(known[best][0] if scores[best] > 0 else "")
    return found
