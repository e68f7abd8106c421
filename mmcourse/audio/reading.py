"""Sounds as arrays: read a WAV, FLAC, OGG, Opus or MP3 file into the form that the models take (notebook 25).

A sound is a waveform, ``float32`` ``(samples,)`` in [-1, 1]: one channel, at a sample rate that the caller
knows. What a file declares is checked before memory is taken for it.
"""

import functools
import io
import struct
from math import gcd
from pathlib import Path

import numpy as np

from mmcourse.audio import kinds, mpeg

SAMPLE_RATE = 16_000
FORMATS = ("WAV", "WAVEX", "FLAC", "OGG", "MP3")
RATES = (1_000, 192_000)
MOST_SECONDS = 600
MOST_SAMPLES = 60_000_000  # of all channels together: ten minutes in stereo at 48,000 a second
MOST_CHANNELS = 16
MOST_BYTES = 250_000_000
BLOCK = 1 << 16
PIPE = 0x7FFF_0000  # a WAV file that declares so many bytes or more was written without knowing its length
LOUDEST = 8.0  # a mixing program may write floats a little above 1, never far above


class AudioError(ValueError):
    """A file that cannot be read as sound, or an array that is no sound; the message says what and why."""


def read(path: str | Path, sample_rate: int | None = SAMPLE_RATE) -> np.ndarray:
    """Read a WAV, FLAC, OGG, Opus or MP3 file into a waveform; see :func:`decode`.

    Raises:
        FileNotFoundError, IsADirectoryError, PermissionError: the file cannot be opened.
        AudioError: see :func:`decode`.
    """
    path = Path(path)
    with path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    return decode(content, sample_rate, name=str(path))


def decode(content: bytes, sample_rate: int | None = SAMPLE_RATE, name: str = "the sound") -> np.ndarray:
    """Decode the bytes of a sound file into a waveform.

    Channels are averaged. Whole numbers of 8 to 32 bits are divided by their range, floats are taken as they
    are; what then lies outside [-1, 1] is cut off there. If the file has another rate than ``sample_rate``
    it is resampled, with a filter against aliasing.

    Args:
        content: the file's bytes.
        sample_rate: samples a second that are wanted; None keeps the file's own (see :func:`details`).
        name: what messages call the file.

    A WAV file from a pipe, whose header does not know its length, and an MP3 file without a header are read
    to their end.

    Returns:
        ``float32`` ``(samples,)`` in [-1, 1].

    Raises:
        AudioError: the bytes are no such file, are cut short or damaged, hold no samples, samples that are
            not numbers, a sample rate outside 1,000 to 192,000, or more than ten minutes, 16 channels or 60
            million samples.
        ValueError: ``sample_rate`` is outside 1,000 to 192,000.
    """
    if sample_rate is not None:
        check_rate(sample_rate)
    with _opened(content, name) as file:
        # Block by block, so that the channels of a long file are never all in memory.
        waveform = np.empty(file.frames, dtype=np.float32)
        filled = 0
        while filled < file.frames:
            block = _block(file, name)
            if not len(block):
                raise AudioError(
                    f"{name} is cut short: it declares {file.frames:,} samples and holds {filled:,}"
                )
            waveform[filled : filled + len(block)] = block.mean(axis=1) if file.channels > 1 else block[:, 0]
            filled += len(block)
        rate = file.samplerate
    if not np.isfinite(waveform).all():
        raise AudioError(f"{name} holds samples that are not finite numbers")
    loudest = np.abs(waveform).max()
    if loudest > LOUDEST:
        raise AudioError(
            f"{name} has samples up to {loudest:,.0f}; expected floats in [-1, 1]. Divide them by their range"
        )
    if sample_rate is not None and sample_rate != rate:
        waveform = resample(waveform, rate, sample_rate)
    # A filter, and the decoder of a compressed file, may go a little beyond.
    return np.clip(waveform, -1, 1, out=waveform)


def details(content: bytes, name: str = "the sound") -> dict[str, int | float | str]:
    """What a sound file says of itself: "format", "coding", "sample_rate", "channels", "samples", "seconds".

    Raises:
        AudioError: as :func:`decode`, as far as it can be told without decoding.
    """
    with _opened(content, name) as file:
        return {
            "format": file.format,
            "coding": file.subtype,
            "sample_rate": file.samplerate,
            "channels": file.channels,
            "samples": file.frames,
            "seconds": file.frames / file.samplerate,
        }


def resample(waveform: np.ndarray, rate: int, new_rate: int) -> np.ndarray:
    """Bring a waveform to another sample rate; what the new rate cannot carry is filtered out first.

    Args:
        waveform: ``(samples,)``.
        rate, new_rate: samples a second before and after, whole numbers.

    Returns:
        ``float32`` ``(new_samples,)``; new_samples is samples · new_rate / rate, rounded up.

    Raises:
        AudioError: see :func:`check_waveform`.
        ValueError: a rate is no whole number above 0.
    """
    from scipy.signal import resample_poly

    waveform = check_waveform(waveform)
    for name, value in (("rate", rate), ("new_rate", new_rate)):
        if not isinstance(value, int | np.integer) or value < 1:
            raise ValueError(f"{name} must be a whole number of samples a second above 0, got {value!r}")
    common = gcd(int(rate), int(new_rate))
    if rate == new_rate:
        return waveform.copy()
    up, down = int(new_rate) // common, int(rate) // common
    return resample_poly(waveform, up, down, window=_resampling_filter(max(up, down)))


def encode(waveform: np.ndarray, sample_rate: int = SAMPLE_RATE, format: str = "WAV") -> bytes:
    """The bytes of a sound file: "WAV" (16 bits), "FLAC", "OGG" or "MP3"; what is beyond [-1, 1] is cut off.

    Raises:
        AudioError: see :func:`check_waveform`.
        ValueError: an unknown format, or a rate that the format does not have.
    """
    import soundfile

    if format not in FORMATS:
        raise ValueError(f"format must be one of {', '.join(FORMATS)}; got {format!r}")
    check_rate(sample_rate)
    file = io.BytesIO()
    try:
        soundfile.write(file, np.clip(check_waveform(waveform), -1, 1), sample_rate, format=format)
    except soundfile.LibsndfileError as error:
        raise ValueError(f"cannot write {format} at {sample_rate} samples a second: {error}") from error
    return file.getvalue()


def check_waveform(waveform: np.ndarray, name: str = "waveform") -> np.ndarray:
    """A waveform as ``float32`` ``(samples,)``; whole numbers are refused, since their range is not known.

    Raises:
        AudioError: not one axis, no samples, not floats, or samples that are not finite; names the argument.
    """
    waveform = np.asarray(waveform)
    if waveform.ndim != 1:
        raise AudioError(f"{name} must have one axis, (samples,); got the shape {waveform.shape}")
    return check_waveforms(waveform, name)


def check_waveforms(waveforms: np.ndarray, name: str = "waveform") -> np.ndarray:
    """One waveform or several of one length, ``float32`` ``(…, samples)``; otherwise as check_waveform."""
    waveforms = np.asarray(waveforms)
    if not np.issubdtype(waveforms.dtype, np.floating):
        raise AudioError(
            f"{name} must hold floats in [-1, 1], got {waveforms.dtype}. Divide whole numbers by their range"
        )
    if waveforms.ndim == 0 or waveforms.size == 0:
        raise AudioError(f"{name} must hold at least one sample, got the shape {waveforms.shape}")
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite and is refused
        waveforms = waveforms.astype(np.float32, copy=False)
    if not np.isfinite(waveforms).all():
        raise AudioError(f"{name} holds samples that are not finite numbers (NaN or infinity)")
    return waveforms


def check_rate(sample_rate: int) -> None:
    """Raise ValueError unless ``sample_rate`` is a whole number of samples a second, 1,000 to 192,000."""
    least, most = RATES
    if not isinstance(sample_rate, int | np.integer) or not least <= sample_rate <= most:
        raise ValueError(
            f"sample_rate must be a whole number from {least:,} to {most:,} samples a second, "
            f"got {sample_rate!r}"
        )


@functools.lru_cache(maxsize=32)
def _resampling_filter(factor: int) -> np.ndarray:
    """The filter that resample_poly makes by itself, kept: making it takes longer than a short sound does."""
    from scipy.signal import firwin

    return firwin(20 * factor + 1, 1 / factor, window=("kaiser", 5.0)).astype(np.float32)


def _opened(content: bytes, name: str):
    """The open file, once what it declares is known to be in bounds."""
    import soundfile

    if len(content) > MOST_BYTES:
        raise AudioError(f"{name} has more than {MOST_BYTES:,} bytes; cut it into pieces")
    content = _whole(content, name)
    try:
        file = soundfile.SoundFile(io.BytesIO(content))
    except (soundfile.LibsndfileError, TypeError) as error:  # TypeError: headerless kinds want more arguments
        raise AudioError(kinds.describe(content, name)) from error
    try:
        _check_declared(file, name)
    except AudioError:
        file.close()
        raise
    return file


def _check_declared(file, name: str) -> None:
    least, most = RATES
    if file.format not in FORMATS:
        advice = kinds.fill(kinds.CONVERT, name)
        raise AudioError(f"{name} is of the kind {file.format}; {kinds.EXPECTED}. {advice}")
    if not least <= file.samplerate <= most:
        raise AudioError(
            f"{name} declares {file.samplerate:,} samples a second; expected {least:,} to {most:,}"
        )
    if not 1 <= file.channels <= MOST_CHANNELS:
        raise AudioError(f"{name} declares {file.channels} channels; expected 1 to {MOST_CHANNELS}")
    if file.frames < 1:
        raise AudioError(f"{name} holds no samples")
    seconds = file.frames / file.samplerate
    if seconds > MOST_SECONDS or file.frames * file.channels > MOST_SAMPLES:
        raise AudioError(
            f"{name} declares {seconds:,.0f} seconds, {file.frames * file.channels:,} samples; at most "
            f"{MOST_SECONDS} seconds and {MOST_SAMPLES:,} samples are accepted. Cut it into pieces"
        )


def _block(file, name: str) -> np.ndarray:
    """The next samples ``(samples, channels)``."""
    import soundfile

    try:
        return file.read(BLOCK, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        problem = error.error_string
        raise AudioError(f"{name} is damaged or cut short: {problem} {kinds.AGAIN}") from error


def _whole(content: bytes, name: str) -> bytes:
    """The file as a decoder reads it to its end; the decoder would not tell when something is missing."""
    if content[:4] == b"RIFF" and content[8:12] == b"WAVE":
        return _whole_wav(content, name)
    if content[:4] == b"OggS":
        _check_ogg(content, name)
    elif content[:4] != b"fLaC" and (found := mpeg.count_frames(content)):  # noise can look like frames
        return _whole_mp3(content, found, name)
    return content


def _whole_wav(content: bytes, name: str) -> bytes:
    """A WAV file whose header declares the true length, also where a pipe could not know it."""
    place, width = 12, 1
    while place + 8 <= len(content):
        kind, size = struct.unpack_from("<4sI", content, place)
        place += 8
        if kind == b"fmt " and place + 14 <= len(content):
            width = max(1, struct.unpack_from("<H", content, place + 12)[0])
        if kind == b"data":
            held = len(content) - place
            is_unknown = size >= PIPE or (size == 0 and held > 0 and not _is_chunks(content, place))
            if is_unknown and held:
                held -= held % width
                lengths = [struct.pack("<I", value) for value in (place + held - 8, held)]
                return b"".join(
                    [
                        content[:4],
                        lengths[0],
                        content[8 : place - 4],
                        lengths[1],
                        content[place : place + held],
                    ]
                )
            if size > held:
                raise AudioError(
                    f"{name} is cut short: it declares {size:,} bytes of samples and holds {held:,}. "
                    f"{kinds.AGAIN}"
                )
            return content
        place += size + size % 2
    raise AudioError(f"{name} is a WAV file without samples: it is cut short or damaged. {kinds.AGAIN}")


def _is_chunks(content: bytes, place: int) -> bool:
    """Whether further chunks of a WAV file lie here and end where the file does."""
    while place + 8 <= len(content):
        kind, size = struct.unpack_from("<4sI", content, place)
        if not kind.rstrip(b" ").isalnum():
            return False
        place += 8 + size + size % 2
    return place == len(content)


def _whole_mp3(content: bytes, found: mpeg.Frames, name: str) -> bytes:
    """An MP3 file that declares how many frames it has."""
    if found.missing:
        raise AudioError(
            f"{name} is cut short: its last frame lacks {found.missing:,} bytes after {found.count:,} whole "
            f"ones. {kinds.AGAIN}"
        )
    if found.declared and found.count < found.declared:
        raise AudioError(
            f"{name} is cut short: it declares {found.declared:,} frames and holds {found.count:,}. "
            f"{kinds.AGAIN}"
        )
    if found.declared == found.count and content[found.first + 36 : found.first + 40] != b"VBRI":
        return content  # the decoder reads Xing's and LAME's header, and not Fraunhofer's
    return mpeg.with_header(content, found)


def _check_ogg(content: bytes, name: str) -> None:
    place, is_last = 0, False
    while content[place : place + 4] == b"OggS":  # page by page: the header ends in the sizes of its parts
        parts = content[place + 27 : place + 27 + content[place + 26]] if place + 27 <= len(content) else b""
        is_last = bool(parts) and bool(content[place + 5] & 4)
        place += 27 + len(parts) + sum(parts)
    if not is_last or place > len(content):
        raise AudioError(f"{name} is cut short: its last page does not end the stream. {kinds.AGAIN}")
