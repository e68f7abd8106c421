"""Sampling: a token is drawn with the model's own chances, or from the likeliest alone (notebook 55)."""

from dataclasses import dataclass

from keras import ops

from mmcourse.generator.decoding.loop import write

HALVINGS = 24  # as many as a float32 has binary digits


@dataclass(frozen=True)
class Sampling:
    """Draw each token from ``softmax(logits / temperature)``, cut first to the ``top_k`` likeliest tokens
    (Fan et al., 2018), then to the nucleus: the fewest likely ones that together have at least that
    probability (Holtzman et al., 2020, section 3.1).

    What is drawn for an example depends on the seed and on the example's number, never on the batch that it
    stands in. The number is in ``inputs["example"]``, ``int32`` ``(batch,)``; if that is missing, it is the
    row. Give one picture several numbers to draw several answers for it.

    Attributes:
        temperature: below 1 the likely becomes likelier, above 1 the chances become more equal.
        top_k: None for all tokens.
        nucleus: a probability; 1 for all tokens.
        seed: any whole number.

    Raises:
        ValueError: a setting is out of its range.
    """

    temperature: float = 1.0
    top_k: int | None = None
    nucleus: float = 1.0
    seed: int = 0

    def __post_init__(self):
        if not self.temperature > 0:
            raise ValueError(f"temperature must be above 0, got {self.temperature}; for 0 use greedy")
        if self.top_k is not None and self.top_k < 1:
            raise ValueError(f"top_k must be at least 1, or None for all tokens, got {self.top_k}")
        if not 0 < self.nucleus <= 1:
            raise ValueError(f"nucleus must be above 0 and at most 1, got {self.nucleus}")

    def __call__(self, model, inputs):
        """Token ids ``int32`` ``(batch, answer_length)``, padded after the end token."""
        example = inputs.get("example")
        if example is None:
            example = ops.arange(ops.shape(inputs["prompt"])[0])
        return write(
            model, inputs, lambda logits, place: self.pick(logits, uniform(self.seed, example, place))
        )

    def pick(self, logits, number):
        """Draw a token for each example by inverting the distribution function.

        Args:
            logits: ``(batch, vocabulary)``.
            number: ``(batch,)``, at least 0 and below 1.

        Returns:
            ``int32`` ``(batch,)``.
        """
        chances = ops.softmax(ops.cast(logits, "float32") / self.temperature, axis=-1)
        if self.top_k is not None and self.top_k < logits.shape[-1]:
            least = ops.top_k(chances, self.top_k)[0][:, -1:]
            chances = ops.where(chances >= least, chances, 0.0)
            chances = chances / ops.sum(chances, axis=-1, keepdims=True)
        if self.nucleus < 1:
            chances = ops.where(chances >= least_of_nucleus(chances, self.nucleus), chances, 0.0)
        reached = ops.cumsum(chances, axis=-1)
        # A number below 1 times the whole is rounded to less than the whole: a token is always left.
        passed = reached <= number[:, None] * reached[:, -1:]
        return ops.sum(ops.cast(passed, "int32"), axis=-1)


def least_of_nucleus(chances, share: float):
    """The probability of the least likely token of the nucleus.

    It is closed in on by halving, which takes a third of the time of sorting a vocabulary of four thousand:
    those above the lower bound always have the share together, those above the upper one never do.

    Args:
        chances: ``(batch, vocabulary)``, which sum to 1.
        share: what the nucleus has at least, above 0 and below 1.

    Returns:
        ``(batch, 1)``, at most the least probability of the nucleus and above the next smaller one, unless
        the two differ by less than a 2^24th of the greatest.
    """
    high = ops.max(chances, axis=-1, keepdims=True)
    low = ops.zeros_like(high)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        mass = ops.sum(ops.where(chances >= middle, chances, 0.0), axis=-1, keepdims=True)
        low, high = ops.where(mass >= share, middle, low), ops.where(mass >= share, high, middle)
    return low


def uniform(seed: int, example, place):
    """Random numbers that need no state: a hash of what they are for (Salmon et al., 2011, "Parallel random
    numbers: as easy as 1, 2, 3").

    Args:
        seed: any whole number.
        example: ``int32`` ``(batch,)``.
        place: ``int32``, a scalar.

    Returns:
        ``float32`` ``(batch,)``, at least 0 and below 1, in steps of 2^-24.
    """
    mixed = _mix(ops.convert_to_tensor(_signed(seed), dtype="int32"))
    mixed = _mix(mixed + ops.cast(example, "int32"))
    mixed = _mix(mixed + ops.cast(place, "int32"))
    return ops.cast(_shifted(mixed, 8), "float32") / 2.0**24


def _mix(bits):
    """The last step of MurmurHash3 (Appleby, 2011), of 32 bits: each bit of what goes in changes each bit of
    what comes out in half of all cases. Whole numbers run over, as they are meant to."""
    bits = ops.bitwise_xor(bits, _shifted(bits, 16)) * _signed(0x85EBCA6B)
    bits = ops.bitwise_xor(bits, _shifted(bits, 13)) * _signed(0xC2B2AE35)
    return ops.bitwise_xor(bits, _shifted(bits, 16))


def _shifted(bits, places: int):
    """To the right, with zeros from the left: a plain shift would repeat the sign."""
    return ops.bitwise_and(ops.right_shift(bits, places), 2 ** (32 - places) - 1)


def _signed(number: int) -> int:
    """The whole number of 32 bits with a sign that has the same bits."""
    return (number + 2**31) % 2**32 - 2**31
