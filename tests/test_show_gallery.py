"""Galleries whose subject is an artefact keep every value."""

import base64
import io
import re

import numpy as np
from PIL import Image

from mmcourse import show


def test_a_lossless_gallery_keeps_every_value():
    picture = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    for lossless, kind in ((False, "JPEG"), (True, "PNG")):
        page = show.Gallery({"noise": picture}, side=60, lossless=lossless)._repr_html_()
        stored = Image.open(io.BytesIO(base64.b64decode(re.search(r"base64,([^\"]+)", page)[1])))
        assert stored.format == kind
        assert (np.asarray(stored) == picture).all() == lossless
