"""A small reader of handwritten digits, for documents and for answers (notebooks 65 and 66).

It is made to be quick, not good; the notebooks need one that errs.
"""

import numpy as np
from scipy.special import softmax
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression
from sklearn.metrics.pairwise import rbf_kernel

from mmcourse import store
from mmcourse.data import digits

GAMMA = 0.04  # width of the kernel, on means of 2 × 2 pixels between 0 and 1


def read_digits(images: np.ndarray) -> np.ndarray:
    """How probable each digit is in each picture.

    The reader is a logistic regression on an approximate kernel, fitted on the digits' split "train" when it
    is first asked for, and kept.

    Args:
        images: ``(pictures, 28, 28)``: ``uint8`` with ink 255, or floats with ink 1.

    Returns:
        ``float64`` ``(pictures, 10)``; rows sum to 1.

    Raises:
        ValueError: another shape.
    """
    images = np.asarray(images)
    if images.ndim != 3 or images.shape[1:] != (digits.SIZE, digits.SIZE):
        raise ValueError(
            f"images must have the shape (pictures, {digits.SIZE}, {digits.SIZE}), got {images.shape}"
        )
    reader = store.arrays("digit-reader", [__name__], _fit)
    close = rbf_kernel(_features(images), reader["landmarks"], gamma=GAMMA)  # (pictures, landmarks)
    return softmax(close @ reader["weights"] + reader["bias"], axis=1)


def _fit() -> dict[str, np.ndarray]:
    """The landmarks of the kernel, and weights and bias that lead from it to the logits of the digits."""
    images, labels = digits.load().part("train")
    kernel = Nystroem(gamma=GAMMA, n_components=600, random_state=0)
    model = LogisticRegression(C=30, max_iter=300).fit(kernel.fit_transform(_features(images)), labels)
    weights = kernel.normalization_.T @ model.coef_.T  # (landmarks, 10)
    return {"landmarks": kernel.components_, "weights": weights, "bias": model.intercept_}


def _features(images: np.ndarray) -> np.ndarray:
    """Means of 2 × 2 pixels between 0 and 1, one row a picture: (pictures, 28, 28) -> (pictures, 196)."""
    scaled = images / np.float32(255) if images.dtype == np.uint8 else images
    return scaled.reshape(len(images), 14, 2, 14, 2).mean(axis=(2, 4)).reshape(len(images), -1).astype(float)
