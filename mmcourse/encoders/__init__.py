"""Encoders: what turns text, pictures, sound and video into features ``(batch, tokens, width)``.

To be trained from nothing: :mod:`.layers`. Trained by others, and offline: :mod:`.efficientnet` for pictures,
:mod:`.sentences` for texts. Trained by others, for readers who are online: :mod:`.online`. What chapters
share is computed once by :mod:`.prepared`.
"""

from mmcourse.encoders.layers import audio_encoder, image_encoder, text_encoder, video_encoder

__all__ = ["audio_encoder", "image_encoder", "text_encoder", "video_encoder"]
