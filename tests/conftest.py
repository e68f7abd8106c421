"""Fixtures that several test files share."""

import pytest


@pytest.fixture
def float32():
    """Whatever ran before, layers compute in float32, and from one seed."""
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    keras.utils.set_random_seed(0)
    yield
    keras.config.set_dtype_policy(before)
