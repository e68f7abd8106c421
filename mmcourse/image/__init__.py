"""Pictures: from the bytes of a file to an array that a model takes.

:mod:`~mmcourse.image.reading` is what the generator reads its pictures with.
"""

from mmcourse.image.arrays import as_batch
from mmcourse.image.augmentation import (
    OPERATIONS,
    add_noise,
    add_specks,
    crop,
    flip,
    mixup,
    random_augment,
    recolour,
    warp,
)
from mmcourse.image.colour import lay_over, to_grey, to_light, to_srgb
from mmcourse.image.loading import decode_batch
from mmcourse.image.normalisation import Standardiser, for_encoder, to_unit
from mmcourse.image.pairs import augment_pair, mirror_caption, mirror_pair
from mmcourse.image.reading import FORMATS, MAX_PIXELS, PictureError, decode, read
from mmcourse.image.repair import (
    crop_border,
    fill_missing,
    find_content,
    gaussian_filter,
    median_filter,
    signal_to_noise,
)
from mmcourse.image.resizing import bilinear, shrink
from mmcourse.image.vector import decode_svg, read_svg

__all__ = [
    "FORMATS",
    "MAX_PIXELS",
    "OPERATIONS",
    "PictureError",
    "Standardiser",
    "add_noise",
    "add_specks",
    "as_batch",
    "augment_pair",
    "bilinear",
    "crop",
    "crop_border",
    "decode",
    "decode_batch",
    "decode_svg",
    "fill_missing",
    "find_content",
    "flip",
    "for_encoder",
    "gaussian_filter",
    "lay_over",
    "median_filter",
    "mirror_caption",
    "mirror_pair",
    "mixup",
    "random_augment",
    "read",
    "read_svg",
    "recolour",
    "shrink",
    "signal_to_noise",
    "to_grey",
    "to_light",
    "to_srgb",
    "to_unit",
    "warp",
]
