"""Spoken questions about scenes: an ear for a model that can already see and read (notebook 54).

The voices are synthetic (:mod:`mmcourse.data.spoken_questions`). Nothing of the model is changed: an encoder
of sound learns to give tokens that are read as a written prompt is. First it learns which words are said,
held against the embeddings with which prompts are read, then to be answered rightly.
"""

import functools
from dataclasses import asdict, dataclass
from pathlib import Path

import keras
import numpy as np
from keras import ops

from mmcourse.data import questions, scenes, spoken_questions
from mmcourse.data.spoken_questions import FRAMES, MELS
from mmcourse.encoders.audio import AudioEncoder
from mmcourse.generator import scenes as written
from mmcourse.generator.model import MultimodalGenerator, answer_loss
from mmcourse.learning import training
from mmcourse.text import PAD_ID, SPECIAL_TOKENS

# How often each task is asked aloud.
ASKING = {"describe": 0.15, "name": 0.05, "name_in": 0.1, "count": 0.15, "exist": 0.1, "at": 0.2,
          "left_of": 0.1, "where": 0.15}  # fmt: skip


@dataclass(frozen=True)
class Configuration:
    """Everything that decides what is trained, apart from data and code.

    Attributes:
        profile: "cpu" or "gpu"; see :mod:`mmcourse.learning.training`.
        depth, heads, hidden: of the encoder, see :class:`mmcourse.encoders.audio.AudioEncoder`.
        recordings: of each question.
        hearing_steps: steps in which only words are learned.
        epochs, steps: epochs after that, and steps of each.
        batch_size: questions for each step.
        learning_rate: highest value of AdamW's; it rises over the first tenth and falls along a cosine.
        weight_decay: of AdamW.
        hearing: weight of the words' loss beside that of the answers.
        seed: of weights and order.
    """

    profile: str = "cpu"
    depth: int = 2
    heads: int = 4
    hidden: int = 256
    recordings: int = 2
    hearing_steps: int = 1200
    epochs: int = 5
    steps: int = 60
    batch_size: int = 32
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    hearing: float = 0.3
    seed: int = 0


CONFIGURATIONS = {
    "cpu": Configuration(),
    "gpu": Configuration(
        profile="gpu", depth=4, hidden=1024, recordings=6, hearing_steps=4000, epochs=20, steps=100
    ),
}


class Batches(training.Batches):
    """Scenes, each with one question, written and spoken.

    Args:
        configuration: its sizes.
        frames: of :func:`mmcourse.data.spoken_questions.recordings`.
    """

    def __init__(self, configuration: Configuration, frames: np.ndarray):
        size = configuration.steps * configuration.batch_size
        super().__init__(size, configuration.batch_size, make=None, seed=configuration.seed)
        self.frames = frames
        self.number_of = {text: number for number, (_, text) in enumerate(spoken_questions.every_prompt())}

    def __getitem__(self, index):
        random = np.random.default_rng([self.seed, self.epoch, index])
        asked = [draw_question(random) for _ in range(self.batch_size)]
        vocabulary = written.vocabulary()
        prompts = vocabulary.encode([question.prompt for _, question in asked], written.PROMPT_LENGTH)
        answers = vocabulary.encode(
            [question.answer for _, question in asked], written.ANSWER_LENGTH, end=True
        )
        numbers = [self.number_of[question.prompt] for _, question in asked]
        take = random.integers(len(self.frames), size=len(asked))
        inputs = {
            "image": scenes.draw([scene for scene, _ in asked]),
            "speech": shifted(self.frames[take, numbers].astype(np.float32), random),
            "prompt": np.zeros_like(prompts),
            "words": prompts,
            "answer": answers,
        }
        return inputs, answers


def draw_question(random: np.random.Generator) -> tuple[scenes.Scene, questions.Question]:
    """A training scene and a question about it."""
    while True:
        task = random.choice(list(ASKING), p=list(ASKING.values()))
        language = questions.LANGUAGES[random.random() < 0.5]
        portrait = task in ("name", "name_in")
        scene = scenes.draw_portrait(random) if portrait else scenes.draw_scene("train", random, 2)
        question = questions.ask(scene, task, language, random)
        if question is not None:
            return scene, question


def shifted(frames: np.ndarray, random: np.random.Generator, most: int = 4) -> np.ndarray:
    """Recordings that begin up to ``most`` frames later, a little louder or quieter in each band."""
    found = np.zeros_like(frames)
    for row, wait in enumerate(random.integers(most + 1, size=len(frames))):
        found[row, wait:] = frames[row, : FRAMES - wait]
    real = (found != 0).any(axis=-1, keepdims=True)
    return found + real * random.normal(scale=0.2, size=(len(frames), 1, MELS)).astype(np.float32)


@functools.cache
def words_said() -> np.ndarray:
    """Ids of the words that questions hold, the padding token first: ``int32`` ``(words,)``."""
    ids = written.vocabulary().ids_of
    said = {number for _, text in spoken_questions.every_prompt() for number in ids(text)}
    return np.array([PAD_ID, *sorted(said)], dtype=np.int32)


@keras.saving.register_keras_serializable("mmcourse")
class Listening(keras.Model):
    """A generator whose ear is in training, and nothing else of it.

    Args:
        generator: of :func:`with_ear`.
        hearing: weight of the words' loss.
        answering: whether it also learns from the answers.
    """

    def __init__(
        self, generator: MultimodalGenerator, hearing: float = 1.0, answering: bool = True, **kwargs
    ):
        super().__init__(**kwargs)
        self.generator, self.hearing, self.answering = generator, hearing, answering

    def build(self, shapes=None):
        own = self.generator
        if not own.built:  # one that is read from a checkpoint
            own.build()
        # Only now: freezing a layer does not freeze what it makes afterwards.
        for variable in own.variables:
            variable.trainable = False
        for variable in own.encoders["speech"].variables:
            variable.trainable = True
        self.log_scale = self.add_weight(
            shape=(), initializer=keras.initializers.Constant(np.log(10.0)), name="log_scale"
        )

    def get_config(self):
        generator = keras.saving.serialize_keras_object(self.generator)
        own = {"generator": generator, "hearing": self.hearing, "answering": self.answering}
        return {**super().get_config(), **own}

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "generator": keras.saving.deserialize_keras_object(config["generator"])})

    def call(self, inputs, training=False):
        ear = self.generator.encoders["speech"]
        heard = ear(inputs["speech"], training=training)
        if training:
            self.add_loss(
                self.hearing * self.word_loss(heard, ear.compute_mask(inputs["speech"]), inputs["words"])
            )
        if not self.answering:
            return heard
        return self.generator(inputs, training=training, encoded={"speech": heard})

    def word_loss(self, heard, real, words):
        """Connectionist temporal classification (Graves et al., 2006): each word is said once and in order,
        somewhere; the padding token stands for nothing. In nats for each word.

        Args:
            heard: ``(batch, tokens, width)``.
            real: boolean ``(batch, tokens)``.
            words: token ids of the prompts ``(batch, prompt_length)``.
        """
        known = words_said()
        table = ops.normalize(ops.cast(self.generator.token_embedding(known), "float32"))
        heard = ops.normalize(ops.cast(heard, "float32"))
        scores = ops.exp(self.log_scale) * ops.matmul(heard, ops.transpose(table))
        place = np.zeros(known.max() + 1, dtype=np.int32)
        place[known] = np.arange(len(known))
        count = ops.sum(ops.cast(ops.not_equal(words, PAD_ID), "int32"), axis=1)
        length = ops.sum(ops.cast(real, "int32"), axis=1)
        losses = ops.nn.ctc_loss(ops.take(place, words), scores, count, length, mask_index=0)
        return ops.sum(losses) / ops.cast(ops.sum(count), losses.dtype)


def with_ear(model: MultimodalGenerator, configuration: Configuration) -> MultimodalGenerator:
    """The same model with an untrained encoder of speech beside it.

    Args:
        model: of :func:`mmcourse.generator.scenes.train`.
    """
    size = model.settings
    ear = AudioEncoder(
        FRAMES,
        MELS,
        size.width,
        configuration.depth,
        configuration.heads,
        configuration.hidden,
        dtype=model.dtype_policy,
        name="speech_encoder",
    )
    ordinary = model.vocabulary.tokens[len(SPECIAL_TOKENS) :]
    new = MultimodalGenerator(
        {**model.encoders, "speech": ear}, ordinary, size, asking=["speech"], dtype=model.dtype_policy
    )
    new.build()
    for part in ("token_embedding", "final_norm", "to_logits"):
        getattr(new, part).set_weights(getattr(model, part).get_weights())
    for block, own in zip(new.blocks, model.blocks, strict=True):
        block.set_weights(own.get_weights())
    new.text_position.assign(model.text_position)
    new.word_bias.assign(model.word_bias)
    number = len(model.encoders)
    new.modality.assign(ops.concatenate([model.modality, new.modality[number:]], axis=0))
    return new


def build(configuration: Configuration, model: MultimodalGenerator, frames: np.ndarray) -> Listening:
    """A compiled model whose ear knows words and has not been asked yet."""
    training.set_seed(configuration.seed)
    generator = with_ear(model, configuration)
    if configuration.hearing_steps:
        one = Configuration(**{**asdict(configuration), "steps": configuration.hearing_steps})
        hearing = Listening(generator, 1.0, answering=False)
        _compile(hearing, configuration, configuration.hearing_steps, loss=None)
        hearing.fit(Batches(one, frames), epochs=1, verbose=0, shuffle=False)
    listening = Listening(generator, configuration.hearing)
    _compile(listening, configuration, configuration.epochs * configuration.steps, loss=answer_loss)
    if configuration.hearing_steps:
        listening.log_scale.assign(hearing.log_scale)
    return listening


def _compile(model: Listening, configuration: Configuration, steps: int, loss) -> None:
    model.build()
    schedule = training.warm_up_cosine(configuration.learning_rate, steps, steps // 10, last_share=0.05)
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=configuration.weight_decay, clipnorm=1.0)
    model.compile(optimizer, loss=loss, jit_compile=True)


def train(
    configuration: Configuration, folder: Path, model: MultimodalGenerator | None = None
) -> tuple[MultimodalGenerator, list[dict[str, float]]]:
    """Train with checkpoints in ``folder``, from the last one if there is one; see :func:`training.fit`."""
    model = model or written.load_trained(configuration.profile)
    frames = spoken_questions.recordings(configuration.recordings)
    listening, history = training.fit(
        lambda: build(configuration, model, frames),
        Batches(configuration, frames),
        configuration.epochs,
        folder,
    )
    return listening.generator, history


def trained_folder(configuration: Configuration) -> Path:
    """The folder of the trained model, which is trained now unless it is in the cache."""
    return training.train_once(
        f"spoken-scenes-{configuration.profile}",
        asdict(configuration),
        [__name__],
        lambda folder: train(configuration, folder),
    )


def load_trained(profile: str | None = None) -> MultimodalGenerator:
    """The trained model of a profile; trains it first if it is not in the cache."""
    return training.read_model(trained_folder(CONFIGURATIONS[training.choose_profile(profile).name]))
