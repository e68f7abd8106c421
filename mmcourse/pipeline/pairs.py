"""Pairs of two modalities (notebook 28): where each half comes from, and when."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Provenance:
    """Where an example comes from and what may be done with it. No field may be empty.

    Attributes:
        source: who published it, and where.
        licence: under which licence.
        consent: how the people in it agreed, or that no person is in it.
        collected: when, or with which release.
    """

    source: str
    licence: str
    consent: str
    collected: str

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, str) or not value.strip():
                raise ValueError(
                    f"{field.name} must say something, got {value!r}; what is not known is no permission"
                )


@dataclass(frozen=True, eq=False)
class Pair:
    """Contents of two modalities or more that belong together.

    Attributes:
        key: identifies the pair for ever; no two pairs have the same.
        parts: modality -> content; None where it is missing.
        group: what must not cross a split: the speaker, the patient, the film that both parts come from.
        provenance: modality -> where this part comes from. The parts of a pair may have different licences.
    """

    key: str
    parts: Mapping[str, object]
    group: str
    provenance: Mapping[str, Provenance]

    def __post_init__(self) -> None:
        if not self.key or not self.group:
            raise ValueError(f"a pair needs a key and a group, got {self.key!r} and {self.group!r}")
        known = {modality for modality, content in self.parts.items() if content is not None}
        if len(self.parts) < 2 or not known:
            raise ValueError(
                f"pair {self.key!r} needs two modalities or more, one of them known, got {known or 'none'}"
            )
        without = sorted(known - set(self.provenance))
        if without:
            raise ValueError(f"pair {self.key!r} does not say where its {without[0]!r} comes from")

    @property
    def missing(self) -> tuple[str, ...]:
        """The modalities whose content is missing."""
        return tuple(modality for modality, content in self.parts.items() if content is None)


def nearest_frame(times: np.ndarray, frame_times: np.ndarray, farthest: float = np.inf) -> np.ndarray:
    """For each moment, the frame that is nearest in time; of two equally near ones the earlier.

    Args:
        times: seconds, ``(moments,)``.
        frame_times: seconds at which the frames were taken, ``(frames,)``, increasing.
        farthest: seconds; a moment without a frame that near, give or take a microsecond, gets -1.

    Returns:
        Frame numbers, ``int64`` ``(moments,)``.

    Raises:
        ValueError: no frames, or their times do not increase.
    """
    times, frame_times = np.asarray(times, dtype=float), np.asarray(frame_times, dtype=float)
    if frame_times.ndim != 1 or not frame_times.size or not (np.diff(frame_times) > 0).all():
        raise ValueError("frame_times must be at least one time (frames,), and they must increase")
    after = np.clip(np.searchsorted(frame_times, times), 1, max(1, len(frame_times) - 1))
    after = np.minimum(after, len(frame_times) - 1)
    before = np.maximum(after - 1, 0)
    nearer = np.where(times - frame_times[before] <= frame_times[after] - times, before, after)
    distance = np.abs(frame_times[nearer] - times)
    # 0.39 - 0.36 is 0.030000000000000027: what is exactly that far must not fail by rounding.
    return np.where(distance <= farthest + 1e-6, nearer, -1).astype(np.int64)
