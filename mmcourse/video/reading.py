"""Video files as clips, and clips as files (notebook 27).

Animated GIF, PNG and WebP go through Pillow; AVI, MP4, MOV, MKV and WebM through OpenCV. What a file is, is
told by its first bytes, not by its name: OpenCV would follow a playlist to other files and to the network.
The frames that decode are the clip; how many a file declares is only a hint, which files that were cut
without being encoded anew, and recordings of a screen, often get wrong. A file that ends before its own
parts do is refused.
"""

import io
import math
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from mmcourse.checks import check_count
from mmcourse.image import MAX_PIXELS
from mmcourse.video.frames import check_clip
from mmcourse.video.kinds import cut_short, describe

MAX_FRAMES = 10_000
MAX_BYTES = 512 * 2**20  # of the decoded frames that are kept
ANIMATIONS = {".gif": "GIF", ".png": "PNG", ".webp": "WEBP"}
VIDEOS = {".avi": "MJPG", ".mp4": "mp4v"}  # ending -> the code of the compression that is written
LONGEST_FRAME, SHORTEST_FRAME = 65_000, 10  # milliseconds that an animation can store


class VideoError(ValueError):
    """A file that cannot be read or written as a video; the message says which file and why."""


@dataclass(frozen=True)
class Video:
    """Frames and how fast they follow each other.

    Attributes:
        clip: ``uint8`` ``(frames, height, width, 3)``.
        rate: frames a second, or None where the file does not say. A file whose frames last for different
            times, as those of a recorded screen do, has the mean rate here.
        times: when each frame is shown, in seconds from the first one, ``float64`` ``(frames,)``; None where
            the file does not say.
    """

    clip: np.ndarray
    rate: float | None
    times: np.ndarray | None = None

    @property
    def seconds(self) -> float | None:
        """How long the clip lasts, or None where the file does not say."""
        return None if self.rate is None else len(self.clip) / self.rate


def read(path: str | Path, size: int | None = None, every: int = 1) -> Video:
    """Read a video file: animated GIF, PNG or WebP, or AVI, MP4, MOV, MKV or WebM.

    Args:
        path: the file.
        size: if given, every frame is made ``size`` × ``size`` pixels as it is read; the sides are not kept
            in proportion.
        every: keep one frame of so many; the rate is divided by it.

    Returns:
        The frames, transparency laid over white, their rate, and when each is shown.

    Raises:
        FileNotFoundError, IsADirectoryError, PermissionError: the file cannot be opened.
        VideoError: the file is no video (the message says what it is, and how to convert it), is damaged or
            cut short, holds no frame, has over 50 million pixels a frame, over 10,000 frames, or would take
            over 512 MiB.
        ValueError: ``size`` or ``every`` is no whole number above 0.
    """
    path = Path(path)
    if size is not None:
        check_count("size", size)
    check_count("every", every)
    with open(path, "rb") as file:
        head = file.read(2000)
    if _is_animation(head):
        with open(path, "rb") as file:
            return _read_animation(file, str(path), size, every)
    if _is_video(head):
        return _read_video(path, str(path), size, every)
    raise VideoError(describe(head, str(path)))


def decode(content: bytes, size: int | None = None, every: int = 1, name: str = "the video") -> Video:
    """The same as :func:`read` for the bytes of a file.

    Raises:
        VideoError, ValueError: as :func:`read`.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "video"
        path.write_bytes(content)
        try:
            return read(path, size, every)
        except VideoError as error:
            raise VideoError(str(error).replace(str(path), name)) from error


def encode(clip: np.ndarray, rate: float, ending: str = ".webp") -> bytes:
    """The bytes of a video file.

    ``.gif`` (at most 256 colours a frame), ``.png`` and ``.webp`` (nothing is lost) play in every browser.
    ``.avi`` keeps each frame as a JPEG picture; ``.mp4`` (MPEG-4) keeps mostly what changes. Both lose a
    little; MP4 needs even sides.

    Args:
        clip: ``uint8`` ``(frames, height, width, 3)``.
        rate: frames a second.
        ending: one of ``.gif``, ``.png``, ``.webp``, ``.avi``, ``.mp4``.

    Raises:
        VideoError: OpenCV was built without what writes this kind of file.
        ValueError: the clip, the rate or the ending is none that can be stored.
    """
    clip = check_clip(clip)
    if ending not in {**ANIMATIONS, **VIDEOS}:
        raise ValueError(f"a clip is stored as one of {', '.join({**ANIMATIONS, **VIDEOS})}; got {ending!r}")
    if not (math.isfinite(rate) and 1000 / LONGEST_FRAME <= rate <= 1000 / SHORTEST_FRAME):
        raise ValueError(f"rate must be between 0.02 and 100 frames a second, got {rate!r}")
    if ending in ANIMATIONS:
        stored = io.BytesIO()
        frames = [Image.fromarray(frame) for frame in clip]
        options = {"lossless": True, "quality": 100} if ending == ".webp" else {}
        options |= {"optimize": False} if ending == ".gif" else {}
        frames[0].save(
            stored,
            ANIMATIONS[ending],
            save_all=True,
            append_images=frames[1:],
            duration=round(1000 / rate),
            loop=0,
            **options,
        )
        return stored.getvalue()
    if ending == ".mp4" and any(side % 2 for side in clip.shape[1:3]):
        raise ValueError(
            f"MP4 needs even sides, got {clip.shape[1]} x {clip.shape[2]}; cut off a row or column"
        )
    import cv2

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"video{ending}"
        size = (clip.shape[2], clip.shape[1])
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*VIDEOS[ending]), rate, size)
        if not writer.isOpened():
            raise VideoError(f"this OpenCV cannot write {ending} files; store the clip as .webp instead")
        for frame in clip:
            writer.write(np.ascontiguousarray(frame[..., ::-1]))  # OpenCV keeps blue first
        writer.release()
        return path.read_bytes()


def write(path: str | Path, clip: np.ndarray, rate: float) -> int:
    """Store a clip under a name whose ending says how, see :func:`encode`; the file's size in bytes.

    Raises:
        OSError: the file cannot be written.
        VideoError, ValueError: as :func:`encode`.
    """
    path = Path(path)
    content = encode(clip, rate, path.suffix.lower())
    path.write_bytes(content)
    return len(content)


# What a file is, by its first bytes


def _is_animation(head: bytes) -> bool:
    return head.startswith((b"GIF87a", b"GIF89a", b"\x89PNG\r\n\x1a\n")) or (
        head.startswith(b"RIFF") and head[8:12] == b"WEBP"
    )


def _is_video(head: bytes) -> bool:
    return (
        (head.startswith(b"RIFF") and head[8:12] == b"AVI ")
        or head[4:8] == b"ftyp"
        or head.startswith(b"\x1a\x45\xdf\xa3")
    )


# Frames, one after the other, within bounds


class _Frames:
    """Collects the frames that are wanted, and refuses those beyond the bounds."""

    def __init__(self, name: str, size: int | None, every: int):
        self.name, self.size, self.every = name, size, every
        self.kept: list[np.ndarray] = []
        self.times: list[float] = []
        self.seen = self.bytes = 0

    def check_size(self, width: int, height: int) -> None:
        if width * height > MAX_PIXELS:
            raise VideoError(
                f"{self.name} has {width} x {height} pixels a frame; at most {MAX_PIXELS:,} are accepted. "
                "Make it smaller first."
            )

    def wants_next(self) -> bool:
        """Count a frame; whether it is one of those that are kept."""
        self.seen += 1
        if self.seen > MAX_FRAMES:
            raise VideoError(f"{self.name} has over {MAX_FRAMES:,} frames; cut it into shorter pieces first")
        return (self.seen - 1) % self.every == 0

    def keep(self, frame: np.ndarray, time: float) -> None:
        if self.size is not None:
            import cv2

            frame = cv2.resize(frame, (self.size, self.size), interpolation=cv2.INTER_AREA)
        if self.kept and frame.shape != self.kept[0].shape:
            raise VideoError(
                f"{self.name}: frame {self.seen} has the shape {frame.shape[:2]}, the first one "
                f"{self.kept[0].shape[:2]}; give a size, to which all are brought"
            )
        self.bytes += frame.nbytes
        if self.bytes > MAX_BYTES:
            raise VideoError(
                f"{self.name} would take over {MAX_BYTES // 2**20} MiB of memory; read it with a smaller "
                "size, or only one frame of so many (every)"
            )
        self.kept.append(frame)
        self.times.append(time)

    def video(self, rate: float | None) -> Video:
        """What was collected; ``rate`` is the file's own, before frames were left out."""
        if not self.kept:
            raise VideoError(f"{self.name} holds no frame that can be decoded")
        times = np.array(self.times) - self.times[0]
        known = rate is not None and bool((np.diff(times) > 0).all())
        return Video(np.stack(self.kept), rate and rate / self.every, times if known else None)


def _read_animation(file, name: str, size: int | None, every: int) -> Video:
    frames, milliseconds = _Frames(name, size, every), 0.0
    try:
        with Image.open(file, formats=tuple(ANIMATIONS.values())) as opened:
            frames.check_size(*opened.size)
            for number in range(MAX_FRAMES + 1):
                try:
                    opened.seek(number)
                except EOFError:
                    break
                wanted = frames.wants_next()
                opened.load()
                if wanted:
                    picture = opened.convert("RGBA")
                    white = Image.new("RGBA", picture.size, "white")
                    picture = np.array(Image.alpha_composite(white, picture).convert("RGB"))
                    frames.keep(picture, milliseconds / 1000)
                milliseconds += opened.info.get("duration") or 0
    except VideoError:
        raise
    except UnidentifiedImageError as error:
        raise VideoError(f"{name} is cut short: it begins as an animation, and no frame follows") from error
    except Exception as error:  # Pillow's decoders raise OSError, SyntaxError, struct.error and others
        raise VideoError(f"{name} is damaged or cut short: {error}") from error
    return frames.video(1000 * frames.seen / milliseconds if milliseconds > 0 else None)


def _read_video(path: Path, name: str, size: int | None, every: int) -> Video:
    import cv2

    frames = _Frames(name, size, every)
    # An absolute path cannot be taken for an address, and only FFmpeg's readers of files are asked.
    capture = cv2.VideoCapture(os.path.abspath(path), cv2.CAP_FFMPEG)
    try:
        if not capture.isOpened():
            raise VideoError(describe(path.read_bytes(), name))
        short = cut_short(path)
        if short:
            raise VideoError(f"{name} is cut short: {short}. Copy or download it again.")
        frames.check_size(
            int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
        )
        rate, first, last = capture.get(cv2.CAP_PROP_FPS), None, 0.0
        while capture.grab():
            wanted = frames.wants_next()
            last = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            first = last if first is None else first
            if wanted:
                decoded, frame = capture.retrieve()
                if not decoded:
                    raise VideoError(f"{name}: frame {frames.seen} cannot be decoded; the file is damaged")
                frames.keep(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), last)
    except cv2.error as error:
        raise VideoError(f"{name} is damaged: {error}") from error
    finally:
        capture.release()
    if frames.seen > 1 and last > first:  # the declared rate of a recorded screen may be 1,000 or 90,000
        rate = (frames.seen - 1) / (last - first)
    return frames.video(rate if math.isfinite(rate) and rate > 0 else None)
