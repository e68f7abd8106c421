"""Clips: from the bytes of a video file to frames, pieces of frames and motion.

A clip is a ``uint8`` array ``(frames, height, width, 3)`` in sRGB. What needs Keras is in
:mod:`mmcourse.layers.tubes`, which is imported by those who want it.
"""

from mmcourse.video.flow import brightness_slopes, lucas_kanade
from mmcourse.video.frames import (
    apparent_step,
    check_clip,
    differences,
    draw_segments,
    draw_window,
    jitter,
    mirror,
    reverse,
    shift,
    spread,
)
from mmcourse.video.making import MIRRORED, MOTIONS, REVERSED, background, cut_out, make_clip
from mmcourse.video.reading import Video, VideoError, decode, encode, read, write
from mmcourse.video.tubes import convolve, cut_tubes, join_tubes, tube_grid

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
    "convolve",
    "cut_out",
    "cut_tubes",
    "decode",
    "differences",
    "draw_segments",
    "draw_window",
    "encode",
    "jitter",
    "join_tubes",
    "lucas_kanade",
    "make_clip",
    "mirror",
    "read",
    "reverse",
    "shift",
    "spread",
    "tube_grid",
    "write",
]
