"""Colour, sizes, cleaning and normalisation: each algorithm by hand against a library that does the same."""

import cv2
import numpy as np
import pytest
import scipy.ndimage
import scipy.sparse
import scipy.sparse.linalg
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageChops, ImageFilter
from sklearn.preprocessing import StandardScaler

from mmcourse import image
from mmcourse.image import PictureError
from mmcourse.image.colour import GREY_WEIGHTS

SIDES = st.integers(1, 12)


@st.composite
def pictures(draw, channels=(1, 3), batch=None, dtypes=("uint8", "float32"), least=1):
    """One picture or a batch, uint8 or floats between 0 and 1."""
    shape = [draw(st.integers(least, 12)), draw(st.integers(least, 12)), draw(st.sampled_from(channels))]
    if draw(st.booleans()) if batch is None else batch:
        shape.insert(0, draw(st.integers(1, 4)))
    dtype = draw(st.sampled_from(dtypes))
    elements = st.integers(0, 255) if dtype == "uint8" else st.floats(0, 1, width=32)
    return draw(arrays.arrays(dtype, tuple(shape), elements=elements))


def rounded(values, dtype):
    return np.clip(np.rint(values), 0, 255) if dtype == np.uint8 else values


# What is accepted


BAD_PICTURES = {
    "two axes": (np.zeros((4, 4), np.uint8), r"must be .*\(height, width, channels\).* got shape \(4, 4\)"),
    "five axes": (np.zeros((1, 1, 1, 4, 4), np.uint8), "got shape"),
    "int64": (np.zeros((4, 4, 3), np.int64), "must be uint8 .* got int64"),
    "bool": (np.zeros((4, 4, 3), bool), "got bool"),
    "no rows": (np.zeros((0, 4, 3), np.uint8), "at least one pixel"),
    "no channels": (np.zeros((4, 4, 0), np.uint8), "at least one pixel"),
    "text": ("picture", "got shape"),
}
ACCEPTS_BATCHES = {
    "to_grey": image.to_grey,
    "lay_over": image.lay_over,
    "shrink": lambda p: image.shrink(p, 1),
    "bilinear": lambda p: image.bilinear(p, 2, 2),
    "to_unit": image.to_unit,
    "fit": image.Standardiser.fit,
    "for_encoder": lambda p: image.for_encoder(p, "tf"),
}


@pytest.mark.parametrize("function", ACCEPTS_BATCHES.values(), ids=ACCEPTS_BATCHES)
@pytest.mark.parametrize(("bad", "message"), BAD_PICTURES.values(), ids=BAD_PICTURES)
def test_what_is_no_picture_is_refused(function, bad, message):
    with pytest.raises(ValueError, match=message):
        function(bad)


ACCEPTS_ONE = {
    "find_content": image.find_content,
    "crop_border": image.crop_border,
    "fill_missing": lambda p: image.fill_missing(p, np.zeros(np.shape(p)[:2], bool)),
    "median_filter": image.median_filter,
    "gaussian_filter": lambda p: image.gaussian_filter(p, 1),
    "signal_to_noise": lambda p: image.signal_to_noise(p, p),
}


@pytest.mark.parametrize("function", ACCEPTS_ONE.values(), ids=ACCEPTS_ONE)
def test_functions_of_one_picture_refuse_a_batch(function):
    with pytest.raises(ValueError, match=r"must be one picture \(height, width, channels\)"):
        function(np.zeros((2, 4, 4, 3), np.uint8))


# Colour


@given(arrays.arrays("float64", st.integers(1, 50), elements=st.floats(0, 1)))
def test_light_and_back(values):
    light = image.to_light(values)
    assert ((light >= 0) & (light <= 1)).all() and (light <= values + 1e-12).all()
    np.testing.assert_allclose(image.to_srgb(light), values, atol=1e-7)


def test_light_is_that_of_opencv():
    """Lab from sRGB, and Lab from linear light that we computed: the same."""
    values = np.random.default_rng(0).uniform(size=(30, 30, 3)).astype("float32")
    by_library = cv2.cvtColor(values, cv2.COLOR_RGB2Lab)
    by_hand = cv2.cvtColor(image.to_light(values).astype("float32"), cv2.COLOR_LRGB2Lab)
    # OpenCV looks its own values up in a coarse table; Lab goes to 100.
    np.testing.assert_allclose(by_hand, by_library, atol=0.5)


@pytest.mark.parametrize("function", [image.to_light, image.to_srgb])
@pytest.mark.parametrize("bad", [[1.5], [-0.1], [np.nan]])
def test_light_outside_the_range_is_refused(function, bad):
    with pytest.raises(ValueError, match="between 0 and 1"):
        function(np.array(bad))


@given(pictures(channels=(3,)))
def test_grey_is_that_of_opencv(given_pictures):
    grey = image.to_grey(given_pictures)
    assert grey.shape == (*given_pictures.shape[:-1], 1) and grey.dtype == given_pictures.dtype
    batch = given_pictures if given_pictures.ndim == 4 else given_pictures[None]
    by_library = np.stack([cv2.cvtColor(p, cv2.COLOR_RGB2GRAY) for p in batch]).reshape(grey.shape)
    np.testing.assert_allclose(grey.astype(float), by_library, atol=1 if grey.dtype == np.uint8 else 1e-5)
    assert GREY_WEIGHTS.sum() == pytest.approx(1)


@given(pictures(channels=(4,), dtypes=("uint8",)), st.tuples(*[st.integers(0, 255)] * 3))
def test_over_is_that_of_pillow(rgba, background):
    laid = image.lay_over(rgba, background)
    assert laid.dtype == np.uint8 and laid.shape == (*rgba.shape[:-1], 3)
    batch, results = (rgba, laid) if rgba.ndim == 4 else (rgba[None], laid[None])
    for picture, result in zip(batch, results, strict=True):
        behind = Image.new("RGBA", picture.shape[1::-1], (*background, 255))
        by_library = np.asarray(Image.alpha_composite(behind, Image.fromarray(picture)).convert("RGB"))
        np.testing.assert_allclose(result.astype(int), by_library, atol=1)


def test_opaque_stays_and_transparent_becomes_the_background():
    rgba = np.array([[[10, 20, 30, 255], [10, 20, 30, 0]]], dtype=np.uint8)
    assert image.lay_over(rgba).tolist() == [[[10, 20, 30], [255, 255, 255]]]
    assert image.lay_over(rgba / 255.0)[0, 1].tolist() == [1, 1, 1]
    with pytest.raises(ValueError, match="three numbers from 0 to 255"):
        image.lay_over(rgba, (0, 0, 300))
    with pytest.raises(ValueError, match="three numbers"):
        image.lay_over(rgba, (0, 0))
    with pytest.raises(ValueError, match="four channels"):
        image.lay_over(rgba[..., :3])


# Sizes


@given(pictures(), st.integers(1, 4))
def test_boxes_are_opencvs_areas(given_pictures, factor):
    height, width = (side // factor * factor for side in given_pictures.shape[-3:-1])
    if not min(height, width):
        with pytest.raises(ValueError, match="factor must be a whole number from 1"):
            image.shrink(given_pictures, factor)
        return
    whole = given_pictures[..., :height, :width, :]
    small = image.shrink(whole, factor)
    assert small.dtype == whole.dtype and small.shape[-3:-1] == (height // factor, width // factor)
    np.testing.assert_array_equal(image.shrink(given_pictures, factor), small)
    if factor == 1:
        np.testing.assert_array_equal(small, whole)
    batch, results = (whole, small) if small.ndim == 4 else (whole[None], small[None])
    for one, expected in zip(results, batch, strict=True):
        by_library = cv2.resize(
            expected, (width // factor, height // factor), interpolation=cv2.INTER_AREA
        ).reshape(one.shape)
        np.testing.assert_allclose(one.astype(float), by_library, atol=1 if whole.dtype == np.uint8 else 1e-5)


@given(pictures(), SIDES, SIDES)
def test_bilinear_is_opencvs(given_pictures, height, width):
    resized = image.bilinear(given_pictures, height, width)
    assert resized.dtype == given_pictures.dtype
    assert resized.shape == (*given_pictures.shape[:-3], height, width, given_pictures.shape[-1])
    batch, results = (given_pictures, resized) if resized.ndim == 4 else (given_pictures[None], resized[None])
    for picture, result in zip(batch, results, strict=True):
        by_library = cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR)
        np.testing.assert_allclose(
            result.astype(float),
            by_library.reshape(result.shape),
            atol=1 if result.dtype == np.uint8 else 1e-4,
        )


def test_bilinear_is_that_of_keras():
    import keras

    picture = np.random.default_rng(0).uniform(size=(9, 7, 3)).astype("float32")
    for height, width in ((18, 14), (5, 11), (3, 3)):
        by_library = keras.ops.image.resize(picture, (height, width), interpolation="bilinear")
        np.testing.assert_allclose(image.bilinear(picture, height, width), by_library, atol=1e-5)


@given(pictures())
def test_the_same_size_is_the_same_picture(given_pictures):
    height, width = given_pictures.shape[-3:-1]
    resized = image.bilinear(given_pictures, height, width)
    np.testing.assert_allclose(resized.astype(float), given_pictures, atol=1e-6)


@given(pictures(), SIDES, SIDES)
def test_resizing_stays_within_the_values(given_pictures, height, width):
    resized = image.bilinear(given_pictures, height, width)
    assert resized.dtype == given_pictures.dtype and resized.shape[-3:-1] == (height, width)
    low, high = given_pictures.min(), given_pictures.max()
    assert resized.min() >= low - 1e-6 and resized.max() <= high + 1e-6


@pytest.mark.parametrize("side", [0, -1, 2.0, None])
def test_sides_that_are_none(side):
    with pytest.raises(ValueError, match="height must be a whole number above 0"):
        image.bilinear(np.zeros((4, 4, 3), np.uint8), side, 4)


# Borders


@given(pictures(batch=False, dtypes=("uint8",)), st.integers(0, 60), st.sampled_from([0, 255, 100]))
def test_box_is_that_of_pillow(picture, tolerance, colour):
    flat = Image.fromarray(np.abs(picture.astype(int) - colour).max(axis=-1).astype(np.uint8))
    expected = flat.point(lambda value: 255 if value > tolerance else 0).getbbox()
    if expected is None:
        with pytest.raises(PictureError, match="nothing inside the border"):
            image.find_content(picture, colour, tolerance)
        return
    left, upper, right, lower = expected
    assert image.find_content(picture, colour, tolerance) == (upper, lower, left, right)
    np.testing.assert_array_equal(
        image.crop_border(picture, colour, tolerance), picture[upper:lower, left:right]
    )


@given(st.tuples(*[st.integers(0, 5)] * 4), st.sampled_from(["uint8", "float32"]), st.booleans())
def test_a_border_goes_and_nothing_else(sides, dtype, white):
    value = (255 if dtype == "uint8" else 1) * white
    inner = np.full((4, 6, 3), 0.5 if dtype == "float32" else 128, dtype=dtype)
    framed = np.pad(inner, (sides[:2], sides[2:], (0, 0)), constant_values=value)
    cropped = image.crop_border(framed, colour=value)
    np.testing.assert_array_equal(cropped, inner)
    np.testing.assert_array_equal(image.crop_border(cropped, colour=value), inner)
    cropped[:] = 0
    assert framed.max() > 0, "a copy"


def test_border_colour():
    picture = np.full((5, 5, 3), (10, 200, 30), dtype=np.uint8)
    picture[2, 3] = 0
    assert image.find_content(picture, (10, 200, 30)) == (2, 3, 3, 4)
    with pytest.raises(ValueError, match=r"one number or 3 \(one a channel\)"):
        image.find_content(picture, (1, 2))
    with pytest.raises(ValueError, match="tolerance must be a number from 0 to 255"):
        image.find_content(picture, 0, -1)
    assert ImageChops.difference(Image.new("RGB", (1, 1)), Image.new("RGB", (1, 1))).getbbox() is None


# Missing pixels


def solve_laplace(picture, missing):
    """The same equations, solved at once by SciPy."""
    height, width = missing.shape
    number = -np.ones(missing.shape, int)
    number[missing] = np.arange(missing.sum())
    matrix = scipy.sparse.lil_matrix((missing.sum(),) * 2)
    right = np.zeros((missing.sum(), picture.shape[-1]))
    for row, column in zip(*np.nonzero(missing), strict=True):
        here = number[row, column]
        for down, across in ((-1, 0), (1, 0), (0, -1), (0, 1)):
            r, c = row + down, column + across
            if 0 <= r < height and 0 <= c < width:
                matrix[here, here] += 1
                if missing[r, c]:
                    matrix[here, number[r, c]] -= 1
                else:
                    right[here] += picture[r, c]
    return scipy.sparse.linalg.spsolve(matrix.tocsc(), right).reshape(right.shape)


@given(st.data())
@settings(deadline=None, max_examples=50)
def test_filling_solves_laplace(data):
    picture = data.draw(pictures(batch=False, dtypes=("float64",)))
    missing = data.draw(arrays.arrays(bool, picture.shape[:2]))
    if missing.all():
        missing[0, 0] = False
    torn = np.where(missing[..., None], np.nan, picture)
    filled = image.fill_missing(torn, missing, tolerance=1e-9)
    np.testing.assert_array_equal(filled[~missing], picture[~missing])
    if missing.any():
        np.testing.assert_allclose(filled[missing], solve_laplace(picture, missing), atol=1e-5)
        known = picture[~missing]
        assert (filled >= known.min(0) - 1e-6).all() and (filled <= known.max(0) + 1e-6).all()


def test_filling_keeps_a_slope():
    slope = np.arange(20, dtype=np.uint8).repeat(20).reshape(20, 20, 1) * 10
    missing = np.zeros((20, 20), bool)
    missing[5:15, 5:15] = True
    filled = image.fill_missing(np.where(missing[..., None], 255, slope).astype(np.uint8), missing)
    np.testing.assert_allclose(filled.astype(int), slope, atol=1)
    assert filled.dtype == np.uint8


def test_what_cannot_be_filled():
    picture = np.zeros((3, 4, 3), np.uint8)
    with pytest.raises(ValueError, match="every pixel is missing"):
        image.fill_missing(picture, np.ones((3, 4), bool))
    for missing in (np.zeros((3, 4), int), np.zeros((4, 3), bool), np.zeros((3, 4, 3), bool)):
        with pytest.raises(ValueError, match=r"missing must be bool with shape \(3, 4\)"):
            image.fill_missing(picture, missing)
    np.testing.assert_array_equal(image.fill_missing(picture, np.zeros((3, 4), bool)), picture)


# Noise


@given(pictures(batch=False), st.sampled_from([1, 3, 5]))
def test_median_is_that_of_opencv_and_scipy(picture, size):
    filtered = image.median_filter(picture, size)
    assert filtered.dtype == picture.dtype and filtered.shape == picture.shape
    by_scipy = scipy.ndimage.median_filter(picture, (size, size, 1), mode="nearest")
    np.testing.assert_array_equal(filtered, by_scipy)
    if size > 1 and picture.dtype == np.uint8 and picture.shape[-1] == 3:
        np.testing.assert_array_equal(filtered, cv2.medianBlur(picture, size).reshape(picture.shape))
    if size == 1:
        np.testing.assert_array_equal(filtered, picture)


def test_median_is_that_of_pillow_inside():
    picture = np.random.default_rng(0).integers(0, 256, (20, 20, 3), dtype=np.uint8)
    by_library = np.asarray(Image.fromarray(picture).filter(ImageFilter.MedianFilter(3)))
    np.testing.assert_array_equal(image.median_filter(picture)[1:-1, 1:-1], by_library[1:-1, 1:-1])


@given(pictures(batch=False, dtypes=("float32",)), st.floats(0.3, 3))
def test_gaussian_is_that_of_scipy(picture, sigma):
    filtered = image.gaussian_filter(picture, sigma)
    by_library = scipy.ndimage.gaussian_filter(picture, (sigma, sigma, 0), mode="nearest", truncate=4)
    np.testing.assert_allclose(filtered, by_library, atol=1e-5)
    assert filtered.dtype == picture.dtype


def test_gaussian_is_that_of_opencv():
    picture = np.random.default_rng(0).integers(0, 256, (30, 20, 3), dtype=np.uint8)
    by_library = cv2.GaussianBlur(picture, (17, 17), 2, borderType=cv2.BORDER_REPLICATE)
    np.testing.assert_allclose(image.gaussian_filter(picture, 2).astype(int), by_library, atol=1)
    np.testing.assert_array_equal(image.gaussian_filter(picture, 0), picture)


def test_bad_filters():
    picture = np.zeros((4, 4, 1), np.uint8)
    for size in (0, 2, -1, 3.0, None):
        with pytest.raises(ValueError, match="size must be an odd whole number"):
            image.median_filter(picture, size)
    for sigma in (-1, np.nan, np.inf, "1"):
        with pytest.raises(ValueError, match="sigma must be a number from 0"):
            image.gaussian_filter(picture, sigma)


@given(st.data())
def test_signal_to_noise_is_that_of_opencv(data):
    one = data.draw(pictures(batch=False, dtypes=("uint8",)))
    other = data.draw(arrays.arrays("uint8", one.shape))
    found = image.signal_to_noise(one, other)
    if (one == other).all():
        assert found == float("inf")
    else:
        assert found == pytest.approx(cv2.PSNR(one, other), abs=1e-6)
        floats = image.signal_to_noise(one / 255.0, other / 255.0)
        assert floats == pytest.approx(found, abs=1e-9)


def test_signal_to_noise_by_hand():
    reference = np.full((1, 4, 1), 100, dtype=np.uint8)
    picture = np.array([100, 110, 90, 100], dtype=np.uint8).reshape(1, 4, 1)
    assert image.signal_to_noise(picture, reference) == pytest.approx(10 * np.log10(255**2 / 50))
    with pytest.raises(ValueError, match="one shape and dtype"):
        image.signal_to_noise(picture, reference[:, :3])
    with pytest.raises(ValueError, match="one shape and dtype"):
        image.signal_to_noise(picture, reference / 255.0)


# Normalisation


@given(pictures(dtypes=("uint8",)))
def test_unit(given_pictures):
    unit = image.to_unit(given_pictures)
    assert unit.dtype == np.float32 and unit.min() >= 0 and unit.max() <= 1
    np.testing.assert_allclose(unit, given_pictures / 255, atol=1e-7)
    with pytest.raises(ValueError, match="are they scaled already"):
        image.to_unit(unit)


@given(pictures(batch=True), st.data())
def test_standardising_is_that_of_scikit_learn(train, data):
    fitted = image.Standardiser.fit(train)
    scaler = StandardScaler().fit(train.reshape(-1, train.shape[-1]).astype(float))
    np.testing.assert_allclose(fitted.mean, scaler.mean_, atol=1e-5)
    varied = scaler.scale_ > 1e-6  # what hardly varies is divided by 1
    np.testing.assert_allclose(fitted.deviation[varied], scaler.scale_[varied], atol=1e-3)
    other = data.draw(arrays.arrays(train.dtype, train.shape, elements=st.sampled_from([0, 1])))
    scaled = fitted.apply(other)
    assert scaled.dtype == np.float32 and scaled.shape == other.shape
    by_library = scaler.transform(other.reshape(-1, train.shape[-1]).astype(float)).reshape(other.shape)
    if scaler.scale_.min() > 1e-3:
        np.testing.assert_allclose(scaled, by_library, rtol=1e-2, atol=1e-3)
    np.testing.assert_allclose(fitted.undo(scaled), other, atol=1e-2)


def test_standardised_training_pictures_have_mean_0_and_deviation_1():
    train = np.random.default_rng(0).integers(0, 200, (50, 8, 8, 3), dtype=np.uint8)
    fitted = image.Standardiser.fit(train)
    scaled = fitted.apply(train)
    np.testing.assert_allclose(scaled.mean((0, 1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(scaled.std((0, 1, 2)), 1, atol=1e-5)
    np.testing.assert_allclose(fitted.apply(train[3]), scaled[3])
    # other pictures play no part: the statistics are the training part's
    assert abs(fitted.apply(np.full((1, 8, 8, 3), 255, np.uint8)).mean()) > 1


def test_standardiser_refuses_what_it_was_not_fitted_on():
    fitted = image.Standardiser.fit(np.random.default_rng(0).integers(0, 9, (2, 4, 4, 3), dtype=np.uint8))
    with pytest.raises(ValueError, match="fitted on uint8 pictures of 3 channels, got float64"):
        fitted.apply(np.zeros((2, 4, 4, 3)))
    with pytest.raises(ValueError, match="pictures of 1"):
        fitted.apply(np.zeros((2, 4, 4, 1), np.uint8))
    with pytest.raises(ValueError, match="NaN or infinity"):
        image.Standardiser.fit(np.full((1, 2, 2, 1), np.nan))
    with pytest.raises(ValueError, match="no training picture"):
        image.Standardiser.fit(np.zeros((0, 2, 2, 1)))
    constant = image.Standardiser.fit(np.full((2, 2, 2, 1), 7, np.uint8))
    assert constant.apply(np.full((2, 2, 1), 7, np.uint8)).tolist() == np.zeros((2, 2, 1)).tolist()


@pytest.mark.parametrize("convention", ["caffe", "tf", "torch"])
@given(given_pictures=pictures(channels=(3,), dtypes=("uint8",)))
@settings(max_examples=20, deadline=None)
def test_encoders_get_what_keras_gives_them(convention, given_pictures):
    from keras.applications import imagenet_utils

    ours = image.for_encoder(given_pictures, convention)
    by_library = imagenet_utils.preprocess_input(
        given_pictures.astype("float32"), data_format="channels_last", mode=convention
    )
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, by_library, atol=1e-4)


def test_white_for_vgg():
    from keras.applications import vgg16

    white = np.full((1, 1, 1, 3), 255, dtype=np.uint8)
    ours = image.for_encoder(white, "caffe").ravel()
    np.testing.assert_allclose(ours, [151.061, 138.221, 131.32], atol=1e-4)
    np.testing.assert_allclose(ours, vgg16.preprocess_input(white.astype("float32")).ravel(), atol=1e-5)
    with pytest.raises(ValueError, match="unknown convention 'vgg'; expected one of: caffe, tf, torch"):
        image.for_encoder(white, "vgg")
    with pytest.raises(ValueError, match="uint8 with three channels"):
        image.for_encoder(white / 255.0, "caffe")
