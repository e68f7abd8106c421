"""Optimisers: a hundred steps as Keras takes them, what settings mean, and what is refused."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcourse.mathematics import optimisers

STEPS = 100
SHAPES = {"bias": (5,), "wide": (3, 7), "tall": (6, 2), "kernel": (2, 3, 2, 4)}

pytestmark = pytest.mark.usefixtures("float32")


def parameters(seed: int = 0) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    return {name: np.asarray(random.normal(size=shape), "float32") for name, shape in SHAPES.items()}


def gradients(seed: int = 1) -> list[dict[str, np.ndarray]]:
    """A hundred gradients of very different sizes, some of them zero."""
    random = np.random.default_rng(seed)
    sizes = 10 ** random.uniform(-3, 1, size=STEPS)
    return [
        {
            name: np.asarray(size * random.normal(size=shape) * (random.random(shape) < 0.9), "float32")
            for name, shape in SHAPES.items()
        }
        for size in sizes
    ]


def run_keras(reference) -> list[np.ndarray]:
    variables = [keras.Variable(value, name=key) for key, value in parameters().items()]
    reference.build(variables)
    step = tf.function(lambda *slopes: reference.apply(slopes, variables))
    for slope in gradients():
        step(*map(tf.constant, slope.values()))
    return [variable.numpy() for variable in variables]


def run(optimiser, values, slopes):
    state = None
    for slope in slopes:
        values, state = optimiser.step(values, slope, state)
    return values, state


WARM = optimisers.warm_up_cosine(0.05, STEPS, 20, last=0.001)


class Warm(keras.optimizers.schedules.LearningRateSchedule):
    def __call__(self, step):
        table = keras.ops.array([WARM(step) for step in range(STEPS + 1)], "float32")
        return keras.ops.take(table, keras.ops.cast(step, "int32"))


PAIRS = {
    "gradient descent": (optimisers.gradient_descent(0.03), lambda: keras.optimizers.SGD(0.03)),
    "sgd": (optimisers.sgd(0.2), lambda: keras.optimizers.SGD(0.2)),
    "momentum": (optimisers.momentum(0.01, 0.9), lambda: keras.optimizers.SGD(0.01, momentum=0.9)),
    "nesterov": (
        optimisers.momentum(0.01, 0.8, nesterov=True),
        lambda: keras.optimizers.SGD(0.01, momentum=0.8, nesterov=True),
    ),
    "momentum, schedule": (
        optimisers.momentum(WARM, 0.9),
        lambda: keras.optimizers.SGD(Warm(), momentum=0.9),
    ),
    "adam": (optimisers.adam(0.01), lambda: keras.optimizers.Adam(0.01)),
    "adam, settings": (
        optimisers.adam(0.1, beta_1=0.5, beta_2=0.9, epsilon=1e-3),
        lambda: keras.optimizers.Adam(0.1, beta_1=0.5, beta_2=0.9, epsilon=1e-3),
    ),
    "adam, schedule": (optimisers.adam(WARM), lambda: keras.optimizers.Adam(Warm())),
    "adamw": (optimisers.adamw(0.01), lambda: keras.optimizers.AdamW(0.01)),
    "adamw, schedule": (
        optimisers.adamw(WARM, weight_decay=0.5),
        lambda: keras.optimizers.AdamW(Warm(), weight_decay=0.5),
    ),
    "muon": (optimisers.muon(0.01), lambda: keras.optimizers.Muon(0.01)),
    "muon, settings": (
        optimisers.muon(WARM, momentum=0.8, weight_decay=0.1, rms_rate=0.5, others=("tall",)),
        lambda: keras.optimizers.Muon(
            Warm(),
            momentum=0.8,
            weight_decay=0.1,
            adam_weight_decay=0.1,
            rms_rate=0.5,
            exclude_layers=["tall"],
        ),
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_a_hundred_steps_are_those_of_keras(name):
    optimiser, make = PAIRS[name]
    moved, state = run(optimiser, parameters(), gradients())
    assert state.steps == STEPS
    for expected, (key, value) in zip(run_keras(make()), moved.items(), strict=True):
        assert value.dtype == np.float32
        np.testing.assert_allclose(value, expected, rtol=2e-4, atol=2e-5, err_msg=key)


def test_adamw_leaves_what_is_excluded_as_keras_does():
    reference = keras.optimizers.AdamW(0.01, weight_decay=0.3)
    reference.exclude_from_weight_decay(var_names=["bias"])
    moved, _ = run(optimisers.adamw(0.01, weight_decay=0.3, undecayed=("bias",)), parameters(), gradients())
    for expected, value in zip(run_keras(reference), moved.values(), strict=True):
        np.testing.assert_allclose(value, expected, rtol=2e-4, atol=2e-5)


EVERY = ["gradient_descent", "sgd", "momentum", "adam", "adamw", "muon"]


@pytest.mark.parametrize("name", EVERY)
def test_one_array_moves_as_it_does_in_a_mapping_and_nothing_is_changed_in_place(name):
    optimiser, slopes = getattr(optimisers, name)(0.1), gradients()
    start = parameters()["wide"]
    alone, _ = run(optimiser, start, [slope["wide"] for slope in slopes])
    together, _ = run(optimiser, parameters(), slopes)
    np.testing.assert_array_equal(alone, together["wide"])
    np.testing.assert_array_equal(start, parameters()["wide"])
    assert not np.array_equal(alone, start)


@pytest.mark.parametrize("name", EVERY)
def test_a_run_can_be_interrupted(name):
    optimiser, slopes = getattr(optimisers, name)(WARM), gradients()
    whole, _ = run(optimiser, parameters(), slopes)
    half, state = run(optimiser, parameters(), slopes[:37])
    for slope in slopes[37:]:
        half, state = optimiser.step(half, slope, state)
    for key in SHAPES:
        np.testing.assert_array_equal(half[key], whole[key])


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_dtypes_stay(name, dtype):
    start = np.ones((2, 3), dtype)
    settings_ = {"momentum": np.float64(0.9)} if name in ("momentum", "muon") else {}
    moved, state = getattr(optimisers, name)(np.float64(0.01), **settings_).step(start, np.ones((2, 3)))
    assert moved.dtype == dtype and state.steps == 1


def test_adams_first_step_by_hand():
    """m/(1-0.9) = g and v/(1-0.999) = g², so that the first step is the learning rate, whatever g is."""
    moved, state = optimisers.adam(0.1).step(np.array([1.0, 1.0, 1.0]), np.array([5.0, -0.01, 0.0]))
    np.testing.assert_allclose(moved, [0.9, 1.1, 1.0], atol=1e-4)
    mean, square = state.memories[""]
    np.testing.assert_allclose(mean, [0.5, -0.001, 0.0])
    np.testing.assert_allclose(square, [0.025, 1e-7, 0.0])


def test_momentum_by_hand():
    optimiser = optimisers.momentum(0.1, 0.5)
    value, state = optimiser.step(np.array(1.0), np.array(2.0))
    assert value == pytest.approx(0.8)
    value, state = optimiser.step(value, np.array(2.0), state)
    assert value == pytest.approx(0.5)  # 0.8 - 0.2 - 0.5 * 0.2


@given(
    scale=st.floats(1e-2, 1e3),
    seed=st.integers(0, 1000),
    steps=st.integers(1, 30),
)
def test_adam_does_not_see_the_unit_of_the_loss(scale, seed, steps):
    random = np.random.default_rng(seed)
    slopes = random.uniform(0.5, 2, size=(steps, 4)) * random.choice([-1, 1], size=(steps, 4))
    one, _ = run(optimisers.adam(0.1, epsilon=1e-12), np.zeros(4), slopes)
    other, _ = run(optimisers.adam(0.1, epsilon=1e-12), np.zeros(4), scale * slopes)
    np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-9)


@given(decay=st.floats(0, 5), rate=st.floats(1e-4, 0.1), steps=st.integers(1, 20))
def test_without_a_gradient_adamw_only_decays(decay, rate, steps):
    start = np.array([3.0, -2.0])
    moved, _ = run(optimisers.adamw(rate, weight_decay=decay), start, [np.zeros(2)] * steps)
    np.testing.assert_allclose(moved, start * (1 - rate * decay) ** steps, rtol=1e-9)
    plain, _ = run(optimisers.adam(rate), start, [np.zeros(2)] * steps)
    np.testing.assert_array_equal(plain, start)


@given(
    curvature=st.floats(0.1, 10),
    share=st.floats(0.05, 2.5),
    start=st.floats(0.5, 2),
)
def test_gradient_descent_converges_below_two_over_the_curvature(curvature, share, start):
    """Each step multiplies the distance by 1 - learning_rate * curvature."""
    optimiser, value = optimisers.gradient_descent(share / curvature), np.array(start)
    for _ in range(5):
        value, _ = optimiser.step(value, curvature * value)
    np.testing.assert_allclose(value, start * (1 - share) ** 5, rtol=1e-6, atol=1e-12)


@settings(deadline=None)
@given(
    rows=st.integers(1, 6),
    columns=st.integers(1, 6),
    size=st.floats(1e-3, 1e3),
    seed=st.integers(0, 1000),
)
def test_newton_schulz_sets_singular_values_near_one(rows, columns, size, seed):
    random = np.random.default_rng(seed)
    left, _, right = np.linalg.svd(random.normal(size=(rows, columns)), full_matrices=False)
    values = random.uniform(0.2, 1, size=min(rows, columns)) * size
    found = optimisers.newton_schulz((left * values) @ right)
    assert found.shape == (rows, columns)
    turned = left.T @ found @ right.T
    np.testing.assert_allclose(turned, np.diag(np.diag(turned)), atol=1e-6)
    assert (np.diag(turned) > 0.6).all() and (np.diag(turned) < 1.3).all()


def test_newton_schulz_of_nothing_is_nothing():
    assert (optimisers.newton_schulz(np.zeros((2, 3))) == 0).all()
    with pytest.raises(ValueError, match=r"must be \(rows, columns\)"):
        optimisers.newton_schulz(np.zeros(3))
    with pytest.raises(ValueError, match="steps"):
        optimisers.newton_schulz(np.zeros((2, 3)), steps=-1)


# Schedules


def test_warm_up_and_cosine_by_hand():
    rate = optimisers.warm_up_cosine(1.0, steps=14, warm_up=4, last=0.2)
    found = [rate(step) for step in range(16)]
    np.testing.assert_allclose(found[:5], [0.25, 0.5, 0.75, 1.0, 1.0])
    assert found[9] == pytest.approx(0.6) and found[14] == found[15] == pytest.approx(0.2)
    assert (np.diff(found[4:15]) < 0).all()


def test_the_cosine_is_that_of_keras():
    keras_rate = keras.optimizers.schedules.CosineDecay(0.3, 50, alpha=0.1)
    rate = optimisers.warm_up_cosine(0.3, 50, last=0.03)
    for step in (0, 1, 17, 49, 50, 80):
        assert rate(step) == pytest.approx(float(keras_rate(step)), abs=1e-6)


def test_steps_down_and_constant():
    rate = optimisers.step_decay(0.8, every=3, factor=0.5)
    np.testing.assert_allclose([rate(step) for step in range(7)], [0.8] * 3 + [0.4] * 3 + [0.2])
    assert [optimisers.constant(0.3)(step) for step in (0, 99)] == [0.3, 0.3]
    assert optimisers.rate_at(0.3, 5) == 0.3 and optimisers.rate_at(rate, 4) == 0.4


# What is refused


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("sgd", {"learning_rate": -1}, "learning_rate must be a number 0 or more, got -1"),
        ("gradient_descent", {"learning_rate": float("nan")}, "learning_rate"),
        ("momentum", {"momentum": 1.0}, "momentum must be below 1, got 1.0"),
        ("adam", {"beta_1": -0.1}, "beta_1"),
        ("adam", {"beta_2": 1}, "beta_2 must be below 1"),
        ("adam", {"epsilon": 0}, "epsilon must be a number above 0"),
        ("adamw", {"weight_decay": -0.1}, "weight_decay"),
        ("muon", {"rms_rate": 0}, "rms_rate"),
        ("constant", {"learning_rate": -1}, "learning_rate"),
        ("step_decay", {"learning_rate": 1, "every": 0}, "every must be a whole number of at least 1"),
        ("step_decay", {"learning_rate": 1, "every": 2, "factor": 2}, "factor must be a number from 0 to 1"),
        ("warm_up_cosine", {"learning_rate": 1, "steps": 5, "warm_up": 5}, "warm_up must be below steps, 5"),
        ("warm_up_cosine", {"learning_rate": 1, "steps": 5, "last": 2}, "last must be a number from 0 to 1"),
    ],
)
def test_settings_out_of_range_are_refused(name, arguments, message):
    with pytest.raises(ValueError, match=message):
        getattr(optimisers, name)(**arguments)


def test_what_does_not_fit_is_refused():
    optimiser, start = optimisers.adam(0.1), {"w": np.zeros(3)}
    _, state = optimiser.step(start, {"w": np.ones(3)})
    for values, slopes, given_state, message in (
        (start, {"v": np.ones(3)}, None, "same names"),
        (start, np.ones(3), None, "both be arrays"),
        (
            start,
            {"w": np.ones(2)},
            None,
            r"gradient of parameter 'w' must have its shape, \(3,\), got \(2,\)",
        ),
        (np.zeros(3), np.ones((3, 1)), None, "gradient of the parameter must have its shape"),
        ({"w": np.zeros(3, int)}, start, None, "floating-point numbers, got int64: use astype"),
        (start, {"w": np.ones(3, complex)}, None, "real numbers"),
        ({"w": np.zeros(2)}, {"w": np.ones(2)}, state, "state of parameter 'w'"),
        ({"v": np.zeros(3)}, {"v": np.ones(3)}, state, "same names"),
    ):
        with pytest.raises(ValueError, match=message):
            optimiser.step(values, slopes, given_state)
    with pytest.raises(ValueError, match="state of parameter 'w'"):
        optimisers.momentum(0.1).step(start, {"w": np.ones(3)}, state)
    with pytest.raises(ValueError, match="the schedule gives -1"):
        optimisers.sgd(lambda step: -1).step(start, {"w": np.ones(3)})


def test_settings_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        optimisers.adam(0.1).learning_rate = 0.2
