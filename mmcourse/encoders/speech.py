"""Speech as tokens: a small convolutional network that Google trained to tell keywords apart (notebook 46).

The network is the speech embedding of Lin, Kilgour, Roblek and Sharifi (2020), "Training keyword spotters
with limited and synthesized speech data", run by onnxruntime. In front of it stand log-mel frames of a kind
of their own: bands on the mel scale of Slaney's Auditory Toolbox (1998), 60 to 3,800 Hz, with triangles of
equal area; the level of whole numbers of sixteen bits; and nothing more than 80 dB below the loudest. That is
what openWakeWord, which converted the network, puts there. Another front end raises no error, and gives other
tokens.
"""

import functools
import os
from collections.abc import Sequence

import numpy as np

from mmcourse.audio import SAMPLE_RATE, spectrogram
from mmcourse.audio.reading import check_waveform
from mmcourse.data import speech_model

FRAME, HOP, TRANSFORM = 400, 160, 512  # samples: 25 ms, 10 ms
BANDS, LOWEST, HIGHEST = 32, 60.0, 3_800.0  # Hz
WINDOW, STRIDE, WIDTH = 76, 8, 96  # frames that a token has heard, frames between two tokens, its numbers
STEP = STRIDE * HOP  # samples between two tokens: 80 ms
# Zeros in front of a sound, so that its first token has heard its first 80 ms.
BEFORE = (WINDOW - 1) * HOP + FRAME - STEP
LOUDEST = 32_768  # level of the loudest sample
RANGE = 80  # dB
MOST_SECONDS = 60  # that are read at a time


def to_slaney_mel(hertz: np.ndarray | float) -> np.ndarray:
    """Frequency on Slaney's mel scale: a line up to 1,000 Hz, which is 15, and a logarithm from there on."""
    hertz = np.asarray(hertz, dtype=np.float64)
    above = 15 + np.log(np.maximum(hertz, 1_000) / 1_000) / (np.log(6.4) / 27)
    return np.where(hertz < 1_000, hertz * 3 / 200, above)


def from_slaney_mel(mels: np.ndarray | float) -> np.ndarray:
    """The inverse of :func:`to_slaney_mel`."""
    mels = np.asarray(mels, dtype=np.float64)
    return np.where(mels < 15, mels * 200 / 3, 1_000 * np.exp((mels - 15) * (np.log(6.4) / 27)))


@functools.cache
def mel_filters() -> np.ndarray:
    """Triangles of equal area between 60 and 3,800 Hz: ``float32`` ``(257, 32)``, not to be written to."""
    edges = from_slaney_mel(np.linspace(to_slaney_mel(LOWEST), to_slaney_mel(HIGHEST), BANDS + 2))
    bins = np.arange(TRANSFORM // 2 + 1)[:, None] * SAMPLE_RATE / TRANSFORM  # (bins, 1)
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    filters = np.maximum(0, np.minimum(rising, falling)) * 2 / (edges[2:] - edges[:-2])
    filters = filters.astype(np.float32)
    filters.flags.writeable = False
    return filters


def log_mel(waveform: np.ndarray) -> np.ndarray:
    """The frames that the network was made for.

    Args:
        waveform: ``(samples,)`` in [-1, 1], 16,000 a second, at least 400.

    Returns:
        ``float32`` ``(frames, 32)``, a frame every 10 ms: decibels divided by 10, plus 2.

    Raises:
        AudioError: no waveform, or shorter than a frame.
    """
    waveform = check_waveform(waveform) * np.float32(LOUDEST)
    spectra = spectrogram.stft(waveform, FRAME, HOP, TRANSFORM)  # (frames, 257)
    decibels = spectrogram.decibels((spectra.real**2 + spectra.imag**2) @ mel_filters())
    return np.maximum(decibels, decibels.max() - RANGE) / 10 + 2


def windows(frames: np.ndarray) -> np.ndarray:
    """Windows of 76 frames, one beginning every 8: ``(frames, bands)`` to ``(windows, 76, bands)``, a view.

    Raises:
        ValueError: another number of axes, or fewer than 76 frames.
    """
    frames = np.asarray(frames)
    if frames.ndim != 2 or len(frames) < WINDOW:
        raise ValueError(f"expected at least {WINDOW} frames (frames, bands), got the shape {frames.shape}")
    slid = np.lib.stride_tricks.sliding_window_view(frames, WINDOW, axis=0)  # (all starts, bands, 76)
    return slid[::STRIDE].swapaxes(1, 2)


class SpeechEncoder:
    """Google's speech embedding: 96 numbers for every 80 ms of sound.

    A token has heard the 775 ms before it and nothing that comes later. What it says about a word therefore
    depends on where in those 775 ms the word stands; take the tokens of all of it.

    Args:
        threads: processor threads; by default ``$OMP_NUM_THREADS``, or as many as there are cores.

    Raises:
        mmcourse.data.archives.FetchError: the archive is missing and cannot be fetched.
    """

    def __init__(self, threads: int | None = None):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = int(threads or os.environ.get("OMP_NUM_THREADS") or 0)
        options.log_severity_level = 3
        # A thread that waits sleeps: on a machine with other work, spinning wastes more than it gains.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        onnx = speech_model.load().onnx
        self.session = onnxruntime.InferenceSession(onnx, options, ["CPUExecutionProvider"])
        (self.input,) = (entry.name for entry in self.session.get_inputs())

    def tokens(self, waveform: np.ndarray) -> np.ndarray:
        """A token for each 80 ms: ``(samples,)`` to ``float32`` ``(tokens, 96)``.

        Token k has heard the sound up to 80 · (k + 1) ms. Zeros stand in front of the sound, and fill a last
        piece of less than 80 ms.

        Raises:
            AudioError: no waveform.
            ValueError: longer than a minute; cut it.
        """
        waveform = check_waveform(waveform)
        if len(waveform) > MOST_SECONDS * SAMPLE_RATE:
            raise ValueError(
                f"the sound has {len(waveform) / SAMPLE_RATE:.0f} s, at most {MOST_SECONDS} are read at a "
                "time; cut it into pieces"
            )
        frames = log_mel(np.pad(waveform, (BEFORE, -len(waveform) % STEP)))
        return self.of_windows(windows(frames))

    def of_windows(self, cut: np.ndarray) -> np.ndarray:
        """Windows of log-mel frames ``(windows, 76, 32)`` to ``float32`` ``(windows, 96)``.

        Raises:
            ValueError: other shapes.
        """
        cut = np.asarray(cut, dtype=np.float32)
        if cut.ndim != 3 or cut.shape[1:] != (WINDOW, BANDS):
            raise ValueError(f"expected windows (windows, {WINDOW}, {BANDS}), got the shape {cut.shape}")
        (found,) = self.session.run(None, {self.input: np.ascontiguousarray(cut[..., None])})
        return found.reshape(len(cut), WIDTH)

    def encode(self, waveforms: Sequence[np.ndarray]) -> np.ndarray:
        """The mean of each sound's tokens: ``float32`` ``(waveforms, 96)``.

        Raises:
            AudioError, ValueError: as :meth:`tokens`; or there is no waveform.
        """
        if len(waveforms) == 0:
            raise ValueError("there is no waveform to encode")
        return np.stack([self.tokens(waveform).mean(axis=0) for waveform in waveforms])
