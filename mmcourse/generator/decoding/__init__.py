"""Ways to choose an answer token by token (notebook 55), one small module each.

Each is a callable ``choose(model, inputs)`` that gives token ids ``int32`` ``(batch, answer_length)``, padded
after the end token. It reads the prefix once (``model.read``) and then goes on by one step for each token
(``model.next_logits``), all in one ``while_loop``, so that a compiler sees the whole. The settings of those
that have some are the fields of a frozen dataclass, which can be compared and be the key of a dictionary.
"""

from mmcourse.generator.decoding.beam import Beam
from mmcourse.generator.decoding.constrained import Constrained
from mmcourse.generator.decoding.greedy import greedy
from mmcourse.generator.decoding.sampling import Sampling
from mmcourse.generator.decoding.writer import Writer

__all__ = ["Beam", "Constrained", "Sampling", "Writer", "greedy"]
