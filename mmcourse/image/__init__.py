"""Pictures: from the bytes of a file to an array that a model takes.

:mod:`~mmcourse.image.reading` is what the generator reads its pictures with.
"""

from mmcourse.image.reading import FORMATS, MAX_PIXELS, PictureError, decode, read

__all__ = ["FORMATS", "MAX_PIXELS", "PictureError", "decode", "read"]
