"""Translation of headlines with a picture, and tests of whether the picture is used (notebook 62).

The model is the course's generator: the English headline and the name of the language are its prompt, the
picture is one token, what a frozen EfficientNet sees in it. Without a picture that token is made of zeros.

Sources: Elliott (2018) for the test with incongruent pictures; Caglayan et al. (2019) for the finding that
pictures matter where the text leaves something out.
"""

import functools
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import keras
import numpy as np

from mmcourse import store
from mmcourse.data import emoji, headlines
from mmcourse.data.headlines import LANGUAGES, Headline
from mmcourse.encoders import efficientnet
from mmcourse.generator.captions import FeatureTokens
from mmcourse.generator.model import MultimodalGenerator, Settings, answer_loss
from mmcourse.learning import training
from mmcourse.text import SPECIAL_TOKENS, Vocabulary, tokenise

SIZE, CHANNELS, BATCH = 224, efficientnet.HEAD, 32
SEEDS = (0, 1, 2)
# Which picture stands beside a test headline; "other": of another meaning of the same word, or where it has
# only one, of another word; "another's": of another headline, by chance.
SHOWN = ("right", "other", "another's", "none")


@dataclass(frozen=True)
class Configuration:
    """Everything that decides what is trained, apart from data and code.

    Attributes:
        profile: "cpu" or "gpu"; see :mod:`mmcourse.learning.training`.
        pictured: share of the training headlines that come with a picture.
        misled: share of the pictures beside a telling verb that show another meaning of the word.
        width, heads, depth, hidden, dropout: see :class:`mmcourse.generator.model.Settings`.
        dropout_of_picture: share of the picture's features that are set to zero in training.
        steps, batch_size: steps of the training, headlines in each.
        learning_rate: its highest value; it rises over the first tenth and then falls along a cosine.
        weight_decay: of AdamW.
        seed: of weights and headlines.
    """

    profile: str = "cpu"
    pictured: float = 0.75
    misled: float = 0.0
    width: int = 64
    heads: int = 4
    depth: int = 2
    hidden: int = 128
    dropout: float = 0.1
    dropout_of_picture: float = 0.3
    steps: int = 450
    batch_size: int = 48
    learning_rate: float = 5e-3
    weight_decay: float = 0.01
    seed: int = 0


ARMS = {
    "text only": Configuration(pictured=0.0),
    "with picture": Configuration(),
    "with picture, warned": Configuration(misled=0.5),
}


@functools.cache
def features(artist: str = "twemoji") -> dict[str, np.ndarray]:
    """What EfficientNet-lite0 sees in each drawing: emoji -> ``float32`` ``(1, 1280)``; computed once, kept.

    Raises:
        ValueError: an unknown artist.
    """
    if artist not in emoji.ARTISTS:
        raise ValueError(f"artist must be one of {emoji.ARTISTS}, got {artist!r}")

    def build() -> dict[str, np.ndarray]:
        network = efficientnet.extractor(efficientnet.load(SIZE))
        images = np.stack([emoji.picture_of(one, SIZE, artist) for one in headlines.drawings()])
        starts = range(0, len(images), BATCH)
        parts = [network.predict_on_batch(images[start : start + BATCH])[1] for start in starts]
        return {"pooled": np.concatenate(parts)}

    made_by = [efficientnet.__name__, headlines.__name__, emoji.__name__]
    pooled = store.arrays("features-headlines", made_by, build, {"artist": artist, "size": SIZE})["pooled"]
    return {one: row[None] for one, row in zip(headlines.drawings(), pooled, strict=True)}


def stack(shown: Sequence[str], seen: Mapping[str, np.ndarray]) -> np.ndarray:
    """Features of emoji, ``float32`` ``(emoji, 1, 1280)``; zeros for "", which is no picture.

    Raises:
        ValueError: an emoji that has no features.
    """
    unknown = sorted(set(shown) - set(seen) - {""})
    if unknown:
        raise ValueError(f"no features of {unknown[0]!r}; expected emoji of headlines.drawings(), or ''")
    nothing = np.zeros((1, CHANNELS), dtype=np.float32)
    return np.stack([seen[one] if one else nothing for one in shown])


def prompt(headline: Headline, language: str) -> str:
    """What the model is asked: "Chinese: Museum shows bat today".

    Raises:
        ValueError: an unknown language.
    """
    headlines.check_language(language)
    return f"{language}: {headline.english}"


def vocabulary() -> Vocabulary:
    """All words of the prompts and of the translations."""
    frames = headlines.frames("train") + headlines.frames("test")
    first = headlines.meanings()[0]
    every = [Headline(frame, first) for frame in frames]
    every += [Headline(frames[0], meaning) for meaning in headlines.meanings()]
    texts = [prompt(headline, language) for headline in every for language in LANGUAGES]
    texts += [headline.translation(language) for headline in every for language in LANGUAGES]
    return Vocabulary.from_texts(texts)


def _lengths() -> tuple[int, int]:
    """The longest prompt, and the longest translation with its end token, in tokens."""

    def longest(texts) -> int:
        return max(len(tokenise(text)) for text in texts)

    columns = headlines.AGENTS, (*headlines.VERBS, *headlines.TELLING), headlines.TIMES
    found = [sum(longest(row[place] for row in column) for column in columns) for place in range(3)]
    objects = [longest(meaning.words[language] for meaning in headlines.meanings()) for language in LANGUAGES]
    return found[0] + 2, 1 + max(found[1] + objects[0], found[2] + objects[1])


class Draws:
    """Training headlines, drawn at random: a meaning by its weight, a frame that it fits, a language.

    Args:
        configuration: says how many come with a picture, and with a misleading one.
    """

    def __init__(self, configuration: Configuration):
        self.configuration = configuration
        self.seen, self.vocabulary, self.lengths = features(), vocabulary(), _lengths()
        self.meanings = headlines.meanings()
        weights = np.array([meaning.weight for meaning in self.meanings], dtype=float)
        self.chances = weights / weights.sum()
        frames = headlines.frames("train")
        self.general = [frame for frame in frames if not frame.telling]
        telling = [frame for frame in frames if frame.telling]
        self.telling = [[f for f in telling if headlines.fits(meaning, f)] for meaning in self.meanings]

    def draw(self, random: np.random.Generator) -> tuple[Headline, str, str]:
        """A headline, a language, and the emoji of its picture, or "" for none."""
        row = random.choice(len(self.meanings), p=self.chances)
        frames = self.general
        if self.telling[row] and random.random() < 0.5:
            frames = self.telling[row]
        headline = Headline(frames[random.integers(len(frames))], self.meanings[row])
        language = LANGUAGES[random.integers(len(LANGUAGES))]
        if random.random() >= self.configuration.pictured:
            return headline, language, ""
        misled = headline.frame.telling and random.random() < self.configuration.misled
        kind = "other" if misled else "right"
        return headline, language, shown_beside([headline], kind, random, only_words=True)[0]

    def make(self, chosen: np.ndarray, random: np.random.Generator):
        """One batch, see :class:`mmcourse.learning.training.Batches`."""
        drawn = [self.draw(random) for _ in chosen]
        answers = [headline.translation(language) for headline, language, _ in drawn]
        answer = self.vocabulary.encode(answers, self.lengths[1], end=True)
        prompts = [prompt(headline, language) for headline, language, _ in drawn]
        inputs = {
            "image": stack([shown for *_, shown in drawn], self.seen),
            "prompt": self.vocabulary.encode(prompts, self.lengths[0]),
            "answer": answer,
        }
        return inputs, answer


def shown_beside(
    chosen: Sequence[Headline], kind: str, random: np.random.Generator, only_words: bool = False
) -> list[str]:
    """The emoji that stand beside headlines.

    Args:
        chosen: the headlines.
        kind: of :data:`SHOWN`.
        random: chooses among the emoji of a meaning, and among other meanings.
        only_words: with "other", words of one meaning keep their own picture.

    Raises:
        ValueError: an unknown kind.
    """
    if kind not in SHOWN:
        raise ValueError(f"kind must be one of {SHOWN}, got {kind!r}")
    if kind == "none":
        return [""] * len(chosen)
    every, found = headlines.meanings(), []
    mixed = random.permutation(len(chosen)) if kind == "another's" else range(len(chosen))
    for row in mixed:
        meaning = chosen[row].meaning
        if kind == "other":
            others = [one for one in headlines.meanings_of(meaning.english) if one != meaning]
            if not others and not only_words:
                others = [one for one in every if one.english != meaning.english]
            meaning = others[random.integers(len(others))] if others else meaning
        found.append(meaning.emoji[random.integers(len(meaning.emoji))])
    return found


def build(configuration: Configuration, draws: Draws) -> MultimodalGenerator:
    """An untrained, compiled model."""
    dtype = training.choose_profile(configuration.profile).dtype_policy
    training.set_seed(configuration.seed)
    settings = Settings(
        width=configuration.width,
        heads=configuration.heads,
        depth=configuration.depth,
        hidden=configuration.hidden,
        dropout=configuration.dropout,
        prompt_length=draws.lengths[0],
        answer_length=draws.lengths[1],
    )
    eye = FeatureTokens(
        1, CHANNELS, configuration.width, configuration.dropout_of_picture, dtype=dtype, name="eye"
    )
    ordinary = draws.vocabulary.tokens[len(SPECIAL_TOKENS) :]
    model = MultimodalGenerator({"image": eye}, ordinary, settings, dtype=dtype)
    steps = configuration.steps
    schedule = training.warm_up_cosine(configuration.learning_rate, steps, steps // 10)
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=configuration.weight_decay, clipnorm=1.0)
    model.compile(optimizer, loss=answer_loss, jit_compile=False)
    model.build()
    optimizer.build(model.trainable_variables)
    return model


def train(model: MultimodalGenerator, configuration: Configuration) -> float:
    """Train a model of :func:`build` from the beginning, whatever it has learned before.

    One model serves all arms and seeds: to trace its step takes longer than to run it a hundred times.

    Returns:
        The loss of the last fifty steps, in nats a token.
    """
    draws = Draws(configuration)
    training.set_seed(configuration.seed)
    fresh = build(configuration, draws)
    model.set_weights(fresh.get_weights())
    states = [[v for v in one.variables if v.name == "seed_generator_state"] for one in (model, fresh)]
    for variable, first in zip(*states, strict=True):
        variable.assign(first)
    for variable, first in zip(model.optimizer.variables, fresh.optimizer.variables, strict=True):
        variable.assign(first)
    random, losses = np.random.default_rng([62, configuration.seed]), []
    for _ in range(configuration.steps):
        inputs, answer = draws.make(np.arange(configuration.batch_size), random)
        losses.append(float(model.train_on_batch(inputs, answer)))
        model.reset_metrics()
    return float(np.mean(losses[-50:]))


def translate(
    model: MultimodalGenerator,
    chosen: Sequence[Headline],
    language: str,
    shown: Sequence[str],
    artist: str = "twemoji",
) -> list[str]:
    """The model's translations.

    Args:
        chosen: the headlines.
        language: of :data:`mmcourse.data.headlines.LANGUAGES`.
        shown: the emoji beside each, "" for none.
        artist: who drew them.

    Raises:
        ValueError: an unknown language, artist or emoji, or another number of emoji than of headlines.
    """
    if len(shown) != len(chosen):
        raise ValueError(f"expected one emoji for each of {len(chosen)} headlines, got {len(shown)}")
    prompts = [prompt(headline, language) for headline in chosen]
    return model.generate({"image": stack(shown, features(artist))}, prompts, batch_size=1024)


def beside_tests(kind: str) -> list[str]:
    """The emoji beside :func:`mmcourse.data.headlines.test_headlines`, the same for all arms.

    Raises:
        ValueError: an unknown kind.
    """
    return shown_beside(headlines.test_headlines(), kind, np.random.default_rng(62))


def nearest(chosen: Sequence[Headline], language: str, shown: Sequence[str], artist: str) -> list[str]:
    """A rival without a network of its own: a dictionary, and the nearest picture where it has a choice.

    Of the meanings that the English headline allows, it takes the one with the training picture (by the first
    artist) whose features have the greatest cosine with those of the picture; without a picture the first.

    Raises:
        ValueError: as :func:`translate`.
    """
    trained = {one: row[0] / np.linalg.norm(row) for one, row in features().items()}
    seen, found = stack(shown, features(artist))[:, 0], []
    for headline, picture in zip(chosen, seen, strict=True):
        alike = [max(float(trained[one] @ picture) for one in m.emoji) for m in headline.possible]
        found.append(headline.translation(language, headline.possible[int(np.argmax(alike))]))
    return found


def _conditions(arm: str) -> list[tuple[str, str]]:
    """Pairs of artist and kind of picture that an arm is tested with."""
    if ARMS[arm].pictured == 0:
        return [("twemoji", "none")]
    return [("twemoji", kind) for kind in SHOWN] + [("openmoji", kind) for kind in ("right", "other")]


def _trained_folder(profile: str | None) -> Path:
    """The folder of the answers of all arms and seeds, and of the models of the first seed."""
    profile = training.choose_profile(profile).name
    arms = {name: replace(one, profile=profile) for name, one in ARMS.items()}

    def make(work: Path, part: Path) -> None:
        found, losses = {}, {}
        chosen, shared = headlines.test_headlines(), build(arms["text only"], Draws(arms["text only"]))
        for arm, configuration in arms.items():
            for seed in SEEDS:
                start = time.monotonic()
                losses[f"{arm}/{seed}"] = train(shared, replace(configuration, seed=seed))
                for artist, kind in _conditions(arm):
                    for language in LANGUAGES:
                        texts = translate(shared, chosen, language, beside_tests(kind), artist)
                        found["/".join((arm, str(seed), artist, kind, language))] = texts
                seconds = time.monotonic() - start
                print(f"  translation {arm}, seed {seed}: {seconds:.0f} s", file=sys.stderr, flush=True)
                if seed == SEEDS[0]:
                    shared.save(part / f"{arm}.keras")
        (part / "answers.json").write_text(json.dumps(found), encoding="utf-8")
        (part / "losses.json").write_text(json.dumps(losses), encoding="utf-8")

    settings = {name: asdict(one) for name, one in arms.items()} | {"seeds": SEEDS}
    return store.folder(f"translation-{profile}", settings, [__name__], make)


def load_answers(profile: str | None = None) -> dict[tuple[str, int, str, str, str], list[str]]:
    """Translations of all test headlines: (arm, seed, artist, kind, language) -> texts; trains if need be."""
    kept = json.loads((_trained_folder(profile) / "answers.json").read_text(encoding="utf-8"))
    found = {}
    for key, texts in kept.items():
        arm, seed, artist, kind, language = key.split("/")
        found[arm, int(seed), artist, kind, language] = texts
    return found


def load_trained(arm: str = "with picture", profile: str | None = None) -> MultimodalGenerator:
    """The model of an arm with the first seed; trains all if they are not kept.

    Raises:
        ValueError: an unknown arm.
    """
    if arm not in ARMS:
        raise ValueError(f"unknown arm {arm!r}; expected one of: {', '.join(ARMS)}")
    return keras.saving.load_model(_trained_folder(profile) / f"{arm}.keras")
