"""Captions -> features: words as bags of character n-grams, then a small transformer.

Shapes: B captions, W words, G n-grams, D features.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from holotype.inputs.captions import MAX_WORDS, NUM_BUCKETS, encode_captions


class CaptionTower(nn.Module):
    """A text tower for lineages, trained from nothing.

    Word vectors are means of n-gram vectors (Bojanowski et al. 2017, doi:10.1162/tacl_a_00051); a
    pre-norm transformer (Vaswani et al. 2017, arXiv 1706.03762) reads them in order, and the mean over
    words is the feature. Positions count from the narrow end, where species and genus stand.

    Attributes:
        feature_dim: D.
        longest: words that are read of one caption at most.
    """

    longest = MAX_WORDS

    def __init__(self, *, width: int = 128, depth: int = 2, heads: int = 4) -> None:
        super().__init__()
        self.feature_dim = width
        self.grams = nn.Embedding(NUM_BUCKETS, width, padding_idx=0)
        self.positions = nn.Parameter(torch.zeros(MAX_WORDS, width))
        layer = nn.TransformerEncoderLayer(
            width, heads, 2 * width, dropout=0.0, batch_first=True, norm_first=True
        )
        self.blocks = nn.TransformerEncoder(
            layer, depth, norm=nn.LayerNorm(width), enable_nested_tensor=False
        )
        nn.init.normal_(self.grams.weight, std=width**-0.5)
        nn.init.normal_(self.positions, std=0.02)

    def tokenise(self, texts: Sequence[str], *, at_least: int = 1) -> tuple[Tensor, ...]:
        """Returns n-gram buckets, int64 (B, W, G), 0 for padding, W at least as said."""
        bucket_BWG = torch.from_numpy(encode_captions(texts))
        return (nn.functional.pad(bucket_BWG, (0, 0, 0, max(0, at_least - bucket_BWG.shape[1]))),)

    def forward(self, bucket_BWG: Tensor) -> Tensor:
        """Returns features, float32 (B, D), of n-gram buckets, int64 (B, W, G), 0 for padding."""
        present_BWG = bucket_BWG > 0
        present_BW = present_BWG.any(dim=2)
        count_BW1 = present_BWG.sum(dim=2, keepdim=True).clamp(min=1)
        word_BWD = self.grams(bucket_BWG).sum(dim=2) / count_BW1.sqrt()
        from_end_BW = present_BW.sum(dim=1, keepdim=True) - present_BW.cumsum(dim=1)
        word_BWD = word_BWD + self.positions[from_end_BW.clamp(0, MAX_WORDS - 1)]
        read_BWD = self.blocks(word_BWD, src_key_padding_mask=~present_BW)
        weight_BW1 = present_BW.unsqueeze(2).to(read_BWD.dtype)
        mean_BD: Tensor = (read_BWD * weight_BW1).sum(dim=1) / weight_BW1.sum(dim=1).clamp(min=1)
        return mean_BD
