"""Video files to clips of small frames: the course's way against the usual loop over OpenCV.

A file of 300 frames of 640 x 360 pixels, once as MP4 (MPEG-4) and once as AVI (a JPEG a frame), is read at
112 x 112 pixels: all frames, and every fifth. The peer decodes and resizes in a loop; when only every fifth
frame is wanted it leaves the others out after ``read``, which has decoded and converted them. Both give the
same frames, and a run records their mean.

    python benchmarks/video.py --output results.json
"""

import os
import tempfile
from pathlib import Path

import compare
import numpy as np

FRAMES, HEIGHT, WIDTH, SIZE = 300, 360, 640, 112


def stored(folder: str, ending: str) -> Path:
    """A file with a texture that slides over the frame."""
    from mmcourse import video

    rows, columns = np.mgrid[:HEIGHT, : WIDTH + 2 * FRAMES]
    wide = np.stack(
        [np.sin(columns / 9) + np.sin(rows / 7), np.cos(columns / 23), np.sin((rows + columns) / 31)]
    )
    wide = np.uint8(127 + 40 * np.moveaxis(wide, 0, -1))
    clip = np.stack([wide[:, 2 * n : 2 * n + WIDTH] for n in range(FRAMES)])
    path = Path(folder) / f"clip{ending}"
    video.write(path, clip, 25)
    return path


def read_ours(path: Path, every: int) -> np.ndarray:
    """``video.read``, with its checks and bounds."""
    from mmcourse import video

    return video.read(path, size=SIZE, every=every).clip


def read_loop(path: Path, every: int) -> np.ndarray:
    """What most pipelines write."""
    import cv2

    capture, frames, number = cv2.VideoCapture(str(path)), [], 0
    while True:
        there, frame = capture.read()
        if not there:
            break
        if number % every == 0:
            frame = cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
            frames.append(cv2.resize(frame, (SIZE, SIZE), interpolation=cv2.INTER_AREA))
        number += 1
    capture.release()
    return np.stack(frames)


def way(read, every: int):
    """A run that reads both files with one of the two."""

    def run(measure):
        figures = {}
        with tempfile.TemporaryDirectory() as folder:
            for ending in (".mp4", ".avi"):
                path = stored(folder, ending)
                read(path, 50)  # imports and the disk's cache
                before = measure.cpu_seconds
                with measure(FRAMES):
                    clip = read(path, every)
                figures[f"cpu_seconds{ending}"] = measure.cpu_seconds - before
                figures[f"mean{ending}"] = float(clip.mean())
        return figures

    return run


if __name__ == "__main__":
    os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")
    compare.main(
        {
            "loop, every fifth": way(read_loop, 5),
            "mmcourse, every fifth": way(read_ours, 5),
            "loop, all": way(read_loop, 1),
            "mmcourse, all": way(read_ours, 1),
        },
        peer="loop, every fifth",
        unit="frames of the file",
        packages=("opencv-python-headless", "numpy"),
    )
