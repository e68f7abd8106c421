"""The process that calls the library espeak-ng; run by :mod:`mmcourse.audio.synthesis`, never imported.

It is a process of its own for two reasons. A crash inside the library cannot take the reader's notebook
with it. And the library keeps a state from phrase to phrase, so that the same phrase sounds a little
different each time; here it is loaded anew for every phrase, which makes the samples depend on nothing but
the phrase.

Only the standard library is imported: starting takes a few hundredths of a second.

    python _speaker.py LIBRARY DATA MOST_SAMPLES  <  phrases as JSON  >  sounds

For each phrase it writes four bytes, the number of samples, and then the samples as 16-bit integers.
"""

import _ctypes
import ctypes
import json
import struct
import sys

RETRIEVE, DONT_EXIT = 2, 0x8000  # give the samples to us; do not end the process when files are missing
UTF8 = 1
RATE_PARAMETER, PITCH_PARAMETER = 1, 3
SEED = 1
ON_SAMPLES = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)


def speak(library: str, data: str, most_samples: int, phrase: dict) -> bytes:
    """The 16-bit samples of one phrase: a mapping with "text", "voice", "speed" and "pitch"."""
    pieces, found = [], 0

    def on_samples(address, count, _events) -> int:
        nonlocal found
        if address and count > 0:
            found += count
            pieces.append(ctypes.string_at(address, 2 * count))
        return int(found > most_samples)  # 1: stop

    engine = ctypes.CDLL(library)
    try:
        callback = ON_SAMPLES(on_samples)  # kept alive as long as the library may call it
        rate = engine.espeak_Initialize(RETRIEVE, 0, data.encode(), DONT_EXIT)
        if rate != 22_050:
            raise RuntimeError(f"espeak-ng could not be started (it answers {rate})")
        engine.espeak_SetSynthCallback(callback)
        engine.espeak_ng_SetRandSeed(ctypes.c_long(SEED))
        if engine.espeak_SetVoiceByName(phrase["voice"].encode()) != 0:
            raise RuntimeError(f"espeak-ng has no voice {phrase['voice']!r}")
        engine.espeak_SetParameter(RATE_PARAMETER, phrase["speed"], 0)
        engine.espeak_SetParameter(PITCH_PARAMETER, phrase["pitch"], 0)
        text = ctypes.create_string_buffer(phrase["text"].encode())
        problem = engine.espeak_Synth(text, ctypes.c_size_t(len(text)), 0, 0, 0, UTF8, None, None)
        engine.espeak_Synchronize()
        if problem:
            raise RuntimeError(f"espeak-ng could not speak {phrase['text']!r} (it answers {problem})")
        engine.espeak_Terminate()
    finally:
        unload(engine)
    if found > most_samples:
        raise RuntimeError(f"a phrase gives more than {most_samples:,} samples; make it shorter")
    return b"".join(pieces)


def unload(engine: ctypes.CDLL) -> None:
    """Let go of the library, so that the next phrase finds it as new."""
    if sys.platform == "win32":
        _ctypes.FreeLibrary(engine._handle)
    else:
        _ctypes.dlclose(engine._handle)


def main() -> None:
    """Speak the phrases on the standard input."""
    library, data, most_samples = sys.argv[1:]
    for phrase in json.load(sys.stdin):
        try:
            samples = speak(library, data, int(most_samples), phrase)
        except (RuntimeError, OSError) as error:
            sys.exit(f"{error}")
        sys.stdout.buffer.write(struct.pack("<I", len(samples) // 2) + samples)


if __name__ == "__main__":
    main()
