"""Encoders that are trained from nothing: shapes, masks, places, and agreement with NumPy."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcourse import encoders, video
from mmcourse.encoders.layers import AudioEmbedding, TextEmbedding, audio_token_mask
from mmcourse.layers.patches import cut_patches
from mmcourse.layers.tubes import TubeEmbedding

WIDTH, FRAMES, FEATURES = 8, 12, 5
pytestmark = pytest.mark.usefixtures("float32")


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def randomise(model, seed: int = 1) -> None:
    random = np.random.default_rng(seed)
    model.set_weights([random.normal(scale=0.3, size=weight.shape) for weight in model.get_weights()])


def made(name: str):
    """One small encoder of each kind, and inputs for three."""
    lengths = np.array([FRAMES, 5, 1])
    real = np.arange(FRAMES) < lengths[:, None]
    if name == "text":
        model = encoders.text_encoder(20, FRAMES, WIDTH, heads=2)
        return model, [np.where(real, np.random.default_rng(0).integers(1, 20, real.shape), 0)]
    if name == "image":
        return encoders.image_encoder(8, 4, WIDTH, heads=2), [normal(3, 8, 8, 3)]
    if name == "audio":
        return encoders.audio_encoder(FRAMES, FEATURES, WIDTH, heads=2), [normal(3, FRAMES, FEATURES), real]
    return encoders.video_encoder((4, 8, 8), (2, 4, 4), WIDTH, heads=2), [normal(3, 4, 8, 8, 3)]


KINDS = {"text": FRAMES, "image": 5, "audio": 3, "video": 8}


def run(model, inputs) -> np.ndarray:
    return np.asarray(model(inputs if len(inputs) > 1 else inputs[0]))


@pytest.mark.parametrize("name", KINDS)
def test_every_modality_becomes_tokens(name):
    model, inputs = made(name)
    randomise(model)
    tokens = run(model, inputs)
    assert tokens.shape == (3, KINDS[name], WIDTH) == (3, *model.output_shape[1:])
    assert tokens.dtype == np.float32 and np.isfinite(tokens).all() and np.ptp(tokens) > 0.1


@pytest.mark.parametrize("name", KINDS)
def test_one_alone_and_one_of_many_are_the_same(name):
    model, inputs = made(name)
    randomise(model)
    alone = np.concatenate([run(model, [array[row : row + 1] for array in inputs]) for row in range(3)])
    np.testing.assert_allclose(run(model, inputs), alone, atol=1e-5)
    np.testing.assert_array_equal(run(model, inputs), run(model, inputs))


@pytest.mark.parametrize("name", KINDS)
def test_a_seed_makes_the_same_encoder(name):
    outputs = []
    for _ in range(2):
        keras.utils.set_random_seed(3)
        model, inputs = made(name)
        outputs.append(run(model, inputs))
    np.testing.assert_array_equal(*outputs)


@pytest.mark.parametrize("name", KINDS)
def test_it_learns_and_can_be_saved(name, tmp_path):
    model, inputs = made(name)
    head = keras.layers.Dense(1)(keras.layers.GlobalAveragePooling1D()(model.output))
    whole = keras.Model(model.input, head)
    whole.compile(keras.optimizers.Adam(0.01), "mse", run_eagerly=True)
    targets = np.array([1.0, -1.0, 0.0])
    given = inputs if len(inputs) > 1 else inputs[0]
    losses = whole.fit(given, targets, epochs=12, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0]
    whole.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(
        tmp_path / "model.keras", custom_objects={"TubeEmbedding": TubeEmbedding}
    )
    np.testing.assert_allclose(loaded(given), whole(given), atol=1e-6)


# Padding


@given(st.integers(1, FRAMES), st.floats(allow_nan=True, width=32), st.integers(0, 9))
@settings(deadline=None, max_examples=12)
def test_what_stands_behind_a_recording_changes_nothing(length, garbage, seed):
    model = encoders.audio_encoder(FRAMES, FEATURES, WIDTH, heads=2)
    short = encoders.audio_encoder(length, FEATURES, WIDTH, heads=2)
    randomise(model, seed)
    short.set_weights(model.get_weights())
    frames = normal(1, FRAMES, FEATURES, seed=seed)
    frames[:, length:] = garbage
    real = np.arange(FRAMES)[None] < length
    tokens = np.asarray(model([frames, real]))
    alone = np.asarray(short([frames[:, :length], real[:, :length]]))
    kept = -(-length // 4)
    assert np.asarray(audio_token_mask(real)).sum() == kept == alone.shape[1]
    np.testing.assert_allclose(tokens[:, :kept], alone, atol=1e-5)
    assert not tokens[:, kept:].any()


@given(st.integers(1, FRAMES), st.integers(0, 9))
@settings(deadline=None, max_examples=8)
def test_padding_of_a_text_changes_nothing(length, seed):
    token_ids = np.zeros((1, FRAMES), int)
    token_ids[:, :length] = np.random.default_rng(seed).integers(1, 20, length)
    model, short = (encoders.text_encoder(20, FRAMES, WIDTH, heads=2) for _ in range(2))
    randomise(model, seed)
    weights = model.get_weights()
    row_of_padding = next(place for place, weight in enumerate(weights) if weight.shape == (20, WIDTH))
    tokens = np.asarray(model(token_ids))
    weights[row_of_padding][0] += 5.0
    short.set_weights(weights)
    np.testing.assert_allclose(np.asarray(short(token_ids)), tokens, atol=1e-5)
    assert not tokens[:, length:].any() and tokens[:, :length].any(axis=2).all()


# The embeddings equal what can be written down


def test_text_is_a_look_up_and_a_place():
    layer = TextEmbedding(10, 6, WIDTH)
    token_ids = np.array([[3, 3, 0, 9]])
    layer(token_ids)
    randomise(layer)
    table, position = layer.get_weights()
    one_hot = np.eye(10)[token_ids]  # (1, 4, 10)
    np.testing.assert_allclose(layer(token_ids), one_hot @ table + position[:4], atol=1e-6)


def test_a_text_may_not_be_longer_than_the_table_of_places():
    with pytest.raises(ValueError, match=r"at most 6 tokens \(longest\), got 7"):
        TextEmbedding(10, 6, WIDTH)(np.zeros((1, 7), int))


def test_patches_and_tubes_are_convolutions_that_do_not_overlap():
    pictures, clips = normal(2, 8, 8, 3), normal(2, 4, 8, 8, 3)
    for inputs, cut, size in (
        (pictures, cut_patches(pictures, 4), (4, 4)),
        (clips, video.cut_tubes(clips, (2, 4, 4)), (2, 4, 4)),
    ):
        kernel = normal(*size, 3, WIDTH)
        layer = (keras.layers.Conv2D if len(size) == 2 else keras.layers.Conv3D)(WIDTH, size, size)
        layer.build(inputs.shape)
        layer.set_weights([kernel, np.zeros(WIDTH)])
        tokens = cut.reshape(2, cut.shape[1], -1) @ kernel.reshape(-1, WIDTH)
        np.testing.assert_allclose(np.asarray(layer(inputs)).reshape(tokens.shape), tokens, atol=1e-4)


def gelu(values):
    return 0.5 * values * (1 + np.tanh(np.sqrt(2 / np.pi) * (values + 0.044715 * values**3)))


@pytest.mark.parametrize("kernel_size", [1, 3, 5])
def test_audio_convolutions_by_hand(kernel_size):
    layer = AudioEmbedding(WIDTH, kernel_size)
    frames, length = normal(1, 9, FEATURES), 7
    real = np.arange(9)[None] < length
    layer(frames, real)
    randomise(layer)
    tokens = frames[0, :length]
    for kernel, bias in zip(layer.get_weights()[::2], layer.get_weights()[1::2], strict=True):
        side = kernel_size // 2
        padded = np.pad(tokens, [(side, side), (0, 0)])
        windows = [padded[start : start + kernel_size] for start in range(0, len(tokens), 2)]
        tokens = gelu(np.array([np.einsum("tf,tfw->w", window, kernel) for window in windows]) + bias)
    np.testing.assert_allclose(np.asarray(layer(frames, real))[0, : len(tokens)], tokens, atol=1e-5)


@pytest.mark.parametrize("kernel_size", [0, 2, -1])
def test_an_audio_window_has_a_middle(kernel_size):
    with pytest.raises(ValueError, match=f"kernel_size must be odd, got {kernel_size}"):
        AudioEmbedding(WIDTH, kernel_size)
