"""Pictures: from the bytes of a file to an array that a model takes (notebook 23), and changed (notebook 24).

:mod:`~mmcourse.image.reading` is what the generator reads its pictures with.
"""

from mmcourse.image.augmentation import add_noise, erase, flip, mixup, recolour, warp
from mmcourse.image.pairs import augment_pair, mirror_caption, mirror_pair
from mmcourse.image.reading import FORMATS, MAX_PIXELS, PictureError, decode, read
from mmcourse.image.vector import decode_svg, read_svg

__all__ = [
    "FORMATS",
    "MAX_PIXELS",
    "PictureError",
    "add_noise",
    "augment_pair",
    "decode",
    "decode_svg",
    "erase",
    "flip",
    "mirror_caption",
    "mirror_pair",
    "mixup",
    "read",
    "read_svg",
    "recolour",
    "warp",
]
