"""Augmentation: what every transformation keeps, and that captions stay true."""

import functools

import cv2
import numpy as np
import pytest
import scipy.ndimage
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mmcourse import image
from mmcourse.data import emoji
from mmcourse.image.augmentation import GREY_WEIGHTS
from mmcourse.image.pairs import UNMIRRORABLE


@st.composite
def pictures(draw, channels=(1, 3), batch=None, dtypes=("uint8", "float32")):
    """One picture or a batch, uint8 or floats between 0 and 1."""
    shape = [draw(st.integers(1, 12)), draw(st.integers(1, 12)), draw(st.sampled_from(channels))]
    if draw(st.booleans()) if batch is None else batch:
        shape.insert(0, draw(st.integers(1, 4)))
    dtype = draw(st.sampled_from(dtypes))
    elements = st.integers(0, 255) if dtype == "uint8" else st.floats(0, 1, width=32)
    return draw(arrays.arrays(dtype, tuple(shape), elements=elements))


BAD_PICTURES = {
    "two axes": (np.zeros((4, 4), np.uint8), r"must be .*\(height, width, channels\).* got shape \(4, 4\)"),
    "five axes": (np.zeros((1, 1, 1, 4, 4), np.uint8), "got shape"),
    "int64": (np.zeros((4, 4, 3), np.int64), "must be uint8 .* got int64"),
    "bool": (np.zeros((4, 4, 3), bool), "got bool"),
    "no rows": (np.zeros((0, 4, 3), np.uint8), "at least one pixel"),
    "no channels": (np.zeros((4, 4, 0), np.uint8), "at least one pixel"),
    "text": ("picture", "got shape"),
}

# Each transformation with a strength between 0 and 1.
TRANSFORMATIONS = {
    "flip": lambda p, r, s: image.flip(p, r, chance=s),
    "flip upside down": lambda p, r, s: image.flip(p, r, chance=s, axis="vertical"),
    "rotate": lambda p, r, s: image.warp(p, r, degrees=180 * s),
    "shift": lambda p, r, s: image.warp(p, r, shift=s),
    "zoom": lambda p, r, s: image.warp(p, r, zoom=s),
    "erase": lambda p, r, s: image.erase(p, r, chance=s),
    "brightness": lambda p, r, s: image.recolour(p, r, brightness=s),
    "contrast": lambda p, r, s: image.recolour(p, r, contrast=s),
    "saturation": lambda p, r, s: image.recolour(p, r, saturation=s),
    "noise": lambda p, r, s: image.add_noise(p, r, s),
    "mixup": lambda p, r, s: image.mixup(p, np.eye(len(p)), r, s)[0] if p.ndim == 4 else p.copy(),
}
every = pytest.mark.parametrize("transform", TRANSFORMATIONS.values(), ids=TRANSFORMATIONS)


@every
@given(given_pictures=pictures(), strength=st.floats(0, 1), seed=st.integers(0, 99))
@settings(deadline=None, max_examples=40)
def test_shape_dtype_range_and_determinism(transform, given_pictures, strength, seed):
    before = given_pictures.copy()
    changed = transform(given_pictures, np.random.default_rng(seed), strength)
    assert changed.shape == given_pictures.shape and changed.dtype == given_pictures.dtype
    assert changed.min() >= 0 and changed.max() <= (255 if changed.dtype == np.uint8 else 1 + 1e-6)
    again = transform(given_pictures, np.random.default_rng(seed), strength)
    np.testing.assert_array_equal(changed, again)
    np.testing.assert_array_equal(given_pictures, before, "the pictures that came in are untouched")
    assert not np.shares_memory(changed, given_pictures)


@every
@given(given_pictures=pictures())
@settings(deadline=None, max_examples=25)
def test_strength_zero_changes_nothing(transform, given_pictures):
    random = np.random.default_rng(0)
    np.testing.assert_array_equal(transform(given_pictures, random, 0), given_pictures)


@pytest.mark.parametrize("name", TRANSFORMATIONS)
def test_full_strength_changes_something_and_each_picture_differently(name):
    random = np.random.default_rng(0)
    picture = np.random.default_rng(1).integers(30, 220, (16, 16, 3), dtype=np.uint8)
    batch = np.stack([picture, *np.random.default_rng(2).integers(0, 256, (7, 16, 16, 3), dtype=np.uint8)])
    changed = TRANSFORMATIONS[name](batch, random, 0.9)
    assert (changed != batch).any()
    if not name.startswith(("flip", "mixup")):
        twins = TRANSFORMATIONS[name](np.stack([picture, picture]), random, 0.9)
        assert (twins[0] != twins[1]).any()


@every
@pytest.mark.parametrize(("bad", "message"), BAD_PICTURES.values(), ids=BAD_PICTURES)
def test_what_is_no_picture_is_refused(transform, bad, message):
    if transform is TRANSFORMATIONS["mixup"]:
        return
    with pytest.raises(ValueError, match=message):
        transform(bad, np.random.default_rng(0), 0.5)


CALLS = {
    "erase": image.erase,
    "flip": image.flip,
    "warp": image.warp,
    "recolour": image.recolour,
    "add_noise": image.add_noise,
    "mixup": lambda p, random, *strength: image.mixup(p, np.eye(2), random, *strength),
}


@pytest.mark.parametrize("function", CALLS.values(), ids=CALLS)
def test_randomness_and_strength_are_checked(function):
    batch = np.zeros((2, 4, 4, 3), np.uint8)
    for random in (None, 3, np.random, np.random.RandomState(0)):
        with pytest.raises(ValueError, match=r"random must be a generator such as np\.random\.default_rng"):
            function(batch, random)
    for strength in (-0.1, np.nan, np.inf, "much", None, 1e9):
        with pytest.raises(ValueError, match="must be a number from 0"):
            function(batch, np.random.default_rng(0), strength)


@pytest.mark.parametrize("function", [image.recolour, image.add_noise])
def test_standardised_pictures_are_not_cut_off_silently(function):
    for bad in (-0.5, 1.5, np.nan):
        with pytest.raises(ValueError, match="before you standardise"):
            function(np.full((4, 4, 3), bad), np.random.default_rng(0))


# Against libraries, and by hand


def test_flip_is_numpys_and_twice_nothing():
    batch = np.random.default_rng(0).integers(0, 256, (5, 4, 6, 3), dtype=np.uint8)
    random = np.random.default_rng(0)
    np.testing.assert_array_equal(image.flip(batch, random, 1.0), np.flip(batch, 2))
    np.testing.assert_array_equal(image.flip(batch, random, 1.0, "vertical"), np.flip(batch, 1))
    np.testing.assert_array_equal(image.flip(image.flip(batch, random, 1.0), random, 1.0), batch)
    share = (image.flip(np.tile(batch, (400, 1, 1, 1)), random) != np.tile(batch, (400, 1, 1, 1))).any(
        (1, 2, 3)
    )
    assert 0.4 < share.mean() < 0.6
    with pytest.raises(ValueError, match="'horizontal' or 'vertical'"):
        image.flip(batch, random, 0.5, "diagonal")


class Fixed(np.random.Generator):
    """Draws the upper limit, so that a transformation does just what its strength says."""

    def __init__(self):
        super().__init__(np.random.PCG64(0))

    def uniform(self, low=0.0, high=1.0, size=None):
        return np.full(size, high, dtype=float)


@pytest.mark.parametrize("side", [8, 9])
@pytest.mark.parametrize("turns", [1, 2])
def test_quarter_turns_are_numpys(side, turns):
    picture = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    turned = image.warp(picture, Fixed(), degrees=90 * turns)
    np.testing.assert_allclose(turned.astype(int), np.rot90(picture, turns), atol=1)


@pytest.mark.parametrize("degrees", [10, 33.3, 120])
def test_rotation_is_scipys(degrees):
    """Inside the circle that no rotation leaves, on a smooth picture: the two round differently."""
    random = np.random.default_rng(0)
    picture = cv2.GaussianBlur(random.uniform(size=(41, 41, 3)).astype("float32"), (0, 0), 2)
    ours = image.warp(picture, Fixed(), degrees=degrees)
    by_library = scipy.ndimage.rotate(picture, degrees, axes=(0, 1), reshape=False, order=1)
    rows, columns = np.indices((41, 41)) - 20
    inside = np.hypot(rows, columns) < 18
    np.testing.assert_allclose(ours[inside], by_library[inside], atol=0.01)


def test_shift_and_zoom_by_hand():
    picture = np.arange(1, 17, dtype=np.uint8).reshape(4, 4, 1)
    moved = image.warp(picture, Fixed(), shift=0.25)[..., 0]
    assert moved.tolist() == [[0, 0, 0, 0], [0, 1, 2, 3], [0, 5, 6, 7], [0, 9, 10, 11]]
    assert (image.warp(picture, Fixed(), shift=1.0, fill=7) == 7).all()
    dot = np.zeros((9, 9, 1), np.float32)
    dot[3:6, 3:6] = 1
    assert image.warp(dot, Fixed(), zoom=1.0).sum() == pytest.approx(4 * dot.sum(), rel=0.15)


@settings(deadline=None, max_examples=60)
@given(
    height=st.integers(1, 20),
    width=st.integers(1, 20),
    shares=st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted),
    seed=st.integers(0, 99),
)
def test_what_is_erased_is_one_rectangle_of_one_colour(height, width, shares, seed):
    nan = np.full((3, height, width, 3), np.nan, np.float32)  # unlike any colour
    for picture in image.erase(nan, np.random.default_rng(seed), 1.0, *shares):
        rows, columns = np.nonzero(~np.isnan(picture).any(axis=-1))
        inside = picture[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        assert (inside == inside[0, 0]).all() and 0 <= inside.min() and inside.max() <= 1
        for side, whole in zip(inside.shape, (height, width), strict=False):
            low, high = (max(1, round(whole * share)) for share in shares)
            assert low <= side <= high


def test_rectangles_reach_every_pixel_in_every_size_and_not_every_picture():
    white = np.full((4000, 5, 6, 3), 255, np.uint8)
    erased = (image.erase(white, np.random.default_rng(0), 0.25, 0.2, 0.6) < 255).any(axis=-1)
    assert erased.any(axis=(1, 2)).mean() == pytest.approx(0.25, abs=0.03)
    assert (erased.mean(axis=0) > 0.01).all()
    heights = set(erased.any(axis=2).sum(axis=1)[erased.any(axis=(1, 2))].tolist())
    assert heights == {1, 2, 3}
    with pytest.raises(ValueError, match=r"smallest must not be above largest, got 0\.6 and 0\.5"):
        image.erase(white, np.random.default_rng(0), 0.5, 0.6)
    for name, shares in (("smallest", (-0.1, 0.5)), ("largest", (0.2, 1.1))):
        with pytest.raises(ValueError, match=f"{name} must be a number from 0"):
            image.erase(white, np.random.default_rng(0), 0.5, *shares)


def test_colours_by_hand():
    picture = np.array([[[100, 50, 0], [50, 100, 150]]], dtype=np.uint8)
    brighter = image.recolour(picture, Fixed(), brightness=0.5)
    assert brighter.tolist() == [[[150, 75, 0], [75, 150, 225]]]
    picture = picture / 255
    grey = (picture @ GREY_WEIGHTS)[..., None]
    paler = image.recolour(picture, Fixed(), saturation=1.0)
    np.testing.assert_allclose(paler, np.clip(2 * picture - grey, 0, 1), atol=1e-6)
    stronger = image.recolour(picture, Fixed(), contrast=1.0)
    np.testing.assert_allclose(stronger, np.clip(2 * picture - grey.mean(), 0, 1), atol=1e-6)


def test_noise_has_the_deviation_that_was_asked_for():
    grey = np.full((4, 50, 50, 3), 128, np.uint8)
    noisy = image.add_noise(grey, np.random.default_rng(0), 0.05)
    assert noisy.std() == pytest.approx(0.05 * 255, rel=0.03) and abs(noisy.mean() - 128) < 0.3


def test_mixup_mixes_pictures_and_targets_alike():
    """One-hot pictures: what the picture says, the target must say."""
    batch = np.eye(6, dtype="float32").reshape(6, 1, 6, 1)
    mixed, targets = image.mixup(batch, np.eye(6), np.random.default_rng(0), 1.0)
    np.testing.assert_allclose(mixed.reshape(6, 6), targets, atol=1e-6)
    np.testing.assert_allclose(targets.sum(1), 1, atol=1e-6)
    assert targets.dtype == np.float32 and ((targets > 0).sum(1) == 2).any()
    shares = image.mixup(np.zeros((2000, 1, 1, 1), np.uint8), np.eye(2000), np.random.default_rng(0), 0.2)[1]
    assert shares.max(1).mean() > 0.85, "Beta(0.2, 0.2) lies near 0 and 1"
    for bad in (np.arange(6), np.eye(5)):
        with pytest.raises(ValueError, match="one-hot"):
            image.mixup(batch, bad, np.random.default_rng(0))
    with pytest.raises(ValueError, match="expected a batch"):
        image.mixup(batch[0], np.eye(1), np.random.default_rng(0))


# Captions


MIRRORED = {
    "left arrow": "right arrow",
    "right arrow curving left": "left arrow curving right",
    "the man on the LEFT": "the man on the RIGHT",
    "Left of the tree": "Right of the tree",
    "leftwards hand": "rightwards hand",
    "left-facing fist": "right-facing fist",
    "left-hand side": "right-hand side",
    "a lefthanded guitar": "a righthanded guitar",
    "up-left arrow": "up-right arrow",
    "left-right arrow": "left-right arrow",
    "clockwise vertical arrows": "counterclockwise vertical arrows",
    "a bright light": "a bright light",
    "upright piano": "upright piano",
    "a cleft chin": "a cleft chin",
    "leftover food": "leftover food",
    "red heart": "red heart",
    "": "",
    "向左箭头": "向右箭头",
    "左右摇头": "左右摇头",
    "左上箭头在右边": "右上箭头在左边",
    "面向右边": "面向左边",
    "顺时针": "逆时针",
}
REFUSED = [
    "flag of Ireland", "Flags", "three o’clock", "five-thirty", "left luggage", "the letter R", "keycap 3",
    "a sign that says “stop”", "world map", "waxing crescent moon", "play button", "lEFT", "an alarm clock",
    "快进按钮", "爱尔兰国旗", "上弦月", "闹钟", "page 7",
]  # fmt: skip


@pytest.mark.parametrize(("caption", "expected"), MIRRORED.items())
def test_captions_are_mirrored(caption, expected):
    assert image.mirror_caption(caption) == expected
    assert image.mirror_caption(expected) == caption


@pytest.mark.parametrize("caption", REFUSED)
def test_captions_that_no_mirror_keeps_true_are_refused(caption):
    assert image.mirror_caption(caption) is None


PIECES = st.sampled_from(
    [
        "left",
        "right",
        "Left",
        "RIGHT",
        "left-right",
        "左",
        "右",
        "左右",
        "顺时针",
        "逆时针",
        "clockwise",
        "wards",
        "side",
        "counterclockwise",
        "Counterclockwise",
        " ",
        "-",
        "heart",
        "红",
        "bright",
        "hand",
    ]
)


@given(st.lists(PIECES, max_size=8).map("".join) | st.text(max_size=30))
@settings(max_examples=500)
def test_mirroring_twice_gives_the_caption_back(caption):
    mirrored = image.mirror_caption(caption)
    if mirrored is not None:
        assert image.mirror_caption(mirrored) == caption


@given(pictures(batch=False), st.lists(PIECES, max_size=5).map("".join))
def test_mirroring_a_pair_twice_gives_both_back(picture, caption):
    pair = image.mirror_pair(picture, caption)
    assume(pair is not None)
    np.testing.assert_array_equal(pair[0], picture[:, ::-1])
    again = image.mirror_pair(*pair)
    np.testing.assert_array_equal(again[0], picture)
    assert again[1] == caption


def test_bad_pairs():
    picture = np.zeros((4, 4, 3), np.uint8)
    for caption in (None, 3, b"left"):
        with pytest.raises(ValueError, match="caption must be a text"):
            image.mirror_caption(caption)
    with pytest.raises(ValueError, match=r"picture must be \(height, width, channels\)"):
        image.mirror_pair(picture[None], "left")
    with pytest.raises(ValueError, match="got int64"):
        image.mirror_pair(picture.astype(int), "left")
    assert len(set(UNMIRRORABLE)) == len(UNMIRRORABLE)


# The course's own pairs


@functools.cache
def drawn(name):
    """A picture of Twemoji by its English name."""
    (entry,) = [entry for entry in emoji.load_entries() if entry.names["en"] == name]
    return emoji.picture_of(entry.text, 32)


PAIRS = ["left arrow", "up-right arrow", "backhand index pointing left", "leftwards pushing hand"]


def says_what_it_shows(picture, caption):
    """Whether the picture is nearer to what the caption says than to its mirror image, wherever it lies."""
    frame = np.pad(picture, ((8, 8), (8, 8), (0, 0)), constant_values=255)
    own, other = (
        cv2.matchTemplate(frame, drawn(one), cv2.TM_SQDIFF).min()
        for one in (caption, image.mirror_caption(caption))
    )
    return own < other


@pytest.mark.parametrize("name", PAIRS)
def test_pairs_stay_true(name):
    random = np.random.default_rng(0)
    captions = []
    for strength in (0, 0.3, 1.0):
        for _ in range(20):
            picture, caption = image.augment_pair(drawn(name), name, random, strength=strength, fill=255)
            assert picture.shape == (32, 32, 3) and picture.dtype == np.uint8
            assert says_what_it_shows(picture, caption)
            captions.append(caption)
    assert set(captions) == {name, image.mirror_caption(name)}


@pytest.mark.parametrize("name", PAIRS)
def test_the_mistake_is_found(name):
    assert not says_what_it_shows(drawn(name)[:, ::-1], name)


UNSAFE = ("flip", "flip upside down", "rotate", "mixup")
PAIR_SAFE = {name: change for name, change in TRANSFORMATIONS.items() if name not in UNSAFE}


@pytest.mark.parametrize("transform", PAIR_SAFE.values(), ids=PAIR_SAFE)
@pytest.mark.parametrize("name", PAIRS)
def test_small_changes_keep_directions(transform, name):
    random = np.random.default_rng(0)
    assert all(says_what_it_shows(transform(drawn(name), random, 0.1), name) for _ in range(10))


@given(st.integers(0, 50))
@settings(max_examples=10, deadline=None)
def test_pairs_depend_on_the_generator_alone(seed):
    results = [
        image.augment_pair(drawn("left arrow"), "left arrow", np.random.default_rng(seed)) for _ in range(2)
    ]
    np.testing.assert_array_equal(results[0][0], results[1][0])
    assert results[0][1] == results[1][1]


def test_pairs_that_may_not_be_mirrored_are_not():
    random = np.random.default_rng(0)
    for caption, may_flip in (("left arrow", False), ("three o’clock", True)):
        for _ in range(20):
            picture, kept = image.augment_pair(drawn("left arrow"), caption, random, 1.0, 0.0, may_flip)
            assert kept == caption
            np.testing.assert_array_equal(picture, drawn("left arrow"))
    mirrored, caption = image.augment_pair(drawn("left arrow"), "left arrow", random, flip=1.0, strength=0.0)
    assert caption == "right arrow"
    np.testing.assert_array_equal(mirrored, drawn("left arrow")[:, ::-1])
    with pytest.raises(ValueError, match="flip must be a number from 0 to 1"):
        image.augment_pair(drawn("left arrow"), "left arrow", random, flip=2)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_names_of_the_set_keep_their_mirror_names(language):
    """Where two names of the set are each other's mirror images, both are found."""
    names = {entry.names[language] for entry in emoji.load_entries()}
    mirrored = {name: image.mirror_caption(name) for name in names}
    changed = {name: new for name, new in mirrored.items() if new not in (None, name)}
    assert len(changed) > 100
    for name, new in changed.items():
        if new in names:
            assert changed[new] == name
