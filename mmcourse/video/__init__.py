"""Clips (notebook 27): from the bytes of a video file to frames, pieces of frames and motion.

A clip is a ``uint8`` array ``(frames, height, width, 3)`` in sRGB. What needs Keras is in
:mod:`mmcourse.layers.tubes`, which is imported by those who want it.
"""

from mmcourse.video.flow import brightness_slopes, lucas_kanade
from mmcourse.video.frames import (
    apparent_step,
    check_clip,
    draw_segments,
    spread,
)
from mmcourse.video.making import MIRRORED, MOTIONS, REVERSED, background, cut_out, make_clip
from mmcourse.video.reading import Video, VideoError, decode, encode, read, write
from mmcourse.video.tubes import cut_tubes, tube_grid

__all__ = [
    "MIRRORED",
    "MOTIONS",
    "REVERSED",
    "Video",
    "VideoError",
    "apparent_step",
    "background",
    "brightness_slopes",
    "check_clip",
    "cut_out",
    "cut_tubes",
    "decode",
    "draw_segments",
    "encode",
    "lucas_kanade",
    "make_clip",
    "read",
    "spread",
    "tube_grid",
    "write",
]
