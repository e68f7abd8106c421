"""The Keras layers of the course (notebooks 27, 34, 37, 38 and 39)."""

from mmcourse.layers.attention import CrossAttention, SelfAttention, prefix_mask
from mmcourse.layers.patches import PatchEmbedding, cut_patches
from mmcourse.layers.transformer import TransformerBlock
from mmcourse.layers.tubes import TubeEmbedding

__all__ = [
    "CrossAttention",
    "PatchEmbedding",
    "SelfAttention",
    "TransformerBlock",
    "TubeEmbedding",
    "cut_patches",
    "prefix_mask",
]
