"""Clips: reading and writing, sampling, motion, tubes, and the made set."""

import io
import struct
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from mmcourse import video
from mmcourse.data import motion
from mmcourse.video import VideoError

ENDINGS = (".gif", ".png", ".webp", ".avi", ".mp4")


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def smooth_clip(frames=6, height=32, width=48):
    """A bright blob that moves to the right over a grey slope."""
    rows, columns = np.indices((height, width))
    clip = []
    for number in range(frames):
        blob = 120 * np.exp(-((columns - 10 - 2 * number) ** 2 + (rows - 15) ** 2) / 40)
        clip.append(np.stack([blob + 40, blob + rows, 60 + columns], axis=-1))
    return np.array(clip).clip(0, 255).astype(np.uint8)


CLIPS = arrays.arrays(
    np.uint8, st.tuples(st.integers(1, 5), st.integers(1, 9), st.integers(1, 9), st.just(3))
)


# Reading and writing


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_is_written_is_read(tmp_path, ending):
    clip = smooth_clip()
    size = video.write(tmp_path / f"clip{ending}", clip, 12.5)
    assert size == (tmp_path / f"clip{ending}").stat().st_size
    found = video.read(tmp_path / f"clip{ending}")
    assert found.clip.shape == clip.shape and found.clip.dtype == np.uint8
    assert found.rate == pytest.approx(12.5) and found.seconds == pytest.approx(6 / 12.5)
    error = np.abs(found.clip.astype(int) - clip).mean()
    assert error == 0 if ending in (".png", ".webp") else error < 8
    # Colours are not exchanged: the blue slope rises to the right.
    assert found.clip[0, 0, -1, 2] > found.clip[0, 0, 0, 2] + 30


@pytest.mark.parametrize("ending", [".png", ".webp"])
@given(clip=CLIPS)
@settings(deadline=None, max_examples=30)
def test_lossless_forms_give_every_pixel_back(ending, clip):
    # Frames that are equal in a row are stored as one.
    different = [0, *(i for i in range(1, len(clip)) if (clip[i] != clip[i - 1]).any())]
    found = video.decode(video.encode(clip, 10, ending))
    np.testing.assert_array_equal(found.clip, clip[different])


@pytest.mark.parametrize("ending", ENDINGS)
def test_fewer_and_smaller_frames(tmp_path, ending):
    content = video.encode(smooth_clip(7), 10, ending)
    found = video.decode(content, size=16, every=3)
    assert found.clip.shape == (3, 16, 16, 3) and found.rate == pytest.approx(10 / 3)


def test_ending_of_the_name_does_not_decide(tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_bytes(video.encode(smooth_clip(), 10, ".webp"))
    assert len(video.read(path).clip) == 6


def test_transparency_is_laid_over_white():
    frames = [Image.new("RGBA", (8, 8), (255, 0, 0, alpha)) for alpha in (0, 255)]
    stored = io.BytesIO()
    frames[0].save(stored, "WEBP", save_all=True, append_images=frames[1:], lossless=True, duration=100)
    clip = video.decode(stored.getvalue()).clip
    assert (clip[0] == 255).all() and (clip[1] == (255, 0, 0)).all()


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("share", [0.0, 0.001, 0.02, 0.5])
def test_a_file_that_is_cut_short_is_refused(ending, share):
    clip = np.concatenate([smooth_clip()] * 2) // 2 + noise(12, 32, 48, 3) // 2
    content = video.encode(clip, 10, ending)
    with pytest.raises(VideoError, match=r"holiday is (empty|damaged|cut short|not |a text|a film)"):
        video.decode(content[: int(share * len(content))], name="holiday")


@pytest.mark.parametrize(
    "content",
    [
        b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile other.mp4\n",
        b"text",
        b"\xff\xd8\xff\xe0" + bytes(100),
        b"RIFF\0\0\0\0WAVE" + bytes(100),
    ],
)
def test_what_is_no_video_is_refused(content):
    with pytest.raises(VideoError, match="expected an animated GIF, PNG or WebP, or an AVI"):
        video.decode(content)


@pytest.mark.parametrize(
    "head",
    [
        b"GIF89a",
        b"\x89PNG\r\n\x1a\n",
        b"RIFF\0\0\0\0WEBP",
        b"RIFF\0\0\0\0AVI ",
        b"\0\0\0\x18ftypisom",
        b"\x1a\x45\xdf\xa3",
    ],
)
@given(rest=st.binary(max_size=200))
@settings(deadline=None, max_examples=15)
def test_nothing_but_a_video_error_comes_of_rubbish(head, rest):
    with pytest.raises(VideoError):
        video.decode(head + rest)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(FileNotFoundError):
        video.read(tmp_path / "nothing.mp4")
    with pytest.raises((IsADirectoryError, PermissionError)):
        video.read(tmp_path)


def test_video_without_a_frame(tmp_path):
    """An AVI file whose list of frames is empty."""
    import cv2

    path = tmp_path / "empty.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10, (16, 16))
    writer.release()
    with pytest.raises(VideoError, match=r"empty\.avi (holds no frame|is damaged|is empty)"):
        video.read(path)


def test_bounds(monkeypatch):
    content = {ending: video.encode(smooth_clip(), 10, ending) for ending in (".webp", ".avi")}
    for stored in content.values():
        with monkeypatch.context() as patch:
            patch.setattr(video.reading, "MAX_FRAMES", 5)
            with pytest.raises(VideoError, match="over 5 frames; cut it into shorter pieces"):
                video.decode(stored)
        with monkeypatch.context() as patch:
            patch.setattr(video.reading, "MAX_BYTES", 10_000)
            with pytest.raises(VideoError, match=r"would take over .* MiB of memory; read it with a smaller"):
                video.decode(stored)
            assert len(video.decode(stored, size=16).clip) == 6
        with monkeypatch.context() as patch:
            patch.setattr(video.reading, "MAX_PIXELS", 1000)
            with pytest.raises(VideoError, match="48 x 32 pixels a frame; at most 1,000"):
                video.decode(stored)


def huge_webp() -> bytes:
    content = bytearray(video.encode(smooth_clip(2), 10, ".webp"))
    place = content.index(b"VP8X") + 12
    content[place : place + 6] = (16_000 - 1).to_bytes(3, "little") * 2
    return bytes(content)


def huge_gif() -> bytes:
    content = bytearray(video.encode(smooth_clip(2), 10, ".gif"))
    content[6:10] = struct.pack("<HH", 65_000, 65_000)
    return bytes(content)


def huge_avi() -> bytes:
    """Both headers of the file, and of each JPEG frame, declare 60,000 × 60,000 pixels."""
    content = video.encode(smooth_clip(2), 10, ".avi")
    small, huge = struct.pack("<II", 48, 32), struct.pack("<II", 60_000, 60_000)
    assert small in content
    return content.replace(small, huge).replace(
        struct.pack(">HH", 32, 48), struct.pack(">HH", 60_000, 60_000)
    )


def huge_mp4() -> bytes:
    content = video.encode(smooth_clip(2), 10, ".mp4")
    small = struct.pack(">HH", 48, 32)
    assert small in content
    return content.replace(small, struct.pack(">HH", 60_000, 60_000))


MEASURE = """
import resource, sys
from mmcourse import video
import cv2
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    video.read(sys.argv[1])
except video.VideoError:
    print("refused")
else:
    print("read")
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.parametrize("make", [huge_webp, huge_gif, huge_avi, huge_mp4])
def test_a_file_that_declares_a_huge_frame_takes_little_memory(tmp_path, make):
    path = tmp_path / "huge"
    path.write_bytes(make())
    done = subprocess.run([sys.executable, "-c", MEASURE, path], capture_output=True, text=True, timeout=60)
    verdict, megabytes = done.stdout.split()
    # The MP4 file's own stream knows its size, whatever the container says: it may be read.
    assert verdict == "refused" or make is huge_mp4, done.stderr
    assert int(megabytes) < 150


@pytest.mark.parametrize(
    ("clip", "rate", "ending", "message"),
    [
        (np.zeros((2, 8, 8), np.uint8), 10, ".gif", "a clip must be uint8"),
        (np.zeros((2, 8, 8, 3)), 10, ".gif", "a clip must be uint8"),
        (np.zeros((0, 8, 8, 3), np.uint8), 10, ".gif", "not empty"),
        (np.zeros((2, 8, 8, 3), np.uint8), 0, ".gif", "rate must be between"),
        (np.zeros((2, 8, 8, 3), np.uint8), float("nan"), ".gif", "rate must be between"),
        (np.zeros((2, 8, 8, 3), np.uint8), 10, ".mov", "stored as one of .gif"),
        (np.zeros((2, 7, 8, 3), np.uint8), 10, ".mp4", "MP4 needs even sides, got 7 x 8"),
    ],
)
def test_what_cannot_be_written(clip, rate, ending, message):
    with pytest.raises(ValueError, match=message):
        video.encode(clip, rate, ending)


@pytest.mark.parametrize("arguments", [{"size": 0}, {"every": 0}, {"size": 1.5}, {"every": True}])
def test_what_cannot_be_asked_for(arguments):
    with pytest.raises(ValueError, match="must be a whole number of at least 1"):
        video.decode(video.encode(smooth_clip(), 10), **arguments)


def test_an_opencv_that_cannot_write(monkeypatch):
    import cv2

    monkeypatch.setattr(cv2.VideoWriter, "isOpened", lambda self: False)
    with pytest.raises(VideoError, match=r"cannot write \.avi files; store the clip as \.webp"):
        video.encode(smooth_clip(), 10, ".avi")


# Sampling


def test_spread_by_hand():
    assert video.spread(8, 4).tolist() == [1, 3, 5, 7]
    assert video.spread(9, 3).tolist() == [1, 4, 7]
    assert video.spread(10, 1).tolist() == [5]
    assert video.spread(2, 4).tolist() == [0, 0, 1, 1]


@given(st.integers(1, 500), st.integers(1, 60), st.integers(0, 2**32 - 1))
def test_samples_are_in_order_and_in_their_segments(frames, count, seed):
    bounds = np.arange(count + 1) * frames / count
    for indices in (
        video.spread(frames, count),
        video.draw_segments(frames, count, np.random.default_rng(seed)),
    ):
        assert indices.shape == (count,) and indices.dtype == np.int64
        assert (np.diff(indices) >= 0).all() and 0 <= indices.min() and indices.max() < frames
        assert (indices >= np.floor(bounds[:-1])).all() and (indices <= bounds[1:]).all()
    same = [video.draw_segments(frames, count, np.random.default_rng(seed)) for _ in range(2)]
    np.testing.assert_array_equal(*same)


def test_every_frame_is_drawn_sooner_or_later():
    random = np.random.default_rng(0)
    drawn = np.concatenate([video.draw_segments(10, 4, random) for _ in range(300)])
    assert set(drawn) == set(range(10))


@pytest.mark.parametrize("bad", [0, -1, 1.5, True, None])
def test_sampling_refuses(bad):
    random = np.random.default_rng(0)
    for call in (
        lambda: video.spread(bad, 3),
        lambda: video.spread(3, bad),
        lambda: video.draw_segments(3, bad, random),
    ):
        with pytest.raises(ValueError, match="must be a whole number"):
            call()


@pytest.mark.parametrize(
    ("step", "seen"), [(5, 5), (40, -5), (45, 0), (22, 22), (22.5, -22.5), (-40, 5), (85, -5)]
)
def test_step_of_a_wheel_with_eight_spokes(step, seen):
    assert video.apparent_step(step, 45) == pytest.approx(seen)


@given(st.floats(-1e4, 1e4), st.floats(0.1, 360))
def test_apparent_step_leads_to_the_same_frame(step, period):
    seen = video.apparent_step(step, period)
    assert abs(seen) <= period / 2 * (1 + 1e-9)
    turns = (step - seen) / period
    assert abs(turns - round(turns)) < 1e-6


@pytest.mark.parametrize(("step", "period"), [(1, 0), (1, -1), (float("nan"), 1), (1, float("inf"))])
def test_apparent_step_refuses(step, period):
    with pytest.raises(ValueError, match="finite numbers and a positive period"):
        video.apparent_step(step, period)


# Clips that are made


@pytest.fixture(scope="module")
def drawing():
    """An arrow-like picture, which no symmetry maps onto itself."""
    picture = np.full((40, 40, 3), 255, np.uint8)
    picture[5:35, 5:15] = (200, 30, 30)
    picture[25:35, 15:35] = (30, 30, 200)
    return video.cut_out(picture)


def made(drawing, name, seed=0, size=32, frames=9):
    behind = video.background(size, np.random.default_rng(7))
    return video.make_clip(drawing, name, behind, np.random.default_rng(seed), frames)


def centre(frame, behind):
    """Where the picture is: centre of what differs from the background, (column, row), and its area."""
    there = np.abs(frame.astype(int) - behind).sum(axis=-1) > 60
    rows, columns = np.nonzero(there)
    return np.array([columns.mean(), rows.mean()]), there.sum()


def test_the_middle_frame_is_the_same_whatever_the_motion(drawing):
    middles = [made(drawing, name)[4] for name in video.MOTIONS]
    for middle in middles[1:]:
        np.testing.assert_array_equal(middle, middles[0])


@pytest.mark.parametrize("name", video.MOTIONS)
def test_backwards_is_the_opposite_motion(drawing, name):
    np.testing.assert_array_equal(made(drawing, name)[::-1], made(drawing, video.REVERSED[name]))


def test_maps_of_labels_undo_themselves():
    for changed in (video.MIRRORED, video.REVERSED):
        assert set(changed) == set(video.MOTIONS) == set(changed.values())
        assert all(changed[changed[name]] == name for name in video.MOTIONS)
    assert video.MIRRORED["up"] == "up" and video.REVERSED["up"] == "down"


def test_motions_do_what_they_are_called(drawing):
    behind = video.background(64, np.random.default_rng(7))

    def path(name):
        clip = video.make_clip(drawing, name, behind, np.random.default_rng(3), 9)
        return [centre(frame, behind) for frame in (clip[0], clip[-1])]

    for name, axis, sign in (("left", 0, -1), ("right", 0, 1), ("up", 1, -1), ("down", 1, 1)):
        (start, _), (end, _) = path(name)
        assert sign * (end - start)[axis] > 3 and abs((end - start)[1 - axis]) < 1
    assert path("growing")[1][1] > 1.3 * path("growing")[0][1]
    assert path("shrinking")[1][1] < path("shrinking")[0][1] / 1.3


def test_clockwise_is_clockwise_for_the_viewer():
    """A hand that points up in the middle frame has come from the left and goes to the right."""
    hand = np.full((41, 41, 3), 255, np.uint8)
    hand[0:21, 18:23] = 0
    drawing = video.cut_out(hand)
    behind = np.full((64, 64, 3), 200, np.uint8)

    class Still:
        """Draws the middle of every range, so that the picture is upright."""

        def uniform(self, low, high, size=None):
            return np.full(size, (low + high) / 2) if size else (low + high) / 2

    clip = video.make_clip(drawing, "clockwise", behind, Still(), 9)
    columns = [np.nonzero((frame < 120).all(axis=-1))[1].mean() for frame in clip]
    assert columns[0] < columns[4] - 1 < columns[8] - 2


def test_clips_are_the_same_each_time(drawing):
    np.testing.assert_array_equal(made(drawing, "left"), made(drawing, "left"))
    assert (made(drawing, "left") != made(drawing, "left", seed=1)).any()
    clip = made(drawing, "up", size=20, frames=5)
    assert clip.shape == (5, 20, 20, 3) and clip.dtype == np.uint8


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"motion": "sideways"}, "motion must be one of left, right"),
        ({"frames": 8}, "frames must be odd"),
        ({"frames": 0}, "frames must be a whole number"),
        ({"behind": np.zeros((32, 31, 3), np.uint8)}, "behind must be uint8"),
        ({"picture": np.zeros((32, 32, 3), np.uint8)}, "picture must be uint8"),
        ({"picture": np.zeros((32, 32, 4))}, "picture must be uint8"),
    ],
)
def test_clips_that_cannot_be_made(drawing, changed, message):
    arguments = {"picture": drawing, "motion": "left", "behind": np.zeros((32, 32, 3), np.uint8), "frames": 9}
    with pytest.raises(ValueError, match=message):
        video.make_clip(**{**arguments, **changed}, random=np.random.default_rng(0))


def test_only_white_that_is_joined_to_the_border_is_cut_away():
    picture = np.full((9, 9, 3), 255, np.uint8)
    picture[2:7, 2:7] = 0
    picture[4, 4] = 255
    alpha = video.cut_out(picture)[..., 3]
    assert alpha[0, 0] == 0 and alpha[2, 2] == 255 and alpha[4, 4] == 255
    np.testing.assert_array_equal(video.cut_out(picture)[..., :3], picture)
    assert (video.cut_out(np.zeros((4, 4, 3), np.uint8))[..., 3] == 255).all()
    with pytest.raises(ValueError, match="a picture must be uint8"):
        video.cut_out(np.zeros((4, 4, 4), np.uint8))


@given(st.integers(1, 40), st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_backgrounds_are_light_and_the_same_each_time(size, seed):
    first, second = (video.background(size, np.random.default_rng(seed)) for _ in range(2))
    assert first.shape == (size, size, 3) and first.dtype == np.uint8 and first.min() > 60
    np.testing.assert_array_equal(first, second)


# Motion by least squares


def bowl(column=0, row=0):
    rows, columns = np.mgrid[-2:3, -2:3]
    return (columns - column) ** 2 + (rows - row) ** 2


def test_bowl_by_hand():
    by_column, by_row, by_time = video.brightness_slopes(bowl(), bowl(1, -1))
    np.testing.assert_array_equal(by_column, [[-3, -1, 1]] * 3)
    np.testing.assert_array_equal(by_row, np.transpose([[-1, 1, 3]] * 3))
    np.testing.assert_array_equal(by_time, by_row - by_column)
    flow, certainty = video.lucas_kanade(bowl(), bowl(1, -1))
    np.testing.assert_allclose(flow, [[[1, -1]]])
    np.testing.assert_allclose(certainty, [[(33 - 9) / 9]])


@given(st.floats(-2, 2), st.floats(-2, 2))
def test_a_bowl_is_followed_exactly(column, row):
    flow, _ = video.lucas_kanade(bowl(), bowl(column, row))
    np.testing.assert_allclose(flow[0, 0], (column, row), atol=1e-9)


def texture(column=0.0, row=0.0, size=64):
    """Smooth waves in several directions, moved by parts of a pixel."""
    rows, columns = np.mgrid[:size, :size].astype(float)
    x, y = columns - column, rows - row
    waves = np.sin(x / 3.1) + np.sin(y / 4.2 + 1) + np.sin((x + y) / 5.3 + 2) + np.sin((x - 2 * y) / 9.7)
    return 127.5 + 30 * waves


@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.5, 0.0), (0.0, -0.5), (0.4, 0.3), (-0.6, 0.2)])
def test_flow_agrees_with_opencv(shift):
    import cv2

    first, second = texture(), texture(*shift)
    flow, _ = video.lucas_kanade(first, second, window=15)
    points = np.stack(np.meshgrid(np.arange(16, 48, 8), np.arange(16, 48, 8)), -1).reshape(-1, 1, 2)
    moved, status, _ = cv2.calcOpticalFlowPyrLK(
        first.round().astype(np.uint8),
        second.round().astype(np.uint8),
        points.astype(np.float32),
        None,
        winSize=(15, 15),
        maxLevel=0,
    )
    assert status.all()
    by_opencv = (moved - points)[:, 0]
    ours = np.array([flow[row - 8, column - 8] for column, row in points[:, 0]])
    # OpenCV computes with whole numbers in between; ours is nearer to the truth.
    np.testing.assert_allclose(ours, by_opencv, atol=0.08)
    np.testing.assert_allclose(ours, np.broadcast_to(shift, ours.shape), atol=0.03)


def test_an_edge_does_not_tell_its_motion_along_itself():
    """The aperture problem: brightness that changes in one direction only."""
    columns = np.mgrid[:9, :9][1].astype(float)
    flow, certainty = video.lucas_kanade(columns**2, (columns - 1) ** 2)
    assert np.isnan(flow).all() and np.abs(certainty).max() < 1e-6
    flow, _ = video.lucas_kanade(np.zeros((9, 9)), np.zeros((9, 9)))
    assert np.isnan(flow).all()


@given(
    arrays.arrays(np.float64, (7, 8), elements=st.floats(0, 255)),
    arrays.arrays(np.float64, (7, 8), elements=st.floats(0, 255)),
)
def test_flow_is_the_least_squares_solution(first, second):
    flow, certainty = video.lucas_kanade(first, second, window=5, least=1.0)
    assert flow.shape == (1, 2, 2) and certainty.shape == (1, 2)
    slopes = video.brightness_slopes(first, second)
    for column in range(2):
        x, y, t = (slope[:, column : column + 5].ravel() for slope in slopes)
        if certainty[0, column] >= 1.0:
            expected = np.linalg.lstsq(np.stack([x, y], 1), -t, rcond=None)[0]
            np.testing.assert_allclose(flow[0, column], expected, atol=1e-6, rtol=1e-6)
        else:
            assert np.isnan(flow[0, column]).all()


@pytest.mark.parametrize(
    ("first", "second", "window", "message"),
    [
        (np.zeros((5, 5)), np.zeros((5, 6)), 3, "of one shape"),
        (np.zeros((5, 5, 3)), np.zeros((5, 5, 3)), 3, "must be grey"),
        (np.zeros((2, 5)), np.zeros((2, 5)), 1, "at least 3 x 3"),
        (np.zeros((5, 5)), np.zeros((5, 5)), 2, "window must be odd"),
        (np.zeros((5, 5)), np.zeros((5, 5)), 5, "window must be odd and fit"),
        (np.zeros((5, 5)), np.zeros((5, 5)), 0, "window must be odd"),
    ],
)
def test_flow_refuses(first, second, window, message):
    with pytest.raises(ValueError, match=message):
        video.lucas_kanade(first, second, window)


# Tubes


def test_tubes_by_hand():
    clip = np.arange(2 * 4 * 4).reshape(2, 4, 4, 1)
    tubes = video.cut_tubes(clip, (2, 2, 2))
    assert tubes.tolist()[0] == [0, 1, 4, 5, 16, 17, 20, 21]
    assert tubes.tolist()[3] == [10, 11, 14, 15, 26, 27, 30, 31]


def test_the_clip_of_the_paper_has_1568_tokens():
    assert video.tube_grid((16, 224, 224), (2, 16, 16)) == (8, 14, 14)
    assert video.cut_tubes(np.zeros((16, 224, 224, 3), np.uint8), (2, 16, 16)).shape == (1568, 1536)


@pytest.mark.parametrize(
    ("shape", "tube", "message"),
    [
        ((9, 32, 32), (2, 8, 8), "9 frames cannot be cut into tubes of 2"),
        ((8, 30, 32), (2, 8, 8), "30 height"),
        ((8, 32, 32), (2, 0, 8), "height of the tube"),
        ((8, 32), (2, 8, 8), "at least 3"),
        ((8, 32, 32), (2, 8), "tube of 3 numbers"),
    ],
)
def test_tubes_that_do_not_fit(shape, tube, message):
    with pytest.raises(ValueError, match=message):
        video.tube_grid(shape, tube)


def test_cutting_refuses_other_shapes():
    with pytest.raises(ValueError, match="clips must be"):
        video.cut_tubes(np.zeros((2, 4, 4)), (2, 2, 2))


def test_tube_embedding_is_a_dense_layer_of_tubes_and_a_convolution(tmp_path):
    import keras

    from mmcourse.layers.tubes import TubeEmbedding

    random = np.random.default_rng(0)
    clips = random.normal(size=(2, 6, 8, 4, 3)).astype(np.float32)
    layer = TubeEmbedding(5, (3, 4, 2), dtype="float32")
    tokens = np.asarray(layer(clips))
    assert tokens.shape == (2, 8, 5) and layer.tokens == 8
    weights, bias = layer.to_tokens.get_weights()
    position = np.asarray(layer.position)
    by_hand = video.cut_tubes(clips, (3, 4, 2)) @ weights + bias + position
    np.testing.assert_allclose(tokens, by_hand, atol=1e-5)

    convolution = keras.layers.Conv3D(5, (3, 4, 2), strides=(3, 4, 2), dtype="float32")
    convolution.build(clips.shape)
    convolution.set_weights([weights.reshape(3, 4, 2, 3, 5), bias])
    by_convolution = np.asarray(convolution(clips)).reshape(2, 8, 5) + position
    np.testing.assert_allclose(tokens, by_convolution, atol=1e-5)

    network = keras.Sequential([keras.Input(clips.shape[1:]), layer])
    network.save(tmp_path / "tubes.keras")
    again = keras.saving.load_model(tmp_path / "tubes.keras", custom_objects={"TubeEmbedding": TubeEmbedding})
    np.testing.assert_allclose(np.asarray(again(clips)), tokens, atol=1e-6)


def test_tube_embedding_without_positions_and_of_the_wrong_size():
    from mmcourse.layers.tubes import TubeEmbedding

    layer = TubeEmbedding(4, (2, 2, 2), positions=None)
    assert len(layer.get_weights()) == 0
    still = np.ones((1, 4, 4, 4, 1), np.float32)
    tokens = np.asarray(layer(still))
    np.testing.assert_allclose(tokens, np.broadcast_to(tokens[:, :1], tokens.shape), atol=1e-6)
    with pytest.raises(ValueError, match="5 frames cannot be cut into tubes of 2"):
        TubeEmbedding(4, (2, 2, 2))(np.ones((1, 5, 4, 4, 1), np.float32))


# The set


@pytest.fixture(scope="module")
def clips():
    return motion.load()


def test_made_set(clips):
    assert clips.clips.shape == (2600, 9, 32, 32, 3) and clips.clips.dtype == np.uint8
    assert clips.tier == "course" and clips.datasheet.endswith("motion")
    rows = np.concatenate(list(clips.splits.values()))
    assert rows.tolist() == list(range(2600))
    for split, count in motion.SPLITS.items():
        pixels, labels = clips.part(split)
        assert len(pixels) == len(labels) and (np.bincount(labels) == count).all()
    with pytest.raises(ValueError, match="unknown split 'all'"):
        clips.part("all")


def test_no_picture_moves_in_two_splits(clips):
    names = [{clips.names[i] for i in rows} for rows in clips.splits.values()]
    for first in range(3):
        for second in range(first):
            assert not names[first] & names[second]
    drawings = {name: {n for n, _ in rows} for name, rows in motion.pictures().items()}
    assert all(used <= there for used, there in zip(names, drawings.values(), strict=True))
    everything = set().union(*drawings.values())
    assert not {"red circle", "white circle", "radio button"} & everything
    assert {"onion", "potted plant"} & everything


def test_made_set_is_the_same_each_time(clips):
    made = motion._make()  # not what was kept
    np.testing.assert_array_equal(made["clips"][::97], clips.clips[::97])
    assert tuple(made["names"].tolist()) == clips.names


def test_something_moves_in_every_clip(clips):
    change = np.abs(np.diff(clips.clips.astype(int), axis=1)).max(axis=(1, 2, 3, 4))
    assert change.min() > 8


def test_statistics_count_the_clips():
    figures = motion.statistics()
    assert figures["clips in the split 'test'"] == 400
    assert figures["bytes of a clip"] == 9 * 32 * 32 * 3


# On the page


def test_films_have_a_text_and_move_only_when_opened():
    from mmcourse import show

    wheel = np.zeros((5, 8, 12, 3), np.uint8)
    films = show.Films({"a <wheel>, turning": wheel, "a blob": smooth_clip()}, every=2)
    assert repr(films) == "[clip of 5 frames] a <wheel>, turning\n[clip of 6 frames] a blob"
    page = films._repr_html_()
    assert page.count("<details><summary>Play: ") == 2, "closed, and with a name"
    assert page.count("<img alt=") == page.count("<img ") == 4
    assert "3 frames of the clip: a &lt;wheel&gt;, turning" in page and "<wheel>" not in page
    # Few colours are stored without loss.
    assert "image/png" in page and "image/jpeg" in page
