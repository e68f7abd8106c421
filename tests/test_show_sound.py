"""The player: it holds its sound, says what is to be heard, and no text can break out of it."""

import base64
import io
from html.parser import HTMLParser

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
import soundfile
from PIL import Image

from mmcourse import plots, show

TONE = (0.5 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)).astype(np.float32)
HOSTILE = "</figcaption><script>alert('x')</script>\" onplay=\"y"


class Reader(HTMLParser):
    """Tags with attributes, and all text."""

    def __init__(self, code: str):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(code)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data


def test_the_player_holds_its_sound():
    player = show.Sound(3 * TONE, 16_000, "A tone", "a steady hum")
    read = Reader(player._repr_html_())
    assert [tag for tag, _ in read.tags] == ["figure", "audio", "figcaption", "br"]
    attributes = read.tags[1][1]
    assert "controls" in attributes and "autoplay" not in attributes
    assert (attributes["preload"], attributes["aria-label"]) == ("metadata", "A tone")
    kind, content = attributes["src"].split(",", 1)
    assert kind == "data:audio/mpeg;base64"
    samples, rate = soundfile.read(io.BytesIO(base64.b64decode(content)))
    assert rate == 16_000 and 0 <= len(samples) - len(TONE) < 1_600  # an MP3 is made of blocks
    assert np.abs(np.fft.rfft(samples)).argmax() * rate / len(samples) == pytest.approx(440, abs=2)
    assert len(content) < 6_000
    assert "A tone" in read.text and "a steady hum" in read.text


def test_the_player_as_text():
    assert repr(show.Sound(TONE, 16_000, "A tone", "a hum")) == "[sound, 1.0 s] A tone\nTo be heard: a hum"


def test_no_text_breaks_out_of_the_player():
    read = Reader(show.Sound(TONE, 16_000, HOSTILE, HOSTILE)._repr_html_())
    assert [tag for tag, _ in read.tags] == ["figure", "audio", "figcaption", "br"]
    assert set(read.tags[1][1]) == {"controls", "preload", "aria-label", "src"}
    assert read.text.count(HOSTILE) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((TONE, 16_000, "", "hum"), "caption must not be empty"),
        ((TONE, 16_000, "tone", " "), "alternative must not be empty"),
        ((np.zeros(0, np.float32), 16_000, "tone", "hum"), "at least one sample"),
        ((np.array([np.nan]), 16_000, "tone", "hum"), "not finite"),
    ],
)
def test_a_player_needs_a_sound_and_its_texts(arguments, message):
    with pytest.raises(ValueError, match=message):
        show.Sound(*arguments)


def test_a_compact_figure_is_small_and_closed():
    plt.figure(figsize=(4, 3))
    plt.imshow(np.random.default_rng(0).normal(size=(40, 60)), cmap="magma")
    usual = io.BytesIO()
    plt.savefig(usual, format="png", bbox_inches="tight")
    compact = show.Compact()
    assert plt.get_fignums() == []
    assert len(compact._repr_png_()) < 0.5 * len(usual.getvalue())
    assert repr(compact) == "[figure]"
    picture = np.asarray(Image.open(io.BytesIO(compact._repr_png_())).convert("RGB"), dtype=int)
    expected = np.asarray(Image.open(usual).convert("RGB"), dtype=int)
    assert picture.shape == expected.shape
    assert np.abs(picture - expected).mean() < 8


def test_a_spectrogram_has_time_to_the_right_and_low_bins_below():
    _, axes = plt.subplots()
    levels = np.array([[-40.0, 20], [0, 5], [10, -50]])  # (frames, bins)
    plots.spectrogram(axes, levels, seconds=1.5, top=4)
    (drawn,) = axes.images
    np.testing.assert_array_equal(drawn.get_array(), levels.T)
    assert drawn.get_extent() == [0, 1.5, 0, 4] and drawn.origin == "lower"
    assert drawn.get_clim() == (-50, 30) and drawn.cmap.N == 8  # 10 dB a colour
    plt.close()
