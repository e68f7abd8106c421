"""A way of choosing as a Keras model, which compiles it and cuts its inputs into batches (notebook 50)."""

import keras

from mmcourse.generator.decoding.greedy import greedy


class Writer(keras.Model):
    """Wraps a way of choosing so that ``predict`` compiles and batches it on any backend.

    Args:
        model: the generator.
        choose: a function such as :func:`greedy`.
    """

    def __init__(self, model, choose=greedy):
        super().__init__(dtype=model.dtype_policy)
        self.model, self.choose = model, choose

    def call(self, inputs):
        return self.choose(self.model, inputs)
