"""The command ``mmcourse``: fetch data, train, generate, ask, evaluate, export.

TensorFlow takes seconds to import, so a command imports what it needs when it runs.
"""

import argparse
import contextlib
import importlib.util
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from mmcourse import __version__, store
from mmcourse.data import archives


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return its exit status: 0, or 1 after an error that is explained on stderr."""
    parser = _parser()
    options = parser.parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # off by default on processors without AVX-512
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")  # or one process takes the whole card
    try:
        options.run(options)
    except (OSError, ValueError, RuntimeError) as error:
        print(f"mmcourse: error: {_explain(error)}", file=sys.stderr)
        return 1
    except ImportError as error:
        print(f"mmcourse: error: {_explain_import(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("mmcourse: interrupted; 'mmcourse train' goes on from what is finished", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mmcourse", description="The course's data and models, from the command line."
    )
    parser.add_argument("--version", action="version", version=f"mmcourse {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("fetch", help="fetch the course's data, or what is missing of it")
    command.add_argument("names", nargs="*", metavar="NAME", help="archives; all by default")
    command.set_defaults(run=_fetch)

    command = commands.add_parser("train", help="train the models that notebooks share, unless they are kept")
    command.add_argument("names", nargs="*", metavar="NAME", help="models or features; all by default")
    command.add_argument("--folder", help="your own pictures with captions.csv, Flickr8k or COCO, instead")
    _add_profile(command)
    command.set_defaults(run=_train)

    command = commands.add_parser(
        "tidy", help="remove models and arrays that older code has left, and say how much"
    )
    command.set_defaults(run=_tidy)

    command = commands.add_parser("generate", help="answer a prompt about a picture")
    command.add_argument("picture", metavar="PICTURE", help="a PNG, JPEG or WebP file, or an emoji")
    command.add_argument("--prompt", default="name it in English", help="default: %(default)s")
    command.add_argument("--folder", help="describe it with the model of your own pictures in this folder")
    _add_profile(command)
    command.set_defaults(run=_generate)

    command = commands.add_parser(
        "ask", help="ask about the picture of a scene, or all of a folder, in English or Chinese"
    )
    command.add_argument(
        "picture", metavar="PICTURE", help="a PNG, JPEG or WebP file, an emoji, or a folder of files"
    )
    asked = command.add_mutually_exclusive_group(required=True)
    asked.add_argument("question", nargs="?", metavar="QUESTION", help='such as "how many cats?"')
    asked.add_argument("--speech", metavar="FILE", help="a WAV, FLAC, OGG or MP3 file that asks")
    _add_profile(command)
    command.set_defaults(run=_ask)

    command = commands.add_parser("evaluate", help="score the model on pictures it has never seen")
    command.add_argument("--json", action="store_true", help="print one JSON object")
    _add_profile(command)
    command.set_defaults(run=_evaluate)

    command = commands.add_parser("export", help="write the model as ONNX files, for a page or a phone")
    command.add_argument("folder", metavar="FOLDER", help="made if it is not there")
    _add_profile(command)
    command.set_defaults(run=_export)
    return parser


def _add_profile(command: argparse.ArgumentParser) -> None:
    command.add_argument("--profile", choices=("cpu", "gpu"), help="default: $MMCOURSE_PROFILE or cpu")


def _fetch(options: argparse.Namespace) -> None:
    archives.fetch(options.names or None)


def _train(options: argparse.Namespace) -> None:
    if options.folder:
        _train_folder(options)
        return
    _import_trained()
    from mmcourse import trained
    from mmcourse.learning import training

    profile = training.choose_profile(options.profile).name
    trained.prepare(profile, options.names or None, initializer=_import_trained)
    print(f"The trained models are in {store.cache_folder() / 'models'}")


def _import_trained() -> None:
    """Import what trains, quietly; the first thing in each process that does."""
    with _silent_import():
        import mmcourse.trained  # noqa: F401


def _train_folder(options: argparse.Namespace) -> None:
    """Train on captioned pictures, and print the scores on their test part beside those of two rivals."""
    with _silent_import():
        from mmcourse.generator import captions

    data = captions.read_folder(options.folder)
    print("pictures: " + ", ".join(f"{len(data.split(name))} {name}" for name in data.splits))
    for name, scores in captions.evaluate(data, options.profile).items():
        told = [
            f"{score} {value:.1f} ({low:.1f} to {high:.1f})" for score, (value, low, high) in scores.items()
        ]
        print(f"{name:18}", "  ".join(told))


def _tidy(options: argparse.Namespace) -> None:
    removed, freed = store.tidy()
    for name in removed:
        print(f"removed {name}")
    print(f"{len(removed)} removed, {freed / 1e6:.1f} MB freed in {store.cache_folder()}")


def _generate(options: argparse.Namespace) -> None:
    if options.folder:
        with _silent_import():
            from mmcourse.generator import captions

        print(captions.describe_file(captions.read_folder(options.folder), options.picture, options.profile))
        return
    from mmcourse.data import emoji

    picture = _read_picture(options.picture, emoji.PICTURE_SIZE)  # before TensorFlow takes its seconds

    with _silent_import():
        from mmcourse.generator import naming

    model = naming.load_trained(options.profile)
    try:
        answers = model.generate({"image": picture[None]}, naming.clean_prompt(options.prompt))
    except ValueError as error:
        known = ", ".join(repr(wording) for wordings in naming.PROMPTS.values() for wording in wordings)
        raise ValueError(f"{error}. Prompts it was trained with: {known}") from error
    print(answers[0])


def _ask(options: argparse.Namespace) -> None:
    from mmcourse.data import scenes

    picture, files = None, []
    if _is_folder(options.picture):
        files = sorted(path for path in Path(options.picture).iterdir() if path.is_file())
        if not files:
            raise ValueError(f"there is no file in the folder {options.picture[:80]!r}")
    else:
        # A single thing is asked about as in training: not larger than a portrait.
        picture = _read_picture(options.picture, scenes.SIDE, scenes.PORTRAIT)
    sound = None
    if options.speech is not None:
        from mmcourse import audio

        sound = audio.read(options.speech)

    with _silent_import(), _without("sklearn", "matplotlib"):
        from mmcourse.generator import asking

    answerer = asking.Answerer(options.profile, options.question, sound)
    if picture is not None:
        print(answerer.answers([picture])[0])
        return
    from tqdm import tqdm

    for line in answerer.lines(tqdm(files, unit=" pictures", file=sys.stderr)):
        print(json.dumps(line, ensure_ascii=False), flush=True)


@contextlib.contextmanager
def _without(*libraries: str) -> Iterator[None]:
    """Let nothing find these libraries meanwhile.

    Keras imports them where they are, for wrappers and galleries of its own: a second and a half that a
    question has to wait.
    """
    hidden = [name for name in libraries if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: an ImportError
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


def _is_folder(name: str) -> bool:
    try:
        return Path(name).is_dir()
    except (OSError, ValueError):  # a name too long for the file system, or with a null character
        return False


def _read_picture(name: str, size: int, drawn: int | None = None):
    """The picture in a file, or that of an emoji, as :func:`mmcourse.image.read` gives it.

    An emoji fills the picture, or the ``drawn`` pixels in the middle of it.
    """
    import numpy as np

    from mmcourse import image
    from mmcourse.data import emoji

    path = Path(name)
    try:
        exists = path.exists()
    except (OSError, ValueError):  # a name too long for the file system, or with a null character
        exists = False
    if exists:
        return image.read(path, size)
    if not path.suffix and len(name) < 20:
        with contextlib.suppress(ValueError):
            edge = (size - (drawn or size)) // 2
            around = (edge, edge), (edge, edge), (0, 0)
            return np.pad(emoji.picture_of(name, size - 2 * edge), around, constant_values=255)
    raise FileNotFoundError(f"{name[:80]!r} is neither a file nor an emoji that Twemoji has drawn")


def _evaluate(options: argparse.Namespace) -> None:
    with _silent_import():
        from mmcourse.data import emoji
        from mmcourse.generator import (
            naming,
            naming_scores,
            scene_scores,
            scenes,
            spoken_scores,
        )

    model = naming.load_trained(options.profile)
    results = naming_scores.evaluate(model, emoji.load(emoji.PICTURE_SIZE))
    of_scenes = scene_scores.evaluate(scenes.load_trained(options.profile))
    of_scenes |= spoken_scores.evaluate(options.profile)
    if options.json:
        print(json.dumps(results | {"scenes": of_scenes}, ensure_ascii=False))
        return
    for label, scores in naming_scores.rows(results):
        print(
            f"{label:46} exact {scores['exact']:.3f}  token recall {scores['token_recall']:.3f}"
            f"  ({scores['pictures']} pictures)"
        )
    for label, scores in naming_scores.rows({"scenes": of_scenes}):
        print(f"{label:46} exact {scores['exact']:.3f}  ({scores['questions']} questions)")


def _export(options: argparse.Namespace) -> None:
    folder = Path(options.folder)
    if folder.exists() and not folder.is_dir():
        raise FileExistsError(f"{options.folder[:80]!r} is a file, expected a folder to write into")

    with _silent_import():
        from mmcourse.generator import naming
        from mmcourse.generator.export import export

    for path in export(naming.load_trained(options.profile), folder):
        print(f"{path} ({path.stat().st_size:,} bytes)")


@contextlib.contextmanager
def _silent_import():
    """Hide what TensorFlow writes while it is imported, before its log level takes effect.

    It writes to the file descriptor, past ``sys.stderr``. Exceptions come through as ever.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _explain_import(error: ImportError) -> str:
    """Which library is missing; if it is the backend that KERAS_BACKEND asks for, which others are there."""
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    if error.name not in (backend, "jaxlib"):
        return f"{error}. Set the environment up again with: make book"
    there = [name for name in ("tensorflow", "jax", "torch") if importlib.util.find_spec(name)]
    return (
        f"KERAS_BACKEND is {backend!r}, but {error.name} is not installed; here are: {', '.join(there)}. "
        f"Install it ({sys.executable} -m pip install {backend}), or unset KERAS_BACKEND"
    )


def _explain(error: Exception) -> str:
    """The error's own words; a missing or forbidden file says them with its name."""
    if isinstance(error, OSError) and error.strerror:
        text = error.strerror if error.filename is None else f"{error.strerror}: {error.filename}"
    else:
        text = str(error) or type(error).__name__
    return " ".join(text.split())  # one line, whatever the error holds


if __name__ == "__main__":
    sys.exit(main())
