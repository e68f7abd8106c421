"""Fine-tuning with a learning rate for each layer (notebook 46)."""

from collections.abc import Mapping

import keras


class LayerwiseAdam(keras.optimizers.Adam):
    """Adam that multiplies the step of each variable by a factor.

    Multiplying the *gradient* would change nothing: Adam divides each gradient by its own usual size.

    Args:
        learning_rate: as of Adam.
        factors: name of a layer -> factor for its variables; 1 for all others.
    """

    def __init__(self, learning_rate: float, factors: Mapping[str, float], **settings):
        super().__init__(learning_rate, **settings)
        self.factors = dict(factors)

    def update_step(self, gradient, variable, learning_rate):
        """One step for one variable; Keras calls it."""
        path = self._trainable_variables[self._get_variable_index(variable)].path  # "layer/kernel"
        factor = self.factors.get(path.split("/")[-2], 1.0)
        super().update_step(gradient, variable, learning_rate * factor)

    def get_config(self):
        return {**super().get_config(), "factors": self.factors}
