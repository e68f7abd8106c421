"""Synthetic speech: phrases in English and Mandarin, spoken by the program espeak-ng (notebooks 25, 26).

No person speaks here. Whatever is made of these sounds - a figure, a player, a score - is called synthetic.
The library espeak-ng (GPL-3.0, inside the package ``espeakng-loader``) is loaded at run time in a process of
its own; see ``_speaker.py`` beside this module for why.
"""

import importlib.util
import json
import struct
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from mmcourse.audio.reading import AudioError

SYNTHETIC_RATE = 22_050
VARIANTS = ("", "+f1", "+f2", "+f3", "+f4", "+f5", "+m1", "+m2", "+m3", "+m4", "+m5", "+m6", "+m7")
ENGLISH_VOICES = tuple(f"en-us{variant}" for variant in VARIANTS)
MANDARIN_VOICES = tuple(f"cmn{variant}" for variant in VARIANTS)
VOICES = ENGLISH_VOICES + MANDARIN_VOICES
SPEEDS, PITCHES = (80, 450), (0, 99)
MOST_CHARACTERS = 1_000
MOST_SECONDS = 120
SECONDS_TO_WAIT = 60.0


@dataclass(frozen=True)
class Phrase:
    """What is to be said, and how.

    Attributes:
        text: English or Chinese, at most 1,000 characters.
        voice: one of :data:`VOICES`; its first part is the language, "+f1" … "+m7" change the speaker.
        speed: words a minute, 80 to 450.
        pitch: height of the voice, 0 to 99; 50 is the voice's own.

    Raises:
        AudioError: a field has a wrong value.
    """

    text: str
    voice: str = "en-us"
    speed: int = 175
    pitch: int = 50

    def __post_init__(self) -> None:
        if not isinstance(self.text, str) or not self.text.strip() or "\0" in self.text:
            raise AudioError(f"text must be a text that is not empty, got {self.text!r}")
        if len(self.text) > MOST_CHARACTERS:
            raise AudioError(
                f"text has {len(self.text):,} characters, at most {MOST_CHARACTERS:,} are spoken at a time"
            )
        # espeak-ng itself takes an unknown variant for no variant, and says nothing.
        if self.voice not in VOICES:
            raise AudioError(f"voice must be one of {', '.join(VOICES)}; got {self.voice!r}")
        for name, (least, most) in (("speed", SPEEDS), ("pitch", PITCHES)):
            value = getattr(self, name)
            if not isinstance(value, int | np.integer) or not least <= value <= most:
                raise AudioError(f"{name} must be a whole number from {least} to {most}, got {value!r}")


def synthesise(text: str, voice: str = "en-us", speed: int = 175, pitch: int = 50) -> np.ndarray:
    """Speak one phrase with a synthetic voice.

    The same phrase gives the same samples, whatever was spoken before.

    Args:
        text, voice, speed, pitch: see :class:`Phrase`.

    Returns:
        ``float32`` ``(samples,)`` in [-1, 1), :data:`SYNTHETIC_RATE` samples a second.

    Raises:
        AudioError: see :class:`Phrase`; also when the text has nothing that can be spoken.
        RuntimeError: espeak-ng is missing or fails.
    """
    return synthesise_many([Phrase(text, voice, speed, pitch)])[0]


def synthesise_many(phrases: Sequence[Phrase]) -> list[np.ndarray]:
    """Speak many phrases in one process, which saves starting one for each; see :func:`synthesise`."""
    if not phrases:
        return []
    folder = _package_folder()
    library = {"win32": "espeak-ng.dll", "darwin": "libespeak-ng.dylib"}.get(sys.platform, "libespeak-ng.so")
    command = [sys.executable, "-I", "-S", str(Path(__file__).with_name("_speaker.py"))]
    command += [str(folder / library), str(folder / "espeak-ng-data"), str(MOST_SECONDS * SYNTHETIC_RATE)]
    jobs = [{**asdict(phrase), "speed": int(phrase.speed), "pitch": int(phrase.pitch)} for phrase in phrases]
    try:
        done = subprocess.run(
            command,
            input=json.dumps(jobs).encode(),
            capture_output=True,
            timeout=SECONDS_TO_WAIT + len(jobs),
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise RuntimeError(f"espeak-ng did not finish {len(jobs)} phrases in {error.timeout:.0f} s") from None
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise RuntimeError(f"espeak-ng ended with {done.returncode}: {said[-1] if said else 'no message'}")
    return _sounds(done.stdout, phrases)


def _package_folder() -> Path:
    found = importlib.util.find_spec("espeakng_loader")
    if found is None or found.origin is None:
        raise RuntimeError("synthetic speech needs the package espeakng-loader: install it and try again")
    return Path(found.origin).parent


def _sounds(content: bytes, phrases: Sequence[Phrase]) -> list[np.ndarray]:
    """Split what the speaking process wrote into waveforms."""
    sounds, place = [], 0
    for phrase in phrases:
        try:
            (samples,) = struct.unpack_from("<I", content, place)
            integers = np.frombuffer(content, dtype="<i2", count=samples, offset=place + 4)
        except (struct.error, ValueError):
            raise RuntimeError(f"espeak-ng gave fewer sounds than {len(phrases)} phrases") from None
        if not integers.any():  # for "..." there is a short silence
            raise AudioError(f"there is nothing in {phrase.text!r} that can be spoken")
        sounds.append(integers.astype(np.float32) / 32_768)
        place += 4 + 2 * samples
    return sounds
