"""What a notebook shows besides plots: tables, sounds, galleries, films."""

import base64
import html
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

from mmcourse import audio

DRAWINGS = Path(__file__).parent / "drawings"


class Table:
    """A table with pictures that a notebook shows as HTML, and a terminal as text.

    Args:
        columns: the headings.
        rows: cells: ``uint8`` pictures ``(height, width, 3)``, or anything that can be written as text.
        describe: column whose text describes the row's pictures to those who do not see them; the first text
            of the row by default. Where a row has several pictures, each is told by its heading too.
    """

    def __init__(self, columns: Sequence[str], rows: Sequence[Sequence], describe: int | None = None):
        self.columns, self.rows = list(columns), [list(row) for row in rows]
        self.describe = describe

    def __repr__(self) -> str:
        lines = [" | ".join(self.columns)]
        lines += [
            " | ".join("[picture]" if isinstance(cell, np.ndarray) else str(cell) for cell in row)
            for row in self.rows
        ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        # A column without a name gets no heading: an empty one would be read aloud as such.
        head = "".join(
            f'<th scope="col">{html.escape(name)}</th>' if name else "<td></td>" for name in self.columns
        )
        body = "".join(
            f"<tr>{''.join(self._cell(column, row) for column in range(len(row)))}</tr>" for row in self.rows
        )
        return f'<table class="table pictures"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'

    def _cell(self, column: int, row: list) -> str:
        cell = row[column]
        if isinstance(cell, np.ndarray):
            texts = [other for other in row if isinstance(other, str)]
            text = texts[0] if self.describe is None and texts else row[self.describe or 0]
            text = f"The picture of: {text}" if isinstance(text, str) else "A picture"
            heading = "".join(self.columns[column : column + 1])
            if heading and sum(isinstance(other, np.ndarray) for other in row) > 1:
                text += f" ({heading})"
            alternative = html.escape(text, quote=True)
            side = cell.shape[0]
            return (
                f'<td><img alt="{alternative}" width="{side}" height="{side}" '
                f'src="data:image/png;base64,{_png(cell)}"></td>'
            )
        return f"<td>{html.escape(str(cell))}</td>"


class Compact:
    """The current figure, closed and kept as a PNG of 64 colours: a third of the usual size.

    For chapters with many spectrograms, whose noise makes large files. A cell ends in it, instead of in
    ``plt.show()``.
    """

    def __init__(self):
        figure, stored, small = plt.gcf(), io.BytesIO(), io.BytesIO()
        figure.savefig(stored, format="png", bbox_inches="tight")
        plt.close(figure)
        Image.open(stored).convert("RGB").quantize(64).save(small, "PNG", optimize=True)
        self.content = small.getvalue()

    def __repr__(self) -> str:
        return "[figure]"

    def _repr_png_(self) -> bytes:
        return self.content


class Sound:
    """A sound that a notebook shows as a player, and a terminal as its description.

    The player holds the sound itself, as an MP3 of about 3 kB a second: nothing is loaded from elsewhere. Its
    controls are the browser's own, which a keyboard and a screen reader can use.

    Args:
        waveform: ``float32`` ``(samples,)``; what is beyond [-1, 1] is cut off.
        sample_rate: samples a second; one of those that MP3 has: 8,000, 11,025, 12,000, 16,000, 22,050, …
        caption: what it is; says so where a voice is synthetic.
        alternative: what is to be heard, for those who do not hear it: the words, or a description.
    """

    def __init__(self, waveform: np.ndarray, sample_rate: int, caption: str, alternative: str):
        self.waveform = audio.reading.check_waveform(waveform)
        self.sample_rate, self.caption, self.alternative = sample_rate, caption, alternative
        for name, text in (("caption", caption), ("alternative", alternative)):
            if not text.strip():
                raise ValueError(f"{name} must not be empty: some readers have nothing else")

    def __repr__(self) -> str:
        seconds = len(self.waveform) / self.sample_rate
        return f"[sound, {seconds:.1f} s] {self.caption}\nTo be heard: {self.alternative}"

    def _repr_html_(self) -> str:
        content = base64.b64encode(_mp3(self.waveform, self.sample_rate)).decode()
        label = html.escape(self.caption, quote=True)
        return (
            f'<figure class="sound"><audio controls preload="metadata" aria-label="{label}" '
            f'src="data:audio/mpeg;base64,{content}"></audio>'
            f"<figcaption>{html.escape(self.caption)}<br>To be heard: {html.escape(self.alternative)}"
            "</figcaption></figure>"
        )


class Gallery:
    """Pictures in colour side by side, each above its title, that a notebook shows as HTML.

    They wrap to as many rows as the page is narrow. Photographs are stored as JPEG and drawings as PNG,
    which takes a tenth of what a figure takes.

    Args:
        pictures: title -> ``uint8`` picture ``(height, width, channels)`` of one or three channels, or
            ``(height, width)``.
        side: the longer side on the page, in pixels; small pictures are enlarged without smoothing.
        lossless: store photographs as PNG too, for where artefacts are the subject.
    """

    def __init__(self, pictures: Mapping[str, np.ndarray], side: int = 104, lossless: bool = False):
        self.pictures, self.side, self.lossless = dict(pictures), side, lossless

    def __repr__(self) -> str:
        return "\n".join(f"[picture] {title}" for title in self.pictures)

    def _repr_html_(self) -> str:
        figures = "".join(self._figure(title, picture) for title, picture in self.pictures.items())
        return f'<div class="gallery" style="display: flex; flex-wrap: wrap; gap: 0.8rem">{figures}</div>'

    def _figure(self, title: str, picture: np.ndarray) -> str:
        grey = picture.ndim == 3 and picture.shape[-1] == 1
        shown = Image.fromarray(picture[..., 0] if grey else picture)
        width, height = (max(1, round(self.side * side / max(shown.size))) for side in shown.size)
        if max(shown.size) > self.side:
            shown = shown.resize((width, height), Image.Resampling.LANCZOS)
        stored = io.BytesIO()
        kind = "PNG" if self.lossless or shown.getcolors(256) else "JPEG"
        shown.save(stored, kind, optimize=True, **({"quality": 75} if kind == "JPEG" else {}))
        content = base64.b64encode(stored.getvalue()).decode()
        return (
            f'<figure style="margin: 0; width: {self.side}px">'
            f'<img alt="The picture of: {html.escape(title, quote=True)}" width="{width}" height="{height}" '
            f'style="display: block; margin: auto; image-rendering: pixelated" '
            f'src="data:image/{kind.lower()};base64,{content}">'
            f'<figcaption style="text-align: center">{html.escape(title)}</figcaption></figure>'
        )


class Films:
    """Clips that a notebook shows as strips of frames, each with an animation that plays when it is opened.

    Nothing moves before the reader asks for it, and it stops when it is closed again.

    Args:
        clips: title -> ``uint8`` ``(frames, height, width, 3)``.
        rate: frames a second of the animation.
        every: one frame of so many is in the strip; the animation has all.
        side: the height of a frame of the strip on the page, in pixels.
    """

    def __init__(self, clips: Mapping[str, np.ndarray], rate: float = 8, every: int = 1, side: int = 64):
        self.clips = {title: np.asarray(clip) for title, clip in clips.items()}
        self.rate, self.every, self.side = rate, every, side

    def __repr__(self) -> str:
        return "\n".join(f"[clip of {len(clip)} frames] {title}" for title, clip in self.clips.items())

    def _repr_html_(self) -> str:
        return "".join(self._film(title, clip) for title, clip in self.clips.items())

    def _film(self, title: str, clip: np.ndarray) -> str:
        shown, alternative = clip[:: self.every], html.escape(title, quote=True)
        strip, film = io.BytesIO(), io.BytesIO()
        side_by_side = Image.fromarray(np.concatenate(list(shown), axis=1))
        drawn = side_by_side.getcolors(256) is not None  # few colours: small without any loss
        side_by_side.save(strip, "PNG" if drawn else "JPEG", quality=75)
        frames = [Image.fromarray(frame) for frame in clip]
        options = {"save_all": True, "append_images": frames[1:], "loop": 0, "quality": 60, "lossless": drawn}
        frames[0].save(film, "WEBP", duration=round(1000 / self.rate), **options)
        strip, film = (base64.b64encode(content.getvalue()).decode() for content in (strip, film))
        width = round(self.side * clip.shape[2] / clip.shape[1])
        style = "image-rendering: pixelated; max-width: 100%; height: auto"
        return (
            f'<figure style="margin: 0 0 0.8rem"><figcaption>{html.escape(title)}</figcaption>'
            f'<img alt="{len(shown)} frames of the clip: {alternative}" width="{width * len(shown)}" '
            f'style="{style}" src="data:image/{"png" if drawn else "jpeg"};base64,{strip}">'
            f"<details><summary>Play: {html.escape(title)}</summary>"
            f'<img alt="The clip, playing: {alternative}" width="{2 * width}" style="{style}" '
            f'src="data:image/webp;base64,{film}"></details></figure>'
        )


def _png(picture: np.ndarray) -> str:
    """A ``uint8`` picture as a base64 PNG of at most 64 colours: a third of the size, no visible change."""
    image = Image.fromarray(picture).quantize(64)
    stored = io.BytesIO()
    image.save(stored, "PNG", optimize=True)
    return base64.b64encode(stored.getvalue()).decode()


def _mp3(waveform: np.ndarray, sample_rate: int) -> bytes:
    """A small MP3, 24 kilobits a second for 16,000 samples: good enough for speech."""
    import soundfile

    file = io.BytesIO()
    samples = np.clip(waveform, -1, 1)
    soundfile.write(file, samples, sample_rate, format="MP3", bitrate_mode="CONSTANT", compression_level=0.9)
    return file.getvalue()


class Diagram:
    """A drawing of an idea, from the package's folder ``drawings``; shown as SVG.

    Args:
        name: of the file, without its ending.

    Raises:
        ValueError: there is no such drawing; names those that there are.
    """

    def __init__(self, name: str):
        path = DRAWINGS / f"{name}.svg"
        if not path.is_file():
            names = ", ".join(sorted(path.stem for path in DRAWINGS.glob("*.svg")))
            raise ValueError(f"there is no drawing {name!r}; expected one of: {names}")
        self.name, self.svg = name, path.read_text(encoding="utf-8")

    def __repr__(self) -> str:
        return f"Diagram({self.name!r})"

    def _repr_svg_(self) -> str:
        return self.svg


def diagram(name: str) -> Diagram:
    """The drawing of that name, as the last line of a cell; see :class:`Diagram`."""
    return Diagram(name)
