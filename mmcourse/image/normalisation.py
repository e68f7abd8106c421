"""Numbers that a network likes: 0 to 1, standardised by the training set, or as an encoder was trained."""

from dataclasses import dataclass

import numpy as np

from mmcourse.image.arrays import as_batch

# What keras.applications subtracts and divides by, on the scale of 0 to 255 (ImageNet's training pictures).
CAFFE_MEAN_BGR = np.array([103.939, 116.779, 123.68])
TORCH_MEAN_RGB = 255 * np.array([0.485, 0.456, 0.406])
TORCH_DEVIATION_RGB = 255 * np.array([0.229, 0.224, 0.225])
CONVENTIONS = ("caffe", "tf", "torch")


def to_unit(pictures: np.ndarray) -> np.ndarray:
    """``uint8`` pictures as ``float32`` between 0 and 1.

    Raises:
        ValueError: the pictures are no ``uint8``: dividing by 255 twice is a common mistake.
    """
    batch = as_batch(pictures)
    if batch.dtype != np.uint8:
        raise ValueError(f"pictures must be uint8 (0 to 255), got {batch.dtype}: are they scaled already?")
    return np.multiply(pictures, np.float32(1 / 255), dtype=np.float32)


@dataclass(frozen=True)
class Standardiser:
    """Subtract the mean and divide by the standard deviation of each channel of the *training* pictures.

    Attributes:
        mean, deviation: ``float64`` ``(channels,)``, on the scale of the pictures it was fitted on.
        dtype: of those pictures; others are refused, since their scale may be another.
    """

    mean: np.ndarray
    deviation: np.ndarray
    dtype: np.dtype

    @classmethod
    def fit(cls, pictures: np.ndarray) -> "Standardiser":
        """Measure training pictures; a channel with one value throughout is divided by 1.

        Raises:
            ValueError: no pictures, or numbers that are not finite.
        """
        batch = as_batch(pictures)
        if not batch.size:
            raise ValueError("there is no training picture to measure")
        channels = batch.shape[-1]
        if batch.dtype == np.uint8:  # exact and without a copy as floats: count each of the 256 values
            counts = [np.bincount(batch[..., c].ravel(), minlength=256) for c in range(channels)]
            share, values = np.array(counts) / batch[..., 0].size, np.arange(256)
            mean = share @ values
            deviation = np.sqrt(share @ values**2.0 - mean**2)
        else:
            mean = batch.mean(axis=(0, 1, 2), dtype=float)
            deviation = batch.std(axis=(0, 1, 2), dtype=float)
        if not np.isfinite(mean).all():
            raise ValueError("the pictures hold NaN or infinity; fill what is missing first")
        return cls(mean, np.where(deviation > 1e-9, deviation, 1.0), batch.dtype)

    def apply(self, pictures: np.ndarray) -> np.ndarray:
        """Standardise pictures of any split: ``float32`` of the same shape.

        Raises:
            ValueError: other channels or another dtype than the training pictures had.
        """
        self._check(pictures)
        return _scale(pictures, 1 / self.deviation, -self.mean / self.deviation)

    def undo(self, values: np.ndarray) -> np.ndarray:
        """Standardised values back on the scale of the pictures, ``float32``, not rounded."""
        return _scale(values, self.deviation, self.mean)

    def _check(self, pictures: np.ndarray) -> None:
        batch = as_batch(pictures)
        if batch.shape[-1] != len(self.mean) or batch.dtype != self.dtype:
            raise ValueError(
                f"fitted on {self.dtype} pictures of {len(self.mean)} channels, got {batch.dtype} pictures "
                f"of {batch.shape[-1]}"
            )


def for_encoder(pictures: np.ndarray, convention: str) -> np.ndarray:
    """Pictures as a pretrained encoder of ``keras.applications`` expects them: ``float32``, shape kept.

    Args:
        pictures: ``uint8`` RGB, one or a batch.
        convention: "caffe": channels in the order BGR, their ImageNet means subtracted, not scaled (VGG,
            ResNet). "tf": −1 to 1 (MobileNet, Inception, ResNetV2). "torch": 0 to 1, then standardised by
            ImageNet's figures (DenseNet).

    Raises:
        ValueError: an unknown convention, or pictures that are no ``uint8`` RGB.
    """
    batch = as_batch(pictures)
    if batch.dtype != np.uint8 or batch.shape[-1] != 3:
        raise ValueError(
            f"pictures must be uint8 with three channels (RGB), got {batch.dtype} {np.shape(pictures)}"
        )
    if convention == "caffe":
        return _scale(np.asarray(pictures)[..., ::-1], np.ones(3), -CAFFE_MEAN_BGR)
    if convention == "tf":
        return _scale(pictures, np.full(3, 1 / 127.5), np.full(3, -1.0))
    if convention == "torch":
        return _scale(pictures, 1 / TORCH_DEVIATION_RGB, -TORCH_MEAN_RGB / TORCH_DEVIATION_RGB)
    raise ValueError(f"unknown convention {convention!r}; expected one of: {', '.join(CONVENTIONS)}")


def _scale(pictures: np.ndarray, factor: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """``pictures * factor + shift`` a channel, in one new ``float32`` array.

    Whole rows of pixels are multiplied at once: a loop over three channels at a time is several times slower.
    """
    pictures = np.ascontiguousarray(pictures)
    width = pictures.shape[-2]
    rows = pictures.reshape(*pictures.shape[:-2], -1)  # (..., height, width · channels)
    scaled = np.multiply(rows, np.tile(factor, width).astype(np.float32), dtype=np.float32)
    scaled += np.tile(shift, width).astype(np.float32)
    return scaled.reshape(pictures.shape)
