"""The command: the answer alone on stdout, one line on stderr for a mistake, an exit status for scripts."""

import errno
import importlib
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import soundfile
from PIL import Image

from mmcourse import __version__, cli, image, store, trained
from mmcourse.audio import SYNTHETIC_RATE, synthesise
from mmcourse.cli import main
from mmcourse.data import archives, emoji
from mmcourse.data.emoji import SPLITS, EmojiPictures, Entry
from mmcourse.encoders import word_vectors
from mmcourse.encoders.grid import GridEncoder
from mmcourse.encoders.image import ImageEncoder
from mmcourse.generator import naming, naming_scores, scene_scores, scenes, spoken_scenes, spoken_scores
from mmcourse.generator.model import MultimodalGenerator, Settings
from mmcourse.text import END, SPECIAL_TOKENS, tokenise

SIZE, SCENE = emoji.PICTURE_SIZE, 96
COMMAND = [sys.executable, "-m", "mmcourse.cli"]
KNOWN_PROMPTS = [wording for wordings in naming.PROMPTS.values() for wording in wordings]


@pytest.fixture(autouse=True)
def restored(monkeypatch):
    """The profile by default; and never a training by mistake."""
    monkeypatch.delenv("MMCOURSE_PROFILE", raising=False)
    monkeypatch.setattr(naming, "train", lambda *arguments: pytest.fail("a test started a training"))


@pytest.fixture(scope="module")
def tiny() -> MultimodalGenerator:
    """Answers nonsense that depends on the picture and on the prompt."""
    return nonsense(ImageEncoder(SIZE, (4, 8, 8), 16, name="image_encoder"))


@pytest.fixture(scope="module")
def tiny_naming() -> MultimodalGenerator:
    """Answers nonsense, with the encoder of the naming model."""
    return nonsense(GridEncoder(SIZE, (4, 8, 8), 16, name="image_encoder"))


def nonsense(encoder: keras.layers.Layer) -> MultimodalGenerator:
    """An untrained model that knows the prompts."""
    keras.config.set_dtype_policy("float32")
    tokens = sorted({token for prompt in KNOWN_PROMPTS for token in tokenise(prompt)} | set("abcdefgh猫狗"))
    longest = max(len(tokenise(prompt)) for prompt in KNOWN_PROMPTS)
    settings = Settings(width=16, heads=2, depth=1, hidden=16, prompt_length=longest, answer_length=5)
    model = MultimodalGenerator({"image": encoder}, tokens, settings)
    model.build()
    random = np.random.default_rng(0)
    for variable in model.trainable_variables:
        scale = 4.0 if "image_encoder" in variable.path else 0.7
        variable.assign(random.normal(scale=scale, size=variable.shape))
    bias = np.zeros(len(model.vocabulary))
    bias[: len(SPECIAL_TOKENS)] = -50.0
    bias[SPECIAL_TOKENS.index(END)] = 0.0
    model.to_logits.bias.assign(bias)
    return model


@pytest.fixture(scope="module")
def seeing() -> MultimodalGenerator:
    """Answers nonsense about scenes."""
    keras.config.set_dtype_policy("float32")
    size = scenes.Configuration(channels=(4, 4, 4, 4), width=16, heads=2, depth=1, hidden=16)
    return scenes.build(size).generator


@pytest.fixture
def asked(seeing, monkeypatch) -> list:
    """The tiny models in the place of the trained ones; the profiles that were asked for."""
    profiles: list = []
    ear = spoken_scenes.Configuration(depth=0, heads=2, hidden=8)
    models = {scenes: seeing, spoken_scenes: spoken_scenes.with_ear(seeing, ear)}
    for module, model in models.items():
        load = lambda profile=None, model=model: profiles.append(profile) or model  # noqa: E731
        monkeypatch.setattr(module, "load_trained", load)
    return profiles


@pytest.fixture
def loaded(tiny, monkeypatch) -> list:
    """The tiny model in the place of the trained one; the profiles that were asked for."""
    profiles: list = []

    def load_trained(profile=None):
        profiles.append(profile)
        return tiny

    monkeypatch.setattr(naming, "load_trained", load_trained)
    return profiles


def noise(seed: int = 0) -> Image.Image:
    values = np.random.default_rng(seed).integers(0, 256, (6, 8, 3)).astype("uint8")
    return Image.fromarray(values).resize((201, 150), Image.Resampling.NEAREST)


@pytest.fixture
def picture(tmp_path) -> Path:
    path = tmp_path / "picture.png"
    noise().save(path)
    return path


def assert_one_line_error(shown, *words: str) -> str:
    """One line on stderr that says what was wrong; nothing on stdout."""
    assert shown.out == ""
    lines = shown.err.splitlines()
    assert len(lines) == 1, shown.err
    assert lines[0].startswith("mmcourse: error: ")
    assert len(lines[0]) < 600
    for word in words:
        assert word in lines[0]
    return lines[0]


# Ask


def test_ask_prints_the_answer_and_nothing_else(seeing, asked, picture, capsys):
    expected = seeing.generate({"image": image.read(picture, SCENE)[None]}, "how many cats are there")
    capsys.readouterr()
    assert main(["ask", str(picture), "How many cats are there?", "--profile", "gpu"]) == 0
    shown = capsys.readouterr()
    assert shown.out == expected[0] + "\n" and shown.err == ""
    assert asked == ["gpu"]


def test_a_library_is_hidden_only_for_a_while_and_only_if_it_is_not_there_yet(monkeypatch):
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    with cli._without("colorsys", "json"):
        with pytest.raises(ImportError):
            importlib.import_module("colorsys")
        assert importlib.import_module("json") is json
    assert importlib.import_module("colorsys").rgb_to_hsv(0, 0, 0) == (0.0, 0.0, 0)
    assert importlib.import_module("json") is json


def test_asking_needs_neither_scikit_learn_nor_matplotlib(picture, tmp_path):
    # A sound shorter than one frame is refused where all is imported and no model is loaded yet.
    soundfile.write(tmp_path / "question.wav", np.full(160, 0.1), 16_000)
    command = ["ask", str(picture), "--speech", str(tmp_path / "question.wav")]
    script = (
        "import sys; from mmcourse import cli\n"
        f"assert cli.main({command}) == 1\n"
        "print(sorted({'sklearn', 'matplotlib', 'keras'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "['keras']"


def test_ask_by_voice(asked, picture, tmp_path, capsys):
    question = synthesise("where is the cat")
    soundfile.write(tmp_path / "question.wav", question, SYNTHETIC_RATE)
    assert main(["ask", str(picture), "--speech", str(tmp_path / "question.wav")]) == 0
    shown = capsys.readouterr()
    assert shown.out.endswith("\n") and shown.err == ""


def test_ask_about_a_folder(seeing, asked, tmp_path, capsys):
    for number in range(3):
        noise(number).save(tmp_path / f"{number}.png")
    (tmp_path / "1a.png").write_text("no picture")
    (tmp_path / "inner").mkdir()
    assert main(["ask", str(tmp_path), "图里有什么"]) == 0
    shown = capsys.readouterr()
    lines = [json.loads(line) for line in shown.out.splitlines()]
    assert [line["picture"] for line in lines] == ["0.png", "1.png", "1a.png", "2.png"]
    assert "1a.png" in lines[2]["error"] and "answer" not in lines[2]
    pictures = np.stack([image.read(tmp_path / f"{number}.png", SCENE) for number in range(3)])
    expected = seeing.generate({"image": pictures}, "图里有什么")
    assert [line["answer"] for line in lines if "answer" in line] == expected
    assert "4/4" in shown.err


@pytest.mark.parametrize(
    ("question", "words"),
    [("where is the zeppelin", ["zeppelin", "never seen"]), (" ", ["prompt is empty"])],
)
def test_a_question_that_it_cannot_read_is_refused(asked, picture, capsys, question, words):
    assert main(["ask", str(picture), question]) == 1
    assert_one_line_error(capsys.readouterr(), *words)


def test_what_ask_cannot_open_is_refused(asked, picture, tmp_path, capsys):
    for arguments in (
        ["ask", str(tmp_path / "missing.png"), "what do you see"],
        ["ask", str(picture), "--speech", str(tmp_path / "missing.wav")],
        ["ask", str(picture), "--speech", str(picture)],
    ):
        assert main(arguments) == 1
        assert_one_line_error(capsys.readouterr())
    (tmp_path / "empty").mkdir()
    assert main(["ask", str(tmp_path / "empty"), "what do you see"]) == 1
    assert_one_line_error(capsys.readouterr(), "no file in the folder")
    assert asked == []  # mistakes are told before a model is loaded


# Generate


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("picture.png", {}),
        ("picture.jpg", {"quality": 90}),
        ("picture.webp", {"lossless": True}),
        ("picture", {"format": "PNG"}),
    ],
)
def test_generate_prints_the_answer_and_nothing_else(tiny, loaded, tmp_path, capsys, name, options):
    path = tmp_path / name
    noise().save(path, **options)
    expected = tiny.generate({"image": image.read(path, SIZE)[None]}, "name it in English")
    capsys.readouterr()
    assert main(["generate", str(path)]) == 0
    shown = capsys.readouterr()
    assert shown.out == expected[0] + "\n" and shown.err == ""


def test_generate_depends_on_picture_and_prompt(loaded, tmp_path, capsys):
    answers = set()
    for seed in range(4):
        noise(seed).save(tmp_path / "picture.png")
        for prompt in ("what is this", "用中文说"):
            assert main(["generate", str(tmp_path / "picture.png"), "--prompt", prompt]) == 0
            answers.add((prompt, capsys.readouterr().out))
    assert len(answers) > 4
    assert len({answer for _, answer in answers}) > 2


@pytest.mark.parametrize(
    "text", ["\U0001f600", "\u2764\ufe0f", "\u2764", "1\ufe0f\u20e3", "\U0001f469\U0001f3fd\u200d\U0001f680"]
)
def test_generate_with_an_emoji(tiny, loaded, capsys, text):
    expected = tiny.generate({"image": emoji.picture_of(text, SIZE)[None]}, "name it in English")
    assert main(["generate", text]) == 0
    assert capsys.readouterr().out == expected[0] + "\n"


def test_a_file_named_as_an_emoji_is_a_file(tiny, loaded, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    noise().save("\U0001f600", format="PNG")
    expected = tiny.generate({"image": image.read("\U0001f600", SIZE)[None]}, "name it in English")
    assert main(["generate", "\U0001f600"]) == 0
    assert capsys.readouterr().out == expected[0] + "\n"


@pytest.mark.parametrize("prompt", ["What is this?", "WHAT IS THIS", "  what  is this !"])
def test_prompts_are_brought_to_the_known_form(tiny, loaded, picture, capsys, prompt):
    expected = tiny.generate({"image": image.read(picture, SIZE)[None]}, "what is this")
    assert main(["generate", str(picture), "--prompt", prompt]) == 0
    assert capsys.readouterr().out == expected[0] + "\n"


@pytest.mark.parametrize("profile", ["cpu", "gpu"])
def test_profile_is_passed_on(loaded, picture, profile):
    assert main(["generate", str(picture), "--profile", profile]) == 0
    assert loaded == [profile]


# Generate: what is no picture


def make_missing(folder: Path) -> Path:
    return folder / "missing.png"


def make_folder(folder: Path) -> Path:
    return folder


def make_text(folder: Path) -> Path:
    (folder / "text.png").write_text("no picture")
    return folder / "text.png"


def make_empty(folder: Path) -> Path:
    (folder / "empty.png").touch()
    return folder / "empty.png"


def make_cut(folder: Path) -> Path:
    content = io.BytesIO()
    noise().save(content, format="PNG")
    (folder / "cut.png").write_bytes(content.getvalue()[:-300])
    return folder / "cut.png"


def make_gif(folder: Path) -> Path:
    noise().save(folder / "other.gif")
    return folder / "other.gif"


def make_file_in_a_file(folder: Path) -> Path:
    return make_text(folder) / "picture.png"


def make_dangling_link(folder: Path) -> Path:
    (folder / "link.png").symlink_to(folder / "nowhere.png")
    return folder / "link.png"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (make_missing, "neither a file nor an emoji"),
        (make_folder, "Is a directory"),
        (make_text, "not a picture"),
        (make_empty, "not a picture"),
        (make_cut, "damaged or cut short"),
        (make_gif, "is a GIF picture"),
        (make_file_in_a_file, "neither a file nor an emoji"),
        (make_dangling_link, "neither a file nor an emoji"),
    ],
    ids=lambda value: value.__name__[5:] if callable(value) else "",
)
def test_what_is_no_picture_is_refused_before_the_model_is_loaded(loaded, tmp_path, capsys, make, words):
    path = make(tmp_path)
    assert main(["generate", str(path)]) == 1
    assert_one_line_error(capsys.readouterr(), words, str(path)[:60])
    assert loaded == []


@pytest.mark.parametrize(
    "name",
    [
        "nothing",
        "a\0b.png",
        "\0",
        "x" * 5000,
        "y/" * 3000,
        "\U0001f600\U0001f600",
        "\ue000",
        "\U0001f9ff?",
        "猫",
        "\udcff",
    ],
    ids=[
        "word",
        "null",
        "only null",
        "long",
        "deep",
        "two",
        "private",
        "emoji and more",
        "word zh",
        "no text",
    ],
)
def test_names_of_nothing_are_refused(loaded, capsys, name):
    assert main(["generate", name]) == 1
    assert_one_line_error(capsys.readouterr(), "neither a file nor an emoji")
    assert loaded == []


def test_the_empty_name_is_refused(loaded, capsys):
    assert main(["generate", ""]) == 1
    assert_one_line_error(capsys.readouterr())


def test_a_name_with_a_line_break_is_told_on_one_line(loaded, tmp_path, capsys):
    path = tmp_path / "a\nb.png"
    path.write_text("no picture")
    assert main(["generate", str(path)]) == 1
    assert_one_line_error(capsys.readouterr(), "b.png")


def test_a_forbidden_file_is_named(loaded, picture, monkeypatch, capsys):
    def forbid(path):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(Path, "read_bytes", forbid)
    assert main(["generate", str(picture)]) == 1
    assert_one_line_error(capsys.readouterr(), "Permission denied", str(picture))


# Generate: what is no prompt


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("?", "empty"),
        ("nomme-le en français", "français"),
        ("назови это по-русски", "назови"),
        ("これは何ですか", "何"),
        ("what is that", "that"),
        ("what is this " * 4000, "tokens"),
        ("blah " * 4000, "blah"),
        ("b" * 100_000, "never seen"),
        ("what\0is", "never seen"),
        ("<unknown>", "never seen"),
        ("<pad>", "never seen"),
    ],
    ids=lambda value: value[:12],
)
def test_prompts_that_it_does_not_know_are_refused_with_those_it_knows(
    loaded, picture, capsys, prompt, words
):
    assert main(["generate", str(picture), "--prompt", prompt]) == 1
    line = assert_one_line_error(capsys.readouterr(), words)
    for known in KNOWN_PROMPTS:
        assert known in line


# Evaluate


@pytest.fixture
def scored(monkeypatch) -> EmojiPictures:
    """Small pictures, and a model that names them rightly in English only."""
    total = 6 * len(SPLITS)
    entries = tuple(
        Entry(chr(0x1F600 + i), {"en": f"thing {i}", "zh": f"东西{i}"}, "", (), "", "", i % 2 == 0)
        for i in range(total)
    )
    images = np.random.default_rng(0).integers(0, 255, (total, SIZE, SIZE, 3)).astype("uint8")
    splits = {split: np.arange(6 * place, 6 * place + 6) for place, split in enumerate(SPLITS)}
    kinds = tuple(naming_scores.KINDS[i % 3] for i in range(total))
    pictures = EmojiPictures(images, entries, ("twemoji",) * total, splits, kinds, size=SIZE)
    names = {one.tobytes(): entry.names["en"] for one, entry in zip(images, entries, strict=True)}

    class Knower:
        def generate(self, inputs, prompts):
            return [names.get(one.tobytes(), "") for one in inputs["image"]]

    monkeypatch.setattr(naming, "load_trained", lambda profile=None: Knower())
    monkeypatch.setattr(emoji, "load", lambda size: pictures)
    one = {"describe": {"en": {"exact": 0.5, "interval": [0.2, 0.8], "questions": 8}}}
    monkeypatch.setattr(scenes, "load_trained", lambda profile=None: None)
    monkeypatch.setattr(scene_scores, "evaluate", lambda model: {"seen": one, "informed_guess": one})
    monkeypatch.setattr(spoken_scores, "evaluate", lambda profile: {"unseen_voices": one})
    return pictures


def test_evaluate_prints_one_json_object(scored, capsys):
    assert main(["evaluate", "--json"]) == 0
    shown = capsys.readouterr()
    assert shown.err == "" and shown.out.count("\n") == 1
    results = json.loads(shown.out)
    for split in ("unseen_composition", "unseen_artist", "unseen_concept"):
        for language, right in (("en", 1.0), ("zh", 0.0)):
            assert results[split][language]["exact"] == right
            assert 0.0 <= results[split][language]["token_recall"] <= 1.0
    for control, right in (("shuffled_images", 0.0), ("blank_image", 0.0), ("swapped_prompt", 1.0)):
        assert results["controls"][control]["en"]["exact"] == right
    for split in ("seen", "informed_guess", "unseen_voices"):
        assert results["scenes"][split]["describe"]["en"]["exact"] == 0.5


def test_evaluate_prints_a_line_a_score(scored, capsys):
    assert main(["evaluate"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 26 + 3
    assert "scenes / unseen_voices / describe / en" in lines[-1] and "(8 questions)" in lines[-1]
    (line,) = (line for line in lines if line.startswith("unseen_composition / en "))
    assert line.split() == "unseen_composition / en exact 1.000 token recall 1.000 (6 pictures)".split()
    assert len({line.index("exact") for line in lines}) == 1


# Train, fetch, and the command as a whole


def test_train_makes_all_or_what_is_named_and_says_where(monkeypatch, capsys):
    asked = []
    catalogue = {name: lambda profile, name=name: asked.append((name, profile)) for name in ("one", "two")}
    monkeypatch.setattr(trained, "CATALOGUE", catalogue)
    monkeypatch.setattr(os, "cpu_count", lambda: 1)  # with more, other processes make them
    assert main(["train"]) == 0
    assert capsys.readouterr().out == f"The trained models are in {store.cache_folder() / 'models'}\n"
    assert main(["train", "two", "--profile", "gpu"]) == 0
    monkeypatch.setenv("MMCOURSE_PROFILE", "gpu")
    assert main(["train", "one"]) == 0
    assert asked == [("one", "cpu"), ("two", "cpu"), ("two", "gpu"), ("one", "gpu")]
    capsys.readouterr()
    assert main(["train", "three"]) == 1
    assert_one_line_error(capsys.readouterr(), "'three'", "one, two")


def test_the_catalogue_holds_every_shared_model():
    vectors = {f"word-vectors-{name}" for name in word_vectors.CONFIGURATIONS}
    assert vectors | {"naming", "features-kinds", "features-reviews"} <= set(trained.CATALOGUE)


def test_tidy_says_what_it_frees(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("MMCOURSE_DATA", str(tmp_path))
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "naming-cpu-0123456789abcdef").mkdir()
    (tmp_path / "models" / "naming-cpu-0123456789abcdef" / "model.keras").write_bytes(bytes(2_000_000))
    assert main(["tidy"]) == 0
    out = capsys.readouterr().out
    assert out == f"removed naming-cpu-0123456789abcdef\n1 removed, 2.0 MB freed in {tmp_path}\n"
    assert main(["tidy"]) == 0
    assert capsys.readouterr().out == f"0 removed, 0.0 MB freed in {tmp_path}\n"


def test_a_backend_that_is_not_installed_is_named_in_one_line(tmp_path, picture):
    """``KERAS_BACKEND=jax`` without JAX: which backends are there, and how to get this one."""
    (tmp_path / "jax.py").write_text("raise ModuleNotFoundError('No module named jax', name='jax')")
    environment = os.environ | {"KERAS_BACKEND": "jax", "PYTHONPATH": str(tmp_path)}
    found = subprocess.run(
        [*COMMAND, "generate", str(picture)], env=environment, capture_output=True, text=True, timeout=120
    )
    assert found.returncode == 1 and found.stdout == ""
    (line,) = found.stderr.splitlines()
    assert "KERAS_BACKEND is 'jax', but jax is not installed; here are: tensorflow" in line
    assert "pip install jax" in line


@pytest.mark.parametrize("arguments", [["train"], ["evaluate"], ["generate", "\U0001f600"]])
def test_unknown_profile_of_the_environment(monkeypatch, capsys, arguments):
    monkeypatch.setenv("MMCOURSE_PROFILE", "tpu")
    assert main(arguments) == 1
    assert_one_line_error(capsys.readouterr(), "'tpu'", "cpu, gpu")


def test_fetch_with_an_unknown_name(capsys):
    assert main(["fetch", "nonsense"]) == 1
    assert_one_line_error(capsys.readouterr(), "'nonsense'", "twemoji", "emoji-names")


def test_fetch_passes_the_names_on(monkeypatch):
    asked = []
    monkeypatch.setattr(archives, "fetch", asked.append)
    assert main(["fetch"]) == 0
    assert main(["fetch", "twemoji", "openmoji"]) == 0
    assert asked == [None, ["twemoji", "openmoji"]]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "COMMAND"),
        (["sing"], "sing"),
        (["generate"], "PICTURE"),
        (["generate", "one", "two"], "two"),
        (["generate", "one", "--profile", "tpu"], "tpu"),
        (["train", "--profile"], "--profile"),
        (["evaluate", "--xml"], "--xml"),
    ],
)
def test_a_command_that_makes_no_sense_ends_with_2(capsys, arguments, words):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    shown = capsys.readouterr()
    assert shown.out == "" and shown.err.startswith("usage: mmcourse")
    assert words in shown.err.splitlines()[-1]


@pytest.mark.parametrize(("option", "words"), [("--help", "generate"), ("--version", __version__)])
def test_help_and_version_end_with_0(capsys, option, words):
    with pytest.raises(SystemExit) as caught:
        main([option])
    assert caught.value.code == 0
    assert words in capsys.readouterr().out


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (ValueError("first line\n  second line"), 1, "first line second line"),
        (store.StorageError("cannot write to /here"), 1, "/here"),
        (archives.FetchError("no network\nfrom pip: no"), 1, "no network"),
        (OSError(errno.ENOSPC, "No space left on device"), 1, "No space left on device"),
        (OSError(errno.EACCES, "Permission denied", "/here"), 1, "Permission denied: /here"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_errors_become_one_line(picture, monkeypatch, capsys, error, status, words):
    def fail(profile=None):
        raise error

    monkeypatch.setattr(naming, "load_trained", fail)
    assert main(["generate", str(picture)]) == status
    assert "None" not in assert_one_line_error(capsys.readouterr(), words)


@pytest.mark.parametrize("arguments", [["train", "naming"], ["evaluate"], ["generate", "\U0001f600"]])
def test_an_interruption_ends_with_130(monkeypatch, capsys, arguments):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(naming, "load_trained", interrupt)
    monkeypatch.setattr(naming, "trained_folder", interrupt)
    assert main(arguments) == 130
    shown = capsys.readouterr()
    assert shown.out == ""
    assert len(shown.err.splitlines()) == 1 and "interrupted" in shown.err


# A cache of its own, with the tiny model in the place where the trained one is looked for


@pytest.fixture
def cache_with_tiny_model(tiny_naming, tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("MMCOURSE_DATA", str(tmp_path / "cache"))

    def train(configuration, folder):
        folder.mkdir(parents=True)
        return tiny_naming, [{"loss": 1.0}]

    with monkeypatch.context() as patch:
        patch.setattr(naming, "train", train)
        return naming.trained_folder(naming.CONFIGURATIONS["cpu"])


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-500])


def garble(path: Path) -> None:
    """The file stays a zip file; what it holds is no longer what was written."""
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 64] = bytes(255 - byte for byte in content[middle : middle + 64])
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [cut, garble])
def test_a_damaged_model_is_told_without_a_traceback(cache_with_tiny_model, picture, capsys, damage):
    damage(cache_with_tiny_model / "model.keras")
    capsys.readouterr()
    assert main(["generate", str(picture)]) == 1
    assert_one_line_error(capsys.readouterr(), str(cache_with_tiny_model))


def run(*arguments: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, encoding="utf-8", timeout=120, **options
    )


def test_real_command_prints_the_answer_alone(tiny_naming, cache_with_tiny_model, picture):
    expected = tiny_naming.generate({"image": image.read(picture, SIZE)[None]}, "用中文说")
    done = run("generate", str(picture), "--prompt", "用中文说。")
    assert done.returncode == 0, done.stderr
    assert done.stdout == expected[0] + "\n"
    assert "Traceback" not in done.stderr


def test_real_command_explains_a_mistake(tmp_path):
    done = run("generate", str(tmp_path / "missing.png"))
    assert done.returncode == 1 and done.stdout == ""
    assert len(done.stderr.splitlines()) == 1 and done.stderr.startswith("mmcourse: error: ")


def test_real_command_without_arguments():
    done = run()
    assert done.returncode == 2 and done.stdout == "" and "usage: mmcourse" in done.stderr


def test_mistakes_are_found_without_tensorflow(tmp_path):
    (tmp_path / "text.png").write_text("no picture")
    program = """
import sys
from mmcourse.audio import SYNTHETIC_RATE, synthesise
from mmcourse.cli import main
statuses = [main(["generate", name]) for name in sys.argv[1:]] + [main(["fetch", "nonsense"])]
print(statuses, "tensorflow" in sys.modules or "keras" in sys.modules)
"""
    names = [str(tmp_path / "missing.png"), str(tmp_path / "text.png")]
    done = subprocess.run([sys.executable, "-c", program, *names], capture_output=True, text=True, timeout=60)
    assert done.stdout == "[1, 1, 1] False\n", done.stderr


def test_the_command_is_installed():
    assert shutil.which("mmcourse", path=str(Path(sys.executable).parent))


# The model of the profile "cpu", which `make test` has trained by now


@pytest.fixture(scope="module")
def held_out(tmp_path_factory) -> list[tuple[Path, str]]:
    """Ten Twemoji pictures that no training has seen, as files of another size, with their names."""
    pictures = emoji.load(64)
    chosen = pictures.splits["unseen_composition"]
    folder = tmp_path_factory.mktemp("held-out")
    files = []
    for place in np.linspace(0, len(chosen) - 1, 10).round().astype(int):
        entry = pictures.entries[chosen[place]]
        path = folder / f"{place}.png"
        Image.fromarray(emoji.picture_of(entry.text, 201)).save(path)
        files.append((path, entry.names["en"]))
    return files


def test_trained_model_names_held_out_pictures(held_out):
    model = naming.load_trained("cpu")
    images = np.stack([image.read(path, emoji.PICTURE_SIZE) for path, _ in held_out])
    names = [name for _, name in held_out]
    answers = model.generate({"image": images}, naming.PROMPTS["en"][0])
    right = sum(answer == name for answer, name in zip(answers, names, strict=True))
    assert right >= 6, list(zip(answers, names, strict=True))


def test_the_real_command_answers_as_the_model_does(held_out):
    path, _ = held_out[0]
    done = subprocess.run(
        [*COMMAND, "generate", str(path), "--profile", "cpu"],
        capture_output=True,
        encoding="utf-8",
        timeout=180,
    )
    assert done.returncode == 0, done.stderr
    model = naming.load_trained("cpu")
    expected = model.generate({"image": image.read(path, emoji.PICTURE_SIZE)[None]}, "name it in English")
    assert done.stdout == expected[0] + "\n"


def test_an_emoji_is_asked_about_in_the_size_of_a_portrait():
    """Larger than any thing in training, one in four is taken for something else."""
    cat = cli._read_picture("\U0001f408", 96, 64)
    assert cat.shape == (96, 96, 3) and cat.dtype == np.uint8
    np.testing.assert_array_equal(cat[16:80, 16:80], emoji.picture_of("\U0001f408", 64))
    edge = np.ones((96, 96), bool)
    edge[16:80, 16:80] = False
    assert (cat[edge] == 255).all()
    np.testing.assert_array_equal(cli._read_picture("\U0001f408", 64), emoji.picture_of("\U0001f408", 64))


# Export


def test_export_writes_files_that_answer_the_same(tiny, loaded, tmp_path, capsys):
    from mmcourse.generator.exported import Exported

    assert main(["export", str(tmp_path / "for a page")]) == 0
    named = [line.split(" (")[0] for line in capsys.readouterr().out.splitlines()]
    assert sorted(named) == sorted(str(path) for path in (tmp_path / "for a page").iterdir())
    noise().save(tmp_path / "picture.png")
    pictures = image.read(tmp_path / "picture.png", SIZE)[None]
    exported = Exported(tmp_path / "for a page")
    for prompt in ("what is this", "用中文说"):
        assert exported.generate({"image": pictures}, prompt) == tiny.generate({"image": pictures}, prompt)


def test_export_refuses_a_file_before_it_loads_a_model(loaded, picture, capsys):
    assert main(["export", str(picture)]) == 1
    assert "expected a folder" in capsys.readouterr().err
    assert loaded == []
