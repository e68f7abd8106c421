"""Encoders: what turns text, images, sound and video into features ``(batch, tokens, width)`` (notebook 46).

To be trained from nothing: :mod:`.layers`. Trained by others, and offline: :mod:`.efficientnet` for images,
:mod:`.sentences` for texts, :mod:`.speech` for speech; online: :mod:`.online`. Trained further:
:mod:`.fine_tuning`. What notebooks share is computed once by :mod:`.prepared` and :mod:`.spoken_words`.
"""

from mmcourse.encoders.layers import audio_encoder, image_encoder, text_encoder, video_encoder

__all__ = ["audio_encoder", "image_encoder", "text_encoder", "video_encoder"]
